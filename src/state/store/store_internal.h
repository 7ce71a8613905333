/* What store.c has for store_keys.c and store_kept.c, and nobody else: its lock, its state and its directory. */
#ifndef MAESTRO_STATE_STORE_INTERNAL_H
#define MAESTRO_STATE_STORE_INTERNAL_H

#include "state/store/store.h"

enum { STORE_PATH_BYTES = 1432, STORE_PATCH_MAX = 8 /* users that are read one by one */ };

/* Takes the store's lock, which a write holds for its transaction; the connection, or NULL where none is open. */
struct db *store_lock(void);
void store_unlock(void);
/* Without the lock or with it. A version of 0 leaves the last one known. */
void store_set_status(enum err fault, const struct err_info *info, unsigned version);
/* Under the lock: the users that changed since, each once; false: not known, or too many. */
bool store_changed_since(uint64_t since, int64_t out[STORE_PATCH_MAX], unsigned *n);
/* A file of the data directory. ERR_BAD_VALUE where the path is too long. */
enum err store_path_beside(const char *name, char out[STORE_PATH_BYTES]) MUST_CHECK;

#endif
