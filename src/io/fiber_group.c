/* Groups: children that never outlive the scope that started them. Used by parallel calls, hedges and workflows. The
 * group is in its owner's frame; a child writes its result there when it ends and wakes the owner.
 * Invariant: after join_all, first_ok or end has returned, no child of the group is live. */
#include "io/fiber_internal.h"

void fiber_group_init(struct fiber_group *g) { *g = (struct fiber_group){.owner = fiber_self()}; }

static void child_main(void *arg) {
  struct loop *l = loop_of_thread;
  struct fiber *f = l->current;
  struct fiber_group *g = f->group;
  enum err e = f->group_fn(arg);
  g->result[f->group_index] = e;
  g->is_done[f->group_index] = true;
  if (e != OK && g->first_failure == OK) g->first_failure = e;
  if (e != OK) g->last_failure = e;
  if (e == OK && !g->has_winner) {
    g->has_winner = true;
    g->winner = f->group_index;
  }
  g->live--;
  fiber_wake(g->owner);
}

enum err fiber_group_go(struct fiber_group *g, enum err (*fn)(void *arg), void *arg) {
  if (g->count == FIBER_GROUP_MAX) return ERR_BUSY;
  struct fiber_id id;
  enum err e = fiber_spawn(&id, child_main, arg);
  if (e != OK) return e;
  id.fiber->group = g;
  id.fiber->group_fn = fn;
  id.fiber->group_index = g->count;
  g->child[g->count] = id;
  g->result[g->count] = OK;
  g->is_done[g->count] = false;
  g->count++;
  g->live++;
  return OK;
}

void fiber_group_end(struct fiber_group *g) {
  if (g->live == 0) return;
  for (unsigned i = 0; i < g->count; i++) {
    if (!g->is_done[i]) fiber_cancel(g->child[i]);
  }
  g->owner = fiber_self();
  while (g->live) fiber_park_blind();
}

enum err fiber_group_join_all(struct fiber_group *g, uint64_t deadline_us) {
  enum err e = OK;
  g->owner = fiber_self();
  while (g->live && g->first_failure == OK) {
    e = fiber_park(deadline_us);
    if (e != OK) break;
  }
  /* What the children said before they were cancelled counts, not how they took it. */
  if (g->first_failure != OK) e = g->first_failure;
  if (g->live == 0) e = g->first_failure;
  fiber_group_end(g);
  return e;
}

enum err fiber_group_first_ok(struct fiber_group *g, uint64_t deadline_us, unsigned *winner) {
  enum err e = OK;
  g->owner = fiber_self();
  while (g->live && !g->has_winner) {
    e = fiber_park(deadline_us);
    if (e != OK) break;
  }
  bool is_won = g->has_winner;
  unsigned first = g->winner;
  if (g->live == 0) e = g->last_failure;
  fiber_group_end(g);
  if (!is_won) return e != OK ? e : ERR_NOT_FOUND; /* a group without children has no winner */
  *winner = first;
  return OK;
}
