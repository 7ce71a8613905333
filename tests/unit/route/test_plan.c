/* Plans: how many candidates each strategy of fallback leaves, and of which model. */
#include "route/plan.h"

#include "route_rig.h"

static enum plan_strategy expected_strategy = PLAN_SINGLE;

static void planned(const char *name, unsigned strategy, uint32_t retries, enum plan_mode mode, const char *expected) {
  struct resolution r;
  struct plan plan = {0};
  struct err_info info = {0};
  struct config_options options = rig.fake.config->options;
  options.fallback_strategy = strategy;
  options.fallback_max_retries = retries;
  options.routing_same_target_retries = 3;
  assert_int_equal(resolve_name(rig.catalog, rig.names, &rig.arena, str_from_c(name), &r, &info), OK);
  assert_int_equal(plan_make(&rig.arena, &options, &r, &plan), OK);
  assert_int_equal(plan.mode, mode);
  assert_int_equal(plan.strategy, expected_strategy);
  assert_int_equal(plan.same_target_repeats, 3);
  expect_names(plan.v, plan.n, expected);
}

TEST(plans) {
  rig_build("{\"providers\":{" PROVIDER("a", "", "\"x\":{},\"y\":{}") "," PROVIDER("b", "", "\"x\":{}") "," PROVIDER(
      "c", "", "\"x\":{},\"y\":{}") "},\"priorities\":[\"a/x\",\"a/y\",\"b/x\",\"c/y\",\"c/x\"]}");
  planned("x", CONFIG_FALLBACK_PRIORITY, 2, PLAN_PASSTHROUGH, "a/x b/x c/x");
  planned("x", CONFIG_FALLBACK_PRIORITY, 1, PLAN_PASSTHROUGH, "a/x b/x");
  planned("x", CONFIG_FALLBACK_PRIORITY, 0, PLAN_PASSTHROUGH, "a/x");
  planned("x", CONFIG_FALLBACK_PRIORITY, 10, PLAN_PASSTHROUGH, "a/x b/x c/x");
  planned("x", CONFIG_FALLBACK_SAME_MODEL, 10, PLAN_PASSTHROUGH, "a/x b/x c/x");
  planned("x", CONFIG_FALLBACK_NONE, 10, PLAN_PASSTHROUGH, "a/x");
  planned("b/x", CONFIG_FALLBACK_PRIORITY, 10, PLAN_PASSTHROUGH, "b/x"); /* this one and no other */
  planned("router-maestro", CONFIG_FALLBACK_PRIORITY, 2, PLAN_PASSTHROUGH, "a/x a/y b/x");
  planned("router-maestro", CONFIG_FALLBACK_SAME_MODEL, 2, PLAN_PASSTHROUGH, "a/x b/x c/x");
  planned("router-maestro", CONFIG_FALLBACK_SAME_MODEL, 1, PLAN_PASSTHROUGH, "a/x b/x");
  planned("router-maestro", CONFIG_FALLBACK_NONE, 2, PLAN_PASSTHROUGH, "a/x");
  planned("maestro-auto", CONFIG_FALLBACK_PRIORITY, 1, PLAN_AUTO, "a/x a/y");
  planned("maestro-auto", CONFIG_FALLBACK_SAME_MODEL, 9, PLAN_AUTO, "a/x b/x c/x");
  expected_strategy = PLAN_SMOKE;
  planned("test", CONFIG_FALLBACK_PRIORITY, 2, PLAN_PASSTHROUGH, "test");
  rig_clear();
}

/* Letters are candidates in turn, digits those that are larger; "-" is where nothing was left. */
static void walked(const char *v, const char *large, size_t most, const char *asked, const char *expected) {
  static const struct deployment all[128];
  const struct deployment *in_turn[8], *larger[8];
  struct plan_walk walk = {0};
  char given[16] = "";
  struct resolution r = {.v = in_turn, .n = strlen(v), .larger = larger, .larger_n = strlen(large)};
  struct config_options options = {.fallback_strategy = CONFIG_FALLBACK_PRIORITY,
                                   .fallback_max_retries = (uint32_t)(most - 1)};
  struct arena a;
  struct plan plan;
  arena_init(&a, 0);
  for (size_t i = 0; i < r.n; i++) in_turn[i] = &all[(unsigned char)v[i]];
  for (size_t i = 0; i < r.larger_n; i++) larger[i] = &all[(unsigned char)large[i]];
  assert_int_equal(plan_make(&a, &options, &r, &plan), OK);
  for (size_t i = 0; asked[i]; i++) {
    const struct deployment *d = asked[i] == '+' ? plan_next_larger(&plan, &walk) : plan_next(&plan, &walk);
    given[i] = d ? (char)(d - all) : '-';
  }
  assert_string_equal(given, expected);
  arena_clear(&a);
}

TEST(what_is_larger_is_asked_when_it_is_called_for_and_nobody_twice) {
  walked("ab", "", 9, "...", "ab-");
  walked("ab", "", 9, ".+.", "a-b");
  walked("ab", "1", 9, "...", "ab-");
  walked("ab", "1", 9, ".+.", "a1b");
  walked("ab", "12", 9, ".++.", "a12b");
  walked("ab", "12", 9, ".+.+", "a1b2");
  walked("ab", "1", 9, ".+++", "a1--");
  walked("ab1", "12", 9, ".+..+.", "a1b-2-"); /* 1 is both */
  walked("1a", "1", 9, ".+.", "1-a");
  walked("ab", "12", 2, ".+.", "a1-"); /* as many as may be, whichever they are */
  walked("ab", "12", 3, ".+.+", "a1b-");
  walked("a", "1", 1, ".+", "a-");
}

TEST(modes_have_names) {
  assert_string_equal(plan_mode_name(PLAN_AUTO), "auto");
  assert_string_equal(plan_mode_name(PLAN_PASSTHROUGH), "passthrough");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(plans),
                                     cmocka_unit_test(what_is_larger_is_asked_when_it_is_called_for_and_nobody_twice),
                                     cmocka_unit_test(modes_have_names)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
