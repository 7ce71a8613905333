/* Lists that providers gave: copied, compared, replaced while somebody reads them. */
#include "route/discovered.h"

#include "unit.h"

static bool put(const char *provider, size_t n, const struct str *ids) {
  bool changed = false;
  assert_true(discovered_put(str_from_c(provider), ids, n, &changed));
  return changed;
}

TEST(lists_are_copied_and_compared) {
  char a[] = "one", b[] = "two";
  const struct str ids[] = {str_from_c(a), str_from_c(b)}, other[] = {STR("two"), STR("one")};
  assert_null(discovered_get(STR("p")));
  assert_true(put("p", 2, ids));
  memset(a, '#', sizeof a);
  const struct discovered_list *l = discovered_get(STR("p"));
  assert_int_equal(l->n, 2);
  assert_str(l->ids[0], STR("one"));
  discovered_release(l);
  memcpy(a, "one", 4);
  assert_false(put("p", 2, ids));
  assert_true(put("p", 1, ids));
  assert_true(put("p", 2, other));
  assert_true(put("p", 0, NULL));
  assert_false(put("p", 0, NULL));
  assert_true(put("q", 0, NULL)); /* an empty list is one */
  l = discovered_get(STR("q"));
  assert_int_equal(l->n, 0);
  discovered_release(l);
  discovered_release(NULL);
  discovered_clear();
  assert_null(discovered_get(STR("p")));
}

TEST(a_reader_keeps_what_it_has) {
  const struct str first[] = {STR("a")}, second[] = {STR("b"), STR("c")};
  put("p", 1, first);
  put("q", 1, first);
  const struct discovered_list *old = discovered_get(STR("p"));
  put("p", 2, second);
  assert_int_equal(discovered_total(), 3);
  assert_int_equal(old->n, 1);
  assert_str(old->ids[0], STR("a"));
  discovered_clear();
  assert_str(old->ids[0], STR("a"));
  discovered_release(old);
  assert_int_equal(discovered_total(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(lists_are_copied_and_compared),
                                     cmocka_unit_test(a_reader_keeps_what_it_has)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
