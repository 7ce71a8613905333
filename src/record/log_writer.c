/* Rings and the writer of the request log: see log_writer.h. Rows of all rings are taken in the order of their time,
 * many in one transaction, and leave their ring only when they are in the file: what a failure leaves is tried again,
 * until the ring is full. The writer looks every POLL_MS, and every REST_MS after a silence, of which the next row
 * wakes it. */
#include "record/log_writer.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/byte_ring.h"
#include "base/clock.h"
#include "base/log.h"

enum {
  POLL_MS = 100,
  REST_MS = 2000,
  ROUNDS_TO_REST = 10,
  RETRY_MS = 250,
  MAINTAIN_EVERY_MS = 30000,
  BATCH_ROWS = 4096,
  BATCH_BYTES = 1024 * 1024,
  /* Behind the workers, which share processors with it, but for about a quarter of one. */
  NICE = 5
};

struct worker_ring {
  struct byte_ring *bytes; /* NULL: that worker never was */
  _Atomic uint64_t dropped;
};

struct batch {
  struct log_row rows[BATCH_ROWS];
  uint8_t ring[BATCH_ROWS];
  uint32_t row_bytes[BATCH_ROWS];
  size_t n, used;
  char bytes[BATCH_BYTES]; /* the rows' texts */
};

static struct {
  char folder[1024];
  bool is_started;
  _Atomic bool is_on, is_resting, is_woken, is_stopping, is_failing, has_new_options;
  _Atomic uint64_t written;
  size_t ring_bytes;
  struct worker_ring rings[LOG_WRITER_WORKERS_MAX];
  _Atomic unsigned ring_count;
  pthread_mutex_t lock; /* of options and of attaching */
  struct log_store_options options;
  sem_t wake;
  pthread_t thread;
  struct log_store *store; /* the thread's, as is the batch */
  struct batch *batch;
} lw = {.lock = PTHREAD_MUTEX_INITIALIZER};

static _Thread_local struct worker_ring *mine;

/* ---- workers ---- */

bool log_writer_is_on(void) { return mine && atomic_load_explicit(&lw.is_on, memory_order_relaxed); }

static void wake(void) {
  if (!atomic_exchange_explicit(&lw.is_woken, true, memory_order_acq_rel)) sem_post(&lw.wake);
}

void log_writer_put(const struct log_row *row) {
  char packed[LOG_PACKED_MAX];
  if (!log_writer_is_on()) return;
  size_t n = log_row_pack(row, packed);
  enum byte_ring_result result = byte_ring_put(mine->bytes, packed, n);
  if (result == BYTE_RING_FULL) {
    uint64_t dropped = atomic_load_explicit(&mine->dropped, memory_order_relaxed);
    atomic_store_explicit(&mine->dropped, dropped + 1, memory_order_relaxed);
  }
  bool is_half = result != BYTE_RING_TAKEN && !atomic_load_explicit(&lw.is_failing, memory_order_relaxed);
  if (is_half || atomic_load_explicit(&lw.is_resting, memory_order_relaxed)) wake();
}

enum err log_writer_attach(unsigned worker, struct err_info *info) {
  if (!lw.is_started || worker >= LOG_WRITER_WORKERS_MAX) return OK;
  struct worker_ring *r = &lw.rings[worker];
  pthread_mutex_lock(&lw.lock);
  if (!r->bytes) r->bytes = byte_ring_new(lw.ring_bytes);
  bool is_there = r->bytes != NULL;
  if (is_there && worker >= atomic_load(&lw.ring_count)) atomic_store(&lw.ring_count, worker + 1);
  pthread_mutex_unlock(&lw.lock);
  if (!is_there) return err_set(info, ERR_NO_MEMORY, "no memory for a ring of the request log");
  mine = r;
  return OK;
}

void log_writer_detach(void) { mine = NULL; }

/* ---- the thread ---- */

/* Takes the oldest rows of all rings, in the order of their time; they stay in the rings. */
static void collect(struct batch *b) {
  size_t at[LOG_WRITER_WORKERS_MAX] = {0}, there[LOG_WRITER_WORKERS_MAX] = {0};
  struct str parts[2];
  pthread_mutex_lock(&lw.lock);
  unsigned rings = atomic_load(&lw.ring_count);
  for (unsigned i = 0; i < rings; i++)
    if (lw.rings[i].bytes) there[i] = byte_ring_peek(lw.rings[i].bytes, parts);
  pthread_mutex_unlock(&lw.lock);
  b->n = b->used = 0;
  while (b->n < BATCH_ROWS && b->used + LOG_PACKED_MAX <= BATCH_BYTES) {
    char head[LOG_PACKED_HEAD];
    unsigned first = rings;
    int64_t first_us = 0;
    for (unsigned i = 0; i < rings; i++) {
      if (at[i] == there[i]) continue;
      byte_ring_copy(lw.rings[i].bytes, at[i], head, sizeof head);
      int64_t us = log_row_packed_at_us(head);
      if (first < rings && us >= first_us) continue;
      first = i;
      first_us = us;
    }
    if (first == rings) return;
    byte_ring_copy(lw.rings[first].bytes, at[first], head, sizeof head);
    size_t n = log_row_packed_bytes(head);
    byte_ring_copy(lw.rings[first].bytes, at[first], b->bytes + b->used, n);
    log_row_unpack(b->bytes + b->used, &b->rows[b->n]);
    b->ring[b->n] = (uint8_t)first;
    b->row_bytes[b->n++] = (uint32_t)n;
    b->used += n;
    at[first] += n;
  }
}

static void tell(enum err e, const struct err_info *info) {
  bool was_failing = atomic_exchange(&lw.is_failing, e != OK);
  if (e && !was_failing)
    log_line(LOG_LEVEL_ERROR,
             "the request log cannot be written; requests go on, rows are lost once the rings are full",
             log_c(LOG_ERROR, err_info_text(e, info)));
  if (!e && was_failing) log_line(LOG_LEVEL_INFO, "the request log is written again", log_c(LOG_FILE, lw.folder));
}

static bool write_batch(struct batch *b) {
  struct err_info info = {0};
  size_t written;
  enum err e = log_store_write(lw.store, b->rows, b->n, &written, &info);
  for (size_t i = 0; i < written; i++) byte_ring_drop(lw.rings[b->ring[i]].bytes, b->row_bytes[i]);
  atomic_fetch_add(&lw.written, written);
  tell(e, &info);
  return !e;
}

static void maintain(void) {
  struct err_info info = {0};
  if (atomic_exchange(&lw.has_new_options, false)) {
    pthread_mutex_lock(&lw.lock);
    struct log_store_options options = lw.options;
    pthread_mutex_unlock(&lw.lock);
    log_store_set_options(lw.store, &options);
  }
  enum err e = log_store_maintain(lw.store, clock_wall_us(), &info);
  if (e)
    log_line(LOG_LEVEL_WARN, "the request log's roll-ups are not up to date",
             log_c(LOG_ERROR, err_info_text(e, &info)));
}

static void wait_ms(unsigned ms) {
  struct timespec until;
  clock_timespec_in(CLOCK_REALTIME, ms, &until);
  (void)sem_timedwait(&lw.wake, &until);
}

static void *writer_main(void *arg) {
  unsigned silent = 0;
  uint64_t maintain_after_us = 0;
  (void)arg;
  (void)setpriority(PRIO_PROCESS, (id_t)gettid(),
                    getpriority(PRIO_PROCESS, 0) + NICE); /* Linux: of this thread alone */
  for (;;) {
    bool stop = atomic_load(&lw.is_stopping);
    atomic_store(&lw.is_woken, false);
    collect(lw.batch);
    bool is_good = lw.batch->n == 0 || write_batch(lw.batch);
    bool is_full = lw.batch->n == BATCH_ROWS || lw.batch->used + LOG_PACKED_MAX > BATCH_BYTES;
    silent = lw.batch->n ? 0 : silent + 1;
    if (stop && (!is_good || !is_full)) return NULL;
    if (is_good && is_full) continue;
    if (clock_mono_us() >= maintain_after_us && is_good) {
      maintain();
      maintain_after_us = clock_mono_us() + MAINTAIN_EVERY_MS * UINT64_C(1000);
    }
    bool rests = silent > ROUNDS_TO_REST;
    atomic_store(&lw.is_resting, rests);
    wait_ms(!is_good ? RETRY_MS : rests ? REST_MS : POLL_MS);
  }
}

/* ---- start and end ---- */

enum err log_writer_start(const char *data_dir, const struct log_writer_options *options, struct err_info *info) {
  if (snprintf(lw.folder, sizeof lw.folder, "%s/logs", data_dir) >= (int)sizeof lw.folder)
    return err_set(info, ERR_BAD_VALUE, "the path of the data directory is too long");
  enum err e = log_store_new(&lw.store, lw.folder, &options->store, info);
  if (e) return e;
  lw.batch = malloc(sizeof *lw.batch);
  lw.options = options->store;
  lw.ring_bytes = options->ring_bytes;
  atomic_store(&lw.is_on, options->is_on);
  atomic_store(&lw.is_stopping, false);
  atomic_store(&lw.is_failing, false);
  atomic_store(&lw.written, 0);
  sem_init(&lw.wake, 0, 0);
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before); /* signals belong to the main thread */
  bool failed = !lw.batch || pthread_create(&lw.thread, NULL, writer_main, NULL);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  lw.is_started = !failed;
  if (!failed) return OK;
  free(lw.batch);
  log_store_free(lw.store);
  return err_set(info, ERR_NO_MEMORY, "cannot start the request log's writer");
}

void log_writer_set_options(const struct log_writer_options *options) {
  pthread_mutex_lock(&lw.lock);
  lw.options = options->store;
  pthread_mutex_unlock(&lw.lock);
  atomic_store(&lw.is_on, options->is_on);
  atomic_store(&lw.has_new_options, true);
}

void log_writer_stop(void) {
  if (!lw.is_started) return;
  atomic_store(&lw.is_stopping, true);
  sem_post(&lw.wake);
  pthread_join(lw.thread, NULL);
  sem_destroy(&lw.wake);
  log_store_free(lw.store);
  free(lw.batch);
  for (int i = 0; i < LOG_WRITER_WORKERS_MAX; i++) {
    byte_ring_free(lw.rings[i].bytes);
    lw.rings[i].bytes = NULL;
    atomic_store(&lw.rings[i].dropped, 0);
  }
  atomic_store(&lw.ring_count, 0);
  atomic_store(&lw.is_on, false);
  lw.is_started = false;
}

const char *log_writer_folder(void) { return lw.is_started ? lw.folder : NULL; }

static uint64_t waiting_bytes(void) {
  struct str parts[2];
  uint64_t n = 0;
  pthread_mutex_lock(&lw.lock);
  for (int i = 0; i < LOG_WRITER_WORKERS_MAX; i++)
    if (lw.rings[i].bytes) n += byte_ring_peek(lw.rings[i].bytes, parts);
  pthread_mutex_unlock(&lw.lock);
  return n;
}

void log_writer_stats(struct log_writer_stats *out) {
  out->written = atomic_load(&lw.written);
  out->dropped = 0;
  for (int i = 0; i < LOG_WRITER_WORKERS_MAX; i++) out->dropped += atomic_load(&lw.rings[i].dropped);
  out->waiting_bytes = waiting_bytes();
  out->is_failing = atomic_load(&lw.is_failing);
}

bool log_writer_flush(uint32_t timeout_ms) {
  uint64_t end = clock_deadline_ms(timeout_ms);
  while (waiting_bytes()) {
    const struct timespec nap = {.tv_nsec = 1000000};
    if (clock_mono_us() >= end) return false;
    wake();
    nanosleep(&nap, NULL);
  }
  return true;
}
