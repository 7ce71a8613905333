/* Names to deployments: the contract's order, what nobody serves, and what is said about it. */
#include "route/resolve.h"

#include "route_rig.h"

static const char config[] = "{\"providers\":{" PROVIDER("a", "", "\"gpt-5\":{},\"llama\":{}") "," PROVIDER(
    "b", ",\"priority\":1", "\"gpt-5\":{},\"a/llama\":{}") "," NO_KEY("c", "\"llama\":{},\"secret\":{}") ",\"open\":{\"type\":"
    "\"openai-compatible\",\"baseURL\":\"http://127.0.0.1:9\",\"apiKey\":\"k\"}}";

static void resolves(const char *name, enum resolve_how how, const char *expected) {
  struct resolution r = {.n = 99};
  struct err_info info = {0};
  enum err e = resolve_name(rig.catalog, rig.names, &rig.arena, str_from_c(name), &r, &info);
  if (e) print_error("%s: %s\n", name, info.text);
  assert_int_equal(e, OK);
  assert_int_equal(r.how, how);
  expect_names(r.v, r.n, expected);
}

static void refused(const char *name, enum err code, const char *text) {
  struct resolution r = {.n = 99};
  struct err_info info = {0};
  assert_int_equal(resolve_name(rig.catalog, rig.names, &rig.arena, str_from_c(name), &r, &info), code);
  assert_string_equal(info.text, text);
  assert_string_equal(info.param, "model");
  assert_int_equal(r.n, 99); /* untouched */
}

static void open_config(const char *rest) {
  char text[2048];
  snprintf(text, sizeof text, "%s%s}", config, rest);
  rig_build(text);
}

TEST(names_in_the_contracts_order) {
  open_config(",\"priorities\":[\"a/llama\",\"c/llama\",\"b/gpt-5\"]");
  resolves("maestro-auto", RESOLVE_BRAIN, "a/llama b/gpt-5"); /* the list, without who has no key */
  resolves("maestro", RESOLVE_BRAIN, "a/llama b/gpt-5");
  resolves("test", RESOLVE_SMOKE, "test");
  resolves("router-maestro", RESOLVE_PRIORITY, "a/llama b/gpt-5");
  resolves("a/gpt-5", RESOLVE_QUALIFIED, "a/gpt-5");
  resolves("a/llama", RESOLVE_QUALIFIED, "a/llama"); /* the provider's, before an id with a slash */
  resolves("b/a/llama", RESOLVE_QUALIFIED, "b/a/llama");
  resolves("gpt-5", RESOLVE_MODEL, "b/gpt-5 a/gpt-5");
  resolves("llama", RESOLVE_MODEL, "a/llama");
  resolves("open/whatever:it/is", RESOLVE_QUALIFIED, "open/whatever:it/is");
  rig_clear();
}

TEST(what_is_scoped_has_to_be_named) {
  rig_build("{\"providers\":{" PROVIDER(
      "a", ",\"scopedModels\":true,\"priority\":9,\"code\":\"ac\"",
      "\"x\":{},\"own\":{},\"tag:latest\":{}") "," PROVIDER("b", "", "\"x\":{},\"y\":{}") "}}");
  resolves("x", RESOLVE_MODEL, "b/x");
  resolves("a/x", RESOLVE_QUALIFIED, "a/x");
  resolves("node:ac:x", RESOLVE_NODE, "a/x");
  resolves("node:a:tag", RESOLVE_NODE, "a/tag:latest");
  resolves("maestro-auto", RESOLVE_BRAIN, "b/x b/y");
  refused("own", ERR_MODEL_NOT_FOUND, "The model \"own\" does not exist; the nearest are \"a/own\", \"a/x\", \"b/x\".");
  rig_clear();
  rig_build("{\"providers\":{" PROVIDER("a", ",\"scopedModels\":true", "\"x\":{}") "," PROVIDER(
      "b", "", "\"x\":{}") "},\"priorities\":[\"a/x\",\"b/x\"]}");
  resolves("maestro-auto", RESOLVE_BRAIN, "a/x b/x"); /* the list names it */
  resolves("router-maestro", RESOLVE_PRIORITY, "a/x b/x");
  resolves("x", RESOLVE_MODEL, "b/x");
  rig_clear();
}

/* Ollama's names: the tag "latest" may be there or not, and is told back as it was asked for. */
TEST(latest_is_the_tag_that_goes_without_saying) {
  struct resolution r;
  struct err_info info = {0};
  open_config("");
  resolves("llama:latest", RESOLVE_MODEL, "a/llama");
  resolves("a/llama:latest", RESOLVE_QUALIFIED, "a/llama");
  assert_int_equal(resolve_name(rig.catalog, rig.names, &rig.arena, STR("llama:latest"), &r, &info), OK);
  assert_str(r.told, STR("llama:latest"));
  assert_int_equal(resolve_name(rig.catalog, rig.names, &rig.arena, STR("llama"), &r, &info), OK);
  assert_int_equal(r.told.n, 0);
  refused("nothing:latest", ERR_MODEL_NOT_FOUND,
          "The model \"nothing:latest\" does not exist; the nearest are \"b/gpt-5\", \"gpt-5\", \"b/a/llama\".");
  rig_clear();
}

TEST(without_priorities) {
  open_config("");
  resolves("maestro-auto", RESOLVE_BRAIN, "b/gpt-5 b/a/llama a/gpt-5 a/llama");
  refused("router-maestro", ERR_MODEL_NOT_FOUND,
          "\"router-maestro\" follows the list of \"priorities\" of maestro.json, which is empty.");
  rig_clear();
}

TEST(an_unlisted_model_is_sent_as_it_is) {
  struct resolution r;
  struct err_info info = {0};
  open_config("");
  assert_int_equal(resolve_name(rig.catalog, rig.names, &rig.arena, STR("open/x"), &r, &info), OK);
  assert_str(r.v[0]->model, STR("x"));
  assert_int_equal(r.v[0]->price.known, 0);
  assert_int_equal(r.v[0]->context_tokens, -1);
  assert_ptr_equal(r.v[0]->at, map_get(&rig.catalog->by_provider, STR("open")));
  rig_clear();
}

TEST(a_missing_credential_is_no_missing_model) {
  open_config("");
  refused("c/llama", ERR_NO_CREDENTIAL, "The provider \"c\" has no credential; set its key (see `maestro check`).");
  refused("secret", ERR_NO_CREDENTIAL, "The provider \"c\" has no credential; set its key (see `maestro check`).");
  rig_clear();
}

TEST(what_nobody_serves_names_the_nearest) {
  open_config("");
  refused("gtp-5", ERR_MODEL_NOT_FOUND,
          "The model \"gtp-5\" does not exist; the nearest are \"gpt-5\", \"b/gpt-5\", \"a/gpt-5\".");
  refused("GPT-5", ERR_MODEL_NOT_FOUND,
          "The model \"GPT-5\" does not exist; the nearest are \"gpt-5\", \"b/gpt-5\", \"a/gpt-5\".");
  refused("c/lama", ERR_MODEL_NOT_FOUND,
          "The model \"c/lama\" does not exist; the nearest are \"a/llama\", \"llama\", \"b/a/llama\".");
  refused("open/", ERR_MODEL_NOT_FOUND,
          "The model \"open/\" does not exist; the nearest are \"gpt-5\", \"llama\", \"b/gpt-5\".");
  refused("my-gpt-5-for-the-office", ERR_MODEL_NOT_FOUND,
          "The model \"my-gpt-5-for-the-office\" does not exist; the nearest are \"gpt-5\", \"maestro-auto\", "
          "\"b/gpt-5\".");
  rig_clear();
}

TEST(long_names_are_cut_between_characters) {
  char name[600];
  struct resolution r;
  open_config("");
  for (size_t shift = 0; shift < 3; shift++) {
    struct err_info info = {0};
    memset(name, 'x', shift);
    for (size_t i = shift; i + 3 <= sizeof name; i += 3) memcpy(name + i, "\xe6\xa8\xa1", 3);
    struct str whole = str_from(name, shift + (sizeof name - shift) / 3 * 3);
    assert_int_equal(resolve_name(rig.catalog, rig.names, &rig.arena, whole, &r, &info), ERR_MODEL_NOT_FOUND);
    assert_true(str_is_utf8(str_from_c(info.text)) && strlen(info.text) < 200);
  }
  rig_clear();
}

TEST(nothing_is_configured) {
  rig_build("{}");
  refused("maestro-auto", ERR_MODEL_NOT_FOUND, "No model is configured yet; add a provider.");
  refused("x", ERR_MODEL_NOT_FOUND, "The model \"x\" does not exist; the nearest are \"maestro-auto\".");
  refused("", ERR_MODEL_NOT_FOUND, "The model \"\" does not exist; the nearest are \"maestro-auto\".");
  rig_clear();
}

/* node:code:model, split at the first two colons; one node alone answers, and it is told back as asked. */
TEST(a_node_is_named_by_its_code) {
  struct resolution r;
  struct err_info info = {0};
  rig_build("{\"providers\":{" PROVIDER("a", ",\"code\":\"gpu1\"", "\"qwen3:8b\":{},\"llama\":{},\"a:b:c\":{}") "," PROVIDER(
      "b", ",\"priority\":5", "\"llama\":{}") "," NO_KEY("poor", "\"x\":{}") ",\"open\":{\"type\":\"openai-compatible\","
      "\"baseURL\":\"http://127.0.0.1:9\",\"apiKey\":\"k\"}}}");
  resolves("node:a:llama", RESOLVE_NODE, "a/llama");
  resolves("node:gpu1:llama", RESOLVE_NODE, "a/llama");
  resolves("node:gpu1:qwen3:8b", RESOLVE_NODE, "a/qwen3:8b");
  resolves("node:gpu1:a:b:c", RESOLVE_NODE, "a/a:b:c");
  resolves("node:gpu1:llama:latest", RESOLVE_NODE, "a/llama");
  resolves("node:open:any:thing", RESOLVE_NODE, "open/any:thing");
  assert_int_equal(resolve_name(rig.catalog, NULL, &rig.arena, STR("node:gpu1:llama:latest"), &r, &info), OK);
  assert_str(r.told, STR("node:gpu1:llama:latest"));
  refused("node:nope:llama", ERR_NOT_FOUND, "Node with code 'nope' not found");
  refused("node:", ERR_NOT_FOUND, "Node with code '' not found");
  refused("node:A:llama", ERR_NOT_FOUND, "Node with code 'A' not found");
  refused("node:a:", ERR_MODEL_NOT_FOUND, "\"node:a:\" names no model: write node:<code>:<model>.");
  refused("node:a", ERR_MODEL_NOT_FOUND, "\"node:a\" names no model: write node:<code>:<model>.");
  refused("node:b:lama", ERR_MODEL_NOT_FOUND,
          "The model \"lama\" does not exist; the nearest are \"llama\", \"b/llama\".");
  refused("node:poor:x", ERR_NO_CREDENTIAL,
          "The provider \"poor\" has no credential; set its key (see `maestro check`).");
  rig_clear();
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(names_in_the_contracts_order),
                                     cmocka_unit_test(what_is_scoped_has_to_be_named),
                                     cmocka_unit_test(latest_is_the_tag_that_goes_without_saying),
                                     cmocka_unit_test(without_priorities),
                                     cmocka_unit_test(an_unlisted_model_is_sent_as_it_is),
                                     cmocka_unit_test(a_missing_credential_is_no_missing_model),
                                     cmocka_unit_test(what_nobody_serves_names_the_nearest),
                                     cmocka_unit_test(long_names_are_cut_between_characters),
                                     cmocka_unit_test(nothing_is_configured),
                                     cmocka_unit_test(a_node_is_named_by_its_code)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
