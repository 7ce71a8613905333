/* Failures as values: the table is whole, the texts fit. */
#include "base/err.h"

#include <stdio.h>

#include "unit.h"

TEST(every_row_is_filled) {
  for (unsigned i = 0; i < ERR_COUNT; i++) {
    enum err e = (enum err)i;
    assert_true(strlen(err_code(e)) > 0 && strlen(err_code(e)) < ERR_CODE_MAX);
    assert_true(strlen(err_text(e)) > 0 && strlen(err_text(e)) < ERR_TEXT_MAX);
    assert_true(err_http_status(e) == 200 ? e == OK : err_http_status(e) >= 400 && err_http_status(e) < 600);
    for (unsigned k = 0; k < i; k++) assert_string_not_equal(err_code(e), err_code((enum err)k));
  }
  assert_int_equal(err_retry(OK), ERR_RETRY_NEVER);
  assert_int_equal(err_http_status(ERR_RATE_LIMITED), 429);
  assert_int_equal(err_blame(ERR_BAD_JSON), ERR_BLAME_CLIENT);
  assert_string_equal(err_code((enum err)9999), err_code(ERR_INTERNAL)); /* a stray number is our fault */
}

TEST(info_overrides_the_table) {
  struct err_info info = {.code = ""};
  assert_int_equal(err_info_status(ERR_BAD_JSON, &info), 400);
  assert_int_equal(err_info_status(ERR_BAD_JSON, NULL), 400);
  assert_string_equal(err_info_text(ERR_BAD_JSON, &info), err_text(ERR_BAD_JSON));
  assert_string_equal(err_info_code(ERR_BAD_JSON, NULL), "invalid_json");
  assert_int_equal(err_set_param(&info, ERR_BAD_JSON, "a.b", "at %d", 7), ERR_BAD_JSON);
  info.http_status = 422;
  snprintf(info.code, sizeof info.code, "theirs");
  assert_string_equal(err_info_text(ERR_BAD_JSON, &info), "at 7");
  assert_string_equal(err_info_code(ERR_BAD_JSON, &info), "theirs");
  assert_int_equal(err_info_status(ERR_BAD_JSON, &info), 422);
  assert_string_equal(info.param, "a.b");
}

TEST(texts_are_cut_to_fit) {
  static char lengthy[2000];
  struct err_info info = {.code = ""};
  memset(lengthy, 'x', sizeof lengthy - 1);
  assert_int_equal(err_set_param(&info, ERR_IO, lengthy, "%s", lengthy), ERR_IO);
  assert_int_equal(strlen(info.text), ERR_TEXT_MAX - 1);
  assert_int_equal(strlen(info.param), ERR_PARAM_MAX - 1);
  assert_int_equal(err_set_param(&info, ERR_IO, NULL, "x"), ERR_IO);
  assert_string_equal(info.param, "");
  assert_int_equal(err_set(NULL, ERR_IO, "%s", lengthy), ERR_IO);
  assert_int_equal(err_set_param(NULL, ERR_IO, "p", "x"), ERR_IO);
}

TEST(texts_are_cut_between_characters) {
  static char lengthy[2000];
  struct err_info info = {.code = ""};
  for (size_t shift = 0; shift < 4; shift++) {
    size_t n = shift;
    memset(lengthy, 'x', n);
    for (; n + 4 < sizeof lengthy; n += 4) memcpy(lengthy + n, "\xf0\x9f\x98\x80", 4);
    lengthy[n] = 0;
    assert_int_equal(err_set_param(&info, ERR_IO, lengthy, "%s", lengthy), ERR_IO);
    assert_true(str_is_utf8(str_from_c(info.text)) && strlen(info.text) > ERR_TEXT_MAX - 5);
    assert_true(str_is_utf8(str_from_c(info.param)) && strlen(info.param) > ERR_PARAM_MAX - 5);
    assert_int_equal(err_set(&info, ERR_IO, "%.*s", (int)shift + 6, lengthy), ERR_IO);
    assert_true(str_is_utf8(str_from_c(info.text)));
  }
}

TEST(paths_are_made_of_members_and_indexes) {
  char path[ERR_PARAM_MAX], longest[ERR_PARAM_MAX];
  err_path_member(path, "messages[0]", "role");
  assert_string_equal(path, "messages[0].role");
  err_path_member(path, "", "role");
  assert_string_equal(path, "role");
  err_path_member(path, NULL, NULL);
  assert_string_equal(path, "");
  err_path_member(path, "messages[0]", NULL);
  assert_string_equal(path, "messages[0]");
  err_path_index(path, NULL, "tools", 0);
  assert_string_equal(path, "tools[0]");
  err_path_index(path, "messages[3]", "content", 1024);
  assert_string_equal(path, "messages[3].content[1024]");
  err_path_index(path, "input", NULL, SIZE_MAX);
  assert_string_equal(path, "input[18446744073709551615]");
  memset(longest, 'a', sizeof longest - 1);
  longest[sizeof longest - 1] = 0;
  err_path_index(path, longest, "b", 7);
  assert_string_equal(path, longest);
  longest[sizeof longest - 3] = 0;
  err_path_member(path, longest, "bc");
  assert_int_equal(strlen(path), sizeof path - 1);
  assert_string_equal(path + sizeof path - 3, ".b");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_row_is_filled),
      cmocka_unit_test(info_overrides_the_table),
      cmocka_unit_test(texts_are_cut_to_fit),
      cmocka_unit_test(texts_are_cut_between_characters),
      cmocka_unit_test(paths_are_made_of_members_and_indexes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
