/* From workers to the files: in order, whole, and never waiting; a disk that stalls costs rows at most. */
#include "record/log_writer.h"

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "base/clock.h"
#include "state/log/log_file.h"
#include "state/log_rig.h"

struct rig {
  struct log_rig files;
  char dir[64]; /* the data directory; the log's folder is in it */
};

static const struct log_writer_options options = {true, 64 * 1024, {30, 400, UINT64_C(1) << 40}};

static void rig_init(struct rig *r, const struct log_writer_options *o) {
  memset(r, 0, sizeof *r);
  snprintf(r->dir, sizeof r->dir, "/tmp/maestro-writer-XXXXXX");
  assert_non_null(mkdtemp(r->dir));
  snprintf(r->files.dir, sizeof r->files.dir, "%.50s/logs", r->dir);
  assert_int_equal(log_writer_start(r->dir, o, &r->files.info), OK);
}

static void rig_clear(struct rig *r) {
  log_writer_stop();
  if (!access(r->files.dir, F_OK)) log_rig_clear(&r->files);
  assert_int_equal(rmdir(r->dir), 0);
}

static enum err count(void *arg, const struct log_series *s, struct err_info *info) {
  (void)info;
  *(int64_t *)arg += s->sums.v[LOG_SUM_ROWS];
  return OK;
}

static int64_t rows_in_files(struct rig *r) {
  struct log_reader reader;
  int64_t n = 0;
  assert_int_equal(log_reader_open(&reader, r->files.dir, log_day(clock_wall_us()), &r->files.info), OK);
  assert_int_equal(log_reader_open_days(&reader, &r->files.info), OK);
  for (size_t i = 0; i < reader.open_count; i++) assert_int_equal(count(&n, &reader.open[i], NULL), OK);
  log_reader_close(&reader);
  return n;
}

enum { WORKERS = 3, ROWS_EACH = 4000 };

static void *work(void *arg) {
  struct err_info info = {0};
  assert_int_equal(log_writer_attach((unsigned)(uintptr_t)arg, &info), OK);
  assert_true(log_writer_is_on());
  for (int i = 0; i < ROWS_EACH; i++) {
    struct log_row row = log_rig_row(clock_wall_us());
    log_writer_put(&row);
    if (i % 50 == 0) log_writer_flush(1000);
  }
  log_writer_detach();
  return NULL;
}

TEST(rows_of_several_workers) {
  struct rig r;
  pthread_t threads[WORKERS];
  struct log_writer_stats stats;
  rig_init(&r, &options);
  for (uintptr_t i = 0; i < WORKERS; i++) assert_int_equal(pthread_create(&threads[i], NULL, work, (void *)i), 0);
  for (int i = 0; i < WORKERS; i++) pthread_join(threads[i], NULL);
  assert_true(log_writer_flush(10000));
  log_writer_stats(&stats);
  assert_int_equal(stats.dropped, 0);
  assert_int_equal(stats.written, WORKERS * ROWS_EACH);
  assert_int_equal(rows_in_files(&r), WORKERS * ROWS_EACH);
  rig_clear(&r);
}

/* How many threads of this process have that nice value. */
static unsigned threads_at(long nice) {
  unsigned n = 0;
  DIR *tasks = opendir("/proc/self/task");
  assert_non_null(tasks);
  for (const struct dirent *at; (at = readdir(tasks));) {
    char *end;
    long id = strtol(at->d_name, &end, 10);
    if (!*end && id > 0 && getpriority(PRIO_PROCESS, (id_t)id) == nice) n++;
  }
  closedir(tasks);
  return n;
}

TEST(the_writer_gives_way_to_those_who_serve) {
  struct rig r;
  int own = getpriority(PRIO_PROCESS, 0);
  if (own > 10) return; /* nothing is left to give */
  assert_int_equal(threads_at(own + 5), 0);
  rig_init(&r, &options);
  for (uint64_t until_us = clock_mono_us() + 10000000; !threads_at(own + 5) && clock_mono_us() < until_us;)
    sched_yield();
  assert_int_equal(threads_at(own + 5), 1);
  assert_int_equal(getpriority(PRIO_PROCESS, 0), own);
  rig_clear(&r);
}

/* Whoever holds the file's lock stalls the writer as a disk would that does not answer. */
TEST(a_stalled_disk_makes_nobody_wait) {
  struct rig r;
  sqlite3 *db;
  char path[LOG_PATH_BYTES];
  struct log_writer_stats stats;
  int put = 0;
  rig_init(&r, &options);
  assert_int_equal(log_writer_attach(0, &r.files.info), OK);
  struct log_row row = log_rig_row(clock_wall_us());
  log_writer_put(&row);
  put++;
  assert_true(log_writer_flush(10000));
  log_file_path(r.files.dir, log_day(row.at_us), path);
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
  uint64_t end = clock_mono_us() + 1000000, turns = 0, slow = 0;
  while (clock_mono_us() < end) { /* a request each 100 us, for a second: more than the ring has room for */
    const struct timespec pause = {.tv_nsec = 100000};
    uint64_t from = clock_mono_us();
    row.at_us = clock_wall_us();
    log_writer_put(&row);
    uint64_t us = clock_mono_us() - from;
    put++;
    turns++;
    slow += us > 1000;
    nanosleep(&pause, NULL);
  }
  assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
  sqlite3_close(db);
  assert_true(turns > 100);
  assert_true(slow <= turns / 50 + 2); /* a busy machine may take the processor away; the lock was held all the time */
  assert_true(log_writer_flush(10000));
  log_writer_stats(&stats);
  assert_int_equal(stats.written + stats.dropped, put); /* each is in the file or counted */
  assert_int_equal(rows_in_files(&r), stats.written);
  assert_true(stats.written > 100);
  log_writer_detach();
  rig_clear(&r);
}

TEST(a_folder_that_cannot_be_written_drops_and_recovers) {
  struct rig r;
  struct log_writer_stats stats;
  rig_init(&r, &options);
  assert_int_equal(log_writer_attach(0, &r.files.info), OK);
  FILE *in_the_way = fopen(r.files.dir, "w"); /* a file where the folder should be */
  assert_non_null(in_the_way);
  fclose(in_the_way);
  for (int i = 0; i < 2000; i++) {
    struct log_row row = log_rig_row(clock_wall_us());
    log_writer_put(&row);
  }
  for (int i = 0; i < 500; i++) {
    log_writer_stats(&stats);
    if (stats.is_failing) break;
    usleep(10000);
  }
  assert_true(stats.is_failing);
  assert_int_equal(stats.written, 0);
  assert_true(stats.dropped > 0);
  unlink(r.files.dir);
  assert_true(log_writer_flush(10000));
  log_writer_stats(&stats);
  assert_false(stats.is_failing);
  assert_int_equal(stats.written + stats.dropped, 2000);
  assert_int_equal(rows_in_files(&r), stats.written);
  log_writer_detach();
  rig_clear(&r);
}

TEST(switched_off_nothing_is_kept) {
  struct rig r;
  struct log_writer_options off = options;
  struct log_writer_stats stats;
  off.is_on = false;
  rig_init(&r, &off);
  assert_int_equal(log_writer_attach(0, &r.files.info), OK);
  assert_false(log_writer_is_on());
  struct log_row row = log_rig_row(clock_wall_us());
  log_writer_put(&row);
  log_writer_set_options(&options);
  assert_true(log_writer_is_on());
  log_writer_put(&row);
  assert_true(log_writer_flush(10000));
  log_writer_stats(&stats);
  assert_int_equal(stats.written, 1);
  log_writer_detach();
  rig_clear(&r);
}

TEST(what_is_left_at_the_end_is_written) {
  struct rig r;
  rig_init(&r, &options);
  assert_int_equal(log_writer_attach(0, &r.files.info), OK);
  for (int i = 0; i < 100; i++) {
    struct log_row row = log_rig_row(clock_wall_us());
    log_writer_put(&row);
  }
  log_writer_detach();
  log_writer_stop();
  assert_int_equal(rows_in_files(&r), 100);
  rig_clear(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(rows_of_several_workers),
                                     cmocka_unit_test(the_writer_gives_way_to_those_who_serve),
                                     cmocka_unit_test(a_stalled_disk_makes_nobody_wait),
                                     cmocka_unit_test(a_folder_that_cannot_be_written_drops_and_recovers),
                                     cmocka_unit_test(switched_off_nothing_is_kept),
                                     cmocka_unit_test(what_is_left_at_the_end_is_written)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
