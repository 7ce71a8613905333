/* Attempts to sign in: a burst, then one a minute, per address and per account; what was right costs nothing. */
#include "policy/login_guard.h"

#include <stdio.h>

#include "unit.h"

static uint64_t now_us = 1000000000;

static int setup(void **state) {
  (void)state;
  return login_guard_start(NULL);
}

static int teardown(void **state) {
  (void)state;
  login_guard_stop();
  return 0;
}

/* 0, or how long to wait. */
static int64_t attempt(const char *account, const char *address) {
  struct err_info info = {0};
  enum err e = login_guard_begin(str_from_c(account), address, now_us, &info);
  assert_true(e == OK || (e == ERR_RATE_LIMITED && info.retry_after_ms > 0));
  return e ? info.retry_after_ms : 0;
}

TEST(an_address_gets_a_burst_and_then_one_at_a_time) {
  for (int i = 0; i < LOGIN_GUARD_BURST; i++) {
    char account[16];
    snprintf(account, sizeof account, "a%d", i);
    assert_int_equal(attempt(account, "8.8.8.8"), 0);
  }
  assert_int_equal(attempt("z", "8.8.8.8"), LOGIN_GUARD_REFILL_MS);
  assert_int_equal(attempt("z", "8.8.8.9"), 0);
  now_us += 20000000;
  assert_int_equal(attempt("z", "8.8.8.8"), LOGIN_GUARD_REFILL_MS - 20000);
  now_us += (LOGIN_GUARD_REFILL_MS - 20000) * 1000ull; /* exactly what was said */
  assert_int_equal(attempt("y", "8.8.8.8"), 0);
  assert_int_not_equal(attempt("y", "8.8.8.8"), 0);
}

TEST(an_account_is_locked_for_strangers_but_not_for_who_has_been_there) {
  char address[24];
  assert_int_equal(attempt("root", "10.0.0.1"), 0);
  login_guard_succeed(STR("root"), "10.0.0.1");
  for (int i = 0; i < LOGIN_GUARD_BURST; i++) {
    snprintf(address, sizeof address, "9.9.9.%d", i);
    assert_int_equal(attempt("root", address), 0);
  }
  assert_int_not_equal(attempt("root", "7.7.7.7"), 0);
  assert_int_equal(attempt("root", "10.0.0.1"), 0);
  assert_int_equal(attempt("other", "7.7.7.7"), 0);
}

TEST(right_passwords_and_full_queues_cost_nothing) {
  for (int i = 0; i < 50; i++) {
    assert_int_equal(attempt("root", "8.8.4.4"), 0);
    if (i % 2)
      login_guard_succeed(STR("root"), "8.8.4.4");
    else
      login_guard_take_back(STR("root"), "8.8.4.4");
  }
}

TEST(many_at_once_are_no_more_than_one_after_another) {
  int passed = 0;
  for (int i = 0; i < 40; i++) passed += attempt("root", "8.8.4.4") == 0; /* none has been answered yet */
  assert_int_equal(passed, LOGIN_GUARD_BURST);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(an_address_gets_a_burst_and_then_one_at_a_time, setup, teardown),
      cmocka_unit_test_setup_teardown(an_account_is_locked_for_strangers_but_not_for_who_has_been_there, setup,
                                      teardown),
      cmocka_unit_test_setup_teardown(right_passwords_and_full_queues_cost_nothing, setup, teardown),
      cmocka_unit_test_setup_teardown(many_at_once_are_no_more_than_one_after_another, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
