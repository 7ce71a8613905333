/* Rings (byte_ring.h), the writer thread and direct writes: see log.h. The writer looks every
 * POLL_MS while there is something to write and every REST_MS after a second of silence, so that a worker needs no
 * system call to wake it: only a ring that is half full, or the first line after a rest, signals. A signal that is lost
 * costs delay, never a line. */
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/byte_ring.h"
#include "base/clock.h"
#include "base/log_format.h"

enum { RING_BYTES = 256 * 1024, POLL_MS = 20, REST_MS = 1000, ROUNDS_TO_REST = 50, STOP_MS = 2000, STALL_MS = 100 };

struct ring {
  struct byte_ring *bytes;
  _Atomic uint64_t dropped;
  bool is_free; /* under lock: no worker holds it */
};

static struct {
  _Atomic int level, fd;
  _Atomic bool is_json, is_running, is_resting, is_woken;
  _Atomic uint64_t dropped; /* of direct writes, failed writes and rings that are gone */
  pthread_mutex_t lock;
  pthread_cond_t wake, done;
  pthread_t writer;
  size_t ring_bytes;
  uint64_t reported; /* the writer's: lines dropped so far that it has told of */
  _Atomic(struct ring *) rings[LOG_RINGS_MAX];
  /* Under lock. */
  bool is_stopping;
  uint64_t rounds; /* rounds in which the writer emptied what it had found */
} lg = {
    .level = LOG_LEVEL_INFO, .fd = STDERR_FILENO, .lock = PTHREAD_MUTEX_INITIALIZER, .done = PTHREAD_COND_INITIALIZER};

static _Thread_local struct ring *mine;

bool log_is_on(enum log_level level) {
  return (int)level >= atomic_load_explicit(&lg.level, memory_order_relaxed) && level < LOG_LEVEL_OFF;
}

void log_set_level(enum log_level level) { atomic_store_explicit(&lg.level, (int)level, memory_order_relaxed); }
void log_set_json(bool is_json) { atomic_store_explicit(&lg.is_json, is_json, memory_order_relaxed); }
void log_set_fd(int fd) { atomic_store(&lg.fd, fd); }

bool log_level_parse(struct str s, enum log_level *out) {
  static const struct {
    struct str name;
    enum log_level level;
  } known[] = {{{"debug", 5}, LOG_LEVEL_DEBUG},  {{"info", 4}, LOG_LEVEL_INFO},   {{"warn", 4}, LOG_LEVEL_WARN},
               {{"warning", 7}, LOG_LEVEL_WARN}, {{"error", 5}, LOG_LEVEL_ERROR}, {{"critical", 8}, LOG_LEVEL_ERROR},
               {{"off", 3}, LOG_LEVEL_OFF}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    if (!str_eq_nocase(s, known[i].name)) continue;
    *out = known[i].level;
    return true;
  }
  return false;
}

static void count_dropped(uint64_t n) { atomic_fetch_add_explicit(&lg.dropped, n, memory_order_relaxed); }

/* One write, so that lines of several threads do not mix; false when it was not taken whole. */
static bool put_direct(const char *line, size_t n) {
  ssize_t got;
  do got = write(atomic_load_explicit(&lg.fd, memory_order_relaxed), line, n);
  while (got < 0 && errno == EINTR);
  return got == (ssize_t)n;
}

static void wake_writer(void) {
  if (!atomic_exchange_explicit(&lg.is_woken, true, memory_order_relaxed)) pthread_cond_signal(&lg.wake);
}

static void put_ring(struct ring *r, const char *line, size_t n) {
  enum byte_ring_result result = byte_ring_put(r->bytes, line, n);
  if (result != BYTE_RING_TAKEN) wake_writer();
  if (result == BYTE_RING_FULL) {
    uint64_t dropped = atomic_load_explicit(&r->dropped, memory_order_relaxed);
    atomic_store_explicit(&r->dropped, dropped + 1, memory_order_relaxed);
  } else if (atomic_load_explicit(&lg.is_resting, memory_order_relaxed)) {
    wake_writer();
  }
}

void log_write(enum log_level level, struct str event, const struct log_field *fields, size_t n) {
  char line[LOG_LINE_MAX];
  if (!log_is_on(level)) return;
  size_t bytes = log_format(line, atomic_load_explicit(&lg.is_json, memory_order_relaxed), clock_wall_us(), level,
                            event, fields, n);
  if (mine && atomic_load_explicit(&lg.is_running, memory_order_relaxed))
    put_ring(mine, line, bytes);
  else if (!put_direct(line, bytes))
    count_dropped(1);
}

static uint64_t count_lines(struct str s) {
  uint64_t lines = 0;
  for (size_t i = 0; i < s.n; i++) lines += s.p[i] == '\n';
  return lines;
}

/* False when the descriptor takes nothing for STALL_MS: the rest stays in the ring. */
static bool drain_ring(struct ring *r) {
  struct str there[2];
  for (size_t left = byte_ring_peek(r->bytes, there); left;) {
    struct iovec parts[2] = {{(char *)there[0].p, there[0].n}, {(char *)there[1].p, there[1].n}};
    int fd = atomic_load_explicit(&lg.fd, memory_order_relaxed);
    ssize_t got = writev(fd, parts, there[1].n ? 2 : 1);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) {
      struct pollfd waits = {.fd = fd, .events = POLLOUT};
      if (poll(&waits, 1, STALL_MS) > 0) continue;
      return false;
    }
    if (got < 0) { /* nobody reads any more, or the disk is full: lost, but not for ever waited for */
      count_dropped(count_lines(there[0]) + count_lines(there[1]));
      got = (ssize_t)left;
    }
    byte_ring_drop(r->bytes, (size_t)got);
    left -= (size_t)got; /* what came meanwhile is the next round's */
    size_t first = there[0].n < (size_t)got ? there[0].n : (size_t)got;
    there[0] = str_sub(there[0], first, there[0].n);
    there[1] = str_sub(there[1], (size_t)got - first, there[1].n);
    if (!there[0].n) there[0] = there[1], there[1] = STR_NONE;
  }
  return true;
}

/* *found: whether there was anything. */
static bool drain_all(bool *found) {
  bool all = true;
  *found = false;
  for (size_t i = 0; i < LOG_RINGS_MAX; i++) {
    struct ring *r = atomic_load_explicit(&lg.rings[i], memory_order_acquire);
    if (!r) continue;
    struct str there[2];
    *found |= byte_ring_peek(r->bytes, there) > 0;
    all &= drain_ring(r);
  }
  return all;
}

/* Says how many lines are missing; tried again later when the descriptor does not take even that. */
static void report_dropped(void) {
  char line[LOG_LINE_MAX];
  uint64_t now = log_dropped_total();
  if (now == lg.reported || !log_is_on(LOG_LEVEL_WARN)) return;
  const struct log_field count = log_u64(LOG_COUNT, now - lg.reported);
  size_t n = log_format(line, atomic_load(&lg.is_json), clock_wall_us(), LOG_LEVEL_WARN, STR("log_dropped"), &count, 1);
  if (put_direct(line, n)) lg.reported = now;
}

static void wait_ms(unsigned ms) {
  struct timespec until;
  clock_timespec_in(CLOCK_MONOTONIC, ms, &until);
  pthread_cond_timedwait(&lg.wake, &lg.lock, &until);
}

static void *writer_main(void *arg) {
  unsigned silent = 0;
  uint64_t report_after_us = 0;
  (void)arg;
  for (bool stop = false;;) {
    bool found;
    atomic_store_explicit(&lg.is_woken, false, memory_order_relaxed);
    bool all = drain_all(&found);
    silent = found ? 0 : silent + 1;
    if (all && clock_mono_us() >= report_after_us) {
      report_dropped();
      report_after_us = clock_mono_us() + 1000000;
    }
    if (stop) return NULL;
    pthread_mutex_lock(&lg.lock);
    if (all) lg.rounds++;
    pthread_cond_broadcast(&lg.done);
    bool rests = silent > ROUNDS_TO_REST;
    atomic_store_explicit(&lg.is_resting, rests, memory_order_relaxed);
    stop = lg.is_stopping;
    if (!stop && all && !atomic_load_explicit(&lg.is_woken, memory_order_relaxed)) wait_ms(rests ? REST_MS : POLL_MS);
    stop = lg.is_stopping;
    pthread_mutex_unlock(&lg.lock);
  }
}

/* The child of a fork has no writer: it logs directly, and its copies of the rings are not its own. */
static void after_fork_in_child(void) { atomic_store(&lg.is_running, false); }

enum err log_start(const struct log_options *options, struct err_info *info) {
  static bool is_prepared;
  size_t want = options && options->ring_bytes ? options->ring_bytes : RING_BYTES;
  if (atomic_load(&lg.is_running)) return OK;
  for (lg.ring_bytes = 2 * LOG_LINE_MAX; lg.ring_bytes < want && lg.ring_bytes < (1u << 30);) lg.ring_bytes *= 2;
  if (!is_prepared) {
    pthread_condattr_t monotonic;
    if (pthread_condattr_init(&monotonic)) return err_set(info, ERR_NO_MEMORY, "cannot prepare the log writer");
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    int failed = pthread_cond_init(&lg.wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (failed || pthread_atfork(NULL, NULL, after_fork_in_child))
      return err_set(info, ERR_NO_MEMORY, "cannot prepare the log writer");
    is_prepared = true;
  }
  lg.is_stopping = false;
  lg.reported = log_dropped_total(); /* before the thread exists: it may run late */
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before); /* signals belong to the main thread */
  int failed = pthread_create(&lg.writer, NULL, writer_main, NULL);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (failed) return err_set(info, ERR_NO_MEMORY, "cannot start the log writer");
  atomic_store(&lg.is_running, true);
  return OK;
}

enum err log_worker_attach(struct err_info *info) {
  enum err e = OK;
  if (mine || !atomic_load(&lg.is_running)) return OK;
  pthread_mutex_lock(&lg.lock);
  size_t i = 0;
  struct ring *r = NULL;
  for (; i < LOG_RINGS_MAX; i++) {
    r = atomic_load_explicit(&lg.rings[i], memory_order_relaxed);
    if (!r || r->is_free) break;
  }
  if (i == LOG_RINGS_MAX) {
    e = err_set(info, ERR_BUSY, "more than %d threads want a log ring", (int)LOG_RINGS_MAX);
    goto out;
  }
  if (!r) {
    r = calloc(1, sizeof *r);
    if (r) r->bytes = byte_ring_new(lg.ring_bytes);
    if (!r || !r->bytes) {
      free(r);
      e = err_set(info, ERR_NO_MEMORY, "no memory for a log ring");
      goto out;
    }
    atomic_store_explicit(&lg.rings[i], r, memory_order_release);
  }
  r->is_free = false;
  mine = r;
out:
  pthread_mutex_unlock(&lg.lock);
  return e;
}

void log_worker_detach(void) {
  if (!mine) return;
  pthread_mutex_lock(&lg.lock);
  mine->is_free = true;
  mine = NULL;
  pthread_mutex_unlock(&lg.lock);
}

bool log_flush(uint32_t timeout_ms) {
  if (!atomic_load(&lg.is_running)) return true;
  struct timespec until;
  clock_timespec_in(CLOCK_REALTIME, timeout_ms, &until);
  pthread_mutex_lock(&lg.lock);
  /* The round under way may have passed our ring already; the one after it has not. */
  uint64_t wanted = lg.rounds + 2;
  int failed = 0;
  while (lg.rounds < wanted && !failed) {
    atomic_store_explicit(&lg.is_woken, true, memory_order_relaxed);
    pthread_cond_signal(&lg.wake);
    failed = pthread_cond_timedwait(&lg.done, &lg.lock, &until);
  }
  bool done = lg.rounds >= wanted;
  pthread_mutex_unlock(&lg.lock);
  return done;
}

void log_stop(void) {
  if (!atomic_load(&lg.is_running)) return;
  pthread_mutex_lock(&lg.lock);
  lg.is_stopping = true;
  pthread_cond_signal(&lg.wake);
  pthread_mutex_unlock(&lg.lock);
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += STOP_MS / 1000;
  atomic_store(&lg.is_running, false);
  if (pthread_timedjoin_np(lg.writer, NULL, &until)) {
    pthread_detach(lg.writer); /* it hangs in a write that nobody takes; the process ends without it */
    return;
  }
  for (size_t i = 0; i < LOG_RINGS_MAX; i++) {
    struct ring *r = atomic_exchange(&lg.rings[i], NULL);
    if (!r) continue;
    count_dropped(atomic_load(&r->dropped));
    byte_ring_free(r->bytes);
    free(r);
  }
}

uint64_t log_dropped_total(void) {
  uint64_t n = atomic_load_explicit(&lg.dropped, memory_order_relaxed);
  for (size_t i = 0; i < LOG_RINGS_MAX; i++) {
    struct ring *r = atomic_load_explicit(&lg.rings[i], memory_order_acquire);
    if (r) n += atomic_load_explicit(&r->dropped, memory_order_relaxed);
  }
  return n;
}
