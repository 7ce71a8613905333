#include "text/token_family.h"

#include "unit.h"

TEST(names_tell_families) {
  static const struct {
    const char *model;
    enum token_family family;
  } rows[] = {
      {"gpt-4o", TOKEN_FAMILY_O200K},
      {"chatgpt-4o-latest", TOKEN_FAMILY_O200K},
      {"openai/gpt-4.1-mini", TOKEN_FAMILY_O200K},
      {"GPT-5.1-codex", TOKEN_FAMILY_O200K},
      {"o1", TOKEN_FAMILY_O200K},
      {"o3-mini", TOKEN_FAMILY_O200K},
      {"openai/gpt-oss-120b", TOKEN_FAMILY_O200K},
      {"gpt-4", TOKEN_FAMILY_CL100K},
      {"gpt-4-turbo-2024-04-09", TOKEN_FAMILY_CL100K},
      {"gpt-3.5-turbo", TOKEN_FAMILY_CL100K},
      {"text-embedding-3-small", TOKEN_FAMILY_CL100K},
      {"claude-3-5-sonnet-20241022", TOKEN_FAMILY_CLAUDE},
      {"claude-sonnet-4-5", TOKEN_FAMILY_CLAUDE},
      {"us.anthropic.claude-opus-4-1-20250805-v1:0", TOKEN_FAMILY_CLAUDE},
      {"claude-opus-4-7", TOKEN_FAMILY_CLAUDE_NEW},
      {"anthropic/claude-opus-4.8", TOKEN_FAMILY_CLAUDE_NEW},
      {"claude-opus-5-5", TOKEN_FAMILY_CLAUDE_NEW},
      {"models/gemini-2.5-pro", TOKEN_FAMILY_GEMINI},
      {"meta-llama/Llama-3.3-70B-Instruct", TOKEN_FAMILY_LLAMA},
      {"deepseek-r1-distill-llama-70b", TOKEN_FAMILY_DEEPSEEK},
      {"qwen3-coder:30b", TOKEN_FAMILY_QWEN},
      {"mistral-large-latest", TOKEN_FAMILY_MISTRAL},
      {"o9s", TOKEN_FAMILY_UNKNOWN},
      {"", TOKEN_FAMILY_UNKNOWN},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    if (token_family_of(str_from_c(rows[i].model)) != rows[i].family) print_error("%s\n", rows[i].model);
    assert_int_equal(token_family_of(str_from_c(rows[i].model)), rows[i].family);
  }
  char much[4096];
  memset(much, 'o', sizeof much);
  assert_int_equal(token_family_of(str_from(much, sizeof much)), TOKEN_FAMILY_UNKNOWN);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(names_tell_families)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
