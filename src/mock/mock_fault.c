/* How the mock misbehaves. Each function stands for one fault of behaviour.def; those without one are faults of streams
 * or of half-sent bodies. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mock/mock_call.h"

typedef enum err fault_fn(struct mock_call *c);

static enum err say(struct mock_call *c, struct mock_error e) {
  e.request_id = str_from(c->request_id, sizeof c->request_id);
  return mock_call_error(c->x, c->mock, c->dialect, &e);
}

static enum err send_type(struct mock_call *c, int status, struct str type, struct str body) {
  struct http_header v[MOCK_HEADERS_MAX];
  return http_exchange_reply(c->x, status, mock_call_headers(c, type, v), body);
}

static enum err fail_status(struct mock_call *c) { return say(c, (struct mock_error){.status = (int)c->plan.status}); }

static enum err fail_quota(struct mock_call *c) {
  return say(c, (struct mock_error){.status = 429, .words = MOCK_WORDS_QUOTA});
}

static enum err fail_context(struct mock_call *c) {
  return say(c, (struct mock_error){.status = 400, .words = MOCK_WORDS_CONTEXT});
}

static enum err fail_html(struct mock_call *c) {
  return send_type(c, 502, STR("text/html"),
                   STR("<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway"
                       "</h1></center>\r\n</body>\r\n</html>\r\n"));
}

static enum err send_json(struct mock_call *c, struct str body) {
  return send_type(c, 200, mock_call_json_type(c->dialect), body);
}

static enum err fail_empty(struct mock_call *c) { return send_json(c, STR_NONE); }

static enum err ok_error(struct mock_call *c) {
  struct buf body;
  buf_init(&body, 0);
  struct mock_error fault = {.status = 500, .request_id = str_from(c->request_id, sizeof c->request_id)};
  fault = mock_dialect_error(c->dialect, &fault);
  c->dialect->error(&fault, &body);
  enum err e = send_json(c, buf_str(&body));
  buf_clear(&body);
  return e;
}

static enum err garbage_json(struct mock_call *c) {
  return send_json(c, STR("{\"id\": \"chatcmpl-broken\", \"choices\": [{\"index\": "));
}

static enum err stream_error(struct mock_call *c) { return say(c, (struct mock_error){.status = 500}); }

static enum err hang(struct mock_call *c) {
  (void)c;
  return mock_fault_stall();
}

static enum err garbage(struct mock_call *c) {
  static const char bytes[] = "\x16\x03\x01 this is no HTTP \xff\xfe\r\n\r\n";
  ssize_t n = send(http_exchange_socket(c->x), bytes, sizeof bytes - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
  (void)n; /* a peer that has gone cannot be garbled; the connection ends either way */
  http_exchange_reply_abort(c->x);
  return OK;
}

static enum err reset(struct mock_call *c) {
  struct linger at_once = {.l_onoff = 1, .l_linger = 0};
  setsockopt(http_exchange_socket(c->x), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  http_exchange_reply_abort(c->x);
  return OK;
}

static enum err redirect(struct mock_call *c) {
  const struct http_request *r = http_exchange_request(c->x);
  struct http_header v[MOCK_HEADERS_MAX];
  struct http_headers headers = mock_call_headers(c, STR("text/plain"), v);
  struct str to =
      arena_printf(http_exchange_arena(c->x), "http://%.*s/redirect-target%.*s", STR_ARG(r->host), STR_ARG(r->path));
  v[headers.n++] = (struct http_header){STR("Location"), to};
  return http_exchange_reply(c->x, 302, headers, STR_NONE);
}

static enum err reject_usage(struct mock_call *c) {
  return say(c, (struct mock_error){.status = 400,
                                    .message = STR("Unknown parameter: 'stream_options.include_usage'."),
                                    .param = STR("stream_options.include_usage"),
                                    .code = STR("unknown_parameter")});
}

static fault_fn *const faults[MOCK_FAULT_COUNT] = {
    [MOCK_FAULT_STATUS] = fail_status,
    [MOCK_FAULT_QUOTA] = fail_quota,
    [MOCK_FAULT_CONTEXT] = fail_context,
    [MOCK_FAULT_HTML] = fail_html,
    [MOCK_FAULT_EMPTY_BODY] = fail_empty,
    [MOCK_FAULT_OK_ERROR] = ok_error,
    [MOCK_FAULT_GARBAGE] = garbage,
    [MOCK_FAULT_HANG] = hang,
    [MOCK_FAULT_RESET] = reset,
    [MOCK_FAULT_REDIRECT] = redirect,
    [MOCK_FAULT_REJECT_USAGE] = reject_usage,
    [MOCK_FAULT_GARBAGE_JSON] = garbage_json,
    [MOCK_FAULT_STREAM_ERROR] = stream_error,
    [MOCK_FAULT_STREAM_FAILED] = stream_error,
};

enum err mock_fault_run(struct mock_call *c, bool *is_done) {
  bool is_streams = c->plan.fault == MOCK_FAULT_GARBAGE_JSON || c->plan.fault == MOCK_FAULT_STREAM_ERROR ||
                    c->plan.fault == MOCK_FAULT_STREAM_FAILED;
  fault_fn *fault = faults[c->plan.fault];
  *is_done = fault && !(is_streams && c->q.scan.is_stream) &&
             !(c->plan.fault == MOCK_FAULT_REJECT_USAGE && !c->q.scan.wants_usage);
  return *is_done ? fault(c) : OK;
}

enum err mock_fault_partial(struct mock_call *c, struct str body) {
  struct http_header v[MOCK_HEADERS_MAX];
  bool is_counted = c->plan.fault == MOCK_FAULT_CUT_AT;
  struct str part = str_sub(body, 0, is_counted ? c->plan.cut_bytes : body.n / 2);
  enum err e = http_exchange_reply_start(c->x, 200, mock_call_headers(c, mock_call_json_type(c->dialect), v));
  if (!e) e = part.n ? http_exchange_reply_write(c->x, part) : http_exchange_reply_flush(c->x);
  if (e) return e;
  if (c->plan.fault == MOCK_FAULT_STALL) return mock_fault_stall();
  http_exchange_reply_abort(c->x);
  return OK;
}

enum err mock_fault_stall(void) {
  enum err e;
  do e = fiber_sleep_until(DEADLINE_NONE);
  while (!e);
  return e;
}
