/* An open store of the newest version in a data directory of its own. */
#ifndef MAESTRO_TESTS_DB_RIG_H
#define MAESTRO_TESTS_DB_RIG_H

#include "state/migrate.h"
#include "store_rig.h"

struct db_rig {
  struct store_rig store;
  struct db *db;
};

static inline void db_rig_init(struct db_rig *r) {
  unsigned from;
  store_rig_init(&r->store);
  const struct db_options options = {.path = r->store.path, .busy_ms = 100};
  assert_int_equal(db_open(&r->db, &options, NULL), OK);
  assert_int_equal(migrate_run(r->db, 0, &from, NULL), OK);
}

static inline void db_rig_clear(struct db_rig *r) {
  db_close(r->db);
  store_rig_clear(&r->store);
}

#endif
