/* Whom limits bind, and to what: plain data, made with a snapshot (today from the configuration, for server keys), read
 * by policy/rate_limit.c, policy/budget.c and call/reserve.c. A caller is bound by several subjects at once where it
 * has them (a user, a team, a token): all have to agree. */
#ifndef MAESTRO_POLICY_LIMITS_H
#define MAESTRO_POLICY_LIMITS_H

#include "state/ledger.h"

struct limits {
  int64_t budget_nano_usd; /* in `period`; -1: none */
  enum ledger_period period;
  /* 0: none */
  uint32_t requests_per_minute, requests_per_day, tokens_per_minute, tokens_per_day, concurrency;
  uint32_t min_output; /* tokens; a call is not trimmed below */
  bool trim;           /* the caller's own output limit may be lowered to what the budget pays for */
};

struct limits_subject {
  struct ledger_account *account; /* what it spends is counted there */
  struct str label;               /* for people: "key:1"; no secret */
  struct limits limits;
};

/* Subjects live as long as the snapshot that they were made with. */
struct limits_caller {
  const struct limits_subject *v[JOURNAL_ACCOUNTS_MAX];
  unsigned n;
};

#endif
