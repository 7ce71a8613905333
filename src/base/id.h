/* Identifiers for requests, replies and traces: unique and unpredictable enough not to collide, but no secrets: the
 * generator behind them (xoshiro256**, one state per thread, seeded from the operating system) can be reconstructed
 * from its output. Tokens and keys come from crypto_random. No lock, no system call after a thread's first use. */
#ifndef MAESTRO_BASE_ID_H
#define MAESTRO_BASE_ID_H

#include "base/str.h"

enum {
  ID_RANDOM_CHARS = 24, /* base32 (RFC 4648 alphabet in lower case): 120 bits */
  ID_PREFIX_MAX = 23,   /* longer prefixes are cut */
  ID_BYTES = 48,        /* enough for prefix, random part and NUL */
  ID_CLIENT_MAX = 128   /* of an id that a client brings */
};

/* prefix + 24 characters, NUL-terminated in out; the slice does not count the NUL. id_make(STR("req_"), out). */
struct str id_make(struct str prefix, char out[ID_BYTES]);
/* True when a client's x-request-id may be taken over: 1 to 128 bytes of visible ASCII (0x21 to 0x7e). */
bool id_is_acceptable(struct str s);

/* The generator itself, for jitter and sampling. */
uint64_t id_random_u64(void);
/* Uniform in [0, bound); 0 when bound is 0. */
uint64_t id_random_below(uint64_t bound);
/* Replaces the generator on every thread (NULL restores it). For tests, before other threads run. */
void id_inject(uint64_t (*next)(void));

#endif
