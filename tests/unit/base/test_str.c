/* Borrowed slices. */
#include "base/str.h"

#include "unit.h"

TEST(compares) {
  assert_true(str_eq(STR(""), STR_NONE));
  assert_true(str_eq(STR("ab"), STR("ab")));
  assert_false(str_eq(STR("ab"), STR("aB")));
  assert_false(str_eq(STR("ab"), STR("abc")));
  assert_true(str_eq_nocase(STR("Ab-Z"), STR("aB-z")));
  assert_false(str_eq_nocase(STR("@"), STR("`")));
  assert_false(str_eq_nocase(STR("["), STR("{")));
  assert_false(str_eq_nocase(STR("\xc3\x84"), STR("\xc3\xa4"))); /* ASCII letters only */
  assert_true(str_cmp(STR("a"), STR("b")) < 0);
  assert_true(str_cmp(STR("a"), STR("ab")) < 0);
  assert_true(str_cmp(STR("\xff"), STR("a")) > 0);
  assert_int_equal(str_cmp(STR_NONE, STR("")), 0);
  assert_true(str_has_prefix(STR("abc"), STR("ab")));
  assert_true(str_has_prefix(STR("abc"), STR_NONE));
  assert_false(str_has_prefix(STR("ab"), STR("abc")));
  assert_true(str_has_prefix_nocase(STR("Bearer x"), STR("bearer ")));
  assert_true(str_has_suffix(STR("abc"), STR("bc")));
  assert_false(str_has_suffix(STR("c"), STR("bc")));
  assert_int_equal(str_from_c(NULL).n, 0);
}

TEST(cuts) {
  struct str head = STR_NONE, tail = STR_NONE;
  assert_str(str_sub(STR("abcdef"), 1, 3), STR("bc"));
  assert_str(str_sub(STR("abc"), 2, 99), STR("c"));
  assert_str(str_sub(STR("abc"), 5, 9), STR(""));
  assert_str(str_sub(STR("abc"), 2, 1), STR(""));
  assert_str(str_sub(STR_NONE, 0, 3), STR(""));
  assert_str(str_trim(STR(" \t\r\n a b \n")), STR("a b"));
  assert_str(str_trim(STR(" \t ")), STR(""));
  assert_true(str_cut(STR("a=b=c"), '=', &head, &tail));
  assert_str(head, STR("a"));
  assert_str(tail, STR("b=c"));
  assert_true(str_cut(STR("a="), '=', &head, &tail));
  assert_str(tail, STR(""));
  assert_false(str_cut(STR("abc"), '=', &head, &tail));
  assert_str(head, STR("abc"));
  assert_str(tail, STR(""));
}

TEST(finds) {
  assert_int_equal(str_find_char(STR("abcb"), 'b'), 1);
  assert_int_equal(str_rfind_char(STR("abcb"), 'b'), 3);
  assert_true(str_find_char(STR("abc"), 'x') == SIZE_MAX && str_rfind_char(STR_NONE, 'x') == SIZE_MAX);
  assert_int_equal(str_find(STR("aaab"), STR("aab")), 1);
  assert_int_equal(str_find(STR("abc"), STR("")), 0);
  assert_int_equal(str_find(STR("abc"), STR("abc")), 0);
  assert_int_equal(str_find(STR("xabc"), STR("bc")), 2);
  assert_true(str_find(STR("ab"), STR("abc")) == SIZE_MAX);
  assert_true(str_find(STR("abab"), STR("abc")) == SIZE_MAX);
  assert_true(str_find(STR_NONE, STR("a")) == SIZE_MAX);
}

TEST(reads_numbers) {
  uint64_t v = 5;
  assert_true(str_to_u64(STR("0"), &v));
  assert_true(v == 0);
  assert_true(str_to_u64(STR("18446744073709551615"), &v));
  assert_true(v == UINT64_MAX);
  assert_true(str_to_u64(STR("00012"), &v));
  assert_true(v == 12);
  static const char *const bad[] = {
      "", "+1", "-1", " 1", "1 ", "1a", "0x1", "18446744073709551616", "99999999999999999999"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) assert_false(str_to_u64(str_from_c(bad[i]), &v));
  assert_true(v == 12);
}

TEST(globs) {
  static const struct {
    const char *pattern, *s;
    bool match;
  } cases[] = {
      {"", "", true},
      {"", "a", false},
      {"*", "", true},
      {"*", "abc", true},
      {"a*", "abc", true},
      {"a*", "ba", false},
      {"*c", "abc", true},
      {"*c", "abd", false},
      {"a*c", "abbc", true},
      {"a*c", "ab", false},
      {"?", "a", true},
      {"?", "", false},
      {"a?c", "abc", true},
      {"a?c", "ac", false},
      {"*a*b*", "xaxbx", true},
      {"*a*b*", "xbxax", false},
      {"**", "x", true},
      {"a**b", "ab", true},
      {"gpt-4*", "gpt-4o", true},
      {"*-mini", "gpt-mini-x-mini", true},
      {"A", "a", false},
      {"*?", "", false},
      {"*?", "ab", true},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    assert_int_equal(str_glob(str_from_c(cases[i].pattern), str_from_c(cases[i].s)), cases[i].match);
}

TEST(finds_what_may_have_been_meant) {
  static const char *const words[] = {"serve", "check", "context", "at"};
  assert_string_equal(str_nearest(STR("sevre"), words, 4), "serve");
  assert_string_equal(str_nearest(STR("CHECK"), words, 4), "check");
  assert_string_equal(str_nearest(STR("contxt"), words, 4), "context");
  assert_string_equal(str_nearest(STR("ad"), words, 4), "at");
  assert_null(str_nearest(STR("in"), words, 4)); /* two letters of two */
  assert_null(str_nearest(STR("elephant"), words, 4));
  assert_null(str_nearest(STR("serve"), words, 0));
}

TEST(measures_distance) {
  assert_int_equal(str_distance(STR("model"), STR("MODEL"), 3), 0);
  assert_int_equal(str_distance(STR("model"), STR("mdoel"), 3), 1); /* two neighbours change places */
  assert_int_equal(str_distance(STR("model"), STR("modl"), 3), 1);
  assert_int_equal(str_distance(STR("model"), STR("models"), 3), 1);
  assert_int_equal(str_distance(STR("kitten"), STR("sitting"), 5), 3);
  assert_int_equal(str_distance(STR("kitten"), STR("sitting"), 2), 3);
  assert_int_equal(str_distance(STR(""), STR("abc"), 5), 3);
  assert_int_equal(str_distance(STR(""), STR(""), 5), 0);
  static char lengthy[200];
  memset(lengthy, 'a', sizeof lengthy);
  assert_int_equal(str_distance(str_from(lengthy, 128), str_from(lengthy, 127), 5), 1);
  assert_int_equal(str_distance(str_from(lengthy, 129), STR("a"), 5), 6);
}

TEST(hashes) {
  assert_true(str_hash(STR("a"), 1) == str_hash(STR("a"), 1));
  assert_true(str_hash(STR("a"), 1) != str_hash(STR("a"), 2));
  assert_true(str_hash(STR("a"), 1) != str_hash(STR("b"), 1));
  assert_true(str_hash(STR("a\0"), 1) != str_hash(STR("a"), 1));
}

TEST(knows_utf8) {
  static const char *const good[] = {"",
                                     "abc",
                                     "\xc2\x80",
                                     "\xdf\xbf",
                                     "\xe0\xa0\x80",
                                     "\xed\x9f\xbf",
                                     "\xee\x80\x80",
                                     "\xef\xbf\xbf",
                                     "\xf0\x90\x80\x80",
                                     "\xf4\x8f\xbf\xbf",
                                     "a\xe6\x98\xa5z"};
  static const char *const bad[] = {"\x80",
                                    "\xbf",
                                    "\xc0\x80",
                                    "\xc1\xbf",
                                    "\xc2",
                                    "\xc2\x41",
                                    "\xe0\x9f\xbf",
                                    "\xed\xa0\x80",
                                    "\xe6\x98",
                                    "\xf0\x8f\xbf\xbf",
                                    "\xf4\x90\x80\x80",
                                    "\xf5\x80\x80\x80",
                                    "\xf0\x9f\x98",
                                    "\xff",
                                    "a\xe6\x98"};
  for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) assert_true(str_is_utf8(str_from_c(good[i])));
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) assert_false(str_is_utf8(str_from_c(bad[i])));
  assert_true(str_is_utf8(STR("a\0b")));
}

TEST(cuts_between_characters) {
  const struct str s = STR("a\xc3\xa4\xe6\x98\xa5\xf0\x9f\x98\x80z");
  static const size_t kept[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};
  for (size_t max = 0; max < sizeof kept / sizeof kept[0]; max++)
    assert_str(str_cut_utf8(s, max), str_sub(s, 0, kept[max]));
  assert_str(str_cut_utf8(STR_NONE, 5), STR(""));
  assert_str(str_cut_utf8(STR("\x80\x80"), 5), STR("\x80\x80")); /* not UTF-8 at all: left to others */
  assert_str(str_cut_utf8(STR("x\x80\x80\x80\x80"), 9), STR("x\x80\x80\x80\x80"));
}

TEST(percent_decoding_keeps_what_is_no_escape) {
  static const struct {
    const char *in, *out;
  } rows[] = {{"", ""}, {"a%2Fb", "a/b"}, {"%41%zz", "A%zz"}, {"a%4", "a%4"}, {"%", "%"}, {"%2f%2F", "//"}};
  char out[8];
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    assert_str(str_from(out, str_percent_decode(str_from_c(rows[i].in), out, sizeof out)), str_from_c(rows[i].out));
  assert_int_equal(str_percent_decode(STR("%41%42"), out, 2), 2);
  assert_int_equal(str_percent_decode(STR("%41%42"), out, 1), SIZE_MAX);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(compares),
      cmocka_unit_test(percent_decoding_keeps_what_is_no_escape),
      cmocka_unit_test(cuts),
      cmocka_unit_test(finds),
      cmocka_unit_test(reads_numbers),
      cmocka_unit_test(globs),
      cmocka_unit_test(hashes),
      cmocka_unit_test(knows_utf8),
      cmocka_unit_test(finds_what_may_have_been_meant),
      cmocka_unit_test(measures_distance),
      cmocka_unit_test(cuts_between_characters),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
