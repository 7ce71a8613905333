/* Walking over JSON text: every item where it stands, and never beyond the text, however it is cut. */
#include "base/json_walk.h"

#include <stdlib.h>

#include "arena_rig.h"
#include "unit.h"

static void expect(const char *json, const char *const *keys, const char *const *values, size_t n) {
  struct json_walk w;
  struct json_walk_item item;
  struct str text = str_from_c(json);
  size_t at = 0;
  assert_true(json_walk_open(&w, text, &arena));
  for (; json_walk_next(&w, &item); at++) {
    assert_true(at < n);
    if (keys) assert_str(item.key, str_from_c(keys[at]));
    assert_str(item.value, str_from_c(values[at]));
    assert_true(item.begin >= text.p && item.begin <= item.value.p);
  }
  assert_int_equal(at, n);
}

TEST(members_and_elements_come_as_they_stand) {
  static const char *const keys[] = {"a", "b", "c\"d", "e"};
  static const char *const values[] = {"1", "[ {\"x\":\"]}\"} , 2]", "\"q\\\"\"", "null"};
  expect(" { \"a\" : 1, \"b\":[ {\"x\":\"]}\"} , 2],\"c\\\"d\" :\"q\\\"\",\n\"e\":null } ", keys, values, 4);
  static const char *const elements[] = {"true", "{}", "-1.5e3", "\"\""};
  expect("[true,{}, -1.5e3 ,\"\"]", NULL, elements, 4);
  expect("{}", NULL, NULL, 0);
  expect("[ ]", NULL, NULL, 0);
}

TEST(only_containers_are_opened) {
  static const char *const others[] = {"", "1", "\"{}\"", "null", " ", "{"};
  struct json_walk w;
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    assert_false(json_walk_open(&w, str_from_c(others[i]), &arena));
}

TEST(a_member_that_comes_twice_is_the_last) {
  struct str value;
  assert_true(json_walk_member(STR("{\"a\":1,\"\\u0061\":2}"), STR("a"), &arena, &value));
  assert_str(value, STR("2"));
  assert_false(json_walk_member(STR("{\"a\":1}"), STR("b"), &arena, &value));
  assert_false(json_walk_member(STR("[\"a\"]"), STR("a"), &arena, &value));
}

/* In memory of exactly that size, so that a sanitizer sees a step too far. */
TEST(text_that_is_cut_anywhere_ends_early) {
  static const char whole[] = "{\"a\":[1,{\"b\":\"c\\\\\\\"\"}],\"d\":{\"e\":[[]]},\"f\":tru}";
  for (size_t n = 0; n < sizeof whole; n++) {
    char *p = malloc(n ? n : 1);
    struct json_walk w;
    struct json_walk_item item;
    assert_non_null(p);
    memcpy(p, whole, n);
    for (size_t items = 0; json_walk_open(&w, str_from(p, n), &arena) && json_walk_next(&w, &item);) {
      assert_true(item.value.p + item.value.n <= p + n);
      struct json_walk inner;
      struct json_walk_item ignored;
      if (json_walk_open(&inner, item.value, &arena))
        while (json_walk_next(&inner, &ignored)) assert_true(ignored.value.p + ignored.value.n <= p + n);
      if (++items > 3) break;
      if (!json_walk_open(&w, item.value, &arena)) break;
    }
    free(p);
  }
}

TEST(strings_are_unescaped) {
  struct str s;
  assert_true(json_walk_string(STR("\"a\\u00e9\\n\""), &arena, &s));
  assert_str(s, STR("a\xc3\xa9\n"));
  assert_true(json_walk_string(STR("\"\""), &arena, &s));
  assert_int_equal(s.n, 0);
  assert_false(json_walk_string(STR("1"), &arena, &s));
  assert_false(json_walk_string(STR("\"\\x\""), &arena, &s));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(members_and_elements_come_as_they_stand),
      cmocka_unit_test(only_containers_are_opened),
      cmocka_unit_test(a_member_that_comes_twice_is_the_last),
      cmocka_unit_test(text_that_is_cut_anywhere_ends_early),
      cmocka_unit_test(strings_are_unescaped),
  };
  return cmocka_run_group_tests(tests, arena_rig_make, arena_rig_clear);
}
