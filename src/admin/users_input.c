/* The body of a change of users: see users_input.h. */
#include "admin/users_input.h"

#include "base/json.h"

enum { DAYS_MAX = 36500 };

static const struct {
  struct str key;
  enum users_member member;
} members[] = {{STR("username"), USERS_USERNAME},
               {STR("role"), USERS_ROLE},
               {STR("is_active"), USERS_ACTIVE},
               {STR("models"), USERS_MODELS},
               {STR("has_all_models"), USERS_ALL_MODELS},
               {STR("expires_in_days"), USERS_EXPIRES},
               {STR("name"), USERS_NAME},
               {STR("node_id"), USERS_NODE_ID},
               {STR("node_ids"), USERS_NODE_IDS},
               {STR("model_name"), USERS_MODEL_NAME}};

enum { MEMBERS = sizeof members / sizeof *members };

static enum err bad(const struct json_node *n, const char *why, struct err_info *info) {
  char path[ERR_PARAM_MAX];
  json_path(n, path);
  return err_set_param(info, ERR_BAD_VALUE, path, "\"%s\" %s", path, why);
}

static enum err read_name(const struct json_node *n, struct str *out, struct err_info *info) {
  struct str s;
  enum err e = json_string(n, &s, info);
  if (!e && !user_name_is_valid(s))
    e = bad(n, "must have 1 to 128 bytes, no control characters, no '/', and no white space at its ends", info);
  if (!e) *out = s;
  return e;
}

static enum err read_pattern(const struct json_node *n, struct str *out, struct err_info *info) {
  struct str s;
  enum err e = json_string(n, &s, info);
  if (!e && !user_pattern_is_valid(s)) e = bad(n, "must have 1 to 256 bytes and no control characters", info);
  if (!e) *out = s;
  return e;
}

static enum err read_list(struct arena *a, const struct json_node *n, size_t max, const struct str **out, size_t *count,
                          struct err_info *info) {
  struct json_node node;
  enum err e = json_expect(n, JSON_ARRAY, info);
  if (!e && json_count(n) > max) e = bad(n, "has too many elements", info);
  if (e) return e;
  struct str *v = ARENA_NEW_ARRAY(a, struct str, json_count(n) + 1);
  size_t done = 0;
  if (!v) return ERR_NO_MEMORY;
  for (struct json_iter it = json_each(n); json_next(&it, &node); done++) {
    e = read_pattern(&node, &v[done], info);
    for (size_t i = 0; !e && i < done; i++)
      if (str_eq(v[i], v[done])) e = bad(&node, "comes twice", info);
    if (e) return e;
  }
  *out = v;
  *count = done;
  return OK;
}

static enum err read_role(const struct json_node *n, enum user_role *out, struct err_info *info) {
  struct str s;
  enum err e = json_string(n, &s, info);
  if (!e && !user_role_parse(s, out)) e = bad(n, "must be user, viewer, operator or admin", info);
  return e;
}

static enum err read_days(const struct json_node *n, uint64_t *out, struct err_info *info) {
  uint64_t days;
  if (json_type(n) == JSON_NULL) {
    *out = 0;
    return OK;
  }
  enum err e = json_u64(n, &days, info);
  if (!e && (days < 1 || days > DAYS_MAX))
    e = bad(n, "must be 1 to 36500, or null for a token that does not expire", info);
  if (!e) *out = days;
  return e;
}

static enum err read_member(struct arena *a, enum users_member member, const struct json_node *n,
                            struct users_input *in, struct err_info *info) {
  switch (member) {
    case USERS_USERNAME: return read_name(n, &in->username, info);
    case USERS_NAME: return read_name(n, &in->name, info);
    case USERS_ROLE: return read_role(n, &in->role, info);
    case USERS_ACTIVE: return json_bool(n, &in->is_active, info);
    case USERS_ALL_MODELS: return json_bool(n, &in->has_all_models, info);
    case USERS_EXPIRES: return read_days(n, &in->expires_in_days, info);
    case USERS_MODELS: return read_list(a, n, USER_MODELS_MAX, &in->models, &in->model_count, info);
    case USERS_NODE_IDS: return read_list(a, n, USER_NODES_MAX, &in->node_ids, &in->node_count, info);
    case USERS_NODE_ID: return read_pattern(n, &in->node_id, info);
    case USERS_MODEL_NAME: return read_pattern(n, &in->model_name, info);
  }
  return ERR_INTERNAL;
}

static enum err read_object(struct arena *a, const struct json_node *root, unsigned allowed, struct users_input *in,
                            struct err_info *info) {
  struct json_node node;
  enum err e = json_expect(root, JSON_OBJECT, info);
  if (!e) e = json_check_keys(root, NULL, 0, a, info);
  if (e) return e;
  for (struct json_iter it = json_each(root); json_next(&it, &node);) {
    size_t i = 0;
    while (i < MEMBERS && !(str_eq(members[i].key, node.key) && allowed & members[i].member)) i++;
    if (i == MEMBERS) return bad(&node, "is not taken here", info);
    e = read_member(a, members[i].member, &node, in, info);
    if (e) return e;
    in->has |= members[i].member;
  }
  return OK;
}

enum err users_input_read(struct arena *a, struct str body, unsigned allowed, unsigned required,
                          struct users_input *out, struct err_info *info) {
  struct users_input in = {0};
  struct err_info why = {0};
  struct json doc;
  enum err e = OK;
  if (str_trim(body).n) {
    e = json_parse_copy(&doc, body, NULL, a, &why);
    if (e) goto out;
    struct json_node root = json_root(&doc);
    e = read_object(a, &root, allowed, &in, &why);
  }
  for (size_t i = 0; !e && i < MEMBERS; i++) {
    if (!(required & members[i].member & ~in.has)) continue;
    e = err_set_param(&why, ERR_MISSING, members[i].key.p, "\"%s\" is required", members[i].key.p);
  }
  if (e && err_blame(e) == ERR_BLAME_CLIENT) why.http_status = 422;
out:
  if (e && info) *info = why;
  if (!e) *out = in;
  return e;
}
