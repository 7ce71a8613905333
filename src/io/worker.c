/* Worker threads: start with one gate for all, broadcast, stop, join. Called by main only (and by tests). The struct
 * and every loop in it live until workers_join, so that loop_post to a worker that has ended is refused, not undefined.
 * Invariant: no worker's loop runs before every worker's start has succeeded. */
#include "io/worker.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/fiber_internal.h"

enum gate { GATE_SHUT, GATE_OPEN, GATE_GIVEN_UP };

struct worker {
  struct workers *all;
  pthread_t thread;
  unsigned index;
  struct loop *loop;
  bool has_reported; /* start has returned */
  enum err start_err;
  struct err_info info;
};

struct workers {
  struct worker_options options;
  pthread_mutex_t lock; /* guards has_reported, start_err and gate */
  pthread_cond_t changed;
  enum gate gate;
  unsigned count; /* threads that exist */
  struct worker worker[];
};

static _Thread_local unsigned index_of_thread = UINT_MAX;

unsigned worker_index(void) { return index_of_thread; }

/* Asynchronous signals go to the thread that waits for them, not to whatever fiber happens to run. */
static void block_signals(void) {
  static const int numbers[] = {SIGINT,  SIGTERM, SIGQUIT, SIGHUP,  SIGUSR1,
                                SIGUSR2, SIGCHLD, SIGPIPE, SIGALRM, SIGWINCH};
  sigset_t set;
  sigemptyset(&set);
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) sigaddset(&set, numbers[i]);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void report(struct worker *w, enum err e) {
  pthread_mutex_lock(&w->all->lock);
  w->start_err = e;
  w->has_reported = true;
  pthread_cond_broadcast(&w->all->changed);
  pthread_mutex_unlock(&w->all->lock);
}

static bool wait_at_gate(struct worker *w) {
  pthread_mutex_lock(&w->all->lock);
  while (w->all->gate == GATE_SHUT) pthread_cond_wait(&w->all->changed, &w->all->lock);
  bool is_open = w->all->gate == GATE_OPEN;
  pthread_mutex_unlock(&w->all->lock);
  return is_open;
}

static void *worker_main(void *arg) {
  struct worker *w = arg;
  const struct worker_options *o = &w->all->options;
  index_of_thread = w->index;
  char name[16];
  snprintf(name, sizeof name, "worker-%u", w->index);
  pthread_setname_np(pthread_self(), name);
  block_signals();
  enum err e = loop_new(&w->loop, &o->loop, &w->info);
  if (e != OK) {
    report(w, e);
    return NULL;
  }
  e = o->start ? o->start(w->index, w->loop, o->arg, &w->info) : OK;
  report(w, e);
  if (e == OK && wait_at_gate(w)) {
    loop_run(w->loop);
  } else {
    loop_drain_fibers(w->loop); /* whatever start had spawned */
  }
  if (e == OK && o->stop) o->stop(w->index, o->arg);
  loop_close(w->loop);
  return NULL;
}

/* OK, or what the worker's start returned. */
static enum err start_one(struct workers *all, unsigned index) {
  struct worker *w = &all->worker[index];
  w->all = all;
  w->index = index;
  if (pthread_create(&w->thread, NULL, worker_main, w) != 0)
    return err_set(&w->info, ERR_NO_MEMORY, "cannot create a worker thread");
  all->count++;
  pthread_mutex_lock(&all->lock);
  while (!w->has_reported) pthread_cond_wait(&all->changed, &all->lock);
  enum err e = w->start_err;
  pthread_mutex_unlock(&all->lock);
  return e;
}

static void set_gate(struct workers *all, enum gate gate) {
  pthread_mutex_lock(&all->lock);
  all->gate = gate;
  pthread_cond_broadcast(&all->changed);
  pthread_mutex_unlock(&all->lock);
}

enum err workers_start(struct workers **out, const struct worker_options *options, struct err_info *info) {
  if (options->count == 0) return err_set(info, ERR_BAD_VALUE, "at least one worker is needed");
  struct workers *all = calloc(1, sizeof *all + options->count * sizeof(struct worker));
  if (!all) return err_set(info, ERR_NO_MEMORY, "no memory for the workers");
  all->options = *options;
  pthread_mutex_init(&all->lock, NULL);
  pthread_cond_init(&all->changed, NULL);
  for (unsigned i = 0; i < options->count; i++) {
    enum err e = start_one(all, i);
    if (e == OK) continue;
    if (info) *info = all->worker[i].info;
    set_gate(all, GATE_GIVEN_UP);
    workers_join(all);
    return e;
  }
  set_gate(all, GATE_OPEN);
  *out = all;
  return OK;
}

unsigned workers_count(const struct workers *w) { return w->count; }

struct loop *workers_loop(struct workers *w, unsigned index) {
  return w->worker[index].loop;
}

struct broadcast {
  void (*fn)(unsigned index, void *arg);
  void *arg;
};

static void run_broadcast(void *arg) {
  struct broadcast *b = arg;
  b->fn(index_of_thread, b->arg);
  free(b);
}

void workers_broadcast(struct workers *w, void (*fn)(unsigned index, void *arg), void *arg) {
  for (unsigned i = 0; i < w->count; i++) {
    struct broadcast *b = malloc(sizeof *b);
    if (!b) fiber_die("no memory for a broadcast");
    *b = (struct broadcast){fn, arg};
    if (!loop_post(w->worker[i].loop, run_broadcast, b)) free(b); /* that worker has ended */
  }
}

void workers_stop(struct workers *w) {
  for (unsigned i = 0; i < w->count; i++) loop_stop(w->worker[i].loop);
}

void workers_join(struct workers *w) {
  if (!w) return;
  for (unsigned i = 0; i < w->count; i++) {
    pthread_join(w->worker[i].thread, NULL);
    if (w->worker[i].loop) loop_release(w->worker[i].loop);
  }
  pthread_cond_destroy(&w->changed);
  pthread_mutex_destroy(&w->lock);
  free(w);
}
