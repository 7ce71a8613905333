/* The pool's lanes through fiber_await: results, drop exactly once on every path, bounds, order, independence. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "in_fiber.h"

#include "io/pool.h"

/* A job that can be held until the test lets it go. */
struct gate {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  bool is_open;
};
static struct gate gate = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};

static void set_gate(bool is_open) {
  pthread_mutex_lock(&gate.lock);
  gate.is_open = is_open;
  pthread_cond_broadcast(&gate.changed);
  pthread_mutex_unlock(&gate.lock);
}

static atomic_uint runs, drops, foreign_drops, running, running_most;
static pthread_t loop_thread;

struct task {
  pthread_t ran_on;
  int number;
};

static struct task *task_new(int number) {
  struct task *t = calloc(1, sizeof *t);
  if (t) t->number = number;
  return t;
}

static int finished[64];
static atomic_uint finished_count;

static enum err work(void *arg) {
  struct task *t = arg;
  t->ran_on = pthread_self();
  finished[atomic_fetch_add(&finished_count, 1) % 64] = t->number;
  atomic_fetch_add(&runs, 1);
  return t->number == 7 ? ERR_NOT_FOUND : OK;
}

static enum err held_work(void *arg) {
  unsigned now = atomic_fetch_add(&running, 1) + 1, most = atomic_load(&running_most);
  while (now > most && !atomic_compare_exchange_weak(&running_most, &most, now)) continue;
  pthread_mutex_lock(&gate.lock);
  while (!gate.is_open) pthread_cond_wait(&gate.changed, &gate.lock);
  pthread_mutex_unlock(&gate.lock);
  atomic_fetch_sub(&running, 1);
  return work(arg);
}

static void drop(void *arg) {
  if (!pthread_equal(pthread_self(), loop_thread)) atomic_fetch_add(&foreign_drops, 1);
  atomic_fetch_add(&drops, 1);
  free(arg);
}

static struct loop *open_pool_loop(void) {
  loop_thread = pthread_self();
  runs = drops = foreign_drops = running = running_most = finished_count = 0;
  set_gate(false);
  return open_loop(NULL);
}

static void in_pool_fiber(void (*fn)(void *)) {
  struct loop *l = open_pool_loop();
  assert_int_equal(fiber_spawn(NULL, fn, NULL), OK);
  finish_loop(l);
  assert_int_equal(foreign_drops, 0);
}

static pthread_t ran_on;
static enum err tell_thread(void *arg) {
  *(pthread_t *)arg = pthread_self();
  return OK;
}
static void await_results(void *arg) {
  (void)arg;
  enum err result = ERR_IO;
  CHECK(fiber_await(POOL_CPU, work, task_new(1), drop, DEADLINE_NONE, &result) == OK && result == OK);
  CHECK(drops == 1);
  CHECK(fiber_await(POOL_FILE, work, task_new(7), drop, clock_deadline_ms(10000), &result) == OK);
  CHECK(result == ERR_NOT_FOUND && drops == 2);
  CHECK(fiber_await(POOL_DNS, tell_thread, &ran_on, NULL, DEADLINE_NONE, &result) == OK && result == OK);
  CHECK(!pthread_equal(ran_on, pthread_self()));
}

TEST(await_brings_the_jobs_result) { in_pool_fiber(await_results); }

static void await_too_late(void *arg) {
  (void)arg;
  enum err result = ERR_IO;
  CHECK(fiber_await(POOL_CPU, work, task_new(1), drop, 0, &result) == ERR_TIMEOUT);
  fiber_cancel(fiber_self());
  CHECK(fiber_await(POOL_CPU, work, task_new(1), drop, DEADLINE_NONE, &result) == ERR_CANCELLED);
  CHECK(drops == 2 && runs == 0 && result == ERR_IO);
}

TEST(await_begun_too_late_or_cancelled_runs_nothing) { in_pool_fiber(await_too_late); }

static enum err waiter_result;
static unsigned drops_when_back;
static uint64_t waiter_deadline_ms;
static void await_held(void *arg) {
  (void)arg;
  enum err result = OK;
  uint64_t deadline = clock_deadline_ms(waiter_deadline_ms);
  waiter_result = fiber_await(POOL_CPU, held_work, task_new(1), drop, deadline, &result);
  drops_when_back = drops;
}
static struct fiber_id waiter_id;
static void cancel_then_open(void *arg) {
  (void)arg;
  uint64_t give_up = clock_deadline_ms(10000);
  while (running == 0 && clock_mono_us() < give_up) pause_ms(1);
  if (waiter_deadline_ms == 0) fiber_cancel(waiter_id);
  while (fiber_is_live(waiter_id) && clock_mono_us() < give_up) pause_ms(1);
  CHECK(!fiber_is_live(waiter_id)); /* back although the job hangs */
  CHECK(running == 1 && drops == 0);
  set_gate(true);
}

static void leave_a_running_job(enum err expected) {
  struct loop *l = open_pool_loop();
  assert_int_equal(fiber_spawn(&waiter_id, await_held, NULL), OK);
  assert_int_equal(fiber_spawn(NULL, cancel_then_open, NULL), OK);
  finish_loop(l);
  assert_int_equal(waiter_result, expected);
  assert_int_equal(drops_when_back, 0);
  assert_int_equal(drops, 1); /* by the job, late; the loop waited for it */
  assert_int_equal(runs, 1);
  assert_int_equal(foreign_drops, 0);
}

TEST(cancel_leaves_a_running_job_behind) {
  waiter_deadline_ms = 0;
  leave_a_running_job(ERR_CANCELLED);
}

TEST(a_deadline_leaves_a_running_job_behind) {
  waiter_deadline_ms = 300; /* the job has surely begun */
  leave_a_running_job(ERR_TIMEOUT);
}

/* The slow lane: one runs, sixteen wait, the next is refused; the queue is served in order. */
enum { SLOW_RUN = 1, SLOW_WAIT = 16 };
static enum err slow_result[SLOW_RUN + SLOW_WAIT + 1];
static struct fiber_id slow_id[SLOW_RUN + SLOW_WAIT + 1];
static void await_slow(void *arg) {
  int i = (int)(intptr_t)arg;
  enum err result;
  slow_result[i] = fiber_await(POOL_SLOW, held_work, task_new(100 + i), drop, DEADLINE_NONE, &result);
}
static void overfill_slow(void *arg) {
  (void)arg;
  for (intptr_t i = 0; i < SLOW_RUN + SLOW_WAIT + 1; i++) {
    slow_result[i] = ERR_COUNT;
    CHECK(fiber_spawn(&slow_id[i], await_slow, (void *)i) == OK);
  }
  pause_ms(5);
  CHECK(slow_result[SLOW_RUN + SLOW_WAIT] == ERR_BUSY && drops == 1);
  /* Another lane is not touched by that. */
  enum err result = ERR_IO;
  CHECK(fiber_await(POOL_FILE, work, task_new(1), drop, clock_deadline_ms(10000), &result) == OK && result == OK);
  /* One that leaves the queue never runs, and makes room. */
  fiber_cancel(slow_id[5]);
  CHECK(fiber_yield() == OK);
  CHECK(slow_result[5] == ERR_CANCELLED && drops == 3);
  set_gate(true);
}

TEST(a_lane_is_bounded_ordered_and_independent) {
  in_pool_fiber(overfill_slow);
  assert_int_equal(running_most, 1);
  assert_int_equal(drops, SLOW_RUN + SLOW_WAIT + 2);
  assert_int_equal(runs, SLOW_RUN + SLOW_WAIT); /* with the one in the other lane, without the cancelled */
  int expected = 100;
  for (unsigned i = 1; i < finished_count; i++) { /* [0] is the other lane's */
    if (expected == 105) expected++;
    assert_int_equal(finished[i], expected++);
  }
}

static void await_file(void *arg) {
  (void)arg;
  enum err result;
  CHECK(fiber_await(POOL_FILE, held_work, task_new(1), drop, DEADLINE_NONE, &result) == OK);
}
static void fill_file_lane(void *arg) {
  (void)arg;
  for (int i = 0; i < 20; i++) CHECK(fiber_spawn(NULL, await_file, NULL) == OK);
  pause_ms(20);
  CHECK(running <= 2);
  set_gate(true);
}

TEST(a_lane_runs_no_more_than_its_permits) {
  in_pool_fiber(fill_file_lane);
  assert_true(running_most <= 2);
  assert_int_equal(runs, 20);
  assert_int_equal(drops, 20);
}

/* Several loops, many jobs, random cancels and deadlines: every drop once, on the right thread; permits balance. */
enum { LOOPS = 3, FIBERS = 60, JOBS = 15 };
struct shaken {
  atomic_uint drops, runs;
  pthread_t owner;
  bool is_own_thread;
};
static atomic_uint shaken_bad;
static enum err shaken_work(void *arg) {
  struct shaken *s = arg;
  if (atomic_fetch_add(&s->runs, 1) || atomic_load(&s->drops)) atomic_fetch_add(&shaken_bad, 1);
  struct timespec t = {0, 50000};
  nanosleep(&t, NULL);
  return OK;
}
static void shaken_drop(void *arg) {
  struct shaken *s = arg;
  if (atomic_fetch_add(&s->drops, 1) || !pthread_equal(s->owner, pthread_self())) atomic_fetch_add(&shaken_bad, 1);
  atomic_fetch_add(&drops, 1);
  free(s);
}
static void shake(void *arg) {
  uint32_t random = (uint32_t)(uintptr_t)arg * 2654435761u + 1;
  static const enum pool_lane lane[] = {POOL_SLOW, POOL_FILE, POOL_DNS, POOL_CPU};
  for (int i = 0; i < JOBS; i++) {
    random = random * 1103515245u + 12345u;
    struct shaken *s = calloc(1, sizeof *s);
    s->owner = pthread_self();
    uint64_t deadline = random >> 16 & 1 ? loop_now_us() + (random >> 21) : DEADLINE_NONE;
    enum err result, e = fiber_await(lane[random >> 18 & 3], shaken_work, s, shaken_drop, deadline, &result);
    atomic_fetch_add(&runs, 1);
    if (e == ERR_CANCELLED) return;
  }
}
static void *shake_loop(void *arg) {
  struct loop *l;
  struct fiber_id id[FIBERS];
  if (loop_new(&l, NULL, NULL) != OK) return NULL;
  for (uintptr_t i = 0; i < FIBERS; i++) {
    if (fiber_spawn(&id[i], shake, (void *)((uintptr_t)arg * 1000 + i)) != OK) atomic_fetch_add(&shaken_bad, 1);
  }
  for (int i = 0; i < 50; i++) {
    uv_run(loop_uv(l), UV_RUN_NOWAIT);
    struct timespec t = {0, 200000};
    nanosleep(&t, NULL);
    fiber_cancel(id[i]);
  }
  loop_stop(l);
  loop_run(l);
  loop_free(l);
  return NULL;
}

TEST(jobs_of_many_loops_all_come_to_an_end) {
  pthread_t thread[LOOPS];
  runs = drops = shaken_bad = 0;
  for (uintptr_t i = 0; i < LOOPS; i++) assert_int_equal(pthread_create(&thread[i], NULL, shake_loop, (void *)i), 0);
  for (int i = 0; i < LOOPS; i++) pthread_join(thread[i], NULL);
  assert_int_equal(shaken_bad, 0);
  assert_int_equal(drops, runs);
  assert_true(runs > LOOPS * FIBERS);
  /* All permits are back: the lane serves a whole queue again. */
  in_pool_fiber(overfill_slow);
  assert_int_equal(runs, SLOW_RUN + SLOW_WAIT);
}

TEST(the_operators_own_pool_size_stays) {
  const char *before = getenv("UV_THREADPOOL_SIZE");
  assert_non_null(before);
  assert_true(atoi(before) >= 4 + 2 + 2 + 1);
  char own[16];
  snprintf(own, sizeof own, "%s", before);
  setenv("UV_THREADPOOL_SIZE", "77", 1);
  pool_init();
  assert_string_equal(getenv("UV_THREADPOOL_SIZE"), "77");
  setenv("UV_THREADPOOL_SIZE", own, 1);
}

int main(void) {
  unsetenv("UV_THREADPOOL_SIZE");
  pool_init();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(await_brings_the_jobs_result),
      cmocka_unit_test(await_begun_too_late_or_cancelled_runs_nothing),
      cmocka_unit_test(cancel_leaves_a_running_job_behind),
      cmocka_unit_test(a_deadline_leaves_a_running_job_behind),
      cmocka_unit_test(a_lane_is_bounded_ordered_and_independent),
      cmocka_unit_test(a_lane_runs_no_more_than_its_permits),
      cmocka_unit_test(jobs_of_many_loops_all_come_to_an_end),
      cmocka_unit_test(the_operators_own_pool_size_stays),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
