/* A data directory for each test of a file, and a store in it: one_store_rig_make (or _folder, without the store) and
 * one_store_rig_clear are the tests' setup and teardown. */
#ifndef MAESTRO_TESTS_ONE_STORE_RIG_H
#define MAESTRO_TESTS_ONE_STORE_RIG_H

#include "store_rig.h"

static struct store_rig rig;

static inline int one_store_rig_folder(void **state) {
  (void)state;
  store_rig_init(&rig);
  return 0;
}

static inline int one_store_rig_make(void **state) {
  one_store_rig_folder(state);
  rig.db = store_rig_open(&rig, 100);
  return 0;
}

static inline int one_store_rig_clear(void **state) {
  (void)state;
  db_close(rig.db);
  store_rig_clear(&rig);
  return 0;
}

#endif
