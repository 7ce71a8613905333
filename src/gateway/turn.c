/* What of a call goes out to its caller: see turn.h. */
#include "gateway/turn.h"

#include "gateway/limits.h"
#include "gateway/permit.h"
#include "gateway/receipt.h"

static void add_max_tokens(struct turn *t) {
  struct str text = arena_printf(t->rc->arena, "%lld", (long long)t->call.outcome.max_tokens);
  if (text.p) reply_add_header(&t->rc->reply, STR("x-maestro-max-tokens"), text);
}

/* What the head says of the call: our own headers, and those of the upstream that concern the caller. */
void turn_add_headers(struct turn *t, bool is_final) {
  if (t->rc->reply.is_started) return;
  receipt_add_headers(t->rc, &t->plan, &t->call.outcome, is_final);
  if (t->call.dropped.names.n && t->call.outcome.upstream_status)
    reply_add_header(&t->rc->reply, STR("x-maestro-dropped"), arena_dup(t->rc->arena, buf_str(&t->call.dropped.names)));
  if (t->call.outcome.max_tokens) add_max_tokens(t);
  const struct limits_caller *subjects = t->call.reserve.subjects.n ? &t->call.reserve.subjects : &t->limits;
  bool has_rates = limits_add_headers(t->rc, subjects); /* the provider's own say nothing to this caller then */
  for (size_t i = 0; i < t->call.reply_headers.n; i++)
    if (!has_rates || !str_has_prefix_nocase(t->call.reply_headers.v[i].name, STR("x-ratelimit-")))
      reply_add_header(&t->rc->reply, t->call.reply_headers.v[i].name, t->call.reply_headers.v[i].value);
}

static enum err sink_write(void *arg, struct str bytes, bool is_end) {
  struct turn *t = arg;
  enum err e = t->rc->reply.has_content ? OK : permit_still(t->rc, &t->rc->info);
  if (e) return e;
  turn_add_headers(t, false);
  stored_watch(&t->stored, bytes);
  t->rc->reply.is_told = is_end;
  return reply_write(&t->rc->reply, bytes);
}

static bool sink_has_content(void *arg) { return ((struct turn *)arg)->rc->reply.has_content; }

static void sink_receipt(void *arg, const struct call_outcome *outcome, struct buf *out) {
  struct turn *t = arg;
  receipt_put(t->rc, &t->plan, outcome, out);
}

static void put_error(void *arg, enum err e, const struct err_info *info, struct buf *out) {
  call_put_stream_error(&((struct turn *)arg)->call, e, info, out);
}

static void put_keep_alive(void *arg, struct buf *out) {
  const struct turn *t = arg;
  const struct dialect_exchange x = {.created_s = clock_wall_us() / 1000000, .model = t->call.request->model};
  t->call.dialect->put_keep_alive(&x, out);
}

void turn_open_stream(struct turn *t) {
  struct reply *r = &t->rc->reply;
  const struct config_options *o = t->rc->options;
  r->arg = t;
  if (t->call.request->is_array) r->stream_type = STR("application/json");
  r->put_error_event = put_error;
  r->put_keep_alive = t->call.dialect->put_keep_alive ? put_keep_alive : NULL;
  reply_open_stream(r, o->stream_head_after_ms, o->stream_keep_alive_ms);
}

enum err turn_send_whole(struct turn *t) {
  struct request_context *rc = t->rc;
  struct call *c = &t->call;
  enum err e = permit_still(rc, &rc->info);
  if (e) return e;
  if (c->put_receipt && c->dialect->put_receipt) {
    struct buf receipt;
    buf_init(&receipt, 0);
    receipt_put(rc, &t->plan, &c->outcome, &receipt);
    c->dialect->put_receipt(&c->reply, 0, buf_str(&receipt));
    buf_clear(&receipt);
  }
  turn_add_headers(t, true);
  stored_take(&t->stored, buf_str(&c->reply));
  return reply_json(&rc->reply, 200, buf_str(&c->reply));
}

void turn_prepare(struct turn *t, const struct dialect_request *request, bool wants_receipt) {
  struct request_context *rc = t->rc;
  struct call *c = &t->call;
  c->plan = &t->plan;
  c->options = rc->options;
  c->dialect = rc->endpoint->dialect;
  c->client = rc->worker->client;
  c->arena = rc->arena;
  c->request = request;
  c->headers = rc->request->headers;
  c->owner = auth_principal_name(&rc->principal, t->owner);
  c->reply_id = rc->trace_id;
  c->names = rc->names;
  c->user = permit_user_name(rc);
  t->limits = limits_of(snapshot_get(rc->snapshot, GATEWAY_LIMITS), &rc->principal);
  c->limits = &t->limits;
  c->sink = (struct call_sink){t, sink_write, sink_has_content};
  bool is_exact = request->operation == LLM_COUNT_TOKENS; /* its body stays as the vendor has it */
  c->put_receipt = wants_receipt && !is_exact ? sink_receipt : NULL;
  c->receipt_arg = t;
  rc->outcome = &c->outcome;
  rc->is_stream = request->is_stream;
}
