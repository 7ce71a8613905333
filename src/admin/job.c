/* Work in the pool: see job.h. */
#include "admin/job.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/crypto.h"

void *job_new(size_t bytes, enum err (*work)(void *j), void (*clear)(void *j)) {
  struct job *j = calloc(1, bytes);
  if (!j) return NULL;
  j->refs = 1;
  j->work = work;
  j->clear = clear;
  arena_init(&j->arena, 0);
  buf_init(&j->out, 0);
  return j;
}

void job_unref(void *arg) {
  struct job *j = arg;
  if (!j || --j->refs) return;
  if (j->clear) j->clear(j);
  crypto_wipe(j->out.p, j->out.n);
  buf_clear(&j->out);
  arena_clear(&j->arena);
  free(j);
}

static enum err work(void *arg) {
  struct job *j = arg;
  return j->work(j);
}

enum { QUEUE_MS = 1000 /* by when a full queue has got places again */ };

enum err job_run(struct job *j, enum pool_lane lane, uint32_t timeout_ms, struct err_info *info) {
  enum err result = ERR_INTERNAL;
  j->refs++;
  enum err e = fiber_await(lane, work, j, job_unref, clock_deadline_ms(timeout_ms), &result);
  if (e == ERR_BUSY && info) info->retry_after_ms = QUEUE_MS;
  if (e || !result) return e;
  if (info) *info = j->info;
  return result;
}

enum { SLOW_QUEUE_MS = 2000 /* what a full queue takes, more or less */ };

enum err job_run_slow(struct job *j, uint32_t timeout_ms, struct err_info *info) {
  enum err e = job_run(j, POOL_SLOW, timeout_ms, info);
  if (e != ERR_BUSY) return e;
  if (info) info->retry_after_ms = SLOW_QUEUE_MS;
  return err_set(info, ERR_RATE_LIMITED, "too many passwords are being looked at; try again in %d s",
                 SLOW_QUEUE_MS / 1000);
}
