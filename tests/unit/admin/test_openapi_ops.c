/* The description's small parsers, and the list made of a table of three rows. */
#include "admin/openapi/openapi_ops.h"

#include "dialect/plain.h"
#include "unit.h"

TEST(names_of_a_template) {
  static const struct {
    const char *route;
    const char *names[3];
  } rows[] = {{"/a", {0}},
              {"/a/{b}", {"b"}},
              {"/{a}/x/{long-one}:verb", {"a", "long-one"}},
              {"/a/{open", {0}},
              {"/a}{b}", {"b"}}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct str name;
    size_t at = 0, n = 0;
    while (openapi_next_name(str_from_c(rows[i].route), &at, &name)) {
      assert_non_null(rows[i].names[n]);
      assert_str(name, str_from_c(rows[i].names[n]));
      n++;
    }
    assert_null(rows[i].names[n]);
  }
}

TEST(parameters_of_a_query) {
  struct str rest = STR("limit:integer,after:string"), name, type;
  assert_true(openapi_next_query(&rest, &name, &type));
  assert_str(name, STR("limit"));
  assert_str(type, STR("integer"));
  assert_true(openapi_next_query(&rest, &name, &type));
  assert_str(name, STR("after"));
  assert_str(type, STR("string"));
  assert_false(openapi_next_query(&rest, &name, &type));
}

static void nothing(struct request_context *rc) { (void)rc; }

TEST(each_path_and_method_once_and_what_stands_twice_is_told) {
  static const struct endpoint rows[] = {
      {STR("/admin/x/{n}"),
       STR(""),
       {0},
       1u << HTTP_GET | 1u << HTTP_HEAD,
       0,
       AUTH_CLASS_PANEL_READ,
       0,
       &dialect_plain,
       nothing,
       0},
      {STR("/api/admin/x/{n}"),
       STR(""),
       {0},
       1u << HTTP_GET | 1u << HTTP_HEAD,
       0,
       AUTH_CLASS_API_READ,
       0,
       &dialect_plain,
       nothing,
       0},
      {STR("/admin/x/{n}"), STR("some-header"), {0}, 1u << HTTP_GET, 0, AUTH_CLASS_OPEN, 0, &dialect_plain, nothing, 0},
      {STR("/{rest}"), STR(""), {0}, 0xff, 0, AUTH_CLASS_OPEN, 0, &dialect_plain, nothing, 0}};
  size_t n;
  openapi_ops_init(rows, 4);
  const struct openapi_op *ops = openapi_ops(&n);
  assert_int_equal(n, 2);
  for (size_t i = 0; i < n; i++) {
    bool is_twin = ops[i].endpoint == &rows[1];
    assert_int_equal(ops[i].method, HTTP_GET);
    assert_int_equal(ops[i].is_twin, is_twin);
    assert_true(ops[i].endpoint == &rows[0] || is_twin);
    assert_string_not_equal(ops[i].summary, "");
    assert_null(ops[i].row);
    assert_false(openapi_may(&ops[i], 0));                  /* nobody */
    assert_true(openapi_may(&ops[i], OPENAPI_CALLERS - 1)); /* an admin */
  }
}

TEST(a_vendors_own_path_comes_before_its_other_names) {
  static const struct endpoint rows[] = {
      {STR("/api/openai/v1/x"), STR(""), {0}, 1u << HTTP_GET, 0, AUTH_CLASS_OPEN, 0, &dialect_plain, nothing, 0},
      {STR("/claude/v1/x"), STR(""), {0}, 1u << HTTP_GET, 0, AUTH_CLASS_OPEN, 0, &dialect_plain, nothing, 0},
      {STR("/v1/x"), STR(""), {0}, 1u << HTTP_GET, 0, AUTH_CLASS_OPEN, 0, &dialect_plain, nothing, 0}};
  size_t n;
  openapi_ops_init(rows, 3);
  const struct openapi_op *ops = openapi_ops(&n);
  assert_int_equal(n, 3);
  assert_str(ops[0].endpoint->route, STR("/v1/x"));
  assert_str(ops[1].endpoint->route, STR("/api/openai/v1/x"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_of_a_template),
      cmocka_unit_test(parameters_of_a_query),
      cmocka_unit_test(each_path_and_method_once_and_what_stands_twice_is_told),
      cmocka_unit_test(a_vendors_own_path_comes_before_its_other_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
