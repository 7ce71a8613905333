/* Figures of the dashboard and its charts: see usage.h. */
#include "admin/records/usage_sums.h"
#include "base/json_out.h"
#include "record/log_writer.h"

enum { MOST_USED = 10 };

/* ---- the dashboard ---- */

enum window { TODAY, WEEK, MONTH, EVER, WINDOWS };

struct windows {
  int64_t from[WINDOWS];
  struct log_sums sums[WINDOWS];
};

static enum err add_windows(void *arg, const struct log_facet *f, struct err_info *info) {
  struct windows *w = arg;
  (void)info;
  for (int i = 0; i < WINDOWS; i++)
    if (f->day >= w->from[i]) log_sums_add(&w->sums[i], f->sums);
  return OK;
}

/* The first day of the month. */
static int64_t month_begins(int64_t day) {
  char text[LOG_DAY_BYTES];
  uint64_t of_month;
  log_day_text(day, text);
  return str_to_u64(str_from(text + 8, 2), &of_month) ? day - (int64_t)of_month + 1 : day;
}

static void put_requests(struct buf *b, const struct windows *w) {
  const struct log_sums *today = &w->sums[TODAY], *ever = &w->sums[EVER];
  json_out_key(b, "requests");
  json_out_begin(b, '{');
  json_out_member_i64(b, "today", today->v[LOG_SUM_ROWS]);
  json_out_member_i64(b, "today_success", today->v[LOG_SUM_SUCCESS]);
  json_out_member_i64(b, "today_errors", today->v[LOG_SUM_ROWS] - today->v[LOG_SUM_SUCCESS]);
  usage_sums_put_mean_ms(b, "today_avg_duration", today->v[LOG_SUM_DURATION], today->v[LOG_SUM_ROWS]);
  usage_sums_put_mean_ms(b, "today_avg_ttft", today->v[LOG_SUM_TTFT], today->v[LOG_SUM_TTFT_ROWS]);
  json_out_member_i64(b, "this_week", w->sums[WEEK].v[LOG_SUM_ROWS]);
  json_out_member_i64(b, "this_month", w->sums[MONTH].v[LOG_SUM_ROWS]);
  json_out_member_i64(b, "total", ever->v[LOG_SUM_ROWS]);
  usage_sums_put_mean_ms(b, "total_avg_duration", ever->v[LOG_SUM_DURATION], ever->v[LOG_SUM_ROWS]);
  json_out_end(b, '}');
}

static void put_tokens(struct buf *b, const struct windows *w) {
  static const char *const names[WINDOWS] = {"today", "this_week", "this_month", "all_time"};
  json_out_key(b, "tokens");
  json_out_begin(b, '{');
  for (int i = 0; i < WINDOWS; i++) {
    json_out_key(b, names[i]);
    json_out_begin(b, '{');
    json_out_member_i64(b, "total", usage_sums_tokens(&w->sums[i]));
    json_out_member_i64(b, "prompt", w->sums[i].v[LOG_SUM_INPUT]);
    json_out_member_i64(b, "completion", w->sums[i].v[LOG_SUM_OUTPUT]);
    json_out_end(b, '}');
  }
  json_out_end(b, '}');
  json_out_key(b, "cost_usd");
  json_out_begin(b, '{');
  for (int i = 0; i < WINDOWS; i++) {
    json_out_key(b, names[i]);
    if (w->sums[i].v[LOG_SUM_PRICED])
      buf_put_nano_usd(b, w->sums[i].v[LOG_SUM_COST]);
    else
      buf_put(b, STR("null"));
  }
  json_out_end(b, '}');
}

static void put_most_used(struct buf *b, struct usage_sums *models, int64_t model_count) {
  size_t n;
  struct usage_sums_group **v = usage_sums_sorted(models, &n);
  json_out_key(b, "models");
  json_out_begin(b, '{');
  json_out_key(b, "most_used");
  json_out_begin(b, '[');
  for (size_t i = 0; i < n && i < MOST_USED; i++) {
    json_out_begin(b, '{');
    json_out_member_string(b, "name", v[i]->name);
    json_out_member_i64(b, "requests", v[i]->sums.v[LOG_SUM_ROWS]);
    json_out_member_i64(b, "tokens", usage_sums_tokens(&v[i]->sums));
    json_out_end(b, '}');
  }
  json_out_end(b, ']');
  json_out_member_i64(b, "total_models", model_count);
  json_out_end(b, '}');
}

static void put_users(struct buf *b, const struct usage_sums *active, const struct usage_ask *ask) {
  int64_t n = 0;
  for (size_t i = 0; i < active->map.count; i++) n += str_has_prefix(active->map.entries[i].key, STR("user:"));
  json_out_key(b, "users");
  json_out_begin(b, '{');
  json_out_member_i64(b, "total", ask->user_count);
  json_out_member_i64(b, "active_today", n);
  json_out_member_i64(b, "new_this_week", ask->new_user_count);
  json_out_end(b, '}');
}

static void put_system(struct buf *b) {
  struct log_writer_stats s;
  log_writer_stats(&s);
  json_out_key(b, "system");
  json_out_begin(b, '{');
  json_out_member_string(b, "request_log", s.is_failing ? STR("failing") : STR("ok"));
  json_out_member_i64(b, "rows_written", (int64_t)s.written);
  json_out_member_i64(b, "rows_dropped", (int64_t)s.dropped);
  json_out_member_i64(b, "queue_pending", (int64_t)s.waiting_bytes);
  json_out_end(b, '}');
}

enum err usage_dashboard(struct log_reader *r, const struct usage_ask *ask, struct buf *out, struct err_info *info) {
  /* 1970-01-01 was a Thursday: weeks begin on Monday. */
  struct windows w = {.from = {ask->today, ask->today - (ask->today + 3) % 7, month_begins(ask->today), INT64_MIN}};
  struct usage_sums models, active;
  usage_sums_init(&models, r, ask);
  usage_sums_init(&active, r, ask);
  enum err e = log_reader_facets(r, LOG_BY_NOTHING, 0, INT32_MAX, add_windows, &w, info);
  if (!e) e = log_reader_facets(r, LOG_BY_MODEL, 0, INT32_MAX, usage_sums_add_facet, &models, info);
  if (!e) e = log_reader_facets(r, LOG_BY_USER, ask->today, ask->today, usage_sums_add_facet, &active, info);
  if (e) return e;
  json_out_begin(out, '{');
  put_users(out, &active, ask);
  put_requests(out, &w);
  put_tokens(out, &w);
  put_most_used(out, &models, ask->model_count);
  put_system(out);
  json_out_end(out, '}');
  return OK;
}

/* ---- charts ---- */

/* Labels and their values side by side. */
static void put_chart(struct buf *out, const struct str *labels, const int64_t *values, size_t n, struct str period) {
  json_out_begin(out, '{');
  json_out_member_strings(out, "labels", labels, n);
  json_out_key(out, "data");
  json_out_begin(out, '[');
  for (size_t i = 0; i < n; i++) json_out_i64(out, values[i]);
  json_out_end(out, ']');
  json_out_member_string(out, "period", period);
  json_out_end(out, '}');
}

static enum err chart_by_day(struct log_reader *r, const struct usage_ask *ask, bool is_tokens, struct buf *out,
                             struct err_info *info) {
  struct usage_sums_days d;
  enum err e = usage_sums_days_new(&d, r, ask);
  if (!e) e = log_reader_facets(r, LOG_BY_NOTHING, ask->from, ask->to, usage_sums_add_day, &d, info);
  if (e) return e;
  struct str *labels = ARENA_NEW_ARRAY(&r->arena, struct str, d.n + 1);
  int64_t *values = ARENA_NEW_ARRAY(&r->arena, int64_t, d.n + 1);
  if (!labels || !values) return ERR_NO_MEMORY;
  for (size_t i = 0; i < d.n; i++) {
    char text[LOG_DAY_BYTES];
    log_day_text(d.from + (int64_t)i, text);
    if (!(labels[i] = arena_dup(&r->arena, str_from_c(text))).p) return ERR_NO_MEMORY;
    values[i] = is_tokens ? usage_sums_tokens(&d.v[i]) : d.v[i].v[LOG_SUM_ROWS];
  }
  put_chart(out, labels, values, d.n, ask->period);
  return OK;
}

enum err usage_chart_requests(struct log_reader *r, const struct usage_ask *ask, struct buf *out,
                              struct err_info *info) {
  return chart_by_day(r, ask, false, out, info);
}

enum err usage_chart_tokens(struct log_reader *r, const struct usage_ask *ask, struct buf *out, struct err_info *info) {
  return chart_by_day(r, ask, true, out, info);
}

enum err usage_chart_models(struct log_reader *r, const struct usage_ask *ask, struct buf *out, struct err_info *info) {
  struct str labels[MOST_USED];
  int64_t values[MOST_USED];
  struct usage_sums models;
  size_t n;
  usage_sums_init(&models, r, ask);
  enum err e = log_reader_facets(r, LOG_BY_MODEL, ask->from, ask->to, usage_sums_add_facet, &models, info);
  if (e) return e;
  struct usage_sums_group **v = usage_sums_sorted(&models, &n);
  if (n > MOST_USED) n = MOST_USED;
  for (size_t i = 0; i < n; i++) {
    labels[i] = v[i]->name;
    values[i] = v[i]->sums.v[LOG_SUM_ROWS];
  }
  put_chart(out, labels, values, n, ask->period);
  return OK;
}
