/* Worker threads, each with a loop of its own. main starts them, waits, and stops them; nothing else creates threads
 * that run fibers. */
#ifndef MAESTRO_IO_WORKER_H
#define MAESTRO_IO_WORKER_H

#include "io/loop.h"

struct workers;

struct worker_options {
  unsigned count; /* >= 1 */
  struct loop_options loop;
  /* On each worker's thread, one after another; no loop runs before all have succeeded. A failure stops the start and
   * is returned: fibers that starts had spawned are cancelled and joined, then stop is called where start had
   * succeeded. A start that fails leaves no handle open. */
  enum err (*start)(unsigned index, struct loop *loop, void *arg, struct err_info *info);
  /* On each worker's thread after its fibers have ended; closes what start opened (its closing is waited for). */
  void (*stop)(unsigned index, void *arg);
  void *arg;
};

/* Returns when every worker's start has succeeded, or with the first failure after all have ended. */
enum err workers_start(struct workers **out, const struct worker_options *options, struct err_info *info) MUST_CHECK;
unsigned workers_count(const struct workers *w);
struct loop *workers_loop(struct workers *w, unsigned index);
/* fn(index, arg) on every worker's loop, in no order, later; from any thread. */
void workers_broadcast(struct workers *w, void (*fn)(unsigned index, void *arg), void *arg);
/* loop_stop on each; may be called from any thread, again, and after they have ended. */
void workers_stop(struct workers *w);
/* Waits for all threads to end and frees. */
void workers_join(struct workers *w);
/* Index of the calling worker thread, or UINT_MAX elsewhere. */
unsigned worker_index(void);

#endif
