/* The guard against models that do not end: an answer of too many bytes, of too many deltas that say next to nothing,
 * or one that repeats itself. It only counts and looks; what was counted has gone out. One stands behind one answer,
 * over all its parts: text, refusals, thinking with its signatures, arguments of calls.
 *
 * An answer repeats itself when its latest text has a period of at most GUARD_RUNAWAY_PERIOD bytes for repeat_bytes and
 * for GUARD_RUNAWAY_TIMES periods, without one byte that differs: no table, no numbered list, no code goes on like that
 * for so long. It is looked for behind the first GUARD_RUNAWAY_START bytes, which most answers never reach, and every
 * GUARD_RUNAWAY_STEP bytes; where the text is cut makes no difference. */
#ifndef MAESTRO_TEXT_GUARD_RUNAWAY_H
#define MAESTRO_TEXT_GUARD_RUNAWAY_H

#include "base/err.h"

enum {
  GUARD_RUNAWAY_PERIOD = 2048,
  GUARD_RUNAWAY_TIMES = 64,
  GUARD_RUNAWAY_START = 16384,
  GUARD_RUNAWAY_STEP = 4096,
  GUARD_RUNAWAY_WINDOW = GUARD_RUNAWAY_PERIOD + GUARD_RUNAWAY_STEP
};

struct guard_runaway_options {
  uint64_t max_bytes;    /* of payload; 0: any number */
  uint64_t max_deltas;   /* beyond, a delta has to have 1.5 bytes in the mean; 0: any number */
  uint64_t repeat_bytes; /* 0: not looked for */
};

struct guard_runaway_tail;

struct guard_runaway {
  struct guard_runaway_options options;
  uint64_t bytes, deltas;
  uint64_t repeated;               /* bytes up to the last look that have the period */
  uint32_t period;                 /* 0: none */
  struct guard_runaway_tail *tail; /* the last bytes of text; NULL until they count */
};

void guard_runaway_init(struct guard_runaway *g, const struct guard_runaway_options *options);
void guard_runaway_clear(struct guard_runaway *g);
/* One delta. ERR_GUARD_RUNAWAY, and again with every further one. */
enum err guard_runaway_add(struct guard_runaway *g, struct str bytes, struct err_info *info) MUST_CHECK;
/* What says no words, such as a signature or citation: it is counted only. */
enum err guard_runaway_count(struct guard_runaway *g, uint64_t deltas, uint64_t bytes,
                             struct err_info *info) MUST_CHECK;

#endif
