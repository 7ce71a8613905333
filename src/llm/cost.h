/* What a call costs: usage x price in integer nano-USD, per class, checked against overflow. Pure.
 *
 * Billed apart: uncached input, cache reads, cache writes, output without reasoning, reasoning. A price list that names
 * no cache or reasoning price bills those tokens as plain input or output; for cache reads that is an upper bound, for
 * cache writes a lower one, and the cost is marked estimated. Without an input or output price, or without input or
 * output counts, the cost is unknown: null for people, never zero. */
#ifndef MAESTRO_LLM_COST_H
#define MAESTRO_LLM_COST_H

#include "llm/price.h"

struct cost {
  bool is_known;
  bool is_estimated;
  int64_t total_nano_usd;                /* sum of the classes */
  int64_t class_nano_usd[USAGE_CLASSES]; /* INPUT: uncached only; OUTPUT: without reasoning */
};

/* `price` may be NULL (unknown). Amounts round half up per class. */
struct cost cost_of(const struct usage *usage, const struct price *price);
/* Unknown where either is, or where the sum passes 2^63. */
void cost_add(struct cost *to, const struct cost *more);
/* At most so much: what is beyond is taken from output first, then reasoning, then input. */
void cost_limit(struct cost *cost, int64_t max_nano_usd);

#endif
