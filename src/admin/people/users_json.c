/* Users as JSON: see users_json.h. */
#include "admin/people/users_json.h"

#include "admin/people/subject_limits.h"
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

/* ---- what these are, for the API's description ---- */

static const struct schema_member token_rows[] = {
    {"name", SCHEMA_TEXT, .help = "by which it is renewed and revoked"},
    {"created_at", SCHEMA_TIME, .help = "when it was made"},
    {"expires_at", SCHEMA_TIME | SCHEMA_NULL, .help = "from when on it is worth nothing; null: never"},
    {"limits", SCHEMA_OBJECT | SCHEMA_NULL, .of = &subject_limits_schema, .help = "of this token alone; null: none"},
};
static const struct schema token_schema = SCHEMA_OF("UserToken", token_rows);
static const struct schema_member node_model_rows[] = {
    {"node_id", SCHEMA_TEXT, .help = "the node's code"},
    {"model_name", SCHEMA_TEXT, .help = "a model's name, or a pattern"},
};
static const struct schema node_model_schema = SCHEMA_OF("NodeModelRule", node_model_rows);
static const struct schema_member models_rows[] = {
    {"has_all_models", SCHEMA_BOOL, .help = "whether every model is allowed, whatever the list says"},
    {"models", SCHEMA_TEXTS, .help = "names or patterns of the models that are allowed"},
};
static const struct schema models_schema = SCHEMA_OF(NULL, models_rows);

static const struct schema_member tokens_rows[] = {
    {"tokens", SCHEMA_LIST, .of = &token_schema, .help = "without themselves, which are shown once"},
};
static const struct schema tokens_schema = SCHEMA_OF(NULL, tokens_rows);

static const struct schema_member node_models_rows[] = {
    {"node_models", SCHEMA_LIST, .of = &node_model_schema, .help = "models allowed on single nodes"},
};
static const struct schema node_models_schema = SCHEMA_OF(NULL, node_models_rows);

static const struct schema_member users_json_rows[] = {
    {"id", SCHEMA_INTEGER, .help = "stays the same while the user is there"},
    {"username", SCHEMA_TEXT, .help = "the user's name"},
    {"token", SCHEMA_TEXT | SCHEMA_OPTIONAL, .help = "only in the answer that made it: the user's first token"},
    {"role", SCHEMA_WORD, .words = "user|viewer|operator|admin", .help = "what the user may do here"},
    {"is_active", SCHEMA_BOOL, .help = "whether the user is let in"},
    {"has_password", SCHEMA_BOOL, .help = "whether there is one to sign in with"},
    {"can_manage_ollama", SCHEMA_BOOL, .help = "whether the user may load and remove models of nodes"},
    {"created_at", SCHEMA_TIME, .help = "when the user was made"},
    {"updated_at", SCHEMA_TIME, .help = "when the user was changed last"},
    {"team", SCHEMA_TEXT | SCHEMA_NULL, .help = "the team's name"},
    {"limits", SCHEMA_OBJECT | SCHEMA_NULL, .of = &subject_limits_schema, .help = "null: none"},
    {NULL, SCHEMA_PART, .of = &models_schema},
    {"nodes", SCHEMA_TEXTS, .help = "nodes that are allowed; empty: all"},
    {NULL, SCHEMA_PART, .of = &node_models_schema},
    {NULL, SCHEMA_PART, .of = &tokens_schema},
};
const struct schema users_json_schema = SCHEMA_OF("User", users_json_rows);

static const struct schema_member users_json_token_rows[] = {
    {"username", SCHEMA_TEXT, .help = "whose it is"},
    {"name", SCHEMA_TEXT, .help = "the token's name"},
    {"token", SCHEMA_TEXT, .help = "the token, shown only here"},
    {"created_at", SCHEMA_TIME, .help = "when it was made"},
    {"expires_at", SCHEMA_TIME | SCHEMA_NULL, .help = "null: never"},
    {"is_active", SCHEMA_BOOL, .help = "whether the user is let in"},
};
const struct schema users_json_token_schema = SCHEMA_OF("NewToken", users_json_token_rows);

static const struct schema_member users_json_tokens_rows[] = {
    {"username", SCHEMA_TEXT, .help = "whose they are"},
    {NULL, SCHEMA_PART, .of = &tokens_schema},
};
const struct schema users_json_tokens_schema = SCHEMA_OF("UserTokens", users_json_tokens_rows);

static const struct schema_member users_json_models_rows[] = {
    {"username", SCHEMA_TEXT, .help = "whose they are"},
    {NULL, SCHEMA_PART, .of = &models_schema},
};
const struct schema users_json_models_schema = SCHEMA_OF("UserModels", users_json_models_rows);

static const struct schema_member users_json_nodes_rows[] = {
    {"username", SCHEMA_TEXT, .help = "whose they are"},
    {"has_restriction", SCHEMA_BOOL, .help = "false: every node is allowed"},
    {"nodes", SCHEMA_TEXTS, .help = "nodes that are allowed"},
};
const struct schema users_json_nodes_schema = SCHEMA_OF("UserNodes", users_json_nodes_rows);

static const struct schema_member users_json_node_models_rows[] = {
    {"username", SCHEMA_TEXT, .help = "whose they are"},
    {NULL, SCHEMA_PART, .of = &node_models_schema},
};
const struct schema users_json_node_models_schema = SCHEMA_OF("UserNodeModels", users_json_node_models_rows);

static const struct schema_member users_json_models_of_node_rows[] = {
    {"username", SCHEMA_TEXT, .help = "whose they are"},
    {"node_id", SCHEMA_TEXT, .help = "the node's code"},
    {"models", SCHEMA_TEXTS, .help = "models that are allowed there"},
    {"has_restriction", SCHEMA_BOOL, .help = "false: every model of the node is allowed"},
};
const struct schema users_json_models_of_node_schema = SCHEMA_OF("UserModelsOfNode", users_json_models_of_node_rows);
