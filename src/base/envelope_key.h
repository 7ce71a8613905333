/* Keys of an object under the envelope scan: hashes, the set of those already seen, and the assembly of a key that has
 * escapes or that a piece's end has cut. Called by base/envelope_scan.c only; part of its state.
 * Only hashes (64 bits) are kept: equal keys always meet, so no duplicate passes; two different unknown keys that
 * collide are refused for nothing, which takes an attacker who only harms himself. */
#ifndef MAESTRO_BASE_ENVELOPE_KEY_H
#define MAESTRO_BASE_ENVELOPE_KEY_H

#include "base/arena.h"
#include "base/envelope.h"

enum {
  ENVELOPE_MEMBERS_MAX = 1024, /* of an object whose keys are checked */
  ENVELOPE_KEY_SMALL = 32,
  ENVELOPE_KEY_SLOTS = 2 * ENVELOPE_MEMBERS_MAX,
  ENVELOPE_KEY_BLOCK = 64,
};
#define ENVELOPE_KEY_SEED 0x2d358dccaa6c78a5u

/* Hashes of the unknown keys of one object. */
struct envelope_key_set {
  uint64_t *table; /* open addressing, 0 free; once `small` is full; from the arena, kept for the next object */
  uint32_t n;
  uint64_t small[ENVELOPE_KEY_SMALL];
};

/* A key being assembled: its unescaped bytes, all but the last block already hashed. */
struct envelope_key {
  uint32_t bytes;          /* so far, those hashed included; saturates */
  uint32_t in_block;       /* bytes in `block` */
  uint32_t high_surrogate; /* one that waits for its other half, else 0 */
  uint64_t hash;           /* of the full blocks before */
  char block[ENVELOPE_KEY_BLOCK];
};

static inline uint64_t envelope_key_mix(uint64_t a, uint64_t b) {
  __extension__ typedef unsigned __int128 u128;
  u128 product = (u128)a * b;
  return (uint64_t)product ^ (uint64_t)(product >> 64);
}
/* Hash of a key of at most 16 bytes; never 0. */
static inline uint64_t envelope_key_hash_short(struct envelope_words w, size_t n) {
  return envelope_key_mix(w.head ^ ENVELOPE_KEY_SEED, w.tail ^ 0x8bb84b93962eacc9u ^ n) | 1;
}
/* Of any key; the same for one assembled from pieces. */
uint64_t envelope_key_hash(const char *p, size_t n);

void envelope_key_begin(struct envelope_key *k);
void envelope_key_put(struct envelope_key *k, char c);             /* a byte as it stands */
void envelope_key_put_unit(struct envelope_key *k, unsigned unit); /* a \u escape */
/* Ends it and returns its hash. The bytes are whole in k->block when k->bytes is at most ENVELOPE_KEY_BLOCK. */
uint64_t envelope_key_end(struct envelope_key *k);

/* ERR_DUPLICATE_KEY when it is there already; ERR_NO_MEMORY when neither set nor arena has room. */
enum err envelope_key_set_add(struct envelope_key_set *set, uint64_t hash, struct arena *arena) MUST_CHECK;
void envelope_key_set_reset(struct envelope_key_set *set);

#endif
