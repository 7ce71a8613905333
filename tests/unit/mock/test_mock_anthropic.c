/* The Anthropic dialect byte for byte: the shapes of the vendor's guide to messages, streams and errors (2026-11). */
#include "mock_rig.h"

RIG_GROUP(.seed = 1, .record = true)

#define MESSAGES "/v1/messages"
#define COUNT "/v1/messages/count_tokens"
#define ASK(model, more) \
  "{\"model\":\"" model "\",\"max_tokens\":99,\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]" more "}"
#define TOOLS                                                                                                     \
  ",\"tools\":[{\"name\":\"f\",\"input_schema\":{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}" \
  "},\"required\":[\"a\"]}}]"
#define HEAD(model)     \
  "{\"model\":\"" model \
  "\",\"id\":\"msg_01######################\",\"type\":\"message\",\"role\":\"assistant\",\"content\":["
#define CREATED ",\"cache_creation\":{\"ephemeral_5m_input_tokens\":0,\"ephemeral_1h_input_tokens\":0}"
#define INPUT "\"input_tokens\":2,\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":0"
#define SIGNATURE "################################################################"

TEST(a_whole_answer) {
  assert_post(&rig, MESSAGES, ASK("echo", ""), 200,
              HEAD("echo") "{\"type\":\"text\",\"text\":\"hello\"}],\"stop_reason\":\"end_turn\",\"stop_sequence\":null,"
                           "\"usage\":{" INPUT CREATED ",\"output_tokens\":2,\"service_tier\":\"standard\"}}");
  assert_post(&rig, MESSAGES, ASK("thinking+tool", TOOLS), 200,
              HEAD("thinking+tool")
              "{\"type\":\"thinking\",\"thinking\":\"The user wrote something. A short answer will do.\",\"signature\":"
              "\"" SIGNATURE
              "\"},{\"type\":\"tool_use\",\"id\":\"toolu_01######################\",\"name\":\"f\",\"input\":{\"a\":"
              "\"mock\"}}],\"stop_reason\":\"tool_use\",\"stop_sequence\":null,\"usage\":{" INPUT CREATED
              ",\"output_tokens\":17,\"output_tokens_details\":{\"thinking_tokens\":13},\"service_tier\":\"standard\"}}");
}

#define EVENT(name, rest) "event: " name "\ndata: {\"type\":\"" name "\"" rest "}\n\n"
#define DELTA(index, delta) EVENT("content_block_delta", ",\"index\":" index ",\"delta\":" delta)
#define OPEN(index, block) EVENT("content_block_start", ",\"index\":" index ",\"content_block\":" block)
#define CLOSE(index) EVENT("content_block_stop", ",\"index\":" index)
#define START(model)                                                                                          \
  EVENT("message_start",                                                                                      \
        ",\"message\":" HEAD(model) "],\"stop_reason\":null,\"stop_sequence\":null,\"usage\":{" INPUT CREATED \
                                    ",\"output_tokens\":1,\"service_tier\":\"standard\"}}")
#define PING EVENT("ping", "")
#define STREAM ",\"stream\":true"

TEST(a_stream) {
  assert_post(&rig, MESSAGES, ASK("echo+chunks-2", STREAM), 200,
              START("echo+chunks-2") OPEN("0", "{\"type\":\"text\",\"text\":\"\"}")
                  PING DELTA("0", "{\"type\":\"text_delta\",\"text\":\"he\"}")
                      DELTA("0", "{\"type\":\"text_delta\",\"text\":\"llo\"}") CLOSE("0")
                          EVENT("message_delta",
                                ",\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},\"usage\":{" INPUT
                                ",\"output_tokens\":2}") EVENT("message_stop", ""));
}

TEST(a_stream_of_a_tool) {
  assert_post(
      &rig, MESSAGES, ASK("tool", STREAM TOOLS), 200,
      START("tool") OPEN("0",
                         "{\"type\":\"tool_use\",\"id\":\"toolu_01######################\",\"name\":\"f\","
                         "\"input\":{}}") PING DELTA("0", "{\"type\":\"input_json_delta\",\"partial_json\":\"\"}")
          DELTA("0", "{\"type\":\"input_json_delta\",\"partial_json\":\"{\\\"\"}")
              DELTA("0", "{\"type\":\"input_json_delta\",\"partial_json\":\"a\\\"\"}")
                  DELTA("0", "{\"type\":\"input_json_delta\",\"partial_json\":\":\\\"m\"}")
                      DELTA("0", "{\"type\":\"input_json_delta\",\"partial_json\":\"oc\"}")
                          DELTA("0", "{\"type\":\"input_json_delta\",\"partial_json\":\"k\\\"}\"}") CLOSE("0")
                              EVENT("message_delta",
                                    ",\"delta\":{\"stop_reason\":\"tool_use\",\"stop_sequence\":null},\"usage\":{" INPUT
                                    ",\"output_tokens\":4}") EVENT("message_stop", ""));
}

TEST(blocks_that_are_no_text) {
  assert_post_has(&rig, MESSAGES, ASK("thinking", STREAM), 200, "{\"type\":\"signature_delta\",\"signature\":\"");
  assert_post_has(&rig, MESSAGES, ASK("thinking-redacted", STREAM), 200,
                  "\"content_block\":{\"type\":\"redacted_thinking\",\"data\":\"");
  assert_post_has(&rig, MESSAGES, ASK("server-tool", STREAM), 200,
                  "\"content_block\":{\"type\":\"web_search_tool_result\"");
  assert_post_has(&rig, MESSAGES, ASK("citations", STREAM), 200,
                  "\"delta\":{\"type\":\"citations_delta\",\"citation\":{\"type\":\"char_location\"");
  assert_post_has(&rig, MESSAGES, ASK("refusal", ""), 200, "\"stop_reason\":\"refusal\"");
  assert_post_has(&rig, MESSAGES, ASK("stop-sequence", ",\"stop_sequences\":[\"a\\\"\"]"), 200,
                  "\"stop_reason\":\"stop_sequence\",\"stop_sequence\":\"a\\\"\"");
}

TEST(counting) {
  assert_post(&rig, COUNT,
              "{\"model\":\"m\",\"system\":\"1234\",\"messages\":[{\"role\":\"user\",\"content\":\"12\"}]}", 200,
              "{\"input_tokens\":2}");
}

#define ERROR(type, message)                                                    \
  "{\"type\":\"error\",\"error\":{\"type\":\"" type "\",\"message\":\"" message \
  "\"},\"request_id\":\"req_"                                                   \
  "################################\"}"

TEST(errors) {
  assert_post(&rig, MESSAGES, ASK("fail-529", ""), 529, ERROR("overloaded_error", "Overloaded"));
  assert_post(&rig, MESSAGES, ASK("fail-418", ""), 418, ERROR("invalid_request_error", "The request is not valid."));
  assert_post(&rig, MESSAGES, ASK("ok-error", ""), 200, ERROR("api_error", "Internal server error"));
  assert_post(&rig, MESSAGES, "{", 400, ERROR("invalid_request_error", "The request body is not valid JSON"));
  assert_post(&rig, MESSAGES, "[]", 400, ERROR("invalid_request_error", "The request body is not valid JSON"));
  assert_post(&rig, MESSAGES, "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}", 400,
              ERROR("invalid_request_error", "max_tokens: Field required"));
  assert_post(&rig, "/v1/messages/x", "{}", 404, ERROR("not_found_error", "Invalid URL (POST /v1/messages/x)"));
  struct reply r = rig_post(&rig, MESSAGES, ASK("fail-429", ""));
  assert_str(reply_header(&r, "Retry-After"), STR("2"));
  assert_true(str_find(buf_str(&r.body), reply_header(&r, "request-id")) != SIZE_MAX);
  reply_clear(&r);
}

TEST(an_error_in_mid_stream) {
  struct reply r = rig_post(&rig, MESSAGES, ASK("stream-error", STREAM));
  assert_int_equal(r.status, 200);
  assert_true(r.is_whole);
  assert_true(str_find(buf_str(&r.body),
                       STR("event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\"")) != SIZE_MAX);
  assert_true(str_find(buf_str(&r.body), STR("message_stop")) == SIZE_MAX);
  reply_clear(&r);
  r = rig_post(&rig, MESSAGES, ASK("stream-cut", STREAM));
  assert_false(r.is_whole);
  reply_clear(&r);
}

/* Nothing that is cut short gets an answer. */
TEST(broken_requests) {
  static const char whole[] = ASK("echo", STREAM TOOLS);
  char body[sizeof whole];
  for (size_t n = 0; n + 1 < sizeof whole; n++) {
    memcpy(body, whole, n);
    body[n] = 0;
    struct reply r = rig_post(&rig, MESSAGES, body);
    assert_int_equal(r.status, 400);
    reply_clear(&r);
  }
}

TEST(models_in_the_vendors_shape) {
  struct reply r = rig_request(&rig, "GET", "/v1/models/echo", "anthropic-version: 2023-06-01\r\n", STR(""));
  assert_int_equal(r.status, 200);
  assert_masked(
      &r, "{\"type\":\"model\",\"id\":\"echo\",\"display_name\":\"echo\",\"created_at\":\"2026-01-01T00:00:00Z\"}");
  reply_clear(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_whole_answer),
      cmocka_unit_test(a_stream),
      cmocka_unit_test(a_stream_of_a_tool),
      cmocka_unit_test(blocks_that_are_no_text),
      cmocka_unit_test(counting),
      cmocka_unit_test(errors),
      cmocka_unit_test(an_error_in_mid_stream),
      cmocka_unit_test(broken_requests),
      cmocka_unit_test(models_in_the_vendors_shape),
  };
  return cmocka_run_group_tests(tests, begin, finish);
}
