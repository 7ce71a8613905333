/* Keys of an object under the envelope scan: see envelope_key.h. */
#include "base/envelope_key.h"

#include "base/json_bytes.h"

/* Full blocks before the last one are folded in turn, so that a key assembled from pieces needs one block only. */
static uint64_t hash_block(uint64_t hash, const char *p) {
  for (size_t i = 0; i < ENVELOPE_KEY_BLOCK; i += 16)
    hash = envelope_key_mix(envelope_load_u64(p + i) ^ hash, envelope_load_u64(p + i + 8) ^ 0x8bb84b93962eacc9u);
  return hash;
}

/* `p` is what is left after the full blocks: 1 to ENVELOPE_KEY_BLOCK bytes, or a key of none. */
static uint64_t hash_tail(uint64_t hash, const char *p, size_t n) {
  if (n <= 16 && hash == ENVELOPE_KEY_SEED) return envelope_key_hash_short(envelope_words(p, n), n);
  for (size_t i = 0; i + 16 < n; i += 16)
    hash = envelope_key_mix(envelope_load_u64(p + i) ^ hash, envelope_load_u64(p + i + 8) ^ 0x8bb84b93962eacc9u);
  struct envelope_words last =
      n <= 16 ? envelope_words(p, n)
              : (struct envelope_words){envelope_load_u64(p + n - 16), envelope_load_u64(p + n - 8)};
  return envelope_key_mix(last.head ^ hash, last.tail ^ 0x4b33a62ed433d4a3u ^ n) | 1;
}

uint64_t envelope_key_hash(const char *p, size_t n) {
  uint64_t hash = ENVELOPE_KEY_SEED;
  for (; n > ENVELOPE_KEY_BLOCK; p += ENVELOPE_KEY_BLOCK, n -= ENVELOPE_KEY_BLOCK) hash = hash_block(hash, p);
  return hash_tail(hash, p, n);
}

void envelope_key_begin(struct envelope_key *k) {
  k->bytes = k->in_block = k->high_surrogate = 0;
  k->hash = ENVELOPE_KEY_SEED;
}

static void append(struct envelope_key *k, const char *p, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (k->in_block == ENVELOPE_KEY_BLOCK) {
      k->hash = hash_block(k->hash, k->block);
      k->in_block = 0;
    }
    k->block[k->in_block++] = p[i];
    if (k->bytes < UINT32_MAX) k->bytes++;
  }
}

static void append_point(struct envelope_key *k, unsigned point) {
  char utf8[4];
  append(k, utf8, json_bytes_put_utf8(utf8, point));
}

static void flush_surrogate(struct envelope_key *k) {
  if (k->high_surrogate) append_point(k, k->high_surrogate);
  k->high_surrogate = 0;
}

void envelope_key_put(struct envelope_key *k, char c) {
  flush_surrogate(k);
  append(k, &c, 1);
}

void envelope_key_put_unit(struct envelope_key *k, unsigned unit) {
  if (k->high_surrogate && unit >= 0xdc00 && unit <= 0xdfff) {
    append_point(k, 0x10000 + ((k->high_surrogate - 0xd800) << 10) + (unit - 0xdc00));
    k->high_surrogate = 0;
    return;
  }
  flush_surrogate(k);
  if (unit >= 0xd800 && unit <= 0xdbff) {
    k->high_surrogate = unit;
  } else {
    append_point(k, unit);
  }
}

uint64_t envelope_key_end(struct envelope_key *k) {
  flush_surrogate(k);
  return hash_tail(k->hash, k->block, k->in_block);
}

static bool table_add(uint64_t *table, uint64_t hash) {
  size_t slot = (size_t)(hash >> 32) % ENVELOPE_KEY_SLOTS;
  for (; table[slot]; slot = (slot + 1) % ENVELOPE_KEY_SLOTS)
    if (table[slot] == hash) return false;
  table[slot] = hash;
  return true;
}

enum err envelope_key_set_add(struct envelope_key_set *set, uint64_t hash, struct arena *arena) {
  if (set->n < ENVELOPE_KEY_SMALL) {
    for (uint32_t i = 0; i < set->n; i++)
      if (set->small[i] == hash) return ERR_DUPLICATE_KEY;
    set->small[set->n++] = hash;
    return OK;
  }
  if (set->n == ENVELOPE_KEY_SMALL) {
    if (!set->table) set->table = arena ? ARENA_NEW_ARRAY(arena, uint64_t, ENVELOPE_KEY_SLOTS) : NULL;
    if (!set->table) return ERR_NO_MEMORY;
    for (uint32_t i = 0; i < ENVELOPE_KEY_SMALL; i++)
      if (!table_add(set->table, set->small[i])) return ERR_DUPLICATE_KEY;
  }
  if (set->n >= ENVELOPE_MEMBERS_MAX) return ERR_NO_MEMORY;
  if (!table_add(set->table, hash)) return ERR_DUPLICATE_KEY;
  set->n++;
  return OK;
}

void envelope_key_set_reset(struct envelope_key_set *set) {
  if (set->table) memset(set->table, 0, ENVELOPE_KEY_SLOTS * sizeof(uint64_t));
  set->n = 0;
}
