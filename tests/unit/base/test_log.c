/* Rings and the writer: nothing lost, nothing torn, order kept per worker, drops counted, and no worker ever waits for
 * a reader. Files stand in for standard error. */
#include "base/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "unit.h"

static int out_fd = -1;

static int setup(void **state) {
  (void)state;
  char name[] = "/tmp/maestro-test-log-XXXXXX";
  out_fd = mkstemp(name);
  assert_true(out_fd >= 0);
  unlink(name);
  log_set_fd(out_fd);
  log_set_level(LOG_LEVEL_INFO);
  log_set_json(false);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  log_stop();
  close(out_fd);
  log_set_fd(STDERR_FILENO);
  return 0;
}

static char *written(size_t *n) {
  off_t size = lseek(out_fd, 0, SEEK_END);
  char *text = malloc((size_t)size + 1);
  assert_non_null(text);
  assert_int_equal(pread(out_fd, text, (size_t)size, 0), size);
  text[size] = 0;
  *n = (size_t)size;
  return text;
}

static size_t count_lines(const char *needle) {
  size_t n, lines = 0;
  char *text = written(&n);
  struct str rest = str_from(text, n), line;
  while (str_cut(rest, '\n', &line, &rest)) lines += str_find(line, str_from_c(needle)) != SIZE_MAX;
  free(text);
  return lines;
}

TEST(without_a_writer_lines_go_out_at_once) {
  log_line(LOG_LEVEL_INFO, "hello", log_u64(LOG_COUNT, 1));
  assert_int_equal(count_lines(" INFO hello count=1"), 1);
  assert_int_equal(log_worker_attach(NULL), OK); /* nothing to attach to */
  log_line(LOG_LEVEL_WARN, "hello", log_u64(LOG_COUNT, 2));
  assert_int_equal(count_lines(" WARN hello count=2"), 1);
  log_worker_detach();
}

TEST(levels_hide_lines_and_do_not_evaluate_fields) {
  int evaluated = 0;
  log_line(LOG_LEVEL_DEBUG, "hidden", log_i64(LOG_COUNT, ++evaluated));
  log_set_level(LOG_LEVEL_OFF);
  log_line(LOG_LEVEL_ERROR, "hidden", log_i64(LOG_COUNT, ++evaluated));
  log_set_level(LOG_LEVEL_DEBUG);
  log_line(LOG_LEVEL_DEBUG, "shown", log_i64(LOG_COUNT, ++evaluated));
  assert_int_equal(evaluated, 1);
  assert_int_equal(count_lines("hidden"), 0);
  assert_int_equal(count_lines("shown"), 1);
}

TEST(level_names) {
  enum log_level level = LOG_LEVEL_OFF;
  assert_true(log_level_parse(STR("Warning"), &level) && level == LOG_LEVEL_WARN);
  assert_true(log_level_parse(STR("CRITICAL"), &level) && level == LOG_LEVEL_ERROR);
  assert_true(log_level_parse(STR("debug"), &level) && level == LOG_LEVEL_DEBUG);
  assert_false(log_level_parse(STR("verbose"), &level));
  assert_int_equal(level, LOG_LEVEL_DEBUG);
}

TEST(flush_brings_out_what_a_worker_put) {
  assert_int_equal(log_start(NULL, NULL), OK);
  assert_int_equal(log_worker_attach(NULL), OK);
  for (int i = 0; i < 100; i++) {
    log_line(LOG_LEVEL_INFO, "flushed", log_i64(LOG_COUNT, i));
    if (i % 10 == 0) {
      assert_true(log_flush(10000));
      assert_int_equal(count_lines("flushed"), i + 1);
    }
  }
  log_worker_detach();
  log_stop();
  assert_int_equal(count_lines("flushed"), 100);
  assert_int_equal(log_dropped_total(), 0);
}

enum { WORKERS = 4, LINES = 20000 };

static void *work(void *arg) {
  uint64_t me = (uint64_t)(uintptr_t)arg;
  char filler[300];
  memset(filler, 'f', sizeof filler);
  assert_int_equal(log_worker_attach(NULL), OK);
  for (uint64_t i = 0; i < LINES; i++)
    log_line(LOG_LEVEL_INFO, "work", log_u64(LOG_PORT, me), log_u64(LOG_COUNT, i),
             log_str(LOG_NAME, str_from(filler, i % sizeof filler)));
  log_worker_detach();
  return NULL;
}

/* Each worker's lines are whole, in order, and those missing are exactly the dropped ones. */
static void check_work(void) {
  size_t n, lines = 0;
  char *text = written(&n);
  uint64_t next[WORKERS] = {0};
  struct str rest = str_from(text, n), line, head, tail;
  while (str_cut(rest, '\n', &line, &rest)) {
    if (str_find(line, STR(" work ")) == SIZE_MAX) continue;
    unsigned long long port, count;
    char copy[600] = {0};
    memcpy(copy, line.p, line.n < sizeof copy ? line.n : sizeof copy - 1);
    const char *at = strstr(copy, " work ");
    assert_int_equal(sscanf(at, " work port=%llu count=%llu", &port, &count), 2);
    assert_true(port < WORKERS && count >= next[port] && count < LINES);
    next[port] = count + 1;
    assert_true(str_cut(str_from(at + 1, strlen(at + 1)), '=', &head, &tail));
    const char *name = strstr(at, " name=") + 6;
    size_t want = count % 300;
    assert_int_equal(strlen(name), want ? want : 2);
    lines++;
  }
  free(text);
  assert_int_equal(lines + log_dropped_total(), (size_t)WORKERS * LINES);
}

TEST(workers_do_not_disturb_each_other) {
  /* A small ring, so that it wraps hundreds of times and overflows now and then. */
  const struct log_options options = {.ring_bytes = 16 * 1024};
  pthread_t threads[WORKERS];
  assert_int_equal(log_start(&options, NULL), OK);
  for (size_t i = 0; i < WORKERS; i++) assert_int_equal(pthread_create(&threads[i], NULL, work, (void *)i), 0);
  for (size_t i = 0; i < 20; i++) assert_true(log_flush(10000));
  for (size_t i = 0; i < WORKERS; i++) pthread_join(threads[i], NULL);
  log_stop();
  check_work();
}

TEST(rings_are_used_again) {
  assert_int_equal(log_start(NULL, NULL), OK);
  for (int i = 0; i < 3 * LOG_RINGS_MAX; i++) {
    assert_int_equal(log_worker_attach(NULL), OK);
    log_line(LOG_LEVEL_INFO, "again", log_i64(LOG_COUNT, i));
    log_worker_detach();
  }
  log_stop();
  assert_int_equal(count_lines("again"), 3 * LOG_RINGS_MAX);
}

TEST(a_reader_that_stalls_costs_lines_but_no_time) {
  int ends[2];
  assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
  log_set_fd(ends[1]);
  const struct log_options options = {.ring_bytes = 8 * 1024};
  uint64_t before = log_dropped_total();
  assert_int_equal(log_start(&options, NULL), OK);
  assert_int_equal(log_worker_attach(NULL), OK);
  uint64_t started_us = clock_mono_us();
  for (int i = 0; i < 10000; i++) log_line(LOG_LEVEL_INFO, "stalled", log_i64(LOG_COUNT, i));
  assert_true(clock_mono_us() - started_us < 5000000);
  assert_true(log_dropped_total() - before > 1000);
  log_worker_detach();
  /* Once somebody reads, the writer goes on and says how many are missing. */
  static char sink[1 << 20];
  size_t got = 0;
  for (int i = 0; i < 500 && str_find(str_from(sink, got), STR("log_dropped")) == SIZE_MAX; i++) {
    ssize_t n = read(ends[0], sink + got, sizeof sink - got);
    if (n > 0)
      got += (size_t)n;
    else
      usleep(10000);
  }
  assert_int_not_equal(str_find(str_from(sink, got), STR(" WARN log_dropped count=")), SIZE_MAX);
  log_stop();
  close(ends[0]);
  close(ends[1]);
}

TEST(a_reader_that_is_gone_is_not_waited_for) {
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  close(ends[0]);
  log_set_fd(ends[1]);
  uint64_t before = log_dropped_total();
  assert_int_equal(log_start(NULL, NULL), OK);
  assert_int_equal(log_worker_attach(NULL), OK);
  for (int i = 0; i < 10; i++) log_line(LOG_LEVEL_INFO, "gone", log_i64(LOG_COUNT, i));
  assert_true(log_flush(10000));
  assert_true(log_dropped_total() - before >= 10);
  log_worker_detach();
  log_stop();
  close(ends[1]);
}

TEST(a_forked_child_writes_directly) {
  assert_int_equal(log_start(NULL, NULL), OK);
  assert_int_equal(log_worker_attach(NULL), OK);
  pid_t child = fork();
  if (child == 0) {
    log_line(LOG_LEVEL_INFO, "child", log_i64(LOG_COUNT, 1));
    _exit(0);
  }
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
  assert_int_equal(count_lines(" child "), 1);
  log_worker_detach();
}

int main(void) {
  signal(SIGPIPE, SIG_IGN);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(without_a_writer_lines_go_out_at_once, setup, teardown),
      cmocka_unit_test_setup_teardown(levels_hide_lines_and_do_not_evaluate_fields, setup, teardown),
      cmocka_unit_test(level_names),
      cmocka_unit_test_setup_teardown(flush_brings_out_what_a_worker_put, setup, teardown),
      cmocka_unit_test_setup_teardown(workers_do_not_disturb_each_other, setup, teardown),
      cmocka_unit_test_setup_teardown(rings_are_used_again, setup, teardown),
      cmocka_unit_test_setup_teardown(a_reader_that_stalls_costs_lines_but_no_time, setup, teardown),
      cmocka_unit_test_setup_teardown(a_reader_that_is_gone_is_not_waited_for, setup, teardown),
      cmocka_unit_test_setup_teardown(a_forked_child_writes_directly, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
