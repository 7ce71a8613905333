/* The caller's half of an answer over a real connection: when a stream's head goes out, what fills its silence, and how
 * errors look before and after it. No time is asserted but that things happen at all, and in order. */
#include "gateway/reply.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "dialect/openai_chat.h"
#include "dialect/plain.h"
#include "io/worker.h"
#include "unit.h"

static struct {
  struct http_listener *listener;
  struct http_server *server;
  struct workers *workers;
  struct loop *loop;
  void (*script)(struct reply *);
  const struct dialect *dialect;
  struct buf got;
} rig;

/* cmocka's asserts jump, which must not leave a fiber. */
#define MUST(condition)                                                   \
  do {                                                                    \
    if (condition) break;                                                 \
    fprintf(stderr, "%s:%d: MUST(%s)\n", __FILE__, __LINE__, #condition); \
    abort();                                                              \
  } while (0)

static void handle(struct http_exchange *x, void *arg) {
  (void)arg;
  struct reply *r = arena_alloc(http_exchange_arena(x), sizeof *r);
  MUST(r);
  reply_init(r, x, rig.dialect);
  reply_add_header(r, STR("x-own"), STR("1"));
  rig.script(r);
  reply_clear(r);
}

static void error_body(void *arg, struct str path, enum err e, const struct err_info *info, struct buf *out) {
  (void)arg, (void)path;
  dialect_plain.put_error(out, e, info);
}

static enum err start(unsigned index, struct loop *loop, void *arg, struct err_info *info) {
  const struct http_server_options options = {.handler = handle, .error_body = error_body, .arg = arg};
  rig.loop = loop;
  return http_server_new(&rig.server, rig.listener, index, &options, info);
}

static void stop(unsigned index, void *arg) {
  (void)index, (void)arg;
  http_server_free(rig.server);
}

static void drained(void *arg) { loop_stop(arg); }

static void drain(unsigned index, void *arg) {
  (void)index, (void)arg;
  http_server_drain(rig.server, clock_deadline_ms(5000), drained, rig.loop);
}

/* One request, answered by the script; everything up to the connection's end. */
static struct str ask(const struct dialect *dialect, void (*script)(struct reply *)) {
  static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  const struct timeval limit = {.tv_sec = 20};
  const struct worker_options options = {.count = 1, .start = start, .stop = stop};
  rig.script = script;
  rig.dialect = dialect;
  buf_reset(&rig.got);
  assert_int_equal(http_listener_open(&rig.listener, STR("127.0.0.1"), 0, 1, NULL), OK);
  assert_int_equal(workers_start(&rig.workers, &options, NULL), OK);
  const struct sockaddr_in to = {
      .sin_family = AF_INET, .sin_port = htons(http_listener_port(rig.listener)), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
  assert_int_equal(send(fd, request, sizeof request - 1, MSG_NOSIGNAL), sizeof request - 1);
  for (ssize_t n = 1; n > 0; rig.got.n += n > 0 ? (size_t)n : 0) {
    assert_true(buf_reserve(&rig.got, 65536));
    n = recv(fd, rig.got.p + rig.got.n, 65536, 0);
    assert_true(n >= 0);
  }
  close(fd);
  workers_broadcast(rig.workers, drain, NULL);
  workers_join(rig.workers);
  http_listener_close(rig.listener);
  return buf_str(&rig.got);
}

static bool holds(struct str text, const char *part) { return str_find(text, str_from_c(part)) != SIZE_MAX; }

static unsigned count(struct str text, const char *part) {
  unsigned n = 0;
  for (size_t at; (at = str_find(text, str_from_c(part))) != SIZE_MAX; n++)
    text = str_sub(text, at + strlen(part), text.n);
  return n;
}

/* All parts, in this order. */
static void in_order(struct str text, const char *const *parts) {
  for (; *parts; parts++) {
    size_t at = str_find(text, str_from_c(*parts));
    if (at == SIZE_MAX) fail_msg("%s is missing or too early", *parts);
    text = str_sub(text, at + strlen(*parts), text.n);
  }
}
#define IN_ORDER(text, ...) in_order(text, (const char *const[]){__VA_ARGS__, NULL})

#define ENDED "0\r\n\r\n"

static void whole(struct reply *r) {
  MUST(reply_json(r, 200, STR("{\"a\":1}")) == OK);
  MUST(r->is_ended && r->status == 200 && r->bytes_out == 7);
  MUST(reply_error(r, ERR_INTERNAL, NULL) == OK); /* too late: nothing is sent twice */
}

TEST(a_whole_reply) {
  struct str text = ask(&dialect_openai_chat, whole);
  IN_ORDER(text, "HTTP/1.1 200 OK\r\n", "Content-Type: application/json\r\n", "\r\n\r\n{\"a\":1}");
  assert_true(holds(text, "x-own: 1\r\n") && !holds(text, "error"));
}

static void failed(struct reply *r) {
  const struct err_info info = {.text = "later", .retry_after_ms = 1500};
  MUST(reply_error(r, ERR_RATE_LIMITED, &info) == OK);
  MUST(r->status == 429);
}

static void denied(struct reply *r) { MUST(reply_error(r, ERR_UNAUTHENTICATED, NULL) == OK); }

TEST(a_whole_error) {
  struct str text = ask(&dialect_openai_chat, failed);
  assert_true(holds(text, "HTTP/1.1 429 ") && holds(text, "Retry-After: 2\r\n") &&
              holds(text, "Retry-After-Ms: 1500\r\n"));
  assert_true(holds(text, "{\"error\":{\"message\":\"later\",\"type\":\"rate_limit_error\""));
  text = ask(&dialect_plain, denied);
  assert_true(holds(text, "HTTP/1.1 401 ") && holds(text, "WWW-Authenticate: Bearer\r\n"));
  assert_true(holds(text, "\"detail\":\"no valid credential\""));
}

static void streamed(struct reply *r) {
  reply_open_stream(r, 60000, 60000);
  MUST(!r->is_started && !r->has_content);
  MUST(reply_write(r, STR("data: 1\n\n")) == OK);
  MUST(r->is_started && r->has_content);
  MUST(reply_write(r, STR("data: 2\n\n")) == OK);
  MUST(reply_end(r) == OK);
  MUST(r->is_ended && r->status == 200 && r->bytes_out == 18);
}

TEST(a_stream) {
  struct str text = ask(&dialect_openai_chat, streamed);
  IN_ORDER(text, "HTTP/1.1 200 OK\r\n", "Content-Type: text/event-stream\r\n", "Cache-Control: no-cache\r\n",
           "X-Accel-Buffering: no\r\n", "\r\n\r\n", "data: 1\n\n", "data: 2\n\n", ENDED);
  assert_int_equal(count(text, "keep-alive"), 0);
}

static void silent_then_content(struct reply *r) {
  reply_open_stream(r, 30, 30);
  MUST(fiber_sleep_until(clock_deadline_ms(300)) == OK);
  MUST(r->is_started && !r->has_content);
  MUST(reply_write(r, STR("data: 1\n\n")) == OK);
  MUST(fiber_sleep_until(clock_deadline_ms(300)) == OK);
  MUST(reply_write(r, STR("data: 2\n\n")) == OK);
  MUST(reply_end(r) == OK);
}

TEST(silence_is_filled_before_and_after_content) {
  struct str text = ask(&dialect_openai_chat, silent_then_content);
  IN_ORDER(text, "200 OK", "\r\n\r\n", ": keep-alive\n\n", ": keep-alive\n\n", "data: 1\n\n", ": keep-alive\n\n",
           ": keep-alive\n\n", "data: 2\n\n", ENDED);
}

static void head_with_content_only(struct reply *r) {
  reply_open_stream(r, 0, 30);
  MUST(fiber_sleep_until(clock_deadline_ms(200)) == OK);
  MUST(!r->is_started);
  MUST(reply_write(r, STR("data: 1\n\n")) == OK);
  MUST(fiber_sleep_until(clock_deadline_ms(300)) == OK);
  MUST(reply_end(r) == OK);
}

TEST(a_head_that_waits_for_content_does_not_stop_keep_alives) {
  struct str text = ask(&dialect_openai_chat, head_with_content_only);
  IN_ORDER(text, "200 OK", "\r\n\r\n", "data: 1\n\n", ": keep-alive\n\n", ENDED);
}

static void an_end_with_silence_behind_it(struct reply *r) {
  reply_open_stream(r, 0, 30);
  MUST(reply_write(r, STR("data: 1\n\n")) == OK);
  r->is_told = true;
  MUST(reply_write(r, STR("data: [DONE]\n\n")) == OK);
  MUST(fiber_sleep_until(clock_deadline_ms(300)) == OK);
  MUST(reply_end(r) == OK);
}

/* The provider's connection is waited for a moment longer than its answer: to some clients a filler is a line of it. */
TEST(nothing_fills_the_silence_behind_the_end) {
  struct str text = ask(&dialect_openai_chat, an_end_with_silence_behind_it);
  IN_ORDER(text, "200 OK", "\r\n\r\n", "data: 1\n\n", "data: [DONE]\n\n", ENDED);
  assert_int_equal(str_find(text, STR(": keep-alive")), SIZE_MAX);
}

static void content_before_the_head_is_due(struct reply *r) {
  reply_open_stream(r, 60000, 30);
  MUST(reply_write(r, STR("data: 1\n\n")) == OK);
  MUST(fiber_sleep_until(clock_deadline_ms(300)) == OK);
  MUST(reply_end(r) == OK);
}

TEST(keep_alives_do_not_wait_for_the_heads_time) {
  struct str text = ask(&dialect_openai_chat, content_before_the_head_is_due);
  IN_ORDER(text, "data: 1\n\n", ": keep-alive\n\n", ENDED);
}

static void never_alive(struct reply *r) {
  reply_open_stream(r, 30, 0);
  MUST(fiber_sleep_until(clock_deadline_ms(200)) == OK);
  MUST(r->is_started);
  MUST(reply_write(r, STR("data: 1\n\n")) == OK);
  MUST(fiber_sleep_until(clock_deadline_ms(100)) == OK);
  MUST(reply_end(r) == OK);
}

TEST(without_keep_alives_only_the_head_is_early) {
  assert_int_equal(count(ask(&dialect_openai_chat, never_alive), "keep-alive"), 1);
}

static void error_before_the_head(struct reply *r) {
  reply_open_stream(r, 60000, 60000);
  MUST(reply_error(r, ERR_UPSTREAM_CUT, NULL) == OK);
  MUST(r->status == 502);
}

static void error_after_the_head(struct reply *r) {
  reply_open_stream(r, 20, 20);
  MUST(fiber_sleep_until(clock_deadline_ms(200)) == OK);
  MUST(reply_error(r, ERR_UPSTREAM_CUT, NULL) == OK);
  MUST(r->status == 200 && r->is_ended);
}

TEST(errors_of_streams) {
  struct str text = ask(&dialect_openai_chat, error_before_the_head);
  assert_true(holds(text, "HTTP/1.1 502 ") && holds(text, "Content-Type: application/json\r\n"));
  assert_false(holds(text, "data: "));
  text = ask(&dialect_openai_chat, error_after_the_head);
  IN_ORDER(text, "200 OK", ": keep-alive\n\n", "data: {\"error\":{\"message\":\"the provider closed the connection",
           ENDED);
  assert_false(holds(text, "[DONE]"));
}

static void many_headers(struct reply *r) {
  for (int i = 0; i < 100; i++) reply_add_header(r, STR("x-many"), STR("v"));
  MUST(r->header_count == REPLY_HEADERS_MAX);
  MUST(reply_json(r, 200, STR("{}")) == OK);
}

TEST(headers_beyond_the_table_are_left_out) {
  struct str text = ask(&dialect_openai_chat, many_headers);
  assert_true(holds(text, "HTTP/1.1 200 OK") && count(text, "x-many: v") == REPLY_HEADERS_MAX - 1);
}

static int free_all(void **state) {
  (void)state;
  buf_clear(&rig.got);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_whole_reply),
      cmocka_unit_test(a_whole_error),
      cmocka_unit_test(a_stream),
      cmocka_unit_test(silence_is_filled_before_and_after_content),
      cmocka_unit_test(a_head_that_waits_for_content_does_not_stop_keep_alives),
      cmocka_unit_test(nothing_fills_the_silence_behind_the_end),
      cmocka_unit_test(keep_alives_do_not_wait_for_the_heads_time),
      cmocka_unit_test(without_keep_alives_only_the_head_is_early),
      cmocka_unit_test(errors_of_streams),
      cmocka_unit_test(headers_beyond_the_table_are_left_out),
  };
  return cmocka_run_group_tests(tests, NULL, free_all);
}
