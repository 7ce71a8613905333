/* Sessions: found while they last, gone at once, back after a restart, bounded. */
#include "state/session.h"

#include "one_store_rig.h"
#include "state/store/store.h"

static int setup(void **state) {
  one_store_rig_folder(state);
  assert_int_equal(store_start(rig.dir, "test", NULL), OK);
  return 0;
}

static int teardown(void **state) {
  session_clear();
  store_stop();
  return one_store_rig_clear(state);
}

static struct session make(unsigned n, int64_t user_id, int64_t at_us) {
  struct session s = {.user_id = user_id, .created_us = at_us, .seen_us = at_us, .expires_us = at_us + 1000000000};
  memcpy(s.key.bytes, &n, sizeof n);
  return s;
}

static bool is_there(unsigned n, int64_t now_us, int64_t idle_us) {
  struct session s = make(n, 0, 0), found;
  return session_find(&s.key, now_us, idle_us, &found);
}

enum { IDLE = 100000000 };

TEST(use_renews_and_time_ends_it) {
  struct session s = make(1, 7, 1000);
  assert_int_equal(session_add(&s, NULL), OK);
  assert_int_equal(session_count(), 1);
  assert_false(is_there(2, 1000, IDLE));
  assert_true(is_there(1, 1000 + IDLE - 1, IDLE));
  assert_true(is_there(1, 1000 + 2 * IDLE - 2, IDLE)); /* renewed by the look before */
  assert_false(is_there(1, 1000 + 3 * (int64_t)IDLE, IDLE));
  s = make(3, 7, 1000);
  assert_int_equal(session_add(&s, NULL), OK);
  for (int64_t t = 1000; t < s.expires_us; t += IDLE / 2) assert_true(is_there(3, t, IDLE));
  assert_false(is_there(3, s.expires_us, IDLE));
}

TEST(an_end_is_final) {
  struct session s = make(1, 7, 1000);
  assert_int_equal(session_add(&s, NULL), OK);
  assert_int_equal(session_end(&s.key, NULL), OK);
  assert_false(is_there(1, 1001, IDLE));
  assert_int_equal(session_end(&s.key, NULL), OK);
  session_clear();
  assert_int_equal(session_load(NULL), OK);
  assert_int_equal(session_count(), 0);
}

TEST(a_restart_brings_them_back_as_they_were_last_seen) {
  struct session s = make(1, 7, 1000), idle = make(2, 8, 1000), found;
  assert_int_equal(session_add(&s, NULL), OK);
  assert_int_equal(session_add(&idle, NULL), OK);
  assert_true(is_there(1, 1000 + IDLE - 5, IDLE));
  assert_int_equal(session_keep(1000 + IDLE, IDLE, NULL), OK);
  assert_int_equal(session_count(), 1); /* the other lay idle */
  session_clear();
  store_stop();
  assert_int_equal(store_start(rig.dir, "test", NULL), OK);
  assert_int_equal(session_load(NULL), OK);
  assert_int_equal(session_count(), 1);
  assert_true(session_find(&s.key, 1000 + IDLE, IDLE, &found));
  assert_int_equal(found.user_id, 7);
  assert_int_equal(found.created_us, 1000);
  assert_false(is_there(2, 1000 + IDLE, IDLE));
}

TEST(what_the_store_has_can_be_ended) {
  struct session s = make(1, 7, 1000);
  assert_int_equal(session_add(&s, NULL), OK);
  session_clear();
  assert_int_equal(session_end_stored(NULL), OK);
  assert_int_equal(session_load(NULL), OK);
  assert_int_equal(session_count(), 0);
}

TEST(sessions_leave_the_generation_alone) {
  uint64_t before = store_generation();
  struct session s = make(1, 7, 1000);
  assert_int_equal(session_add(&s, NULL), OK);
  assert_int_equal(session_end(&s.key, NULL), OK);
  assert_int_equal(store_generation(), before);
}

TEST(a_user_has_so_many_and_the_oldest_goes) {
  for (unsigned i = 0; i < SESSIONS_OF_USER_MAX + 3; i++) {
    struct session s = make(i, 7, 1000 + i);
    assert_int_equal(session_add(&s, NULL), OK);
  }
  assert_int_equal(session_count(), SESSIONS_OF_USER_MAX);
  assert_false(is_there(2, 2000, IDLE));
  assert_true(is_there(3, 2000, IDLE));
  session_clear();
  assert_int_equal(session_load(NULL), OK);
  assert_int_equal(session_count(), SESSIONS_OF_USER_MAX);
}

TEST(without_a_store_they_last_as_long_as_the_process) {
  struct session s = make(1, 0, 1000);
  store_stop();
  assert_int_equal(chmod(rig.dir, 0500), 0);
  if (geteuid() == 0) { /* whom no rights hold: nothing to see here but the table */
    assert_int_equal(chmod(rig.dir, 0700), 0);
    assert_int_equal(session_add(&s, NULL), OK);
  } else {
    assert_int_not_equal(session_add(&s, NULL), OK);
  }
  assert_true(is_there(1, 1001, IDLE));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(use_renews_and_time_ends_it, setup, teardown),
      cmocka_unit_test_setup_teardown(an_end_is_final, setup, teardown),
      cmocka_unit_test_setup_teardown(a_restart_brings_them_back_as_they_were_last_seen, setup, teardown),
      cmocka_unit_test_setup_teardown(what_the_store_has_can_be_ended, setup, teardown),
      cmocka_unit_test_setup_teardown(sessions_leave_the_generation_alone, setup, teardown),
      cmocka_unit_test_setup_teardown(a_user_has_so_many_and_the_oldest_goes, setup, teardown),
      cmocka_unit_test_setup_teardown(without_a_store_they_last_as_long_as_the_process, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
