/* Gemini's embeddings: one content or a batch, both ways. */
#include "gemini_unit.h"

static void check_embed(const char *from, const char *to, const char *json, const char *want) {
  check_recoded_at(__FILE__, __LINE__, from, to, "m", LLM_EMBED, json, want);
}

TEST(test_batch_comes_back) {
  const char *batch =
      "{\"requests\":[{\"model\":\"models/"
      "m\",\"content\":{\"role\":\"user\",\"parts\":[{\"text\":\"a\"},{\"text\":\"b\"}]},"
      "\"taskType\":\"RETRIEVAL_DOCUMENT\",\"title\":\"T\",\"outputDimensionality\":64,\"new\":1},{\"model\":\"models/"
      "m\","
      "\"content\":{\"parts\":[{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"AAAA\"}}]}}],\"extra\":null}";
  check_embed("gemini_embed", "gemini_embed", batch, batch);
}

TEST(test_one_content_is_asked_as_a_batch) {
  check_embed(
      "gemini_embed", "gemini_embed",
      "{\"content\":{\"parts\":{\"text\":\"a\"}},\"task_type\":\"X\",\"output_dimensionality\":3,\"maestro\":{}}",
      "{\"requests\":[{\"model\":\"models/m\",\"content\":{\"parts\":[{\"text\":\"a\"}]},\"taskType\":\"X\","
      "\"outputDimensionality\":3}]}");
}

TEST(test_across_dialects) {
  check_embed("gemini_embed", "ollama_embed",
              "{\"content\":{\"parts\":[{\"text\":\"a\"},{\"text\":\"b\"}]},\"outputDimensionality\":3}",
              "{\"model\":\"m\",\"input\":\"ab\",\"dimensions\":3}");
  check_embed(
      "ollama_embed", "gemini_embed", "{\"model\":\"x\",\"input\":[\"a\",\"b\"],\"dimensions\":3}",
      "{\"requests\":[{\"model\":\"models/m\",\"content\":{\"parts\":[{\"text\":\"a\"}]},\"outputDimensionality\":3},"
      "{\"model\":\"models/m\",\"content\":{\"parts\":[{\"text\":\"b\"}]},\"outputDimensionality\":3}]}");
}

TEST(test_what_only_gemini_can_say) {
  struct coded c;
  assert_int_equal(recode(&c, "gemini_embed", "ollama_embed", "m", LLM_EMBED,
                          "{\"requests\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]},\"outputDimensionality\":3},"
                          "{\"content\":{\"parts\":[{\"text\":\"a\"}]},\"outputDimensionality\":4}]}"),
                   ERR_UNSUPPORTED);
  assert_string_equal(c.info.param, "requests.outputDimensionality");
  coded_clear(&c);
  assert_int_equal(recode(&c, "gemini_embed", "ollama_embed", "m", LLM_EMBED,
                          "{\"requests\":[{\"content\":{\"parts\":[{\"inlineData\":{\"data\":\"AAAA\"}}]}}]}"),
                   ERR_UNSUPPORTED);
  assert_string_equal(c.info.param, "requests[0].content.parts[0]");
  coded_clear(&c);
}

TEST(test_faults_have_paths) {
  static const struct {
    const char *json;
    enum err e;
    const char *param;
  } rows[] = {
      {"{}", ERR_MISSING, "content"},
      {"{\"requests\":1}", ERR_BAD_TYPE, "requests"},
      {"{\"requests\":[]}", ERR_BAD_VALUE, "requests"},
      {"{\"requests\":[{}]}", ERR_MISSING, "requests[0].content"},
      {"{\"requests\":[{\"content\":1}]}", ERR_BAD_TYPE, "requests[0].content"},
      {"{\"content\":{\"parts\":1}}", ERR_BAD_TYPE, "content.parts"},
      {"{\"content\":{\"parts\":[{\"text\":1}]}}", ERR_BAD_TYPE, "content.parts[0].text"},
      {"{\"content\":{\"parts\":[]},\"outputDimensionality\":\"3\"}", ERR_BAD_TYPE, "outputDimensionality"},
      {"[]", ERR_BAD_TYPE, ""},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct coded c;
    assert_int_equal(decode_with(&c, "gemini_embed", LLM_EMBED, rows[i].json), rows[i].e);
    assert_string_equal(c.info.param, rows[i].param);
    coded_clear(&c);
  }
}

/* Options of Gemini's own go nowhere else, and never in silence. */
TEST(test_own_options_are_named_when_left_out) {
  struct coded c;
  struct caps_dropped dropped;
  assert_int_equal(decode_with(&c, "gemini_embed", LLM_EMBED,
                               "{\"requests\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]},\"taskType\":\"X\"},{"
                               "\"content\":{\"parts\":[{\"text\":\"b\"}]},\"task_type\":\"X\",\"title\":\"T\"}]}"),
                   OK);
  caps_dropped_init(&dropped);
  const struct dialect *to = dialect_by_name(STR("openai_embeddings"));
  assert_int_equal(caps_check(&c.request, to->name, to->caps, &dialect_gemini_embed.words, &dropped, &c.info), OK);
  assert_str(buf_str(&dropped.names), STR("requests[0].taskType, requests[1].taskType, requests[1].title"));
  caps_dropped_clear(&dropped);
  coded_clear(&c);
}

static enum err read_answer(struct coded *c, const char *body, struct embeddings *out) {
  struct dialect_exchange x = {.arena = &c->arena, .request = &c->request};
  return dialect_gemini_embed.decode_embeddings(&x, str_from_c(body), out, &c->info);
}

TEST(test_answers) {
  struct coded c;
  struct embeddings answer = {0};
  assert_int_equal(decode_with(&c, "gemini_embed", LLM_EMBED,
                               "{\"requests\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]}},{\"content\":{\"parts\":[{"
                               "\"text\":\"b\"}]}}]}"),
                   OK);
  struct dialect_exchange x = {.arena = &c.arena, .request = &c.request};
  const char *body =
      "{\"embeddings\":[{\"values\":[0.10,-2e-3]},{\"values\":[1]}],\"usageMetadata\":{\"promptTokenCount\":4}}";
  assert_int_equal(read_answer(&c, body, &answer), OK);
  assert_int_equal(answer.n, 2);
  assert_int_equal(usage_get(&answer.usage, USAGE_INPUT), 4);
  assert_false(usage_has(&answer.usage, USAGE_OUTPUT));
  dialect_gemini_embed.encode_embeddings(&x, &answer, &c.out);
  check_json(buf_str(&c.out), body);
  static const char *const wrong[] = {"{}",
                                      "[]",
                                      "{\"embeddings\":[]}",
                                      "{\"embeddings\":[{\"values\":[1]}]}",
                                      "{\"embeddings\":[{\"values\":[1]},{\"values\":[\"x\"]}]}",
                                      "{\"embeddings\":[{\"values\":[1]},3]}"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    assert_int_equal(read_answer(&c, wrong[i], &answer), ERR_UPSTREAM_PROTOCOL);
  assert_int_equal(read_answer(&c, "{\"error\":{\"code\":400}}", &answer), OK);
  assert_str(answer.error, STR("{\"error\":{\"code\":400}}"));
  coded_clear(&c);
}

TEST(test_answer_to_one_content) {
  struct coded c;
  struct embeddings answer = {0};
  assert_int_equal(decode_with(&c, "gemini_embed", LLM_EMBED, "{\"content\":{\"parts\":[{\"text\":\"a\"}]}}"), OK);
  struct dialect_exchange x = {.arena = &c.arena, .request = &c.request};
  assert_int_equal(read_answer(&c, "{\"embeddings\":[{\"values\":[1,2]}]}", &answer), OK);
  dialect_gemini_embed.encode_embeddings(&x, &answer, &c.out);
  check_json(buf_str(&c.out), "{\"embedding\":{\"values\":[1,2]}}");
  coded_clear(&c);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_batch_comes_back),      cmocka_unit_test(test_one_content_is_asked_as_a_batch),
      cmocka_unit_test(test_across_dialects),       cmocka_unit_test(test_what_only_gemini_can_say),
      cmocka_unit_test(test_faults_have_paths),     cmocka_unit_test(test_answers),
      cmocka_unit_test(test_answer_to_one_content), cmocka_unit_test(test_own_options_are_named_when_left_out),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
