/* The snapshot's section of names: declared and stored aliases and groups, each linked to the deployments it stands
 * for, and what is set for models (tools, members of requests, contexts, system prompts). Built from the configuration,
 * the store and the catalog of the same snapshot; read by resolve, the lists of models, call/shape and the admin API.
 *
 * Declared ones shadow stored ones of their name. Invariant: links form no cycle and are at most NAMES_DEPTH_MAX deep.
 */
#ifndef MAESTRO_ROUTE_ROUTE_NAMES_H
#define MAESTRO_ROUTE_ROUTE_NAMES_H

#include <stdatomic.h>

#include "route/catalog.h"
#include "route/group.h"
#include "state/limits.h"
#include "state/names.h"

enum { NAMES_DEPTH_MAX = 8, NAMES_CANDIDATES_MAX = 64 };

struct route_name;

/* When a member of a group is asked. */
enum route_use {
  ROUTE_IN_TURN,   /* as the strategy and `is_fallback` say */
  ROUTE_IF_LARGER, /* only for a request that was too long for the one before */
  ROUTE_EITHER
};

/* One thing that a name stands for: deployments, or another name. */
struct route_step {
  const struct deployment **v;
  size_t n;
  bool names_provider;             /* v is of the only provider meant, so that it is asked even if it is scoped */
  const struct route_name *name;   /* NULL: v */
  const struct names_alias *alias; /* whose row it is; of a group's member NULL. One of a node holds there only, one
                                      without everywhere else */
  enum route_use use;              /* of a group's member */
  const struct names_pins *pins;   /* only these providers, by their priorities; NULL: every one */
};

struct route_name {
  struct str name;
  const struct names_group *group; /* NULL: an alias */
  const struct names_alias *alias; /* its first row; NULL: a group */
  struct route_step *steps;
  struct group_member *members; /* one for each step */
  unsigned step_count;
  const struct route_step *source; /* the group is shown as this is; NULL: as the smallest of them */
  int64_t context_tokens;          /* 0: not said */
  bool is_declared;
  uint8_t state, height;  /* while cycles are looked for */
  _Atomic uint64_t *turn; /* of a group */
};

/* What is set for models whose name begins so. */
struct route_rule {
  const struct names_model *row;
  struct str prefix;              /* in lower case */
  const struct names_list *tools; /* those that pass; NULL: all */
  struct limits limits;           /* rates, of all callers and all models that the row governs together */
  struct ledger_account *account; /* where they are counted; NULL: it has no rates */
};

struct route_stored; /* what was read of the store, shared while it does not change */

struct route_names {
  struct arena arena;
  struct route_stored *stored;
  const struct names *declared; /* the configuration's */
  const struct catalog *catalog;
  struct map groups, aliases; /* -> struct route_name *; groups that are active */
  struct map by_real;         /* -> struct route_name *: an alias with a context, by the model it stands for */
  struct route_rule *rules;   /* longest prefix first */
  size_t rule_count;
  const struct names_prompt **prompts; /* active ones, in the order they are said */
  size_t prompt_count;
};

/* {"names", build, free}; row says which section the catalog is. */
extern const struct snapshot_section route_names_section;
/* The row of the catalog in the snapshot's table; before the first build. */
void route_names_set_catalog_row(size_t row);

/* What the store has, shadowed rows too. */
const struct names *route_names_stored(const struct route_names *n);
/* Group, then alias, then alias of "name:latest"; NULL: none. */
const struct route_name *route_names_find(const struct route_names *n, struct str name);
/* The alias that holds on that provider: its own, else the one for all; NULL: none. For "node:<code>:<model>". */
const struct names_alias *route_names_alias_on(const struct route_names *n, struct str provider, struct str name);
/* Each in the order to be asked, without doubles, NAMES_CANDIDATES_MAX at most. */
struct route_expansion {
  const struct deployment **v;
  size_t n;
  const struct deployment **larger; /* of members for requests that are too long for others; may be in v, too */
  size_t larger_n;
  unsigned visits; /* names that lead nowhere cost nothing but time: bounded, too */
};
/* What a name stands for now. Memory from `a`. */
enum err route_names_expand(const struct route_name *name, struct arena *a, struct route_expansion *out) MUST_CHECK;

/* The same of the member that a group is shown as: name->source, which is not NULL. */
enum err route_names_expand_source(const struct route_name *name, struct arena *a,
                                   struct route_expansion *out) MUST_CHECK;

/* The next request of the name finds its groups one further: after a call was planned, not after a mere look. */
void route_names_take_turn(const struct route_name *name);

/* What is set for one request at one deployment. */
struct route_shape {
  const struct route_rule *rule;        /* whose context, rates and cost hold; NULL: none */
  const struct names_list *tools;       /* those that pass; NULL: all */
  const struct names_list *unsupported; /* members to leave out, by OpenAI's words or the caller's; NULL: none */
  int64_t context_tokens;               /* 0: not said */
  bool is_closed;                       /* for maintenance */
  const struct names_prompt **prompts;  /* to stand before the system prompt, in this order */
  size_t prompt_count;
};
/* `user`: the caller's name, or empty. n may be NULL: nothing is set. */
enum err route_names_shape(const struct route_names *n, struct str asked, const struct deployment *d, struct str user,
                           struct arena *a, struct route_shape *out) MUST_CHECK;
/* The context of a model as lists show it under the name that is asked for, of which `said` is said (0: nothing); -1:
 * unknown. What is set for models whose name begins so stands in for what is not known of this one; set for its very
 * name, it overrules that; and none is larger than the most that is set. */
int64_t route_names_context(const struct route_names *n, struct str asked, int64_t said, const struct deployment *d);

/* Judges a change before it is kept: `stored` as it would be then, `row` (an alias or a member of it) what is new.
 * ERR_BAD_VALUE with the row's member: it leads nowhere, to an unknown provider, or round in a circle, which is named.
 */
enum err route_names_check(const struct names *stored, const struct names *declared, const struct catalog *c,
                           enum names_kind kind, const void *row, struct err_info *info) MUST_CHECK;

#endif
