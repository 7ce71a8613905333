/* What a call costs: see cost.h. */
#include "llm/cost.h"

enum { MTOK = 1000000 };

/* tokens x price / 10^6, half up; false when the amount does not fit. Both are at least 0. */
static bool bill(int64_t tokens, int64_t nano_usd_per_mtok, int64_t *out) {
  __extension__ typedef unsigned __int128 u128;
  u128 amount = ((u128)tokens * (u128)nano_usd_per_mtok + MTOK / 2) / MTOK;
  if (amount > INT64_MAX) return false;
  *out = (int64_t)amount;
  return true;
}

static int64_t price_or(const struct price *p, enum usage_class c, enum usage_class otherwise) {
  return p->nano_usd_per_mtok[price_has(p, c) ? c : otherwise];
}

struct cost cost_of(const struct usage *usage, const struct price *price) {
  struct cost cost = {.is_estimated = usage->is_estimated};
  if (!price_has(price, USAGE_INPUT) || !price_has(price, USAGE_OUTPUT)) return (struct cost){0};
  if (!usage_has(usage, USAGE_INPUT) || !usage_has(usage, USAGE_OUTPUT)) return (struct cost){0};
  int64_t read = usage_get(usage, USAGE_CACHE_READ), write = usage_get(usage, USAGE_CACHE_WRITE);
  int64_t reasoning = usage_get(usage, USAGE_REASONING);
  int64_t plain_in = usage->tokens[USAGE_INPUT] - read - write, plain_out = usage->tokens[USAGE_OUTPUT] - reasoning;
  /* An upstream that contradicts itself is billed for its totals only. */
  if (plain_in < 0) plain_in = usage->tokens[USAGE_INPUT], read = write = 0, cost.is_estimated = true;
  if (plain_out < 0) plain_out = usage->tokens[USAGE_OUTPUT], reasoning = 0, cost.is_estimated = true;
  if (read > 0 && !price_has(price, USAGE_CACHE_READ)) cost.is_estimated = true;
  if (write > 0 && !price_has(price, USAGE_CACHE_WRITE)) cost.is_estimated = true;
  const struct {
    enum usage_class class, otherwise;
    int64_t tokens;
  } rows[USAGE_CLASSES] = {{USAGE_INPUT, USAGE_INPUT, plain_in},
                           {USAGE_OUTPUT, USAGE_OUTPUT, plain_out},
                           {USAGE_CACHE_READ, USAGE_INPUT, read},
                           {USAGE_CACHE_WRITE, USAGE_INPUT, write},
                           {USAGE_REASONING, USAGE_OUTPUT, reasoning}};
  for (int i = 0; i < USAGE_CLASSES; i++) {
    int64_t *amount = &cost.class_nano_usd[rows[i].class];
    if (!bill(rows[i].tokens, price_or(price, rows[i].class, rows[i].otherwise), amount)) return (struct cost){0};
    if (__builtin_add_overflow(cost.total_nano_usd, *amount, &cost.total_nano_usd)) return (struct cost){0};
  }
  cost.is_known = true;
  return cost;
}

void cost_add(struct cost *to, const struct cost *more) {
  struct cost sum = {.is_known = to->is_known && more->is_known,
                     .is_estimated = to->is_estimated || more->is_estimated};
  if (__builtin_add_overflow(to->total_nano_usd, more->total_nano_usd, &sum.total_nano_usd)) sum.is_known = false;
  for (int i = 0; sum.is_known && i < USAGE_CLASSES; i++)
    sum.class_nano_usd[i] = to->class_nano_usd[i] + more->class_nano_usd[i]; /* no more than the totals */
  *to = sum.is_known ? sum : (struct cost){0};
}

void cost_limit(struct cost *cost, int64_t max_nano_usd) {
  static const enum usage_class order[USAGE_CLASSES] = {USAGE_OUTPUT, USAGE_REASONING, USAGE_INPUT, USAGE_CACHE_WRITE,
                                                        USAGE_CACHE_READ};
  for (int i = 0; i < USAGE_CLASSES && cost->total_nano_usd > max_nano_usd; i++) {
    int64_t *class = &cost->class_nano_usd[order[i]], beyond = cost->total_nano_usd - max_nano_usd;
    int64_t taken = *class < beyond ? *class : beyond;
    *class -= taken;
    cost->total_nano_usd -= taken;
  }
}
