/* OpenAI chat requests: what comes out for the same dialect is what went in, what comes out for callers of other
 * dialects is what OpenAI's reference ("Create chat completion") asks for, and what is wrong is named by its path. */
#include "dialect/openai_chat.h"
#include "translate_rig.h"

static const struct dialect *const d = &dialect_openai_chat;

#define BODY(members) "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]" members "}"
#define TALK(messages) "{\"model\":\"m\",\"messages\":[" messages "]}"

static void expect_same(const char *body) {
  struct rig t;
  rig_init(&t);
  enum err e = rig_decode(&t, d, body);
  if (e) print_error("%s: %s (%s)\n", body, t.info.text, t.info.param);
  assert_int_equal(e, OK);
  assert_int_equal(rig_encode(&t, d), OK);
  rig_expect_json(&t, body);
  rig_clear(&t);
}

/* The same request as if it had come in another dialect. */
static void expect_foreign(const char *body, const char *expected) {
  struct rig t;
  rig_init(&t);
  assert_int_equal(rig_decode(&t, d, body), OK);
  t.request.dialect = STR("openai_other");
  t.request.native = NULL;
  assert_int_equal(rig_encode(&t, d), OK);
  rig_expect_json(&t, expected);
  rig_clear(&t);
}

static void expect_refused(const char *body, enum err expected, const char *path) {
  struct rig t;
  rig_init(&t);
  enum err e = rig_decode(&t, d, body);
  if (e != expected || strcmp(t.info.param, path)) print_error("%s: %d, %s\n", body, (int)e, t.info.param);
  assert_int_equal(e, expected);
  assert_string_equal(t.info.param, path);
  rig_clear(&t);
}

/* Another maker's thinking does not go to a provider of this dialect: it could not read it. */
TEST(wrapped_signatures_stay_here) {
  struct rig t;
  rig_init(&t);
  assert_int_equal(
      rig_decode(&t, d,
                 TALK("{\"role\":\"assistant\",\"content\":\"a\",\"reasoning_content\":\"r\",\"reasoning_details\":["
                      /* maestro1:anthropic:sig */
                      "{\"type\":\"reasoning.text\",\"text\":\"r\",\"signature\":"
                      "\"bWFlc3RybzE6YW50aHJvcGljOnNpZw==\"}]}")),
      OK);
  assert_int_equal(rig_encode(&t, d), OK);
  rig_expect_json(&t, TALK("{\"role\":\"assistant\",\"content\":\"a\",\"reasoning_content\":\"r\"}"));
  rig_clear(&t);
}

TEST(the_same_comes_back) {
  static const char *const bodies[] = {
      BODY(""),
      BODY(",\"stream\":false"),
      BODY(",\"stream\":true,\"stream_options\":{\"include_usage\":true,\"include_obfuscation\":false}"),
      BODY(",\"temperature\":1e-1,\"top_p\":1.0,\"top_k\":4,\"n\":2,\"seed\":-1,\"frequency_penalty\":0,"
           "\"presence_penalty\":0.50,\"logprobs\":true,\"top_logprobs\":3,\"logit_bias\":{\"5\":-100}"),
      BODY(",\"max_tokens\":5"),
      BODY(",\"max_completion_tokens\":5"),
      BODY(",\"max_tokens\":5,\"max_completion_tokens\":6"),
      BODY(",\"stop\":\"a\""),
      BODY(",\"stop\":[\"a\",\"b\"]"),
      BODY(",\"stop\":null,\"tools\":null,\"user\":\"\",\"metadata\":{\"a\":\"b\"},\"store\":true,\"service_tier\":"
           "\"flex\",\"prompt_cache_key\":\"k\",\"verbosity\":\"low\",\"safety_identifier\":\"s\""),
      BODY(",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"n\",\"schema\":{},\"strict\":"
           "null,\"x\":1}}"),
      BODY(",\"response_format\":{\"type\":\"json_object\"}"),
      BODY(",\"reasoning_effort\":\"minimal\",\"reasoning\":{\"max_tokens\":9,\"exclude\":true}"),
      BODY(",\"thinking\":{\"type\":\"disabled\"}"),
      BODY(",\"tools\":[],\"parallel_tool_calls\":false"),
      BODY(",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":{},\"y\":2},\"x\":1,"
           "\"cache_control\":{\"type\":\"ephemeral\"}},{\"type\":\"custom\",\"custom\":{\"name\":\"c\",\"format\":{"
           "\"type\":\"text\"}}},{\"type\":\"web_search\"}],\"tool_choice\":{\"type\":\"allowed_tools\","
           "\"allowed_tools\":{\"mode\":\"auto\",\"tools\":[]}}"),
      BODY(",\"functions\":[{\"name\":\"f\"}],\"function_call\":{\"name\":\"f\"}"),
      BODY(
          ",\"modalities\":[\"text\",\"audio\"],\"audio\":{\"voice\":\"ash\",\"format\":\"wav\"},"
          "\"prediction\":{\"type\":\"content\",\"content\":\"x\"},\"web_search_options\":{},\"new\":[1,{\"a\":2.50}]"),
      TALK("{\"role\":\"developer\",\"content\":[{\"type\":\"text\",\"text\":\"a\",\"cache_control\":{\"type\":"
           "\"ephemeral\",\"ttl\":\"1h\"},\"prompt_cache_breakpoint\":{\"mode\":\"explicit\"}}],\"name\":\"n\"}"),
      TALK("{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":\"http://a\",\"detail\":"
           "\"low\",\"z\":1},\"y\":2},{\"type\":\"image_url\",\"image_url\":\"data:image/png;base64,AA==\"},{\"type\":"
           "\"input_audio\",\"input_audio\":{\"data\":\"AA==\",\"format\":\"wav\"}},{\"type\":\"file\",\"file\":{"
           "\"file_id\":\"f\"}},{\"type\":\"video_url\",\"video_url\":{\"url\":\"http://v\"}},{\"type\":\"new\"}]}"),
      TALK("{\"role\":\"assistant\",\"content\":null,\"refusal\":null,\"tool_calls\":[{\"id\":\"a\",\"type\":"
           "\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"not json\"},\"extra_content\":{\"google\":{}}},{"
           "\"id\":\"b\",\"type\":\"custom\",\"custom\":{\"name\":\"c\",\"input\":\"\"}}]},{\"role\":\"tool\","
           "\"tool_call_id\":\"a\",\"content\":\"r\",\"name\":\"f\",\"cache_control\":{\"type\":\"ephemeral\"}},{"
           "\"role\":\"tool\",\"tool_call_id\":\"b\",\"content\":[{\"type\":\"text\",\"text\":\"r\"}]}"),
      TALK("{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[],\"reasoning_content\":\"\"}"),
      TALK("{\"role\":\"assistant\",\"content\":[{\"type\":\"refusal\",\"refusal\":\"no\"}],\"refusal\":\"no\","
           "\"audio\":{\"id\":\"a\"},\"annotations\":[]}"),
      TALK("{\"role\":\"assistant\",\"content\":\"a\",\"reasoning_content\":\"r\"}"),
      TALK("{\"role\":\"assistant\",\"content\":\"a\",\"reasoning\":\"r\",\"reasoning_content\":\"r\"}"),
      TALK("{\"role\":\"assistant\",\"content\":\"a\",\"reasoning\":\"r\",\"reasoning_details\":[{\"type\":"
           "\"reasoning.text\",\"text\":\"r\",\"signature\":\"s\",\"index\":0},{\"type\":\"reasoning.encrypted\","
           "\"data\":\"d\"},{\"type\":\"reasoning.summary\",\"summary\":\"s\"},{\"type\":\"new\"}]}"),
      TALK("{\"role\":\"assistant\",\"content\":null,\"function_call\":{\"name\":\"f\",\"arguments\":\"{}\"}},{"
           "\"role\":\"function\",\"name\":\"f\",\"content\":\"r\"}"),
  };
  for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) expect_same(bodies[i]);
}

TEST(what_is_wrong_is_named) {
  static const struct {
    const char *body;
    enum err e;
    const char *path;
  } cases[] = {
      {"[]", ERR_BAD_TYPE, ""},
      {"{\"messages\":5}", ERR_BAD_TYPE, "messages"},
      {"{\"model\":\"m\"}", ERR_MISSING, "messages"},
      {TALK(""), ERR_BAD_VALUE, "messages"},
      {TALK("5"), ERR_BAD_TYPE, "messages[0]"},
      {TALK("{}"), ERR_MISSING, "messages[0].role"},
      {TALK("{\"role\":\"wizard\"}"), ERR_BAD_VALUE, "messages[0].role"},
      {TALK("{\"role\":\"user\",\"content\":5}"), ERR_BAD_TYPE, "messages[0].content"},
      {TALK("{\"role\":\"user\",\"content\":[\"a\"]}"), ERR_BAD_TYPE, "messages[0].content[0]"},
      {TALK("{\"role\":\"user\",\"content\":[{}]}"), ERR_MISSING, "messages[0].content[0].type"},
      {TALK("{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":1}]}"), ERR_BAD_TYPE,
       "messages[0].content[0].text"},
      {TALK("{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{}}]}"), ERR_MISSING,
       "messages[0].content[0].image_url.url"},
      {TALK("{\"role\":\"user\",\"content\":[{\"type\":\"input_audio\",\"input_audio\":{\"data\":1}}]}"), ERR_BAD_TYPE,
       "messages[0].content[0].input_audio.data"},
      {TALK("{\"role\":\"user\",\"content\":[{\"type\":\"file\",\"file\":{}}]}"), ERR_MISSING,
       "messages[0].content[0].file.file_data"},
      {TALK("{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"\",\"text\":\"\"}]}"), ERR_DUPLICATE_KEY,
       "messages[0].content[0].text"},
      {TALK("{\"role\":\"tool\",\"content\":\"a\"}"), ERR_MISSING, "messages[0].tool_call_id"},
      {TALK("{\"role\":\"assistant\",\"tool_calls\":[{\"id\":1}]}"), ERR_BAD_TYPE, "messages[0].tool_calls[0].id"},
      {TALK("{\"role\":\"assistant\",\"tool_calls\":[{\"function\":{}}]}"), ERR_MISSING,
       "messages[0].tool_calls[0].function.name"},
      {TALK("{\"role\":\"assistant\",\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":[]}}]}"), ERR_BAD_TYPE,
       "messages[0].tool_calls[0].function.arguments"},
      {TALK("{\"role\":\"assistant\",\"reasoning_details\":[1]}"), ERR_BAD_TYPE, "messages[0].reasoning_details[0]"},
      {BODY(",\"tools\":{}"), ERR_BAD_TYPE, "tools"},
      {BODY(",\"tools\":[1]"), ERR_BAD_TYPE, "tools[0]"},
      {BODY(",\"tools\":[{\"type\":\"function\"}]"), ERR_MISSING, "tools[0].function"},
      {BODY(",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":[]}}]"), ERR_BAD_TYPE,
       "tools[0].function.parameters"},
      {BODY(",\"tool_choice\":\"perhaps\""), ERR_BAD_VALUE, "tool_choice"},
      {BODY(",\"tool_choice\":{\"type\":\"function\",\"function\":{}}"), ERR_MISSING, "tool_choice.function.name"},
      {BODY(",\"temperature\":\"1\""), ERR_BAD_TYPE, "temperature"},
      {BODY(",\"logprobs\":1"), ERR_BAD_TYPE, "logprobs"},
      {BODY(",\"stop\":[1]"), ERR_BAD_TYPE, "stop[0]"},
      {BODY(",\"response_format\":{\"type\":\"x\"}"), ERR_BAD_VALUE, "response_format.type"},
      {BODY(",\"response_format\":{\"type\":\"json_schema\"}"), ERR_MISSING, "response_format.json_schema"},
      {BODY(",\"stream_options\":{\"include_usage\":1}"), ERR_BAD_TYPE, "stream_options.include_usage"},
      {BODY(",\"modalities\":1"), ERR_BAD_TYPE, "modalities"},
      {BODY(",\"n\":1,\"n\":2"), ERR_DUPLICATE_KEY, "n"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) expect_refused(cases[i].body, cases[i].e, cases[i].path);
}

TEST(meaning) {
  struct rig t;
  rig_init(&t);
  assert_int_equal(
      rig_decode(&t, d,
                 BODY(",\"reasoning\":{\"effort\":\"high\",\"max_tokens\":9,\"exclude\":true,\"enabled\":true},"
                      "\"tool_choice\":\"required\",\"max_completion_tokens\":7,\"modalities\":[\"audio\"]")),
      OK);
  assert_str(t.request.reasoning.effort, STR("high"));
  assert_int_equal(t.request.reasoning.budget_tokens, 9);
  assert_int_equal(t.request.reasoning.visible, 0);
  assert_int_equal(t.request.reasoning.enabled, 1);
  assert_int_equal(t.request.tool_choice, TOOL_CHOICE_REQUIRED);
  assert_str(t.request.max_tokens, STR("7"));
  assert_false(t.request.max_tokens_is_legacy);
  assert_true(t.request.wants_audio);
  assert_int_equal(
      rig_decode(&t, d,
                 TALK("{\"role\":\"assistant\",\"content\":\"a\",\"reasoning_content\":\"r\",\"reasoning_details\":[{"
                      "\"type\":\"reasoning.text\",\"text\":\"\",\"signature\":\"bWFlc3RybzE6YW50aHJvcGljOnNpZw==\"}]},"
                      "{\"role\":\"user\",\"content\":[{\"type\":\"file\",\"file\":{\"file_data\":"
                      "\"data:application/pdf;base64,AA==\",\"filename\":\"a.pdf\"}}]}")),
      OK);
  const struct request_part *thinking = &t.request.items[0].parts[0];
  assert_int_equal(thinking->kind, PART_REASONING);
  assert_str(thinking->text, STR("r"));
  assert_str(thinking->signature.bytes, STR("sig"));
  assert_str(thinking->signature.origin, STR("anthropic"));
  const struct media *m = t.request.items[1].parts[0].media;
  assert_str(m->mime, STR("application/pdf"));
  assert_str(m->data, STR("AA=="));
  assert_str(m->name, STR("a.pdf"));
  rig_clear(&t);
}

TEST(for_foreign_callers) {
  /* Leading instructions are one message; members that only OpenAI knows stay away. */
  expect_foreign(
      "{\"model\":\"x\",\"messages\":[{\"role\":\"system\",\"content\":\"a\"},{\"role\":\"developer\","
      "\"content\":[{\"type\":\"text\",\"text\":\"b\"}]},{\"role\":\"user\",\"content\":\"c\"},{\"role\":"
      "\"system\",\"content\":\"d\"}],\"max_completion_tokens\":5,\"store\":true,\"verbosity\":\"low\","
      "\"top_k\":5,\"temperature\":1.0,\"new\":1}",
      "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"a\\n\\nb\"},{\"role\":\"user\","
      "\"content\":\"c\"},{\"role\":\"system\",\"content\":\"d\"}],\"max_tokens\":5,\"temperature\":1.0}");
  /* A turn of several items is one message; an image in a result follows the results. */
  expect_foreign(
      TALK(
          "{\"role\":\"assistant\",\"content\":\"a\",\"reasoning_content\":\"r\"},{\"role\":\"assistant\",\"content\":"
          "null,\"tool_calls\":[{\"id\":\"i\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"\"}},"
          "{\"id\":\"j\",\"type\":\"function\",\"function\":{\"name\":\"g\",\"arguments\":\"{}\"}}]},{\"role\":\"tool\""
          ",\"tool_call_id\":\"i\",\"content\":[{\"type\":\"text\",\"text\":\"t\"},{\"type\":\"image_url\","
          "\"image_url\":{\"url\":\"data:image/png;base64,AA==\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"j\","
          "\"content\":\"u\"},{\"role\":\"user\",\"content\":\"v\"}"),
      TALK("{\"role\":\"assistant\",\"content\":\"a\",\"reasoning_content\":\"r\",\"tool_calls\":[{\"id\":\"i\","
           "\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}},{\"id\":\"j\",\"type\":"
           "\"function\",\"function\":{\"name\":\"g\",\"arguments\":\"{}\"}}]},{\"role\":\"tool\",\"tool_call_id\":"
           "\"i\",\"content\":\"t\"},{\"role\":\"tool\",\"tool_call_id\":\"j\",\"content\":\"u\"},{\"role\":\"user\","
           "\"content\":[{\"type\":\"text\",\"text\":\"From the results of the tools:\"},{\"type\":\"image_url\","
           "\"image_url\":{\"url\":\"data:image/png;base64,AA==\"}}]},{\"role\":\"user\",\"content\":\"v\"}"));
  /* Tools, the choice and formats in OpenAI's words; a choice without tools would be refused. */
  expect_foreign(BODY(",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"a.b\",\"description\":\"d\","
                      "\"parameters\":{\"type\":\"object\"},\"strict\":true}},{\"type\":\"web_search\"}],"
                      "\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"a.b\"}},\"parallel_tool_calls\":"
                      "false,\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"schema\":{}}}"),
                 BODY(",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"a_b\",\"description\":\"d\","
                      "\"parameters\":{\"type\":\"object\"},\"strict\":true}}],\"tool_choice\":{\"type\":\"function\","
                      "\"function\":{\"name\":\"a_b\"}},\"parallel_tool_calls\":false,\"response_format\":{\"type\":"
                      "\"json_schema\",\"json_schema\":{\"name\":\"response\",\"schema\":{}}}"));
  expect_foreign(BODY(",\"tool_choice\":\"auto\",\"parallel_tool_calls\":true"), BODY(""));
  /* Efforts of budgets. */
  expect_foreign(BODY(",\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":1024}"),
                 BODY(",\"reasoning_effort\":\"low\""));
  expect_foreign(BODY(",\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":8192}"),
                 BODY(",\"reasoning_effort\":\"medium\""));
  expect_foreign(BODY(",\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":24576}"),
                 BODY(",\"reasoning_effort\":\"high\""));
  expect_foreign(BODY(",\"thinking\":{\"type\":\"disabled\"}"), BODY(""));
}

/* What no chat request can hold, made by hand as other dialects make it. */
TEST(errors_ids_and_documents) {
  struct rig t;
  rig_init(&t);
  struct request_part call[] = {{.kind = PART_TOOL_CALL, .name = STR("f"), .text = STR("{}")},
                                {.kind = PART_TOOL_CALL, .name = STR("g"), .namespace = STR("n"), .text = STR("{}")}};
  struct request_part text = {.kind = PART_TEXT, .text = STR("bad")};
  struct media file = {.name = STR("n.txt"), .text = STR("words"), .mime = STR("text/plain")};
  struct request_part answer[] = {
      {.kind = PART_TOOL_RESULT, .name = STR("g"), .is_error = true, .results = &text, .result_count = 1},
      {.kind = PART_TOOL_RESULT, .name = STR("f"), .results = NULL},
      {.kind = PART_DOCUMENT, .media = &file},
  };
  struct request_item items[] = {{.role = ROLE_ASSISTANT, .parts = call, .part_count = 2},
                                 {.role = ROLE_USER, .parts = answer, .part_count = 3}};
  t.request.items = items;
  t.request.item_count = 2;
  assert_int_equal(rig_encode(&t, d), OK);
  rig_expect_json(&t, TALK("{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"call_made_0\",\"type\":"
                           "\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}},{\"id\":\"call_made_1\","
                           "\"type\":\"function\",\"function\":{\"name\":\"n__g\",\"arguments\":\"{}\"}}]},{\"role\":"
                           "\"tool\",\"tool_call_id\":\"call_made_1\",\"content\":\"Error: bad\"},{\"role\":\"tool\","
                           "\"tool_call_id\":\"call_made_0\",\"content\":\"\"},{\"role\":\"user\",\"content\":"
                           "\"n.txt:\\nwords\"}"));
  /* Another provider's file, and a kind of sound that is not taken. */
  file = (struct media){.file_id = STR("file_1")};
  assert_int_equal(rig_encode(&t, d), ERR_UNSUPPORTED);
  file = (struct media){.data = STR("AA=="), .mime = STR("audio/ogg")};
  answer[2].kind = PART_AUDIO;
  assert_int_equal(rig_encode(&t, d), ERR_UNSUPPORTED);
  assert_true(t.info.param[0]);
  t.request.operation = LLM_EMBED;
  assert_int_equal(rig_encode(&t, d), ERR_UNSUPPORTED);
  rig_clear(&t);
}

TEST(usage_is_asked_for) {
  struct rig t;
  struct dialect_target target = {.model = STR("m"), .ask_usage = true, .max_tokens = -1};
  rig_init(&t);
  assert_int_equal(rig_decode(&t, d, BODY(",\"stream\":true,\"stream_options\":{\"include_usage\":false,\"x\":1}")),
                   OK);
  assert_int_equal(d->encode_request(&t.request, &target, &t.arena, &t.text, &t.info), OK);
  rig_expect_json(&t, BODY(",\"stream\":true,\"stream_options\":{\"include_usage\":true,\"x\":1}"));
  rig_clear(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_same_comes_back),
      cmocka_unit_test(what_is_wrong_is_named),
      cmocka_unit_test(meaning),
      cmocka_unit_test(for_foreign_callers),
      cmocka_unit_test(errors_ids_and_documents),
      cmocka_unit_test(wrapped_signatures_stay_here),
      cmocka_unit_test(usage_is_asked_for),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
