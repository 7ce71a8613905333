/* Names of behaviours: what they set, how they join, what is refused. */
#include "mock/mock_plan.h"

#include <stdio.h>

#include "unit.h"

static struct mock_plan plan_of(const char *name) {
  struct mock_plan plan = {0};
  assert_true(mock_plan_apply(&plan, str_from_c(name)));
  return plan;
}

TEST(defaults_come_from_the_options) {
  struct mock_options options = {.latency_ms = 3, .chunk_interval_ms = 4, .chunks = 5, .reply_bytes = 6};
  struct mock_plan plan = mock_plan_default(&options);
  assert_int_equal(plan.latency_ms, 3);
  assert_int_equal(plan.interval_ms, 4);
  assert_int_equal(plan.chunks, 5);
  assert_int_equal(plan.reply_bytes, 6);
  assert_int_equal(plan.fault, MOCK_FAULT_NONE);
}

TEST(every_row_can_be_named) {
  struct str name, help;
  for (size_t i = 0; mock_plan_row(i, &name, &help); i++) {
    char text[64];
    struct mock_plan plan = {0}, zero = {0};
    snprintf(text, sizeof text, "%.*s%s", STR_ARG(name), str_has_suffix(name, STR("-")) ? "429" : "");
    assert_true(mock_plan_apply(&plan, str_from_c(text)));
    assert_memory_not_equal(&plan, &zero, sizeof plan);
    assert_true(help.n > 0);
  }
}

TEST(numbers) {
  assert_int_equal(plan_of("slow-250").latency_ms, 250);
  assert_int_equal(plan_of("slow-first-250").first_ms, 250);
  assert_int_equal(plan_of("slow-first-250").latency_ms, 0);
  assert_int_equal(plan_of("big-3").reply_bytes, 3 * 1024);
  assert_int_equal(plan_of("big-1mb").reply_bytes, 1 << 20);
  assert_int_equal(plan_of("stream-cut-77").cut_bytes, 77);
  assert_int_equal(plan_of("stream-cut-77").fault, MOCK_FAULT_CUT_AT);
  assert_int_equal(plan_of("stream-cut").fault, MOCK_FAULT_CUT);
  assert_int_equal(plan_of("fail-503").status, 503);
}

TEST(names_join_and_the_later_wins) {
  struct mock_plan plan = plan_of("tool+slow-20+pace-3+slow-30");
  assert_int_equal(plan.answer, MOCK_ANSWER_TOOL);
  assert_int_equal(plan.latency_ms, 30);
  assert_int_equal(plan.interval_ms, 3);
}

TEST(a_quirk_of_calls_makes_calls) {
  assert_int_equal(plan_of("tool-id-missing").answer, MOCK_ANSWER_TOOL);
  assert_int_equal(plan_of("tool-index-dup").answer, MOCK_ANSWER_TOOL_PARALLEL);
  assert_int_equal(plan_of("tool-parallel+tool-args-object").answer, MOCK_ANSWER_TOOL_PARALLEL);
  assert_int_equal(plan_of("tool-args-object+echo").answer, MOCK_ANSWER_ECHO);
}

TEST(once_belongs_to_faults) {
  struct mock_plan plan = plan_of("fail-429-once");
  assert_int_equal(plan.fault, MOCK_FAULT_STATUS);
  assert_int_equal(plan.status, 429);
  assert_int_equal(plan.is_once, 1);
  assert_int_equal(plan_of("reset-once").fault, MOCK_FAULT_RESET);
  struct mock_plan untouched = {.latency_ms = 9};
  assert_false(mock_plan_apply(&untouched, STR("echo-once")));
  assert_int_equal(untouched.latency_ms, 9);
}

TEST(unknown_names_change_nothing) {
  static const char *const bad[] = {"",         "gpt-4o",    "slow-",  "slow-x",        "slow-1000000", "fail-200",
                                    "echo+",    "+echo",     "echo+x", "stream-cut--1", "big-99999",    "Echo",
                                    "fail-600", "fail-429 ", "tool-",  "-once",         "slow-5-once"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    struct mock_plan plan = {.reply_bytes = 5}, same = plan;
    assert_false(mock_plan_apply(&plan, str_from_c(bad[i])));
    assert_memory_equal(&plan, &same, sizeof plan);
  }
}

TEST(tags) {
  struct str name;
  assert_true(mock_plan_tag(STR("please [[mock:echo]] this [[mock:tool]]"), &name));
  assert_str(name, STR("echo"));
  assert_false(mock_plan_tag(STR("[[mock:echo"), &name));
  assert_false(mock_plan_tag(STR("[mock:echo]]"), &name));
  assert_false(mock_plan_tag(STR_NONE, &name));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(defaults_come_from_the_options),
      cmocka_unit_test(every_row_can_be_named),
      cmocka_unit_test(numbers),
      cmocka_unit_test(names_join_and_the_later_wins),
      cmocka_unit_test(a_quirk_of_calls_makes_calls),
      cmocka_unit_test(once_belongs_to_faults),
      cmocka_unit_test(unknown_names_change_nothing),
      cmocka_unit_test(tags),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
