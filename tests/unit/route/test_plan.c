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

TEST(modes_have_names) {
  assert_string_equal(plan_mode_name(PLAN_AUTO), "auto");
  assert_string_equal(plan_mode_name(PLAN_PASSTHROUGH), "passthrough");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(plans), cmocka_unit_test(modes_have_names)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
