/* Trees over one block, one after the other: what is JSON and what is not, numbers as written, halves of surrogate
 * pairs mended, growth, and bounds against text of nothing but brackets. */
#include "base/json_pool.h"

#include <stdlib.h>
#include <yyjson.h>

#include "base/buf.h"
#include "base/json.h"
#include "unit.h"

/* Over an allocation of its own, so that a read past the end is seen. */
static yyjson_val *parse(struct json_pool *p, struct str text) {
  char *copy = malloc(text.n ? text.n : 1);
  if (text.n) memcpy(copy, text.p, text.n);
  yyjson_val *v = json_pool_parse(p, str_from(copy, text.n));
  free(copy); /* the tree lies in the pool */
  return v;
}

static struct str raw(yyjson_val *v) { return str_from(yyjson_get_raw(v), yyjson_get_len(v)); }

TEST(members_and_numbers_as_written) {
  struct json_pool p = {0};
  yyjson_val *v =
      parse(&p, STR(" {\"a\":\"x\\u00e9\\n\",\"n\":1.50e-2,\"big\":123456789012345678901234567890,\"t\":true} "));
  assert_non_null(v);
  assert_str(json_pool_str(v, "a"), STR("x\xc3\xa9\n"));
  assert_true(json_pool_str(v, "a").p >= p.bytes && json_pool_str(v, "a").p < p.bytes + p.cap);
  assert_str(raw(yyjson_obj_get(v, "n")), STR("1.50e-2"));
  assert_str(raw(yyjson_obj_get(v, "big")), STR("123456789012345678901234567890"));
  assert_int_equal(json_pool_str(v, "n").n, 0); /* no string */
  assert_int_equal(json_pool_str(v, "none").n, 0);
  assert_int_equal(json_pool_str(NULL, "a").n, 0);
  assert_int_equal(json_pool_text(NULL).n, 0);
  json_pool_clear(&p);
  assert_null(p.bytes);
  json_pool_clear(&p);
}

TEST(counts) {
  static const struct {
    const char *text;
    int64_t count;
  } rows[] = {{"0", 0},
              {"12", 12},
              {"12.0", 12},
              {"12.000", 12},
              {"12.5", -1},
              {"-1", -1},
              {"-0", -1},
              {"1e3", -1},
              {"1.0e1", -1},
              {"\"12\"", -1},
              {"true", -1},
              {"null", -1},
              {"[12]", -1},
              {"9223372036854775807", INT64_MAX},
              {"9223372036854775808", -1},
              {"99999999999999999999999", -1}};
  struct json_pool p = {0};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    yyjson_val *v = parse(&p, str_from_c(rows[i].text));
    assert_non_null(v);
    assert_int_equal(json_pool_count(v), rows[i].count);
  }
  assert_int_equal(json_pool_count(NULL), -1);
  json_pool_clear(&p);
}

TEST(what_is_no_json) {
  static const struct str bad[] = {STR(""),          STR(" "),        STR("{"),         STR("{\"a\":1,}"),
                                   STR("[1 2]"),     STR("nul"),      STR("{}{}"),      STR("{} x"),
                                   STR("01"),        STR("\"\x01\""), STR("\"\xff\""),  STR("\"\\x\""),
                                   STR("NaN"),       STR("// c\n1"),  STR("\"\\ud800"), STR("\xef\xbb\xbf{}"),
                                   STR("\"\\u12\""), STR("\"a"),      STR("\"\\"),      STR("{}\0")};
  struct json_pool p = {0};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_null(parse(&p, bad[i]));
  assert_null(json_pool_parse(&p, STR_NONE));
  assert_non_null(parse(&p, STR("{}"))); /* a failure leaves nothing behind */
  json_pool_clear(&p);
}

TEST(every_cut_of_a_text) {
  static const struct str text = STR("{\"a\":[1,2.5e3,\"\\ud83d\\ude00\\\"\"],\"b\":{\"c\":null,\"d\":\"\\udc00\"}}");
  struct json_pool p = {0};
  for (size_t n = 0; n < text.n; n++) assert_null(parse(&p, str_sub(text, 0, n)));
  assert_non_null(parse(&p, text));
  json_pool_clear(&p);
}

#define FFFD "\xef\xbf\xbd"

TEST(lone_surrogates_read_as_replacement_characters) {
  static const struct {
    const char *text, *value;
  } rows[] = {
      {"\"\\ud800\"", FFFD},
      {"\"\\uDBFF\"", FFFD},
      {"\"\\udc00\"", FFFD},
      {"\"\\uDfFf\"", FFFD},
      {"\"a\\ud83dz\"", "a" FFFD "z"},
      {"\"\\ud83d\\ude00\\ud83d\"", "\xf0\x9f\x98\x80" FFFD},
      {"\"\\ud83d\\ud83d\\ude00\"", FFFD "\xf0\x9f\x98\x80"},
      {"\"\\ude00\\ud83d\"", FFFD FFFD},
      {"\"\\\\ud800\\ud800\"", "\\ud800" FFFD}, /* the first is a backslash and five letters */
      {"\"\\\\\\ud800\"", "\\" FFFD},
      {"\"\\ud800\\n\"", FFFD "\n"},
      {"\"\\ud800\\u0041\"", FFFD "A"},
      {"\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80"},
  };
  struct json_pool p = {0};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    yyjson_val *v = parse(&p, str_from_c(rows[i].text));
    assert_non_null(v);
    assert_str(json_pool_text(v), str_from_c(rows[i].value));
  }
  yyjson_val *v = parse(&p, STR("{\"\\ud800\":\"b\"}")); /* keys as well */
  assert_str(json_pool_str(v, FFFD), STR("b"));
  assert_null(parse(&p, STR("{\"\\ud800\":nul}")));
  json_pool_clear(&p);
}

/* Servers that count in UTF-16 cut a pair in two. */
TEST(halves_of_a_pair_are_joined_over_two_texts) {
  static const struct {
    const char *text, *value;
  } rows[] = {
      {"\"a\\ud83d\"", "a"},
      {"\"between\"", "between"},
      {"\"\\ude00b\"",
       "\xf0\x9f\x98\x80"
       "b"},
      {"\"\\ude00\"", FFFD},                      /* there is none any more */
      {"\"\\ud83d\\ud83d\"", FFFD},               /* the second waits */
      {"\"x\\ude00\"", "x" FFFD},                 /* not where the string begins */
      {"\"\\ude00\\ud83d\"", "\xf0\x9f\x98\x80"}, /* and another waits */
      {"\"\\ude01\"", "\xf0\x9f\x98\x81"},
  };
  struct json_pool p = {.joins_halves = true};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    assert_str(json_pool_text(parse(&p, str_from_c(rows[i].text))), str_from_c(rows[i].value));
  json_pool_clear(&p);
  for (size_t n = 0; n < 40000; n += 997) { /* on both sides of what has room in the pool */
    struct buf text;
    buf_init(&text, 0);
    buf_put(&text, STR("\"\\ude00"));
    for (size_t i = 0; i < n; i++) buf_put_char(&text, 'x');
    buf_put_char(&text, '"');
    p.joins_halves = true;
    assert_str(json_pool_text(parse(&p, STR("\"\\uD83D\""))), STR(""));
    struct str joined = json_pool_text(parse(&p, buf_str(&text)));
    assert_int_equal(joined.n, n + 4);
    assert_memory_equal(joined.p, "\xf0\x9f\x98\x80", 4);
    buf_clear(&text);
    json_pool_clear(&p);
  }
}

/* An array of `n` numbers, or a string of n bytes with an escape at its end. */
static struct buf long_text(size_t n, bool is_string, const char *end) {
  struct buf b;
  buf_init(&b, 0);
  buf_put_char(&b, is_string ? '"' : '[');
  for (size_t i = 0; i < n; i++) buf_put(&b, is_string ? STR("x") : i ? STR(",7") : STR("7"));
  buf_put(&b, str_from_c(end));
  buf_put_char(&b, is_string ? '"' : ']');
  return b;
}

TEST(it_grows_and_is_kept) {
  struct json_pool p = {0};
  assert_non_null(parse(&p, STR("{}")));
  const char *first = p.bytes;
  for (int i = 0; i < 100; i++) assert_non_null(parse(&p, STR("{\"choices\":[{\"delta\":{\"content\":\"a\"}}]}")));
  assert_ptr_equal(p.bytes, first);
  /* Across the length from which the tree comes from the allocator. */
  static const size_t sizes[] = {100, 4000, 8190, 8191, 8192, 8193, 16382, 16383, 16384, 20000, 300000, 500, 8192};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    struct buf b = long_text(sizes[i], false, "");
    yyjson_val *v = parse(&p, buf_str(&b));
    assert_non_null(v);
    assert_int_equal(yyjson_arr_size(v), sizes[i]);
    assert_str(raw(yyjson_arr_get_last(v)), STR("7"));
    buf_clear(&b);
    b = long_text(sizes[i], true, "\\ud800");
    v = parse(&p, buf_str(&b));
    assert_non_null(v);
    assert_int_equal(json_pool_text(v).n, sizes[i] + 3);
    assert_true(str_has_suffix(json_pool_text(v), STR("x" FFFD)));
    buf_clear(&b);
  }
  json_pool_clear(&p);
}

static struct buf brackets(size_t depth, const char *open, const char *inner, const char *close, const char *before) {
  struct buf b;
  buf_init(&b, 0);
  buf_put(&b, str_from_c(before));
  for (size_t i = 0; i < depth; i++) buf_put(&b, str_from_c(open));
  buf_put(&b, str_from_c(inner));
  for (size_t i = 0; i < depth; i++) buf_put(&b, str_from_c(close));
  if (before[0]) buf_put_char(&b, ']');
  return b;
}

TEST(depth_is_bounded) {
  static const struct {
    const char *open, *inner, *close, *before;
    size_t more; /* levels in `before` */
  } rows[] = {{"[", "", "]", "", 0},
              {"[0,", "0", "]", "", 0},
              {"{\"[\":", "1", "}", "", 0},
              {"[\"a\\\\\",", "{}", "]", "", 1},
              {"[", "", "]", "[\"]]]]]]\\\"]]]]\",", 1}};
  struct json_pool p = {0};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    for (size_t depth = JSON_DEPTH_MAX - 2; depth <= JSON_DEPTH_MAX + 2; depth++) {
      struct buf b = brackets(depth - rows[i].more, rows[i].open, rows[i].inner, rows[i].close, rows[i].before);
      assert_int_equal(parse(&p, buf_str(&b)) != NULL, depth <= JSON_DEPTH_MAX);
      buf_clear(&b);
    }
  /* Wide is not deep. */
  struct buf b = long_text(5000, false, ",[[[]]],{}");
  assert_non_null(parse(&p, buf_str(&b)));
  buf_clear(&b);
  json_pool_clear(&p);
}

TEST(brackets_cost_nothing) {
  struct json_pool p = {0};
  struct buf b = brackets(100000, "[", "", "]", "");
  assert_null(parse(&p, buf_str(&b)));
  assert_int_equal(p.cap, 0); /* refused before anything was taken */
  assert_null(p.large);
  buf_clear(&b);
  b = brackets(5000, "[", "", "]", "");
  assert_null(parse(&p, buf_str(&b)));
  buf_clear(&b);
  b = long_text(1100000, false, ""); /* more values than anyone sends */
  assert_null(parse(&p, buf_str(&b)));
  buf_clear(&b);
  assert_non_null(parse(&p, STR("{}")));
  json_pool_clear(&p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(members_and_numbers_as_written),
      cmocka_unit_test(counts),
      cmocka_unit_test(what_is_no_json),
      cmocka_unit_test(every_cut_of_a_text),
      cmocka_unit_test(lone_surrogates_read_as_replacement_characters),
      cmocka_unit_test(halves_of_a_pair_are_joined_over_two_texts),
      cmocka_unit_test(it_grows_and_is_kept),
      cmocka_unit_test(depth_is_bounded),
      cmocka_unit_test(brackets_cost_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
