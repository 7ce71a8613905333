/* The default tool sets and settings of models, as `maestro store seed` and POST /admin/seed lay them into the store.
 * Laying them twice changes nothing; what an administrator has changed stays unless a reset is asked for. */
#ifndef MAESTRO_STATE_SEED_H
#define MAESTRO_STATE_SEED_H

#include "state/names.h"

enum seed_state { SEED_MISSING, SEED_AS_DELIVERED, SEED_CHANGED, SEED_ADDED, SEED_KEPT, SEED_RESTORED, SEED_STATES };
const char *seed_state_name(enum seed_state state); /* "as delivered" */

/* Called for each row: what it is, or what was done. */
typedef void seed_note_fn(void *arg, enum names_kind kind, struct str name, enum seed_state state);
/* Within the caller's transaction. MISSING, AS_DELIVERED or CHANGED. */
enum err seed_look(struct db *db, seed_note_fn *note, void *arg, struct err_info *info) MUST_CHECK;
/* ADDED, KEPT (as delivered, or changed and no reset), RESTORED. */
enum err seed_lay(struct db *db, bool is_reset, seed_note_fn *note, void *arg, struct err_info *info) MUST_CHECK;

#endif
