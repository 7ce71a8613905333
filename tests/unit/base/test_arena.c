/* Memory with one end. */
#include "base/arena.h"

#include "unit.h"

TEST(allocations_are_aligned_and_apart) {
  struct arena a;
  arena_init(&a, 0);
  assert_int_equal(a.held_bytes, 0);
  char *last = NULL;
  for (size_t n = 0; n < 3000; n += 7) {
    char *p = arena_alloc(&a, n);
    assert_non_null(p);
    assert_int_equal((uintptr_t)p % 16, 0);
    assert_true(p != last); /* even one of no bytes has a place of its own */
    memset(p, 0xa5, n);
    last = p;
  }
  const unsigned char *zeros = arena_zalloc(&a, 100);
  for (int i = 0; i < 100; i++) assert_int_equal(zeros[i], 0);
  arena_clear(&a);
  assert_int_equal(a.held_bytes, 0);
  assert_non_null(arena_alloc(&a, 0)); /* the first of all, too */
  arena_clear(&a);
}

TEST(a_large_one_leaves_the_rest_of_the_block_in_use) {
  struct arena a;
  arena_init(&a, 0);
  char *small = arena_alloc(&a, 16), *large = arena_alloc(&a, 1 << 20), *next = arena_alloc(&a, 16);
  assert_non_null(large);
  assert_true(next == small + 16);
  memset(large, 1, 1 << 20);
  arena_clear(&a);
}

TEST(the_limit_holds) {
  struct arena a;
  arena_init(&a, 10000);
  assert_null(arena_alloc(&a, 10000));
  assert_non_null(arena_alloc(&a, 4000));
  assert_non_null(arena_alloc(&a, 4000)); /* a doubled block does not fit any more, one of its own does */
  assert_null(arena_alloc(&a, 4000));
  assert_true(a.held_bytes <= 10000);
  assert_null(arena_dup(&a, str_from("x", SIZE_MAX)).p);
  assert_null(arena_alloc(&a, SIZE_MAX));
  assert_null(arena_zalloc_array(&a, SIZE_MAX / 2, 16));
  arena_clear(&a);
  assert_non_null(arena_alloc(&a, 4000)); /* and after it all is there again */
  arena_clear(&a);
}

TEST(strings_end_in_a_nul) {
  struct arena a;
  arena_init(&a, 0);
  struct str s = arena_dup(&a, STR("abc"));
  assert_str(s, STR("abc"));
  assert_int_equal(s.p[3], 0);
  s = arena_dup(&a, STR_NONE);
  assert_int_equal(s.n, 0);
  assert_int_equal(s.p[0], 0);
  s = arena_printf(&a, "%s-%d", "x", 42);
  assert_str(s, STR("x-42"));
  assert_int_equal(s.p[4], 0);
  arena_clear(&a);
}

TEST(arrays_grow_in_place_where_they_can) {
  struct arena a;
  arena_init(&a, 0);
  char *p = arena_realloc(&a, NULL, 0, 10);
  memcpy(p, "0123456789", 10);
  assert_true(arena_realloc(&a, p, 10, 1000) == p); /* the newest */
  assert_true(arena_realloc(&a, p, 1000, 20) == p);
  char *q = arena_alloc(&a, 1);
  assert_true(q == p + 32);
  char *moved = arena_realloc(&a, p, 20, 40);
  assert_true(moved != p);
  assert_memory_equal(moved, "0123456789", 10);
  size_t n = 100000;
  char *big = arena_alloc(&a, n);
  memset(big, 7, n);
  size_t before = a.held_bytes;
  for (; n < 1600000; n *= 2) {
    big = arena_realloc(&a, big, n, n * 2);
    assert_non_null(big);
    assert_int_equal(big[n - 1], 7);
    memset(big, 7, n * 2);
  }
  assert_true(a.held_bytes <= before + 1600000); /* nothing is left behind */
  arena_clear(&a);
  arena_init(&a, 200000);
  big = arena_alloc(&a, 100000); /* alone in an empty arena */
  assert_true((big = arena_realloc(&a, big, 100000, 150000)) != NULL);
  assert_null(arena_realloc(&a, big, 150000, 250000));
  big[149999] = 1; /* still there */
  assert_non_null(arena_alloc(&a, 100));
  arena_clear(&a);
}

static char order[8];
static size_t ran;
static void note(void *arg) { order[ran++] = *(const char *)arg; }
static void note_later(void *arg) {
  note("b");
  assert_true(arena_on_clear(arg, note, "c"));
}

TEST(hooks_run_once_newest_first) {
  struct arena a;
  ran = 0;
  arena_init(&a, 0);
  assert_true(arena_on_clear(&a, note, "d"));
  assert_true(arena_on_clear(&a, note_later, &a));
  assert_true(arena_on_clear(&a, note, "a"));
  arena_clear(&a);
  arena_clear(&a);
  assert_memory_equal(order, "abcd", 4);
  assert_int_equal(ran, 4);
  struct arena full;
  arena_init(&full, 1);
  assert_false(arena_on_clear(&full, note, "x"));
  arena_clear(&full);
  assert_int_equal(ran, 4);
}

static void count_reset(void *arg) { ++*(int *)arg; }

TEST(a_reset_keeps_one_small_block) {
  struct arena a;
  int runs = 0;
  arena_init(&a, 0);
  arena_reset(&a); /* nothing to keep */
  assert_int_equal(a.held_bytes, 0);
  char *first = arena_alloc(&a, 100);
  assert_non_null(first);
  const size_t small = a.held_bytes;
  assert_true(arena_on_clear(&a, count_reset, &runs));
  for (int i = 0; i < 100; i++) assert_non_null(arena_alloc(&a, 3000));
  assert_non_null(arena_alloc(&a, 1 << 20));
  arena_reset(&a);
  assert_int_equal(runs, 1);
  assert_int_equal(a.held_bytes, small);
  assert_ptr_equal(arena_alloc(&a, 100), first);
  assert_int_equal(a.held_bytes, small);
  arena_reset(&a);
  assert_int_equal(runs, 1);
  arena_clear(&a);
  assert_int_equal(a.held_bytes, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(allocations_are_aligned_and_apart),
      cmocka_unit_test(a_large_one_leaves_the_rest_of_the_block_in_use),
      cmocka_unit_test(the_limit_holds),
      cmocka_unit_test(strings_end_in_a_nul),
      cmocka_unit_test(arrays_grow_in_place_where_they_can),
      cmocka_unit_test(a_reset_keeps_one_small_block),
      cmocka_unit_test(hooks_run_once_newest_first),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
