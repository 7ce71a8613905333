/* Figures of the admin API: see dashboard.h. */
#include "admin/records/dashboard.h"

#include "admin/entity.h"
#include "admin/fields.h"
#include "admin/job.h"
#include "admin/query.h"
#include "admin/records/records_query.h"
#include "admin/records/usage.h"
#include "base/clock.h"
#include "gateway/exchange.h"
#include "policy/principals.h"
#include "record/log_writer.h"

enum { READ_MS = 30000, ANSWER_MAX = 16 << 20, USERS = 10, USERS_MAX = 200, DAYS = 7, DAYS_MAX = 365 };

struct usage_job {
  struct job job;
  usage_fn *put;
  struct usage_ask ask;
};

static enum err work(void *arg) {
  struct usage_job *j = arg;
  struct log_reader reader;
  const char *folder = log_writer_folder();
  /* Without a log everything is empty, not an error. */
  enum err e = log_reader_open(&reader, folder ? folder : "", j->ask.today, &j->job.info);
  if (e) return e;
  e = j->put(&reader, &j->ask, &j->job.out, &j->job.info);
  log_reader_close(&reader);
  return e;
}

/* What the snapshot knows is noted before the job leaves the worker. */
static void note_snapshot(struct request_context *rc, struct usage_ask *ask) {
  const struct people *people = &rc->principals->people;
  int64_t week_us = log_day_begins_us(ask->today - (ask->today + 3) % 7);
  ask->user_count = (int64_t)people->user_count;
  for (size_t i = 0; i < people->user_count; i++) ask->new_user_count += people->users[i].created_us >= week_us;
  ask->model_count = (int64_t)rc->catalog->deployment_count;
}

static enum err read_nothing(struct request_context *rc, struct usage_job *j, struct err_info *info) {
  (void)info;
  note_snapshot(rc, &j->ask);
  return OK;
}

static enum err read_period(struct request_context *rc, struct usage_job *j, struct err_info *info) {
  static const struct {
    struct str name;
    int64_t days;
  } periods[] = {{{"7d", 2}, 7}, {{"2w", 2}, 14}, {{"1m", 2}, 30}};
  enum err e = query_text(&j->job.arena, rc->request->query, "period", &j->ask.period, info);
  if (!e && !j->ask.period.n) j->ask.period = periods[0].name;
  for (size_t i = 0; !e && i < sizeof periods / sizeof *periods; i++) {
    if (!str_eq(periods[i].name, j->ask.period)) continue;
    j->ask.from = j->ask.today - periods[i].days + 1;
    return OK;
  }
  if (e) return e;
  return fields_refuse_named(info, "period", "\"period\" must be 7d, 2w or 1m");
}

/* start_date and end_date; without the last 30 days, or all for one user. */
static enum err read_times(struct request_context *rc, struct usage_job *j, int64_t days, struct err_info *info) {
  struct log_filter times = {0};
  enum err e = records_query_times(rc->request->query, &j->job.arena, &times, info);
  if (e) return e;
  j->ask.from = times.from_us ? log_day(times.from_us) : days ? j->ask.today - days + 1 : 0;
  if (times.to_us) j->ask.to = log_day(times.to_us - 1);
  return OK;
}

/* The first of many, by use. */
static enum err read_first(struct request_context *rc, struct usage_job *j, struct err_info *info) {
  uint64_t limit = USERS;
  enum err e = query_number(rc->request->query, "limit", 1, USERS_MAX, &limit, info);
  j->ask.limit = (unsigned)limit;
  return e ? e : read_times(rc, j, 30, info);
}

static enum err read_user(struct request_context *rc, struct usage_job *j, struct err_info *info) {
  enum err e = records_query_user(rc, &j->job.arena, &j->ask.name, &j->ask.principal, info);
  return e ? e : read_times(rc, j, 0, info);
}

static enum err read_team(struct request_context *rc, struct usage_job *j, struct err_info *info) {
  enum err e = records_query_team(rc, &j->job.arena, &j->ask.name, info);
  return e ? e : read_times(rc, j, 0, info);
}

static enum err read_days(struct request_context *rc, struct usage_job *j, struct err_info *info) {
  struct str query = rc->request->query;
  uint64_t days = DAYS;
  enum err e = query_number(query, "days", 1, DAYS_MAX, &days, info);
  if (!e) e = query_text(&j->job.arena, query, "provider", &j->ask.node, info);
  if (!e) e = query_text(&j->job.arena, query, "model", &j->ask.model, info);
  j->ask.from = j->ask.today - (int64_t)days + 1;
  return e;
}

static void serve(struct request_context *rc, usage_fn *put,
                  enum err (*read)(struct request_context *rc, struct usage_job *j, struct err_info *info)) {
  struct err_info info = {0};
  struct usage_job *j = job_new(sizeof *j, work, NULL);
  enum err e = j ? OK : ERR_NO_MEMORY;
  exchange_adopt(rc);
  if (j) {
    j->put = put;
    j->ask.today = j->ask.to = log_day(clock_wall_us());
    j->job.out.limit_bytes = ANSWER_MAX;
    e = read(rc, j, &info);
  }
  if (!e) e = job_run(&j->job, POOL_FILE, READ_MS, &info);
  if (e)
    exchange_fail(rc, e, &info);
  else
    entity_answer_change(rc, 200, STR_NONE, &j->job.out);
  job_unref(j);
}

void dashboard_stats(struct request_context *rc) { serve(rc, usage_dashboard, read_nothing); }
void dashboard_requests(struct request_context *rc) { serve(rc, usage_chart_requests, read_period); }
void dashboard_tokens(struct request_context *rc) { serve(rc, usage_chart_tokens, read_period); }
void dashboard_models(struct request_context *rc) { serve(rc, usage_chart_models, read_period); }
void dashboard_users(struct request_context *rc) { serve(rc, usage_users, read_first); }
void dashboard_teams(struct request_context *rc) { serve(rc, usage_teams, read_first); }
void dashboard_token_usage(struct request_context *rc) { serve(rc, usage_tokens_of_user, read_user); }
void dashboard_model_usage(struct request_context *rc) { serve(rc, usage_models_of_user, read_user); }
void dashboard_team_usage(struct request_context *rc) { serve(rc, usage_tokens_of_team, read_team); }
void dashboard_usage(struct request_context *rc) { serve(rc, usage_stats, read_days); }
