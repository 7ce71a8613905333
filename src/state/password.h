/* Passwords as argon2id texts (libsodium), which carry their own salt and cost. Called for the login of the admin API
 * and for changes of passwords, in the pool's slow lane: one run takes tens of milliseconds and PASSWORD_MEMORY_BYTES.
 * Blocking, any thread, no state. Invariant: password_verify takes as long for no hash as for one that does not fit. */
#ifndef MAESTRO_STATE_PASSWORD_H
#define MAESTRO_STATE_PASSWORD_H

#include "base/err.h"

enum {
  PASSWORD_BYTES_MIN = 10, /* of one that is set; any length is compared */
  PASSWORD_BYTES_MAX = 1024,
  PASSWORD_HASH_MAX = 128, /* with the NUL */
  PASSWORD_MEMORY_BYTES = 64 << 20
};

/* ERR_NO_MEMORY when PASSWORD_MEMORY_BYTES cannot be had. */
enum err password_hash(struct str password, char out[PASSWORD_HASH_MAX], struct err_info *info) MUST_CHECK;
/* *fits says whether the hash is of that password. An empty or malformed hash fits nothing, and takes as long. */
enum err password_verify(struct str hash, struct str password, bool *fits, struct err_info *info) MUST_CHECK;

#endif
