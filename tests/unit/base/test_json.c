/* JSON trees: limits, errors that say where, getters that say which. */
#include "base/json.h"

#include <stdlib.h>

#include "base/buf.h"
#include "unit.h"

static struct arena arena;
static struct err_info info;
static struct json doc;

static enum err strict(struct str text, const struct json_limits *limits) {
  info = (struct err_info){.code = ""};
  return json_parse_copy(&doc, text, limits, &arena, &info);
}
static enum err relaxed(struct str text) {
  info = (struct err_info){.code = ""};
  return json_parse_relaxed(&doc, text, NULL, &arena, &info);
}

TEST(strict_is_strict) {
  static const char *const bad[] = {"",
                                    " ",
                                    "{",
                                    "{} x",
                                    "{}{}",
                                    "\xef\xbb\xbf{}",
                                    "{\"a\":1,}",
                                    "[1,]",
                                    "{/**/}",
                                    "// x\n{}",
                                    "NaN",
                                    "{\"a\":\"\xff\"}",
                                    "{\"a\":\"\n\"}",
                                    "01",
                                    "[\"\\ud800\"]",
                                    "{'a':1}"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    assert_int_equal(strict(str_from_c(bad[i]), NULL), ERR_BAD_JSON);
    assert_true(info.text[0]);
  }
  assert_int_equal(strict(STR("{}\0"), NULL), ERR_BAD_JSON);
  assert_int_equal(strict(STR("{\"a\": tru}"), NULL), ERR_BAD_JSON);
  assert_non_null(strstr(info.text, "at byte 6"));
  assert_int_equal(strict(STR(" 12 "), NULL), OK);
  assert_int_equal(strict(STR("\"x\""), NULL), OK);
}

TEST(lone_halves_are_mended_where_that_is_wanted) {
  static const struct json_limits limits = {.mends_halves = true};
  struct str text;
  assert_int_equal(strict(STR("\"a\\ud83d \\ud83d\\ude00\""), &limits), OK);
  struct json_node root = json_root(&doc);
  assert_int_equal(json_string(&root, &text, &info), OK);
  assert_str(text, STR("a\xef\xbf\xbd \xf0\x9f\x98\x80"));
  assert_int_equal(strict(STR("\"\\ud83d"), &limits), ERR_BAD_JSON);
  assert_int_equal(strict(STR("\"\\ud83\""), &limits), ERR_BAD_JSON);
}

TEST(strings_lie_in_the_callers_text) {
  char text[64] = "{\"k\":\"a\\u0062\"}";
  size_t n = strlen(text);
  struct str s;
  assert_int_equal(json_parse(&doc, text, n, NULL, &arena, &info), OK);
  struct json_node root = json_root(&doc), k = json_member(&root, STR("k"));
  assert_int_equal(json_string(&k, &s, &info), OK);
  assert_str(s, STR("ab"));
  assert_true(s.p >= text && s.p < text + n);
}

static enum err nested(unsigned depth, const struct json_limits *limits) {
  struct buf b;
  buf_init(&b, 0);
  for (unsigned i = 0; i < depth; i++) buf_put_char(&b, '[');
  buf_put(&b, STR("\"[[[{{{\\\"[[\""));
  for (unsigned i = 0; i < depth; i++) buf_put_char(&b, ']');
  enum err e = strict(buf_str(&b), limits);
  buf_clear(&b);
  return e;
}

TEST(limits_hold) {
  struct json_limits shallow = {.depth = 3}, few = {.values = 4}, small = {.bytes = 5};
  assert_int_equal(nested(128, NULL), OK);
  assert_int_equal(nested(129, NULL), ERR_BAD_JSON);
  assert_int_equal(nested(100000, NULL), ERR_BAD_JSON);
  assert_int_equal(nested(3, &shallow), OK);
  assert_int_equal(nested(4, &shallow), ERR_BAD_JSON);
  assert_int_equal(strict(STR("[[],[],[]]"), &shallow), OK);
  assert_int_equal(strict(STR("[1,2]"), &few), OK);
  assert_int_equal(strict(STR("[1,2,3,4]"), &few), ERR_BAD_JSON);
  assert_int_equal(strict(STR("[\"1,2,3,4,5\"]"), &few), OK);
  assert_int_equal(strict(STR("12345"), &small), OK);
  assert_int_equal(strict(STR("123456"), &small), ERR_BODY_TOO_LARGE);
  struct arena tight;
  arena_init(&tight, 100);
  assert_int_equal(json_parse_copy(&doc, STR("[1,2,3]"), NULL, &tight, &info), ERR_NO_MEMORY);
  arena_clear(&tight);
}

TEST(relaxed_reads_what_people_write) {
  struct str text =
      STR("{\n  // \"[[[\n  \"a\": 1, /* two [[\n lines */ \"b\": [\n    \"x\\ny\",\n    {\"c\": true},\n  ],\n}\n");
  assert_int_equal(relaxed(text), OK);
  struct json_node root = json_root(&doc), a = json_member(&root, STR("a")), b = json_member(&root, STR("b")), x, o, c;
  struct json_iter it = json_each(&b);
  assert_true(json_next(&it, &x));
  assert_true(json_next(&it, &o));
  assert_false(json_next(&it, &c));
  c = json_member(&o, STR("c"));
  assert_int_equal(json_line_of(&doc, &root), 1);
  assert_int_equal(json_line_of(&doc, &a), 3);
  assert_int_equal(json_line_of(&doc, &b), 4);
  assert_int_equal(json_line_of(&doc, &x), 5);
  assert_int_equal(json_line_of(&doc, &c), 6);
  assert_int_equal(json_line_of(&doc, &o), 4); /* has no place of its own: what holds it */
  assert_int_equal(relaxed(STR("{\n \"a\": tru\n}")), ERR_BAD_JSON);
  assert_non_null(strstr(info.text, "line 2, column 7"));
  assert_int_equal(relaxed(STR("{} x")), ERR_BAD_JSON);
  assert_int_equal(relaxed(STR("{'a':1}")), ERR_BAD_JSON);
  assert_int_equal(relaxed(STR("/* open")), ERR_BAD_JSON);
  assert_int_equal(strict(STR("{\"a\":1}"), NULL), OK);
  root = json_root(&doc);
  assert_int_equal(json_line_of(&doc, &root), 0);
}

TEST(getters_name_the_path) {
  assert_int_equal(strict(STR("{\"servers\":[{},{\"port\":\"x\",\"deep\":{\"list\":[null]}}],\"on\":1}"), NULL), OK);
  struct json_node root = json_root(&doc), list, server, deep, inner, item;
  uint64_t u = 9;
  bool on = false;
  assert_int_equal(json_get_array(&root, STR("servers"), &list, &info), OK);
  struct json_iter it = json_each(&list);
  assert_true(json_next(&it, &server) && json_next(&it, &server));
  assert_int_equal(json_get_u64(&server, STR("port"), &u, &info), ERR_BAD_TYPE);
  assert_string_equal(info.param, "servers[1].port");
  assert_string_equal(info.text, "\"servers[1].port\" must be a number");
  assert_int_equal(json_get_u64(&server, STR("absent"), &u, &info), OK);
  assert_int_equal(u, 9);
  assert_int_equal(json_get_object(&server, STR("deep"), &deep, &info), OK);
  assert_int_equal(json_get_array(&deep, STR("list"), &inner, &info), OK);
  it = json_each(&inner);
  assert_true(json_next(&it, &item));
  assert_int_equal(json_expect(&item, JSON_OBJECT, &info), ERR_BAD_TYPE);
  assert_string_equal(info.param, "servers[1].deep.list[0]");
  assert_int_equal(json_get_bool(&root, STR("on"), &on, &info), ERR_BAD_TYPE);
  assert_int_equal(json_get_object(&root, STR("servers"), &deep, &info), ERR_BAD_TYPE);
  struct json_node absent = json_member(&server, STR("name"));
  struct str s;
  assert_int_equal(json_type(&absent), JSON_ABSENT);
  assert_int_equal(json_string(&absent, &s, &info), ERR_MISSING);
  assert_string_equal(info.param, "servers[1].name");
  assert_int_equal(json_get_array(&root, STR("none"), &list, &info), OK);
  assert_null(list.val);
  assert_int_equal(json_expect(&root, JSON_ARRAY, &info), ERR_BAD_TYPE);
  assert_string_equal(info.text, "the document must be an array");
  struct json_iter none = json_each(&absent);
  assert_false(json_next(&none, &item));
}

TEST(numbers_are_exact) {
  struct json_limits raw = {.numbers_are_raw = true};
  static const struct json_limits *modes[2];
  modes[1] = &raw;
  for (int mode = 0; mode < 2; mode++) {
    assert_int_equal(strict(STR("[18446744073709551615,-9223372036854775808,0,-0,1.0,-1,9223372036854775808,"
                                "18446744073709551616,0.1,1e400,-9223372036854775809,\"7\"]"),
                            modes[mode]),
                     OK);
    struct json_node root = json_root(&doc), n;
    struct json_iter it = json_each(&root);
    uint64_t u = 0;
    int64_t i = 0;
    double d = 0;
    assert_true(json_next(&it, &n) && json_u64(&n, &u, &info) == OK && u == UINT64_MAX &&
                json_i64(&n, &i, &info) == ERR_BAD_VALUE);
    assert_true(json_next(&it, &n) && json_i64(&n, &i, &info) == OK && i == INT64_MIN &&
                json_u64(&n, &u, &info) == ERR_BAD_VALUE);
    assert_true(json_next(&it, &n) && json_u64(&n, &u, &info) == OK && u == 0 && json_i64(&n, &i, &info) == OK &&
                i == 0);
    assert_true(json_next(&it, &n) && json_double(&n, &d, &info) == OK && d == 0);
    assert_true(json_next(&it, &n) && json_u64(&n, &u, &info) == ERR_BAD_VALUE && json_double(&n, &d, &info) == OK &&
                d == 1.0);
    assert_true(json_next(&it, &n) && json_i64(&n, &i, &info) == OK && i == -1 && json_double(&n, &d, &info) == OK &&
                d == -1.0);
    assert_true(json_next(&it, &n) && json_u64(&n, &u, &info) == OK && u == (uint64_t)INT64_MAX + 1);
    assert_true(json_next(&it, &n) && json_u64(&n, &u, &info) == ERR_BAD_VALUE && json_double(&n, &d, &info) == OK &&
                d == 0x1p64);
    assert_true(json_next(&it, &n) && json_double(&n, &d, &info) == OK && d == 0.1);
    assert_true(json_next(&it, &n) && json_double(&n, &d, &info) == ERR_BAD_VALUE);
    struct str digits;
    enum err e = json_number_raw(&n, &digits, &info);
    assert_true(e == OK && str_eq(digits, STR("1e400"))); /* no double holds it: kept raw in both modes */
    assert_true(json_next(&it, &n) && json_i64(&n, &i, &info) == ERR_BAD_VALUE);
    assert_true(json_next(&it, &n) && json_u64(&n, &u, &info) == ERR_BAD_TYPE);
  }
}

TEST(keys_are_checked) {
  const struct str known[] = {STR("model"), STR("user")};
  struct json_node root;
  static const struct {
    const char *text;
    enum err e;
    const char *param;
  } cases[] = {
      {"{\"model\":1,\"x\":2,\"X\":3}", OK, ""},
      {"{\"x\":1,\"y\":2,\"\\u0078\":3}", ERR_DUPLICATE_KEY, "x"},
      {"{\"Model\":1}", ERR_BAD_VALUE, "Model"},
      {"[1,2]", OK, ""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    assert_int_equal(strict(str_from_c(cases[i].text), NULL), OK);
    root = json_root(&doc);
    assert_int_equal(json_check_keys(&root, known, 2, &arena, &info), cases[i].e);
    assert_string_equal(info.param, cases[i].param);
  }
  struct buf b;
  buf_init(&b, 0);
  for (unsigned members = 1024; members <= 1025; members++) {
    buf_reset(&b);
    for (unsigned i = 0; i < members; i++) buf_printf(&b, "%c\"k%u\":0", i ? ',' : '{', i);
    buf_put_char(&b, '}');
    assert_int_equal(strict(buf_str(&b), NULL), OK);
    root = json_root(&doc);
    assert_int_equal(json_check_keys(&root, known, 2, &arena, &info), members == 1024 ? OK : ERR_BAD_VALUE);
  }
  buf_clear(&b);
}

TEST(a_long_path_is_cut) {
  struct buf b;
  buf_init(&b, 0);
  for (int i = 0; i < 100; i++) buf_put(&b, STR("{\"abcdefgh\":"));
  buf_put(&b, STR("1"));
  for (int i = 0; i < 100; i++) buf_put_char(&b, '}');
  assert_int_equal(strict(buf_str(&b), NULL), OK);
  static struct json_node nodes[101];
  nodes[0] = json_root(&doc);
  for (int i = 0; i < 100; i++) nodes[i + 1] = json_member(&nodes[i], STR("abcdefgh"));
  char path[ERR_PARAM_MAX];
  json_path(&nodes[100], path);
  assert_int_equal(strlen(path), ERR_PARAM_MAX - 1);
  assert_memory_equal(path, "abcdefgh.abcdefgh.", 18);
  buf_clear(&b);
}

static int teardown(void **state __attribute__((unused))) {
  arena_clear(&arena);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(strict_is_strict),
      cmocka_unit_test(lone_halves_are_mended_where_that_is_wanted),
      cmocka_unit_test(strings_lie_in_the_callers_text),
      cmocka_unit_test(limits_hold),
      cmocka_unit_test(relaxed_reads_what_people_write),
      cmocka_unit_test(keys_are_checked),
      cmocka_unit_test(getters_name_the_path),
      cmocka_unit_test(a_long_path_is_cut),
      cmocka_unit_test(numbers_are_exact),
  };
  return cmocka_run_group_tests(tests, NULL, teardown);
}
