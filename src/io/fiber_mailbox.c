/* Bounded queue of pointers between fibers of one thread. Used by background fibers that are fed by others. Messages
 * belong to who put them until they are taken.
 * Invariant: the ring is empty while a reader waits; a put goes to the first reader directly. */
#include <stdlib.h>

#include "io/fiber_internal.h"

enum err fiber_mailbox_init(struct fiber_mailbox *m, unsigned capacity) {
  void **ring = calloc(capacity ? capacity : 1, sizeof(void *));
  if (!ring) return ERR_NO_MEMORY;
  *m = (struct fiber_mailbox){.ring = ring, .capacity = capacity ? capacity : 1};
  return OK;
}

void fiber_mailbox_clear(struct fiber_mailbox *m) {
  if (m->head) fiber_die("fiber_mailbox_clear while a reader waits");
  free(m->ring);
  *m = (struct fiber_mailbox){0};
}

enum err fiber_mailbox_put(struct fiber_mailbox *m, void *message) {
  if (m->head) {
    fiber_waiter_grant(&m->head, &m->tail, message);
    return OK;
  }
  if (m->count == m->capacity) return ERR_BUSY;
  m->ring[(m->first + m->count++) % m->capacity] = message;
  return OK;
}

enum err fiber_mailbox_get(struct fiber_mailbox *m, void **message, uint64_t deadline_us) {
  enum err e = fiber_check_wait();
  if (e != OK) return e;
  if (m->count == 0) return fiber_waiter_wait(&m->head, &m->tail, deadline_us, message);
  *message = m->ring[m->first];
  m->first = (m->first + 1) % m->capacity;
  m->count--;
  return OK;
}
