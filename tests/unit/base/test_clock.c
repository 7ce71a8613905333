/* Time, injected and formatted. */
#include "base/clock.h"

#include "unit.h"

static uint64_t fixed_mono(void) { return 1000; }
static int64_t fixed_wall(void) { return 1700000000123456; }

TEST(clocks_can_be_replaced) {
  uint64_t before = clock_mono_us();
  assert_true(clock_mono_us() >= before);
  assert_true(clock_wall_us() > 1700000000000000);
  clock_inject(fixed_mono, fixed_wall);
  assert_int_equal(clock_mono_us(), 1000);
  assert_true(clock_wall_us() == 1700000000123456);
  clock_inject(NULL, NULL);
  assert_true(clock_mono_us() >= before && clock_wall_us() != 1700000000123456);
}

TEST(deadlines_saturate) {
  clock_inject(fixed_mono, fixed_wall);
  assert_true(clock_deadline_ms(0) == DEADLINE_NONE);
  assert_int_equal(clock_deadline_ms(5), 6000);
  assert_true(clock_deadline_ms(UINT64_MAX) == DEADLINE_NONE);
  assert_true(clock_deadline_ms(UINT64_MAX / 1000) == DEADLINE_NONE);
  assert_true(clock_deadline_ms(UINT64_MAX / 1000 - 2) < DEADLINE_NONE);
  clock_inject(NULL, NULL);
}

static void assert_time(int64_t wall_us, const char *want) {
  char text[25 + 1];
  text[25] = 'x';
  clock_format_rfc3339(wall_us, text);
  assert_string_equal(text, want);
  assert_int_equal(text[25], 'x');
}

TEST(times_are_written) {
  assert_time(0, "1970-01-01T00:00:00.000Z");
  assert_time(1700000000123456, "2023-11-14T22:13:20.123Z");
  assert_time(951782400000000, "2000-02-29T00:00:00.000Z");
  assert_time(-1, "1969-12-31T23:59:59.999Z");
  assert_time(-1000000, "1969-12-31T23:59:59.000Z");
  assert_time(-1000001, "1969-12-31T23:59:58.999Z");
  assert_time(253402300799999999, "9999-12-31T23:59:59.999Z");
  assert_time(253402300800000000, "9999-12-31T23:59:59.999Z");
  assert_time(INT64_MAX, "9999-12-31T23:59:59.999Z");
  assert_time(INT64_MIN, "0000-01-01T00:00:00.000Z");
}

static int64_t parsed(const char *text) {
  int64_t us = -1;
  return clock_parse_time(str_from_c(text), &us) ? us : -1;
}

TEST(times_are_read) {
  const int64_t day = INT64_C(1795824000000000); /* 2026-11-28T00:00:00Z */
  assert_int_equal(parsed("2026-11-28"), day);
  assert_int_equal(parsed("2026-11-28T10:11:12Z"), day + INT64_C(36672000000));
  assert_int_equal(parsed("2026-11-28t10:11:12.345678z"), day + INT64_C(36672345678));
  assert_int_equal(parsed("2026-11-28 10:11"), day + INT64_C(36660000000));
  assert_int_equal(parsed("2026-11-28T10:11:12.5"), day + INT64_C(36672500000));
  assert_int_equal(parsed("2026-11-28T10:11:12+01:30"), day + INT64_C(31272000000));
  assert_int_equal(parsed("2026-11-28T10:11:12-0100"), day + INT64_C(40272000000));
  assert_int_equal(parsed("2024-02-29"), INT64_C(1709164800000000));
  assert_int_equal(parsed("1970-01-01T00:00:00Z"), 0);
}

TEST(what_is_no_time_is_refused) {
  static const char *const bad[] = {"",
                                    "now",
                                    "2026",
                                    "2026-11",
                                    "2026-13-01",
                                    "2026-00-01",
                                    "2026-02-29",
                                    "2026-11-31",
                                    "2026-11-28T",
                                    "2026-11-28T24:00:00Z",
                                    "2026-11-28T10:60:00Z",
                                    "2026-11-28T10:11:60Z",
                                    "2026-11-28T10:11:12.Z",
                                    "2026-11-28T10:11:12Zx",
                                    "2026-11-28T10:11:12+1",
                                    "2026-11-28x",
                                    " 2026-11-28",
                                    "+026-11-28",
                                    "0000-01-01"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    int64_t us = 42;
    if (clock_parse_time(str_from_c(bad[i]), &us)) fail_msg("taken: %s", bad[i]);
    assert_int_equal(us, 42);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(clocks_can_be_replaced),     cmocka_unit_test(deadlines_saturate),
      cmocka_unit_test(times_are_written),          cmocka_unit_test(times_are_read),
      cmocka_unit_test(what_is_no_time_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
