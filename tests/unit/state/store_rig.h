/* A data directory of its own for a test of the store. */
#ifndef MAESTRO_TESTS_STORE_RIG_H
#define MAESTRO_TESTS_STORE_RIG_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state/store/migrate.h"
#include "unit.h"

struct store_rig {
  char dir[64];
  char path[128]; /* of the store in it */
  struct db *db;  /* NULL, but where one_store_rig.h has opened it */
};

static inline void store_rig_init(struct store_rig *r) {
  *r = (struct store_rig){.dir = "/tmp/maestro-store-XXXXXX"};
  assert_non_null(mkdtemp(r->dir));
  snprintf(r->path, sizeof r->path, "%s/maestro.db", r->dir);
}

/* Its store, brought up to date. */
static inline struct db *store_rig_open(const struct store_rig *r, uint32_t busy_ms) {
  const struct db_options options = {.path = r->path, .busy_ms = busy_ms};
  struct db *db = NULL;
  unsigned from;
  assert_int_equal(db_open(&db, &options, NULL), OK);
  assert_int_equal(migrate_run(db, 0, &from, NULL), OK);
  return db;
}

static inline void store_rig_clear(struct store_rig *r) {
  static const char *const names[] = {"maestro.db",   "maestro.db-wal", "maestro.db-shm",
                                      "maestro.lock", "people.jsonl",   "names.jsonl",
                                      "copy.db",      "admin.password", "people.jsonl.of-before"};
  char path[160];
  chmod(r->dir, 0700);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    snprintf(path, sizeof path, "%s/%s", r->dir, names[i]);
    unlink(path);
  }
  assert_int_equal(rmdir(r->dir), 0);
}

#endif
