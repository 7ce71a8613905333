/* Calls and results that came without ids: which belongs to which, and that a hostile list costs no more than a long
 * one. */
#include "llm/request.h"

#include <stdlib.h>

#include "unit.h"

#define CALL(...) \
  { .kind = PART_TOOL_CALL, __VA_ARGS__ }
#define RESULT(...) \
  { .kind = PART_TOOL_RESULT, __VA_ARGS__ }

static struct arena arena;
static struct request_place lone; /* of the last pairing */

/* The parts as one turn of calls and one of results. */
static void pair(struct request_part *calls, size_t n, struct request_part *results, size_t m) {
  struct request_item items[] = {{.role = ROLE_ASSISTANT, .parts = calls, .part_count = n},
                                 {.role = ROLE_TOOL, .parts = results, .part_count = m}};
  struct request r;
  request_init(&r, STR("somebody"), LLM_GENERATE);
  r.items = items;
  r.item_count = 2;
  arena_init(&arena, 0);
  assert_int_equal(request_pair_calls(&arena, &r, &lone), OK);
}

TEST(results_find_their_calls_by_id_by_name_or_in_order) {
  struct request_part calls[] = {CALL(.name = STR("f")), CALL(.name = STR("g")), CALL(.name = STR("f")),
                                 CALL(.name = STR("h"), .call_id = STR("own"))};
  struct request_part results[] = {RESULT(.name = STR("g")),      RESULT(),
                                   RESULT(.call_id = STR("own")), RESULT(.name = STR("f")),
                                   RESULT(.name = STR("f")),      RESULT(.call_id = STR("lost"))};
  pair(calls, 4, results, 6);
  assert_str(calls[3].call_id, STR("own"));
  assert_str(results[0].call_id, calls[1].call_id); /* by name */
  assert_str(results[1].call_id, calls[0].call_id); /* the oldest that waits */
  assert_str(results[2].call_id, STR("own"));
  assert_str(results[3].call_id, calls[2].call_id); /* the second f */
  assert_true(results[4].call_id.n > 0);            /* of no call: an id of its own */
  for (size_t i = 0; i < 4; i++) assert_false(str_eq(results[4].call_id, calls[i].call_id));
  assert_str(results[5].call_id, STR("lost")); /* what was said stays */
  arena_clear(&arena);
}

TEST(what_has_no_partner_is_found) {
  struct request_part calls[] = {CALL(.call_id = STR("a")), CALL(.call_id = STR("b"))};
  struct request_part both[] = {RESULT(.call_id = STR("b")), RESULT(.call_id = STR("a"))};
  struct request_part twice[] = {RESULT(.call_id = STR("a")), RESULT(.call_id = STR("a")), RESULT(.call_id = STR("b"))};
  pair(calls, 2, both, 2);
  assert_null(lone.part);
  arena_clear(&arena);
  pair(calls, 2, both, 1);
  assert_ptr_equal(lone.part, &calls[0]);
  assert_int_equal(lone.item->role, ROLE_ASSISTANT);
  arena_clear(&arena);
  pair(calls, 1, both, 2); /* a result that has no call, before the calls */
  assert_ptr_equal(lone.part, &both[0]);
  arena_clear(&arena);
  pair(calls, 2, twice, 3);
  assert_ptr_equal(lone.part, &twice[1]);
  assert_int_equal(lone.item->role, ROLE_TOOL);
  arena_clear(&arena);
}

/* Servers that count anew in each answer, or give all calls of one the same id. */
TEST(calls_with_the_id_of_another_are_told_apart) {
  struct request_part calls[] = {
      CALL(.name = STR("f"), .call_id = STR("a")), CALL(.name = STR("g"), .call_id = STR("a")),
      CALL(.name = STR("h"), .call_id = STR("b")), CALL(.name = STR("f"), .call_id = STR("a"))};
  struct request_part results[] = {RESULT(.call_id = STR("a")), RESULT(.call_id = STR("b")),
                                   RESULT(.call_id = STR("a")), RESULT(.call_id = STR("a")),
                                   RESULT(.call_id = STR("a"))};
  pair(calls, 4, results, 5);
  assert_str(calls[0].call_id, STR("a"));
  for (size_t i = 0; i < 4; i++)
    for (size_t k = 0; k < i; k++) assert_false(str_eq(calls[i].call_id, calls[k].call_id));
  assert_str(results[0].call_id, calls[0].call_id);
  assert_str(results[1].call_id, calls[2].call_id);
  assert_str(results[2].call_id, calls[1].call_id);
  assert_str(results[3].call_id, calls[3].call_id);
  assert_str(results[4].call_id, STR("a")); /* one more than there are calls: what was said stays */
  arena_clear(&arena);
}

TEST(made_ids_differ_from_those_that_callers_use) {
  struct request_part calls[] = {CALL(.call_id = STR("call_0")), CALL(), CALL(), CALL(.call_id = STR("call_1"))};
  pair(calls, 4, NULL, 0);
  for (size_t i = 0; i < 4; i++)
    for (size_t k = 0; k < i; k++) assert_false(str_eq(calls[i].call_id, calls[k].call_id));
  arena_clear(&arena);
}

TEST(once_paired_nothing_changes) {
  struct request_part calls[] = {CALL(.name = STR("f"))}, results[] = {RESULT()};
  pair(calls, 1, results, 1);
  struct str before = calls[0].call_id;
  struct request_item items[] = {{.role = ROLE_ASSISTANT, .parts = calls, .part_count = 1},
                                 {.role = ROLE_TOOL, .parts = results, .part_count = 1}};
  struct request r = {.items = items, .item_count = 2};
  assert_int_equal(request_pair_calls(&arena, &r, NULL), OK);
  assert_str(calls[0].call_id, before);
  assert_str(results[0].call_id, before);
  arena_clear(&arena);
}

/* 40,000 results that no call has the name of: looked for among all calls this would be 1.6 thousand million looks. */
TEST(a_hostile_list) {
  enum { MANY = 40000 };
  struct request_part *calls = calloc(MANY, sizeof *calls), *results = calloc(MANY, sizeof *results);
  assert_true(calls && results);
  for (size_t i = 0; i < MANY; i++) {
    calls[i] = (struct request_part)CALL(.name = STR("f"));
    results[i] = (struct request_part)RESULT(.name = STR("g"));
  }
  pair(calls, MANY, results, MANY);
  assert_null(lone.part); /* not looked for */
  assert_false(str_eq(results[MANY - 1].call_id, results[0].call_id));
  arena_clear(&arena);
  free(calls);
  free(results);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(results_find_their_calls_by_id_by_name_or_in_order),
      cmocka_unit_test(what_has_no_partner_is_found),
      cmocka_unit_test(calls_with_the_id_of_another_are_told_apart),
      cmocka_unit_test(made_ids_differ_from_those_that_callers_use),
      cmocka_unit_test(once_paired_nothing_changes),
      cmocka_unit_test(a_hostile_list),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
