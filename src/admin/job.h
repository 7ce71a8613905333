/* An endpoint's work on a thread of the pool, where the store may be asked: heap memory that outlives a caller who has
 * gone, since fiber and pool have a reference each. The struct of an endpoint begins with a struct job. Used by
 * change.c and by the reads that do not show the snapshot. */
#ifndef MAESTRO_ADMIN_JOB_H
#define MAESTRO_ADMIN_JOB_H

#include "base/arena.h"
#include "base/buf.h"
#include "io/fiber.h"
#include "io/pool.h"

struct job {
  unsigned refs;             /* touched on the worker's thread alone */
  enum err (*work)(void *j); /* on the pool's thread; sets `info` */
  void (*clear)(void *j);    /* NULL: nothing but what is here */
  struct arena arena;
  struct buf out; /* the answer, JSON; wiped in the end, since it may hold a token */
  struct err_info info;
};

/* Zeroed but for the job's own members; with one reference. NULL: no memory. */
void *job_new(size_t bytes, enum err (*work)(void *j), void (*clear)(void *j));
void job_unref(void *j);
/* What work returned, with its info, or why it could not run or ended too late. The job is the caller's again only
 * with OK or an error of the work; without, the pool may still be at it, and nothing but job_unref is allowed. */
WAIT enum err job_run(struct job *j, enum pool_lane lane, uint32_t timeout_ms, struct err_info *info);
/* In the lane that hashes passwords, whose short queue is a limit of the caller's: full, it is ERR_RATE_LIMITED. */
WAIT enum err job_run_slow(struct job *j, uint32_t timeout_ms, struct err_info *info);

#endif
