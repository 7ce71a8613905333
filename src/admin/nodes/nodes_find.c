/* Nodes by code or number: see nodes_find.h. */
#include "admin/nodes/nodes_find.h"

#include "state/people.h"

static const struct config *config_of(const struct request_context *rc) { return snapshot_config(rc->snapshot); }

static struct nodes_found stored(const struct request_context *rc, const struct node *node) {
  const struct catalog_provider *at = map_get(&rc->catalog->by_provider, node->p.id);
  return (struct nodes_found){
      .node = *node,
      .state = {.shadow = catalog_shadow_of(config_of(rc), node), .at = at && at->node == node ? at : NULL}};
}

static struct nodes_found declared(const struct request_context *rc, const struct config_provider *p) {
  return (struct nodes_found){.node = nodes_json_declared(p),
                              .state = {.is_declared = true, .at = map_get(&rc->catalog->by_provider, p->id)}};
}

bool nodes_each(const struct request_context *rc, size_t *i, struct nodes_found *out) {
  const struct nodes *nodes = rc->catalog->nodes;
  const struct config *config = config_of(rc);
  size_t at = (*i)++, n = nodes ? nodes->n : 0;
  if (at < n)
    *out = stored(rc, &nodes->v[at]);
  else if (at - n < config->provider_count)
    *out = declared(rc, &config->providers[at - n]);
  return at < n + config->provider_count;
}

enum err nodes_find_any(const struct request_context *rc, struct str code_or_id, struct nodes_found *out,
                        struct err_info *info) {
  const struct config *config = config_of(rc);
  const struct node *node = rc->catalog->nodes ? nodes_find(rc->catalog->nodes, code_or_id) : NULL;
  uint64_t id = 0;
  (void)str_to_u64(code_or_id, &id);
  if (node) {
    *out = stored(rc, node);
    return OK;
  }
  for (size_t i = 0; i < config->provider_count; i++) {
    const struct config_provider *p = &config->providers[i];
    bool is_it = str_eq_nocase(p->id, code_or_id) || (p->code.n && str_eq_nocase(p->code, code_or_id));
    struct nodes_found found = declared(rc, p);
    if (!is_it && (uint64_t)found.node.id != id) continue;
    *out = found;
    return OK;
  }
  return err_set(info, ERR_NOT_FOUND, "there is no node \"%.*s\"", STR_ARG(str_cut_utf8(code_or_id, NODE_NAME_MAX)));
}

enum err nodes_find_stored(const struct request_context *rc, struct str code_or_id, struct nodes_found *out,
                           struct err_info *info) {
  enum err e = nodes_find_any(rc, code_or_id, out, info);
  if (e || !out->state.is_declared) return e;
  return err_set(info, ERR_CONFLICT, "the node \"%.*s\" is declared in the configuration, and is changed there",
                 STR_ARG(out->node.p.id));
}

enum err nodes_find_name(const struct request_context *rc, struct arena *a, struct str *node, const char *param,
                         int status, struct err_info *info) {
  struct nodes_found found;
  bool is_pattern = str_find_char(*node, '*') != SIZE_MAX || str_find_char(*node, '?') != SIZE_MAX;
  if (!node->n || is_pattern) return OK;
  if (nodes_find_any(rc, *node, &found, NULL)) {
    enum err e = err_set_param(info, ERR_BAD_VALUE, param, "there is no node \"%.*s\"",
                               STR_ARG(str_cut_utf8(*node, USER_PATTERN_MAX)));
    if (info) info->http_status = status;
    return e;
  }
  *node = arena_dup(a, found.node.p.id);
  return node->p ? OK : ERR_NO_MEMORY;
}

enum err nodes_find_names(const struct request_context *rc, struct arena *a, struct field_strings *list,
                          const char *param, struct err_info *info) {
  enum err e = OK;
  struct str *v = ARENA_NEW_ARRAY(a, struct str, list->n + 1);
  if (!v) return ERR_NO_MEMORY;
  for (size_t i = 0; !e && i < list->n; i++) {
    char path[ERR_PARAM_MAX];
    err_path_index(path, NULL, param, i);
    v[i] = list->v[i];
    e = nodes_find_name(rc, a, &v[i], path, 422, info);
  }
  list->v = v;
  return e;
}

enum err nodes_check_use(const struct nodes_found *found, struct err_info *info) {
  const struct nodes_json_state *s = &found->state;
  if (s->at && s->at->is_ready) return OK;
  if (s->shadow)
    return err_set(info, ERR_CONFLICT, "the node is not in use: the declared provider \"%.*s\" has its code",
                   STR_ARG(s->shadow->id));
  if (!found->node.p.is_active) return err_set(info, ERR_CONFLICT, "the node is not in use: it is switched off");
  if (s->at) return err_set(info, ERR_CONFLICT, "the node is not in use: it has no credential");
  return err_set(info, ERR_CONFLICT, "the node is not in use: it cannot be used as it is configured, see the log");
}
