/* A queue of bytes between two threads: one puts whole records, one takes them away. No lock, no system call, no
 * allocation after byte_ring_new. What does not fit is refused, so that the producer never waits. Used by the writers
 * of log lines and of the request log, with a ring for each worker.
 *
 * head, tail and taken count bytes for ever and are masked on use; each stands in a cache line of its own thread. A
 * ring of a MiB or more hands emptied memory back to the system, 64 KiB at a time: it costs what waits in it, not its
 * size, so it may be made large enough for the longest silence of its consumer. */
#ifndef MAESTRO_BASE_BYTE_RING_H
#define MAESTRO_BASE_BYTE_RING_H

#include <stdatomic.h>

#include "base/str.h"

struct byte_ring {
  _Alignas(64) _Atomic size_t head; /* bytes ever put; the producer's */
  size_t tail_seen;                 /* the producer's last look at tail */
  _Alignas(64) _Atomic size_t tail; /* bytes whose room is the producer's again; the consumer's */
  _Atomic size_t taken;             /* bytes ever taken, at most 64 KiB ahead of tail; the consumer's */
  _Alignas(64) size_t mask;
  char *bytes;
};

/* At least `bytes`, rounded up to a power of two (at least 64, at most 1 GiB). NULL: no memory. */
struct byte_ring *byte_ring_new(size_t bytes);
void byte_ring_free(struct byte_ring *r); /* NULL is fine */

enum byte_ring_result { BYTE_RING_TAKEN, BYTE_RING_HALF /* taken, and at least half of it is full */, BYTE_RING_FULL };
/* The producer's. All n bytes or none. */
enum byte_ring_result byte_ring_put(struct byte_ring *r, const void *p, size_t n);

/* The consumer's: what is there now, in two pieces (the second may be empty). Returns their length. */
size_t byte_ring_peek(const struct byte_ring *r, struct str out[2]);
/* Copies n bytes that begin `at` bytes behind the oldest one; they are there. */
void byte_ring_copy(const struct byte_ring *r, size_t at, void *out, size_t n);
/* Gives the oldest n bytes back. */
void byte_ring_drop(struct byte_ring *r, size_t n);
/* Empties it; neither side may be at work. */
void byte_ring_reset(struct byte_ring *r);

#endif
