/* Rates: model calls and tokens in a minute and in a day, and calls at the same time. Windows are fixed: the UTC minute
 * and the UTC day, so "60 a minute" means that no minute of the clock sees more than 60, and Retry-After is exact: the
 * end of the window. Each window is one atomic word; nothing is locked and nobody waits.
 *
 * A call takes its request, and the tokens that are known of it beforehand (its prompt, estimated, and the output limit
 * it names); when it ends, what it used beyond that is charged to the window of then. So tokens that nobody could know
 * before may pass a limit once; the next call waits for it. A day's window begins, after a restart, with what the
 * ledger has booked for that day. The time is an argument. */
#ifndef MAESTRO_POLICY_RATE_LIMIT_H
#define MAESTRO_POLICY_RATE_LIMIT_H

#include "policy/limits.h"

enum rate_limit_kind {
  RATE_LIMIT_REQUESTS_MINUTE,
  RATE_LIMIT_REQUESTS_DAY,
  RATE_LIMIT_TOKENS_MINUTE,
  RATE_LIMIT_TOKENS_DAY,
  RATE_LIMIT_KINDS,
  RATE_LIMIT_CONCURRENCY = RATE_LIMIT_KINDS
};

struct rate_limit_refusal {
  enum rate_limit_kind kind;
  const struct limits_subject *subject;
  uint64_t limit;
  int64_t retry_after_ms; /* 0: never, the call alone is larger than the limit */
};

/* What a call has taken; given back by exactly one of the two functions below. */
struct rate_limit_ticket {
  struct limits_caller caller;
  int64_t wall_us; /* when */
  uint64_t tokens;
  bool is_taken;
};

/* ERR_RATE_LIMITED and *refusal, and nothing is taken; or OK. */
enum err rate_limit_take(const struct limits_caller *caller, uint64_t tokens, int64_t wall_us,
                         struct rate_limit_ticket *out, struct rate_limit_refusal *refusal) MUST_CHECK;
/* The call was refused for another reason: it does not count. */
void rate_limit_give_back(struct rate_limit_ticket *t);
void rate_limit_end(struct rate_limit_ticket *t, uint64_t tokens_used, int64_t wall_us);

/* A window as headers tell it; limit 0: there is none. */
struct rate_limit_view {
  uint64_t limit, remaining;
  int64_t reset_ms; /* until the window ends */
};
/* Of all subjects' minutes and days the one with the least left. */
void rate_limit_view(const struct limits_caller *caller, bool of_tokens, int64_t wall_us, struct rate_limit_view *out);

#endif
