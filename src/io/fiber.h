/* Fibers: straight-line code on an event loop. One scheduler per worker thread (see io/loop.h); a fiber never migrates.
 * Whatever waits suspends the fiber; the loop goes on. Fibers run only from the loop's turn, never inside a callback of
 * libuv, llhttp or curl: a callback may only store data and call fiber_wake. State read before a wait may have changed
 * after it. No lock is held across a wait; a thread-local value does not survive one.
 *
 * Cancelling is sticky and cooperative: the pending and every later wait returns ERR_CANCELLED, the fiber unwinds
 * through its own `out:`. A wait that got its resource returns OK even if a cancel arrived too. Deadlines are absolute,
 * in microseconds of clock_mono_us (1 ms granularity); DEADLINE_NONE waits for ever. */
#ifndef MAESTRO_IO_FIBER_H
#define MAESTRO_IO_FIBER_H

#include "base/clock.h"
#include "base/err.h"

#define WAIT __attribute__((warn_unused_result)) /* may suspend the calling fiber */

struct fiber;
/* Stays valid for ever: on an id whose fiber has ended, every call is a harmless no-op. */
struct fiber_id {
  struct fiber *fiber;
  uint32_t generation;
};

/* Starts fn(arg) on a fiber of this thread's scheduler; it runs in the next turn. ERR_BUSY at the live cap or without
 * stack memory: answer 503. `out` may be NULL. */
enum err fiber_spawn(struct fiber_id *out, void (*fn)(void *), void *arg) MUST_CHECK;
struct fiber_id fiber_self(void);      /* {NULL, 0} on the loop's own stack */
void fiber_wake(struct fiber_id id);   /* idempotent; never runs the fiber itself; same thread only */
void fiber_cancel(struct fiber_id id); /* sticky; deferred while shielded; same thread only */
bool fiber_is_cancelled(void);         /* of the running fiber, shield or not */
bool fiber_is_live(struct fiber_id id);
/* A pointer that belongs to the running fiber (request context for logs); NULL at start. */
void fiber_set_context(void *context);
void *fiber_context(void);

/* Suspends until woken, cancelled or late. For primitives: may wake spuriously, so loop on the condition. Aborts the
 * process when called on the loop's stack or inside a library callback (see loop_enter_callback). */
WAIT enum err fiber_park(uint64_t deadline_us); /* OK, ERR_CANCELLED, ERR_TIMEOUT */
WAIT enum err fiber_yield(void);                /* goes on after the loop has polled: OK, ERR_CANCELLED */
/* OK, ERR_CANCELLED; ERR_TIMEOUT when a shield's cap cut it short. */
WAIT enum err fiber_sleep_until(uint64_t deadline_us);

/* Inside a shield cancel is deferred and every wait ends by cap_us at the latest. Nestable; always paired. */
void fiber_shield_begin(uint64_t cap_us);
void fiber_shield_end(void);

/* Counting semaphore, FIFO. A permit is yours when OK comes back, even if a cancel arrived meanwhile. */
struct fiber_sem {
  unsigned permits;
  struct fiber_waiter *head, *tail;
};
void fiber_sem_init(struct fiber_sem *s, unsigned permits);
WAIT enum err fiber_sem_wait(struct fiber_sem *s, uint64_t deadline_us);
void fiber_sem_post(struct fiber_sem *s);

/* Bounded mailbox of pointers between fibers of one thread. */
struct fiber_mailbox {
  void **ring;
  unsigned capacity, count, first;
  struct fiber_waiter *head, *tail;
};
enum err fiber_mailbox_init(struct fiber_mailbox *m, unsigned capacity) MUST_CHECK;
void fiber_mailbox_clear(struct fiber_mailbox *m); /* no reader may be waiting; messages are not freed */
enum err fiber_mailbox_put(struct fiber_mailbox *m, void *message) MUST_CHECK; /* ERR_BUSY when full */
WAIT enum err fiber_mailbox_get(struct fiber_mailbox *m, void **message, uint64_t deadline_us);

/* Runs job(arg) on the thread pool's lane (io/pool.h) and waits. On OK, *result is what the job returned. Cancel or
 * deadline return at once, although a job that has begun runs on. drop(arg) (may be NULL) is called exactly once on
 * this thread whatever happens (also ERR_BUSY: the lane's queue is full): before the return, or after a late job. So
 * `arg` is heap memory that belongs to the job from here on; to read what a job left in it, hold a reference of your
 * own, which makes drop an unref. The loop stays open until its jobs have ended. */
enum pool_lane;
WAIT enum err fiber_await(enum pool_lane lane, enum err (*job)(void *arg), void *arg, void (*drop)(void *arg),
                          uint64_t deadline_us, enum err *result);

/* Groups: children never outlive the scope. Every path out of it passes fiber_group_end, which cancels and joins. */
enum { FIBER_GROUP_MAX = 16 };
struct fiber_group {
  struct fiber_id owner, child[FIBER_GROUP_MAX];
  enum err result[FIBER_GROUP_MAX];
  bool is_done[FIBER_GROUP_MAX];
  unsigned count, live;
  enum err first_failure, last_failure; /* in time */
  unsigned winner;                      /* the first that ended OK, if has_winner */
  bool has_winner;
};
void fiber_group_init(struct fiber_group *g);
/* ERR_BUSY when the group or the scheduler is full. Children are numbered from 0 in order of this call. */
enum err fiber_group_go(struct fiber_group *g, enum err (*fn)(void *arg), void *arg) MUST_CHECK;
/* OK when all have ended OK; else the first failure (or ERR_TIMEOUT, ERR_CANCELLED) after the rest were cancelled and
 * joined. */
WAIT enum err fiber_group_join_all(struct fiber_group *g, uint64_t deadline_us);
/* OK and *winner when one ended OK, after the rest were cancelled and joined; else the last failure (ERR_NOT_FOUND for
 * a group without children). */
WAIT enum err fiber_group_first_ok(struct fiber_group *g, uint64_t deadline_us, unsigned *winner);
void fiber_group_end(struct fiber_group *g); /* shielded; idempotent */

#endif
