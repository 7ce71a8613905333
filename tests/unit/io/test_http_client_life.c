/* Conformance of the HTTP client, time and crowds: back-pressure, cancelling, deadlines, uploads, pools. */
#include <netdb.h>

#include "client_fixture.h"
#include "io/pool.h"
#include "io/resolver.h"

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

static void black_hole_open(struct black_hole *h, const char *host, uint16_t port) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
  inet_pton(AF_INET, host, &a.sin_addr);
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
  black_hole_open(&h, "127.0.0.1", 0);
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
  unsigned pauses_us[] = {0, 2000};
  for (unsigned i = 0; i < 2; i++) {
    struct fix f = {.impl = *state, .arg = i ? "slow" : NULL};
    run_case(&f, serve_upload, &pauses_us[i], story_upload);
    finish(&f);
  }
}

static void story_empty_tail(struct fix *f) {
  char *bytes = pattern(1024 * 1024);
  struct str body[] = {STR_NONE, str_from(bytes, 1024 * 1024), STR_NONE, STR("")};
  struct http_client_request q = get(f, "/");
  q.method = HTTP_POST;
  q.body = body;
  q.body_slices = 4;
  for (unsigned i = 0; i < 3; i++) {
    struct got g = fetch(f, &q);
    CHECK_ERR(f, g.start ? g.start : g.read, OK);
    CHECK(f, g.is_reused == (i > 0));
    buf_clear(&g.body);
  }
  free(bytes);
}

TEST(empty_slices_end_an_upload) {
  unsigned pause_us = 0;
  struct fix f = {.impl = *state};
  run_case(&f, serve_upload, &pause_us, story_empty_tail);
  finish(&f);
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

/* ---- names and addresses ---- */

/* Installed for the whole program: "hang." never answers in time, "second" has a dead first address. */
static int lookup_for_tests(const char *host, struct resolver_result *out) {
  static const char *const second[] = {"127.0.0.9", "127.0.0.1"}, *const slow[] = {"127.0.0.3", "127.0.0.1"};
  const char *const *list = strcmp(host, "slow.test") == 0 ? slow : second;
  if (strncmp(host, "hang.", 5) == 0) usleep(700000);
  if (strcmp(host, "missing.test") == 0) return EAI_NONAME;
  for (unsigned i = 0; i < 2; i++) {
    struct sockaddr_in *a = (struct sockaddr_in *)&out->address[i];
    *a = (struct sockaddr_in){.sin_family = AF_INET};
    inet_pton(AF_INET, list[i], &a->sin_addr);
  }
  out->count = 2;
  return 0;
}

static void story_one_good(struct fix *f) {
  for (unsigned i = 0; i < 2; i++) {
    struct http_client_request q = get(f, "/");
    q.connect_ms = 2000; /* curl gives the first address half of it */
    struct got g = fetch(f, &q);
    CHECK_ERR(f, g.start ? g.start : g.read, OK);
    CHECK(f, g.status == 200 && g.is_reused == (i > 0) && g.resends == 0);
    buf_clear(&g.body);
  }
}

TEST(a_refused_address_gives_way_to_the_next) {
  struct fix f = {.impl = *state, .host = "second.test"};
  run_case(&f, serve_echo, NULL, story_one_good);
  finish(&f);
}

TEST(a_slow_address_gives_way_to_the_next) {
  struct server *s = calloc(1, sizeof *s);
  struct fix f = {.impl = *state, .host = "slow.test", .server = s};
  struct black_hole h;
  server_start(s, serve_echo, NULL);
  black_hole_open(&h, "127.0.0.3", s->port);
  run_story(&f, story_one_good);
  black_hole_close(&h);
  server_stop(s);
  free(s);
  finish(&f);
}

static void story_hanging_name(struct fix *f) {
  struct http_client_request q = get(f, "/");
  q.connect_ms = 50;
  uint64_t from_us = clock_mono_us();
  CHECK_ERR(f, fetch_err(f, &q), ERR_CONNECT_TIMEOUT);
  struct fiber_id child;
  CHECK_ERR(f, fiber_spawn(&child, child_fetch_forever, f), OK);
  CHECK_ERR(f, fiber_sleep_until(clock_mono_us() + 30000), OK);
  fiber_cancel(child);
  CHECK_ERR(f, fiber_sleep_until(clock_mono_us() + 5000), OK);
  CHECK(f, !fiber_is_live(child));
  CHECK(f, clock_mono_us() - from_us < 600000); /* the look-up itself still hangs */
}

static void story_missing_name(struct fix *f) {
  struct http_client_request q = get(f, "/");
  struct got g = fetch(f, &q);
  CHECK_ERR(f, g.start, ERR_RESOLVE_FAILED);
  CHECK(f, !strstr(g.info.text, "missing"));
}

TEST(names_may_hang_or_be_missing) {
  const struct impl *impl = *state;
  char name[32]; /* the resolver remembers for the whole process */
  snprintf(name, sizeof name, "hang.%s.test", impl->name);
  struct fix hang = {.impl = impl, .host = name};
  run_story(&hang, story_hanging_name);
  finish(&hang);
  struct fix missing = {.impl = *state, .host = "missing.test"};
  run_story(&missing, story_missing_name);
  finish(&missing);
}

static void story_forbidden(struct fix *f) {
  f->origin.allow_private = false;
  struct http_client_request q = get(f, "/");
  CHECK_ERR(f, fetch_err(f, &q), ERR_ADDRESS_FORBIDDEN);
  CHECK(f, atomic_load(&f->server->conns) == 0);
}

TEST(the_egress_policy_holds) {
  struct fix f = {.impl = *state};
  run_case(&f, serve_echo, NULL, story_forbidden);
  finish(&f);
}

/* ---- what happens to a connection between two exchanges ---- */

struct between {
  const char *reply; /* to the first request */
  const char *later; /* sent 20 ms after it, or NULL */
  bool close_later;
};

static void serve_between(struct conn *c, void *arg) {
  const struct between *script = arg;
  if (!conn_read_request(c)) return;
  if (c->index > 0) {
    conn_say(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    conn_wait_gone(c, SERVER_WAIT_MS);
    return;
  }
  conn_send(c, str_from_c(script->reply));
  usleep(20000);
  if (script->later) conn_send(c, str_from_c(script->later));
  if (!script->close_later) conn_wait_gone(c, SERVER_WAIT_MS);
}

static void story_between(struct fix *f) {
  struct http_client_request q = get(f, "/");
  struct got g = fetch(f, &q);
  CHECK_ERR(f, g.start ? g.start : g.read, OK);
  CHECK(f, str_eq(buf_str(&g.body), STR("ok")));
  buf_clear(&g.body);
  CHECK_ERR(f, fiber_sleep_until(clock_mono_us() + 60000), OK);
  if (!f->impl->is_curl) CHECK(f, http_client_stats(f->client)->connections_open == 0); /* curl looks later */
  g = fetch(f, &q);
  CHECK_ERR(f, g.start ? g.start : g.read, OK);
  CHECK(f, !g.is_reused && g.resends == 0 && str_eq(buf_str(&g.body), STR("ok")));
  buf_clear(&g.body);
}

TEST(a_connection_that_is_not_clean_is_not_used_again) {
  static const struct between scripts[] = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", NULL, false},
      {"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", NULL, false},
      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", NULL, true},
      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", false},
      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", NULL, false},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nx", NULL, false},
  };
  const struct impl *impl = *state;
  unsigned count = sizeof scripts / sizeof *scripts;
  for (unsigned i = 0; i < count - impl->is_curl; i++) { /* curl throws away what follows a last chunk */
    struct fix f = {.impl = impl};
    run_case(&f, serve_between, (void *)&scripts[i], story_between);
    if (f.failures) fprintf(stderr, "script %u\n", i);
    finish(&f);
  }
}

static void story_idle(struct fix *f) {
  struct http_client_request q = get(f, "/");
  CHECK_ERR(f, fetch_err(f, &q), OK);
  CHECK(f, http_client_stats(f->client)->connections_open == 1);
  uint64_t limit_us = clock_mono_us() + 3000000;
  while (http_client_stats(f->client)->connections_open && clock_mono_us() < limit_us)
    CHECK_ERR(f, fiber_sleep_until(clock_mono_us() + 5000), OK);
  CHECK(f, http_client_stats(f->client)->connections_open == 0);
  CHECK_ERR(f, fetch_err(f, &q), OK);
  CHECK(f, http_client_stats(f->client)->connects == 2);
}

TEST(an_idle_connection_is_closed_in_time) {
  const struct impl *impl = *state;
  struct fix f = {.impl = impl, .options.idle_ms = 60};
  if (!impl->is_curl) run_case(&f, serve_echo, NULL, story_idle); /* curl closes when it next looks */
  finish(&f);
}

/* ---- streaming ---- */

static void serve_drip(struct conn *c, void *arg) {
  (void)arg;
  conn_read_request(c);
  conn_say(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/event-stream\r\n\r\n");
  for (unsigned i = 0; i < 5; i++) {
    usleep(20000);
    conn_say(c, "9\r\ndata: 1\n\n\r\n");
  }
  conn_say(c, "0\r\n\r\n");
  conn_wait_gone(c, SERVER_WAIT_MS);
}

static void story_drip(struct fix *f) {
  struct http_call *call;
  struct http_client_request q = get(f, "/");
  CHECK_ERR(f, http_call_start(f->client, &q, &call, NULL), OK);
  unsigned pieces = 0;
  for (;; pieces++) {
    struct str piece;
    enum err e = http_call_read(call, &piece, clock_deadline_ms(SERVER_WAIT_MS), NULL);
    CHECK_ERR(f, e, OK);
    if (e || piece.n == 0) break;
    CHECK(f, str_eq(piece, STR("data: 1\n\n")));
  }
  CHECK(f, pieces == 5);
  struct str piece;
  CHECK_ERR(f, http_call_read(call, &piece, clock_deadline_ms(100), NULL), OK); /* the end stays the end */
  CHECK(f, piece.n == 0);
  http_call_close(call);
  CHECK_ERR(f, fetch_err(f, &q), OK);
  CHECK(f, http_client_stats(f->client)->connections_open == 1);
}

TEST(pieces_come_as_they_arrive) {
  struct fix f = {.impl = *state};
  run_case(&f, serve_drip, NULL, story_drip);
  finish(&f);
}

static void child_wait_for_permit(void *arg) {
  struct fix *f = arg;
  struct http_client_request q = get(f, "/");
  q.connect_ms = 50;
  CHECK_ERR(f, fetch_err(f, &q), ERR_CONNECT_TIMEOUT);
  q.connect_ms = 0;
  CHECK_ERR(f, fetch_err(f, &q), ERR_CANCELLED);
}

static void story_full_pool(struct fix *f) {
  struct http_call *call;
  struct http_client_request q = get(f, "/");
  CHECK_ERR(f, http_call_start(f->client, &q, &call, NULL), OK);
  struct fiber_id child;
  CHECK_ERR(f, fiber_spawn(&child, child_wait_for_permit, f), OK);
  CHECK_ERR(f, fiber_sleep_until(clock_mono_us() + 100000), OK);
  fiber_cancel(child);
  CHECK_ERR(f, fiber_sleep_until(clock_mono_us() + 10000), OK);
  CHECK(f, !fiber_is_live(child));
  http_call_close(call);
  CHECK_ERR(f, http_call_start(f->client, &q, &call, NULL), OK); /* the permit has come back */
  http_call_close(call);
  CHECK(f, atomic_load(&f->server->conns) == 2);
}

TEST(a_full_pool_makes_calls_wait) {
  struct fix f = {.impl = *state, .options.connections_per_origin = 1};
  run_case(&f, serve_silent, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhel", story_full_pool);
  finish(&f);
}

/* clang-format off */
#define CASES(X) \
  X(a_slow_reader_stops_the_upstream) \
  X(cancelling_closes_the_upstream) \
  X(closing_an_unfinished_call_closes_the_upstream) \
  X(a_silent_upstream_is_a_headers_timeout) \
  X(a_hanging_connect_times_out_and_cancels) \
  X(a_refused_connect_is_said_so) \
  X(a_large_upload_arrives_whole) \
  X(empty_slices_end_an_upload) \
  X(an_early_reply_is_read_during_the_upload) \
  X(a_stalled_upload_is_a_headers_timeout) \
  X(sixty_four_at_once_share_a_pool) \
  X(the_pool_has_a_limit_per_origin) \
  X(a_refused_address_gives_way_to_the_next) \
  X(a_slow_address_gives_way_to_the_next) \
  X(names_may_hang_or_be_missing) \
  X(the_egress_policy_holds) \
  X(a_connection_that_is_not_clean_is_not_used_again) \
  X(an_idle_connection_is_closed_in_time) \
  X(pieces_come_as_they_arrive) \
  X(a_full_pool_makes_calls_wait)
/* clang-format on */

int main(int argc, char **argv) {
  pool_init();
  resolver_inject(lookup_for_tests);
  RUN_CASES(argc, argv);
}
