/* A queue of bytes between two threads: see byte_ring.h. */
#include "base/byte_ring.h"

#include <stdlib.h>

struct byte_ring *byte_ring_new(size_t bytes) {
  size_t size = 64;
  while (size < bytes && size < ((size_t)1 << 30)) size *= 2;
  struct byte_ring *r = aligned_alloc(64, (sizeof *r + size + 63) & ~(size_t)63);
  if (!r) return NULL;
  memset(r, 0, sizeof *r); /* not the bytes: pages that were never used cost nothing */
  r->mask = size - 1;
  return r;
}

void byte_ring_free(struct byte_ring *r) { free(r); }

void byte_ring_reset(struct byte_ring *r) {
  atomic_store(&r->head, 0);
  atomic_store(&r->tail, 0);
  r->tail_seen = 0;
}

enum byte_ring_result byte_ring_put(struct byte_ring *r, const void *p, size_t n) {
  size_t head = atomic_load_explicit(&r->head, memory_order_relaxed), size = r->mask + 1;
  enum byte_ring_result result = BYTE_RING_TAKEN;
  if (head + n - r->tail_seen > size / 2) {
    r->tail_seen = atomic_load_explicit(&r->tail, memory_order_acquire);
    if (head + n - r->tail_seen > size / 2) result = BYTE_RING_HALF;
    if (head + n - r->tail_seen > size) return BYTE_RING_FULL;
  }
  size_t at = head & r->mask, first = size - at < n ? size - at : n;
  memcpy(r->bytes + at, p, first);
  memcpy(r->bytes, (const char *)p + first, n - first);
  atomic_store_explicit(&r->head, head + n, memory_order_release);
  return result;
}

size_t byte_ring_peek(const struct byte_ring *r, struct str out[2]) {
  size_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
  size_t n = atomic_load_explicit(&r->head, memory_order_acquire) - tail, at = tail & r->mask;
  size_t first = r->mask + 1 - at < n ? r->mask + 1 - at : n;
  out[0] = str_from(r->bytes + at, first);
  out[1] = str_from(r->bytes, n - first);
  return n;
}

void byte_ring_copy(const struct byte_ring *r, size_t at, void *out, size_t n) {
  size_t from = (atomic_load_explicit(&r->tail, memory_order_relaxed) + at) & r->mask;
  size_t first = r->mask + 1 - from < n ? r->mask + 1 - from : n;
  memcpy(out, r->bytes + from, first);
  memcpy((char *)out + first, r->bytes, n - first);
}

void byte_ring_drop(struct byte_ring *r, size_t n) {
  size_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
  atomic_store_explicit(&r->tail, tail + n, memory_order_release);
}
