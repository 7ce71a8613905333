/* The growing buffer. */
#include "base/buf.h"

#include "unit.h"

TEST(grows_and_keeps) {
  struct buf b;
  buf_init(&b, 0);
  buf_put(&b, STR_NONE);
  assert_int_equal(buf_str(&b).n, 0);
  for (int i = 0; i < 10000; i++) buf_put(&b, STR("0123456789"));
  assert_int_equal(b.n, 100000);
  for (size_t i = 0; i < b.n; i++) assert_int_equal(b.p[i], '0' + (int)(i % 10));
  buf_shift(&b, 99995);
  assert_str(buf_str(&b), STR("56789"));
  buf_shift(&b, 99);
  assert_int_equal(b.n, 0);
  buf_reset(&b);
  assert_true(buf_reserve(&b, 50000));
  buf_clear(&b);
  assert_null(b.p);
}

TEST(the_limit_is_sticky) {
  struct buf b;
  buf_init(&b, 10);
  buf_put(&b, STR("12345678"));
  buf_put(&b, STR("abc"));
  assert_true(b.failed);
  assert_str(buf_str(&b), STR("12345678"));
  buf_put(&b, STR("a")); /* would fit, but something is missing before it */
  buf_printf(&b, "x");
  assert_str(buf_str(&b), STR("12345678"));
  buf_reset(&b);
  assert_false(b.failed);
  buf_put(&b, STR("0123456789"));
  assert_false(b.failed);
  buf_reset(&b);
  buf_printf(&b, "%s", "0123456789"); /* exactly the limit: the NUL is not content */
  assert_false(b.failed);
  assert_str(buf_str(&b), STR("0123456789"));
  buf_printf(&b, "x");
  assert_true(b.failed);
  assert_false(buf_reserve(&b, 1));
  buf_clear(&b);
  assert_true(buf_reserve(&b, 10));
  assert_false(buf_reserve(&b, SIZE_MAX));
  buf_clear(&b);
}

TEST(formats) {
  struct buf b;
  buf_init(&b, 0);
  buf_put_u64(&b, 0);
  buf_put_char(&b, ' ');
  buf_put_u64(&b, UINT64_MAX);
  buf_put_char(&b, ' ');
  buf_put_i64(&b, INT64_MIN);
  buf_put_char(&b, ' ');
  buf_put_i64(&b, INT64_MAX);
  assert_str(buf_str(&b), STR("0 18446744073709551615 -9223372036854775808 9223372036854775807"));
  buf_reset(&b);
  for (int i = 0; i < 200; i++) buf_printf(&b, "%05d,", i);
  assert_int_equal(b.n, 1200);
  assert_memory_equal(b.p + 1194, "00199,", 6);
  buf_clear(&b);
}

static void assert_json(struct str in, const char *want) {
  struct buf b;
  buf_init(&b, 0);
  buf_put_json(&b, in);
  assert_str(buf_str(&b), str_from_c(want));
  buf_clear(&b);
}

TEST(escapes_json) {
  assert_json(STR(""), "\"\"");
  assert_json(STR_NONE, "\"\"");
  assert_json(STR("abc"), "\"abc\"");
  assert_json(STR("a\"b\\c/"), "\"a\\\"b\\\\c/\"");
  assert_json(STR("\n\r\t\b\f"), "\"\\n\\r\\t\\u0008\\u000c\"");
  assert_json(STR("\0\x1f\x7f"), "\"\\u0000\\u001f\x7f\"");
  assert_json(STR("\xc3\xa9\xe6\x98\xa5\xf0\x9f\x98\x80"), "\"\xc3\xa9\xe6\x98\xa5\xf0\x9f\x98\x80\"");
  assert_json(STR("a\xffz"), "\"a\xef\xbf\xbdz\"");
  assert_json(STR("\xe6\x98"), "\"\xef\xbf\xbd\xef\xbf\xbd\"");
  assert_json(STR("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
  assert_json(STR("0123456789abcdef0123456789abcdef\"0123456789abcdef0\n"),
              "\"0123456789abcdef0123456789abcdef\\\"0123456789abcdef0\\n\"");
}

static void assert_usd(int64_t nano_usd, const char *want) {
  struct buf b;
  buf_init(&b, 0);
  buf_put_nano_usd(&b, nano_usd);
  assert_str(buf_str(&b), str_from_c(want));
  buf_clear(&b);
}

TEST(encodes_what_is_not_unreserved) {
  struct buf b;
  char text[256], whole[1024];
  size_t n = 0;
  buf_init(&b, 0);
  buf_put_percent(&b, STR("aZ09-._~/: \xc3\xa4%"), "");
  assert_str(buf_str(&b), STR("aZ09-._~%2F%3A%20%C3%A4%25"));
  buf_reset(&b);
  buf_put_percent(&b, STR("a/b:c"), "/");
  assert_str(buf_str(&b), STR("a/b%3Ac"));
  buf_reset(&b);
  for (int c = 0; c < 256; c++) text[c] = (char)c;
  buf_put_percent(&b, str_from(text, sizeof text), "/");
  n = str_percent_decode(buf_str(&b), whole, sizeof whole);
  assert_str(str_from(whole, n), str_from(text, sizeof text));
  assert_int_equal(b.n, 67 + 3 * (256 - 67)); /* 66 unreserved ones and the other */
  buf_clear(&b);
}

TEST(writes_money_exactly) {
  assert_usd(0, "0");
  assert_usd(1, "0.000000001");
  assert_usd(123000, "0.000123");
  assert_usd(1000000000, "1");
  assert_usd(-1500000000, "-1.5");
  assert_usd(-1, "-0.000000001");
  assert_usd(INT64_MAX, "9223372036.854775807");
  assert_usd(INT64_MIN, "-9223372036.854775808");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(grows_and_keeps),
      cmocka_unit_test(the_limit_is_sticky),
      cmocka_unit_test(formats),
      cmocka_unit_test(escapes_json),
      cmocka_unit_test(writes_money_exactly),
      cmocka_unit_test(encodes_what_is_not_unreserved),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
