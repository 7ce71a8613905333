/* The fiber scheduler: lives, queues, deadlines, park and wake. Used through fiber.h by everything that waits and by
 * loop.c, which decides when fibers run. Everything here runs on the loop's thread; nothing here makes a system call
 * but the mapping and trimming of stacks.
 * Invariant: l->current is the fiber whose stack we are on, or NULL on the loop's own. */
#include "io/fiber.h"

#include <errno.h>
#include <stdlib.h>

#include "io/fiber_internal.h"

#if FIBER_ASAN
#include <sanitizer/common_interface_defs.h>
#endif
#if FIBER_TSAN
#include <sanitizer/tsan_interface.h>
#endif

enum { SLAB_FIBERS = 64 };

static struct loop *loop_here(const char *why) {
  struct loop *l = loop_of_thread;
  if (!l) fiber_die(why);
  return l;
}

static struct fiber *running(const char *why) {
  struct loop *l = loop_of_thread;
  if (!l || !l->current) fiber_die(why);
  return l->current;
}

static void queue_push(struct fiber_queue *q, struct fiber *f) {
  f->next = NULL;
  if (q->tail) {
    q->tail->next = f;
  } else {
    q->head = f;
  }
  q->tail = f;
}

/* --- deadlines: a binary heap over the fibers that wait with one --- */

static void heap_place(struct loop *l, uint32_t slot, struct fiber_heap_entry e) {
  l->heap[slot] = e;
  e.fiber->heap_slot = slot;
}

static void heap_up(struct loop *l, uint32_t slot, struct fiber_heap_entry e) {
  for (; slot > 1 && l->heap[slot / 2].key_us > e.key_us; slot /= 2) heap_place(l, slot, l->heap[slot / 2]);
  heap_place(l, slot, e);
}

static void heap_down(struct loop *l, uint32_t slot, struct fiber_heap_entry e) {
  for (;;) {
    uint32_t child = slot * 2;
    if (child > l->heap_count) break;
    if (child < l->heap_count && l->heap[child + 1].key_us < l->heap[child].key_us) child++;
    if (l->heap[child].key_us >= e.key_us) break;
    heap_place(l, slot, l->heap[child]);
    slot = child;
  }
  heap_place(l, slot, e);
}

static void heap_remove(struct loop *l, struct fiber *f) {
  uint32_t slot = f->heap_slot;
  if (slot == 0) return;
  f->heap_slot = 0;
  struct fiber_heap_entry last = l->heap[l->heap_count--];
  if (last.fiber == f) return;
  if (slot > 1 && l->heap[slot / 2].key_us > last.key_us) {
    heap_up(l, slot, last);
  } else {
    heap_down(l, slot, last);
  }
}

static void heap_note(struct loop *l, struct fiber *f) {
  struct fiber_heap_entry e = {f->deadline_us, f};
  if (f->heap_slot == 0) {
    heap_up(l, ++l->heap_count, e);
  } else if (l->heap[f->heap_slot].key_us > e.key_us) {
    heap_up(l, f->heap_slot, e);
  }
}

static void make_ready(struct fiber *f) {
  f->state = FIBER_READY;
  queue_push(&f->loop->ready, f);
}

void fiber_run_due(struct loop *l) {
  while (l->heap_count && l->heap[1].key_us <= l->now_us) {
    struct fiber *f = l->heap[1].fiber;
    if (f->state != FIBER_PARKED || f->deadline_us == DEADLINE_NONE) {
      heap_remove(l, f);
    } else if (f->deadline_us > l->now_us) {
      heap_down(l, 1, (struct fiber_heap_entry){f->deadline_us, f});
    } else {
      heap_remove(l, f);
      f->is_late = true;
      make_ready(f);
    }
  }
}

/* --- switching --- */

/* Off the running fiber's stack. `is_last`: this life is over, ASan may forget its fake stack. */
static void switch_out(struct loop *l, struct fiber *f, bool is_last) {
  (void)is_last;
#if FIBER_ASAN
  __sanitizer_start_switch_fiber(is_last ? NULL : &f->asan_fake_stack, l->asan_bottom, l->asan_bytes);
  if (is_last) f->asan_fake_stack = NULL;
#endif
#if FIBER_TSAN
  __tsan_switch_to_fiber(l->tsan_fiber, 0);
#endif
  fiber_switch(&f->sp, l->sp);
#if FIBER_ASAN
  __sanitizer_finish_switch_fiber(f->asan_fake_stack, &l->asan_bottom, &l->asan_bytes);
#endif
}

/* The first frame of a stack; it serves life after life, so that a spawn need not build one. */
__attribute__((no_sanitize("address"))) static void fiber_main(void *arg) {
  struct fiber *f = arg;
#if FIBER_ASAN
  __sanitizer_finish_switch_fiber(NULL, &f->loop->asan_bottom, &f->loop->asan_bytes);
#endif
  for (;;) {
    f->fn(f->arg);
    if (f->shield_depth) fiber_die("a fiber ended inside its shield");
    f->state = FIBER_FREE;
    switch_out(f->loop, f, true);
  }
}

static void recycle(struct loop *l, struct fiber *f) {
  f->generation++; /* a deadline may stay in the heap: the next life's is hardly ever earlier */
  l->stats.fibers_live--;
  if (l->warm_count < l->options.stacks_kept) {
    l->warm_count++;
    f->next = l->free_warm;
    l->free_warm = f;
    return;
  }
  fiber_stack_trim(&f->stack);
  f->sp = NULL;
#if FIBER_TSAN
  __tsan_destroy_fiber(f->tsan_fiber);
  f->tsan_fiber = NULL;
#endif
  f->next = l->free_cold;
  l->free_cold = f;
}

static void resume(struct loop *l, struct fiber *f) {
  if (!f->sp) {
    f->sp = fiber_frame_init(&f->stack, f->index, fiber_main, f);
#if FIBER_TSAN
    f->tsan_fiber = __tsan_create_fiber(0);
#endif
  }
  l->current = f;
  f->state = FIBER_RUNNING;
#if FIBER_ASAN
  void *fake_stack = NULL;
  __sanitizer_start_switch_fiber(&fake_stack, f->stack.map + f->stack.guard_bytes,
                                 f->stack.map_bytes - f->stack.guard_bytes);
#endif
#if FIBER_TSAN
  l->tsan_fiber = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(f->tsan_fiber, 0);
#endif
  fiber_switch(&l->sp, f->sp);
#if FIBER_ASAN
  __sanitizer_finish_switch_fiber(fake_stack, NULL, NULL);
#endif
  l->current = NULL;
  if (f->state == FIBER_FREE) recycle(l, f);
}

bool fiber_run_ready(struct loop *l) {
  struct fiber *f = l->ready.head;
  if (!f) return false;
  l->ready = (struct fiber_queue){NULL, NULL};
  while (f) {
    struct fiber *next = f->next;
    if (next) __builtin_prefetch(next->sp);
    resume(l, f);
    f = next;
  }
  return true;
}

void fiber_release_yielded(struct loop *l) {
  if (!l->yielded.head) return;
  if (l->ready.tail) {
    l->ready.tail->next = l->yielded.head;
  } else {
    l->ready.head = l->yielded.head;
  }
  l->ready.tail = l->yielded.tail;
  l->yielded = (struct fiber_queue){NULL, NULL};
}

/* --- lives --- */

static bool grow(struct loop *l) {
  if (l->fiber_count < l->slab_count * SLAB_FIBERS) return true;
  size_t count = (size_t)l->slab_count + 1;
  struct fiber **slab = realloc(l->slab, count * sizeof(struct fiber *));
  if (!slab) return false;
  l->slab = slab;
  /* Room in the heap for every fiber there is: parking cannot fail. */
  struct fiber_heap_entry *heap = realloc(l->heap, (count * SLAB_FIBERS + 1) * sizeof(struct fiber_heap_entry));
  if (!heap) return false;
  l->heap = heap;
  struct fiber *fibers = calloc(SLAB_FIBERS, sizeof(struct fiber));
  if (!fibers) return false;
  l->slab[l->slab_count++] = fibers;
  return true;
}

static struct fiber *take_fiber(struct loop *l) {
  struct fiber *f = l->free_warm;
  if (f) {
    l->free_warm = f->next;
    l->warm_count--;
    fiber_stack_unpoison(&f->stack);
    return f;
  }
  f = l->free_cold;
  if (f) {
    l->free_cold = f->next;
    return f;
  }
  if (!grow(l)) return NULL;
  f = &l->slab[l->fiber_count / SLAB_FIBERS][l->fiber_count % SLAB_FIBERS];
  if (!fiber_stack_map(&f->stack, l->options.stack_bytes)) return NULL;
  f->loop = l;
  f->index = l->fiber_count++;
  f->generation = 1;
  return f;
}

enum err fiber_spawn(struct fiber_id *out, void (*fn)(void *), void *arg) {
  struct loop *l = loop_here("fiber_spawn on a thread without a loop");
  struct fiber *f = l->stats.fibers_live < l->options.fibers_max ? take_fiber(l) : NULL;
  if (!f) {
    l->stats.fibers_refused++;
    return ERR_BUSY;
  }
  f->is_cancelled = f->is_late = f->is_woken = false;
  f->deadline_us = DEADLINE_NONE;
  f->fn = fn;
  f->arg = arg;
  f->context = NULL;
  f->group = NULL;
  l->stats.fibers_spawned++;
  l->stats.fibers_live++;
  loop_keep(l);
  make_ready(f);
  if (out) *out = (struct fiber_id){f, f->generation};
  return OK;
}

void fiber_free_all(struct loop *l) {
  for (uint32_t i = 0; i < l->fiber_count; i++) {
    struct fiber *f = &l->slab[i / SLAB_FIBERS][i % SLAB_FIBERS];
#if FIBER_TSAN
    if (f->tsan_fiber) __tsan_destroy_fiber(f->tsan_fiber);
#endif
    fiber_stack_unmap(&f->stack);
  }
  for (uint32_t i = 0; i < l->slab_count; i++) free(l->slab[i]);
  free(l->slab);
  free(l->heap);
  l->slab = NULL;
  l->heap = NULL;
  l->slab_count = l->fiber_count = l->heap_count = 0;
}

/* --- ids --- */

struct fiber_id fiber_self(void) {
  struct loop *l = loop_of_thread;
  if (!l || !l->current) return (struct fiber_id){NULL, 0};
  return (struct fiber_id){l->current, l->current->generation};
}

/* The fiber, or NULL when that life is over. */
static struct fiber *live(struct fiber_id id) {
  if (!id.fiber || id.fiber->generation != id.generation) return NULL;
  if (id.fiber->loop != loop_of_thread) fiber_die("a fiber of another thread was touched; use loop_post");
  return id.fiber;
}

bool fiber_is_live(struct fiber_id id) { return live(id) != NULL; }

void fiber_wake(struct fiber_id id) {
  struct fiber *f = live(id);
  if (!f) return;
  f->is_late = false;
  if (f->state == FIBER_PARKED) {
    make_ready(f);
  } else if (f->state == FIBER_RUNNING) {
    f->is_woken = true;
  }
}

void fiber_cancel(struct fiber_id id) {
  struct fiber *f = live(id);
  if (!f) return;
  f->is_cancelled = true;
  if (f->state == FIBER_PARKED && f->shield_depth == 0) make_ready(f);
}

void loop_cancel_all(struct loop *l) {
  for (uint32_t i = 0; i < l->fiber_count; i++) {
    struct fiber *f = &l->slab[i / SLAB_FIBERS][i % SLAB_FIBERS];
    if (f->state != FIBER_FREE) fiber_cancel((struct fiber_id){f, f->generation});
  }
}

bool fiber_is_cancelled(void) {
  struct loop *l = loop_of_thread;
  return l && l->current && l->current->is_cancelled;
}

void fiber_set_context(void *context) { running("fiber_set_context outside a fiber")->context = context; }

void *fiber_context(void) {
  struct loop *l = loop_of_thread;
  return l && l->current ? l->current->context : NULL;
}

/* --- waiting --- */

static struct fiber *may_wait(void) {
  struct fiber *f = running("a wait on the loop's own stack: callbacks may only store and wake");
  if (f->loop->callback_depth) fiber_die("a wait inside a library's callback (loop_enter_callback is open)");
  return f;
}

static enum err check_cancel(const struct fiber *f) {
  return f->is_cancelled && f->shield_depth == 0 ? ERR_CANCELLED : OK;
}

enum err fiber_check_wait(void) { return check_cancel(may_wait()); }

static void suspend(struct fiber *f, uint64_t deadline_us) {
  int saved_errno = errno;
  f->deadline_us = deadline_us;
  if (deadline_us != DEADLINE_NONE) heap_note(f->loop, f);
  f->is_late = false;
  f->state = FIBER_PARKED;
  switch_out(f->loop, f, false);
  errno = saved_errno;
}

enum err fiber_park(uint64_t deadline_us) {
  struct fiber *f = may_wait();
  if (f->shield_depth && f->shield_cap_us[f->shield_depth - 1] < deadline_us)
    deadline_us = f->shield_cap_us[f->shield_depth - 1];
  if (check_cancel(f) != OK) return ERR_CANCELLED;
  if (f->is_woken) {
    f->is_woken = false;
    return OK;
  }
  if (deadline_us <= f->loop->now_us) return ERR_TIMEOUT;
  suspend(f, deadline_us);
  if (check_cancel(f) != OK) return ERR_CANCELLED;
  return f->is_late ? ERR_TIMEOUT : OK;
}

void fiber_park_blind(void) {
  struct fiber *f = may_wait();
  if (!f->is_woken) suspend(f, DEADLINE_NONE);
  f->is_woken = false;
}

enum err fiber_yield(void) {
  struct fiber *f = may_wait();
  if (check_cancel(f) != OK) return ERR_CANCELLED;
  int saved_errno = errno;
  f->state = FIBER_READY;
  queue_push(&f->loop->yielded, f);
  switch_out(f->loop, f, false);
  errno = saved_errno;
  return check_cancel(f);
}

enum err fiber_sleep_until(uint64_t deadline_us) {
  for (;;) {
    enum err e = fiber_park(deadline_us);
    if (e == OK) continue; /* woken by someone who does not know that we sleep */
    return e == ERR_TIMEOUT && loop_now_us() >= deadline_us ? OK : e;
  }
}

void fiber_shield_begin(uint64_t cap_us) {
  struct fiber *f = running("fiber_shield_begin outside a fiber");
  if (f->shield_depth == FIBER_SHIELD_DEPTH_MAX) fiber_die("shields nest too deep");
  if (f->shield_depth && f->shield_cap_us[f->shield_depth - 1] < cap_us) cap_us = f->shield_cap_us[f->shield_depth - 1];
  f->shield_cap_us[f->shield_depth++] = cap_us;
}

void fiber_shield_end(void) {
  struct fiber *f = running("fiber_shield_end outside a fiber");
  if (f->shield_depth == 0) fiber_die("fiber_shield_end without its begin");
  f->shield_depth--;
}
