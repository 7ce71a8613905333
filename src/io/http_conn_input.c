/* From bytes to exchanges: feeds the parser, begins an exchange for each head, hands bodies on, keeps pipelined input
 * for later, and answers what breaks the protocol. Called by http_conn.c with what was read and, after a request, for
 * what was kept. Also the deadlines of a connection's states. Runs on the loop's stack, or at the end of a fiber that
 * makes room for the next request. Invariant: input beyond a complete request is never parsed before that has ended. */
#include <sys/socket.h>

#include "io/http_server_internal.h"

enum { DRAIN_GRACE_US = 1000000 };

static uint64_t after_ms(uint32_t ms) { return loop_now_us() + (uint64_t)ms * 1000; }

/* The rest of a message cannot be understood. */
static void on_bad_message(struct http_conn *c, enum err e, const struct err_info *info) {
  c->server->stats.protocol_errors++;
  if (c->state == CONN_RUN) { /* the handler answers; nobody can say where the next request would begin */
    c->is_broken = true;
    http_body_fail(c->x, e, "the request's body is malformed");
  } else if (c->state == CONN_DISCARD) {
    http_conn_close_after_flush(c, true);
  } else {
    http_reply_error(c, http_parse_path(&c->parse), e, info);
  }
}

static void begin(struct http_conn *c) {
  const enum err e = http_exchange_begin(c);
  if (e) {
    struct err_info info = {.retry_after_ms = 1000};
    http_reply_error(c, STR_NONE, e, &info);
    return;
  }
  c->state = CONN_RUN;
  c->is_message_done = false;
  c->deadline_us = DEADLINE_NONE;
  c->server->stats.requests++;
}

static void on_message_done(struct http_conn *c) {
  if (c->state == CONN_RUN) {
    c->is_message_done = true;
    http_body_complete(c->x);
  } else {
    c->state = CONN_IDLE;
    c->deadline_us = after_ms(c->server->options.limits.idle_timeout_ms);
  }
}

static void on_step(struct http_conn *c, const struct http_parse_step *step) {
  if (step->has_head) begin(c);
  if (step->body.n && c->state == CONN_RUN) http_body_arrive(c->x, step->body);
  if (step->is_done && (c->state == CONN_RUN || c->state == CONN_DISCARD)) on_message_done(c);
}

/* Takes from *in what can be parsed now. */
static void feed(struct http_conn *c, struct str *in) {
  while (in->n) {
    if (c->state == CONN_IDLE) {
      if (in->n >= 2 && in->p[0] == '\r' && in->p[1] == '\n') { /* an empty line between requests is no request */
        *in = str_sub(*in, 2, in->n);
        continue;
      }
      c->state = CONN_HEAD;
      c->started_us = loop_now_us();
      c->deadline_us = after_ms(c->server->options.limits.header_timeout_ms);
    }
    if (c->state == CONN_RUN && c->is_message_done) return;
    if (c->state > CONN_DISCARD || c->is_broken) {
      *in = STR_NONE; /* on its way out: whatever comes is thrown away */
      return;
    }
    struct http_parse_step step;
    struct err_info info = {0};
    const enum err e = http_parse_run(&c->parse, in, &step, &info);
    if (e) {
      on_bad_message(c, e, &info);
      *in = STR_NONE;
      return;
    }
    on_step(c, &step);
  }
}

static void keep_pending(struct http_conn *c, struct str rest) {
  if (c->pending_at) {
    buf_shift(&c->pending, c->pending_at);
    c->pending_at = 0;
  }
  buf_put(&c->pending, rest);
  held_charge(&c->pending_charged, c->pending.cap);
  if (c->pending.failed) http_conn_gone(c);
}

void http_conn_input(struct http_conn *c, struct str in) {
  feed(c, &in);
  if (in.n && c->state == CONN_RUN) keep_pending(c, in);
}

void http_conn_next(struct http_conn *c) {
  c->state = CONN_IDLE;
  c->deadline_us = after_ms(c->server->options.limits.idle_timeout_ms);
  if (c->pending.n) {
    struct str rest = str_from(c->pending.p + c->pending_at, c->pending.n - c->pending_at);
    feed(c, &rest);
    if (c->fd < 0) return;
    if (rest.n) {
      c->pending_at = c->pending.n - rest.n;
    } else {
      buf_clear(&c->pending);
      c->pending_at = 0;
      held_charge(&c->pending_charged, 0);
    }
  }
  http_conn_update(c);
}

/* True when the kernel holds bytes that the loop has not seen yet. */
static bool has_unread_input(const struct http_conn *c) {
  char byte;
  return recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

static void sweep_idle(struct http_conn *c, uint64_t now_us) {
  const bool is_new = c->started_us == 0;
  if (c->out.n) { /* a reply is on its way out, which has a deadline of its own */
    if (c->server->is_draining) http_conn_close_after_flush(c, false);
    return;
  }
  if (c->server->is_draining && c->deadline_us != 0) {
    /* A connection from the emptied queue gets a moment to send its request; others only what they have sent. */
    if (is_new && c->deadline_us > now_us + DRAIN_GRACE_US) c->deadline_us = now_us + DRAIN_GRACE_US;
    if (!is_new && !has_unread_input(c)) c->deadline_us = 0;
  }
  if (now_us < c->deadline_us) return;
  if (!c->server->is_draining) c->server->stats.timeouts++;
  http_conn_close(c);
}

void http_conn_sweep(struct http_conn *c, uint64_t now_us) {
  if (c->out.n && now_us >= c->write_deadline_us) {
    c->server->stats.timeouts++;
    c->is_reset_on_close = true;
    http_conn_gone(c);
    return;
  }
  if (c->state == CONN_IDLE) {
    sweep_idle(c, now_us);
    return;
  }
  if (now_us < c->deadline_us) return;
  switch (c->state) {
    case CONN_HEAD:
      c->server->stats.timeouts++;
      http_reply_error(c, STR_NONE, ERR_REQUEST_TIMEOUT, NULL);
      break;
    case CONN_RUN:
      c->server->stats.timeouts++;
      http_body_fail(c->x, ERR_REQUEST_TIMEOUT, "the request's body did not arrive in time");
      break;
    case CONN_DISCARD: http_conn_close_after_flush(c, true); break;
    case CONN_LINGER: http_conn_close(c); break;
    default: break; /* a flush has the write deadline; a closed one is waiting for libuv or its fiber */
  }
}
