/* The ledger: caps hold whatever the threads do, nothing is lost or counted twice over a restart or a kill, and a
 * damaged file is told, never forgotten. */
#include "state/ledger.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "temp_folder.h"
#include "unit.h"

static char path[128];
static struct buf notes;
static const int64_t NOW = 1790000000000000; /* 2026-09-21 */

static int fresh(void **state) {
  static int n;
  (void)state;
  snprintf(path, sizeof path, "%s/%d", temp_folder, n++);
  buf_init(&notes, 0);
  return 0;
}

static int done(void **state) {
  (void)state;
  ledger_worker_detach();
  ledger_close();
  buf_clear(&notes);
  return 0;
}

static void open_ledger(void) {
  struct err_info info = {0};
  buf_reset(&notes);
  if (ledger_open(path, 2, &notes, &info)) fail_msg("%s", info.text);
  ledger_worker_attach(0);
}

static void close_ledger(void) {
  ledger_worker_detach();
  ledger_close();
}

static struct ledger_claim claim_on(const char *name, int64_t total) {
  struct ledger_account *a = ledger_account(str_from_c(name));
  assert_non_null(a);
  return (struct ledger_claim){a, {total, -1, -1}};
}

static enum err reserve_at(const struct ledger_claim *claims, unsigned n, int64_t amount, int64_t at,
                           struct ledger_reservation *r, struct ledger_refusal *refusal) {
  struct journal_entry e = {.reserved_nano_usd = amount,
                            .input_nano_usd_per_mtok = 1000000,
                            .output_nano_usd_per_mtok = 1000000,
                            .began_us = at,
                            .attempt = 1};
  return ledger_reserve(claims, n, &e, r, refusal);
}

static void spend(const struct ledger_claim *claims, unsigned n, int64_t amount, int64_t at) {
  struct ledger_reservation r;
  struct ledger_refusal refusal;
  assert_int_equal(reserve_at(claims, n, amount, at, &r, &refusal), OK);
  ledger_settle(&r, &(struct journal_result){.amount_nano_usd = amount, .tokens = {10, 5}});
}

static int64_t spent(const char *name, enum ledger_period p, int64_t at) {
  return ledger_balance(ledger_account(str_from_c(name)), p, at).spent_nano_usd;
}

TEST(months_and_days_of_the_civil_calendar) {
  static const struct {
    int64_t s;
    uint32_t month, day;
  } rows[] = {{0, 0, 0},
              {86399, 0, 0},
              {86400, 0, 1},
              {2678399, 0, 30},
              {2678400, 1, 31},
              {951782399, 361, 11015},  /* 2000-02-28T23:59:59 */
              {951868800, 361, 11017},  /* 2000-03-01 less a second is the leap day; this is the 1st */
              {1790000000, 680, 20717}, /* 2026-09-21 */
              {1798761599, 683, 20818}, /* 2026-12-31T23:59:59 */
              {1798761600, 684, 20819},
              {4107542400, 1562, 47541}}; /* 2100-03-01: 2100 is no leap year */
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct tm tm;
    time_t t = (time_t)rows[i].s;
    gmtime_r(&t, &tm); /* the oracle */
    assert_int_equal(ledger_month(rows[i].s * 1000000), (tm.tm_year - 70) * 12 + tm.tm_mon);
    assert_int_equal(ledger_day(rows[i].s * 1000000), rows[i].day);
  }
  for (int64_t day = 0; day < 80000; day += 13) {
    struct tm tm;
    time_t t = (time_t)(day * 86400);
    gmtime_r(&t, &tm);
    assert_int_equal(ledger_month(day * 86400 * 1000000), (tm.tm_year - 70) * 12 + tm.tm_mon);
  }
}

TEST(all_accounts_or_none) {
  struct ledger_reservation r;
  struct ledger_refusal refusal;
  const struct ledger_claim claims[] = {claim_on("a", -1), claim_on("b", 100), claim_on("c", 50)};
  assert_int_equal(reserve_at(claims, 3, 51, NOW, &r, &refusal), ERR_BUDGET_EXCEEDED);
  assert_int_equal(refusal.claim, 2);
  assert_int_equal(refusal.left_nano_usd, 50);
  for (int i = 0; i < 3; i++)
    for (int p = 0; p < LEDGER_PERIODS; p++)
      assert_int_equal(ledger_balance(claims[i].account, (enum ledger_period)p, NOW).reserved_nano_usd, 0);
  assert_int_equal(reserve_at(claims, 3, 50, NOW, &r, &refusal), OK);
  assert_int_equal(ledger_balance(claims[0].account, LEDGER_DAY, NOW).reserved_nano_usd, 50);
  struct ledger_reservation other;
  assert_int_equal(reserve_at(claims, 2, 51, NOW, &other, &refusal), ERR_BUDGET_EXCEEDED);
  assert_int_equal(refusal.claim, 1);
  assert_int_equal(refusal.left_nano_usd, 50);
  ledger_settle(&r, &(struct journal_result){.amount_nano_usd = 20});
  ledger_settle(&r, &(struct journal_result){.amount_nano_usd = 20}); /* once is enough */
  assert_int_equal(ledger_balance(claims[2].account, LEDGER_TOTAL, NOW).spent_nano_usd, 20);
  assert_int_equal(ledger_balance(claims[2].account, LEDGER_TOTAL, NOW).reserved_nano_usd, 0);
  assert_int_equal(reserve_at(claims, 3, 30, NOW, &r, &refusal), OK);
  ledger_release(&r);
  assert_int_equal(ledger_balance(claims[2].account, LEDGER_MONTH, NOW).spent_nano_usd, 20);
}

TEST(more_than_was_reserved_is_billed_and_blocks) {
  struct ledger_reservation r;
  struct ledger_refusal refusal;
  struct ledger_claim c = claim_on("a", 100);
  assert_int_equal(reserve_at(&c, 1, 10, NOW, &r, &refusal), OK);
  ledger_settle(&r, &(struct journal_result){.amount_nano_usd = 130});
  assert_int_equal(reserve_at(&c, 1, 1, NOW, &r, &refusal), ERR_BUDGET_EXCEEDED);
  assert_int_equal(refusal.left_nano_usd, -30);
  assert_int_equal(reserve_at(&c, 1, INT64_MAX, NOW, &r, &refusal), ERR_BUDGET_EXCEEDED);
  c.cap_nano_usd[LEDGER_TOTAL] = -1;
  assert_int_equal(reserve_at(&c, 1, INT64_MAX, NOW, &r, &refusal), ERR_BUDGET_EXCEEDED); /* no sum that overflows */
}

TEST(days_and_months_begin_anew) {
  const int64_t day = INT64_C(86400) * 1000000;
  struct ledger_reservation r, late;
  struct ledger_refusal refusal;
  struct ledger_claim c = {ledger_account(STR("a")), {-1, -1, 100}};
  spend(&c, 1, 100, NOW);
  assert_int_equal(reserve_at(&c, 1, 1, NOW, &r, &refusal), ERR_BUDGET_EXCEEDED);
  assert_int_equal(refusal.period, LEDGER_DAY);
  assert_int_equal(reserve_at(&c, 1, 60, NOW + day, &late, &refusal), OK);
  assert_int_equal(spent("a", LEDGER_DAY, NOW + day), 0);
  for (int i = 2; i < 20; i++) spend(&c, 1, 100, NOW + i * day);
  assert_int_equal(spent("a", LEDGER_MONTH, NOW), 100 * 9); /* the 21st, 23rd to 30th */
  assert_int_equal(spent("a", LEDGER_MONTH, NOW + 15 * day), 100 * 10);
  assert_int_equal(spent("a", LEDGER_TOTAL, NOW), 1900);
  ledger_settle(&late, &(struct journal_result){.amount_nano_usd = 60}); /* its day's bucket serves another day now */
  assert_int_equal(spent("a", LEDGER_TOTAL, NOW), 1960);
}

TEST(what_was_spent_survives) {
  open_ledger();
  struct ledger_claim both[] = {claim_on("a", 1000), claim_on("b", -1)};
  spend(both, 2, 300, NOW);
  spend(both, 1, 200, NOW);
  close_ledger();
  open_ledger();
  assert_int_equal(notes.n, 0);
  assert_int_equal(spent("a", LEDGER_TOTAL, NOW), 500);
  assert_int_equal(spent("b", LEDGER_DAY, NOW), 300);
  assert_int_equal(spent("a", LEDGER_MONTH, NOW), 500);
  uint64_t calls, tokens;
  ledger_account_day(ledger_account(STR("a")), ledger_day(NOW), &calls, &tokens);
  assert_int_equal(calls, 2);
  assert_int_equal(tokens, 30);
  ledger_account_day(ledger_account(STR("a")), ledger_day(NOW) + 1, &calls, &tokens);
  assert_int_equal(calls, 0);
  struct ledger_refusal refusal;
  struct ledger_reservation r;
  struct ledger_claim again = claim_on("a", 1000);
  assert_int_equal(reserve_at(&again, 1, 501, NOW, &r, &refusal), ERR_BUDGET_EXCEEDED);
}

/* A child that is killed with calls in flight, before and after balances were written. */
static void die_in_child(bool flush) {
  struct err_info info = {0};
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) {
    struct ledger_reservation r;
    struct ledger_refusal refusal;
    if (ledger_open(path, 2, NULL, &info)) _exit(1);
    ledger_worker_attach(1);
    struct ledger_claim c = {ledger_account(STR("a")), {-1, -1, -1}};
    for (int i = 0; i < 5; i++) {
      if (reserve_at(&c, 1, 100, NOW, &r, &refusal)) _exit(2);
      ledger_settle(&r, &(struct journal_result){.amount_nano_usd = 10});
    }
    if (flush && ledger_flush(&info)) _exit(3);
    if (reserve_at(&c, 1, 100, NOW, &r, &refusal)) _exit(4);
    ledger_note(&r, 3, 4);
    kill(getpid(), SIGKILL);
  }
  int status;
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

TEST(a_kill_loses_nothing_and_counts_nothing_twice) {
  for (int round = 1; round <= 4; round++) {
    die_in_child(round % 2);
    struct ledger_stats stats;
    open_ledger();
    ledger_stats(&stats);
    assert_int_equal(stats.recovered, 1);
    assert_int_equal(stats.in_flight, 0);
    assert_int_equal(spent("a", LEDGER_TOTAL, NOW), round * (50 + 7));
    assert_non_null(strstr(notes.p, "1 calls were cut off"));
    close_ledger();
    open_ledger();
    ledger_stats(&stats);
    assert_int_equal(stats.recovered, 0);
    assert_int_equal(spent("a", LEDGER_TOTAL, NOW), round * (50 + 7));
    close_ledger();
  }
}

static void overwrite(const char *name, const char *text) {
  char file[256];
  snprintf(file, sizeof file, "%s/%s", path, name);
  FILE *f = fopen(file, "w");
  assert_non_null(f);
  fputs(text, f);
  fclose(f);
}

TEST(damaged_balances_are_replaced_by_those_before) {
  struct err_info info = {0};
  open_ledger();
  struct ledger_claim c = claim_on("a", -1);
  spend(&c, 1, 300, NOW);
  assert_int_equal(ledger_flush(&info), OK);
  spend(&c, 1, 40, NOW);
  assert_int_equal(ledger_flush(&info), OK);
  spend(&c, 1, 2, NOW);
  close_ledger();
  overwrite("balances", "maestro-ledger 1\nworker 0 next 4\nchecksum 00000000\n");
  open_ledger();
  assert_non_null(strstr(notes.p, "was damaged and is kept as"));
  assert_int_equal(spent("a", LEDGER_TOTAL, NOW), 342);
  close_ledger();
  open_ledger();
  assert_int_equal(notes.n, 0);
  assert_int_equal(spent("a", LEDGER_TOTAL, NOW), 342);
}

TEST(without_any_balances_that_can_be_read_it_does_not_begin) {
  struct err_info info = {0};
  open_ledger();
  struct ledger_claim c = claim_on("a", -1);
  spend(&c, 1, 300, NOW);
  close_ledger();
  overwrite("balances", "?");
  overwrite("balances.previous", "");
  for (int i = 0; i < 2; i++) {
    assert_int_equal(ledger_open(path, 2, NULL, &info), ERR_BAD_VALUE);
    assert_non_null(strstr(info.text, "nothing was changed"));
    assert_false(ledger_is_durable());
  }
}

TEST(one_process_at_a_time) {
  struct err_info info = {0};
  open_ledger();
  pid_t pid = fork();
  if (pid == 0) {
    char again[160];
    snprintf(again, sizeof again, "%s/lock", path);
    FILE *f = fopen(again, "r+");
    _exit(f && lockf(fileno(f), F_TEST, 0) == 0 ? 0 : 1); /* flock is not fcntl's lock: only that the file is there */
  }
  int status;
  waitpid(pid, &status, 0);
  assert_int_equal(WEXITSTATUS(status), 0);
  char command[256];
  snprintf(command, sizeof command, "flock -n '%s/lock' true", path);
  assert_int_not_equal(system(command), 0);
  close_ledger();
  assert_int_equal(system(command), 0);
  (void)info;
}

/* ---- threads ---- */

enum { THREADS = 4, CALLS = 20000, CAP = 3000000 };

static _Atomic int64_t settled_sum, granted, refused;

static void *hammer(void *arg) {
  unsigned me = (unsigned)(uintptr_t)arg;
  uint64_t x = 88172645463325252u + me;
  ledger_worker_attach(me);
  struct ledger_claim claims[] = {claim_on("shared", CAP), claim_on(me % 2 ? "odd" : "even", CAP / 2 + 1000)};
  for (int i = 0; i < CALLS; i++) {
    struct ledger_reservation r;
    struct ledger_refusal refusal;
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    int64_t amount = (int64_t)(x % 400), used = amount ? (int64_t)(x >> 32) % (amount + 1) : 0;
    enum err e = reserve_at(claims, 2, amount, NOW, &r, &refusal);
    if (e) {
      atomic_fetch_add(&refused, 1);
      continue;
    }
    atomic_fetch_add(&granted, 1);
    if (x % 5 == 0) {
      ledger_release(&r);
      continue;
    }
    ledger_settle(&r, &(struct journal_result){.amount_nano_usd = used});
    atomic_fetch_add(&settled_sum, used);
  }
  ledger_worker_detach();
  return NULL;
}

TEST(threads_never_pass_a_cap_and_every_cent_is_found_again) {
  struct err_info info = {0};
  pthread_t threads[THREADS];
  assert_int_equal(ledger_open(path, THREADS, NULL, &info), OK);
  for (uintptr_t i = 0; i < THREADS; i++) assert_int_equal(pthread_create(&threads[i], NULL, hammer, (void *)i), 0);
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  int64_t sum = atomic_load(&settled_sum);
  assert_true(sum <= CAP && sum > CAP / 2);
  assert_true(atomic_load(&refused) > 0);
  assert_int_equal(spent("shared", LEDGER_TOTAL, NOW), sum);
  assert_int_equal(ledger_balance(ledger_account(STR("shared")), LEDGER_DAY, NOW).reserved_nano_usd, 0);
  assert_int_equal(spent("odd", LEDGER_MONTH, NOW) + spent("even", LEDGER_MONTH, NOW), sum);
  ledger_close();
  assert_int_equal(ledger_open(path, THREADS, NULL, &info), OK);
  assert_int_equal(spent("shared", LEDGER_TOTAL, NOW), sum);
  assert_int_equal(spent("odd", LEDGER_DAY, NOW) + spent("even", LEDGER_DAY, NOW), sum);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(months_and_days_of_the_civil_calendar, fresh, done),
      cmocka_unit_test_setup_teardown(all_accounts_or_none, fresh, done),
      cmocka_unit_test_setup_teardown(more_than_was_reserved_is_billed_and_blocks, fresh, done),
      cmocka_unit_test_setup_teardown(days_and_months_begin_anew, fresh, done),
      cmocka_unit_test_setup_teardown(what_was_spent_survives, fresh, done),
      cmocka_unit_test_setup_teardown(a_kill_loses_nothing_and_counts_nothing_twice, fresh, done),
      cmocka_unit_test_setup_teardown(damaged_balances_are_replaced_by_those_before, fresh, done),
      cmocka_unit_test_setup_teardown(without_any_balances_that_can_be_read_it_does_not_begin, fresh, done),
      cmocka_unit_test_setup_teardown(one_process_at_a_time, fresh, done),
      cmocka_unit_test_setup_teardown(threads_never_pass_a_cap_and_every_cent_is_found_again, fresh, done),
  };
  return cmocka_run_group_tests(tests, temp_folder_make, temp_folder_remove);
}
