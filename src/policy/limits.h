/* Whom limits bind: made with a snapshot, from the configuration for server keys (gateway/limits.c) and from the store
 * for users, teams, tokens and models (policy/principals.c); read by policy/rate_limit.c, policy/budget.c and
 * call/reserve.c. A caller is bound by several subjects at once (a user, its team, its token), an attempt by that of
 * the model and that of what is set for models of its name, too: all have to agree. */
#ifndef MAESTRO_POLICY_LIMITS_H
#define MAESTRO_POLICY_LIMITS_H

#include "base/map.h"
#include "state/limits.h"

enum limits_kind {
  LIMITS_OF_KEY,
  LIMITS_OF_USER,
  LIMITS_OF_TEAM,
  LIMITS_OF_TOKEN,
  LIMITS_OF_MODEL,
  LIMITS_OF_RULE /* what is set for models whose name begins so: rates, and no money */
};
/* Those that money is booked to, and a rule. */
enum { LIMITS_SUBJECTS_MAX = JOURNAL_ACCOUNTS_MAX + 1 };

struct limits_subject {
  struct ledger_account *account; /* what it spends is counted there */
  struct str label;               /* "key:1", or the name of the user, team, token, model or rule; no secret */
  struct limits limits;
  enum limits_kind kind;
};

/* Subjects live as long as the snapshot that they were made with. */
struct limits_caller {
  const struct limits_subject *v[LIMITS_SUBJECTS_MAX];
  unsigned n;
  const struct map *models; /* "provider/model" to its struct limits_subject; NULL: no model has limits */
};

/* The caller and what binds an attempt at that model. */
static inline struct limits_caller limits_with_model(const struct limits_caller *caller, struct str qualified) {
  struct limits_caller c = *caller;
  const struct limits_subject *s = c.models ? map_get(c.models, qualified) : NULL;
  if (s && c.n < JOURNAL_ACCOUNTS_MAX) c.v[c.n++] = s;
  return c;
}

#endif
