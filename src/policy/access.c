/* Allowlists: see access.h. */
#include "policy/access.h"

static bool may_use_model(const struct user *user, const struct access_target *t) {
  if (user->has_all_models) return true;
  for (size_t i = 0; i < user->model_count; i++) {
    struct str p = user->models[i];
    if ((t->asked.n && str_glob(p, t->asked)) || str_glob(p, t->qualified) || str_glob(p, t->model)) return true;
  }
  return false;
}

static bool may_use_node(const struct user *user, struct str provider) {
  for (size_t i = 0; i < user->node_count; i++)
    if (str_glob(user->nodes[i], provider)) return true;
  return user->node_count == 0;
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

enum access access_judge(const struct user *user, const struct access_target *target) {
  if (!may_use_model(user, target)) return ACCESS_NO_MODEL;
  if (!may_use_node(user, target->provider)) return ACCESS_NO_NODE;
  return may_use_node_model(user, target) ? ACCESS_GRANTED : ACCESS_NO_NODE_MODEL;
}
