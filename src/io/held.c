/* The budget of the process: bytes held for bodies, replies and pipelined input by all workers together. Called by the
 * buffers of io/http_*.c whenever their capacity changes; each buffer remembers what it was charged.
 * Invariant: the sum of all `charged` fields is `held_bytes`. */
#include "io/http_server_internal.h"

static atomic_size_t held_bytes; /* the one global of the server */

static size_t cost(size_t bytes) { return bytes > HTTP_HELD_FREE_BYTES ? bytes : 0; }

void http_held_charge(size_t *charged, size_t bytes) {
  const size_t want = cost(bytes);
  if (want == *charged) return;
  /* Unsigned wrap-around makes one addition of growth and shrinkage. */
  atomic_fetch_add_explicit(&held_bytes, want - *charged, memory_order_relaxed);
  *charged = want;
}

bool http_held_try(size_t *charged, size_t bytes, size_t limit_bytes) {
  const size_t want = cost(bytes);
  if (want <= *charged) {
    http_held_charge(charged, bytes);
    return true;
  }
  const size_t more = want - *charged;
  const size_t before = atomic_fetch_add_explicit(&held_bytes, more, memory_order_relaxed);
  if (before + more > limit_bytes || before + more < before) {
    atomic_fetch_sub_explicit(&held_bytes, more, memory_order_relaxed);
    return false;
  }
  *charged = want;
  return true;
}

uint64_t http_server_held_bytes(void) { return atomic_load_explicit(&held_bytes, memory_order_relaxed); }
