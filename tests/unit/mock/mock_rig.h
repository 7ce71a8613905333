/* A mock behind a real listener on a thread of its own, and blocking sockets that talk to it; used by test_mock*.c. */
#ifndef MAESTRO_TESTS_MOCK_RIG_H
#define MAESTRO_TESTS_MOCK_RIG_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "mock/mock.h"
#include "unit.h"

struct rig {
  struct mock_options options;
  struct mock_shared *shared;
  struct mock *mock;
  struct http_listener *listener;
  struct http_server *server;
  struct loop *loop;
  pthread_t thread;
  pthread_barrier_t ready;
  uint16_t port;
};

static inline void rig_drained(void *arg) { loop_stop(((struct rig *)arg)->loop); }

static inline void rig_drain(void *arg) {
  struct rig *r = arg;
  http_server_drain(r->server, clock_mono_us() + 100000, rig_drained, r);
}

static inline void *rig_main(void *arg) {
  struct rig *r = arg;
  struct err_info info = {0};
  assert_int_equal(loop_new(&r->loop, &(struct loop_options){0}, &info), OK);
  assert_int_equal(http_listener_open(&r->listener, STR("127.0.0.1"), 0, 1, &info), OK);
  assert_int_equal(mock_new(&r->mock, r->shared, &info), OK);
  struct http_server_options options = {.handler = mock_handle, .error_body = mock_error_body, .arg = r->mock};
  assert_int_equal(http_server_new(&r->server, r->listener, 0, &options, &info), OK);
  mock_watch(r->mock, r->server);
  r->port = http_listener_port(r->listener);
  pthread_barrier_wait(&r->ready);
  loop_run(r->loop);
  mock_free(r->mock);
  http_server_free(r->server);
  http_listener_close(r->listener);
  loop_free(r->loop);
  return NULL;
}

static inline void rig_start(struct rig *r, struct mock_options options) {
  *r = (struct rig){.options = options};
  assert_int_equal(mock_shared_new(&r->shared, &r->options, NULL), OK);
  pthread_barrier_init(&r->ready, NULL, 2);
  pthread_create(&r->thread, NULL, rig_main, r);
  pthread_barrier_wait(&r->ready);
}

static inline void rig_stop(struct rig *r) {
  assert_true(loop_post(r->loop, rig_drain, r));
  pthread_join(r->thread, NULL);
  pthread_barrier_destroy(&r->ready);
  mock_shared_free(r->shared);
}

static inline int rig_connect(const struct rig *r) {
  struct sockaddr_in to = {
      .sin_family = AF_INET, .sin_port = htons(r->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct timeval limit = {.tv_sec = 20}; /* a hanging test fails instead of hanging */
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_true(fd >= 0);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
  return fd;
}

static inline void rig_send(int fd, const char *method, const char *path, const char *headers, struct str body) {
  char head[1024];
  int n =
      snprintf(head, sizeof head,
               "%s %s HTTP/1.1\r\nHost: mock.test:1\r\nContent-Type: application/json\r\n%sContent-Length: %zu\r\n\r\n",
               method, path, headers, body.n);
  assert_int_equal(send(fd, head, (size_t)n, MSG_NOSIGNAL), n);
  for (size_t at = 0; at < body.n;) {
    ssize_t sent = send(fd, body.p + at, body.n - at, MSG_NOSIGNAL);
    assert_true(sent > 0);
    at += (size_t)sent;
  }
}

/* Appends what comes until the end; the errno of a failed read, 0 at a clean end. */
static inline int rig_read_all(int fd, struct buf *out) {
  for (;;) {
    assert_true(buf_reserve(out, 65536));
    ssize_t n = recv(fd, out->p + out->n, 65536, 0);
    if (n <= 0) return n < 0 ? errno : 0;
    out->n += (size_t)n;
  }
}

/* Waits until the text has been received. */
static inline void rig_read_until(int fd, struct buf *out, const char *text) {
  while (out->n == 0 || !memmem(out->p, out->n, text, strlen(text))) {
    assert_true(buf_reserve(out, 4096));
    ssize_t n = recv(fd, out->p + out->n, 4096, 0);
    assert_true(n > 0);
    out->n += (size_t)n;
  }
}

/* A reply taken apart. `raw` owns the bytes. */
struct reply {
  struct buf raw, body; /* body without chunks */
  int status, read_errno;
  bool is_chunked, is_whole;
  struct str head;
};

static inline struct str reply_header(const struct reply *r, const char *name) {
  struct str line, rest = r->head;
  char prefix[64];
  snprintf(prefix, sizeof prefix, "%s:", name);
  while (rest.n) {
    str_cut(rest, '\n', &line, &rest);
    if (str_has_prefix_nocase(line, str_from_c(prefix))) return str_trim(str_sub(line, strlen(prefix), line.n));
  }
  return STR_NONE;
}

static inline void reply_unchunk(struct reply *r, struct str in) {
  while (in.n) {
    struct str size;
    if (!str_cut(in, '\n', &size, &in)) return;
    size_t n = strtoul(size.p, NULL, 16);
    if (n == 0) {
      r->is_whole = true;
      return;
    }
    buf_put(&r->body, str_sub(in, 0, n));
    in = str_sub(in, n + 2, in.n);
  }
}

static inline void reply_parse(struct reply *r) {
  struct str raw = buf_str(&r->raw);
  size_t end = str_find(raw, STR("\r\n\r\n"));
  if (end == SIZE_MAX || !str_has_prefix(raw, STR("HTTP/1.1 "))) return;
  r->head = str_sub(raw, 0, end + 2);
  r->status = atoi(raw.p + 9);
  struct str rest = str_sub(raw, end + 4, raw.n), length = reply_header(r, "Content-Length");
  uint64_t bytes = 0;
  r->is_chunked = str_eq(reply_header(r, "Transfer-Encoding"), STR("chunked"));
  if (r->is_chunked) {
    reply_unchunk(r, rest);
  } else {
    buf_put(&r->body, rest);
    r->is_whole = str_to_u64(length, &bytes) && bytes == rest.n;
  }
}

static inline void reply_clear(struct reply *r) {
  buf_clear(&r->raw);
  buf_clear(&r->body);
}

static inline struct reply rig_request(const struct rig *rig, const char *method, const char *path, const char *headers,
                                       struct str body) {
  struct reply r = {0};
  char with_close[512];
  snprintf(with_close, sizeof with_close, "%sConnection: close\r\n", headers);
  int fd = rig_connect(rig);
  rig_send(fd, method, path, with_close, body);
  r.read_errno = rig_read_all(fd, &r.raw);
  close(fd);
  reply_parse(&r);
  return r;
}

static inline struct reply rig_post(const struct rig *rig, const char *path, const char *body) {
  return rig_request(rig, "POST", path, "", str_from_c(body));
}

/* The body byte for byte; '#' in `expected` stands for any byte. */
static inline void assert_masked(const struct reply *r, const char *expected) {
  size_t n = strlen(expected);
  for (size_t i = 0; i < n && i < r->body.n; i++) {
    if (expected[i] == '#' || expected[i] == r->body.p[i]) continue;
    print_message("differs at %zu: %.*s\nwanted: %.60s\n", i, r->body.n - i > 60 ? 60 : (int)(r->body.n - i),
                  r->body.p + i, expected + i);
    assert_int_equal(r->body.p[i], expected[i]);
  }
  if (r->body.n != n) print_message("%.*s\n", STR_ARG(buf_str(&r->body)));
  assert_int_equal(r->body.n, n);
}

/* Posts, expects the status and these bytes. */
static inline void assert_post(const struct rig *rig, const char *path, const char *body, int status,
                               const char *expected) {
  struct reply r = rig_post(rig, path, body);
  assert_int_equal(r.status, status);
  assert_true(r.is_whole);
  assert_masked(&r, expected);
  reply_clear(&r);
}

/* Posts, expects the status and that the body has this text. */
static inline void assert_post_has(const struct rig *rig, const char *path, const char *body, int status,
                                   const char *text) {
  struct reply r = rig_post(rig, path, body);
  assert_int_equal(r.status, status);
  if (str_find(buf_str(&r.body), str_from_c(text)) == SIZE_MAX)
    print_message("no %s in %.*s\n", text, STR_ARG(buf_str(&r.body)));
  assert_true(str_find(buf_str(&r.body), str_from_c(text)) != SIZE_MAX);
  reply_clear(&r);
}

/* A chat request: the model, the user's text (JSON-escaped) and more members (",\"stream\":true"). */
static inline struct reply rig_chat(const struct rig *rig, const char *model, const char *text, const char *more) {
  struct buf body;
  buf_init(&body, 0);
  buf_printf(&body, "{\"model\":\"%s\",\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}]%s}", model, text, more);
  struct reply r = rig_request(rig, "POST", "/v1/chat/completions", "", buf_str(&body));
  buf_clear(&body);
  return r;
}

/* A rig for all tests of a file: `rig`, and begin and finish for cmocka_run_group_tests. */
#define RIG_GROUP(...)                                   \
  static struct rig rig;                                 \
  static int begin(void **state) {                       \
    (void)state;                                         \
    rig_start(&rig, (struct mock_options){__VA_ARGS__}); \
    return 0;                                            \
  }                                                      \
  static int finish(void **state) {                      \
    (void)state;                                         \
    rig_stop(&rig);                                      \
    return 0;                                            \
  }

#endif
