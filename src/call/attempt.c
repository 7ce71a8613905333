/* One attempt: the provider's prebuilt request with the caller's body edited by spans goes out; the reply is taken
 * whole, relayed as a stream, or read as a failure. */
#include <yyjson.h>

#include "base/metrics.h"
#include "call/filters.h"
#include "call/translate.h"
#include "route/runtime.h"

enum {
  FAILURE_BODY_MAX = 64 * 1024, /* bytes of an error reply that are read */
  FAILURE_BODY_MS = 5000,
  HEADERS_KEPT_MAX = 24 /* of a reply, for the caller: a reply head of ours has room for these and its own */
};

void attempt_note(struct call *c, const struct usage *usage) {
  answer_merge_usage(&c->outcome.usage, usage);
  bool is_whole = usage_has(usage, USAGE_INPUT) && usage_has(usage, USAGE_OUTPUT);
  if (is_whole && !usage->is_estimated) c->outcome.usage.is_estimated = false;           /* it was reported after all */
  if (c->request->operation == LLM_EMBED) usage_set(&c->outcome.usage, USAGE_OUTPUT, 0); /* vectors are no tokens */
  c->outcome.cost = cost_of(&c->outcome.usage, c->price.known ? &c->price : NULL);
  reserve_noted(c);
}

void attempt_estimate(struct call *c, const struct deployment *d) {
  struct usage own = {0};
  struct count_result input;
  struct err_info ignored = {0};
  bool is_asked = c->request->operation == LLM_GENERATE || c->request->operation == LLM_COMPLETE;
  if (!is_asked || usage_has(&c->outcome.usage, USAGE_OUTPUT)) return;
  int64_t output = count_output_tokens(&c->seen, d->model);
  if (!output) return;
  usage_set(&own, USAGE_OUTPUT, output);
  if (!usage_has(&c->outcome.usage, USAGE_INPUT) && !translate_count_input(c, d, &input, &ignored))
    usage_set(&own, USAGE_INPUT, input.tokens);
  own.is_estimated = true;
  attempt_note(c, &own);
}

/* A translation's tree and its texts lie in an arena; what a relay has there is small. */
static size_t bytes_of(const struct call *c) {
  return c->reply.cap + c->encoded.cap + c->shaped.cap + (c->work ? c->work->held_bytes : 0);
}

enum err attempt_hold(struct call *c, size_t more, struct err_info *info) {
  return held_try(&c->held, bytes_of(c) + more) ? OK : held_busy(info);
}

void attempt_unhold(struct call *c) { held_charge(&c->held, bytes_of(c)); }

enum err attempt_read(struct call *c, struct http_call *http, struct str *piece, uint64_t now_us, uint64_t deadline_us,
                      struct err_info *info) {
  enum err e = http_call_read(http, piece, deadline_us, info);
  c->outcome.upstream_us += clock_mono_us() - now_us;
  return e;
}

struct dialect_reply_edits attempt_reply_edits(const struct call *c, const struct deployment *d) {
  return (struct dialect_reply_edits){
      .model = c->plan->told.n ? c->plan->told : d->qualified,
      .hide_usage = c->request->is_stream && !c->request->wants_usage,
      .has_choices = c->request->choices > 1,
  };
}

static uint64_t earlier(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* Reads a body up to a limit; what is beyond is left unread and the connection dropped with the call. */
static enum err read_whole(struct call *c, struct http_call *http, struct buf *out, uint32_t silence_ms,
                           uint64_t deadline_us, struct err_info *info) {
  for (;;) {
    struct str piece;
    uint64_t now = clock_mono_us(), silent = clock_deadline_after(now, silence_ms);
    enum err e = attempt_read(c, http, &piece, now, earlier(silent, deadline_us), info);
    if (e == ERR_TIMEOUT) return silent < deadline_us ? ERR_SILENCE_TIMEOUT : ERR_TOTAL_TIMEOUT;
    if (e) return e;
    if (piece.n == 0) return OK;
    buf_put(out, piece);
    if (out->failed) return ERR_UPSTREAM_TOO_LARGE;
    if ((e = attempt_hold(c, out->cap, info))) return e;
  }
}

static bool is_json(struct http_headers h) {
  struct str type = http_header_get(h, STR("content-type"));
  return type.n == 0 || str_has_prefix_nocase(type, STR("application/json"));
}

static bool is_stream_of(enum framing framing, struct http_headers h) {
  return str_has_prefix_nocase(http_header_get(h, STR("content-type")), framing_content_type(framing));
}

/* What a caller may see of an upstream's headers. */
static bool is_passed_on(struct str name) {
  static const struct str exact[] = {STR("openai-processing-ms"), STR("openai-version"), STR("openai-organization"),
                                     STR("x-should-retry")};
  if (str_has_prefix_nocase(name, STR("x-ratelimit-"))) return true;
  for (size_t i = 0; i < sizeof exact / sizeof *exact; i++)
    if (str_eq_nocase(name, exact[i])) return true;
  return false;
}

static enum err keep_headers(struct call *c, struct http_headers from) {
  struct http_header *v = NULL;
  size_t n = 0;
  for (size_t i = 0; i < from.n && n < HEADERS_KEPT_MAX; i++) {
    if (!is_passed_on(from.v[i].name)) continue;
    if (!v && !(v = ARENA_NEW_ARRAY(c->arena, struct http_header, HEADERS_KEPT_MAX))) return ERR_NO_MEMORY;
    v[n] = (struct http_header){arena_dup(c->arena, from.v[i].name), arena_dup(c->arena, from.v[i].value)};
    if (!v[n].name.p || !v[n].value.p) return ERR_NO_MEMORY;
    n++;
  }
  c->reply_headers = (struct http_headers){v, n};
  return OK;
}

static bool is_listed(const struct str *names, struct str name) {
  for (; names->n; names++)
    if (str_eq_nocase(*names, name)) return true;
  return false;
}

/* What every provider may get of the caller's, and what only one of the same dialect understands. */
static bool is_forwarded(const struct call *c, const struct codec *codec, struct str name) {
  static const struct str always[] = {STR("x-session-id"), STR("x-session-affinity"), STR("")};
  if (is_listed(always, name)) return true;
  return codec->target == c->dialect && c->dialect->forwarded_headers && is_listed(c->dialect->forwarded_headers, name);
}

enum { FORWARDED_MAX = 12 };

/* Headers of the request: the provider's prebuilt ones, and of the caller's what is forwarded, in place of ours where
 * both have it. */
static enum err request_headers(struct call *c, const struct provider *p, const struct codec *codec,
                                struct http_headers *out) {
  struct http_headers ours = p->headers;
  struct http_header *v = NULL;
  size_t n = ours.n, added = 0;
  for (size_t i = 0; i < c->headers.n && added < FORWARDED_MAX; i++) {
    if (!is_forwarded(c, codec, c->headers.v[i].name)) continue;
    if (!v) {
      if (!(v = ARENA_NEW_ARRAY(c->arena, struct http_header, ours.n + FORWARDED_MAX))) return ERR_NO_MEMORY;
      memcpy(v, ours.v, ours.n * sizeof *v);
    }
    size_t at = 0;
    while (at < ours.n && !str_eq_nocase(v[at].name, c->headers.v[i].name)) at++;
    if (at == ours.n) at = n++;
    v[at] = c->headers.v[i];
    added++;
  }
  *out = v ? (struct http_headers){v, n} : ours;
  return OK;
}

static enum err edit_body(struct call *c, const struct deployment *d, bool ask_usage, struct str **slices, size_t *n,
                          struct err_info *info) {
  struct dialect_request_edits want = {.ask_usage = ask_usage};
  struct envelope_edit *edit = arena_alloc(c->arena, sizeof *edit);
  struct span_list *spans = arena_alloc(c->arena, sizeof *spans);
  if (!edit || !spans) return ERR_NO_MEMORY;
  if (!str_eq(c->request->model, d->model)) want.model = d->model;
  want.max_tokens = c->reserve.max_tokens;
  want.is_vendor = d->at->provider.is_vendor;
  want.context_tokens = c->context_tokens;
  envelope_edit_init(edit, c->scan);
  enum err e = c->dialect->edit_request(c->arena, &want, edit, info);
  if (e) return e;
  span_list_init(spans, c->body.n);
  e = envelope_edit_spans(edit, c->arena, spans, info);
  if (e) return e;
  *slices = ARENA_NEW_ARRAY(c->arena, struct str, 2 * spans->n + 1);
  if (!*slices) return ERR_NO_MEMORY;
  *n = span_slices(spans, c->body, *slices);
  return OK;
}

static bool is_client_fault(int status) { return status == 400 || status == 422; }

/* A reply with a failing status: what went wrong, in the provider's own words. */
static enum err read_failure(struct call *c, const struct deployment *d, struct http_call *http, bool asked_usage,
                             bool *refused_usage, struct err_info *info) {
  const struct http_response *r = http_call_response(http);
  struct buf body;
  buf_init(&body, FAILURE_BODY_MAX);
  enum err e = read_whole(c, http, &body, FAILURE_BODY_MS, clock_deadline_ms(FAILURE_BODY_MS), NULL);
  if (e == ERR_CANCELLED) goto out;
  struct str text = buf_str(&body);
  *refused_usage =
      asked_usage && is_client_fault(r->status) &&
      (str_find(text, STR("stream_options")) != SIZE_MAX || str_find(text, STR("include_usage")) != SIZE_MAX);
  e = d->at->provider.type->classify_failure(&d->at->provider, r->status, r->headers, text, info);
out:
  buf_clear(&body);
  attempt_unhold(c);
  return e;
}

static enum err relay_whole(struct call *c, const struct deployment *d, const struct text_filter_options *filter,
                            struct str body, struct http_headers headers, struct err_info *info) {
  struct dialect_reply_edits edits = attempt_reply_edits(c, d);
  struct events events;
  buf_reset(&c->reply);
  enum err e = c->dialect->relay_reply(body, &edits, &events, &c->reply, info);
  if (e) return e;
  if (events_has(&events, EVENT_ERROR))
    return d->at->provider.type->classify_failure(&d->at->provider, 0, headers, body, info);
  c->outcome.ttft_us = clock_mono_us() - c->outcome.started_us;
  if (events_has(&events, EVENT_USAGE)) attempt_note(c, &events.usage);
  bool is_looked_at = filters_may_change(filter, body) || !events_has(&events, EVENT_USAGE);
  e = is_looked_at ? translate_mend(c, d, filter, body, info) : OK;
  if (!e) attempt_estimate(c, d);
  return e;
}

static enum err take_whole(struct call *c, const struct deployment *d, const struct codec *codec,
                           struct http_call *http, uint64_t deadline_us, struct err_info *info) {
  const struct http_response *r = http_call_response(http);
  struct buf body;
  buf_init(&body, 0);
  enum err e = is_json(r->headers)
                   ? OK
                   : err_set(info, ERR_UPSTREAM_PROTOCOL, "the provider answered with something else than JSON");
  if (!e) e = read_whole(c, http, &body, d->at->provider.timeouts.silence_ms, deadline_us, info);
  if (!e && body.n == 0) e = err_set(info, ERR_UPSTREAM_PROTOCOL, "the provider sent an empty answer");
  if (!e && codec->answer == CODEC_RELAY)
    e = relay_whole(c, d, &codec->filter, buf_str(&body), r->headers, info);
  else if (!e)
    e = translate_reply(c, d, codec, buf_str(&body), r->headers, info);
  if (!e) e = attempt_hold(c, body.cap, info);
  buf_clear(&body);
  attempt_unhold(c);
  return e;
}

/* True for a JSON object with a telling `error`, as every vendor sends one. */
static bool has_error_member(struct str body) {
  struct json_pool pool = {0};
  yyjson_val *root = json_pool_parse(&pool, body), *error = yyjson_obj_get(root, "error");
  bool has = yyjson_is_obj(error) || yyjson_is_str(error);
  json_pool_clear(&pool);
  return has;
}

/* A stream was asked for, but the answer is none: usually an error that travels as HTTP 200. */
static enum err refuse_non_stream(struct call *c, const struct deployment *d, struct http_call *http,
                                  uint64_t deadline_us, struct err_info *info) {
  const struct http_response *r = http_call_response(http);
  struct buf body;
  buf_init(&body, FAILURE_BODY_MAX);
  enum err e = read_whole(c, http, &body, FAILURE_BODY_MS, deadline_us, NULL);
  if (e == ERR_CANCELLED) goto out;
  if (is_json(r->headers) && has_error_member(buf_str(&body)))
    e = d->at->provider.type->classify_failure(&d->at->provider, 0, r->headers, buf_str(&body), info);
  else
    e = err_set(info, ERR_UPSTREAM_PROTOCOL, "the provider answered a streaming request without a stream");
out:
  buf_clear(&body);
  attempt_unhold(c);
  return e;
}

static void tighten(uint32_t *limit_ms, uint32_t other_ms, enum err *meaning, enum err other) {
  if (other_ms == 0 || (*limit_ms && *limit_ms <= other_ms)) return;
  *limit_ms = other_ms;
  *meaning = other;
}

/* How long to wait for a connection and for the reply's head; returns what it means when the latter passes. */
static enum err limit_waits(const struct provider_timeouts *t, bool is_stream, struct http_client_request *request) {
  enum err connect = ERR_CONNECT_TIMEOUT, head = ERR_HEADERS_TIMEOUT;
  request->connect_ms = t->connect_ms ? t->connect_ms : HTTP_CLIENT_CONNECT_MS;
  request->headers_ms = t->headers_ms;
  tighten(&request->connect_ms, t->total_ms, &connect, connect);
  tighten(&request->headers_ms, is_stream ? t->first_token_ms : 0, &head, ERR_FIRST_CONTENT_TIMEOUT);
  tighten(&request->headers_ms, t->total_ms, &head, ERR_TOTAL_TIMEOUT);
  return head;
}

static enum err take_answer(struct call *c, const struct deployment *d, const struct codec *codec,
                            struct http_call *http, uint64_t first_us, uint64_t total_us, struct err_info *info) {
  const struct http_response *r = http_call_response(http);
  if (r->status != 200)
    return err_set(info, ERR_UPSTREAM_PROTOCOL, "the provider answered with status %d where 200 is due", r->status);
  if (!c->request->is_stream) return take_whole(c, d, codec, http, total_us, info);
  if (is_stream_of(codec->target->framing, r->headers)) return stream_run(c, d, codec, http, first_us, total_us, info);
  return refuse_non_stream(c, d, http, total_us, info);
}

/* The body of the request: the caller's with spans, or a translation of it. */
static enum err make_body(struct call *c, const struct deployment *d, const struct codec *codec, bool ask_usage,
                          struct http_client_request *request, struct err_info *info) {
  struct str *slices;
  if (codec->request == CODEC_RELAY) {
    enum err e = edit_body(c, d, ask_usage, &slices, &request->body_slices, info);
    if (!e) request->body = slices;
    return e;
  }
  if (!(slices = ARENA_NEW(c->arena, struct str))) return ERR_NO_MEMORY;
  enum err e = translate_request(c, d, codec->target, ask_usage, slices, info);
  request->body = slices;
  request->body_slices = 1;
  return e;
}

static enum err send_once(struct call *c, const struct deployment *d, const struct codec *codec, bool ask_usage,
                          bool *refused_usage, struct err_info *info) {
  const struct provider *p = &d->at->provider;
  const uint64_t began = clock_mono_us(), total = clock_deadline_after(began, p->timeouts.total_ms),
                 first = clock_deadline_after(began, p->timeouts.first_token_ms);
  struct http_call *http = NULL;
  struct http_client_request request = {
      .method = HTTP_POST,
      .origin = &p->origin,
      .target = provider_target(c->arena, p, codec->endpoint, d->model, c->request->is_stream),
      .accept_gzip = !c->request->is_stream,
      .reply_limit_bytes = c->options->upstream_reply_limit_bytes,
  };
  c->outcome.attempt_started_us = began;
  enum err late = limit_waits(&p->timeouts, c->request->is_stream, &request);
  enum err e = request.target.p ? make_body(c, d, codec, ask_usage, &request, info) : ERR_NO_MEMORY;
  if (!e) e = request_headers(c, p, codec, &request.headers);
  if (!e) e = provider_sign(c->arena, p, clock_wall_us(), &request, info);
  if (e) return e;
  uint64_t from = clock_mono_us();
  runtime_call_begin(d->at->runtime);
  e = http_call_start(c->client, &request, &http, info);
  c->outcome.upstream_us += clock_mono_us() - from;
  if (e) {
    runtime_call_end(d->at->runtime);
    if (e != ERR_CANCELLED) metrics_inc(METRIC_UPSTREAM_RESPONSES, d->at->metrics_label, metrics_status(0));
    return e == ERR_HEADERS_TIMEOUT ? late : e;
  }
  const struct http_response *r = http_call_response(http);
  c->outcome.upstream_status = r->status;
  if (r->status == 200 && (is_json(r->headers) || is_stream_of(codec->target->framing, r->headers)))
    reserve_answered(c);
  c->outcome.is_reused = r->is_reused;
  c->outcome.resends += r->resends;
  metrics_inc(METRIC_UPSTREAM_RESPONSES, d->at->metrics_label, metrics_status(r->status));
  e = keep_headers(c, r->headers);
  if (!e && r->status >= 400)
    e = read_failure(c, d, http, ask_usage, refused_usage, info);
  else if (!e)
    e = take_answer(c, d, codec, http, first, total, info);
  http_call_close(http);
  runtime_call_end(d->at->runtime);
  return e;
}

/* Words that are one vendor's own mean nothing in another's API. */
static void forget_foreign_words(const struct codec *codec, const struct dialect *caller, struct err_info *info) {
  if (codec->target != caller) info->type[0] = info->param[0] = 0;
}

static const char *const operations[LLM_OPERATIONS] = {
    [LLM_GENERATE] = "conversations",
    [LLM_COMPLETE] = "completions of a prompt",
    [LLM_EMBED] = "embeddings",
    [LLM_COUNT_TOKENS] = "counts of tokens",
};

enum err attempt_run(struct call *c, const struct deployment *d, struct err_info *info) {
  bool refused_usage = false;
  struct codec codec;
  caps_dropped_clear(&c->dropped); /* what another target could not say is no matter of this one */
  caps_dropped_init(&c->dropped);
  c->dropped.is_full = c->unshaped.is_full;
  buf_put(&c->dropped.names, buf_str(&c->unshaped.names));
  if (!codec_choose(d->at->provider.type->endpoints, d->at->dialects, c->dialect, c->request, &codec)) {
    if (c->request->operation == LLM_COUNT_TOKENS) return translate_count(c, d, info);
    return err_set(info, ERR_NOT_SERVED, "the provider \"%.*s\" does not serve %s; ask a model of another one",
                   STR_ARG(d->at->provider.id), operations[c->request->operation]);
  }
  filters_choose(c, d, &codec);
  bool has_option = d->at->provider.usage == PROVIDER_USAGE_OPTION && runtime_takes_usage_option(d->at->runtime);
  bool ask_usage = c->request->is_stream && !c->request->wants_usage && has_option;
  enum err e = send_once(c, d, &codec, ask_usage, &refused_usage, info);
  if (refused_usage) {
    *info = (struct err_info){0};
    e = send_once(c, d, &codec, false, &refused_usage, info);
    /* Where it fails in the same way without the option, the option was not what it minded. */
    if (e != ERR_UPSTREAM_STATUS || !is_client_fault(info->http_status)) runtime_refuse_usage_option(d->at->runtime);
  }
  if (e == ERR_UPSTREAM_STATUS) forget_foreign_words(&codec, c->dialect, info);
  return e;
}
