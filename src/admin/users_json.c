/* Users as JSON: see users_json.h. */
#include "admin/users_json.h"

#include "admin/subject_limits.h"
#include "base/json_out.h"

static void put_model_members(struct buf *b, const struct user *u) {
  json_out_member_bool(b, "has_all_models", u->has_all_models);
  json_out_member_strings(b, "models", u->models, u->model_count);
}

static void put_token_members(struct buf *b, const struct user *u) {
  json_out_key(b, "tokens");
  json_out_begin(b, '[');
  for (size_t i = 0; i < u->token_count; i++) {
    const struct user_token *t = &u->tokens[i];
    json_out_begin(b, '{');
    json_out_member_string(b, "name", t->name);
    json_out_member_time(b, "created_at", t->created_us);
    json_out_member_time(b, "expires_at", t->expires_us);
    subject_limits_put_member(b, &t->limits);
    json_out_end(b, '}');
  }
  json_out_end(b, ']');
}

static void put_node_model_members(struct buf *b, const struct user *u) {
  json_out_key(b, "node_models");
  json_out_begin(b, '[');
  for (size_t i = 0; i < u->node_model_count; i++) {
    json_out_begin(b, '{');
    json_out_member_string(b, "node_id", u->node_models[i].node);
    json_out_member_string(b, "model_name", u->node_models[i].pattern);
    json_out_end(b, '}');
  }
  json_out_end(b, ']');
}

static void begin(struct buf *b, const struct user *u) {
  json_out_begin(b, '{');
  json_out_member_string(b, "username", u->name);
}

void users_json_put(struct buf *b, const struct user *u, struct str token) {
  json_out_begin(b, '{');
  json_out_member_i64(b, "id", u->id);
  json_out_member_string(b, "username", u->name);
  json_out_member_string_if(b, "token", token);
  json_out_member_string(b, "role", str_from_c(user_role_name(u->role)));
  json_out_member_bool(b, "is_active", u->is_active);
  json_out_member_bool(b, "has_password", u->has_password);
  json_out_member_bool(b, "can_manage_ollama", u->can_manage_ollama);
  json_out_member_time(b, "created_at", u->created_us);
  json_out_member_time(b, "updated_at", u->updated_us);
  json_out_key(b, "team");
  if (u->team.n)
    json_out_string(b, u->team);
  else
    json_out_raw(b, STR("null"));
  subject_limits_put_member(b, &u->limits);
  put_model_members(b, u);
  json_out_member_strings(b, "nodes", u->nodes, u->node_count);
  put_node_model_members(b, u);
  put_token_members(b, u);
  json_out_end(b, '}');
}

void users_json_put_token(struct buf *b, const struct user *u, struct str name, struct str token) {
  begin(b, u);
  json_out_member_string(b, "name", name);
  json_out_member_string(b, "token", token);
  for (size_t i = 0; i < u->token_count; i++) {
    if (!str_eq(u->tokens[i].name, name)) continue;
    json_out_member_time(b, "created_at", u->tokens[i].created_us);
    json_out_member_time(b, "expires_at", u->tokens[i].expires_us);
  }
  json_out_member_bool(b, "is_active", u->is_active);
  json_out_end(b, '}');
}

void users_json_put_tokens(struct buf *b, const struct user *u) {
  begin(b, u);
  put_token_members(b, u);
  json_out_end(b, '}');
}

void users_json_put_models(struct buf *b, const struct user *u) {
  begin(b, u);
  put_model_members(b, u);
  json_out_end(b, '}');
}

void users_json_put_nodes(struct buf *b, const struct user *u) {
  begin(b, u);
  json_out_member_bool(b, "has_restriction", u->node_count > 0);
  json_out_member_strings(b, "nodes", u->nodes, u->node_count);
  json_out_end(b, '}');
}

void users_json_put_node_models(struct buf *b, const struct user *u) {
  begin(b, u);
  put_node_model_members(b, u);
  json_out_end(b, '}');
}

void users_json_put_models_of_node(struct buf *b, const struct user *u, struct str node) {
  bool has_any = false;
  begin(b, u);
  json_out_member_string(b, "node_id", node);
  json_out_key(b, "models");
  json_out_begin(b, '[');
  for (size_t i = 0; i < u->node_model_count; i++) {
    if (!str_eq(u->node_models[i].node, node)) continue;
    json_out_string(b, u->node_models[i].pattern);
    has_any = true;
  }
  json_out_end(b, ']');
  json_out_member_bool(b, "has_restriction", has_any);
  json_out_end(b, '}');
}
