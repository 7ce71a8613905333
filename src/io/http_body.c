/* The body of a request: collected as it arrives (on the loop's stack), handed to the handler by
 * http_exchange_read_body (on its fiber), decoded there if it has a coding. Until the handler asks, at most
 * HTTP_EARLY_BYTES are held and a client that waits for 100 Continue is left waiting. Buffers beyond 16 KiB are charged
 * to the process's budget; without budget reading pauses and the fiber waits. Invariant: raw.p has room for n +
 * HTTP_BODY_PAD bytes, always. */
#include <stdlib.h>

#include "io/http_server_internal.h"

enum {
  GROW_MIN_BYTES = 4096,
  INFLATE_STEP_BYTES = 64 * 1024, /* about 150 us of work between two yields */
  DIRECT_MIN_BYTES = 4096,        /* smaller rests are not worth a system call of their own */
  DIRECT_MAX_BYTES = 64 * 1024,   /* read and scanned at once: some 100 us, so that others wait no longer */
  BUDGET_POLL_US = 20000,
  RATIO_FREE_BYTES = 1 << 20, /* of decoded output that any ratio may have */
};

static const char zeros[HTTP_BODY_PAD];

static const struct http_server_limits *limits_of(const struct http_exchange *x) {
  return &x->conn->server->options.limits;
}

/* --- buffers --- */

static bool grow_to(struct http_buffer *b, size_t cap) {
  if (cap <= b->cap) return true;
  char *p = realloc(b->is_heap ? b->p : NULL, cap);
  if (!p) return false;
  if (!b->is_heap && b->n) memcpy(p, b->p, b->n);
  b->p = p;
  b->cap = cap;
  b->is_heap = true;
  held_charge(&b->charged, cap);
  return true;
}

/* Room for n more bytes and the pad. */
static bool reserve(struct http_buffer *b, size_t n) {
  const size_t need = b->n + n + HTTP_BODY_PAD;
  if (need <= b->cap) return true;
  size_t cap = b->cap * 2 > GROW_MIN_BYTES ? b->cap * 2 : GROW_MIN_BYTES;
  return grow_to(b, cap > need ? cap : need);
}

static void clear_buffer(struct http_buffer *b) {
  if (b->is_heap) free(b->p);
  held_charge(&b->charged, 0);
  *b = (struct http_buffer){0};
}

void http_body_clear(struct http_exchange *x) {
  clear_buffer(&x->body.raw);
  clear_buffer(&x->body.decoded);
}

/* Small bodies of known length live in the arena: no allocation of their own. */
static bool reserve_raw(struct http_exchange *x, size_t n) {
  struct http_buffer *raw = &x->body.raw;
  const int64_t length = x->request.content_length;
  if (!raw->p && length >= 0 && length + HTTP_BODY_PAD <= HELD_FREE_BYTES) {
    raw->cap = (size_t)length + HTTP_BODY_PAD;
    raw->p = arena_alloc(&x->arena, raw->cap);
    if (!raw->p) raw->cap = 0;
  }
  return reserve(raw, n);
}

/* --- arrival, on the loop's stack --- */

static void wake_reader(struct http_body *b) {
  if (b->is_reading) fiber_wake(b->reader);
}

static void fail(struct http_exchange *x, enum err e) {
  struct http_body *b = &x->body;
  if (!b->failure) b->failure = e;
  x->conn->deadline_us = DEADLINE_NONE;
  wake_reader(b);
}

void http_body_fail(struct http_exchange *x, enum err e, const char *text) {
  if (!x->body.failure) x->body.failure_text = text;
  fail(x, e);
}

void http_body_complete(struct http_exchange *x) {
  x->body.is_complete = true;
  x->conn->deadline_us = DEADLINE_NONE;
  wake_reader(&x->body);
}

static bool is_over_budget(const struct http_exchange *x) { return x->body.raw.charged.charged && held_is_over(); }

bool http_body_wants_input(const struct http_exchange *x) {
  const struct http_body *b = &x->body;
  if (b->failure) return false;
  if (!b->is_reading) return b->raw.n < HTTP_EARLY_BYTES && !is_over_budget(x);
  return !b->is_paused && (b->coding == HTTP_CODING_IDENTITY || b->raw.n - b->taken < HTTP_EARLY_BYTES);
}

struct iovec http_body_room(struct http_exchange *x) {
  struct http_body *b = &x->body;
  const int64_t length = x->request.content_length;
  if (!b->is_reading || b->failure || b->coding != HTTP_CODING_IDENTITY || length < 0) return (struct iovec){NULL, 0};
  const size_t left = (size_t)length - b->raw.n;
  if (left < DIRECT_MIN_BYTES || b->raw.cap < b->raw.n + left + HTTP_BODY_PAD) return (struct iovec){NULL, 0};
  return (struct iovec){b->raw.p + b->raw.n, left < DIRECT_MAX_BYTES ? left : DIRECT_MAX_BYTES};
}

static void show(struct http_exchange *x, struct str piece) {
  struct http_body *b = &x->body;
  if (!b->options || !b->options->on_bytes || piece.n == 0 || b->failure) return;
  loop_enter_callback(); /* it may only compute, on whatever stack this is */
  const enum err e = b->options->on_bytes(b->options->arg, piece, b->info);
  loop_leave_callback();
  if (e) fail(x, e);
}

void http_body_arrive(struct http_exchange *x, struct str piece) {
  struct http_body *b = &x->body;
  b->received += piece.n;
  if (b->failure) return;
  if (b->is_reading && b->coding == HTTP_CODING_IDENTITY && b->received > b->max) {
    fail(x, ERR_BODY_TOO_LARGE);
    return;
  }
  if (!b->raw.p || piece.p != b->raw.p + b->raw.n) {
    if (!reserve_raw(x, piece.n)) {
      fail(x, ERR_NO_MEMORY);
      return;
    }
    memcpy(b->raw.p + b->raw.n, piece.p, piece.n);
  }
  piece.p = b->raw.p + b->raw.n;
  b->raw.n += piece.n;
  if (!b->is_reading) return;
  x->conn->deadline_us = loop_now_us() + (uint64_t)limits_of(x)->body_timeout_ms * 1000;
  if (b->coding == HTTP_CODING_IDENTITY) {
    show(x, piece);
    b->is_paused = is_over_budget(x);
    if (b->is_paused) wake_reader(b);
  } else {
    wake_reader(b);
  }
}

/* --- reading, on the fiber --- */

static enum http_coding coding_of(const struct http_request *r) {
  const struct str name = STR("Content-Encoding");
  const struct str value = str_trim(http_header_get(r->headers, name));
  if (value.n == 0 && http_header_count(r->headers, name) < 2) return HTTP_CODING_IDENTITY;
  if (http_header_count(r->headers, name) > 1) return HTTP_CODING_UNKNOWN;
  if (str_eq_nocase(value, STR("identity"))) return HTTP_CODING_IDENTITY;
  if (str_eq_nocase(value, STR("gzip")) || str_eq_nocase(value, STR("x-gzip"))) return HTTP_CODING_GZIP;
  return str_eq_nocase(value, STR("deflate")) ? HTTP_CODING_DEFLATE : HTTP_CODING_UNKNOWN;
}

/* Charges a buffer of `bytes` to *held, waiting for others to give theirs back. */
WAIT static enum err wait_for_budget(struct http_exchange *x, struct held *held, size_t bytes, struct err_info *info) {
  const uint64_t until_us = loop_now_us() + (uint64_t)limits_of(x)->held_wait_ms * 1000;
  while (!held_try(held, bytes)) {
    if (x->conn->is_gone) return ERR_CANCELLED;
    if (clock_mono_us() >= until_us) return held_busy(info);
    const enum err e = fiber_sleep_until(clock_mono_us() + BUDGET_POLL_US);
    if (e) return e;
  }
  return OK;
}

/* A body that grew past the budget while it arrived. */
WAIT static enum err wait_while_over(struct http_exchange *x, struct err_info *info) {
  const uint64_t until_us = loop_now_us() + (uint64_t)limits_of(x)->held_wait_ms * 1000;
  x->conn->deadline_us = DEADLINE_NONE;
  http_conn_update(x->conn);
  while (is_over_budget(x)) {
    if (x->conn->is_gone) return ERR_CANCELLED;
    if (clock_mono_us() >= until_us) return held_busy(info);
    const enum err e = fiber_sleep_until(clock_mono_us() + BUDGET_POLL_US);
    if (e) return e;
  }
  x->body.is_paused = false;
  if (!x->body.is_complete) x->conn->deadline_us = loop_now_us() + (uint64_t)limits_of(x)->body_timeout_ms * 1000;
  return OK;
}

static enum err failure_of(const struct http_body *b, struct err_info *info) {
  return b->failure_text ? err_set(info, b->failure, "%s", b->failure_text) : b->failure;
}

WAIT static enum err park_for_input(struct http_exchange *x) {
  struct http_conn *c = x->conn;
  http_conn_update(c);
  if (c->is_gone) return ERR_CANCELLED;
  return fiber_park(DEADLINE_NONE);
}

/* All of a body without a coding. */
WAIT static enum err collect(struct http_exchange *x, struct err_info *info) {
  struct http_body *b = &x->body;
  while (!b->failure && !b->is_complete) {
    const enum err e = b->is_paused ? wait_while_over(x, info) : park_for_input(x);
    if (e) return e;
  }
  return b->failure ? failure_of(b, info) : OK;
}

/* One step of decoding: at most INFLATE_STEP_BYTES of output. *is_idle: nothing to decode at present. */
WAIT static enum err inflate_step(struct http_exchange *x, struct http_inflate *z, bool *is_idle,
                                  struct err_info *info) {
  struct http_body *b = &x->body;
  struct http_buffer *d = &b->decoded;
  size_t cap = d->n + INFLATE_STEP_BYTES + HTTP_BODY_PAD, made = 0;
  if (cap > d->cap) {
    if (cap < d->cap * 2) cap = d->cap * 2;
    enum err e = wait_for_budget(x, &d->charged, cap, info);
    if (e) return e;
    if (!grow_to(d, cap)) return ERR_NO_MEMORY;
  }
  struct str in = str_from(b->raw.p + b->taken, b->raw.n - b->taken);
  const enum err e = http_inflate_run(z, &in, d->p + d->n, INFLATE_STEP_BYTES, &made, info);
  if (e) return e;
  b->taken = b->raw.n - in.n;
  if (b->taken == b->raw.n) b->taken = b->raw.n = 0;
  d->n += made;
  if (d->n > b->max) return ERR_BODY_TOO_LARGE;
  if (d->n > RATIO_FREE_BYTES && (d->n - RATIO_FREE_BYTES) / limits_of(x)->inflate_ratio > b->received)
    return err_set(info, ERR_BODY_TOO_LARGE, "the compressed body expands too much");
  show(x, str_from(d->p + d->n - made, made));
  *is_idle = made < INFLATE_STEP_BYTES;
  return OK;
}

/* All of a body with one. */
WAIT static enum err decode(struct http_exchange *x, struct err_info *info) {
  struct http_body *b = &x->body;
  struct http_inflate *z;
  enum err e = http_inflate_new(&z, b->coding);
  if (e) return e;
  while (!e && !b->failure) {
    bool is_idle = true;
    e = inflate_step(x, z, &is_idle, info);
    if (e || b->failure) break;
    if (!is_idle)
      e = fiber_yield();
    else if (b->raw.n > b->taken)
      continue;
    else if (b->is_complete)
      break;
    else
      e = park_for_input(x);
  }
  if (!e && b->failure) e = failure_of(b, info);
  if (!e && !http_inflate_is_ended(z)) e = err_set(info, ERR_BAD_REQUEST, "the compressed body is incomplete");
  http_inflate_free(z);
  return e;
}

/* What can be refused before a byte of the body is asked for. */
static enum err check_before(struct http_exchange *x, struct err_info *info) {
  struct http_body *b = &x->body;
  b->coding = coding_of(&x->request);
  if (b->coding == HTTP_CODING_UNKNOWN)
    return err_set(info, ERR_UNSUPPORTED_MEDIA, "the only content codings taken here are gzip and deflate");
  if (b->coding != HTTP_CODING_IDENTITY) return OK;
  const int64_t length = x->request.content_length;
  if (length >= 0 ? (uint64_t)length > b->max : b->received > b->max) return ERR_BODY_TOO_LARGE;
  return OK;
}

WAIT static enum err prepare(struct http_exchange *x, struct err_info *info) {
  struct http_body *b = &x->body;
  const int64_t length = x->request.content_length;
  if (b->failure) return failure_of(b, info);
  if (b->coding != HTTP_CODING_IDENTITY || length < 0 || b->is_complete) return OK;
  const size_t cap = (size_t)length + HTTP_BODY_PAD;
  const enum err e = wait_for_budget(x, &b->raw.charged, cap > b->raw.cap ? cap : b->raw.cap, info);
  if (e) return e;
  return reserve_raw(x, (size_t)length - b->raw.n) ? OK : ERR_NO_MEMORY;
}

static enum err send_continue(struct http_exchange *x) {
  if (!x->expects_continue) return OK;
  x->expects_continue = false;
  if (x->body.received || x->body.is_complete) return OK; /* it did not wait */
  static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
  struct iovec v = {(void *)(uintptr_t)text, sizeof text - 1};
  return http_out_send(x->conn, &v, 1);
}

WAIT static enum err read_body(struct http_exchange *x, struct err_info *info) {
  struct http_body *b = &x->body;
  enum err e = check_before(x, info);
  if (!e) e = prepare(x, info);
  if (!e) e = send_continue(x);
  if (e) return e;
  b->reader = fiber_self();
  b->is_reading = true;
  if (!b->is_complete) x->conn->deadline_us = loop_now_us() + (uint64_t)limits_of(x)->body_timeout_ms * 1000;
  if (b->coding == HTTP_CODING_IDENTITY) {
    show(x, str_from(b->raw.p, b->raw.n));
    return collect(x, info);
  }
  return decode(x, info);
}

enum err http_exchange_read_body(struct http_exchange *x, const struct http_body_options *options, struct str *out,
                                 struct err_info *info) {
  struct http_body *b = &x->body;
  if (x->conn->is_gone) return ERR_CANCELLED;
  if (b->is_over && b->failure) return failure_of(b, info);
  if (!b->is_over && x->request.has_body) {
    b->max = options && options->max_bytes ? options->max_bytes : limits_of(x)->body_bytes;
    b->options = options;
    b->info = info;
    const enum err e = read_body(x, info);
    b->is_reading = false;
    b->options = NULL;
    b->info = NULL;
    b->is_over = true;
    x->conn->deadline_us = DEADLINE_NONE;
    if (e) {
      b->failure = e;
      http_conn_update(x->conn);
      return e;
    }
    struct http_buffer *all = b->coding == HTTP_CODING_IDENTITY ? &b->raw : &b->decoded;
    b->result = str_from(all->p, all->n);
    memset(all->p + all->n, 0, HTTP_BODY_PAD);
    http_conn_update(x->conn);
  }
  *out = b->result.p ? b->result : str_from(zeros, 0);
  return OK;
}
