/* Changes of users: see users_change.h. A function of the table edits a user that was found (or, to create one, was
 * not); what it is answered with is read back in the same transaction, so that the answer is what was stored. */
#include "admin/people/users_change.h"

#include "admin/job.h"
#include "admin/nodes/nodes_find.h"
#include "admin/people/users_json.h"
#include "base/clock.h"
#include "policy/jwt.h"
#include "state/password.h"
#include "state/store/store.h"
#include "state/store/store_team.h"
#include "state/store/store_user.h"

static const int64_t DAY_US = 86400 * (int64_t)1000000;
enum { PASSWORD_MS = 30000 };

struct edit {
  struct db *db;
  struct change *c;
  const struct users_input *in;
  struct store_user u;
  struct str token; /* that was made; in the change's arena */
};

/* ---- the answer ---- */

static enum err load(struct db *db, int64_t id, struct people *out, struct err_info *info) {
  enum err e = people_load(db, id, out, info);
  if (e || out->user_count == 1) return e;
  people_clear(out);
  return err_set(info, ERR_INTERNAL, "the user cannot be read back");
}

static void put_USER(const struct edit *e, const struct user *u) { users_json_put(e->c->out, u, e->token); }
static void put_TOKEN(const struct edit *e, const struct user *u) {
  users_json_put_token(e->c->out, u, e->c->item, e->token);
}
static void put_MODELS(const struct edit *e, const struct user *u) { users_json_put_models(e->c->out, u); }
static void put_NODES(const struct edit *e, const struct user *u) { users_json_put_nodes(e->c->out, u); }
static void put_NODE_MODELS(const struct edit *e, const struct user *u) { users_json_put_node_models(e->c->out, u); }
static void put_MODELS_OF_NODE(const struct edit *e, const struct user *u) {
  users_json_put_models_of_node(e->c->out, u, e->c->item);
}
#define put_NOTHING NULL

static enum err edit_user(struct db *db, struct change *c, enum err (*fn)(struct edit *e, struct err_info *info),
                          void (*put)(const struct edit *e, const struct user *u), struct err_info *info) {
  static const struct users_input nothing;
  struct edit edit = {.db = db, .c = c, .in = c->in ? c->in : &nothing};
  struct people people;
  enum err e = c->name.n ? store_user_find(db, c->name, &edit.u, info) : OK;
  if (!e) e = fn(&edit, info);
  if (e || !put) return e;
  e = load(db, edit.u.id, &people, info);
  if (e) return e;
  put(&edit, &people.users[0]);
  people_clear(&people);
  return OK;
}

/* The user as it is, without a token. */
static enum err describe(struct db *db, const struct change *c, struct buf *out, struct err_info *info) {
  struct store_user u;
  struct err_info why = {0};
  struct people people;
  enum err e = c->name.n ? store_user_find(db, c->name, &u, &why) : ERR_NOT_FOUND;
  if (e == ERR_NOT_FOUND) return OK;
  if (!e) e = load(db, u.id, &people, &why);
  if (e) return err_set(info, e, "%s", err_info_text(e, &why));
  users_json_put(out, &people.users[0], STR_NONE);
  people_clear(&people);
  return OK;
}

/* ---- users ---- */

/* A token of that name, signed; its text lives in the change's arena, its hash is what the store keeps. */
static enum err make_token(struct edit *edit, struct str name, struct user_token *out, struct err_info *info) {
  int64_t now = clock_wall_us();
  int64_t expires = edit->in->expires_in_days ? now + edit->in->expires_in_days * DAY_US : 0;
  const struct jwt_claims claims = {
      .username = edit->c->name, .issued_s = now / 1000000, .expires_s = expires / 1000000};
  struct buf b;
  buf_init(&b, 0);
  enum err e = jwt_issue(secret_reveal(edit->c->key), &claims, &b, info);
  *out = (struct user_token){.name = name, .created_us = now, .expires_us = expires};
  if (!e) e = crypto_sha256(buf_str(&b), &out->hash);
  if (!e) edit->token = arena_dup(edit->c->arena, buf_str(&b));
  if (!e && !edit->token.p) e = ERR_NO_MEMORY;
  crypto_wipe(b.p, b.n);
  buf_clear(&b);
  return e;
}

static enum err allow_all(struct edit *edit, enum store_user_list list, struct str node, struct field_strings names,
                          struct err_info *info) {
  enum err e = OK;
  for (size_t i = 0; !e && i < names.n; i++) e = store_user_allow(edit->db, list, edit->u.id, node, names.v[i], info);
  return e;
}

static enum err set_team(struct edit *edit, struct err_info *info) {
  if (!edit->in->team.n) {
    edit->u.team_id = 0;
    return OK;
  }
  enum err e = store_team_find(edit->db, edit->in->team, &edit->u.team_id, info);
  if (e != ERR_NOT_FOUND) return e;
  return fields_refuse_named(info, "team", "there is no team \"%.*s\"", STR_ARG(edit->in->team));
}

static enum err create(struct edit *edit, struct err_info *info) {
  const struct users_input *in = edit->in;
  struct user_token token;
  edit->u = (struct store_user){.role = (enum user_role)in->role,
                                .is_active = true,
                                .has_all_models = in->has_all_models,
                                .can_manage_ollama = in->can_manage_ollama};
  enum err e = set_team(edit, info);
  if (!e) e = store_user_add(edit->db, in->username, &edit->u, info);
  if (e) return e;
  edit->c->name = in->username;
  e = make_token(edit, USERS_DEFAULT_TOKEN, &token, info);
  if (!e) e = store_user_add_token(edit->db, edit->u.id, &token, info);
  return e ? e : allow_all(edit, STORE_USER_MODELS, STR_NONE, in->models, info);
}

static enum err update(struct edit *edit, struct err_info *info) {
  const struct users_input *in = edit->in;
  if (in->has & USERS_ROLE) edit->u.role = (enum user_role)in->role;
  if (in->has & USERS_ACTIVE) edit->u.is_active = in->is_active;
  if (in->has & USERS_ALL_MODELS) edit->u.has_all_models = in->has_all_models;
  if (in->has & USERS_OLLAMA) edit->u.can_manage_ollama = in->can_manage_ollama;
  enum err e = in->has & USERS_TEAM ? set_team(edit, info) : OK;
  return e ? e : store_user_update(edit->db, &edit->u, info);
}

static enum err set_active(struct edit *edit, bool is_active, struct err_info *info) {
  edit->u.is_active = is_active;
  return store_user_update(edit->db, &edit->u, info);
}
static enum err activate(struct edit *edit, struct err_info *info) { return set_active(edit, true, info); }
static enum err deactivate(struct edit *edit, struct err_info *info) { return set_active(edit, false, info); }

static enum err delete (struct edit *edit, struct err_info *info) {
  return store_user_delete(edit->db, edit->u.id, info);
}

/* ---- tokens ---- */

static enum err count_row(void *arg, const struct db_value *row, unsigned columns, struct err_info *info) {
  (void)row, (void)columns, (void)info;
  ++*(size_t *)arg;
  return OK;
}

/* How many rows a query of the user's gives. */
static enum err count_rows(const struct edit *edit, enum db_query list, size_t *out, struct err_info *info) {
  const struct db_value ids[] = {db_int(edit->u.id), db_int(edit->u.id)};
  *out = 0;
  return db_run(edit->db, list, ids, 2, count_row, out, info);
}

static enum err token_add(struct edit *edit, struct err_info *info) {
  struct user_token token;
  size_t n;
  enum err e = count_rows(edit, DB_TOKEN_LIST, &n, info);
  if (!e && n >= USER_TOKENS_MAX)
    e = err_set(info, ERR_CONFLICT, "a user has at most %d tokens; revoke one first", (int)USER_TOKENS_MAX);
  edit->c->item = edit->in->name;
  if (!e) e = make_token(edit, edit->c->item, &token, info);
  return e ? e : store_user_add_token(edit->db, edit->u.id, &token, info);
}

/* The default token comes (back) into being, too: a user whose token was revoked gets a new one so. */
static enum err token_renew(struct edit *edit, struct err_info *info) {
  struct user_token token;
  bool is_default = edit->c->item.n == 0;
  if (is_default) edit->c->item = USERS_DEFAULT_TOKEN;
  enum err e = make_token(edit, edit->c->item, &token, info);
  if (e) return e;
  e = store_user_renew_token(edit->db, edit->u.id, &token, info);
  return e == ERR_NOT_FOUND && is_default ? store_user_add_token(edit->db, edit->u.id, &token, info) : e;
}

static enum err token_revoke(struct edit *edit, struct err_info *info) {
  return store_user_delete_token(edit->db, edit->u.id, edit->c->item, info);
}

/* ---- lists ---- */

static enum err clear_list(struct edit *edit, enum store_user_list list, struct str node, struct err_info *info) {
  return store_user_clear(edit->db, list, edit->u.id, node, info);
}

static enum err remove_one(struct edit *edit, enum store_user_list list, struct str node, struct str pattern,
                           struct err_info *info) {
  return store_user_disallow(edit->db, list, edit->u.id, node, pattern, info);
}

static enum err set_all_models(struct edit *edit, bool has_all, struct err_info *info) {
  edit->u.has_all_models = has_all;
  return store_user_update(edit->db, &edit->u, info);
}

/* `in` without models empties the list. */
static enum err models_set(struct edit *edit, struct err_info *info) {
  enum err e = set_all_models(edit, false, info);
  if (!e) e = clear_list(edit, STORE_USER_MODELS, STR_NONE, info);
  return e ? e : allow_all(edit, STORE_USER_MODELS, STR_NONE, edit->in->models, info);
}
#define models_clear models_set

static enum err models_all(struct edit *edit, struct err_info *info) { return set_all_models(edit, true, info); }

static enum err models_remove(struct edit *edit, struct err_info *info) {
  return remove_one(edit, STORE_USER_MODELS, STR_NONE, edit->c->item, info);
}

/* What would make a list too long, told before anything is added. */
static enum err check_room(const struct edit *edit, enum db_query list, size_t more, size_t max,
                           struct err_info *info) {
  size_t n;
  enum err e = count_rows(edit, list, &n, info);
  if (!e && n + more > max) e = err_set(info, ERR_CONFLICT, "the list has %zu entries, and %zu are the most", n, max);
  return e;
}

/* One is added ({"node_id"}), or all are replaced ({"node_ids"}). */
static enum err nodes_set(struct edit *edit, struct err_info *info) {
  const struct users_input *in = edit->in;
  unsigned which = in->has & (USERS_NODE_ID | USERS_NODE_IDS);
  if (which == USERS_NODE_ID) {
    enum err e = check_room(edit, DB_NODE_LIST, 1, USER_NODES_MAX, info);
    return e ? e : store_user_allow(edit->db, STORE_USER_NODES, edit->u.id, STR_NONE, in->node_id, info);
  }
  if (which == USERS_NODE_IDS) {
    enum err e = clear_list(edit, STORE_USER_NODES, STR_NONE, info);
    return e ? e : allow_all(edit, STORE_USER_NODES, STR_NONE, in->node_ids, info);
  }
  enum err e = err_set_param(info, ERR_MISSING, "node_ids",
                             "either \"node_id\" (adds it) or \"node_ids\" (replaces all) is required");
  if (info) info->http_status = 422;
  return e;
}

static enum err nodes_remove(struct edit *edit, struct err_info *info) {
  return remove_one(edit, STORE_USER_NODES, STR_NONE, edit->c->item, info);
}

static enum err nodes_clear(struct edit *edit, struct err_info *info) {
  return clear_list(edit, STORE_USER_NODES, STR_NONE, info);
}

static enum err node_models_add(struct edit *edit, struct err_info *info) {
  const struct field_strings one = {&edit->in->model_name, 1};
  enum err e = check_room(edit, DB_NODE_MODEL_LIST, 1, USER_NODE_MODELS_MAX, info);
  return e ? e : allow_all(edit, STORE_USER_NODE_MODELS, edit->in->node_id, one, info);
}

static enum err node_models_remove(struct edit *edit, struct err_info *info) {
  return remove_one(edit, STORE_USER_NODE_MODELS, edit->in->node_id, edit->in->model_name, info);
}

static enum err node_models_clear(struct edit *edit, struct err_info *info) {
  return clear_list(edit, STORE_USER_NODE_MODELS, STR_NONE, info);
}

/* As models_set, of one node. */
static enum err models_of_node_set(struct edit *edit, struct err_info *info) {
  enum err e = clear_list(edit, STORE_USER_NODE_MODELS, edit->c->item, info);
  if (!e && edit->in->models.n)
    e = check_room(edit, DB_NODE_MODEL_LIST, edit->in->models.n, USER_NODE_MODELS_MAX, info);
  return e ? e : allow_all(edit, STORE_USER_NODE_MODELS, edit->c->item, edit->in->models, info);
}
#define models_of_node_clear models_of_node_set

/* ---- passwords ---- */

/* c->key is the hash. */
static enum err password_set(struct edit *edit, struct err_info *info) {
  if (edit->u.role == USER_ROLE_USER)
    return err_set(info, ERR_CONFLICT, "only a viewer, operator or admin signs in; give the user such a role first");
  return store_user_set_password(edit->db, edit->u.id, secret_reveal(edit->c->key), info);
}

static enum err password_clear(struct edit *edit, struct err_info *info) {
  return store_user_set_password(edit->db, edit->u.id, STR_NONE, info);
}

struct hashing {
  struct job job;
  struct secret *password;
  char hash[PASSWORD_HASH_MAX];
};

static enum err hash_work(void *arg) {
  struct hashing *h = arg;
  return password_hash(secret_reveal(h->password), h->hash, &h->job.info);
}

static void hash_clear(void *arg) { secret_free(((struct hashing *)arg)->password); }

static enum err hash_password(struct request_context *rc, struct change *c, struct err_info *info) {
  const struct users_input *in = c->in;
  struct hashing *h = job_new(sizeof *h, hash_work, hash_clear);
  (void)rc;
  if (!h) return ERR_NO_MEMORY;
  h->password = secret_new(in->password);
  enum err e = h->password ? job_run_slow(&h->job, PASSWORD_MS, info) : ERR_NO_MEMORY;
  if (!e) c->key = secret_new(str_from_c(h->hash));
  if (!e && !c->key) e = ERR_NO_MEMORY;
  job_unref(h);
  return e;
}

/* ---- what is known before ---- */

static enum err take_configured_key(struct request_context *rc, struct change *c, struct err_info *info) {
  (void)info;
  if (!secret_bytes(rc->options->auth_jwt_secret)) return OK;
  c->key = secret_dup(rc->options->auth_jwt_secret);
  return c->key ? OK : ERR_NO_MEMORY;
}

static enum err take_own_key(struct change *c, struct err_info *info) {
  return c->key ? OK : store_token_key(&c->key, info);
}

static enum err check_nodes(struct request_context *rc, struct change *c, struct err_info *info) {
  struct users_input *in = c->in;
  enum err e = nodes_find_name(rc, c->arena, &in->node_id, "node_id", 422, info);
  return e ? e : nodes_find_names(rc, c->arena, &in->node_ids, "node_ids", info);
}

static enum err check_node_of_path(struct request_context *rc, struct change *c, struct err_info *info) {
  return nodes_find_name(rc, c->arena, &c->item, "", 404, info);
}

/* Taking a node off a list works for one that is gone, too. */
static enum err name_node_of_path(struct request_context *rc, struct change *c, struct err_info *info) {
  (void)info;
  (void)!nodes_find_name(rc, c->arena, &c->item, "", 404, NULL);
  return c->item.p ? OK : ERR_NO_MEMORY;
}

static enum err name_nodes(struct request_context *rc, struct change *c, struct err_info *info) {
  struct users_input *in = c->in;
  (void)info;
  (void)!nodes_find_name(rc, c->arena, &in->node_id, "node_id", 422, NULL);
  return in->node_id.p ? OK : ERR_NO_MEMORY;
}

/* ---- the table ---- */

#define X(name, allowed, required, begin, prepare, status, shape)                      \
  static enum err run_##name(struct db *db, struct change *c, struct err_info *info) { \
    return edit_user(db, c, name, put_##shape, info);                                  \
  }
#include "admin/people/users.def"
#undef X

const struct change_row *users_operation(enum users_operation operation) {
  static const struct change_row rows[USERS_OPERATION_COUNT] = {
#define X(name, allowed, required, begin, prepare, status, shape) \
  {#name, "user", status, (allowed) ? &users_fields : NULL, allowed, required, prepare, begin, run_##name, describe},
#include "admin/people/users.def"
#undef X
  };
  return &rows[operation];
}
