/* JSON strings as bytes: runs at every length and place, escapes, UTF-8. */
#include "base/json_bytes.h"

#include <stdlib.h>

#include "unit.h"

TEST(runs_end_at_the_first_odd_byte) {
  static const unsigned char odd[] = {0, 1, 0x1f, '"', '\\', 0x80, 0xc3, 0xff};
  for (size_t n = 0; n < 90; n++) {
    char *p = malloc(n + 1); /* exact, so that a read past the end is seen */
    memset(p, 'x', n);
    assert_true(json_bytes_run(p, p + n) == p + n);
    assert_true(json_bytes_run_long(p, p + n) == p + n);
    for (size_t at = 0; at < n; at++) {
      for (size_t k = 0; k < sizeof odd; k++) {
        p[at] = (char)odd[k];
        if (at + 1 < n) p[at + 1] = (char)odd[(k + 3) % sizeof odd];
        assert_true(json_bytes_run(p, p + n) == p + at);
        assert_true(json_bytes_run_long(p, p + n) == p + at);
      }
      p[at] = (char)(0x20 + at % 2);
    }
    free(p);
  }
  for (int c = 0; c < 256; c++) {
    char text[40];
    memset(text, c, sizeof text);
    bool plain = c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
    assert_true(json_bytes_run(text, text + 40) == (plain ? text + 40 : text));
    assert_true(json_bytes_run_long(text, text + 40) == (plain ? text + 40 : text));
  }
}

TEST(utf8_sequences_are_those_of_str) {
  char p[4];
  for (uint32_t lead = 0x80; lead < 0x100; lead++) {
    for (uint32_t rest = 0; rest < 1 << 12; rest++) { /* every second byte, and the edges of the others */
      static const char edges[] = {0x00, 0x7f, (char)0x80, (char)0xbf};
      p[0] = (char)lead;
      p[1] = (char)(rest >> 4);
      p[2] = edges[rest >> 2 & 3];
      p[3] = edges[rest & 3];
      size_t n = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2, want = str_is_utf8(str_from(p, n)) ? n : 0;
      assert_int_equal(json_bytes_utf8(p, p + 4), want);
      assert_int_equal(json_bytes_utf8(p, p + n), want);
      assert_int_equal(json_bytes_utf8(p, p + n - 1), 0);
    }
  }
}

static void assert_unescaped(const char *raw, enum json_bytes_mode mode, struct str want) {
  struct str in = str_from_c(raw);
  char *out = malloc(in.n + 1);
  size_t n = 0;
  assert_true(json_bytes_unescape(in, mode, out, &n));
  assert_str(str_from(out, n), want);
  free(out);
}

TEST(unescapes) {
  assert_unescaped("", JSON_BYTES_STRICT, STR(""));
  assert_unescaped("abc", JSON_BYTES_STRICT, STR("abc"));
  assert_unescaped("\\\"\\\\\\/\\b\\f\\n\\r\\t", JSON_BYTES_STRICT, STR("\"\\/\b\f\n\r\t"));
  assert_unescaped("a\\u0041\\u00e9\\u6625\\ud83d\\uDE00z", JSON_BYTES_STRICT,
                   STR("aA\xc3\xa9\xe6\x98\xa5\xf0\x9f\x98\x80z"));
  assert_unescaped("\\ud800x\\udc00\\udc00\\ud800\\ud83d\\ude00", JSON_BYTES_LOOSE,
                   STR("\xef\xbf\xbdx\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xf0\x9f\x98\x80"));
  assert_unescaped("\\ud800\\u0041", JSON_BYTES_LOOSE,
                   STR("\xef\xbf\xbd"
                       "A"));
  assert_unescaped("a\\u0000b", JSON_BYTES_LOOSE, STR("a\0b"));
  static const char *const bad[] = {"\\", "\\x", "\\u12", "\\u123g", "\"", "\n", "\xff", "\xe6\x98", "\\ud8"};
  char out[16];
  size_t n;
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    assert_false(json_bytes_unescape(str_from_c(bad[i]), JSON_BYTES_LOOSE, out, &n));
  assert_false(json_bytes_unescape(STR("\\u0000"), JSON_BYTES_STRICT, out, &n));
  assert_false(json_bytes_unescape(STR("\\ud800"), JSON_BYTES_STRICT, out, &n));
  assert_false(json_bytes_unescape(STR("\\udc00"), JSON_BYTES_STRICT, out, &n));
  assert_false(json_bytes_unescape(STR("\\ud800\\ud800"), JSON_BYTES_STRICT, out, &n));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(runs_end_at_the_first_odd_byte),
      cmocka_unit_test(utf8_sequences_are_those_of_str),
      cmocka_unit_test(unescapes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
