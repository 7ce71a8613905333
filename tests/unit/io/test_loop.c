/* The loop: posting, hooks, stopping, the clock and the watchdog. */
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "unit.h"

#include "io/fiber.h"
#include "io/loop.h"

static struct loop *open_loop(void) {
  struct loop *l = NULL;
  assert_int_equal(loop_new(&l, NULL, NULL), OK);
  return l;
}

static void stop_here(void *arg) { loop_stop(arg); }

TEST(a_loop_that_is_stopped_ends) {
  struct loop *l = open_loop();
  assert_ptr_equal(loop_current(), l);
  loop_stop(l);
  loop_run(l);
  loop_free(l);
  assert_null(loop_current());
}

TEST(a_second_loop_on_one_thread_is_refused) {
  struct loop *l = open_loop(), *other = NULL;
  struct err_info info = {0};
  assert_int_equal(loop_new(&other, NULL, &info), ERR_INTERNAL);
  assert_null(other);
  assert_true(info.text[0] != 0);
  loop_free(l);
}

static int order[8], order_count;
static void note(void *arg) { order[order_count++] = *(int *)arg; }

TEST(posted_functions_run_in_order) {
  struct loop *l = open_loop();
  static int one = 1, two = 2, three = 3;
  order_count = 0;
  assert_true(loop_post(l, note, &one));
  assert_true(loop_post(l, note, &two));
  assert_true(loop_post(l, note, &three));
  assert_true(loop_post(l, stop_here, l));
  loop_run(l);
  assert_int_equal(order_count, 3);
  for (int i = 0; i < 3; i++) assert_int_equal(order[i], i + 1);
  assert_false(loop_post(l, note, &one));
  loop_free(l);
}

struct poster {
  struct loop *loop;
  unsigned sent, ran;
};

static void count_run(void *arg) { ((struct poster *)arg)->ran++; }

static void *post_many(void *arg) {
  struct poster *p = arg;
  for (int i = 0; i < 1000; i++) {
    if (loop_post(p->loop, count_run, p)) p->sent++;
  }
  return NULL;
}

TEST(what_loop_post_accepted_from_other_threads_has_run) {
  struct loop *l = open_loop();
  pthread_t thread[3];
  struct poster poster[3] = {0};
  for (int i = 0; i < 3; i++) {
    poster[i].loop = l;
    assert_int_equal(pthread_create(&thread[i], NULL, post_many, &poster[i]), 0);
  }
  assert_true(loop_post(l, stop_here, l)); /* while they post */
  loop_run(l);
  for (int i = 0; i < 3; i++) pthread_join(thread[i], NULL);
  for (int i = 0; i < 3; i++) assert_int_equal(poster[i].ran, poster[i].sent);
  loop_free(l);
}

struct counting_hook {
  struct loop_hook hook;
  unsigned calls;
};
static void count_hook(struct loop_hook *hook) { ((struct counting_hook *)hook)->calls++; }

struct removing_hook {
  struct loop_hook hook;
  struct loop *loop;
  struct loop_hook *victim;
};
static void remove_other(struct loop_hook *hook) {
  struct removing_hook *r = (struct removing_hook *)hook;
  if (r->victim) loop_hook_remove(r->loop, r->victim);
  r->victim = NULL;
}

TEST(hooks_run_until_removed_even_by_each_other) {
  struct loop *l = open_loop();
  struct counting_hook kept = {{count_hook, NULL}, 0}, victim = {{count_hook, NULL}, 0};
  struct removing_hook remover = {{remove_other, NULL}, l, &victim.hook};
  loop_hook_add(l, &remover.hook);
  loop_hook_add(l, &victim.hook);
  loop_hook_add(l, &kept.hook);
  loop_stop(l);
  loop_run(l);
  assert_int_equal(victim.calls, 0);
  assert_true(kept.calls > 0);
  loop_hook_remove(l, &kept.hook);
  loop_hook_remove(l, &kept.hook); /* absent: harmless */
  loop_free(l);
}

static unsigned hook_calls_seen;
static struct counting_hook *watched_hook;
static void note_hook_calls(void *arg) {
  (void)arg;
  hook_calls_seen = watched_hook->calls;
}

TEST(hooks_run_before_the_fibers_of_a_turn_and_again_after_them) {
  struct loop *l = open_loop();
  struct counting_hook hook = {{count_hook, NULL}, 0};
  watched_hook = &hook;
  loop_hook_add(l, &hook.hook);
  assert_int_equal(fiber_spawn(NULL, note_hook_calls, NULL), OK);
  loop_stop(l);
  loop_run(l);
  assert_int_equal(hook_calls_seen, 1);
  assert_true(hook.calls >= 2);
  loop_free(l);
}

/* A library that does what a fiber asked for in the hook after it. */
struct serving_hook {
  struct loop_hook hook;
  struct fiber_id asker;
  bool is_asked;
};
static void serve(struct loop_hook *hook) {
  struct serving_hook *s = (struct serving_hook *)hook;
  if (s->is_asked) fiber_wake(s->asker);
  s->is_asked = false;
}
static unsigned served;
static void ask_often(void *arg) {
  struct serving_hook *s = arg;
  s->asker = fiber_self();
  for (int i = 0; i < 100; i++) { /* more than the rounds of a turn */
    s->is_asked = true;
    if (fiber_park(DEADLINE_NONE) != OK || s->is_asked) return;
    served++;
  }
}

TEST(poll_does_not_block_before_the_hooks_have_seen_what_fibers_did) {
  struct loop *l = open_loop();
  struct serving_hook s = {.hook = {serve, NULL}};
  served = 0;
  loop_hook_add(l, &s.hook);
  assert_int_equal(fiber_spawn(NULL, ask_often, &s), OK);
  loop_stop(l);
  loop_run(l);
  assert_int_equal(served, 100);
  loop_free(l);
}

static uint64_t seen_now, seen_clock;
static void look_at_clock(void *arg) {
  seen_now = loop_now_us();
  seen_clock = clock_mono_us();
  if (arg) loop_stop(arg);
}
static void *post_later(void *arg) {
  struct timespec t = {0, 30000000};
  /* The first ends a poll, so that the second finds a loop that has read its clock before. */
  bool is_posted = loop_post(arg, look_at_clock, NULL);
  nanosleep(&t, NULL);
  if (!loop_post(arg, look_at_clock, arg) || !is_posted) loop_stop(arg);
  return NULL;
}

TEST(the_cached_clock_is_fresh_in_polls_callbacks) {
  struct loop *l = open_loop();
  uint64_t before = loop_now_us();
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, post_later, l), 0);
  loop_run(l);
  pthread_join(thread, NULL);
  assert_true(seen_now >= before + 20000);
  assert_true(seen_now <= seen_clock);
  loop_free(l);
}

static void hold_the_loop(void *arg) {
  (void)arg;
  struct timespec t = {0, 12000000};
  nanosleep(&t, NULL);
}

TEST(the_watchdog_counts_a_slow_turn) {
  struct loop *l = open_loop();
  assert_int_equal(loop_stats(l)->slow_turns, 0);
  assert_true(loop_post(l, hold_the_loop, NULL)); /* in poll's callbacks */
  assert_true(loop_post(l, stop_here, l));
  loop_run(l);
  assert_true(loop_stats(l)->slow_turns >= 1);
  assert_true(loop_stats(l)->slowest_turn_us >= 10000);
  assert_true(loop_stats(l)->turns >= 1);
  loop_free(l);
}

static struct fiber_id sleeper;
static enum err sleeper_result;
static void sleep_for_ever(void *arg) {
  (void)arg;
  sleeper_result = fiber_sleep_until(DEADLINE_NONE);
}
static void stop_then_cancel(void *arg) {
  loop_stop(arg);
  assert_true(fiber_is_live(sleeper));
  loop_cancel_all(arg);
}

TEST(stop_waits_for_fibers_and_cancel_all_ends_them) {
  struct loop *l = open_loop();
  sleeper_result = OK;
  assert_int_equal(fiber_spawn(&sleeper, sleep_for_ever, NULL), OK);
  assert_true(loop_post(l, stop_then_cancel, l));
  loop_run(l);
  assert_int_equal(sleeper_result, ERR_CANCELLED);
  assert_false(fiber_is_live(sleeper));
  assert_int_equal(loop_stats(l)->fibers_live, 0);
  loop_free(l);
}

static bool late_ran;
static void late_fiber(void *arg) {
  (void)arg;
  late_ran = true;
}
static void spawn_late(uv_handle_t *handle) {
  (void)handle;
  assert_int_equal(fiber_spawn(NULL, late_fiber, NULL), OK);
}
static void close_handle(uv_timer_t *timer) { uv_close((uv_handle_t *)timer, spawn_late); }

TEST(a_fiber_spawned_by_the_last_close_still_runs) {
  struct loop *l = open_loop();
  late_ran = false;
  uv_timer_t timer;
  uv_timer_init(loop_uv(l), &timer);
  uv_timer_start(&timer, close_handle, 1, 0);
  loop_stop(l);
  loop_run(l);
  assert_true(late_ran);
  loop_free(l);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_loop_that_is_stopped_ends),
      cmocka_unit_test(a_second_loop_on_one_thread_is_refused),
      cmocka_unit_test(posted_functions_run_in_order),
      cmocka_unit_test(what_loop_post_accepted_from_other_threads_has_run),
      cmocka_unit_test(hooks_run_until_removed_even_by_each_other),
      cmocka_unit_test(hooks_run_before_the_fibers_of_a_turn_and_again_after_them),
      cmocka_unit_test(poll_does_not_block_before_the_hooks_have_seen_what_fibers_did),
      cmocka_unit_test(the_cached_clock_is_fresh_in_polls_callbacks),
      cmocka_unit_test(the_watchdog_counts_a_slow_turn),
      cmocka_unit_test(stop_waits_for_fibers_and_cancel_all_ends_them),
      cmocka_unit_test(a_fiber_spawned_by_the_last_close_still_runs),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
