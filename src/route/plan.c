/* The plan of a call: see plan.h. */
#include "route/plan.h"

const char *plan_mode_name(enum plan_mode mode) { return mode == PLAN_AUTO ? "auto" : "passthrough"; }

/* Of one list the next that the other has not given yet. */
static const struct deployment *next(const struct deployment **v, size_t n, size_t *at, const struct deployment **other,
                                     size_t other_at) {
  while (*at < n) {
    const struct deployment *d = v[(*at)++];
    if (!catalog_is_among(other, other_at, d)) return d;
  }
  return NULL;
}

const struct deployment *plan_next(const struct plan *p, struct plan_walk *w) {
  const struct deployment *d = w->asked < p->n + p->extra ? next(p->v, p->n, &w->v, p->larger, w->larger) : NULL;
  w->asked += d != NULL;
  return d;
}

const struct deployment *plan_next_larger(const struct plan *p, struct plan_walk *w) {
  bool may = w->asked < p->n + p->extra;
  const struct deployment *d = may ? next(p->larger, p->larger_n, &w->larger, p->v, w->v) : NULL;
  w->asked += d != NULL;
  return d;
}

/* The candidates of the first one's model, in their order. */
static enum err keep_same_model(struct arena *a, struct plan *plan) {
  const struct deployment **v = ARENA_NEW_ARRAY(a, const struct deployment *, plan->n);
  size_t n = 0;
  if (!v) return ERR_NO_MEMORY;
  for (size_t i = 0; i < plan->n; i++)
    if (str_eq(plan->v[i]->model, plan->v[0]->model)) v[n++] = plan->v[i];
  plan->v = v;
  plan->n = n;
  return OK;
}

enum err plan_make(struct arena *a, const struct config_options *options, const struct resolution *resolution,
                   struct plan *out) {
  struct plan plan = {
      .strategy = resolution->how == RESOLVE_SMOKE ? PLAN_SMOKE : PLAN_SINGLE,
      .mode = resolution->how == RESOLVE_BRAIN ? PLAN_AUTO : PLAN_PASSTHROUGH,
      .v = resolution->v,
      .n = resolution->n,
      .larger = resolution->larger,
      .larger_n = resolution->larger_n,
      .told = resolution->told,
      .same_target_repeats = options->routing_same_target_retries,
  };
  bool is_list = resolution->how == RESOLVE_BRAIN || resolution->how == RESOLVE_PRIORITY;
  enum err e = OK;
  if (is_list && options->fallback_strategy == CONFIG_FALLBACK_SAME_MODEL) e = keep_same_model(a, &plan);
  size_t most = options->fallback_strategy == CONFIG_FALLBACK_NONE ? 1 : 1 + (size_t)options->fallback_max_retries;
  const struct route_name *named = resolution->named;
  if (named && named->group && named->group->max_retries >= 0) most = 1 + (size_t)named->group->max_retries;
  if (plan.n > most) plan.n = most;
  plan.extra = plan.larger_n < most - plan.n ? plan.larger_n : most - plan.n;
  if (!e) *out = plan;
  return e;
}
