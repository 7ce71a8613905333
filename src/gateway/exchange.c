/* The caller's half of the story, in order: see exchange.h. */
#include "gateway/exchange.h"

#include "base/metrics.h"
#include "brain/strategy.h"
#include "gateway/envelope.h"
#include "gateway/limits.h"
#include "gateway/options.h"
#include "gateway/permit.h"
#include "gateway/rules.h"
#include "policy/principals.h"
#include "record/log_writer.h"
#include "record/request_log.h"
#include "record/source.h"
#include "route/runtime.h"

const struct snapshot_table *gateway_snapshot_table(void) {
  static struct snapshot_section rows[GATEWAY_SECTIONS];
  static const struct snapshot_table table = {rows, GATEWAY_SECTIONS};
  rows[GATEWAY_CATALOG] = catalog_section;
  rows[GATEWAY_NAMES] = route_names_section;
  route_names_set_catalog_row(GATEWAY_CATALOG);
  rows[GATEWAY_PRINCIPALS] = principals_section;
  rows[GATEWAY_RULES] = rules_section;
  rows[GATEWAY_LIMITS] = limits_section;
  return &table;
}

void exchange_fail(struct request_context *rc, enum err e, const struct err_info *info) {
  rc->error = e;
  rc->info = info ? *info : (struct err_info){0};
  if (e == ERR_CANCELLED) return; /* nobody is there to be told */
  if (reply_error(&rc->reply, e, &rc->info)) rc->error = ERR_CANCELLED;
}

void exchange_answer(struct request_context *rc, int status, const struct buf *json) {
  if (json->failed)
    exchange_fail(rc, ERR_NO_MEMORY, NULL);
  else
    rc->error = reply_json(&rc->reply, status, buf_str(json));
}

static void take_snapshot(struct request_context *rc) {
  rc->snapshot = snapshot_ref(snapshot_current());
  rc->options = &snapshot_config(rc->snapshot)->options;
  rc->catalog = snapshot_get(rc->snapshot, GATEWAY_CATALOG);
  rc->names = snapshot_get(rc->snapshot, GATEWAY_NAMES);
  rc->principals = snapshot_get(rc->snapshot, GATEWAY_PRINCIPALS);
}

void exchange_adopt(struct request_context *rc) {
  snapshot_adopt();
  snapshot_unref(rc->snapshot);
  take_snapshot(rc);
}

/* ---- the model call ---- */

static enum err plan_for(struct request_context *rc, struct str model, struct plan *out) {
  struct resolution resolution;
  enum err e = permit_resolve(rc, model, &resolution, &rc->info);
  if (!e) e = plan_make(rc->arena, rc->options, &resolution, out);
  if (!e && resolution.named) route_names_take_turn(resolution.named);
  return e;
}

enum err exchange_check_loop(const struct request_context *rc) {
  struct str via = http_header_get(rc->request->headers, STR(RUNTIME_VIA_HEADER));
  return via.n && str_eq(via, runtime_instance()) ? ERR_LOOP : OK;
}

void exchange_call(struct request_context *rc) {
  struct turn *t = ARENA_NEW(rc->arena, struct turn);
  struct dialect_request *request = ARENA_NEW(rc->arena, struct dialect_request);
  enum err e = t && request ? OK : ERR_NO_MEMORY;
  bool wants_receipt = false;
  if (e) goto out;
  t->rc = rc;
  if ((e = exchange_check_loop(rc))) goto out;
  if ((e = envelope_read_path(rc, request))) goto out;
  rc->asked = request->model;
  if ((e = envelope_read_body(rc, t, request))) goto out;
  rc->asked = request->model;
  rc->is_stream = request->is_stream;
  if ((e = options_read(rc->request, request, &wants_receipt, &rc->info))) goto out;
  if ((e = plan_for(rc, request->model, &t->plan))) goto out;
  turn_prepare(t, request, wants_receipt || t->plan.mode != PLAN_PASSTHROUGH);
  if (request->is_stream) turn_open_stream(t);
  e = strategy_run(&t->call, &rc->info);
  if (e)
    turn_add_headers(t, false);
  else
    e = request->is_stream ? reply_end(&rc->reply) : turn_send_whole(t);
  stored_end(&t->stored, !e);
  call_clear(&t->call);
out:
  if (e) {
    struct err_info info = rc->info;
    exchange_fail(rc, e, &info);
  }
}

/* ---- every request ---- */

static void begin(struct request_context *rc, struct http_exchange *x, struct gateway_worker *worker,
                  const struct endpoint *endpoint, struct str path_rest) {
  rc->x = x;
  rc->request = http_exchange_request(x);
  rc->arena = http_exchange_arena(x);
  rc->worker = worker;
  rc->endpoint = endpoint;
  rc->path_rest = path_rest;
  take_snapshot(rc);
  rc->principal = (struct auth_principal){0};
  rc->started_us = http_exchange_started_us(x);
  rc->trace_id = id_make(STR("tr_"), rc->request_id_bytes);
  rc->request_id = http_header_get(rc->request->headers, STR("x-request-id"));
  if (!id_is_acceptable(rc->request_id)) rc->request_id = rc->trace_id;
  rc->error = OK;
  rc->info = (struct err_info){0};
  rc->asked = STR_NONE;
  rc->bytes_in = 0;
  rc->outcome = NULL;
  rc->managed = NULL;
  rc->is_stream = false;
  reply_init(&rc->reply, x, endpoint->dialect);
  reply_add_header(&rc->reply, STR("x-request-id"), rc->request_id);
  reply_add_header(&rc->reply, STR("x-maestro-trace-id"), rc->trace_id);
}

/* Every request for a model has a row, but for those who only ask what they might do. */
static void add_row(struct request_context *rc, struct request_record *r) {
  r->has_row =
      rc->endpoint->what & (OPERATION_MASK | MANAGED) && rc->request->method != HTTP_OPTIONS && log_writer_is_on();
  if (!r->has_row) return;
  const struct user *u = principals_user(rc->principals, &rc->principal);
  if (u) r->user = u->name, r->team = u->team;
  r->asked = rc->asked;
  r->source = source_of(rc->request->headers, rc->endpoint->route);
  r->type = rc->endpoint->what & MANAGED
                ? STR("manage")
                : source_request_type((rc->endpoint->what & OPERATION_MASK) - 1, rc->endpoint->route);
}

static void record(struct request_context *rc) {
  const struct rules *rules = snapshot_get(rc->snapshot, GATEWAY_RULES);
  char principal[AUTH_NAME_BYTES], client[46];
  const struct call_outcome *o = rc->outcome && rc->outcome->deployment ? rc->outcome : NULL;
  auth_client_address(rules->auth, rc->request, http_exchange_peer(rc->x), client);
  struct request_record r = {
      .request_id = rc->request_id,
      .trace_id = rc->trace_id,
      .route = rc->endpoint->route,
      .method = rc->request->method == HTTP_OTHER ? STR("OTHER") : rc->request->method_name,
      .principal = auth_principal_name(&rc->principal, principal),
      .client = str_from_c(client),
      .endpoint_label = rc->endpoint->metrics_label,
      .status = rc->error == ERR_CANCELLED ? 499 : rc->reply.status,
      .error = rc->error,
      .info = &rc->info,
      .is_stream = rc->is_stream,
      .duration_us = clock_mono_us() - rc->started_us,
      .bytes_in = rc->bytes_in,
      .bytes_out = rc->reply.bytes_out,
  };
  if (o) {
    r.is_model_call = true;
    r.model = o->deployment->qualified;
    r.provider = o->deployment->at->provider.id;
    r.attempts = o->attempts;
    r.upstream_status = o->upstream_status;
    /* What a count of tokens answers was not used. */
    if ((rc->endpoint->what & OPERATION_MASK) - 1 != LLM_COUNT_TOKENS) losses_sum(o, o->is_complete, &r.usage, &r.cost);
    r.ttft_us = o->ttft_us;
    r.overhead_us = r.duration_us > o->upstream_us ? r.duration_us - o->upstream_us : 0;
  }
  if (rc->managed) {
    r.provider = rc->managed->at->provider.id;
    r.attempts = 1;
    r.upstream_status = rc->managed->upstream_status;
  }
  add_row(rc, &r);
  request_log_write(&r);
}

/* The client has gone, or had to be left; the server tells one whose answer has not begun. */
static void end_cancelled(struct request_context *rc) {
  rc->error = http_exchange_is_drained(rc->x) ? ERR_SHUTTING_DOWN : ERR_CANCELLED;
  rc->info = (struct err_info){0};
  if (!rc->reply.is_started) rc->reply.status = err_info_status(rc->error, NULL);
}

static void add_cors(struct request_context *rc, const struct rules *rules) {
  struct http_header h[CORS_HEADERS_MAX];
  size_t n = rules->cors.origins_n ? cors_headers(&rules->cors, rc->request, h) : 0;
  for (size_t i = 0; i < n; i++) reply_add_header(&rc->reply, h[i].name, h[i].value);
}

static void answer_options(struct request_context *rc, const struct rules *rules) {
  struct http_header h[CORS_HEADERS_MAX];
  size_t n = 0;
  enum err e = auth_check_origin(rules->auth, rc->request, http_exchange_peer(rc->x), &rc->info);
  if (e) {
    struct err_info info = rc->info;
    exchange_fail(rc, e, &info);
    return;
  }
  int status = cors_answer_options(&rules->cors, rc->request, rc->endpoint->methods, h, &n);
  for (size_t i = 0; i < n; i++) reply_add_header(&rc->reply, h[i].name, h[i].value);
  rc->reply.status = status;
  rc->reply.is_ended = true;
  rc->error =
      http_exchange_reply(rc->x, status, (struct http_headers){rc->reply.headers, rc->reply.header_count}, STR_NONE);
}

static enum err authenticate(struct request_context *rc, const struct rules *rules) {
  const struct auth_call call = {.request = rc->request,
                                 .peer = http_exchange_peer(rc->x),
                                 .class = rc->endpoint->class,
                                 .accept = rc->endpoint->accept,
                                 .failures = rc->worker->failures,
                                 .now_us = loop_now_us()};
  enum err e = auth_check(rules->auth, &call, &rc->principal, &rc->info);
  if (e) metrics_inc(METRIC_AUTH_FAILURES, 0, 0);
  return e;
}

void exchange_run(struct http_exchange *x, struct gateway_worker *worker, const struct endpoint *endpoint,
                  struct str path_rest) {
  struct request_context *rc = arena_alloc(http_exchange_arena(x), sizeof *rc);
  if (!rc) return; /* the server answers 500 */
  begin(rc, x, worker, endpoint, path_rest);
  const struct rules *rules = snapshot_get(rc->snapshot, GATEWAY_RULES);
  metrics_add(METRIC_IN_FLIGHT, 0, 0, 1);
  if (rc->request->method == HTTP_OPTIONS) {
    answer_options(rc, rules);
  } else {
    add_cors(rc, rules);
    enum err e = authenticate(rc, rules);
    struct err_info info = rc->info;
    if (!e && !(endpoint->method_mask & (1u << rc->request->method))) {
      reply_add_header(&rc->reply, STR("Allow"), endpoint->methods);
      e = err_set(&info, ERR_METHOD_NOT_ALLOWED, "this path takes %.*s", STR_ARG(endpoint->methods));
    }
    if (e)
      exchange_fail(rc, e, &info);
    else
      endpoint->run(rc);
  }
  reply_clear(&rc->reply);
  if (fiber_is_cancelled() && !rc->reply.is_ended) end_cancelled(rc);
  metrics_add(METRIC_IN_FLIGHT, 0, 0, -1);
  record(rc);
  snapshot_unref(rc->snapshot);
}
