/* The runaway guard: see guard_runaway.h. A delta costs two additions, two comparisons and the copy of its bytes. Every
 * GUARD_RUNAWAY_STEP bytes one look at the last GUARD_RUNAWAY_WINDOW: ordinary text is done with after a search for its
 * last bytes in what precedes them. */
#include "text/guard_runaway.h"

#include <stdlib.h>

enum { WINDOW = GUARD_RUNAWAY_WINDOW, PERIOD = GUARD_RUNAWAY_PERIOD, WORD = 16 /* what the quick search looks for */ };

struct guard_runaway_tail {
  uint32_t n;
  char text[WINDOW];
  uint16_t border[PERIOD]; /* find_period's */
};

void guard_runaway_init(struct guard_runaway *g, const struct guard_runaway_options *options) {
  *g = (struct guard_runaway){.options = *options};
}

void guard_runaway_clear(struct guard_runaway *g) {
  free(g->tail);
  g->tail = NULL;
}

/* ---- repetition ---- */

/* The least period of the window that is at most PERIOD; 0: none. Its last PERIOD bytes, read backwards, are looked for
 * before themselves (Knuth, Morris and Pratt 1977); the nearest place is the least period, or there is none, for two
 * periods of so long a text would have their greatest common divisor as a third (Fine and Wilf 1965). */
static uint32_t find_period(struct guard_runaway_tail *t) {
  const char *last = t->text + WINDOW - 1;
  uint16_t *border = t->border; /* of each beginning of the pattern */
  uint32_t k = 0, i;
  border[0] = 0;
  for (i = 1; i < 2 * PERIOD; i++) {
    while (k && *(last - i) != *(last - k)) k = border[k - 1];
    if (*(last - i) == *(last - k)) k++;
    if (i < PERIOD)
      border[i] = (uint16_t)k;
    else if (k == PERIOD)
      break;
  }
  uint32_t period = i + 1 - PERIOD;
  return k == PERIOD && memcmp(t->text, t->text + period, WINDOW - period) == 0 ? period : 0;
}

/* The tail is full: has all of it one period, that of the look before where there was one? */
static void look(struct guard_runaway *g) {
  const char *p = g->tail->text, *word = p + WINDOW - WORD;
  if (g->period && memcmp(p, p + g->period, WINDOW - g->period) == 0) {
    g->repeated += GUARD_RUNAWAY_STEP;
    return;
  }
  g->period = 0;
  g->repeated = 0;
  if (memmem(word - PERIOD, PERIOD + WORD - 1, word, WORD)) g->period = find_period(g->tail);
  if (g->period) g->repeated = WINDOW;
}

static bool is_repeating(const struct guard_runaway *g) {
  return g->period && g->repeated >= g->options.repeat_bytes &&
         g->repeated >= (uint64_t)g->period * GUARD_RUNAWAY_TIMES;
}

/* The other half of keep: the tail is full with these bytes, or there is none yet. */
static void keep_and_look(struct guard_runaway *g, const char *p, size_t n) {
  if (!g->tail && (g->tail = malloc(sizeof *g->tail))) g->tail->n = 0;
  if (!g->tail) return; /* then repetition is not noticed; the other bounds hold */
  while (n && !is_repeating(g)) {
    struct guard_runaway_tail *t = g->tail;
    uint32_t take = WINDOW - t->n < n ? WINDOW - t->n : (uint32_t)n;
    memcpy(t->text + t->n, p, take);
    t->n += take;
    p += take;
    n -= take;
    if (t->n < WINDOW) return;
    look(g);
    memmove(t->text, t->text + GUARD_RUNAWAY_STEP, PERIOD);
    t->n = PERIOD;
  }
}

static inline void keep(struct guard_runaway *g, const char *p, size_t n) {
  struct guard_runaway_tail *t = g->tail;
  if (__builtin_expect(!t || n >= WINDOW - t->n, 0)) {
    keep_and_look(g, p, n);
    return;
  }
  memcpy(t->text + t->n, p, n);
  t->n += (uint32_t)n;
}

/* ---- counters ---- */

enum err guard_runaway_count(struct guard_runaway *g, uint64_t deltas, uint64_t bytes, struct err_info *info) {
  const struct guard_runaway_options *o = &g->options;
  g->deltas += deltas;
  g->bytes += bytes;
  if (__builtin_expect(o->max_bytes && g->bytes > o->max_bytes, 0))
    return err_set(info, ERR_GUARD_RUNAWAY, "the model would not end its answer: more than %llu bytes",
                   (unsigned long long)o->max_bytes);
  if (__builtin_expect(o->max_deltas && g->deltas > o->max_deltas && 2 * g->bytes < 3 * g->deltas, 0))
    return err_set(info, ERR_GUARD_RUNAWAY,
                   "the model would not end its answer: more than %llu deltas with next to nothing in them",
                   (unsigned long long)o->max_deltas);
  return OK;
}

enum err guard_runaway_add(struct guard_runaway *g, struct str bytes, struct err_info *info) {
  enum err e = guard_runaway_count(g, 1, bytes.n, info);
  if (e || g->bytes <= GUARD_RUNAWAY_START || !g->options.repeat_bytes) return e;
  uint64_t new_bytes = g->bytes - GUARD_RUNAWAY_START;
  size_t n = new_bytes < bytes.n ? (size_t)new_bytes : bytes.n;
  if (n) keep(g, bytes.p + (bytes.n - n), n);
  if (__builtin_expect(!is_repeating(g), 1)) return OK;
  return err_set(info, ERR_GUARD_RUNAWAY, "the model would not end its answer: it repeats itself for %llu bytes",
                 (unsigned long long)g->repeated);
}
