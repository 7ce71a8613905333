/* The exposition: see metrics.h. Prometheus' text format 0.0.4. A scrape is rare, so this is written for the reader. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/metrics.h"
#include "base/metrics_layout.h"

static void put_label(struct buf *out, bool *is_first, const char *key, const char *value) {
  buf_put_char(out, *is_first ? '{' : ',');
  *is_first = false;
  buf_put(out, str_from_c(key));
  buf_put(out, STR("=\""));
  for (; *value; value++) {
    if (*value == '\\' || *value == '"') buf_put_char(out, '\\');
    buf_put_char(out, *value);
  }
  buf_put_char(out, '"');
}

static const char *name_of(const struct metrics_names *table, unsigned index) {
  unsigned n = atomic_load_explicit(&table->n, memory_order_acquire);
  return index > 0 && index <= n ? table->v[index - 1].text : "other";
}

static void put_dimension(struct buf *out, bool *is_first, enum metrics_dimension d, unsigned index) {
  static const char *const classes[] = {"other", "1xx", "2xx", "3xx", "4xx", "5xx"};
  static const char *const kinds[] = {"input", "output", "cached", "cache_write", "reasoning"};
  static const char *const states[] = {"idle", "active"};
  static const char *const refusals[] = {"budget", "unpriced", "requests", "tokens", "concurrency", "journal"};
  static const char *const statuses[METRICS_STATUS] = {"none",
#define X(code) #code,
                                                       METRICS_STATUSES
#undef X
                                                       "other",
                                                       "1xx",
                                                       "2xx",
                                                       "3xx",
                                                       "4xx",
                                                       "5xx"};
  switch (d) {
    case DIMENSION_NONE: return;
    case DIMENSION_ENDPOINT: put_label(out, is_first, "endpoint", name_of(&metrics_state.endpoints, index)); return;
    case DIMENSION_PROVIDER: put_label(out, is_first, "provider", name_of(&metrics_state.providers, index)); return;
    case DIMENSION_PAIR:
      put_label(out, is_first, "provider", name_of(&metrics_state.providers, metrics_pair_provider(index)));
      put_label(out, is_first, "model", name_of(&metrics_state.pairs, index));
      return;
    case DIMENSION_STATUS_CLASS: put_label(out, is_first, "status_class", classes[index]); return;
    case DIMENSION_STATUS: put_label(out, is_first, "status", statuses[index] ? statuses[index] : "other"); return;
    case DIMENSION_TOKEN_KIND: put_label(out, is_first, "kind", kinds[index]); return;
    case DIMENSION_CONNECTION_STATE: put_label(out, is_first, "state", states[index]); return;
    case DIMENSION_REFUSAL: put_label(out, is_first, "reason", refusals[index]); return;
    case DIMENSION_ACCOUNT: put_label(out, is_first, "account", name_of(&metrics_state.accounts, index)); return;
  }
}

/* Rows that can hold anything: for names, those that exist. */
static unsigned rows_used(const struct metrics_family *f) {
  const struct metrics_names *table = f->row == DIMENSION_ENDPOINT   ? &metrics_state.endpoints
                                      : f->row == DIMENSION_PROVIDER ? &metrics_state.providers
                                      : f->row == DIMENSION_PAIR     ? &metrics_state.pairs
                                      : f->row == DIMENSION_ACCOUNT  ? &metrics_state.accounts
                                                                     : NULL;
  return table ? atomic_load_explicit(&table->n, memory_order_acquire) + 1 : f->rows;
}

static bool is_named(enum metrics_dimension d) {
  return d == DIMENSION_ENDPOINT || d == DIMENSION_PROVIDER || d == DIMENSION_PAIR;
}

static void put_scaled(struct buf *out, int64_t v, int64_t scale) {
  if (scale == 1)
    buf_put_i64(out, v);
  else
    buf_put_nano_usd(out, v > INT64_MAX / 1000 && scale != 1000000000 ? INT64_MAX : v * (1000000000 / scale));
}

static void put_head(struct buf *out, const char *name, const char *help, const char *type) {
  buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void write_cells(struct buf *out, const struct metrics_family *f) {
  for (unsigned row = 0; row < rows_used(f); row++)
    for (unsigned column = 0; column < f->columns; column++) {
      int64_t v = metrics_sum(f->at + row * f->columns + column);
      bool is_first = true;
      if (v == 0 && is_named(f->row)) continue;
      if (v == 0 && f->row == DIMENSION_ACCOUNT && row == 0) continue; /* an account with nothing left is shown */
      if (v == METRICS_ABSENT && f->row == DIMENSION_ACCOUNT) continue;
      buf_put(out, str_from_c(f->name));
      put_dimension(out, &is_first, f->row, row);
      put_dimension(out, &is_first, f->column, column);
      if (!is_first) buf_put_char(out, '}');
      buf_put_char(out, ' ');
      put_scaled(out, v, f->scale);
      buf_put_char(out, '\n');
    }
}

static void put_series(struct buf *out, const struct metrics_family *f, const char *suffix, unsigned row) {
  bool is_first = true;
  buf_put(out, str_from_c(f->name));
  buf_put(out, str_from_c(suffix));
  put_dimension(out, &is_first, f->row, row);
  if (!is_first) buf_put_char(out, '}');
  buf_put_char(out, ' ');
}

static void write_histogram(struct buf *out, const struct metrics_family *f, unsigned row) {
  int64_t buckets[BOUNDS_MAX + 1], n = 0;
  size_t first = f->at + row * f->columns;
  for (unsigned i = 0; i <= f->bounds_n; i++) n += buckets[i] = metrics_sum(first + i);
  if (n == 0 && is_named(f->row)) return;
  int64_t below = 0;
  for (unsigned i = 0; i <= f->bounds_n; i++) {
    struct buf bound;
    bool is_first = true;
    buf_init(&bound, 64);
    if (i < f->bounds_n)
      put_scaled(&bound, (int64_t)f->bounds[i], f->scale);
    else
      buf_put(&bound, STR("+Inf"));
    buf_put_char(&bound, 0);
    below += buckets[i];
    buf_put(out, str_from_c(f->name));
    buf_put(out, STR("_bucket"));
    put_dimension(out, &is_first, f->row, row);
    put_label(out, &is_first, "le", bound.failed ? "?" : bound.p);
    buf_put(out, STR("} "));
    buf_put_i64(out, below);
    buf_put_char(out, '\n');
    buf_clear(&bound);
  }
  put_series(out, f, "_sum", row);
  put_scaled(out, metrics_sum(first + f->bounds_n + 1), f->scale);
  buf_put_char(out, '\n');
  put_series(out, f, "_count", row);
  buf_put_i64(out, n);
  buf_put_char(out, '\n');
}

/* Total and resident pages; false without /proc. */
static bool read_statm(uint64_t *virtual_pages, uint64_t *resident_pages) {
  char text[128] = "";
  int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  ssize_t n = read(fd, text, sizeof text - 1);
  close(fd);
  struct str first, second, rest;
  str_cut(str_from(text, n > 0 ? (size_t)n : 0), ' ', &first, &rest);
  str_cut(rest, ' ', &second, &rest);
  return str_to_u64(first, virtual_pages) && str_to_u64(second, resident_pages);
}

static void write_process(struct buf *out) {
  uint64_t virtual_pages, resident_pages, page = (uint64_t)sysconf(_SC_PAGESIZE);
  if (read_statm(&virtual_pages, &resident_pages)) {
    put_head(out, "process_resident_memory_bytes", "Resident memory size in bytes.", "gauge");
    buf_printf(out, "process_resident_memory_bytes %llu\n", (unsigned long long)(resident_pages * page));
    put_head(out, "process_virtual_memory_bytes", "Virtual memory size in bytes.", "gauge");
    buf_printf(out, "process_virtual_memory_bytes %llu\n", (unsigned long long)(virtual_pages * page));
  }
  struct rusage used;
  if (getrusage(RUSAGE_SELF, &used) == 0) {
    int64_t us = (int64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 + used.ru_utime.tv_usec +
                 used.ru_stime.tv_usec;
    put_head(out, "process_cpu_seconds_total", "Total user and system CPU time spent in seconds.", "counter");
    buf_put(out, STR("process_cpu_seconds_total "));
    put_scaled(out, us, 1000000);
    buf_put_char(out, '\n');
  }
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    put_head(out, "process_max_fds", "Maximum number of open file descriptors.", "gauge");
    buf_printf(out, "process_max_fds %llu\n", (unsigned long long)files.rlim_cur);
  }
  int64_t started_us = atomic_load(&metrics_state.started_us);
  if (started_us) {
    put_head(out, "process_start_time_seconds", "Start time of the process since unix epoch in seconds.", "gauge");
    buf_put(out, STR("process_start_time_seconds "));
    put_scaled(out, started_us, 1000000);
    buf_put_char(out, '\n');
  }
}

void metrics_write(struct buf *out, bool has_accounts) {
  static const char *const types[] = {"counter", "gauge", "histogram"};
  put_head(out, "maestro_build_info", "Always 1; the labels tell what runs.", "gauge");
  buf_put(out, STR("maestro_build_info{version=\"" MAESTRO_VERSION "\"} 1\n"));
  for (unsigned m = 0; m < METRIC_COUNT; m++) {
    const struct metrics_family *f = &metrics_families[m];
    if (f->row == DIMENSION_ACCOUNT && !has_accounts) continue;
    put_head(out, f->name, f->help, types[f->type]);
    if (f->bounds == NULL)
      write_cells(out, f);
    else
      for (unsigned row = 0; row < rows_used(f); row++) write_histogram(out, f, row);
  }
  write_process(out);
}
