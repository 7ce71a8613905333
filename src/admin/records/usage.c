/* Figures of the request log: see usage.h. */
#include "admin/records/usage.h"

#include <stdlib.h>

#include "admin/records/records_json.h"
#include "base/clock.h"
#include "base/json_out.h"
#include "base/map.h"
#include "record/log_writer.h"

enum { MOST_USED = 10 };

/* ---- sums by name ---- */

struct group {
  struct str name, label;
  struct log_sums sums;
};

struct groups {
  struct arena *arena;
  struct map map; /* name -> struct group */
  const struct usage_ask *ask;
};

static void groups_init(struct groups *g, struct log_reader *r, const struct usage_ask *ask) {
  g->arena = &r->arena;
  g->ask = ask;
  map_init(&g->map, &r->arena);
}

static struct group *group_of(struct groups *g, struct str name, struct str label) {
  struct group *found = map_get(&g->map, name);
  if (found) return found;
  found = ARENA_NEW(g->arena, struct group);
  if (!found) return NULL;
  found->name = arena_dup(g->arena, name);
  found->label = arena_dup(g->arena, label);
  return found->name.p && map_put(&g->map, found->name, found) ? found : NULL;
}

static enum err add_named(struct groups *g, struct str name, struct str label, const struct log_sums *sums) {
  struct group *into = group_of(g, name, label);
  if (!into) return ERR_NO_MEMORY;
  log_sums_add(&into->sums, sums);
  return OK;
}

static enum err add_facet(void *arg, const struct log_facet *f, struct err_info *info) {
  (void)info;
  return f->value.n ? add_named(arg, f->value, f->label, f->sums) : OK; /* nobody and nothing has no name */
}

static int more_requests_first(const void *a, const void *b) {
  const struct group *x = *(struct group *const *)a, *y = *(struct group *const *)b;
  int64_t n = x->sums.v[LOG_SUM_ROWS], m = y->sums.v[LOG_SUM_ROWS];
  return n != m ? (n < m ? 1 : -1) : str_cmp(x->name, y->name);
}

/* All groups, the largest first; NULL with *n == 0 where there are none or no memory. */
static struct group **sorted(struct groups *g, size_t *n) {
  struct group **v = ARENA_NEW_ARRAY(g->arena, struct group *, g->map.count);
  *n = v ? g->map.count : 0;
  for (size_t i = 0; i < *n; i++) v[i] = g->map.entries[i].value;
  if (*n) qsort(v, *n, sizeof *v, more_requests_first);
  return v;
}

static int64_t tokens_of(const struct log_sums *s) { return s->v[LOG_SUM_INPUT] + s->v[LOG_SUM_OUTPUT]; }

/* Milliseconds in the mean; null without requests. */
static void put_mean_ms(struct buf *b, const char *key, int64_t us, int64_t n) {
  json_out_key(b, key);
  if (n)
    buf_printf(b, "%.1f", (double)us / 1000 / (double)n);
  else
    buf_put(b, STR("null"));
}

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
  put_mean_ms(b, "today_avg_duration", today->v[LOG_SUM_DURATION], today->v[LOG_SUM_ROWS]);
  put_mean_ms(b, "today_avg_ttft", today->v[LOG_SUM_TTFT], today->v[LOG_SUM_TTFT_ROWS]);
  json_out_member_i64(b, "this_week", w->sums[WEEK].v[LOG_SUM_ROWS]);
  json_out_member_i64(b, "this_month", w->sums[MONTH].v[LOG_SUM_ROWS]);
  json_out_member_i64(b, "total", ever->v[LOG_SUM_ROWS]);
  put_mean_ms(b, "total_avg_duration", ever->v[LOG_SUM_DURATION], ever->v[LOG_SUM_ROWS]);
  json_out_end(b, '}');
}

static void put_tokens(struct buf *b, const struct windows *w) {
  static const char *const names[WINDOWS] = {"today", "this_week", "this_month", "all_time"};
  json_out_key(b, "tokens");
  json_out_begin(b, '{');
  for (int i = 0; i < WINDOWS; i++) {
    json_out_key(b, names[i]);
    json_out_begin(b, '{');
    json_out_member_i64(b, "total", tokens_of(&w->sums[i]));
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

static void put_most_used(struct buf *b, struct groups *models, int64_t model_count) {
  size_t n;
  struct group **v = sorted(models, &n);
  json_out_key(b, "models");
  json_out_begin(b, '{');
  json_out_key(b, "most_used");
  json_out_begin(b, '[');
  for (size_t i = 0; i < n && i < MOST_USED; i++) {
    json_out_begin(b, '{');
    json_out_member_string(b, "name", v[i]->name);
    json_out_member_i64(b, "requests", v[i]->sums.v[LOG_SUM_ROWS]);
    json_out_member_i64(b, "tokens", tokens_of(&v[i]->sums));
    json_out_end(b, '}');
  }
  json_out_end(b, ']');
  json_out_member_i64(b, "total_models", model_count);
  json_out_end(b, '}');
}

static void put_users(struct buf *b, const struct groups *active, const struct usage_ask *ask) {
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
  struct groups models, active;
  groups_init(&models, r, ask);
  groups_init(&active, r, ask);
  enum err e = log_reader_facets(r, LOG_BY_NOTHING, 0, INT32_MAX, add_windows, &w, info);
  if (!e) e = log_reader_facets(r, LOG_BY_MODEL, 0, INT32_MAX, add_facet, &models, info);
  if (!e) e = log_reader_facets(r, LOG_BY_USER, ask->today, ask->today, add_facet, &active, info);
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

enum { CHART_DAYS_MAX = 400 };

struct by_day {
  int64_t from;
  size_t n;
  struct log_sums *v;
};

static enum err add_day(void *arg, const struct log_facet *f, struct err_info *info) {
  const struct by_day *d = arg;
  (void)info;
  if (f->day >= d->from && f->day < d->from + (int64_t)d->n) log_sums_add(&d->v[f->day - d->from], f->sums);
  return OK;
}

static enum err days_new(struct by_day *d, struct log_reader *r, const struct usage_ask *ask) {
  int64_t n = ask->to - ask->from + 1;
  d->from = ask->from;
  d->n = n < 1 ? 0 : n > CHART_DAYS_MAX ? CHART_DAYS_MAX : (size_t)n;
  d->v = ARENA_NEW_ARRAY(&r->arena, struct log_sums, d->n);
  return d->v ? OK : ERR_NO_MEMORY;
}

static enum err chart_by_day(struct log_reader *r, const struct usage_ask *ask, bool is_tokens, struct buf *out,
                             struct err_info *info) {
  struct by_day d;
  enum err e = days_new(&d, r, ask);
  if (!e) e = log_reader_facets(r, LOG_BY_NOTHING, ask->from, ask->to, add_day, &d, info);
  if (e) return e;
  json_out_begin(out, '{');
  json_out_key(out, "labels");
  json_out_begin(out, '[');
  for (size_t i = 0; i < d.n; i++) {
    char text[LOG_DAY_BYTES];
    log_day_text(d.from + (int64_t)i, text);
    json_out_string(out, str_from_c(text));
  }
  json_out_end(out, ']');
  json_out_key(out, "data");
  json_out_begin(out, '[');
  for (size_t i = 0; i < d.n; i++) json_out_i64(out, is_tokens ? tokens_of(&d.v[i]) : d.v[i].v[LOG_SUM_ROWS]);
  json_out_end(out, ']');
  json_out_member_string(out, "period", ask->period);
  json_out_end(out, '}');
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
  struct groups models;
  size_t n;
  groups_init(&models, r, ask);
  enum err e = log_reader_facets(r, LOG_BY_MODEL, ask->from, ask->to, add_facet, &models, info);
  if (e) return e;
  struct group **v = sorted(&models, &n);
  if (n > MOST_USED) n = MOST_USED;
  json_out_begin(out, '{');
  json_out_key(out, "labels");
  json_out_begin(out, '[');
  for (size_t i = 0; i < n; i++) json_out_string(out, v[i]->name);
  json_out_end(out, ']');
  json_out_key(out, "data");
  json_out_begin(out, '[');
  for (size_t i = 0; i < n; i++) json_out_i64(out, v[i]->sums.v[LOG_SUM_ROWS]);
  json_out_end(out, ']');
  json_out_member_string(out, "period", ask->period);
  json_out_end(out, '}');
  return OK;
}

/* ---- users ---- */

static void put_period(struct buf *b, const struct usage_ask *ask) {
  char from[LOG_DAY_BYTES], to[LOG_DAY_BYTES];
  log_day_text(ask->from, from);
  log_day_text(ask->to, to);
  json_out_key(b, "period");
  json_out_begin(b, '{');
  json_out_key(b, "start_date");
  if (ask->from)
    buf_put_json(b, str_from_c(from));
  else
    json_out_raw(b, STR_NONE); /* since ever */
  json_out_member_string(b, "end_date", str_from_c(to));
  json_out_end(b, '}');
}

/* What the days that are not sealed have of one caller. */
static enum err add_open_models(struct log_reader *r, const struct usage_ask *ask, struct str principal,
                                struct groups *out) {
  enum err e = OK;
  for (size_t i = 0; !e && i < r->open_count; i++) {
    const struct log_series *s = &r->open[i];
    if (s->day < ask->from || s->day > ask->to || !str_eq(s->text[LOG_TEXT_PRINCIPAL], principal)) continue;
    e = add_named(out, s->text[LOG_TEXT_MODEL], STR_NONE, &s->sums);
  }
  return e;
}

static enum err add_model(void *arg, const struct log_facet *f, struct err_info *info) {
  (void)info;
  return add_named(arg, f->value, STR_NONE, f->sums);
}

/* One caller's sums by model; those without a model have an empty name. */
static enum err models_of(struct log_reader *r, const struct usage_ask *ask, struct str principal, struct groups *out,
                          struct err_info *info) {
  groups_init(out, r, ask);
  enum err e = log_reader_models_of(r, principal, ask->from, ask->to, add_model, out, info);
  if (!e) e = log_reader_open_days(r, info);
  return e ? e : add_open_models(r, ask, principal, out);
}

/* An array of the models of one user, the most used first. */
static void put_models(struct buf *b, struct groups *models) {
  size_t n;
  struct group **v = sorted(models, &n);
  json_out_begin(b, '[');
  for (size_t i = 0; i < n; i++) {
    if (!v[i]->name.n) continue; /* refused before a model was found */
    json_out_begin(b, '{');
    json_out_member_string(b, "model_name", v[i]->name);
    json_out_member_i64(b, "request_count", v[i]->sums.v[LOG_SUM_ROWS]);
    records_json_sums(b, &v[i]->sums);
    json_out_end(b, '}');
  }
  json_out_end(b, ']');
}

static void put_totals(struct buf *b, const struct log_sums *s) {
  json_out_member_i64(b, "total_requests", s->v[LOG_SUM_ROWS]);
  json_out_member_i64(b, "failed_requests", s->v[LOG_SUM_ROWS] - s->v[LOG_SUM_SUCCESS]);
  records_json_sums(b, s);
}

static void put_user(struct buf *b, const struct group *user, struct groups *models) {
  json_out_begin(b, '{');
  json_out_member_string(b, "username", user->label.n ? user->label : user->name);
  json_out_member_string(b, "principal", user->name);
  put_totals(b, &user->sums);
  json_out_key(b, "models");
  put_models(b, models);
  json_out_end(b, '}');
}

enum err usage_users(struct log_reader *r, const struct usage_ask *ask, struct buf *out, struct err_info *info) {
  struct groups users, models;
  size_t n;
  groups_init(&users, r, ask);
  enum err e = log_reader_facets(r, LOG_BY_USER, ask->from, ask->to, add_facet, &users, info);
  if (e) return e;
  struct group **v = sorted(&users, &n);
  json_out_begin(out, '{');
  json_out_key(out, "users");
  json_out_begin(out, '[');
  for (size_t i = 0; !e && i < n && i < ask->limit; i++) {
    e = models_of(r, ask, v[i]->name, &models, info);
    if (!e) put_user(out, v[i], &models);
  }
  json_out_end(out, ']');
  json_out_member_i64(out, "total", (int64_t)n);
  put_period(out, ask);
  json_out_end(out, '}');
  return e;
}

/* One user's or team's tokens. */
static void put_tokens_of(struct buf *b, const char *kind, const struct usage_ask *ask, const struct log_sums *sums) {
  json_out_begin(b, '{');
  json_out_member_string(b, kind, ask->name);
  json_out_key(b, "usage");
  json_out_begin(b, '{');
  records_json_sums(b, sums);
  json_out_member_i64(b, "total_requests", sums->v[LOG_SUM_ROWS]);
  json_out_end(b, '}');
  put_period(b, ask);
  json_out_end(b, '}');
}

enum err usage_tokens_of_user(struct log_reader *r, const struct usage_ask *ask, struct buf *out,
                              struct err_info *info) {
  struct groups models;
  struct log_sums sums = {0};
  enum err e = models_of(r, ask, ask->principal, &models, info);
  if (e) return e;
  for (size_t i = 0; i < models.map.count; i++)
    log_sums_add(&sums, &((const struct group *)models.map.entries[i].value)->sums);
  put_tokens_of(out, "username", ask, &sums);
  return OK;
}

enum err usage_models_of_user(struct log_reader *r, const struct usage_ask *ask, struct buf *out,
                              struct err_info *info) {
  struct groups models;
  enum err e = models_of(r, ask, ask->principal, &models, info);
  if (e) return e;
  json_out_begin(out, '{');
  json_out_member_string(out, "username", ask->name);
  json_out_key(out, "model_usage");
  put_models(out, &models);
  put_period(out, ask);
  json_out_end(out, '}');
  return OK;
}

/* ---- teams ---- */

static enum err teams_of(struct log_reader *r, const struct usage_ask *ask, struct groups *out, struct err_info *info) {
  groups_init(out, r, ask);
  return log_reader_facets(r, LOG_BY_TEAM, ask->from, ask->to, add_facet, out, info);
}

enum err usage_teams(struct log_reader *r, const struct usage_ask *ask, struct buf *out, struct err_info *info) {
  struct groups teams;
  size_t n;
  enum err e = teams_of(r, ask, &teams, info);
  if (e) return e;
  struct group **v = sorted(&teams, &n);
  json_out_begin(out, '{');
  json_out_key(out, "teams");
  json_out_begin(out, '[');
  for (size_t i = 0; i < n && i < ask->limit; i++) {
    json_out_begin(out, '{');
    json_out_member_string(out, "team", v[i]->name);
    put_totals(out, &v[i]->sums);
    json_out_end(out, '}');
  }
  json_out_end(out, ']');
  json_out_member_i64(out, "total", (int64_t)n);
  put_period(out, ask);
  json_out_end(out, '}');
  return OK;
}

enum err usage_tokens_of_team(struct log_reader *r, const struct usage_ask *ask, struct buf *out,
                              struct err_info *info) {
  struct groups teams;
  enum err e = teams_of(r, ask, &teams, info);
  if (e) return e;
  const struct group *team = map_get(&teams.map, ask->name);
  put_tokens_of(out, "team", ask, team ? &team->sums : &(const struct log_sums){0});
  return OK;
}

/* ---- maestro stats ---- */

struct stats {
  struct groups providers, models;
  struct by_day days;
  struct log_sums total;
};

/* "openai/gpt-5" by that name or by "gpt-5". */
static bool is_asked_for(struct str qualified, const struct usage_ask *ask) {
  struct str node, model;
  bool has_node = str_cut(qualified, '/', &node, &model);
  if (ask->node.n && !(has_node && str_eq(node, ask->node))) return false;
  return !ask->model.n || str_eq(qualified, ask->model) || (has_node && str_eq(model, ask->model));
}

static enum err add_stats(void *arg, const struct log_facet *f, struct err_info *info) {
  struct stats *s = arg;
  struct str node, model;
  if (!f->value.n || !is_asked_for(f->value, s->models.ask)) return OK;
  str_cut(f->value, '/', &node, &model);
  enum err e = add_named(&s->models, f->value, STR_NONE, f->sums);
  if (!e) e = add_named(&s->providers, node, STR_NONE, f->sums);
  if (!e) e = add_day(&s->days, f, info);
  log_sums_add(&s->total, f->sums);
  return e;
}

static void put_by(struct buf *b, const char *key, struct groups *g) {
  size_t n;
  struct group **v = sorted(g, &n);
  json_out_key(b, key);
  json_out_begin(b, '{');
  for (size_t i = 0; i < n; i++) {
    const struct log_sums *s = &v[i]->sums;
    json_out_key_str(b, v[i]->name);
    json_out_begin(b, '{');
    json_out_member_i64(b, "request_count", s->v[LOG_SUM_ROWS]);
    json_out_member_i64(b, "failed_count", s->v[LOG_SUM_ROWS] - s->v[LOG_SUM_SUCCESS]);
    records_json_sums(b, s);
    put_mean_ms(b, "avg_latency_ms", s->v[LOG_SUM_DURATION], s->v[LOG_SUM_ROWS]);
    put_mean_ms(b, "avg_ttft_ms", s->v[LOG_SUM_TTFT], s->v[LOG_SUM_TTFT_ROWS]);
    json_out_end(b, '}');
  }
  json_out_end(b, '}');
}

static void put_days(struct buf *b, const struct by_day *d) {
  json_out_key(b, "by_day");
  json_out_begin(b, '[');
  for (size_t i = 0; i < d->n; i++) {
    char text[LOG_DAY_BYTES];
    log_day_text(d->from + (int64_t)i, text);
    json_out_begin(b, '{');
    json_out_member_string(b, "date", str_from_c(text));
    json_out_member_i64(b, "request_count", d->v[i].v[LOG_SUM_ROWS]);
    json_out_member_i64(b, "total_tokens", tokens_of(&d->v[i]));
    json_out_key(b, "hours");
    json_out_begin(b, '[');
    for (int h = 0; h < LOG_HOURS; h++) json_out_i64(b, d->v[i].hours[h]);
    json_out_end(b, ']');
    json_out_end(b, '}');
  }
  json_out_end(b, ']');
}

enum err usage_stats(struct log_reader *r, const struct usage_ask *ask, struct buf *out, struct err_info *info) {
  struct stats *s = ARENA_NEW(&r->arena, struct stats);
  if (!s) return ERR_NO_MEMORY;
  groups_init(&s->providers, r, ask);
  groups_init(&s->models, r, ask);
  enum err e = days_new(&s->days, r, ask);
  if (!e) e = log_reader_facets(r, LOG_BY_MODEL, ask->from, ask->to, add_stats, s, info);
  if (e) return e;
  json_out_begin(out, '{');
  json_out_member_i64(out, "days", ask->to - ask->from + 1);
  put_totals(out, &s->total);
  put_by(out, "by_provider", &s->providers);
  put_by(out, "by_model", &s->models);
  put_days(out, &s->days);
  json_out_end(out, '}');
  return OK;
}
