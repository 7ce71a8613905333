/* One request and its reply: made when a head is complete, runs the handler on a fiber of its own, ends with it. A
 * small pool per worker keeps exchanges with one warm arena block, so that a request in the steady state allocates
 * nothing. Invariant: c->x == x from http_exchange_begin until http_conn_exchange_done, whatever becomes of the
 * descriptor. */
#include <stdlib.h>

#include "io/http_server_internal.h"

enum { POOL_MAX = 128 };

static struct http_exchange *take_exchange(struct http_server *s) {
  struct http_exchange *x = s->free_exchanges;
  if (!x) {
    x = calloc(1, sizeof *x);
    if (x) arena_init(&x->arena, 0);
    return x;
  }
  s->free_exchanges = x->next_free;
  s->free_count--;
  const struct arena arena = x->arena;
  *x = (struct http_exchange){.arena = arena};
  return x;
}

static void free_exchange(struct http_exchange *x) {
  arena_clear(&x->arena);
  free(x);
}

void http_exchange_recycle(struct http_server *s, struct http_exchange *x) {
  s->stats.exchanges_live--;
  http_body_clear(x);
  if (s->free_count >= POOL_MAX || s->is_draining) {
    free_exchange(x);
    return;
  }
  arena_reset(&x->arena);
  x->next_free = s->free_exchanges;
  s->free_exchanges = x;
  s->free_count++;
}

void http_exchange_free_all(struct http_server *s) {
  while (s->free_exchanges) {
    struct http_exchange *x = s->free_exchanges;
    s->free_exchanges = x->next_free;
    free_exchange(x);
  }
}

/* The fiber of a request. */
static void run(void *arg) {
  struct http_exchange *x = arg;
  struct http_conn *c = x->conn;
  struct http_server *s = c->server;
  /* A body that broke before the handler began spares it the trouble. */
  if (c->is_broken)
    x->reply = http_reply_missing(x, x->body.failure) == OK ? REPLY_DONE : REPLY_CUT;
  else if (!c->is_gone)
    s->options.handler(x, s->options.arg);
  if (x->reply <= REPLY_HELD && !c->is_gone) {
    const enum err why = http_exchange_is_drained(x) ? ERR_SHUTTING_DOWN : ERR_INTERNAL;
    if (http_reply_missing(x, why) != OK) x->reply = REPLY_CUT;
  }
  http_conn_exchange_done(c);
}

enum err http_exchange_begin(struct http_conn *c) {
  struct http_server *s = c->server;
  struct http_exchange *x = take_exchange(s);
  if (!x) return ERR_NO_MEMORY;
  s->stats.exchanges_live++;
  x->conn = c;
  x->started_us = c->started_us;
  x->request_keep_alive = c->parse.head.keep_alive;
  x->expects_continue = c->parse.head.expects_continue;
  x->body.is_complete = !c->parse.head.has_body;
  enum err e = http_parse_take(&c->parse, &x->arena, &x->request);
  if (!e) e = fiber_spawn(&x->fiber, run, x);
  if (e) {
    http_exchange_recycle(s, x);
    return e;
  }
  c->x = x;
  return OK;
}

const struct http_request *http_exchange_request(const struct http_exchange *x) { return &x->request; }
const struct http_peer *http_exchange_peer(const struct http_exchange *x) { return &x->conn->peer; }
bool http_exchange_is_drained(const struct http_exchange *x) {
  return x->conn->server->is_cancelled && !x->conn->is_gone;
}
struct arena *http_exchange_arena(struct http_exchange *x) {
  return &x->arena;
}
uint64_t http_exchange_started_us(const struct http_exchange *x) { return x->started_us; }
int http_exchange_socket(const struct http_exchange *x) { return x->conn->fd; }

void http_exchange_close_after(struct http_exchange *x) { x->is_close_after = true; }
bool http_exchange_head_sent(const struct http_exchange *x) { return x->reply >= REPLY_OPEN; }
