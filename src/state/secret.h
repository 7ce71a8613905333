/* Keys and tokens in memory. A secret is an opaque pointer: printf has no conversion for it, a struct that holds one
 * can be dumped without leaking, and secret_reveal is the only way to the bytes, so that every use can be found by
 * name. Immutable once made; wiped when freed. Any thread may read one. Used by configuration, contexts, policy and
 * providers. */
#ifndef MAESTRO_STATE_SECRET_H
#define MAESTRO_STATE_SECRET_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct secret;

enum { SECRET_BYTES_MAX = 64 * 1024 };

/* A copy of the bytes on the heap; NULL when memory is short, or when there are more than SECRET_BYTES_MAX. */
struct secret *secret_new(struct str bytes) MUST_CHECK;
/* The same, freed (and wiped) by arena_clear. */
struct secret *secret_new_in(struct arena *a, struct str bytes) MUST_CHECK;
/* prefix + n random bytes as URL-safe base64 without padding (n at most 64). NULL when memory or randomness is short.
 */
struct secret *secret_new_random(struct str prefix, size_t n) MUST_CHECK;
struct secret *secret_dup(const struct secret *s) MUST_CHECK;
/* Wipes and frees; NULL is allowed. Never for one that an arena owns. */
void secret_free(struct secret *s);

/* The bytes (NUL-terminated, the NUL not counted), valid as long as the secret; empty for NULL. Copy them only into
 * memory that crypto_wipe cleans, or into what is sent. */
struct str secret_reveal(const struct secret *s);
size_t secret_bytes(const struct secret *s);
/* Time depends on neither content nor the place of the first difference; the length may show. NULL equals nothing. */
bool secret_eq(const struct secret *s, struct str bytes);
bool secret_eq_secret(const struct secret *a, const struct secret *b);
/* "sk-maestro-a…wxyz": the first `head` and last `tail` bytes for lists in a terminal, into out (NUL-terminated). Shows
 * nothing but "****" when less than half of it would stay hidden. */
void secret_mask(const struct secret *s, size_t head, size_t tail, char *out, size_t out_bytes);

#endif
