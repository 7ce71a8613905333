/* Ids of calls in an alphabet. The hash is SHA-256's, checked against the command line tool's. */
#include "dialect/call_id.h"
#include "unit.h"

TEST(ids_in_an_alphabet) {
  static const struct {
    struct str id, also, wire;
  } rows[] = {
      {STR("toolu_01-A"), STR_NONE, STR("toolu_01-A")},
      {STR("a:1"), STR(".:"), STR("a:1")},
      {STR("a:1"), STR_NONE, STR("call_2b2c40a6706d9e5f320d553628313833")},
      {STR("a/1"), STR_NONE, STR("call_")}, /* another id, another hash */
  };
  struct arena a;
  arena_init(&a, 0);
  for (size_t i = 0; i < 3; i++) assert_str(call_id_wire(&a, rows[i].id, rows[i].also), rows[i].wire);
  struct str other = call_id_wire(&a, rows[3].id, rows[3].also);
  assert_true(str_has_prefix(other, rows[3].wire) && !str_eq(other, rows[2].wire));
  arena_clear(&a);
}

TEST(lengths) {
  char id[CALL_ID_BYTES_MAX + 1];
  struct arena a;
  arena_init(&a, 0);
  memset(id, 'i', sizeof id);
  assert_int_equal(call_id_wire(&a, str_from(id, CALL_ID_BYTES_MAX), STR_NONE).n, CALL_ID_BYTES_MAX);
  assert_int_equal(call_id_wire(&a, str_from(id, CALL_ID_BYTES_MAX + 1), STR_NONE).n, 37);
  assert_int_equal(call_id_wire(&a, STR(""), STR_NONE).n, 37);
  arena_clear(&a);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ids_in_an_alphabet),
      cmocka_unit_test(lengths),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
