/* Managing models of a node: see manage.h. */
#include "call/manage.h"

#include <yyjson.h>

#include "base/json_pool.h"
#include "base/metrics.h"
#include "io/frame_reader.h"
#include "route/runtime.h"

enum {
  LINE_MAX_BYTES = 64 * 1024,
  PROGRESS_MAX_BYTES = 256 << 20, /* of all lines: some days of them */
  ANSWER_MAX_BYTES = 4 << 20,     /* of show: licence, template and list of tensors */
  FAILURE_MAX_BYTES = 64 * 1024,
  FAILURE_MS = 5000,
  FAILED_STATUS = 500 /* what Ollama answers for a failure on the way, where it was asked for no stream */
};

static const struct {
  struct str path;
  enum http_method method;
  bool has_progress;
} wire[MANAGE_OPERATIONS] = {
    [MANAGE_PULL] = {STR("/api/pull"), HTTP_POST, true},        [MANAGE_PUSH] = {STR("/api/push"), HTTP_POST, true},
    [MANAGE_CREATE] = {STR("/api/create"), HTTP_POST, true},    [MANAGE_COPY] = {STR("/api/copy"), HTTP_POST, false},
    [MANAGE_DELETE] = {STR("/api/delete"), HTTP_DELETE, false}, [MANAGE_SHOW] = {STR("/api/show"), HTTP_POST, false}};

bool manage_is_possible(const struct catalog_provider *at) { return at->provider.type == &provider_ollama; }

bool manage_has_progress(enum manage_operation operation) { return wire[operation].has_progress; }

void manage_clear(struct manage *m) {
  buf_clear(&m->answer);
  buf_clear(&m->lines);
}

/* ---- replies ---- */

static enum err silent(enum err e) { return e == ERR_TIMEOUT ? ERR_SILENCE_TIMEOUT : e; }

static enum err classify(const struct manage *m, int status, struct http_headers headers, struct str body,
                         struct err_info *info) {
  const struct provider *p = &m->at->provider;
  return p->type->classify_failure(p, status, headers, body, info);
}

static enum err read_failure(const struct manage *m, struct http_call *http, struct err_info *info) {
  const struct http_response *r = http_call_response(http);
  struct buf body;
  buf_init(&body, FAILURE_MAX_BYTES);
  enum err e = http_call_read_all(http, &body, clock_deadline_ms(FAILURE_MS), NULL);
  if (e != ERR_CANCELLED) e = classify(m, r->status, r->headers, buf_str(&body), info);
  buf_clear(&body);
  return e;
}

/* A line is progress, the end, or a failure after a good status. */
static enum err take_line(struct manage *m, struct json_pool *pool, const struct frame *frame, struct err_info *info) {
  if (!frame->data.n) return OK;
  yyjson_val *root = json_pool_parse(pool, frame->data);
  if (!yyjson_is_obj(root))
    return err_set(info, ERR_UPSTREAM_PROTOCOL, "the provider sent a line of progress that is no JSON object");
  yyjson_val *error = yyjson_obj_get(root, "error");
  if (error && !yyjson_is_null(error)) {
    enum err e = classify(m, 0, (struct http_headers){0}, frame->data, info);
    info->http_status = FAILED_STATUS;
    return e;
  }
  bool is_last = str_eq(json_pool_str(root, "status"), STR("success"));
  struct buf *to = is_last ? &m->answer : &m->lines;
  buf_put(to, frame->data);
  buf_put_char(to, '\n');
  return to->failed ? ERR_NO_MEMORY : OK;
}

/* Behind the line that says success nothing is of interest. What came before a failure is the caller's, too. */
static enum err take_lines(struct manage *m, struct json_pool *pool, struct frame_reader *frames,
                           struct err_info *info) {
  struct frame frame;
  enum err e = OK, sent = OK;
  while (!e && !m->answer.n && frame_reader_next(frames, &frame, &e)) e = take_line(m, pool, &frame, info);
  if (m->lines.n && m->on_lines) sent = m->on_lines(m->arg, buf_str(&m->lines));
  buf_reset(&m->lines);
  return sent ? sent : e;
}

static enum err read_progress(struct manage *m, struct http_call *http, struct err_info *info) {
  struct json_pool pool = {0};
  struct frame_reader frames;
  struct frame last;
  struct str piece = STR_NONE;
  bool is_over = false;
  enum err e = OK;
  frame_reader_init(&frames, FRAMING_NDJSON, LINE_MAX_BYTES);
  while (!e && !m->answer.n && !is_over) {
    e = silent(http_call_read(http, &piece, clock_deadline_ms(m->at->provider.timeouts.silence_ms), info));
    is_over = piece.n == 0;
    if (e) break;
    frame_reader_feed(&frames, piece);
    e = take_lines(m, &pool, &frames, info);
  }
  if (!e && !m->answer.n && frame_reader_take_partial(&frames, &last, &e)) e = take_line(m, &pool, &last, info);
  if (!e && !m->answer.n) e = err_set(info, ERR_UPSTREAM_CUT, "the provider's progress ended before it said success");
  frame_reader_clear(&frames);
  json_pool_clear(&pool);
  return e;
}

static enum err read_answer(struct manage *m, struct http_call *http, struct err_info *info) {
  uint64_t deadline = clock_deadline_ms(m->at->provider.timeouts.silence_ms);
  return silent(http_call_read_all(http, &m->answer, deadline, info));
}

/* ---- the request ---- */

static enum err take_reply(struct manage *m, struct http_call *http, struct err_info *info) {
  m->upstream_status = http_call_response(http)->status;
  metrics_inc(METRIC_UPSTREAM_RESPONSES, m->at->metrics_label, metrics_status(m->upstream_status));
  if (m->upstream_status >= 400) return read_failure(m, http, info);
  if (m->upstream_status != 200)
    return err_set(info, ERR_UPSTREAM_PROTOCOL, "the provider answered with status %d where 200 is due",
                   m->upstream_status);
  return wire[m->operation].has_progress ? read_progress(m, http, info) : read_answer(m, http, info);
}

enum err manage_run(struct manage *m, struct err_info *info) {
  const struct provider *p = &m->at->provider;
  bool has_progress = wire[m->operation].has_progress;
  struct http_call *http = NULL;
  struct http_client_request request = {
      .method = wire[m->operation].method,
      .origin = &p->origin,
      .target = arena_printf(m->arena, "%.*s%.*s", STR_ARG(p->base_path), STR_ARG(wire[m->operation].path)),
      .headers = p->headers,
      .body = m->body,
      .body_slices = m->body_slices,
      .connect_ms = p->timeouts.connect_ms ? p->timeouts.connect_ms : HTTP_CLIENT_CONNECT_MS,
      .headers_ms = p->timeouts.headers_ms,
      .reply_limit_bytes = has_progress ? PROGRESS_MAX_BYTES : ANSWER_MAX_BYTES};
  buf_init(&m->answer, has_progress ? LINE_MAX_BYTES + 1 : ANSWER_MAX_BYTES);
  buf_init(&m->lines, 0);
  m->upstream_status = 0;
  if (!request.target.p) return ERR_NO_MEMORY;
  runtime_call_begin(m->at->runtime);
  enum err e = http_call_start(m->client, &request, &http, info);
  if (!e)
    e = take_reply(m, http, info);
  else if (e != ERR_CANCELLED)
    metrics_inc(METRIC_UPSTREAM_RESPONSES, m->at->metrics_label, metrics_status(0));
  http_call_close(http);
  runtime_call_end(m->at->runtime);
  return e;
}
