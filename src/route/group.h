/* In which order a group's members are asked: a strategy is a row of a table (group.c). Pure: what turns and what is
 * drawn come from the caller. Used by route/route_names.c for each request of a group. */
#ifndef MAESTRO_ROUTE_GROUP_H
#define MAESTRO_ROUTE_GROUP_H

#include "state/names.h"

enum { GROUP_MEMBERS_MAX = 256 };

struct group_member {
  int64_t weight;   /* from 0 on */
  int64_t priority; /* lower first */
  bool is_fallback; /* behind all that are none, whatever the strategy */
};

/* order[0 … n) becomes a permutation of the members' indices. `turn` rises with each request of the group; `random` is
 * any 64 bits.
 *   round_robin  by priority, beginning one further each turn
 *   weighted     drawn one after the other, each with the chance of its weight; those of weight 0 come last
 *   priority     by priority, and in the order of declaration where that is equal
 * Fallbacks stand by priority behind the others. n is at most GROUP_MEMBERS_MAX. */
void group_order(enum names_strategy strategy, const struct group_member *members, unsigned n, uint64_t turn,
                 uint64_t random, uint16_t *order);

#endif
