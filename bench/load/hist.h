/* A histogram of durations in nanoseconds with 1.6 % resolution and no allocation: 64 linear steps per power of two.
 * Every mode of the load generator keeps its latencies in one, so that a run of any length has exact counts.
 * Invariant: quantiles round up, so that a reported p99 is never better than what was measured. */
#ifndef BENCH_LOAD_HIST_H
#define BENCH_LOAD_HIST_H

#include <stdint.h>

#define HIST_STEPS 64
#define HIST_BUCKETS (HIST_STEPS * 59)

struct hist {
  uint64_t count;
  uint64_t max_ns;
  uint64_t bucket[HIST_BUCKETS];
};

void hist_add(struct hist *hist, uint64_t ns);
/* The duration that the share q (0..1) of all samples does not exceed; 0 when there are none. */
uint64_t hist_quantile_ns(const struct hist *hist, double q);

#endif
