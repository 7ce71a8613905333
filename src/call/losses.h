/* Attempts that failed and are charged all the same: a stream that broke, a caller that left. reserve_settle writes one
 * down when the provider's answer had begun; the receipt has a turn for each, and what the call was charged in all is
 * their sum and that of the attempt that answered. They live in the call's arena. */
#ifndef MAESTRO_CALL_LOSSES_H
#define MAESTRO_CALL_LOSSES_H

#include "base/err.h"
#include "llm/cost.h"

struct call;
struct call_outcome;
struct deployment;

struct call_loss {
  struct call_loss *next; /* the later one */
  const struct deployment *deployment;
  unsigned attempt;     /* which one it was, from 1 on */
  enum err error;       /* why it failed */
  uint64_t duration_us; /* of the attempt */
  struct usage usage;   /* input and output are known, mostly as estimates */
  struct cost cost;     /* as the caller is charged it */
  int64_t cost_factor;  /* as in struct call_outcome */
};

/* Takes over usage and price of the attempt in hand; outcome.usage and outcome.cost are empty then. Without memory
 * nothing is kept: the journal has it. */
void losses_add(struct call *c, const struct usage *usage, const struct cost *cost, enum err why);
/* Tokens and money of all attempts. `has_answer`: the last attempt counts also where nothing is known of it, which
 * makes the sums unknown. */
void losses_sum(const struct call_outcome *outcome, bool has_answer, struct usage *usage, struct cost *cost);

#endif
