/* Bodies applied to nodes: which address comes of them, what becomes of the credential, and what is refused where. */
#include "admin/nodes/nodes_edit.h"

#include "unit.h"

static struct arena a;
static struct node node;
static bool drops;
static struct err_info info;

static int setup(void **state) {
  (void)state;
  arena_init(&a, 0);
  node = (struct node){.p = {.is_active = true}};
  return 0;
}

static int teardown(void **state) {
  (void)state;
  arena_clear(&a);
  return 0;
}

static enum err edit(const char *body) {
  struct nodes_input in;
  info = (struct err_info){0};
  enum err e = fields_read(&a, str_from_c(body), &nodes_fields, NODES_ALL, 0, &in, &info);
  in.has_private = true;
  return e ? e : nodes_edit(&a, &in, &node, &drops, &info);
}

static void edits(const char *body) {
  if (edit(body)) fail_msg("%s: %s", body, info.text);
}

static void refuses(const char *body, const char *param, const char *text) {
  struct node before = node;
  assert_int_equal(edit(body), ERR_BAD_VALUE);
  assert_string_equal(info.param, param);
  if (!strstr(info.text, text)) fail_msg("%s: %s", body, info.text);
  assert_int_equal(info.http_status, 422);
  node = before;
}

TEST(addresses_come_of_type_and_region) {
  edits("{\"name\":\"Rock\",\"type\":\"bedrock\",\"region\":\"eu-west-1\"}");
  assert_str(node.p.base_url, STR("https://bedrock-runtime.eu-west-1.amazonaws.com"));
  assert_str(node.p.id, STR("rock"));
  edits("{\"aws_region\":\"us-east-2\"}");
  assert_str(node.p.base_url, STR("https://bedrock-runtime.us-east-2.amazonaws.com"));
  edits("{\"base_url\":\"https://proxy.example/aws//\"}");
  assert_str(node.p.base_url, STR("https://proxy.example/aws"));
  edits("{\"region\":\"eu-west-3\"}"); /* an address of its own stays */
  assert_str(node.p.base_url, STR("https://proxy.example/aws"));
  edits("{\"type\":\"groq\",\"base_url\":\"https://api.groq.com/openai/v1\"}");
  edits("{\"type\":\"deepseek\"}"); /* the type's own goes with the type */
  assert_str(node.p.base_url, STR("https://api.deepseek.com/v1"));
  assert_str(node.p.id, STR("rock"));
  refuses("{\"type\":\"azure-openai\"}", "base_url", "required");
}

TEST(a_credential_stays_at_its_origin) {
  edits("{\"name\":\"n\",\"type\":\"openai\",\"api_key\":\"k1\",\"headers\":{\"X-A\":\"1\"}}");
  assert_false(drops);
  edits("{\"base_url\":\"https://API.openai.com:443/v2\"}"); /* the same origin in other words */
  assert_false(drops);
  assert_str(secret_reveal(node.p.api_key), STR("k1"));
  edits("{\"base_url\":\"https://api.openai.com:8443/v1\"}");
  assert_true(drops && !node.p.api_key && !node.p.header_count);
  edits("{\"base_url\":\"http://api.openai.com:8443/v1\"}"); /* there was none left */
  assert_false(drops);
  edits("{\"api_key\":\"k2\"}");
  edits("{\"base_url\":\"https://else.example\",\"api_key\":\"k3\"}");
  assert_true(drops);
  assert_str(secret_reveal(node.p.api_key), STR("k3"));
  edits("{\"api_key\":null}");
  assert_null(node.p.api_key);
}

TEST(what_cannot_be_opened_goes_with_the_origin_or_for_a_new_one) {
  edits("{\"name\":\"n\",\"type\":\"openai\"}");
  node.is_shut = true;
  node.sealed = STR("sealed");
  edits("{\"priority\":3}");
  assert_true(node.is_shut && node.sealed.n);
  edits("{\"base_url\":\"https://else.example\"}");
  assert_true(drops && !node.is_shut && !node.sealed.n);
  node.is_shut = true;
  edits("{\"api_key\":\"new\"}");
  assert_false(node.is_shut);
}

TEST(aws_keys_come_in_pairs) {
  edits("{\"name\":\"n\",\"type\":\"bedrock\",\"api_key\":\"AKIA1\",\"aws_secret_key\":\"s\"}");
  assert_str(node.p.aws.access_key_id, STR("AKIA1"));
  assert_null(node.p.api_key);
  edits("{\"aws_session_token\":\"t\"}");
  assert_str(secret_reveal(node.p.aws.session_token), STR("t"));
  assert_str(secret_reveal(node.p.aws.secret_access_key), STR("s"));
  edits("{\"api_key\":\"AKIA2\"}"); /* it is still the id of one */
  assert_str(node.p.aws.access_key_id, STR("AKIA2"));
  edits("{\"bedrock_auth_mode\":\"api_key\",\"api_key\":\"bearer\"}");
  assert_str(secret_reveal(node.p.api_key), STR("bearer"));
  assert_false(node.p.aws.access_key_id.n || node.p.aws.secret_access_key);
  refuses("{\"aws_secret_key\":\"s\"}", "aws_secret_key", "together");
  refuses("{\"bedrock_auth_mode\":\"iam\"}", "aws_secret_key", "together");
  node.p.type = STR("openai");
  refuses("{\"aws_secret_key\":\"s\"}", "aws_secret_key", "bedrock");
}

TEST(addresses_that_are_refused) {
  static const struct {
    const char *body, *text;
  } rows[] = {{"{\"base_url\":\"http://127.0.0.1/v1\"}", "allow_private"},
              {"{\"base_url\":\"http://localhost:8000/v1\"}", "allow_private"},
              {"{\"base_url\":\"http://[::1]/v1\"}", "allow_private"},
              {"{\"base_url\":\"http://192.168.0.7/v1\"}", "allow_private"},
              {"{\"base_url\":\"http://169.254.169.254/v1\",\"allow_private\":true}", "never called"},
              {"{\"base_url\":\"http://[fe80::1]/v1\",\"allow_private\":true}", "never called"},
              {"{\"base_url\":\"http://0.0.0.0/v1\",\"allow_private\":true}", "never called"}};
  edits("{\"name\":\"n\",\"type\":\"vllm\",\"base_url\":\"http://h.example/v1\"}");
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) refuses(rows[i].body, "base_url", rows[i].text);
  edits("{\"base_url\":\"http://10.0.0.5:8000/v1\",\"allow_private\":true}");
  refuses("{\"allow_private\":false}", "base_url", "allow_private");
  refuses("{\"health_check_url\":\"http://10.0.0.6:8000/health\"}", "health_check_url", "own origin");
  edits("{\"health_check_url\":\"http://10.0.0.5:8000/health\"}");
  refuses("{\"base_url\":\"http://10.0.0.6:8000/v1\"}", "health_check_url", "own origin");
  edits("{\"base_url\":\"http://10.0.0.6:8000/v1\",\"health_check_url\":null}");
  assert_int_equal(node.health_url.n, 0);
}

TEST(timeouts_and_quirks_come_together_or_go) {
  edits(
      "{\"name\":\"n\",\"type\":\"groq\",\"timeouts\":{\"connect_ms\":1500,\"headers_ms\":\"2s\",\"silence_ms\":0,"
      "\"total_ms\":null},\"quirks\":[\"starts-in-think\"]}");
  assert_int_equal(node.p.timeouts.connect_ms, 1500);
  assert_int_equal(node.p.timeouts.headers_ms, 2000);
  assert_int_equal(node.p.timeouts.first_token_ms, CONFIG_TIMEOUT_UNSET);
  assert_int_equal(node.p.timeouts.silence_ms, 0);
  assert_int_equal(node.p.timeouts.total_ms, CONFIG_TIMEOUT_UNSET);
  assert_int_equal(node.p.quirks.n, 1);
  edits("{\"priority\":2}"); /* what is not said stays */
  assert_int_equal(node.p.timeouts.connect_ms, 1500);
  assert_int_equal(node.p.quirks.n, 1);
  edits("{\"timeouts\":{\"total_ms\":86400000}}"); /* all of them are said */
  assert_int_equal(node.p.timeouts.connect_ms, CONFIG_TIMEOUT_UNSET);
  assert_int_equal(node.p.timeouts.silence_ms, CONFIG_TIMEOUT_UNSET);
  assert_int_equal(node.p.timeouts.total_ms, 86400000);
  refuses("{\"timeouts\":{\"total_ms\":86400001}}", "timeouts.total_ms", "86400000");
  refuses("{\"timeouts\":{\"total_ms\":-1}}", "timeouts.total_ms", "86400000");
  refuses("{\"timeouts\":{\"connect_ms\":1.5}}", "timeouts.connect_ms", "86400000");
  refuses("{\"timeouts\":{\"connect_ms\":\"soon\"}}", "timeouts.connect_ms", "86400000");
  refuses("{\"timeouts\":{\"connectMs\":1}}", "timeouts.connectMs", "not taken");
  refuses("{\"quirks\":[\"starts-in-thought\"]}", "quirks[0]", "quirk");
  assert_int_equal(edit("{\"timeouts\":7}"), ERR_BAD_TYPE);
  assert_int_equal(edit("{\"quirks\":\"starts-in-think\"}"), ERR_BAD_TYPE);
  assert_int_equal(node.p.timeouts.total_ms, 86400000);
  edits("{\"timeouts\":null,\"quirks\":null}");
  assert_int_equal(node.p.timeouts.total_ms, CONFIG_TIMEOUT_UNSET);
  assert_int_equal(node.p.quirks.n, 0);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
  const struct CMUnitTest tests[] = {T(addresses_come_of_type_and_region),
                                     T(a_credential_stays_at_its_origin),
                                     T(what_cannot_be_opened_goes_with_the_origin_or_for_a_new_one),
                                     T(aws_keys_come_in_pairs),
                                     T(addresses_that_are_refused),
                                     T(timeouts_and_quirks_come_together_or_go)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
