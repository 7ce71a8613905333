/* Lines as bytes: the exact text of both formats, hostile values in every position, cuts, and that a JSON line is
 * always JSON. */
#include "base/log_format.h"

#include <yyjson.h>

#include "unit.h"

static const int64_t moment_us = 1795169472345678; /* 2026-11-20T10:11:12.345678Z */

static struct str format(char out[LOG_LINE_MAX], bool is_json, const struct log_field *fields, size_t n) {
  return str_from(out, log_format(out, is_json, moment_us, LOG_LEVEL_INFO, STR("request"), fields, n));
}

TEST(text_and_json_as_documented) {
  char out[LOG_LINE_MAX];
  const struct log_field fields[] = {log_str(LOG_ROUTE, STR("/v1/chat/completions")), log_u64(LOG_STATUS, 200),
                                     log_i64(LOG_COST_NANO_USD, INT64_MIN),           log_bool(LOG_STREAM, true),
                                     log_c(LOG_ERROR, "no such model \"x\""),         log_c(LOG_CODE, NULL)};
  assert_str(format(out, false, fields, 6),
             STR("2026-11-20T10:11:12.345Z INFO request route=/v1/chat/completions status=200 "
                 "cost_nano_usd=-9223372036854775808 stream=true error=\"no such model \\\"x\\\"\" code=\"\"\n"));
  assert_str(format(out, true, fields, 6),
             STR("{\"time\":\"2026-11-20T10:11:12.345Z\",\"level\":\"info\",\"event\":\"request\","
                 "\"route\":\"/v1/chat/completions\",\"status\":200,\"cost_nano_usd\":-9223372036854775808,"
                 "\"stream\":true,\"error\":\"no such model \\\"x\\\"\",\"code\":\"\"}\n"));
}

TEST(levels_and_times_change_from_line_to_line) {
  char out[LOG_LINE_MAX];
  const struct log_field f[] = {log_u64(LOG_COUNT, UINT64_MAX)};
  struct str s = str_from(out, log_format(out, false, moment_us, LOG_LEVEL_ERROR, STR("a"), f, 1));
  assert_str(s, STR("2026-11-20T10:11:12.345Z ERROR a count=18446744073709551615\n"));
  s = str_from(out, log_format(out, false, moment_us + 7000, LOG_LEVEL_WARN, STR("b"), f, 0));
  assert_str(s, STR("2026-11-20T10:11:12.352Z WARN b\n"));
  s = str_from(out, log_format(out, false, moment_us + 60000000, LOG_LEVEL_DEBUG, STR("c"), f, 0));
  assert_str(s, STR("2026-11-20T10:12:12.345Z DEBUG c\n"));
}

static void assert_is_one_clean_line(struct str s) {
  assert_true(s.n > 0 && s.n <= LOG_LINE_MAX);
  assert_int_equal(s.p[s.n - 1], '\n');
  for (size_t i = 0; i + 1 < s.n; i++) assert_true((unsigned char)s.p[i] >= 0x20 && s.p[i] != 0x7f);
  assert_true(str_is_utf8(s));
}

TEST(every_byte_is_safe_in_every_position) {
  char out[LOG_LINE_MAX], value[6];
  for (unsigned first = 0; first < 256; first++)
    for (unsigned second = 0; second < 256; second += 3) {
      memcpy(value, "a..b", 4);
      value[1] = (char)first;
      value[2] = (char)second;
      const struct log_field f[] = {log_str(LOG_MODEL, str_from(value, 4))};
      assert_is_one_clean_line(format(out, false, f, 1));
      struct str s = format(out, true, f, 1);
      assert_is_one_clean_line(s);
      yyjson_doc *doc = yyjson_read(s.p, s.n, 0);
      if (!doc) fail_msg("bytes %02x %02x: %.*s", first, second, STR_ARG(s));
      const char *got = yyjson_get_str(yyjson_obj_get(yyjson_doc_get_root(doc), "model"));
      if (first < 0x80 && second < 0x80 && first && second) assert_memory_equal(got, value, 4);
      yyjson_doc_free(doc);
    }
}

TEST(utf8_stays_and_c1_controls_do_not) {
  char out[LOG_LINE_MAX];
  const struct log_field f[] = {log_c(LOG_MODEL,
                                      "gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80 \xc2\x9b"
                                      "31m \xed\xa0\x80")};
  struct str s = format(out, false, f, 1);
  assert_int_not_equal(str_find(s, STR("model=\"gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80 \\u009b31m \xef\xbf\xbd")),
                       SIZE_MAX);
}

TEST(a_forged_field_is_quoted) {
  char out[LOG_LINE_MAX];
  const struct log_field f[] = {log_c(LOG_MODEL, "x status=200"), log_c(LOG_NAME, "a=b")};
  struct str s = format(out, false, f, 2);
  assert_int_not_equal(str_find(s, STR("model=\"x status=200\" name=\"a=b\"\n")), SIZE_MAX);
}

TEST(long_values_are_cut_between_characters) {
  static char big[3000];
  char out[LOG_LINE_MAX];
  for (size_t shift = 0; shift < 4; shift++) {
    memset(big, 'a', sizeof big);
    for (size_t i = shift; i + 3 < sizeof big; i += 3) memcpy(big + i, "\xe2\x82\xac", 3);
    const struct log_field f[] = {log_str(LOG_MODEL, str_from(big, sizeof big)), log_u64(LOG_STATUS, 1)};
    struct str s = format(out, true, f, 2);
    assert_is_one_clean_line(s);
    assert_int_equal(str_find(s, STR("\xef\xbf\xbd")), SIZE_MAX);
    assert_int_not_equal(str_find(s, STR("\xe2\x80\xa6\",\"status\":1}")), SIZE_MAX);
  }
}

TEST(a_full_line_ends_with_cut_and_is_still_json) {
  static char big[LOG_VALUE_MAX];
  char out[LOG_LINE_MAX];
  for (size_t n = 0; n < sizeof big; n++) {
    memset(big, n % 2 ? 1 : 'a', n);
    struct log_field f[8];
    for (size_t i = 0; i < 8; i++) f[i] = log_str(LOG_MODEL, str_from(big, n));
    struct str s = format(out, true, f, 8);
    assert_is_one_clean_line(s);
    yyjson_doc *doc = yyjson_read(s.p, s.n, 0);
    assert_non_null(doc);
    size_t fields = yyjson_obj_size(yyjson_doc_get_root(doc)) - 3;
    bool is_cut = yyjson_get_bool(yyjson_obj_get(yyjson_doc_get_root(doc), "cut"));
    assert_true(is_cut ? fields < 9 : fields == 8);
    if (n > 300) assert_true(is_cut);
    if (n < 20) assert_false(is_cut);
    yyjson_doc_free(doc);
    assert_is_one_clean_line(format(out, false, f, 8));
  }
}

TEST(too_many_fields_are_cut) {
  struct log_field f[LOG_FIELDS_MAX + 1];
  char out[LOG_LINE_MAX];
  for (size_t i = 0; i <= LOG_FIELDS_MAX; i++) f[i] = log_bool(LOG_STREAM, false);
  struct str s = format(out, false, f, LOG_FIELDS_MAX + 1);
  assert_true(str_has_suffix(s, STR(" stream=false cut=true\n")));
  s = format(out, false, f, LOG_FIELDS_MAX);
  assert_true(str_has_suffix(s, STR(" stream=false\n")) && str_find(s, STR("cut")) == SIZE_MAX);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(text_and_json_as_documented),
      cmocka_unit_test(levels_and_times_change_from_line_to_line),
      cmocka_unit_test(every_byte_is_safe_in_every_position),
      cmocka_unit_test(utf8_stays_and_c1_controls_do_not),
      cmocka_unit_test(a_forged_field_is_quoted),
      cmocka_unit_test(long_values_are_cut_between_characters),
      cmocka_unit_test(a_full_line_ends_with_cut_and_is_still_json),
      cmocka_unit_test(too_many_fields_are_cut),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
