/* Conformance of the HTTP client, time and crowds: back-pressure, cancelling, deadlines, uploads, pools. */
#include "client_fixture.h"

/* ---- back-pressure ---- */

TEST(a_slow_reader_stops_the_upstream) {
  struct fix f = {.impl = *state};
  run_case(&f, serve_endless, NULL, story_slow_reader);
  finish(&f);
}

/* ---- cancelling, closing, deadlines ---- */

static void serve_silent(struct conn *c, void *arg) {
  const char *say = arg;
  if (!conn_read_request(c)) return;
  if (say) conn_send(c, str_from_c(say));
  uint64_t from_us = clock_mono_us();
  bool gone = conn_wait_gone(c, SERVER_WAIT_MS);
  uint64_t took_us = clock_mono_us() - from_us;
  if (gone && took_us < 1000000) atomic_fetch_add(&c->server->closed_fast, 1);
}

static void child_fetch_forever(void *arg) {
  struct fix *f = arg;
  struct http_client_request q = get(f, "/");
  CHECK_ERR(f, fetch_err(f, &q), ERR_CANCELLED);
}

static void story_cancel(struct fix *f) {
  struct fiber_id child;
  CHECK_ERR(f, fiber_spawn(&child, child_fetch_forever, f), OK);
  CHECK_ERR(f, fiber_sleep_until(clock_mono_us() + 50000), OK);
  fiber_cancel(child);
  uint64_t limit_us = clock_mono_us() + 3000000;
  while ((fiber_is_live(child) || (f->server && !atomic_load(&f->server->closed_fast))) && clock_mono_us() < limit_us)
    CHECK_ERR(f, fiber_sleep_until(clock_mono_us() + 1000), OK);
  CHECK(f, !fiber_is_live(child));
  if (f->server) CHECK(f, atomic_load(&f->server->closed_fast) == 1);
  CHECK(f, http_client_stats(f->client)->connections_open == 0);
}

TEST(cancelling_closes_the_upstream) {
  static const char *const before[] = {NULL, "HTTP/1.1 2", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhel",
                                       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"};
  for (unsigned i = 0; i < sizeof before / sizeof *before; i++) {
    struct fix f = {.impl = *state};
    run_case(&f, serve_silent, (void *)before[i], story_cancel);
    finish(&f);
  }
}

static void story_close_early(struct fix *f) {
  struct http_call *call;
  struct http_client_request q = get(f, "/");
  CHECK_ERR(f, http_call_start(f->client, &q, &call, NULL), OK);
  struct str piece;
  CHECK_ERR(f, http_call_read(call, &piece, clock_deadline_ms(SERVER_WAIT_MS), NULL), OK);
  CHECK(f, str_eq(piece, STR("hel")));
  CHECK_ERR(f, http_call_read(call, &piece, clock_mono_us() + 30000, NULL), ERR_TIMEOUT);
  http_call_close(call);
  http_call_close(NULL);
  uint64_t limit_us = clock_mono_us() + 3000000;
  while (!atomic_load(&f->server->closed_fast) && clock_mono_us() < limit_us)
    CHECK_ERR(f, fiber_sleep_until(clock_mono_us() + 1000), OK);
  CHECK(f, atomic_load(&f->server->closed_fast) == 1);
}

TEST(closing_an_unfinished_call_closes_the_upstream) {
  struct fix f = {.impl = *state};
  run_case(&f, serve_silent, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhel", story_close_early);
  finish(&f);
}

static void story_headers_timeout(struct fix *f) {
  struct http_client_request q = get(f, "/");
  q.headers_ms = 60;
  uint64_t from_us = clock_mono_us();
  CHECK_ERR(f, fetch_err(f, &q), ERR_HEADERS_TIMEOUT);
  CHECK(f, clock_mono_us() - from_us >= 50000);
  CHECK(f, http_client_stats(f->client)->connections_open == 0);
}

TEST(a_silent_upstream_is_a_headers_timeout) {
  struct fix f = {.impl = *state};
  run_case(&f, serve_silent, NULL, story_headers_timeout);
  finish(&f);
}

/* A listener whose queue is full: further connects hang. */
struct black_hole {
  int listener, filler[8];
  uint16_t port;
};

static void black_hole_open(struct black_hole *h) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t n = sizeof a;
  h->listener = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(h->listener, (struct sockaddr *)&a, n) || listen(h->listener, 0)) abort();
  getsockname(h->listener, (struct sockaddr *)&a, &n);
  h->port = ntohs(a.sin_port);
  for (unsigned i = 0; i < 8; i++) {
    h->filler[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    (void)!connect(h->filler[i], (struct sockaddr *)&a, n);
  }
  usleep(10000);
}

static void black_hole_close(struct black_hole *h) {
  for (unsigned i = 0; i < 8; i++) close(h->filler[i]);
  close(h->listener);
}

static void aim(struct fix *f, uint16_t port) {
  char url[64];
  snprintf(url, sizeof url, "http://127.0.0.1:%u", port);
  CHECK_ERR(f, http_origin_parse(&f->arena, str_from_c(url), true, &f->origin, NULL), OK);
}

static void story_connect_hangs(struct fix *f) {
  aim(f, ((const struct black_hole *)f->arg)->port);
  struct http_client_request q = get(f, "/");
  q.connect_ms = 60;
  CHECK_ERR(f, fetch_err(f, &q), ERR_CONNECT_TIMEOUT);
  CHECK(f, http_client_stats(f->client)->connections_open == 0);
  story_cancel(f);
}

TEST(a_hanging_connect_times_out_and_cancels) {
  struct black_hole h;
  black_hole_open(&h);
  struct fix f = {.impl = *state, .arg = &h};
  run_story(&f, story_connect_hangs);
  black_hole_close(&h);
  finish(&f);
}

static void story_refused(struct fix *f) {
  struct http_client_request q = get(f, "/"); /* port 1 */
  struct got g = fetch(f, &q);
  CHECK_ERR(f, g.start, ERR_CONNECT_FAILED);
  CHECK(f, !strstr(g.info.text, "127.0.0.1"));
  CHECK(f, http_client_stats(f->client)->failures == 1);
}

TEST(a_refused_connect_is_said_so) {
  struct fix f = {.impl = *state};
  run_story(&f, story_refused);
  finish(&f);
}

/* ---- uploads ---- */

TEST(a_large_upload_arrives_whole) {
  unsigned pauses_us[] = {0, 300};
  for (unsigned i = 0; i < 2; i++) {
    struct fix f = {.impl = *state};
    run_case(&f, serve_upload, &pauses_us[i], story_upload);
    finish(&f);
  }
}

TEST(an_early_reply_is_read_during_the_upload) {
  struct fix f = {.impl = *state};
  run_case(&f, serve_early_reply, NULL, story_early_reply);
  finish(&f);
}

static void serve_stalled(struct conn *c, void *arg) {
  (void)arg;
  int small = 4096;
  setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  conn_read_head(c);
  usleep(600000);
}

static void story_stalled_upload(struct fix *f) {
  char *bytes = pattern(UPLOAD_BYTES);
  struct str body = str_from(bytes, UPLOAD_BYTES);
  struct http_client_request q = get(f, "/");
  q.method = HTTP_POST;
  q.body = &body;
  q.body_slices = 1;
  q.headers_ms = 100;
  CHECK_ERR(f, fetch_err(f, &q), ERR_HEADERS_TIMEOUT);
  free(bytes);
}

TEST(a_stalled_upload_is_a_headers_timeout) {
  struct fix f = {.impl = *state};
  run_case(&f, serve_stalled, NULL, story_stalled_upload);
  finish(&f);
}

/* ---- many at once ---- */

TEST(sixty_four_at_once_share_a_pool) {
  struct fix f = {.impl = *state};
  run_case(&f, serve_echo, NULL, story_crowd);
  finish(&f);
}

TEST(the_pool_has_a_limit_per_origin) {
  struct fix f = {.impl = *state, .options.connections_per_origin = 4};
  struct server *s = calloc(1, sizeof *s);
  f.server = s;
  server_start(s, serve_echo, NULL);
  run_story(&f, story_crowd);
  assert_true(atomic_load(&s->conns) <= 4);
  server_stop(s);
  free(s);
  finish(&f);
}

#define CASES(X)                                    \
  X(a_slow_reader_stops_the_upstream)               \
  X(cancelling_closes_the_upstream)                 \
  X(closing_an_unfinished_call_closes_the_upstream) \
  X(a_silent_upstream_is_a_headers_timeout)         \
  X(a_hanging_connect_times_out_and_cancels)        \
  X(a_refused_connect_is_said_so)                   \
  X(a_large_upload_arrives_whole)                   \
  X(an_early_reply_is_read_during_the_upload)       \
  X(a_stalled_upload_is_a_headers_timeout)          \
  X(sixty_four_at_once_share_a_pool)                \
  X(the_pool_has_a_limit_per_origin)

int main(int argc, char **argv) { RUN_CASES(argc, argv); }
