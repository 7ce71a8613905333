/* Prices so many times: exact where they can be, else rounded up, and unknown where they do not fit. */
#include "llm/price.h"

#include "unit.h"

enum { BOTH = 1 << USAGE_INPUT | 1 << USAGE_OUTPUT };

static int64_t times(int64_t price, int64_t factor) {
  struct price p = {.known = BOTH, .date = "2026-06-22"};
  p.nano_usd_per_mtok[USAGE_INPUT] = price;
  struct price out = price_times(&p, factor);
  assert_int_equal(out.known, BOTH);
  assert_int_equal(out.nano_usd_per_mtok[USAGE_OUTPUT], 0); /* free of charge stays so */
  assert_string_equal(out.date, "2026-06-22");
  return out.nano_usd_per_mtok[USAGE_INPUT];
}

TEST(what_is_multiplied) {
  static const struct {
    int64_t price, factor, expected;
  } rows[] = {
      {60000000, PRICE_ONCE, 60000000},
      {60000000, 0, 60000000}, /* nothing is said */
      {60000000, 1500000000, 90000000},
      {60000000, 1, 1},                /* 0.06, by a billionth: not even a nano-USD, and no gift */
      {37500000, 333333333, 12500000}, /* 12499999.9875 */
      {3, 500000000, 2},
      {1000000000000000, INT64_C(1000000000000), INT64_C(1000000000000000000)}, /* the most of both */
      {0, INT64_C(1000000000000), 0},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    assert_int_equal(times(rows[i].price, rows[i].factor), rows[i].expected);
}

TEST(what_is_not_known_or_does_not_fit_is_unknown) {
  struct price p = {.known = BOTH, .nano_usd_per_mtok = {INT64_MAX / 2, 5, 7}};
  struct price out = price_times(&p, 3000000000);
  assert_int_equal(out.known, 1 << USAGE_OUTPUT);
  assert_int_equal(out.nano_usd_per_mtok[USAGE_OUTPUT], 15);
  p.known = 0;
  assert_int_equal(price_times(&p, 2000000000).known, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_multiplied),
                                     cmocka_unit_test(what_is_not_known_or_does_not_fit_is_unknown)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
