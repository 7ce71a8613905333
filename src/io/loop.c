/* The loop: libuv's phases turned into turns. uv_check (after poll) begins a turn, uv_prepare (after timers, before
 * poll) ends it; fibers run in these two places only. Called by worker.c and by everything that owns handles.
 * Made and freed on its own thread; loop_post and loop_stop may come from any.
 * Invariant: when poll blocks, no fiber is ready and the timer is set no later than the earliest deadline. */
#include "io/loop.h"

#include <stdlib.h>

#include "io/fiber_internal.h"

enum { ROUNDS_MAX = 8, SLOW_TURN_US = 5000 };

_Thread_local struct loop *loop_of_thread;

static void run_hooks(struct loop *l) {
  for (struct loop_hook *hook = l->hooks; hook; hook = l->hook_next) {
    l->hook_next = hook->next;
    hook->fn(hook);
  }
  l->hook_next = NULL;
}

/* True when there may be more to do at once: fibers ran in the last round, and hooks have not seen what they did. */
static bool run_rounds(struct loop *l) {
  for (unsigned round = 0; round < ROUNDS_MAX; round++) {
    run_hooks(l);
    fiber_run_due(l);
    if (!fiber_run_ready(l)) return false;
  }
  return true;
}

static void on_timer(uv_timer_t *timer) { ((struct loop *)timer->data)->armed_us = DEADLINE_NONE; }

/* The timer moves only when a deadline earlier than it appears; one that was dropped costs a vain wake-up at most. */
static void arm_timer(struct loop *l) {
  if (l->heap_count == 0) return;
  uint64_t first_us = l->heap[1].key_us;
  if (l->armed_us <= first_us && l->armed_us > l->now_us) return;
  /* Rounded up on a grid of milliseconds, as libuv's own clock is, so that it does not fire early. */
  uint64_t now_ms = l->now_us / 1000, first_ms = first_us / 1000 + (first_us % 1000 != 0);
  uv_timer_start(&l->timer, on_timer, first_ms > now_ms ? first_ms - now_ms : 0, 0);
  l->armed_us = first_us;
}

static void on_idle(uv_idle_t *idle) { (void)idle; }

static void keep_polling(struct loop *l, bool is_wanted) {
  if (l->is_idle_active == is_wanted) return;
  l->is_idle_active = is_wanted;
  if (is_wanted) {
    uv_idle_start(&l->idle, on_idle);
  } else {
    uv_idle_stop(&l->idle);
  }
}

/* The async handle stands for "not finished" in libuv's eyes. */
void loop_keep(struct loop *l) {
  if (l->is_kept) return;
  l->is_kept = true;
  uv_ref((uv_handle_t *)&l->async);
}

static bool has_work(const struct loop *l) { return l->stats.fibers_live || l->jobs_pending; }

static void unkeep_if_done(struct loop *l) {
  if (!l->is_kept || has_work(l) || !atomic_load_explicit(&l->is_stopping, memory_order_relaxed)) return;
  l->is_kept = false;
  uv_unref((uv_handle_t *)&l->async);
}

static void end_turn(struct loop *l) {
  uint64_t end_us = clock_mono_us();
  uint64_t turn_us = end_us > l->turn_start_us ? end_us - l->turn_start_us : 0;
  if (turn_us <= SLOW_TURN_US) return;
  l->stats.slow_turns++;
  if (turn_us > l->stats.slowest_turn_us) l->stats.slowest_turn_us = turn_us;
}

static void on_check(uv_check_t *check) {
  struct loop *l = check->data;
  l->now_us = clock_mono_us();
  l->is_now_stale = false;
  /* Poll's callbacks belong to the turn. libuv's clock stands at poll's return, in whole milliseconds. */
  uint64_t poll_us = uv_now(&l->uv) * 1000 + 999;
  l->turn_start_us = poll_us < l->now_us ? poll_us : l->now_us;
  l->stats.turns++;
  fiber_release_yielded(l);
  run_rounds(l);
  unkeep_if_done(l);
}

static void on_prepare(uv_prepare_t *prepare) {
  struct loop *l = prepare->data;
  bool is_more = run_rounds(l);
  unkeep_if_done(l);
  arm_timer(l);
  bool is_drained = l->is_draining && !has_work(l); /* the one who drains waits for uv_run */
  keep_polling(l, is_more || l->ready.head || l->yielded.head || is_drained);
  end_turn(l);
  l->is_now_stale = true; /* poll may block */
}

static void run_posted(struct loop *l) {
  pthread_mutex_lock(&l->post_lock);
  struct loop_post_node *node = l->post_head;
  l->post_head = l->post_tail = NULL;
  pthread_mutex_unlock(&l->post_lock);
  while (node) {
    struct loop_post_node at = *node; /* fn may reuse it */
    if (at.is_ours) free(node);
    at.fn(at.arg);
    node = at.next;
  }
}

static void on_async(uv_async_t *async) { run_posted(async->data); }

static void set_defaults(struct loop_options *o) {
  if (o->fibers_max == 0) o->fibers_max = 16384;
  if (o->stack_bytes == 0) o->stack_bytes = FIBER_ASAN ? 256 * 1024 : 128 * 1024;
  o->stack_bytes = (o->stack_bytes + 65535) / 65536 * 65536; /* a multiple of any page size */
  if (o->stacks_kept == 0) o->stacks_kept = 256;
}

static void init_handles(struct loop *l) {
  uv_prepare_init(&l->uv, &l->prepare);
  uv_check_init(&l->uv, &l->check);
  uv_idle_init(&l->uv, &l->idle);
  uv_timer_init(&l->uv, &l->timer);
  l->prepare.data = l->check.data = l->idle.data = l->timer.data = l->async.data = l;
  uv_prepare_start(&l->prepare, on_prepare);
  uv_check_start(&l->check, on_check);
  uv_unref((uv_handle_t *)&l->prepare);
  uv_unref((uv_handle_t *)&l->check);
  uv_unref((uv_handle_t *)&l->idle);
  uv_unref((uv_handle_t *)&l->timer);
}

enum err loop_new(struct loop **out, const struct loop_options *options, struct err_info *info) {
  if (loop_of_thread) return err_set(info, ERR_INTERNAL, "this thread has a loop already");
  struct loop *l = calloc(1, sizeof *l);
  if (!l) return err_set(info, ERR_NO_MEMORY, "no memory for an event loop");
  if (options) l->options = *options;
  set_defaults(&l->options);
  l->armed_us = DEADLINE_NONE;
  l->turn_start_us = l->now_us = clock_mono_us();
  l->is_now_stale = l->is_kept = true;
  pthread_mutex_init(&l->post_lock, NULL);
  int rc = uv_loop_init(&l->uv);
  if (rc != 0) goto fail;
  rc = uv_async_init(&l->uv, &l->async, on_async);
  if (rc != 0) goto fail_loop;
  init_handles(l);
  loop_of_thread = l;
  if (!fiber_guard_thread_init(l)) {
    loop_free(l);
    return err_set(info, ERR_NO_MEMORY, "no memory for an event loop");
  }
  *out = l;
  return OK;
fail_loop:
  uv_loop_close(&l->uv);
fail:
  pthread_mutex_destroy(&l->post_lock);
  free(l);
  return err_set(info, ERR_IO, "cannot create an event loop: %s", uv_strerror(rc));
}

static void close_now(uv_handle_t *handle) {
  if (!uv_is_closing(handle)) uv_close(handle, NULL);
}

void loop_close(struct loop *l) {
  pthread_mutex_lock(&l->post_lock);
  l->is_closing = true;
  pthread_mutex_unlock(&l->post_lock);
  run_posted(l); /* none, unless the loop never ran */
  if (has_work(l)) fiber_die("loop_free while fibers live");
  close_now((uv_handle_t *)&l->prepare);
  close_now((uv_handle_t *)&l->check);
  close_now((uv_handle_t *)&l->idle);
  close_now((uv_handle_t *)&l->timer);
  close_now((uv_handle_t *)&l->async);
  uv_run(&l->uv, UV_RUN_DEFAULT);
  if (uv_loop_close(&l->uv) != 0) fiber_die("loop_free while handles are open");
  fiber_free_all(l);
  fiber_guard_thread_clear(l);
  loop_of_thread = NULL;
}

void loop_release(struct loop *l) {
  pthread_mutex_destroy(&l->post_lock);
  free(l);
}

void loop_free(struct loop *l) {
  if (!l) return;
  loop_close(l);
  loop_release(l);
}

/* True when everything has ended; from then on loop_post refuses. */
static bool try_finish(struct loop *l) {
  pthread_mutex_lock(&l->post_lock);
  bool is_finished = l->is_stopping && !l->post_head && !has_work(l) && !uv_loop_alive(&l->uv);
  if (is_finished) l->is_closing = true;
  pthread_mutex_unlock(&l->post_lock);
  return is_finished;
}

void loop_run(struct loop *l) {
  l->is_running = true;
  l->turn_start_us = l->now_us = clock_mono_us();
  do {
    uv_run(&l->uv, UV_RUN_DEFAULT);
    run_posted(l);
    end_turn(l);
    l->turn_start_us = clock_mono_us();
  } while (!try_finish(l));
  l->is_running = false;
  l->is_now_stale = true;
}

void loop_drain_fibers(struct loop *l) {
  l->is_running = true;
  l->turn_start_us = l->now_us = clock_mono_us();
  l->is_draining = true;
  loop_cancel_all(l);
  while (has_work(l)) uv_run(&l->uv, UV_RUN_ONCE);
  l->is_running = l->is_draining = false;
  l->is_now_stale = true;
}

void loop_stop(struct loop *l) {
  pthread_mutex_lock(&l->post_lock);
  l->is_stopping = true;
  if (!l->is_closing) uv_async_send(&l->async);
  pthread_mutex_unlock(&l->post_lock);
}

struct loop *loop_current(void) {
  return loop_of_thread;
}
uv_loop_t *loop_uv(struct loop *l) { return &l->uv; }
const struct loop_stats *loop_stats(const struct loop *l) { return &l->stats; }

uint64_t loop_now_us(void) {
  struct loop *l = loop_of_thread;
  if (!l) return clock_mono_us();
  if (l->is_now_stale) {
    l->now_us = clock_mono_us();
    l->is_now_stale = !l->is_running;
  }
  return l->now_us;
}

static bool post(struct loop *l, struct loop_post_node *node) {
  pthread_mutex_lock(&l->post_lock);
  bool is_open = !l->is_closing;
  if (is_open) {
    node->next = NULL;
    bool was_empty = !l->post_head;
    if (was_empty) {
      l->post_head = node;
    } else {
      l->post_tail->next = node;
    }
    l->post_tail = node;
    /* Under the lock: the handle must not be closed meanwhile. */
    if (was_empty) uv_async_send(&l->async);
  }
  pthread_mutex_unlock(&l->post_lock);
  return is_open;
}

bool loop_post(struct loop *l, void (*fn)(void *), void *arg) {
  struct loop_post_node *node = malloc(sizeof *node);
  if (!node) return false;
  *node = (struct loop_post_node){.fn = fn, .arg = arg, .is_ours = true};
  if (post(l, node)) return true;
  free(node);
  return false;
}

void loop_post_node(struct loop *l, struct loop_post_node *node) {
  if (!post(l, node)) fiber_die("a post to a loop that has ended");
}

void loop_hook_add(struct loop *l, struct loop_hook *hook) {
  struct loop_hook **at = &l->hooks;
  while (*at) at = &(*at)->next;
  hook->next = NULL;
  *at = hook;
}

void loop_hook_remove(struct loop *l, struct loop_hook *hook) {
  for (struct loop_hook **at = &l->hooks; *at; at = &(*at)->next) {
    if (*at != hook) continue;
    *at = hook->next;
    if (l->hook_next == hook) l->hook_next = hook->next;
    return;
  }
}

void loop_enter_callback(void) {
  struct loop *l = loop_of_thread;
  if (l) l->callback_depth++;
}

void loop_leave_callback(void) {
  struct loop *l = loop_of_thread;
  if (!l) return;
  if (l->callback_depth == 0) fiber_die("loop_leave_callback without its enter");
  l->callback_depth--;
}
