/* Responses requests: what is read of them, each fault with its path, the same value back in the same dialect, and what
 * other dialects' requests become. Expected bodies follow OpenAI's reference of POST /v1/responses (2026-11). */
#include "dialect/openai_responses/openai_responses.h"

#include <stdio.h>
#include <yyjson.h>

#include "json_equal.h"
#include "llm/signature.h"
#include "unit.h"

static const struct dialect *const d = &dialect_openai_responses;
static struct arena arena;
static struct envelope_scan scan;
static yyjson_doc *doc;

static int setup(void **state) {
  (void)state;
  arena_init(&arena, 0);
  return 0;
}
static int teardown(void **state) {
  (void)state;
  arena_clear(&arena);
  yyjson_doc_free(doc);
  doc = NULL;
  return 0;
}

static enum err decode(const char *body, struct request *r, struct err_info *info) {
  struct dialect_request envelope = {.max_tokens = -1};
  *info = (struct err_info){0};
  yyjson_doc_free(doc);
  doc = yyjson_read(body, strlen(body), YYJSON_READ_NUMBER_AS_RAW);
  assert_non_null(doc);
  envelope.model = json_pool_str(yyjson_doc_get_root(doc), "model");
  envelope.is_stream = yyjson_is_true(yyjson_obj_get(yyjson_doc_get_root(doc), "stream"));
  return d->decode_request(&arena, yyjson_doc_get_root(doc), &envelope, r, info);
}

static void assert_encoded(const struct request *r, const char *want) {
  struct dialect_target target = {.model = r->model, .max_tokens = -1};
  struct err_info info = {0};
  struct buf out;
  buf_init(&out, 0);
  enum err e = d->encode_request(r, &target, &arena, &out, &info);
  if (e) fprintf(stderr, "%s (%s)\n", info.text, info.param);
  assert_int_equal(e, OK);
  assert_json(buf_str(&out), want);
  buf_clear(&out);
}

static enum err read_text(const char *body, struct dialect_request *out, struct err_info *info) {
  *info = (struct err_info){0};
  enum err e = envelope_scan_whole(&scan, d->request_table(), NULL, &arena, str_from_c(body), info);
  return e ? e : d->read_request(&arena, str_from_c(body), &scan, out, info);
}

TEST(the_envelope) {
  struct dialect_request r;
  struct err_info info;
  assert_int_equal(read_text("{\"model\":\"m\",\"input\":\"hi\"}", &r, &info), OK);
  assert_str(r.model, STR("m"));
  assert_true(!r.is_stream && !r.wants_receipt && r.max_tokens == -1 && r.least_tokens == 16);
  assert_int_equal(
      read_text("{\"input\":[],\"stream\":true,\"max_output_tokens\":9,\"maestro\":{\"a\":1},\"model\":\"m\"}", &r,
                &info),
      OK);
  assert_true(r.is_stream && r.wants_receipt && r.max_tokens == 9);
  assert_str(r.options, STR("{\"a\":1}"));
  assert_int_equal(read_text("{\"model\":\"m\",\"previous_response_id\":\"resp_1\"}", &r, &info), OK);
}

TEST(faults_of_the_envelope) {
  static const struct {
    const char *body;
    enum err e;
    const char *param;
  } rows[] = {
      {"{\"input\":\"hi\"}", ERR_MISSING, "model"},
      {"{\"model\":1,\"input\":\"hi\"}", ERR_BAD_TYPE, "model"},
      {"{\"model\":\"\",\"input\":\"hi\"}", ERR_BAD_VALUE, "model"},
      {"{\"model\":\"m\"}", ERR_MISSING, "input"},
      {"{\"model\":\"m\",\"input\":null}", ERR_MISSING, "input"},
      {"{\"model\":\"m\",\"input\":{}}", ERR_BAD_TYPE, "input"},
      {"{\"model\":\"m\",\"input\":\"\",\"stream\":1}", ERR_BAD_TYPE, "stream"},
      {"{\"model\":\"m\",\"input\":\"\",\"max_output_tokens\":\"1\"}", ERR_BAD_TYPE, "max_output_tokens"},
      {"{\"model\":\"m\",\"input\":\"\",\"maestro\":1}", ERR_BAD_TYPE, "maestro"},
      {"{\"model\":\"m\",\"input\":\"\",\"input\":\"\"}", ERR_DUPLICATE_KEY, "input"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct dialect_request r;
    struct err_info info;
    assert_int_equal(read_text(rows[i].body, &r, &info), rows[i].e);
    assert_string_equal(info.param, rows[i].param);
  }
}

TEST(edits_of_a_relayed_request) {
  struct str body = STR("{ \"maestro\":{}, \"model\":\"a\" , \"input\":\"hi\",\"x\":1.50}");
  struct envelope_edit edit;
  struct span_list spans;
  struct err_info info = {0};
  struct buf out;
  assert_int_equal(envelope_scan_whole(&scan, d->request_table(), NULL, &arena, body, &info), OK);
  envelope_edit_init(&edit, &scan);
  span_list_init(&spans, body.n);
  struct dialect_request_edits want = {.model = STR("b"), .ask_usage = true};
  assert_int_equal(d->edit_request(&arena, &want, &edit, &info), OK);
  assert_int_equal(envelope_edit_spans(&edit, &arena, &spans, &info), OK);
  buf_init(&out, 0);
  span_apply(&spans, body, &out);
  assert_json(buf_str(&out), "{\"model\":\"b\",\"input\":\"hi\",\"x\":1.50}");
  buf_clear(&out);
}

#define HEAD "{\"model\":\"m\","

TEST(comes_back_as_it_was) {
  static const char *const rows[] = {
      HEAD "\"input\":\"hi\"}",
      HEAD "\"input\":\"\",\"instructions\":\"\"}",
      HEAD "\"input\":[],\"instructions\":\"be terse\",\"stream\":false}",
      HEAD "\"previous_response_id\":\"resp_1\"}",
      HEAD "\"instructions\":[{\"role\":\"developer\",\"content\":\"a\"}],\"input\":\"b\"}",
      HEAD
      "\"input\":[{\"role\":\"system\",\"content\":\"a\"},{\"type\":\"message\",\"id\":\"msg_1\",\"role\":"
      "\"developer\",\"content\":[{\"type\":\"input_text\",\"text\":\"b\"}]},{\"role\":\"user\",\"content\":null}]}",
      /* an assistant's message: without a type, with a status, a phase, annotations and a part of its own */
      HEAD
      "\"input\":[{\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\",\"text\":\"a\"}]},"
      "{\"type\":\"message\",\"id\":\"msg_2\",\"status\":\"completed\",\"phase\":\"final_answer\",\"role\":"
      "\"assistant\","
      "\"content\":[{\"type\":\"output_text\",\"text\":\"b\",\"annotations\":[],\"logprobs\":[],\"parsed\":null},"
      "{\"type\":\"output_text\",\"text\":\"c\",\"annotations\":[{\"type\":\"url_citation\",\"url\":\"u\"}]},"
      "{\"type\":\"refusal\",\"refusal\":\"no\"},{\"type\":\"of_tomorrow\",\"x\":[1]}]}]}",
      HEAD
      "\"input\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_image\",\"image_url\":\"data:image/"
      "png;base64,QUI=\","
      "\"detail\":\"auto\"},{\"type\":\"input_image\",\"file_id\":\"f\",\"image_url\":null},"
      "{\"type\":\"input_file\",\"filename\":\"a.pdf\",\"file_data\":\"data:application/pdf;base64,QUI=\"},"
      "{\"type\":\"input_file\",\"file_data\":\"QUI=\"},{\"type\":\"input_file\",\"file_url\":\"https://e/x\"},"
      "{\"type\":\"input_audio\",\"input_audio\":{\"data\":\"QUI=\",\"format\":\"mp3\"}}]}]}",
      HEAD
      "\"input\":[{\"type\":\"function_call\",\"id\":\"fc_1\",\"call_id\":\"c1\",\"name\":\"f\",\"namespace\":\"n\","
      "\"arguments\":\"{\\\"a\\\":1.0}\",\"status\":\"completed\"},{\"type\":\"function_call_output\",\"id\":null,"
      "\"call_id\":\"c1\",\"output\":\"\"},{\"type\":\"function_call_output\",\"id\":\"fco_2\",\"call_id\":\"c2\","
      "\"output\":[{\"type\":\"input_text\",\"text\":\"t\"},{\"type\":\"input_image\",\"image_url\":\"https://e\"}]},"
      "{\"type\":\"custom_tool_call\",\"call_id\":\"c3\",\"name\":\"g\",\"input\":\"free {text\"},"
      "{\"type\":\"custom_tool_call_output\",\"call_id\":\"c3\",\"output\":\"x\"}]}",
      HEAD
      "\"input\":[{\"type\":\"reasoning\",\"id\":\"rs_1\",\"summary\":[],\"encrypted_content\":\"AB==\"},"
      "{\"type\":\"reasoning\",\"id\":\"rs_2\",\"summary\":[{\"type\":\"summary_text\",\"text\":\"s\"}],\"content\":"
      "null,"
      "\"encrypted_content\":null,\"status\":null},{\"type\":\"reasoning\",\"summary\":[],\"content\":"
      "[{\"type\":\"reasoning_text\",\"text\":\"r\"}]}]}",
      HEAD
      "\"input\":[{\"type\":\"item_reference\",\"id\":\"msg_1\"},{\"id\":\"msg_2\"},{\"id\":\"msg_3\",\"type\":null},"
      "{\"type\":\"web_search_call\",\"id\":\"ws_1\",\"status\":\"completed\"},{\"type\":\"computer_call_output\","
      "\"call_id\":\"c\",\"output\":{}},{\"type\":\"compaction\",\"encrypted_content\":\"x\"},{\"type\":\"mcp_list_"
      "tools\"}]}",
      HEAD "\"input\":\"\",\"tools\":[]}",
      HEAD
      "\"input\":\"\",\"tools\":[{\"type\":\"function\",\"name\":\"f\",\"description\":\"\",\"parameters\":{\"type\":"
      "\"object\"},\"strict\":true,\"defer_loading\":true},{\"type\":\"function\",\"name\":\"g\",\"parameters\":null,"
      "\"strict\":null},{\"type\":\"custom\",\"name\":\"c\",\"format\":{\"type\":\"text\"}},{\"type\":\"namespace\","
      "\"name\":\"n\",\"description\":\"d\",\"x\":1,\"tools\":[{\"type\":\"function\",\"name\":\"f\"},"
      "{\"type\":\"custom\",\"name\":\"k\"}]},{\"type\":\"namespace\",\"name\":\"empty\",\"tools\":[]},"
      "{\"type\":\"web_search\",\"external_web_access\":true}],\"tool_choice\":{\"type\":\"custom\",\"name\":\"c\"},"
      "\"parallel_tool_calls\":false}",
      HEAD
      "\"input\":\"\",\"tools\":[{\"type\":\"namespace\",\"name\":\"n\",\"x\":1,\"tools\":[{\"type\":\"web_search\"},"
      "{\"type\":\"function\",\"name\":\"f\",\"parameters\":null,\"strict\":null},{\"type\":\"namespace\",\"name\":"
      "\"m\","
      "\"tools\":[{}]}]},{\"type\":\"namespace\",\"name\":\"o\",\"tools\":[{\"type\":\"mcp\"}]}]}",
      HEAD "\"input\":\"\",\"tool_choice\":{\"type\":\"allowed_tools\",\"mode\":\"auto\",\"tools\":[]}}",
      HEAD "\"input\":\"\",\"tool_choice\":{\"type\":\"function\",\"name\":\"f\",\"x\":1}}",
      HEAD
      "\"input\":\"\",\"tool_choice\":\"required\",\"text\":{\"format\":{\"type\":\"json_schema\",\"name\":\"n\","
      "\"schema\":{\"type\":\"object\"},\"strict\":false,\"x\":1},\"verbosity\":\"low\",\"y\":null}}",
      HEAD "\"input\":\"\",\"text\":{}}",
      HEAD "\"input\":\"\",\"text\":{\"format\":null},\"reasoning\":{}}",
      HEAD
      "\"input\":\"\",\"text\":{\"format\":{\"type\":\"text\"}},\"reasoning\":{\"effort\":\"none\",\"summary\":null,"
      "\"generate_summary\":\"auto\"}}",
      HEAD "\"input\":\"\",\"text.format\":1,\"reasoning.x\":2,\"text\":{\"x\":3}}",
      HEAD
      "\"input\":\"\",\"temperature\":1e-2,\"top_p\":0.50,\"max_output_tokens\":10,\"top_logprobs\":2,\"store\":false,"
      "\"include\":[\"reasoning.encrypted_content\",\"web_search_call.results\"],\"metadata\":{\"a\":\"b\"},"
      "\"user\":\"\",\"service_tier\":\"flex\",\"prompt_cache_key\":\"k\",\"truncation\":\"auto\",\"background\":true,"
      "\"max_tool_calls\":3,\"client_metadata\":{\"x\":[1,2.0]},\"safety_identifier\":\"s\",\"conversation\":null}",
      HEAD "\"input\":\"\",\"include\":[],\"store\":null,\"metadata\":null,\"tools\":null,\"stream\":true}",
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct request r;
    struct err_info info;
    enum err e = decode(rows[i], &r, &info);
    if (e) fprintf(stderr, "%s: %s (%s)\n", rows[i], info.text, info.param);
    assert_int_equal(e, OK);
    assert_encoded(&r, rows[i]);
  }
}

TEST(each_fault_has_its_path) {
#define ITEM(json) HEAD "\"input\":[" json "]}"
#define PART(json) ITEM("{\"role\":\"user\",\"content\":[" json "]}")
#define WITH(json) HEAD "\"input\":\"\"," json "}"
  static const struct {
    const char *body;
    enum err e;
    const char *param;
  } rows[] = {
      {HEAD "\"input\":1}", ERR_BAD_TYPE, "input"},
      {WITH("\"instructions\":{}"), ERR_BAD_TYPE, "instructions"},
      {WITH("\"instructions\":[1]"), ERR_BAD_TYPE, "instructions[0]"},
      {ITEM("1"), ERR_BAD_TYPE, "input[0]"},
      {ITEM("{}"), ERR_MISSING, "input[0].type"},
      {ITEM("{\"type\":1}"), ERR_BAD_TYPE, "input[0].type"},
      {ITEM("{\"role\":1,\"content\":\"\"}"), ERR_BAD_TYPE, "input[0].role"},
      {ITEM("{\"role\":\"tool\",\"content\":\"\"}"), ERR_BAD_VALUE, "input[0].role"},
      {ITEM("{\"role\":\"user\"}"), ERR_MISSING, "input[0].content"},
      {ITEM("{\"role\":\"user\",\"content\":1}"), ERR_BAD_TYPE, "input[0].content"},
      {ITEM("{\"role\":\"user\",\"content\":\"\",\"id\":1}"), ERR_BAD_TYPE, "input[0].id"},
      {ITEM("{\"role\":\"user\",\"role\":\"user\",\"content\":\"\"}"), ERR_DUPLICATE_KEY, "input[0].role"},
      {PART("1"), ERR_BAD_TYPE, "input[0].content[0]"},
      {PART("{}"), ERR_MISSING, "input[0].content[0].type"},
      {PART("{\"type\":\"input_text\"}"), ERR_MISSING, "input[0].content[0].text"},
      {PART("{\"type\":\"input_text\",\"text\":1}"), ERR_BAD_TYPE, "input[0].content[0].text"},
      {PART("{\"type\":\"refusal\",\"refusal\":1}"), ERR_BAD_TYPE, "input[0].content[0].refusal"},
      {PART("{\"type\":\"input_image\"}"), ERR_MISSING, "input[0].content[0].image_url"},
      {PART("{\"type\":\"input_image\",\"image_url\":{}}"), ERR_BAD_TYPE, "input[0].content[0].image_url"},
      {PART("{\"type\":\"input_file\"}"), ERR_MISSING, "input[0].content[0].file_data"},
      {PART("{\"type\":\"input_audio\"}"), ERR_MISSING, "input[0].content[0].input_audio"},
      {PART("{\"type\":\"input_audio\",\"input_audio\":{\"data\":\"\"}}"), ERR_MISSING,
       "input[0].content[0].input_audio.format"},
      {ITEM("{\"type\":\"function_call\",\"name\":\"f\",\"arguments\":\"\"}"), ERR_MISSING, "input[0].call_id"},
      {ITEM("{\"type\":\"function_call\",\"call_id\":\"c\",\"name\":\"f\",\"arguments\":{}}"), ERR_BAD_TYPE,
       "input[0].arguments"},
      {ITEM("{\"type\":\"custom_tool_call\",\"call_id\":\"c\",\"name\":\"f\"}"), ERR_MISSING, "input[0].input"},
      {ITEM("{\"type\":\"function_call_output\",\"call_id\":\"c\"}"), ERR_MISSING, "input[0].output"},
      {ITEM("{\"type\":\"function_call_output\",\"call_id\":\"c\",\"output\":[{\"type\":\"input_text\"}]}"),
       ERR_MISSING, "input[0].output[0].text"},
      {ITEM("{\"type\":\"reasoning\",\"summary\":1}"), ERR_BAD_TYPE, "input[0].summary"},
      {ITEM("{\"type\":\"reasoning\",\"summary\":[1]}"), ERR_BAD_TYPE, "input[0].summary[0]"},
      {ITEM("{\"type\":\"reasoning\",\"content\":[{\"text\":1}]}"), ERR_BAD_TYPE, "input[0].content[0].text"},
      {ITEM("{\"type\":\"reasoning\",\"encrypted_content\":1}"), ERR_BAD_TYPE, "input[0].encrypted_content"},
      {WITH("\"tools\":{}"), ERR_BAD_TYPE, "tools"},
      {WITH("\"tools\":[1]"), ERR_BAD_TYPE, "tools[0]"},
      {WITH("\"tools\":[{}]"), ERR_MISSING, "tools[0].type"},
      {WITH("\"tools\":[{\"type\":\"function\"}]"), ERR_MISSING, "tools[0].name"},
      {WITH("\"tools\":[{\"type\":\"function\",\"name\":\"f\",\"parameters\":1}]"), ERR_BAD_TYPE,
       "tools[0].parameters"},
      {WITH("\"tools\":[{\"type\":\"namespace\",\"tools\":[{\"type\":\"custom\"}]}]"), ERR_MISSING, "tools[0].name"},
      {WITH("\"tools\":[{\"type\":\"namespace\",\"name\":\"n\",\"tools\":[{\"type\":\"custom\"}]}]"), ERR_MISSING,
       "tools[0].tools[0].name"},
      {WITH("\"tool_choice\":1"), ERR_BAD_TYPE, "tool_choice"},
      {WITH("\"tool_choice\":\"any\""), ERR_BAD_VALUE, "tool_choice"},
      {WITH("\"tool_choice\":{}"), ERR_MISSING, "tool_choice.type"},
      {WITH("\"tool_choice\":{\"type\":\"function\"}"), ERR_MISSING, "tool_choice.name"},
      {WITH("\"text\":1"), ERR_BAD_TYPE, "text"},
      {WITH("\"text\":{\"format\":{}}"), ERR_MISSING, "text.format.type"},
      {WITH("\"text\":{\"format\":{\"type\":\"xml\"}}"), ERR_BAD_VALUE, "text.format.type"},
      {WITH("\"text\":{\"format\":{\"type\":\"json_schema\"}}"), ERR_MISSING, "text.format.schema"},
      {WITH("\"reasoning\":[]"), ERR_BAD_TYPE, "reasoning"},
      {WITH("\"reasoning\":{\"effort\":1}"), ERR_BAD_TYPE, "reasoning.effort"},
      {WITH("\"include\":\"x\""), ERR_BAD_TYPE, "include"},
      {WITH("\"include\":[1]"), ERR_BAD_TYPE, "include[0]"},
      {WITH("\"store\":1"), ERR_BAD_TYPE, "store"},
      {WITH("\"temperature\":\"1\""), ERR_BAD_TYPE, "temperature"},
      {WITH("\"metadata\":1"), ERR_BAD_TYPE, "metadata"},
      {WITH("\"user\":1"), ERR_BAD_TYPE, "user"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct request r = {.item_count = 77};
    struct err_info info;
    enum err e = decode(rows[i].body, &r, &info);
    if (e != rows[i].e || strcmp(info.param, rows[i].param) != 0)
      fprintf(stderr, "%s: %d, %s (%s)\n", rows[i].body, (int)e, info.text, info.param);
    assert_int_equal(e, rows[i].e);
    assert_string_equal(info.param, rows[i].param);
    assert_int_equal(r.item_count, 77);
  }
}

TEST(what_a_request_means) {
  struct request r;
  struct err_info info;
  assert_int_equal(
      decode(
          HEAD
          "\"instructions\":\"sys\",\"input\":[{\"role\":\"user\",\"content\":\"q\"},"
          "{\"type\":\"function_call\",\"call_id\":\"c\",\"name\":\"f\",\"namespace\":\"n\",\"arguments\":\"{\"},"
          "{\"type\":\"function_call_output\",\"call_id\":\"c\",\"output\":\"r\"}],\"reasoning\":{\"effort\":\"high\","
          "\"summary\":\"auto\"},\"text\":{\"format\":{\"type\":\"json_object\"}},\"include\":"
          "[\"message.output_text.logprobs\"],\"tools\":[{\"type\":\"namespace\",\"name\":\"n\",\"tools\":"
          "[{\"type\":\"function\",\"name\":\"f\",\"strict\":true}]}]}",
          &r, &info),
      OK);
  assert_int_equal(r.item_count, 4);
  assert_int_equal(r.items[0].role, ROLE_SYSTEM);
  assert_int_equal(r.items[0].source, UINT32_MAX);
  assert_str(r.items[0].parts[0].text, STR("sys"));
  assert_int_equal(r.items[2].role, ROLE_ASSISTANT);
  const struct request_part *call = r.items[2].parts;
  assert_int_equal(call->kind, PART_TOOL_CALL);
  assert_str(call->namespace, STR("n"));
  assert_false(call->is_args_valid);
  assert_int_equal(r.items[3].role, ROLE_TOOL);
  assert_true(r.items[3].parts[0].is_result_plain);
  assert_str(r.items[3].parts[0].results[0].text, STR("r"));
  assert_int_equal(r.reasoning.enabled, 1);
  assert_int_equal(r.reasoning.visible, 1);
  assert_int_equal(r.format, FORMAT_JSON_OBJECT);
  assert_int_equal(r.logprobs, 1);
  assert_int_equal(r.tool_count, 1);
  assert_str(r.tools[0].namespace, STR("n"));
  assert_int_equal(r.tools[0].strict, 1);
}

TEST(what_only_openai_can_say_is_refused_elsewhere) {
  static const struct {
    const char *member, *param;
  } rows[] = {{"\"background\":true", "background"},
              {"\"conversation\":\"conv_1\"", "conversation"},
              {"\"prompt\":{\"id\":\"pmpt_1\"}", "prompt"},
              {"\"previous_response_id\":\"resp_1\"", "previous_response_id"},
              {"\"tool_choice\":{\"type\":\"allowed_tools\"}", "tool_choice"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct request r;
    struct err_info info;
    struct caps_dropped dropped;
    caps_dropped_init(&dropped);
    assert_int_equal(decode(arena_printf(&arena, HEAD "\"input\":\"\",%s}", rows[i].member).p, &r, &info), OK);
    assert_int_equal(caps_check(&r, STR("other"), d->caps, &d->words, &dropped, &info), ERR_UNSUPPORTED);
    assert_string_equal(info.param, rows[i].param);
    caps_dropped_clear(&dropped);
  }
  struct request r;
  struct err_info info;
  struct caps_dropped dropped;
  caps_dropped_init(&dropped);
  assert_int_equal(decode(HEAD "\"background\":false,\"input\":[{\"role\":\"user\",\"content\":\"\"},{\"type\":"
                               "\"item_reference\",\"id\":\"x\"}]}",
                          &r, &info),
                   OK);
  assert_int_equal(caps_check(&r, STR("other"), d->caps, &d->words, &dropped, &info), ERR_UNSUPPORTED);
  assert_string_equal(info.param, "input[1]");
  caps_dropped_clear(&dropped);
}

/* Thinking of another dialect, as this one's callers send it back. */
TEST(foreign_thinking_comes_back_to_its_maker_only) {
  struct request r;
  struct err_info info;
  struct buf slot;
  struct signature s = {STR("SIG"), STR("anthropic")}, redacted = {STR("DATA"), STR("anthropic_redacted")};
  buf_init(&slot, 0);
  buf_put(&slot, STR(HEAD "\"input\":[{\"type\":\"reasoning\",\"summary\":[{\"type\":\"summary_text\",\"text\":\"a\"},"
                          "{\"type\":\"summary_text\",\"text\":\"b\"}],\"encrypted_content\":\""));
  signature_put(&slot, &s, STR("openai_responses"));
  buf_put(&slot, STR("\"},{\"type\":\"reasoning\",\"summary\":[],\"encrypted_content\":\""));
  signature_put(&slot, &redacted, STR("openai_responses"));
  buf_put(&slot, STR("\"}]}"));
  buf_put_char(&slot, 0);
  assert_int_equal(decode(slot.p, &r, &info), OK);
  assert_int_equal(r.items[0].part_count, 1);
  assert_int_equal(r.items[0].parts[0].kind, PART_REASONING);
  assert_str(r.items[0].parts[0].text, STR("ab"));
  assert_str(r.items[0].parts[0].signature.bytes, STR("SIG"));
  assert_str(r.items[0].parts[0].signature.origin, STR("anthropic"));
  assert_int_equal(r.items[1].parts[0].kind, PART_REDACTED);
  assert_str(r.items[1].parts[0].signature.bytes, STR("DATA"));
  assert_str(r.items[1].parts[0].signature.origin, STR("anthropic"));
  assert_encoded(&r, HEAD "\"input\":[]}"); /* not to OpenAI */
  buf_clear(&slot);
}

/* ---- of other dialects ---- */

static struct request foreign(struct request_item *items, size_t n) {
  struct request r;
  request_init(&r, STR("anthropic"), LLM_GENERATE);
  r.model = STR("m");
  r.items = items;
  r.item_count = n;
  return r;
}

#define TEXT_PART(t) \
  { .kind = PART_TEXT, .text = STR(t) }

TEST(a_conversation_of_another_dialect) {
  struct request_part system[] = {TEXT_PART("a"), TEXT_PART("b")}, user[] = {TEXT_PART("q")},
                      image[] = {TEXT_PART("Error: no"),
                                 {.kind = PART_IMAGE,
                                  .media = &(struct media){.mime = STR("image/png"), .data = STR("QUI=")}}},
                      plain[] = {TEXT_PART("failed")};
  struct request_part assistant[] = {
      {.kind = PART_REASONING, .text = STR("hm"), .signature = {STR("S"), STR("anthropic")}},
      {.kind = PART_REASONING, .text = STR("sum"), .signature = {STR("ENC"), STR("openai_responses")}},
      TEXT_PART("text"),
      {.kind = PART_TOOL_CALL, .call_id = STR("c1"), .name = STR("f"), .text = STR("{}"), .is_args_valid = true},
      {.kind = PART_SERVER_TOOL},
      {.kind = PART_TOOL_CALL, .call_id = STR("c2"), .name = STR("g")},
      TEXT_PART("after")};
  struct request_part results[] = {
      {.kind = PART_TOOL_RESULT, .call_id = STR("c1"), .results = image, .result_count = 2},
      {.kind = PART_TOOL_RESULT, .call_id = STR("c2"), .results = plain, .result_count = 1, .is_error = true},
      TEXT_PART("go on")};
  struct request_item items[] = {
      {.role = ROLE_SYSTEM, .source = UINT32_MAX, .form = CONTENT_ARRAY, .parts = system, .part_count = 2},
      {.role = ROLE_USER, .form = CONTENT_STRING, .parts = user, .part_count = 1},
      {.role = ROLE_SYSTEM, .source = 1, .form = CONTENT_STRING, .parts = user, .part_count = 1},
      {.role = ROLE_ASSISTANT, .source = 2, .form = CONTENT_ARRAY, .parts = assistant, .part_count = 7},
      {.role = ROLE_USER, .source = 3, .form = CONTENT_ARRAY, .parts = results, .part_count = 3}};
  struct request r = foreign(items, 5);
  assert_encoded(
      &r, HEAD
      "\"store\":false,\"instructions\":\"a\\n\\nb\",\"input\":["
      "{\"type\":\"message\",\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"q\"}]},"
      "{\"type\":\"message\",\"role\":\"system\",\"content\":[{\"type\":\"input_text\",\"text\":\"q\"}]},"
      "{\"type\":\"reasoning\",\"summary\":[{\"type\":\"summary_text\",\"text\":\"sum\"}],\"encrypted_content\":"
      "\"ENC\"},"
      "{\"type\":\"message\",\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\",\"text\":\"text\"}]},"
      "{\"type\":\"function_call\",\"call_id\":\"c1\",\"name\":\"f\",\"arguments\":\"{}\"},"
      "{\"type\":\"function_call\",\"call_id\":\"c2\",\"name\":\"g\",\"arguments\":\"{}\"},"
      "{\"type\":\"message\",\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\",\"text\":\"after\"}]},"
      "{\"type\":\"function_call_output\",\"call_id\":\"c1\",\"output\":[{\"type\":\"input_text\",\"text\":\"Error: "
      "no\"},"
      "{\"type\":\"input_image\",\"image_url\":\"data:image/png;base64,QUI=\",\"detail\":\"auto\"}]},"
      "{\"type\":\"function_call_output\",\"call_id\":\"c2\",\"output\":\"Error: failed\"},"
      "{\"type\":\"message\",\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"go on\"}]}]}");
}

TEST(members_of_another_dialect) {
  struct request_tool tools[] = {{.kind = TOOL_FUNCTION, .name = STR("f"), .strict = -1},
                                 {.kind = TOOL_HOSTED, .name = STR("web")}};
  struct request r = foreign(NULL, 0);
  yyjson_doc *schema = yyjson_read("{\"type\":\"object\"}", 17, 0);
  yyjson_doc *metadata = yyjson_read("{\"user_id\":1}", 13, YYJSON_READ_NUMBER_AS_RAW);
  r.is_stream = true;
  r.tools = tools;
  r.tool_count = 2;
  r.tool_choice = TOOL_CHOICE_NAMED;
  r.tool_choice_name = STR("f");
  r.format = FORMAT_JSON_SCHEMA;
  r.format_schema = yyjson_doc_get_root(schema);
  r.reasoning.enabled = 1;
  r.reasoning.budget_tokens = 8192;
  r.max_tokens = STR("100");
  r.temperature = STR("1e0");
  r.metadata = yyjson_doc_get_root(metadata); /* not in OpenAI's form */
  r.service_tier = STR("standard_only");      /* not OpenAI's word */
  assert_encoded(&r, HEAD
                 "\"store\":false,\"stream\":true,\"input\":[],\"tools\":[{\"type\":\"function\",\"name\":\"f\","
                 "\"strict\":false}],\"tool_choice\":{\"type\":\"function\",\"name\":\"f\"},\"text\":{\"format\":"
                 "{\"type\":\"json_schema\",\"name\":\"response\",\"schema\":{\"type\":\"object\"},\"strict\":false}},"
                 "\"reasoning\":{\"effort\":\"medium\",\"summary\":\"auto\"},\"include\":"
                 "[\"reasoning.encrypted_content\"],\"max_output_tokens\":100,\"temperature\":1e0}");
  yyjson_doc_free(schema);
  yyjson_doc_free(metadata);
}

TEST(documents_of_another_dialect) {
  struct request_part parts[] = {
      {.kind = PART_DOCUMENT, .media = &(struct media){.text = STR("Hi"), .name = STR("a.txt")}},
      {.kind = PART_DOCUMENT, .media = &(struct media){.mime = STR("application/pdf"), .data = STR("QUI=")}},
      {.kind = PART_DOCUMENT, .media = &(struct media){.url = STR("https://e/x.pdf")}}};
  struct request_item items[] = {{.role = ROLE_USER, .form = CONTENT_ARRAY, .parts = parts, .part_count = 3}};
  struct request r = foreign(items, 1);
  assert_encoded(
      &r, HEAD
      "\"store\":false,\"input\":[{\"type\":\"message\",\"role\":\"user\",\"content\":["
      "{\"type\":\"input_file\",\"filename\":\"a.txt\",\"file_data\":\"data:text/plain;base64,SGk=\"},"
      "{\"type\":\"input_file\",\"filename\":\"document.pdf\",\"file_data\":\"data:application/pdf;base64,QUI=\"},"
      "{\"type\":\"input_file\",\"file_url\":\"https://e/x.pdf\"}]}]}");
}

TEST(an_error_is_openais) {
  struct err_info info = {.param = "input[0].role"};
  struct buf out;
  buf_init(&out, 0);
  d->put_error(&out, err_set_param(&info, ERR_BAD_VALUE, "input[0].role", "no"), &info);
  assert_json(buf_str(&out),
              "{\"error\":{\"message\":\"no\",\"type\":\"invalid_request_error\",\"param\":"
              "\"input[0].role\",\"code\":\"invalid_value\"}}");
  buf_clear(&out);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void) {
  const struct CMUnitTest tests[] = {
      T(the_envelope),
      T(faults_of_the_envelope),
      T(edits_of_a_relayed_request),
      T(comes_back_as_it_was),
      T(each_fault_has_its_path),
      T(what_a_request_means),
      T(what_only_openai_can_say_is_refused_elsewhere),
      T(foreign_thinking_comes_back_to_its_maker_only),
      T(a_conversation_of_another_dialect),
      T(members_of_another_dialect),
      T(documents_of_another_dialect),
      T(an_error_is_openais),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
