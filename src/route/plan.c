/* The plan of a call: see plan.h. */
#include "route/plan.h"

const char *plan_mode_name(enum plan_mode mode) { return mode == PLAN_AUTO ? "auto" : "passthrough"; }

struct plan plan_make(const struct config_options *options, const struct resolution *resolution) {
  const struct resolution r = *resolution;
  size_t most = options->fallback_strategy == CONFIG_FALLBACK_NONE ? 1 : 1 + (size_t)options->fallback_max_retries;
  size_t same = 1; /* a list that goes on with other providers of its first model */
  while (same < r.n && str_eq(r.v[same]->model, r.v[0]->model)) same++;
  if (options->fallback_strategy == CONFIG_FALLBACK_SAME_MODEL && same < most) most = same;
  return (struct plan){
      .strategy = PLAN_SINGLE,
      .mode = r.how == RESOLVE_BRAIN ? PLAN_AUTO : PLAN_PASSTHROUGH,
      .v = r.v,
      .n = r.n < most ? r.n : most,
      .same_target_repeats = options->routing_same_target_retries,
  };
}
