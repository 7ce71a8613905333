/* Providers: the presets' rows, what init makes of a specification and refuses of it, and every form of Retry-After. */
#include "provider/provider.h"

#include "unit.h"

static struct arena arena;
static struct err_info info;

static int clear(void **state) {
  (void)state;
  arena_clear(&arena);
  info = (struct err_info){0};
  return 0;
}

static struct provider_spec spec_of(const char *type) {
  return (struct provider_spec){
      .id = STR("p"), .type = str_from_c(type), .api_key = STR("the-key"), .allow_private = true};
}

static struct str header(const struct provider *p, const char *name) {
  assert_true(http_header_count(p->headers, str_from_c(name)) <= 1);
  return http_header_get(p->headers, str_from_c(name));
}

TEST(every_preset_can_be_used) {
  assert_true(provider_preset_count >= 19);
  for (size_t i = 0; i < provider_preset_count; i++) {
    const struct provider_preset *row = &provider_presets[i];
    struct provider p;
    assert_ptr_equal(provider_preset_by_name(row->name), row);
    assert_true(row->name.n && row->key_env.n && row->base_url_env.n);
    bool is_vendors_own = str_eq(row->key_env, STR("AWS_BEARER_TOKEN_BEDROCK")); /* as AWS's own tools read it */
    assert_true(str_has_suffix(row->key_env, STR("_API_KEY")) || is_vendors_own);
    assert_true(str_has_suffix(row->base_url_env, STR("_BASE_URL")));
    for (size_t k = 0; k < i; k++) {
      assert_false(str_eq(provider_presets[k].name, row->name));
      assert_false(str_eq(provider_presets[k].key_env, row->key_env));
      assert_false(str_eq(provider_presets[k].base_url_env, row->base_url_env));
    }
    struct provider_spec spec = spec_of(row->name.p);
    enum err e = provider_init(&arena, &spec, &p, &info);
    if (!row->base_url.n) {
      assert_int_equal(e, ERR_MISSING);
      assert_string_equal(info.param, "baseURL");
      spec.base_url = STR("https://own.example/openai/v1/");
      e = provider_init(&arena, &spec, &p, &info);
    }
    assert_int_equal(e, OK);
    /* Only servers of this machine go without TLS, and without a key. */
    if (row->base_url.n) assert_true(p.origin.is_tls == row->needs_key);
    for (unsigned at = 0; p.type->endpoints[at].dialect.n; at++) {
      struct str target = provider_target(&arena, &p, at, STR("a/b c"), true);
      assert_true(target.n > 1 && target.p[0] == '/');
      assert_true(str_find(target, STR("//")) == SIZE_MAX && str_find(target, STR("{")) == SIZE_MAX);
      assert_true(str_find(target, STR(" ")) == SIZE_MAX);
    }
    assert_true(str_find(p.catalog_target, STR("//")) == SIZE_MAX);
    assert_int_equal(p.usage, row->usage);
    if (row->auth == PROVIDER_AUTH_API_KEY)
      assert_str(header(&p, "api-key"), STR("the-key"));
    else if (str_eq(row->name, STR("anthropic")))
      assert_str(header(&p, "x-api-key"), STR("the-key"));
    else if (str_eq(row->name, STR("gemini")))
      assert_str(header(&p, "x-goog-api-key"), STR("the-key"));
    else
      assert_str(header(&p, "authorization"), STR("Bearer the-key"));
    /* The vendors themselves; Azure serves OpenAI's models, which want max_completion_tokens. */
    assert_int_equal(p.is_vendor, p.type->is_vendor || str_eq(row->name, STR("azure-openai")));
    assert_int_equal(header(&p, "x-title").n > 0, str_eq(row->name, STR("openrouter")));
    assert_str(p.secret, STR("the-key"));
    assert_true(header(&p, "content-type").n && header(&p, "user-agent").n);
  }
  assert_null(provider_preset_by_name(STR("nobody")));
  assert_null(provider_preset_by_name(STR("")));
}

/* Base addresses as people write them, and where requests then go. */
TEST(targets_of_each_type) {
  static const struct {
    const char *type, *base_url, *model, *target, *target_stream, *catalog;
  } rows[] = {
      {"openai", "https://x.example/v1", "m", "/v1/chat/completions", "/v1/chat/completions", "/v1/models"},
      {"anthropic", "https://x.example", "m", "/v1/messages", "/v1/messages", "/v1/models?limit=1000"},
      {"anthropic", "https://x.example/v1/", "m", "/v1/messages", "/v1/messages", "/v1/models?limit=1000"},
      {"anthropic", "https://x.example/proxy", "m", "/proxy/v1/messages", "/proxy/v1/messages",
       "/proxy/v1/models?limit=1000"},
      {"gemini", "https://x.example", "gemini-2.5-pro", "/v1beta/models/gemini-2.5-pro:generateContent",
       "/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse", "/v1beta/models?pageSize=1000"},
      {"gemini", "https://x.example/v1", "../x?y", "/v1/models/..%2Fx%3Fy:generateContent",
       "/v1/models/..%2Fx%3Fy:streamGenerateContent?alt=sse", "/v1/models?pageSize=1000"},
      {"ollama", "http://x.example:11434", "m", "/api/chat", "/api/chat", "/api/tags"},
      {"bedrock", "https://x.example", "us.anthropic.claude-x:0", "/model/us.anthropic.claude-x%3A0/converse",
       "/model/us.anthropic.claude-x%3A0/converse-stream", "/foundation-models"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const struct provider_spec spec = {
        .id = STR("p"), .type = str_from_c(rows[i].type), .base_url = str_from_c(rows[i].base_url)};
    struct provider p;
    assert_int_equal(provider_init(&arena, &spec, &p, &info), OK);
    struct str model = str_from_c(rows[i].model);
    assert_str(provider_target(&arena, &p, 0, model, false), str_from_c(rows[i].target));
    assert_str(provider_target(&arena, &p, 0, model, true), str_from_c(rows[i].target_stream));
    assert_str(p.catalog_target, str_from_c(rows[i].catalog));
  }
}

TEST(vendors_are_known_by_their_addresses) {
  static const struct {
    const char *type, *base_url;
    bool is_vendor_address;
  } rows[] = {
      {"openai", "", true},
      {"anthropic", "", true},
      {"gemini", "", true},
      {"bedrock", "", true},
      {"anthropic", "https://api.anthropic.com/v1", true},
      {"anthropic", "https://proxy.example/v1", false},
      {"openai", "http://127.0.0.1:8000/v1", false},
      {"bedrock", "https://bedrock-runtime.eu-west-3.amazonaws.com", true},
      {"bedrock", "https://amazonaws.com.example", false},
      {"azure-openai", "https://x.openai.azure.com/openai/v1", true},
      {"ollama", "", false},
      {"openrouter", "", false},
      {"vllm", "", false},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const struct provider_spec spec = {
        .id = STR("p"), .type = str_from_c(rows[i].type), .base_url = str_from_c(rows[i].base_url)};
    struct provider p;
    assert_int_equal(provider_init(&arena, &spec, &p, &info), OK);
    if (p.is_vendor_address != rows[i].is_vendor_address) fail_msg("row %zu: %s", i, rows[i].type);
  }
}

TEST(who_bills_reasoning_apart) {
  static const struct {
    const char *type;
    bool is_quirk, want;
  } rows[] = {{"xai", false, true},
              {"perplexity", false, true},
              {"openai", false, false},
              {"openai-compatible", false, false},
              {"openai-compatible", true, true}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct provider p;
    const struct provider_spec spec = {.id = STR("a"),
                                       .type = str_from_c(rows[i].type),
                                       .base_url = STR("https://models.example/v1"),
                                       .bills_reasoning_apart = rows[i].is_quirk};
    assert_int_equal(provider_init(&arena, &spec, &p, &info), OK);
    assert_int_equal(p.bills_reasoning_apart, rows[i].want);
  }
}

TEST(signing_needs_a_region_and_a_good_credential) {
  struct provider_spec spec = {.id = STR("p"),
                               .type = STR("bedrock"),
                               .base_url = STR("https://bedrock-runtime.eu-west-3.amazonaws.com"),
                               .aws = {STR("AKID"), STR("s3cret"), STR("session-token")},
                               .region = STR("elsewhere")};
  struct provider p;
  assert_int_equal(provider_init(&arena, &spec, &p, &info), OK);
  assert_str(p.region, STR("eu-west-3")); /* the address's own */
  assert_true(p.is_vendor_address);
  assert_str(http_header_get(p.headers, STR("Authorization")), STR_NONE);
  char told[128];
  provider_sanitise(&p, STR("x-amz-security-token:session-token"), told, sizeof told);
  assert_null(strstr(told, "session-token"));
  spec.base_url = STR("https://bedrock.example.com");
  assert_int_equal(provider_init(&arena, &spec, &p, &info), OK);
  assert_str(p.region, STR("elsewhere"));
  assert_false(p.is_vendor_address);
  spec.region = STR_NONE;
  assert_int_equal(provider_init(&arena, &spec, &p, &info), ERR_MISSING);
  assert_string_equal(info.param, "region");
  spec.region = STR("r-1");
  spec.aws.secret_access_key = STR("with space");
  assert_int_equal(provider_init(&arena, &spec, &p, &info), ERR_BAD_VALUE);
}

TEST(a_key_is_not_signed_with) {
  const struct provider_spec spec = {.id = STR("p"),
                                     .type = STR("bedrock"),
                                     .base_url = STR("https://x.example"),
                                     .api_key = STR("k"),
                                     .aws = {STR("AKID"), STR("s3cret"), STR_NONE}};
  struct http_client_request request = {.method = HTTP_POST, .target = STR("/")};
  struct provider p;
  assert_int_equal(provider_init(&arena, &spec, &p, &info), OK);
  request.headers = p.headers;
  assert_int_equal(provider_sign(&arena, &p, 0, &request, &info), OK);
  assert_ptr_equal(request.headers.v, p.headers.v);
  assert_str(http_header_get(p.headers, STR("Authorization")), STR("Bearer k"));
}

TEST(init_copies_what_it_was_given) {
  char id[] = "mine", url[] = "http://127.0.0.1:9000/base/v1/", key[] = "k1", name[] = "X-A", value[] = "v";
  const struct http_header headers[] = {{str_from_c(name), str_from_c(value)}};
  const struct provider_spec spec = {.id = str_from_c(id),
                                     .type = STR("openai-compatible"),
                                     .base_url = str_from_c(url),
                                     .api_key = str_from_c(key),
                                     .headers = {headers, 1},
                                     .timeouts = {1, 2, 3, 4, 5},
                                     .usage = PROVIDER_USAGE_NONE,
                                     .has_usage = true,
                                     .allow_private = true};
  struct provider p;
  assert_int_equal(provider_init(&arena, &spec, &p, &info), OK);
  memset(id, '#', sizeof id), memset(url, '#', sizeof url), memset(key, '#', sizeof key);
  memset(name, '#', sizeof name), memset(value, '#', sizeof value);
  assert_str(p.id, STR("mine"));
  assert_str(p.target[0], STR("/base/v1/chat/completions"));
  assert_str(p.catalog_target, STR("/base/v1/models"));
  assert_str(p.origin.host, STR("127.0.0.1"));
  assert_int_equal(p.origin.port, 9000);
  assert_str(header(&p, "Authorization"), STR("Bearer k1"));
  assert_str(header(&p, "x-a"), STR("v"));
  assert_int_equal(p.usage, PROVIDER_USAGE_NONE);
  assert_int_equal(p.timeouts.total_ms, 5);
  assert_ptr_equal(p.type, provider_type_by_name(STR("openai-compatible")));
}

TEST(anonymous_means_no_credential_at_all) {
  struct provider_spec spec = spec_of("vllm");
  struct provider p;
  spec.api_key = STR_NONE;
  assert_int_equal(provider_init(&arena, &spec, &p, &info), OK);
  assert_int_equal(header(&p, "authorization").n, 0);
  assert_int_equal(p.secret.n, 0);
}

TEST(configured_headers_overrule) {
  const struct http_header headers[] = {{STR("authorization"), STR("Token other")},
                                        {STR("USER-AGENT"), STR("mine/1")},
                                        {STR("X-A"), STR("1")},
                                        {STR("x-a"), STR("2")}};
  struct provider_spec spec = spec_of("openrouter");
  struct provider p;
  spec.headers = (struct http_headers){headers, 4};
  assert_int_equal(provider_init(&arena, &spec, &p, &info), OK);
  assert_str(header(&p, "Authorization"), STR("Token other"));
  assert_str(header(&p, "User-Agent"), STR("mine/1"));
  assert_str(header(&p, "X-A"), STR("2"));
}

TEST(faults_name_their_member) {
  static const struct http_header bad[] = {
      {STR("Host"), STR("x")}, {STR("content-length"), STR("1")}, {STR("Transfer-Encoding"), STR("chunked")},
      {STR("TE"), STR("x")},   {STR("Keep-Alive"), STR("1")},     {STR("a b"), STR("x")},
      {STR(""), STR("x")},     {STR("X-A"), STR("a\r\nb: c")},    {STR("X-A"), STR("a\0b")},
      {STR("X:"), STR("x")},
  };
  struct provider p = {.id = STR("untouched")};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct provider_spec spec = spec_of("openai");
    spec.headers = (struct http_headers){&bad[i], 1};
    assert_int_equal(provider_init(&arena, &spec, &p, &info), ERR_BAD_VALUE);
    assert_true(str_is_utf8(str_from_c(info.text)) && info.text[0]);
  }
  struct provider_spec spec = spec_of("nonsense");
  assert_int_equal(provider_init(&arena, &spec, &p, &info), ERR_BAD_VALUE);
  assert_string_equal(info.param, "type");
  assert_non_null(strstr(info.text, "nonsense"));
  spec = spec_of("openai-compatible");
  assert_int_equal(provider_init(&arena, &spec, &p, &info), ERR_MISSING);
  assert_string_equal(info.param, "baseURL");
  static const char *const urls[] = {"ftp://x",      "http://", "https://u:p@x", "https://x/?q",
                                     "https://x/#f", "x",       "http://x:0"};
  for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
    spec.base_url = str_from_c(urls[i]);
    assert_int_equal(provider_init(&arena, &spec, &p, &info), ERR_BAD_VALUE);
  }
  spec = spec_of("openai");
  spec.api_key = STR("key\nwith a line");
  assert_int_equal(provider_init(&arena, &spec, &p, &info), ERR_BAD_VALUE);
  assert_null(strstr(info.text, "with a line")); /* a secret */
  assert_str(p.id, STR("untouched"));
}

/* 2026-11-20T10:11:12.345Z */
#define NOW_US INT64_C(1795169472345000)

static int64_t wait_for(const char *name, const char *value) {
  const struct http_header h[] = {{STR("X"), STR("9")}, {str_from_c(name), str_from_c(value)}};
  return provider_retry_after_ms((struct http_headers){h, 2}, NOW_US);
}

TEST(retry_after_in_every_form) {
  const int64_t day = 24 * 3600 * 1000;
  assert_int_equal(wait_for("X-Other", "5"), 0);
  assert_int_equal(wait_for("Retry-After", "7"), 7000);
  assert_int_equal(wait_for("retry-after", "0"), 0);
  assert_int_equal(wait_for("retry-after", "2.9"), 2000);
  assert_int_equal(wait_for("retry-after-ms", "250"), 250);
  assert_int_equal(wait_for("retry-after-ms", "250.5"), 250);
  assert_int_equal(wait_for("retry-after", "86400"), day);
  assert_int_equal(wait_for("retry-after", "86401"), day);
  assert_int_equal(wait_for("retry-after", "18446744073709551616"), day);
  assert_int_equal(wait_for("retry-after-ms", "99999999999999999999999"), day);
  assert_int_equal(wait_for("retry-after", "Fri, 20 Nov 2026 10:11:42 GMT"), 29655);
  assert_int_equal(wait_for("retry-after", "Fri, 20 Nov 2026 10:11:12 GMT"), 0); /* past */
  assert_int_equal(wait_for("retry-after", "Sat, 20 Nov 2055 10:11:12 GMT"), day);
  static const char *const junk[] = {
      "",         "-1",
      "+1",       "1e3",
      ".5",       "5.",
      "1.2.3",    "soon",
      "7s",       "20 Nov 2026",
      "\xff\xfe", "Fri, 20 Nov 2026 10:11:42 GMT, and a lot more text than any date has in it, ever"};
  for (size_t i = 0; i < sizeof junk / sizeof *junk; i++) assert_int_equal(wait_for("retry-after", junk[i]), 0);
  const struct http_header both[] = {{STR("retry-after"), STR("9")}, {STR("Retry-After-Ms"), STR("1500")}};
  assert_int_equal(provider_retry_after_ms((struct http_headers){both, 2}, NOW_US), 1500); /* the finer one */
  assert_int_equal(provider_retry_after_ms((struct http_headers){NULL, 0}, NOW_US), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(every_preset_can_be_used, clear),
      cmocka_unit_test_teardown(targets_of_each_type, clear),
      cmocka_unit_test_teardown(vendors_are_known_by_their_addresses, clear),
      cmocka_unit_test_teardown(who_bills_reasoning_apart, clear),
      cmocka_unit_test_teardown(signing_needs_a_region_and_a_good_credential, clear),
      cmocka_unit_test_teardown(a_key_is_not_signed_with, clear),
      cmocka_unit_test_teardown(init_copies_what_it_was_given, clear),
      cmocka_unit_test_teardown(anonymous_means_no_credential_at_all, clear),
      cmocka_unit_test_teardown(configured_headers_overrule, clear),
      cmocka_unit_test_teardown(faults_name_their_member, clear),
      cmocka_unit_test_teardown(retry_after_in_every_form, clear),
  };
  arena_init(&arena, 0);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
