/* One attempt: the limits of its waits, the usage option that some providers refuse, answers that are no stream where
 * one was asked for, and what a caller may see of an upstream's headers. */
#include "call_rig.h"

TEST(the_tightest_limit_names_the_failure) {
  static const struct {
    struct provider_timeouts limits;
    bool is_stream;
    uint32_t connect_ms, headers_ms;
    enum err e;
  } rows[] = {
      {{0}, true, HTTP_CLIENT_CONNECT_MS, 0, ERR_HEADERS_TIMEOUT},
      {{.headers_ms = 9000, .first_token_ms = 8000, .total_ms = 7000}, false, 7000, 7000, ERR_TOTAL_TIMEOUT},
      {{.connect_ms = 100, .headers_ms = 5000, .first_token_ms = 8000}, true, 100, 5000, ERR_HEADERS_TIMEOUT},
      {{.headers_ms = 9000, .first_token_ms = 8000}, true, HTTP_CLIENT_CONNECT_MS, 8000, ERR_FIRST_CONTENT_TIMEOUT},
      {{.headers_ms = 9000, .first_token_ms = 8000}, false, HTTP_CLIENT_CONNECT_MS, 9000, ERR_HEADERS_TIMEOUT},
      {{.first_token_ms = 8000},
       true,
       HTTP_CLIENT_CONNECT_MS,
       8000,
       ERR_FIRST_CONTENT_TIMEOUT}, /* no limit of headers */
      {{.first_token_ms = 8000}, false, HTTP_CLIENT_CONNECT_MS, 0, ERR_HEADERS_TIMEOUT},
      {{.total_ms = 20000}, true, HTTP_CLIENT_CONNECT_MS, 20000, ERR_TOTAL_TIMEOUT},
      {{.connect_ms = 3000, .total_ms = 2000}, true, 2000, 2000, ERR_TOTAL_TIMEOUT},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    rig_open(rows[i].is_stream ? STREAM : WHOLE);
    rig.plan.n = 1;
    rig.providers[0].provider.timeouts = rows[i].limits;
    rig.answers[0] = (struct scripted_answer){.start = ERR_HEADERS_TIMEOUT};
    assert_int_equal(rig_run(), rows[i].e);
    assert_int_equal(rig.requests[0].connect_ms, rows[i].connect_ms);
    assert_int_equal(rig.requests[0].headers_ms, rows[i].headers_ms);
    rig_close();
  }
}

TEST(waits_inside_a_whole_answer) {
  rig_open(WHOLE);
  rig.plan.n = 1;
  rig.providers[0].provider.timeouts = (struct provider_timeouts){.silence_ms = 3000, .total_ms = 9000};
  rig.answers[0] = (struct scripted_answer){.type = JSON, .pieces = {"{", late}};
  assert_int_equal(rig_run(), ERR_SILENCE_TIMEOUT);
  assert_true(rig.wait_ms[1] <= 3000 && rig.wait_ms[1] > 2000);
  rig_close();
  rig_open(WHOLE);
  rig.plan.n = 1;
  rig.providers[0].provider.timeouts = (struct provider_timeouts){.silence_ms = 9000, .total_ms = 3000};
  rig.answers[0] = (struct scripted_answer){.type = JSON, .pieces = {"{", late}};
  assert_int_equal(rig_run(), ERR_TOTAL_TIMEOUT);
  rig_close();
}

static const struct scripted_answer refusal = {
    .status = 400, .type = JSON, .pieces = {"{\"error\":{\"message\":\"stream_options: extra inputs\"}}"}};
static const struct scripted_answer stream = {.pieces = {TEXT("a"), STOP, DONE}};

static void open_with_slot(const char *body, const char *name) {
  rig_open(body);
  rig.plan.n = 1;
  rig.providers[0].runtime = runtime_slot(str_from_c(name));
}

#define ASKING "{\"stream_options\":{\"include_usage\":true},\"model\":\"m0\",\"messages\":[{}],\"stream\":true}"
#define NOT_ASKING "{\"model\":\"m0\",\"messages\":[{}],\"stream\":true}"

TEST(a_refused_usage_option_is_learned) {
  open_with_slot(STREAM, "refuses");
  rig.answers[0] = refusal;
  rig.answers[1] = stream;
  assert_int_equal(rig_run(), OK);
  assert_int_equal(rig.sent, 2);
  expect_text(&rig.bodies[0], ASKING);
  expect_text(&rig.bodies[1], NOT_ASKING);
  expect_text(&rig.got, TEXT("a") STOP DONE);
  assert_int_equal(rig.call.outcome.attempts, 1);
  rig_close();
  open_with_slot(STREAM, "refuses");
  rig.answers[0] = stream;
  assert_int_equal(rig_run(), OK);
  assert_int_equal(rig.sent, 1);
  expect_text(&rig.bodies[0], NOT_ASKING);
  rig_close();
}

TEST(nothing_is_learned_where_the_option_was_not_it) {
  open_with_slot(STREAM, "minds something else");
  rig.answers[0] = refusal;
  rig.answers[1] = refusal;
  assert_int_equal(rig_run(), ERR_UPSTREAM_STATUS);
  assert_int_equal(rig.info.http_status, 400);
  assert_int_equal(rig.sent, 2);
  rig_close();
  open_with_slot(STREAM, "minds something else");
  rig.answers[0] = stream;
  assert_int_equal(rig_run(), OK);
  expect_text(&rig.bodies[0], ASKING);
  rig_close();
  open_with_slot(STREAM, "another status");
  rig.answers[0] = refusal;
  rig.answers[0].status = 500;
  assert_int_equal(rig_run(), ERR_UPSTREAM_STATUS);
  assert_int_equal(rig.sent, 1);
  rig_close();
}

TEST(the_option_is_only_for_who_understands_it) {
  open_with_slot(STREAM_USAGE, "caller asks itself");
  rig.answers[0] = refusal; /* then it is the caller's fault, and told */
  assert_int_equal(rig_run(), ERR_UPSTREAM_STATUS);
  assert_int_equal(rig.sent, 1);
  rig_close();
  static const enum provider_usage kinds[] = {PROVIDER_USAGE_ALWAYS, PROVIDER_USAGE_NONE};
  for (size_t i = 0; i < 2; i++) {
    open_with_slot(STREAM, "unasked");
    rig.providers[0].provider.usage = kinds[i];
    rig.answers[0] = stream;
    assert_int_equal(rig_run(), OK);
    expect_text(&rig.bodies[0], NOT_ASKING);
    rig_close();
  }
  open_with_slot(WHOLE, "no stream");
  rig.answers[0] = (struct scripted_answer){.type = JSON, .pieces = {"{\"choices\":[]}"}};
  assert_int_equal(rig_run(), OK);
  expect_text(&rig.bodies[0], "{\"model\":\"m0\",\"messages\":[{}]}");
  rig_close();
}

TEST(no_stream_where_one_is_due) {
  static const struct {
    struct scripted_answer answer;
    enum err e;
    int status;
  } rows[] = {
      {{.type = JSON, .pieces = {"{\"error\":{\"message\":\"full\",\"code\":429}}"}}, ERR_UPSTREAM_STATUS, 429},
      {{.type = JSON, .pieces = {"{\"error\":\"full\"}"}}, ERR_UPSTREAM_STATUS, 502},
      {{.type = JSON, .pieces = {"{\"choices\":[]}"}}, ERR_UPSTREAM_PROTOCOL, 0},
      {{.type = JSON}, ERR_UPSTREAM_PROTOCOL, 0},
      {{.type = "text/html", .pieces = {"{\"error\":\"full\"}"}}, ERR_UPSTREAM_PROTOCOL, 0},
      {{.type = JSON, .pieces = {"{", late}}, ERR_UPSTREAM_PROTOCOL, 0},
      {{.type = JSON, .pieces = {"{", gone}}, ERR_CANCELLED, 0},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    rig_open(STREAM);
    rig.plan.n = 1;
    rig.answers[0] = rows[i].answer;
    assert_int_equal(rig_run(), rows[i].e);
    assert_int_equal(rig.info.http_status, rows[i].status);
    assert_int_equal(rig.writes, 0);
    rig_close();
  }
}

TEST(a_failure_is_read_as_far_as_it_comes) {
  static const struct scripted_answer failures[] = {
      {.status = 400, .type = JSON, .pieces = {"{\"error\":", "\"why\"}"}},
      {.status = 400, .type = JSON, .pieces = {"{\"error\":\"why\"}", late}},
      {.status = 400, .type = JSON, .pieces = {"{\"error\":\"why\"}", cut}},
      {.status = 400, .type = "text/plain", .pieces = {"{\"error\":\"why\"}"}},
  };
  for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
    rig_open(WHOLE);
    rig.answers[0] = failures[i];
    assert_int_equal(rig_run(), ERR_UPSTREAM_STATUS);
    assert_string_equal(rig.info.text, "one: why");
    for (size_t k = 0; k < rig.reads; k++) assert_true(rig.wait_ms[k] <= 5000);
    rig_close();
  }
  rig_open(WHOLE);
  rig.answers[0] = (struct scripted_answer){.status = 400, .pieces = {gone}};
  assert_int_equal(rig_run(), ERR_CANCELLED);
  rig_close();
}

TEST(headers_that_are_no_business_of_the_caller_stay) {
  static const struct {
    const char *name;
    bool is_passed;
  } rows[] = {{"X-RateLimit-Limit-Requests", true},
              {"openai-processing-ms", true},
              {"OpenAI-Organization", true},
              {"Set-Cookie", false},
              {"Server", false},
              {"x-request-id", false},
              {"Content-Length", false},
              {"x-ratelimit", false},
              {"Location", false}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    rig_open(WHOLE);
    rig.answers[0] = (struct scripted_answer){
        .type = JSON, .header = {str_from_c(rows[i].name), STR("v")}, .pieces = {"{\"choices\":[]}"}};
    assert_int_equal(rig_run(), OK);
    assert_int_equal(rig.call.reply_headers.n, rows[i].is_passed);
    rig_close();
  }
}

TEST(a_flood_of_headers_is_cut) {
  rig_open(WHOLE);
  rig.answers[0] = (struct scripted_answer){
      .type = JSON, .header = {STR("x-ratelimit-a"), STR("v")}, .copies = HEADERS_MAX, .pieces = {"{\"choices\":[]}"}};
  assert_int_equal(rig_run(), OK);
  assert_int_equal(rig.call.reply_headers.n, 24);
  rig_close();
}

static struct str whole_of(size_t bytes) {
  static const char head[] = "{\"model\":\"m\",\"choices\":[{\"message\":{\"content\":\"",
                    tail[] = "\"}}],\"usage\":{\"completion_tokens\":9}}";
  char *reply = malloc(bytes);
  memset(reply, 'w', bytes);
  memcpy(reply, head, sizeof head - 1);
  memcpy(reply + bytes + 1 - sizeof tail, tail, sizeof tail - 1);
  return str_from(reply, bytes);
}

TEST(the_process_may_hold_too_much) {
  static const struct {
    size_t bytes, limit;
    enum err e;
  } rows[] = {
      {100000, 50000, ERR_BUSY},  /* while it is read */
      {100000, 150000, ERR_BUSY}, /* with its edited copy */
      {100000, 600000, OK},
      {3000, 1, OK}, /* small answers never ask */
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct str reply = whole_of(rows[i].bytes);
    rig_open(WHOLE);
    rig.answers[0] = (struct scripted_answer){.type = JSON, .bytes = reply, .step = 10000};
    held_set_limit(rows[i].limit);
    assert_int_equal(rig_run(), rows[i].e);
    assert_int_equal(rig.sent, 1); /* the memory is short for every candidate */
    if (rows[i].e) {
      assert_int_equal(err_info_status(ERR_BUSY, &rig.info), 503);
      assert_true(rig.info.retry_after_ms > 0);
    } else {
      assert_int_equal(held_bytes(), rows[i].bytes > 16384 ? rig.call.reply.cap : 0); /* the copy alone is left */
    }
    rig_close();
    free((void *)(uintptr_t)reply.p);
  }
}

TEST(a_failure_is_told_whatever_is_held) {
  rig_open(WHOLE);
  rig.plan.n = 1;
  struct str body = whole_of(60000);
  rig.answers[0] = (struct scripted_answer){.status = 400, .type = JSON, .bytes = body, .step = 10000};
  held_set_limit(1);
  assert_int_equal(rig_run(), ERR_UPSTREAM_STATUS);
  assert_int_equal(rig.info.http_status, 400);
  assert_int_equal(held_bytes(), 0);
  rig_close();
  free((void *)(uintptr_t)body.p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_tightest_limit_names_the_failure),
      cmocka_unit_test(waits_inside_a_whole_answer),
      cmocka_unit_test(a_refused_usage_option_is_learned),
      cmocka_unit_test(nothing_is_learned_where_the_option_was_not_it),
      cmocka_unit_test(the_option_is_only_for_who_understands_it),
      cmocka_unit_test(no_stream_where_one_is_due),
      cmocka_unit_test(a_failure_is_read_as_far_as_it_comes),
      cmocka_unit_test(headers_that_are_no_business_of_the_caller_stay),
      cmocka_unit_test(a_flood_of_headers_is_cut),
      cmocka_unit_test(the_process_may_hold_too_much),
      cmocka_unit_test(a_failure_is_told_whatever_is_held),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
