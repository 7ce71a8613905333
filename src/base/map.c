/* A map from strings to pointers: see map.h. Open addressing at half load; keys come from configuration and provider
 * catalogs, so the hash needs no secret seed. */
#include "base/map.h"

void map_init(struct map *m, struct arena *a) { *m = (struct map){.arena = a}; }

static uint32_t *slot_of(const struct map *m, struct str key) {
  size_t mask = m->slot_count - 1;
  for (size_t i = str_hash(key, 0) & mask;; i = (i + 1) & mask)
    if (!m->slots[i] || str_eq(m->entries[m->slots[i] - 1].key, key)) return &m->slots[i];
}

void *map_get(const struct map *m, struct str key) {
  uint32_t index = m->slot_count ? *slot_of(m, key) : 0;
  return index ? m->entries[index - 1].value : NULL;
}

static bool grow(struct map *m) {
  size_t capacity = m->capacity ? m->capacity * 2 : 16;
  struct map_entry *entries = ARENA_NEW_ARRAY(m->arena, struct map_entry, capacity);
  uint32_t *slots = ARENA_NEW_ARRAY(m->arena, uint32_t, capacity * 2);
  if (!entries || !slots || capacity > UINT32_MAX / 2) return false;
  if (m->count) memcpy(entries, m->entries, m->count * sizeof *entries);
  m->entries = entries;
  m->capacity = capacity;
  m->slots = slots;
  m->slot_count = capacity * 2;
  for (size_t i = 0; i < m->count; i++) *slot_of(m, entries[i].key) = (uint32_t)(i + 1);
  return true;
}

bool map_put(struct map *m, struct str key, void *value) {
  if (m->count == m->capacity && !grow(m)) return false;
  uint32_t *slot = slot_of(m, key);
  if (*slot) {
    m->entries[*slot - 1].value = value;
    return true;
  }
  m->entries[m->count] = (struct map_entry){key, value};
  *slot = (uint32_t)++m->count;
  return true;
}
