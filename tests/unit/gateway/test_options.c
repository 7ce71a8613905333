/* The gateway's own options of a request: what asks for the receipt, and that no option is ignored. */
#include "gateway/options.h"

#include <stdio.h>

#include "unit.h"

static enum err read_options(const char *member, const char *header, const char *receipt, bool *wants,
                             struct err_info *info) {
  struct http_header v[2];
  size_t n = 0;
  if (header) v[n++] = (struct http_header){STR("X-Maestro-Options"), str_from_c(header)};
  if (receipt) v[n++] = (struct http_header){STR("X-Maestro-Receipt"), str_from_c(receipt)};
  const struct http_request http = {.headers = {v, n}};
  const struct dialect_request request = {.wants_receipt = member != NULL, .options = str_from_c(member)};
  *info = (struct err_info){0};
  return options_read(&http, &request, wants, info);
}

TEST(who_asks_for_the_receipt) {
  static const struct {
    const char *member, *header, *receipt;
    bool wants;
  } rows[] = {{NULL, NULL, NULL, false},  {"{}", NULL, NULL, true},   {" { } ", NULL, NULL, true},
              {NULL, NULL, "1", true},    {NULL, NULL, "TRUE", true}, {NULL, NULL, "0", false},
              {NULL, NULL, "yes", false}, {NULL, "{}", NULL, false},  {NULL, "{}", "1", true}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    bool wants = !rows[i].wants;
    struct err_info info;
    assert_int_equal(read_options(rows[i].member, rows[i].header, rows[i].receipt, &wants, &info), OK);
    assert_int_equal(wants, rows[i].wants);
  }
}

TEST(nothing_is_ignored) {
  static const struct {
    const char *member, *header;
    enum err e;
    const char *param;
  } rows[] = {{"{\"budget\":1}", NULL, ERR_UNSUPPORTED, "maestro.budget"},
              {"{\"a\":1,\"b\":2}", NULL, ERR_UNSUPPORTED, "maestro.a"},
              {"{}", "{\"mode\":\"auto\"}", ERR_UNSUPPORTED, "x-maestro-options.mode"},
              {NULL, "[]", ERR_BAD_TYPE, "x-maestro-options"},
              {NULL, "budget=1", ERR_BAD_TYPE, "x-maestro-options"},
              {NULL, "{} {}", ERR_BAD_TYPE, "x-maestro-options"},
              {NULL, "{\"a\":1", ERR_BAD_TYPE, "x-maestro-options"},
              {"{\"a\":1}", "[]", ERR_UNSUPPORTED, "maestro.a"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    bool wants;
    struct err_info info;
    assert_int_equal(read_options(rows[i].member, rows[i].header, NULL, &wants, &info), rows[i].e);
    assert_string_equal(info.param, rows[i].param);
    assert_true(info.text[0]);
  }
}

TEST(a_long_name_is_cut_between_characters) {
  char member[512];
  for (size_t shift = 0; shift < 3; shift++) {
    size_t n = (size_t)snprintf(member, sizeof member, "{\"%.*s", (int)shift, "xx");
    for (; n < 300; n += 3) memcpy(member + n, "\xe6\xa8\xa1", 3);
    memcpy(member + n, "\":1}", 5);
    bool wants;
    struct err_info info;
    assert_int_equal(read_options(member, NULL, NULL, &wants, &info), ERR_UNSUPPORTED);
    assert_true(str_is_utf8(str_from_c(info.param)) && str_is_utf8(str_from_c(info.text)));
    assert_true(strlen(info.param) > 60 && strlen(info.param) < 80);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(who_asks_for_the_receipt), cmocka_unit_test(nothing_is_ignored),
                                     cmocka_unit_test(a_long_name_is_cut_between_characters)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
