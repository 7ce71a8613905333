/* The connection engine: see engine.h. */
#include "engine.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define READ_BYTES (256u * 1024u)
#define EVENTS 256
#define SEND_BYTES (64u * 1024u) /* the most one call hands to the kernel, as clients do */

static char read_buffer[READ_BYTES];

static void die(const char *what) {
  fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
  exit(1);
}

void engine_open(struct engine *engine, const struct options *options, const struct engine_hooks *hooks,
                 void *context) {
  memset(engine, 0, sizeof(*engine));
  engine->options = options;
  engine->hooks = hooks;
  engine->context = context;
  engine->request = options_request(options, &engine->request_length);
  engine->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  engine->conns = calloc(options->conns, sizeof(*engine->conns));
  if (engine->epoll_fd < 0 || !engine->conns) die("start");
  for (unsigned i = 0; i < options->conns; i++) engine->conns[i].fd = -1;
  engine->now_ns = options_now_ns();
}

static void want_writable(struct engine *engine, struct conn *conn, bool wanted) {
  struct epoll_event event = {.events = EPOLLIN | (wanted ? (uint32_t)EPOLLOUT : 0u), .data.ptr = conn};
  if (conn->wants_writable == wanted) return;
  conn->wants_writable = wanted;
  if (epoll_ctl(engine->epoll_fd, EPOLL_CTL_MOD, conn->fd, &event) != 0) die("epoll_ctl");
}

static void drop(struct conn *conn) {
  close(conn->fd);
  conn->fd = -1;
  conn->state = CONN_CLOSED;
}

static void fail(struct engine *engine, struct conn *conn) {
  drop(conn);
  engine->in_flight--;
  engine->hooks->on_fail(engine, conn);
}

static void send_rest(struct engine *engine, struct conn *conn) {
  conn->state = CONN_SENDING;
  while (conn->sent < engine->request_length) {
    size_t part = engine->request_length - conn->sent;
    if (part > SEND_BYTES) part = SEND_BYTES;
    ssize_t n = send(conn->fd, engine->request + conn->sent, part, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) {
      want_writable(engine, conn, true);
      return;
    }
    if (n < 0) break; /* the reason, if any, is in what the peer sent; reading tells */
    conn->sent += (size_t)n;
  }
  want_writable(engine, conn, false);
  conn->state = CONN_WAITING;
}

static void dial(struct engine *engine, struct conn *conn) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(engine->options->port)};
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = conn};
  int one = 1;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  conn->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (conn->fd < 0) die("socket");
  setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  engine->connects++;
  conn->state = CONN_CONNECTING;
  conn->is_reused = false;
  conn->wants_writable = true;
  if (connect(conn->fd, (struct sockaddr *)&to, sizeof(to)) != 0 && errno != EINPROGRESS) {
    fail(engine, conn);
    return;
  }
  if (epoll_ctl(engine->epoll_fd, EPOLL_CTL_ADD, conn->fd, &event) != 0) die("epoll_ctl");
}

static void ask(struct engine *engine, struct conn *conn) {
  conn->sent = 0;
  conn->first_ns = 0;
  conn->last_ns = 0;
  reply_reset(&conn->reply);
  sse_reset(&conn->sse, engine->options->dialect);
  if (conn->state == CONN_CLOSED) {
    dial(engine, conn);
  } else {
    conn->is_reused = true;
    send_rest(engine, conn);
  }
}

void engine_begin(struct engine *engine, struct conn *conn, uint64_t due_ns) {
  engine->in_flight++;
  conn->began_ns = due_ns;
  ask(engine, conn);
}

struct body_call {
  struct engine *engine;
  struct conn *conn;
};

static void on_body(void *context, const char *data, size_t length) {
  struct body_call *call = context;
  call->engine->body_bytes += length;
  if (call->engine->hooks->on_body) call->engine->hooks->on_body(call->engine, call->conn, data, length);
}

static void finish(struct engine *engine, struct conn *conn) {
  bool keep = !conn->reply.is_closing && !engine->options->is_fresh && conn->sent == engine->request_length;
  conn->state = CONN_IDLE;
  if (!keep) drop(conn);
  engine->in_flight--;
  engine->hooks->on_done(engine, conn);
}

static void on_end_of_input(struct engine *engine, struct conn *conn) {
  if (conn->state == CONN_IDLE) {
    engine->idle_closed++;
    drop(conn);
  } else if (reply_at_close(&conn->reply)) {
    finish(engine, conn);
  } else if (conn->is_reused && conn->reply.head_length == 0) {
    engine->stale++;
    drop(conn);
    ask(engine, conn);
  } else {
    fail(engine, conn);
  }
}

static void on_readable(struct engine *engine, struct conn *conn) {
  ssize_t n = recv(conn->fd, read_buffer, sizeof(read_buffer), 0);
  struct body_call call = {engine, conn};
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) {
    on_end_of_input(engine, conn);
    return;
  }
  engine->now_ns = options_now_ns();
  if (conn->state == CONN_IDLE) { /* nobody asked */
    engine->idle_closed++;
    drop(conn);
    return;
  }
  ssize_t took = reply_feed(&conn->reply, read_buffer, (size_t)n, on_body, &call);
  if (took < 0 || (took < n && conn->reply.state != REPLY_DONE)) {
    fail(engine, conn);
  } else if (conn->reply.state == REPLY_DONE) {
    if (took < n) conn->reply.is_closing = true; /* bytes after the reply: never reuse */
    finish(engine, conn);
  }
}

static void on_event(struct engine *engine, struct conn *conn, uint32_t events) {
  if (conn->fd < 0) return; /* dropped by an earlier event of this turn */
  if (conn->state == CONN_CONNECTING) {
    int error = 0;
    socklen_t length = sizeof(error);
    getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error) {
      fail(engine, conn);
      return;
    }
    send_rest(engine, conn);
  } else if (events & EPOLLOUT) {
    send_rest(engine, conn);
  }
  if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) on_readable(engine, conn);
}

void engine_step(struct engine *engine, uint64_t until_ns) {
  struct epoll_event events[EVENTS];
  uint64_t now = options_now_ns();
  uint64_t wait_ns = until_ns > now ? until_ns - now : 0;
  struct timespec wait = {(time_t)(wait_ns / NS_PER_S), (long)(wait_ns % NS_PER_S)};
  int n = epoll_pwait2(engine->epoll_fd, events, EVENTS, &wait, NULL);
  if (n < 0 && errno != EINTR) die("epoll_pwait2");
  engine->now_ns = options_now_ns();
  for (int i = 0; i < n; i++) on_event(engine, events[i].data.ptr, events[i].events);
}

void engine_close(struct engine *engine) {
  for (unsigned i = 0; i < engine->options->conns; i++)
    if (engine->conns[i].fd >= 0) close(engine->conns[i].fd);
  close(engine->epoll_fd);
  free(engine->conns);
  free(engine->request);
}
