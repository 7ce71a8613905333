/* Workers: starting all or none, the gate, broadcasting, stopping. */
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "in_fiber.h"

#include "io/worker.h"

enum { COUNT = 3 };

static atomic_uint starts, stops, fiber_ends, heard, mistakes;
static int failing_index;
static struct loop *loop_at_start[COUNT];

#define EXPECT(condition)                             \
  do {                                                \
    if (!(condition)) atomic_fetch_add(&mistakes, 1); \
  } while (0)

static void background(void *arg) {
  (void)arg;
  EXPECT(starts == COUNT || failing_index >= 0); /* the gate: nobody runs before all have started */
  EXPECT(fiber_sleep_until(DEADLINE_NONE) == ERR_CANCELLED);
  atomic_fetch_add(&fiber_ends, 1);
}

static enum err start(unsigned index, struct loop *loop, void *arg, struct err_info *info) {
  EXPECT(arg == &starts && worker_index() == index && loop_current() == loop);
  char name[16], expected[16];
  snprintf(expected, sizeof expected, "worker-%u", index);
  EXPECT(pthread_getname_np(pthread_self(), name, sizeof name) == 0 && strcmp(name, expected) == 0);
  if ((int)index == failing_index) return err_set(info, ERR_BAD_CONFIG, "worker %u says no", index);
  loop_at_start[index] = loop;
  EXPECT(fiber_spawn(NULL, background, NULL) == OK);
  atomic_fetch_add(&starts, 1);
  return OK;
}

static void stop(unsigned index, void *arg) {
  EXPECT(arg == &starts && worker_index() == index);
  EXPECT(loop_stats(loop_at_start[index])->fibers_live == 0);
  atomic_fetch_add(&stops, 1);
}

static struct worker_options options = {.count = COUNT, .start = start, .stop = stop, .arg = &starts};

static void reset(int failing) {
  starts = stops = fiber_ends = heard = mistakes = 0;
  failing_index = failing;
}

static void hear(unsigned index, void *arg) {
  EXPECT(index == worker_index() && arg == &heard);
  atomic_fetch_add(&heard, 1u << (4 * index));
  loop_cancel_all(loop_current());
}

TEST(workers_start_hear_and_stop) {
  struct workers *w = NULL;
  reset(-1);
  assert_int_equal(worker_index(), UINT_MAX);
  assert_int_equal(workers_start(&w, &options, NULL), OK);
  assert_int_equal(workers_count(w), COUNT);
  for (unsigned i = 0; i < COUNT; i++) assert_ptr_equal(workers_loop(w, i), loop_at_start[i]);
  workers_broadcast(w, hear, &heard);
  workers_stop(w);
  workers_stop(w);
  workers_join(w);
  assert_int_equal(heard, 0x111);
  assert_int_equal(starts, COUNT);
  assert_int_equal(stops, COUNT);
  assert_int_equal(fiber_ends, COUNT);
  assert_int_equal(mistakes, 0);
}

TEST(a_failing_start_ends_all_and_is_returned) {
  for (int failing = 0; failing < COUNT; failing++) {
    struct workers *w = NULL;
    struct err_info info = {0};
    reset(failing);
    assert_int_equal(workers_start(&w, &options, &info), ERR_BAD_CONFIG);
    char expected[32];
    snprintf(expected, sizeof expected, "worker %d says no", failing);
    assert_string_equal(info.text, expected);
    assert_null(w);
    assert_int_equal(starts, failing); /* the later ones were not tried */
    assert_int_equal(stops, failing);
    assert_int_equal(fiber_ends, failing);
    assert_int_equal(mistakes, 0);
  }
}

TEST(no_workers_are_refused) {
  struct workers *w = NULL;
  struct worker_options none = {.count = 0};
  assert_int_equal(workers_start(&w, &none, NULL), ERR_BAD_VALUE);
  workers_join(NULL);
}

TEST(start_and_stop_are_optional) {
  struct workers *w = NULL;
  struct worker_options bare = {.count = 1};
  assert_int_equal(workers_start(&w, &bare, NULL), OK);
  workers_stop(w);
  workers_join(w);
}

/* Posting while workers end: each post is run or refused. */
static atomic_uint posts_run;
static void count_post(void *arg) {
  (void)arg;
  atomic_fetch_add(&posts_run, 1);
}
static struct workers *ending;
static void *post_on(void *arg) {
  unsigned *accepted = arg;
  for (int i = 0; i < 2000; i++) {
    if (loop_post(workers_loop(ending, (unsigned)i % 2), count_post, NULL)) ++*accepted;
  }
  return NULL;
}

TEST(posts_to_ending_workers_are_run_or_refused) {
  struct worker_options bare = {.count = 2};
  pthread_t thread[2];
  unsigned accepted[2] = {0};
  posts_run = 0;
  assert_int_equal(workers_start(&ending, &bare, NULL), OK);
  for (int i = 0; i < 2; i++) assert_int_equal(pthread_create(&thread[i], NULL, post_on, &accepted[i]), 0);
  usleep(200);
  workers_stop(ending);
  for (int i = 0; i < 2; i++) pthread_join(thread[i], NULL);
  workers_join(ending);
  assert_int_equal(posts_run, accepted[0] + accepted[1]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(workers_start_hear_and_stop),
      cmocka_unit_test(a_failing_start_ends_all_and_is_returned),
      cmocka_unit_test(no_workers_are_refused),
      cmocka_unit_test(start_and_stop_are_optional),
      cmocka_unit_test(posts_to_ending_workers_are_run_or_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
