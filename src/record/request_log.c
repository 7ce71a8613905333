/* What is kept of every request: see request_log.h. */
#include "record/request_log.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "record/log_writer.h"

enum { FIELDS_MAX = 24 };

struct fields {
  struct log_field v[FIELDS_MAX];
  size_t n;
};

static void add(struct fields *f, struct log_field field) {
  if (f->n < FIELDS_MAX) f->v[f->n++] = field;
}

static void add_call(struct fields *f, const struct request_record *r) {
  if (!r->provider.n) return;
  if (r->model.n) add(f, log_str(LOG_MODEL, r->model));
  add(f, log_str(LOG_PROVIDER, r->provider));
  add(f, log_u64(LOG_ATTEMPTS, r->attempts));
  add(f, log_i64(LOG_UPSTREAM_STATUS, r->upstream_status));
  add(f, log_bool(LOG_STREAM, r->is_stream));
  if (!r->is_model_call) return;
  add(f, log_u64(LOG_OVERHEAD_US, r->overhead_us));
  if (r->ttft_us) add(f, log_u64(LOG_TTFT_US, r->ttft_us));
  if (usage_has(&r->usage, USAGE_INPUT)) add(f, log_i64(LOG_INPUT_TOKENS, r->usage.tokens[USAGE_INPUT]));
  if (usage_has(&r->usage, USAGE_OUTPUT)) add(f, log_i64(LOG_OUTPUT_TOKENS, r->usage.tokens[USAGE_OUTPUT]));
  if (r->cost.is_known) add(f, log_i64(LOG_COST_NANO_USD, r->cost.total_nano_usd));
}

static void keep_row(const struct request_record *r) {
  struct str who = str_eq(r->principal, STR("nobody")) ? STR_NONE : r->principal;
  struct log_row row = {.at_us = clock_wall_us(),
                        .trace = r->trace_id,
                        .text = {[LOG_TEXT_USER] = r->user.n ? r->user : who,
                                 [LOG_TEXT_PRINCIPAL] = who,
                                 [LOG_TEXT_TEAM] = r->team,
                                 [LOG_TEXT_SOURCE] = r->source,
                                 [LOG_TEXT_ENDPOINT] = r->route,
                                 [LOG_TEXT_TYPE] = r->type,
                                 [LOG_TEXT_ASKED] = r->asked,
                                 [LOG_TEXT_MODEL] = r->model,
                                 [LOG_TEXT_NODE] = r->provider,
                                 /* the table's own word: an upstream's code is its text */
                                 [LOG_TEXT_ERROR] = r->error ? str_from_c(err_code(r->error)) : STR_NONE},
                        .status = r->status,
                        .attempts = r->attempts,
                        .is_stream = r->is_stream,
                        .is_estimated = r->usage.is_estimated,
                        .cost_nano_usd = r->cost.is_known ? r->cost.total_nano_usd : -1,
                        .ttft_us = r->ttft_us ? (int64_t)r->ttft_us : -1,
                        .duration_us = (int64_t)r->duration_us};
  for (int i = 0; i < USAGE_CLASSES; i++)
    row.tokens[i] = usage_has(&r->usage, (enum usage_class)i) ? r->usage.tokens[i] : -1;
  log_writer_put(&row);
}

void request_log_write(const struct request_record *r) {
  if (r->has_row) keep_row(r);
  metrics_inc(METRIC_REQUESTS, r->endpoint_label, metrics_status_class(r->status));
  metrics_observe_us(METRIC_REQUEST_DURATION, r->endpoint_label, r->duration_us);
  if (r->is_model_call) metrics_observe_us(METRIC_OVERHEAD, 0, r->overhead_us);
  if (r->status == 499) metrics_inc(METRIC_CLIENT_GONE, 0, 0);
  bool is_broken = r->error && r->error != ERR_CANCELLED && r->status < 400; /* after the head was out */
  enum log_level level = r->status >= 500 || is_broken ? LOG_LEVEL_WARN : LOG_LEVEL_INFO;
  if (!log_is_on(level)) return;
  struct fields f;
  f.n = 0;
  add(&f, log_str(LOG_REQUEST_ID, r->request_id));
  if (!str_eq(r->trace_id, r->request_id)) add(&f, log_str(LOG_TRACE_ID, r->trace_id));
  add(&f, log_str(LOG_METHOD, r->method));
  add(&f, log_str(LOG_ROUTE, r->route));
  add(&f, log_i64(LOG_STATUS, r->status));
  add(&f, log_u64(LOG_DURATION_US, r->duration_us));
  add(&f, log_str(LOG_PRINCIPAL, r->principal));
  add(&f, log_str(LOG_CLIENT, r->client));
  add(&f, log_u64(LOG_BYTES_IN, r->bytes_in));
  add(&f, log_u64(LOG_BYTES_OUT, r->bytes_out));
  add_call(&f, r);
  if (r->error) {
    add(&f, log_c(LOG_CODE, err_info_code(r->error, r->info)));
    add(&f, log_c(LOG_ERROR, err_info_text(r->error, r->info)));
  }
  log_write(level, STR("request"), f.v, f.n);
}
