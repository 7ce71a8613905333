/* The mock's non-streamed behaviours over real sockets: every byte of the usual answer, then what each name changes. */
#include <errno.h>
#include <yyjson.h>
#include <zlib.h>

#include "mock_rig.h"

RIG_GROUP(.record = true, .seed = 7)

/* Runs expression on the reply's parsed body. */
static yyjson_doc *json_of(const struct reply *r) {
  yyjson_doc *doc = yyjson_read(r->body.p, r->body.n, 0);
  if (!doc) print_message("not JSON: %.*s\n", STR_ARG(buf_str(&r->body)));
  assert_non_null(doc);
  return doc;
}

static void assert_at(yyjson_doc *doc, const char *pointer, const char *expected) {
  yyjson_val *v = yyjson_doc_ptr_get(doc, pointer);
  if (!v) print_message("nothing at %s\n", pointer);
  assert_non_null(v);
  char *json = yyjson_val_write(v, 0, NULL);
  assert_string_equal(json, expected);
  free(json);
}

static void assert_none_at(yyjson_doc *doc, const char *pointer) { assert_null(yyjson_doc_ptr_get(doc, pointer)); }

/* Status 200, whole, JSON; the document is the caller's to free. */
static yyjson_doc *chat_json(const char *model, const char *text, const char *more) {
  struct reply r = rig_chat(&rig, model, text, more);
  assert_int_equal(r.status, 200);
  assert_true(r.is_whole);
  assert_str(reply_header(&r, "Content-Type"), STR("application/json"));
  yyjson_doc *doc = json_of(&r);
  reply_clear(&r);
  return doc;
}

static void assert_content(const char *model, const char *text, const char *more, const char *expected) {
  yyjson_doc *doc = chat_json(model, text, more);
  assert_at(doc, "/choices/0/message/content", expected);
  yyjson_doc_free(doc);
}

/* The error envelope: status, type, param and code (as JSON). */
static void assert_error(const char *model, const char *more, int status, const char *type, const char *param,
                         const char *code) {
  struct reply r = rig_chat(&rig, model, "hi", more);
  assert_int_equal(r.status, status);
  yyjson_doc *doc = json_of(&r);
  assert_at(doc, "/error/type", type);
  assert_at(doc, "/error/param", param);
  assert_at(doc, "/error/code", code);
  assert_true(yyjson_get_len(yyjson_doc_ptr_get(doc, "/error/message")) > 5);
  yyjson_doc_free(doc);
  reply_clear(&r);
}

#define SENTENCE "\"This is a deterministic answer from the mock upstream.\""

TEST(every_byte_of_the_usual_answer) {
  static const char expected[] =
      "{\n"
      "  \"id\": \"chatcmpl-#############################\",\n"
      "  \"object\": \"chat.completion\",\n"
      "  \"created\": ##########,\n"
      "  \"model\": \"gpt-x\",\n"
      "  \"choices\": [\n"
      "    {\n"
      "      \"index\": 0,\n"
      "      \"message\": {\n"
      "        \"role\": \"assistant\",\n"
      "        \"content\": \"This is a deterministic answer from the mock upstream.\",\n"
      "        \"refusal\": null,\n"
      "        \"annotations\": []\n"
      "      },\n"
      "      \"logprobs\": null,\n"
      "      \"finish_reason\": \"stop\"\n"
      "    }\n"
      "  ],\n"
      "  \"usage\": {\n"
      "    \"prompt_tokens\": 3,\n"
      "    \"completion_tokens\": 14,\n"
      "    \"total_tokens\": 17,\n"
      "    \"prompt_tokens_details\": {\n"
      "      \"cached_tokens\": 0,\n"
      "      \"audio_tokens\": 0\n"
      "    },\n"
      "    \"completion_tokens_details\": {\n"
      "      \"reasoning_tokens\": 0,\n"
      "      \"audio_tokens\": 0,\n"
      "      \"accepted_prediction_tokens\": 0,\n"
      "      \"rejected_prediction_tokens\": 0\n"
      "    }\n"
      "  },\n"
      "  \"service_tier\": \"default\",\n"
      "  \"system_fingerprint\": \"fp_6d6f636b00\"\n"
      "}\n";
  struct reply r = rig_chat(&rig, "gpt-x", "hello world", "");
  assert_int_equal(r.status, 200);
  assert_true(r.is_whole);
  assert_false(r.is_chunked);
  assert_int_equal(r.body.n, sizeof expected - 1);
  for (size_t i = 0; i < r.body.n; i++) {
    if (expected[i] == '#') continue; /* an id or a time */
    if (r.body.p[i] != expected[i]) print_message("differs at %zu: %.20s\n", i, r.body.p + i);
    assert_int_equal(r.body.p[i], expected[i]);
  }
  assert_true(str_has_prefix(reply_header(&r, "x-request-id"), STR("req_")));
  assert_str(reply_header(&r, "openai-version"), STR("2020-10-01"));
  reply_clear(&r);
}

TEST(ids_differ) {
  struct reply a = rig_chat(&rig, "m", "hi", ""), b = rig_chat(&rig, "m", "hi", "");
  assert_int_equal(a.body.n, b.body.n);
  assert_memory_not_equal(a.body.p, b.body.p, 60);
  assert_false(str_eq(reply_header(&a, "x-request-id"), reply_header(&b, "x-request-id")));
  reply_clear(&a);
  reply_clear(&b);
}

TEST(a_connection_serves_many) {
  struct buf in;
  buf_init(&in, 0);
  int fd = rig_connect(&rig);
  for (int i = 0; i < 50; i++) {
    buf_reset(&in);
    rig_send(fd, "POST", "/chat/completions", "", STR("{\"model\":\"m\",\"messages\":[]}"));
    rig_read_until(fd, &in, "\"fp_6d6f636b00\"\n}\n");
  }
  close(fd);
  buf_clear(&in);
}

TEST(the_last_user_text_is_echoed) {
  assert_content("echo", "say \\\"hi\\\"\\n\\u00fc", "", "\"say \\\"hi\\\"\\n\u00fc\"");
  struct reply r =
      rig_request(&rig, "POST", "/v1/chat/completions", "",
                  STR("{\"model\":\"echo\",\"messages\":[{\"role\":\"user\",\"content\":\"first\"},{\"role\":"
                      "\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"image_url\","
                      "\"image_url\":{\"url\":\"data:,\"}},{\"type\":\"text\",\"text\":\"b\"}]},{\"role\":"
                      "\"assistant\",\"content\":\"mine\"}]}"));
  yyjson_doc *doc = json_of(&r);
  assert_at(doc, "/choices/0/message/content", "\"a\\nb\"");
  yyjson_doc_free(doc);
  reply_clear(&r);
}

TEST(a_tag_wins_over_the_model) {
  assert_content("refusal", "x [[mock:echo]] y", "", "\"x [[mock:echo]] y\"");
  assert_content("gpt", "[[mock:empty]]", "", "\"\"");
}

TEST(a_tag_of_an_earlier_message_does_not) {
  struct reply r =
      rig_request(&rig, "POST", "/v1/chat/completions", "",
                  STR("{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"[[mock:refusal]]\"},{"
                      "\"role\":\"user\",\"content\":\"go on\"}]}"));
  yyjson_doc *doc = json_of(&r);
  assert_at(doc, "/choices/0/message/content", SENTENCE);
  yyjson_doc_free(doc);
  reply_clear(&r);
}

TEST(an_unknown_tag_is_refused) {
  struct reply r = rig_chat(&rig, "m", "[[mock:nonsense]]", "");
  assert_int_equal(r.status, 400);
  yyjson_doc *doc = json_of(&r);
  assert_at(doc, "/error/code", "\"unknown_mock_behaviour\"");
  yyjson_doc_free(doc);
  reply_clear(&r);
}

#define TOOLS                                                                                                          \
  ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"get_weather\",\"parameters\":{\"type\":\"object\","     \
  "\"properties\":{\"city\":{\"type\":\"string\"},\"days\":{\"type\":\"integer\"}},\"required\":[\"city\",\"days\"]}}" \
  "},"                                                                                                                 \
  "{\"type\":\"function\",\"function\":{\"name\":\"now\"}}]"

TEST(tools_are_called) {
  yyjson_doc *doc = chat_json("tool", "hi", TOOLS);
  assert_at(doc, "/choices/0/message/content", "null");
  assert_at(doc, "/choices/0/finish_reason", "\"tool_calls\"");
  assert_at(doc, "/choices/0/message/tool_calls/0/type", "\"function\"");
  assert_at(doc, "/choices/0/message/tool_calls/0/function/name", "\"get_weather\"");
  assert_at(doc, "/choices/0/message/tool_calls/0/function/arguments",
            "\"{\\\"city\\\":\\\"mock\\\",\\\"days\\\":1}\"");
  assert_none_at(doc, "/choices/0/message/tool_calls/1");
  assert_int_equal(yyjson_get_len(yyjson_doc_ptr_get(doc, "/choices/0/message/tool_calls/0/id")), 5 + 24);
  yyjson_doc_free(doc);
  doc = chat_json("tool-parallel", "hi", TOOLS);
  assert_at(doc, "/choices/0/message/tool_calls/1/function/name", "\"now\"");
  assert_at(doc, "/choices/0/message/tool_calls/1/function/arguments", "\"{}\"");
  assert_false(yyjson_equals(yyjson_doc_ptr_get(doc, "/choices/0/message/tool_calls/0/id"),
                             yyjson_doc_ptr_get(doc, "/choices/0/message/tool_calls/1/id")));
  yyjson_doc_free(doc);
  assert_content("tool", "hi", "", "\"The request offers no tools.\"");
}

TEST(a_tool_result_is_repeated) {
  struct reply r =
      rig_request(&rig, "POST", "/v1/chat/completions", "",
                  STR("{\"model\":\"tool\",\"messages\":[{\"role\":\"user\",\"content\":\"[[mock:tool]]\"},{"
                      "\"role\":\"tool\",\"tool_call_id\":\"x\",\"content\":\"it rains\"}]" TOOLS "}"));
  yyjson_doc *doc = json_of(&r);
  assert_at(doc, "/choices/0/message/content", "\"it rains\"");
  assert_at(doc, "/choices/0/finish_reason", "\"stop\"");
  yyjson_doc_free(doc);
  reply_clear(&r);
}

TEST(kinds_of_answers) {
  yyjson_doc *doc = chat_json("thinking", "hi", "");
  assert_at(doc, "/choices/0/message/reasoning_content", "\"The user wrote something. A short answer will do.\"");
  assert_at(doc, "/choices/0/message/content", SENTENCE);
  assert_at(doc, "/usage/completion_tokens_details/reasoning_tokens", "13");
  assert_at(doc, "/usage/completion_tokens", "27");
  yyjson_doc_free(doc);
  doc = chat_json("refusal", "hi", "");
  assert_at(doc, "/choices/0/message/content", "null");
  assert_at(doc, "/choices/0/message/refusal", "\"I'm sorry, but I can't help with that.\"");
  yyjson_doc_free(doc);
  doc = chat_json("length", "hi", "");
  assert_at(doc, "/choices/0/finish_reason", "\"length\"");
  yyjson_doc_free(doc);
  doc = chat_json("filter", "hi", "");
  assert_at(doc, "/choices/0/finish_reason", "\"content_filter\"");
  yyjson_doc_free(doc);
  assert_content("empty", "hi", "", "\"\"");
  assert_content("json-out", "hi", ",\"response_format\":{\"type\":\"json_object\"}",
                 "\"{\\\"answer\\\":\\\"mock\\\"}\"");
  assert_content("json-out", "hi",
                 ",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"n\",\"schema\":{\"type\":"
                 "\"object\",\"properties\":{\"ok\":{\"type\":\"boolean\"}},\"required\":[\"ok\"]}}}",
                 "\"{\\\"ok\\\":true}\"");
}

TEST(sizes_and_choices) {
  yyjson_doc *doc = chat_json("big-1mb", "hi", "");
  assert_int_equal(yyjson_get_len(yyjson_doc_ptr_get(doc, "/choices/0/message/content")), 1 << 20);
  assert_at(doc, "/usage/completion_tokens", "262144");
  yyjson_doc_free(doc);
  doc = chat_json("big-3", "hi", ",\"n\":2");
  assert_int_equal(yyjson_get_len(yyjson_doc_ptr_get(doc, "/choices/1/message/content")), 3 * 1024);
  assert_at(doc, "/choices/1/index", "1");
  yyjson_doc_free(doc);
  doc = chat_json("m", "hi", ",\"n\":9");
  assert_int_equal(yyjson_arr_size(yyjson_doc_ptr_get(doc, "/choices")), 4);
  yyjson_doc_free(doc);
}

TEST(usage_kinds) {
  yyjson_doc *doc = chat_json("no-usage", "hi", "");
  assert_none_at(doc, "/usage");
  yyjson_doc_free(doc);
  doc = chat_json("usage-cache", "twelve chars", "");
  assert_at(doc, "/usage/prompt_tokens", "3");
  assert_at(doc, "/usage/prompt_tokens_details/cached_tokens", "1");
  assert_at(doc, "/usage/completion_tokens_details/reasoning_tokens", "7");
  yyjson_doc_free(doc);
}

TEST(failures_have_the_vendors_shape) {
  assert_error("fail-400", "", 400, "\"invalid_request_error\"", "null", "null");
  assert_error("fail-401", "", 401, "\"invalid_request_error\"", "null", "\"invalid_api_key\"");
  assert_error("fail-404", "", 404, "\"invalid_request_error\"", "null", "\"model_not_found\"");
  assert_error("fail-429", "", 429, "\"requests\"", "null", "\"rate_limit_exceeded\"");
  assert_error("fail-500", "", 500, "\"server_error\"", "null", "null");
  assert_error("fail-503", "", 503, "\"server_error\"", "null", "null");
  assert_error("fail-529", "", 529, "\"server_error\"", "null", "null");
  assert_error("fail-quota", "", 429, "\"insufficient_quota\"", "null", "\"insufficient_quota\"");
  assert_error("fail-context", "", 400, "\"invalid_request_error\"", "\"messages\"", "\"context_length_exceeded\"");
  assert_error("stream-error", "", 500, "\"server_error\"", "null", "null");
  assert_error("ok-error", "", 200, "\"server_error\"", "null", "null");
  assert_error("reject-usage-option", ",\"stream_options\":{\"include_usage\":true}", 400, "\"invalid_request_error\"",
               "\"stream_options.include_usage\"", "\"unknown_parameter\"");
  assert_content("reject-usage-option", "hi", "", SENTENCE);
}

TEST(only_a_429_says_when_to_retry) {
  struct reply r = rig_chat(&rig, "fail-429", "hi", "");
  assert_str(reply_header(&r, "Retry-After"), STR("2"));
  reply_clear(&r);
  r = rig_chat(&rig, "fail-500", "hi", "");
  assert_null(reply_header(&r, "Retry-After").p);
  reply_clear(&r);
}

TEST(once_means_once_for_each_text) {
  static const int expected[] = {429, 200, 200};
  for (int text = 0; text < 2; text++)
    for (int i = 0; i < 3; i++) {
      struct reply r = rig_chat(&rig, "fail-429-once", text ? "text two" : "text one", "");
      assert_int_equal(r.status, expected[i]);
      reply_clear(&r);
    }
}

TEST(bodies_that_are_no_answer) {
  struct reply r = rig_chat(&rig, "fail-html", "hi", "");
  assert_int_equal(r.status, 502);
  assert_str(reply_header(&r, "Content-Type"), STR("text/html"));
  assert_true(str_has_prefix(buf_str(&r.body), STR("<html>")));
  reply_clear(&r);
  r = rig_chat(&rig, "fail-empty", "hi", "");
  assert_int_equal(r.status, 200);
  assert_int_equal(r.body.n, 0);
  assert_true(r.is_whole);
  reply_clear(&r);
  r = rig_chat(&rig, "garbage-json", "hi", "");
  assert_int_equal(r.status, 200);
  assert_true(r.is_whole && r.body.n > 0);
  assert_null(yyjson_read(r.body.p, r.body.n, 0));
  reply_clear(&r);
}

TEST(connections_that_break) {
  struct reply r = rig_chat(&rig, "garbage", "hi", "");
  assert_true(r.raw.n > 0);
  assert_false(str_has_prefix(buf_str(&r.raw), STR("HTTP/")));
  reply_clear(&r);
  r = rig_chat(&rig, "reset", "hi", "");
  assert_int_equal(r.raw.n, 0);
  assert_int_equal(r.read_errno, ECONNRESET);
  reply_clear(&r);
  r = rig_chat(&rig, "stream-cut", "hi", "");
  assert_int_equal(r.status, 200);
  assert_true(r.is_chunked && !r.is_whole && r.body.n > 100);
  reply_clear(&r);
  r = rig_chat(&rig, "stream-cut-10", "hi", "");
  assert_int_equal(r.body.n, 10);
  assert_false(r.is_whole);
  reply_clear(&r);
}

TEST(redirect_and_close) {
  struct reply r = rig_chat(&rig, "redirect", "hi", "");
  assert_int_equal(r.status, 302);
  assert_str(reply_header(&r, "Location"), STR("http://mock.test:1/redirect-target/v1/chat/completions"));
  reply_clear(&r);
  r = (struct reply){0};
  int fd = rig_connect(&rig);
  rig_send(fd, "POST", "/v1/chat/completions", "", STR("{\"model\":\"close\",\"messages\":[]}"));
  assert_int_equal(rig_read_all(fd, &r.raw), 0); /* the mock closes, we did not ask it to */
  close(fd);
  reply_parse(&r);
  assert_str(reply_header(&r, "Connection"), STR("close"));
  assert_true(r.is_whole);
  reply_clear(&r);
}

TEST(gzip_where_it_is_accepted) {
  struct str body = STR("{\"model\":\"gzip\",\"messages\":[]}");
  struct reply r = rig_request(&rig, "POST", "/v1/chat/completions", "", body);
  assert_null(reply_header(&r, "Content-Encoding").p);
  reply_clear(&r);
  r = rig_request(&rig, "POST", "/v1/chat/completions", "Accept-Encoding: deflate, gzip\r\n", body);
  assert_str(reply_header(&r, "Content-Encoding"), STR("gzip"));
  static char plain[4096];
  z_stream z = {
      .next_in = (Bytef *)r.body.p, .avail_in = (uInt)r.body.n, .next_out = (Bytef *)plain, .avail_out = sizeof plain};
  assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
  assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
  assert_true(str_find(str_from(plain, z.total_out), STR("deterministic answer")) != SIZE_MAX);
  inflateEnd(&z);
  reply_clear(&r);
}

TEST(latency_comes_before_the_head) {
  uint64_t start = clock_mono_us();
  struct reply r = rig_chat(&rig, "slow-80", "hi", "");
  assert_true(clock_mono_us() - start >= 80000);
  assert_int_equal(r.status, 200);
  reply_clear(&r);
  r = rig_chat(&rig, "slow-first-60", "hi", "");
  assert_true(r.is_chunked && r.is_whole);
  reply_clear(&r);
}

TEST(bad_requests) {
  static const struct {
    const char *body, *code;
  } cases[] = {{"", "null"},
               {"nonsense", "null"},
               {"{\"model\":\"m\",\"messages\":[}", "null"},
               {"{\"model\":\"m\",\"messages\":[],\"x\":truue}", "null"},
               {"{\"messages\":[]}", "null"},
               {"{\"model\":7,\"messages\":[]}", "null"},
               {"{\"model\":\"m\"}", "\"missing_required_parameter\""},
               {"{\"model\":\"m\",\"messages\":{}}", "\"invalid_type\""}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct reply r = rig_request(&rig, "POST", "/v1/chat/completions", "", str_from_c(cases[i].body));
    assert_int_equal(r.status, 400);
    yyjson_doc *doc = json_of(&r);
    assert_at(doc, "/error/type", "\"invalid_request_error\"");
    assert_at(doc, "/error/code", cases[i].code);
    yyjson_doc_free(doc);
    reply_clear(&r);
  }
}

static yyjson_doc *get_json(const char *path, int status) {
  struct reply r = rig_request(&rig, "GET", path, "", STR_NONE);
  assert_int_equal(r.status, status);
  yyjson_doc *doc = json_of(&r);
  reply_clear(&r);
  return doc;
}

TEST(models) {
  yyjson_doc *doc = get_json("/v1/models", 200);
  assert_at(doc, "/object", "\"list\"");
  assert_at(doc, "/data/0/id", "\"mock-small\"");
  assert_at(doc, "/data/0/object", "\"model\"");
  assert_at(doc, "/data/2/id", "\"echo\"");
  yyjson_doc_free(doc);
  doc = get_json("/v1/models/mock-large", 200);
  assert_at(doc, "/id", "\"mock-large\"");
  yyjson_doc_free(doc);
  doc = get_json("/models/slow-30", 200);
  assert_at(doc, "/id", "\"slow-30\"");
  yyjson_doc_free(doc);
  doc = get_json("/v1/models/slow-", 404);
  assert_at(doc, "/error/code", "\"model_not_found\"");
  yyjson_doc_free(doc);
}

TEST(unknown_paths_and_methods) {
  yyjson_doc *doc = get_json("/v1/nothing", 404);
  assert_at(doc, "/error/message", "\"Invalid URL (GET /v1/nothing)\"");
  assert_at(doc, "/error/type", "\"invalid_request_error\"");
  yyjson_doc_free(doc);
  doc = get_json("/v1/chat/completions", 405);
  assert_at(doc, "/error/code", "\"method_not_supported\"");
  yyjson_doc_free(doc);
  doc = get_json("/healthz", 200);
  yyjson_doc_free(doc);
}

TEST(requests_are_recorded_without_their_secrets) {
  struct reply r = rig_request(&rig, "POST", "/__mock/reset", "", STR_NONE);
  assert_int_equal(r.status, 200);
  reply_clear(&r);
  r = rig_request(&rig, "POST", "/v1/chat/completions?key=k-secret&x=1",
                  "Authorization: Bearer sk-secret\r\nX-Api-Key: sk-secret\r\nX-Other: \xc3\xbc\r\n",
                  STR("{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"q\\\"\\u00fc\"}]}"));
  assert_int_equal(r.status, 200);
  reply_clear(&r);
  r = rig_request(&rig, "PUT", "/elsewhere", "", STR("raw"));
  assert_int_equal(r.status, 404);
  reply_clear(&r);
  r = rig_request(&rig, "GET", "/__mock/requests", "", STR_NONE);
  assert_true(str_find(buf_str(&r.body), STR("secret")) == SIZE_MAX);
  yyjson_doc *doc = json_of(&r);
  assert_at(doc, "/seen", "2");
  assert_at(doc, "/requests/0/method", "\"POST\"");
  assert_at(doc, "/requests/0/path", "\"/v1/chat/completions\"");
  assert_true(str_find(buf_str(&r.body), STR("x=1")) != SIZE_MAX);
  /* printf sk-secret | sha256sum */
  assert_true(str_find(buf_str(&r.body), STR("[\"authorization\",\"Bearer sha256:746b4ad1ca9129e1\"]")) != SIZE_MAX);
  assert_true(str_find(buf_str(&r.body), STR("[\"x-api-key\",\"sha256:746b4ad1ca9129e1\"]")) != SIZE_MAX);
  assert_at(doc, "/requests/0/body",
            "\"{\\\"model\\\":\\\"m\\\",\\\"messages\\\":[{\\\"role\\\":\\\"user\\\",\\\"content\\\":"
            "\\\"q\\\\\\\"\\\\u00fc\\\"}]}\"");
  assert_at(doc, "/requests/1/path", "\"/elsewhere\"");
  assert_at(doc, "/requests/1/body", "\"raw\"");
  yyjson_doc_free(doc);
  reply_clear(&r);
}

TEST(the_record_is_bounded) {
  struct buf in;
  buf_init(&in, 0);
  int fd = rig_connect(&rig);
  for (int i = 0; i < 300; i++) {
    buf_reset(&in);
    rig_send(fd, "GET", "/v1/nothing", "", STR_NONE);
    rig_read_until(fd, &in, "\"code\": null\n    }\n}\n");
  }
  close(fd);
  buf_clear(&in);
  yyjson_doc *doc = get_json("/__mock/requests", 200);
  assert_int_equal(yyjson_arr_size(yyjson_doc_ptr_get(doc, "/requests")), 256);
  yyjson_doc_free(doc);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_byte_of_the_usual_answer),
      cmocka_unit_test(ids_differ),
      cmocka_unit_test(a_connection_serves_many),
      cmocka_unit_test(the_last_user_text_is_echoed),
      cmocka_unit_test(a_tag_wins_over_the_model),
      cmocka_unit_test(a_tag_of_an_earlier_message_does_not),
      cmocka_unit_test(an_unknown_tag_is_refused),
      cmocka_unit_test(tools_are_called),
      cmocka_unit_test(a_tool_result_is_repeated),
      cmocka_unit_test(kinds_of_answers),
      cmocka_unit_test(sizes_and_choices),
      cmocka_unit_test(usage_kinds),
      cmocka_unit_test(failures_have_the_vendors_shape),
      cmocka_unit_test(only_a_429_says_when_to_retry),
      cmocka_unit_test(once_means_once_for_each_text),
      cmocka_unit_test(bodies_that_are_no_answer),
      cmocka_unit_test(connections_that_break),
      cmocka_unit_test(redirect_and_close),
      cmocka_unit_test(gzip_where_it_is_accepted),
      cmocka_unit_test(latency_comes_before_the_head),
      cmocka_unit_test(bad_requests),
      cmocka_unit_test(models),
      cmocka_unit_test(unknown_paths_and_methods),
      cmocka_unit_test(requests_are_recorded_without_their_secrets),
      cmocka_unit_test(the_record_is_bounded),
  };
  return cmocka_run_group_tests(tests, begin, finish);
}
