/* Orders of a group's members: see group.h. */
#include "route/group.h"

/* Stable, and members are few: by insertion. */
static void by_priority(const struct group_member *m, uint16_t *order, unsigned n) {
  for (unsigned i = 1; i < n; i++) {
    uint16_t at = order[i];
    unsigned to = i;
    for (; to && m[order[to - 1]].priority > m[at].priority; to--) order[to] = order[to - 1];
    order[to] = at;
  }
}

static void rotate(const struct group_member *m, uint16_t *order, unsigned n, uint64_t turn, uint64_t random) {
  uint16_t ranked[GROUP_MEMBERS_MAX];
  (void)random;
  by_priority(m, order, n);
  memcpy(ranked, order, n * sizeof *order);
  for (unsigned i = 0; i < n; i++) order[i] = ranked[(turn + i) % n];
}

/* SplitMix64 (Steele, Lea, Flood 2014): several draws from one seed. */
static uint64_t next(uint64_t *state) {
  uint64_t z = (*state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

static void draw(const struct group_member *m, uint16_t *order, unsigned n, uint64_t turn, uint64_t random) {
  (void)turn;
  by_priority(m, order, n);
  for (unsigned i = 0; i + 1 < n; i++) {
    uint64_t total = 0;
    for (unsigned k = i; k < n; k++) total += (uint64_t)m[order[k]].weight;
    if (!total) return;
    uint64_t left = (uint64_t)(((unsigned __int128)next(&random) * total) >> 64);
    unsigned at = i;
    while (left >= (uint64_t)m[order[at]].weight) left -= (uint64_t)m[order[at++]].weight;
    uint16_t drawn = order[at];
    for (; at > i; at--) order[at] = order[at - 1];
    order[i] = drawn;
  }
}

static void in_order(const struct group_member *m, uint16_t *order, unsigned n, uint64_t turn, uint64_t random) {
  (void)turn, (void)random;
  by_priority(m, order, n);
}

static void (*const strategies[])(const struct group_member *m, uint16_t *order, unsigned n, uint64_t turn,
                                  uint64_t random) = {
    [NAMES_ROUND_ROBIN] = rotate,
    [NAMES_WEIGHTED] = draw,
    [NAMES_PRIORITY] = in_order,
};

void group_order(enum names_strategy strategy, const struct group_member *members, unsigned n, uint64_t turn,
                 uint64_t random, uint16_t *order) {
  unsigned first = 0, last = n;
  for (unsigned i = 0; i < n; i++)
    if (!members[i].is_fallback) order[first++] = (uint16_t)i;
  for (unsigned i = n; i-- > 0;)
    if (members[i].is_fallback) order[--last] = (uint16_t)i;
  if (first) strategies[strategy](members, order, first, turn, random);
  by_priority(members, order + first, n - first);
}
