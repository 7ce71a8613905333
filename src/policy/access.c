/* Allowlists: see access.h. */
#include "policy/access.h"

static bool has_model(const struct str *patterns, size_t n, const struct access_target *t) {
  for (size_t i = 0; i < n; i++) {
    struct str p = patterns[i];
    if ((t->asked.n && str_glob(p, t->asked)) || str_glob(p, t->qualified) || str_glob(p, t->model)) return true;
  }
  return false;
}

/* None: every one. */
static bool has_node(const struct str *patterns, size_t n, struct str provider) {
  for (size_t i = 0; i < n; i++)
    if (str_glob(patterns[i], provider)) return true;
  return n == 0;
}

static bool may_use_node_model(const struct user *user, const struct access_target *t) {
  bool is_restricted = false;
  for (size_t i = 0; i < user->node_model_count; i++) {
    if (!str_glob(user->node_models[i].node, t->provider)) continue;
    is_restricted = true;
    if (str_glob(user->node_models[i].pattern, t->model)) return true;
  }
  return !is_restricted;
}

enum access access_judge(const struct user *user, const struct team *team, const struct access_target *target) {
  if (!user->has_all_models && !has_model(user->models, user->model_count, target)) return ACCESS_NO_MODEL;
  if (!has_node(user->nodes, user->node_count, target->provider)) return ACCESS_NO_NODE;
  if (!may_use_node_model(user, target)) return ACCESS_NO_NODE_MODEL;
  if (!team) return ACCESS_GRANTED;
  if (team->model_count && !has_model(team->models, team->model_count, target)) return ACCESS_TEAM_NO_MODEL;
  return has_node(team->nodes, team->node_count, target->provider) ? ACCESS_GRANTED : ACCESS_TEAM_NO_NODE;
}
