/* One client connection: its descriptor, what poll watches, reading, and the ways it ends. Made by http_listener.c;
 * runs on the loop's stack but for http_conn_exchange_done, which an exchange's fiber calls last. The parser glue is in
 * http_conn_input.c. Reading never stops while a request runs but for the bounds on what is held; even then poll
 * watches for the client's disappearance. Invariant: `events` is what libuv was last told. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/http_server_internal.h"

enum { READS_PER_EVENT = 4 };

static void on_poll(uv_poll_t *poll, int status, int events);

/* --- ends --- */

static void free_if_ended(struct http_conn *c) {
  if (!c->is_handle_closed || c->x) return;
  struct http_server *s = c->server;
  if (c->prev)
    c->prev->next = c->next;
  else
    s->conns = c->next;
  if (c->next) c->next->prev = c->prev;
  free(c);
  http_server_conn_freed(s);
}

static void on_handle_closed(uv_handle_t *handle) {
  struct http_conn *c = handle->data;
  c->is_handle_closed = true;
  free_if_ended(c);
}

void http_conn_close(struct http_conn *c) {
  if (c->fd < 0) return;
  struct http_server *s = c->server;
  if (c->is_reset_on_close) {
    const struct linger now = {1, 0};
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }
  uv_close((uv_handle_t *)&c->poll, on_handle_closed); /* stops watching at once, so the descriptor may go */
  close(c->fd);
  c->fd = -1;
  c->state = CONN_CLOSED;
  http_parse_clear(&c->parse);
  http_out_clear(c);
  buf_clear(&c->pending);
  held_charge(&c->pending_charged, 0);
  s->stats.connections_open--;
  http_listener_count(s->listener, s->index, -1);
  http_listener_update(s);
}

void http_conn_gone(struct http_conn *c) {
  if (c->is_gone) return;
  c->is_gone = true;
  if (c->x) {
    c->server->stats.client_gone++;
    fiber_cancel(c->x->fiber);
    fiber_wake(c->x->body.reader);
  }
  fiber_wake(c->writer);
  http_conn_close(c);
}

static void finish_flush(struct http_conn *c) {
  if (!c->is_lingering || c->is_eof) {
    http_conn_close(c);
    return;
  }
  shutdown(c->fd, SHUT_WR);
  c->state = CONN_LINGER;
  c->deadline_us = loop_now_us() + HTTP_LINGER_MS * 1000;
  http_conn_update(c);
}

void http_conn_close_after_flush(struct http_conn *c, bool is_lingering) {
  if (c->fd < 0) return;
  c->state = CONN_FLUSH;
  c->is_lingering = is_lingering;
  http_parse_clear(&c->parse);
  if (c->out.n == 0)
    finish_flush(c);
  else
    http_conn_update(c);
}

/* --- reading --- */

static bool wants_input(const struct http_conn *c) {
  if (c->is_eof) return false;
  switch (c->state) {
    case CONN_RUN:
      if (c->is_broken) return true;
      return c->is_message_done ? c->pending.n - c->pending_at < HTTP_PENDING_BYTES : http_body_wants_input(c->x);
    case CONN_FLUSH: return c->is_lingering;
    default: return true;
  }
}

void http_conn_update(struct http_conn *c) {
  if (c->fd < 0) return;
  const int events =
      (c->is_eof ? 0 : UV_DISCONNECT) | (wants_input(c) ? UV_READABLE : 0) | (c->out.n > c->out.at ? UV_WRITABLE : 0);
  if (events == c->events) return;
  c->events = (uint8_t)events;
  if (uv_poll_start(&c->poll, events, on_poll) != 0) http_conn_gone(c);
}

static void on_eof(struct http_conn *c) {
  if (c->state != CONN_RUN && c->out.n) { /* let the reply out; it was complete */
    c->is_eof = true;
    http_conn_close_after_flush(c, false);
  } else {
    http_conn_gone(c);
  }
}

static void read_some(struct http_conn *c) {
  for (unsigned i = 0; i < READS_PER_EVENT; i++) {
    struct iovec room = {NULL, 0};
    if (c->state == CONN_RUN && !c->is_message_done) room = http_body_room(c->x);
    const bool is_bulk = room.iov_len > 0; /* a large body takes turns with everybody else: one read an event */
    if (!room.iov_len) room = (struct iovec){c->server->read_buffer, HTTP_READ_BYTES};
    const ssize_t n = recv(c->fd, room.iov_base, room.iov_len, MSG_DONTWAIT);
    if (n == 0) {
      on_eof(c);
      return;
    }
    if (n < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN && errno != EWOULDBLOCK) http_conn_gone(c);
      return;
    }
    http_conn_input(c, str_from(room.iov_base, (size_t)n));
    if (c->fd < 0) return;
    if (is_bulk || (size_t)n < room.iov_len || !wants_input(c)) break;
  }
  http_conn_update(c);
}

static void on_poll(uv_poll_t *poll, int status, int events) {
  struct http_conn *c = poll->data;
  if (status < 0) { /* reset by the peer: libuv has stopped watching */
    http_conn_gone(c);
    return;
  }
  if (events & UV_WRITABLE) {
    http_out_flush(c);
    if (c->out.n == 0 && c->state == CONN_IDLE)
      c->deadline_us = loop_now_us() + (uint64_t)c->server->options.limits.idle_timeout_ms * 1000;
    if (c->out.n == 0 && c->state == CONN_FLUSH) finish_flush(c);
    if (c->fd < 0) return;
  }
  /* What came before the end is read first: a client may send all and half-close. */
  if ((events & UV_READABLE) && wants_input(c))
    read_some(c);
  else if (events & UV_DISCONNECT)
    on_eof(c);
}

/* --- begin --- */

void http_conn_open(struct http_server *s, int fd, const struct http_peer *peer) {
  struct http_conn *c = calloc(1, sizeof *c);
  if (!c || uv_poll_init(s->uv, &c->poll, fd) != 0) {
    free(c);
    close(fd);
    s->stats.connections_refused++;
    return;
  }
  c->poll.data = c;
  c->server = s;
  c->fd = fd;
  c->peer = *peer;
  c->deadline_us = loop_now_us() + (uint64_t)s->options.limits.idle_timeout_ms * 1000;
  http_parse_init(&c->parse, &s->parse);
  c->next = s->conns;
  if (c->next) c->next->prev = c;
  s->conns = c;
  s->stats.connections_accepted++;
  s->stats.connections_open++;
  http_listener_count(s->listener, s->index, 1);
  http_listener_update(s);
  http_server_start_sweep(s);
  http_conn_update(c);
}

/* At the cap of connections: one system call's worth of an answer, without a connection to keep. */
void http_conn_refuse(struct http_server *s, int fd) {
  struct err_info info = {.retry_after_ms = 1000};
  struct buf body;
  buf_init(&body, 0);
  http_reply_error_body(s, STR_NONE, ERR_BUSY, &info, &body);
  struct http_header v[] = {{STR("Content-Type"), STR("application/json")}, {STR("Retry-After"), STR("1")}};
  struct http_reply_head h = {503, {v, 2}, (int64_t)body.n, false, true, false};
  struct str head;
  if (!body.failed && http_reply_head_build(s, NULL, &h, &head) == OK) {
    struct iovec out[2] = {{(void *)(uintptr_t)head.p, head.n}, {body.p, body.n}};
    struct msghdr message = {.msg_iov = out, .msg_iovlen = 2};
    /* Unread input would make close() send RST, which may destroy the answer. */
    if (sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) > 0 && shutdown(fd, SHUT_WR) == 0)
      (void)!recv(fd, s->read_buffer, HTTP_READ_BYTES, MSG_DONTWAIT);
  }
  buf_clear(&body);
  close(fd);
}

/* --- after an exchange --- */

void http_conn_exchange_done(struct http_conn *c) {
  struct http_exchange *x = c->x;
  const bool is_cut = x->reply != REPLY_DONE;
  const bool keep_alive = x->keep_alive && !x->is_close_after && !c->server->is_draining && !c->is_broken;
  const bool is_expecting = x->expects_continue;
  const int64_t length = x->request.content_length;
  const uint64_t received = x->body.received;
  c->x = NULL;
  http_exchange_recycle(c->server, x);
  if (c->fd < 0) {
    free_if_ended(c);
    return;
  }
  if (is_cut) {
    http_conn_close_after_flush(c, false);
  } else if (c->is_message_done) {
    if (!keep_alive) {
      http_conn_close_after_flush(c, c->pending.n > c->pending_at);
      return;
    }
    http_conn_next(c);
  } else if (keep_alive && !is_expecting && length >= 0 && (uint64_t)length - received <= HTTP_DISCARD_BYTES) {
    c->state = CONN_DISCARD;
    c->deadline_us = loop_now_us() + HTTP_DISCARD_MS * 1000;
    http_conn_update(c);
  } else {
    http_conn_close_after_flush(c, true);
  }
}
