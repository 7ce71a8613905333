/* One event loop per worker thread: libuv, the fiber scheduler and its deadlines. A turn is: poll and callbacks, then
 * turn hooks (a transport drains its library there), then due deadlines, then the fibers that were ready; repeated
 * while work is ready (8 times at most, then poll has its turn again). The watchdog counts turns over 5 ms. Everything
 * here is same-thread but loop_post and loop_stop. */
#ifndef MAESTRO_IO_LOOP_H
#define MAESTRO_IO_LOOP_H

#include <uv.h>

#include "base/err.h"

struct loop;

struct loop_options {
  unsigned fibers_max;  /* live fibers; 0: 16384 */
  size_t stack_bytes;   /* 0: 128 KiB (256 KiB under ASan) */
  unsigned stacks_kept; /* pooled stacks whose pages stay resident; 0: 256 */
};

struct loop_stats { /* since start; read from the loop's thread or racily for metrics */
  uint64_t turns, slow_turns, slowest_turn_us, fibers_spawned, fibers_refused;
  uint32_t fibers_live;
};

/* Creates the loop of the calling thread and makes it current. */
enum err loop_new(struct loop **out, const struct loop_options *options, struct err_info *info) MUST_CHECK;
/* Only after loop_run has returned; frees stacks. */
void loop_free(struct loop *l);
/* Runs until loop_stop was called and no fiber, no job of one in the pool and no active handle is left. */
void loop_run(struct loop *l);
/* Asks loop_run to end once nothing is left; does not cancel anything. From any thread. */
void loop_stop(struct loop *l);
/* Cancels every live fiber. */
void loop_cancel_all(struct loop *l);

struct loop *loop_current(void); /* NULL outside a worker */
uv_loop_t *loop_uv(struct loop *l);
const struct loop_stats *loop_stats(const struct loop *l);
uint64_t loop_now_us(void); /* clock_mono_us as of about this turn's start: cheap, at most a turn old */

/* From any thread: fn(arg) runs on l's stack soon. False once the loop is closing (or without memory): fn will not run.
 */
bool loop_post(struct loop *l, void (*fn)(void *), void *arg) MUST_CHECK;

/* A function that runs in every turn before the fibers, and again after fibers have run (they may have asked a library
 * for something), until removed: so it must be cheap when there is nothing to do. Caller-owned; not freed while it
 * runs. */
struct loop_hook {
  void (*fn)(struct loop_hook *);
  struct loop_hook *next;
};
void loop_hook_add(struct loop *l, struct loop_hook *hook);
void loop_hook_remove(struct loop *l, struct loop_hook *hook);

/* Brackets a call into a library that may call back: fiber_park inside aborts, since it would strand the library. */
void loop_enter_callback(void);
void loop_leave_callback(void);

#endif
