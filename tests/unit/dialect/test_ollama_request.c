/* Ollama's requests: chat and generate into the canonical model and out of it, pairing of calls and results, what the
 * other APIs say in Ollama's words, faults with their paths, the envelope. Expectations are Ollama's API documentation.
 */
#include "base/envelope_edit.h"
#include "dialect/anthropic/anthropic.h"
#include "dialect/ollama/ollama.h"
#include "translate_rig.h"

static const struct dialect *const chat = &dialect_ollama, *const generate = &dialect_ollama_generate;

/* ---- there and back ---- */

static void expect_same(const struct dialect *d, const char *body) {
  struct rig t;
  rig_init(&t);
  assert_int_equal(rig_decode(&t, d, body), OK);
  assert_int_equal(rig_encode(&t, d), OK);
  rig_expect_json(&t, body);
  rig_clear(&t);
}

TEST(chat_comes_back_as_it_was) {
  static const char *const bodies[] = {
      "{\"model\":\"m\",\"stream\":true,\"messages\":[]}",
      "{\"model\":\"m\",\"stream\":false}",
      "{\"model\":\"m\",\"stream\":false,\"messages\":[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\","
      "\"content\":\"\",\"images\":[\"iVBORw0KGgo=\"],\"x\":[1.50]},{\"role\":\"assistant\",\"content\":null,"
      "\"thinking\":\"hm\"},{\"role\":\"user\"},{\"role\":\"system\",\"content\":\"mid\"}]}",
      "{\"model\":\"m\",\"stream\":true,\"messages\":[{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":["
      "{\"function\":{\"name\":\"f\",\"arguments\":{\"a\":1.0,\"b\":\"\\u00e4\"}}},{\"id\":\"c9\",\"type\":"
      "\"function\","
      "\"function\":{\"index\":1,\"name\":\"g\",\"arguments\":{}},\"y\":1}]},{\"role\":\"tool\",\"tool_name\":\"f\","
      "\"content\":\"r\"},{\"role\":\"tool\",\"tool_call_id\":\"c9\",\"content\":\"r\",\"z\":null},"
      "{\"role\":\"tool\",\"content\":\"r\",\"images\":[\"/9j/AA==\"]}]}",
      "{\"model\":\"m\",\"stream\":true,\"messages\":[],\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\","
      "\"description\":\"d\",\"parameters\":{\"type\":\"object\"},\"q\":1},\"w\":2},{\"type\":\"other\",\"k\":3}]}",
      "{\"model\":\"m\",\"stream\":true,\"messages\":[],\"tools\":[],\"format\":\"json\",\"think\":\"max\","
      "\"keep_alive\":\"5m\",\"logprobs\":true,\"top_logprobs\":3,\"new\":null}",
      "{\"model\":\"m\",\"stream\":true,\"messages\":[],\"format\":{\"type\":\"object\"},\"think\":false,\"options\":{"
      "\"temperature\":1e-2,\"top_p\":0.50,\"top_k\":4,\"num_predict\":7,\"stop\":[\"a\",\"b\"],\"seed\":-1,"
      "\"frequency_penalty\":0.1,\"presence_penalty\":0.2,\"num_ctx\":4096,\"min_p\":null}}",
      "{\"model\":\"m\",\"stream\":true,\"messages\":[],\"format\":\"\",\"options\":{}}",
      "{\"model\":\"m\",\"stream\":true,\"messages\":[],\"format\":null,\"options\":{\"num_predict\":-1,\"stop\":\"x\"}"
      "}",
      "{\"model\":\"m\",\"stream\":true,\"messages\":[],\"options\":{\"stop\":[]}}",
  };
  for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) expect_same(chat, bodies[i]);
}

TEST(generate_comes_back_as_it_was) {
  static const char *const bodies[] = {
      "{\"model\":\"m\",\"stream\":true}",
      "{\"model\":\"m\",\"stream\":false,\"prompt\":\"\"}",
      "{\"model\":\"m\",\"stream\":true,\"prompt\":\"p\",\"system\":\"s\",\"images\":[\"UklGRiQAAABXRUJQ\"],"
      "\"suffix\":\"z\",\"template\":\"t\",\"raw\":true,\"context\":[1,2],\"keep_alive\":0,\"think\":true,"
      "\"format\":\"json\",\"options\":{\"seed\":1}}",
  };
  for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) expect_same(generate, bodies[i]);
}

TEST(gateway_members_and_a_null_stream_go) {
  struct rig t;
  rig_init(&t);
  assert_int_equal(rig_decode(&t, chat, "{\"model\":\"x\",\"stream\":null,\"maestro\":{},\"messages\":[]}"), OK);
  assert_int_equal(rig_encode(&t, chat), OK);
  rig_expect_json(&t, "{\"model\":\"m\",\"messages\":[],\"stream\":false}");
  rig_clear(&t);
}

/* ---- what it means ---- */

static const struct request_part *part(const struct rig *t, size_t item, size_t k) {
  assert_true(item < t->request.item_count && k < t->request.items[item].part_count);
  return &t->request.items[item].parts[k];
}

TEST(calls_and_results_are_paired) {
  struct rig t;
  rig_init(&t);
  assert_int_equal(
      rig_decode(&t, chat,
                 "{\"model\":\"m\",\"messages\":[{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":["
                 "{\"function\":{\"name\":\"f\",\"arguments\":{\"a\":1}}},{\"function\":{\"name\":\"g\"}},"
                 "{\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"s\\\":2}\"}},{\"id\":\"own\",\"function\":"
                 "{\"name\":\"h\",\"arguments\":\"no\"}}]},"
                 "{\"role\":\"tool\",\"tool_name\":\"g\",\"content\":\"1\"},"      /* by name */
                 "{\"role\":\"tool\",\"content\":\"2\"},"                          /* the oldest that waits */
                 "{\"role\":\"tool\",\"tool_call_id\":\"own\",\"content\":\"3\"}," /* by id */
                 "{\"role\":\"tool\",\"tool_name\":\"f\",\"content\":\"4\"},"      /* the second f */
                 "{\"role\":\"tool\",\"tool_name\":\"f\",\"content\":\"5\"}]}"),   /* of no call */
      OK);
  assert_false(part(&t, 0, 1)->call_id.n || part(&t, 1, 0)->call_id.n); /* what was not said is not made up here */
  assert_int_equal(request_pair_calls(&t.arena, &t.request, NULL), OK);
  assert_str(part(&t, 0, 1)->text, STR("{\"a\":1}"));
  assert_str(part(&t, 0, 1)->call_id, STR("call_made_0"));
  assert_str(part(&t, 0, 2)->text, STR("{}"));
  assert_true(part(&t, 0, 2)->is_args_valid && part(&t, 0, 3)->is_args_valid && !part(&t, 0, 4)->is_args_valid);
  assert_str(part(&t, 1, 0)->call_id, STR("call_made_1"));
  assert_str(part(&t, 2, 0)->call_id, STR("call_made_0"));
  assert_str(part(&t, 3, 0)->call_id, STR("own"));
  assert_str(part(&t, 4, 0)->call_id, STR("call_made_2"));
  assert_str(part(&t, 5, 0)->call_id, STR("call_made_3"));
  rig_clear(&t);
}

TEST(images_are_known_by_their_first_bytes) {
  static const struct {
    const char *data, *mime;
  } rows[] = {
      {"iVBORw0KGgoAAAANSUhEUg==", "image/png"},  {"/9j/4AAQSkZJRg==", "image/jpeg"}, {"R0lGODlhAQABAA==", "image/gif"},
      {"UklGRiQAAABXRUJQVlA4IA==", "image/webp"}, {"UklGRiQAAABXQVZFZm10IA==", ""},   {"AAAA", ""},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct rig t;
    char body[200];
    rig_init(&t);
    snprintf(body, sizeof body, "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"images\":[\"%s\"]}]}",
             rows[i].data);
    assert_int_equal(rig_decode(&t, chat, body), OK);
    assert_str(part(&t, 0, 0)->media->mime, str_from_c(rows[i].mime));
    rig_clear(&t);
  }
}

TEST(members_mean_what_they_say) {
  struct rig t;
  rig_init(&t);
  assert_int_equal(rig_decode(&t, chat,
                              "{\"model\":\"m\",\"messages\":[],\"think\":\"low\",\"format\":{\"type\":\"object\"},"
                              "\"options\":{\"num_predict\":9,\"num_ctx\":1}}"),
                   OK);
  assert_str(t.request.reasoning.effort, STR("low"));
  assert_int_equal(t.request.reasoning.enabled, 1);
  assert_int_equal(t.request.format, FORMAT_JSON_SCHEMA);
  assert_str(t.request.max_tokens, STR("9"));
  assert_int_equal(t.request.rest.n, 1);
  assert_str(t.request.rest.v[0].key, STR("options.num_ctx"));
  rig_clear(&t);
  rig_init(&t);
  assert_int_equal(rig_decode(&t, chat, "{\"model\":\"m\",\"messages\":[],\"options\":{\"num_predict\":-2}}"), OK);
  assert_int_equal(t.request.max_tokens.n, 0); /* no limit at all */
  rig_clear(&t);
}

TEST(what_is_left_out_is_named) {
  struct rig t;
  struct caps_dropped dropped;
  rig_init(&t);
  caps_dropped_init(&dropped);
  assert_int_equal(
      rig_decode(&t, chat,
                 "{\"model\":\"m\",\"keep_alive\":1,\"options\":{\"num_ctx\":1},\"messages\":[{\"role\":\"assistant\","
                 "\"content\":\"a\",\"thinking\":\"t\",\"tool_calls\":[{\"function\":{\"index\":0,\"name\":\"f\","
                 "\"new\":1}}]}],\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"odd\":1}}]}"),
      OK);
  assert_int_equal(caps_check(&t.request, STR("other"), CAP_BIT(TOOLS), &chat->words, &dropped, &t.info), OK);
  assert_str(buf_str(&dropped.names),
             STR("messages[0].thinking, messages[0].tool_calls[0].function.new, tools[0].function.odd, keep_alive, "
                 "options.num_ctx"));
  caps_dropped_clear(&dropped);
  rig_clear(&t);
}

/* ---- from other APIs ---- */

static void expect_from_anthropic(const struct dialect *to, const char *body, const char *expected) {
  struct rig t;
  rig_init(&t);
  assert_int_equal(rig_decode(&t, &dialect_anthropic, body), OK);
  assert_int_equal(rig_encode(&t, to), OK);
  rig_expect_json(&t, expected);
  rig_clear(&t);
}

TEST(anthropic_in_ollamas_words) {
  expect_from_anthropic(
      chat,
      "{\"model\":\"c\",\"max_tokens\":50,\"system\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"text\",\"text\":"
      "\"b\"}],"
      "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"look\"},{\"type\":\"image\","
      "\"source\":{"
      "\"type\":\"base64\",\"media_type\":\"image/png\",\"data\":\"AAAA\"}}]},{\"role\":\"assistant\",\"content\":["
      "{\"type\":\"thinking\",\"thinking\":\"hm\",\"signature\":\"sig\"},{\"type\":\"text\",\"text\":\"one\"},"
      "{\"type\":\"tool_use\",\"id\":\"t1\",\"name\":\"f\",\"input\":{\"x\":1}},{\"type\":\"tool_use\",\"id\":\"t2\","
      "\"name\":\"g\",\"input\":{}}]},{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"t1\","
      "\"content\":[{\"type\":\"text\",\"text\":\"r1\"},{\"type\":\"image\",\"source\":{\"type\":\"base64\","
      "\"media_type\":\"image/"
      "png\",\"data\":\"BBBB\"}}]},{\"type\":\"tool_result\",\"tool_use_id\":\"t2\",\"is_error\":"
      "true,\"content\":\"bad\"},{\"type\":\"text\",\"text\":\"go on\"}]}],\"tools\":[{\"name\":\"f\",\"description\":"
      "\"d\",\"input_schema\":{\"type\":\"object\"}}],\"stop_sequences\":[\"X\"],\"temperature\":0.5,\"top_k\":3,"
      "\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":1024},\"stream\":true}",
      "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"a\\n\\nb\"},{\"role\":\"user\",\"content\":"
      "\"look\","
      "\"images\":[\"AAAA\"]},{\"role\":\"assistant\",\"content\":\"one\",\"thinking\":\"hm\",\"tool_calls\":[{\"id\":"
      "\"t1\","
      "\"function\":{\"index\":0,\"name\":\"f\",\"arguments\":{\"x\":1}}},{\"id\":\"t2\",\"function\":{\"index\":1,"
      "\"name\":\"g\",\"arguments\":{}}}]},{\"role\":\"tool\",\"content\":\"r1\",\"tool_name\":\"f\",\"tool_call_id\":"
      "\"t1\"},{\"role\":\"tool\",\"content\":\"Error: bad\",\"tool_name\":\"g\",\"tool_call_id\":\"t2\"},{\"role\":"
      "\"user\",\"content\":\"\",\"images\":[\"BBBB\"]},{\"role\":\"user\",\"content\":\"go "
      "on\"}],\"tools\":[{\"type\":"
      "\"function\",\"function\":{\"name\":\"f\",\"description\":\"d\",\"parameters\":{\"type\":\"object\"}}}],"
      "\"stream\":"
      "true,\"think\":true,\"options\":{\"temperature\":0.5,\"top_k\":3,\"num_predict\":50,\"stop\":[\"X\"]}}");
}

TEST(that_the_model_decides_is_said_by_silence) {
  expect_from_anthropic(chat,
                        "{\"model\":\"c\",\"max_tokens\":5,\"thinking\":{\"type\":\"adaptive\"},\"output_config\":{"
                        "\"effort\":\"high\"},\"messages\":[{\"role\":\"user\",\"content\":\"q\"}]}",
                        "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"q\"}],\"stream\":false,"
                        "\"options\":{\"num_predict\":5}}");
  expect_from_anthropic(chat,
                        "{\"model\":\"c\",\"max_tokens\":5,\"thinking\":{\"type\":\"disabled\"},"
                        "\"messages\":[{\"role\":\"user\",\"content\":\"q\"}]}",
                        "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"q\"}],\"stream\":false,"
                        "\"think\":false,\"options\":{\"num_predict\":5}}");
}

TEST(efforts_have_a_nearest_word) {
  static const struct {
    struct str effort;
    const char *think;
  } rows[] = {{STR("minimal"), "\"low\""}, {STR("low"), "\"low\""},    {STR("medium"), "\"medium\""},
              {STR("high"), "\"high\""},   {STR("xhigh"), "\"high\""}, {STR("none"), "false"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct rig t;
    char expected[120];
    rig_init(&t);
    t.request.reasoning.effort = rows[i].effort;
    assert_int_equal(rig_encode(&t, chat), OK);
    snprintf(expected, sizeof expected, "{\"model\":\"m\",\"messages\":[],\"stream\":false,\"think\":%s}",
             rows[i].think);
    rig_expect_json(&t, expected);
    rig_clear(&t);
  }
}

/* As Responses writes a turn: each call an item of its own. */
TEST(a_turn_of_many_items_is_one_message) {
  struct rig t;
  rig_init(&t);
  struct request_part calls[] = {
      {.kind = PART_TOOL_CALL, .call_id = STR("a"), .name = STR("x.y"), .namespace = STR("ns"), .text = STR("{}")},
      {.kind = PART_TOOL_CALL, .call_id = STR("b"), .name = STR("z"), .text = STR("patch"), .tool_kind = TOOL_CUSTOM},
  };
  struct request_part text = {.kind = PART_TEXT, .text = STR("t")}, hidden = {.kind = PART_REDACTED};
  struct request_item items[] = {
      {.role = ROLE_ASSISTANT, .parts = &hidden, .part_count = 1},
      {.role = ROLE_ASSISTANT, .parts = &text, .part_count = 1},
      {.role = ROLE_ASSISTANT, .parts = &calls[0], .part_count = 1},
      {.role = ROLE_ASSISTANT, .parts = &calls[1], .part_count = 1},
      {.role = ROLE_DEVELOPER, .parts = &text, .part_count = 1},
      {.role = ROLE_USER, .parts = &hidden, .part_count = 1},
  };
  t.request.items = items;
  t.request.item_count = sizeof items / sizeof *items;
  t.request.tool_choice = TOOL_CHOICE_NONE;
  struct request_tool tool = {.name = STR("z"), .strict = -1};
  t.request.tools = &tool;
  t.request.tool_count = 1;
  assert_int_equal(rig_encode(&t, chat), OK);
  rig_expect_json(
      &t,
      "{\"model\":\"m\",\"messages\":[{\"role\":\"assistant\",\"content\":\"t\",\"tool_calls\":[{\"id\":\"a\","
      "\"function\":{\"index\":0,\"name\":\"ns__x_y\",\"arguments\":{}}},{\"id\":\"b\",\"function\":{\"index\":"
      "1,\"name\":\"z\",\"arguments\":{\"input\":\"patch\"}}}]},{\"role\":\"system\",\"content\":\"t\"}],"
      "\"stream\":false}");
  rig_clear(&t);
}

TEST(generate_says_one_prompt) {
  expect_from_anthropic(
      generate,
      "{\"model\":\"c\",\"max_tokens\":5,\"system\":\"s\",\"messages\":[{\"role\":\"user\",\"content\":"
      "\"p\"}]}",
      "{\"model\":\"m\",\"system\":\"s\",\"prompt\":\"p\",\"stream\":false,\"options\":{\"num_predict\":"
      "5}}");
  struct rig t;
  rig_init(&t);
  assert_int_equal(rig_decode(&t, &dialect_anthropic,
                              "{\"model\":\"c\",\"max_tokens\":5,\"messages\":[{\"role\":\"user\",\"content\":\"p\"},"
                              "{\"role\":\"assistant\",\"content\":\"q\"}]}"),
                   OK);
  assert_int_equal(rig_encode(&t, generate), ERR_UNSUPPORTED);
  assert_string_equal(t.info.param, "messages[1]");
  rig_clear(&t);
}

/* ---- faults ---- */

TEST(faults_have_their_path) {
  static const struct {
    const struct dialect *d;
    const char *body;
    enum err e;
    const char *path;
  } rows[] = {
      {&dialect_ollama, "{\"messages\":{}}", ERR_BAD_TYPE, "messages"},
      {&dialect_ollama, "{\"messages\":[1]}", ERR_BAD_TYPE, "messages[0]"},
      {&dialect_ollama, "{\"messages\":[{}]}", ERR_MISSING, "messages[0].role"},
      {&dialect_ollama, "{\"messages\":[{\"role\":1}]}", ERR_BAD_TYPE, "messages[0].role"},
      {&dialect_ollama, "{\"messages\":[{\"role\":\"x\"}]}", ERR_BAD_VALUE, "messages[0].role"},
      {&dialect_ollama, "{\"messages\":[{\"role\":\"user\",\"content\":[]}]}", ERR_BAD_TYPE, "messages[0].content"},
      {&dialect_ollama, "{\"messages\":[{\"role\":\"user\",\"content\":\"\",\"content\":\"\"}]}", ERR_DUPLICATE_KEY,
       "messages[0].content"},
      {&dialect_ollama, "{\"messages\":[{\"role\":\"user\",\"thinking\":1}]}", ERR_BAD_TYPE, "messages[0].thinking"},
      {&dialect_ollama, "{\"messages\":[{\"role\":\"user\",\"images\":\"x\"}]}", ERR_BAD_TYPE, "messages[0].images"},
      {&dialect_ollama, "{\"messages\":[{\"role\":\"user\",\"images\":[\"x\",2]}]}", ERR_BAD_TYPE,
       "messages[0].images[1]"},
      {&dialect_ollama, "{\"messages\":[{\"role\":\"tool\",\"content\":1}]}", ERR_BAD_TYPE, "messages[0].content"},
      {&dialect_ollama, "{\"messages\":[{\"role\":\"tool\",\"tool_name\":1}]}", ERR_BAD_TYPE, "messages[0].tool_name"},
      {&dialect_ollama, "{\"messages\":[{\"role\":\"user\",\"tool_calls\":1}]}", ERR_BAD_TYPE,
       "messages[0].tool_calls"},
      {&dialect_ollama, "{\"messages\":[{\"role\":\"user\",\"tool_calls\":[1]}]}", ERR_BAD_TYPE,
       "messages[0].tool_calls[0]"},
      {&dialect_ollama, "{\"messages\":[{\"role\":\"user\",\"tool_calls\":[{}]}]}", ERR_MISSING,
       "messages[0].tool_calls[0].function"},
      {&dialect_ollama, "{\"messages\":[{\"role\":\"user\",\"tool_calls\":[{\"function\":{}}]}]}", ERR_MISSING,
       "messages[0].tool_calls[0].function.name"},
      {&dialect_ollama,
       "{\"messages\":[{\"role\":\"user\",\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":[]}}]}]}",
       ERR_BAD_TYPE, "messages[0].tool_calls[0].function.arguments"},
      {&dialect_ollama, "{\"tools\":{}}", ERR_BAD_TYPE, "tools"},
      {&dialect_ollama, "{\"tools\":[3]}", ERR_BAD_TYPE, "tools[0]"},
      {&dialect_ollama, "{\"tools\":[{\"type\":\"function\"}]}", ERR_MISSING, "tools[0].function"},
      {&dialect_ollama, "{\"tools\":[{\"function\":{}}]}", ERR_MISSING, "tools[0].function.name"},
      {&dialect_ollama, "{\"tools\":[{\"function\":{\"name\":\"f\",\"parameters\":[]}}]}", ERR_BAD_TYPE,
       "tools[0].function.parameters"},
      {&dialect_ollama, "{\"options\":[]}", ERR_BAD_TYPE, "options"},
      {&dialect_ollama, "{\"options\":{\"temperature\":\"1\"}}", ERR_BAD_TYPE, "options.temperature"},
      {&dialect_ollama, "{\"options\":{\"stop\":[1]}}", ERR_BAD_TYPE, "options.stop[0]"},
      {&dialect_ollama, "{\"options\":{\"num_predict\":true}}", ERR_BAD_TYPE, "options.num_predict"},
      {&dialect_ollama, "{\"format\":7}", ERR_BAD_TYPE, "format"},
      {&dialect_ollama, "{\"format\":\"xml\"}", ERR_BAD_VALUE, "format"},
      {&dialect_ollama, "{\"think\":7}", ERR_BAD_TYPE, "think"},
      {&dialect_ollama, "{\"logprobs\":7}", ERR_BAD_TYPE, "logprobs"},
      {&dialect_ollama_generate, "{\"prompt\":7}", ERR_BAD_TYPE, "prompt"},
      {&dialect_ollama_generate, "{\"system\":7}", ERR_BAD_TYPE, "system"},
      {&dialect_ollama_generate, "{\"suffix\":7}", ERR_BAD_TYPE, "suffix"},
      {&dialect_ollama_generate, "{\"images\":[\"\"]}", ERR_BAD_VALUE, "images[0]"},
      {&dialect_ollama, "[]", ERR_BAD_TYPE, ""},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct rig t;
    rig_init(&t);
    enum err e = rig_decode(&t, rows[i].d, rows[i].body);
    if (e != rows[i].e || strcmp(t.info.param, rows[i].path)) print_error("%s: %d %s\n", rows[i].body, e, t.info.param);
    assert_int_equal(e, rows[i].e);
    assert_string_equal(t.info.param, rows[i].path);
    rig_clear(&t);
  }
}

TEST(documents_in_results_are_refused) {
  struct rig t;
  rig_init(&t);
  struct media file = {.mime = STR("application/pdf"), .data = STR("AAAA")};
  struct request_part in = {.kind = PART_DOCUMENT, .media = &file};
  struct request_part result = {.kind = PART_TOOL_RESULT, .call_id = STR("a"), .results = &in, .result_count = 1};
  struct request_item item = {.role = ROLE_USER, .parts = &result, .part_count = 1};
  t.request.items = &item;
  t.request.item_count = 1;
  assert_int_equal(rig_encode(&t, chat), ERR_UNSUPPORTED);
  assert_string_equal(t.info.param, "messages[0].content[0]");
  rig_clear(&t);
}

/* ---- the envelope ---- */

static enum err read_envelope(struct rig *t, const struct dialect *d, const char *body, struct dialect_request *out,
                              struct envelope_scan *scan) {
  enum err e = envelope_scan_whole(scan, d->request_table(), NULL, &t->arena, str_from_c(body), &t->info);
  return e ? e : d->read_request(&t->arena, str_from_c(body), scan, out, &t->info);
}

TEST(streams_are_the_default) {
  static const struct {
    const char *body;
    bool is_stream;
    int64_t max_tokens;
  } rows[] = {
      {"{\"model\":\"m\"}", true, -1},
      {"{\"model\":\"m\",\"stream\":null,\"options\":null}", true, -1},
      {"{\"model\":\"m\",\"stream\":false,\"options\":{\"num_predict\":12}}", false, 12},
      {"{\"model\":\"m\",\"stream\":true,\"options\":{\"num_predict\":-1}}", true, -1},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct rig t;
    struct dialect_request r;
    struct envelope_scan scan;
    rig_init(&t);
    assert_int_equal(read_envelope(&t, chat, rows[i].body, &r, &scan), OK);
    assert_true(r.operation == LLM_GENERATE && r.is_stream == rows[i].is_stream && r.max_tokens == rows[i].max_tokens);
    assert_int_equal(read_envelope(&t, generate, rows[i].body, &r, &scan), OK);
    assert_true(r.operation == LLM_COMPLETE && r.is_stream == rows[i].is_stream && r.wants_usage);
    assert_int_equal(read_envelope(&t, &dialect_ollama_embed, rows[i].body, &r, &scan), OK);
    assert_true(r.operation == LLM_EMBED && !r.is_stream);
    rig_clear(&t);
  }
}

TEST(envelopes_that_are_refused) {
  static const struct {
    const char *body;
    enum err e;
    const char *path;
  } rows[] = {
      {"{}", ERR_MISSING, "model"},
      {"{\"model\":\"\"}", ERR_BAD_VALUE, "model"},
      {"{\"model\":\"a\\u0001\"}", ERR_BAD_VALUE, "model"},
      {"{\"model\":\"m\",\"stream\":1}", ERR_BAD_TYPE, "stream"},
      {"{\"model\":\"m\",\"maestro\":1}", ERR_BAD_TYPE, "maestro"},
      {"{\"model\":\"m\",\"options\":1}", ERR_BAD_TYPE, "options"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct rig t;
    struct dialect_request r;
    struct envelope_scan scan;
    rig_init(&t);
    assert_int_equal(read_envelope(&t, chat, rows[i].body, &r, &scan), rows[i].e);
    assert_string_equal(t.info.param, rows[i].path);
    rig_clear(&t);
  }
}

TEST(a_relayed_request_gets_its_model) {
  static const char body[] = "{ \"model\" : \"a\", \"maestro\":{\"x\":1}, \"messages\": [ ] }";
  struct rig t;
  struct dialect_request r;
  struct envelope_scan scan;
  struct envelope_edit edit;
  struct span_list spans;
  const struct dialect_request_edits want = {.model = STR("b\"")};
  rig_init(&t);
  assert_int_equal(read_envelope(&t, chat, body, &r, &scan), OK);
  assert_true(r.wants_receipt);
  assert_str(r.options, STR("{\"x\":1}"));
  envelope_edit_init(&edit, &scan);
  assert_int_equal(chat->edit_request(&t.arena, &want, &edit, &t.info), OK);
  span_list_init(&spans, sizeof body - 1);
  assert_int_equal(envelope_edit_spans(&edit, &t.arena, &spans, &t.info), OK);
  span_apply(&spans, str_from_c(body), &t.text);
  rig_expect_json(&t, "{\"model\":\"b\\\"\",\"messages\":[]}");
  rig_clear(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(chat_comes_back_as_it_was),
      cmocka_unit_test(generate_comes_back_as_it_was),
      cmocka_unit_test(gateway_members_and_a_null_stream_go),
      cmocka_unit_test(calls_and_results_are_paired),
      cmocka_unit_test(images_are_known_by_their_first_bytes),
      cmocka_unit_test(members_mean_what_they_say),
      cmocka_unit_test(what_is_left_out_is_named),
      cmocka_unit_test(anthropic_in_ollamas_words),
      cmocka_unit_test(that_the_model_decides_is_said_by_silence),
      cmocka_unit_test(efforts_have_a_nearest_word),
      cmocka_unit_test(a_turn_of_many_items_is_one_message),
      cmocka_unit_test(generate_says_one_prompt),
      cmocka_unit_test(faults_have_their_path),
      cmocka_unit_test(documents_in_results_are_refused),
      cmocka_unit_test(streams_are_the_default),
      cmocka_unit_test(envelopes_that_are_refused),
      cmocka_unit_test(a_relayed_request_gets_its_model),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
