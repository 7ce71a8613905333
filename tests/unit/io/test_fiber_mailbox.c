/* The mailbox: order, bound, cancel, and that no message is ever lost. */
#include "in_fiber.h"

static struct fiber_mailbox box;
static int letters[16];

static void fill_and_empty(void *arg) {
  (void)arg;
  void *got = NULL;
  CHECK(fiber_mailbox_init(&box, 3) == OK);
  for (int round = 0; round < 5; round++) { /* the ring wraps */
    for (int i = 0; i < 3; i++) CHECK(fiber_mailbox_put(&box, &letters[i]) == OK);
    CHECK(fiber_mailbox_put(&box, &letters[3]) == ERR_BUSY);
    CHECK(fiber_mailbox_get(&box, &got, 0) == OK && got == &letters[0]);
    CHECK(fiber_mailbox_put(&box, &letters[4]) == OK);
    CHECK(fiber_mailbox_get(&box, &got, 0) == OK && got == &letters[1]);
    CHECK(fiber_mailbox_get(&box, &got, 0) == OK && got == &letters[2]);
    CHECK(fiber_mailbox_get(&box, &got, 0) == OK && got == &letters[4]);
    CHECK(fiber_mailbox_get(&box, &got, 0) == ERR_TIMEOUT && got == &letters[4]);
  }
  fiber_mailbox_clear(&box);
  fiber_mailbox_clear(&box);
}

TEST(messages_come_in_order_and_the_box_is_bounded) { in_fiber(fill_and_empty); }

static struct fiber_id reader_id[2];
static void *read_message[2];
static enum err read_result[2];
static void read_one(void *arg) {
  intptr_t i = (intptr_t)arg;
  read_result[i] = fiber_mailbox_get(&box, &read_message[i], DEADLINE_NONE);
}
static void write_two(void *arg) {
  (void)arg;
  CHECK(fiber_yield() == OK);
  CHECK(fiber_mailbox_put(&box, &letters[0]) == OK);
  CHECK(fiber_mailbox_put(&box, &letters[1]) == OK);
}

TEST(waiting_readers_are_served_in_order) {
  struct loop *l = open_loop(NULL);
  assert_int_equal(fiber_mailbox_init(&box, 1), OK); /* readers take past the bound */
  for (intptr_t i = 0; i < 2; i++) assert_int_equal(fiber_spawn(NULL, read_one, (void *)i), OK);
  assert_int_equal(fiber_spawn(NULL, write_two, NULL), OK);
  finish_loop(l);
  for (int i = 0; i < 2; i++) {
    assert_int_equal(read_result[i], OK);
    assert_ptr_equal(read_message[i], &letters[i]);
  }
  fiber_mailbox_clear(&box);
}

static void cancel_reader(void *arg) {
  (void)arg;
  CHECK(fiber_yield() == OK);
  fiber_cancel(reader_id[0]);
  CHECK(fiber_yield() == OK);
  CHECK(read_result[0] == ERR_CANCELLED);
  CHECK(box.head == NULL);
  CHECK(fiber_mailbox_put(&box, &letters[0]) == OK); /* nobody waits: kept */
  CHECK(box.count == 1);
}

TEST(a_cancelled_reader_takes_nothing) {
  struct loop *l = open_loop(NULL);
  assert_int_equal(fiber_mailbox_init(&box, 1), OK);
  assert_int_equal(fiber_spawn(&reader_id[0], read_one, (void *)0), OK);
  assert_int_equal(fiber_spawn(NULL, cancel_reader, NULL), OK);
  finish_loop(l);
  fiber_mailbox_clear(&box);
}

static void put_then_cancel(void *arg) {
  (void)arg;
  CHECK(fiber_yield() == OK);
  CHECK(fiber_mailbox_put(&box, &letters[2]) == OK);
  fiber_cancel(reader_id[0]);
}

TEST(a_message_that_met_a_cancel_is_not_lost) {
  struct loop *l = open_loop(NULL);
  assert_int_equal(fiber_mailbox_init(&box, 1), OK);
  assert_int_equal(fiber_spawn(&reader_id[0], read_one, (void *)0), OK);
  assert_int_equal(fiber_spawn(NULL, put_then_cancel, NULL), OK);
  finish_loop(l);
  assert_int_equal(read_result[0], OK);
  assert_ptr_equal(read_message[0], &letters[2]);
  fiber_mailbox_clear(&box);
}

static void read_with_deadline(void *arg) {
  (void)arg;
  void *got = NULL;
  CHECK(fiber_mailbox_init(&box, 1) == OK);
  uint64_t deadline = clock_deadline_ms(5);
  CHECK(fiber_mailbox_get(&box, &got, deadline) == ERR_TIMEOUT);
  CHECK(clock_mono_us() >= deadline && got == NULL && box.head == NULL);
  fiber_cancel(fiber_self());
  CHECK(fiber_mailbox_put(&box, &letters[0]) == OK); /* putting is no wait */
  CHECK(fiber_mailbox_get(&box, &got, DEADLINE_NONE) == ERR_CANCELLED && box.count == 1);
  fiber_mailbox_clear(&box);
}

TEST(a_reader_leaves_at_its_deadline) { in_fiber(read_with_deadline); }

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(messages_come_in_order_and_the_box_is_bounded),
      cmocka_unit_test(waiting_readers_are_served_in_order),
      cmocka_unit_test(a_cancelled_reader_takes_nothing),
      cmocka_unit_test(a_message_that_met_a_cancel_is_not_lost),
      cmocka_unit_test(a_reader_leaves_at_its_deadline),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
