/* Nodes: their credentials open for their own address and key alone, and the text form is as good as the store. */
#include "state/node.h"

#include "one_store_rig.h"
#include "state/store/store_node.h"

static struct arena a;
static struct node_key key;

static int setup(void **state) {
  one_store_rig_make(state);
  arena_init(&a, 0);
  assert_int_equal(node_key_derive(STR("a master key"), &key), OK);
  return 0;
}

static int teardown(void **state) {
  arena_clear(&a);
  return one_store_rig_clear(state);
}

#define SECRET "sk-0123456789abcdefWXYZ"

static const struct str quirks[] = {STR("starts-in-think"), STR("of-a-newer-one")};

/* With a key and a header, sealed. */
static struct node node_of(const char *code, const char *url) {
  struct node node = {.name = str_from_c(code),
                      .p = {.id = str_from_c(code),
                            .type = STR("vllm"),
                            .base_url = str_from_c(url),
                            .priority = -3,
                            .weight = 7,
                            .usage = CONFIG_USAGE_NONE,
                            .is_active = true,
                            .timeouts = {-1, 0, 250, CONFIG_TIMEOUT_MAX_MS, -1},
                            .quirks = {quirks, 2}},
                      .created_us = 5,
                      .updated_us = 6};
  struct config_header *headers = ARENA_NEW_ARRAY(&a, struct config_header, 1);
  headers[0] = (struct config_header){STR("X-Team"), secret_new_in(&a, STR("se\"cret"))};
  node.p.api_key = secret_new_in(&a, STR(SECRET));
  node.p.headers = headers;
  node.p.header_count = 1;
  assert_int_equal(node_seal(&a, &key, &node, NULL), OK);
  return node;
}

static void add(struct node *node) {
  struct err_info info = {0};
  if (store_node_add(rig.db, node, &info)) fail_msg("%s", info.text);
}

static void load(struct nodes *out) { assert_int_equal(nodes_load(rig.db, 0, &key, out, NULL), OK); }

TEST(codes_and_names) {
  static const struct {
    const char *name, *code;
  } rows[] = {{"My GPU 1", "my-gpu-1"}, {"  --x--  ", "x"},
              {"a_b", "a_b"},           {"\xc3\xa9", ""},
              {"A.B/C", "a-b-c"},       {"0123456789012345678901234567 9x", "0123456789012345678901234567-9"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    assert_str(node_code_of_name(&a, str_from_c(rows[i].name)), str_from_c(rows[i].code));
  assert_true(node_code_is_valid(STR("a-b_9")) && node_code_is_valid(STR("012345678901234567890123456789")));
  static const char *const bad[] = {"", "A", "a b", "a.b", "a/b", "a:b", "0123456789012345678901234567890", "\xc3\xa9"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_false(node_code_is_valid(str_from_c(bad[i])));
}

TEST(a_credential_opens_for_its_own_address_and_key_alone) {
  struct node node = node_of("gpu", "https://one.example/v1"), again;
  struct node_key other;
  char hint[8];
  assert_true(str_find(node.sealed, STR("0123456789")) == SIZE_MAX);
  again = (struct node){.p = {.base_url = STR("HTTPS://One.Example:443/elsewhere")}, .sealed = node.sealed};
  assert_int_equal(node_unseal(&a, &key, &again), OK);
  assert_false(again.is_shut);
  assert_str(secret_reveal(again.p.api_key), STR(SECRET));
  assert_str(again.p.headers[0].name, STR("X-Team"));
  assert_str(secret_reveal(again.p.headers[0].value), STR("se\"cret"));
  assert_str(node_key_hint(&again, hint), STR("WXYZ"));
  static const char *const urls[] = {"https://two.example/v1", "http://one.example/v1", "https://one.example:8443/v1",
                                     ""};
  for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
    again = (struct node){.p = {.base_url = str_from_c(urls[i])}, .sealed = node.sealed};
    assert_int_equal(node_unseal(&a, &key, &again), OK);
    assert_true(again.is_shut && !again.p.api_key && !again.p.header_count && node_has_credential(&again));
  }
  assert_int_equal(node_key_derive(STR("another master key"), &other), OK);
  again = (struct node){.p = {.base_url = node.p.base_url}, .sealed = node.sealed};
  assert_int_equal(node_unseal(&a, &other, &again), OK);
  assert_true(again.is_shut);
}

TEST(aws_keys_are_sealed_with_it_and_short_keys_give_no_hint) {
  struct node node = {.p = {.base_url = STR("https://bedrock-runtime.eu-west-1.amazonaws.com"),
                            .aws = {.access_key_id = STR("AKIA1"),
                                    .secret_access_key = secret_new_in(&a, STR("short")),
                                    .session_token = secret_new_in(&a, STR("token"))}}};
  struct node again = {.p = {.base_url = node.p.base_url}};
  char hint[8];
  assert_int_equal(node_seal(&a, &key, &node, NULL), OK);
  again.sealed = node.sealed;
  assert_int_equal(node_unseal(&a, &key, &again), OK);
  assert_str(again.p.aws.access_key_id, STR("AKIA1"));
  assert_str(secret_reveal(again.p.aws.secret_access_key), STR("short"));
  assert_str(secret_reveal(again.p.aws.session_token), STR("token"));
  assert_int_equal(node_key_hint(&again, hint).n, 0);
  node.p.aws = (struct config_aws){0};
  assert_int_equal(node_seal(&a, &key, &node, NULL), OK);
  assert_int_equal(node.sealed.n, 0);
}

static void check_loaded(const struct nodes *nodes, bool is_open) {
  assert_int_equal(nodes->n, 2);
  const struct node *one = &nodes->v[0], *two = &nodes->v[1];
  assert_str(one->p.id, STR("one"));
  assert_str(one->p.type, STR("vllm"));
  assert_int_equal(one->p.priority, -3);
  assert_int_equal(one->p.weight, 7);
  assert_int_equal(one->p.usage, CONFIG_USAGE_NONE);
  assert_true(one->p.is_active && !one->p.is_sync && !one->allow_private);
  assert_int_equal(one->created_us, 5);
  assert_int_equal(one->p.timeouts.connect_ms, CONFIG_TIMEOUT_UNSET);
  assert_int_equal(one->p.timeouts.headers_ms, 0);
  assert_int_equal(one->p.timeouts.first_token_ms, 250);
  assert_int_equal(one->p.timeouts.silence_ms, CONFIG_TIMEOUT_MAX_MS);
  assert_int_equal(one->p.timeouts.total_ms, CONFIG_TIMEOUT_UNSET);
  assert_int_equal(one->p.quirks.n, 2);
  assert_str(one->p.quirks.items[0], STR("starts-in-think"));
  assert_str(one->p.quirks.items[1], STR("of-a-newer-one"));
  assert_int_equal(one->model_count, 0);
  assert_true((one->p.api_key != NULL) == is_open);
  assert_int_equal(two->model_count, 2);
  assert_str(two->models[0].name, STR("big"));
  assert_true(!two->models[0].is_available && two->models[1].is_available);
  assert_int_equal(node_model_context(&two->models[0]), 9);
  assert_int_equal(node_model_context(&two->models[1]), 4096);
  assert_str(two->models[1].family, STR("llama"));
  assert_ptr_equal(nodes_find(nodes, STR("TWO")), two);
  assert_null(nodes_find(nodes, STR("three")));
}

static void fill(void) {
  struct node one = node_of("one", "https://one.example/v1"), two = node_of("two", "http://10.0.0.1:11434");
  add(&one);
  add(&two);
  const struct node_model models[] = {
      {.name = STR("big"), .context_tokens = 9, .listed_tokens = 8},
      {.name = STR("small"), .is_available = true, .is_listed = true, .listed_tokens = 4096, .family = STR("llama")}};
  for (size_t i = 0; i < 2; i++) assert_int_equal(store_node_put_model(rig.db, two.id, &models[i], NULL), OK);
}

TEST(the_text_form_gives_the_same) {
  struct nodes nodes, again;
  struct buf text, second, bare;
  struct err_info info = {0};
  fill();
  load(&nodes);
  check_loaded(&nodes, true);
  buf_init(&text, 0);
  buf_init(&second, 0);
  buf_init(&bare, 0);
  nodes_write(&nodes, true, &text);
  assert_false(text.failed);
  if (nodes_read(buf_str(&text), &again, &info)) fail_msg("%s", info.text);
  check_loaded(&again, false);
  assert_int_equal(node_unseal(&again.arena, &key, &again.v[0]), OK);
  assert_str(secret_reveal(again.v[0].p.api_key), STR(SECRET));
  nodes_write(&again, true, &second);
  assert_str(buf_str(&second), buf_str(&text));
  node_list_clear(&again);
  for (size_t n = 0; n + 1 < text.n; n++) { /* cut anywhere it is none */
    assert_int_equal(nodes_read(str_from(text.p, n), &again, &info), ERR_BAD_VALUE);
    assert_int_equal(again.n, 0);
  }
  nodes_write(&nodes, false, &bare);
  assert_true(str_find(buf_str(&bare), STR("\"sealed\"")) == SIZE_MAX);
  assert_true(str_find(buf_str(&bare), STR("credential_left_out")) != SIZE_MAX);
  assert_int_equal(nodes_read(buf_str(&bare), &again, &info), OK);
  assert_int_equal(again.v[0].sealed.n, 0);
  node_list_clear(&again);
  node_list_clear(&nodes);
  buf_clear(&text);
  buf_clear(&second);
  buf_clear(&bare);
}

#define HEAD(n) "{\"kind\":\"maestro-nodes\",\"version\":1,\"nodes\":" #n "}\n"
#define NODE(id, code, rest)                                                                                        \
  "{\"id\":" #id ",\"code\":\"" code "\",\"name\":\"" code "\",\"type\":\"vllm\",\"base_url\":\"http://h/v1\"" rest \
  "}\n"

TEST(what_does_not_belong_is_named_with_its_line) {
  static const struct {
    const char *text, *why;
  } rows[] = {
      {HEAD(0), NULL},
      {HEAD(1) NODE(1, "a", ""), NULL},
      {HEAD(2) NODE(1, "a", "") NODE(2, "b", ",\"models\":[{\"name\":\"m\"}]"), NULL},
      {HEAD(2) NODE(1, "a", "") NODE(2, "a", ""), "line 3: "},
      {HEAD(2) NODE(2, "a", "") NODE(1, "b", ""), "must rise"},
      {HEAD(1) NODE(1, "a", "") NODE(2, "b", ""), "line 3: more nodes"},
      {HEAD(1) NODE(0, "a", ""), "must rise"},
      {HEAD(1) NODE(1, "A", ""), "no code"},
      {HEAD(1) NODE(1, "a", ",\"priority\":\"1\""), "priority"},
      {HEAD(1) NODE(1, "a", ",\"priority\":3000000000"), "out of range"},
      {HEAD(1) NODE(1, "a", ",\"usage\":3"), "usage"},
      {HEAD(1) NODE(1, "a", ",\"sealed\":\"!\""), "no base64"},
      {HEAD(1) NODE(1, "a", ",\"connect_ms\":-2"), "\"connect_ms\" is out of range"},
      {HEAD(1) NODE(1, "a", ",\"total_ms\":86400001"), "\"total_ms\" is out of range"},
      {HEAD(1) NODE(1, "a", ",\"quirks\":\"starts-in-think\""), "quirks"},
      {HEAD(1) NODE(1, "a", ",\"quirks\":[\"two words\"]"), "no word"},
      {HEAD(1) NODE(1, "a", ",\"quirks\":[\"\"]"), "no word"},
      {HEAD(1) NODE(1, "a", ",\"models\":[{}]"), "no name of a model"},
      {HEAD(1) NODE(1, "a", ",\"models\":[{\"name\":\"m\"},{\"name\":\"m\"}]"), "comes twice"},
      {HEAD(1) "{\"id\":1,\"code\":\"a\",\"name\":\"a\",\"type\":\"vllm\",\"base_url\":\"file:///etc/passwd\"}\n",
       "base_url"},
      {HEAD(5000), "out of range"},
      {"{\"kind\":\"maestro-people\",\"version\":1,\"nodes\":0}\n", "no export of nodes"},
      {"[]\n", "line 1: "},
      {"", "line 1: it was cut"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct err_info info = {0};
    struct nodes nodes;
    enum err e = nodes_read(str_from_c(rows[i].text), &nodes, &info);
    if (!rows[i].why && e) fail_msg("row %zu: %s", i, info.text);
    if (rows[i].why && (e != ERR_BAD_VALUE || !strstr(info.text, rows[i].why)))
      fail_msg("row %zu: %s: not \"%s\"", i, info.text, rows[i].why);
    if (!e && nodes.n) assert_int_equal(nodes.v[0].p.timeouts.headers_ms, CONFIG_TIMEOUT_UNSET); /* not said */
    node_list_clear(&nodes);
  }
  struct nodes nodes;
  assert_int_equal(nodes_read(STR("{\"kind\":\"maestro-nodes\",\"version\":2,\"nodes\":0}\n"), &nodes, NULL),
                   ERR_STORE_NEWER);
}

TEST(codes_and_names_are_there_once) {
  struct node one = node_of("one", "https://one.example/v1"), same = one, named = node_of("two", "https://x.example");
  struct err_info info = {0};
  add(&one);
  assert_int_equal(store_node_add(rig.db, &same, &info), ERR_CONFLICT);
  assert_string_equal(info.param, "code");
  named.name = STR("one");
  assert_int_equal(store_node_add(rig.db, &named, &info), ERR_CONFLICT);
  assert_string_equal(info.param, "name");
  named.name = STR("two");
  add(&named);
  named.p.id = STR("one");
  assert_int_equal(store_node_update(rig.db, &named, &info), ERR_CONFLICT);
  assert_string_equal(info.param, "code");
}

static const struct node_model *model(const struct nodes *nodes, const char *name) {
  for (size_t i = 0; i < nodes->v[0].model_count; i++)
    if (str_eq(nodes->v[0].models[i].name, str_from_c(name))) return &nodes->v[0].models[i];
  return NULL;
}

TEST(a_sync_keeps_what_was_set_and_marks_what_is_gone) {
  struct node node = node_of("one", "https://one.example/v1");
  struct nodes nodes;
  const struct node_model first[] = {{.name = STR("a"), .listed_tokens = 10}, {.name = STR("b")}, {.name = STR("c")}};
  const struct node_model second[] = {{.name = STR("c"), .listed_tokens = 30}, {.name = STR("d")}};
  add(&node);
  assert_int_equal(store_node_sync(rig.db, &node, first, 3, 100, NULL), OK);
  load(&nodes);
  assert_int_equal(nodes.v[0].model_count, 3);
  assert_int_equal(nodes.v[0].synced_us, 100);
  assert_true(model(&nodes, "a")->is_available && model(&nodes, "a")->is_listed);
  assert_int_equal(model(&nodes, "a")->seen_us, 100);
  struct node_model off = *model(&nodes, "a"), wide = *model(&nodes, "c");
  off.is_available = false;
  wide.context_tokens = 77;
  assert_int_equal(store_node_put_model(rig.db, node.id, &off, NULL), OK);
  assert_int_equal(store_node_put_model(rig.db, node.id, &wide, NULL), OK);
  node_list_clear(&nodes);
  load(&nodes);
  assert_int_equal(store_node_sync(rig.db, &nodes.v[0], second, 2, 200, NULL), OK);
  node_list_clear(&nodes);
  load(&nodes);
  assert_int_equal(nodes.v[0].model_count, 3);
  assert_true(!model(&nodes, "a")->is_listed && !model(&nodes, "a")->is_available); /* the switch stays */
  assert_null(model(&nodes, "b"));
  assert_int_equal(node_model_context(model(&nodes, "c")), 77);
  assert_int_equal(model(&nodes, "c")->listed_tokens, 30);
  assert_true(model(&nodes, "d")->is_available);
  node_list_clear(&nodes);
  assert_int_equal(store_node_delete(rig.db, node.id, NULL), OK);
  load(&nodes);
  assert_int_equal(nodes.n, 0);
  assert_int_equal(store_node_find(rig.db, STR("one"), &key, &nodes, NULL), ERR_NOT_FOUND);
}

TEST(a_node_is_found_by_code_and_by_number) {
  struct node one = node_of("one", "https://one.example/v1"), seven = node_of("1", "https://x.example");
  struct nodes nodes;
  add(&one);
  assert_int_equal(store_node_find(rig.db, STR("1"), &key, &nodes, NULL), OK);
  assert_str(nodes.v[0].p.id, STR("one"));
  node_list_clear(&nodes);
  add(&seven); /* a code comes before a number */
  assert_int_equal(store_node_find(rig.db, STR("1"), &key, &nodes, NULL), OK);
  assert_str(nodes.v[0].p.id, STR("1"));
  node_list_clear(&nodes);
  assert_int_equal(store_node_find(rig.db, STR("99999999999999999999"), &key, &nodes, NULL), ERR_NOT_FOUND);
  assert_int_equal(store_node_find(rig.db, STR("-1"), &key, &nodes, NULL), ERR_NOT_FOUND);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
  const struct CMUnitTest tests[] = {
      T(codes_and_names),
      T(a_credential_opens_for_its_own_address_and_key_alone),
      T(aws_keys_are_sealed_with_it_and_short_keys_give_no_hint),
      T(the_text_form_gives_the_same),
      T(what_does_not_belong_is_named_with_its_line),
      T(codes_and_names_are_there_once),
      T(a_sync_keeps_what_was_set_and_marks_what_is_gone),
      T(a_node_is_found_by_code_and_by_number),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
