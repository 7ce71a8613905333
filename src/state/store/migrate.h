/* The schema's versions: numbered, forward only, all or nothing. Version N is what the first N rows of migrations.def
 * have made. Called at start and by `maestro store migrate`, by whoever holds the lock of the data directory. */
#ifndef MAESTRO_STATE_MIGRATE_H
#define MAESTRO_STATE_MIGRATE_H

#include "state/store/db.h"

/* 0 for a database without our tables. */
enum err migrate_version(struct db *db, unsigned *out, struct err_info *info) MUST_CHECK;
/* Applies what is missing up to version `target` (0: the newest) in one transaction, so that a failure or a power cut
 * leaves the version that was. ERR_STORE_NEWER, untouched, for a database beyond what this program knows. *from is the
 * version that was found. */
enum err migrate_run(struct db *db, unsigned target, unsigned *from, struct err_info *info) MUST_CHECK;

#endif
