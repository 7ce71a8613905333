/* Failed attempts that are charged: see losses.h. */
#include "call/losses.h"

#include "base/clock.h"
#include "call/call.h"

void losses_add(struct call *c, const struct usage *usage, const struct cost *cost, enum err why) {
  struct call_outcome *o = &c->outcome;
  struct call_loss *l = arena_alloc(c->arena, sizeof *l);
  if (!l) return;
  *l = (struct call_loss){.deployment = o->deployment,
                          .attempt = o->attempts,
                          .error = why,
                          .duration_us = clock_mono_us() - o->attempt_started_us,
                          .usage = *usage,
                          .cost = *cost,
                          .cost_factor = o->cost_factor};
  if (o->losses)
    o->last_loss->next = l;
  else
    o->losses = l;
  o->last_loss = l;
  o->losses_n++;
  o->usage = (struct usage){0};
  o->cost = (struct cost){0};
}

void losses_sum(const struct call_outcome *o, bool has_answer, struct usage *usage, struct cost *cost) {
  bool has_own = has_answer || o->usage.known || !o->losses;
  const struct call_loss *l = o->losses;
  *usage = has_own ? o->usage : l->usage;
  *cost = has_own ? o->cost : l->cost;
  if (!has_own) l = l->next;
  for (; l; l = l->next) {
    usage_add(usage, &l->usage);
    cost_add(cost, &l->cost);
  }
}
