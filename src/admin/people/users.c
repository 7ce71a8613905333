/* The admin API of users: see users.h. */
#include "admin/people/users.h"

#include "admin/nodes/nodes_find.h"
#include "admin/page.h"
#include "admin/people/users_change.h"
#include "admin/people/users_json.h"
#include "base/json_out.h"
#include "gateway/exchange.h"
#include "policy/principals.h"

enum { LIST_MAX = 500 /* of a page: a turn of the loop makes it */ };

/* ---- reads ---- */

static enum err find_user(struct request_context *rc, const struct user **out, struct str *item,
                          struct err_info *info) {
  struct str name;
  exchange_adopt(rc);
  enum err e = entity_path(rc, rc->arena, &name, item, info);
  if (!e) *out = people_find(&rc->principals->people, name);
  if (!e && !*out)
    e = err_set(info, ERR_NOT_FOUND, "there is no user \"%.*s\"", STR_ARG(str_cut_utf8(name, USER_NAME_MAX)));
  return e;
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
  /* Where a read has a second name it is a node's; of one that is gone the lists may be left. */
  (void)!nodes_find_name(rc, rc->arena, &item, "", 404, NULL);
  buf_init(&b, 0);
  put(&b, u, item);
  entity_answer(rc, &b);
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
  const struct people *people = &rc->principals->people;
  uint64_t n = LIST_MAX;
  struct str after = STR_NONE;
  enum err e = page_read(rc, LIST_MAX, &n, &after, info);
  const struct user *last = e || !after.n ? NULL : people_find(people, after);
  if (!e && after.n && !last) e = page_refuse_after("user", info);
  if (e) return e;
  *from = last ? (size_t)(last - people->users) + 1 : 0;
  *count = people->user_count - *from < n ? people->user_count - *from : (size_t)n;
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
  const struct people *people = &rc->principals->people;
  buf_init(&b, 0);
  json_out_begin(&b, '[');
  for (size_t i = from; i < from + n; i++) users_json_put(&b, &people->users[i], STR_NONE);
  json_out_end(&b, ']');
  if (from + n < people->user_count) page_more(rc, people->users[from + n - 1].name);
  entity_answer(rc, &b);
  buf_clear(&b);
}

/* ---- changes ---- */

#define X(name, allowed, required, begin, prepare, status, shape) \
  void users_##name(struct request_context *rc) { change_serve(rc, users_operation(USERS_OPERATION_##name)); }
#include "admin/people/users.def"
#undef X
