/* A call against scripted providers: the HTTP client is a fake behind its vtable, so every reply, pause and cut comes
 * at the place that a test wants, without a socket and without waiting. Included by the tests of call/; all is static.
 */
#ifndef MAESTRO_TESTS_CALL_RIG_H
#define MAESTRO_TESTS_CALL_RIG_H

#include <stdio.h>
#include <stdlib.h>

#include "call/call.h"
#include "dialect/openai_chat.h"
#include "route/runtime.h"
#include "unit.h"

#pragma GCC diagnostic ignored "-Wunused-function" /* no test uses all of it */

enum { ANSWERS_MAX = 16, PIECES_MAX = 12, READS_MAX = 64, HEADERS_MAX = 100 };

/* What a read does instead of bringing a piece. */
static const char late[] = "late", cut[] = "cut", gone[] = "gone";

struct scripted_answer {
  enum err start;                 /* a failure to send; OK: there is a reply */
  int status;                     /* 0: 200 */
  const char *type;               /* Content-Type; NULL: text/event-stream */
  struct http_header header;      /* another one */
  size_t copies;                  /* of it; 0: 1 */
  const char *pieces[PIECES_MAX]; /* NULL: the clean end */
  /* In place of pieces, where there are any: `first` bytes, then `step` at a time (0: the rest). */
  struct str bytes;
  size_t first, step;
};

struct fake_call {
  struct http_call base;
  const struct scripted_answer *answer;
  struct http_header headers[1 + HEADERS_MAX];
  struct http_response response;
  size_t at;
  bool is_open;
};

static struct {
  struct http_client client;
  struct scripted_answer answers[ANSWERS_MAX];
  struct fake_call calls[ANSWERS_MAX];
  struct buf bodies[ANSWERS_MAX];
  struct http_client_request requests[ANSWERS_MAX];
  size_t sent;
  uint64_t wait_ms[READS_MAX]; /* how long each read would have waited; UINT64_MAX: for ever */
  size_t reads;
  /* the call */
  struct arena arena;
  struct envelope_scan scan;
  struct dialect_request request;
  struct config_options options;
  struct catalog_provider providers[3];
  struct deployment deployments[3];
  const struct deployment *order[3];
  struct plan plan;
  struct call call;
  struct err_info info;
  /* the caller */
  struct buf got;
  bool is_told; /* its end is there */
  unsigned writes;
  enum err write_fails;
} rig;

/* cmocka's asserts jump, which must not leave a fiber. */
#define RIG_MUST(condition)                                                   \
  do {                                                                        \
    if (condition) break;                                                     \
    fprintf(stderr, "%s:%d: RIG_MUST(%s)\n", __FILE__, __LINE__, #condition); \
    abort();                                                                  \
  } while (0)

static enum err fake_start(struct http_client *c, const struct http_client_request *request, struct http_call **out,
                           struct err_info *info) {
  RIG_MUST(c == &rig.client);
  RIG_MUST(rig.sent < ANSWERS_MAX);
  const struct scripted_answer *a = &rig.answers[rig.sent];
  struct fake_call *call = &rig.calls[rig.sent];
  RIG_MUST(http_client_check_request(request, info) == OK);
  rig.requests[rig.sent] = *request;
  for (size_t i = 0; i < request->body_slices; i++) buf_put(&rig.bodies[rig.sent], request->body[i]);
  rig.sent++;
  if (a->start) return a->start;
  *call = (struct fake_call){.base = {c->ops}, .answer = a, .is_open = true};
  call->headers[0] = (struct http_header){STR("Content-Type"), str_from_c(a->type ? a->type : "text/event-stream")};
  size_t copies = a->header.name.n && !a->copies ? 1 : a->copies;
  for (size_t i = 0; i < copies; i++) call->headers[1 + i] = a->header;
  call->response =
      (struct http_response){.status = a->status ? a->status : 200, .headers = {call->headers, 1 + copies}};
  *out = &call->base;
  return OK;
}

static const struct http_response *fake_response(const struct http_call *call) {
  return &((const struct fake_call *)call)->response;
}

static enum err read_bytes(struct fake_call *call, struct str *piece) {
  const struct scripted_answer *a = call->answer;
  size_t n = call->at == 0 && a->first ? a->first : a->step ? a->step : a->bytes.n;
  *piece = str_sub(a->bytes, call->at, call->at + n);
  call->at += piece->n;
  return OK;
}

static enum err fake_read(struct http_call *base, struct str *piece, uint64_t deadline_us, struct err_info *info) {
  struct fake_call *call = (struct fake_call *)base;
  (void)info;
  RIG_MUST(call->is_open);
  if (call->answer->bytes.n) return read_bytes(call, piece);
  RIG_MUST(call->at < PIECES_MAX && rig.reads < READS_MAX);
  uint64_t now = clock_mono_us();
  rig.wait_ms[rig.reads++] = deadline_us == DEADLINE_NONE ? UINT64_MAX
                             : deadline_us > now          ? (deadline_us - now) / 1000
                                                          : 0;
  const char *text = call->answer->pieces[call->at];
  if (text) call->at++;
  if (text == late) return ERR_TIMEOUT;
  if (text == cut) return ERR_UPSTREAM_CUT;
  if (text == gone) return ERR_CANCELLED;
  *piece = str_from_c(text);
  return OK;
}

static void fake_close(struct http_call *base) {
  struct fake_call *call = (struct fake_call *)base;
  RIG_MUST(call->is_open);
  call->is_open = false;
}

static const struct http_client_ops fake_ops = {
    .start = fake_start, .response = fake_response, .read = fake_read, .close = fake_close};

static enum err caller_write(void *arg, struct str bytes, bool is_end) {
  (void)arg;
  RIG_MUST(bytes.n > 0);
  rig.is_told = is_end;
  rig.writes++;
  if (rig.write_fails) return rig.write_fails;
  buf_put(&rig.got, bytes);
  return OK;
}

static bool caller_has_content(void *arg) {
  (void)arg;
  return rig.writes > 0;
}

/* The usage that the receipt would show. */
static void caller_receipt(void *arg, const struct call_outcome *o, struct buf *out) {
  (void)arg;
  buf_printf(out, "{\"in\":%lld,\"out\":%lld}", (long long)usage_get(&o->usage, USAGE_INPUT),
             (long long)usage_get(&o->usage, USAGE_OUTPUT));
}

static void add_provider(size_t i, const char *id, const char *url) {
  struct catalog_provider *p = &rig.providers[i];
  const struct provider_spec spec = {.id = str_from_c(id),
                                     .type = STR("openai-compatible"),
                                     .base_url = str_from_c(url),
                                     .api_key = STR("secret-key"),
                                     .allow_private = true};
  assert_int_equal(provider_init(&rig.arena, &spec, &p->provider, &rig.info), OK);
  p->dialects[0] = &dialect_openai_chat;
  p->is_ready = true;
  rig.deployments[i] = (struct deployment){.at = p,
                                           .model = arena_printf(&rig.arena, "m%zu", i),
                                           .qualified = arena_printf(&rig.arena, "%s/m%zu", id, i),
                                           .context_tokens = -1,
                                           .output_tokens = -1};
  rig.order[i] = &rig.deployments[i];
}

/* Three deployments, one attempt each, for the given body. */
/* A vocabulary is unpacked in the thread pool, which wants a fiber: the rig has none. */
static void unpack_vocabulary(struct str model) {
  struct token_count count;
  token_count_init(&count, token_family_of(model));
  token_count_add(&count, STR("a"));
  assert_true(token_count_tokens(&count) > 0 && count_is_ready(model));
}

static void rig_open(const char *body) {
  unpack_vocabulary(STR("m0"));
  memset(&rig, 0, sizeof rig);
  rig.client.ops = &fake_ops;
  arena_init(&rig.arena, 0);
  add_provider(0, "one", "http://127.0.0.1:1/v1");
  add_provider(1, "two", "http://127.0.0.1:2/v1");
  add_provider(2, "three", "http://127.0.0.1:3/v1");
  rig.plan = (struct plan){.v = rig.order, .n = 3};
  rig.call = (struct call){.plan = &rig.plan,
                           .options = &rig.options,
                           .dialect = &dialect_openai_chat,
                           .client = &rig.client,
                           .arena = &rig.arena,
                           .body = str_from_c(body),
                           .scan = &rig.scan,
                           .request = &rig.request,
                           .sink = {NULL, caller_write, caller_has_content}};
  assert_int_equal(
      envelope_scan_whole(&rig.scan, dialect_openai_chat.request_table(), NULL, &rig.arena, rig.call.body, &rig.info),
      OK);
  assert_int_equal(dialect_openai_chat.read_request(&rig.arena, rig.call.body, &rig.scan, &rig.request, &rig.info), OK);
}

static enum err rig_run(void) {
  memset(&rig.info, '#', sizeof rig.info);
  enum err e = call_run(&rig.call, &rig.info);
  for (size_t i = 0; i < rig.sent; i++) assert_false(rig.calls[i].is_open);
  assert_int_equal(rig.call.outcome.is_complete, e == OK);
  return e;
}

static void rig_close(void) {
  call_clear(&rig.call);
  assert_int_equal(held_bytes(), 0);
  held_set_limit(0);
  buf_clear(&rig.got);
  for (size_t i = 0; i < ANSWERS_MAX; i++) buf_clear(&rig.bodies[i]);
  arena_clear(&rig.arena);
}

static void expect_text(const struct buf *got, const char *expected) {
  if (!str_eq(buf_str(got), str_from_c(expected)))
    print_error("got:\n%.*s\nwant:\n%s\n", STR_ARG(buf_str(got)), expected);
  assert_str(buf_str(got), str_from_c(expected));
}

#define WHOLE "{\"model\":\"m\",\"messages\":[{}]}"
#define STREAM "{\"model\":\"m\",\"messages\":[{}],\"stream\":true}"
#define STREAM_USAGE "{\"model\":\"m\",\"messages\":[{}],\"stream\":true,\"stream_options\":{\"include_usage\":true}}"

/* Chunks as an upstream sends them, and as the caller gets them from the first deployment. */
#define ROLE "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}\n\n"
#define TEXT(t) "data: {\"choices\":[{\"delta\":{\"content\":\"" t "\"},\"finish_reason\":null}]}\n\n"
#define STOP "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
#define STOP_WITH(receipt) "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}],\"maestro\":" receipt "}\n\n"
#define USAGE(in, out) "\"usage\":{\"prompt_tokens\":" #in ",\"completion_tokens\":" #out "}"
#define USAGE_CHUNK(in, out) "data: {\"choices\":[]," USAGE(in, out) "}\n\n"
#define DONE "data: [DONE]\n\n"
#define JSON "application/json"

#endif
