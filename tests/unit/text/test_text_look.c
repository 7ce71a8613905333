/* The look at a piece of text: what is seen in it, and that no marker's beginning is ever overlooked. */
#include "text/text_look.h"

#include "unit.h"

static struct text_look look(const char *s) { return text_look(str_from_c(s)); }

TEST(classes_are_seen) {
  assert_int_equal(look("").seen, 0);
  assert_int_equal(look("no").seen, TEXT_LOOK_WORD);
  assert_int_equal(look(" \t\r").seen, TEXT_LOOK_BLANK);
  assert_int_equal(look("``").seen, TEXT_LOOK_TICK);
  assert_int_equal(look("~\n").seen, TEXT_LOOK_TILDE | TEXT_LOOK_LINE);
  assert_int_equal(look("\xff\x80\xc3").seen, TEXT_LOOK_WORD);
}

TEST(the_last_line_is_told_apart) {
  assert_int_equal(look("so\n  ").after, TEXT_LOOK_BLANK);
  assert_int_equal(look("so\n").after, 0);
  assert_int_equal(look("\n `").after, TEXT_LOOK_BLANK | TEXT_LOOK_TICK);
  assert_int_equal(look("o `").after, TEXT_LOOK_WORD | TEXT_LOOK_BLANK | TEXT_LOOK_TICK);
  assert_true(look("so\n").is_white_last);
  assert_true(look("so ").is_white_last);
  assert_false(look("\nso").is_white_last);
}

TEST(what_begins_a_marker_is_open) {
  static const char *const open[] = {"<",
                                     "[",
                                     "a <",
                                     "<<",
                                     "[[",
                                     "<tool_call>",
                                     "<function=",
                                     "<invoke ",
                                     "<minimax:tool_call>",
                                     "<CallMcpTool>",
                                     "<|tool_calls_section_begin|>",
                                     "<\xef\xbd\x9ctool",
                                     "<invoke ",
                                     "<|DSML|invoke",
                                     "[TOOL_CALLS]",
                                     "<task-notification>",
                                     "<teammate-message",
                                     "<channel ",
                                     "<cross-session-message>",
                                     "<tick>",
                                     "</tick>",
                                     "</TOOL>",
                                     "1 < 2 <t"};
  static const char *const none[] = {"1 < 2", "<b>", "<stdio.h>", "v[0]", "[i]", "a[i] < b", "<`", "<="};
  for (size_t i = 0; i < sizeof open / sizeof *open; i++) assert_true(look(open[i]).seen & TEXT_LOOK_OPEN);
  for (size_t i = 0; i < sizeof none / sizeof *none; i++) assert_false(look(none[i]).seen & TEXT_LOOK_OPEN);
  for (size_t i = 0; i < sizeof none / sizeof *none; i++) assert_true(look(none[i]).seen & TEXT_LOOK_WORD);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(classes_are_seen), cmocka_unit_test(the_last_line_is_told_apart),
                                     cmocka_unit_test(what_begins_a_marker_is_open)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
