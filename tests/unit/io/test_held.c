/* The budget of the process: what is free, what is refused, and that everything comes back to nothing. */
#include "io/held.h"

#include <pthread.h>

#include "unit.h"

enum { FREE = HELD_FREE_BYTES };

TEST(small_buffers_are_free) {
  struct held h = {0};
  held_set_limit(1);
  assert_true(held_try(&h, 0));
  assert_true(held_try(&h, FREE));
  assert_int_equal(held_bytes(), 0);
  assert_false(held_is_over());
  assert_false(held_try(&h, FREE + 1));
  assert_int_equal(held_bytes(), 0);
  held_charge(&h, FREE + 1); /* is there already: counts whatever the limit says */
  assert_int_equal(held_bytes(), FREE + 1);
  assert_true(held_is_over());
  held_charge(&h, FREE);
  assert_int_equal(held_bytes(), 0);
}

TEST(the_limit_is_for_all_together) {
  struct held a = {0}, b = {0};
  held_set_limit(100000);
  assert_true(held_try(&a, 60000));
  assert_true(held_try(&b, 40000));
  assert_false(held_is_over());
  assert_false(held_try(&b, 40001));
  assert_int_equal(held_bytes(), 100000);
  assert_int_equal(b.charged, 40000); /* as before */
  held_set_limit(50000);              /* a reload */
  assert_true(held_is_over());
  assert_true(held_try(&b, 39999)); /* less is never refused, also while too much is held */
  assert_true(held_try(&b, 39999));
  assert_false(held_try(&b, 40000));
  held_set_limit(0);
  assert_true(held_try(&b, SIZE_MAX / 2));
  assert_false(held_is_over());
  held_charge(&a, 0);
  held_charge(&a, 0);
  held_charge(&b, 0);
  assert_int_equal(held_bytes(), 0);
}

TEST(no_sum_wraps_around) {
  struct held a = {0}, b = {0};
  held_set_limit(0);
  assert_true(held_try(&a, SIZE_MAX - 10));
  assert_false(held_try(&b, FREE + 20));
  held_charge(&a, 0);
  assert_int_equal(held_bytes(), 0);
}

TEST(what_a_client_is_told) {
  struct err_info info = {0};
  assert_int_equal(held_busy(&info), ERR_BUSY);
  assert_int_equal(err_info_status(ERR_BUSY, &info), 503);
  assert_true(info.text[0] && info.retry_after_ms > 0);
  assert_int_equal(held_busy(NULL), ERR_BUSY);
}

static void *grow_and_shrink(void *arg) {
  struct held h = {0};
  (void)arg;
  for (size_t i = 0; i < 20000; i++) {
    if (held_try(&h, i % 7 * 10000)) continue;
    held_charge(&h, 0);
  }
  held_charge(&h, 0);
  return NULL;
}

TEST(threads) {
  pthread_t threads[4];
  held_set_limit(150000);
  for (int i = 0; i < 4; i++) assert_int_equal(pthread_create(&threads[i], NULL, grow_and_shrink, NULL), 0);
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  assert_int_equal(held_bytes(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(small_buffers_are_free),
      cmocka_unit_test(the_limit_is_for_all_together),
      cmocka_unit_test(no_sum_wraps_around),
      cmocka_unit_test(what_a_client_is_told),
      cmocka_unit_test(threads),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
