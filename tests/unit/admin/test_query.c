/* Parameters of a query: decoded, in their range, the first of a name. */
#include "admin/query.h"

#include "unit.h"

TEST(texts_are_decoded_and_sound) {
  static const struct {
    const char *query, *expected; /* NULL: refused */
  } rows[] = {
      {"", ""},
      {"name=ann", "ann"},
      {"x=1&name=ann&name=bob", "ann"},
      {"name=Zo%C3%AB%20Q", "Zo\xc3\xab Q"},
      {"name=", ""},
      {"names=ann", ""},
      {"name", ""},
      {"name=a%26b%3Dc", "a&b=c"},
      {"name=%00", NULL},
      {"name=a%0D%0Ab", NULL},
      {"name=%FF", NULL},
      {"name=%zz", "%zz"},
      {"name=a=b", "a=b"},
      {"&&name=x&", "x"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct arena a;
    struct err_info info = {0};
    struct str got = STR("untouched");
    arena_init(&a, 0);
    enum err e = query_text(&a, str_from_c(rows[i].query), "name", &got, &info);
    assert_int_equal(e, rows[i].expected ? OK : ERR_BAD_VALUE);
    assert_str(got, rows[i].expected ? str_from_c(rows[i].expected) : STR("untouched"));
    if (e) {
      assert_string_equal(info.param, "name");
      assert_int_equal(info.http_status, 422);
    }
    arena_clear(&a);
  }
}

TEST(numbers_have_a_range) {
  static const struct {
    const char *query;
    uint64_t expected; /* 0: refused */
  } rows[] = {{"", 7},      {"n=1", 1},   {"n=9", 9}, {"n=10", 0},  {"n=0", 0}, {"n=-1", 0},
              {"n=1.0", 0}, {"n=1e1", 0}, {"n=x", 0}, {"n=%31", 0}, {"n=", 7},  {"n=18446744073709551617", 0}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct err_info info = {0};
    uint64_t n = 7;
    enum err e = query_number(str_from_c(rows[i].query), "n", 1, 9, &n, &info);
    assert_int_equal(e, rows[i].expected ? OK : ERR_BAD_VALUE);
    assert_int_equal(n, rows[i].expected ? rows[i].expected : 7);
    if (e) assert_int_equal(err_info_status(e, &info), 422);
    if (e) assert_string_equal(err_info_text(e, &info), "\"n\" must be a whole number from 1 to 9");
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(texts_are_decoded_and_sound),
                                     cmocka_unit_test(numbers_have_a_range)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
