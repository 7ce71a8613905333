/* The audit log's reading: see audit.h. The rows come from the store, so a thread of the pool reads them. */
#include "admin/audit.h"

#include "admin/entity.h"
#include "admin/job.h"
#include "admin/page.h"
#include "admin/query.h"
#include "base/json_out.h"
#include "gateway/exchange.h"
#include "state/store/store.h"
#include "state/store/store_audit.h"

enum { LIMIT = 50, LIMIT_MAX = 200, READ_MS = 15000, ANSWER_MAX = 32 << 20 };

struct audit_job {
  struct job job; /* its `out`: the rows, JSON with commas */
  struct audit_filter filter;
  int64_t total;
  int64_t rows, last_id; /* that were read */
};

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
  struct audit_job *j = arg;
  struct buf *b = &j->job.out;
  j->rows++;
  j->last_id = row->id;
  json_out_begin(b, '{');
  json_out_member_i64(b, "id", row->id);
  json_out_member_string(b, "action", row->action);
  json_out_member_string(b, "entity_type", row->entity_type);
  json_out_member_string(b, "entity_id", row->entity_id);
  put_details(b, row);
  json_out_member_string(b, "performed_by", row->actor);
  json_out_member_string(b, "admin_ip", row->address);
  json_out_member_time(b, "created_at", row->at_us);
  json_out_end(b, '}');
  return b->failed ? ERR_NO_MEMORY : OK;
}

static enum err read_rows(struct db *db, void *arg, struct err_info *info) {
  struct audit_job *j = arg;
  enum err e = store_audit_count(db, &j->filter, &j->total, info);
  return e ? e : store_audit_list(db, &j->filter, put_row, j, info);
}

static enum err work(void *arg) {
  struct audit_job *j = arg;
  return store_read(read_rows, j, &j->job.info);
}

static enum err read_query(struct audit_job *j, struct str query, struct err_info *info) {
  struct audit_filter *f = &j->filter;
  uint64_t limit = LIMIT, offset = 0, after = 0;
  enum err e = query_number(query, "limit", 1, LIMIT_MAX, &limit, info);
  if (!e) e = query_number(query, "offset", 0, INT32_MAX, &offset, info);
  if (!e) e = query_number(query, "after", 1, INT64_MAX, &after, info);
  if (!e) e = query_text(&j->job.arena, query, "action", &f->action, info);
  if (!e) e = query_text(&j->job.arena, query, "entity_type", &f->entity_type, info);
  if (!e) e = query_text(&j->job.arena, query, "entity_id", &f->entity_id, info);
  if (!e) e = query_text(&j->job.arena, query, "performed_by", &f->actor, info);
  f->limit = (int64_t)limit;
  f->offset = (int64_t)offset;
  f->after = (int64_t)after;
  return e;
}

static void answer(struct request_context *rc, struct audit_job *j) {
  struct str last = arena_printf(rc->arena, "%lld", (long long)j->last_id);
  struct buf b;
  if (last.p && j->rows == j->filter.limit && j->last_id > 1) page_more(rc, last);
  buf_init(&b, 0);
  json_out_begin(&b, '{');
  json_out_key(&b, "logs");
  json_out_begin(&b, '[');
  if (j->job.out.n) buf_put(&b, buf_str(&j->job.out));
  json_out_end(&b, ']');
  json_out_member_i64(&b, "total", j->total);
  json_out_member_i64(&b, "limit", j->filter.limit);
  json_out_member_i64(&b, "offset", j->filter.offset);
  json_out_end(&b, '}');
  entity_answer_change(rc, 200, STR_NONE, &b);
  buf_clear(&b);
}

void audit_list(struct request_context *rc) {
  struct err_info info = {0};
  struct audit_job *j = job_new(sizeof *j, work, NULL);
  enum err e = ERR_NO_MEMORY;
  if (j) {
    j->job.out.limit_bytes = ANSWER_MAX;
    e = read_query(j, rc->request->query, &info);
  }
  if (!e) e = job_run(&j->job, POOL_FILE, READ_MS, &info);
  if (e)
    exchange_fail(rc, e, &info);
  else
    answer(rc, j);
  job_unref(j);
}

/* ---- what these are, for the API's description ---- */

static const struct schema_member details_rows[] = {
    {"before", SCHEMA_ANY, .help = "what it was, without secrets; null: it was not there, or is not kept"},
    {"after", SCHEMA_ANY, .help = "what it became; null: it is gone"},
};
static const struct schema details_schema = SCHEMA_OF(NULL, details_rows);

static const struct schema_member row_rows[] = {
    {"id", SCHEMA_INTEGER, .help = "orders the log"},
    {"action", SCHEMA_TEXT, .help = "what was done"},
    {"entity_type", SCHEMA_TEXT, .help = "to what kind of thing"},
    {"entity_id", SCHEMA_TEXT, .help = "and which"},
    {"details", SCHEMA_OBJECT, .of = &details_schema},
    {"performed_by", SCHEMA_TEXT, .help = "who did it"},
    {"admin_ip", SCHEMA_TEXT, .help = "from where; empty: by a command on the machine itself"},
    {"created_at", SCHEMA_TIME, .help = "when"},
};
static const struct schema row_schema = SCHEMA_OF("AuditEntry", row_rows);

static const struct schema_member audit_rows[] = {
    {"logs", SCHEMA_LIST, .of = &row_schema, .help = "newest first"},
    {"total", SCHEMA_COUNT, .help = "entries that pass the filter"},
    {"limit", SCHEMA_COUNT, .help = "entries of a page"},
    {"offset", SCHEMA_COUNT, .help = "entries that were left out"},
};
const struct schema audit_schema = SCHEMA_OF("AuditLog", audit_rows);
