/* The plan of a call: which deployments, in which order, how often; and the strategy that runs it, by id. Pure. */
#ifndef MAESTRO_ROUTE_PLAN_H
#define MAESTRO_ROUTE_PLAN_H

#include "route/resolve.h"

enum plan_strategy { PLAN_SINGLE /* one call, answered as it comes */ };
enum plan_mode { PLAN_PASSTHROUGH, PLAN_AUTO };

struct plan {
  enum plan_strategy strategy;
  enum plan_mode mode;
  const struct deployment **v; /* attempts in order */
  size_t n;                    /* 1 + fallback.maxRetries at most */
  unsigned same_target_repeats;
};

const char *plan_mode_name(enum plan_mode mode); /* "auto", "passthrough" */
/* Applies the fallback options to a resolution, which the plan borrows. A real model's name never falls back to another
 * model, only to other providers of it; the virtual names go down their lists. */
struct plan plan_make(const struct config_options *options, const struct resolution *resolution);

#endif
