/* The plan of a call: which deployments, in which order, how often; and the strategy that runs it, by id. Pure. */
#ifndef MAESTRO_ROUTE_PLAN_H
#define MAESTRO_ROUTE_PLAN_H

#include "route/resolve.h"

enum plan_strategy {
#define X(name, function) PLAN_##name,
#include "route/strategies.def"
#undef X
};
enum plan_mode { PLAN_PASSTHROUGH, PLAN_AUTO };

struct plan {
  enum plan_strategy strategy;
  enum plan_mode mode;
  const struct deployment **v;      /* attempts in order */
  size_t n;                         /* 1 + fallback.maxRetries at most, or what the group says */
  const struct deployment **larger; /* asked next where a request is too long for the one before; may be in v, too */
  size_t larger_n;
  size_t extra;    /* n and these are asked at most */
  struct str told; /* what the answer calls its model; empty: the qualified name that ran */
  unsigned same_target_repeats;
};

/* How far a plan has been gone; zero at first. No candidate is asked twice. */
struct plan_walk {
  size_t v, larger, asked;
};
/* The next candidate; NULL: there is none. */
const struct deployment *plan_next(const struct plan *p, struct plan_walk *w);
/* The next one for a request that was too long. */
const struct deployment *plan_next_larger(const struct plan *p, struct plan_walk *w);

const char *plan_mode_name(enum plan_mode mode); /* "auto", "passthrough" */
/* Applies the fallback options to a resolution, whose candidates the plan borrows (or copies in part into `a`). A real
 * model's name never falls back to another model, only to other providers of it; the virtual names go down their lists,
 * with fallback.strategy same-model only to others of the first one's model. */
enum err plan_make(struct arena *a, const struct config_options *options, const struct resolution *resolution,
                   struct plan *out) MUST_CHECK;

#endif
