/* The histogram: see hist.h. */
#include "hist.h"

static unsigned bucket_of(uint64_t ns) {
  if (ns < 2 * HIST_STEPS) return (unsigned)ns;
  unsigned shift = 63u - (unsigned)__builtin_clzll(ns) - 6u;
  unsigned index = shift * HIST_STEPS + (unsigned)(ns >> shift);
  return index < HIST_BUCKETS ? index : HIST_BUCKETS - 1;
}

static uint64_t bucket_top(unsigned index) {
  if (index < 2 * HIST_STEPS) return index;
  unsigned shift = index / HIST_STEPS - 1;
  uint64_t base = index % HIST_STEPS + HIST_STEPS;
  return ((base + 1) << shift) - 1;
}

void hist_add(struct hist *hist, uint64_t ns) {
  hist->count++;
  hist->bucket[bucket_of(ns)]++;
  if (ns > hist->max_ns) hist->max_ns = ns;
}

uint64_t hist_quantile_ns(const struct hist *hist, double q) {
  uint64_t rank = (uint64_t)(q * (double)hist->count);
  uint64_t seen = 0;
  if (hist->count == 0) return 0;
  if (rank >= hist->count) rank = hist->count - 1;
  for (unsigned i = 0; i < HIST_BUCKETS; i++) {
    seen += hist->bucket[i];
    if (seen > rank) return bucket_top(i) < hist->max_ns ? bucket_top(i) : hist->max_ns;
  }
  return hist->max_ns;
}
