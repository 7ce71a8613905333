/* Which models an Ollama mock has beside those it is made with: what was pulled, created or copied, and what was
 * deleted. Shared by the workers behind a lock of its own, which only requests that manage or list models take.
 * Bounded: MOCK_SHELF_MAX changes of names of MOCK_SHELF_NAME_MAX bytes; beyond, the oldest is forgotten. Names are
 * kept without
 * ":latest". */
#ifndef MAESTRO_MOCK_SHELF_H
#define MAESTRO_MOCK_SHELF_H

#include <pthread.h>

#include "base/arena.h"

enum { MOCK_SHELF_MAX = 128, MOCK_SHELF_NAME_MAX = 256 };

struct mock_shelf_entry {
  char name[MOCK_SHELF_NAME_MAX];
  size_t n;
  bool is_gone; /* deleted; else added */
};

struct mock_shelf {
  pthread_mutex_t lock; /* guards all below */
  struct mock_shelf_entry v[MOCK_SHELF_MAX];
  unsigned count;
};

void mock_shelf_init(struct mock_shelf *s);
void mock_shelf_reset(struct mock_shelf *s);
void mock_shelf_destroy(struct mock_shelf *s);

/* A name as it is kept. */
struct str mock_shelf_name(struct str name);
/* Longer names are not kept. */
void mock_shelf_put(struct mock_shelf *s, struct str name, bool is_gone);
/* Whether it is there, when it is (or is not) among those the mock is made with. */
bool mock_shelf_has(struct mock_shelf *s, struct str name, bool is_made_with);
/* The names of `ids` that are still there, then the added ones, copied into `a`; room is that of `out`. */
size_t mock_shelf_list(struct mock_shelf *s, const struct str *ids, size_t n, struct arena *a, struct str *out,
                       size_t room);

#endif
