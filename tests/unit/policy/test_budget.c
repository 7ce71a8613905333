/* Bounds of a call's cost: tokens of the input, the output that is wanted and that a budget pays for. A bound is held
 * against what cost_of bills. */
#include "policy/budget.h"

#include <stdio.h>
#include <stdlib.h>

#include "llm/cost.h"
#include "unit.h"

enum { PICTURE = 8192 };

static char *many(const char *head, char c, size_t n, const char *tail) {
  size_t h = strlen(head), t = strlen(tail);
  char *p = malloc(h + n + t + 1);
  assert_non_null(p);
  memcpy(p, head, h);
  memset(p + h, c, n);
  memcpy(p + h + n, tail, t + 1);
  return p;
}

static void expect_less(const char *head, const char *tail, int64_t less) {
  char *body = many(head, 'A', 100000, tail);
  struct str s = str_from_c(body);
  int64_t plain = (int64_t)s.n + BUDGET_TEMPLATE_TOKENS, got = budget_input_bound(s, PICTURE);
  if (plain - got != less) fail_msg("%s: %lld instead of %lld", head, (long long)(plain - got), (long long)less);
  free(body);
}

TEST(text_counts_by_its_bytes) {
  assert_int_equal(budget_input_bound(STR(""), PICTURE), BUDGET_TEMPLATE_TOKENS);
  struct str body = STR("{\"messages\":[{\"content\":\"caf\xc3\xa9\"}]}");
  assert_int_equal(budget_input_bound(body, PICTURE), (int64_t)body.n + BUDGET_TEMPLATE_TOKENS);
  static const char *const broken[] = {"\"", "{\"a", "\"\\", "\"\\\"", "{\"data\":\"", "\\\"\\\\\"", "\"url\":"};
  for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
    assert_int_equal(budget_input_bound(str_from_c(broken[i]), PICTURE),
                     (int64_t)strlen(broken[i]) + BUDGET_TEMPLATE_TOKENS);
}

TEST(pictures_count_as_pictures) {
  const int64_t png = 100000 + 11 - PICTURE;
  expect_less("{\"image_url\":{\"url\":\"data:image/png;base64,iVBORw0KGgo", "\"}}", png); /* OpenAI chat */
  expect_less("{\"image_url\" : \"data:image/png;base64,iVBORw0KGgo", "\"}", png);         /* Responses */
  expect_less("{\"source\":{\"type\":\"base64\",\"data\":\"iVBORw0KGgo", "\"}}", png);     /* Anthropic */
  expect_less("{\"inlineData\":{\"data\":\n\"iVBORw0KGgo", "\"}}", png);                   /* Gemini */
  expect_less("{\"images\":[\"iVBORw0KGgo", "\"]}", png);                                  /* Ollama */
  expect_less("{\"images\":[\"/9j/", "\"]}", 100000 + 4 - PICTURE);
  expect_less("{\"images\":[\"\\/9j\\/", "\"]}", 100000 + 6 - PICTURE);
}

TEST(what_only_looks_like_a_picture_counts_as_text) {
  expect_less("{\"content\":\"data:image/png;base64,iVBORw0KGgo", "\"}", 0);
  expect_less("{\"text\":\"iVBORw0KGgo", "\"}", 0);
  expect_less("{\"data\":\"iVBORw0KGgo", " and text\"}", 0);
  expect_less("{\"data\":\"JVBERi0", "\"}", 0); /* a PDF: its pages have texts */
  expect_less("{\"url\":\"data:text/plain,iVBORw0KGgo", "\"}", 0);
  expect_less("{\"data\":\"x\",\"content\":\"iVBORw0KGgo", "\"}", 0);
  expect_less("{\"data\":\"iVBORw0KGgo", "\\\"iVBORw0KGgo\"}", 0);
}

TEST(pictures_elsewhere_are_counted_too) {
  struct str body = STR("{\"image_url\":{\"url\":\"https://a.example/x.png\"}}");
  assert_int_equal(budget_input_bound(body, PICTURE), (int64_t)body.n + BUDGET_TEMPLATE_TOKENS + PICTURE);
  body = STR("{\"fileData\":{\"fileUri\":\"gs://b/x\"},\"file_id\":\"file-1\"}");
  assert_int_equal(budget_input_bound(body, PICTURE), (int64_t)body.n + BUDGET_TEMPLATE_TOKENS + 2 * PICTURE);
}

static struct price price_of(int64_t in, int64_t out, int64_t read, int64_t write, int64_t reasoning) {
  const int64_t all[USAGE_CLASSES] = {in, out, read, write, reasoning};
  struct price p = {0};
  for (int i = 0; i < USAGE_CLASSES; i++) {
    if (all[i] < 0) continue;
    p.nano_usd_per_mtok[i] = all[i];
    p.known = (uint8_t)(p.known | 1u << i);
  }
  return p;
}

TEST(a_picture_is_as_dear_as_its_vendor_says) {
  assert_true(budget_picture_tokens(STR("claude-sonnet-4-5")) >= 1568);      /* about 1.15 megapixels / 750 */
  assert_true(budget_picture_tokens(STR("gpt-4o-mini")) >= 2833 + 8 * 5667); /* 2048 x 768: eight tiles */
  assert_true(budget_picture_tokens(STR("no model that anybody knows")) >= 85);
}

TEST(the_output_that_is_wanted) {
  static const struct {
    int64_t caller, model, context, wanted;
    bool has_output;
  } rows[] = {{10, 100, 1000, 10, true},
              {200, 100, 1000, 200, true},
              {0, 100, 1000, 0, true},
              {-1, 100, 1000, 100, true},
              {-1, -1, 1000, 1000, true},
              {-1, -1, -1, BUDGET_UNKNOWN_OUTPUT_TOKENS, true},
              {-1, -1, 200000, BUDGET_UNKNOWN_OUTPUT_TOKENS, true},
              {-1, 100, 1000, 0, false}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const struct budget_terms t = {.max_tokens = rows[i].caller,
                                   .model_output_tokens = rows[i].model,
                                   .context_tokens = rows[i].context,
                                   .has_output = rows[i].has_output};
    assert_int_equal(budget_output_wanted(&t), rows[i].wanted);
  }
}

TEST(the_dearest_classes_and_every_answer) {
  const struct price p = price_of(1000000, 3000000, 500000, 2000000, 4000000);
  struct budget_terms t = {.price = &p, .input_tokens = 100, .max_tokens = -1, .has_output = true};
  int64_t amount;
  assert_true(budget_amount(&t, 10, &amount));
  assert_int_equal(amount, 100 * 2 + 10 * 4 + USAGE_CLASSES);
  t.choices = 3;
  assert_true(budget_amount(&t, 10, &amount));
  assert_int_equal(amount, 100 * 2 + 30 * 4 + USAGE_CLASSES);
  assert_int_equal(budget_affordable(&t, 10, amount), 10);
  assert_int_equal(budget_affordable(&t, 1000, amount), 10);
  assert_int_equal(budget_affordable(&t, 1000, amount - 1), 9);
  assert_int_equal(budget_affordable(&t, 1000, 100 * 2 + USAGE_CLASSES), 0);
  assert_int_equal(budget_affordable(&t, 1000, 100 * 2 + USAGE_CLASSES - 1), -1);
  assert_int_equal(budget_affordable(&t, 1000, -5), -1);
}

TEST(reasoning_that_no_limit_holds) {
  const struct price p = price_of(1000000, 3000000, -1, -1, 4000000);
  struct budget_terms t = {.price = &p,
                           .input_tokens = 100,
                           .model_output_tokens = 500,
                           .context_tokens = 9000,
                           .has_output = true,
                           .has_reasoning_apart = true};
  int64_t amount;
  assert_true(budget_amount(&t, 10, &amount));
  assert_int_equal(amount, 100 + 10 * 4 + 500 * 4 + USAGE_CLASSES);
  assert_int_equal(budget_affordable(&t, 1000, amount), 10);
  assert_int_equal(budget_affordable(&t, 1000, 100 + 500 * 4 + USAGE_CLASSES - 1), -1);
  t.choices = 2;
  assert_true(budget_amount(&t, 10, &amount));
  assert_int_equal(amount, 100 + 2 * (10 + 500) * 4 + USAGE_CLASSES);
  t.choices = 0, t.model_output_tokens = -1;
  assert_true(budget_amount(&t, 10, &amount));
  assert_int_equal(amount, 100 + (10 + 9000) * 4 + USAGE_CLASSES);
  t.context_tokens = -1;
  assert_true(budget_amount(&t, 10, &amount));
  assert_int_equal(amount, 100 + (10 + BUDGET_UNKNOWN_REASONING_TOKENS) * 4 + USAGE_CLASSES);
  t.has_output = false; /* vectors */
  assert_true(budget_amount(&t, 0, &amount));
  assert_int_equal(amount, 100 + USAGE_CLASSES);
}

TEST(nothing_overflows) {
  const struct price dear = price_of(1000000000000000, 1000000000000000, -1, -1, -1),
                     nothing = price_of(0, 0, -1, -1, -1);
  struct budget_terms t = {.price = &dear, .input_tokens = INT64_C(1) << 33, .choices = INT64_MAX, .has_output = true};
  int64_t amount = 77;
  assert_false(budget_amount(&t, INT64_MAX, &amount));
  assert_int_equal(amount, 77);
  assert_int_equal(budget_affordable(&t, INT64_MAX, INT64_MAX), 0);
  t.price = &nothing;
  assert_true(budget_amount(&t, INT64_MAX, &amount));
  assert_int_equal(amount, 0);
  assert_int_equal(budget_affordable(&t, 500, 0), -1 /* the roundings alone */);
}

/* Whatever a provider reports within the bound, its bill stays within the amount. */
TEST(no_bill_within_the_bound_is_beyond_the_amount) {
  uint64_t x = 88172645463325252u;
  for (int i = 0; i < 200000; i++) {
    int64_t n[12];
    for (int k = 0; k < 12; k++) {
      x ^= x << 13, x ^= x >> 7, x ^= x << 17;
      n[k] = (int64_t)(x >> 20);
    }
    const struct price p = price_of(n[0] % 100000000, n[1] % 100000000, n[2] % 3 ? n[2] % 100000000 : -1,
                                    n[3] % 3 ? n[3] % 100000000 : -1, n[4] % 3 ? n[4] % 100000000 : -1);
    const struct budget_terms t = {.price = &p,
                                   .input_tokens = n[5] % 10000,
                                   .choices = n[6] % 4,
                                   .model_output_tokens = n[6] % 20000,
                                   .has_output = true,
                                   .has_reasoning_apart = i % 2};
    int64_t most_output = n[7] % 10000, apart = t.has_reasoning_apart ? t.model_output_tokens : 0, amount;
    assert_true(budget_amount(&t, most_output, &amount));
    int64_t in = t.input_tokens ? n[8] % (t.input_tokens + 1) : 0, choices = t.choices > 1 ? t.choices : 1;
    int64_t out = n[9] % ((most_output + apart) * choices + 1);
    struct usage u = {0};
    usage_set(&u, USAGE_INPUT, in);
    usage_set(&u, USAGE_OUTPUT, out);
    usage_set(&u, USAGE_CACHE_READ, in ? n[10] % (in + 1) : 0);
    usage_set(&u, USAGE_CACHE_WRITE, in - usage_get(&u, USAGE_CACHE_READ));
    usage_set(&u, USAGE_REASONING, out ? n[11] % (out + 1) : 0);
    struct cost c = cost_of(&u, &p);
    assert_true(c.is_known);
    if (c.total_nano_usd > amount)
      fail_msg("round %d: billed %lld of %lld", i, (long long)c.total_nano_usd, (long long)amount);
    /* What is said to be affordable is, and one token more is not. */
    int64_t left = n[11] % (amount + 1), affordable = budget_affordable(&t, most_output, left), cost;
    if (affordable >= 0) {
      assert_true(budget_amount(&t, affordable, &cost));
      assert_true(cost <= left);
    }
    if (affordable < most_output) {
      assert_true(budget_amount(&t, affordable + 1, &cost));
      assert_true(cost > left);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(text_counts_by_its_bytes),
      cmocka_unit_test(pictures_count_as_pictures),
      cmocka_unit_test(what_only_looks_like_a_picture_counts_as_text),
      cmocka_unit_test(pictures_elsewhere_are_counted_too),
      cmocka_unit_test(a_picture_is_as_dear_as_its_vendor_says),
      cmocka_unit_test(the_output_that_is_wanted),
      cmocka_unit_test(the_dearest_classes_and_every_answer),
      cmocka_unit_test(reasoning_that_no_limit_holds),
      cmocka_unit_test(nothing_overflows),
      cmocka_unit_test(no_bill_within_the_bound_is_beyond_the_amount),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
