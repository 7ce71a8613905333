/* Model ids that providers listed themselves, kept beside the configuration and read when a catalog is built. Written
 * by jobs/discovery. Process-wide, thread-safe; lists are refcounted so that a build reads one while it is replaced. */
#ifndef MAESTRO_ROUTE_DISCOVERED_H
#define MAESTRO_ROUTE_DISCOVERED_H

#include "base/str.h"

struct discovered_list {
  struct str *ids;
  size_t n;
};

/* Copies. *changed says whether the list differs from the one before. False when memory is short. */
bool discovered_put(struct str provider_id, const struct str *ids, size_t n, bool *changed);
/* NULL when that provider has listed nothing yet; else to be given back. */
const struct discovered_list *discovered_get(struct str provider_id);
void discovered_release(const struct discovered_list *list); /* NULL is fine */
/* It is another provider now: what the one before listed is forgotten. */
void discovered_forget(struct str provider_id);
uint64_t discovered_generation(void); /* rises with each change */
size_t discovered_total(void);        /* ids of all lists */
void discovered_clear(void);          /* at the end of the process */

#endif
