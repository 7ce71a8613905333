/* The request log at size: writes many rows (about 30 days of them) the way the server's writer does, and measures
 *   put     what a worker pays for a row: source, packing, its ring (processor time, nanoseconds)
 *   write   rows a second into the files, series and index included
 *   list    pages of 50 rows: newest, deep by cursor, with filters that pass much, little and nothing
 *   figures dashboard, charts, users, one user
 * Medians of rounds in milliseconds, of wall and of processor time, and the worst, with the files in the page cache.
 * Built and run by bench/records; DIR holds about 2 GB for ten million rows and is the caller's to delete. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "admin/records/usage.h"
#include "base/clock.h"
#include "record/log_writer.h"
#include "record/source.h"
#include "state/log/log_list.h"

enum { DAYS = 30, USERS = 400, MODELS = 24, ROUNDS = 21, BATCH = 4096, PUT_ROWS = 200000 };

static bool as_values; /* key=value, for bench/run; the slowest medians stand for all */
static double slowest_list_ms, slowest_figure_ms;

static double wall_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double thread_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static uint64_t state = 88172645463325252u;
static uint64_t next(uint64_t bound) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state % bound;
}
/* Few are used much, many little. */
static unsigned skewed(unsigned n) {
  uint64_t a = next(n), b = next(n), c = next(n);
  uint64_t least = a < b ? a : b;
  return (unsigned)(least < c ? least : c);
}

struct texts {
  char user[32], principal[32], model[64], asked[32], node[16], trace[32];
};

static void make_row(struct log_row *row, struct texts *t, int64_t at_us) {
  static const char *const sources[] = {"Claude-Code", "Codex", "OpenAI-SDK", "Continue"};
  static const char *const paths[] = {"/v1/messages", "/v1/responses", "/v1/chat/completions", "/v1/chat/completions"};
  unsigned user = skewed(USERS), model = (7 * user + skewed(4)) % MODELS, tool = user % 4; /* of few models each */
  bool is_bad = next(50) == 0;
  snprintf(t->user, sizeof t->user, "person-%u", user);
  snprintf(t->principal, sizeof t->principal, "user:%u", user + 1);
  snprintf(t->node, sizeof t->node, "node-%u", model % 5);
  snprintf(t->asked, sizeof t->asked, "model-%u", model);
  snprintf(t->model, sizeof t->model, "%s/%s", t->node, t->asked);
  snprintf(t->trace, sizeof t->trace, "tr_%024llx", (unsigned long long)next(UINT64_MAX));
  *row = (struct log_row){.at_us = at_us,
                          .trace = str_from_c(t->trace),
                          .text = {[LOG_TEXT_USER] = str_from_c(t->user),
                                   [LOG_TEXT_PRINCIPAL] = str_from_c(t->principal),
                                   [LOG_TEXT_SOURCE] = str_from_c(sources[tool]),
                                   [LOG_TEXT_ENDPOINT] = str_from_c(paths[tool]),
                                   [LOG_TEXT_TYPE] = STR("chat"),
                                   [LOG_TEXT_ASKED] = str_from_c(t->asked),
                                   [LOG_TEXT_MODEL] = str_from_c(t->model),
                                   [LOG_TEXT_NODE] = str_from_c(t->node),
                                   [LOG_TEXT_ERROR] = is_bad ? STR("upstream_error") : STR_NONE},
                          .status = is_bad ? 502 : 200,
                          .attempts = 1,
                          .is_stream = next(4) != 0,
                          .tokens = {(int64_t)next(20000), (int64_t)next(2000), (int64_t)next(10000), -1, -1},
                          .cost_nano_usd = (int64_t)next(50000000),
                          .ttft_us = (int64_t)next(900000),
                          .duration_us = (int64_t)next(20000000)};
}

static void must(enum err e, const struct err_info *info) {
  if (!e) return;
  fprintf(stderr, "records_cost: %s\n", err_info_text(e, info));
  exit(1);
}

/* ---- writing ---- */

static void generate(const char *folder, uint64_t rows, int64_t today) {
  static struct log_row batch[BATCH];
  static struct texts texts[BATCH];
  const struct log_store_options options = {3650, 3650, UINT64_C(1) << 40};
  struct err_info info = {0};
  struct log_store *store;
  int64_t first_us = log_day_begins_us(today - DAYS + 1), last_us = log_day_begins_us(today) + INT64_C(43200000000);
  double spent_ms = 0, spent_ns = 0, sealing_ms = 0, from, from_ns;
  must(log_store_new(&store, folder, &options, &info), &info);
  for (uint64_t i = 0; i < rows;) {
    size_t n = rows - i < BATCH ? (size_t)(rows - i) : BATCH, written;
    for (size_t k = 0; k < n; k++, i++)
      make_row(&batch[k], &texts[k], first_us + (int64_t)((double)i * (double)(last_us - first_us) / (double)rows));
    from = wall_ms(), from_ns = thread_ns();
    must(log_store_write(store, batch, n, &written, &info), &info);
    spent_ms += wall_ms() - from, spent_ns += thread_ns() - from_ns;
  }
  from = wall_ms();
  must(log_store_maintain(store, log_day_begins_us(today) + INT64_C(43200000000), &info), &info);
  sealing_ms = wall_ms() - from;
  log_store_free(store);
  if (as_values) {
    printf("rows=%llu write_rows_s=%.0f write_us=%.2f row_bytes=%.0f roll_up_ms=%.1f\n", (unsigned long long)rows,
           (double)rows / spent_ms * 1000, spent_ns / (double)rows / 1000,
           (double)log_store_bytes(folder) / (double)rows, sealing_ms / (DAYS - 1));
    return;
  }
  printf(
      "write     %10.0f rows/s, %.1f us of the processor a row (%llu rows, %d days; %.0f MB; %.1f ms to roll up a "
      "day)\n",
      (double)rows / spent_ms * 1000, spent_ns / (double)rows / 1000, (unsigned long long)rows, (int)DAYS,
      (double)log_store_bytes(folder) / 1e6, sealing_ms / (DAYS - 1));
}

/* ---- what a worker pays ---- */

static void measure_put(const char *dir) {
  struct log_writer_options options = {true, 512 << 20, {3650, 3650, UINT64_C(1) << 40}};
  const struct http_header headers[] = {{STR("host"), STR("localhost:8080")},
                                        {STR("user-agent"), STR("OpenAI/JS 7.55.0")},
                                        {STR("authorization"), STR("Bearer x")}};
  struct err_info info = {0};
  struct texts t;
  struct log_row row;
  volatile size_t keep = 0;
  make_row(&row, &t, clock_wall_us());
  must(log_writer_start(dir, &options, &info), &info);
  must(log_writer_attach(0, &info), &info);
  for (int round = 0; round < 2; round++) { /* the first one touches the ring's pages */
    double from = thread_ns();
    for (int i = 0; i < PUT_ROWS; i++) {
      row.text[LOG_TEXT_SOURCE] = source_of((struct http_headers){headers, 3}, row.text[LOG_TEXT_ENDPOINT]);
      keep += row.text[LOG_TEXT_SOURCE].n;
      log_writer_put(&row);
    }
    if (round)
      printf(as_values ? "put_ns=%.0f\n" : "put       %10.0f ns of the worker a row\n",
             (thread_ns() - from) / PUT_ROWS);
    log_writer_flush(600000);
  }
  log_writer_detach();
  log_writer_stop();
}

/* ---- reading ---- */

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

__attribute__((noinline)) static void report(const char *what, double *v, double *cpu, const char *more,
                                             double *slowest) {
  qsort(v, ROUNDS, sizeof *v, compare);
  qsort(cpu, ROUNDS, sizeof *cpu, compare);
  if (v[ROUNDS / 2] > *slowest) *slowest = v[ROUNDS / 2];
  if (as_values) return;
  printf("%-26s %8.2f ms  (of the processor %.2f, worst %.2f)%s\n", what, v[ROUNDS / 2], cpu[ROUNDS / 2], v[ROUNDS - 1],
         more);
}

static enum err count_row(void *arg, const struct log_row *row, struct err_info *info) {
  (void)row, (void)info;
  ++*(unsigned *)arg;
  return OK;
}

static void measure_list(const char *folder, const char *what, struct log_filter filter, unsigned pages,
                         unsigned offset) {
  double v[ROUNDS], cpu[ROUNDS];
  char more[96];
  unsigned rows = 0;
  bool is_exact = false;
  int64_t total = 0;
  struct err_info info = {0};
  for (int i = 0; i < ROUNDS; i++) {
    struct log_reader r;
    int64_t next_id = 0;
    for (unsigned page = 0; page < pages; page++) {
      const struct log_list list = {&filter, next_id, offset, 50};
      double from = wall_ms(), from_ns = thread_ns();
      rows = 0;
      must(log_reader_open(&r, folder, log_day(clock_wall_us()), &info), &info);
      must(log_list_run(&r, &list, count_row, &rows, &next_id, &info), &info);
      must(log_reader_total(&r, &filter, &total, &is_exact, &info), &info);
      log_reader_close(&r);
      v[i] = wall_ms() - from;
      cpu[i] = (thread_ns() - from_ns) / 1e6;
    }
  }
  snprintf(more, sizeof more, "  %u rows, total %s%lld", rows, is_exact ? "" : "not told ", (long long)total);
  report(what, v, cpu, more, &slowest_list_ms);
}

static void measure_figure(const char *folder, const char *what, usage_fn *fn, int64_t days) {
  double v[ROUNDS], cpu[ROUNDS];
  struct err_info info = {0};
  int64_t today = log_day(clock_wall_us());
  const struct usage_ask ask = {
      .today = today, .from = today - days + 1, .to = today, .principal = STR("user:3"), .limit = 10};
  for (int i = 0; i < ROUNDS; i++) {
    struct log_reader r;
    struct buf out;
    double from = wall_ms(), from_ns = thread_ns();
    buf_init(&out, 0);
    must(log_reader_open(&r, folder, today, &info), &info);
    must(fn(&r, &ask, &out, &info), &info);
    log_reader_close(&r);
    buf_clear(&out);
    v[i] = wall_ms() - from;
    cpu[i] = (thread_ns() - from_ns) / 1e6;
  }
  report(what, v, cpu, "", &slowest_figure_ms);
}

static void measure_lists(const char *folder, int64_t noon) {
  static const struct {
    const char *what;
    struct log_filter filter;
    unsigned pages, offset;
  } rows[] = {
      {"list newest", {.status = 0}, 1, 0},
      {"list 20th page, cursor", {.status = 0}, 20, 0},
      {"list offset 10000", {.status = 0}, 1, 10000},
      {"list by a frequent user", {.principal = {"user:2", 6}}, 1, 0},
      {"list by a rare user", {.principal = {"user:399", 8}}, 1, 0},
      {"list by an unknown user", {.principal = {"user:9999", 9}}, 1, 0},
      {"list by name", {.user = {"person-7", 8}}, 1, 0},
      {"list errors", {.category = LOG_CATEGORY_ERROR}, 1, 0},
      {"list success", {.category = LOG_CATEGORY_SUCCESS}, 1, 0},
      {"list success, 20th page", {.category = LOG_CATEGORY_SUCCESS}, 20, 0},
      {"list part of model", {.model = {"EL-23", 5}}, 1, 0},
      {"list unknown model", {.model = {"zzz", 3}}, 1, 0},
      {"list user, 502, source", {.principal = {"user:99", 7}, .status = 502, .source = {"OpenAI-SDK", 10}}, 1, 0}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    measure_list(folder, rows[i].what, rows[i].filter, rows[i].pages, rows[i].offset);
  const struct log_filter hour = {.from_us = noon, .to_us = noon + 3600000000, .node = STR("node-1")};
  measure_list(folder, "list an hour of a node", hour, 1, 0);
}

static void measure_figures(const char *folder) {
  measure_figure(folder, "dashboard", usage_dashboard, 0);
  measure_figure(folder, "chart of tokens, 30 days", usage_chart_tokens, 30);
  measure_figure(folder, "chart of models, 30 days", usage_chart_models, 30);
  measure_figure(folder, "users, 30 days", usage_users, 30);
  measure_figure(folder, "tokens of a user, 30 days", usage_tokens_of_user, 30);
  measure_figure(folder, "maestro stats, 30 days", usage_stats, 30);
}

int main(int argc, char **argv) {
  static char folder[900];
  as_values = argc == 4 && !strcmp(argv[3], "--values");
  if (argc != 3 && !as_values) return fprintf(stderr, "usage: records_cost DIR ROWS [--values]\n"), 2;
  uint64_t rows;
  if (!str_to_u64(str_from_c(argv[2]), &rows)) return 2;
  int64_t today = log_day(clock_wall_us());
  snprintf(folder, sizeof folder, "%s/put", argv[1]);
  measure_put(folder);
  snprintf(folder, sizeof folder, "%s/logs", argv[1]);
  if (!log_store_bytes(folder)) generate(folder, rows, today);
  measure_lists(folder, log_day_begins_us(today - 15) + INT64_C(43200000000));
  measure_figures(folder);
  if (as_values) printf("list_ms=%.2f figure_ms=%.2f\n", slowest_list_ms, slowest_figure_ms);
  return 0;
}
