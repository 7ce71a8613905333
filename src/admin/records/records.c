/* Lists of the request log: see records.h. Files are read by a thread of the pool; an export is one page after another,
 * each written before the next is read, so that it needs the memory of one. */
#include "admin/records/records.h"

#include "admin/entity.h"
#include "admin/fields.h"
#include "admin/job.h"
#include "admin/page.h"
#include "admin/query.h"
#include "admin/records/records_json.h"
#include "admin/records/records_query.h"
#include "base/clock.h"
#include "base/json_out.h"
#include "gateway/exchange.h"
#include "record/log_writer.h"
#include "state/log/log_list.h"

enum {
  LIMIT = 50,
  LIMIT_MAX = 200,
  OFFSET_MAX = 10000, /* beyond: the cursor, which costs the same on every page */
  EXPORT_PAGE = 1000,
  READ_MS = 30000,
  ANSWER_MAX = 8 << 20
};

enum shape { SHAPE_JSON, SHAPE_ACTIVITY, SHAPE_CSV, SHAPE_JSONL };

struct records_job {
  struct job job; /* its `out`: the rows in the shape */
  enum shape shape;
  struct log_filter filter;
  uint64_t limit, offset, before_id;
  bool wants_total;
  /* results */
  uint64_t count;
  int64_t next_id, total;
  bool has_total;
};

static enum err put_row(void *arg, const struct log_row *row, struct err_info *info) {
  struct records_job *j = arg;
  struct buf *b = &j->job.out;
  (void)info;
  j->count++;
  if (j->shape == SHAPE_CSV)
    records_csv_row(b, row);
  else
    records_json_row(b, row);
  if (j->shape == SHAPE_JSONL) buf_put_char(b, '\n');
  return b->failed ? ERR_NO_MEMORY : OK;
}

static enum err work(void *arg) {
  struct records_job *j = arg;
  struct log_reader reader;
  const char *folder = log_writer_folder();
  const struct log_list list = {&j->filter, (int64_t)j->before_id, (unsigned)j->offset, (unsigned)j->limit};
  if (!folder) return OK;
  enum err e = log_reader_open(&reader, folder, log_day(clock_wall_us()), &j->job.info);
  if (e) return e;
  /* The count first: a row that comes meanwhile may be listed uncounted, but what is counted is listed. */
  if (j->wants_total) e = log_reader_total(&reader, &j->filter, &j->total, &j->has_total, &j->job.info);
  if (!e) e = log_list_run(&reader, &list, put_row, j, &j->next_id, &j->job.info);
  log_reader_close(&reader);
  return e;
}

/* ---- the cursor: the id that the next page stays below, in a form that nobody is tempted to compute ---- */

static struct str put_cursor(int64_t id, char out[32]) {
  static const char hex[] = "0123456789abcdef";
  size_t n = 0;
  out[n++] = 'c';
  for (int shift = 60; shift >= 0; shift -= 4) out[n++] = hex[((uint64_t)id >> shift) & 15];
  return str_from(out, n);
}

static enum err read_cursor(struct arena *a, struct str query, uint64_t *out, struct err_info *info) {
  struct str text;
  const char *name = "cursor";
  enum err e = query_text(a, query, name, &text, info);
  if (!e && !text.n) e = query_text(a, query, name = "after", &text, info); /* as all lists have it */
  if (e || !text.n) return e;
  bool is_sound = text.n == 17 && text.p[0] == 'c';
  *out = 0;
  for (size_t i = 1; is_sound && i < text.n; i++) {
    char c = text.p[i];
    is_sound = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    *out = *out << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
  }
  if (is_sound && *out > 0 && *out < (UINT64_C(1) << 53)) return OK;
  return fields_refuse_named(info, name, "\"%s\" is none that this server gave", name);
}

static enum err read_page(struct records_job *j, struct str query, uint64_t limit, struct err_info *info) {
  j->limit = limit;
  enum err e = query_number(query, "limit", 1, LIMIT_MAX, &j->limit, info);
  if (!e) e = query_number(query, "offset", 0, OFFSET_MAX, &j->offset, info);
  if (!e) e = read_cursor(&j->job.arena, query, &j->before_id, info);
  return e;
}

/* ---- lists ---- */

static void put_next(struct buf *b, const struct records_job *j) {
  char cursor[32];
  json_out_key(b, "next_cursor");
  if (j->next_id)
    buf_put_json(b, put_cursor(j->next_id, cursor));
  else
    buf_put(b, STR("null"));
}

static void put_rows(struct buf *b, const char *name, const struct records_job *j) {
  json_out_key(b, name);
  json_out_begin(b, '[');
  buf_put(b, buf_str(&j->job.out));
  json_out_end(b, ']');
}

/* The name's two spellings are of the reference's documents and its code. */
static void put_list(struct buf *b, const struct records_job *j) {
  put_rows(b, "logs", j);
  put_rows(b, "requests", j);
  json_out_key(b, "total");
  if (j->has_total)
    json_out_i64(b, j->total);
  else
    buf_put(b, STR("null"));
}

static void answer(struct request_context *rc, const struct records_job *j, struct str user) {
  struct buf b;
  buf_init(&b, 0);
  json_out_begin(&b, '{');
  if (j->shape == SHAPE_ACTIVITY) {
    json_out_member_string(&b, "username", user);
    put_rows(&b, "activities", j);
    json_out_member_i64(&b, "total_returned", (int64_t)j->count);
  } else {
    put_list(&b, j);
  }
  json_out_member_i64(&b, "limit", (int64_t)j->limit);
  json_out_member_i64(&b, "offset", (int64_t)j->offset);
  put_next(&b, j);
  json_out_end(&b, '}');
  char cursor[32];
  if (j->next_id && !j->offset) page_more(rc, arena_dup(rc->arena, put_cursor(j->next_id, cursor)));
  entity_answer_change(rc, 200, STR_NONE, &b);
  buf_clear(&b);
}

static struct records_job *new_job(enum shape shape) {
  struct records_job *j = job_new(sizeof *j, work, NULL);
  if (!j) return NULL;
  j->shape = shape;
  j->job.out.limit_bytes = ANSWER_MAX;
  return j;
}

void records_list(struct request_context *rc) {
  struct err_info info = {0};
  struct records_job *j = new_job(SHAPE_JSON);
  enum err e = j ? OK : ERR_NO_MEMORY;
  exchange_adopt(rc);
  if (!e) e = records_query_filter(rc, &j->job.arena, &j->filter, &info);
  if (!e) e = read_page(j, rc->request->query, LIMIT, &info);
  if (!e) {
    j->wants_total = true;
    e = job_run(&j->job, POOL_FILE, READ_MS, &info);
  }
  if (e)
    exchange_fail(rc, e, &info);
  else
    answer(rc, j, STR_NONE);
  job_unref(j);
}

void records_activity(struct request_context *rc) {
  struct err_info info = {0};
  struct records_job *j = new_job(SHAPE_ACTIVITY);
  struct str user = STR_NONE;
  enum err e = j ? OK : ERR_NO_MEMORY;
  if (!e) e = records_query_user(rc, &j->job.arena, &user, &j->filter.principal, &info);
  if (!e) e = records_query_times(rc->request->query, &j->job.arena, &j->filter, &info);
  if (!e) e = read_page(j, rc->request->query, 100, &info);
  if (!e) e = job_run(&j->job, POOL_FILE, READ_MS, &info);
  if (e)
    exchange_fail(rc, e, &info);
  else
    answer(rc, j, user);
  job_unref(j);
}

/* ---- export ---- */

static enum err read_format(struct arena *a, struct str query, enum shape *out, struct err_info *info) {
  struct str text;
  enum err e = query_text(a, query, "format", &text, info);
  *out = SHAPE_CSV;
  if (e || !text.n || str_eq(text, STR("csv"))) return e;
  *out = SHAPE_JSONL;
  if (str_eq(text, STR("jsonl"))) return OK;
  return fields_refuse_named(info, "format", "\"format\" must be csv or jsonl");
}

static void begin_stream(struct request_context *rc, enum shape shape) {
  bool is_csv = shape == SHAPE_CSV;
  rc->reply.stream_type = is_csv ? STR("text/csv; charset=utf-8") : STR("application/x-ndjson");
  reply_add_header(
      &rc->reply, STR("Content-Disposition"),
      is_csv ? STR("attachment; filename=\"requests.csv\"") : STR("attachment; filename=\"requests.jsonl\""));
  reply_open_stream(&rc->reply, 0, 0);
}

/* A page with its job of its own: the one before may still be the pool's when its caller has gone. */
static enum err export_page(struct request_context *rc, enum shape shape, bool is_first, uint64_t *before_id,
                            struct err_info *info) {
  struct records_job *j = new_job(shape);
  enum err e = j ? records_query_filter(rc, &j->job.arena, &j->filter, info) : ERR_NO_MEMORY;
  if (!e) {
    j->limit = EXPORT_PAGE;
    j->before_id = *before_id;
    if (is_first && shape == SHAPE_CSV) records_csv_header(&j->job.out);
    e = job_run(&j->job, POOL_FILE, READ_MS, info);
  }
  if (!e && is_first) begin_stream(rc, shape);
  if (!e && j->job.out.n) e = reply_write(&rc->reply, buf_str(&j->job.out));
  if (!e) *before_id = (uint64_t)j->next_id;
  job_unref(j);
  return e;
}

void records_export(struct request_context *rc) {
  struct err_info info = {0};
  enum shape shape;
  uint64_t before_id = 0;
  bool is_first = true;
  exchange_adopt(rc);
  enum err e = read_format(rc->arena, rc->request->query, &shape, &info);
  while (!e && (is_first || before_id)) {
    e = export_page(rc, shape, is_first, &before_id, &info);
    is_first = false;
  }
  if (!e) e = reply_end(&rc->reply);
  if (e && !rc->reply.is_started) exchange_fail(rc, e, &info);
  if (e) rc->error = e; /* rows that are missing must not look like the end: the connection closes */
}

/* ---- what these are, for the API's description ---- */

static const struct schema_member page_rows[] = {
    {"limit", SCHEMA_COUNT, .help = "entries of a page"},
    {"offset", SCHEMA_COUNT, .help = "entries that were left out"},
    {"next_cursor", SCHEMA_TEXT | SCHEMA_NULL, .help = "for the next page; null: this is the last"},
};
static const struct schema page_schema = SCHEMA_OF(NULL, page_rows);

static const struct schema_member records_list_rows[] = {
    {"logs", SCHEMA_LIST, .of = &records_json_row_schema, .help = "newest first"},
    {"requests", SCHEMA_LIST, .of = &records_json_row_schema, .help = "the same"},
    {"total", SCHEMA_COUNT | SCHEMA_NULL, .help = "null: it would cost too much to know"},
    {NULL, SCHEMA_PART, .of = &page_schema},
};
const struct schema records_list_schema = SCHEMA_OF("Requests", records_list_rows);

static const struct schema_member records_activity_rows[] = {
    {"username", SCHEMA_TEXT, .help = "whose requests"},
    {"activities", SCHEMA_LIST, .of = &records_json_row_schema, .help = "newest first"},
    {"total_returned", SCHEMA_COUNT, .help = "in this answer"},
    {NULL, SCHEMA_PART, .of = &page_schema},
};
const struct schema records_activity_schema = SCHEMA_OF("Activity", records_activity_rows);
