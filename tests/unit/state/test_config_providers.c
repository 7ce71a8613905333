/* Providers from every source: members, faults, credentials, presets, clashes. */
#include "fake.h"

#define MAIN "/c/maestro/maestro.json"
#define PROVIDERS "/c/maestro/providers.json"

TEST(every_member) {
  struct fake f = {
      .files = {
          {MAIN,
           "{\"upstream\": {\"connectMs\": 1234}, \"providers\": {\n"
           "\"One\": {\"type\": \"openai-compatible\", \"baseURL\": \"https://one.example:8443/v1/\",\n"
           " \"apiKey\": \"k\", \"models\": {\"m-1\": {\"name\": \"First\", \"price\": {\"in\": 0.1, \"out\": 3e-2, "
           "\"cacheRead\": null},\n \"contextWindow\": 1000, \"maxOutput\": 99}, \"org/m.2\": {}},\n"
           " \"priority\": -5, \"weight\": 7, \"code\": \"n1\", \"headers\": {\"X-Title\": \"maestro\"}, \"region\": "
           "\"eu-west-1\",\n \"timeouts\": {\"headers_ms\": \"5s\", \"totalMs\": 0}, \"quirks\": [\"no-system\"], "
           "\"active\": false,\n"
           " \"warmup\": true, \"autoSync\": true, \"usage\": \"none\", \"authBaseURL\": "
           "\"https://auth.example\"}}}"}}};
  fake_load(&f);
  fake_expect(&f, MAIN ":2: note: providers.One: \"weight\" has no effect in this version\n" MAIN
                       ":2: note: providers.One: \"region\" has no effect in this version\n" MAIN
                       ":2: note: providers.One: \"warmup\" has no effect in this version\n" MAIN
                       ":2: note: providers.One: \"autoSync\" has no effect in this version\n" MAIN
                       ":2: note: providers.One: \"authBaseURL\" has no effect in this version\n");
  assert_int_equal(f.config->provider_count, 1);
  const struct config_provider *p = config_provider_find(f.config, STR("oNE"));
  assert_non_null(p);
  assert_str(p->id, STR("One"));
  assert_str(p->type, STR("openai-compatible"));
  assert_str(p->base_url, STR("https://one.example:8443/v1"));
  assert_str(p->auth_base_url, STR("https://auth.example"));
  assert_str(secret_reveal(p->api_key), STR("k"));
  assert_int_equal(p->credential, CONFIG_CREDENTIAL_DECLARED);
  assert_int_equal(p->model_count, 2);
  assert_str(p->models[0].name, STR("First"));
  assert_true(p->models[0].price.has_in && p->models[0].price.has_out && !p->models[0].price.has_cache_read);
  assert_int_equal(p->models[0].price.in, 100000000);
  assert_int_equal(p->models[0].price.out, 30000000);
  assert_int_equal(p->models[0].context_window, 1000);
  assert_int_equal(p->models[0].max_output, 99);
  assert_int_equal(p->models[0].line, 3);
  assert_str(p->models[1].id, STR("org/m.2"));
  assert_str(p->models[1].name, STR("org/m.2"));
  assert_false(p->models[1].price.has_in);
  assert_int_equal(p->priority, -5);
  assert_int_equal(p->weight, 7);
  assert_str(p->code, STR("n1"));
  assert_int_equal(p->header_count, 1);
  assert_str(p->headers[0].name, STR("X-Title"));
  assert_str(secret_reveal(p->headers[0].value), STR("maestro"));
  assert_str(p->region, STR("eu-west-1"));
  assert_int_equal(p->timeouts.connect_ms, CONFIG_TIMEOUT_UNSET);
  assert_int_equal(p->timeouts.headers_ms, 5000);
  assert_int_equal(p->timeouts.silence_ms, CONFIG_TIMEOUT_UNSET);
  assert_int_equal(p->timeouts.total_ms, 0);
  assert_str(p->quirks.items[0], STR("no-system"));
  assert_false(p->is_active);
  assert_true(p->is_warmup && p->is_sync && !p->is_preset);
  assert_int_equal(p->usage, CONFIG_USAGE_NONE);
  assert_int_equal(p->place.line, 2);
  assert_null(config_provider_find(f.config, STR("two")));
  fake_clear(&f);
}

/* A provider of maestro.json with the member(s) at fault in line 2. */
static void expect_fault(const char *members, const char *report) {
  char file[2048];
  snprintf(file, sizeof file, "{\"providers\": {\"p\": {\"type\": \"openai\", \"apiKeyEnv\": \"K\",\n%s}}}", members);
  struct fake f = {.files = {{MAIN, file}}, .env = {{"K", "v"}}};
  fake_load(&f);
  fake_expect(&f, report);
  fake_clear(&f);
}

TEST(faults_of_a_declared_provider) {
  expect_fault("\"baseurl\": \"http://x\"",
               MAIN ":2: error: providers.p.baseurl: unknown key (did you mean \"baseURL\"?)\n");
  expect_fault("\"baseURL\": \"ftp://x\"",
               MAIN ":2: error: providers.p.baseURL: must begin with http:// or https://\n");
  expect_fault("\"baseURL\": \"https://u@x\"",
               MAIN ":2: error: providers.p.baseURL: must not name a user or password\n");
  expect_fault("\"baseURL\": \"https://x/?a\"", MAIN ":2: error: providers.p.baseURL: must not have a query\n");
  expect_fault("\"baseURL\": \"https://x\", \"baseUrl\": \"https://x\"",
               MAIN ":2: error: providers.p.baseUrl: the same as another spelling of \"baseURL\" that is there too\n");
  expect_fault("\"usage\": \"sometimes\"",
               MAIN ":2: error: providers.p.usage: \"sometimes\" is not known (one of option, always, none)\n");
  expect_fault("\"quirks\": [\"no-sistem\"]", MAIN
               ":2: error: providers.p.quirks: \"no-sistem\" is not a known quirk (did you mean \"no-system\"?)\n");
  expect_fault("\"weight\": -1", MAIN ":2: error: providers.p.weight: -1 is not a whole number from 0 to 1000000\n");
  expect_fault("\"priority\": 99999999",
               MAIN ":2: error: providers.p.priority: 99999999 is not a whole number from -1000000 to 1000000\n");
  expect_fault("\"models\": [\"a\"]",
               MAIN ":2: error: providers.p.models: must be an object of models (write {\"model-id\": {}})\n");
  expect_fault("\"models\": {\"a//b\": {}}",
               MAIN ":2: error: providers.p.models.a//b: a model's name has an empty part between slashes\n");
  expect_fault("\"models\": {\"a\": {\"price\": {\"in\": -1, \"out\": \"1\"}}}", MAIN
               ":2: error: providers.p.models.a.price.in: must not be negative\n" MAIN
               ":2: error: providers.p.models.a.price.out: must be a number of USD per million tokens, not a string\n");
  expect_fault("\"headers\": {\"Host\": \"x\"}",
               MAIN ":2: error: providers.p.headers.Host: this header is the client's own and cannot be set\n");
  expect_fault("\"timeouts\": {\"connect_ms\": \"soon\"}", MAIN
               ":2: error: providers.p.timeouts.connect_ms: soon is not a time of at most 86400000 milliseconds\n");
  expect_fault("\"apiKey\": \"x\"",
               MAIN ":1: error: providers.p: apiKey and apiKeyEnv are both there; one of them must go\n");
  expect_fault("\"code\": \"a:b\"",
               MAIN ":2: error: providers.p.code: must be 1 to 64 letters, digits, '-', '_' or '.'\n");
}

TEST(type_is_checked_and_may_follow_from_the_name) {
  struct fake f = {
      .files = {{MAIN,
                 "{\"providers\": {\n\"a\": {\"type\": \"antropic\"},\n\"b\": {},\n\"c/d\": {\"type\": \"openai\"},\n"
                 "\"e\": 5,\n\"f\": {\"type\": \"vllm\"}}}"}}};
  fake_load(&f);
  fake_expect(&f, MAIN
              ":2: error: providers.a.type: \"antropic\" is not a type of provider (did you mean \"anthropic\"?)\n" MAIN
              ":3: error: providers.b: \"type\" is missing (for any OpenAI-like server: \"openai-compatible\")\n" MAIN
              ":4: error: providers.c/d: a provider's name must not contain /\n" MAIN
              ":5: error: providers.e: must be an object, not a number\n" MAIN
              ":6: error: providers.f: \"baseURL\" is missing (where its API begins, such as "
              "\"https://host/v1\"; or set F_BASE_URL)\n");
  fake_clear(&f);
  struct fake named = {.files = {{MAIN, "{\"providers\": {\"groq\": {}}}"}}, .env = {{"GROQ_API_KEY", "g"}}};
  fake_load(&named);
  fake_expect(&named, "");
  assert_int_equal(named.config->provider_count, 1);
  assert_str(named.config->providers[0].base_url, STR("https://groq.example/openai/v1"));
  assert_false(named.config->providers[0].is_preset);
  fake_clear(&named);
}

TEST(an_openai_like_server_needs_an_address) {
  struct fake f = {.files = {{PROVIDERS,
                              "{\"providers\": {\"a\": {\"type\": \"openai-compatible\"},\n\"b\": {\"type\": "
                              "\"openai-compatible\", \"options\": {\"allow_unauthenticated\": true}}}}"}},
                   .env = {{"B_BASE_URL", "http://b/v1/"}}};
  fake_load(&f);
  fake_expect(&f, PROVIDERS
              ":1: warning: providers.a: \"baseURL\" is missing (where its API begins, such as "
              "\"https://host/v1\"; or set A_BASE_URL)\n");
  assert_int_equal(f.config->provider_count, 1);
  assert_str(f.config->providers[0].base_url, STR("http://b/v1"));
  fake_clear(&f);
}

TEST(providers_json_leaves_out_what_is_bad) {
  struct fake f = {.files = {{PROVIDERS,
                              "{\"providers\": {\n"
                              "\"good\": {\"type\": \"openai-compatible\", \"baseURL\": \"http://good/v1\", "
                              "\"models\": {\"m\": {\"name\": \"M\"}},\n"
                              "  \"options\": {\"allow_unauthenticated\": true, \"unheard\": 1}},\n"
                              "\"bad\": {\"type\": \"openai-compatible\", \"baseURL\": \"nowhere\"},\n"
                              "\"GOOD\": {\"type\": \"openai\"},\n"
                              "\"good\": {\"type\": \"openai\"},\n"
                              "\"tail\": {\"type\": \"openai\", \"options\": {\"api_key_env\": \"TAIL\"}}}}"}},
                   .env = {{"TAIL", "t"}}};
  fake_load(&f);
  fake_expect(&f,
              PROVIDERS ":6: warning: providers.good: appears twice; first in line 2\n" PROVIDERS
                        ":3: warning: providers.good.options.unheard: unknown key, ignored (known here: api_key_env, "
                        "allow_unauthenticated, apiKey, baseURL)\n" PROVIDERS
                        ":4: warning: providers.bad.baseURL: must begin with http:// or https://\n" PROVIDERS
                        ":4: warning: providers.bad: the provider is left out\n" PROVIDERS
                        ":5: warning: providers.GOOD: provider \"GOOD\" is declared twice; first at " PROVIDERS
                        ":2\n" PROVIDERS ":5: warning: providers.GOOD: the provider is left out\n");
  assert_int_equal(f.config->provider_count, 2);
  assert_str(f.config->providers[0].id, STR("good"));
  assert_int_equal(f.config->providers[0].credential, CONFIG_CREDENTIAL_ANONYMOUS);
  assert_str(f.config->providers[1].id, STR("tail"));
  assert_str(secret_reveal(f.config->providers[1].api_key), STR("t"));
  fake_clear(&f);
}

TEST(one_name_in_two_files_is_an_error_that_names_both) {
  struct fake f = {.files = {{MAIN, "{\n\"providers\": {\"x\": {\"type\": \"openai\", \"apiKey\": \"k\"}}}"},
                             {PROVIDERS, "{\"providers\": {\n\n\"X\": {\"type\": \"openai\"}}}"}}};
  fake_load(&f);
  fake_expect(&f, PROVIDERS ":3: error: providers.X: provider \"X\" is declared twice; first at " MAIN ":2\n" PROVIDERS
                            ":3: warning: providers.X: the provider is left out\n");
  fake_clear(&f);
}

TEST(providers_of_the_environment) {
  struct fake f = {
      .env = {{"MAESTRO_PROVIDERS",
               "[{\"name\": \"a\", \"baseUrl\": \"http://a/v1\", \"apiKeyEnv\": \"AK\"},\n"
               "{\"name\": \"b\", \"baseUrl\": \"http://b\", \"requireKey\": false, \"headers\": {\"x-y\": \"z\"}}]"},
              {"AK", "secret"}}};
  fake_load(&f);
  fake_expect(&f, "");
  assert_int_equal(f.config->provider_count, 2);
  assert_str(f.config->providers[0].type, STR("openai-compatible"));
  assert_str(secret_reveal(f.config->providers[0].api_key), STR("secret"));
  assert_int_equal(f.config->providers[1].credential, CONFIG_CREDENTIAL_ANONYMOUS);
  fake_clear(&f);
  struct fake bad = {
      .env = {{"MAESTRO_PROVIDERS", "[{\"baseUrl\": \"http://a\"},\n{\"name\": \"b\", \"baseUlr\": \"http://b\"}]"}}};
  fake_load(&bad);
  fake_expect(&bad,
              "MAESTRO_PROVIDERS:1: error: [0]: \"name\" is missing\n"
              "MAESTRO_PROVIDERS:2: error: [1].baseUlr: unknown key (did you mean \"baseURL\"?)\n");
  fake_clear(&bad);
  struct fake broken = {.env = {{"MAESTRO_PROVIDERS", "{}"}}};
  fake_load(&broken);
  fake_expect(&broken, "MAESTRO_PROVIDERS:1: error: must be an array of at most 1024 providers\n");
  fake_clear(&broken);
}

TEST(order_of_credentials) {
  struct fake f = {
      .files =
          {{PROVIDERS,
            "{\"providers\": {"
            "\"my-own.provider\": {\"type\": \"openai-compatible\", \"baseURL\": \"http://a\"},"
            "\"named\": {\"type\": \"openai-compatible\", \"baseURL\": \"http://a\", \"apiKeyEnv\": \"NAMED_KEY\"},"
            "\"stored\": {\"type\": \"openai-compatible\", \"baseURL\": \"http://a\"},"
            "\"both\": {\"type\": \"openai-compatible\", \"baseURL\": \"http://a\"},"
            "\"anon\": {\"type\": \"openai-compatible\", \"baseURL\": \"http://a\", \"options\": "
            "{\"allow_unauthenticated\": true}},"
            "\"lost\": {\"type\": \"groq\"},"
            "\"second\": {\"type\": \"openrouter\"},"
            "\"elsewhere\": {\"type\": \"openrouter\", \"baseURL\": \"http://proxy\"}}}"},
           {"/d/maestro/auth.json",
            "{\"stored\": {\"type\": \"api\", \"key\": \"from-auth\"}, \"both\": {\"type\": \"api\", \"key\": "
            "\"auth\"}}"}},
      .env = {{"MY_OWN_PROVIDER_API_KEY", "derived"},
              {"NAMED_KEY", ""},
              {"NAMED_API_KEY", "not-this-one"},
              {"BOTH_API_KEY", "env"},
              {"OPENROUTER_API_KEY", "or"}}};
  fake_load(&f);
  fake_expect(&f, PROVIDERS
              ":1: warning: providers.named: has no key and cannot be used (set NAMED_KEY, or \"options\": "
              "{\"allow_unauthenticated\": true} where it needs none)\n" PROVIDERS
              ":1: warning: providers.lost: has no key and cannot be used (set LOST_API_KEY)\n" PROVIDERS
              ":1: warning: providers.elsewhere: has no key and cannot be used (set ELSEWHERE_API_KEY)\n");
  static const struct {
    const char *id, *key;
    enum config_credential credential;
  } rows[] = {{"my-own.provider", "derived", CONFIG_CREDENTIAL_ENV},
              {"named", "", CONFIG_CREDENTIAL_NONE},
              {"stored", "from-auth", CONFIG_CREDENTIAL_STORED},
              {"both", "env", CONFIG_CREDENTIAL_ENV},
              {"anon", "", CONFIG_CREDENTIAL_ANONYMOUS},
              {"lost", "", CONFIG_CREDENTIAL_NONE},
              {"second", "or", CONFIG_CREDENTIAL_ENV},
              {"elsewhere", "", CONFIG_CREDENTIAL_NONE}};
  assert_int_equal(f.config->provider_count, 8);
  for (size_t i = 0; i < 8; i++) {
    const struct config_provider *p = config_provider_find(f.config, str_from_c(rows[i].id));
    assert_non_null(p);
    assert_str(secret_reveal(p->api_key), str_from_c(rows[i].key));
    assert_int_equal(p->credential, rows[i].credential);
  }
  fake_clear(&f);
}

static bool has_provider(const struct fake *f, const char *id, const char *url) {
  const struct config_provider *p = config_provider_find(f->config, str_from_c(id));
  return p && p->is_preset && str_eq(p->base_url, str_from_c(url));
}

TEST(presets_become_active_by_their_variable) {
  struct fake f = {.env = {{"OPENROUTER_API_KEY", "a"},
                           {"AI_GATEWAY_API_KEY", "b"},
                           {"AI_GATEWAY_BASE_URL", "http://gw.example/"},
                           {"OPENAI_API_KEY", "c"},
                           {"OPENAI_BASE_URL", "http://oai.example/v1"},
                           {"GROQ_API_KEY", ""},
                           {"LOCAL_OPENAI_BASE_URL", "http://localhost:1234/v1"}}};
  fake_load(&f);
  fake_expect(&f, "");
  assert_int_equal(f.config->provider_count, 4);
  assert_true(has_provider(&f, "openrouter", "https://openrouter.example/api/v1"));
  assert_true(has_provider(&f, "vercel", "http://gw.example"));
  assert_true(has_provider(&f, "openai", "http://oai.example/v1"));
  assert_true(has_provider(&f, "local", "http://localhost:1234/v1"));
  assert_int_equal(config_provider_find(f.config, STR("local"))->credential, CONFIG_CREDENTIAL_ANONYMOUS);
  assert_str(secret_reveal(config_provider_find(f.config, STR("vercel"))->api_key), STR("b"));
  fake_clear(&f);
}

TEST(presets_without_an_address_or_key_stay_off) {
  struct fake f = {.env = {{"LOCAL_OPENAI_API_KEY", "k"}, {"OPENROUTER_BASE_URL", "http://x"}, {"VLLM_API_KEY", "k"}}};
  fake_load(&f);
  fake_expect(
      &f,
      "environment: warning: OPENROUTER_BASE_URL: makes no provider active by itself (set OPENROUTER_API_KEY, too)\n"
      "environment: warning: LOCAL_OPENAI_API_KEY: makes no provider active by itself (set LOCAL_OPENAI_BASE_URL, "
      "too)\n"
      "environment: warning: VLLM_API_KEY: makes no provider active by itself (set VLLM_BASE_URL, too)\n");
  assert_int_equal(f.config->provider_count, 0);
  fake_clear(&f);
  struct fake bad = {.env = {{"OPENAI_API_KEY", "k"}, {"OPENAI_BASE_URL", "nonsense"}}};
  fake_load(&bad);
  fake_expect(&bad, "environment: error: OPENAI_BASE_URL: must begin with http:// or https://\n");
  fake_clear(&bad);
}

TEST(an_address_that_is_an_endpoint_is_told) {
  struct fake f = {
      .files = {
          {MAIN,
           "{\"providers\": {\"a\": {\"type\": \"openai\", \"apiKey\": \"k\",\n"
           "\"baseURL\": \"https://a.example/v1/chat/completions/\"},\n"
           "\"b\": {\"type\": \"openai\", \"apiKey\": \"k\", \"baseURL\": \"https://a.example/messages/v1\"}}}"}}};
  fake_load(&f);
  fake_expect(&f, MAIN
              ":1: warning: providers.a.baseURL: ends in \"/completions\", to which the paths of the API are added "
              "(an address is where the API begins: leave the endpoint out)\n");
  fake_clear(&f);
}

TEST(a_declared_provider_takes_its_presets_place) {
  struct fake f = {.files = {{MAIN,
                              "{\"providers\": {\"OpenRouter\": {\"type\": \"openrouter\", \"weight\": 3},\n"
                              "\"my-groq\": {\"type\": \"groq\"},\n"
                              "\"proxy\": {\"type\": \"openai\", \"baseURL\": \"http://p\", \"apiKey\": \"k\"}}}"}},
                   .env = {{"OPENROUTER_API_KEY", "a"}, {"GROQ_API_KEY", "g"}, {"OPENAI_API_KEY", "o"}}};
  fake_load(&f);
  fake_expect(&f, MAIN ":1: note: providers.OpenRouter: \"weight\" has no effect in this version\n");
  assert_int_equal(f.config->provider_count, 4);
  assert_int_equal(f.config->providers[0].weight, 3);
  assert_str(secret_reveal(f.config->providers[0].api_key), STR("a"));
  assert_str(secret_reveal(f.config->providers[1].api_key), STR("g"));
  assert_null(config_provider_find(f.config, STR("groq")));
  assert_true(has_provider(&f, "openai", "https://openai.example/v1")); /* another address: the vendor's stays */
  fake_clear(&f);
}

TEST(stored_logins_make_built_in_providers_active) {
  struct fake f = {
      .files = {{"/d/maestro/auth.json",
                 "{\"github-copilot\": {\"type\": \"oauth\", \"refresh\": \"r\", \"access\": \"a\", \"expires\": 1},\n"
                 "\"openai\": {\"type\": \"api\", \"key\": \"sk\"}, \"gone\": {\"type\": \"api\", \"key\": \"x\"},\n"
                 "\"broken\": {\"type\": \"api\"}}"}}};
  fake_load(&f);
  fake_expect(&f, "/d/maestro/auth.json:3: warning: broken: is neither an API key nor a login (log in again)\n");
  assert_int_equal(f.config->provider_count, 2);
  const struct config_provider *copilot = config_provider_find(f.config, STR("github-copilot"));
  assert_int_equal(copilot->credential, CONFIG_CREDENTIAL_STORED);
  assert_null(copilot->api_key);
  assert_str(secret_reveal(config_provider_find(f.config, STR("openai"))->api_key), STR("sk"));
  fake_clear(&f);
}

TEST(access_keys_of_aws_serve_in_place_of_a_key) {
  struct fake f = {
      .files = {{PROVIDERS,
                 "{\"providers\": {"
                 "\"cloud\": {},"
                 "\"west\": {\"type\": \"cloud\", \"region\": \"us-west-2\"},"
                 "\"proxied\": {\"type\": \"cloud\", \"baseURL\": \"http://proxy\"},"
                 "\"keyed\": {\"type\": \"cloud\", \"apiKey\": \"k\"}}}"}},
      .env = {{"AWS_ACCESS_KEY_ID", "AKID"}, {"AWS_SECRET_ACCESS_KEY", "s3cret"}, {"AWS_DEFAULT_REGION", "eu-west-3"}}};
  fake_load(&f);
  fake_expect(&f, PROVIDERS
              ":1: warning: providers.proxied: has no key and cannot be used (set PROXIED_API_KEY; "
              "AWS's access keys go to such an address from the provider \"cloud\" alone)\n");
  static const struct {
    const char *id, *region, *url, *access_key_id, *secret;
    enum config_credential credential;
  } rows[] = {
      {"cloud", "eu-west-3", "https://runtime.eu-west-3.cloud.example", "AKID", "s3cret", CONFIG_CREDENTIAL_ENV},
      {"west", "us-west-2", "https://runtime.us-west-2.cloud.example", "AKID", "s3cret", CONFIG_CREDENTIAL_ENV},
      {"proxied", "eu-west-3", "http://proxy", "", "", CONFIG_CREDENTIAL_NONE},
      {"keyed", "eu-west-3", "https://runtime.eu-west-3.cloud.example", "", "", CONFIG_CREDENTIAL_DECLARED}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const struct config_provider *p = config_provider_find(f.config, str_from_c(rows[i].id));
    assert_non_null(p);
    assert_str(p->region, str_from_c(rows[i].region));
    assert_str(p->base_url, str_from_c(rows[i].url));
    assert_str(p->aws.access_key_id, str_from_c(rows[i].access_key_id));
    assert_str(secret_reveal(p->aws.secret_access_key), str_from_c(rows[i].secret));
    assert_null(p->aws.session_token);
    assert_int_equal(p->credential, rows[i].credential);
  }
  fake_clear(&f);
}

TEST(access_keys_alone_make_nothing_active) {
  struct fake f = {.env = {{"AWS_ACCESS_KEY_ID", "AKID"}, {"AWS_SECRET_ACCESS_KEY", "s"}, {"AWS_REGION", "r-1"}}};
  fake_load(&f);
  fake_expect(&f, "");
  assert_int_equal(f.config->provider_count, 0);
  fake_clear(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_member),
      cmocka_unit_test(faults_of_a_declared_provider),
      cmocka_unit_test(type_is_checked_and_may_follow_from_the_name),
      cmocka_unit_test(an_openai_like_server_needs_an_address),
      cmocka_unit_test(providers_json_leaves_out_what_is_bad),
      cmocka_unit_test(one_name_in_two_files_is_an_error_that_names_both),
      cmocka_unit_test(providers_of_the_environment),
      cmocka_unit_test(order_of_credentials),
      cmocka_unit_test(access_keys_of_aws_serve_in_place_of_a_key),
      cmocka_unit_test(access_keys_alone_make_nothing_active),
      cmocka_unit_test(presets_become_active_by_their_variable),
      cmocka_unit_test(presets_without_an_address_or_key_stay_off),
      cmocka_unit_test(an_address_that_is_an_endpoint_is_told),
      cmocka_unit_test(a_declared_provider_takes_its_presets_place),
      cmocka_unit_test(stored_logins_make_built_in_providers_active),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
