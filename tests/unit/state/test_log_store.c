/* The request log on disk: rows and sums agree, whatever happens to the process, the disk, the clock and the files. */
#include "state/log/log_store.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "state/log/log_file.h"
#include "state/log_rig.h"

static const struct log_filter everything;

/* ---- reading it back ---- */

static void good(enum err e, const struct err_info *info) {
  if (e) fail_msg("%s", err_info_text(e, info));
}

struct seen {
  unsigned n;
  int64_t last_id, last_us;
  struct log_row last;
  char text[LOG_TEXTS][LOG_TEXT_MAX + 1];
};

static enum err see(void *arg, const struct log_row *row, struct err_info *info) {
  struct seen *s = arg;
  (void)info;
  if (s->n) assert_true(row->id < s->last_id && row->at_us <= s->last_us);
  s->n++;
  s->last_id = row->id;
  s->last_us = row->at_us;
  s->last = *row;
  for (int i = 0; i < LOG_TEXTS; i++) snprintf(s->text[i], sizeof s->text[i], "%.*s", STR_ARG(row->text[i]));
  return OK;
}

static unsigned count_rows(struct log_rig *r, const struct log_filter *f, struct seen *s) {
  struct log_reader reader;
  int64_t next;
  const struct log_list list = {f, 0, 0, 100000};
  memset(s, 0, sizeof *s);
  good(log_reader_open(&reader, r->dir, INT32_MAX, &r->info), &r->info);
  good(log_list_run(&reader, &list, see, s, &next, &r->info), &r->info);
  assert_int_equal(next, 0);
  log_reader_close(&reader);
  return s->n;
}

static enum err add_facet(void *arg, const struct log_facet *f, struct err_info *info) {
  (void)info;
  log_sums_add(arg, f->sums);
  return OK;
}

static struct log_sums sums_of(struct log_rig *r, int64_t today) {
  struct log_reader reader;
  struct log_sums sums = {0};
  good(log_reader_open(&reader, r->dir, today, &r->info), &r->info);
  good(log_reader_facets(&reader, LOG_BY_NOTHING, 0, INT32_MAX, add_facet, &sums, &r->info), &r->info);
  log_reader_close(&reader);
  return sums;
}

/* ---- rows ---- */

TEST(a_row_comes_back_as_it_was) {
  struct log_rig r;
  struct seen s;
  log_rig_init(&r);
  struct log_row row = log_rig_row(LOG_RIG_AT(LOG_RIG_DAY, 5));
  row.is_stream = row.is_estimated = true;
  row.text[LOG_TEXT_TEAM] = STR("");
  row.tokens[USAGE_REASONING] = 3;
  log_rig_add(&r, &row, 1);
  assert_int_equal(count_rows(&r, &everything, &s), 1);
  assert_int_equal(s.last.at_us, row.at_us);
  assert_int_equal(s.last.status, 200);
  assert_true(s.last.is_stream && s.last.is_estimated);
  for (int i = 0; i < LOG_TEXTS; i++) assert_str(row.text[i], str_from_c(s.text[i]));
  for (int i = 0; i < USAGE_CLASSES; i++) assert_int_equal(s.last.tokens[i], row.tokens[i]);
  assert_int_equal(s.last.cost_nano_usd, 1000);
  assert_int_equal(s.last.ttft_us, 300);
  assert_int_equal(s.last.duration_us, 2000);
  assert_int_equal(s.last.id, log_id(LOG_RIG_DAY, 1));
  log_rig_clear(&r);
}

TEST(sums_are_of_what_is_known) {
  struct log_rig r;
  log_rig_init(&r);
  struct log_row rows[4];
  for (int i = 0; i < 4; i++) rows[i] = log_rig_row(LOG_RIG_AT(LOG_RIG_DAY, 3600 * i + 1));
  rows[1].cost_nano_usd = -1; /* no price */
  rows[2].tokens[0] = rows[2].tokens[1] = rows[2].cost_nano_usd = rows[2].ttft_us = -1;
  rows[2].status = 502;
  rows[2].text[LOG_TEXT_ERROR] = STR("upstream_error");
  rows[3].text[LOG_TEXT_ERROR] = STR("upstream_cut"); /* after its head with 200 was out */
  log_rig_add(&r, rows, 4);
  struct log_sums sums = sums_of(&r, LOG_RIG_DAY);
  assert_int_equal(sums.v[LOG_SUM_ROWS], 4);
  assert_int_equal(sums.v[LOG_SUM_SUCCESS], 2);
  assert_int_equal(sums.v[LOG_SUM_INPUT], 30);
  assert_int_equal(sums.v[LOG_SUM_OUTPUT], 15);
  assert_int_equal(sums.v[LOG_SUM_COST], 2000);
  assert_int_equal(sums.v[LOG_SUM_PRICED], 2);
  assert_int_equal(sums.v[LOG_SUM_USED], 3);
  assert_int_equal(sums.v[LOG_SUM_TTFT_ROWS], 3);
  assert_int_equal(sums.v[LOG_SUM_DURATION], 8000);
  for (int h = 0; h < LOG_HOURS; h++) assert_int_equal(sums.hours[h], h < 4);
  log_rig_clear(&r);
}

TEST(times_never_fall_and_days_do_not_mix) {
  struct log_rig r;
  struct seen s;
  log_rig_init(&r);
  /* Around midnight rings are emptied one after the other, and the clock may be set back. */
  const int64_t at[] = {LOG_RIG_AT(LOG_RIG_DAY, 86399), LOG_RIG_AT(LOG_RIG_DAY + 1, 0), LOG_RIG_AT(LOG_RIG_DAY, 86398),
                        LOG_RIG_AT(LOG_RIG_DAY + 1, 1)};
  struct log_row rows[4];
  for (int i = 0; i < 4; i++) rows[i] = log_rig_row(at[i]);
  log_rig_add(&r, rows, 4);
  assert_int_equal(count_rows(&r, &everything, &s), 4);
  assert_int_equal(log_rig_files(&r, ".db"), 2);
  const struct log_filter first = {.to_us = LOG_RIG_AT(LOG_RIG_DAY + 1, 0)};
  assert_int_equal(count_rows(&r, &first, &s), 2);
  assert_int_equal(s.last_id, log_id(LOG_RIG_DAY, 1));
  log_rig_clear(&r);
}

/* ---- many series ---- */

TEST(names_without_end_do_not_make_series_without_end) {
  struct log_rig r;
  enum { NAMES = LOG_SERIES_MAX + 500 };
  struct log_row *rows = calloc(1024, sizeof *rows);
  char(*names)[32] = calloc(1024, sizeof *names);
  log_rig_init(&r);
  for (int i = 0; i < NAMES;) {
    size_t n = 0;
    for (; n < 1024 && i < NAMES; n++, i++) {
      rows[n] = log_rig_row(LOG_RIG_AT(LOG_RIG_DAY, i / 1000));
      snprintf(names[n], sizeof *names, "guess-%d", i);
      rows[n].text[LOG_TEXT_ASKED] = str_from_c(names[n]);
    }
    log_rig_add(&r, rows, n);
  }
  struct seen s;
  const struct log_filter other = {.model = STR(LOG_OTHER)}, one = {.model = STR("guess-17")};
  /* "guess-17" and 170 to 179, 1700 to 1799, …; all of them had their own name */
  assert_int_equal(count_rows(&r, &other, &s), 500);
  assert_string_equal(s.text[LOG_TEXT_USER], "ann"); /* whose they are is still known */
  assert_true(count_rows(&r, &one, &s) >= 111);
  assert_int_equal(sums_of(&r, LOG_RIG_DAY).v[LOG_SUM_ROWS], NAMES);
  free(rows);
  free(names);
  log_rig_clear(&r);
}

/* ---- the end of a process ---- */

TEST(a_killed_writer_leaves_rows_and_sums_that_agree) {
  struct log_rig r;
  struct seen s;
  log_rig_init(&r);
  fflush(NULL);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) { /* it ends with its parent, and by itself, and holds none of its pipes */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(STDOUT_FILENO);
    close(STDERR_FILENO);
    for (int i = 0; i < 80000; i++) {
      struct log_row rows[7];
      size_t written;
      for (int k = 0; k < 7; k++) rows[k] = log_rig_row(LOG_RIG_AT(LOG_RIG_DAY, i));
      if (log_store_write(r.store, rows, 7, &written, &r.info)) _exit(1);
    }
    pause();
  }
  char path[LOG_PATH_BYTES];
  struct stat st;
  snprintf(path, sizeof path, "%s/2024-10-04.db-wal", r.dir);
  for (int i = 0; i < 2000 && (stat(path, &st) || st.st_size < 400000); i++) usleep(1000);
  kill(child, SIGKILL);
  int status;
  waitpid(child, &status, 0);
  unsigned n = count_rows(&r, &everything, &s);
  assert_true(n >= 7 && n % 7 == 0);
  assert_int_equal(sums_of(&r, LOG_RIG_DAY).v[LOG_SUM_ROWS], n);
  struct log_row row = log_rig_row(LOG_RIG_AT(LOG_RIG_DAY, 86000));
  log_rig_add(&r, &row, 1); /* the next life goes on where it ended */
  assert_int_equal(count_rows(&r, &everything, &s), n + 1);
  assert_int_equal(sums_of(&r, LOG_RIG_DAY).v[LOG_SUM_ROWS], n + 1);
  log_rig_clear(&r);
}

/* ---- bad disks ---- */

TEST(a_damaged_file_is_put_aside) {
  struct log_rig r;
  struct seen s;
  char path[LOG_PATH_BYTES];
  log_rig_init(&r);
  log_file_path(r.dir, LOG_RIG_DAY, path);
  int fd = open(path, O_WRONLY | O_CREAT, 0600);
  assert_int_equal(write(fd, "this is no database, but a text of some length\n", 47), 47);
  close(fd);
  assert_int_equal(count_rows(&r, &everything, &s), 0); /* a reader passes it by */
  struct log_row row = log_rig_row(LOG_RIG_AT(LOG_RIG_DAY, 1));
  log_rig_add(&r, &row, 1);
  assert_int_equal(count_rows(&r, &everything, &s), 1);
  assert_int_equal(log_rig_files(&r, ".damaged"), 1);
  log_rig_clear(&r);
}

TEST(a_file_of_a_newer_program_is_left_alone) {
  struct log_rig r;
  struct seen s;
  char path[LOG_PATH_BYTES];
  sqlite3 *db;
  size_t written;
  log_rig_init(&r);
  struct log_row row = log_rig_row(LOG_RIG_AT(LOG_RIG_DAY, 1));
  log_rig_add(&r, &row, 1);
  log_store_free(r.store);
  log_file_path(r.dir, LOG_RIG_DAY, path);
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  assert_int_equal(sqlite3_exec(db, "UPDATE log_format SET version = 99", NULL, NULL, NULL), SQLITE_OK);
  sqlite3_close(db);
  const struct log_store_options options = {30, 400, UINT64_C(1) << 40};
  assert_int_equal(log_store_new(&r.store, r.dir, &options, &r.info), OK);
  assert_int_equal(log_store_write(r.store, &row, 1, &written, &r.info), ERR_STORE_NEWER);
  assert_int_equal(written, 0);
  assert_int_equal(count_rows(&r, &everything, &s), 0);
  log_rig_clear(&r);
}

TEST(a_file_that_is_full_takes_no_more_and_stays_whole) {
  struct log_rig r;
  struct seen s;
  enum err e = OK;
  size_t written = 0, total = 0;
  const struct log_store_options small = {30, 400, 256 * 1024};
  log_rig_init(&r);
  log_store_set_options(r.store, &small);
  struct log_row rows[64];
  for (int i = 0; i < 64; i++) rows[i] = log_rig_row(LOG_RIG_AT(LOG_RIG_DAY, i));
  for (int i = 0; i < 200 && !e; i++) {
    e = log_store_write(r.store, rows, 64, &written, &r.info);
    total += written;
  }
  assert_int_equal(e, ERR_STORE_FULL);
  assert_int_equal(count_rows(&r, &everything, &s), total);
  assert_int_equal(sums_of(&r, LOG_RIG_DAY).v[LOG_SUM_ROWS], total);
  log_rig_clear(&r);
}

/* ---- roll-ups and retention ---- */

static void maintain(struct log_rig *r, int64_t now_us) {
  assert_int_equal(log_store_maintain(r->store, now_us, &r->info), OK);
}

TEST(a_day_that_is_over_is_rolled_up_and_stays_when_its_rows_go) {
  struct log_rig r;
  struct seen s;
  log_rig_init(&r);
  for (int day = 0; day < 5; day++) {
    struct log_row rows[3];
    for (int i = 0; i < 3; i++) rows[i] = log_rig_row(LOG_RIG_AT(LOG_RIG_DAY + day, 100 + i));
    log_rig_add(&r, rows, 3);
  }
  maintain(&r, LOG_RIG_AT(LOG_RIG_DAY + 4, 200));
  assert_int_equal(sums_of(&r, LOG_RIG_DAY + 4).v[LOG_SUM_ROWS], 15);
  const struct log_store_options options = {2, 400, UINT64_C(1) << 40};
  log_store_set_options(r.store, &options);
  maintain(&r, LOG_RIG_AT(LOG_RIG_DAY + 4, 300));
  assert_int_equal(log_rig_files(&r, ".db"), 3 + 1); /* two days and today; the roll-ups */
  assert_int_equal(count_rows(&r, &everything, &s), 9);
  struct log_sums sums = sums_of(&r, LOG_RIG_DAY + 4);
  assert_int_equal(sums.v[LOG_SUM_ROWS], 15);
  assert_int_equal(sums.v[LOG_SUM_INPUT], 150);
  assert_int_equal(sums.hours[0], 15);
  const struct log_store_options forget = {2, 3, UINT64_C(1) << 40};
  log_store_set_options(r.store, &forget);
  struct log_row row = log_rig_row(LOG_RIG_AT(LOG_RIG_DAY + 5, 1));
  log_rig_add(&r, &row, 1);
  maintain(&r, LOG_RIG_AT(LOG_RIG_DAY + 5, 100));
  assert_int_equal(sums_of(&r, LOG_RIG_DAY + 5).v[LOG_SUM_ROWS], 10); /* days 2, 3, 4 and today */
  log_rig_clear(&r);
}

TEST(rows_that_come_late_are_in_the_roll_up_too) {
  struct log_rig r;
  log_rig_init(&r);
  struct log_row early = log_rig_row(LOG_RIG_AT(LOG_RIG_DAY, 86399)),
                 late = log_rig_row(LOG_RIG_AT(LOG_RIG_DAY + 1, 1));
  log_rig_add(&r, &early, 1);
  log_rig_add(&r, &late, 1);
  maintain(&r, LOG_RIG_AT(LOG_RIG_DAY + 1, 20));
  log_rig_add(&r, &early, 1);
  log_rig_add(&r, &late, 1);
  maintain(&r, LOG_RIG_AT(LOG_RIG_DAY + 1, 30));
  assert_int_equal(sums_of(&r, LOG_RIG_DAY + 1).v[LOG_SUM_ROWS], 4);
  log_rig_clear(&r);
}

TEST(roll_ups_are_made_again_after_their_loss) {
  struct log_rig r;
  char path[128];
  log_rig_init(&r);
  for (int day = 0; day < 3; day++) {
    struct log_row row = log_rig_row(LOG_RIG_AT(LOG_RIG_DAY + day, 100));
    log_rig_add(&r, &row, 1);
  }
  maintain(&r, LOG_RIG_AT(LOG_RIG_DAY + 2, 200));
  log_store_free(r.store);
  snprintf(path, sizeof path, "%s/stats.db", r.dir);
  int fd = open(path, O_WRONLY | O_TRUNC);
  assert_int_equal(write(fd, "damaged, and long enough to be looked at", 40), 40);
  close(fd);
  assert_int_equal(sums_of(&r, LOG_RIG_DAY + 2).v[LOG_SUM_ROWS], 3); /* from the files alone */
  const struct log_store_options options = {30, 400, UINT64_C(1) << 40};
  assert_int_equal(log_store_new(&r.store, r.dir, &options, &r.info), OK);
  maintain(&r, LOG_RIG_AT(LOG_RIG_DAY + 2, 300));
  assert_int_equal(sums_of(&r, LOG_RIG_DAY + 2).v[LOG_SUM_ROWS], 3);
  assert_int_equal(log_rig_files(&r, "stats.db"), 1);
  log_rig_clear(&r);
}

TEST(the_oldest_days_make_room) {
  struct log_rig r;
  struct seen s;
  log_rig_init(&r);
  for (int day = 0; day < 6; day++) {
    struct log_row rows[64];
    for (int i = 0; i < 64; i++) rows[i] = log_rig_row(LOG_RIG_AT(LOG_RIG_DAY + day, i));
    for (int i = 0; i < 20; i++) log_rig_add(&r, rows, 64);
  }
  maintain(&r, LOG_RIG_AT(LOG_RIG_DAY + 5, 100));
  uint64_t all = log_store_bytes(r.dir);
  const struct log_store_options less = {30, 400, all / 2};
  log_store_set_options(r.store, &less);
  maintain(&r, LOG_RIG_AT(LOG_RIG_DAY + 5, 200));
  assert_true(log_store_bytes(r.dir) <= all / 2);
  unsigned n = count_rows(&r, &everything, &s);
  assert_true(n >= 1280 && n < 6 * 1280);
  assert_int_equal(sums_of(&r, LOG_RIG_DAY + 5).v[LOG_SUM_ROWS], 6 * 1280);
  log_rig_clear(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_row_comes_back_as_it_was),
                                     cmocka_unit_test(sums_are_of_what_is_known),
                                     cmocka_unit_test(times_never_fall_and_days_do_not_mix),
                                     cmocka_unit_test(names_without_end_do_not_make_series_without_end),
                                     cmocka_unit_test(a_killed_writer_leaves_rows_and_sums_that_agree),
                                     cmocka_unit_test(a_damaged_file_is_put_aside),
                                     cmocka_unit_test(a_file_of_a_newer_program_is_left_alone),
                                     cmocka_unit_test(a_file_that_is_full_takes_no_more_and_stays_whole),
                                     cmocka_unit_test(a_day_that_is_over_is_rolled_up_and_stays_when_its_rows_go),
                                     cmocka_unit_test(rows_that_come_late_are_in_the_roll_up_too),
                                     cmocka_unit_test(roll_ups_are_made_again_after_their_loss),
                                     cmocka_unit_test(the_oldest_days_make_room)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
