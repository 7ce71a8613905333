/* Code in Markdown: each byte's state once the text is known, said by a letter below it: c of code, . of none. */
#include "text/text_code.h"

#include "unit.h"

/* Feeds the text and marks what is code, doubt settled as it ends. Backticks and line ends themselves are marked as the
 * machine sees them when they come. */
static void check(const char *text, const char *want) {
  struct text_code code = {0};
  char got[256] = {0};
  size_t from = 0, n = strlen(text);
  assert_int_equal(strlen(want), n);
  for (size_t i = 0; i <= n; i++) {
    enum text_code_event event = i < n ? text_code_step(&code, text[i]) : text_code_end(&code);
    if (event == TEXT_CODE_OPENED) from = i;
    for (size_t k = from; (event == TEXT_CODE_CLOSED || event == TEXT_CODE_VOID) && k < i; k++)
      if (got[k] == '?') got[k] = event == TEXT_CODE_CLOSED ? 'c' : '.';
    if (i < n) got[i] = code.state == TEXT_CODE_NONE ? '.' : code.state == TEXT_CODE_DOUBT ? '?' : 'c';
    if (i < n && text[i] == '`') got[i] = '`';
  }
  assert_string_equal(got, want);
}

TEST(inline_spans_close_on_their_line) {
  check("a `b` c", "..`c`..");
  check("a ``b`c`` d", "..``c`c``..");
  check("it`s a\nb", "..`.....");
  check("a `b ``c`", "..`cc``c`");
  check("`a", "`.");
  check("`", "`");
  check("", "");
  check("```a``` b", "```c```..");
}

TEST(fences_end_with_a_line_of_their_own) {
  check("```\na\n```\nb", "```ccc```..");
  check("```c\na\n", "```cccc");
  check("So: ```c\na", "....```ccc");
  check("````\n```\n````\nb", "````c```c````..");
  check("```\n```c\na\n  ```  \nb", "```c```cccccc```cc..");
  check("```\na ```\nb", "```ccc```cc");
  check("```\r\na", "```ccc");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(inline_spans_close_on_their_line),
      cmocka_unit_test(fences_end_with_a_line_of_their_own),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
