/* Replies: whole ones in one system call, streamed ones chunk by chunk, and the errors that the server finds itself.
 * Called by handlers on the exchange's fiber (http_server.h), http_reply_error by the connection on the loop's stack.
 * Invariant: x->reply only moves forward; what is not REPLY_DONE when the handler returns is cut off. */
#include "io/http_server_internal.h"

static struct iovec slice(struct str s) { return (struct iovec){(void *)(uintptr_t)s.p, s.n}; }

static bool status_has_no_body(int status) { return status < 200 || status == 204 || status == 304; }

/* Whether the request's bytes leave the connection usable: all read, or few enough to throw away. */
static bool is_request_consumable(const struct http_exchange *x) {
  const struct http_conn *c = x->conn;
  if (c->is_message_done) return true;
  const int64_t length = x->request.content_length;
  return !c->is_broken && !x->expects_continue && length >= 0 &&
         (uint64_t)length - x->body.received <= HTTP_DISCARD_BYTES;
}

static enum err build_head(struct http_exchange *x, int status, struct http_headers headers, int64_t content_length,
                           bool is_stream, struct str *out) {
  struct http_server *s = x->conn->server;
  const bool is_http10 = x->request.version_minor == 0;
  x->has_no_body = x->request.method == HTTP_HEAD || status_has_no_body(status);
  x->is_chunked = is_stream && !is_http10 && !status_has_no_body(status);
  x->keep_alive = x->request_keep_alive && !x->is_close_after && !s->is_draining && is_request_consumable(x) &&
                  !(is_stream && is_http10 && !x->has_no_body);
  const struct http_reply_head h = {
      .status = status,
      .headers = headers,
      .content_length = is_stream || status_has_no_body(status) ? -1 : content_length,
      .is_chunked = x->is_chunked,
      .is_close = !x->keep_alive,
      .is_keep_alive = is_http10,
  };
  return http_reply_head_build(s, &x->arena, &h, out);
}

enum err http_exchange_reply(struct http_exchange *x, int status, struct http_headers headers, struct str body) {
  struct str head;
  if (x->conn->is_gone) return ERR_CANCELLED;
  if (x->reply > REPLY_HELD || status < 200) return ERR_INTERNAL;
  enum err e = build_head(x, status, headers, (int64_t)body.n, false, &head);
  if (e) return e;
  struct iovec v[2] = {slice(head), slice(body)};
  x->reply = REPLY_OPEN;
  e = http_out_write(x->conn, v, x->has_no_body || body.n == 0 ? 1 : 2);
  if (!e) x->reply = REPLY_DONE;
  return e;
}

enum err http_exchange_reply_start(struct http_exchange *x, int status, struct http_headers headers) {
  struct str head;
  if (x->conn->is_gone) return ERR_CANCELLED;
  if (x->reply > REPLY_HELD || status < 200) return ERR_INTERNAL;
  enum err e = build_head(x, status, headers, -1, true, &head);
  if (e) return e;
  x->held_head = head.p == x->conn->server->head_buffer ? arena_dup(&x->arena, head) : head;
  if (!x->held_head.p) return ERR_NO_MEMORY;
  x->reply = REPLY_HELD;
  return OK;
}

static enum err check_open(const struct http_exchange *x) {
  if (x->conn->is_gone) return ERR_CANCELLED;
  return x->reply == REPLY_HELD || x->reply == REPLY_OPEN ? OK : ERR_INTERNAL;
}

/* v[0] is free for the head, if it is still held. */
WAIT static enum err send_with_head(struct http_exchange *x, struct iovec *v, int count) {
  struct iovec *first = v + 1;
  if (x->reply == REPLY_HELD) {
    v[0] = slice(x->held_head);
    first = v;
    count++;
    x->reply = REPLY_OPEN;
  }
  return count ? http_out_write(x->conn, first, count) : OK;
}

/* "1a2b\r\n" */
static struct str chunk_line(char line[20], size_t n) {
  static const char hex[] = "0123456789abcdef";
  size_t at = 18;
  line[18] = '\r';
  line[19] = '\n';
  do line[--at] = hex[n & 15];
  while (n >>= 4);
  return str_from(line + at, 20 - at);
}

enum err http_exchange_reply_write(struct http_exchange *x, struct str bytes) {
  enum err e = check_open(x);
  if (e) return e;
  struct iovec v[4];
  if (bytes.n == 0 || x->has_no_body) return send_with_head(x, v, 0);
  if (!x->is_chunked) {
    v[1] = slice(bytes);
    return send_with_head(x, v, 1);
  }
  char line[20];
  v[1] = slice(chunk_line(line, bytes.n));
  v[2] = slice(bytes);
  v[3] = slice(STR("\r\n"));
  return send_with_head(x, v, 3);
}

enum err http_exchange_reply_flush(struct http_exchange *x) {
  struct iovec v[1];
  const enum err e = check_open(x);
  return e ? e : send_with_head(x, v, 0);
}

enum err http_exchange_reply_end(struct http_exchange *x) {
  struct iovec v[2];
  enum err e = check_open(x);
  if (e) return e;
  v[1] = slice(STR("0\r\n\r\n"));
  e = send_with_head(x, v, x->is_chunked && !x->has_no_body ? 1 : 0);
  if (!e) x->reply = REPLY_DONE;
  return e;
}

void http_exchange_reply_abort(struct http_exchange *x) {
  if (x->reply == REPLY_DONE || x->conn->is_gone) return;
  /* Where the end of the connection is the end of the body, only a reset tells an incomplete reply from a whole one. */
  if (x->reply == REPLY_OPEN && !x->is_chunked) x->conn->is_reset_on_close = true;
  x->reply = REPLY_CUT;
}

/* --- errors of the server's own --- */

void http_reply_error_body(struct http_server *s, struct str path, enum err e, const struct err_info *info,
                           struct buf *out) {
  if (s->options.error_body) {
    s->options.error_body(s->options.arg, path, e, info, out);
    return;
  }
  buf_put(out, STR("{\"error\":{\"message\":"));
  buf_put_json(out, str_from_c(err_info_text(e, info)));
  buf_put(out, STR(",\"code\":"));
  buf_put_json(out, str_from_c(err_info_code(e, info)));
  buf_put(out, STR("}}"));
}

/* The headers of an error reply. v has room for 3. */
static struct http_headers error_headers(struct http_header *v, enum err e, const struct err_info *info,
                                         char retry[24]) {
  size_t n = 0;
  v[n++] = (struct http_header){STR("Content-Type"), STR("application/json")};
  if (e == ERR_UPGRADE_REQUIRED) v[n++] = (struct http_header){STR("Upgrade"), STR("HTTP/1.1")};
  if (info && info->retry_after_ms > 0) {
    uint64_t seconds = (uint64_t)(info->retry_after_ms + 999) / 1000;
    size_t at = 24;
    do retry[--at] = (char)('0' + seconds % 10);
    while (seconds /= 10);
    v[n++] = (struct http_header){STR("Retry-After"), str_from(retry + at, 24 - at)};
  }
  return (struct http_headers){v, n};
}

void http_reply_error(struct http_conn *c, struct str path, enum err e, const struct err_info *info) {
  struct http_header v[3];
  char retry[24];
  struct buf body;
  struct str head;
  buf_init(&body, 0);
  http_reply_error_body(c->server, path, e, info, &body);
  const struct http_reply_head h = {.status = err_info_status(e, info),
                                    .headers = error_headers(v, e, info, retry),
                                    .content_length = (int64_t)body.n,
                                    .is_close = true};
  enum err sent = body.failed ? ERR_NO_MEMORY : http_reply_head_build(c->server, NULL, &h, &head);
  if (!sent) {
    struct iovec out[2] = {slice(head), slice(buf_str(&body))};
    sent = http_out_send(c, out, body.n ? 2 : 1);
  }
  buf_clear(&body);
  if (sent)
    http_conn_close(c);
  else
    http_conn_close_after_flush(c, true);
}

enum err http_reply_missing(struct http_exchange *x, enum err e) {
  struct http_header v[3];
  char retry[24];
  struct buf body;
  const struct err_info info = {.retry_after_ms = err_http_status(e) == 503 ? 1000 : 0};
  buf_init(&body, 0);
  http_reply_error_body(x->conn->server, x->request.path, e, &info, &body);
  const enum err sent =
      body.failed ? ERR_NO_MEMORY
                  : http_exchange_reply(x, err_http_status(e), error_headers(v, e, &info, retry), buf_str(&body));
  buf_clear(&body);
  return sent;
}
