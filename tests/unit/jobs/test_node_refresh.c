/* What is kept of a node's list. That it is stored and put in force needs a store and a snapshot:
 * tests/integration/ollama_manage.test.js. */
#include "jobs/node_refresh.h"

#include "unit.h"

TEST(a_list_becomes_models_of_a_node) {
  static struct provider_listed rows[] = {
      {.id = STR("llama3:latest"), .size_bytes = 5, .family = STR("llama"), .digest = STR("d1")},
      {.id = STR(" no name ")},
      {.id = STR("qwen3"), .context_tokens = 8192}};
  const struct discovery_models listed = {rows, 3};
  struct node_model *v = NULL;
  struct arena a;
  size_t n = 0;
  arena_init(&a, 0);
  assert_int_equal(node_refresh_models(&a, &listed, &v, &n), OK);
  assert_int_equal(n, 2);
  assert_str(v[0].name, STR("llama3:latest"));
  assert_ptr_not_equal(v[0].name.p, rows[0].id.p);
  assert_str(v[0].family, STR("llama"));
  assert_str(v[0].digest, STR("d1"));
  assert_int_equal(v[0].size_bytes, 5);
  assert_str(v[1].name, STR("qwen3"));
  assert_int_equal(v[1].listed_tokens, 8192);
  assert_int_equal(v[1].context_tokens, 0); /* that is an administrator's to say */
  const struct discovery_models nothing = {0};
  assert_int_equal(node_refresh_models(&a, &nothing, &v, &n), OK);
  assert_int_equal(n, 0);
  arena_clear(&a);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_list_becomes_models_of_a_node)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
