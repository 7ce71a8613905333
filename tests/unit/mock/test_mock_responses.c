/* OpenAI's Responses, completions and embeddings byte for byte: the shapes of the vendor's types (client 6.49,
 * 2026-11). What the SDK makes of them is in tests/integration/mock_openai_*.test.js. */
#include "mock_rig.h"

RIG_GROUP(.seed = 1, .record = true)

#define RESPONSES "/v1/responses"
#define ID "#############################" /* 29 characters */
#define ASK(model, more) "{\"model\":\"" model "\",\"input\":\"hello\"" more "}"
#define OBJECT(model, status, incomplete, output, store, tier, usage)                                             \
  "{\"id\":\"resp_" ID "\",\"object\":\"response\",\"created_at\":##########,\"status\":\"" status                \
  "\",\"background\":false,\"error\":null,\"incomplete_details\":" incomplete                                     \
  ",\"instructions\":null,\"max_output_tokens\":null,\"max_tool_calls\":null,\"model\":\"" model                  \
  "\",\"output\":[" output                                                                                        \
  "],\"parallel_tool_calls\":true,\"previous_response_id\":null,\"prompt_cache_key\":null,\"reasoning\":{"        \
  "\"effort\":null,\"summary\":null},\"safety_identifier\":null,\"store\":" store                                 \
  ",\"temperature\":1.0,\"text\":{\"format\":{\"type\":\"text\"},\"verbosity\":\"medium\"},\"tool_choice\":"      \
  "\"auto\",\"tools\":[],\"top_logprobs\":0,\"top_p\":1.0,\"truncation\":\"disabled\",\"user\":null,\"metadata\"" \
  ":{},\"service_tier\":\"" tier "\",\"usage\":" usage "}"
#define USAGE(input, output, sum)                                                                      \
  "{\"input_tokens\":" input                                                                           \
  ",\"input_tokens_details\":{\"cached_tokens\":0,\"cache_write_tokens\":0},\"output_tokens\":" output \
  ",\"output_tokens_details\":{\"reasoning_tokens\":0},\"total_tokens\":" sum "}"
#define PART(text) "{\"type\":\"output_text\",\"annotations\":[],\"logprobs\":[],\"text\":\"" text "\"}"
#define MESSAGE(status, content)                                                                 \
  "{\"id\":\"msg_" ID "0\",\"type\":\"message\",\"status\":\"" status "\",\"content\":[" content \
  "],\"role\":\"assistant\"}"

TEST(a_whole_answer) {
  assert_post(&rig, RESPONSES, ASK("echo", ""), 200,
              OBJECT("echo", "completed", "null", MESSAGE("completed", PART("hello")), "true", "default",
                     USAGE("2", "2", "4")) "\n");
  assert_post(&rig, RESPONSES, ASK("length+no-usage+chunks-1", ",\"store\":false"), 200,
              OBJECT("length+no-usage+chunks-1", "incomplete", "{\"reason\":\"max_output_tokens\"}",
                     MESSAGE("incomplete", PART("########")), "false", "default", "null") "\n");
}

#define EVENT(name, number, rest) \
  "event: " name "\ndata: {\"type\":\"" name "\",\"sequence_number\":" number rest "}\n\n"
#define BEGUN(model) ",\"response\":" OBJECT(model, "in_progress", "null", "", "true", "auto", "null")
#define AT ",\"item_id\":\"msg_" ID "0\",\"output_index\":0,\"content_index\":0"
#define STREAM ",\"stream\":true"

TEST(a_stream) {
  assert_post(&rig, RESPONSES, ASK("echo+chunks-2+obfuscation", STREAM), 200,
              EVENT("response.created", "0", BEGUN("echo+chunks-2+obfuscation"))
                  EVENT("response.in_progress", "1", BEGUN("echo+chunks-2+obfuscation")) EVENT(
                      "response.output_item.added", "2", ",\"output_index\":0,\"item\":" MESSAGE("in_progress", ""))
                      EVENT("response.content_part.added", "3", AT ",\"part\":" PART(""))
                          EVENT("response.output_text.delta", "4",
                                AT ",\"delta\":\"he\",\"logprobs\":[],\"obfuscation\":\"######\"")
                              EVENT("response.output_text.delta", "5",
                                    AT ",\"delta\":\"llo\",\"logprobs\":[],\"obfuscation\":\"######\"")
                                  EVENT("response.output_text.done", "6", AT ",\"logprobs\":[],\"text\":\"hello\"")
                                      EVENT("response.content_part.done", "7", AT ",\"part\":" PART("hello"))
                                          EVENT("response.output_item.done", "8",
                                                ",\"output_index\":0,\"item\":" MESSAGE("completed", PART("hello")))
                                              EVENT("response.completed", "9",
                                                    ",\"response\":" OBJECT("echo+chunks-2+obfuscation", "completed",
                                                                            "null", MESSAGE("completed", PART("hello")),
                                                                            "true", "default", USAGE("2", "2", "4"))));
}

static void assert_stream_has(const char *body, const char *text) { assert_post_has(&rig, RESPONSES, body, 200, text); }

#define FUNCTION "{\"type\":\"function\",\"name\":\"f\",\"parameters\":{}}"

TEST(calls) {
  assert_post_has(&rig, RESPONSES, ASK("tool", ",\"tools\":[" FUNCTION "]"), 200,
                  "\"type\":\"function_call\",\"status\":\"completed\",\"arguments\":\"{}\",\"call_id\":\"call_");
  assert_stream_has(ASK("tool", STREAM ",\"tools\":[" FUNCTION "]"),
                    "event: response.function_call_arguments.done\ndata: {\"type\":\"response.function_call_arguments."
                    "done\",\"sequence_number\":5,\"item_id\":\"fc_");
  assert_stream_has(ASK("tool", STREAM ",\"tools\":[{\"type\":\"custom\",\"name\":\"c\"}]"),
                    "\",\"output_index\":0,\"input\":\"mock \\\"input\\\"\\nof two lines\"}\n\n");
  assert_post_has(&rig, RESPONSES,
                  ASK("tool", ",\"tools\":[{\"type\":\"namespace\",\"name\":\"n\",\"tools\":[" FUNCTION "]}]"), 200,
                  "\"name\":\"f\",\"namespace\":\"n\"}");
  assert_post_has(&rig, RESPONSES, ASK("tool", ",\"tools\":[{\"type\":\"web_search\"}]"), 200,
                  "The request offers no tools.");
}

/* Reasoning takes output_index 0 whether or not it shows a summary. */
TEST(reasoning) {
  assert_stream_has(
      ASK("thinking", STREAM ",\"reasoning\":{\"summary\":\"auto\"}"),
      "data: {\"type\":\"response.reasoning_summary_part.added\",\"sequence_number\":3,\"item_id\":\"rs_");
  assert_stream_has(ASK("thinking", STREAM),
                    "\"type\":\"reasoning\",\"summary\":[]}}\n\nevent: response.output_item.done\n");
  assert_stream_has(ASK("thinking", STREAM), "\"output_index\":1,\"content_index\":0,\"delta\":");
  assert_stream_has(ASK("thinking-redacted", STREAM ",\"include\":[\"reasoning.encrypted_content\"]"),
                    "\"summary\":[],\"encrypted_content\":\"gAAAAABm");
}

TEST(faults_of_streams) {
  assert_stream_has(
      ASK("stream-error", STREAM),
      "event: error\ndata: {\"type\":\"error\",\"sequence_number\":6,\"code\":\"server_error\",\"message\":\"");
  assert_stream_has(ASK("stream-failed", STREAM), "\"status\":\"failed\",\"background\":false,\"error\":{\"code\":\"");
  assert_stream_has(ASK("garbage-json", STREAM), "\"delta\":\n\n");
  assert_post_has(&rig, RESPONSES, ASK("stream-failed", ""), 500, "\"type\": \"server_error\"");
}

/* Not one of them may crash, and each is the client's fault. */
TEST(broken_requests) {
  static const char *const bodies[] = {
      "",
      "{",
      "[]",
      "{}",
      "{\"model\":\"m\"}",
      "{\"input\":\"x\"}",
      "{\"model\":\"m\",\"input\":null}",
      "{\"model\":\"m\",\"input\":[1]}",
      "{\"model\":\"m\",\"input\":[[]]}",
      "{\"model\":\"m\",\"input\":[{}]}",
      "{\"model\":\"m\",\"input\":[{\"role\":\"user\"}]}",
      "{\"model\":\"m\",\"input\":[{\"role\":1,\"content\":2}]}",
      "{\"model\":\"m\",\"input\":[{\"role\":\"user\",\"content\":[1]}]}",
      "{\"model\":\"m\",\"input\":[{\"type\":\"function_call_output\",\"call_id\":1,\"output\":\"x\"}]}",
      "{\"model\":\"m\",\"input\":[{\"type\":\"reasoning\",\"summary\":[],\"encrypted_content\":\"\"}]}",
      "{\"model\":\"m\",\"input\":\"x\",\"tools\":[1]}",
      "{\"model\":\"m\",\"previous_response_id\":\"\"}",
      "{\"model\":\"m\",\"input\":\"[[mock:nothing]]\"}"};
  for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
    struct reply r = rig_post(&rig, RESPONSES, bodies[i]);
    if (r.status != 400 && r.status != 404) print_message("%s gave %d\n", bodies[i], r.status);
    assert_true(r.status == 400 || r.status == 404);
    assert_true(str_has_prefix(buf_str(&r.body), STR("{\n    \"error\": {\n        \"message\": \"")));
    reply_clear(&r);
  }
}

/* Both sides of a call, in any order of many. */
TEST(pairs_of_many_calls) {
  struct buf body;
  buf_init(&body, 0);
  buf_printf(&body, "{\"model\":\"m\",\"input\":[{\"role\":\"user\",\"content\":\"x\"}");
  for (int i = 0; i < 3000; i++)
    buf_printf(&body, ",{\"type\":\"function_call\",\"call_id\":\"c%d\",\"name\":\"f\",\"arguments\":\"{}\"}",
               i * 7919 % 3000);
  for (int i = 0; i < 2999; i++)
    buf_printf(&body, ",{\"type\":\"function_call_output\",\"call_id\":\"c%d\",\"output\":\"r%d\"}", i, i);
  size_t without = body.n;
  buf_printf(&body, "]}");
  buf_put_char(&body, 0);
  assert_post_has(&rig, RESPONSES, body.p, 400, "No tool output found for function call c2999.");
  body.n = without;
  buf_printf(&body, ",{\"type\":\"function_call_output\",\"call_id\":\"c2999\",\"output\":\"last\"}]}");
  buf_put_char(&body, 0);
  assert_post_has(&rig, RESPONSES, body.p, 200, "\"text\":\"last\"");
  buf_clear(&body);
}

TEST(a_kept_response) {
  struct reply r = rig_post(&rig, RESPONSES, ASK("echo", "")), got;
  char path[64], body[128];
  snprintf(path, sizeof path, RESPONSES "/%.34s", r.body.p + 7);
  got = rig_request(&rig, "GET", path, "", STR_NONE);
  assert_int_equal(got.status, 200);
  assert_str(buf_str(&got.body), str_sub(buf_str(&r.body), 0, r.body.n - 1));
  reply_clear(&got);
  snprintf(body, sizeof body, "{\"model\":\"m\",\"previous_response_id\":\"%.34s\"}", r.body.p + 7);
  assert_post_has(&rig, RESPONSES, body, 200, "\"input_tokens\":3,"); /* "hello" twice: 10 bytes */
  got = rig_request(&rig, "DELETE", path, "", STR_NONE);
  assert_int_equal(got.status, 200);
  reply_clear(&got);
  got = rig_request(&rig, "DELETE", path, "", STR_NONE);
  assert_int_equal(got.status, 404);
  reply_clear(&got);
  assert_post_has(&rig, RESPONSES, body, 400, "\"code\": \"previous_response_not_found\"");
  reply_clear(&r);
}

#define CHUNK(choices)       \
  "data: {\"id\":\"cmpl-" ID \
  "\",\"object\":\"text_completion\",\"created\":##########,\"model\":\"echo\",\"choices\":[" choices "]"
#define CHOICE(text, finish) "{\"text\":\"" text "\",\"index\":0,\"logprobs\":null,\"finish_reason\":" finish "}"

TEST(completions) {
  assert_post(&rig, "/v1/completions", "{\"model\":\"echo\",\"prompt\":\"hello\"}", 200,
              "{\"id\":\"cmpl-" ID "\",\"object\":\"text_completion\",\"created\":##########,\"model\":\"echo\","
              "\"choices\":[" CHOICE("hello", "\"stop\"") "],\"usage\":{\"prompt_tokens\":2,\"completion_tokens\":2,"
              "\"total_tokens\":4}}\n");
  assert_post(&rig, "/v1/completions",
              "{\"model\":\"echo\",\"prompt\":\"hi\",\"stream\":true,\"stream_options\":{\"include_usage\":true}}", 200,
              CHUNK(CHOICE("h", "null")) ",\"usage\":null}\n\n"
              CHUNK(CHOICE("i", "null")) ",\"usage\":null}\n\n"
              CHUNK(CHOICE("", "\"stop\"")) ",\"usage\":null}\n\n"
              CHUNK("") ",\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1,\"total_tokens\":2}}\n\n"
              "data: [DONE]\n\n");
  assert_post_has(&rig, "/v1/completions", "{\"model\":\"tool+thinking\",\"prompt\":null,\"echo\":true}", 200,
                  "\"text\":\"The request offers no tools.\"");
}

TEST(embeddings) {
  assert_post(
      &rig, "/v1/embeddings", "{\"model\":\"m\",\"input\":\"hello\",\"dimensions\":1,\"stream\":true}", 200,
      "{\"object\":\"list\",\"data\":[{\"object\":\"embedding\",\"index\":0,\"embedding\":[1]}],\"model\":\"m\","
      "\"usage\":{\"prompt_tokens\":2,\"total_tokens\":2}}\n");
  assert_post_has(&rig, "/v1/embeddings",
                  "{\"model\":\"m\",\"input\":[\"hello\"],\"dimensions\":1,\"encoding_format\":\"base64\"}", 200,
                  "\"embedding\":\"AACAPw==\"}"); /* 1.0f: 00 00 80 3f */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_whole_answer),      cmocka_unit_test(a_stream),          cmocka_unit_test(calls),
      cmocka_unit_test(reasoning),           cmocka_unit_test(faults_of_streams), cmocka_unit_test(broken_requests),
      cmocka_unit_test(pairs_of_many_calls), cmocka_unit_test(a_kept_response),   cmocka_unit_test(completions),
      cmocka_unit_test(embeddings),
  };
  return cmocka_run_group_tests(tests, begin, finish);
}
