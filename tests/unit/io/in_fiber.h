/* Running test code on a fiber. cmocka's asserts jump, which must not cross stacks: inside a fiber use CHECK, which
 * notes the first failure for the test's main stack to report. Included by tests of things that wait. */
#ifndef MAESTRO_TESTS_IN_FIBER_H
#define MAESTRO_TESTS_IN_FIBER_H

#include <stdlib.h>

#include "unit.h"

#include "io/fiber.h"
#include "io/loop.h"

static const char *check_failure;
static int check_line;

#define CHECK(condition)                                             \
  do {                                                               \
    if (!(condition)) check_note("CHECK(" #condition ")", __LINE__); \
  } while (0)

static inline void check_note(const char *text, int line) {
  if (check_failure) return;
  check_failure = text;
  check_line = line;
}

static inline void check_report(void) {
  const char *failure = check_failure;
  int line = check_line;
  check_failure = NULL;
  if (failure) fail_msg("line %d: %s", line, failure);
}

static inline struct loop *open_loop(const struct loop_options *options) {
  struct loop *l = NULL;
  assert_int_equal(loop_new(&l, options, NULL), OK);
  return l;
}

/* Runs the loop until nothing is left, frees it, reports what CHECK noted. */
static inline void finish_loop(struct loop *l) {
  loop_stop(l);
  loop_run(l);
  loop_free(l);
  check_report();
}

static inline void in_fiber(void (*fn)(void *)) {
  struct loop *l = open_loop(NULL);
  assert_int_equal(fiber_spawn(NULL, fn, NULL), OK);
  finish_loop(l);
}

/* From a fiber: lets the others run for ms. */
static inline void pause_ms(uint64_t ms) {
  if (fiber_sleep_until(clock_deadline_ms(ms)) != OK) check_note("pause_ms was cancelled", 0);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#else
#define IS_SANITIZED 0
#endif

#endif
