/* What the conformance tests of the HTTP client share: each case runs over each implementation in `impls`, against an
 * upstream that answers by bytes (script_server.h). Failures inside fibers are collected and asserted after the loop
 * has ended, since cmocka's jump must not leave a fiber's stack. */
#ifndef MAESTRO_TESTS_CLIENT_FIXTURE_H
#define MAESTRO_TESTS_CLIENT_FIXTURE_H

#include "base/arena.h"
#include "io/http_client.h"
#include "script_server.h"
#include "unit.h"

struct impl {
  const char *name;
  bool is_curl; /* where curl's parser sees less */
  enum err (*make)(struct http_client **, struct loop *, const struct http_client_options *, struct err_info *);
};
static const struct impl impls[] = {{"h1", false, http_client_new_h1}, {"curl", true, http_client_new_curl}};

struct fix {
  const struct impl *impl;
  struct server *server;
  struct http_client *client;
  struct http_client_options options;
  struct arena arena;
  struct http_origin origin;
  struct loop *loop;
  void (*story)(struct fix *);
  const char *host; /* NULL: 127.0.0.1 */
  const char *scheme;
  const char *names; /* in the server's certificate; NULL: localhost and 127.0.0.1 */
  int tls_version;   /* of the server; 0: any */
  bool is_bare;      /* no port in the origin */
  unsigned failures;
  const void *arg;
};

#define CHECK(f, condition)                                                                 \
  do {                                                                                      \
    if (!(condition)) {                                                                     \
      fprintf(stderr, "%s:%d: [%s] %s\n", __FILE__, __LINE__, (f)->impl->name, #condition); \
      (f)->failures++;                                                                      \
    }                                                                                       \
  } while (0)
#define CHECK_ERR(f, got, want)                                                                             \
  do {                                                                                                      \
    enum err got_ = (got), want_ = (want);                                                                  \
    if (got_ != want_) {                                                                                    \
      fprintf(stderr, "%s:%d: [%s] got %s, want %s\n", __FILE__, __LINE__, (f)->impl->name, err_code(got_), \
              err_code(want_));                                                                             \
      (f)->failures++;                                                                                      \
    }                                                                                                       \
  } while (0)

HELPER void story_main(void *arg) {
  struct fix *f = arg;
  f->story(f);
  loop_stop(f->loop);
}

/* Runs the story on a fiber with a client of f->impl towards f->server. */
HELPER void run_story(struct fix *f, void (*story)(struct fix *)) {
  struct err_info info = {0};
  char url[64];
  alarm(100);
  arena_init(&f->arena, 0);
  snprintf(url, sizeof url, "%s://%s", f->scheme ? f->scheme : "http", f->host ? f->host : "127.0.0.1");
  if (!f->is_bare) snprintf(url + strlen(url), sizeof url - strlen(url), ":%u", f->server ? f->server->port : 1);
  assert_int_equal(http_origin_parse(&f->arena, str_from_c(url), true, &f->origin, &info), OK);
  assert_int_equal(loop_new(&f->loop, NULL, &info), OK);
  assert_int_equal(f->impl->make(&f->client, f->loop, &f->options, &info), OK);
  f->story = story;
  assert_int_equal(fiber_spawn(NULL, story_main, f), OK);
  loop_run(f->loop);
  CHECK(f, http_client_stats(f->client)->calls_live == 0);
  http_client_free(f->client);
  loop_free(f->loop);
  arena_clear(&f->arena);
  alarm(0);
}

HELPER void finish(struct fix *f) { assert_int_equal(f->failures, 0); }

/* One case: a server with `handler`, a story, and both ended. */
HELPER void run_case(struct fix *f, void (*handler)(struct conn *, void *), void *arg, void (*story)(struct fix *)) {
  struct server *s = calloc(1, sizeof *s);
  f->server = s;
  server_start(s, handler, arg);
  run_story(f, story);
  server_stop(s);
  free(s);
  f->server = NULL;
}

HELPER struct http_client_request get(struct fix *f, const char *target) {
  return (struct http_client_request){.method = HTTP_GET, .origin = &f->origin, .target = str_from_c(target)};
}

/* Reads to the end; `body` may be NULL. */
HELPER enum err drain(struct http_call *call, struct buf *body, struct err_info *info) {
  for (;;) {
    struct str piece;
    enum err e = http_call_read(call, &piece, clock_deadline_ms(SERVER_WAIT_MS), info);
    if (e || piece.n == 0) return e;
    if (body) buf_put(body, piece);
  }
}

struct got {
  enum err start, read;
  int status;
  bool is_reused;
  unsigned resends;
  struct buf body;
  struct err_info info;
};

HELPER struct got fetch(struct fix *f, const struct http_client_request *q) {
  struct got g = {0};
  struct http_call *call = NULL;
  g.start = http_call_start(f->client, q, &call, &g.info);
  if (g.start) return g;
  const struct http_response *r = http_call_response(call);
  g.status = r->status;
  g.is_reused = r->is_reused;
  g.resends = r->resends;
  g.read = drain(call, &g.body, &g.info);
  http_call_close(call);
  return g;
}

/* Start or read, whichever failed. */
HELPER enum err fetch_err(struct fix *f, const struct http_client_request *q) {
  struct got g = fetch(f, q);
  buf_clear(&g.body);
  return g.start ? g.start : g.read;
}

/* ---- handlers and stories that several files use ---- */

HELPER char *pattern(size_t n) {
  char *p = malloc(n);
  for (uint64_t i = 0, x = 1; i < n; i++, x = x * 6364136223846793005u + 1) p[i] = (char)('a' + (x >> 60));
  return p;
}

HELPER void serve_echo(struct conn *c, void *arg) {
  (void)arg;
  char head[128];
  while (conn_read_request(c)) {
    snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nX-A: 1\r\n\r\n", c->head.n + c->body.n);
    conn_send(c, str_from_c(head));
    conn_send(c, buf_str(&c->head));
    conn_send(c, buf_str(&c->body));
  }
}

HELPER bool has_line(struct got *g, const char *line) {
  return str_find(buf_str(&g->body), str_from_c(line)) != SIZE_MAX;
}

HELPER void serve_endless(struct conn *c, void *arg) {
  (void)arg;
  static char block[65536];
  conn_read_request(c);
  conn_say(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  while (conn_say(c, "10000\r\n") && conn_send(c, str_from(block, sizeof block)) && conn_say(c, "\r\n")) continue;
  atomic_store(&c->server->closed_fast, 1);
}

HELPER void story_slow_reader(struct fix *f) {
  struct http_call *call;
  struct http_client_request q = get(f, "/");
  CHECK_ERR(f, http_call_start(f->client, &q, &call, NULL), OK);
  CHECK_ERR(f, fiber_sleep_until(clock_mono_us() + 300000), OK);
  uint64_t sent = atomic_load(&f->server->sent);
  CHECK_ERR(f, fiber_sleep_until(clock_mono_us() + 200000), OK);
  CHECK(f, atomic_load(&f->server->sent) == sent); /* nobody reads, so everything is full */
  size_t total = 0, largest = 0;
  while (total < 30000000) {
    struct str piece;
    enum err e = http_call_read(call, &piece, clock_deadline_ms(SERVER_WAIT_MS), NULL);
    CHECK_ERR(f, e, OK);
    if (e || piece.n == 0) break;
    if (piece.n > largest) largest = piece.n;
    total += piece.n;
  }
  CHECK(f, largest <= 256 * 1024);
  CHECK(f, http_client_stats(f->client)->pauses > 0);
  http_call_close(call);
}

HELPER void serve_upload(struct conn *c, void *arg) {
  unsigned pause_us = *(unsigned *)arg;
  int small = 65536; /* so that the client notices how slowly it is read */
  if (pause_us) setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  while (conn_read_head(c)) {
    uint64_t length = 0, hash = 0;
    str_to_u64(conn_header(c, "content-length"), &length);
    for (uint64_t done = 0; done < length;) {
      if (c->in.n == 0 && !conn_fill(c)) return;
      for (size_t i = 0; i < c->in.n; i++) hash = (hash ^ (unsigned char)c->in.p[i]) * 1099511628211u;
      done += c->in.n;
      buf_reset(&c->in);
      if (pause_us) usleep(pause_us);
    }
    char reply[128];
    int n = snprintf(reply, sizeof reply, "%llu", (unsigned long long)hash);
    snprintf(reply, sizeof reply, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%llu", n, (unsigned long long)hash);
    conn_send(c, str_from_c(reply));
  }
}

enum { UPLOAD_BYTES = 10000000, UPLOAD_SLICES = 333 };

HELPER void story_upload(struct fix *f) {
  char *bytes = pattern(UPLOAD_BYTES), want[32];
  uint64_t hash = 0;
  for (size_t i = 0; i < UPLOAD_BYTES; i++) hash = (hash ^ (unsigned char)bytes[i]) * 1099511628211u;
  snprintf(want, sizeof want, "%llu", (unsigned long long)hash);
  struct str *slice = calloc(UPLOAD_SLICES, sizeof *slice);
  size_t at = 0;
  for (unsigned i = 0; i < UPLOAD_SLICES; i++) {
    size_t n = i + 1 == UPLOAD_SLICES ? UPLOAD_BYTES - at : i * 180 % 50000;
    slice[i] = str_from(bytes + at, n);
    at += n;
  }
  struct http_client_request q = get(f, "/");
  q.method = HTTP_POST;
  q.body = slice;
  q.body_slices = UPLOAD_SLICES;
  bool is_slow = f->arg;                /* takes longer than headers_ms, but moves all the time */
  q.headers_ms = is_slow ? 500 : 15000; /* generous: sanitizers on a loaded machine */
  unsigned reused = 0;
  for (unsigned i = 0; i < (is_slow ? 1 : 4); i++) {
    struct got g = fetch(f, &q);
    CHECK_ERR(f, g.start, OK);
    CHECK_ERR(f, g.read, OK);
    CHECK(f, str_eq(buf_str(&g.body), str_from_c(want)));
    reused += g.is_reused;
    buf_clear(&g.body);
  }
  /* Not each time: curl gives a connection up whose reply overtook the end of the upload. */
  CHECK(f, is_slow || reused);
  free(slice);
  free(bytes);
}

HELPER void serve_early_reply(struct conn *c, void *arg) {
  (void)arg;
  if (!conn_read_head(c)) return;
  conn_say(c, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig");
  conn_wait_gone(c, SERVER_WAIT_MS);
}

HELPER void story_early_reply(struct fix *f) {
  char *bytes = pattern(UPLOAD_BYTES);
  struct str body = str_from(bytes, UPLOAD_BYTES);
  struct http_client_request q = get(f, "/");
  q.method = HTTP_POST;
  q.body = &body;
  q.body_slices = 1;
  struct got g = fetch(f, &q);
  CHECK_ERR(f, g.start, OK);
  CHECK_ERR(f, g.read, OK);
  CHECK(f, g.status == 413 && str_eq(buf_str(&g.body), STR("big")));
  buf_clear(&g.body);
  free(bytes);
}

enum { CROWD = 64, ROUNDS = 20 };

HELPER void child_rounds(void *arg) {
  struct fix *f = arg;
  char target[32];
  for (unsigned i = 0; i < ROUNDS; i++) {
    snprintf(target, sizeof target, "/round/%u", i);
    struct http_client_request q = get(f, target);
    struct got g = fetch(f, &q);
    CHECK_ERR(f, g.start, OK);
    CHECK_ERR(f, g.read, OK);
    CHECK(f, str_has_prefix(str_sub(buf_str(&g.body), 4, g.body.n), str_from_c(target)));
    buf_clear(&g.body);
  }
}

HELPER void story_crowd(struct fix *f) {
  struct fiber_id child[CROWD];
  for (unsigned i = 0; i < CROWD; i++) CHECK_ERR(f, fiber_spawn(&child[i], child_rounds, f), OK);
  for (unsigned i = 0; i < CROWD; i++)
    while (fiber_is_live(child[i])) CHECK_ERR(f, fiber_sleep_until(clock_mono_us() + 1000), OK);
  const struct http_client_stats *s = http_client_stats(f->client);
  CHECK(f, s->calls == CROWD * ROUNDS);
  /* On a machine that keeps up a connection is made once for each of them; a busy one may lose some on the way. */
  CHECK(f, s->connects <= 2 * CROWD && s->reused + s->connects >= s->calls);
}

/* main: CASES over every implementation. Arguments: none, or a pattern of test names (cmocka's `*` and `?`). */
#define RUN_CASES(argc, argv)                                                     \
  do {                                                                            \
    int failed_ = 0;                                                              \
    if ((argc) > 1) cmocka_set_test_filter((argv)[1]);                            \
    for (size_t i_ = 0; i_ < sizeof impls / sizeof *impls; i_++) {                \
      const struct CMUnitTest tests_[] = {CASES(CASE_ROW)};                       \
      failed_ += cmocka_run_group_tests_name(impls[i_].name, tests_, NULL, NULL); \
    }                                                                             \
    return failed_;                                                               \
  } while (0)
#define CASE_ROW(name) cmocka_unit_test_prestate(name, (void *)&impls[i_]),

#endif
