/* fiber_await: a blocking function on the thread pool, waited for by a fiber. Used for files, hashing and the like. The
 * shared state is on the heap and belongs to whichever side leaves last; both sides meet on the loop's thread only.
 * Invariant: drop(arg) runs exactly once on every path, and never while the job may run. */
#include <stdlib.h>

#include "io/pool_internal.h"

struct await {
  struct pool_job job; /* first: the pool's pointer is ours */
  enum err (*fn)(void *arg);
  void *arg;
  void (*drop)(void *arg);
  enum err result;
  struct fiber_id waiter;
  bool is_done, is_abandoned;
};

static void run(struct pool_job *job) {
  struct await *a = (struct await *)job;
  a->result = a->fn(a->arg);
}

static void release(struct await *a) {
  if (a->drop) a->drop(a->arg);
  free(a);
}

static void done(struct pool_job *job, bool has_run) {
  (void)has_run; /* false only if abandoned */
  struct await *a = (struct await *)job;
  if (a->is_abandoned) {
    release(a);
    return;
  }
  a->is_done = true;
  fiber_wake(a->waiter);
}

enum err fiber_await(enum pool_lane lane, enum err (*job)(void *arg), void *arg, void (*drop)(void *arg),
                     uint64_t deadline_us, enum err *result) {
  struct await *a = NULL;
  enum err e = fiber_check_wait();
  if (e == OK && deadline_us <= loop_now_us()) e = ERR_TIMEOUT;
  if (e == OK && !(a = calloc(1, sizeof *a))) e = ERR_NO_MEMORY;
  if (e != OK) {
    if (drop) drop(arg);
    return e;
  }
  a->job = (struct pool_job){.run = run, .done = done};
  a->fn = job;
  a->arg = arg;
  a->drop = drop;
  a->waiter = fiber_self();
  e = pool_submit(lane, &a->job);
  if (e != OK) {
    release(a);
    return e;
  }
  while (e == OK && !a->is_done) e = fiber_park(deadline_us);
  if (a->is_done) {
    *result = a->result;
    release(a);
    return OK;
  }
  if (pool_withdraw(&a->job)) {
    release(a);
  } else {
    a->is_abandoned = true;
  }
  return e;
}
