/* links: text */
/* The runaway guard: a unit said many times stops in the piece in which it stops byte by byte; honest repetition with a
 * number in it does not. The first two bytes choose pieces and how often. */
#include "text/guard_runaway.h"

#include <stdlib.h>

#include "base/buf.h"

static void check(bool ok) {
  if (!ok) abort();
}

static size_t next_piece(unsigned *seed, size_t rest) {
  size_t n = *seed ? 1 + (*seed = *seed * 1103515245u + 12345u) / 65536 % 13 : rest;
  return n < rest ? n : rest;
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
  for (unsigned i = 0; i < times && text.n < 60000; i++) {
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
  if (size < 3) return 0;
  check_runaway(str_from((const char *)data + 2, size - 2), data[1] * 8u, data[0] + 1u);
  return 0;
}
