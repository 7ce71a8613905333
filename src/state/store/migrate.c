/* Migrations: see migrate.h. The version is read again inside of the transaction, under the database's write lock, so
 * that two programs cannot apply one step twice. */
#include "state/store/migrate.h"

#include "base/clock.h"

enum err migrate_version(struct db *db, unsigned *out, struct err_info *info) {
  int64_t version = 0;
  bool exists = false;
  enum err e = db_has_schema(db, &exists, info);
  if (!e && exists) e = db_run(db, DB_SCHEMA_VERSION, NULL, 0, db_take_int, &version, info);
  if (!e) *out = (unsigned)version;
  return e;
}

static enum err apply(struct db *db, unsigned from, unsigned target, struct err_info *info) {
  enum err e = from == 0 ? db_run(db, DB_SCHEMA_CREATE, NULL, 0, NULL, NULL, info) : OK;
  for (unsigned step = from; !e && step < target; step++) {
    const struct db_value row[] = {db_int(step + 1), db_text(str_from_c(db_migration_name(step))),
                                   db_int(clock_wall_us())};
    e = db_migration_apply(db, step, info);
    if (!e) e = db_run(db, DB_SCHEMA_ADD, row, 3, NULL, NULL, info);
  }
  return e;
}

enum err migrate_run(struct db *db, unsigned target, unsigned *from, struct err_info *info) {
  unsigned newest = db_migration_count(), version = 0;
  if (target == 0 || target > newest) target = newest;
  enum err e = migrate_version(db, &version, info);
  if (!e && version < target) {
    e = db_begin(db, info);
    if (e) return e;
    e = migrate_version(db, &version, info);
    if (!e && version < target) e = apply(db, version, target, info);
    if (!e)
      e = db_commit(db, info);
    else
      db_rollback(db);
  }
  if (!e && version > newest)
    e = err_set(info, ERR_STORE_NEWER,
                "the store has version %u, this program knows %u: run the newer program, or restore "
                "a backup made before it was upgraded",
                version, newest);
  if (!e) *from = version;
  return e;
}
