/* The Bedrock dialect: replies byte for byte, frames taken apart by the rules of the vendor's event stream encoding
 * (prelude of two lengths and their checksum, headers of type 7, payload, checksum of all before; read 2026-11). */
#include <zlib.h>

#include "mock_rig.h"

RIG_GROUP(.seed = 1, .record = true)

#define PATH(model, operation) "/model/" model "/" operation
#define ASK "{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"hello\"}]}]"
#define TOOLS                                                                                                 \
  ",\"toolConfig\":{\"tools\":[{\"toolSpec\":{\"name\":\"f\",\"inputSchema\":{\"json\":{\"type\":\"object\"," \
  "\"properties\""                                                                                            \
  ":{\"a\":{\"type\":\"string\"}},\"required\":[\"a\"]}}}}]}"
#define USAGE                                                                                        \
  "\"metrics\":{\"latencyMs\":7},\"usage\":{\"inputTokens\":2,\"outputTokens\":2,\"totalTokens\":4," \
  "\"cacheReadInputTokens\""                                                                         \
  ":0,\"cacheWriteInputTokens\":0}}"

TEST(a_whole_answer) {
  assert_post(&rig, PATH("echo", "converse"), ASK "}", 200,
              "{\"output\":{\"message\":{\"role\":\"assistant\",\"content\":[{\"text\":\"hello\"}]}},\"stopReason\":"
              "\"end_turn\"," USAGE);
  assert_post(
      &rig, PATH("tool%2Bno-usage", "converse"), ASK TOOLS "}", 200,
      "{\"output\":{\"message\":{\"role\":\"assistant\",\"content\":[{\"toolUse\":{\"toolUseId\":\"tooluse_"
      "######################\",\"name\":\"f\",\"input\":{\"a\":\"mock\"}}}]}},\"stopReason\":\"tool_use\",\"metrics\":"
      "{\"latencyMs\":7}}");
}

static uint32_t u32_at(const char *p) {
  const unsigned char *u = (const unsigned char *)p;
  return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
}

static uint32_t crc_of(const char *p, size_t n) { return (uint32_t)crc32(0, (const Bytef *)p, (uInt)n); }

/* Appends "name=value " for each header. */
static void put_headers(struct buf *out, const char *p, const char *end) {
  while (p < end) {
    size_t name = (unsigned char)*p++;
    buf_printf(out, "%.*s=", (int)name, p);
    p += name;
    assert_int_equal(*p, 7);
    size_t value = (size_t)(unsigned char)p[1] << 8 | (unsigned char)p[2];
    buf_printf(out, "%.*s ", (int)value, p + 3);
    p += 3 + value;
  }
  assert_ptr_equal(p, end);
}

/* One line a frame: its headers and its payload. Every length and checksum is checked. */
static void take_apart(struct str body, struct buf *lines) {
  while (body.n) {
    assert_true(body.n >= 16);
    size_t total = u32_at(body.p), headers = u32_at(body.p + 4);
    assert_true(total <= body.n && headers + 16 <= total);
    assert_int_equal(u32_at(body.p + 8), crc_of(body.p, 8));
    assert_int_equal(u32_at(body.p + total - 4), crc_of(body.p, total - 4));
    put_headers(lines, body.p + 12, body.p + 12 + headers);
    buf_put(lines, str_sub(body, 12 + headers, total - 4));
    buf_put_char(lines, '\n');
    body = str_sub(body, total, body.n);
  }
}

#define FRAME(type, payload) ":event-type=" type " :content-type=application/json :message-type=event " payload "\n"
#define DELTA(delta) FRAME("contentBlockDelta", "{\"contentBlockIndex\":0,\"delta\":" delta ",\"p\":\"abcdefgh\"}")

static void assert_frames(const char *path, const char *body, const char *expected) {
  struct buf lines;
  struct reply r = rig_post(&rig, path, body);
  buf_init(&lines, 0);
  assert_int_equal(r.status, 200);
  assert_true(r.is_whole);
  assert_str(reply_header(&r, "Content-Type"), STR("application/vnd.amazon.eventstream"));
  take_apart(buf_str(&r.body), &lines);
  struct reply as_text = {.body = lines};
  assert_masked(&as_text, expected);
  buf_clear(&lines);
  reply_clear(&r);
}

TEST(a_stream) {
  assert_frames(PATH("echo+chunks-2", "converse-stream"), ASK "}",
                FRAME("messageStart", "{\"role\":\"assistant\"}") DELTA("{\"text\":\"he\"}") DELTA("{\"text\":\"llo\"}")
                    FRAME("contentBlockStop", "{\"contentBlockIndex\":0}")
                        FRAME("messageStop", "{\"stopReason\":\"end_turn\"}") FRAME("metadata", "{" USAGE));
}

TEST(a_stream_of_a_tool) {
  assert_frames(PATH("tool+no-usage", "converse-stream"), ASK TOOLS "}",
                FRAME("messageStart", "{\"role\":\"assistant\"}")
                    FRAME("contentBlockStart",
                          "{\"contentBlockIndex\":0,\"start\":{\"toolUse\":{\"toolUseId\":\"tooluse_"
                          "######################\",\"name\":\"f\"}}}") DELTA("{\"toolUse\":{\"input\":\"{\\\"\"}}")
                        DELTA("{\"toolUse\":{\"input\":\"a\\\"\"}}") DELTA("{\"toolUse\":{\"input\":\":\\\"m\"}}")
                            DELTA("{\"toolUse\":{\"input\":\"oc\"}}") DELTA("{\"toolUse\":{\"input\":\"k\\\"}\"}}")
                                FRAME("contentBlockStop", "{\"contentBlockIndex\":0}")
                                    FRAME("messageStop", "{\"stopReason\":\"tool_use\"}")
                                        FRAME("metadata", "{\"metrics\":{\"latencyMs\":7}}"));
}

TEST(an_exception_in_mid_stream) {
  assert_frames(PATH("chunks-4+stream-error", "converse-stream"), ASK "}",
                FRAME("messageStart", "{\"role\":\"assistant\"}") DELTA("{\"text\":\"########\"}")
                DELTA("{\"text\":\"########\"}")
                ":exception-type=modelStreamErrorException :content-type=application/json :message-type=exception "
                "{\"message\":\"The system encountered an unexpected error during processing. Try your request again.\","
                "\"originalStatusCode\":500,\"originalMessage\":\"The system encountered an unexpected error during "
                "processing. Try your request again.\"}\n");
}

TEST(errors) {
  struct reply r = rig_post(&rig, PATH("fail-429", "converse"), ASK "}");
  assert_int_equal(r.status, 429);
  assert_str(reply_header(&r, "x-amzn-ErrorType"), STR("ThrottlingException"));
  assert_int_equal(reply_header(&r, "x-amzn-RequestId").n, 36);
  assert_masked(&r, "{\"message\":\"Too many requests, please wait before trying again.\"}");
  reply_clear(&r);
  assert_post_has(&rig, PATH("m", "converse"), "{}", 400, "must start with a user message");
  assert_post_has(&rig, PATH("m", "converse"), "x", 400, "{\"message\":\"");
  assert_post_has(&rig, "/model/m/nothing", "{}", 404, "{\"message\":\"Invalid URL (POST /model/m/nothing)\"}");
}

TEST(counting) {
  assert_post(&rig, PATH("m", "count-tokens"), "{\"input\":{\"converse\":" ASK "}}}", 200, "{\"inputTokens\":2}");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_whole_answer),
      cmocka_unit_test(a_stream),
      cmocka_unit_test(a_stream_of_a_tool),
      cmocka_unit_test(an_exception_in_mid_stream),
      cmocka_unit_test(errors),
      cmocka_unit_test(counting),
  };
  return cmocka_run_group_tests(tests, begin, finish);
}
