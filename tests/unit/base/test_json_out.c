/* JSON written member by member: where commas stand, whatever came before, and that nothing a caller hands in as raw
 * JSON can take one away. */
#include "base/json_out.h"

#include "base/json.h"
#include "unit.h"

static struct buf b;

static void expect(const char *text) {
  assert_false(b.failed);
  assert_str(buf_str(&b), str_from_c(text));
  buf_clear(&b);
}

TEST(commas_come_by_themselves) {
  json_out_begin(&b, '{');
  json_out_member_string(&b, "a", STR("x\"y\n"));
  json_out_key(&b, "list");
  json_out_begin(&b, '[');
  json_out_string(&b, STR("one"));
  json_out_i64(&b, -2);
  json_out_bool(&b, true);
  json_out_raw(&b, STR("{\"k\":1}"));
  json_out_raw(&b, STR_NONE);
  json_out_begin(&b, '[');
  json_out_end(&b, ']');
  json_out_begin(&b, '{');
  json_out_end(&b, '}');
  json_out_value(&b, NULL);
  json_out_end(&b, ']');
  json_out_member_i64(&b, "n", INT64_MIN);
  json_out_member_bool(&b, "t", false);
  json_out_key_str(&b, STR("odd \"key\"\\"));
  json_out_bool(&b, false);
  json_out_end(&b, '}');
  expect(
      "{\"a\":\"x\\\"y\\n\",\"list\":[\"one\",-2,true,{\"k\":1},null,[],{},null],\"n\":-9223372036854775808,\"t\":"
      "false,"
      "\"odd \\\"key\\\"\\\\\":false}");
}

TEST(the_if_forms_write_nothing_for_nothing) {
  json_out_begin(&b, '{');
  json_out_member_string_if(&b, "a", STR_NONE);
  json_out_member_raw_if(&b, "b", STR_NONE);
  json_out_member_raw_if(&b, "c", STR(" \n"));
  json_out_member_tri(&b, "d", -1);
  json_out_member_value_if(&b, "e", NULL);
  json_out_end(&b, '}');
  expect("{}");
  json_out_begin(&b, '{');
  json_out_member_string_if(&b, "a", STR("1"));
  json_out_member_raw_if(&b, "b", STR("1e-2"));
  json_out_member_tri(&b, "c", 0);
  json_out_member_tri(&b, "d", 1);
  json_out_end(&b, '}');
  expect("{\"a\":\"1\",\"b\":1e-2,\"c\":false,\"d\":true}");
}

/* The last byte decides about a comma: whatever a value ends in, the next member has one. */
TEST(no_value_swallows_a_comma) {
  static const char *const values[] = {"1 ",    "{}\n",  "[1]\r\n", "\t\"x\" \t\n", "\"{\"",
                                       "\"[\"", "\":\"", "\",\"",   "\" \""};
  for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
    struct json doc;
    struct arena arena;
    arena_init(&arena, 0);
    json_out_begin(&b, '{');
    json_out_key(&b, "a");
    json_out_raw(&b, str_from_c(values[i]));
    json_out_member_raw_if(&b, "b", str_from_c(values[i]));
    json_out_key(&b, "c");
    json_out_begin(&b, '[');
    json_out_raw(&b, str_from_c(values[i]));
    json_out_raw(&b, str_from_c(values[i]));
    json_out_end(&b, ']');
    json_out_end(&b, '}');
    assert_int_equal(json_parse_copy(&doc, buf_str(&b), NULL, &arena, NULL), OK);
    struct json_node root = json_root(&doc);
    assert_int_equal(json_count(&root), 3);
    arena_clear(&arena);
    buf_clear(&b);
  }
  static const char *const texts[] = {"ends in {",      "ends in [", "ends in :", "ends in ,",
                                      "ends in space ", "and \n",    ""};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    json_out_begin(&b, '[');
    json_out_string(&b, str_from_c(texts[i]));
    json_out_string(&b, STR("next"));
    json_out_end(&b, ']');
    assert_true(str_has_suffix(buf_str(&b), STR("\",\"next\"]")));
    buf_clear(&b);
  }
}

TEST(frames_begin_without_a_comma) {
  for (int i = 0; i < 2; i++) {
    buf_put(&b, STR("event: x\ndata: "));
    json_out_begin(&b, '{');
    json_out_end(&b, '}');
    buf_put(&b, STR("\n\n"));
  }
  expect("event: x\ndata: {}\n\nevent: x\ndata: {}\n\n");
  buf_put(&b, STR("data:"));
  json_out_begin(&b, '{');
  json_out_end(&b, '}');
  buf_put(&b, STR("\r\n"));
  json_out_raw(&b, STR("1"));
  expect("data:{}\r\n1");
  buf_put_char(&b, '['); /* a stream as an array, whose writer puts commas itself */
  json_out_raw(&b, STR("1"));
  buf_put_char(&b, ',');
  json_out_begin(&b, '{');
  json_out_end(&b, '}');
  buf_put(&b, STR(",\r\n"));
  json_out_begin(&b, '{');
  json_out_end(&b, '}');
  expect("[1,{},\r\n{}");
}

TEST(kept_members_come_back) {
  struct json doc;
  struct arena arena;
  arena_init(&arena, 0);
  const struct json_limits limits = {.numbers_are_raw = true};
  assert_int_equal(
      json_parse_copy(&doc, STR("{\"x\":[1.50,{\"y\":null}],\"model\":\"m\",\"\\u0000\":\"\\u0001\",\"e\":{}}"),
                      &limits, &arena, NULL),
      OK);
  const struct str names[] = {STR("model")};
  struct yyjson_val *found[1];
  struct json_rest rest;
  assert_int_equal(json_split(&arena, doc.root, names, 1, found, &rest, NULL), OK);
  json_out_begin(&b, '{');
  json_out_rest(&b, &rest);
  json_out_member_value_if(&b, "model", found[0]);
  json_out_key(&b, "again");
  json_out_value(&b, found[0]);
  json_out_end(&b, '}');
  expect("{\"x\":[1.50,{\"y\":null}],\"\\u0000\":\"\\u0001\",\"e\":{},\"model\":\"m\",\"again\":\"m\"}");
  arena_clear(&arena);
}

TEST(a_limit_fails_the_buffer) {
  struct buf small;
  buf_init(&small, 10);
  json_out_begin(&small, '{');
  for (int i = 0; i < 5; i++) json_out_member_string(&small, "a", STR("long"));
  json_out_end(&small, '}');
  assert_true(small.failed);
  buf_clear(&small);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(commas_come_by_themselves), cmocka_unit_test(the_if_forms_write_nothing_for_nothing),
      cmocka_unit_test(no_value_swallows_a_comma), cmocka_unit_test(frames_begin_without_a_comma),
      cmocka_unit_test(kept_members_come_back),    cmocka_unit_test(a_limit_fails_the_buffer),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
