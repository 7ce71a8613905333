/* Tests of io/http_msg: names, look-ups, list tokens, and what may stand in a header. */
#include "io/http_msg.h"

#include "unit.h"

static const struct http_header sample[] = {
    {STR("Host"), STR("a")},      {STR("accept"), STR("text/html, application/json;q=0.5")},
    {STR("X-Two"), STR("first")}, {STR("x-two"), STR("second , Third,,")},
    {STR("X-Empty"), STR("")},
};
static const struct http_headers headers = {sample, 5};

TEST(names_and_texts) {
  assert_str(http_method_name(HTTP_GET), STR("GET"));
  assert_str(http_method_name(HTTP_OPTIONS), STR("OPTIONS"));
  assert_str(http_method_name(HTTP_OTHER), STR(""));
  assert_str(http_method_name((enum http_method)99), STR(""));
  assert_str(http_status_text(200), STR("OK"));
  assert_str(http_status_text(431), STR("Request Header Fields Too Large"));
  assert_str(http_status_text(799), STR(""));
}

TEST(get_ignores_case_and_takes_the_first) {
  assert_str(http_header_get(headers, STR("HOST")), STR("a"));
  assert_str(http_header_get(headers, STR("x-TWO")), STR("first"));
  assert_str(http_header_get(headers, STR("X-Empty")), STR(""));
  assert_non_null(http_header_get(headers, STR("X-Empty")).p);
  assert_null(http_header_get(headers, STR("X-Tw")).p);
  assert_null(http_header_get((struct http_headers){NULL, 0}, STR("Host")).p);
}

TEST(count_counts) {
  assert_int_equal(http_header_count(headers, STR("x-two")), 2);
  assert_int_equal(http_header_count(headers, STR("host")), 1);
  assert_int_equal(http_header_count(headers, STR("none")), 0);
}

TEST(tokens_of_all_headers_of_a_name) {
  assert_true(http_header_has_token(headers, STR("x-two"), STR("FIRST")));
  assert_true(http_header_has_token(headers, STR("x-two"), STR("third")));
  assert_true(http_header_has_token(headers, STR("Accept"), STR("text/html")));
  assert_false(http_header_has_token(headers, STR("Accept"), STR("application/json")));
  assert_false(http_header_has_token(headers, STR("x-two"), STR("thir")));
  assert_false(http_header_has_token(headers, STR("x-one"), STR("first")));
}

TEST(unsafe_values) {
  assert_true(http_header_value_is_safe(STR("plain, with\ttab and \xc3\xa9")));
  assert_true(http_header_value_is_safe(STR("")));
  assert_false(http_header_value_is_safe(STR("a\r\nSet-Cookie: b")));
  assert_false(http_header_value_is_safe(STR("a\nb")));
  assert_false(http_header_value_is_safe(STR("a\0b")));
  assert_false(http_header_value_is_safe(STR("a\x7f")));
  assert_false(http_header_value_is_safe(STR("\x1b[31m")));
  char text[24];
  for (size_t at = 0; at < sizeof text; at++) { /* each byte at each place, with all that is allowed beside it */
    for (int c = 0; c < 256; c++) {
      for (size_t i = 0; i < sizeof text; i++) text[i] = "\t ~\x80\xff"[i % 5];
      text[at] = (char)c;
      bool is_safe = c == '\t' || (c >= 0x20 && c != 0x7f);
      assert_int_equal(http_header_value_is_safe(str_from(text, sizeof text)), is_safe);
      assert_int_equal(http_header_value_is_safe(str_from(text, at + 1)), is_safe);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_and_texts), cmocka_unit_test(get_ignores_case_and_takes_the_first),
      cmocka_unit_test(count_counts),    cmocka_unit_test(tokens_of_all_headers_of_a_name),
      cmocka_unit_test(unsafe_values),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
