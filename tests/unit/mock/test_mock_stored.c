/* Kept responses: what is found, and that count and bytes stay bounded. */
#include "mock/mock_stored.h"

#include <stdio.h>

#include "unit.h"

static struct mock_stored stored;
static struct arena arena;

static void keep(int i, struct str response) {
  char id[16];
  snprintf(id, sizeof id, "r%d", i);
  mock_stored_keep(&stored, str_from_c(id), response, STR("[]"));
}

static bool is_kept(int i) {
  char id[16];
  struct str response;
  snprintf(id, sizeof id, "r%d", i);
  return mock_stored_find(&stored, str_from_c(id), &arena, &response, NULL);
}

TEST(what_was_kept_is_found) {
  struct str response, context;
  mock_stored_keep(&stored, STR("a"), STR("{\"output\":[{\"id\":\"msg_1\"}]}"), STR("[1]"));
  mock_stored_keep(&stored, STR("b"), STR("{}"), STR("[2]"));
  assert_true(mock_stored_find(&stored, STR("a"), &arena, &response, &context));
  assert_str(response, STR("{\"output\":[{\"id\":\"msg_1\"}]}"));
  assert_str(context, STR("[1]"));
  assert_false(mock_stored_find(&stored, STR("c"), &arena, &response, &context));
  assert_true(mock_stored_find_item(&stored, STR("msg_1"), &arena, &response));
  assert_false(mock_stored_find_item(&stored, STR("msg_"), &arena, &response));
  assert_false(mock_stored_find_item(&stored, STR(""), &arena, &response));
  assert_true(mock_stored_delete(&stored, STR("a")));
  assert_false(mock_stored_delete(&stored, STR("a")));
  assert_true(mock_stored_find(&stored, STR("b"), &arena, NULL, &context));
  assert_str(context, STR("[2]"));
  mock_stored_clear(&stored);
  assert_int_equal(stored.count, 0);
  assert_int_equal(stored.bytes, 0);
}

TEST(the_oldest_go_first) {
  for (int i = 0; i < MOCK_STORED_MAX + 2; i++) keep(i, STR("{}"));
  assert_int_equal(stored.count, MOCK_STORED_MAX);
  assert_false(is_kept(1));
  assert_true(is_kept(2));
  assert_true(is_kept(MOCK_STORED_MAX + 1));
}

TEST(bytes_are_bounded) {
  const size_t n = MOCK_STORED_BYTES_MAX / 2;
  char *big = test_malloc(n * 2);
  memset(big, 'x', n * 2);
  keep(1, str_from(big, n * 2)); /* with its id and context too large by itself */
  assert_false(is_kept(1));
  keep(2, str_from(big, n));
  keep(3, STR("{}"));
  keep(4, str_from(big, n));
  assert_false(is_kept(2));
  assert_true(is_kept(3) && is_kept(4));
  assert_true(stored.bytes <= MOCK_STORED_BYTES_MAX);
  test_free(big);
}

static int begin(void **state) {
  (void)state;
  mock_stored_init(&stored);
  arena_init(&arena, 0);
  return 0;
}

static int finish(void **state) {
  (void)state;
  mock_stored_destroy(&stored);
  arena_clear(&arena);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(what_was_kept_is_found, begin, finish),
      cmocka_unit_test_setup_teardown(the_oldest_go_first, begin, finish),
      cmocka_unit_test_setup_teardown(bytes_are_bounded, begin, finish),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
