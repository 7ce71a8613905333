/* Answers and streams as Gemini writes them, for callers that speak it; errors and lists. Chunks are read again with
 * the strictness of the vendor's own SDK: "data: " with its space, no comment, one JSON object each. */
#include "gemini_unit.h"
#include "io/frame_reader.h"
#include "llm/signature.h"

struct run {
  struct arena arena;
  struct request request;
  struct dialect_exchange x;
  void *state;
  struct buf out;
  struct err_info info;
};

static void put_receipt(void *arg, struct buf *out) {
  (void)arg;
  buf_put(out, STR("{\"r\":1}"));
}

static void run_begin(struct run *r) {
  memset(r, 0, sizeof *r);
  arena_init(&r->arena, 0);
  request_init(&r->request, STR("gemini"), LLM_GENERATE);
  r->request.reasoning.visible = 1;
  r->x =
      (struct dialect_exchange){.arena = &r->arena, .reply_id = STR("r1"), .model = STR("m"), .request = &r->request};
  r->state = arena_zalloc(&r->arena, dialect_gemini.encoder_bytes);
  buf_init(&r->out, 0);
}

static void run_end(struct run *r) {
  buf_clear(&r->out);
  arena_clear(&r->arena);
}

static void send(struct run *r, struct event e) {
  assert_int_equal(dialect_gemini.encode_event(r->state, &r->x, &e, &r->out, &r->info), OK);
}

#define OPEN(n, k, ...) \
  (struct event) { .kind = EVENT_OPEN, .part = n, .part_kind = PART_##k, __VA_ARGS__ }
#define DELTA(n, k, s) \
  (struct event) { .kind = EVENT_DELTA, .part = n, .part_kind = PART_##k, .bytes = STR(s) }
#define CLOSE(n, k) \
  (struct event) { .kind = EVENT_CLOSE, .part = n, .part_kind = PART_##k }
#define SIGN(n, k, s, whose)                                                                                 \
  (struct event) {                                                                                           \
    .kind = EVENT_ATTACH, .part = n, .part_kind = PART_##k, .attachment = ATTACH_SIGNATURE, .bytes = STR(s), \
    .dialect = STR(whose)                                                                                    \
  }
#define CITE(n, s)                                                                                        \
  (struct event) {                                                                                        \
    .kind = EVENT_ATTACH, .part = n, .part_kind = PART_TEXT, .attachment = ATTACH_CITATION, .raw = STR(s) \
  }
#define START \
  (struct event) { .kind = EVENT_START, .id = STR("up"), .name = STR("theirs") }
#define STOP(why, word) \
  (struct event) { .kind = EVENT_STOP, .reason = STOP_##why, .native = STR(word) }
#define END \
  (struct event) { .kind = EVENT_END }

static struct usage some_usage(void) {
  struct usage u = {0};
  usage_set(&u, USAGE_INPUT, 10);
  usage_set(&u, USAGE_OUTPUT, 7);
  usage_set(&u, USAGE_REASONING, 3);
  usage_set(&u, USAGE_CACHE_READ, 4);
  return u;
}

/* The chunks of the stream, as one JSON array. */
static void check_chunks(const struct run *r, const char *want) {
  struct buf list;
  struct str rest = buf_str(&r->out);
  buf_init(&list, 0);
  buf_put_char(&list, '[');
  while (rest.n) {
    size_t end = str_find(rest, STR("\r\n\r\n"));
    assert_true(str_has_prefix(rest, STR("data: ")) && end != SIZE_MAX);
    if (list.n > 1) buf_put_char(&list, ',');
    buf_put(&list, str_sub(rest, 6, end));
    rest = str_sub(rest, end + 4, rest.n);
  }
  buf_put_char(&list, ']');
  check_json(buf_str(&list), want);
  buf_clear(&list);
}

#define CHUNK(part)                                 \
  "{\"candidates\":[{\"content\":{\"parts\":[" part \
  "],\"role\":\"model\"},\"index\":0}],\"modelVersion\":\"m\",\"responseId\":\"up\"}"
#define LAST(reason, more)                                                                                    \
  "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\"}],\"role\":\"model\"},\"finishReason\":\"" reason \
  "\",\"index\":0}]" more ",\"modelVersion\":\"m\",\"responseId\":\"up\"}"

TEST(test_stream_of_text) {
  struct run r;
  struct usage usage = some_usage();
  run_begin(&r);
  r.x.put_receipt = put_receipt;
  send(&r, START);
  assert_int_equal(r.out.n, 0);
  send(&r, OPEN(0, REASONING, .choice = 0));
  send(&r, DELTA(0, REASONING, "hm"));
  send(&r, SIGN(0, REASONING, "c2ln", "gemini"));
  send(&r, CLOSE(0, REASONING));
  send(&r, OPEN(1, TEXT, .choice = 0));
  send(&r, DELTA(1, TEXT, "Hel"));
  send(&r, DELTA(1, TEXT, "lo \"\n"));
  send(&r, CLOSE(1, TEXT));
  send(&r, STOP(END, "end_turn"));
  send(&r, (struct event){.kind = EVENT_USAGE, .usage = &usage});
  send(&r, END);
  check_chunks(
      &r,
      "[" CHUNK("{\"text\":\"hm\",\"thought\":true}") "," CHUNK(
          "{\"text\":\"\",\"thought\":true,\"thoughtSignature\":"
          "\"c2ln\"}") "," CHUNK("{\"text\":\"Hel\"}") "," CHUNK("{\"text\":\"lo \\\"\\n\"}") "," LAST("STOP",
                                                                                                       ",\"usageMetadat"
                                                                                                       "a\":{"
                                                                                                       "\"promptTokenCo"
                                                                                                       "unt\":10,"
                                                                                                       "\"candidatesTok"
                                                                                                       "enCount\":"
                                                                                                       "4,"
                                                                                                       "\"thoughtsToken"
                                                                                                       "Count\":3,"
                                                                                                       "\"totalTokenCou"
                                                                                                       "nt\":17,"
                                                                                                       "\"cachedContent"
                                                                                                       "TokenCount\":4}"
                                                                                                       ","
                                                                                                       "\"maestro\":{"
                                                                                                       "\"r\":1}") "]");
  run_end(&r);
}

/* Two calls at once, their arguments in pieces: each comes out whole, by itself. */
TEST(test_stream_of_interleaved_calls) {
  struct run r;
  run_begin(&r);
  send(&r, START);
  send(&r, OPEN(0, TOOL_CALL, .id = STR("a"), .name = STR("f")));
  send(&r, OPEN(1, TOOL_CALL, .id = STR("b"), .name = STR("g")));
  send(&r, DELTA(0, TOOL_CALL, "{\"x\""));
  send(&r, DELTA(1, TOOL_CALL, "not "));
  send(&r, DELTA(0, TOOL_CALL, ":1}"));
  send(&r, DELTA(1, TOOL_CALL, "json"));
  assert_int_equal(r.out.n, 0);
  send(&r, SIGN(1, TOOL_CALL, "SIG", "anthropic"));
  send(&r, CLOSE(1, TOOL_CALL));
  send(&r, CLOSE(0, TOOL_CALL));
  send(&r, OPEN(2, TOOL_CALL, .id = STR("c"), .name = STR("f")));
  send(&r, CLOSE(2, TOOL_CALL));
  send(&r, CLOSE(2, TOOL_CALL)); /* a close too many is nothing */
  send(&r, STOP(TOOL_CALLS, "tool_use"));
  send(&r, END);
  check_chunks(&r, "[" CHUNK("{\"functionCall\":{\"id\":\"b\",\"name\":\"g\",\"args\":{\"_invalid_json\":\"not json\"}},"
                             "\"thoughtSignature\":\"bWFlc3RybzE6YW50aHJvcGljOlNJRw==\"}") "," CHUNK(
                       "{\"functionCall\":{\"id\":\"a\",\"name\":\"f\",\"args\":{\"x\":1}}}") "," CHUNK(
                       "{\"functionCall\":{\"id\":\"c\",\"name\":\"f\",\"args\":{}}}") "," LAST("STOP", "") "]");
  run_end(&r);
}

TEST(test_thoughts_are_for_those_who_asked) {
  struct run r;
  run_begin(&r);
  r.request.reasoning.visible = -1; /* includeThoughts is false by default */
  send(&r, START);
  send(&r, OPEN(0, REASONING, .choice = 0));
  send(&r, DELTA(0, REASONING, "hm"));
  send(&r, SIGN(0, REASONING, "x", "anthropic"));
  send(&r, CLOSE(0, REASONING));
  assert_int_equal(r.out.n, 0);
  run_end(&r);
}

TEST(test_stream_as_array) {
  struct run r;
  run_begin(&r);
  r.x.is_array = true;
  send(&r, START);
  send(&r, OPEN(0, TEXT, .choice = 0));
  send(&r, DELTA(0, TEXT, "a"));
  struct buf broken;
  buf_init(&broken, 0);
  buf_put(&broken, buf_str(&r.out));
  send(&r, DELTA(0, TEXT, "b"));
  send(&r, CLOSE(0, TEXT));
  send(&r, STOP(LENGTH, "length"));
  send(&r, END);
  check_json(buf_str(&r.out),
             "[" CHUNK("{\"text\":\"a\"}") "," CHUNK("{\"text\":\"b\"}") "," LAST("MAX_TOKENS", "") "]");
  dialect_gemini.put_array_error(&broken, ERR_UPSTREAM_CUT, NULL);
  yyjson_doc *doc = yyjson_read(broken.p, broken.n, 0);
  assert_int_equal(yyjson_arr_size(yyjson_doc_get_root(doc)), 2);
  assert_non_null(yyjson_obj_get(yyjson_arr_get(yyjson_doc_get_root(doc), 1), "error"));
  yyjson_doc_free(doc);
  buf_clear(&broken);
  run_end(&r);
  run_begin(&r);
  r.x.is_array = true; /* nothing but its end */
  send(&r, START);
  send(&r, STOP(END, ""));
  send(&r, END);
  check_json(buf_str(&r.out), "[" LAST("STOP", "") "]");
  run_end(&r);
}

TEST(test_stream_of_pictures_and_native_parts) {
  struct run r;
  run_begin(&r);
  send(&r, START);
  send(&r, OPEN(0, IMAGE, .mime = STR("image/png")));
  send(&r, DELTA(0, IMAGE, "AA"));
  send(&r, DELTA(0, IMAGE, "AA"));
  send(&r, CLOSE(0, IMAGE));
  send(&r, OPEN(1, SERVER_TOOL, .raw = STR("{\"executableCode\":{}}"), .dialect = STR("gemini")));
  send(&r, CLOSE(1, SERVER_TOOL));
  send(&r, OPEN(2, SERVER_TOOL, .raw = STR("{\"type\":\"x\"}"), .dialect = STR("anthropic")));
  send(&r, CLOSE(2, SERVER_TOOL));
  send(&r, OPEN(3, REFUSAL, .choice = 0));
  send(&r, DELTA(3, REFUSAL, "no"));
  send(&r, CLOSE(3, REFUSAL));
  check_chunks(&r, "[" CHUNK("{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"AAAA\"}}") "," CHUNK(
                       "{\"executableCode\":{}}") "," CHUNK("{\"text\":\"no\"}") "]");
  run_end(&r);
}

TEST(test_citations_and_logprobs) {
  struct run r;
  run_begin(&r);
  send(&r, START);
  send(&r, OPEN(0, TEXT, .choice = 0));
  send(&r, CITE(0,
                "{\"type\":\"url_citation\",\"url_citation\":{\"url\":\"https://u\",\"title\":\"t\",\"start_index\":0,"
                "\"end_index\":2}}"));
  send(&r, CITE(0, "{\"type\":\"web_search_result_location\",\"url\":\"https://v\",\"title\":\"w\"}"));
  send(&r, CITE(0, "{\"type\":\"char_location\"}"));
  send(&r, (struct event){
               .kind = EVENT_ATTACH,
               .attachment = ATTACH_LOGPROBS,
               .raw = STR("{\"token\":\"a\",\"logprob\":-1,\"top_logprobs\":[{\"token\":\"b\",\"logprob\":-2}]}")});
  send(&r, CLOSE(0, TEXT));
  send(&r, STOP(END, "stop"));
  send(&r, END);
  check_chunks(
      &r,
      "[{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\"}],\"role\":\"model\"},\"finishReason\":\"STOP\","
      "\"index\":0,\"citationMetadata\":{\"citationSources\":[{\"startIndex\":0,\"endIndex\":2,\"uri\":\"https://u\","
      "\"title\":\"t\"},{\"uri\":\"https://v\",\"title\":\"w\"}]},\"logprobsResult\":{\"topCandidates\":[{"
      "\"candidates\":[{\"token\":\"b\",\"logProbability\":-2}]}],\"chosenCandidates\":[{\"token\":\"a\","
      "\"logProbability\":-1}]}}],\"modelVersion\":\"m\",\"responseId\":\"up\"}]");
  run_end(&r);
}

TEST(test_too_many_open_calls) {
  struct run r;
  enum err e = OK;
  run_begin(&r);
  for (uint32_t i = 0; !e && i < 1000; i++) {
    struct event open = OPEN(i, TOOL_CALL, .name = STR("f"));
    e = dialect_gemini.encode_event(r.state, &r.x, &open, &r.out, &r.info);
  }
  assert_int_equal(e, ERR_UPSTREAM_TOO_LARGE);
  run_end(&r);
}

/* ---- whole answers ---- */

static void check_answer(const struct event *events, size_t n, const char *want) {
  struct run r;
  struct answer answer;
  run_begin(&r);
  answer_init(&answer, &r.arena, 0);
  struct event_sink sink = answer_sink(&answer);
  for (size_t i = 0; i < n; i++) assert_int_equal(event_put(&sink, &events[i], &r.info), OK);
  dialect_gemini.encode_reply(&r.x, &answer, &r.out);
  check_json(buf_str(&r.out), want);
  answer_clear(&answer);
  run_end(&r);
}
#define CHECK_ANSWER(want, ...)                                    \
  do {                                                             \
    const struct event events_[] = {__VA_ARGS__};                  \
    check_answer(events_, sizeof events_ / sizeof *events_, want); \
  } while (0)
#define ANSWER(parts, more)                                                       \
  "{\"candidates\":[{\"content\":{\"parts\":[" parts "],\"role\":\"model\"}" more \
  "}],\"modelVersion\":\"m\",\"responseId\":\"up\"}"

TEST(test_whole_answers) {
  CHECK_ANSWER(
      ANSWER("{\"text\":\"hm\",\"thought\":true,\"thoughtSignature\":\"c2ln\"},{\"text\":\"hi\"},"
             "{\"functionCall\":{\"id\":\"c\",\"name\":\"f\",\"args\":{\"a\":1}},\"thoughtSignature\":\"eHg=\"}",
             ",\"finishReason\":\"STOP\",\"index\":0"),
      START, OPEN(0, REASONING, .choice = 0), DELTA(0, REASONING, "hm"), SIGN(0, REASONING, "c2ln", "gemini"),
      CLOSE(0, REASONING), OPEN(1, TEXT, .choice = 0), DELTA(1, TEXT, "hi"), CLOSE(1, TEXT),
      OPEN(2, TOOL_CALL, .id = STR("c"), .name = STR("f")), DELTA(2, TOOL_CALL, "{\"a\":1}"),
      SIGN(2, TOOL_CALL, "eHg=", "gemini"), CLOSE(2, TOOL_CALL), STOP(TOOL_CALLS, "tool_use"), END);
  CHECK_ANSWER(ANSWER("", ",\"finishReason\":\"SAFETY\",\"index\":0"), START, STOP(REFUSAL, "refusal"), END);
  CHECK_ANSWER(ANSWER("", ",\"finishReason\":\"PROHIBITED_CONTENT\",\"index\":0"), START,
               STOP(FILTER, "PROHIBITED_CONTENT"), END);
  CHECK_ANSWER(
      "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}],\"role\":\"model\"},\"index\":0,\"finishReason\":"
      "\"STOP\"},{\"content\":{\"parts\":[{\"text\":\"b\"}],\"role\":\"model\"},\"index\":1,\"finishReason\":"
      "\"MAX_TOKENS\"}],\"modelVersion\":\"m\",\"responseId\":\"r1\"}",
      OPEN(0, TEXT, .choice = 0), OPEN(1, TEXT, .choice = 1), DELTA(1, TEXT, "b"), DELTA(0, TEXT, "a"), CLOSE(0, TEXT),
      CLOSE(1, TEXT), STOP(SEQUENCE, "stop_sequence"),
      (struct event){.kind = EVENT_STOP, .choice = 1, .reason = STOP_LENGTH}, END);
}

TEST(test_counted_tokens) {
  struct run r;
  struct answer answer;
  struct usage usage = {0};
  run_begin(&r);
  r.request.operation = LLM_COUNT_TOKENS;
  answer_init(&answer, &r.arena, 0);
  struct event_sink sink = answer_sink(&answer);
  usage_set(&usage, USAGE_INPUT, 12);
  assert_int_equal(event_put(&sink, &(struct event){.kind = EVENT_USAGE, .usage = &usage}, NULL), OK);
  dialect_gemini.encode_reply(&r.x, &answer, &r.out);
  check_json(buf_str(&r.out), "{\"totalTokens\":12}");
  answer_clear(&answer);
  run_end(&r);
}

/* ---- errors and lists ---- */

static void check_error(enum err e, const struct err_info *info, const char *want) {
  struct buf out;
  buf_init(&out, 0);
  dialect_gemini.put_error(&out, e, info);
  check_json(buf_str(&out), want);
  buf_clear(&out);
}

TEST(test_errors) {
  check_error(
      ERR_BAD_TYPE, &(struct err_info){.text = "bad", .param = "contents[0]"},
      "{\"error\":{\"code\":400,\"message\":\"bad\",\"status\":\"INVALID_ARGUMENT\",\"details\":[{\"@type\":"
      "\"type.googleapis.com/google.rpc.ErrorInfo\",\"reason\":\"invalid_type\",\"domain\":\"maestro\"},{\"@type\":"
      "\"type.googleapis.com/google.rpc.BadRequest\",\"fieldViolations\":[{\"field\":\"contents[0]\","
      "\"description\":\"bad\"}]}]}}");
  check_error(
      ERR_RATE_LIMITED, &(struct err_info){.text = "slow", .retry_after_ms = 1500},
      "{\"error\":{\"code\":429,\"message\":\"slow\",\"status\":\"RESOURCE_EXHAUSTED\",\"details\":[{\"@type\":"
      "\"type.googleapis.com/google.rpc.ErrorInfo\",\"reason\":\"rate_limit_exceeded\",\"domain\":\"maestro\"},{"
      "\"@type\":\"type.googleapis.com/google.rpc.RetryInfo\",\"retryDelay\":\"1.500s\"}]}}");
  check_error(ERR_GUARD_LEAK, &(struct err_info){.text = "p: stopped"},
              "{\"error\":{\"code\":529,\"message\":\"p: stopped\",\"status\":\"UNAVAILABLE\",\"details\":[{\"@type\":"
              "\"type.googleapis.com/google.rpc.ErrorInfo\",\"reason\":\"guard_leak\",\"domain\":\"maestro\"}]}}");
  check_error(
      ERR_UPSTREAM_STATUS,
      &(struct err_info){.text = "too long", .code = "context_length_exceeded", .http_status = 400},
      "{\"error\":{\"code\":400,\"message\":\"The input token count exceeds the maximum number of tokens allowed: "
      "too long\",\"status\":\"INVALID_ARGUMENT\",\"details\":[{\"@type\":\"type.googleapis.com/google.rpc.ErrorInfo\","
      "\"reason\":\"context_length_exceeded\",\"domain\":\"maestro\"}]}}");
}

TEST(test_statuses) {
  static const struct {
    int http;
    const char *type, *status;
  } rows[] = {{401, "", "UNAUTHENTICATED"},   {403, "", "PERMISSION_DENIED"},
              {404, "", "NOT_FOUND"},         {429, "rate_limit_error", "RESOURCE_EXHAUSTED"},
              {500, "", "INTERNAL"},          {503, "", "UNAVAILABLE"},
              {504, "", "DEADLINE_EXCEEDED"}, {418, "", "INVALID_ARGUMENT"},
              {599, "", "INTERNAL"},          {400, "FAILED_PRECONDITION", "FAILED_PRECONDITION"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct err_info info = {.http_status = rows[i].http};
    struct buf out;
    snprintf(info.type, sizeof info.type, "%s", rows[i].type);
    buf_init(&out, 0);
    dialect_gemini.put_stream_error(&out, ERR_UPSTREAM_STATUS, &info);
    assert_true(str_has_prefix(buf_str(&out), STR("data: {")) && str_has_suffix(buf_str(&out), STR("\r\n\r\n")));
    yyjson_doc *doc = yyjson_read(out.p + 6, out.n - 10, 0);
    yyjson_val *error = yyjson_obj_get(yyjson_doc_get_root(doc), "error");
    assert_string_equal(yyjson_get_str(yyjson_obj_get(error, "status")), rows[i].status);
    assert_int_equal(yyjson_get_int(yyjson_obj_get(error, "code")), rows[i].http);
    yyjson_doc_free(doc);
    buf_clear(&out);
  }
}

TEST(test_models) {
  const struct dialect_model models[] = {
      {.id = STR("p/a"), .context_tokens = 100, .prompt_tokens = -1, .output_tokens = 10},
      {.id = STR("models/b"),
       .context_tokens = -1,
       .prompt_tokens = 5,
       .output_tokens = -1,
       .has_reasoning = true,
       .extra = STR("\"maestro\":{}")}};
  struct buf out;
  buf_init(&out, 0);
  dialect_gemini.put_model_list(&out, models, 2);
  check_json(
      buf_str(&out),
      "{\"models\":[{\"name\":\"models/p/a\",\"displayName\":\"p/a\",\"inputTokenLimit\":100,\"outputTokenLimit\":10,"
      "\"supportedGenerationMethods\":[\"generateContent\",\"streamGenerateContent\",\"countTokens\"]},{\"name\":"
      "\"models/b\",\"displayName\":\"models/b\",\"inputTokenLimit\":5,\"supportedGenerationMethods\":["
      "\"generateContent\",\"streamGenerateContent\",\"countTokens\"],\"thinking\":true,\"maestro\":{}}]}");
  buf_clear(&out);
}

/* ---- envelope ---- */

static enum err read_envelope(const char *body, struct dialect_request *out, struct err_info *info) {
  struct envelope_scan scan;
  struct arena a;
  arena_init(&a, 0);
  enum err e = envelope_scan_whole(&scan, dialect_gemini.request_table(), NULL, &a, str_from_c(body), info);
  if (!e) e = dialect_gemini.read_request(&a, str_from_c(body), &scan, out, info);
  arena_clear(&a);
  return e;
}

TEST(test_envelope) {
  struct dialect_request r = {.operation = LLM_GENERATE, .model = STR("from-path"), .is_stream = true};
  struct err_info info = {0};
  assert_int_equal(
      read_envelope("{\"contents\":[{}],\"generationConfig\":{\"maxOutputTokens\":7},\"maestro\":{\"a\":1}}", &r,
                    &info),
      OK);
  assert_int_equal(r.max_tokens, 7);
  assert_str(r.model, STR("from-path"));
  assert_true(r.is_stream && r.wants_receipt);
  assert_str(r.options, STR("{\"a\":1}"));
  assert_int_equal(read_envelope("{\"contents\":{},\"generation_config\":{\"max_output_tokens\":8}}", &r, &info),
                   ERR_BAD_VALUE);
  assert_int_equal(
      read_envelope("{\"contents\":{\"parts\":[]},\"generation_config\":{\"max_output_tokens\":8}}", &r, &info), OK);
  assert_int_equal(r.max_tokens, 8);
  assert_false(r.wants_receipt);
  assert_int_equal(read_envelope("{}", &r, &info), ERR_MISSING);
  assert_int_equal(read_envelope("{\"generateContentRequest\":{}}", &r, &info), ERR_MISSING);
  r.operation = LLM_COUNT_TOKENS;
  assert_int_equal(read_envelope("{\"generateContentRequest\":{}}", &r, &info), OK);
  assert_int_equal(read_envelope("{\"contents\":\"x\"}", &r, &info), ERR_BAD_TYPE);
  assert_int_equal(read_envelope("{\"contents\":[{}],\"maestro\":1}", &r, &info), ERR_BAD_TYPE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_stream_of_text),
      cmocka_unit_test(test_stream_of_interleaved_calls),
      cmocka_unit_test(test_thoughts_are_for_those_who_asked),
      cmocka_unit_test(test_stream_as_array),
      cmocka_unit_test(test_stream_of_pictures_and_native_parts),
      cmocka_unit_test(test_citations_and_logprobs),
      cmocka_unit_test(test_too_many_open_calls),
      cmocka_unit_test(test_whole_answers),
      cmocka_unit_test(test_counted_tokens),
      cmocka_unit_test(test_errors),
      cmocka_unit_test(test_statuses),
      cmocka_unit_test(test_models),
      cmocka_unit_test(test_envelope),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
