/* Words and budgets of thinking. The budgets are those of the Gemini API reference, "OpenAI compatibility" (read
 * 2026-11). */
#include "llm/effort.h"
#include "unit.h"

TEST(budgets_of_words) {
  assert_int_equal(effort_budget(STR("low")), 1024);
  assert_int_equal(effort_budget(STR("medium")), 8192);
  assert_int_equal(effort_budget(STR("high")), 24576);
  assert_true(effort_budget(STR("max")) >= effort_budget(STR("xhigh")));
  assert_int_equal(effort_budget(STR("none")), -1);
  assert_int_equal(effort_budget(STR("much")), -1);
  assert_int_equal(effort_budget(STR_NONE), -1);
}

TEST(words_of_budgets_are_the_nearest) {
  static const struct {
    int64_t tokens;
    struct str word;
  } rows[] = {{-1, STR_NONE},       {0, STR_NONE},         {1, STR("low")},         {1024, STR("low")},
              {4608, STR("low")},   {4609, STR("medium")}, {8192, STR("medium")},   {16384, STR("medium")},
              {16385, STR("high")}, {24576, STR("high")},  {INT64_MAX, STR("high")}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) assert_str(effort_of_budget(rows[i].tokens), rows[i].word);
}

TEST(words_that_a_target_does_not_know) {
  assert_str(effort_within(STR("minimal"), STR("low"), STR("high")), STR("low"));
  assert_str(effort_within(STR("max"), STR("low"), STR("high")), STR("high"));
  assert_str(effort_within(STR("max"), STR("low"), STR("xhigh")), STR("xhigh"));
  assert_str(effort_within(STR("medium"), STR("low"), STR("high")), STR("medium"));
  assert_str(effort_within(STR("much"), STR("low"), STR("high")), STR("much"));
}

TEST(off) {
  static const struct {
    struct request_reasoning r;
    bool is_off;
  } rows[] = {
      {{.enabled = -1, .budget_tokens = -1}, false},
      {{.enabled = 0, .budget_tokens = -1}, true},
      {{.enabled = -1, .budget_tokens = 0}, true},
      {{.enabled = -1, .budget_tokens = -1, .effort = STR("none")}, true},
      {{.enabled = 1, .budget_tokens = -1, .effort = STR("low")}, false},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) assert_int_equal(effort_is_off(&rows[i].r), rows[i].is_off);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(budgets_of_words),
      cmocka_unit_test(words_of_budgets_are_the_nearest),
      cmocka_unit_test(words_that_a_target_does_not_know),
      cmocka_unit_test(off),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
