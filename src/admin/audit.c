/* The audit log's reading: see audit.h. The rows come from the store, so a thread of the pool reads them. */
#include "admin/audit.h"

#include <stdlib.h>

#include "admin/query.h"
#include "base/json_out.h"
#include "gateway/exchange.h"
#include "io/pool.h"
#include "state/store.h"
#include "state/store_audit.h"

enum { LIMIT = 50, LIMIT_MAX = 200, READ_MS = 15000, ANSWER_MAX = 32 << 20 };

/* Heap memory of the job in the pool: the fiber and the job have a reference each. */
struct job {
  unsigned refs; /* touched on the worker's thread alone */
  struct arena arena;
  struct audit_filter filter;
  struct buf rows; /* JSON, with commas */
  int64_t total;
  struct err_info info;
};

static void job_unref(void *arg) {
  struct job *j = arg;
  if (--j->refs) return;
  buf_clear(&j->rows);
  arena_clear(&j->arena);
  free(j);
}

static void put_details(struct buf *b, const struct audit_row *row) {
  json_out_key(b, "details");
  json_out_begin(b, '{');
  json_out_key(b, "before");
  json_out_raw(b, row->before);
  json_out_key(b, "after");
  json_out_raw(b, row->after);
  json_out_end(b, '}');
}

static enum err put_row(void *arg, const struct audit_row *row) {
  struct buf *b = arg;
  char at[25];
  clock_format_rfc3339(row->at_us, at);
  json_out_begin(b, '{');
  json_out_member_i64(b, "id", row->id);
  json_out_member_string(b, "action", row->action);
  json_out_member_string(b, "entity_type", row->entity_type);
  json_out_member_string(b, "entity_id", row->entity_id);
  put_details(b, row);
  json_out_member_string(b, "performed_by", row->actor);
  json_out_member_string(b, "admin_ip", row->address);
  json_out_member_string(b, "created_at", str_from_c(at));
  json_out_end(b, '}');
  return b->failed ? ERR_NO_MEMORY : OK;
}

static enum err read_rows(struct db *db, void *arg, struct err_info *info) {
  struct job *j = arg;
  enum err e = store_audit_count(db, &j->filter, &j->total, info);
  return e ? e : store_audit_list(db, &j->filter, put_row, &j->rows, info);
}

static enum err work(void *arg) {
  struct job *j = arg;
  return store_read(read_rows, j, &j->info);
}

static enum err read_query(struct job *j, struct str query, struct err_info *info) {
  struct audit_filter *f = &j->filter;
  uint64_t limit = LIMIT, offset = 0;
  enum err e = query_number(query, "limit", 1, LIMIT_MAX, &limit, info);
  if (!e) e = query_number(query, "offset", 0, INT32_MAX, &offset, info);
  if (!e) e = query_text(&j->arena, query, "action", &f->action, info);
  if (!e) e = query_text(&j->arena, query, "entity_type", &f->entity_type, info);
  if (!e) e = query_text(&j->arena, query, "entity_id", &f->entity_id, info);
  if (!e) e = query_text(&j->arena, query, "performed_by", &f->actor, info);
  f->limit = (int64_t)limit;
  f->offset = (int64_t)offset;
  return e;
}

static void answer(struct request_context *rc, struct job *j) {
  struct buf b;
  buf_init(&b, 0);
  json_out_begin(&b, '{');
  json_out_key(&b, "logs");
  json_out_begin(&b, '[');
  if (j->rows.n) buf_put(&b, buf_str(&j->rows));
  json_out_end(&b, ']');
  json_out_member_i64(&b, "total", j->total);
  json_out_member_i64(&b, "limit", j->filter.limit);
  json_out_member_i64(&b, "offset", j->filter.offset);
  json_out_end(&b, '}');
  reply_add_header(&rc->reply, STR("Cache-Control"), STR("no-store"));
  exchange_answer(rc, 200, &b);
  buf_clear(&b);
}

void audit_list(struct request_context *rc) {
  struct err_info info = {0};
  enum err result = ERR_INTERNAL;
  struct job *j = calloc(1, sizeof *j);
  enum err e = j ? OK : ERR_NO_MEMORY;
  if (j) {
    j->refs = 1;
    arena_init(&j->arena, 0);
    buf_init(&j->rows, ANSWER_MAX);
    e = read_query(j, rc->request->query, &info);
  }
  if (!e) {
    j->refs++;
    e = fiber_await(POOL_FILE, work, j, job_unref, clock_deadline_ms(READ_MS), &result);
    if (!e && result) {
      e = result;
      info = j->info;
    }
  }
  if (e)
    exchange_fail(rc, e, &info);
  else
    answer(rc, j);
  if (j) job_unref(j);
}
