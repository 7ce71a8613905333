/* Jobs on the thread pool's lanes, for fiber_await and the resolver; nobody else includes this. A job's memory belongs
 * to its submitter until `done` (or a successful withdrawal) gives it back. Invariant: an accepted job ends in exactly
 * one of: done(has_run), or pool_withdraw returning true. */
#ifndef MAESTRO_IO_POOL_INTERNAL_H
#define MAESTRO_IO_POOL_INTERNAL_H

#include "io/fiber_internal.h"
#include "io/pool.h"

struct pool_job {
  /* On a pool thread. */
  void (*run)(struct pool_job *job);
  /* On the stack of the loop that submitted; has_run is false only for a job that was withdrawn or unqueued. */
  void (*done)(struct pool_job *job, bool has_run);
  /* The rest is pool.c's. */
  enum pool_lane lane;
  bool is_queued;    /* under the lanes' lock */
  bool is_started;   /* handed to libuv; loop's thread */
  bool is_withdrawn; /* loop's thread */
  struct loop *loop;
  struct pool_job *next, *prev;
  struct loop_post_node post;
  uv_work_t work;
};

/* From a fiber or callback of a loop, which then stays until the job is done. ERR_BUSY: the lane's queue is full. */
enum err pool_submit(enum pool_lane lane, struct pool_job *job) MUST_CHECK;
/* On its loop's thread. True: it had not begun and is the caller's again. False: done will still be called, has_run
 * saying what happened. */
bool pool_withdraw(struct pool_job *job) MUST_CHECK;
/* From any thread, for a job that cannot be done yet. True: it was waiting for a permit, and done(has_run = false) will
 * be called instead of running it. False: it runs or will. */
bool pool_unqueue(struct pool_job *job) MUST_CHECK;

#endif
