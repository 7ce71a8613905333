/* The registry: the embedded default, exact prices, dates, and the report of every kind of fault. */
#include "state/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "unit.h"

static struct registry *load_default(void) {
  struct registry *r = NULL;
  struct config_diags diags;
  config_diags_init(&diags);
  assert_int_equal(registry_load_default(&r, &diags), OK);
  assert_int_equal(diags.n, 0);
  config_diags_clear(&diags);
  return r;
}

TEST(default_is_valid_and_exact) {
  static const struct {
    const char *id;
    int64_t in, out;
    uint32_t context;
  } rows[] = {
      {"demo-small", 0, 0, 131072},
      {"z-ai/glm-4.7-flash", 60000000, 400000000, 202752},
      {"qwen/qwen3.5-flash-02-23", 70000000, 260000000, 1000000},
      {"moonshotai/kimi-k2.7-code", 610000000, 3070000000, 262144},
      {"deepseek/deepseek-v4-pro", 430000000, 870000000, 163840},
      {"anthropic/claude-opus-4.8", 5000000000, 25000000000, 1000000},
      {"openai/gpt-5.5", 5000000000, 30000000000, 1050000},
      {"google/gemini-3.1-pro-preview", 2000000000, 12000000000, 1048576},
  };
  struct registry *r = load_default();
  assert_int_equal(r->model_count, 10);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const struct registry_model *m = registry_find_of(r, i ? STR("openrouter") : STR("demo"), str_from_c(rows[i].id));
    assert_non_null(m);
    assert_true(m->price.has_in && m->price.has_out && !m->price.has_cache_read && !m->price.has_reasoning);
    assert_int_equal(m->price.in, rows[i].in);
    assert_int_equal(m->price.out, rows[i].out);
    assert_int_equal(m->context_window, rows[i].context);
  }
  registry_unref(r);
}

TEST(members_and_look_up) {
  struct registry *r = load_default();
  const struct registry_model *m = registry_find_of(r, STR("OpenRouter"), STR("openai/gpt-5.5"));
  assert_non_null(m);
  assert_str(m->slot, STR("frontier-generalist"));
  assert_null(registry_find_of(r, STR("openai"), STR("openai/gpt-5.5")));
  assert_null(registry_find_of(r, STR("openrouter"), STR("nope")));
  assert_int_equal(m->tier, REGISTRY_FRONTIER);
  assert_int_equal(m->strength, 96);
  assert_int_equal(m->efforts.n, 4);
  assert_str(m->efforts.items[3], STR("xhigh"));
  assert_true(m->caps & REGISTRY_CAP_VISION);
  assert_false(m->caps & REGISTRY_CAP_FRESH);
  assert_int_equal(m->tag_count, 3);
  assert_int_equal(m->tags[1].kind, REGISTRY_TAG_STRONG);
  assert_str(m->tags[1].subject, STR("math"));
  assert_int_equal(m->tags[1].weight_milli, 1000);
  assert_string_equal(registry_tier_name(REGISTRY_MID), "mid");
  assert_string_equal(registry_cap_name(REGISTRY_CAP_LONG_CONTEXT), "long-context");
  assert_null(registry_cap_name(3));
  assert_string_equal(registry_cap_name(REGISTRY_CAP_FRESH), "fresh");
  registry_unref(r);
  registry_unref(NULL);
}

TEST(age) {
  struct registry *r = load_default();
  int64_t day = 86400ll * 1000000;
  assert_int_equal(r->updated_day, 20626); /* 2026-06-22 */
  assert_int_equal(registry_age_days(r, 20626 * day + 5), 0);
  assert_int_equal(registry_age_days(r, 20777 * day), 151);
  assert_int_equal(registry_age_days(r, 0), 0);
  registry_unref(r);
}

static void expect(const char *text, const char *report) {
  struct registry *r = NULL;
  struct config_diags diags;
  struct buf out;
  config_diags_init(&diags);
  buf_init(&out, 0);
  enum err e = registry_parse(STR("r.json"), str_from_c(text), &r, &diags);
  config_diags_write(&diags, &out);
  if (!str_eq(buf_str(&out), str_from_c(report))) print_error("got:\n%.*s", STR_ARG(buf_str(&out)));
  assert_str(buf_str(&out), str_from_c(report));
  assert_int_equal(e, strstr(report, "error: ") ? ERR_BAD_CONFIG : OK);
  assert_int_equal(e == OK, r != NULL);
  registry_unref(r);
  buf_clear(&out);
  config_diags_clear(&diags);
}

#define HEAD                                                                                              \
  "{\"updated\": \"2024-02-29\", \"models\": [\n{\"id\": \"m\", \"provider\": \"p\", \"tier\": \"mid\", " \
  "\"strength\": 1"

TEST(faults) {
  expect(HEAD "}]}", "");
  expect(HEAD ",\n\"price\": {\"in\": 0.0000000001, \"out\": -3, \"updated\": \"2024-13-01\", \"cached\": 1}}]}",
         "r.json:3: error: models[0].price.in: finer than a billionth of a USD\n"
         "r.json:3: error: models[0].price.out: must not be negative\n"
         "r.json:3: error: models[0].price.cached: unknown key (did you mean \"cacheRead\"?)\n"
         "r.json:3: error: models[0].price.updated: must be a date such as \"2026-06-22\"\n");
  expect(HEAD ",\n\"caps\": [\"code\", \"poetry\"],\n\"tags\": {\"strong\": 1, \"weak:x\": 1, \"strong:y\": 0.0001}}]}",
         "r.json:3: error: models[0].caps[1]: \"poetry\" is not known (one of code, math, reasoning, translation, "
         "factual, "
         "long-context, vision, fresh)\n"
         "r.json:4: error: models[0].tags.strong: must be a kind and a subject (strong:code, positive:general, "
         "negative:math)\n"
         "r.json:4: error: models[0].tags.weak:x: must be a kind and a subject (strong:code, positive:general, "
         "negative:math)\n"
         "r.json:4: error: models[0].tags.strong:y: must be a number from 0 to 1000 with at most three decimals\n");
  expect(HEAD
         ", \"slot\": \"s\"},\n{\"id\": \"m\", \"provider\": \"p\", \"tier\": \"huge\", \"strength\": 101, \"slot\": "
         "\"s\"}]}",
         "r.json:3: error: models[1].tier: \"huge\" is not known (one of cheap, mid, frontier)\n"
         "r.json:3: error: models[1].strength: 101 is not a whole number from 0 to 100\n"
         "r.json:3: error: models[1]: p/m stands there twice; first in line 2\n"
         "r.json:3: warning: models[1]: slot \"s\" is also that of line 2, which is the one found\n");
  expect("{\"models\": [\n{\"slot\": \"s\"}, 5]}",
         "r.json:2: error: models[0]: \"id\" is missing\n"
         "r.json:2: error: models[0]: \"provider\" is missing\n"
         "r.json:2: error: models[0]: \"tier\" is missing\n"
         "r.json:2: error: models[0]: \"strength\" is missing\n"
         "r.json:2: error: models[1]: must be an object, not a number\n"
         "r.json:1: error: \"updated\" is missing\n");
  expect("{\"updated\": \"2023-02-29\", \"models\": []}",
         "r.json:1: error: updated: must be a date such as \"2026-06-22\"\n"
         "r.json:1: error: models: must be an array of 1 to 4096 models\n");
  expect(HEAD "},]", "r.json:2: error: not valid JSON: unexpected end of data\n");
}

TEST(optional_members_and_unknown_prices) {
  struct registry *r = NULL;
  struct str text =
      STR(HEAD
          ", \"price\": {\"in\": null, \"out\": 0, \"cacheRead\": 0.5, \"cacheWrite\": 1e1, \"reasoning\": 2},"
          "\"maxOutput\": 5, \"regions\": [\"eu\"], \"privacyOk\": true, \"tags\": {\"negative:a:b\": 0.25}}]}");
  assert_int_equal(registry_parse(STR("r"), text, &r, NULL), OK);
  const struct registry_model *m = &r->models[0];
  assert_false(m->price.has_in);
  assert_true(m->price.has_out && m->price.out == 0);
  assert_int_equal(m->price.cache_read, 500000000);
  assert_int_equal(m->price.cache_write, 10000000000);
  assert_int_equal(m->price.reasoning, 2000000000);
  assert_int_equal(m->price_day, r->updated_day);
  assert_int_equal(m->max_output, 5);
  assert_int_equal(m->context_window, 0);
  assert_true(m->privacy_ok);
  assert_int_equal(m->tags[0].kind, REGISTRY_TAG_NEGATIVE);
  assert_str(m->tags[0].subject, STR("a:b"));
  assert_int_equal(m->tags[0].weight_milli, 250);
  registry_unref(r);
}

TEST(files) {
  struct registry *r = NULL;
  struct config_diags diags;
  char path[] = "/tmp/maestro-registry-XXXXXX";
  int fd = mkstemp(path);
  struct str text = registry_default_text();
  config_diags_init(&diags);
  assert_int_equal(write(fd, text.p, text.n), (ssize_t)text.n);
  close(fd);
  assert_int_equal(registry_load(path, &r, &diags), OK);
  assert_int_equal(r->model_count, 10);
  registry_unref(r);
  unlink(path);
  assert_int_equal(registry_load(path, &r, &diags), ERR_BAD_CONFIG);
  assert_int_equal(diags.errors, 1);
  config_diags_clear(&diags);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(default_is_valid_and_exact),
      cmocka_unit_test(members_and_look_up),
      cmocka_unit_test(age),
      cmocka_unit_test(faults),
      cmocka_unit_test(optional_members_and_unknown_prices),
      cmocka_unit_test(files),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
