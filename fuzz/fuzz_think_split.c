/* links: text */
/* Thinking in tags: a text fed whole and in pieces must give the same; no byte but of tags and white space may be lost,
 * and the order stays. The first two bytes choose options and pieces. */
#include "text/think_split.h"

#include <stdlib.h>

#include "base/buf.h"

struct taken {
  struct buf out;
  int last;
};

static void check(bool ok) {
  if (!ok) abort();
}

static enum err take(void *arg, const struct text_piece *piece, struct err_info *info) {
  struct taken *t = arg;
  (void)info;
  check(piece->bytes.n > 0 && (piece->kind == TEXT_PIECE_TEXT || piece->kind == TEXT_PIECE_REASONING));
  if (t->last != (int)piece->kind) buf_put(&t->out, piece->kind == TEXT_PIECE_TEXT ? STR("\1") : STR("\2"));
  t->last = (int)piece->kind;
  buf_put(&t->out, piece->bytes);
  return OK;
}

static void run(struct str text, bool starts_inside, unsigned seed, struct taken *taken) {
  const struct text_sink sink = {taken, take};
  struct think_split t;
  think_split_init(&t, &(struct think_split_options){starts_inside});
  for (size_t at = 0; at < text.n;) {
    size_t n = seed ? 1 + (seed = seed * 1103515245u + 12345u) / 65536 % 9 : text.n;
    if (n > text.n - at) n = text.n - at;
    check(think_split_feed(&t, str_sub(text, at, at + n), &sink, NULL) == OK);
    check(t.white <= THINK_SPLIT_HELD && t.partial <= THINK_SPLIT_TAG_MAX);
    at += n;
  }
  check(think_split_end(&t, &sink, NULL) == OK);
}

/* `out` without its marks is found in `text`, in order. */
static void check_order(struct str out, struct str text) {
  size_t at = 0;
  for (size_t i = 0; i < out.n; i++) {
    if (out.p[i] == '\1' || out.p[i] == '\2') continue;
    while (at < text.n && text.p[at] != out.p[i]) at++;
    check(at++ < text.n);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct taken whole = {.last = -1}, cut = {.last = -1};
  if (size < 2) return 0;
  struct str text = str_from((const char *)data + 2, size - 2);
  bool starts_inside = data[0] & 1;
  buf_init(&whole.out, 0);
  buf_init(&cut.out, 0);
  run(text, starts_inside, 0, &whole);
  run(text, starts_inside, data[1] + 1u, &cut);
  check(str_eq(buf_str(&whole.out), buf_str(&cut.out)));
  check_order(buf_str(&whole.out), text);
  buf_reset(&cut.out);
  cut.last = -1;
  const struct text_sink sink = {&cut, take};
  check(think_split_whole(text, &(struct think_split_options){starts_inside}, &sink, NULL) == OK);
  check_order(buf_str(&cut.out), text);
  buf_clear(&whole.out);
  buf_clear(&cut.out);
  return 0;
}
