/* A map from borrowed strings to pointers, in an arena: built once, then read by any thread. Insertion order is kept
 * for iteration. Keys must live as long as the map. */
#ifndef MAESTRO_BASE_MAP_H
#define MAESTRO_BASE_MAP_H

#include "base/arena.h"

struct map_entry {
  struct str key;
  void *value;
};

struct map {
  struct arena *arena;
  struct map_entry *entries; /* in order of insertion */
  uint32_t *slots;           /* index + 1 into entries; 0: free */
  size_t count, capacity, slot_count;
};

void map_init(struct map *m, struct arena *a);
/* The value of key, or NULL. */
void *map_get(const struct map *m, struct str key);
/* Adds or replaces. False when memory is short. */
bool map_put(struct map *m, struct str key, void *value) MUST_CHECK;

#endif
