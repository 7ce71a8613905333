/* A queue of bytes between two threads: see byte_ring.h. */
#include "base/byte_ring.h"

#include <stdlib.h>
#include <sys/mman.h>

enum { GIVEN_BACK = 64 * 1024, LARGE = 1024 * 1024 };

struct byte_ring *byte_ring_new(size_t bytes) {
  size_t size = 64;
  while (size < bytes && size < ((size_t)1 << 30)) size *= 2;
  struct byte_ring *r = aligned_alloc(64, sizeof *r);
  if (!r) return NULL;
  *r = (struct byte_ring){.mask = size - 1};
  void *m = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (m == MAP_FAILED) {
    free(r);
    return NULL;
  }
  r->bytes = m;
  return r;
}

void byte_ring_free(struct byte_ring *r) {
  if (!r) return;
  munmap(r->bytes, r->mask + 1);
  free(r);
}

void byte_ring_reset(struct byte_ring *r) {
  atomic_store(&r->head, 0);
  atomic_store(&r->tail, 0);
  atomic_store(&r->taken, 0);
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

/* Others than the consumer may look how much there is: taken is acquired, so that head is none from before it. */
size_t byte_ring_peek(const struct byte_ring *r, struct str out[2]) {
  size_t taken = atomic_load_explicit(&r->taken, memory_order_acquire);
  size_t n = atomic_load_explicit(&r->head, memory_order_acquire) - taken, at = taken & r->mask;
  size_t first = r->mask + 1 - at < n ? r->mask + 1 - at : n;
  out[0] = str_from(r->bytes + at, first);
  out[1] = str_from(r->bytes, n - first);
  return n;
}

void byte_ring_copy(const struct byte_ring *r, size_t at, void *out, size_t n) {
  size_t from = (atomic_load_explicit(&r->taken, memory_order_relaxed) + at) & r->mask;
  size_t first = r->mask + 1 - from < n ? r->mask + 1 - from : n;
  memcpy(out, r->bytes + from, first);
  memcpy((char *)out + first, r->bytes, n - first);
}

/* Room is given to the producer in whole pieces, each after its memory went back: behind tail nobody else reads or
 * writes, and what madvise leaves undone costs memory, nothing else. */
void byte_ring_drop(struct byte_ring *r, size_t n) {
  size_t taken = atomic_load_explicit(&r->taken, memory_order_relaxed) + n;
  atomic_store_explicit(&r->taken, taken, memory_order_release);
  if (r->mask + 1 >= LARGE) {
    size_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    taken -= taken % GIVEN_BACK;
    for (size_t at = tail; at != taken; at += GIVEN_BACK)
      (void)madvise(r->bytes + (at & r->mask), GIVEN_BACK, MADV_DONTNEED);
  }
  atomic_store_explicit(&r->tail, taken, memory_order_release);
}
