/* Groups: joining, first success, and that no child outlives the scope on any path. */
#include "in_fiber.h"

struct child {
  unsigned turns; /* how long it lives, 0: for ever; time would make the order a matter of luck */
  enum err result;
  bool has_ended, was_cancelled;
  uint64_t unwind_ms; /* more than the others */
};

static enum err live_a_while(void *arg) {
  struct child *c = arg;
  enum err e = OK;
  if (c->turns == 0) e = fiber_sleep_until(DEADLINE_NONE);
  for (unsigned i = 0; e == OK && i < c->turns; i++) e = fiber_yield();
  c->was_cancelled = e == ERR_CANCELLED;
  if (c->was_cancelled) { /* unwinding takes time, which the join must wait for */
    fiber_shield_begin(clock_deadline_ms(1000));
    pause_ms(3 + c->unwind_ms);
    fiber_shield_end();
  }
  c->has_ended = true;
  return e != OK ? e : c->result;
}

static void join_successes(void *arg) {
  (void)arg;
  struct child c[3] = {{.turns = 3}, {.turns = 1}, {.turns = 5}};
  struct fiber_group g;
  fiber_group_init(&g);
  for (int i = 0; i < 3; i++) CHECK(fiber_group_go(&g, live_a_while, &c[i]) == OK);
  CHECK(g.live == 3);
  CHECK(fiber_group_join_all(&g, clock_deadline_ms(10000)) == OK);
  for (int i = 0; i < 3; i++) CHECK(c[i].has_ended && g.is_done[i] && g.result[i] == OK);
  CHECK(g.live == 0);
  fiber_group_end(&g);
  fiber_group_end(&g);
}

TEST(join_all_waits_for_all) { in_fiber(join_successes); }

static void join_failure(void *arg) {
  (void)arg;
  struct child c[4] = {
      {.turns = 0}, {.turns = 1}, {.turns = 0, .result = ERR_IO}, {.turns = 2, .result = ERR_UPSTREAM_CUT}};
  struct fiber_group g;
  fiber_group_init(&g);
  for (int i = 0; i < 4; i++) CHECK(fiber_group_go(&g, live_a_while, &c[i]) == OK);
  CHECK(fiber_group_join_all(&g, DEADLINE_NONE) == ERR_UPSTREAM_CUT); /* the first in time, not in number */
  for (int i = 0; i < 4; i++) CHECK(c[i].has_ended);
  CHECK(c[0].was_cancelled && c[2].was_cancelled && !c[1].was_cancelled);
  CHECK(g.result[0] == ERR_CANCELLED && g.result[1] == OK);
}

TEST(join_all_ends_at_the_first_failure_with_all_joined) { in_fiber(join_failure); }

static enum err fail_at_once(void *arg) { return *(enum err *)arg; }
static void fail_together(void *arg) {
  (void)arg;
  enum err failure[2] = {ERR_IO, ERR_UPSTREAM_CUT};
  struct fiber_group g;
  unsigned winner;
  fiber_group_init(&g);
  for (int i = 0; i < 2; i++) CHECK(fiber_group_go(&g, fail_at_once, &failure[i]) == OK);
  CHECK(fiber_group_join_all(&g, DEADLINE_NONE) == ERR_IO);
  fiber_group_init(&g);
  for (int i = 0; i < 2; i++) CHECK(fiber_group_go(&g, fail_at_once, &failure[i]) == OK);
  CHECK(fiber_group_first_ok(&g, DEADLINE_NONE, &winner) == ERR_UPSTREAM_CUT);
}

TEST(failures_of_one_turn_keep_their_order) { in_fiber(fail_together); }

static void join_late(void *arg) {
  (void)arg;
  struct child c[2] = {{.turns = 0}, {.turns = 0}};
  struct fiber_group g;
  fiber_group_init(&g);
  for (int i = 0; i < 2; i++) CHECK(fiber_group_go(&g, live_a_while, &c[i]) == OK);
  uint64_t deadline = clock_deadline_ms(5);
  CHECK(fiber_group_join_all(&g, deadline) == ERR_TIMEOUT);
  CHECK(clock_mono_us() >= deadline);
  for (int i = 0; i < 2; i++) CHECK(c[i].has_ended && c[i].was_cancelled);
}

TEST(join_all_cancels_and_joins_at_its_deadline) { in_fiber(join_late); }

static void first_of_three(void *arg) {
  (void)arg;
  struct child c[4] = {{.turns = 0}, {.turns = 2, .result = ERR_IO}, {.turns = 5}, {.turns = 0}};
  struct fiber_group g;
  unsigned winner = 99;
  fiber_group_init(&g);
  for (int i = 0; i < 4; i++) CHECK(fiber_group_go(&g, live_a_while, &c[i]) == OK);
  CHECK(fiber_group_first_ok(&g, clock_deadline_ms(10000), &winner) == OK);
  CHECK(winner == 2);
  for (int i = 0; i < 4; i++) CHECK(c[i].has_ended);
  CHECK(c[0].was_cancelled && c[3].was_cancelled && !c[1].was_cancelled && !c[2].was_cancelled);
  CHECK(g.live == 0);
}

TEST(first_ok_cancels_and_joins_the_losers) { in_fiber(first_of_three); }

static void all_fail(void *arg) {
  (void)arg;
  struct child c[2] = {{.turns = 4, .result = ERR_CONNECT_FAILED}, {.turns = 1, .result = ERR_UPSTREAM_STATUS}};
  struct fiber_group g;
  unsigned winner = 99;
  fiber_group_init(&g);
  for (int i = 0; i < 2; i++) CHECK(fiber_group_go(&g, live_a_while, &c[i]) == OK);
  CHECK(fiber_group_first_ok(&g, DEADLINE_NONE, &winner) == ERR_CONNECT_FAILED); /* the last in time */
  CHECK(winner == 99);
  fiber_group_init(&g);
  CHECK(fiber_group_first_ok(&g, DEADLINE_NONE, &winner) == ERR_NOT_FOUND);
  CHECK(fiber_group_join_all(&g, DEADLINE_NONE) == OK);
  struct child silent = {.turns = 0};
  CHECK(fiber_group_go(&g, live_a_while, &silent) == OK);
  CHECK(fiber_group_first_ok(&g, clock_deadline_ms(2), &winner) == ERR_TIMEOUT);
  CHECK(silent.has_ended && winner == 99);
}

TEST(first_ok_without_a_winner_fails) { in_fiber(all_fail); }

static struct fiber_id parent_id;
static struct child orphan[2];
static enum err parent_result;
static bool is_parent_first_ok;
static void parent(void *arg) {
  (void)arg;
  struct fiber_group g;
  unsigned winner;
  fiber_group_init(&g);
  for (int i = 0; i < 2; i++) {
    orphan[i] = (struct child){.turns = 0};
    CHECK(fiber_group_go(&g, live_a_while, &orphan[i]) == OK);
  }
  parent_result =
      is_parent_first_ok ? fiber_group_first_ok(&g, DEADLINE_NONE, &winner) : fiber_group_join_all(&g, DEADLINE_NONE);
  for (int i = 0; i < 2; i++) CHECK(orphan[i].has_ended && orphan[i].was_cancelled);
}
static void cancel_parent(void *arg) {
  (void)arg;
  pause_ms(2);
  fiber_cancel(parent_id);
}

TEST(cancelling_the_owner_cancels_and_joins_the_children) {
  for (int i = 0; i < 2; i++) {
    struct loop *l = open_loop(NULL);
    is_parent_first_ok = i == 1;
    assert_int_equal(fiber_spawn(&parent_id, parent, NULL), OK);
    assert_int_equal(fiber_spawn(NULL, cancel_parent, NULL), OK);
    finish_loop(l);
    assert_int_equal(parent_result, ERR_CANCELLED);
  }
}

static void leave_early(void *arg) {
  (void)arg;
  struct child c[3] = {{.turns = 0}, {.turns = 0, .unwind_ms = 6}, {.turns = 0, .unwind_ms = 3}};
  struct fiber_group g;
  fiber_group_init(&g);
  for (int i = 0; i < 3; i++) CHECK(fiber_group_go(&g, live_a_while, &c[i]) == OK);
  CHECK(fiber_yield() == OK);
  /* Even where every ordinary wait would end at once. */
  fiber_cancel(fiber_self());
  fiber_shield_begin(0);
  fiber_group_end(&g);
  fiber_shield_end();
  for (int i = 0; i < 3; i++) CHECK(c[i].has_ended && c[i].was_cancelled);
  fiber_group_end(&g);
}

TEST(end_cancels_and_joins_even_a_cancelled_owners_children) { in_fiber(leave_early); }

static enum err do_nothing(void *arg) {
  (void)arg;
  return OK;
}
static void fill_group(void *arg) {
  (void)arg;
  struct fiber_group g;
  fiber_group_init(&g);
  for (int i = 0; i < FIBER_GROUP_MAX; i++) CHECK(fiber_group_go(&g, do_nothing, NULL) == OK);
  CHECK(fiber_group_go(&g, do_nothing, NULL) == ERR_BUSY);
  CHECK(fiber_group_join_all(&g, DEADLINE_NONE) == OK);
}

TEST(a_group_is_bounded) { in_fiber(fill_group); }

static void fill_scheduler(void *arg) {
  (void)arg;
  struct fiber_group g;
  struct child c = {.turns = 0};
  fiber_group_init(&g);
  CHECK(fiber_group_go(&g, live_a_while, &c) == OK);
  CHECK(fiber_group_go(&g, live_a_while, &c) == ERR_BUSY);
  CHECK(g.count == 1 && g.live == 1);
  fiber_group_end(&g);
}

TEST(a_full_scheduler_refuses_a_child) {
  struct loop *l = open_loop(&(struct loop_options){.fibers_max = 2});
  assert_int_equal(fiber_spawn(NULL, fill_scheduler, NULL), OK);
  finish_loop(l);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(join_all_waits_for_all),
      cmocka_unit_test(join_all_ends_at_the_first_failure_with_all_joined),
      cmocka_unit_test(failures_of_one_turn_keep_their_order),
      cmocka_unit_test(join_all_cancels_and_joins_at_its_deadline),
      cmocka_unit_test(first_ok_cancels_and_joins_the_losers),
      cmocka_unit_test(first_ok_without_a_winner_fails),
      cmocka_unit_test(cancelling_the_owner_cancels_and_joins_the_children),
      cmocka_unit_test(end_cancels_and_joins_even_a_cancelled_owners_children),
      cmocka_unit_test(a_group_is_bounded),
      cmocka_unit_test(a_full_scheduler_refuses_a_child),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
