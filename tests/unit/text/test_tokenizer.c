#include "text/tokenizer.h"

#include "unit.h"

/* From the vendor's "How to count tokens with tiktoken" (OpenAI cookbook, read 2026-11-28). tests/tokenizer counts
 * thousands of texts beside the reference. */
static void counts_published_examples(void **state) {
  static const struct {
    struct str text;
    int64_t o200k, cl100k;
  } rows[] = {
      {STR("antidisestablishmentarianism"), 6, 6},
      {STR("2 + 2 = 4"), 7, 7},
      {STR("お誕生日おめでとう"), 8, 9},
      {STR_NONE, 0, 0},
  };
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    assert_int_equal(tokenizer_count(TOKENIZER_O200K, rows[i].text), rows[i].o200k);
    assert_int_equal(tokenizer_count(TOKENIZER_CL100K, rows[i].text), rows[i].cl100k);
  }
  assert_true(tokenizer_load(TOKENIZER_O200K) && tokenizer_is_ready(TOKENIZER_O200K));
}

/* What is no UTF-8 counts, and at least one byte a token. */
static void takes_any_bytes(void **state) {
  static const struct str rows[] = {
      STR("\xff"), STR("\xc3"),  STR("a\x80z"),   STR("\xed\xa0\x80"), STR("\xf4\x90\x80\x80"),
      STR("\0\0"), STR("'\xc5"), STR(" \xe2\x80")};
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    for (int e = 0; e < TOKENIZER_ENCODINGS; e++) {
      int64_t n = tokenizer_count((enum tokenizer_encoding)e, rows[i]);
      assert_true(n >= 1 && (size_t)n <= rows[i].n);
    }
}

/* 8 letters a token whatever the length: a piece beyond a window loses nothing at its joints. */
static void long_pieces_have_no_seams(void **state) {
  enum { MAX = 8 * 1000 };
  static char text[MAX];
  (void)state;
  memset(text, 'a', MAX);
  for (size_t n = 8; n <= MAX; n += 8)
    assert_int_equal(tokenizer_count(TOKENIZER_CL100K, str_from(text, n)), (int64_t)(n / 8));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(counts_published_examples),
      cmocka_unit_test(takes_any_bytes),
      cmocka_unit_test(long_pieces_have_no_seams),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
