/* What is learned of providers: by id, for the life of the process, in a table with an end. */
#include "route/runtime.h"

#include <stdio.h>

#include "unit.h"

TEST(slots_are_kept_by_id_and_the_table_ends) {
  unsigned a = runtime_slot(STR("a")), b = runtime_slot(STR("b"));
  assert_true(a != b && a && b);
  assert_int_equal(runtime_slot(STR("a")), a);
  assert_true(runtime_takes_usage_option(a));
  runtime_refuse_usage_option(a);
  assert_false(runtime_takes_usage_option(a));
  assert_true(runtime_takes_usage_option(b));
  char name[32];
  for (unsigned i = 0; i < RUNTIME_PROVIDERS_MAX + 10; i++) {
    snprintf(name, sizeof name, "p%u", i);
    unsigned slot = runtime_slot(str_from_c(name));
    assert_true(slot < RUNTIME_PROVIDERS_MAX && slot != a && slot != b);
  }
  assert_int_equal(runtime_slot(STR("one too many")), 0);
  assert_int_equal(runtime_slot(STR("a")), a);
}

TEST(calls_and_health_are_kept_by_slot) {
  unsigned a = runtime_slot(STR("a"));
  struct runtime_health health;
  runtime_get_health(a, &health);
  assert_int_equal(health.at_us, 0);
  runtime_set_health(a, &(struct runtime_health){.at_us = 5, .fault = ERR_TIMEOUT, .latency_ms = 7, .text = "late"});
  runtime_get_health(a, &health);
  assert_true(health.at_us == 5 && health.fault == ERR_TIMEOUT && health.latency_ms == 7);
  assert_string_equal(health.text, "late");
  runtime_call_begin(a);
  runtime_call_begin(a);
  runtime_call_end(a);
  assert_int_equal(runtime_load(a).calls, 2);
  assert_int_equal(runtime_load(a).in_flight, 1);
  runtime_call_end(a);
  assert_int_equal(runtime_load(a).in_flight, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(slots_are_kept_by_id_and_the_table_ends),
                                     cmocka_unit_test(calls_and_health_are_kept_by_slot)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
