/* The admin API of users: see users.h. */
#include "admin/users.h"

#include <stdlib.h>

#include "admin/query.h"
#include "admin/users_change.h"
#include "admin/users_json.h"
#include "base/json_out.h"
#include "base/log.h"
#include "gateway/exchange.h"
#include "gateway/rules.h"
#include "io/pool.h"
#include "jobs/reload.h"
#include "policy/principals.h"

enum { BODY_MAX = 512 * 1024, CHANGE_MS = 30000, LIST_MAX = 500 /* of a page: a turn of the loop makes it */ };

/* ---- names in the path and the query ---- */

static enum err no_such_path(struct err_info *info) {
  return err_set(info, ERR_NOT_FOUND, "nothing is served at this path");
}

/* Decoded, in `a`. A name that none can have is found nowhere. */
static enum err take_name(struct arena *a, struct str raw, struct str *out, struct err_info *info) {
  char *p = arena_alloc(a, raw.n);
  if (!p) return ERR_NO_MEMORY;
  *out = str_from(p, str_percent_decode(raw, p, raw.n));
  return out->n ? OK : no_such_path(info);
}

/* "ann" or "ann/models/openai/gpt": the user, and what stands behind the second '/'. */
static enum err read_path(struct request_context *rc, struct arena *a, struct str *user, struct str *item,
                          struct err_info *info) {
  struct str first, middle, last;
  *user = *item = STR_NONE;
  if (!rc->path_rest.n) return OK;
  bool has_more = str_cut(rc->path_rest, '/', &first, &last);
  bool has_item = has_more && str_cut(last, '/', &middle, &last);
  /* The template has one name, but the path has more behind it: no row serves it. */
  bool wants_item =
      str_find_char(str_sub(rc->endpoint->route, str_find_char(rc->endpoint->route, '}') + 1, rc->endpoint->route.n),
                    '{') != SIZE_MAX;
  if (has_more != wants_item || has_item != wants_item) return no_such_path(info);
  enum err e = take_name(a, first, user, info);
  if (!e && has_item) e = take_name(a, last, item, info);
  return e;
}

/* ---- reads ---- */

static const struct people *people_of(struct request_context *rc) {
  const struct principals *p = snapshot_get(rc->snapshot, GATEWAY_PRINCIPALS);
  return &p->people;
}

static enum err find_user(struct request_context *rc, const struct user **out, struct str *item,
                          struct err_info *info) {
  struct str name;
  exchange_adopt(rc);
  enum err e = read_path(rc, rc->arena, &name, item, info);
  if (!e) *out = people_find(people_of(rc), name);
  if (!e && !*out)
    e = err_set(info, ERR_NOT_FOUND, "there is no user \"%.*s\"", STR_ARG(str_cut_utf8(name, USER_NAME_MAX)));
  return e;
}

static void answer_no_store(struct request_context *rc, int status, const struct buf *b) {
  reply_add_header(&rc->reply, STR("Cache-Control"), STR("no-store"));
  exchange_answer(rc, status, b);
}

static void show(struct request_context *rc, void (*put)(struct buf *b, const struct user *u, struct str item)) {
  struct err_info info = {0};
  const struct user *u = NULL;
  struct str item;
  struct buf b;
  enum err e = find_user(rc, &u, &item, &info);
  if (e) {
    exchange_fail(rc, e, &info);
    return;
  }
  buf_init(&b, 0);
  put(&b, u, item);
  answer_no_store(rc, 200, &b);
  buf_clear(&b);
}

static void put_user(struct buf *b, const struct user *u, struct str item) {
  (void)item;
  users_json_put(b, u, STR_NONE);
}
static void put_tokens(struct buf *b, const struct user *u, struct str item) {
  (void)item;
  users_json_put_tokens(b, u);
}
static void put_models(struct buf *b, const struct user *u, struct str item) {
  (void)item;
  users_json_put_models(b, u);
}
static void put_nodes(struct buf *b, const struct user *u, struct str item) {
  (void)item;
  users_json_put_nodes(b, u);
}
static void put_node_models(struct buf *b, const struct user *u, struct str item) {
  (void)item;
  users_json_put_node_models(b, u);
}

void users_show(struct request_context *rc) { show(rc, put_user); }
void users_tokens(struct request_context *rc) { show(rc, put_tokens); }
void users_models(struct request_context *rc) { show(rc, put_models); }
void users_nodes(struct request_context *rc) { show(rc, put_nodes); }
void users_node_models(struct request_context *rc) { show(rc, put_node_models); }
void users_models_of_node(struct request_context *rc) { show(rc, users_json_put_models_of_node); }

/* Which part of the list is asked for. */
static enum err read_page(struct request_context *rc, size_t *from, size_t *count, struct err_info *info) {
  const struct people *people = people_of(rc);
  uint64_t n = LIST_MAX;
  size_t first = 0;
  struct str after = STR_NONE;
  enum err e = query_number(rc->request->query, "limit", 1, LIST_MAX, &n, info);
  if (!e) e = query_text(rc->arena, rc->request->query, "after", &after, info);
  if (!e && after.n) {
    const struct user *u = people_find(people, after);
    if (!u) {
      e = err_set_param(info, ERR_BAD_VALUE, "after", "\"after\" names no user");
      info->http_status = 422;
    } else {
      first = (size_t)(u - people->users) + 1;
    }
  }
  if (e) return e;
  *from = first;
  *count = people->user_count - first < n ? people->user_count - first : (size_t)n;
  return OK;
}

void users_list(struct request_context *rc) {
  struct err_info info = {0};
  size_t from = 0, n = 0;
  struct buf b;
  exchange_adopt(rc);
  enum err e = read_page(rc, &from, &n, &info);
  if (e) {
    exchange_fail(rc, e, &info);
    return;
  }
  const struct people *people = people_of(rc);
  buf_init(&b, 0);
  json_out_begin(&b, '[');
  for (size_t i = from; i < from + n; i++) users_json_put(&b, &people->users[i], STR_NONE);
  json_out_end(&b, ']');
  answer_no_store(rc, 200, &b);
  buf_clear(&b);
}

/* ---- changes ---- */

/* Heap memory of the job in the pool, which may outlive the request: the fiber and the job have a reference each. */
struct job {
  unsigned refs; /* touched on the worker's thread alone */
  const struct users_operation_row *operation;
  struct arena arena;
  struct users_change change;
  struct secret *configured_key; /* NULL: the data directory's */
  struct err_info info;
};

static void job_unref(void *arg) {
  struct job *j = arg;
  if (--j->refs) return;
  crypto_wipe(j->change.out.p, j->change.out.n); /* it may hold a token */
  buf_clear(&j->change.out);
  secret_free(j->configured_key);
  arena_clear(&j->arena);
  free(j);
}

static enum err run(struct db *db, void *arg, struct err_info *info) {
  struct job *j = arg;
  return users_change_run(db, j->operation, &j->change, info);
}

/* What is stored is in force only with the next snapshot, so that a failure here must not look like a success. */
static enum err publish(struct err_info *info) {
  struct config_diags diags;
  struct err_info why = {0};
  config_diags_init(&diags);
  enum err e = reload_rebuild(&diags, &why);
  config_diags_clear(&diags);
  return e ? err_set(info, e, "the change is stored, but not in force: %.400s", err_info_text(e, &why)) : OK;
}

static enum err work(void *arg) {
  struct job *j = arg;
  struct secret *made = NULL;
  enum err e = OK;
  if (j->operation->needs_key && !j->configured_key) e = store_token_key(&made, &j->info);
  j->change.token_key = secret_reveal(j->configured_key ? j->configured_key : made);
  if (!e) e = store_write(run, j, &j->info);
  secret_free(made);
  return e ? e : publish(&j->info);
}

/* A provider that does not exist is a slip of the pen, unless it is a pattern. */
static enum err check_node(const struct catalog *c, struct str node, const char *param, struct err_info *info) {
  bool is_pattern = str_find_char(node, '*') != SIZE_MAX || str_find_char(node, '?') != SIZE_MAX;
  if (!node.n || is_pattern || map_get(&c->by_provider, node)) return OK;
  enum err e = err_set_param(info, ERR_BAD_VALUE, param, "there is no node \"%.*s\"",
                             STR_ARG(str_cut_utf8(node, USER_PATTERN_MAX)));
  if (info) info->http_status = 422;
  return e;
}

static enum err check_nodes(const struct catalog *c, const struct users_input *in, struct err_info *info) {
  enum err e = check_node(c, in->node_id, "node_id", info);
  for (size_t i = 0; !e && i < in->node_count; i++) {
    char path[ERR_PARAM_MAX];
    err_path_index(path, NULL, "node_ids", i);
    e = check_node(c, in->node_ids[i], path, info);
  }
  return e;
}

/* For the audit log; in the job's memory. */
static enum err note_actor(struct request_context *rc, struct job *j) {
  const struct rules *rules = snapshot_get(rc->snapshot, GATEWAY_RULES);
  char name[AUTH_NAME_BYTES], address[46];
  auth_client_address(rules->auth, rc->request, http_exchange_peer(rc->x), address);
  j->change.actor = arena_dup(&j->arena, auth_principal_name(&rc->principal, name));
  j->change.address = arena_dup(&j->arena, str_from_c(address));
  return j->change.actor.p && j->change.address.p ? OK : ERR_NO_MEMORY;
}

static enum err prepare(struct request_context *rc, struct job *j, struct err_info *info) {
  const struct users_operation_row *o = j->operation;
  const struct http_body_options options = {.max_bytes = BODY_MAX};
  struct str body = STR_NONE;
  enum err e = read_path(rc, &j->arena, &j->change.user, &j->change.item, info);
  if (!e && o->allowed && rc->request->has_body) e = http_exchange_read_body(rc->x, &options, &body, info);
  rc->bytes_in = body.n;
  if (!e) e = users_input_read(&j->arena, body, o->allowed, o->required, &j->change.in, info);
  /* Taking a node away works for one that is gone. */
  if (!e && o != users_operation(USERS_OPERATION_node_models_remove)) e = check_nodes(rc->catalog, &j->change.in, info);
  if (!e && o == users_operation(USERS_OPERATION_models_of_node_set)) {
    e = check_node(rc->catalog, j->change.item, "", info);
    if (e) info->http_status = 404;
  }
  if (!e) e = note_actor(rc, j);
  if (!e && o->needs_key && secret_bytes(rc->options->auth_jwt_secret)) {
    j->configured_key = secret_dup(rc->options->auth_jwt_secret);
    if (!j->configured_key) e = ERR_NO_MEMORY;
  }
  return e;
}

static struct job *job_new(enum users_operation operation) {
  struct job *j = calloc(1, sizeof *j);
  if (!j) return NULL;
  j->refs = 1;
  j->operation = users_operation(operation);
  arena_init(&j->arena, 0);
  j->change.arena = &j->arena;
  buf_init(&j->change.out, 0);
  return j;
}

static void change(struct request_context *rc, enum users_operation operation) {
  struct err_info info = {0};
  struct job *j = job_new(operation);
  enum err e = j ? prepare(rc, j, &info) : ERR_NO_MEMORY, result = ERR_INTERNAL;
  if (!e) {
    j->refs++;
    e = fiber_await(POOL_STORE, work, j, job_unref, clock_deadline_ms(CHANGE_MS), &result);
    if (!e && result) {
      e = result;
      info = j->info;
    }
  }
  if (e) {
    exchange_fail(rc, e, &info);
  } else {
    exchange_adopt(rc);
    answer_no_store(rc, j->operation->status, &j->change.out);
  }
  if (j) job_unref(j);
}

#define X(name, allowed, required, needs_key, status) \
  void users_##name(struct request_context *rc) { change(rc, USERS_OPERATION_##name); }
#include "admin/users.def"
#undef X
