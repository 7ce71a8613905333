/* Names in the store (state/names.h): one row of one kind added, changed, deleted, within the caller's transaction.
 * Whether names fit together (what they refer to, cycles) is the caller's to ask first. */
#ifndef MAESTRO_STATE_STORE_NAMES_H
#define MAESTRO_STATE_STORE_NAMES_H

#include "state/names.h"

/* The row's id and times are set. ERR_CONFLICT: there is one of its name already. */
enum err store_names_add(struct db *db, enum names_kind kind, void *row, struct err_info *info) MUST_CHECK;
/* By the row's id. ERR_NOT_FOUND, ERR_CONFLICT. */
enum err store_names_update(struct db *db, enum names_kind kind, void *row, struct err_info *info) MUST_CHECK;
enum err store_names_delete(struct db *db, enum names_kind kind, int64_t id, struct err_info *info) MUST_CHECK;
/* All rows, with the times they had. ERR_CONFLICT for the first that is there already. */
enum err store_names_import(struct db *db, const struct names *names, struct err_info *info) MUST_CHECK;

#endif
