/* Stored responses as rows: see store_response.h. A row's number rises with the time it was put, so that whatever has
 * to go stands at the table's beginning, and goes with one statement. */
#include "state/store/store_response.h"

#include "base/clock.h"

enum { ITEM_BYTES = 64 /* what an item's row takes, roughly */, LOOK_ROWS = 64 };

enum err store_response_prepare(struct db *db, struct err_info *info) {
  static const enum db_query queries[] = {DB_RESPONSE_TABLE, DB_RESPONSE_ITEM_TABLE, DB_RESPONSE_ITEM_INDEX};
  enum err e = OK;
  for (size_t i = 0; !e && i < sizeof queries / sizeof *queries; i++)
    e = db_run(db, queries[i], NULL, 0, NULL, NULL, info);
  return e;
}

static enum err take_sum(void *arg, const struct db_value *row, unsigned columns, struct err_info *info) {
  struct stored_response_sum *sum = arg;
  (void)columns, (void)info;
  *sum = (struct stored_response_sum){(size_t)row[0].i, (size_t)row[1].i};
  return OK;
}

enum err store_response_sum(struct db *db, struct stored_response_sum *out, struct err_info *info) {
  return db_run(db, DB_RESPONSE_SUM, NULL, 0, take_sum, out, info);
}

/* ---- putting ---- */

static bool is_within(struct str list, struct str json) {
  return json.p >= list.p && json.p + json.n <= list.p + list.n;
}

static enum err put_item(struct db *db, int64_t number, const struct stored_response *r,
                         const struct stored_response_item *item, struct err_info *info) {
  bool is_output = is_within(r->output, item->json);
  struct str list = is_output ? r->output : r->input;
  if (!is_output && !is_within(list, item->json)) return OK;
  const struct db_value params[] = {db_int(number), db_text(item->id), db_int(is_output), db_int(item->json.p - list.p),
                                    db_int((int64_t)item->json.n)};
  return db_run(db, DB_RESPONSE_ITEM_ADD, params, 5, NULL, NULL, info);
}

enum err store_response_put(struct db *db, struct str owner, const struct stored_response *r,
                            struct stored_response_sum *sum, struct err_info *info) {
  int64_t number = 0;
  size_t bytes = owner.n + r->id.n + r->response.n + r->input.n + r->output.n + r->item_count * ITEM_BYTES;
  enum err e = store_response_delete(db, owner, r->id, sum, info);
  if (e && e != ERR_NOT_FOUND) return e;
  const struct db_value params[] = {db_text(owner),
                                    db_text(r->id),
                                    db_int(clock_wall_us()),
                                    db_int((int64_t)bytes),
                                    db_bytes(r->response.p, r->response.n),
                                    db_bytes(r->input.p, r->input.n),
                                    db_bytes(r->output.p, r->output.n)};
  e = db_run(db, DB_RESPONSE_ADD, params, 7, db_take_int, &number, info);
  for (size_t i = 0; !e && i < r->item_count; i++) e = put_item(db, number, r, &r->items[i], info);
  if (e) return e;
  sum->count++;
  sum->bytes += bytes;
  return OK;
}

/* ---- finding ---- */

struct found {
  struct arena *arena;
  struct str *texts[3];
  unsigned count;
  bool is_found;
};

static enum err take_texts(void *arg, const struct db_value *row, unsigned columns, struct err_info *info) {
  struct found *f = arg;
  (void)columns, (void)info;
  for (unsigned i = 0; i < f->count; i++) {
    *f->texts[i] = arena_dup(f->arena, row[i].s);
    if (!f->texts[i]->p) return ERR_NO_MEMORY;
  }
  f->is_found = true;
  return OK;
}

static enum err find(struct db *db, enum db_query query, struct str owner, struct str id, int64_t ttl_ms,
                     struct found *f, struct err_info *info) {
  const struct db_value params[] = {db_text(owner), db_text(id), db_int(clock_wall_us() - ttl_ms * 1000)};
  enum err e = db_run(db, query, params, 3, take_texts, f, info);
  return e ? e : f->is_found ? OK : ERR_NOT_FOUND;
}

enum err store_response_get(struct db *db, struct str owner, struct str id, int64_t ttl_ms, struct arena *a,
                            struct stored_response *out, struct err_info *info) {
  struct stored_response r = {0};
  struct found f = {a, {&r.response, &r.input, &r.output}, 3, false};
  enum err e = find(db, DB_RESPONSE_GET, owner, id, ttl_ms, &f, info);
  if (!e && !(r.id = arena_dup(a, id)).p) e = ERR_NO_MEMORY;
  if (!e) *out = r;
  return e;
}

enum err store_response_get_item(struct db *db, struct str owner, struct str item_id, int64_t ttl_ms, struct arena *a,
                                 struct str *json, struct err_info *info) {
  struct str text;
  struct found f = {a, {&text}, 1, false};
  enum err e = find(db, DB_RESPONSE_ITEM_GET, owner, item_id, ttl_ms, &f, info);
  if (!e) *json = text;
  return e;
}

/* ---- going ---- */

enum err store_response_delete(struct db *db, struct str owner, struct str id, struct stored_response_sum *sum,
                               struct err_info *info) {
  const struct db_value params[] = {db_text(owner), db_text(id)};
  int64_t bytes = -1;
  enum err e = db_run(db, DB_RESPONSE_DELETE, params, 2, db_take_int, &bytes, info);
  if (e || bytes < 0) return e ? e : ERR_NOT_FOUND;
  sum->count--;
  sum->bytes -= (size_t)bytes;
  return OK;
}

struct look {
  const struct stored_response_limits *limits;
  struct stored_response_sum all, seen, going; /* seen: with what is older */
  int64_t oldest_us;                           /* what was put by then is too old */
  int64_t last;                                /* number of the newest that goes, and all before it */
  unsigned rows;
};

static enum err take_oldest(void *arg, const struct db_value *row, unsigned columns, struct err_info *info) {
  struct look *l = arg;
  (void)columns, (void)info;
  bool is_beyond = l->all.count - l->seen.count > l->limits->count || l->all.bytes - l->seen.bytes > l->limits->bytes ||
                   row[2].i <= l->oldest_us;
  l->rows++;
  l->seen.count++;
  l->seen.bytes += (size_t)row[1].i;
  if (!is_beyond) return OK;
  l->last = row[0].i;
  l->going = l->seen;
  return OK;
}

enum err store_response_trim(struct db *db, const struct stored_response_limits *limits,
                             struct stored_response_sum *sum, struct err_info *info) {
  for (;;) {
    struct look l = {.limits = limits, .all = *sum, .oldest_us = clock_wall_us() - limits->ttl_ms * 1000};
    const struct db_value rows[] = {db_int(LOOK_ROWS)};
    enum err e = db_run(db, DB_RESPONSE_OLDEST, rows, 1, take_oldest, &l, info);
    const struct db_value last[] = {db_int(l.last)};
    if (!e && l.going.count) e = db_run(db, DB_RESPONSE_DROP, last, 1, NULL, NULL, info);
    if (e || !l.going.count) return e;
    sum->count -= l.going.count;
    sum->bytes -= l.going.bytes;
  }
}
