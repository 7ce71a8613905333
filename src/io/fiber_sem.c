/* Counting semaphore for fibers of one thread, first come first served. Used wherever a number of things is shared
 * (connections, pool permits). The waiter's node is in its fiber.
 * Invariant: permits are only left over while nobody waits; a post goes to the first waiter directly. */
#include "io/fiber_internal.h"

static void push(struct fiber_waiter **head, struct fiber_waiter **tail, struct fiber_waiter *w) {
  w->next = NULL;
  w->prev = *tail;
  if (*tail) {
    (*tail)->next = w;
  } else {
    *head = w;
  }
  *tail = w;
}

static void unlink_waiter(struct fiber_waiter **head, struct fiber_waiter **tail, struct fiber_waiter *w) {
  if (w->prev) {
    w->prev->next = w->next;
  } else {
    *head = w->next;
  }
  if (w->next) {
    w->next->prev = w->prev;
  } else {
    *tail = w->prev;
  }
}

void fiber_waiter_grant(struct fiber_waiter **head, struct fiber_waiter **tail, void *message) {
  struct fiber_waiter *w = *head;
  unlink_waiter(head, tail, w);
  w->is_granted = true;
  w->message = message;
  fiber_wake(w->id);
}

enum err fiber_waiter_wait(struct fiber_waiter **head, struct fiber_waiter **tail, uint64_t deadline_us,
                           void **message) {
  struct fiber_id id = fiber_self();
  struct fiber_waiter *w = &id.fiber->waiter;
  *w = (struct fiber_waiter){.id = id};
  push(head, tail, w);
  enum err e = OK;
  while (e == OK && !w->is_granted) e = fiber_park(deadline_us);
  if (!w->is_granted) {
    unlink_waiter(head, tail, w);
    return e;
  }
  if (message) *message = w->message;
  return OK; /* what was granted is ours, whatever came after */
}

void fiber_sem_init(struct fiber_sem *s, unsigned permits) { *s = (struct fiber_sem){permits, NULL, NULL}; }

enum err fiber_sem_wait(struct fiber_sem *s, uint64_t deadline_us) {
  enum err e = fiber_check_wait();
  if (e != OK) return e;
  if (s->permits == 0) return fiber_waiter_wait(&s->head, &s->tail, deadline_us, NULL);
  s->permits--;
  return OK;
}

void fiber_sem_post(struct fiber_sem *s) {
  if (s->head) {
    fiber_waiter_grant(&s->head, &s->tail, NULL);
  } else {
    s->permits++;
  }
}
