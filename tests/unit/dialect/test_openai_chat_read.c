/* OpenAI chat replies and chunks as events. Streams are fed whole and cut at every byte. Expectations are OpenAI's
 * reference ("The chat completion chunk object") and, for the repairs, the event order of llm/event.h. */
#include "dialect/openai_chat.h"
#include "translate_rig.h"

static const struct dialect *const d = &dialect_openai_chat;

#define CHUNK(choices) "data: {\"id\":\"chatcmpl-1\",\"model\":\"m\",\"created\":5,\"choices\":[" choices "]}\n\n"
#define DELTA(delta) CHUNK("{\"index\":0,\"delta\":" delta ",\"finish_reason\":null}")
#define FINISH(reason) CHUNK("{\"index\":0,\"delta\":{},\"finish_reason\":\"" reason "\"}")
#define DONE "data: [DONE]\n\n"
#define START "start chatcmpl-1 m 5\n"

static void expect_stream(const char *stream, const char *events) {
  rig_expect_stream(d, str_from_c(stream), OK, events);
}

static void expect_reply(const char *body, enum err expected, const char *events) {
  rig_expect_reply(d, body, expected, events);
}

TEST(text) {
  expect_stream(DELTA("{\"role\":\"assistant\",\"content\":\"\"}") DELTA("{\"content\":\"He\"}")
                    DELTA("{\"content\":\"l\\nlo\"}") FINISH("stop") DONE,
                START "open 0 text\ndelta 0 He\ndelta 0 l\nlo\nclose 0\nstop 0 end (stop)\nend\n");
}

TEST(usage_in_its_own_chunk_and_beside_the_finish) {
  expect_stream(DELTA("{\"content\":\"a\"}") FINISH("length")
                    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4,\"total_tokens\":7,"
                    "\"prompt_tokens_details\":{\"cached_tokens\":2,\"cache_write_tokens\":1},"
                    "\"completion_tokens_details\":{\"reasoning_tokens\":1}}}\n\n" DONE,
                START "open 0 text\ndelta 0 a\nclose 0\nstop 0 length (length)\nusage 3 4 2 1 1\nend\n");
  /* xAI: reasoning beside the completion. DeepSeek: its own words for the cache. */
  expect_stream(
      "data: {\"id\":\"chatcmpl-1\",\"model\":\"m\",\"created\":5,\"choices\":[{\"delta\":{},"
      "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4,"
      "\"total_tokens\":12,\"prompt_cache_hit_tokens\":1,"
      "\"completion_tokens_details\":{\"reasoning_tokens\":5}}}\n\n" DONE,
      START "stop 0 end (stop)\nusage 3 9 1 - 5\nend\n");
}

TEST(thinking_before_text) {
  expect_stream(DELTA("{\"reasoning_content\":\"hm\"}") DELTA("{\"content\":\"x\"}") FINISH("stop"), START
                "open 0 reasoning\ndelta 0 hm\nclose 0\nopen 1 text\ndelta 1 x\nclose 1\nstop 0 end (stop)\nend\n");
}

/* OpenRouter says it twice; the signature comes with the details only. */
TEST(thinking_with_details) {
  expect_stream(DELTA("{\"reasoning\":\"hm\",\"reasoning_details\":[{\"type\":\"reasoning.text\",\"text\":\"hm\"}]}")
                    DELTA("{\"reasoning_details\":[{\"type\":\"reasoning.text\",\"signature\":\"sig\"},"
                          "{\"type\":\"reasoning.encrypted\",\"data\":\"xyz\"}]}") FINISH("stop") DONE,
                START
                "open 0 reasoning\ndelta 0 hm\nattach 0 0 sig openai_chat\nclose 0\nopen 1 redacted\n"
                "attach 1 0 xyz openai_chat\nclose 1\nstop 0 end (stop)\nend\n");
}

#define CALL(call) DELTA("{\"tool_calls\":[" call "]}")

TEST(parallel_calls_interleaved) {
  expect_stream(
      CALL("{\"index\":0,\"id\":\"a\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"\"}}") CALL(
          "{\"index\":1,\"id\":\"b\",\"type\":\"function\",\"function\":{\"name\":\"g\",\"arguments\":\"\"}}")
          CALL("{\"index\":0,\"function\":{\"arguments\":\"{\\\"x\\\":\"}},{\"index\":1,\"function\":{\"arguments\":"
               "\"{}\"}}") CALL("{\"index\":0,\"function\":{\"arguments\":\"1}\"}}") FINISH("tool_calls") DONE,
      START
      "open 0 call id=a name=f\nopen 1 call id=b name=g\ndelta 0 {\"x\":\ndelta 1 {}\ndelta 0 1}\nclose 0\n"
      "close 1\nstop 0 calls (tool_calls)\nend\n");
}

/* Calls without an index are told apart by id; a second id under one index is a second call. */
TEST(calls_are_mended) {
  static const char *const events = START
      "open 0 call id=a name=f\ndelta 0 {}\nopen 1 call id=b name=g\ndelta 1 {}\nclose 0\nclose 1\n"
      "stop 0 calls (stop)\nend\n";
  expect_stream(CALL("{\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}},"
                     "{\"id\":\"b\",\"function\":{\"name\":\"g\",\"arguments\":\"{}\"}}") FINISH("stop") DONE,
                events);
  expect_stream(CALL("{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}")
                    CALL("{\"index\":0,\"id\":\"b\",\"function\":{\"name\":\"g\",\"arguments\":\"{}\"}}") FINISH("stop")
                        DONE,
                events);
  /* No id at all; arguments as an object; the end mark is missing. */
  expect_stream(CALL("{\"index\":0,\"function\":{\"name\":\"f\",\"arguments\":{\"x\":1.0}}}") FINISH("stop"),
                START "open 0 call id=call_id_0 name=f\ndelta 0 {\"x\":1.0}\nclose 0\nstop 0 calls (stop)\nend\n");
  /* The id comes again with every piece. */
  expect_stream(CALL("{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{\"}}")
                    CALL("{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"}\"}}") FINISH("stop"),
                START "open 0 call id=a name=f\ndelta 0 {\ndelta 0 }\nclose 0\nstop 0 calls (stop)\nend\n");
}

TEST(the_old_form_of_a_call) {
  expect_stream(DELTA("{\"function_call\":{\"name\":\"f\",\"arguments\":\"\"}}")
                    DELTA("{\"function_call\":{\"arguments\":\"{}\"}}") FINISH("function_call") DONE,
                START "open 0 call id=call_id_0 name=f\ndelta 0 {}\nclose 0\nstop 0 calls (function_call)\nend\n");
}

TEST(several_choices) {
  expect_stream(CHUNK("{\"index\":0,\"delta\":{\"content\":\"a\"}},{\"index\":1,\"delta\":{\"content\":\"b\"}}")
                    CHUNK("{\"index\":1,\"delta\":{},\"finish_reason\":\"stop\"}") FINISH("stop") DONE,
                START
                "open 0 text\ndelta 0 a\nopen 1 text choice=1\ndelta 1 b\nclose 1\nstop 1 end (stop)\nclose 0\n"
                "stop 0 end (stop)\nend\n");
}

TEST(refusal_and_filter) {
  expect_stream(DELTA("{\"refusal\":\"no\"}") FINISH("stop") DONE,
                START "open 0 refusal\ndelta 0 no\nclose 0\nstop 0 refusal (stop)\nend\n");
  expect_stream(FINISH("content_filter") DONE, START "stop 0 filter (content_filter)\nend\n");
  expect_stream(FINISH("weird") FINISH("stop") DONE DONE, START "stop 0 other (weird)\nend\n");
}

/* vLLM says which sequence it was. */
TEST(stop_sequence) {
  expect_stream(CHUNK("{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\",\"stop_reason\":\"###\"}") DONE,
                START "stop 0 sequence (stop) at ###\nend\n");
}

TEST(a_cut_stream_has_no_end) {
  expect_stream(DELTA("{\"content\":\"a\"}"), START "open 0 text\ndelta 0 a\n");
  /* One of two choices is not over. */
  expect_stream(CHUNK("{\"index\":1,\"delta\":{\"content\":\"b\"}}") FINISH("stop"),
                START "open 0 text choice=1\ndelta 0 b\nstop 0 end (stop)\n");
}

TEST(annotations_and_logprobs) {
  expect_stream(DELTA("{\"content\":\"a\",\"annotations\":[{\"type\":\"url_citation\"}]}")
                    CHUNK("{\"index\":0,\"delta\":{\"content\":\"b\"},\"logprobs\":{\"content\":[{\"token\":\"b\"},"
                          "{\"token\":\"c\"}]}}") FINISH("stop") DONE,
                START
                "open 0 text\ndelta 0 a\nattach 0 1 {\"type\":\"url_citation\"} openai_chat\ndelta 0 b\n"
                "attach 0 2 {\"token\":\"b\"},{\"token\":\"c\"} openai_chat\nclose 0\nstop 0 end (stop)\nend\n");
}

TEST(errors) {
  expect_stream(DELTA("{\"content\":\"a\"}") "data: {\"error\":{\"message\":\"x\"}}\n\n",
                START "open 0 text\ndelta 0 a\nerror {\"error\":{\"message\":\"x\"}}\n");
  expect_stream("event: error\ndata: {\"message\":\"x\"}\n\n", "error {\"message\":\"x\"}\n");
  expect_reply("{\"error\":\"x\"}", OK, "error {\"error\":\"x\"}\n");
  expect_reply("[]", ERR_UPSTREAM_PROTOCOL, "");
  expect_reply("{\"choices\":[]}", ERR_UPSTREAM_PROTOCOL, "");
  expect_reply("{\"choices\":[1]}", ERR_UPSTREAM_PROTOCOL, "start   0\n");
}

/* Left out it would be a shorter answer that ended well. */
TEST(what_cannot_be_read_is_not_left_out) {
  static const char *const messages[] = {"{\"content\":[1]}",
                                         "{\"content\":[{\"type\":\"text\",\"text\":{}}]}",
                                         "{\"refusal\":[\"no\"]}",
                                         "{\"tool_calls\":[\"f\"]}",
                                         "{\"tool_calls\":[{\"id\":\"c\",\"function\":\"f\"}]}",
                                         "{\"tool_calls\":[{\"id\":\"c\",\"custom\":1}]}",
                                         "{\"tool_calls\":[{\"id\":\"c\",\"function\":{\"name\":[\"f\"]}}]}",
                                         "{\"function_call\":\"f\"}"};
  for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
    char body[200];
    snprintf(body, sizeof body, "{\"choices\":[{\"message\":%s,\"finish_reason\":\"stop\"}]}", messages[i]);
    expect_reply(body, ERR_UPSTREAM_PROTOCOL, "start   0\n");
  }
  expect_reply(
      "{\"choices\":[{\"message\":{\"content\":[null,{\"text\":null},{\"text\":\"a\"}],\"tool_calls\":[null,{}]},"
      "\"finish_reason\":\"stop\"}]}",
      OK, "start   0\nopen 0 text\ndelta 0 a\nclose 0\nstop 0 end (stop)\nend\n");
}

TEST(a_stream_that_is_none) {
  static const char *const bad[] = {DONE, "data: nothing\n\n", "data: [1]\n\n",
                                    CHUNK("{\"delta\":{\"tool_calls\":[{\"function\":{\"arguments\":\"{\"}}]}}"),
                                    CHUNK("{\"index\":128,\"delta\":{}}")};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct rig t;
    rig_init(&t);
    struct event_sink sink = rig_sink(&t);
    enum err e = rig_feed(&t, d, str_from_c(bad[i]), 0, &sink);
    assert_true(e == ERR_UPSTREAM_PROTOCOL || e == ERR_UPSTREAM_TOO_LARGE);
    rig_clear(&t);
  }
}

/* A caller of one choice would see an empty answer that ended well. */
TEST(without_a_first_choice_it_is_no_answer) {
  struct rig t;
  rig_init(&t);
  struct event_sink sink = rig_sink(&t);
  const char *stream = CHUNK("{\"index\":5,\"delta\":{\"content\":\"x\"},\"finish_reason\":\"stop\"}") DONE;
  assert_int_equal(rig_feed(&t, d, str_from_c(stream), 0, &sink), ERR_UPSTREAM_PROTOCOL);
  rig_clear(&t);
  expect_reply(
      "{\"id\":\"chatcmpl-1\",\"model\":\"m\",\"created\":5,\"choices\":[{\"index\":5,\"message\":{\"content\":"
      "\"x\"},\"finish_reason\":\"stop\"}]}",
      ERR_UPSTREAM_PROTOCOL, START "open 0 text choice=5\ndelta 0 x\nclose 0\nstop 5 end (stop)\n");
}

/* Another is made: it would be told again with the call and its result. */
TEST(an_endless_id_of_a_call_is_none) {
  struct rig t;
  char *body = malloc(DIALECT_CALL_ID_BYTES_MAX + 512);
  assert_non_null(body);
  for (int more = 0; more < 2; more++) {
    int n = sprintf(body, "{\"choices\":[{\"message\":{\"tool_calls\":[{\"function\":{\"name\":\"f\"},\"id\":\"");
    memset(body + n, 'i', (size_t)(DIALECT_CALL_ID_BYTES_MAX + more));
    strcpy(body + n + DIALECT_CALL_ID_BYTES_MAX + more, "\"}]}}]}");
    rig_init(&t);
    struct event_sink sink = rig_sink(&t);
    assert_int_equal(d->decode_reply(&t.x, str_from_c(body), &sink, &t.info), OK);
    assert_int_equal(str_find(buf_str(&t.text), STR("id=call_id_0 ")) != SIZE_MAX, more);
    assert_int_equal(str_find(buf_str(&t.text), STR("id=iiii")) != SIZE_MAX, !more);
    rig_clear(&t);
  }
  free(body);
}

TEST(a_whole_reply) {
  expect_reply(
      "{\"id\":\"chatcmpl-9\",\"object\":\"chat.completion\",\"created\":9,\"model\":\"m\",\"error\":null,"
      "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":null,\"refusal\":null,"
      "\"reasoning_content\":\"hm\",\"tool_calls\":[{\"id\":\"a\",\"type\":\"custom\",\"custom\":{\"name\":\"c\","
      "\"input\":\"free\"}}]},\"finish_reason\":\"tool_calls\"}],\"usage\":{\"prompt_tokens\":1,"
      "\"completion_tokens\":2}}",
      OK,
      "start chatcmpl-9 m 9\nopen 0 reasoning\ndelta 0 hm\nclose 0\nopen 1 call id=a name=c custom\n"
      "delta 1 free\nclose 1\nstop 0 calls (tool_calls)\nusage 1 2 - - -\nend\n");
}

/* A name that had to be replaced for OpenAI comes back as the caller's. */
TEST(names_come_back) {
  struct rig t;
  rig_init(&t);
  struct request_tool tool = {.name = STR("my.tool")};
  t.request.tools = &tool;
  t.request.tool_count = 1;
  struct event_sink sink = rig_sink(&t);
  assert_int_equal(
      rig_feed(&t, d, STR(CALL("{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"my_tool\"}}")), 0, &sink), OK);
  rig_expect(&t, START "open 0 call id=a name=my.tool\n");
  rig_clear(&t);
}

TEST(too_many_open_calls) {
  struct rig t;
  struct buf stream;
  rig_init(&t);
  buf_init(&stream, 0);
  for (int i = 0; i < 129; i++)
    buf_printf(&stream,
               "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":%d,\"function\":{\"name\":\"f\"}}]}}]}\n\n",
               i);
  struct event_sink sink = rig_sink(&t);
  assert_int_equal(rig_feed(&t, d, buf_str(&stream), 0, &sink), ERR_UPSTREAM_TOO_LARGE);
  buf_clear(&stream);
  rig_clear(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(text),
      cmocka_unit_test(usage_in_its_own_chunk_and_beside_the_finish),
      cmocka_unit_test(thinking_before_text),
      cmocka_unit_test(thinking_with_details),
      cmocka_unit_test(parallel_calls_interleaved),
      cmocka_unit_test(calls_are_mended),
      cmocka_unit_test(the_old_form_of_a_call),
      cmocka_unit_test(several_choices),
      cmocka_unit_test(refusal_and_filter),
      cmocka_unit_test(stop_sequence),
      cmocka_unit_test(a_cut_stream_has_no_end),
      cmocka_unit_test(annotations_and_logprobs),
      cmocka_unit_test(errors),
      cmocka_unit_test(what_cannot_be_read_is_not_left_out),
      cmocka_unit_test(a_stream_that_is_none),
      cmocka_unit_test(a_whole_reply),
      cmocka_unit_test(names_come_back),
      cmocka_unit_test(without_a_first_choice_it_is_no_answer),
      cmocka_unit_test(an_endless_id_of_a_call_is_none),
      cmocka_unit_test(too_many_open_calls),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
