/* The catalog: which models of which source, in which order, at what price. */
#include "route_rig.h"
/* behind it */
#include "node_rig.h"

static const struct catalog_provider *find(const struct catalog *c, struct str id) {
  return map_get(&c->by_provider, id);
}

TEST(order_is_priorities_then_priority_then_declaration) {
  rig_build("{\"providers\":{" PROVIDER("a", "", "\"x\":{},\"y\":{}") "," PROVIDER(
      "b", ",\"priority\":5", "\"x\":{},\"z\":{}") "," PROVIDER("c", ",\"priority\":-1",
                                                                "\"x\":{}") "},\"priorities\":[\"c/x\",\"a/y\"]}");
  const struct catalog *c = rig.catalog;
  assert_string_equal(rig.report, "");
  expect_names(c->ranked, c->deployment_count, "c/x a/y b/x b/z a/x");
  expect_names(c->priorities, c->priority_count, "c/x a/y");
  const struct catalog_name *x = map_get(&c->by_model, STR("x"));
  expect_names(x->v, x->n, "c/x b/x a/x");
  assert_ptr_equal(deployment("b/z")->at, find(c, STR("b")));
  assert_null(deployment("b/y"));
  assert_null(find(c, STR("d")));
  for (size_t i = 0; i < c->provider_count; i++) { /* deployments lie in runs, one for each provider */
    const struct catalog_provider *p = &c->providers[i];
    for (size_t k = 0; k < p->count; k++) assert_ptr_equal(c->deployments[p->first + k].at, p);
  }
  rig_clear();
}

TEST(quirks_reach_the_provider) {
  rig_build("{\"providers\":{" PROVIDER("a", ",\"quirks\":[\"starts-in-think\"]", "\"x\":{}") "," PROVIDER(
      "b", ",\"quirks\":[\"bills-reasoning-apart\"]", "\"x\":{}") "}}");
  assert_true(find(rig.catalog, STR("a"))->provider.starts_in_think);
  assert_false(find(rig.catalog, STR("a"))->provider.bills_reasoning_apart);
  assert_false(find(rig.catalog, STR("b"))->provider.starts_in_think);
  assert_true(find(rig.catalog, STR("b"))->provider.bills_reasoning_apart);
  rig_clear();
}

/* Each id has the room that it needs: one list where nothing is scoped. */
TEST(what_is_scoped_is_in_one_list_of_two) {
  rig_build("{\"providers\":{" PROVIDER("a", ",\"scopedModels\":true", "\"x\":{},\"own\":{}") "," PROVIDER(
      "b", "", "\"x\":{},\"y\":{}") "}}");
  const struct catalog_name *x = map_get(&rig.catalog->by_model, STR("x")),
                            *y = map_get(&rig.catalog->by_model, STR("y")),
                            *own = map_get(&rig.catalog->by_model, STR("own"));
  expect_names(x->v, x->n, "b/x");
  expect_names(x->all, x->all_n, "a/x b/x");
  assert_int_equal(own->n, 0);
  expect_names(own->all, own->all_n, "a/own");
  assert_ptr_equal(y->v, y->all);
  expect_names(y->all, y->all_n, "b/y");
  rig_clear();
}

TEST(sources_of_models_are_merged_each_model_once) {
  listed("a", "y listed y x");
  rig_build("{\"providers\":{" PROVIDER("a", "", "\"x\":{\"contextWindow\":1000,\"maxOutput\":10}") "}}");
  expect_names(rig.catalog->ranked, rig.catalog->deployment_count, "a/x a/y a/listed");
  assert_int_equal(deployment("a/x")->context_tokens, 1000);
  assert_int_equal(deployment("a/x")->output_tokens, 10);
  assert_int_equal(deployment("a/y")->context_tokens, -1);
  assert_int_equal(deployment("a/y")->price.known, 0);
  assert_null(deployment("a/y")->spec);
  rig_clear();
  discovered_clear();
}

TEST(prices_are_declared_or_the_registrys) {
  rig.fake.env[0] = (struct fake_entry){"OPENROUTER_API_KEY", "k"};
  rig_build("{\"providers\":{" PROVIDER("p", "", "\"m\":{\"price\":{\"in\":1,\"out\":2,\"cacheRead\":0.5}}") "}}");
  const struct deployment *known = deployment("openrouter/z-ai/glm-4.7-flash"), *own = deployment("p/m");
  assert_non_null(known);
  assert_non_null(known->spec);
  assert_true(price_has(&known->price, USAGE_INPUT) && !price_has(&known->price, USAGE_CACHE_READ));
  assert_int_equal(known->price.nano_usd_per_mtok[USAGE_INPUT], 60000000);
  assert_string_equal(known->price.date, "2026-06-22");
  assert_int_equal(known->context_tokens, 202752);
  assert_int_equal(own->price.nano_usd_per_mtok[USAGE_OUTPUT], INT64_C(2000000000));
  assert_true(price_has(&own->price, USAGE_CACHE_READ) && !price_has(&own->price, USAGE_REASONING));
  assert_string_equal(own->price.date, "");
  rig_clear();
}

TEST(a_provider_is_open_until_it_has_said_what_it_has) {
  static const char config[] =
      "{\"providers\":{\"a\":{\"type\":\"openai-compatible\",\"baseURL\":\"http://127.0.0.1:9\","
      "\"apiKey\":\"k\"}},\"priorities\":[\"a/first\",\"a/org/second\",\"b/x\"]}";
  rig_build(config);
  assert_true(find(rig.catalog, STR("a"))->is_open);
  /* What the priorities name of it is taken on trust; what they name of nobody is left out. */
  expect_names(rig.catalog->priorities, rig.catalog->priority_count, "a/first a/org/second");
  assert_string_equal(rig.report,
                      "/c/maestro/maestro.json:1: warning: priorities: \"b/x\" is no known model; it is left out\n");
  rig_clear();
  listed("a", ""); /* an empty list says nothing */
  rig_build(config);
  assert_true(find(rig.catalog, STR("a"))->is_open);
  rig_clear();
  listed("a", "org/second other");
  rig_build(config);
  assert_false(find(rig.catalog, STR("a"))->is_open);
  expect_names(rig.catalog->priorities, rig.catalog->priority_count, "a/org/second");
  expect_names(rig.catalog->ranked, rig.catalog->deployment_count, "a/org/second a/other");
  rig_clear();
  discovered_clear();
}

TEST(providers_without_a_credential_are_there_but_not_ready) {
  rig_build("{\"providers\":{" NO_KEY("a", "\"x\":{}") "," PROVIDER("b", "", "\"x\":{}") "," PROVIDER(
      "off", ",\"active\":false", "\"x\":{}") "}}");
  assert_false(find(rig.catalog, STR("a"))->is_ready);
  assert_true(find(rig.catalog, STR("b"))->is_ready);
  assert_null(find(rig.catalog, STR("off")));
  assert_int_equal(rig.catalog->provider_count, 2);
  rig_clear();
}

TEST(the_demo_is_there_only_where_nothing_else_is) {
  rig_build("{}");
  assert_int_equal(rig.catalog->provider_count, 0); /* its address is not known yet */
  rig_clear();
  catalog_set_demo_url("http://127.0.0.1:4242/v1");
  rig_build("{}");
  const struct catalog_provider *demo = find(rig.catalog, STR("demo"));
  assert_true(demo && demo->is_demo && demo->is_ready && !demo->is_open);
  assert_int_equal(demo->provider.origin.port, 4242);
  expect_names(rig.catalog->ranked, rig.catalog->deployment_count, "demo/demo-small demo/demo-medium demo/demo-large");
  rig_clear();
  rig_build("{\"providers\":{" NO_KEY("a", "\"x\":{}") "}}");
  assert_null(find(rig.catalog, STR("demo")));
  rig_clear();
  catalog_set_demo_url("");
}

TEST(presets_come_from_the_environment) {
  rig.fake.env[0] = (struct fake_entry){"GROQ_API_KEY", "gk"};
  rig.fake.env[1] = (struct fake_entry){"VLLM_BASE_URL", "http://127.0.0.1:8123/v1"};
  rig.fake.env[2] = (struct fake_entry){"MISTRAL_API_KEY", "mk"};
  rig_build("{\"egress\":{\"private\":false}}");
  const struct catalog_provider *groq = find(rig.catalog, STR("groq")), *vllm = find(rig.catalog, STR("vllm")),
                                *mistral = find(rig.catalog, STR("mistral"));
  assert_true(groq && groq->is_open && groq->is_ready && vllm && vllm->is_ready && mistral);
  assert_str(groq->provider.origin.host, STR("api.groq.com"));
  assert_str(groq->provider.target[0], STR("/openai/v1/chat/completions"));
  assert_int_equal(vllm->provider.origin.port, 8123);
  assert_false(vllm->provider.origin.allow_private);
  assert_int_equal(mistral->provider.usage, PROVIDER_USAGE_ALWAYS);
  assert_int_equal(groq->provider.usage, PROVIDER_USAGE_OPTION);
  rig_clear();
}

TEST(configured_usage_overrules_the_preset) {
  rig.fake.env[0] = (struct fake_entry){"GROQ_API_KEY", "gk"};
  rig_build("{\"providers\":{\"groq\":{\"type\":\"groq\",\"usage\":\"none\",\"headers\":{\"X-A\":\"secret-value\"}}}}");
  const struct provider *p = &find(rig.catalog, STR("groq"))->provider;
  assert_int_equal(p->usage, PROVIDER_USAGE_NONE);
  assert_str(http_header_get(p->headers, STR("x-a")), STR("secret-value"));
  assert_int_equal(p->timeouts.connect_ms, 10000);
  rig_clear();
}

static struct node_model model(const char *name, bool is_available, bool is_listed, int64_t own, int64_t said) {
  return (struct node_model){.name = str_from_c(name),
                             .is_available = is_available,
                             .is_listed = is_listed,
                             .context_tokens = own,
                             .listed_tokens = said};
}

#define HTTP "http://h.example/v1"

TEST(nodes_of_the_store_come_behind_declared_ones) {
  node_rig_init();
  node_rig_add((struct node_rig_row){.code = "gpu",
                                     .type = "vllm",
                                     .base_url = HTTP,
                                     .key = "k",
                                     .models = {model("x", true, true, 0, 4096), model("off", false, true, 0, 0),
                                                model("gone", true, false, 0, 0), model("y", true, true, 7, 9)}});
  node_rig_add((struct node_rig_row){.code = "first",
                                     .type = "openai-compatible",
                                     .base_url = HTTP,
                                     .priority = 9,
                                     .models = {model("x", true, true, 0, 0)}});
  node_rig_add((struct node_rig_row){.code = "asleep", .type = "vllm", .base_url = HTTP, .is_off = true});
  listed("gpu", "off x more");
  rig_build("{\"providers\":{" PROVIDER("a", "", "\"x\":{}") "}}");
  const struct catalog *c = rig.catalog;
  expect_names(c->ranked, c->deployment_count, "first/x a/x gpu/x gpu/y gpu/more");
  assert_int_equal(deployment("gpu/x")->context_tokens, 4096);
  assert_int_equal(deployment("gpu/y")->context_tokens, 7); /* an administrator's counts more */
  assert_null(deployment("gpu/off"));
  assert_non_null(map_get(&c->switched_off, STR("gpu/off")));
  assert_null(find(c, STR("asleep")));
  assert_false(find(c, STR("gpu"))->is_open);
  assert_true(find(c, STR("gpu"))->is_ready);
  assert_true(find(c, STR("first"))->is_ready); /* without a key, since it needs none */
  assert_true(find(c, STR("gpu"))->node && !find(c, STR("a"))->node);
  assert_true(http_header_get(find(c, STR("gpu"))->provider.headers, STR("authorization")).n > 0);
  assert_false(find(c, STR("gpu"))->provider.origin.allow_private);
  assert_true(find(c, STR("a"))->provider.origin.allow_private);
  rig_clear();
  discovered_clear();
  node_rig_clear();
}

TEST(timeouts_and_quirks_are_as_they_are_said_wherever_that_is) {
  node_rig_init();
  node_rig_add((struct node_rig_row){
      .code = "slow", .type = "vllm", .base_url = HTTP, .headers_ms = 77, .quirk = "starts-in-think"});
  node_rig_add((struct node_rig_row){.code = "plain", .type = "vllm", .base_url = HTTP});
  rig_build("{\"upstream\":{\"connectMs\":1234},\"providers\":{\"d\":{\"type\":\"vllm\",\"baseURL\":\"" HTTP
            "\",\"timeouts\":{\"headers_ms\":\"5s\",\"total_ms\":0},\"quirks\":[\"starts-in-think\"]}}}");
  const struct provider *slow = &find(rig.catalog, STR("slow"))->provider,
                        *plain = &find(rig.catalog, STR("plain"))->provider,
                        *d = &find(rig.catalog, STR("d"))->provider;
  assert_int_equal(slow->timeouts.headers_ms, 77);
  assert_int_equal(slow->timeouts.connect_ms, 1234);
  assert_int_equal(plain->timeouts.headers_ms, 600000); /* upstream.headersMs */
  assert_int_equal(d->timeouts.headers_ms, 5000);
  assert_int_equal(d->timeouts.connect_ms, 1234);
  assert_int_equal(d->timeouts.total_ms, 0);
  assert_int_equal(d->timeouts.silence_ms, 300000); /* upstream.silenceMs */
  assert_true(slow->starts_in_think && d->starts_in_think && !plain->starts_in_think);
  rig_clear();
  node_rig_clear();
}

TEST(private_addresses_are_for_nodes_that_were_allowed_them) {
  node_rig_init();
  node_rig_add((struct node_rig_row){.code = "in", .type = "vllm", .base_url = HTTP, .allow_private = true});
  rig_build("{}");
  assert_true(find(rig.catalog, STR("in"))->provider.origin.allow_private);
  assert_int_equal(rig.catalog->provider_count, 1); /* no demo beside it */
  rig_clear();
  rig_build("{\"egress\":{\"private\":false}}");
  assert_false(find(rig.catalog, STR("in"))->provider.origin.allow_private);
  rig_clear();
  node_rig_clear();
}

TEST(a_declared_one_shadows_a_node_of_its_name_or_code) {
  node_rig_init();
  node_rig_add(
      (struct node_rig_row){.code = "a", .type = "vllm", .base_url = HTTP, .models = {model("m", true, true, 0, 0)}});
  node_rig_add(
      (struct node_rig_row){.code = "c", .type = "vllm", .base_url = HTTP, .models = {model("m", true, true, 0, 0)}});
  rig_build("{\"providers\":{" PROVIDER("A", "", "\"x\":{}") "," PROVIDER("b", ",\"code\":\"c\"", "\"x\":{}") "}}");
  expect_names(rig.catalog->ranked, rig.catalog->deployment_count, "A/x b/x");
  assert_int_equal(rig.catalog->nodes->n, 2);
  for (size_t i = 0; i < 2; i++) assert_non_null(catalog_shadow_of(rig.fake.config, &rig.catalog->nodes->v[i]));
  assert_ptr_equal(map_get(&rig.catalog->by_code, STR("c")), find(rig.catalog, STR("b")));
  rig_clear();
  node_rig_clear();
}

TEST(a_node_that_cannot_be_used_is_left_out_and_the_rest_goes_on) {
  node_rig_init();
  node_rig_add((struct node_rig_row){.code = "odd", .type = "of-a-newer-version", .base_url = HTTP});
  node_rig_add((struct node_rig_row){.code = "poor", .type = "openai", .base_url = HTTP});
  node_rig_add((struct node_rig_row){.code = "fine", .type = "openai", .base_url = HTTP, .key = "k"});
  rig_build("{}");
  assert_int_equal(rig.e, OK);
  assert_non_null(strstr(rig.report, "nodes.odd"));
  assert_null(find(rig.catalog, STR("odd")));
  assert_false(find(rig.catalog, STR("poor"))->is_ready);
  assert_true(find(rig.catalog, STR("fine"))->is_ready);
  rig_clear();
  store_set_seal_key(STR("another key")); /* then nothing can be opened */
  store_nodes_forget();
  rig_build("{}");
  assert_false(find(rig.catalog, STR("fine"))->is_ready);
  assert_int_equal(http_header_get(find(rig.catalog, STR("fine"))->provider.headers, STR("authorization")).n, 0);
  rig_clear();
  node_rig_clear();
}

/* A user's change builds a new snapshot, but no new catalog. */
TEST(the_same_again_is_shared) {
  node_rig_init();
  node_rig_add((struct node_rig_row){.code = "gpu", .type = "vllm", .base_url = HTTP});
  rig_build("{}");
  void *again = NULL;
  struct config_diags diags;
  config_diags_init(&diags);
  assert_int_equal(catalog_section.build(rig.fake.config, NULL, rig.catalog, &again, &diags), OK);
  assert_ptr_equal(again, rig.catalog);
  node_rig_add((struct node_rig_row){.code = "two", .type = "vllm", .base_url = HTTP});
  assert_int_equal(catalog_section.build(rig.fake.config, NULL, rig.catalog, &again, &diags), OK);
  assert_ptr_not_equal(again, rig.catalog);
  assert_int_equal(((struct catalog *)again)->provider_count, 2);
  catalog_section.free(rig.catalog);
  rig.catalog = again;
  listed("gpu", "m");
  assert_int_equal(catalog_section.build(rig.fake.config, NULL, rig.catalog, &again, &diags), OK);
  assert_ptr_not_equal(again, rig.catalog);
  catalog_section.free(again);
  config_diags_clear(&diags);
  rig_clear();
  discovered_clear();
  node_rig_clear();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(order_is_priorities_then_priority_then_declaration),
      cmocka_unit_test(quirks_reach_the_provider),
      cmocka_unit_test(what_is_scoped_is_in_one_list_of_two),
      cmocka_unit_test(sources_of_models_are_merged_each_model_once),
      cmocka_unit_test(prices_are_declared_or_the_registrys),
      cmocka_unit_test(a_provider_is_open_until_it_has_said_what_it_has),
      cmocka_unit_test(providers_without_a_credential_are_there_but_not_ready),
      cmocka_unit_test(the_demo_is_there_only_where_nothing_else_is),
      cmocka_unit_test(presets_come_from_the_environment),
      cmocka_unit_test(configured_usage_overrules_the_preset),
      cmocka_unit_test(nodes_of_the_store_come_behind_declared_ones),
      cmocka_unit_test(timeouts_and_quirks_are_as_they_are_said_wherever_that_is),
      cmocka_unit_test(private_addresses_are_for_nodes_that_were_allowed_them),
      cmocka_unit_test(a_declared_one_shadows_a_node_of_its_name_or_code),
      cmocka_unit_test(a_node_that_cannot_be_used_is_left_out_and_the_rest_goes_on),
      cmocka_unit_test(the_same_again_is_shared),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
