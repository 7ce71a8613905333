/* Costs: exact to the nano-dollar, the classes add up, unknown stays unknown, and an upstream that contradicts itself
 * or overflows is never billed a made-up amount. */
#include "llm/cost.h"

#include "unit.h"

#define USD INT64_C(1000000000) /* nano-USD */

/* Prices in nano-USD per million tokens; -1: none. */
static struct price price_of(int64_t in, int64_t out, int64_t read, int64_t write, int64_t reasoning) {
  const int64_t amounts[USAGE_CLASSES] = {in, out, read, write, reasoning};
  struct price p = {0};
  for (int i = 0; i < USAGE_CLASSES; i++) {
    if (amounts[i] < 0) continue;
    p.nano_usd_per_mtok[i] = amounts[i];
    p.known = (uint8_t)(p.known | 1u << i);
  }
  return p;
}

/* Tokens; -1: not reported. */
static struct usage usage_of(int64_t in, int64_t out, int64_t read, int64_t write, int64_t reasoning) {
  const int64_t tokens[USAGE_CLASSES] = {in, out, read, write, reasoning};
  struct usage u = {0};
  for (int i = 0; i < USAGE_CLASSES; i++)
    if (tokens[i] >= 0) assert_true(usage_set(&u, (enum usage_class)i, tokens[i]));
  return u;
}

static struct cost checked(struct usage u, struct price p) {
  const struct cost c = cost_of(&u, &p);
  int64_t sum = 0;
  for (int i = 0; i < USAGE_CLASSES; i++) {
    assert_true(c.class_nano_usd[i] >= 0);
    sum += c.class_nano_usd[i];
  }
  assert_int_equal(sum, c.total_nano_usd);
  if (!c.is_known) assert_int_equal(c.total_nano_usd, 0);
  return c;
}

TEST(classes_are_billed_apart) {
  /* 0.06 and 0.40 USD a million; 0.01 for reads, 0.075 for writes, 0.80 for reasoning. */
  const struct price p = price_of(60000000, 400000000, 10000000, 75000000, 800000000);
  const struct cost c = checked(usage_of(1000, 500, 300, 200, 100), p);
  assert_true(c.is_known && !c.is_estimated);
  assert_int_equal(c.class_nano_usd[USAGE_INPUT], 500 * 60);
  assert_int_equal(c.class_nano_usd[USAGE_CACHE_READ], 300 * 10);
  assert_int_equal(c.class_nano_usd[USAGE_CACHE_WRITE], 200 * 75);
  assert_int_equal(c.class_nano_usd[USAGE_OUTPUT], 400 * 400);
  assert_int_equal(c.class_nano_usd[USAGE_REASONING], 100 * 800);
  assert_int_equal(c.total_nano_usd, 30000 + 3000 + 15000 + 160000 + 80000);
}

TEST(halves_round_up_per_class) {
  static const struct {
    int64_t tokens, price, amount;
  } rows[] = {{1, 499999, 0}, {1, 500000, 1}, {1, 1499999, 1}, {1, 1500000, 2}, {3, 166666, 0}, {3, 166667, 1}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    assert_int_equal(
        checked(usage_of(rows[i].tokens, 0, -1, -1, -1), price_of(rows[i].price, 0, -1, -1, -1)).total_nano_usd,
        rows[i].amount);
  /* Each class by itself: two halves are two. */
  assert_int_equal(checked(usage_of(1, 1, -1, -1, -1), price_of(500000, 500000, -1, -1, -1)).total_nano_usd, 2);
}

TEST(free_is_known_and_zero) {
  const struct cost c = checked(usage_of(12345, 678, 100, -1, -1), price_of(0, 0, 0, 0, 0));
  assert_true(c.is_known && !c.is_estimated);
  assert_int_equal(c.total_nano_usd, 0);
}

TEST(what_is_unknown_stays_unknown) {
  const struct price whole = price_of(1, 1, 1, 1, 1);
  const struct usage counted = usage_of(1000000, 1000000, 0, 0, 0);
  assert_false(cost_of(&counted, NULL).is_known);
  assert_false(checked(counted, price_of(-1, 1, 1, 1, 1)).is_known);
  assert_false(checked(counted, price_of(1, -1, 1, 1, 1)).is_known);
  assert_false(checked(usage_of(-1, 5, 1, 1, 1), whole).is_known);
  assert_false(checked(usage_of(5, -1, 1, 1, 1), whole).is_known);
  assert_false(checked(usage_of(-1, -1, -1, -1, -1), whole).is_known);
  assert_true(checked(counted, whole).is_known);
}

TEST(classes_without_a_price) {
  const struct price p = price_of(2000000, 8000000, -1, -1, -1); /* 2 and 8 nano a token */
  struct cost c = checked(usage_of(100, 50, 40, -1, 20), p);
  assert_true(c.is_known && c.is_estimated); /* a cache read is cheaper than that */
  assert_int_equal(c.class_nano_usd[USAGE_INPUT], 60 * 2);
  assert_int_equal(c.class_nano_usd[USAGE_CACHE_READ], 40 * 2);
  assert_int_equal(c.class_nano_usd[USAGE_OUTPUT], 30 * 8);
  assert_int_equal(c.class_nano_usd[USAGE_REASONING], 20 * 8);
  c = checked(usage_of(100, 50, 0, 0, 20), p);
  assert_true(c.is_known && !c.is_estimated); /* nothing was cached: exact */
  c = checked(usage_of(100, 50, -1, 40, -1), p);
  assert_true(c.is_known && c.is_estimated); /* a cache write is dearer than that */
  assert_int_equal(c.total_nano_usd, 100 * 2 + 50 * 8);
}

TEST(an_upstream_that_contradicts_itself_is_billed_for_its_totals) {
  const struct price p = price_of(1000000, 1000000, 1, 1, 1);
  struct cost c = checked(usage_of(100, 10, 80, 30, -1), p);
  assert_true(c.is_known && c.is_estimated);
  assert_int_equal(c.class_nano_usd[USAGE_INPUT], 100);
  assert_int_equal(c.class_nano_usd[USAGE_CACHE_READ], 0);
  assert_int_equal(c.class_nano_usd[USAGE_CACHE_WRITE], 0);
  c = checked(usage_of(100, 10, -1, -1, 11), p);
  assert_true(c.is_known && c.is_estimated);
  assert_int_equal(c.class_nano_usd[USAGE_OUTPUT], 10);
  assert_int_equal(c.class_nano_usd[USAGE_REASONING], 0);
  c = checked(usage_of(100, 10, 60, 40, 10), p); /* exactly all of it is sound */
  assert_true(c.is_known && !c.is_estimated);
  assert_int_equal(c.class_nano_usd[USAGE_INPUT], 0);
  assert_int_equal(c.class_nano_usd[USAGE_OUTPUT], 0);
}

TEST(counted_here_means_estimated) {
  struct usage u = usage_of(10, 10, -1, -1, -1);
  u.is_estimated = true;
  assert_true(checked(u, price_of(1, 1, -1, -1, -1)).is_estimated);
}

TEST(overflow_is_unknown) {
  const int64_t most = INT64_C(1) << 53, dear = 1000000 * USD; /* 2^53 tokens at a million dollars a million */
  assert_false(checked(usage_of(most, 0, -1, -1, -1), price_of(dear, 0, -1, -1, -1)).is_known);
  assert_false(checked(usage_of(0, most, -1, -1, -1), price_of(0, dear, -1, -1, -1)).is_known);
  /* The largest amount that fits: a product beyond 64 bits is no obstacle. */
  assert_int_equal(checked(usage_of(1000000, 0, -1, -1, -1), price_of(INT64_MAX, 0, -1, -1, -1)).total_nano_usd,
                   INT64_MAX);
  assert_false(checked(usage_of(1000001, 0, -1, -1, -1), price_of(INT64_MAX, 0, -1, -1, -1)).is_known);
  assert_false(checked(usage_of(1000000, 1000000, -1, -1, -1), price_of(INT64_MAX, 1, -1, -1, -1)).is_known);
  const struct cost c = checked(usage_of(1000000000, 1000000000, 0, 0, 0), price_of(1000 * USD, 1000 * USD, 0, 0, 0));
  assert_true(c.is_known);
  assert_int_equal(c.total_nano_usd, 2000000 * USD);
}

TEST(counts_that_no_vendor_means_are_refused) {
  struct usage u = {0};
  assert_false(usage_set(&u, USAGE_INPUT, -1));
  assert_false(usage_set(&u, USAGE_INPUT, (INT64_C(1) << 53) + 1));
  assert_false(usage_has(&u, USAGE_INPUT));
  assert_int_equal(usage_get(&u, USAGE_INPUT), 0);
  assert_true(usage_set(&u, USAGE_INPUT, INT64_C(1) << 53));
  assert_true(usage_has(&u, USAGE_INPUT) && !usage_has(&u, USAGE_OUTPUT));
}

TEST(a_sum_is_known_where_both_are) {
  const struct price price = price_of(3 * USD, 15 * USD, -1, -1, -1);
  const struct usage used = usage_of(1000, 200, -1, -1, -1);
  struct cost sum = checked(used, price), more = checked(usage_of(10, 20, -1, -1, 5), price);
  int64_t total = sum.total_nano_usd + more.total_nano_usd;
  more.is_estimated = true;
  cost_add(&sum, &more);
  assert_true(sum.is_known && sum.is_estimated && sum.total_nano_usd == total);
  int64_t parts = 0;
  for (int i = 0; i < USAGE_CLASSES; i++) parts += sum.class_nano_usd[i];
  assert_int_equal(parts, total);
  const struct cost unknown = {0}, huge = {.is_known = true, .total_nano_usd = INT64_MAX};
  struct cost other = sum;
  cost_add(&other, &huge);
  assert_false(other.is_known || other.total_nano_usd || other.class_nano_usd[USAGE_INPUT]);
  cost_add(&sum, &unknown);
  assert_false(sum.is_known);

  struct usage u = usage_of(5, 6, 2, -1, -1), partly = {0};
  usage_add(&u, &used);
  assert_true(usage_get(&u, USAGE_INPUT) == 1005 && usage_get(&u, USAGE_OUTPUT) == 206);
  assert_true(usage_get(&u, USAGE_CACHE_READ) == 2 && !usage_has(&u, USAGE_REASONING));
  assert_true(usage_set(&partly, USAGE_INPUT, 1));
  usage_add(&u, &partly);
  assert_true(usage_get(&u, USAGE_INPUT) == 1006 && !usage_has(&u, USAGE_OUTPUT));
}

TEST(what_is_beyond_a_limit_is_taken_off_the_output_first) {
  struct cost c = {.is_known = true, .total_nano_usd = 100, .class_nano_usd = {50, 30, 10, 4, 6}};
  cost_limit(&c, 120);
  assert_int_equal(c.total_nano_usd, 100);
  cost_limit(&c, 80);
  assert_true(c.total_nano_usd == 80 && c.class_nano_usd[USAGE_OUTPUT] == 10);
  cost_limit(&c, 0);
  assert_int_equal(c.total_nano_usd, 0);
  for (int i = 0; i < USAGE_CLASSES; i++) assert_int_equal(c.class_nano_usd[i], 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(classes_are_billed_apart),
      cmocka_unit_test(halves_round_up_per_class),
      cmocka_unit_test(free_is_known_and_zero),
      cmocka_unit_test(what_is_unknown_stays_unknown),
      cmocka_unit_test(classes_without_a_price),
      cmocka_unit_test(an_upstream_that_contradicts_itself_is_billed_for_its_totals),
      cmocka_unit_test(counted_here_means_estimated),
      cmocka_unit_test(overflow_is_unknown),
      cmocka_unit_test(counts_that_no_vendor_means_are_refused),
      cmocka_unit_test(a_sum_is_known_where_both_are),
      cmocka_unit_test(what_is_beyond_a_limit_is_taken_off_the_output_first),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
