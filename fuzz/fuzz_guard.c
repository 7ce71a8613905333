/* links: text */
/* The guards: a text fed whole and in pieces must give the same. Of the leak guard all comes out, or what stands before
 * a leak; a naive search agrees where there is no backtick. The runaway guard stops in the piece in which it stops byte
 * by byte. The first bytes choose pieces and how often the rest is repeated. */
#include "text/guard_leak.h"
#include "text/guard_runaway.h"

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

static enum err run_leak(struct str text, unsigned seed, struct buf *out) {
  const struct text_sink sink = {out, take};
  struct guard_leak g;
  enum err e = OK;
  guard_leak_init(&g, TEXT_PIECE_TEXT);
  for (size_t at = 0, n; !e && at < text.n; at += n) {
    n = next_piece(&seed, text.n - at);
    e = guard_leak_feed(&g, str_sub(text, at, at + n), &sink, NULL);
    check(g.held.n <= GUARD_LEAK_HELD);
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

static void check_leak(struct str text, unsigned seed) {
  struct buf whole, cut;
  buf_init(&whole, 0);
  buf_init(&cut, 0);
  enum err e = run_leak(text, 0, &whole);
  check(run_leak(text, seed, &cut) == e && str_eq(buf_str(&whole), buf_str(&cut)));
  check(str_has_prefix(text, buf_str(&whole)) && (e || whole.n == text.n));
  check(!e || text.p[whole.n] == '<');
  check(!has_plain_pair(buf_str(&whole)) || str_find_char(text, '`') != SIZE_MAX || text.n > GUARD_LEAK_HELD);
  buf_clear(&whole);
  buf_clear(&cut);
}

/* The offset behind the piece that was stopped; 0: none was. */
static size_t run_runaway(struct str text, unsigned seed, size_t step) {
  struct guard_runaway g;
  size_t at = 0;
  enum err e = OK;
  guard_runaway_init(&g, &(struct guard_runaway_options){1 << 20, 0, 8192});
  while (!e && at < text.n) {
    size_t n = step ? step : next_piece(&seed, text.n - at);
    e = guard_runaway_add(&g, str_sub(text, at, at + n), NULL);
    at += n;
  }
  guard_runaway_clear(&g);
  return e ? at : 0;
}

static void check_runaway(struct str unit, unsigned times, unsigned seed) {
  struct buf text;
  buf_init(&text, 0);
  for (unsigned i = 0; i < times && text.n < 200000; i++) {
    buf_put(&text, unit);
    if (times % 5 == 0) buf_put_u64(&text, i); /* no loop */
  }
  size_t stop = run_runaway(buf_str(&text), 0, 1), cut = run_runaway(buf_str(&text), seed, 0);
  check(stop ? cut >= stop && cut < stop + 13 : cut == 0);
  check(stop || times % 5 == 0 || unit.n > GUARD_RUNAWAY_PERIOD || times < 200 ||
        text.n < GUARD_RUNAWAY_START + 8192 + 3 * GUARD_RUNAWAY_WINDOW + unit.n * GUARD_RUNAWAY_TIMES);
  buf_clear(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 4) return 0;
  struct str text = str_from((const char *)data + 3, size - 3);
  check_leak(text, data[0] + 1u);
  if (data[1] % 16 == 1) {
    struct buf far; /* behind as much text as reaches the bound */
    buf_init(&far, 0);
    buf_put(&far, STR("<channel>"));
    for (size_t i = 0; far.n < GUARD_LEAK_HELD / 2 * (1u + data[1] / 16 % 3) - size; i++)
      buf_put_char(&far, (char)('a' + i % 26));
    buf_put(&far, text);
    check_leak(buf_str(&far), data[0] + 1u);
    buf_clear(&far);
  }
  if (data[2] % 8 == 1) check_runaway(text, data[2] * 4u, data[0] + 1u); /* dear */
  return 0;
}
