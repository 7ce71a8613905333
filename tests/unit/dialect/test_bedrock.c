/* Bedrock Converse: requests there and back and from other APIs, replies and event streams as events. Expectations are
 * the Converse API reference and the types of the vendor's SDK; streams are real frames, cut at every byte. */
#include <zlib.h>

#include "dialect/anthropic/anthropic.h"
#include "dialect/bedrock/bedrock_converse.h"
#include "dialect/openai_chat.h"
#include "translate_rig.h"

static const struct dialect *const d = &dialect_bedrock_converse;

/* ---- requests ---- */

static void expect_same(const char *body) {
  struct rig t;
  rig_init(&t);
  assert_int_equal(rig_decode(&t, d, body), OK);
  assert_int_equal(rig_encode(&t, d), OK);
  rig_expect_json(&t, body);
  rig_clear(&t);
}

TEST(requests_come_back_as_they_were) {
  static const char *const bodies[] = {
      "{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"\"}],\"x\":1},{\"role\":\"user\",\"content\":[]}]}",
      "{\"system\":[{\"text\":\"s\"},{\"cachePoint\":{\"type\":\"default\",\"ttl\":\"1h\"}},{\"guardContent\":{"
      "\"text\":"
      "{\"text\":\"g\"}}},{\"cachePoint\":{\"type\":\"default\"}}],\"messages\":[]}",
      "{\"messages\":[{\"role\":\"user\",\"content\":[{\"image\":{\"format\":\"png\",\"source\":{\"bytes\":\"AA==\"}}},"
      "{\"document\":{\"format\":\"pdf\",\"name\":\"a.b\",\"source\":{\"bytes\":\"AA==\"},\"citations\":{\"enabled\":"
      "true}}},"
      "{\"document\":{\"format\":\"txt\",\"name\":\"t\",\"source\":{\"text\":\"plain\"}}},{\"document\":{\"name\":"
      "\"n\","
      "\"source\":{\"content\":[{\"text\":\"c\"}]}}},{\"image\":{\"format\":\"png\",\"source\":{\"s3Location\":{"
      "\"uri\":"
      "\"s3://b/k\"}}}},{\"video\":{\"format\":\"three_gp\",\"source\":{\"bytes\":\"AA==\"}}},{\"audio\":{\"format\":"
      "\"mp3\",\"source\":{\"bytes\":\"AA==\"}}},{\"newBlock\":{}},{\"a\":1,\"b\":2},{}]}]}",
      "{\"messages\":[{\"role\":\"assistant\",\"content\":[{\"reasoningContent\":{\"reasoningText\":{\"text\":\"hm\","
      "\"signature\":\"sig\",\"n\":1}}},{\"reasoningContent\":{\"redactedContent\":\"AA==\"}},{\"toolUse\":{"
      "\"toolUseId\":"
      "\"t\",\"name\":\"f\",\"input\":{\"a\":1.0}}},{\"toolUse\":{\"toolUseId\":\"u\",\"name\":\"g\",\"input\":{},"
      "\"type\":\"server_tool_use\"}}]},{\"role\":\"user\",\"content\":[{\"toolResult\":{\"toolUseId\":\"t\","
      "\"content\":["
      "{\"text\":\"r\"},{\"json\":{\"k\":1}},{\"image\":{\"format\":\"gif\",\"source\":{\"bytes\":\"AA==\"}}},"
      "{\"searchResult\":{\"source\":\"s\"}}],\"status\":\"success\"}},{\"cachePoint\":{\"type\":\"default\"}},"
      "{\"toolResult\":{\"toolUseId\":\"u\",\"content\":[],\"status\":\"error\",\"q\":1}}]}]}",
      "{\"messages\":[],\"toolConfig\":{\"tools\":[{\"toolSpec\":{\"name\":\"f\",\"description\":\"d\",\"inputSchema\":"
      "{"
      "\"json\":{\"type\":\"object\"}},\"strict\":false,\"y\":1}},{\"cachePoint\":{\"type\":\"default\"}},{"
      "\"systemTool\":"
      "{\"name\":\"n\"}}],\"toolChoice\":{\"tool\":{\"name\":\"f\"}},\"z\":1}}",
      "{\"messages\":[],\"toolConfig\":{\"tools\":[],\"toolChoice\":{\"any\":{}}}}",
      "{\"messages\":[],\"toolConfig\":{\"tools\":[],\"toolChoice\":{\"odd\":{}}}}",
      "{\"messages\":[],\"inferenceConfig\":{\"maxTokens\":5,\"temperature\":1e0,\"topP\":0.50,\"stopSequences\":[],"
      "\"w\":null},\"additionalModelRequestFields\":{\"top_k\":3},\"guardrailConfig\":{\"v\":[1]},\"outputConfig\":{"
      "\"effort\":\"low\"},\"serviceTier\":{\"type\":\"flex\"},\"requestMetadata\":null}",
  };
  for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) expect_same(bodies[i]);
}

static enum err recode(struct rig *t, const struct dialect *from, const char *body, const char *model) {
  const struct dialect_target target = {.model = str_from_c(model), .max_tokens = -1};
  rig_init(t);
  assert_int_equal(rig_decode(t, from, body), OK);
  if (from != d) assert_int_equal(request_pair_calls(&t->arena, &t->request, NULL), OK);
  return d->encode_request(&t->request, &target, &t->arena, &t->text, &t->info);
}

static void expect_from(const struct dialect *from, const char *body, const char *model, const char *expected) {
  struct rig t;
  assert_int_equal(recode(&t, from, body, model), OK);
  rig_expect_json(&t, expected);
  rig_clear(&t);
}

#define CLAUDE "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
#define CLAUDE_4_6 "anthropic.claude-opus-4-6-v1:0"
#define CLAUDE_4_7 "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-opus-4-7-v1:0"

TEST(anthropic_in_bedrocks_words) {
  expect_from(
      &dialect_anthropic,
      "{\"model\":\"c\",\"max_tokens\":9000,\"temperature\":0.5,\"top_k\":3,\"stop_sequences\":[\"X\"],\"system\":[{"
      "\"type\":"
      "\"text\",\"text\":\"s\",\"cache_control\":{\"type\":\"ephemeral\",\"ttl\":\"1h\"}},{\"type\":\"text\",\"text\":"
      "\" \"}],"
      "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"q\"},{\"type\":\"image\",\"source\":"
      "{"
      "\"type\":\"base64\",\"media_type\":\"image/jpeg\",\"data\":\"AA==\"}},{\"type\":\"document\",\"title\":\"My  "
      "file.pdf\","
      "\"source\":{\"type\":\"base64\",\"media_type\":\"application/"
      "pdf\",\"data\":\"BB==\"}}]},{\"role\":\"assistant\","
      "\"content\":[{\"type\":\"thinking\",\"thinking\":\"foreign\",\"signature\":\"sig\"},{\"type\":\"tool_use\","
      "\"id\":"
      "\"t1\",\"name\":\"f\",\"input\":{\"x\":1}}]},{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\","
      "\"tool_use_id\":\"t1\",\"is_error\":true,\"content\":\"bad\",\"cache_control\":{\"type\":\"ephemeral\"}}]}],"
      "\"tools\":"
      "[{\"name\":\"f\",\"description\":\"d\",\"input_schema\":{\"type\":\"object\"},\"cache_control\":{\"type\":"
      "\"ephemeral\"}}],\"tool_choice\":{\"type\":\"any\"}}",
      CLAUDE,
      "{\"system\":[{\"text\":\"s\"},{\"cachePoint\":{\"type\":\"default\",\"ttl\":\"1h\"}}],\"messages\":[{\"role\":"
      "\"user\","
      "\"content\":[{\"text\":\"q\"},{\"image\":{\"format\":\"jpeg\",\"source\":{\"bytes\":\"AA==\"}}},{\"document\":{"
      "\"format\":\"pdf\",\"name\":\"My "
      "-file-pdf\",\"source\":{\"bytes\":\"BB==\"}}}]},{\"role\":\"assistant\",\"content\":"
      "[{\"toolUse\":{\"toolUseId\":\"t1\",\"name\":\"f\",\"input\":{\"x\":1}}}]},{\"role\":\"user\",\"content\":["
      "{\"toolResult\":{\"toolUseId\":\"t1\",\"content\":[{\"text\":\"bad\"}],\"status\":\"error\"}},{\"cachePoint\":{"
      "\"type\":\"default\"}}]}],\"inferenceConfig\":{\"maxTokens\":9000,\"temperature\":0.5,\"stopSequences\":[\"X\"]}"
      ","
      "\"toolConfig\":{\"tools\":[{\"toolSpec\":{\"name\":\"f\",\"description\":\"d\",\"inputSchema\":{\"json\":{"
      "\"type\":"
      "\"object\"}}}},{\"cachePoint\":{\"type\":\"default\"}}],\"toolChoice\":{\"any\":{}}},"
      "\"additionalModelRequestFields\":{\"top_k\":3}}");
}

TEST(chat_in_bedrocks_words) {
  expect_from(
      &dialect_openai_chat,
      "{\"model\":\"c\",\"messages\":[{\"role\":\"system\",\"content\":\"a\"},{\"role\":\"developer\",\"content\":"
      "\"b\"},"
      "{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"a/"
      "b\",\"type\":"
      "\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}},{\"id\":\"c2\",\"type\":\"function\","
      "\"function\":{"
      "\"name\":\"f\",\"arguments\":\"oops\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"a/"
      "b\",\"content\":\"r1\"},{\"role\":"
      "\"tool\",\"tool_call_id\":\"c2\",\"content\":\"\"},{\"role\":\"system\",\"content\":\"mid\"}],\"response_"
      "format\":{"
      "\"type\":\"json_schema\",\"json_schema\":{\"name\":\"n\",\"schema\":{\"type\":\"object\"}}},\"service_tier\":"
      "\"flex\"}",
      "amazon.titan",
      "{\"system\":[{\"text\":\"a\"},{\"text\":\"b\"}],\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"q\"}]}"
      ","
      "{\"role\":\"assistant\",\"content\":[{\"toolUse\":{\"toolUseId\":\"call_c14cddc033f64b9dea80ea675cf280a0\","
      "\"name\":"
      "\"f\",\"input\":{}}},{\"toolUse\":{\"toolUseId\":\"c2\",\"name\":\"f\",\"input\":{\"_invalid_json\":\"oops\"}}}]"
      "},"
      "{\"role\":\"user\",\"content\":[{\"toolResult\":{\"toolUseId\":\"call_c14cddc033f64b9dea80ea675cf280a0\","
      "\"content\":"
      "[{\"text\":\"r1\"}]}},{\"toolResult\":{\"toolUseId\":\"c2\",\"content\":[]}},{\"text\":\"mid\"}]}],"
      "\"toolConfig\":{"
      "\"tools\":[{\"toolSpec\":{\"name\":\"f\",\"inputSchema\":{\"json\":{\"type\":\"object\",\"properties\":{}}}}}]},"
      "\"outputConfig\":{\"textFormat\":{\"type\":\"json_schema\",\"structure\":{\"jsonSchema\":{\"schema\":"
      "\"{\\\"type\\\":\\\"object\\\"}\",\"name\":\"n\"}}}},\"serviceTier\":{\"type\":\"flex\"}}");
}

#define ASK "\"messages\":[{\"role\":\"user\",\"content\":\"q\"}]"
#define ASKED "\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"q\"}]}]"

TEST(thinking_is_said_to_anthropics_models) {
  static const struct {
    const struct dialect *from;
    const char *body, *model, *expected;
  } rows[] = {
      {&dialect_anthropic,
       "{\"model\":\"c\",\"max_tokens\":5000,\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":2000}," ASK "}",
       CLAUDE,
       "{" ASKED ",\"inferenceConfig\":{\"maxTokens\":5000},\"additionalModelRequestFields\":{\"thinking\":{\"type\":"
       "\"enabled\",\"budget_tokens\":2000}}}"},
      {&dialect_anthropic,
       "{\"model\":\"c\",\"max_tokens\":5000,\"thinking\":{\"type\":\"adaptive\"},\"output_config\":{\"effort\":"
       "\"high\"}," ASK "}",
       CLAUDE_4_6,
       "{" ASKED ",\"inferenceConfig\":{\"maxTokens\":5000},\"additionalModelRequestFields\":{\"thinking\":{\"type\":"
       "\"adaptive\"}},\"outputConfig\":{\"effort\":\"high\"}}"},
      /* Adaptive is not for older ones, a budget not for newer, and the newest take no sampling either. */
      {&dialect_anthropic, "{\"model\":\"c\",\"max_tokens\":50000,\"thinking\":{\"type\":\"adaptive\"}," ASK "}",
       CLAUDE,
       "{" ASKED ",\"inferenceConfig\":{\"maxTokens\":50000},\"additionalModelRequestFields\":{\"thinking\":{\"type\":"
       "\"enabled\",\"budget_tokens\":8192}}}"},
      {&dialect_anthropic,
       "{\"model\":\"c\",\"max_tokens\":5000,\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":1500}," ASK "}",
       CLAUDE_4_7,
       "{" ASKED ",\"inferenceConfig\":{\"maxTokens\":5000},\"additionalModelRequestFields\":{\"thinking\":{\"type\":"
       "\"adaptive\"}},\"outputConfig\":{\"effort\":\"low\"}}"},
      {&dialect_openai_chat, "{\"model\":\"c\",\"reasoning_effort\":\"xhigh\"," ASK "}", CLAUDE_4_7,
       "{" ASKED
       ",\"additionalModelRequestFields\":{\"thinking\":{\"type\":\"adaptive\"}},\"outputConfig\":{\"effort\":"
       "\"xhigh\"}}"},
      {&dialect_openai_chat, "{\"model\":\"c\",\"temperature\":0.2,\"top_p\":0.9," ASK "}", CLAUDE_4_7, "{" ASKED "}"},
      {&dialect_openai_chat, "{\"model\":\"c\",\"temperature\":0.2,\"top_p\":0.9," ASK "}", CLAUDE,
       "{" ASKED ",\"inferenceConfig\":{\"temperature\":0.2}}"},
      {&dialect_anthropic, "{\"model\":\"c\",\"max_tokens\":50,\"thinking\":{\"type\":\"disabled\"}," ASK "}", CLAUDE,
       "{" ASKED ",\"inferenceConfig\":{\"maxTokens\":50},\"additionalModelRequestFields\":{\"thinking\":{\"type\":"
       "\"disabled\"}}}"},
      {&dialect_openai_chat, "{\"model\":\"c\",\"reasoning_effort\":\"medium\",\"temperature\":0.2," ASK "}", CLAUDE,
       "{" ASKED ",\"additionalModelRequestFields\":{\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":8192}}}"},
      {&dialect_openai_chat, "{\"model\":\"c\",\"reasoning_effort\":\"high\",\"max_tokens\":4000," ASK "}", CLAUDE,
       "{" ASKED ",\"inferenceConfig\":{\"maxTokens\":4000},\"additionalModelRequestFields\":{\"thinking\":{\"type\":"
       "\"enabled\",\"budget_tokens\":3000}}}"}, /* a quarter is left for the answer */
      {&dialect_openai_chat, "{\"model\":\"c\",\"reasoning_effort\":\"high\",\"max_tokens\":100," ASK "}", CLAUDE,
       "{" ASKED ",\"inferenceConfig\":{\"maxTokens\":100}}"}, /* no room to think in */
      {&dialect_openai_chat, "{\"model\":\"c\",\"reasoning_effort\":\"low\",\"temperature\":0.2," ASK "}",
       "openai.gpt-oss", "{" ASKED ",\"inferenceConfig\":{\"temperature\":0.2},\"outputConfig\":{\"effort\":\"low\"}}"},
      {&dialect_openai_chat, "{\"model\":\"c\"," ASK "}", CLAUDE, "{" ASKED "}"},
      /* Its temperature ends at 1. */
      {&dialect_openai_chat, "{\"model\":\"c\",\"temperature\":1.7," ASK "}", "openai.gpt-oss",
       "{" ASKED ",\"inferenceConfig\":{\"temperature\":1}}"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    expect_from(rows[i].from, rows[i].body, rows[i].model, rows[i].expected);
}

TEST(own_thinking_goes_back_in_any_callers_clothes) {
  struct rig t;
  rig_init(&t);
  struct request_part parts[] = {
      {.kind = PART_REASONING, .text = STR("mine"), .signature = {STR("sig"), STR("bedrock_converse")}},
      {.kind = PART_REASONING, .text = STR("theirs"), .signature = {STR("sig"), STR("anthropic")}},
      {.kind = PART_REASONING, .text = STR("nobody's")},
      {.kind = PART_REDACTED, .signature = {STR("AA=="), STR("bedrock_converse")}},
      {.kind = PART_TEXT, .text = STR("t")},
  };
  struct request_item item = {.role = ROLE_ASSISTANT, .parts = parts, .part_count = 5};
  t.request.items = &item;
  t.request.item_count = 1;
  assert_int_equal(rig_encode(&t, d), OK);
  rig_expect_json(
      &t,
      "{\"messages\":[{\"role\":\"assistant\",\"content\":[{\"reasoningContent\":{\"reasoningText\":{\"text\":"
      "\"mine\",\"signature\":\"sig\"}}},{\"reasoningContent\":{\"redactedContent\":\"AA==\"}},{\"text\":\"t\"}]}]}");
  rig_clear(&t);
}

TEST(what_bedrock_cannot_say) {
  static const struct {
    const char *body, *path;
  } rows[] = {
      {"{\"model\":\"c\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":"
       "\"image_url\",\"image_url\":{\"url\":\"data:image/tiff;base64,AA==\"}}]}]}",
       "messages[0].content[1]"},
      {"{\"model\":\"c\",\"tool_choice\":\"none\",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}],"
       "\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"a\",\"type\":\"function\",\"function\":{"
       "\"name\":"
       "\"f\",\"arguments\":\"{}\"}}]}]}",
       "tool_choice"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct rig t;
    assert_int_equal(recode(&t, &dialect_openai_chat, rows[i].body, "m"), ERR_UNSUPPORTED);
    assert_string_equal(t.info.param, rows[i].path);
    rig_clear(&t);
  }
  expect_from(
      &dialect_openai_chat,
      "{\"model\":\"c\",\"tool_choice\":\"none\",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]," ASK
      "}",
      "m", "{" ASKED "}");
}

TEST(faults_have_their_path) {
  static const struct {
    const char *body;
    enum err e;
    const char *path;
  } rows[] = {
      {"[]", ERR_BAD_TYPE, ""},
      {"{\"messages\":{}}", ERR_BAD_TYPE, "messages"},
      {"{\"system\":\"s\"}", ERR_BAD_TYPE, "system"},
      {"{\"system\":[1]}", ERR_BAD_TYPE, "system[0]"},
      {"{\"messages\":[1]}", ERR_BAD_TYPE, "messages[0]"},
      {"{\"messages\":[{\"content\":[]}]}", ERR_MISSING, "messages[0].role"},
      {"{\"messages\":[{\"role\":\"tool\",\"content\":[]}]}", ERR_BAD_VALUE, "messages[0].role"},
      {"{\"messages\":[{\"role\":\"user\"}]}", ERR_MISSING, "messages[0].content"},
      {"{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}", ERR_BAD_TYPE, "messages[0].content"},
      {"{\"messages\":[{\"role\":\"user\",\"content\":[1]}]}", ERR_BAD_TYPE, "messages[0].content[0]"},
      {"{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":1}]}]}", ERR_BAD_TYPE, "messages[0].content[0].text"},
      {"{\"messages\":[{\"role\":\"user\",\"content\":[{\"image\":1}]}]}", ERR_BAD_TYPE,
       "messages[0].content[0].image"},
      {"{\"messages\":[{\"role\":\"user\",\"content\":[{\"image\":{\"format\":\"png\"}}]}]}", ERR_MISSING,
       "messages[0].content[0].image.source"},
      {"{\"messages\":[{\"role\":\"user\",\"content\":[{\"image\":{\"format\":\"png\",\"source\":{\"bytes\":1}}}]}]}",
       ERR_BAD_TYPE, "messages[0].content[0].image.source.bytes"},
      {"{\"messages\":[{\"role\":\"user\",\"content\":[{\"toolUse\":{}}]}]}", ERR_MISSING,
       "messages[0].content[0].toolUse.toolUseId"},
      {"{\"messages\":[{\"role\":\"user\",\"content\":[{\"toolUse\":{\"toolUseId\":\"t\",\"name\":\"f\",\"input\":1}}]}"
       "]}",
       ERR_BAD_TYPE, "messages[0].content[0].toolUse.input"},
      {"{\"messages\":[{\"role\":\"user\",\"content\":[{\"toolResult\":{\"toolUseId\":\"t\",\"content\":[{\"text\":1}]}"
       "}]}]}",
       ERR_BAD_TYPE, "messages[0].content[0].toolResult.content[0].text"},
      {"{\"messages\":[{\"role\":\"user\",\"content\":[{\"reasoningContent\":{\"reasoningText\":1}}]}]}", ERR_BAD_TYPE,
       "messages[0].content[0].reasoningContent.reasoningText"},
      {"{\"toolConfig\":1}", ERR_BAD_TYPE, "toolConfig"},
      {"{\"toolConfig\":{\"tools\":1}}", ERR_BAD_TYPE, "toolConfig.tools"},
      {"{\"toolConfig\":{\"tools\":[{\"toolSpec\":{}}]}}", ERR_MISSING, "toolConfig.tools[0].toolSpec.name"},
      {"{\"toolConfig\":{\"tools\":[],\"toolChoice\":1}}", ERR_BAD_TYPE, "toolConfig.toolChoice"},
      {"{\"inferenceConfig\":{\"maxTokens\":\"1\"}}", ERR_BAD_TYPE, "inferenceConfig.maxTokens"},
      {"{\"inferenceConfig\":{\"stopSequences\":[1]}}", ERR_BAD_TYPE, "inferenceConfig.stopSequences[0]"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct rig t;
    rig_init(&t);
    enum err e = rig_decode(&t, d, rows[i].body);
    if (e != rows[i].e || strcmp(t.info.param, rows[i].path)) print_error("%s: %d %s\n", rows[i].body, e, t.info.param);
    assert_int_equal(e, rows[i].e);
    assert_string_equal(t.info.param, rows[i].path);
    rig_clear(&t);
  }
}

/* ---- streams ---- */

struct message {
  const char *type; /* begins with '!': an exception */
  const char *json;
};

static void put_u32(struct buf *b, uint32_t v) {
  for (int shift = 24; shift >= 0; shift -= 8) buf_put_char(b, (char)(v >> shift & 255));
}

static uint32_t crc(const struct buf *b, size_t from) {
  return (uint32_t)crc32(0, (const Bytef *)b->p + from, (uInt)(b->n - from));
}

static void put_header(struct buf *b, const char *name, const char *value) {
  buf_put_char(b, (char)strlen(name));
  buf_put(b, str_from_c(name));
  buf_put_char(b, 7);
  buf_put_char(b, 0);
  buf_put_char(b, (char)strlen(value));
  buf_put(b, str_from_c(value));
}

/* The event stream of these messages, by AWS's framing. */
static void put_messages(struct buf *b, const struct message *m, size_t n) {
  for (size_t i = 0; i < n; i++) {
    struct buf headers;
    size_t from = b->n;
    bool is_exception = m[i].type[0] == '!';
    buf_init(&headers, 0);
    put_header(&headers, is_exception ? ":exception-type" : ":event-type", m[i].type + is_exception);
    put_header(&headers, ":message-type", is_exception ? "exception" : "event");
    put_u32(b, (uint32_t)(16 + headers.n + strlen(m[i].json)));
    put_u32(b, (uint32_t)headers.n);
    put_u32(b, crc(b, from));
    buf_put(b, buf_str(&headers));
    buf_put(b, str_from_c(m[i].json));
    put_u32(b, crc(b, from));
    buf_clear(&headers);
  }
}

static void expect_stream(const struct message *m, size_t n, enum err expected, const char *events) {
  struct buf stream;
  buf_init(&stream, 0);
  put_messages(&stream, m, n);
  rig_expect_stream(d, buf_str(&stream), expected, events);
  buf_clear(&stream);
}

#define EXPECT(e, events, ...)                                                     \
  do {                                                                             \
    const struct message messages_[] = {__VA_ARGS__};                              \
    expect_stream(messages_, sizeof messages_ / sizeof *messages_, (e), (events)); \
  } while (0)

#define BEGIN \
  { "messageStart", "{\"role\":\"assistant\"}" }
#define DELTA(n, delta) \
  { "contentBlockDelta", "{\"contentBlockIndex\":" n ",\"delta\":" delta ",\"p\":\"abc\"}" }
#define CLOSE(n) \
  { "contentBlockStop", "{\"contentBlockIndex\":" n "}" }
#define STOP(reason) \
  { "messageStop", "{\"stopReason\":\"" reason "\"}" }
#define META(usage) \
  { "metadata", "{\"usage\":" usage ",\"metrics\":{\"latencyMs\":1}}" }
#define START "start   0\n"

TEST(text_thinking_and_counts) {
  EXPECT(OK,
         START
         "open 0 reasoning\ndelta 0 h\ndelta 0 m\nattach 0 0 sig bedrock_converse\nclose 0\nopen 1 text\ndelta 1 hi\n"
         "close 1\nstop 0 end (end_turn)\nusage 15 7 3 2 -\nend\n",
         BEGIN, DELTA("0", "{\"reasoningContent\":{\"text\":\"h\"}}"),
         DELTA("0", "{\"reasoningContent\":{\"text\":\"m\"}}"),
         DELTA("0", "{\"reasoningContent\":{\"signature\":\"sig\"}}"), CLOSE("0"), DELTA("1", "{\"text\":\"hi\"}"),
         CLOSE("1"), STOP("end_turn"),
         META("{\"inputTokens\":10,\"outputTokens\":7,\"totalTokens\":22,\"cacheReadInputTokens\":3,"
              "\"cacheWriteInputTokens\":2}"));
  EXPECT(OK, START "open 0 redacted\nattach 0 0 AA== bedrock_converse\nclose 0\nstop 0 end (end_turn)\nend\n", BEGIN,
         DELTA("0", "{\"reasoningContent\":{\"redactedContent\":\"AA==\"}}"), CLOSE("0"), STOP("end_turn"));
}

#define TOOL(n, id, name)                                                                                        \
  {                                                                                                              \
    "contentBlockStart",                                                                                         \
        "{\"contentBlockIndex\":" n ",\"start\":{\"toolUse\":{\"toolUseId\":\"" id "\",\"name\":\"" name "\"}}}" \
  }

TEST(calls_even_when_they_interleave) {
  EXPECT(OK,
         START
         "open 0 call id=a name=f\nopen 1 call id=b name=g\ndelta 1 {\"y\"\ndelta 0 {}\ndelta 1 :1}\nclose 0\n"
         "close 1\nstop 0 calls (tool_use)\nusage 1 2 - - -\nend\n",
         BEGIN, TOOL("1", "a", "f"), TOOL("2", "b", "g"), DELTA("2", "{\"toolUse\":{\"input\":\"{\\\"y\\\"\"}}"),
         DELTA("1", "{\"toolUse\":{\"input\":\"{}\"}}"), DELTA("2", "{\"toolUse\":{\"input\":\":1}\"}}"), CLOSE("1"),
         STOP("tool_use"), /* the second was never closed */ META("{\"inputTokens\":1,\"outputTokens\":2}"));
  EXPECT(OK, START "open 0 call id=tooluse_id_0 name=f\nclose 0\nopen 1 call id=b name=g\nclose 1\n", BEGIN,
         TOOL("0", "", "f"), TOOL("0", "b", "g"), CLOSE("0"), CLOSE("0"), CLOSE("7"));
}

TEST(citations_and_server_tools) {
  EXPECT(OK,
         START
         "open 0 server\nclose 0\nopen 1 text\ndelta 1 a\nattach 1 1 {\"title\":\"t\"} bedrock_converse\nclose 1\n"
         "stop 0 end (end_turn)\nend\n",
         BEGIN,
         {"contentBlockStart",
          "{\"contentBlockIndex\":0,\"start\":{\"toolUse\":{\"toolUseId\":\"s\",\"name\":\"n\",\"type\":"
          "\"server_tool_use\"}}}"},
         DELTA("0", "{\"toolUse\":{\"input\":\"{}\"}}"), CLOSE("0"), DELTA("1", "{\"text\":\"a\"}"),
         DELTA("1", "{\"citation\":{\"title\":\"t\"}}"), CLOSE("1"), STOP("end_turn"));
}

TEST(stop_reasons) {
  static const struct {
    const char *word, *stop;
  } rows[] = {{"max_tokens", "length"},
              {"stop_sequence", "sequence"},
              {"guardrail_intervened", "filter"},
              {"content_filtered", "filter"},
              {"model_context_window_exceeded", "context"},
              {"malformed_tool_use", "malformed"},
              {"malformed_model_output", "malformed"},
              {"something_new", "other"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char json[100], events[200];
    snprintf(json, sizeof json, "{\"stopReason\":\"%s\"}", rows[i].word);
    snprintf(events, sizeof events, START "stop 0 %s (%s)\nend\n", rows[i].stop, rows[i].word);
    EXPECT(OK, events, BEGIN, {"messageStop", json});
  }
  EXPECT(OK, START "stop 0 sequence (stop_sequence) at X\nend\n", BEGIN,
         {"messageStop",
          "{\"stopReason\":\"stop_sequence\",\"additionalModelResponseFields\":{\"stop_sequence\":\"X\"}}"});
}

TEST(failures) {
  EXPECT(OK,
         START "open 0 text\ndelta 0 a\nerror {\"__type\":\"throttlingException\",\"message\":\"slow \\\"down\\\"\"}\n",
         BEGIN, DELTA("0", "{\"text\":\"a\"}"), {"!throttlingException", "{\"message\":\"slow \\\"down\\\"\"}"});
  EXPECT(OK, "error {\"__type\":\"internalServerException\",\"message\":\"\"}\n", {"!internalServerException", ""});
  EXPECT(OK, START "open 0 text\ndelta 0 a\n", BEGIN, DELTA("0", "{\"text\":\"a\"}")); /* cut: never ended */
  EXPECT(OK, START "stop 0 end (end_turn)\nend\n", BEGIN, STOP("end_turn"), STOP("max_tokens"), META("{}"),
         META("{\"inputTokens\":1}"), DELTA("0", "{\"text\":\"behind the end\"}"));
  EXPECT(ERR_UPSTREAM_PROTOCOL, START "stop 0 end (end_turn)\n", BEGIN, STOP("end_turn"),
         DELTA("0", "{\"text\":\"late\"}"));
  EXPECT(ERR_UPSTREAM_PROTOCOL, START, BEGIN, DELTA("0", "{\"text\":5}"));
  EXPECT(ERR_UPSTREAM_PROTOCOL, START, BEGIN, DELTA("0", "[]"));
  EXPECT(OK, START, BEGIN, {"newEvent", "{\"x\":1}"});
  EXPECT(ERR_UPSTREAM_PROTOCOL, "", {"messageStart", "nonsense"});
  EXPECT(ERR_UPSTREAM_PROTOCOL, "", {"messageStart", "[]"});
  EXPECT(ERR_UPSTREAM_PROTOCOL, START, BEGIN, DELTA("0", "{\"toolUse\":{\"input\":\"{}\"}}"));
  EXPECT(ERR_UPSTREAM_PROTOCOL, START, BEGIN, {"messageStop", "{}"});
}

TEST(parts_are_bounded) {
  struct rig t;
  struct buf stream;
  rig_init(&t);
  buf_init(&stream, 0);
  for (int i = 0; i < 129; i++) {
    char json[100];
    snprintf(json, sizeof json, "{\"contentBlockIndex\":%d,\"delta\":{\"text\":\"a\"}}", i);
    const struct message m = {"contentBlockDelta", json};
    put_messages(&stream, &m, 1);
  }
  struct event_sink sink = rig_sink(&t);
  assert_int_equal(rig_feed(&t, d, buf_str(&stream), 0, &sink), ERR_UPSTREAM_TOO_LARGE);
  buf_clear(&stream);
  rig_clear(&t);
}

/* ---- whole replies ---- */

TEST(whole_replies) {
  rig_expect_reply(
      d,
      "{\"output\":{\"message\":{\"role\":\"assistant\",\"content\":[{\"reasoningContent\":{\"reasoningText\":{"
      "\"text\":\"hm\","
      "\"signature\":\"sig\"}}},{\"reasoningContent\":{\"redactedContent\":\"AA==\"}},{\"text\":\"a\"},{\"text\":\"b\"}"
      ","
      "{\"citationsContent\":{\"content\":[{\"text\":\"c\"}],\"citations\":[{\"title\":\"t\"}]}},{\"toolUse\":{"
      "\"toolUseId\":"
      "\"t\",\"name\":\"f\",\"input\":{\"x\":1.0}}},{\"newBlock\":{}}]}},\"stopReason\":\"tool_use\",\"usage\":{"
      "\"inputTokens\":10,\"outputTokens\":7,\"totalTokens\":17,\"cacheReadInputTokens\":0}}",
      OK,
      START
      "open 0 reasoning\ndelta 0 hm\nattach 0 0 sig bedrock_converse\nclose 0\nopen 1 redacted\nattach 1 0 AA== "
      "bedrock_converse\nclose 1\nopen 2 text\ndelta 2 a\nclose 2\nopen 3 text\ndelta 3 b\nclose 3\nopen 4 text\n"
      "delta 4 c\nattach 4 1 {\"title\":\"t\"} bedrock_converse\nclose 4\nopen 5 call id=t name=f\ndelta 5 "
      "{\"x\":1.0}\n"
      "close 5\nusage 10 7 0 - -\nstop 0 calls (tool_use)\nend\n");
  rig_expect_reply(d, "{\"output\":{\"message\":{\"content\":[]}},\"stopReason\":\"end_turn\"}", OK,
                   START "stop 0 end (end_turn)\nend\n");
  rig_expect_reply(d, "{\"message\":\"no\"}", OK, "error {\"message\":\"no\"}\n");
  rig_expect_reply(d, "{\"output\":{\"message\":{\"content\":[]}}}", ERR_UPSTREAM_PROTOCOL, START);
  rig_expect_reply(d, "{\"output\":{}}", ERR_UPSTREAM_PROTOCOL, "");
  rig_expect_reply(d, "{\"output\":{\"message\":{\"content\":[\"a\"]}},\"stopReason\":\"end_turn\"}",
                   ERR_UPSTREAM_PROTOCOL, START);
  rig_expect_reply(d, "{\"output\":{\"message\":{\"content\":[{\"text\":1}]}},\"stopReason\":\"end_turn\"}",
                   ERR_UPSTREAM_PROTOCOL, START);
  /* arguments as text, where an object is due */
  rig_expect_reply(
      d,
      "{\"output\":{\"message\":{\"content\":[{\"toolUse\":{\"toolUseId\":\"t\",\"name\":\"f\",\"input\":\"{}\"}}"
      "]}},\"stopReason\":\"tool_use\"}",
      OK, START "open 0 call id=t name=f\ndelta 0 {}\nclose 0\nstop 0 calls (tool_use)\nend\n");
  rig_expect_reply(d, "{}", ERR_UPSTREAM_PROTOCOL, "");
  rig_expect_reply(d, "<html>", ERR_UPSTREAM_PROTOCOL, "");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(requests_come_back_as_they_were),
      cmocka_unit_test(anthropic_in_bedrocks_words),
      cmocka_unit_test(chat_in_bedrocks_words),
      cmocka_unit_test(thinking_is_said_to_anthropics_models),
      cmocka_unit_test(own_thinking_goes_back_in_any_callers_clothes),
      cmocka_unit_test(what_bedrock_cannot_say),
      cmocka_unit_test(faults_have_their_path),
      cmocka_unit_test(text_thinking_and_counts),
      cmocka_unit_test(calls_even_when_they_interleave),
      cmocka_unit_test(citations_and_server_tools),
      cmocka_unit_test(stop_reasons),
      cmocka_unit_test(failures),
      cmocka_unit_test(parts_are_bounded),
      cmocka_unit_test(whole_replies),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
