/* May this user use that model there: pure functions over a user's lists, asked for every candidate of every call.
 * Patterns are globs, `*` and `?`; a name is a pattern of itself.
 *
 *   models       a pattern must match the name that was asked for, or the candidate's own names ("provider/model" and
 *                "model"). So a list that has "maestro-auto" grants whatever that stands for, and one that has "gpt-*"
 *                lets "maestro-auto" choose among those. No pattern: nothing, unless has_all_models.
 *   nodes        a pattern must match the candidate's provider. No pattern: every provider.
 *   node models  where one names that provider, one of that provider must match the model. None: every model of it.
 *   the team's   models and nodes, both likewise, but an empty list restricts nothing. */
#ifndef MAESTRO_POLICY_ACCESS_H
#define MAESTRO_POLICY_ACCESS_H

#include "state/people.h"

struct access_target {
  struct str asked;     /* the name in the request; empty: none, as in a list of models */
  struct str provider;  /* its id */
  struct str model;     /* as the provider knows it */
  struct str qualified; /* "provider/model" */
};

enum access {
  ACCESS_GRANTED,
  ACCESS_NO_MODEL,
  ACCESS_NO_NODE,
  ACCESS_NO_NODE_MODEL,
  ACCESS_TEAM_NO_MODEL,
  ACCESS_TEAM_NO_NODE
};

/* The first list that says no, in the order above; `team` is NULL for a user in none. */
enum access access_judge(const struct user *user, const struct team *team, const struct access_target *target);

#endif
