/* An object's members told apart: nothing is lost, nothing is found twice, and what is kept is written as it was read.
 */
#include "base/json_split.h"

#include <stdio.h>
#include <yyjson.h>

#include "base/json.h"
#include "unit.h"

static struct arena arena;
static struct err_info info;

static struct yyjson_val *tree(struct str text) {
  struct json doc;
  const struct json_limits limits = {.numbers_are_raw = true};
  assert_int_equal(json_parse_copy(&doc, text, &limits, &arena, NULL), OK);
  return doc.root;
}

static int begin(void **state) {
  (void)state;
  arena_init(&arena, 0);
  info = (struct err_info){0};
  return 0;
}

static int end(void **state) {
  (void)state;
  arena_clear(&arena);
  return 0;
}

static const struct str names[] = {STR("a"), STR("b"), STR("c")};

TEST(known_members_and_the_rest_in_order) {
  struct yyjson_val *found[3];
  struct json_rest rest;
  struct yyjson_val *v = tree(STR("{\"z\":1,\"\\u0062\":\"two\",\"A\":2,\"a\":{},\"\":3,\"z\":4}"));
  assert_int_equal(json_split(&arena, v, names, 3, found, &rest, &info), OK);
  assert_true(yyjson_is_obj(found[0]));
  assert_string_equal(yyjson_get_str(found[1]), "two"); /* compared after unescaping */
  assert_null(found[2]);
  static const char *const keys[] = {"z", "A", "", "z"};
  assert_int_equal(rest.n, 4);
  for (size_t i = 0; i < 4; i++) assert_str(rest.v[i].key, str_from_c(keys[i]));
  assert_int_equal(json_split(&arena, tree(STR("{}")), names, 3, found, &rest, &info), OK);
  assert_int_equal(rest.n, 0);
  assert_null(found[0]);
}

TEST(null_is_kept_as_null) {
  struct yyjson_val *found[3];
  struct json_rest rest;
  assert_int_equal(json_split(&arena, tree(STR("{\"a\":null,\"x\":null,\"y\":false}")), names, 3, found, &rest, &info),
                   OK);
  assert_null(found[0]);
  assert_int_equal(rest.n, 3);
  assert_true(json_rest_is_null(&rest.v[0]) && json_rest_is_null(&rest.v[1]) && !json_rest_is_null(&rest.v[2]));
}

TEST(known_members_twice_are_refused) {
  static const char *const twice[] = {"{\"a\":1,\"a\":2}", "{\"a\":1,\"x\":0,\"\\u0061\":1}", "{\"a\":null,\"a\":1}",
                                      "{\"a\":1,\"a\":null}"};
  struct yyjson_val *found[3];
  struct json_rest rest = {.n = 77};
  for (size_t i = 0; i < sizeof twice / sizeof *twice; i++) {
    info = (struct err_info){0};
    assert_int_equal(json_split(&arena, tree(str_from_c(twice[i])), names, 3, found, &rest, &info), ERR_DUPLICATE_KEY);
    assert_string_equal(info.param, "a");
    assert_int_equal(rest.n, 77);
  }
  assert_int_equal(json_split(&arena, tree(str_from_c(twice[0])), names, 3, found, &rest, NULL), ERR_DUPLICATE_KEY);
}

TEST(what_is_no_object) {
  static const char *const others[] = {"[]", "1", "\"a\"", "null", "true"};
  struct yyjson_val *found[3];
  struct json_rest rest;
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    assert_int_equal(json_split(&arena, tree(str_from_c(others[i])), names, 3, found, &rest, &info), ERR_BAD_TYPE);
  assert_int_equal(json_split(&arena, NULL, names, 3, found, &rest, &info), ERR_BAD_TYPE);
}

static struct str object_of(size_t members) {
  struct buf b;
  buf_init(&b, 0);
  buf_put_char(&b, '{');
  for (size_t i = 0; i < members; i++) buf_printf(&b, "%s\"k%zu\":%zu", i ? "," : "", i, i);
  buf_put_char(&b, '}');
  struct str copy = arena_dup(&arena, buf_str(&b));
  buf_clear(&b);
  return copy;
}

TEST(members_and_names_are_bounded) {
  static char texts[JSON_SPLIT_NAMES_MAX + 1][8];
  struct str many[JSON_SPLIT_NAMES_MAX + 1];
  struct yyjson_val *found[JSON_SPLIT_NAMES_MAX + 1];
  struct json_rest rest;
  for (size_t i = 0; i <= JSON_SPLIT_NAMES_MAX; i++) {
    snprintf(texts[i], sizeof texts[i], "k%zu", i);
    many[i] = str_from_c(texts[i]);
  }
  assert_int_equal(json_split(&arena, tree(object_of(1024)), many, JSON_SPLIT_NAMES_MAX, found, &rest, &info), OK);
  assert_int_equal(rest.n, 1024 - JSON_SPLIT_NAMES_MAX);
  for (size_t i = 0; i < JSON_SPLIT_NAMES_MAX; i++) assert_non_null(found[i]);
  assert_int_equal(json_split(&arena, tree(object_of(1025)), many, 3, found, &rest, &info), ERR_BAD_VALUE);
  assert_int_equal(json_split(&arena, tree(object_of(1)), many, JSON_SPLIT_NAMES_MAX + 1, found, &rest, &info),
                   ERR_INTERNAL);
}

TEST(a_long_key_is_named_in_part) {
  struct str one = {NULL, 0};
  char text[700], key[300];
  memset(key, 'k', sizeof key);
  memcpy(key + 126, "\xc3\xa9", 2); /* where the cut falls */
  snprintf(text, sizeof text, "{\"%.300s\":1,\"%.300s\":2}", key, key);
  one = str_from(key, sizeof key);
  struct yyjson_val *found[1];
  struct json_rest rest;
  assert_int_equal(json_split(&arena, tree(str_from_c(text)), &one, 1, found, &rest, &info), ERR_DUPLICATE_KEY);
  assert_int_equal(strlen(info.param), 126);
  assert_true(str_is_utf8(str_from_c(info.param)));
}

TEST(values_are_written_as_they_were_read) {
  static const char *const values[] = {"1",
                                       "-0",
                                       "1.50E+3",
                                       "123456789012345678901234567890",
                                       "true",
                                       "false",
                                       "null",
                                       "\"\"",
                                       "\"a\\\"b\\\\c\\u0000\xc3\xa9\"",
                                       "[]",
                                       "{}",
                                       "[1,[2.0,{\"a\":[]}],\"x\"]",
                                       "{\"a\":1,\"a\":2,\"\\u0001\":[null]}"};
  struct buf b;
  buf_init(&b, 0);
  for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
    json_split_put(&b, tree(str_from_c(values[i])));
    assert_str(buf_str(&b), str_from_c(values[i]));
    buf_reset(&b);
  }
  struct buf deep; /* as deep as text may be: writing it takes no stack */
  buf_init(&deep, 0);
  for (int i = 0; i < JSON_DEPTH_MAX; i++) buf_put_char(&deep, '[');
  for (int i = 0; i < JSON_DEPTH_MAX; i++) buf_put_char(&deep, ']');
  json_split_put(&b, tree(buf_str(&deep)));
  assert_str(buf_str(&b), buf_str(&deep));
  buf_clear(&deep);
  buf_clear(&b);
  buf_init(&b, 2);
  json_split_put(&b, tree(STR("[1,2]")));
  assert_true(b.failed);
  buf_clear(&b);
}

TEST(members_are_added_behind_the_others) {
  enum { MANY = 20000 };
  const struct str known[] = {STR("a")};
  struct yyjson_val *found[1];
  struct json_rest rest, more;
  assert_int_equal(json_split(&arena, tree(STR("{\"a\":1,\"b\":2}")), known, 1, found, &rest, NULL), OK);
  assert_int_equal(json_split(&arena, tree(STR("{\"c\":3,\"d\":null}")), known, 1, found, &more, NULL), OK);
  const struct json_rest before = rest;
  assert_int_equal(json_rest_join(&arena, &rest, STR("o.p"), &more), OK);
  assert_int_equal(json_rest_join(&arena, &rest, STR_NONE, &more), OK);
  static const char *const keys[] = {"b", "o.p.c", "o.p.d", "c", "d"};
  assert_int_equal(rest.n, sizeof keys / sizeof *keys);
  for (size_t i = 0; i < rest.n; i++) assert_str(rest.v[i].key, str_from_c(keys[i]));
  assert_true(json_rest_is_null(&rest.v[2]) && rest.v[3].value == more.v[0].value);
  assert_int_equal(before.n, 1); /* a copy of the list does not see it */
  size_t held = arena.held_bytes;
  for (size_t i = 0; i < MANY; i++) assert_int_equal(json_rest_add(&arena, &rest, STR("k"), more.v[0].value), OK);
  assert_true(arena.held_bytes - held < 8 * MANY * sizeof *rest.v); /* room is doubled, not made each time */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(known_members_and_the_rest_in_order, begin, end),
      cmocka_unit_test_setup_teardown(null_is_kept_as_null, begin, end),
      cmocka_unit_test_setup_teardown(known_members_twice_are_refused, begin, end),
      cmocka_unit_test_setup_teardown(what_is_no_object, begin, end),
      cmocka_unit_test_setup_teardown(members_and_names_are_bounded, begin, end),
      cmocka_unit_test_setup_teardown(a_long_key_is_named_in_part, begin, end),
      cmocka_unit_test_setup_teardown(values_are_written_as_they_were_read, begin, end),
      cmocka_unit_test_setup_teardown(members_are_added_behind_the_others, begin, end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
