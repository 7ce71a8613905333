/* The mock's streams over real sockets: every byte of the usual one, the order and pace of the others, and what the
 * mock notices when its reader leaves. */
#include <errno.h>
#include <yyjson.h>

#include "mock_rig.h"

RIG_GROUP(.record = true, .seed = 7)

#define STREAM ",\"stream\":true"
#define WITH_USAGE ",\"stream\":true,\"stream_options\":{\"include_usage\":true}"

static struct reply stream_of(const char *model, const char *more) {
  struct reply r = rig_chat(&rig, model, "hello world", more);
  assert_int_equal(r.status, 200);
  assert_true(r.is_chunked);
  assert_str(reply_header(&r, "Content-Type"), STR("text/event-stream; charset=utf-8"));
  return r;
}

static size_t count(const struct reply *r, const char *text) {
  size_t n = 0, at;
  for (struct str rest = buf_str(&r->body); (at = str_find(rest, str_from_c(text))) != SIZE_MAX; n++)
    rest = str_sub(rest, at + strlen(text), rest.n);
  return n;
}

/* The deltas' member joined over all events of choice 0; every event but the last must be JSON. */
static struct str joined(const struct reply *r, const char *pointer, struct buf *out) {
  struct str rest = buf_str(&r->body), event;
  buf_reset(out);
  while (rest.n) {
    size_t end = str_find(rest, STR("\n\n"));
    assert_true(end != SIZE_MAX);
    event = str_sub(rest, 0, end);
    rest = str_sub(rest, end + 2, rest.n);
    assert_true(str_has_prefix(event, STR("data: ")));
    if (str_eq(event, STR("data: [DONE]"))) continue;
    yyjson_doc *doc = yyjson_read(event.p + 6, event.n - 6, 0);
    assert_non_null(doc);
    yyjson_val *v = yyjson_doc_ptr_get(doc, pointer);
    if (yyjson_is_str(v)) buf_put(out, str_from(yyjson_get_str(v), yyjson_get_len(v)));
    yyjson_doc_free(doc);
  }
  return buf_str(out);
}

static void assert_joined(const struct reply *r, const char *pointer, const char *expected) {
  struct buf out;
  buf_init(&out, 0);
  assert_str(joined(r, pointer, &out), str_from_c(expected));
  buf_clear(&out);
}

#define HEAD                                                                                                        \
  "data: "                                                                                                          \
  "{\"id\":\"chatcmpl-#############################\",\"object\":\"chat.completion.chunk\",\"created\":##########," \
  "\"model\":\"chunks-2\",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_6d6f636b00\",\"choices\":["

static void assert_bytes(const struct reply *r, const char *expected) {
  for (size_t i = 0; i < r->body.n && expected[i]; i++) {
    if (expected[i] == '#' || r->body.p[i] == expected[i]) continue;
    print_message("differs at %zu: %.60s\n", i, r->body.p + i);
    fail();
  }
  assert_int_equal(r->body.n, strlen(expected));
}

TEST(every_byte_of_a_stream) {
  struct reply r = stream_of("chunks-2", WITH_USAGE);
  assert_true(r.is_whole);
  assert_str(reply_header(&r, "Cache-Control"), STR("no-cache"));
  struct buf text;
  buf_init(&text, 0);
  struct str both = joined(&r, "/choices/0/delta/content", &text);
  static char expected[4096];
  assert_int_equal(both.n, 16);
  snprintf(expected, sizeof expected,
           HEAD
           "{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null},\"logprobs\":null,"
           "\"finish_reason\":null}],\"usage\":null}\n\n" HEAD
           "{\"index\":0,\"delta\":{\"content\":\"%.8s\"},\"logprobs\":null,\"finish_reason\":null}],\"usage\":null}"
           "\n\n" HEAD
           "{\"index\":0,\"delta\":{\"content\":\"%.8s\"},\"logprobs\":null,\"finish_reason\":null}],\"usage\":null}"
           "\n\n" HEAD
           "{\"index\":0,\"delta\":{},\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":null}\n\n" HEAD
           "],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4,\"total_tokens\":7,\"prompt_tokens_details\":{"
           "\"cached_tokens\":0,\"audio_tokens\":0},\"completion_tokens_details\":{\"reasoning_tokens\":0,"
           "\"audio_tokens\":0,\"accepted_prediction_tokens\":0,\"rejected_prediction_tokens\":0}}}\n\n"
           "data: [DONE]\n\n",
           both.p, both.p + 8);
  assert_bytes(&r, expected);
  buf_clear(&text);
  reply_clear(&r);
}

TEST(usage_only_where_asked_for) {
  struct reply r = stream_of("m", STREAM);
  assert_int_equal(count(&r, "\"usage\""), 0);
  assert_int_equal(count(&r, "data: "), 1 + 8 + 1 + 1);
  assert_joined(&r, "/choices/0/delta/content", "This is a deterministic answer from the mock upstream.");
  reply_clear(&r);
  r = stream_of("no-usage", WITH_USAGE);
  assert_int_equal(count(&r, "\"usage\""), 0);
  reply_clear(&r);
  r = stream_of("usage-cache", WITH_USAGE);
  assert_int_equal(count(&r, "\"cached_tokens\":1,"), 1);
  assert_int_equal(count(&r, "\"usage\":null"), 10);
  reply_clear(&r);
}

#define TOOLS                                                                                                      \
  ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"get_weather\",\"parameters\":{\"type\":\"object\"," \
  "\"properties\":{\"city\":{\"type\":\"string\"}},\"required\":[\"city\"]}}}]"

TEST(tool_calls_come_in_pieces) {
  struct reply r = stream_of("tool", STREAM TOOLS);
  assert_int_equal(count(&r, "\"name\":\"get_weather\",\"arguments\":\"\""), 1);
  assert_int_equal(
      count(&r, "\"delta\":{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"index\":0,\"id\":\"call_"), 1);
  assert_true(count(&r, "\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":") >= 3);
  assert_joined(&r, "/choices/0/delta/tool_calls/0/function/arguments", "{\"city\":\"mock\"}");
  assert_joined(&r, "/choices/0/finish_reason", "tool_calls");
  reply_clear(&r);
  r = stream_of("tool-parallel", STREAM TOOLS);
  assert_int_equal(count(&r, "\"name\":\"get_weather\""), 2);
  assert_int_equal(count(&r, "{\"index\":1,\"id\":\"call_"), 1);
  assert_joined(&r, "/choices/0/delta/tool_calls/0/function/arguments", "{\"city\":\"mock\"}{\"city\":\"mock\"}");
  reply_clear(&r);
}

TEST(other_kinds) {
  struct reply r = stream_of("thinking", STREAM);
  assert_joined(&r, "/choices/0/delta/reasoning_content", "The user wrote something. A short answer will do.");
  assert_joined(&r, "/choices/0/delta/content", "This is a deterministic answer from the mock upstream.");
  reply_clear(&r);
  r = stream_of("refusal", STREAM);
  assert_joined(&r, "/choices/0/delta/refusal", "I'm sorry, but I can't help with that.");
  reply_clear(&r);
  r = stream_of("empty", STREAM);
  assert_int_equal(count(&r, "data: "), 3);
  reply_clear(&r);
  r = stream_of("length", STREAM);
  assert_joined(&r, "/choices/0/finish_reason", "length");
  reply_clear(&r);
  r = stream_of("obfuscation", STREAM);
  assert_int_equal(count(&r, "\"obfuscation\":\""), 10);
  reply_clear(&r);
  r = stream_of("echo", STREAM);
  assert_joined(&r, "/choices/0/delta/content", "hello world");
  reply_clear(&r);
}

TEST(choices_are_told_apart) {
  struct reply r = stream_of("m", STREAM ",\"n\":3");
  assert_int_equal(count(&r, "\"choices\":[{\"index\":2,"), 10);
  assert_int_equal(count(&r, "\"finish_reason\":\"stop\""), 3);
  assert_int_equal(count(&r, "[DONE]"), 1);
  reply_clear(&r);
}

TEST(characters_stay_whole) {
  struct reply r = stream_of("unicode", STREAM);
  struct buf text;
  buf_init(&text, 0);
  struct str whole = joined(&r, "/choices/0/delta/content", &text);
  assert_true(str_find(whole, STR("Z\u00fcrich \u2014 \u4f60\u597d")) != SIZE_MAX);
  assert_true(count(&r, "\"delta\":{\"content\":\"\u4f60\"}") == 1);
  buf_clear(&text);
  reply_clear(&r);
}

TEST(large_streams) {
  struct reply r = stream_of("chunks-5000", STREAM);
  assert_true(r.is_whole);
  assert_int_equal(count(&r, "data: "), 5003);
  reply_clear(&r);
  r = stream_of("big-1mb", STREAM);
  struct buf text;
  buf_init(&text, 0);
  assert_int_equal(joined(&r, "/choices/0/delta/content", &text).n, 1 << 20);
  buf_clear(&text);
  reply_clear(&r);
}

TEST(streams_that_break) {
  struct reply r = stream_of("stream-cut", STREAM);
  assert_false(r.is_whole);
  assert_int_equal(count(&r, "data: "), 3);
  assert_int_equal(count(&r, "\n\n"), 3);
  reply_clear(&r);
  for (size_t bytes = 0; bytes < 1000; bytes += 111) {
    char model[32];
    snprintf(model, sizeof model, "stream-cut-%zu", bytes);
    r = stream_of(model, STREAM);
    assert_false(r.is_whole);
    assert_int_equal(r.body.n, bytes);
    reply_clear(&r);
  }
  r = stream_of("stream-error", STREAM);
  assert_true(r.is_whole);
  assert_int_equal(count(&r, "data: {\"error\":{\"message\":\"The server had an error"), 1);
  assert_int_equal(count(&r, "[DONE]"), 0);
  reply_clear(&r);
  r = stream_of("garbage-json", STREAM);
  assert_int_equal(count(&r, "data: {\"id\":\"chatcmpl-broken\",\"choices\":[{\"index\":\n\n"), 1);
  assert_int_equal(count(&r, "[DONE]"), 1);
  reply_clear(&r);
}

TEST(pace_is_kept_without_drift) {
  uint64_t start = clock_mono_us();
  struct reply r = stream_of("pace-10+chunks-20", STREAM);
  uint64_t took_us = clock_mono_us() - start;
  assert_int_equal(count(&r, "data: "), 23);
  assert_true(took_us >= 21 * 10000 - 2000); /* role, 20 contents, finish: 21 intervals */
  reply_clear(&r);
}

TEST(the_head_may_come_first) {
  struct buf in;
  buf_init(&in, 0);
  int fd = rig_connect(&rig);
  uint64_t start = clock_mono_us();
  rig_send(fd, "POST", "/v1/chat/completions", "",
           STR("{\"model\":\"slow-first-150\",\"messages\":[],\"stream\":true}"));
  rig_read_until(fd, &in, "\r\n\r\n");
  assert_true(str_find(buf_str(&in), STR("data: ")) == SIZE_MAX);
  rig_read_until(fd, &in, "[DONE]");
  assert_true(clock_mono_us() - start >= 150000);
  close(fd);
  buf_clear(&in);
}

/* Reads /__mock/stats until `text` is in it. */
static void await_stats(const char *text) {
  for (int i = 0; i < 500; i++) {
    struct reply r = rig_request(&rig, "GET", "/__mock/stats", "", STR_NONE);
    bool is_there = str_find(buf_str(&r.body), str_from_c(text)) != SIZE_MAX;
    if (i == 499) print_message("%.*s\n", STR_ARG(buf_str(&r.body)));
    reply_clear(&r);
    if (is_there) return;
    usleep(10000);
  }
  fail();
}

static void reset_stats(void) {
  struct reply r = rig_request(&rig, "POST", "/__mock/reset", "", STR_NONE);
  assert_int_equal(r.status, 200);
  reply_clear(&r);
}

TEST(a_leaving_reader_is_noticed) {
  static const char *const bodies[] = {"{\"model\":\"stream-stall\",\"messages\":[],\"stream\":true}",
                                       "{\"model\":\"pace-20+chunks-9999\",\"messages\":[],\"stream\":true}"};
  for (size_t i = 0; i < 2; i++) {
    struct buf in;
    reset_stats();
    buf_init(&in, 0);
    int fd = rig_connect(&rig);
    rig_send(fd, "POST", "/v1/chat/completions", "", str_from_c(bodies[i]));
    rig_read_until(fd, &in, "\"content\":\"\"");
    await_stats("\"live\":1");
    close(fd);
    await_stats("\"aborted\":1,\"aborts\":[{\"model\":");
    await_stats("\"streams_finished\":0");
    await_stats("\"live\":0");
    buf_clear(&in);
  }
}

TEST(a_leaving_waiter_is_noticed) {
  static const char *const bodies[] = {
      "{\"model\":\"hang\",\"messages\":[]}", "{\"model\":\"slow-60000\",\"messages\":[]}",
      "{\"model\":\"slow-first-60000\",\"messages\":[]}", "{\"model\":\"stream-stall\",\"messages\":[]}"};
  for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
    reset_stats();
    int fd = rig_connect(&rig);
    rig_send(fd, "POST", "/v1/chat/completions", "", str_from_c(bodies[i]));
    await_stats("\"live\":1");
    close(fd);
    await_stats("\"aborted\":1,");
    await_stats("\"stream\":false");
  }
}

TEST(counters) {
  reset_stats();
  struct reply r = stream_of("m", STREAM);
  reply_clear(&r);
  r = rig_chat(&rig, "m", "hi", "");
  reply_clear(&r);
  await_stats("\"requests\":2,\"answers\":2,\"live\":0,\"streams_started\":1,\"streams_finished\":1,\"aborted\":0,");
  await_stats("{\"connections_open\":1,");
}

/* Without a record nothing but the quick scan looks at a plain request. */
TEST(the_fast_way_gives_the_same_answers) {
  struct rig fast;
  rig_start(&fast, (struct mock_options){.seed = 7, .reply_bytes = 300, .chunks = 4});
  struct reply r = rig_chat(&fast, "m", "hi", STREAM);
  assert_int_equal(count(&r, "data: "), 7);
  reply_clear(&r);
  r = rig_chat(&fast, "m", "[[mock:fail-503]]", "");
  assert_int_equal(r.status, 503);
  reply_clear(&r);
  r = rig_chat(&fast, "echo", "abc", "");
  assert_true(str_find(buf_str(&r.body), STR("\"content\": \"abc\"")) != SIZE_MAX);
  reply_clear(&r);
  r = rig_request(&fast, "GET", "/__mock/requests", "", STR_NONE);
  assert_str(buf_str(&r.body), STR("{\"seen\":0,\"requests\":[]}\n"));
  reply_clear(&r);
  rig_stop(&fast);
}

TEST(a_demo_says_so_and_never_misbehaves) {
  struct rig demo;
  rig_start(&demo, (struct mock_options){.is_demo = true});
  struct reply r = rig_chat(&demo, "hang", "[[mock:reset]]", "");
  assert_int_equal(r.status, 200);
  assert_true(str_find(buf_str(&r.body), STR("no real model was called")) != SIZE_MAX);
  reply_clear(&r);
  r = rig_chat(&demo, "m", "hi", STREAM);
  assert_joined(&r, "/choices/0/finish_reason", "stop");
  reply_clear(&r);
  r = rig_chat(&demo, "m", "hi",
               ",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"schema\":{\"properties\":{\"a\":{"
               "\"type\":\"string\"}},\"required\":[\"a\"]}}}");
  assert_true(str_find(buf_str(&r.body), STR("{\\\"a\\\":\\\"demo answer: no real model was called\\\"}")) != SIZE_MAX);
  reply_clear(&r);
  r = rig_request(&demo, "GET", "/__mock/requests", "", STR_NONE);
  assert_int_equal(r.status, 404);
  reply_clear(&r);
  r = rig_request(&demo, "GET", "/v1/models", "", STR_NONE);
  assert_true(str_find(buf_str(&r.body), STR("\"id\": \"demo\"")) != SIZE_MAX);
  reply_clear(&r);
  rig_stop(&demo);
}

TEST(a_shutdown_ends_what_hangs) {
  struct rig brief;
  rig_start(&brief, (struct mock_options){.record = true});
  int fd = rig_connect(&brief);
  rig_send(fd, "POST", "/v1/chat/completions", "", STR("{\"model\":\"hang\",\"messages\":[]}"));
  usleep(50000);
  rig_stop(&brief);
  close(fd);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_byte_of_a_stream),
      cmocka_unit_test(usage_only_where_asked_for),
      cmocka_unit_test(tool_calls_come_in_pieces),
      cmocka_unit_test(other_kinds),
      cmocka_unit_test(choices_are_told_apart),
      cmocka_unit_test(characters_stay_whole),
      cmocka_unit_test(large_streams),
      cmocka_unit_test(streams_that_break),
      cmocka_unit_test(pace_is_kept_without_drift),
      cmocka_unit_test(the_head_may_come_first),
      cmocka_unit_test(a_leaving_reader_is_noticed),
      cmocka_unit_test(a_leaving_waiter_is_noticed),
      cmocka_unit_test(counters),
      cmocka_unit_test(the_fast_way_gives_the_same_answers),
      cmocka_unit_test(a_demo_says_so_and_never_misbehaves),
      cmocka_unit_test(a_shutdown_ends_what_hangs),
  };
  return cmocka_run_group_tests(tests, begin, finish);
}
