/* links: text */
/* The leak guard: a text fed whole and in pieces must give the same; all comes out, or what stands before a leak; a
 * naive search agrees where there is no backtick. The first byte chooses the pieces, the second how much
 * stands before the text where the bound is a small one. */
#include "text/guard_leak.h"

#include <stdlib.h>

static void check(bool ok) {
  if (!ok) abort();
}

static enum err take(void *arg, const struct text_piece *piece, struct err_info *info) {
  (void)info;
  check(piece->bytes.n > 0 && piece->kind == TEXT_PIECE_TEXT);
  buf_put(arg, piece->bytes);
  return OK;
}

static size_t next_piece(unsigned *seed, size_t rest) {
  size_t n = *seed ? 1 + (*seed = *seed * 1103515245u + 12345u) / 65536 % 13 : rest;
  return n < rest ? n : rest;
}

static enum err run_leak(struct str text, unsigned seed, uint32_t most, struct buf *out) {
  const struct text_sink sink = {out, take};
  struct guard_leak g;
  enum err e = OK;
  guard_leak_init(&g, TEXT_PIECE_TEXT);
  g.most = most;
  for (size_t at = 0, n; !e && at < text.n; at += n) {
    n = next_piece(&seed, text.n - at);
    e = guard_leak_feed(&g, str_sub(text, at, at + n), &sink, NULL);
    check(g.held.n <= most);
  }
  if (!e) e = guard_leak_end(&g, &sink, NULL);
  guard_leak_clear(&g);
  check(!e || e == ERR_GUARD_LEAK);
  return e;
}

/* Is there an opening tag without attributes and, some other byte than white space behind it, its closing tag? Slow. */
static bool has_plain_pair(struct str text) {
  static const struct str pairs[][2] = {{STR("<task-notification>"), STR("</task-notification>")},
                                        {STR("<teammate-message>"), STR("</teammate-message>")},
                                        {STR("<channel>"), STR("</channel>")},
                                        {STR("<cross-session-message>"), STR("</cross-session-message>")},
                                        {STR("<tick>"), STR("</tick>")}};
  for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
    struct str rest = text;
    for (size_t at; (at = str_find(rest, pairs[i][0])) != SIZE_MAX;) {
      rest = str_sub(rest, at + pairs[i][0].n, rest.n);
      size_t end = str_find(rest, pairs[i][1]);
      if (end != SIZE_MAX && str_trim(str_sub(rest, 0, end)).n) return true;
    }
  }
  return false;
}

static void check_leak(struct str text, unsigned seed, uint32_t most) {
  struct buf whole, cut;
  buf_init(&whole, 0);
  buf_init(&cut, 0);
  enum err e = run_leak(text, 0, most, &whole);
  check(run_leak(text, seed, most, &cut) == e && str_eq(buf_str(&whole), buf_str(&cut)));
  check(str_has_prefix(text, buf_str(&whole)) && (e || whole.n == text.n));
  check(!e || text.p[whole.n] == '<' || text.n > most); /* beyond the bound it may be a place before the tag */
  check(!has_plain_pair(buf_str(&whole)) || str_find_char(text, '`') != SIZE_MAX || text.n > most);
  buf_clear(&whole);
  buf_clear(&cut);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 3) return 0;
  struct str text = str_from((const char *)data + 2, size - 2);
  check_leak(text, data[0] + 1u, GUARD_LEAK_HELD);
  struct buf far; /* with a bound that is reached somewhere in the text */
  buf_init(&far, 0);
  if (data[1] & 1) buf_put(&far, STR("<channel>"));
  for (size_t i = 0; i < data[1] * 8u; i++) buf_put_char(&far, (char)('a' + i % 26));
  buf_put(&far, text);
  check_leak(buf_str(&far), data[0] + 1u, 1024);
  buf_clear(&far);
  return 0;
}
