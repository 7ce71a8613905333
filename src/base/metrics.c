/* The cells and who writes them: see metrics.h; metrics_write.c shows them. A block is one flat array, laid out by
 * metrics_layout.h; blocks and interned names stay until metrics_clear, so readers need no lock. */
#include "base/metrics.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/metrics_layout.h"

#define COUNTER(name, text, row, column, scale, help)                             \
  [METRIC_##name] = {text,                                                        \
                     help,                                                        \
                     METRICS_IS_COUNTER,                                          \
                     DIMENSION_##row,                                             \
                     DIMENSION_##column,                                          \
                     METRICS_##row,                                               \
                     METRICS_##column,                                            \
                     scale,                                                       \
                     offsetof(struct metrics_block, name) / sizeof(metrics_cell), \
                     NULL,                                                        \
                     0},
#define GAUGE(name, text, row, column, scale, help)                               \
  [METRIC_##name] = {text,                                                        \
                     help,                                                        \
                     METRICS_IS_GAUGE,                                            \
                     DIMENSION_##row,                                             \
                     DIMENSION_##column,                                          \
                     METRICS_##row,                                               \
                     METRICS_##column,                                            \
                     scale,                                                       \
                     offsetof(struct metrics_block, name) / sizeof(metrics_cell), \
                     NULL,                                                        \
                     0},
#define HISTOGRAM(name, text, row, buckets, help)                                 \
  [METRIC_##name] = {text,                                                        \
                     help,                                                        \
                     METRICS_IS_HISTOGRAM,                                        \
                     DIMENSION_##row,                                             \
                     DIMENSION_NONE,                                              \
                     METRICS_##row,                                               \
                     BOUNDS_##buckets + 2,                                        \
                     1000000,                                                     \
                     offsetof(struct metrics_block, name) / sizeof(metrics_cell), \
                     bounds_##buckets,                                            \
                     BOUNDS_##buckets},

static const uint64_t bounds_LATENCY[BOUNDS_LATENCY] = {10000,    25000,    50000,    100000,    250000,
                                                        500000,   1000000,  2500000,  5000000,   10000000,
                                                        20000000, 30000000, 60000000, 120000000, 300000000};
static const uint64_t bounds_OVERHEAD[BOUNDS_OVERHEAD] = {10,  20,  30,   50,   75,   100,   150,   200,
                                                          300, 500, 1000, 2000, 5000, 10000, 50000, 100000};

const struct metrics_family metrics_families[METRIC_COUNT] = {
#include "base/metrics.def"
};
#undef COUNTER
#undef GAUGE
#undef HISTOGRAM

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* making blocks and names */
struct metrics_state metrics_state;
static _Thread_local struct metrics_block *mine;

static struct metrics_block *block_of(unsigned worker) {
  if (worker >= METRICS_WORKERS_MAX) return NULL;
  struct metrics_block *b = atomic_load_explicit(&metrics_state.blocks[worker], memory_order_acquire);
  if (b) return b;
  pthread_mutex_lock(&lock);
  b = atomic_load_explicit(&metrics_state.blocks[worker], memory_order_relaxed);
  if (!b && (b = calloc(1, sizeof *b)) != NULL) {
    atomic_store_explicit(&metrics_state.blocks[worker], b, memory_order_release);
    if (worker >= atomic_load_explicit(&metrics_state.blocks_n, memory_order_relaxed))
      atomic_store_explicit(&metrics_state.blocks_n, worker + 1, memory_order_release);
  }
  pthread_mutex_unlock(&lock);
  return b;
}

enum err metrics_worker_attach(unsigned worker, struct err_info *info) {
  struct metrics_block *b = block_of(worker);
  if (!b) return err_set(info, ERR_NO_MEMORY, "no block of counters for worker %u", worker);
  int64_t unset = 0;
  atomic_compare_exchange_strong(&metrics_state.started_us, &unset, clock_wall_us());
  mine = b;
  return OK;
}

void metrics_worker_detach(void) { mine = NULL; }

/* The cell's place in a block; what is out of range lands in the first of its dimension. */
static size_t place(const struct metrics_family *f, unsigned row, unsigned column) {
  return f->at + (row < f->rows ? row : 0) * f->columns + (column < f->columns ? column : 0);
}

static void add(size_t at, int64_t n) {
  if (!mine) { /* no owner: several threads may be here */
    atomic_fetch_add_explicit(&metrics_cells(&metrics_state.shared)[at], n, memory_order_relaxed);
    return;
  }
  metrics_cell *cell = &metrics_cells(mine)[at];
  atomic_store_explicit(cell, atomic_load_explicit(cell, memory_order_relaxed) + n, memory_order_relaxed);
}

void metrics_add(enum metric m, unsigned row, unsigned column, int64_t n) {
  const struct metrics_family *f = &metrics_families[m];
  if (f->bounds == NULL) add(place(f, row, column), n);
}

void metrics_observe_us(enum metric m, unsigned row, uint64_t us) {
  const struct metrics_family *f = &metrics_families[m];
  if (f->bounds == NULL) return;
  unsigned bucket = 0;
  while (bucket < f->bounds_n && us > f->bounds[bucket]) bucket++;
  size_t first = place(f, row, 0);
  add(first + bucket, 1);
  add(first + f->bounds_n + 1, us > INT64_MAX / 2 ? INT64_MAX / 2 : (int64_t)us);
}

void metrics_set(unsigned worker, enum metric m, unsigned row, unsigned column, int64_t value) {
  struct metrics_block *b = block_of(worker);
  const struct metrics_family *f = &metrics_families[m];
  if (b && f->bounds == NULL)
    atomic_store_explicit(&metrics_cells(b)[place(f, row, column)], value, memory_order_relaxed);
}

int64_t metrics_sum(size_t at) {
  int64_t sum = atomic_load_explicit(&metrics_cells(&metrics_state.shared)[at], memory_order_relaxed);
  unsigned n = atomic_load_explicit(&metrics_state.blocks_n, memory_order_acquire);
  for (unsigned i = 0; i < n; i++) {
    struct metrics_block *b = atomic_load_explicit(&metrics_state.blocks[i], memory_order_acquire);
    if (b) sum += atomic_load_explicit(&metrics_cells(b)[at], memory_order_relaxed);
  }
  return sum;
}

int64_t metrics_get(enum metric m, unsigned row, unsigned column) {
  const struct metrics_family *f = &metrics_families[m];
  if (f->bounds == NULL) return metrics_sum(place(f, row, column));
  int64_t n = 0;
  for (unsigned i = 0; i <= f->bounds_n; i++) n += metrics_sum(place(f, row, i));
  return n;
}

/* What may stand in a label: UTF-8 without control characters, at most METRICS_LABEL_MAX bytes. */
static size_t clean_label(struct str s, char out[METRICS_LABEL_MAX]) {
  size_t n = 0;
  for (size_t i = 0; i < s.n && n < METRICS_LABEL_MAX;) {
    unsigned char c = (unsigned char)s.p[i];
    size_t want = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
    bool is_whole = want <= s.n - i && str_is_utf8(str_from(s.p + i, want));
    if (is_whole && n + want > METRICS_LABEL_MAX) break;
    if (!is_whole || c < 0x20 || c == 0x7f) {
      out[n++] = '?';
      i++;
      continue;
    }
    memcpy(out + n, s.p + i, want);
    n += want;
    i += want;
  }
  return n;
}

/* Index of the name in its table, made when new; 0 ("other") when the table is full or memory is short. */
static unsigned intern(struct metrics_names *table, unsigned cap, unsigned owner, struct str name) {
  char clean[METRICS_LABEL_MAX];
  size_t n = clean_label(name, clean);
  unsigned count = atomic_load_explicit(&table->n, memory_order_relaxed);
  for (unsigned i = 0; i < count; i++)
    if (table->v[i].owner == owner && str_eq(str_from_c(table->v[i].text), str_from(clean, n))) return i + 1;
  char *copy = count + 1 < cap ? malloc(n + 1) : NULL;
  if (!copy) return 0;
  memcpy(copy, clean, n);
  copy[n] = 0;
  table->v[count] = (struct metrics_name){copy, owner};
  atomic_store_explicit(&table->n, count + 1, memory_order_release);
  return count + 1;
}

unsigned metrics_endpoint(struct str name) {
  pthread_mutex_lock(&lock);
  unsigned i = intern(&metrics_state.endpoints, METRICS_ENDPOINT, 0, name);
  pthread_mutex_unlock(&lock);
  return i;
}

unsigned metrics_provider(struct str name) {
  pthread_mutex_lock(&lock);
  unsigned i = intern(&metrics_state.providers, METRICS_PROVIDER, 0, name);
  pthread_mutex_unlock(&lock);
  return i;
}

unsigned metrics_account(struct str label) {
  pthread_mutex_lock(&lock);
  unsigned i = intern(&metrics_state.accounts, METRICS_ACCOUNT, 0, label);
  pthread_mutex_unlock(&lock);
  return i;
}

unsigned metrics_pair(struct str provider, struct str model) {
  pthread_mutex_lock(&lock);
  unsigned owner = intern(&metrics_state.providers, METRICS_PROVIDER, 0, provider);
  unsigned i = intern(&metrics_state.pairs, METRICS_PAIR, owner, model);
  pthread_mutex_unlock(&lock);
  return i;
}

unsigned metrics_pair_provider(unsigned pair) {
  unsigned n = atomic_load_explicit(&metrics_state.pairs.n, memory_order_acquire);
  return pair > 0 && pair <= n ? metrics_state.pairs.v[pair - 1].owner : 0;
}

unsigned metrics_status_class(int status) { return status >= 100 && status < 600 ? (unsigned)status / 100 : 0; }

unsigned metrics_status(int status) {
  switch (status) {
#define X(code) \
  case code: return STATUS_##code;
    METRICS_STATUSES
#undef X
    default: return status <= 0 ? STATUS_NONE : STATUS_OTHER + metrics_status_class(status);
  }
}

static void clear_names(struct metrics_names *table) {
  unsigned n = atomic_exchange(&table->n, 0);
  for (unsigned i = 0; i < n; i++) free(table->v[i].text);
}

void metrics_clear(void) {
  pthread_mutex_lock(&lock);
  for (unsigned i = 0; i < METRICS_WORKERS_MAX; i++) free(atomic_exchange(&metrics_state.blocks[i], NULL));
  atomic_store(&metrics_state.blocks_n, 0);
  for (size_t i = 0; i < sizeof(struct metrics_block) / sizeof(metrics_cell); i++)
    atomic_store_explicit(&metrics_cells(&metrics_state.shared)[i], 0, memory_order_relaxed);
  clear_names(&metrics_state.endpoints);
  clear_names(&metrics_state.providers);
  clear_names(&metrics_state.pairs);
  clear_names(&metrics_state.accounts);
  atomic_store(&metrics_state.started_us, 0);
  pthread_mutex_unlock(&lock);
}
