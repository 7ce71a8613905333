/* Models that come and go in an Ollama mock. */
#include "mock/mock_shelf.h"

#include <stdio.h>

#include "unit.h"

static struct mock_shelf shelf;
static const struct str made_with[] = {STR("a"), STR("b")};

static void assert_list(const char *expected) {
  struct str out[200];
  char text[512] = "";
  struct arena a;
  arena_init(&a, 0);
  size_t n = mock_shelf_list(&shelf, made_with, 2, &a, out, 200);
  for (size_t i = 0; i < n; i++) {
    size_t at = strlen(text);
    snprintf(text + at, sizeof text - at, "%s%.*s", i ? " " : "", STR_ARG(out[i]));
  }
  assert_string_equal(text, expected);
  arena_clear(&a);
}

TEST(names_come_and_go) {
  mock_shelf_init(&shelf);
  assert_list("a b");
  mock_shelf_put(&shelf, STR("c:latest"), false);
  mock_shelf_put(&shelf, STR("a:latest"), true);
  mock_shelf_put(&shelf, STR("d:7b"), false);
  assert_list("b c d:7b");
  assert_true(mock_shelf_has(&shelf, STR("c"), false));
  assert_true(mock_shelf_has(&shelf, STR("c:latest"), false));
  assert_false(mock_shelf_has(&shelf, STR("a"), true));
  assert_false(mock_shelf_has(&shelf, STR("d"), false));
  assert_true(mock_shelf_has(&shelf, STR("b"), true));
  mock_shelf_put(&shelf, STR("a"), false);
  mock_shelf_put(&shelf, STR("c"), true);
  assert_list("a b d:7b");
  mock_shelf_reset(&shelf);
  assert_list("a b");
  mock_shelf_destroy(&shelf);
}

TEST(it_is_bounded) {
  char name[MOCK_SHELF_NAME_MAX + 1];
  mock_shelf_init(&shelf);
  for (int i = 0; i < MOCK_SHELF_MAX + 3; i++) {
    int n = snprintf(name, sizeof name, "m%d", i);
    mock_shelf_put(&shelf, str_from(name, (size_t)n), false);
  }
  assert_int_equal(shelf.count, MOCK_SHELF_MAX);
  assert_false(mock_shelf_has(&shelf, STR("m2"), false));
  assert_true(mock_shelf_has(&shelf, STR("m3"), false));
  memset(name, 'x', sizeof name);
  mock_shelf_put(&shelf, str_from(name, sizeof name), false);
  assert_false(mock_shelf_has(&shelf, str_from(name, sizeof name), false));
  struct str out[3];
  struct arena a;
  arena_init(&a, 0);
  assert_int_equal(mock_shelf_list(&shelf, made_with, 2, &a, out, 3), 3);
  arena_clear(&a);
  mock_shelf_destroy(&shelf);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(names_come_and_go), cmocka_unit_test(it_is_bounded)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
