/* The budget of the process: see held.h. Invariant: the sum of all `charged` fields is `held`. */
#include "io/held.h"

#include <stdatomic.h>

enum { RETRY_AFTER_MS = 1000 };

static atomic_size_t held, limit; /* two of the few globals that threads share */

static size_t cost(size_t bytes) { return bytes > HELD_FREE_BYTES ? bytes : 0; }

void held_set_limit(size_t bytes) { atomic_store_explicit(&limit, bytes, memory_order_relaxed); }

static size_t limit_bytes(void) {
  const size_t bytes = atomic_load_explicit(&limit, memory_order_relaxed);
  return bytes ? bytes : SIZE_MAX;
}

void held_charge(struct held *h, size_t bytes) {
  const size_t want = cost(bytes);
  if (want == h->charged) return;
  /* Unsigned wrap-around makes one addition of growth and shrinkage. */
  atomic_fetch_add_explicit(&held, want - h->charged, memory_order_relaxed);
  h->charged = want;
}

bool held_try(struct held *h, size_t bytes) {
  const size_t want = cost(bytes);
  if (want <= h->charged) {
    held_charge(h, bytes);
    return true;
  }
  const size_t more = want - h->charged;
  const size_t before = atomic_fetch_add_explicit(&held, more, memory_order_relaxed);
  if (before + more > limit_bytes() || before + more < before) {
    atomic_fetch_sub_explicit(&held, more, memory_order_relaxed);
    return false;
  }
  h->charged = want;
  return true;
}

size_t held_bytes(void) { return atomic_load_explicit(&held, memory_order_relaxed); }

bool held_is_over(void) { return held_bytes() > limit_bytes(); }

enum err held_busy(struct err_info *info) {
  if (info) info->retry_after_ms = RETRY_AFTER_MS;
  return err_set(info, ERR_BUSY, "too many bytes are held for other requests; try again shortly");
}
