/* An answer that no provider gives: nothing is sent, it costs nothing, and it has the caller's shape. */
#include "call_rig.h"

#define BODY(more) "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]" more "}"

static enum err run(const char *body) {
  struct fixed_answer answer = {.text = STR("It \"works\".")};
  usage_set(&answer.usage, USAGE_INPUT, 7);
  usage_set(&answer.usage, USAGE_OUTPUT, 5);
  rig_open(body);
  rig.call.reply_id = STR("r1");
  enum err e = call_run_fixed(&rig.call, &answer, &rig.info);
  assert_int_equal(rig.sent, 0);
  assert_ptr_equal(rig.call.outcome.deployment, &rig.deployments[0]);
  assert_int_equal(rig.call.outcome.attempts, 0);
  assert_true(rig.call.outcome.cost.is_known && rig.call.outcome.cost.total_nano_usd == 0);
  assert_int_equal(rig.call.outcome.is_complete, e == OK);
  return e;
}

static bool has(const struct buf *b, const char *text) { return str_find(buf_str(b), str_from_c(text)) != SIZE_MAX; }

TEST(a_whole_answer) {
  assert_int_equal(run(BODY("")), OK);
  assert_true(has(&rig.call.reply, "\"content\":\"It \\\"works\\\".\""));
  assert_true(has(&rig.call.reply, "\"finish_reason\":\"stop\""));
  assert_true(has(&rig.call.reply, "\"prompt_tokens\":7,\"completion_tokens\":5"));
  assert_int_equal(usage_get(&rig.call.outcome.usage, USAGE_INPUT), 7);
  assert_int_equal(rig.writes, 0);
  rig_close();
}

TEST(each_choice_has_it) {
  assert_int_equal(run(BODY(",\"n\":3")), OK);
  assert_true(has(&rig.call.reply, "\"index\":0") && has(&rig.call.reply, "\"index\":2"));
  assert_false(has(&rig.call.reply, "\"index\":3"));
  rig_close();
}

TEST(more_choices_than_an_answer_can_have) {
  assert_int_equal(run(BODY(",\"n\":129")), ERR_UNSUPPORTED);
  assert_string_equal(rig.info.param, "n");
  rig_close();
}

TEST(a_stream) {
  assert_int_equal(run(BODY(",\"stream\":true,\"stream_options\":{\"include_usage\":true}")), OK);
  assert_int_equal(rig.writes, 1);
  assert_int_equal(rig.call.reply.n, 0);
  assert_true(has(&rig.got, "\"content\":\"It \\\"works\\\".\""));
  assert_true(has(&rig.got, "\"prompt_tokens\":7"));
  assert_true(str_has_suffix(buf_str(&rig.got), STR("data: [DONE]\n\n")));
  rig_close();
}

TEST(what_is_no_request_is_refused) {
  assert_int_equal(run("{\"model\":\"m\",\"messages\":[{\"role\":7}]}"), ERR_BAD_TYPE);
  assert_string_equal(rig.info.param, "messages[0].role");
  rig_close();
}

TEST(a_caller_that_has_left) {
  struct fixed_answer answer = {.text = STR("x")};
  rig_open(BODY(",\"stream\":true"));
  rig.write_fails = ERR_CANCELLED;
  assert_int_equal(call_run_fixed(&rig.call, &answer, &rig.info), ERR_CANCELLED);
  assert_false(rig.call.outcome.is_complete);
  rig_close();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_whole_answer),
      cmocka_unit_test(each_choice_has_it),
      cmocka_unit_test(more_choices_than_an_answer_can_have),
      cmocka_unit_test(a_stream),
      cmocka_unit_test(what_is_no_request_is_refused),
      cmocka_unit_test(a_caller_that_has_left),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
