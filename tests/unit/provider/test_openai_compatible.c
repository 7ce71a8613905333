/* Failure bodies and model lists of everything that calls itself OpenAI-compatible: every shape seen in the field, and
 * what nobody should send. Shapes: OpenAI's and OpenRouter's error references, vLLM, Ollama, FastAPI, Google (read
 * 2026-11). */
#include "provider/provider.h"

#include "base/buf.h"

#include "unit.h"

static const struct provider acme = {
    .id = STR("acme"), .origin = {.host = STR("llm.acme.example")}, .secret = STR("sk-very-secret")};

static enum err failed(int status, struct str body, struct err_info *info) {
  memset(info, '#', sizeof *info); /* everything in it is written */
  return provider_openai_compatible.classify_failure(&acme, status, (struct http_headers){0}, body, info);
}

struct row {
  int status;
  const char *body, *text, *code, *type, *param;
};

static void check(const struct row *r, int status) {
  struct err_info info;
  assert_int_equal(failed(r->status, str_from_c(r->body), &info), ERR_UPSTREAM_STATUS);
  if (strcmp(info.text, r->text)) print_error("%s\n", r->body);
  assert_string_equal(info.text, r->text);
  assert_string_equal(info.code, r->code);
  assert_string_equal(info.type, r->type);
  assert_string_equal(info.param, r->param);
  assert_int_equal(info.http_status, status);
  assert_int_equal(info.retry_after_ms, 0);
}

#define NO_MESSAGE "acme answered with status 500 and no message"

TEST(messages_wherever_they_are) {
  static const struct row rows[] = {
      {400,
       "{\"error\":{\"message\":\"Invalid 'messages[0].role'\",\"type\":\"invalid_request_error\","
       "\"param\":\"messages[0].role\",\"code\":\"invalid_value\"}}",
       "acme: Invalid 'messages[0].role'", "invalid_value", "invalid_request_error", "messages[0].role"},
      {404, "{\"error\":\"model 'llama3' not found\"}", "acme: model 'llama3' not found", "", "", ""},
      {400, "{\"object\":\"error\",\"message\":\"too long\",\"type\":\"BadRequestError\",\"param\":null,\"code\":400}",
       "acme: too long", "", "BadRequestError", ""},
      {404, "{\"detail\":\"Not Found\"}", "acme: Not Found", "", "", ""},
      {422, "{\"detail\":[{\"loc\":[\"body\"],\"msg\":\"field required\",\"type\":\"missing\"}]}",
       "acme: field required", "", "", ""},
      {429, "[{\"error\":{\"code\":429,\"message\":\"Quota\",\"status\":\"RESOURCE_EXHAUSTED\"}}]", "acme: Quota",
       "rate_limit_exceeded", "", ""},
      {402, "{\"error\":{\"message\":\"no credits\",\"code\":402,\"metadata\":{}},\"user_id\":\"u\"}",
       "acme: no credits", "", "", ""},
      {500, "{\"error\":{},\"message\":\"outer\"}", "acme: outer", "", "", ""},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) check(&rows[i], rows[i].status);
}

/* A prompt that does not fit is the same failure whoever says it, and only where the status fits, too. */
TEST(a_prompt_that_is_too_long) {
  static const struct row rows[] = {
      {400,
       "{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":\"prompt is too long: 210000 "
       "tokens > 200000 maximum\"}}",
       "acme: prompt is too long: 210000 tokens > 200000 maximum", "context_length_exceeded", "invalid_request_error",
       ""},
      {400,
       "{\"error\":{\"code\":400,\"message\":\"The input token count (2) exceeds the maximum number of tokens allowed "
       "(1).\",\"status\":\"INVALID_ARGUMENT\"}}",
       "acme: The input token count (2) exceeds the maximum number of tokens allowed (1).", "context_length_exceeded",
       "", ""},
      {500, "{\"error\":\"prompt is too long\"}", "acme: prompt is too long", "", "", ""},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) check(&rows[i], rows[i].status);
}

/* Failures in mid-stream have no status of their own but the one that their words mean. */
TEST(words_that_mean_a_status) {
  static const struct {
    const char *body;
    int status;
  } rows[] = {
      {"{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}", 529},
      {"{\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\",\"message\":\"slow\"}}", 429},
      {"{\"error\":{\"message\":\"x\",\"type\":\"requests\",\"code\":\"rate_limit_exceeded\"}}", 429},
      {"{\"error\":{\"code\":503,\"message\":\"x\",\"status\":\"UNAVAILABLE\"}}", 503},
      {"{\"__type\":\"throttlingException\",\"message\":\"x\"}", 429},
      {"{\"error\":{\"message\":\"x\",\"type\":\"unheard_of\"}}", 502},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct err_info info;
    assert_int_equal(failed(0, str_from_c(rows[i].body), &info), ERR_UPSTREAM_STATUS);
    assert_int_equal(info.http_status, rows[i].status);
  }
}

TEST(no_message_at_all) {
  static const char *const bodies[] = {"",
                                       " ",
                                       "upstream connect error",
                                       "<html><body>502 Bad Gateway</body></html>",
                                       "null",
                                       "true",
                                       "17",
                                       "\"a text\"",
                                       "[]",
                                       "[[]]",
                                       "[1,2]",
                                       "{}",
                                       "{\"error\":null}",
                                       "{\"error\":7}",
                                       "{\"error\":[]}",
                                       "{\"error\":{\"message\":7,\"code\":[],\"type\":{},\"param\":true}}",
                                       "{\"error\":{\"message\":\"\"}}",
                                       "{\"detail\":[]}",
                                       "{\"detail\":[7]}",
                                       "{\"detail\":{\"msg\":1}}",
                                       "{\"error\":{\"message\":\"cut",
                                       "{\"error\":{\"message\":\"lone \\ud800\"}}",
                                       "\xff\xfe{\"error\":\"x\"}",
                                       "{\"error\":\"x\"} trailing"};
  for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
    check(&(struct row){500, bodies[i], NO_MESSAGE, "", "", ""}, 500);
}

TEST(words_for_machines_are_words_and_hold_no_secret) {
  static const struct row rows[] = {
      {400, "{\"error\":{\"message\":\"m\",\"code\":\"two words\",\"type\":\"a\\nb\",\"param\":\"\"}}", "acme: m", "",
       "", ""},
      {400,
       "{\"error\":{\"message\":\"m\",\"code\":\"sk-very-secret\",\"type\":\"http://x/y\",\"param\":\"10.0.0.1:80\"}}",
       "acme: m", "", "", ""},
      {400, "{\"error\":{\"message\":\"m\",\"code\":\"1234\",\"type\":\"\xc3\xa4\",\"param\":\"tools[0].function\"}}",
       "acme: m", "", "", "tools[0].function"},
      {400,
       "{\"error\":{\"message\":\"m\",\"code\":\"0123456789abcdef_too_long_for_a_code_0123456789abcdef_0123456789\"}}",
       "acme: m", "", "", ""},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) check(&rows[i], 400);
}

TEST(a_failure_within_a_good_status_may_name_its_own) {
  static const struct {
    const char *body;
    int status;
  } rows[] = {
      {"{\"error\":{\"message\":\"m\",\"code\":429}}", 429},
      {"{\"error\":{\"message\":\"m\",\"code\":\"503\"}}", 503},
      {"{\"error\":{\"message\":\"m\",\"code\":\"bad\"}}", 502},
      {"{\"error\":{\"message\":\"m\",\"code\":200}}", 502},
      {"{\"error\":{\"message\":\"m\",\"code\":-429}}", 502},
      {"{\"error\":{\"message\":\"m\",\"code\":429.5}}", 502},
      {"{\"error\":{\"message\":\"m\"}}", 502},
      {"{\"error\":\"m\",\"code\":404}", 404},
      {"{\"error\":{\"message\":\"m\",\"code\":600}}", 502},
  };
  struct err_info info;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    assert_int_equal(failed(0, str_from_c(rows[i].body), &info), ERR_UPSTREAM_STATUS);
    assert_int_equal(info.http_status, rows[i].status);
    assert_string_equal(info.text, "acme: m");
  }
  assert_int_equal(failed(400, STR("{\"error\":{\"code\":429}}"), &info), ERR_UPSTREAM_STATUS);
  assert_int_equal(info.http_status, 400); /* HTTP's own word stands */
}

TEST(a_refused_credential_names_the_provider) {
  struct err_info info;
  assert_int_equal(failed(401, STR("{\"error\":{\"message\":\"Incorrect API key: sk-very-secret\"}}"), &info),
                   ERR_UPSTREAM_STATUS);
  assert_string_equal(info.text,
                      "the provider \"acme\" refused Maestro's credential for it: Incorrect API key: [secret]");
  assert_int_equal(failed(403, STR(""), &info), ERR_UPSTREAM_STATUS);
  assert_string_equal(info.text, "the provider \"acme\" refused Maestro's credential for it");
}

TEST(retry_after_is_kept) {
  static const struct http_header v[] = {{STR("Retry-After"), STR("3")}};
  struct err_info info;
  assert_int_equal(
      provider_openai_compatible.classify_failure(&acme, 429, (struct http_headers){v, 1}, STR("{}"), &info),
      ERR_UPSTREAM_STATUS);
  assert_int_equal(info.retry_after_ms, 3000);
}

TEST(huge_bodies) {
  enum { N = 300 * 1024 };
  struct buf b;
  struct err_info info;
  buf_init(&b, 0);
  buf_put(&b, STR("{\"error\":{\"message\":\""));
  for (int i = 0; i < 20000; i++) buf_put(&b, STR("\xf0\x9f\x98\x80"));
  buf_put(&b, STR("\"}}"));
  assert_int_equal(failed(500, buf_str(&b), &info), ERR_UPSTREAM_STATUS);
  assert_int_equal(strlen(info.text), strlen("acme: ") + 500);
  assert_true(str_is_utf8(str_from_c(info.text)));
  buf_reset(&b);
  for (int i = 0; i < N; i++) buf_put_char(&b, '['); /* deeper than any stack, and beyond the limit */
  assert_int_equal(failed(500, buf_str(&b), &info), ERR_UPSTREAM_STATUS);
  assert_int_equal(failed(500, str_sub(buf_str(&b), 0, N / 2), &info), ERR_UPSTREAM_STATUS);
  assert_string_equal(info.text, NO_MESSAGE);
  buf_clear(&b);
}

/* ---- model lists ---- */

static void expect_list(const char *body, const char *expected) {
  struct arena a;
  struct provider_listed *ids = NULL;
  size_t n = 0;
  struct err_info info = {0};
  struct buf joined;
  arena_init(&a, 0);
  buf_init(&joined, 0);
  enum err e = provider_openai_compatible.parse_catalog(&a, str_from_c(body), &ids, &n, &info);
  if (!expected) {
    if (e != ERR_UPSTREAM_PROTOCOL) print_error("%s\n", body);
    assert_int_equal(e, ERR_UPSTREAM_PROTOCOL);
    assert_true(n == 0 && !ids && info.text[0]);
  } else {
    assert_int_equal(e, OK);
    for (size_t i = 0; i < n; i++) {
      if (i) buf_put_char(&joined, '|');
      buf_put(&joined, ids[i].id);
    }
    assert_str(buf_str(&joined), str_from_c(expected));
  }
  buf_clear(&joined);
  arena_clear(&a);
}

TEST(model_lists) {
  expect_list("{\"object\":\"list\",\"data\":[{\"id\":\"a\",\"object\":\"model\"},{\"id\":\"b/c:d\"}]}", "a|b/c:d");
  expect_list("[{\"id\":\"a\"}]", "a"); /* Together */
  expect_list("{\"data\":[]}", "");
  expect_list("{\"data\":[null,7,\"x\",[],{},{\"id\":null},{\"id\":7},{\"id\":\"\"},{\"name\":\"n\"},{\"id\":\"ok\"}]}",
              "ok");
  expect_list(
      "{\"data\":[{\"id\":\"a\\tb\"},{\"id\":\"a\\r\\nX: y\"},{\"id\":\"a\\u0001\"},{\"id\":\"\\u007f\"},"
      "{\"id\":\" a\"},{\"id\":\"a \"},{\"id\":\"a b\"},{\"id\":\"\xc3\xa4\"}]}",
      "a b|\xc3\xa4");
  static const char *const none[] = {"",
                                     "{",
                                     "null",
                                     "\"x\"",
                                     "{}",
                                     "{\"data\":{}}",
                                     "{\"data\":\"x\"}",
                                     "{\"data\":null}",
                                     "<html>",
                                     "{\"data\":[{\"id\":\"\xff\"}]}"};
  for (size_t i = 0; i < sizeof none / sizeof *none; i++) expect_list(none[i], NULL);
}

TEST(lists_say_more_than_names) {
  struct arena a;
  struct provider_listed *v;
  size_t n;
  arena_init(&a, 0);
  assert_int_equal(
      provider_openai_compatible.parse_catalog(
          &a,
          STR("{\"data\":[{\"id\":\"a\",\"max_model_len\":32768},{\"id\":\"b\",\"context_length\":8192},"
              "{\"id\":\"c\",\"max_model_len\":\"9\",\"context_window\":-1},{\"id\":\"d\",\"max_model_len\":1e99}]}"),
          &v, &n, NULL),
      OK);
  assert_int_equal(n, 4);
  assert_int_equal(v[0].context_tokens, 32768);
  assert_int_equal(v[1].context_tokens, 8192);
  assert_int_equal(v[2].context_tokens, 0);
  assert_int_equal(v[3].context_tokens, 0);
  assert_int_equal(
      provider_ollama.parse_catalog(
          &a,
          STR("{\"models\":[{\"name\":\"llama3.2:latest\",\"model\":\"llama3.2:latest\",\"size\":2019393189,\"digest\":"
              "\"a80c\","
              "\"details\":{\"format\":\"gguf\",\"family\":\"llama\"}},{\"name\":\"x\",\"size\":-1,\"details\":[]}]}"),
          &v, &n, NULL),
      OK);
  assert_int_equal(v[0].size_bytes, 2019393189);
  assert_str(v[0].family, STR("llama"));
  assert_str(v[0].digest, STR("a80c"));
  assert_true(v[1].size_bytes == 0 && v[1].family.n == 0 && v[1].digest.n == 0);
  arena_clear(&a);
}

TEST(long_lists_are_cut) {
  struct arena a;
  struct provider_listed *ids;
  size_t n;
  struct buf b;
  arena_init(&a, 0);
  buf_init(&b, 0);
  buf_put(&b, STR("{\"data\":[{\"id\":\""));
  for (int i = 0; i < 257; i++) buf_put_char(&b, 'x');
  buf_put(&b, STR("\"}"));
  for (unsigned i = 0; i < 5000; i++) buf_printf(&b, ",{\"id\":\"m%u\"}", i);
  buf_put(&b, STR("]}"));
  assert_int_equal(provider_openai_compatible.parse_catalog(&a, buf_str(&b), &ids, &n, NULL), OK);
  assert_int_equal(n, 4096);
  assert_str(ids[0].id, STR("m0")); /* the one of 257 bytes is left out */
  buf_clear(&b);
  arena_clear(&a);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(messages_wherever_they_are),
      cmocka_unit_test(a_prompt_that_is_too_long),
      cmocka_unit_test(words_that_mean_a_status),
      cmocka_unit_test(no_message_at_all),
      cmocka_unit_test(words_for_machines_are_words_and_hold_no_secret),
      cmocka_unit_test(a_failure_within_a_good_status_may_name_its_own),
      cmocka_unit_test(a_refused_credential_names_the_provider),
      cmocka_unit_test(retry_after_is_kept),
      cmocka_unit_test(huge_bodies),
      cmocka_unit_test(model_lists),
      cmocka_unit_test(lists_say_more_than_names),
      cmocka_unit_test(long_lists_are_cut),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
