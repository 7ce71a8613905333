#include <stdio.h>
#include "io/fiber.h"
#include "io/loop.h"
#include "unit.h"

static char text[64];
static void print_double(void *arg) { snprintf(text, sizeof text, "%f %.3e", *(double *)arg, 1e300); }

TEST(floating_point_formatting_works_in_a_fresh_fiber) {
  struct loop *l = NULL;
  assert_int_equal(loop_new(&l, NULL, NULL), OK);
  static double v = 2.5;
  assert_int_equal(fiber_spawn(NULL, print_double, &v), OK);
  loop_stop(l);
  loop_run(l);
  assert_string_equal(text, "2.500000 1.000e+300");
  loop_free(l);
}
static struct fiber_id pp[2];
static unsigned n[2];
static void ping(void *arg) {
  unsigned i = *(unsigned *)arg;
  for (; n[i] < 1000; n[i]++) {
    fiber_wake(pp[!i]);
    if (fiber_park(DEADLINE_NONE) != OK) break;
  }
  fiber_wake(pp[!i]);
}
TEST(pingpong) {
  struct loop *l = NULL;
  assert_int_equal(loop_new(&l, NULL, NULL), OK);
  unsigned a = 0, b = 1;
  assert_int_equal(fiber_spawn(&pp[0], ping, &a), OK);
  assert_int_equal(fiber_spawn(&pp[1], ping, &b), OK);
  loop_stop(l);
  loop_run(l);
  loop_free(l);
}
static enum err r1;
static uint64_t t0, t1;
static void sl(void *arg) {
  (void)arg;
  t0 = clock_mono_us();
  r1 = fiber_sleep_until(clock_deadline_ms(20));
  t1 = clock_mono_us();
}
TEST(sleeping) {
  struct loop *l = NULL;
  assert_int_equal(loop_new(&l, NULL, NULL), OK);
  assert_int_equal(fiber_spawn(NULL, sl, NULL), OK);
  loop_stop(l);
  loop_run(l);
  assert_int_equal(r1, OK);
  assert_true(t1 - t0 >= 20000);
  loop_free(l);
}
int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(floating_point_formatting_works_in_a_fresh_fiber),
      cmocka_unit_test(pingpong),
      cmocka_unit_test(sleeping),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
