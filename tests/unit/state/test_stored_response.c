/* Responses kept in memory: found by their owner alone, replaced, deleted, and gone by count, bytes and age. */
#include "state/stored_response.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "unit.h"

static struct arena arena;
static struct stored_responses *store;
static const struct stored_response_limits roomy = {100, 1 << 20, 1000};

static int setup(void **state) {
  (void)state;
  arena_init(&arena, 0);
  store = stored_response_new(&roomy);
  assert_non_null(store);
  return 0;
}
static int teardown(void **state) {
  (void)state;
  stored_response_free(store);
  arena_clear(&arena);
  return 0;
}

static struct stored_response made(struct str id, struct stored_response_item *item) {
  struct str input = STR("[{\"id\":\"in\"}]");
  *item = (struct stored_response_item){STR("in"), str_sub(input, 1, input.n - 1)};
  return (struct stored_response){
      .id = id, .response = STR("{\"r\":1}"), .input = input, .output = STR("[]"), .items = item, .item_count = 1};
}

static enum err put(const char *owner, const char *id, int64_t now_ms) {
  struct stored_response_item item;
  struct stored_response r = made(str_from_c(id), &item);
  return stored_response_put(store, str_from_c(owner), &r, now_ms, NULL);
}

static bool has(const char *owner, const char *id, int64_t now_ms) {
  struct stored_response r;
  enum err e;
  bool found = stored_response_get(store, str_from_c(owner), str_from_c(id), now_ms, &arena, &r, &e);
  assert_int_equal(e, OK);
  return found;
}

static bool has_item(const char *owner, const char *id, int64_t now_ms, struct str *json) {
  enum err e;
  bool found = stored_response_get_item(store, str_from_c(owner), str_from_c(id), now_ms, &arena, json, &e);
  assert_int_equal(e, OK);
  return found;
}

TEST(what_is_put_is_found_by_its_owner) {
  struct stored_response r;
  struct str json;
  enum err e;
  assert_int_equal(put("a", "resp_1", 0), OK);
  assert_true(stored_response_get(store, STR("a"), STR("resp_1"), 1, &arena, &r, &e));
  assert_str(r.id, STR("resp_1"));
  assert_str(r.response, STR("{\"r\":1}"));
  assert_str(r.input, STR("[{\"id\":\"in\"}]"));
  assert_str(r.output, STR("[]"));
  assert_true(has_item("a", "in", 1, &json));
  assert_str(json, STR("{\"id\":\"in\"}"));
  assert_false(has("b", "resp_1", 1));
  assert_false(has_item("b", "in", 1, &json));
  assert_false(has("a", "resp_2", 1));
  assert_false(stored_response_delete(store, STR("b"), STR("resp_1"), 1));
  assert_true(stored_response_delete(store, STR("a"), STR("resp_1"), 1));
  assert_false(has("a", "resp_1", 1));
  assert_false(has_item("a", "in", 1, &json));
  assert_int_equal(stored_response_sum(store).count, 0);
  assert_int_equal(stored_response_sum(store).bytes, 0);
}

TEST(one_id_of_two_owners) {
  assert_int_equal(put("a", "x", 0), OK);
  assert_int_equal(put("b", "x", 0), OK);
  assert_int_equal(put("b", "x", 0), OK);
  assert_int_equal(stored_response_sum(store).count, 2);
  assert_true(stored_response_delete(store, STR("a"), STR("x"), 0));
  assert_true(has("b", "x", 0));
}

TEST(the_newest_item_of_an_id_is_found) {
  struct str lists = STR("[1,2]");
  struct stored_response_item item = {STR("i"), str_sub(lists, 1, 2)};
  struct stored_response r = {.id = STR("r1"), .input = lists, .items = &item, .item_count = 1};
  struct str json;
  assert_int_equal(stored_response_put(store, STR("a"), &r, 0, NULL), OK);
  item.json = str_sub(lists, 3, 4);
  r.id = STR("r2");
  assert_int_equal(stored_response_put(store, STR("a"), &r, 0, NULL), OK);
  assert_true(has_item("a", "i", 0, &json));
  assert_str(json, STR("2"));
  assert_true(stored_response_delete(store, STR("a"), STR("r2"), 0));
  assert_true(has_item("a", "i", 0, &json));
  assert_str(json, STR("1"));
}

TEST(bounds_by_age_count_and_bytes) {
  assert_int_equal(put("a", "old", 0), OK);
  assert_true(has("a", "old", 999));
  assert_false(has("a", "old", 1000));
  stored_response_set_limits(store, &(struct stored_response_limits){2, 1 << 20, 1000}, 0);
  assert_int_equal(put("a", "1", 0), OK);
  assert_int_equal(put("a", "2", 0), OK);
  assert_int_equal(put("a", "3", 0), OK);
  assert_false(has("a", "1", 0));
  assert_true(has("a", "2", 0) && has("a", "3", 0));
  size_t one = stored_response_sum(store).bytes / 2;
  stored_response_set_limits(store, &(struct stored_response_limits){2, one, 1000}, 0);
  assert_false(has("a", "2", 0));
  assert_true(has("a", "3", 0));
  stored_response_set_limits(store, &(struct stored_response_limits){2, one - 1, 1000}, 0);
  assert_int_equal(put("a", "4", 0), ERR_BODY_TOO_LARGE);
  assert_int_equal(stored_response_sum(store).count, 0);
  stored_response_set_limits(store, &(struct stored_response_limits){0, 0, 0}, 0);
  assert_int_equal(put("a", "5", 0), OK);
  assert_false(has("a", "5", 0));
}

TEST(bad_ids_and_lists) {
  char id[STORED_RESPONSE_ID_MAX + 2];
  struct stored_response r = {.id = STR("x"), .item_count = STORED_RESPONSE_ITEMS_MAX + 1};
  memset(id, 'x', sizeof id);
  id[sizeof id - 1] = 0;
  assert_int_equal(put("a", "", 0), ERR_BAD_VALUE);
  assert_int_equal(put("a", id, 0), ERR_BAD_VALUE);
  id[sizeof id - 2] = 0;
  assert_int_equal(put("a", id, 0), OK);
  assert_int_equal(stored_response_put(store, STR("a"), &r, 0, NULL), ERR_BODY_TOO_LARGE);
}

TEST(a_copy_that_does_not_fit) {
  struct arena small;
  struct stored_response r = {0};
  enum err e;
  assert_int_equal(put("a", "x", 0), OK);
  arena_init(&small, 1);
  assert_false(stored_response_get(store, STR("a"), STR("x"), 0, &small, &r, &e));
  assert_int_equal(e, ERR_NO_MEMORY);
  assert_null(r.id.p);
  arena_clear(&small);
}

static void *work(void *arg) {
  struct arena mine;
  char id[16];
  arena_init(&mine, 0);
  for (int i = 0; i < 2000; i++) {
    struct stored_response_item item;
    struct stored_response r, got;
    enum err e;
    snprintf(id, sizeof id, "r%d", i % 50);
    r = made(str_from_c(id), &item);
    if (stored_response_put(store, str_from_c(arg), &r, i, NULL)) abort();
    if (stored_response_get(store, str_from_c(arg), r.id, i, &mine, &got, &e) && !str_eq(got.id, r.id)) abort();
    if (i % 7 == 0) stored_response_delete(store, str_from_c(arg), r.id, i);
    arena_reset(&mine);
  }
  arena_clear(&mine);
  return NULL;
}

TEST(many_threads) {
  static char *const owners[] = {"a", "b", "c", "d"};
  pthread_t threads[4];
  for (int i = 0; i < 4; i++) assert_int_equal(pthread_create(&threads[i], NULL, work, owners[i]), 0);
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  assert_true(stored_response_sum(store).count <= 100);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void) {
  const struct CMUnitTest tests[] = {
      T(what_is_put_is_found_by_its_owner),
      T(one_id_of_two_owners),
      T(the_newest_item_of_an_id_is_found),
      T(bounds_by_age_count_and_bytes),
      T(bad_ids_and_lists),
      T(a_copy_that_does_not_fit),
      T(many_threads),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
