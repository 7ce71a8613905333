/* Orders of a group's members, exact because what turns and what is drawn are given. */
#include "route/group.h"

#include "unit.h"

static void expect(enum names_strategy strategy, const struct group_member *m, unsigned n, uint64_t turn,
                   uint64_t random, const char *expected) {
  uint16_t order[GROUP_MEMBERS_MAX];
  char text[64] = "";
  group_order(strategy, m, n, turn, random, order);
  for (unsigned i = 0; i < n; i++) text[i] = (char)('a' + order[i]);
  assert_string_equal(text, expected);
}

static const struct group_member three[] = {{1, 5, false}, {1, 1, false}, {1, 5, false}};
static const struct group_member with_fallback[] = {{1, -9, true}, {1, 2, false}, {1, 1, false}, {1, -10, true}};

TEST(priority_is_lower_first_and_stable) {
  expect(NAMES_PRIORITY, three, 3, 7, 7, "bac");
  expect(NAMES_PRIORITY, with_fallback, 4, 0, 0, "cbda");
  expect(NAMES_PRIORITY, three, 0, 0, 0, "");
}

TEST(round_robin_begins_one_further_each_turn) {
  expect(NAMES_ROUND_ROBIN, three, 3, 0, 0, "bac");
  expect(NAMES_ROUND_ROBIN, three, 3, 1, 0, "acb");
  expect(NAMES_ROUND_ROBIN, three, 3, 2, 0, "cba");
  expect(NAMES_ROUND_ROBIN, three, 3, 3, 0, "bac");
  expect(NAMES_ROUND_ROBIN, with_fallback, 4, UINT64_MAX, 0, "bcda");
}

TEST(weights_are_shares_of_the_first_place) {
  static const struct group_member m[] = {{1, 0, false}, {3, 0, false}, {0, 0, false}, {9, 0, true}};
  unsigned first[4] = {0};
  enum { DRAWS = 40000 };
  for (uint64_t i = 0; i < DRAWS; i++) {
    uint16_t order[4];
    group_order(NAMES_WEIGHTED, m, 4, 0, i * 0x9e3779b97f4a7c15u, order);
    first[order[0]]++;
    assert_int_equal(order[2], 2); /* weight 0 comes behind those with one, fallbacks behind all */
    assert_int_equal(order[3], 3);
  }
  assert_in_range(first[0], DRAWS / 4 - 800, DRAWS / 4 + 800);
  assert_in_range(first[1], DRAWS * 3 / 4 - 800, DRAWS * 3 / 4 + 800);
}

TEST(every_order_is_a_permutation) {
  struct group_member m[GROUP_MEMBERS_MAX];
  for (unsigned i = 0; i < GROUP_MEMBERS_MAX; i++)
    m[i] = (struct group_member){i % 7 ? 1000000 : 0, (int)(i * 37 % 11) - 5, i % 5 == 0};
  for (unsigned s = NAMES_ROUND_ROBIN; s <= NAMES_PRIORITY; s++) {
    uint16_t order[GROUP_MEMBERS_MAX];
    bool seen[GROUP_MEMBERS_MAX] = {false};
    group_order((enum names_strategy)s, m, GROUP_MEMBERS_MAX, 12345, 678910, order);
    for (unsigned i = 0; i < GROUP_MEMBERS_MAX; i++) {
      assert_false(seen[order[i]]);
      seen[order[i]] = true;
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(priority_is_lower_first_and_stable),
      cmocka_unit_test(round_robin_begins_one_further_each_turn),
      cmocka_unit_test(weights_are_shares_of_the_first_place),
      cmocka_unit_test(every_order_is_a_permutation),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
