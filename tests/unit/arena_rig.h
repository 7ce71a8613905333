/* An arena for one test file: arena_rig_make and arena_rig_clear are a group's (or each test's) setup and teardown. */
#ifndef MAESTRO_TESTS_ARENA_RIG_H
#define MAESTRO_TESTS_ARENA_RIG_H

#include "base/arena.h"

static struct arena arena;

static inline int arena_rig_make(void **state) {
  (void)state;
  arena_init(&arena, 0);
  return 0;
}

static inline int arena_rig_clear(void **state) {
  (void)state;
  arena_clear(&arena);
  return 0;
}

#endif
