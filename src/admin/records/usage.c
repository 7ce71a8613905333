/* Figures of the request log by users, teams, providers and models: see usage.h. */
#include "admin/records/records_json.h"
#include "admin/records/usage_sums.h"
#include "base/json_out.h"

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
                                struct usage_sums *out) {
  enum err e = OK;
  for (size_t i = 0; !e && i < r->open_count; i++) {
    const struct log_series *s = &r->open[i];
    if (s->day < ask->from || s->day > ask->to || !str_eq(s->text[LOG_TEXT_PRINCIPAL], principal)) continue;
    e = usage_sums_add(out, s->text[LOG_TEXT_MODEL], STR_NONE, &s->sums);
  }
  return e;
}

static enum err add_model(void *arg, const struct log_facet *f, struct err_info *info) {
  (void)info;
  return usage_sums_add(arg, f->value, STR_NONE, f->sums);
}

/* One caller's sums by model; those without a model have an empty name. */
static enum err models_of(struct log_reader *r, const struct usage_ask *ask, struct str principal,
                          struct usage_sums *out, struct err_info *info) {
  usage_sums_init(out, r, ask);
  enum err e = log_reader_models_of(r, principal, ask->from, ask->to, add_model, out, info);
  if (!e) e = log_reader_open_days(r, info);
  return e ? e : add_open_models(r, ask, principal, out);
}

/* An array of the models of one user, the most used first. */
static void put_models(struct buf *b, struct usage_sums *models) {
  size_t n;
  struct usage_sums_group **v = usage_sums_sorted(models, &n);
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

static void put_user(struct buf *b, const struct usage_sums_group *user, struct usage_sums *models) {
  json_out_begin(b, '{');
  json_out_member_string(b, "username", user->label.n ? user->label : user->name);
  json_out_member_string(b, "principal", user->name);
  put_totals(b, &user->sums);
  json_out_key(b, "models");
  put_models(b, models);
  json_out_end(b, '}');
}

enum err usage_users(struct log_reader *r, const struct usage_ask *ask, struct buf *out, struct err_info *info) {
  struct usage_sums users, models;
  size_t n;
  usage_sums_init(&users, r, ask);
  enum err e = log_reader_facets(r, LOG_BY_USER, ask->from, ask->to, usage_sums_add_facet, &users, info);
  if (e) return e;
  struct usage_sums_group **v = usage_sums_sorted(&users, &n);
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
  struct usage_sums models;
  struct log_sums sums = {0};
  enum err e = models_of(r, ask, ask->principal, &models, info);
  if (e) return e;
  for (size_t i = 0; i < models.map.count; i++)
    log_sums_add(&sums, &((const struct usage_sums_group *)models.map.entries[i].value)->sums);
  put_tokens_of(out, "username", ask, &sums);
  return OK;
}

enum err usage_models_of_user(struct log_reader *r, const struct usage_ask *ask, struct buf *out,
                              struct err_info *info) {
  struct usage_sums models;
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

static enum err teams_of(struct log_reader *r, const struct usage_ask *ask, struct usage_sums *out,
                         struct err_info *info) {
  usage_sums_init(out, r, ask);
  return log_reader_facets(r, LOG_BY_TEAM, ask->from, ask->to, usage_sums_add_facet, out, info);
}

enum err usage_teams(struct log_reader *r, const struct usage_ask *ask, struct buf *out, struct err_info *info) {
  struct usage_sums teams;
  size_t n;
  enum err e = teams_of(r, ask, &teams, info);
  if (e) return e;
  struct usage_sums_group **v = usage_sums_sorted(&teams, &n);
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
  struct usage_sums teams;
  enum err e = teams_of(r, ask, &teams, info);
  if (e) return e;
  const struct usage_sums_group *team = map_get(&teams.map, ask->name);
  put_tokens_of(out, "team", ask, team ? &team->sums : &(const struct log_sums){0});
  return OK;
}

/* ---- maestro stats ---- */

struct stats {
  struct usage_sums providers, models;
  struct usage_sums_days days;
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
  enum err e = usage_sums_add(&s->models, f->value, STR_NONE, f->sums);
  if (!e) e = usage_sums_add(&s->providers, node, STR_NONE, f->sums);
  if (!e) e = usage_sums_add_day(&s->days, f, info);
  log_sums_add(&s->total, f->sums);
  return e;
}

static void put_by(struct buf *b, const char *key, struct usage_sums *g) {
  size_t n;
  struct usage_sums_group **v = usage_sums_sorted(g, &n);
  json_out_key(b, key);
  json_out_begin(b, '{');
  for (size_t i = 0; i < n; i++) {
    const struct log_sums *s = &v[i]->sums;
    json_out_key_str(b, v[i]->name);
    json_out_begin(b, '{');
    json_out_member_i64(b, "request_count", s->v[LOG_SUM_ROWS]);
    json_out_member_i64(b, "failed_count", s->v[LOG_SUM_ROWS] - s->v[LOG_SUM_SUCCESS]);
    records_json_sums(b, s);
    usage_sums_put_mean_ms(b, "avg_latency_ms", s->v[LOG_SUM_DURATION], s->v[LOG_SUM_ROWS]);
    usage_sums_put_mean_ms(b, "avg_ttft_ms", s->v[LOG_SUM_TTFT], s->v[LOG_SUM_TTFT_ROWS]);
    json_out_end(b, '}');
  }
  json_out_end(b, '}');
}

static void put_days(struct buf *b, const struct usage_sums_days *d) {
  json_out_key(b, "by_day");
  json_out_begin(b, '[');
  for (size_t i = 0; i < d->n; i++) {
    char text[LOG_DAY_BYTES];
    log_day_text(d->from + (int64_t)i, text);
    json_out_begin(b, '{');
    json_out_member_string(b, "date", str_from_c(text));
    json_out_member_i64(b, "request_count", d->v[i].v[LOG_SUM_ROWS]);
    json_out_member_i64(b, "total_tokens", usage_sums_tokens(&d->v[i]));
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
  usage_sums_init(&s->providers, r, ask);
  usage_sums_init(&s->models, r, ask);
  enum err e = usage_sums_days_new(&s->days, r, ask);
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
