/* Changes of users: see users_change.h. Every function here ends by reading the user back in the same transaction, so
 * that the answer is what was stored. */
#include "admin/users_change.h"

#include "admin/users_json.h"
#include "base/clock.h"
#include "policy/jwt.h"
#include "state/store_audit.h"
#include "state/store_user.h"

static const int64_t DAY_US = 86400 * (int64_t)1000000;

/* ---- the answer ---- */

enum shape { SHAPE_USER, SHAPE_TOKEN, SHAPE_MODELS, SHAPE_NODES, SHAPE_NODE_MODELS, SHAPE_MODELS_OF_NODE };

static enum err answer(struct db *db, struct users_change *c, int64_t id, enum shape shape, struct str token,
                       struct err_info *info) {
  struct people people;
  enum err e = people_load(db, id, &people, info);
  if (e) return e;
  if (people.user_count != 1) {
    people_clear(&people);
    return err_set(info, ERR_INTERNAL, "the user cannot be read back");
  }
  const struct user *u = &people.users[0];
  switch (shape) {
    case SHAPE_USER: users_json_put(&c->out, u, token); break;
    case SHAPE_TOKEN: users_json_put_token(&c->out, u, c->item, token); break;
    case SHAPE_MODELS: users_json_put_models(&c->out, u); break;
    case SHAPE_NODES: users_json_put_nodes(&c->out, u); break;
    case SHAPE_NODE_MODELS: users_json_put_node_models(&c->out, u); break;
    case SHAPE_MODELS_OF_NODE: users_json_put_models_of_node(&c->out, u, c->item); break;
  }
  people_clear(&people);
  return c->out.failed ? ERR_NO_MEMORY : OK;
}

/* ---- users ---- */

/* A token of that name, signed; its text lives in the change's arena, its hash is what the store keeps. */
static enum err make_token(struct users_change *c, struct str user, struct str name, struct user_token *out,
                           struct str *text, struct err_info *info) {
  int64_t now = clock_wall_us();
  int64_t expires = c->in.expires_in_days ? now + (int64_t)c->in.expires_in_days * DAY_US : 0;
  const struct jwt_claims claims = {.username = user, .issued_s = now / 1000000, .expires_s = expires / 1000000};
  struct buf b;
  buf_init(&b, 0);
  enum err e = jwt_issue(c->token_key, &claims, &b, info);
  *out = (struct user_token){.name = name, .created_us = now, .expires_us = expires};
  if (!e) e = crypto_sha256(buf_str(&b), &out->hash);
  if (!e) *text = arena_dup(c->arena, buf_str(&b));
  if (!e && !text->p) e = ERR_NO_MEMORY;
  crypto_wipe(b.p, b.n);
  buf_clear(&b);
  return e;
}

static enum err create(struct db *db, struct users_change *c, struct err_info *info) {
  struct store_user u = {.role = c->in.role, .is_active = true, .has_all_models = c->in.has_all_models};
  struct user_token token;
  struct str text = STR_NONE;
  enum err e = store_user_add(db, c->in.username, &u, info);
  if (!e) e = make_token(c, c->in.username, USERS_DEFAULT_TOKEN, &token, &text, info);
  if (!e) e = store_user_add_token(db, u.id, &token, info);
  for (size_t i = 0; !e && i < c->in.model_count; i++)
    e = store_user_allow(db, STORE_USER_MODELS, u.id, STR_NONE, c->in.models[i], info);
  return e ? e : answer(db, c, u.id, SHAPE_USER, text, info);
}

static enum err update(struct db *db, struct users_change *c, struct err_info *info) {
  struct store_user u;
  enum err e = store_user_find(db, c->user, &u, info);
  if (e) return e;
  if (c->in.has & USERS_ROLE) u.role = c->in.role;
  if (c->in.has & USERS_ACTIVE) u.is_active = c->in.is_active;
  if (c->in.has & USERS_ALL_MODELS) u.has_all_models = c->in.has_all_models;
  e = store_user_update(db, &u, info);
  return e ? e : answer(db, c, u.id, SHAPE_USER, STR_NONE, info);
}

static enum err activate(struct db *db, struct users_change *c, struct err_info *info) {
  c->in = (struct users_input){.has = USERS_ACTIVE, .is_active = true};
  return update(db, c, info);
}

static enum err deactivate(struct db *db, struct users_change *c, struct err_info *info) {
  c->in = (struct users_input){.has = USERS_ACTIVE, .is_active = false};
  return update(db, c, info);
}

static enum err delete (struct db *db, struct users_change *c, struct err_info *info) {
  struct store_user u; enum err e = store_user_find(db, c->user, &u, info);
  return e ? e : store_user_delete(db, u.id, info);
}

/* ---- tokens ---- */

static enum err count_row(void *arg, const struct db_value *row, unsigned columns, struct err_info *info) {
  (void)row, (void)columns, (void)info;
  ++*(size_t *)arg;
  return OK;
}

static enum err token_add(struct db *db, struct users_change *c, struct err_info *info) {
  struct store_user u;
  struct user_token token;
  struct str text = STR_NONE;
  size_t n = 0;
  enum err e = store_user_find(db, c->user, &u, info);
  const struct db_value id = db_int(e ? 0 : u.id);
  if (!e) e = db_run(db, DB_TOKEN_LIST, &id, 1, count_row, &n, info);
  if (!e && n >= USER_TOKENS_MAX)
    e = err_set(info, ERR_CONFLICT, "a user has at most %d tokens; revoke one first", (int)USER_TOKENS_MAX);
  if (!e) e = make_token(c, c->user, c->in.name, &token, &text, info);
  if (!e) e = store_user_add_token(db, u.id, &token, info);
  c->item = c->in.name;
  return e ? e : answer(db, c, u.id, SHAPE_TOKEN, text, info);
}

/* The default token comes (back) into being, too: a user whose token was revoked gets a new one so. */
static enum err token_renew(struct db *db, struct users_change *c, struct err_info *info) {
  struct store_user u;
  struct user_token token = {0};
  struct str text = STR_NONE;
  bool is_default = c->item.n == 0;
  if (is_default) c->item = USERS_DEFAULT_TOKEN;
  enum err e = store_user_find(db, c->user, &u, info);
  if (!e) e = make_token(c, c->user, c->item, &token, &text, info);
  if (!e) e = store_user_renew_token(db, u.id, &token, info);
  if (e == ERR_NOT_FOUND && is_default && token.name.p) e = store_user_add_token(db, u.id, &token, info);
  return e ? e : answer(db, c, u.id, SHAPE_TOKEN, text, info);
}

static enum err token_revoke(struct db *db, struct users_change *c, struct err_info *info) {
  struct store_user u;
  enum err e = store_user_find(db, c->user, &u, info);
  return e ? e : store_user_delete_token(db, u.id, c->item, info);
}

/* ---- lists ---- */

static enum err set_all_models(struct db *db, struct store_user *u, bool has_all, struct err_info *info) {
  u->has_all_models = has_all;
  return store_user_update(db, u, info);
}

static enum err models_set(struct db *db, struct users_change *c, struct err_info *info) {
  struct store_user u;
  enum err e = store_user_find(db, c->user, &u, info);
  if (!e) e = set_all_models(db, &u, false, info);
  if (!e) e = store_user_clear(db, STORE_USER_MODELS, u.id, STR_NONE, info);
  for (size_t i = 0; !e && i < c->in.model_count; i++)
    e = store_user_allow(db, STORE_USER_MODELS, u.id, STR_NONE, c->in.models[i], info);
  return e ? e : answer(db, c, u.id, SHAPE_MODELS, STR_NONE, info);
}

static enum err models_all(struct db *db, struct users_change *c, struct err_info *info) {
  struct store_user u;
  enum err e = store_user_find(db, c->user, &u, info);
  if (!e) e = set_all_models(db, &u, true, info);
  return e ? e : answer(db, c, u.id, SHAPE_MODELS, STR_NONE, info);
}

static enum err models_clear(struct db *db, struct users_change *c, struct err_info *info) {
  c->in.model_count = 0;
  return models_set(db, c, info);
}

static enum err models_remove(struct db *db, struct users_change *c, struct err_info *info) {
  struct store_user u;
  enum err e = store_user_find(db, c->user, &u, info);
  if (!e) e = store_user_disallow(db, STORE_USER_MODELS, u.id, STR_NONE, c->item, info);
  return e ? e : answer(db, c, u.id, SHAPE_MODELS, STR_NONE, info);
}

/* What would make a list too long, told before anything is added. */
static enum err has_room(struct db *db, int64_t user_id, enum db_query list, size_t max, struct err_info *info) {
  const struct db_value id = db_int(user_id);
  size_t n = 0;
  enum err e = db_run(db, list, &id, 1, count_row, &n, info);
  if (!e && n >= max) e = err_set(info, ERR_CONFLICT, "the list has %zu entries, which is the most", n);
  return e;
}

/* One is added ({"node_id"}), or all are replaced ({"node_ids"}). */
static enum err nodes_set(struct db *db, struct users_change *c, struct err_info *info) {
  struct store_user u;
  enum err e = store_user_find(db, c->user, &u, info);
  bool is_one = c->in.has & USERS_NODE_ID;
  if (e) return e;
  if (!(c->in.has & (USERS_NODE_ID | USERS_NODE_IDS)) || (is_one && c->in.has & USERS_NODE_IDS)) {
    e = err_set_param(info, ERR_MISSING, "node_ids",
                      "either \"node_id\" (adds it) or \"node_ids\" (replaces all) is required");
    if (info) info->http_status = 422;
    return e;
  }
  if (is_one)
    e = has_room(db, u.id, DB_NODE_LIST, USER_NODES_MAX, info);
  else
    e = store_user_clear(db, STORE_USER_NODES, u.id, STR_NONE, info);
  if (!e && is_one) e = store_user_allow(db, STORE_USER_NODES, u.id, STR_NONE, c->in.node_id, info);
  for (size_t i = 0; !e && i < c->in.node_count; i++)
    e = store_user_allow(db, STORE_USER_NODES, u.id, STR_NONE, c->in.node_ids[i], info);
  return e ? e : answer(db, c, u.id, SHAPE_NODES, STR_NONE, info);
}

static enum err nodes_remove(struct db *db, struct users_change *c, struct err_info *info) {
  struct store_user u;
  enum err e = store_user_find(db, c->user, &u, info);
  if (!e) e = store_user_disallow(db, STORE_USER_NODES, u.id, STR_NONE, c->item, info);
  return e ? e : answer(db, c, u.id, SHAPE_NODES, STR_NONE, info);
}

static enum err nodes_clear(struct db *db, struct users_change *c, struct err_info *info) {
  struct store_user u;
  enum err e = store_user_find(db, c->user, &u, info);
  if (!e) e = store_user_clear(db, STORE_USER_NODES, u.id, STR_NONE, info);
  return e ? e : answer(db, c, u.id, SHAPE_NODES, STR_NONE, info);
}

static enum err node_models_add(struct db *db, struct users_change *c, struct err_info *info) {
  struct store_user u;
  enum err e = store_user_find(db, c->user, &u, info);
  if (!e) e = has_room(db, u.id, DB_NODE_MODEL_LIST, USER_NODE_MODELS_MAX, info);
  if (!e) e = store_user_allow(db, STORE_USER_NODE_MODELS, u.id, c->in.node_id, c->in.model_name, info);
  return e ? e : answer(db, c, u.id, SHAPE_NODE_MODELS, STR_NONE, info);
}

static enum err node_models_remove(struct db *db, struct users_change *c, struct err_info *info) {
  struct store_user u;
  enum err e = store_user_find(db, c->user, &u, info);
  if (!e) e = store_user_disallow(db, STORE_USER_NODE_MODELS, u.id, c->in.node_id, c->in.model_name, info);
  return e ? e : answer(db, c, u.id, SHAPE_NODE_MODELS, STR_NONE, info);
}

static enum err node_models_clear(struct db *db, struct users_change *c, struct err_info *info) {
  struct store_user u;
  enum err e = store_user_find(db, c->user, &u, info);
  if (!e) e = store_user_clear(db, STORE_USER_NODE_MODELS, u.id, STR_NONE, info);
  return e ? e : answer(db, c, u.id, SHAPE_NODE_MODELS, STR_NONE, info);
}

static enum err models_of_node_set(struct db *db, struct users_change *c, struct err_info *info) {
  struct store_user u;
  enum err e = store_user_find(db, c->user, &u, info);
  if (!e) e = store_user_clear(db, STORE_USER_NODE_MODELS, u.id, c->item, info);
  for (size_t i = 0; !e && i < c->in.model_count; i++) {
    if (i == 0) e = has_room(db, u.id, DB_NODE_MODEL_LIST, USER_NODE_MODELS_MAX - c->in.model_count + 1, info);
    if (!e) e = store_user_allow(db, STORE_USER_NODE_MODELS, u.id, c->item, c->in.models[i], info);
  }
  return e ? e : answer(db, c, u.id, SHAPE_MODELS_OF_NODE, STR_NONE, info);
}

static enum err models_of_node_clear(struct db *db, struct users_change *c, struct err_info *info) {
  c->in.model_count = 0;
  return models_of_node_set(db, c, info);
}

static const struct users_operation_row operations[USERS_OPERATION_COUNT] = {
#define X(name, allowed, required, needs_key, status) {#name, allowed, required, needs_key, status, name},
#include "admin/users.def"
#undef X
};

const struct users_operation_row *users_operation(enum users_operation operation) { return &operations[operation]; }

/* ---- the record ---- */

/* The user as it is now, without a token; empty when there is none. */
static enum err describe(struct db *db, struct str name, struct buf *out, struct err_info *info) {
  struct store_user u;
  struct err_info why = {0};
  struct people people;
  enum err e = store_user_find(db, name, &u, &why);
  if (e == ERR_NOT_FOUND) return OK;
  if (!e) e = people_load(db, u.id, &people, &why);
  if (e) return err_set(info, e, "%s", err_info_text(e, &why));
  if (people.user_count == 1) users_json_put(out, &people.users[0], STR_NONE);
  people_clear(&people);
  return out->failed ? ERR_NO_MEMORY : OK;
}

enum err users_change_run(struct db *db, const struct users_operation_row *operation, struct users_change *c,
                          struct err_info *info) {
  struct str name = c->user.n ? c->user : c->in.username;
  struct buf before, after;
  buf_init(&before, 0);
  buf_init(&after, 0);
  enum err e = describe(db, name, &before, info);
  if (!e) e = operation->run(db, c, info);
  if (!e) e = describe(db, name, &after, info);
  if (!e) {
    const struct audit_row row = {.actor = c->actor,
                                  .address = c->address,
                                  .action = str_from_c(operation->name),
                                  .entity_type = STR("user"),
                                  .entity_id = name,
                                  .before = buf_str(&before),
                                  .after = buf_str(&after)};
    e = store_audit_add(db, &row, info);
  }
  buf_clear(&before);
  buf_clear(&after);
  return e;
}
