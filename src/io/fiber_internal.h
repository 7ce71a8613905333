/* What loop.c, fiber*.c, pool.c and worker.c share and nobody else includes: the loop's and a fiber's insides. Both are
 * touched by the loop's own thread only, but for the fields under post_lock. A struct fiber lives in a slab until its
 * loop is closed and keeps its stack from life to life, so a stale id always points at readable memory.
 * Invariant: a fiber is in at most one queue (ready, yielded or free), by its state. */
#ifndef MAESTRO_IO_FIBER_INTERNAL_H
#define MAESTRO_IO_FIBER_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "io/fiber.h"
#include "io/loop.h"

#if defined(__SANITIZE_ADDRESS__)
#define FIBER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIBER_ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define FIBER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define FIBER_TSAN 1
#endif
#endif
#ifndef FIBER_ASAN
#define FIBER_ASAN 0
#endif
#ifndef FIBER_TSAN
#define FIBER_TSAN 0
#endif

enum { FIBER_SHIELD_DEPTH_MAX = 8 };

enum fiber_state { FIBER_FREE, FIBER_READY, FIBER_RUNNING, FIBER_PARKED };

struct fiber_stack {
  char *map; /* guard at the low end, then the stack; NULL: none yet */
  size_t map_bytes, guard_bytes;
};

struct fiber_waiter { /* of a semaphore or mailbox; a fiber waits for one thing at a time */
  struct fiber_waiter *next, *prev;
  struct fiber_id id;
  void *message;
  bool is_granted;
};

struct fiber {
  void *sp; /* while it does not run; NULL: the stack holds no frame */
  struct fiber *next;
  struct loop *loop;
  uint32_t generation; /* changes when a life ends, so that ids of it go stale */
  uint8_t state;       /* enum fiber_state */
  bool is_cancelled, is_late, is_woken /* while it ran */;
  uint64_t deadline_us; /* of the current park */
  uint32_t heap_slot;   /* 1-based; 0: not in the heap */
  uint32_t shield_depth;
  uint64_t shield_cap_us[FIBER_SHIELD_DEPTH_MAX];
  void (*fn)(void *);
  void *arg;
  void *context;
  struct fiber_waiter waiter;
  struct fiber_group *group; /* set for a group's child only */
  enum err (*group_fn)(void *);
  uint32_t group_index;
  uint32_t index; /* among all fibers of the loop */
  struct fiber_stack stack;
  void *asan_fake_stack, *tsan_fiber;
};

struct fiber_queue {
  struct fiber *head, *tail;
};

/* The key is the deadline the fiber had when it was put there. A later deadline leaves the entry alone, even in the
 * next life: it is looked at again when the key is due. So a fiber that waits often (per chunk of a stream), or a fiber
 * per request with the same timeout, costs the heap next to nothing. */
struct fiber_heap_entry {
  uint64_t key_us;
  struct fiber *fiber;
};

struct loop_post_node {
  struct loop_post_node *next;
  void (*fn)(void *);
  void *arg;
  bool is_ours; /* freed once it has run */
};

struct loop {
  uv_loop_t uv;
  uv_prepare_t prepare;
  uv_check_t check;
  uv_idle_t idle; /* active while poll must not block */
  uv_timer_t timer;
  uv_async_t async; /* referenced while the loop must go on although no handle is active */
  struct loop_options options;
  struct loop_stats stats;

  struct fiber *current; /* NULL on the loop's own stack */
  void *sp;              /* of the loop's own stack while a fiber runs */
  unsigned callback_depth;
  struct fiber_queue ready, yielded;
  struct fiber *free_warm, *free_cold;
  uint32_t warm_count;
  struct fiber **slab;
  uint32_t slab_count, fiber_count;
  uint32_t jobs_pending;         /* in the pool's lanes or running: the loop stays open for them */
  struct fiber_heap_entry *heap; /* [1 … heap_count], room for every fiber */
  uint32_t heap_count;

  uint64_t now_us, turn_start_us, armed_us;
  bool is_running, is_draining, is_now_stale, is_kept, is_idle_active, is_altstack_set;
  atomic_bool is_stopping;
  struct loop_hook *hooks, *hook_next;
  const void *asan_bottom;
  size_t asan_bytes;
  void *tsan_fiber, *altstack;

  pthread_mutex_t post_lock; /* guards the rest */
  struct loop_post_node *post_head, *post_tail;
  bool is_closing;
};

extern _Thread_local struct loop *loop_of_thread __attribute__((visibility("hidden")));

/* fiber_switch_<arch>.S */
void fiber_switch(void **save_sp, void *load_sp);
void fiber_entry(void);

/* fiber_stack.c */
bool fiber_stack_map(struct fiber_stack *stack, size_t stack_bytes);
void fiber_stack_unmap(struct fiber_stack *stack);
void fiber_stack_trim(struct fiber_stack *stack);     /* gives the pages back, keeps the mapping */
void fiber_stack_unpoison(struct fiber_stack *stack); /* before another life */
/* A frame from which fiber_switch starts main(arg). `color` moves the top down a little. */
void *fiber_frame_init(struct fiber_stack *stack, uint32_t color, void (*main)(void *), void *arg);
/* Alternate signal stack of this thread, and the process's handler that names an overflow. */
bool fiber_guard_thread_init(struct loop *l);
void fiber_guard_thread_clear(struct loop *l);
_Noreturn void fiber_die(const char *why); /* programming errors only */

/* fiber.c */
bool fiber_run_ready(struct loop *l); /* what was ready at the start; true if any ran */
void fiber_run_due(struct loop *l);   /* wakes the late; a no-op if none is */
void fiber_release_yielded(struct loop *l);
void fiber_free_all(struct loop *l);
/* Waits for a wake only: no cancel, no deadline, no shield's cap ends it. May wake spuriously. */
void fiber_park_blind(void);
/* What every wait does first: aborts where waiting is forbidden, then ERR_CANCELLED if that is pending. */
enum err fiber_check_wait(void) MUST_CHECK;

/* fiber_sem.c: FIFO of waiters, for semaphores, mailboxes */
void fiber_waiter_grant(struct fiber_waiter **head, struct fiber_waiter **tail, void *message);
WAIT enum err fiber_waiter_wait(struct fiber_waiter **head, struct fiber_waiter **tail, uint64_t deadline_us,
                                void **message);

/* loop.c */
void loop_close(struct loop *l);   /* all of loop_free but the struct, which loop_post may still be asked about */
void loop_release(struct loop *l); /* the rest */
void loop_keep(struct loop *l);
void loop_drain_fibers(
    struct loop *l); /* instead of loop_run: cancels all fibers, runs until they and their jobs have ended */
/* loop_post without an allocation. The caller knows that the loop is not closing (a fiber or job keeps it open); the
 * node may be gone or posted again once fn has begun. */
void loop_post_node(struct loop *l, struct loop_post_node *node);

#endif
