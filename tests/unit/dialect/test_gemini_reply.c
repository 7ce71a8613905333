/* What Gemini answers, as events: whole replies and streams cut at every byte; relay. A log of events is compared, one
 * line for each, deltas of one part joined. */
#include "gemini_unit.h"
#include "io/frame_reader.h"

struct log {
  struct buf text;
  bool in_delta;
  unsigned usages;
  struct usage usage;
};

static const char *const kinds[PART_KINDS] = {"text",  "reasoning", "summary", "redacted", "refusal",
                                              "call",  "result",    "server",  "image",    "document",
                                              "audio", "video",     "opaque"};
static const char *const stops[] = {"end",     "length", "tool_calls", "sequence",  "filter",
                                    "refusal", "pause",  "context",    "malformed", "other"};

static enum err put(void *arg, const struct event *e, struct err_info *info) {
  struct log *log = arg;
  (void)info;
  if (log->in_delta && e->kind != EVENT_DELTA && e->kind != EVENT_USAGE) {
    buf_put_char(&log->text, '\n');
    log->in_delta = false;
  }
  switch (e->kind) {
    case EVENT_START: buf_printf(&log->text, "start %.*s %.*s\n", STR_ARG(e->id), STR_ARG(e->name)); break;
    case EVENT_OPEN:
      buf_printf(&log->text, "open %u.%u %s %.*s %.*s%.*s%.*s\n", e->choice, e->part, kinds[e->part_kind],
                 STR_ARG(e->id), STR_ARG(e->name), STR_ARG(e->mime), STR_ARG(e->raw));
      break;
    case EVENT_DELTA:
      if (!log->in_delta) buf_printf(&log->text, "delta %u ", e->part);
      log->in_delta = true;
      buf_put(&log->text, e->bytes);
      break;
    case EVENT_ATTACH:
      buf_printf(&log->text, "attach %u %d %.*s%.*s\n", e->part, e->attachment, STR_ARG(e->bytes), STR_ARG(e->raw));
      break;
    case EVENT_CLOSE: buf_printf(&log->text, "close %u\n", e->part); break;
    case EVENT_USAGE:
      answer_merge_usage(&log->usage, e->usage);
      log->usages++;
      break;
    case EVENT_STOP:
      buf_printf(&log->text, "stop %u %s %.*s\n", e->choice, stops[e->reason], STR_ARG(e->native));
      break;
    case EVENT_ERROR: buf_printf(&log->text, "error %.*s\n", STR_ARG(e->bytes)); break;
    case EVENT_END: buf_put(&log->text, STR("end\n")); break;
    default: fail();
  }
  return OK;
}

struct run {
  struct arena arena;
  struct request request;
  struct dialect_exchange x;
  struct log log;
  struct err_info info;
};

static void run_begin(struct run *r) {
  memset(r, 0, sizeof *r);
  arena_init(&r->arena, 0);
  request_init(&r->request, STR("anthropic"), LLM_GENERATE);
  r->x = (struct dialect_exchange){
      .arena = &r->arena, .reply_id = STR("r1"), .model = STR("told"), .request = &r->request};
  buf_init(&r->log.text, 0);
}

static void run_end(struct run *r) {
  buf_clear(&r->log.text);
  arena_clear(&r->arena);
}

static enum err decode_reply(struct run *r, const char *body) {
  const struct event_sink sink = {&r->log, put};
  return dialect_gemini.decode_reply(&r->x, str_from_c(body), &sink, &r->info);
}

/* The stream cut in two at `cut`; then its end. */
static enum err decode_stream(struct run *r, struct str stream, size_t cut) {
  const struct event_sink sink = {&r->log, put};
  const struct str pieces[] = {str_sub(stream, 0, cut), str_sub(stream, cut, stream.n)};
  struct frame_reader frames;
  struct frame frame;
  struct json_pool pool = {0};
  enum err e = OK;
  void *state = arena_zalloc(&r->arena, dialect_gemini.decoder_bytes);
  frame_reader_init(&frames, FRAMING_SSE, 0);
  for (size_t i = 0; i < 2 && !e; i++) {
    frame_reader_feed(&frames, pieces[i]);
    while (!e && frame_reader_next(&frames, &frame, &e))
      e = dialect_gemini.decode_frame(state, &r->x, &pool, &frame, &sink, &r->info);
  }
  if (!e) e = dialect_gemini.decode_end(state, &r->x, &sink, &r->info);
  frame_reader_clear(&frames);
  json_pool_clear(&pool);
  return e;
}

static void check_log(const struct run *r, const char *want) {
  struct str got = buf_str(&r->log.text);
  if (str_eq(got, str_from_c(want))) return;
  fprintf(stderr, "got\n%.*swant\n%s", STR_ARG(got), want);
  fail();
}

static void check_stream(const char *stream, const char *want) {
  struct str s = str_from_c(stream);
  for (size_t cut = 0; cut <= s.n; cut++) {
    struct run r;
    run_begin(&r);
    assert_int_equal(decode_stream(&r, s, cut), OK);
    check_log(&r, want);
    run_end(&r);
  }
}

static void check_reply(const char *body, const char *want) {
  struct run r;
  run_begin(&r);
  assert_int_equal(decode_reply(&r, body), OK);
  check_log(&r, want);
  run_end(&r);
}

#define REPLY(parts, reason)                                                                            \
  "{\"candidates\":[{\"content\":{\"parts\":[" parts "],\"role\":\"model\"},\"finishReason\":\"" reason \
  "\",\"index\":0}],\"modelVersion\":\"gemini-3\",\"responseId\":\"id\"}"

TEST(test_whole_replies) {
  check_reply(REPLY("{\"text\":\"hi \"},{\"text\":\"you\"}", "STOP"),
              "start id gemini-3\nopen 0.0 text  \ndelta 0 hi you\nclose 0\nstop 0 end STOP\nend\n");
  check_reply(
      REPLY("{\"text\":\"hm\",\"thought\":true},{\"text\":\"a\",\"thoughtSignature\":\"c2ln\"},{\"text\":\"b\"}",
            "MAX_TOKENS"),
      "start id gemini-3\nopen 0.0 reasoning  \ndelta 0 hm\nclose 0\nopen 0.1 text  \ndelta 1 a\nattach 1 0 c2ln\n"
      "close 1\nopen 0.2 text  \ndelta 2 b\nclose 2\nstop 0 length MAX_TOKENS\nend\n");
  check_reply(REPLY("{\"functionCall\":{\"name\":\"f\",\"args\":{\"a\":1.0}},\"thoughtSignature\":\"c2ln\"},"
                    "{\"functionCall\":{\"id\":\"x\",\"name\":\"g\"}}",
                    "STOP"),
              "start id gemini-3\nopen 0.0 call call_r1_0 f\ndelta 0 {\"a\":1.0}\nattach 0 0 c2ln\nclose 0\n"
              "open 0.1 call x g\ndelta 1 {}\nclose 1\nstop 0 tool_calls STOP\nend\n");
  check_reply(REPLY("{\"executableCode\":{\"code\":\"1\"}},{\"codeExecutionResult\":{\"output\":\"1\"}},"
                    "{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"AAAA\"}},{\"novel\":1}",
                    "STOP"),
              "start id gemini-3\nopen 0.0 server  {\"executableCode\":{\"code\":\"1\"}}\nclose 0\n"
              "open 0.1 server  {\"codeExecutionResult\":{\"output\":\"1\"}}\nclose 1\n"
              "open 0.2 image  image/png\ndelta 2 AAAA\nclose 2\nopen 0.3 opaque  {\"novel\":1}\nclose 3\n"
              "stop 0 end STOP\nend\n");
}

TEST(test_reasons) {
  static const struct {
    const char *word, *reason;
  } rows[] = {{"SAFETY", "filter"},      {"RECITATION", "filter"},
              {"BLOCKLIST", "filter"},   {"PROHIBITED_CONTENT", "filter"},
              {"SPII", "filter"},        {"MALFORMED_FUNCTION_CALL", "malformed"},
              {"LANGUAGE", "other"},     {"OTHER", "other"},
              {"NEW_REASON", "other"},   {"UNEXPECTED_TOOL_CALL", "malformed"},
              {"IMAGE_SAFETY", "filter"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char body[256], want[256];
    snprintf(body, sizeof body, "{\"candidates\":[{\"finishReason\":\"%s\"}]}", rows[i].word);
    snprintf(want, sizeof want, "start  \nstop 0 %s %s\nend\n", rows[i].reason, rows[i].word);
    check_reply(body, want);
  }
}

TEST(test_blocked_prompt) {
  check_reply(
      "{\"promptFeedback\":{\"blockReason\":\"PROHIBITED_CONTENT\"},\"usageMetadata\":{\"promptTokenCount\":3}}",
      "start  \nstop 0 filter PROHIBITED_CONTENT\nend\n");
  check_stream("data: {\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}\r\n\r\n",
               "start  \nstop 0 filter SAFETY\nend\n");
}

TEST(test_empty_replies_are_stopped_too) {
  check_reply("{\"candidates\":[]}", "start  \nstop 0 other \nend\n");
  check_reply("{\"candidates\":[{}]}", "start  \nstop 0 end \nend\n");
  check_reply("{\"candidates\":[{\"content\":{\"role\":\"model\"},\"finishReason\":\"MAX_TOKENS\"}]}",
              "start  \nstop 0 length MAX_TOKENS\nend\n");
}

TEST(test_several_candidates) {
  check_reply(
      "{\"candidates\":[{\"index\":1,\"content\":{\"parts\":[{\"text\":\"b\"}]},\"finishReason\":\"STOP\"},"
      "{\"index\":0,\"content\":{\"parts\":[{\"text\":\"a\"}]},\"finishReason\":\"MAX_TOKENS\"}]}",
      "start  \nopen 1.0 text  \ndelta 0 b\nopen 0.1 text  \ndelta 1 a\nclose 1\nstop 0 length MAX_TOKENS\n"
      "close 0\nstop 1 end STOP\nend\n");
}

TEST(test_citations) {
  check_reply(
      "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]},\"finishReason\":\"STOP\",\"groundingMetadata\":{"
      "\"groundingChunks\":[{\"web\":{\"uri\":\"https://u\",\"title\":\"t\"}},{\"web\":{\"uri\":\"https://v\"}}],"
      "\"groundingSupports\":[{\"segment\":{\"startIndex\":0,\"endIndex\":1,\"text\":\"a\"},"
      "\"groundingChunkIndices\":[1,0,9]}]},\"citationMetadata\":{\"citations\":[{\"uri\":\"https://w\"}]}}]}",
      "start  \nopen 0.0 text  \ndelta 0 a\n"
      "attach 0 1 {\"startIndex\":0,\"endIndex\":1,\"uri\":\"https://v\"}\n"
      "attach 0 1 {\"startIndex\":0,\"endIndex\":1,\"uri\":\"https://u\",\"title\":\"t\"}\n"
      "attach 0 1 {\"uri\":\"https://w\"}\nclose 0\nstop 0 end STOP\nend\n");
}

TEST(test_logprobs) {
  check_reply(
      "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]},\"finishReason\":\"STOP\",\"logprobsResult\":{"
      "\"chosenCandidates\":[{\"token\":\"a\",\"tokenId\":7,\"logProbability\":-0.5}],\"topCandidates\":[{"
      "\"candidates\":[{\"token\":\"b\",\"logProbability\":-1}]}]}}]}",
      "start  \nopen 0.0 text  \ndelta 0 a\n"
      "attach 0 2 {\"token\":\"a\",\"logprob\":-0.5,\"bytes\":null,\"top_logprobs\":[{\"token\":\"b\",\"logprob\":-1,"
      "\"bytes\":null}]}\nclose 0\nstop 0 end STOP\nend\n");
}

TEST(test_streams) {
  check_stream(
      "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"th\",\"thought\":true}]}}],\"responseId\":\"id\","
      "\"modelVersion\":\"m\"}\r\n\r\n"
      "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"ink\",\"thought\":true}]}}]}\r\n\r\n"
      "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Hel\"}]}}]}\r\n\r\n"
      "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"lo \\u00e4\"}]}}]}\r\n\r\n"
      "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\",\"thoughtSignature\":\"c2ln\"}]},"
      "\"finishReason\":\"STOP\"}],\"usageMetadata\":{\"promptTokenCount\":1}}\r\n\r\n",
      "start id m\nopen 0.0 reasoning  \ndelta 0 think\nclose 0\nopen 0.1 text  \ndelta 1 Hello \xc3\xa4\n"
      "attach 1 0 c2ln\nclose 1\nstop 0 end STOP\nend\n");
  check_stream(
      "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"x\"},{\"functionCall\":{\"name\":\"f\",\"args\":{"
      "\"a\":[1,2]}}},{\"functionCall\":{\"name\":\"f\",\"args\":{}}}]}}]}\n\n"
      "data: {\"candidates\":[{\"finishReason\":\"STOP\"}]}\n\ndata: [DONE]\n\n",
      "start  \nopen 0.0 text  \ndelta 0 x\nclose 0\nopen 0.1 call call_r1_0 f\ndelta 1 {\"a\":[1,2]}\nclose 1\n"
      "open 0.2 call call_r1_1 f\ndelta 2 {}\nclose 2\nstop 0 tool_calls STOP\nend\n");
}

/* Older models say STOP in every chunk: the last word counts, and nothing is closed before. */
TEST(test_reason_in_every_chunk) {
  check_stream(
      "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]},\"finishReason\":\"STOP\"}]}\n\n"
      "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"b\"}]},\"finishReason\":\"MAX_TOKENS\"}]}\n\n",
      "start  \nopen 0.0 text  \ndelta 0 ab\nclose 0\nstop 0 length MAX_TOKENS\nend\n");
}

TEST(test_cut_streams_do_not_end) {
  check_stream("data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]}}]}\n\n",
               "start  \nopen 0.0 text  \ndelta 0 a");
  check_stream(
      "data: {\"candidates\":[{\"index\":0,\"finishReason\":\"STOP\"},{\"index\":1,\"content\":{\"parts\":[{"
      "\"text\":\"a\"}]}}]}\n\n",
      "start  \nopen 1.0 text  \ndelta 0 a");
  check_stream("", "");
}

TEST(test_errors) {
  const char *error = "{\"error\":{\"code\":503,\"message\":\"m\",\"status\":\"UNAVAILABLE\"}}";
  char text[200], want[200];
  snprintf(want, sizeof want, "error %s\n", error);
  check_reply(error, want);
  snprintf(text, sizeof text, "data: %s\n\n", error);
  check_stream(text, want);
  struct run r;
  run_begin(&r);
  snprintf(text, sizeof text, "[%s]", error); /* of a stream that would have been an array */
  assert_int_equal(decode_reply(&r, text), OK);
  assert_true(str_has_prefix(buf_str(&r.log.text), STR("error ")));
  run_end(&r);
}

TEST(test_no_replies) {
  static const char *const bodies[] = {
      "",
      "[]",
      "{}",
      "\"x\"",
      "<html>",
      "{\"candidates\":[1]}",
      "{\"candidates\":{}}",
      "{\"candidates\":[{\"content\":\"a\"}]}",
      "{\"candidates\":[{\"content\":{\"parts\":{\"text\":\"a\"}}}]}",
      "{\"candidates\":[{\"content\":{\"parts\":[{\"functionCall\":\"f\"}]}}]}",
      "{\"candidates\":[{\"content\":{\"parts\":[{\"inlineData\":\"AAAA\"}]}}]}",
      "{\"candidates\":[{\"content\":{\"parts\":[1]}}]}",
      "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":1}]}}]}",
      "{\"candidates\":[{\"content\":{\"parts\":[{\"functionCall\":{\"args\":[1]}}]}}]}"};
  for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
    struct run r;
    run_begin(&r);
    assert_int_equal(decode_reply(&r, bodies[i]), ERR_UPSTREAM_PROTOCOL);
    run_end(&r);
  }
  struct run r;
  run_begin(&r);
  assert_int_equal(decode_reply(&r, "{\"candidates\":[{\"index\":8}]}"), ERR_UPSTREAM_TOO_LARGE);
  run_end(&r);
  run_begin(&r);
  assert_int_equal(decode_stream(&r, STR("data: nonsense\n\n"), 0), ERR_UPSTREAM_PROTOCOL);
  run_end(&r);
}

static void check_usage(const char *metadata, int64_t input, int64_t output, int64_t cached, int64_t reasoning) {
  const int64_t want[USAGE_CLASSES] = {input, output, cached, -1, reasoning};
  char body[400];
  struct run r;
  snprintf(body, sizeof body, "{\"candidates\":[],\"usageMetadata\":%s}", metadata);
  run_begin(&r);
  assert_int_equal(decode_reply(&r, body), OK);
  for (int c = 0; c < USAGE_CLASSES; c++) {
    assert_int_equal(usage_has(&r.log.usage, (enum usage_class)c), want[c] >= 0);
    if (want[c] >= 0) assert_int_equal(usage_get(&r.log.usage, (enum usage_class)c), want[c]);
  }
  run_end(&r);
}

TEST(test_usage) {
  check_usage("{\"promptTokenCount\":10,\"candidatesTokenCount\":5,\"totalTokenCount\":15}", 10, 5, -1, -1);
  check_usage(
      "{\"promptTokenCount\":10,\"candidatesTokenCount\":5,\"thoughtsTokenCount\":7,\"cachedContentTokenCount\":4,"
      "\"toolUsePromptTokenCount\":3,\"totalTokenCount\":25}",
      13, 12, 4, 7);
  check_usage("{\"promptTokenCount\":10,\"thoughtsTokenCount\":7,\"totalTokenCount\":17}", 10, 7, -1, 7);
  check_usage("{\"promptTokenCount\":10,\"totalTokenCount\":10}", 10, 0, -1, -1);
  check_usage("{\"promptTokenCount\":10}", 10, -1, -1, -1);
  check_usage("{\"promptTokenCount\":-1,\"candidatesTokenCount\":\"x\"}", -1, -1, -1, -1);
}

TEST(test_counted_tokens) {
  struct run r;
  run_begin(&r);
  r.request.operation = LLM_COUNT_TOKENS;
  assert_int_equal(decode_reply(&r, "{\"totalTokens\":31,\"cachedContentTokenCount\":2}"), OK);
  assert_int_equal(usage_get(&r.log.usage, USAGE_INPUT), 31);
  assert_int_equal(usage_get(&r.log.usage, USAGE_CACHE_READ), 2);
  check_log(&r, "start  \nend\n");
  assert_int_equal(decode_reply(&r, "{}"), ERR_UPSTREAM_PROTOCOL);
  run_end(&r);
}

/* A name that Gemini could not take is told as it was declared. */
TEST(test_declared_names) {
  struct request_tool tools[] = {{.name = STR("read file")}, {.name = STR("plain")}};
  struct run r;
  run_begin(&r);
  r.request.tools = tools;
  r.request.tool_count = 2;
  assert_int_equal(decode_reply(&r, REPLY("{\"functionCall\":{\"id\":\"1\",\"name\":\"read_file\"}}", "STOP")), OK);
  check_log(&r, "start id gemini-3\nopen 0.0 call 1 read file\ndelta 0 {}\nclose 0\nstop 0 tool_calls STOP\nend\n");
  run_end(&r);
}

/* ---- relay ---- */

static void relay(const char *body, const char *want, unsigned kinds_wanted) {
  const struct dialect_reply_edits edits = {.model = STR("p/m")};
  struct events events;
  struct buf out;
  buf_init(&out, 0);
  assert_int_equal(dialect_gemini.relay_reply(str_from_c(body), &edits, &events, &out, NULL), OK);
  assert_int_equal(events.kinds, kinds_wanted);
  assert_str(buf_str(&out), str_from_c(want));
  buf_clear(&out);
}

#define KIND(name) (1u << EVENT_##name)

TEST(test_relay) {
  relay(
      "{ \"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]},\"finishReason\":\"STOP\"}], "
      "\"usageMetadata\":{\"promptTokenCount\":1}, \"modelVersion\":\"gemini-x\"}",
      "{ \"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]},\"finishReason\":\"STOP\"}], "
      "\"usageMetadata\":{\"promptTokenCount\":1}, \"modelVersion\":\"p/m\"}",
      KIND(DELTA) | KIND(STOP) | KIND(USAGE));
  relay("{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\"}]}}]}",
        "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\"}]}}]}", 0);
  relay("{\"totalTokens\":3}", "{\"totalTokens\":3}", KIND(USAGE));
  relay("{\"error\":{\"code\":400}}", "", KIND(ERROR));
  static const char *const none[] = {"{}", "{\"error\":null}", "{\"message\":\"x\"}"};
  for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
    struct events events;
    struct buf out;
    struct err_info info = {0};
    buf_init(&out, 0);
    assert_int_equal(
        dialect_gemini.relay_reply(str_from_c(none[i]), &(struct dialect_reply_edits){0}, &events, &out, &info),
        ERR_UPSTREAM_PROTOCOL);
    buf_clear(&out);
  }
  relay("{\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}", "{\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}",
        KIND(STOP));
}

TEST(test_relay_of_frames_and_receipt) {
  const struct dialect_reply_edits edits = {.model = STR("p/m")};
  struct str text =
      STR("data: {\"candidates\":[{\"content\":{\"parts\":[{\"functionCall\":{\"name\":\"f\"}}]}}],"
          "\"modelVersion\":\"x\"}\r\n\r\n");
  struct dialect_stream stream = {0};
  struct frame_reader frames;
  struct frame frame;
  struct events events;
  struct buf out;
  enum err e;
  buf_init(&out, 0);
  frame_reader_init(&frames, FRAMING_SSE, 0);
  frame_reader_feed(&frames, text);
  assert_true(frame_reader_next(&frames, &frame, &e));
  assert_int_equal(dialect_gemini.relay_frame(&stream, &frame, &edits, &events, &out, NULL), OK);
  assert_int_equal(events.kinds, KIND(DELTA));
  dialect_gemini.put_receipt(&out, 0, STR("{\"r\":1}"));
  assert_str(buf_str(&out),
             STR("data: {\"candidates\":[{\"content\":{\"parts\":[{\"functionCall\":{\"name\":\"f\"}}]}}],"
                 "\"modelVersion\":\"p/m\",\"maestro\":{\"r\":1}}\r\n\r\n"));
  frame_reader_clear(&frames);
  json_pool_clear(&stream.pool);
  buf_clear(&out);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_whole_replies),
      cmocka_unit_test(test_reasons),
      cmocka_unit_test(test_blocked_prompt),
      cmocka_unit_test(test_empty_replies_are_stopped_too),
      cmocka_unit_test(test_several_candidates),
      cmocka_unit_test(test_citations),
      cmocka_unit_test(test_logprobs),
      cmocka_unit_test(test_streams),
      cmocka_unit_test(test_reason_in_every_chunk),
      cmocka_unit_test(test_cut_streams_do_not_end),
      cmocka_unit_test(test_errors),
      cmocka_unit_test(test_no_replies),
      cmocka_unit_test(test_usage),
      cmocka_unit_test(test_counted_tokens),
      cmocka_unit_test(test_declared_names),
      cmocka_unit_test(test_relay),
      cmocka_unit_test(test_relay_of_frames_and_receipt),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
