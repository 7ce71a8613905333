/* N connections to one port on one epoll: opens, sends the one prepared request, parses the reply, and tells the mode
 * through its hooks. The modes closed, streams and idle are hooks over it; they decide when a connection asks again.
 * Lifetime: one engine per run, connections in one array. Single-threaded.
 * Invariant: a connection is in flight from engine_begin until exactly one of on_done or on_fail. */
#ifndef BENCH_LOAD_ENGINE_H
#define BENCH_LOAD_ENGINE_H

#include "options.h"
#include "reply.h"
#include "sse.h"

enum conn_state { CONN_CLOSED, CONN_CONNECTING, CONN_SENDING, CONN_WAITING, CONN_IDLE };

struct conn {
  int fd;
  enum conn_state state;
  bool is_reused; /* this request is not the first on its connection */
  bool wants_writable;
  size_t sent;
  uint64_t began_ns; /* when the request was due */
  uint64_t first_ns; /* streams: first content event of this reply, 0 before it */
  uint64_t last_ns;  /* streams: newest content event */
  unsigned finished; /* streams: how many this connection has ended */
  struct reply reply;
  struct sse sse;
};

struct engine;
struct engine_hooks {
  void (*on_body)(struct engine *engine, struct conn *conn, const char *data, size_t length); /* may be NULL */
  void (*on_done)(struct engine *engine, struct conn *conn); /* any status; the connection is idle or closed */
  void (*on_fail)(struct engine *engine, struct conn *conn); /* closed before the reply's end, or no reply */
};

struct engine {
  const struct options *options;
  const struct engine_hooks *hooks;
  void *context;
  int epoll_fd;
  char *request;
  size_t request_length;
  struct conn *conns;
  unsigned in_flight;
  uint64_t now_ns; /* of the newest event */
  uint64_t connects;
  uint64_t stale;       /* reused connections that closed before a byte of reply; asked again on a new one */
  uint64_t idle_closed; /* closed by the peer while idle */
  uint64_t body_bytes;
};

void engine_open(struct engine *engine, const struct options *options, const struct engine_hooks *hooks, void *context);
/* Starts a request that was due at due_ns: its latency counts from there. */
void engine_begin(struct engine *engine, struct conn *conn, uint64_t due_ns);
/* Waits for events until until_ns at most and handles what came. */
void engine_step(struct engine *engine, uint64_t until_ns);
void engine_close(struct engine *engine);

#endif
