/* Shape of the identifiers, the replaceable generator, what is accepted from a client. */
#include "base/id.h"
#include "unit.h"

TEST(ids_have_their_shape_and_differ) {
  char a[ID_BYTES], b[ID_BYTES];
  struct str first = id_make(STR("req_"), a), second = id_make(STR("req_"), b);
  assert_int_equal(first.n, 4 + ID_RANDOM_CHARS);
  assert_true(str_has_prefix(first, STR("req_")));
  assert_int_equal(first.p[first.n], 0);
  assert_true(id_is_acceptable(first));
  assert_false(str_eq(first, second));
  struct str cut = id_make(STR("a prefix that is far too long for an id"), a);
  assert_int_equal(cut.n, ID_BYTES - 1);
}

static uint64_t fixed(void) { return UINT64_MAX; }

TEST(the_generator_can_be_replaced) {
  char out[ID_BYTES];
  id_inject(fixed);
  assert_str(id_make(STR("x_"), out), STR("x_777777777777777777777777"));
  assert_int_equal(id_random_below(10), 9);
  id_inject(NULL);
  assert_int_equal(id_random_below(0), 0);
  unsigned seen = 0;
  for (int i = 0; i < 1000; i++) seen |= 1u << id_random_below(4);
  assert_int_equal(seen, 15);
}

TEST(client_ids_are_visible_ascii_of_bounded_length) {
  char s[ID_CLIENT_MAX + 1];
  memset(s, 'a', sizeof s);
  assert_true(id_is_acceptable(str_from(s, ID_CLIENT_MAX)));
  assert_false(id_is_acceptable(str_from(s, ID_CLIENT_MAX + 1)));
  assert_false(id_is_acceptable(STR_NONE));
  for (int c = 0; c < 256; c++) {
    s[1] = (char)c;
    assert_int_equal(id_is_acceptable(str_from(s, 3)), c > 0x20 && c < 0x7f);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ids_have_their_shape_and_differ),
      cmocka_unit_test(the_generator_can_be_replaced),
      cmocka_unit_test(client_ids_are_visible_ascii_of_bounded_length),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
