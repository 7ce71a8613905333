/* The examples of the vendors' own guides (see media_tokens.c for where and when they were read). */
#include "text/media_tokens.h"

#include "unit.h"

TEST(pictures_cost_what_the_guides_say) {
  static const struct {
    const char *model;
    uint32_t width, height;
    struct str detail;
    int64_t tokens;
  } rows[] = {
      /* OpenAI: tiles */
      {"gpt-4o", 1024, 1024, STR("high"), 765},
      {"gpt-4o", 2048, 4096, STR("high"), 1105},
      {"gpt-4o", 4096, 8192, STR("low"), 85},
      {"openai/gpt-4o-2024-11-20", 1024, 1024, STR_NONE, 765},
      {"gpt-4o-mini", 4096, 8192, STR("low"), 2833},
      /* OpenAI: patches; 1024 and 1452 of them */
      {"gpt-4.1-mini", 1024, 1024, STR("high"), 1659},
      {"gpt-4.1-mini", 1800, 2400, STR("high"), 2353},
      {"o4-mini", 1024, 1024, STR("high"), 1762},
      /* Anthropic: ceil(w/28) * ceil(h/28), at most 1568 */
      {"claude-sonnet-4-5", 200, 200, STR_NONE, 64},
      {"claude-sonnet-4-5", 1000, 1000, STR_NONE, 1296},
      {"claude-sonnet-4-5", 1092, 1092, STR_NONE, 1521},
      {"claude-opus-4-7", 1920, 1080, STR_NONE, 2691},
      /* Google */
      {"gemini-2.5-flash", 384, 384, STR_NONE, 258},
      {"gemini-2.5-flash", 960, 540, STR_NONE, 6 * 258},
      {"gemini-3-pro-preview", 1000, 1000, STR_NONE, 1120},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    int64_t n = media_tokens_image(str_from_c(rows[i].model), (struct image_size){rows[i].width, rows[i].height},
                                   rows[i].detail);
    if (n != rows[i].tokens) print_error("row %zu\n", i);
    assert_int_equal(n, rows[i].tokens);
  }
}

TEST(no_claim_costs_more_than_the_most) {
  for (uint32_t w = 1; w && w < UINT32_MAX / 3; w *= 3)
    for (uint32_t h = 1; h && h < UINT32_MAX / 3; h *= 3) {
      const struct image_size size = {w, h};
      assert_in_range(media_tokens_image(STR("gpt-4o"), size, STR("high")), 85, 85 + 170 * 8);
      assert_in_range(media_tokens_image(STR("gpt-4.1-mini"), size, STR("high")), 1, 2489);
      assert_in_range(media_tokens_image(STR("claude-sonnet-4-5"), size, STR("high")), 1, 1568);
      assert_in_range(media_tokens_image(STR("claude-opus-5"), size, STR("high")), 1, 4784);
    }
}

TEST(what_has_no_size_costs_a_megapixel) {
  assert_int_equal(media_tokens(STR("gpt-4o"), MEDIA_IMAGE, STR_NONE, STR("high")), 765);
  assert_int_equal(media_tokens(STR("gpt-4o"), MEDIA_IMAGE, STR_NONE, STR("low")), 85);
  /* "%PDF-1.4/Type/Page /Type/Page " */
  assert_int_equal(
      media_tokens(STR("gemini-2.5-pro"), MEDIA_DOCUMENT, STR("JVBERi0xLjQvVHlwZS9QYWdlIC9UeXBlL1BhZ2Ug"), STR_NONE),
      2 * 258);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pictures_cost_what_the_guides_say),
      cmocka_unit_test(no_claim_costs_more_than_the_most),
      cmocka_unit_test(what_has_no_size_costs_a_megapixel),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
