/* Which deployments a call asks, in which order and how often: fallback and repeats for every kind of failure, and what
 * is known of the call afterwards. */
#include "call_rig.h"

#include "../io/in_fiber.h"

#define GOOD "{\"model\":\"x\",\"choices\":[{\"message\":{\"content\":\"hi\"}}]," USAGE(10, 5) "}"

static const struct scripted_answer good = {.type = JSON, .pieces = {GOOD}};

TEST(a_whole_answer) {
  rig_open(WHOLE);
  rig.deployments[0].price = (struct price){.nano_usd_per_mtok = {1000000, 2000000}, .known = 3};
  rig.answers[0] = good;
  rig.answers[0].header = (struct http_header){STR("x-ratelimit-remaining-tokens"), STR("7")};
  assert_int_equal(rig_run(), OK);
  const struct call_outcome *o = &rig.call.outcome;
  expect_text(&rig.call.reply,
              "{\"model\":\"one/m0\",\"choices\":[{\"message\":{\"content\":\"hi\"}}]," USAGE(10, 5) "}");
  expect_text(&rig.bodies[0], "{\"model\":\"m0\",\"messages\":[{}]}");
  assert_str(rig.requests[0].target, STR("/v1/chat/completions"));
  assert_ptr_equal(rig.requests[0].origin, &rig.providers[0].provider.origin);
  assert_str(http_header_get(rig.requests[0].headers, STR("authorization")), STR("Bearer secret-key"));
  assert_true(rig.requests[0].accept_gzip);
  assert_ptr_equal(o->deployment, &rig.deployments[0]);
  assert_true(o->attempts == 1 && o->upstream_status == 200 && o->cost.is_known);
  assert_int_equal(o->cost.total_nano_usd, 10 * 1 + 5 * 2);
  assert_str(http_header_get(rig.call.reply_headers, STR("x-ratelimit-remaining-tokens")), STR("7"));
  assert_int_equal(rig.call.reply_headers.n, 1);
  assert_int_equal(rig.writes, 0);
  rig_close();
}

TEST(each_attempt_gets_its_own_request) {
  rig_open("{\"maestro\":{},\"model\":\"m1\",\"messages\":[{}],\"x\":1.0}");
  const struct http_header sent[] = {{STR("openai-beta"), STR("b")}, {STR("authorization"), STR("Bearer mine")}};
  rig.call.headers = (struct http_headers){sent, 2};
  rig.answers[0] = (struct scripted_answer){.start = ERR_CONNECT_FAILED};
  rig.answers[1] = (struct scripted_answer){.status = 503, .type = "text/html", .pieces = {"<html>"}};
  rig.answers[2] = good;
  assert_int_equal(rig_run(), OK);
  assert_int_equal(rig.sent, 3);
  expect_text(&rig.bodies[0], "{\"model\":\"m0\",\"messages\":[{}],\"x\":1.0}");
  expect_text(&rig.bodies[1], "{\"model\":\"m1\",\"messages\":[{}],\"x\":1.0}");
  expect_text(&rig.bodies[2], "{\"model\":\"m2\",\"messages\":[{}],\"x\":1.0}");
  for (size_t i = 0; i < 3; i++) {
    assert_ptr_equal(rig.requests[i].origin, &rig.providers[i].provider.origin);
    assert_str(http_header_get(rig.requests[i].headers, STR("openai-beta")), STR("b"));
    assert_str(http_header_get(rig.requests[i].headers, STR("authorization")), STR("Bearer secret-key"));
  }
  assert_int_equal(rig.call.outcome.attempts, 3);
  assert_ptr_equal(rig.call.outcome.deployment, &rig.deployments[2]);
  rig_close();
}

TEST(statuses_decide_whether_another_is_asked) {
  static const struct {
    int status;
    bool falls_back;
  } rows[] = {{400, false}, {401, true},  {402, true},  {403, true},  {404, true},  {405, false}, {408, true},
              {409, true},  {413, false}, {415, false}, {418, false}, {422, false}, {425, true},  {429, true},
              {500, true},  {502, true},  {503, true},  {504, true},  {529, true},  {599, true}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    rig_open(WHOLE);
    rig.answers[0] = (struct scripted_answer){
        .status = rows[i].status, .type = JSON, .pieces = {"{\"error\":{\"message\":\"why\"}}"}};
    rig.answers[1] = good;
    enum err e = rig_run();
    if ((e == OK) != rows[i].falls_back) print_error("status %d\n", rows[i].status);
    assert_int_equal(e, rows[i].falls_back ? OK : ERR_UPSTREAM_STATUS);
    assert_int_equal(rig.sent, rows[i].falls_back ? 2 : 1);
    if (e) {
      assert_int_equal(rig.info.http_status, rows[i].status);
      assert_string_equal(rig.info.text, "one: why");
      assert_int_equal(rig.call.outcome.upstream_status, rows[i].status);
    }
    rig_close();
  }
}

TEST(failures_to_send_decide_likewise) {
  static const struct {
    enum err e;
    bool falls_back;
  } rows[] = {{ERR_CONNECT_FAILED, true},    {ERR_RESOLVE_FAILED, true},     {ERR_TLS_FAILED, true},
              {ERR_CONNECT_TIMEOUT, true},   {ERR_HEADERS_TIMEOUT, true},    {ERR_UPSTREAM_CUT, true},
              {ERR_UPSTREAM_PROTOCOL, true}, {ERR_CANCELLED, false},         {ERR_INTERNAL, false},
              {ERR_NO_MEMORY, false},        {ERR_ADDRESS_FORBIDDEN, false}, {ERR_UPSTREAM_TOO_LARGE, false}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    rig_open(WHOLE);
    rig.answers[0] = (struct scripted_answer){.start = rows[i].e};
    rig.answers[1] = good;
    enum err e = rig_run();
    assert_int_equal(e, rows[i].falls_back ? OK : rows[i].e);
    assert_int_equal(rig.sent, rows[i].falls_back ? 2 : 1);
    if (e) assert_int_equal(rig.call.outcome.upstream_status, 0);
    rig_close();
  }
}

TEST(odd_answers_are_failures_of_their_deployment) {
  static const struct scripted_answer odd[] = {
      {.status = 204, .type = JSON},
      {.status = 302, .type = JSON, .pieces = {"{}"}},
      {.type = JSON},
      {.type = JSON, .pieces = {"<html>"}},
      {.type = JSON, .pieces = {"{\"choices\""}},
      {.type = JSON, .pieces = {"{}"}},
      {.type = "text/html", .pieces = {GOOD}},
      {.type = JSON, .pieces = {"{", cut}},
      {.type = JSON, .pieces = {"{", late}},
      {.type = JSON, .pieces = {"{\"error\":{\"message\":\"busy\",\"code\":429}}"}},
      {.type = JSON, .pieces = {"{\"error\":\"busy\"}"}},
  };
  for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
    rig_open(WHOLE);
    rig.answers[0] = odd[i];
    rig.answers[1] = good;
    assert_int_equal(rig_run(), OK);
    assert_int_equal(rig.sent, 2);
    expect_text(&rig.call.reply,
                "{\"model\":\"two/m1\",\"choices\":[{\"message\":{\"content\":\"hi\"}}]," USAGE(10, 5) "}");
    rig_close();
  }
  rig_open(WHOLE); /* but a fault of the request is one everywhere */
  rig.answers[0] = (struct scripted_answer){.type = JSON, .pieces = {"{\"error\":{\"message\":\"bad\",\"code\":400}}"}};
  assert_int_equal(rig_run(), ERR_UPSTREAM_STATUS);
  assert_int_equal(rig.info.http_status, 400);
  assert_int_equal(rig.sent, 1);
  rig_close();
}

TEST(the_last_failure_is_told) {
  rig_open(WHOLE);
  rig.answers[0] = (struct scripted_answer){.status = 500, .type = JSON, .pieces = {"{\"error\":\"first\"}"}};
  rig.answers[1] = (struct scripted_answer){.type = JSON, .pieces = {"{\"choices\":[]," USAGE(1, 1) "}x"}};
  rig.answers[2] = (struct scripted_answer){.start = ERR_CONNECT_FAILED};
  assert_int_equal(rig_run(), ERR_CONNECT_FAILED);
  assert_string_equal(rig.info.text, "three: the provider could not be reached");
  assert_int_equal(rig.info.http_status, 0);
  assert_int_equal(rig.call.outcome.upstream_status, 0);
  assert_int_equal(rig.call.outcome.attempts, 3);
  assert_int_equal(rig.call.outcome.usage.known, 0);
  rig_close();
}

/* A plan of the first two, and the third for what is too long for one of them. */
static void open_with_larger(void) {
  rig_open(WHOLE);
  rig.plan.n = 2;
  rig.plan.larger = rig.order + 2;
  rig.plan.larger_n = rig.plan.extra = 1;
}

TEST(a_larger_candidate_is_asked_next_when_a_request_is_too_long) {
  static const struct {
    int status;
    const char *body;
    bool is_too_long;
  } rows[] = {
      {413, "{\"error\":{\"message\":\"Request Entity Too Large\"}}", true},
      {400, "{\"error\":{\"message\":\"no\",\"code\":\"context_length_exceeded\"}}", true},
      {400, "{\"error\":{\"message\":\"prompt is too long: 9 tokens > 8 maximum\"}}", true},
      {400, "{\"error\":{\"message\":\"no such member\"}}", false},
      {500, "{\"error\":{\"message\":\"oops\"}}", false},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    open_with_larger();
    rig.answers[0] = (struct scripted_answer){.status = rows[i].status, .type = JSON, .pieces = {rows[i].body}};
    rig.answers[1] = good;
    bool goes_on = rows[i].is_too_long || rows[i].status == 500;
    assert_int_equal(rig_run(), goes_on ? OK : ERR_UPSTREAM_STATUS);
    assert_int_equal(rig.sent, goes_on ? 2 : 1);
    assert_ptr_equal(rig.call.outcome.deployment, rig.order[rows[i].is_too_long ? 2 : goes_on ? 1 : 0]);
    rig_close();
  }
}

TEST(who_comes_after_a_larger_candidate_that_fails) {
  open_with_larger();
  rig.answers[0] = (struct scripted_answer){.status = 413, .type = JSON, .pieces = {"{\"error\":\"big\"}"}};
  rig.answers[1] = (struct scripted_answer){.status = 500, .type = JSON, .pieces = {"{\"error\":\"down\"}"}};
  rig.answers[2] = good;
  assert_int_equal(rig_run(), OK);
  assert_ptr_equal(rig.call.outcome.deployment, rig.order[1]);
  rig_close();
  open_with_larger();
  rig.answers[0] = rig.answers[1] =
      (struct scripted_answer){.status = 413, .type = JSON, .pieces = {"{\"error\":\"big\"}"}};
  assert_int_equal(rig_run(), ERR_UPSTREAM_STATUS); /* too long for the larger one as well */
  assert_int_equal(rig.info.http_status, 413);
  assert_int_equal(rig.sent, 2);
  rig_close();
}

TEST(a_plan_of_one_asks_one) {
  rig_open(WHOLE);
  rig.plan.n = 1;
  rig.answers[0] = (struct scripted_answer){.status = 500, .type = JSON, .header = {STR("Retry-After"), STR("9")}};
  assert_int_equal(rig_run(), ERR_UPSTREAM_STATUS);
  assert_int_equal(rig.info.http_status, 500);
  assert_int_equal(rig.info.retry_after_ms, 9000);
  assert_int_equal(rig.sent, 1);
  rig_close();
}

/* ---- repeats, which pause on a fiber ---- */

static struct scripted_answer repeated[3];
static struct {
  enum err e;
  size_t sent;
  const struct deployment *last;
} result;

static void run_repeats(void *arg) {
  (void)arg;
  result.e = call_run(&rig.call, &rig.info);
}

static void repeats(unsigned n, size_t sent, enum err e, size_t deployment) {
  rig_open(WHOLE);
  rig.plan.same_target_repeats = n;
  memcpy(rig.answers, repeated, sizeof repeated);
  in_fiber(run_repeats);
  assert_int_equal(result.e, e);
  assert_int_equal(rig.sent, sent);
  assert_ptr_equal(rig.call.outcome.deployment, &rig.deployments[deployment]);
  rig_close();
}

TEST(the_same_target_is_asked_again_where_that_may_help) {
  const struct scripted_answer busy = {.status = 503, .type = JSON}, bad = {.status = 400, .type = JSON},
                               denied = {.status = 401, .type = JSON},
                               later = {.status = 429, .type = JSON, .header = {STR("retry-after"), STR("3600")}};
  repeated[0] = busy, repeated[1] = good;
  repeats(1, 2, OK, 0);
  repeated[0] = (struct scripted_answer){.start = ERR_UPSTREAM_CUT};
  repeats(1, 2, OK, 0);
  repeated[0] = bad;
  repeats(1, 1, ERR_UPSTREAM_STATUS, 0);
  repeated[0] = denied;
  repeats(1, 2, OK, 1); /* the key stays wrong: the next one is asked at once */
  repeated[0] = later;
  repeats(1, 2, OK, 1); /* nor is there an hour's time */
  repeated[0] = repeated[1] = busy, repeated[2] = good;
  repeats(1, 3, OK, 1);
}

static void run_cancelled(void *arg) { fiber_cancel(*(struct fiber_id *)arg); }

static void run_and_be_cancelled(void *arg) {
  static struct fiber_id self;
  (void)arg;
  self = fiber_self();
  CHECK(fiber_spawn(NULL, run_cancelled, &self) == OK);
  result.e = call_run(&rig.call, &rig.info);
}

TEST(a_caller_who_leaves_ends_the_pause) {
  rig_open(WHOLE);
  rig.plan.same_target_repeats = 5;
  rig.answers[0] = (struct scripted_answer){.status = 503, .type = JSON, .header = {STR("retry-after"), STR("20")}};
  in_fiber(run_and_be_cancelled);
  assert_int_equal(result.e, ERR_CANCELLED);
  assert_int_equal(rig.sent, 1);
  rig_close();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_whole_answer),
      cmocka_unit_test(each_attempt_gets_its_own_request),
      cmocka_unit_test(statuses_decide_whether_another_is_asked),
      cmocka_unit_test(failures_to_send_decide_likewise),
      cmocka_unit_test(odd_answers_are_failures_of_their_deployment),
      cmocka_unit_test(the_last_failure_is_told),
      cmocka_unit_test(a_larger_candidate_is_asked_next_when_a_request_is_too_long),
      cmocka_unit_test(who_comes_after_a_larger_candidate_that_fails),
      cmocka_unit_test(a_plan_of_one_asks_one),
      cmocka_unit_test(the_same_target_is_asked_again_where_that_may_help),
      cmocka_unit_test(a_caller_who_leaves_ends_the_pause),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
