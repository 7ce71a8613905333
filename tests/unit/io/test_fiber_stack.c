/* Stacks: the message on overflow, the guard between neighbours, and memory that goes back when it is not needed. */
#include <stdio.h>

#include "in_child.h"
#include "in_fiber.h"

/* Volatile, so that the compiler keeps every frame. */
static int recurse(volatile int *depth) {
  volatile char frame[512];
  frame[0] = (char)*depth;
  ++*depth;
  if (*depth == 1000000000) return frame[0];
  return recurse(depth) + frame[0];
}

static void overflow(void *arg) {
  (void)arg;
  volatile int depth = 0;
  recurse(&depth);
}

static void overflow_in_a_fiber(void) {
  struct loop *l = NULL;
  if (loop_new(&l, NULL, NULL) != OK) return;
  if (fiber_spawn(NULL, overflow, NULL) != OK) return;
  loop_stop(l);
  loop_run(l);
}

TEST(an_overflow_is_named_and_kills) {
  char said[2048];
  int number = in_child(overflow_in_a_fiber, said, sizeof said);
  if (IS_SANITIZED) { /* they report in their own way */
    assert_true(number != 0 || strstr(said, "stack-overflow"));
    return;
  }
  assert_int_equal(number, SIGSEGV);
  assert_string_equal(said, "stack overflow in a fiber\n");
}

static void write_to_null(void *arg) {
  (void)arg;
  volatile int *volatile nowhere = NULL;
  *nowhere = 1;
}
static void fault_in_a_fiber(void) {
  struct loop *l = NULL;
  if (loop_new(&l, NULL, NULL) != OK || fiber_spawn(NULL, write_to_null, NULL) != OK) return;
  loop_stop(l);
  loop_run(l);
}

TEST(another_fault_is_not_called_an_overflow) {
  char said[2048];
  int number = in_child(fault_in_a_fiber, said, sizeof said);
  assert_null(strstr(said, "stack overflow in a fiber"));
  if (!IS_SANITIZED) assert_int_equal(number, SIGSEGV);
}

static size_t resident_bytes(void) {
  size_t pages = 0, ignored = 0;
  FILE *f = fopen("/proc/self/statm", "r");
  assert_non_null(f);
  assert_int_equal(fscanf(f, "%zu %zu", &ignored, &pages), 2);
  fclose(f);
  return pages * (size_t)sysconf(_SC_PAGESIZE);
}

enum { FIBERS = 500, USED_BYTES = 64 * 1024 };
static void dirty(void *arg) {
  volatile char page[1024];
  page[0] = 1;
  intptr_t left = (intptr_t)arg - (intptr_t)sizeof page;
  if (left > 0) {
    dirty((void *)left);
  } else if (fiber_yield() != OK) {
    check_note("cancelled", __LINE__);
  }
  page[1] = page[0];
}

TEST(the_pages_of_pooled_stacks_beyond_the_kept_go_back) {
  if (IS_SANITIZED) skip(); /* shadow memory hides it */
  struct loop *l = open_loop(&(struct loop_options){.stacks_kept = 10});
  loop_stop(l);
  size_t before = resident_bytes();
  for (int i = 0; i < FIBERS; i++) assert_int_equal(fiber_spawn(NULL, dirty, (void *)(intptr_t)USED_BYTES), OK);
  loop_run(l);
  size_t after = resident_bytes();
  assert_true(after < before + FIBERS * USED_BYTES / 4);
  loop_free(l);
  check_report();
}

static void yield_once(void *arg) {
  (void)arg;
  if (fiber_yield() != OK) _exit(4);
}
static unsigned refused_at;
static void spawn_without_memory(void) {
  struct loop *l = NULL;
  struct rlimit limit = {512 << 20, 512 << 20}; /* of address space */
  if (setrlimit(RLIMIT_AS, &limit) != 0 || loop_new(&l, NULL, NULL) != OK) _exit(1);
  enum err e = OK;
  while ((e = fiber_spawn(NULL, yield_once, NULL)) == OK) refused_at++;
  if (e != ERR_BUSY || refused_at < 100 || refused_at > 4096) _exit(2);
  loop_stop(l);
  loop_run(l);
  if (fiber_spawn(NULL, yield_once, NULL) != OK) _exit(3); /* stacks are free again */
  loop_run(l);
  loop_free(l);
  raise(SIGTERM); /* "fine", so that an ordinary exit is not mistaken for it */
}

TEST(spawn_without_stack_memory_is_refused) {
  if (IS_SANITIZED) skip(); /* shadow memory needs the address space */
  static char said[512];
  assert_int_equal(in_child(spawn_without_memory, said, sizeof said), SIGTERM);
  assert_string_equal(said, "");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_overflow_is_named_and_kills),
      cmocka_unit_test(another_fault_is_not_called_an_overflow),
      cmocka_unit_test(spawn_without_stack_memory_is_refused),
      cmocka_unit_test(the_pages_of_pooled_stacks_beyond_the_kept_go_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
