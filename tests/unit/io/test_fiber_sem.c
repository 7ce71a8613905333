/* The semaphore: order, cancel, deadlines, and that no permit is ever lost. */
#include "in_fiber.h"

static struct fiber_sem sem;
static int order[8], order_count;

static void take_in_order(void *arg) {
  CHECK(fiber_sem_wait(&sem, DEADLINE_NONE) == OK);
  order[order_count++] = (int)(intptr_t)arg;
}
static void give_three(void *arg) {
  (void)arg;
  CHECK(fiber_yield() == OK);
  CHECK(order_count == 0);
  for (int i = 0; i < 3; i++) fiber_sem_post(&sem);
}

TEST(waiters_are_served_in_order) {
  struct loop *l = open_loop(NULL);
  fiber_sem_init(&sem, 0);
  order_count = 0;
  for (intptr_t i = 1; i <= 3; i++) assert_int_equal(fiber_spawn(NULL, take_in_order, (void *)i), OK);
  assert_int_equal(fiber_spawn(NULL, give_three, NULL), OK);
  finish_loop(l);
  for (int i = 0; i < 3; i++) assert_int_equal(order[i], i + 1);
  assert_int_equal(sem.permits, 0);
}

static void take_what_is_there(void *arg) {
  (void)arg;
  fiber_sem_init(&sem, 2);
  CHECK(fiber_sem_wait(&sem, 0) == OK); /* a deadline in the past asks without waiting */
  CHECK(fiber_sem_wait(&sem, DEADLINE_NONE) == OK);
  CHECK(fiber_sem_wait(&sem, 0) == ERR_TIMEOUT);
  CHECK(fiber_sem_wait(&sem, clock_deadline_ms(2)) == ERR_TIMEOUT);
  CHECK(sem.head == NULL && sem.tail == NULL && sem.permits == 0);
  fiber_sem_post(&sem);
  CHECK(sem.permits == 1);
}

TEST(permits_are_taken_at_once_or_by_the_deadline) { in_fiber(take_what_is_there); }

static enum err results[3];
static struct fiber_id ids[3];
static void take(void *arg) { results[(intptr_t)arg] = fiber_sem_wait(&sem, DEADLINE_NONE); }
static void cancel_the_second(void *arg) {
  (void)arg;
  CHECK(fiber_yield() == OK);
  fiber_cancel(ids[1]);
  CHECK(fiber_yield() == OK);
  CHECK(results[1] == ERR_CANCELLED);
  fiber_sem_post(&sem);
  fiber_sem_post(&sem);
}

TEST(a_cancelled_waiter_leaves_the_queue) {
  struct loop *l = open_loop(NULL);
  fiber_sem_init(&sem, 0);
  for (intptr_t i = 0; i < 3; i++) assert_int_equal(fiber_spawn(&ids[i], take, (void *)i), OK);
  assert_int_equal(fiber_spawn(NULL, cancel_the_second, NULL), OK);
  finish_loop(l);
  assert_int_equal(results[0], OK);
  assert_int_equal(results[2], OK);
  assert_null(sem.head);
  assert_int_equal(sem.permits, 0);
}

static void post_then_cancel(void *arg) {
  (void)arg;
  CHECK(fiber_yield() == OK);
  fiber_sem_post(&sem);
  fiber_cancel(ids[0]); /* after the grant: the permit is its own */
  fiber_cancel(ids[1]); /* before the grant, but it has not left the queue yet: its own as well */
  fiber_sem_post(&sem);
}
TEST(a_permit_that_met_a_cancel_is_not_lost) {
  struct loop *l = open_loop(NULL);
  fiber_sem_init(&sem, 0);
  for (intptr_t i = 0; i < 2; i++) assert_int_equal(fiber_spawn(&ids[i], take, (void *)i), OK);
  assert_int_equal(fiber_spawn(NULL, post_then_cancel, NULL), OK);
  finish_loop(l);
  assert_int_equal(results[0], OK);
  assert_int_equal(results[1], OK);
  assert_int_equal(sem.permits, 0);
}

static void wait_when_cancelled(void *arg) {
  (void)arg;
  fiber_sem_init(&sem, 1);
  fiber_cancel(fiber_self());
  CHECK(fiber_sem_wait(&sem, DEADLINE_NONE) == ERR_CANCELLED);
  CHECK(sem.permits == 1);
}

TEST(a_wait_begun_after_the_cancel_takes_nothing) { in_fiber(wait_when_cancelled); }

/* Random holders, cancels and deadlines: at the end every permit is back. */
enum { PERMITS = 5, HOLDERS = 200 };
static struct fiber_id holder_id[HOLDERS];
static unsigned held, held_most;
static void hold(void *arg) {
  uint32_t random = (uint32_t)(uintptr_t)arg * 2654435761u;
  for (int i = 0; i < 10; i++) {
    random = random * 1103515245u + 12345u;
    uint64_t deadline = random >> 16 & 1 ? clock_mono_us() + (random >> 20) : DEADLINE_NONE;
    enum err e = fiber_sem_wait(&sem, deadline);
    if (e == ERR_CANCELLED) return;
    if (e != OK) continue;
    if (++held > held_most) held_most = held;
    e = random >> 17 & 1 ? fiber_yield() : fiber_sleep_until(clock_mono_us() + (random >> 21));
    held--;
    fiber_sem_post(&sem);
    if (e != OK) return;
  }
}
static void cancel_some(void *arg) {
  (void)arg;
  for (int i = 0; i < HOLDERS; i += 3) {
    if (i % 30 == 0) pause_ms(1);
    fiber_cancel(holder_id[i]);
  }
}

TEST(permits_balance_under_cancels_and_deadlines) {
  struct loop *l = open_loop(NULL);
  fiber_sem_init(&sem, PERMITS);
  held = held_most = 0;
  for (uintptr_t i = 0; i < HOLDERS; i++) assert_int_equal(fiber_spawn(&holder_id[i], hold, (void *)(i + 1)), OK);
  assert_int_equal(fiber_spawn(NULL, cancel_some, NULL), OK);
  finish_loop(l);
  assert_int_equal(sem.permits, PERMITS);
  assert_null(sem.head);
  assert_true(held_most <= PERMITS && held_most > 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(waiters_are_served_in_order),
      cmocka_unit_test(permits_are_taken_at_once_or_by_the_deadline),
      cmocka_unit_test(a_cancelled_waiter_leaves_the_queue),
      cmocka_unit_test(a_permit_that_met_a_cancel_is_not_lost),
      cmocka_unit_test(a_wait_begun_after_the_cancel_takes_nothing),
      cmocka_unit_test(permits_balance_under_cancels_and_deadlines),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
