/* The budget of the process: bytes that all workers together hold for what clients and providers send: request bodies,
 * replies, queues, streams. Whoever owns such a buffer keeps a `struct held` beside it and tells every change of its
 * capacity; the limit is one for the process (server.limits.heldBytes). One relaxed atomic addition for a change;
 * nothing for buffers up to HELD_FREE_BYTES, so small requests never touch it. Thread-safe; a struct held has one
 * owner. */
#ifndef MAESTRO_IO_HELD_H
#define MAESTRO_IO_HELD_H

#include "base/err.h"

enum { HELD_FREE_BYTES = 16 * 1024 }; /* a buffer (or a group of them) up to here costs nothing */

struct held { /* zero-initialise; give back with held_charge(h, 0) */
  size_t charged;
};

/* Bytes; 0: no limit, which is what a process without a server has. */
void held_set_limit(size_t bytes);
/* Makes it what `bytes` cost, whatever the limit says: for what is there already, and for giving back. */
void held_charge(struct held *h, size_t bytes);
/* The same; false, and nothing is charged, if the process would then hold more than the limit. Less than before is
 * never refused. */
bool held_try(struct held *h, size_t bytes) MUST_CHECK;
size_t held_bytes(void); /* of the process, all workers */
bool held_is_over(void); /* more than the limit is held */
/* ERR_BUSY with a text and Retry-After: what a refusal means to a client. */
enum err held_busy(struct err_info *info) MUST_CHECK;

#endif
