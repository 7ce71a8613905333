/* The own HTTP/1.1 client: pools, dialling and the waiting half of each call. Called through http_client.h; the bytes
 * are h1_conn.c's. One client per worker. Idle connections are kept per origin, the latest used first, and are watched:
 * what the peer closes is dropped at once, what rests longer than idle_ms is closed.
 * Invariant: a pool's permits plus its calls with a permit are its connection limit, and only a call with a permit
 * takes or makes a connection. */
#include <errno.h>
#include <stdlib.h>

#include "io/h1_conn.h"
#include "io/http_client.h"
#include "io/resolver.h"

enum {
  BUCKETS = 64,
  FREE_CALLS_MAX = 1024,
  HEAD_BYTES_MAX = 64 * 1024,
  STAGGER_US = 250000 /* a second address is tried beside a slow first one (RFC 8305) */
};

struct h1_call;

struct h1_pool {
  struct h1_pool *next;
  uint64_t id;
  struct str host, host_line; /* "Host: example.com:81\r\n"; both NUL-terminated */
  uint16_t port;
  bool is_tls, is_ip, allow_private;
  struct fiber_sem permits;
  struct h1_conn *newest, *oldest; /* idle */
  struct h1_tls_resume resume;
};

struct h1_client {
  struct http_client base;
  struct h1_net net;
  struct http_client_stats stats;
  struct http_client_options options;
  struct arena arena; /* pools */
  struct h1_pool *bucket[BUCKETS];
  uv_timer_t *sweep;
  unsigned idle_count;
  struct h1_call *free_calls;
  unsigned free_count;
  struct buf head; /* of the request being sent; nothing waits while it is in use */
};

struct h1_call {
  struct http_call base;
  struct h1_client *client;
  struct h1_pool *pool;
  struct h1_call *next_free;
  struct h1_exchange x;
};

/* ---- pools ---- */

/* The hash is not one that resists collisions on purpose, and a pool decides who gets a key: all of it is compared. */
static bool is_pool_of(const struct h1_pool *p, const struct http_origin *o) {
  return p->id == o->id && p->port == o->port && p->is_tls == o->is_tls && p->allow_private == o->allow_private &&
         str_eq(p->host, o->host);
}

static struct h1_pool *find_pool(struct h1_client *c, const struct http_origin *o) {
  struct h1_pool **bucket = &c->bucket[o->id % BUCKETS];
  for (struct h1_pool *p = *bucket; p; p = p->next)
    if (is_pool_of(p, o)) return p;
  struct h1_pool *p = ARENA_NEW(&c->arena, struct h1_pool);
  if (!p) return NULL;
  size_t authority = o->is_tls ? sizeof "https://" - 1 : sizeof "http://" - 1;
  p->host = arena_dup(&c->arena, o->host);
  p->host_line = arena_printf(&c->arena, "Host: %s\r\n", o->url.p + authority);
  if (!p->host.p || !p->host_line.p) return NULL;
  p->id = o->id;
  p->port = o->port;
  p->is_tls = o->is_tls;
  p->is_ip = o->is_ip;
  p->allow_private = o->allow_private;
  fiber_sem_init(&p->permits, c->options.connections_per_origin);
  p->next = *bucket;
  *bucket = p;
  return p;
}

static void unlink_idle(struct h1_client *client, struct h1_conn *c) {
  struct h1_pool *p = c->pool;
  *(c->newer ? &c->newer->older : &p->newest) = c->older;
  *(c->older ? &c->older->newer : &p->oldest) = c->newer;
  c->newer = c->older = NULL;
  client->idle_count--;
}

static struct h1_client *client_of(const struct h1_net *net) {
  return (struct h1_client *)((char *)net - offsetof(struct h1_client, net));
}

static void on_sweep(uv_timer_t *timer) {
  struct h1_client *client = timer->data;
  uint64_t now_us = loop_now_us(), idle_us = client->options.idle_ms * UINT64_C(1000);
  for (unsigned i = 0; i < BUCKETS; i++)
    for (struct h1_pool *p = client->bucket[i]; p; p = p->next)
      while (p->oldest && p->oldest->idle_since_us + idle_us <= now_us) {
        struct h1_conn *c = p->oldest;
        unlink_idle(client, c);
        h1_conn_close(c);
      }
  if (client->idle_count == 0) uv_timer_stop(timer);
}

static void on_idle(struct h1_conn *c) {
  struct h1_client *client = client_of(c->net);
  struct h1_pool *p = c->pool;
  c->idle_since_us = loop_now_us();
  c->newer = NULL;
  c->older = p->newest;
  *(c->older ? &c->older->newer : &p->oldest) = c;
  p->newest = c;
  if (client->idle_count++ == 0) {
    uint64_t every_ms = client->options.idle_ms / 4 + 1;
    uv_timer_start(client->sweep, on_sweep, every_ms, every_ms);
  }
}

static void on_lost(struct h1_conn *c) {
  struct h1_pool *p = c->pool;
  if (c->newer || c->older || p->newest == c) unlink_idle(client_of(c->net), c);
}

static struct h1_conn *take_idle(struct h1_client *client, struct h1_pool *p) {
  struct h1_conn *c = p->newest;
  if (c) unlink_idle(client, c);
  return c;
}

/* ---- dialling ---- */

/* Races the addresses: the next one starts when the last has failed or is slow. The winner is *out. */
static enum err race(struct h1_client *client, struct h1_pool *pool, const struct resolver_result *found,
                     uint64_t deadline_us, struct h1_conn **out, struct err_info *info) {
  struct h1_conn *try[RESOLVER_ADDRESSES_MAX] = {NULL}, *winner = NULL;
  unsigned started = 0;
  uint64_t next_us = 0;
  enum err e = OK;
  int status = UV_ECONNREFUSED;
  for (;;) {
    unsigned pending = 0;
    for (unsigned i = 0; i < started && !winner; i++) {
      if (!try[i]) continue;
      if (try[i]->state == H1_CONN_OPEN) {
        winner = try[i];
        try[i] = NULL;
      } else if (try[i]->state == H1_CONN_FAILED) {
        status = try[i]->connect_status;
        h1_conn_close(try[i]);
        try[i] = NULL;
      } else {
        pending++;
      }
    }
    if (winner) break;
    if (started < found->count && (pending == 0 || loop_now_us() >= next_us)) {
      try[started] = h1_conn_new(&client->net, (const struct sockaddr *)&found->address[started]);
      if (try[started]) try[started]->pool = pool;
      started++;
      next_us = loop_now_us() + STAGGER_US;
      continue;
    }
    if (pending == 0) {
      e = err_set(info, ERR_CONNECT_FAILED, "the provider could not be reached (%s)", uv_strerror(status));
      break;
    }
    e = fiber_park(started < found->count && next_us < deadline_us ? next_us : deadline_us);
    if (e == ERR_CANCELLED) break;
    if (loop_now_us() >= deadline_us) {
      e = ERR_CONNECT_TIMEOUT;
      break;
    }
    e = OK;
  }
  for (unsigned i = 0; i < started; i++)
    if (try[i]) h1_conn_close(try[i]);
  if (winner) *out = winner;
  return winner ? OK : e;
}

static enum err shake_hands(struct h1_conn *c, struct h1_pool *pool, uint64_t deadline_us, struct err_info *info) {
  struct err_info scratch = {0};
  c->waiter = fiber_self();
  enum err e = h1_conn_start_tls(c, pool->host, pool->is_ip, &pool->resume, info ? info : &scratch);
  while (!e && !c->tls.is_established && c->state == H1_CONN_OPEN) {
    e = fiber_park(deadline_us);
    if (e == ERR_TIMEOUT) e = ERR_CONNECT_TIMEOUT;
    if (c->tls.is_established || c->state != H1_CONN_OPEN) e = OK;
  }
  c->tls_info = NULL;
  if (!e && c->state != H1_CONN_OPEN) e = ERR_TLS_FAILED;
  return e;
}

static enum err dial(struct h1_client *client, struct h1_pool *pool, uint64_t deadline_us, struct h1_conn **out,
                     struct err_info *info) {
  struct resolver_result found;
  struct h1_conn *c = NULL;
  enum err e = resolver_lookup(pool->host, pool->port, pool->allow_private, deadline_us, &found, info);
  if (e) return e == ERR_TIMEOUT ? ERR_CONNECT_TIMEOUT : e;
  e = race(client, pool, &found, deadline_us, &c, info);
  if (e) return e;
  e = pool->is_tls ? shake_hands(c, pool, deadline_us, info) : h1_conn_start_read(c);
  if (e) {
    h1_conn_close(c);
    return e;
  }
  client->stats.connects++;
  *out = c;
  return OK;
}

/* ---- the request's head ---- */

static char *put(char *at, struct str s) {
  if (s.n) memcpy(at, s.p, s.n);
  return at + s.n;
}

static bool has_length(const struct http_client_request *q) {
  return q->body_slices || q->method == HTTP_POST || q->method == HTTP_PUT || q->method == HTTP_PATCH;
}

/* "Content-Length: N\r\n" into `out`, which has room for the longest. */
static size_t put_length(char out[48], uint64_t length) {
  char digits[20];
  size_t n = 0;
  do digits[n++] = (char)('0' + length % 10);
  while (length /= 10);
  char *at = put(out, STR("Content-Length: "));
  while (n) *at++ = digits[--n];
  return (size_t)(put(at, STR("\r\n")) - out);
}

/* Sized once, then copied without a check: the sum below counts exactly what is put. */
static enum err write_head(struct h1_client *client, const struct h1_pool *pool, const struct http_client_request *q,
                           struct err_info *info) {
  struct str method = http_method_name(q->method);
  struct str version = STR(" HTTP/1.1\r\n");
  struct str encoding = q->accept_gzip ? STR("Accept-Encoding: gzip\r\n") : STR("Accept-Encoding: identity\r\n");
  char length[48];
  size_t length_bytes = has_length(q) ? put_length(length, http_client_body_bytes(q)) : 0;
  size_t n = method.n + 1 + q->target.n + version.n + pool->host_line.n + encoding.n + length_bytes + 2;
  for (size_t i = 0; i < q->headers.n; i++) n += q->headers.v[i].name.n + q->headers.v[i].value.n + 4;
  if (n > HEAD_BYTES_MAX) return err_set(info, ERR_INTERNAL, "the head of an upstream request is larger than 64 KiB");
  buf_reset(&client->head);
  if (!buf_reserve(&client->head, n)) return ERR_NO_MEMORY;
  char *at = put(client->head.p, method);
  *at++ = ' ';
  at = put(put(put(at, q->target), version), pool->host_line);
  for (size_t i = 0; i < q->headers.n; i++) {
    struct http_header h = q->headers.v[i];
    if (http_client_owns_header(h.name)) continue;
    at = put(put(put(put(at, h.name), STR(": ")), h.value), STR("\r\n"));
  }
  at = put(put(put(at, encoding), str_from(length, length_bytes)), STR("\r\n"));
  client->head.n = (size_t)(at - client->head.p);
  return OK;
}

/* ---- calls ---- */

static struct h1_call *take_call(struct h1_client *client) {
  struct h1_call *call = client->free_calls;
  if (call) {
    client->free_calls = call->next_free;
    client->free_count--;
    return call;
  }
  call = calloc(1, sizeof *call);
  if (!call) return NULL;
  call->base.ops = client->base.ops;
  call->client = client;
  upstream_reply_init(&call->x.reply);
  return call;
}

static void free_call(struct h1_call *call) {
  upstream_reply_clear(&call->x.reply);
  free(call);
}

static void h1_close(struct http_call *base) {
  struct h1_call *call = (struct h1_call *)base;
  struct h1_client *client = call->client;
  if (call->x.conn) h1_conn_close(call->x.conn);
  fiber_sem_post(&call->pool->permits);
  client->stats.calls_live--;
  if (client->free_count >= FREE_CALLS_MAX) {
    free_call(call);
    return;
  }
  upstream_reply_recycle(&call->x.reply);
  call->next_free = client->free_calls;
  client->free_calls = call;
  client->free_count++;
}

/* Until the head is in, the reply has ended or time is over. */
static enum err wait_head(struct h1_call *call, uint32_t headers_ms, struct err_info *info) {
  struct h1_exchange *x = &call->x;
  uint64_t limit_us = headers_ms * UINT64_C(1000);
  while (!x->reply.head_done && !x->reply.ended) {
    x->is_waiting = true;
    enum err e = fiber_park(limit_us ? x->progress_us + limit_us : DEADLINE_NONE);
    x->is_waiting = false;
    if (x->reply.head_done || x->reply.ended) break;
    if (e == ERR_CANCELLED) return e;
    if (!limit_us || loop_now_us() < x->progress_us + limit_us) continue;
    if (x->conn && h1_conn_has_progressed(x->conn, x)) continue;
    return ERR_HEADERS_TIMEOUT;
  }
  return x->reply.head_done ? OK : upstream_reply_failure(&x->reply, info);
}

/* One attempt: on a pooled connection if there is one and it is wanted, else on a new one. */
static enum err attempt(struct h1_call *call, const struct http_client_request *q, uint64_t connect_deadline_us,
                        unsigned resends, struct err_info *info) {
  struct h1_client *client = call->client;
  struct h1_exchange *x = &call->x;
  upstream_reply_begin(&x->reply, q);
  x->reply.response.resends = resends;
  x->got_byte = false;
  struct h1_conn *c = resends ? NULL : take_idle(client, call->pool);
  if (c) {
    x->reply.response.is_reused = true;
    client->stats.reused++;
  } else {
    enum err e = dial(client, call->pool, connect_deadline_us, &c, info);
    if (e) return e;
  }
  enum err e = write_head(client, call->pool, q, info);
  if (e) {
    h1_conn_close(c);
    return e;
  }
  x->waiter = fiber_self();
  x->head = buf_str(&client->head);
  x->slice = q->body;
  x->slices = q->body_slices;
  h1_conn_send(c, x);
  return wait_head(call, q->headers_ms, info);
}

static enum err h1_start(struct http_client *base, const struct http_client_request *q, struct http_call **out,
                         struct err_info *info) {
  struct h1_client *client = (struct h1_client *)base;
  enum err e = http_client_check_request(q, info);
  if (e) return e;
  uint64_t connect_us = (q->connect_ms ? q->connect_ms : HTTP_CLIENT_CONNECT_MS) * UINT64_C(1000);
  uint64_t deadline_us = loop_now_us() + connect_us;
  struct h1_pool *pool = find_pool(client, q->origin);
  if (!pool) return err_set(info, ERR_NO_MEMORY, "out of memory");
  client->stats.calls++;
  e = fiber_sem_wait(&pool->permits, deadline_us);
  if (e) return e == ERR_TIMEOUT ? ERR_CONNECT_TIMEOUT : e;
  struct h1_call *call = take_call(client);
  if (!call) {
    fiber_sem_post(&pool->permits);
    return err_set(info, ERR_NO_MEMORY, "out of memory");
  }
  call->pool = pool;
  client->stats.calls_live++;
  e = attempt(call, q, deadline_us, 0, info);
  if (e == ERR_UPSTREAM_CUT && call->x.reply.response.is_reused && !call->x.got_byte) {
    client->stats.resends++;
    e = attempt(call, q, loop_now_us() + connect_us, 1, info);
  }
  if (!e) {
    *out = &call->base;
    return OK;
  }
  if (e != ERR_CANCELLED) client->stats.failures++;
  h1_close(&call->base);
  return e;
}

static const struct http_response *h1_response(const struct http_call *base) {
  return &((const struct h1_call *)base)->x.reply.response;
}

static enum err h1_read(struct http_call *base, struct str *piece, uint64_t deadline_us, struct err_info *info) {
  struct h1_exchange *x = &((struct h1_call *)base)->x;
  enum err e;
  x->waiter = fiber_self();
  if (upstream_reply_has_worked(&x->reply)) {
    e = fiber_yield(); /* decoding goes on without a wait for as long as there is input */
    if (e) return e;
  }
  for (;;) {
    if (upstream_reply_take(&x->reply, piece, &e, info)) return e;
    if (x->conn && x->is_paused) {
      h1_conn_resume(x->conn);
      continue;
    }
    x->is_waiting = true;
    e = fiber_park(deadline_us);
    x->is_waiting = false;
    if (e && !upstream_reply_held_bytes(&x->reply) && !x->reply.ended) return e;
  }
}

static const struct http_client_stats *h1_stats(const struct http_client *base) {
  return &((const struct h1_client *)base)->stats;
}

/* ---- the client ---- */

static void free_handle(uv_handle_t *handle) { free(handle); }

static void h1_free(struct http_client *base) {
  struct h1_client *c = (struct h1_client *)base;
  for (unsigned i = 0; i < BUCKETS; i++)
    for (struct h1_pool *p = c->bucket[i]; p; p = p->next) {
      for (struct h1_conn *conn; (conn = take_idle(c, p));) h1_conn_close(conn);
      h1_tls_resume_clear(&p->resume);
    }
  for (struct h1_call *call = c->free_calls, *next; call; call = next) {
    next = call->next_free;
    free_call(call);
  }
  if (c->sweep) {
    uv_timer_stop(c->sweep);
    uv_close((uv_handle_t *)c->sweep, free_handle);
  }
  h1_tls_clear(&c->net.tls);
  buf_clear(&c->head);
  free(c->net.input);
  free(c->net.record);
  free(c->net.vector);
  arena_clear(&c->arena);
  free(c);
}

static const struct http_client_ops h1_ops = {h1_start, h1_response, h1_read, h1_close, h1_stats, h1_free};

enum err http_client_new_h1(struct http_client **out, struct loop *loop, const struct http_client_options *options,
                            struct err_info *info) {
  struct h1_client *c = calloc(1, sizeof *c);
  if (!c) return err_set(info, ERR_NO_MEMORY, "out of memory");
  c->base.ops = &h1_ops;
  arena_init(&c->arena, 0);
  c->options = *options;
  if (!c->options.connections_per_origin) c->options.connections_per_origin = HTTP_CLIENT_CONNECTIONS_PER_ORIGIN;
  if (!c->options.idle_ms) c->options.idle_ms = HTTP_CLIENT_IDLE_MS;
  c->net = (struct h1_net){.uv = loop_uv(loop), .stats = &c->stats, .on_idle = on_idle, .on_lost = on_lost};
  c->net.input = malloc(H1_INPUT_BYTES);
  c->net.record = malloc(H1_RECORD_BYTES);
  struct str ca_file = arena_dup(&c->arena, options->ca_file);
  enum err e = ERR_NO_MEMORY;
  uv_timer_t *sweep = malloc(sizeof *sweep);
  if (!c->net.input || !c->net.record || !ca_file.p || !sweep) {
    free(sweep);
    goto failed;
  }
  c->sweep = sweep;
  uv_timer_init(c->net.uv, sweep);
  uv_unref((uv_handle_t *)sweep);
  sweep->data = c;
  e = h1_tls_init(&c->net.tls, ca_file, options->insecure_skip_verify, info);
  if (e) goto failed;
  *out = &c->base;
  return OK;
failed:
  h1_free(&c->base);
  return e;
}
