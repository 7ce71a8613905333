/* Users in the store: see store_user.h. */
#include "state/store/store_user.h"

#include "base/clock.h"
#include "state/store/store.h"
#include "state/store/store_team.h"

static enum err take_user(void *arg, const struct db_value *row, unsigned columns, struct err_info *info) {
  struct store_user *u = arg;
  (void)columns, (void)info;
  *u = (struct store_user){.id = row[0].i,
                           .is_active = row[2].i != 0,
                           .has_all_models = row[3].i != 0,
                           .team_id = row[4].i,
                           .can_manage_ollama = row[5].i != 0};
  if (!user_role_parse(row[1].s, &u->role)) u->role = USER_ROLE_USER;
  return OK;
}

static enum err no_user(struct str name, struct err_info *info) {
  return err_set(info, ERR_NOT_FOUND, "there is no user \"%.*s\"", STR_ARG(name));
}

enum err store_user_find(struct db *db, struct str name, struct store_user *out, struct err_info *info) {
  const struct db_value params[] = {db_text(name)};
  struct store_user found = {0};
  enum err e = db_run(db, DB_USER_FIND, params, 1, take_user, &found, info);
  if (!e && !found.id) return no_user(name, info);
  if (!e) *out = found;
  return e;
}

enum { USER_PARAMS = 7 };

/* Of a whole row, as the queries of one have them; $1 is what finds it. */
static void put_user(struct db_value which, const struct store_user *user, struct db_value out[USER_PARAMS]) {
  out[0] = which;
  out[1] = db_text(str_from_c(user_role_name(user->role)));
  out[2] = db_int(user->is_active);
  out[3] = db_int(user->has_all_models);
  out[4] = db_int(clock_wall_us());
  out[5] = db_int_or_null(user->team_id);
  out[6] = db_int(user->can_manage_ollama);
}

enum err store_user_add(struct db *db, struct str name, struct store_user *user, struct err_info *info) {
  struct db_value params[USER_PARAMS];
  int64_t id = 0;
  put_user(db_text(name), user, params);
  enum err e = db_run(db, DB_USER_REVIVE, params, USER_PARAMS, db_take_int, &id, info);
  if (!e && !id) e = db_run(db, DB_USER_ADD, params, USER_PARAMS, db_take_int, &id, info);
  if (e == ERR_CONFLICT) return err_set_param(info, e, "username", "there is a user \"%.*s\" already", STR_ARG(name));
  if (e) return e;
  user->id = id;
  store_changed(id);
  return OK;
}

enum err store_user_update(struct db *db, const struct store_user *user, struct err_info *info) {
  struct db_value params[USER_PARAMS];
  put_user(db_int(user->id), user, params);
  store_changed(user->id);
  return db_run(db, DB_USER_UPDATE, params, USER_PARAMS, NULL, NULL, info);
}

enum err store_user_set_password(struct db *db, int64_t id, struct str hash, struct err_info *info) {
  const struct db_value params[] = {db_int(id), hash.n ? db_text(hash) : db_null(), db_int(clock_wall_us())};
  store_changed(id);
  return db_run(db, DB_PASSWORD_SET, params, 3, NULL, NULL, info);
}

enum err store_user_delete(struct db *db, int64_t id, struct err_info *info) {
  static const enum db_query clears[] = {DB_LIMITS_CLEAR_USER, DB_TOKEN_CLEAR, DB_MODEL_CLEAR, DB_NODE_CLEAR,
                                         DB_NODE_MODEL_CLEAR_ALL};
  const struct db_value params[] = {db_int(id), db_int(clock_wall_us())};
  enum err e = OK;
  store_changed(id);
  for (size_t i = 0; !e && i < sizeof clears / sizeof *clears; i++)
    e = db_run(db, clears[i], params, 1, NULL, NULL, info);
  return e ? e : db_run(db, DB_USER_DELETE, params, 2, NULL, NULL, info);
}

/* ---- tokens ---- */

static enum err put_token(struct db *db, enum db_query query, int64_t user_id, const struct user_token *t,
                          struct err_info *info) {
  const struct db_value params[] = {db_int(user_id), db_text(t->name), db_bytes(t->hash.bytes, sizeof t->hash.bytes),
                                    db_int(t->created_us), db_int_or_null(t->expires_us)};
  store_changed(user_id);
  return db_run(db, query, params, 5, NULL, NULL, info);
}

enum err store_user_add_token(struct db *db, int64_t user_id, const struct user_token *token, struct err_info *info) {
  enum err e = put_token(db, DB_TOKEN_ADD, user_id, token, info);
  if (e == ERR_CONFLICT)
    return err_set_param(info, e, "name", "the user has a token \"%.*s\" already", STR_ARG(token->name));
  return e;
}

static enum err no_token(struct str name, struct err_info *info) {
  return err_set(info, ERR_NOT_FOUND, "the user has no token \"%.*s\"", STR_ARG(name));
}

enum err store_user_renew_token(struct db *db, int64_t user_id, const struct user_token *token, struct err_info *info) {
  enum err e = put_token(db, DB_TOKEN_RENEW, user_id, token, info);
  return e || db_changes(db) ? e : no_token(token->name, info);
}

static enum err find_token(struct db *db, int64_t user_id, struct str name, int64_t *id, struct err_info *info) {
  const struct db_value params[] = {db_int(user_id), db_text(name)};
  *id = 0;
  enum err e = db_run(db, DB_TOKEN_FIND, params, 2, db_take_int, id, info);
  return e || *id ? e : no_token(name, info);
}

enum err store_user_delete_token(struct db *db, int64_t user_id, struct str name, struct err_info *info) {
  const struct db_value params[] = {db_int(user_id), db_text(name)};
  enum err e = store_user_set_token_limits(db, user_id, name, &limits_none, info);
  return e ? e : db_run(db, DB_TOKEN_DELETE, params, 2, NULL, NULL, info);
}

/* ---- limits ---- */

enum err store_user_set_limits(struct db *db, int64_t id, const struct limits *l, struct err_info *info) {
  store_changed(id);
  return limits_store(db, LIMITS_USER, id, STR_NONE, l, info);
}

enum err store_user_set_token_limits(struct db *db, int64_t user_id, struct str token, const struct limits *l,
                                     struct err_info *info) {
  int64_t id;
  enum err e = find_token(db, user_id, token, &id, info);
  store_changed(user_id);
  return e ? e : limits_store(db, LIMITS_TOKEN, id, STR_NONE, l, info);
}

/* ---- lists ---- */

static const struct {
  enum db_query add, remove, clear;
} lists[] = {[STORE_USER_MODELS] = {DB_MODEL_ADD, DB_MODEL_DELETE, DB_MODEL_CLEAR},
             [STORE_USER_NODES] = {DB_NODE_ADD, DB_NODE_DELETE, DB_NODE_CLEAR},
             [STORE_USER_NODE_MODELS] = {DB_NODE_MODEL_ADD, DB_NODE_MODEL_DELETE, DB_NODE_MODEL_CLEAR}};

/* The parameters that a list's queries take, in their order. */
static unsigned list_params(enum store_user_list list, int64_t user_id, struct str node, struct str pattern,
                            struct db_value out[3]) {
  unsigned n = 0;
  out[n++] = db_int(user_id);
  if (list == STORE_USER_NODE_MODELS) out[n++] = db_text(node);
  out[n++] = db_text(pattern);
  return n;
}

enum err store_user_allow(struct db *db, enum store_user_list list, int64_t user_id, struct str node,
                          struct str pattern, struct err_info *info) {
  struct db_value params[3];
  unsigned n = list_params(list, user_id, node, pattern, params);
  store_changed(user_id);
  return db_run(db, lists[list].add, params, n, NULL, NULL, info);
}

enum err store_user_disallow(struct db *db, enum store_user_list list, int64_t user_id, struct str node,
                             struct str pattern, struct err_info *info) {
  struct db_value params[3];
  unsigned n = list_params(list, user_id, node, pattern, params);
  store_changed(user_id);
  enum err e = db_run(db, lists[list].remove, params, n, NULL, NULL, info);
  if (!e && !db_changes(db)) e = err_set(info, ERR_NOT_FOUND, "\"%.*s\" is not in the user's list", STR_ARG(pattern));
  return e;
}

enum err store_user_clear(struct db *db, enum store_user_list list, int64_t user_id, struct str node,
                          struct err_info *info) {
  const struct db_value params[] = {db_int(user_id), db_text(node)};
  bool is_of_node = list == STORE_USER_NODE_MODELS && node.n;
  enum db_query query = list == STORE_USER_NODE_MODELS && !node.n ? DB_NODE_MODEL_CLEAR_ALL : lists[list].clear;
  store_changed(user_id);
  return db_run(db, query, params, is_of_node ? 2 : 1, NULL, NULL, info);
}

enum err store_user_import(struct db *db, const struct user *user, struct err_info *info) {
  struct store_user row = {.role = user->role,
                           .is_active = user->is_active,
                           .has_all_models = user->has_all_models,
                           .can_manage_ollama = user->can_manage_ollama};
  enum err e = user->team.n ? store_team_find(db, user->team, &row.team_id, info) : OK;
  if (!e) e = store_user_add(db, user->name, &row, info);
  if (!e) e = store_user_set_limits(db, row.id, &user->limits, info);
  for (size_t i = 0; !e && i < user->token_count; i++) {
    const struct user_token *t = &user->tokens[i];
    e = put_token(db, DB_TOKEN_ADD, row.id, t, info);
    if (e == ERR_CONFLICT) e = err_set(info, e, "a token of \"%.*s\" is in the store already", STR_ARG(user->name));
    if (!e && !limits_is_none(&t->limits)) e = store_user_set_token_limits(db, row.id, t->name, &t->limits, info);
  }
  for (size_t i = 0; !e && i < user->model_count; i++)
    e = store_user_allow(db, STORE_USER_MODELS, row.id, STR_NONE, user->models[i], info);
  for (size_t i = 0; !e && i < user->node_count; i++)
    e = store_user_allow(db, STORE_USER_NODES, row.id, STR_NONE, user->nodes[i], info);
  for (size_t i = 0; !e && i < user->node_model_count; i++)
    e = store_user_allow(db, STORE_USER_NODE_MODELS, row.id, user->node_models[i].node, user->node_models[i].pattern,
                         info);
  return e;
}

static enum err note_holder(void *arg, const struct db_value *row, unsigned columns, struct err_info *info) {
  (void)arg, (void)columns, (void)info;
  store_changed(row[0].i);
  return OK;
}

enum err store_user_rename_model(struct db *db, struct str old, struct str name, struct err_info *info) {
  const struct db_value params[] = {db_text(old), db_text(name)};
  enum err e = db_run(db, DB_MODEL_HOLDERS, params, 1, note_holder, NULL, info);
  if (!e) e = db_run(db, DB_MODEL_RENAME, params, 2, NULL, NULL, info);
  if (!e) e = db_run(db, DB_MODEL_FORGET, params, 1, NULL, NULL, info);
  store_changed(STORE_CHANGED_TEAMS);
  if (!e) e = db_run(db, DB_TEAM_MODEL_RENAME, params, 2, NULL, NULL, info);
  return e ? e : db_run(db, DB_TEAM_MODEL_FORGET, params, 1, NULL, NULL, info);
}
