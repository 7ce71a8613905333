/* A real server on port 0 with a scripted handler, and a client over blocking sockets. Included by the tests of
 * io/http_server; everything is static. A test calls serve, talks, and calls unserve, which drains and checks that
 * nothing is left. Reads time out after 20 s, so that a hang is a failure. */
#ifndef MAESTRO_TESTS_HTTP_FIXTURE_H
#define MAESTRO_TESTS_HTTP_FIXTURE_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "io/held.h"
#include "io/http_server.h"
#include "io/worker.h"
#include "unit.h"

#pragma GCC diagnostic ignored "-Wunused-function" /* no test uses all of it */

enum { FIXTURE_WORKERS_MAX = 4 };

/* cmocka's asserts jump, which must not leave a fiber or a thread; handlers use this. */
#define MUST(condition)                                                   \
  do {                                                                    \
    if (condition) break;                                                 \
    fprintf(stderr, "%s:%d: MUST(%s)\n", __FILE__, __LINE__, #condition); \
    abort();                                                              \
  } while (0)

static struct fixture {
  struct http_listener *listener;
  struct workers *workers;
  struct http_server *servers[FIXTURE_WORKERS_MAX];
  struct http_server_options options;
  struct http_server_stats stats;         /* sums, after unserve */
  uint64_t accepted[FIXTURE_WORKERS_MAX]; /* after unserve */
  uint64_t drain_ms;
  unsigned fibers_max;
} fixture;

/* What handlers saw. */
static struct seen {
  atomic_uint started, ended, cancelled, holding;
  atomic_int last; /* enum err of the last handler's last call */
  atomic_ullong cancelled_us, bytes;
  atomic_bool go; /* lets /wait go on */
} seen;

static uint64_t query_number(const struct http_request *r) {
  uint64_t n = 0;
  return str_to_u64(r->query, &n) ? n : 0;
}

static enum err reply_text(struct http_exchange *x, int status, struct str text) {
  static const struct http_header v[] = {{STR("Content-Type"), STR("text/plain")}};
  return http_exchange_reply(x, status, (struct http_headers){v, 1}, text);
}

static enum err reply_err(struct http_exchange *x, enum err e, const struct err_info *info) {
  if (e == ERR_CANCELLED) return e;
  return reply_text(x, err_info_status(e, info), str_from_c(err_info_text(e, info)));
}

static enum err count_bytes(void *arg, struct str piece, struct err_info *info) {
  (void)arg;
  for (size_t i = 0; i < piece.n; i++)
    if (piece.p[i] == '!') return err_set(info, ERR_BAD_JSON, "no exclamation, please");
  atomic_fetch_add(&seen.bytes, piece.n);
  return OK;
}

/* POST /echo?max: the body back. POST /count?max: its length, counted as it came. */
static enum err handle_body(struct http_exchange *x, const struct http_request *r, bool counts) {
  const struct http_body_options options = {.max_bytes = query_number(r), .on_bytes = counts ? count_bytes : NULL};
  struct str body;
  struct err_info info = {0};
  atomic_store(&seen.bytes, 0);
  enum err e = http_exchange_read_body(x, &options, &body, &info);
  if (e) {
    const enum err sent = reply_err(x, e, &info);
    return sent ? sent : e;
  }
  for (size_t i = 0; i < 16; i++) MUST(body.p[body.n + i] == 0);
  struct str again;
  MUST(http_exchange_read_body(x, &options, &again, &info) == OK);
  MUST(str_eq(again, body));
  if (!counts) return reply_text(x, 200, body);
  return reply_text(x, 200, arena_printf(http_exchange_arena(x), "%zu %llu", body.n, atomic_load(&seen.bytes)));
}

/* GET /stream?n: n chunks of 1 KiB, or more for ever when n is 0. */
static enum err handle_stream(struct http_exchange *x, const struct http_request *r) {
  char chunk[1024];
  memset(chunk, 's', sizeof chunk);
  enum err e = http_exchange_reply_start(x, 200, (struct http_headers){NULL, 0});
  MUST(!http_exchange_head_sent(x));
  const uint64_t n = query_number(r);
  for (uint64_t i = 0; !e && (n == 0 || i < n); i++) {
    e = http_exchange_reply_write(x, str_from(chunk, sizeof chunk));
    atomic_fetch_add(&seen.bytes, sizeof chunk);
    if (!e && n == 0) e = fiber_yield();
  }
  return e ? e : http_exchange_reply_end(x);
}

/* GET /pulse: one chunk every 20 ms, 25 times. */
static enum err handle_pulse(struct http_exchange *x) {
  enum err e = http_exchange_reply_start(x, 200, (struct http_headers){NULL, 0});
  for (unsigned i = 0; !e && i < 25; i++) {
    e = http_exchange_reply_write(x, STR("pulse"));
    if (!e) e = fiber_sleep_until(clock_deadline_ms(20));
  }
  return e ? e : http_exchange_reply_end(x);
}

static enum err handle_wait(struct http_exchange *x) {
  enum err e = OK;
  while (!e && !atomic_load(&seen.go)) e = fiber_sleep_until(clock_deadline_ms(5));
  return e ? e : reply_text(x, 200, STR("waited"));
}

/* POST /hold: takes the body, then waits for `go`. */
static enum err handle_hold(struct http_exchange *x) {
  struct str body;
  struct err_info info = {0};
  const enum err e = http_exchange_read_body(x, NULL, &body, &info);
  if (e) return reply_err(x, e, &info);
  atomic_fetch_add(&seen.holding, 1);
  return handle_wait(x);
}

static enum err handle_bad_header(struct http_exchange *x) {
  static const struct http_header v[] = {{STR("X"), STR("a\r\nEvil: 1")}};
  return http_exchange_reply(x, 200, (struct http_headers){v, 1}, STR("x"));
}

static enum err handle_own_headers(struct http_exchange *x) {
  static const struct http_header v[] = {{STR("X-Mine"), STR("1")},
                                         {STR("content-length"), STR("99")},
                                         {STR("Date"), STR("never")},
                                         {STR("Connection"), STR("close")},
                                         {STR("Transfer-Encoding"), STR("gzip")}};
  return http_exchange_reply(x, 201, (struct http_headers){v, 5}, STR("own"));
}

/* One header of n bytes. */
static enum err handle_large_head(struct http_exchange *x, size_t n) {
  char *value = arena_alloc(http_exchange_arena(x), n);
  memset(value, 'h', n);
  const struct http_header v[] = {{STR("X-Large"), str_from(value, n)}};
  return http_exchange_reply(x, 200, (struct http_headers){v, 1}, STR("x"));
}

static enum err handle_big(struct http_exchange *x, size_t n) {
  char *body = malloc(n ? n : 1);
  memset(body, 'b', n);
  const enum err e = http_exchange_reply(x, 200, (struct http_headers){NULL, 0}, str_from(body, n));
  free(body);
  return e;
}

static enum err handle_cut(struct http_exchange *x, bool aborts) {
  enum err e = http_exchange_reply_start(x, 200, (struct http_headers){NULL, 0});
  if (!e) e = http_exchange_reply_write(x, STR("half"));
  if (aborts) http_exchange_reply_abort(x);
  return e;
}

/* GET /replaced: a stream that is given up before its head went out. */
static enum err handle_replaced(struct http_exchange *x) {
  const enum err e = http_exchange_reply_start(x, 200, (struct http_headers){NULL, 0});
  return e ? e : reply_text(x, 502, STR("replaced"));
}

static enum err route(struct http_exchange *x, const struct http_request *r) {
  if (str_eq(r->path, STR("/echo"))) return handle_body(x, r, false);
  if (str_eq(r->path, STR("/count"))) return handle_body(x, r, true);
  if (str_eq(r->path, STR("/hello"))) return reply_text(x, 200, STR("hello"));
  if (str_eq(r->path, STR("/status"))) return reply_text(x, (int)query_number(r), STR("body"));
  if (str_eq(r->path, STR("/target"))) return reply_text(x, 200, r->target);
  if (str_eq(r->path, STR("/stream"))) return handle_stream(x, r);
  if (str_eq(r->path, STR("/pulse"))) return handle_pulse(x);
  if (str_eq(r->path, STR("/wait"))) return handle_wait(x);
  if (str_eq(r->path, STR("/hold"))) return handle_hold(x);
  if (str_eq(r->path, STR("/sleep"))) return fiber_sleep_until(DEADLINE_NONE);
  if (str_eq(r->path, STR("/bad-header"))) return handle_bad_header(x);
  if (str_eq(r->path, STR("/own"))) return handle_own_headers(x);
  if (str_eq(r->path, STR("/large-head"))) return handle_large_head(x, query_number(r));
  if (str_eq(r->path, STR("/big"))) return handle_big(x, query_number(r));
  if (str_eq(r->path, STR("/cut"))) return handle_cut(x, false);
  if (str_eq(r->path, STR("/abort"))) return handle_cut(x, true);
  if (str_eq(r->path, STR("/replaced"))) return handle_replaced(x);
  if (str_eq(r->path, STR("/started"))) return http_exchange_reply_start(x, 200, (struct http_headers){NULL, 0});
  if (str_eq(r->path, STR("/none"))) return OK;
  if (str_eq(r->path, STR("/close"))) {
    http_exchange_close_after(x);
    return reply_text(x, 200, STR("bye"));
  }
  if (str_eq(r->path, STR("/peer"))) {
    const struct http_peer *p = http_exchange_peer(x);
    return reply_text(x, 200,
                      arena_printf(http_exchange_arena(x), "%s %d %d", p->address, p->port > 0, p->is_loopback));
  }
  return reply_text(x, 404, r->path);
}

static void handle(struct http_exchange *x, void *arg) {
  (void)arg;
  atomic_fetch_add(&seen.started, 1);
  const enum err e = route(x, http_exchange_request(x));
  atomic_store(&seen.last, (int)e);
  if (fiber_is_cancelled()) {
    atomic_store(&seen.cancelled_us, clock_mono_us());
    atomic_fetch_add(&seen.cancelled, 1);
  }
  atomic_fetch_add(&seen.ended, 1);
}

/* {"path": …, "code": …} */
static void error_body(void *arg, struct str path, enum err e, const struct err_info *info, struct buf *out) {
  (void)arg;
  buf_put(out, STR("{\"path\":"));
  buf_put_json(out, path);
  buf_put(out, STR(",\"code\":"));
  buf_put_json(out, str_from_c(err_info_code(e, info)));
  buf_put(out, STR("}"));
}

static enum err start_worker(unsigned index, struct loop *loop, void *arg, struct err_info *info) {
  (void)loop, (void)arg;
  return http_server_new(&fixture.servers[index], fixture.listener, index, &fixture.options, info);
}

static void stop_worker(unsigned index, void *arg) {
  (void)arg;
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  const struct http_server_stats *s = http_server_stats(fixture.servers[index]);
  pthread_mutex_lock(&lock);
  fixture.accepted[index] = s->connections_accepted;
  fixture.stats.connections_accepted += s->connections_accepted;
  fixture.stats.connections_refused += s->connections_refused;
  fixture.stats.requests += s->requests;
  fixture.stats.protocol_errors += s->protocol_errors;
  fixture.stats.timeouts += s->timeouts;
  fixture.stats.client_gone += s->client_gone;
  fixture.stats.connections_open += s->connections_open;
  fixture.stats.exchanges_live += s->exchanges_live;
  pthread_mutex_unlock(&lock);
  http_server_free(fixture.servers[index]);
}

static void serve(const struct http_server_limits *limits, unsigned workers) {
  const unsigned fibers_max = fixture.fibers_max;
  memset(&seen, 0, sizeof seen);
  fixture = (struct fixture){.options = {.handler = handle, .error_body = error_body}};
  if (limits) fixture.options.limits = *limits;
  struct err_info info = {0};
  if (http_listener_open(&fixture.listener, STR("localhost"), 0, workers, &info) != OK) fail_msg("%s", info.text);
  const struct worker_options options = {
      .count = workers, .loop = {.fibers_max = fibers_max}, .start = start_worker, .stop = stop_worker};
  if (workers_start(&fixture.workers, &options, &info) != OK) fail_msg("%s", info.text);
}

static void on_drained(void *loop) { loop_stop(loop); }

static void drain_worker(unsigned index, void *arg) {
  (void)arg;
  http_server_drain(fixture.servers[index], clock_deadline_ms(fixture.drain_ms), on_drained, loop_current());
}

static void drain(uint64_t ms) {
  fixture.drain_ms = ms;
  workers_broadcast(fixture.workers, drain_worker, NULL);
}

static void join(void) {
  workers_join(fixture.workers);
  http_listener_close(fixture.listener);
  assert_int_equal(fixture.stats.connections_open, 0);
  assert_int_equal(fixture.stats.exchanges_live, 0);
  assert_int_equal(held_bytes(), 0);
  assert_int_equal(seen.started, seen.ended);
}

static void unserve(void) {
  drain(5000);
  join();
}

/* --- the client --- */

static int dial_with(int receive_bytes) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
  assert_true(fd >= 0);
  const struct timeval limit = {20, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (receive_bytes) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
  const struct sockaddr_in a = {.sin_family = AF_INET,
                                .sin_port = htons(http_listener_port(fixture.listener)),
                                .sin_addr = {htonl(INADDR_LOOPBACK)}};
  if (connect(fd, (const struct sockaddr *)&a, sizeof a) != 0) {
    close(fd);
    return -1;
  }
  return fd;
}

static int dial(void) {
  const int fd = dial_with(0);
  assert_true(fd >= 0);
  return fd;
}

/* False when the server has closed. */
static bool put(int fd, struct str bytes) {
  while (bytes.n) {
    const ssize_t n = send(fd, bytes.p, bytes.n, MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes = str_sub(bytes, (size_t)n, bytes.n);
  }
  return true;
}

struct reply {
  int status; /* 0: the connection ended before a head */
  struct buf all;
  struct str head, body;
  bool is_whole; /* its end was seen */
};

static void reply_clear(struct reply *r) { buf_clear(&r->all); }

static bool more(int fd, struct buf *b) {
  if (!buf_reserve(b, 65536)) return false;
  const ssize_t n = recv(fd, b->p + b->n, 65536, 0);
  if (n < 0 && errno == EAGAIN) fail_msg("the server does not answer");
  if (n <= 0) return false;
  b->n += (size_t)n;
  return true;
}

static struct str header_of(const struct reply *r, const char *name) {
  char needle[80];
  snprintf(needle, sizeof needle, "\r\n%s: ", name);
  const size_t at = str_find(r->head, str_from_c(needle));
  if (at == SIZE_MAX) return STR_NONE;
  struct str rest = str_sub(r->head, at + strlen(needle), r->head.n), value;
  str_cut(rest, '\r', &value, &rest);
  return value;
}

/* Chunks from `at` on into one body; false when more bytes are needed. *end is where the message ends. */
static bool join_chunks(struct buf *b, size_t at, struct str *body, size_t *end) {
  static char joined[24 << 20];
  size_t n = 0;
  for (;;) {
    char *line = b->p + at, *stop = memchr(line, '\n', b->n - at);
    if (!stop) return false;
    const size_t size = strtoul(line, NULL, 16);
    at = (size_t)(stop + 1 - b->p);
    if (b->n < at + size + 2) return false;
    if (n + size > sizeof joined) fail_msg("too much");
    memcpy(joined + n, b->p + at, size);
    assert_memory_equal(b->p + at + size, "\r\n", 2);
    n += size;
    at += size + 2;
    if (size == 0) break;
  }
  *body = str_from(joined, n);
  *end = at;
  return true;
}

/* Reads one reply; what follows it stays in *rest for the next call. A chunked body is valid until the next one. */
static struct reply get_reply(int fd, struct buf *rest, bool is_head) {
  struct reply r = {0};
  r.all = *rest;
  buf_init(rest, 0);
  size_t head_n;
  while ((head_n = str_find(buf_str(&r.all), STR("\r\n\r\n"))) == SIZE_MAX)
    if (!more(fd, &r.all)) return r;
  head_n += 4;
  r.head = str_from(r.all.p, head_n);
  r.status = atoi(r.all.p + 9);
  uint64_t length = 0;
  size_t end = head_n;
  const bool has_length = str_to_u64(header_of(&r, "Content-Length"), &length);
  if (is_head || r.status == 204 || r.status == 304 || r.status == 100) {
    r.is_whole = true;
  } else if (header_of(&r, "Transfer-Encoding").n) {
    while (!(r.is_whole = join_chunks(&r.all, head_n, &r.body, &end)))
      if (!more(fd, &r.all)) break;
  } else if (has_length) {
    while (r.all.n < head_n + length && more(fd, &r.all)) continue;
    r.is_whole = r.all.n >= head_n + length;
    end = r.is_whole ? head_n + length : r.all.n;
    r.body = str_from(r.all.p + head_n, end - head_n);
  } else {
    while (more(fd, &r.all)) continue;
    end = r.all.n;
    r.body = str_from(r.all.p + head_n, end - head_n);
  }
  r.head = str_from(r.all.p, head_n);
  if (r.is_whole && r.all.n > end) buf_put(rest, str_from(r.all.p + end, r.all.n - end));
  return r;
}

/* True when the server closes without a further byte. */
static bool is_closed(int fd) {
  char byte;
  const ssize_t n = recv(fd, &byte, 1, 0);
  if (n < 0 && errno == EAGAIN) fail_msg("the server does not close");
  return n <= 0;
}

/* One request on a connection of its own; the reply's body is copied into *body (may be NULL). */
static int ask(struct str request, struct buf *body) {
  const int fd = dial();
  struct buf rest = {0};
  put(fd, request);
  struct reply r = get_reply(fd, &rest, false);
  if (body) {
    buf_reset(body);
    buf_put(body, r.body);
  }
  const int status = r.is_whole ? r.status : -r.status;
  buf_clear(&rest);
  reply_clear(&r);
  close(fd);
  return status;
}

/* Waits until a counter has reached n. */
static void until(atomic_uint *counter, unsigned n) {
  for (unsigned i = 0; atomic_load(counter) < n; i++) {
    if (i > 20000) fail_msg("nothing happens");
    usleep(1000);
  }
}

#endif
