/* Rates: exact at a window's edge, all windows or none, days that survive a restart, and threads. */
#include "policy/rate_limit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "unit.h"

static const int64_t MINUTE = INT64_C(60) * 1000000, DAY = INT64_C(86400) * 1000000;
static const int64_t NOON = INT64_C(20717) * 86400 * 1000000 + INT64_C(43200) * 1000000; /* 2026-09-21T12:00:00Z */

static struct limits_subject subject(const char *name, const struct limits *limits) {
  struct ledger_account *a = ledger_account(str_from_c(name));
  assert_non_null(a);
  return (struct limits_subject){.account = a, .label = str_from_c(name), .limits = *limits};
}

static struct limits_caller one(const struct limits_subject *s) { return (struct limits_caller){.v = {s}, .n = 1}; }

static int forget(void **state) {
  (void)state;
  ledger_close();
  return 0;
}

static enum err take(const struct limits_caller *c, uint64_t tokens, int64_t at, struct rate_limit_refusal *refusal) {
  struct rate_limit_ticket t;
  enum err e = rate_limit_take(c, tokens, at, &t, refusal);
  if (!e) rate_limit_end(&t, tokens, at);
  return e;
}

TEST(a_window_ends_with_its_minute) {
  const struct limits limits = {.budget_nano_usd = -1, .requests_per_minute = 2};
  struct limits_subject s = subject("a", &limits);
  struct limits_caller c = one(&s);
  struct rate_limit_refusal r;
  struct rate_limit_view view;
  assert_int_equal(take(&c, 0, NOON, &r), OK);
  assert_int_equal(take(&c, 0, NOON + MINUTE - 1, &r), OK);
  rate_limit_view(&c, false, NOON + 15 * 1000000, &view);
  assert_int_equal(view.limit, 2);
  assert_int_equal(view.remaining, 0);
  assert_int_equal(view.reset_ms, 45000);
  for (int64_t at = 0; at < MINUTE; at += 7777777) {
    assert_int_equal(take(&c, 0, NOON + at, &r), ERR_RATE_LIMITED);
    assert_int_equal(r.kind, RATE_LIMIT_REQUESTS_MINUTE);
    assert_int_equal(r.limit, 2);
    assert_int_equal(r.retry_after_ms, (MINUTE - at + 999) / 1000);
  }
  assert_int_equal(take(&c, 0, NOON + MINUTE - 1, &r), ERR_RATE_LIMITED);
  assert_int_equal(r.retry_after_ms, 1); /* never early, and never 0 */
  assert_int_equal(take(&c, 0, NOON + MINUTE, &r), OK);
  rate_limit_view(&c, true, NOON, &view);
  assert_int_equal(view.limit, 0);
}

TEST(all_windows_of_all_subjects_or_none) {
  const struct limits tight = {.budget_nano_usd = -1, .requests_per_minute = 5, .tokens_per_day = 100};
  const struct limits wide = {.budget_nano_usd = -1, .requests_per_day = 10, .tokens_per_minute = 1000};
  struct limits_subject user = subject("user", &wide), team = subject("team", &tight);
  struct limits_caller both = {.v = {&user, &team}, .n = 2};
  struct rate_limit_refusal r;
  struct rate_limit_view view;
  assert_int_equal(take(&both, 80, NOON, &r), OK);
  assert_int_equal(take(&both, 21, NOON, &r), ERR_RATE_LIMITED);
  assert_int_equal(r.kind, RATE_LIMIT_TOKENS_DAY);
  assert_ptr_equal(r.subject, &team);
  assert_int_equal(r.retry_after_ms, DAY / 2 / 1000);
  assert_int_equal(take(&both, 101, NOON, &r), ERR_RATE_LIMITED);
  assert_int_equal(r.retry_after_ms, 0); /* no waiting helps */
  struct limits_caller alone = one(&user);
  rate_limit_view(&alone, false, NOON, &view);
  assert_int_equal(view.remaining, 9);
  rate_limit_view(&alone, true, NOON, &view);
  assert_int_equal(view.remaining, 920);
  rate_limit_view(&both, false, NOON, &view);
  assert_int_equal(view.remaining, 4); /* of the nearer one */
}

TEST(what_was_not_known_is_charged_later) {
  const struct limits limits = {.budget_nano_usd = -1, .tokens_per_minute = 100, .requests_per_minute = 10};
  struct limits_subject s = subject("a", &limits);
  struct limits_caller c = one(&s);
  struct rate_limit_ticket t;
  struct rate_limit_refusal r;
  struct rate_limit_view view;
  assert_int_equal(rate_limit_take(&c, 10, NOON, &t, &r), OK);
  rate_limit_end(&t, 300, NOON + MINUTE); /* the answer came a minute later */
  rate_limit_end(&t, 300, NOON + MINUTE); /* once */
  rate_limit_view(&c, true, NOON + MINUTE, &view);
  assert_int_equal(view.remaining, 0);
  assert_int_equal(take(&c, 1, NOON + MINUTE, &r), ERR_RATE_LIMITED);
  assert_int_equal(take(&c, 1, NOON + 2 * MINUTE, &r), OK);
  assert_int_equal(rate_limit_take(&c, 90, NOON + 3 * MINUTE, &t, &r), OK);
  rate_limit_end(&t, 20, NOON + 3 * MINUTE); /* less than asked for */
  rate_limit_view(&c, true, NOON + 3 * MINUTE, &view);
  assert_int_equal(view.remaining, 80);
  assert_int_equal(rate_limit_take(&c, 50, NOON + 4 * MINUTE, &t, &r), OK);
  rate_limit_give_back(&t);
  rate_limit_view(&c, true, NOON + 4 * MINUTE, &view);
  assert_int_equal(view.remaining, 100);
  rate_limit_view(&c, false, NOON + 4 * MINUTE, &view);
  assert_int_equal(view.remaining, 10);
}

TEST(at_the_same_time) {
  const struct limits limits = {.budget_nano_usd = -1, .concurrency = 2};
  struct limits_subject s = subject("a", &limits);
  struct limits_caller c = one(&s);
  struct rate_limit_ticket t[3];
  struct rate_limit_refusal r;
  assert_int_equal(rate_limit_take(&c, 0, NOON, &t[0], &r), OK);
  assert_int_equal(rate_limit_take(&c, 0, NOON, &t[1], &r), OK);
  assert_int_equal(rate_limit_take(&c, 0, NOON, &t[2], &r), ERR_RATE_LIMITED);
  assert_int_equal(r.kind, RATE_LIMIT_CONCURRENCY);
  rate_limit_end(&t[0], 0, NOON);
  assert_int_equal(rate_limit_take(&c, 0, NOON, &t[2], &r), OK);
  rate_limit_give_back(&t[1]);
  rate_limit_end(&t[2], 0, NOON);
  assert_int_equal(atomic_load(&ledger_account_rates(s.account)->running), 0);
}

TEST(numbers_without_end) {
  const struct limits limits = {.budget_nano_usd = -1, .tokens_per_minute = UINT32_MAX};
  struct limits_subject s = subject("a", &limits);
  struct limits_caller c = one(&s);
  struct rate_limit_ticket t;
  struct rate_limit_refusal r;
  assert_int_equal(rate_limit_take(&c, UINT64_MAX, NOON, &t, &r), ERR_RATE_LIMITED);
  assert_int_equal(rate_limit_take(&c, 1, NOON, &t, &r), OK);
  rate_limit_end(&t, UINT64_MAX, NOON); /* stays within its 40 bits */
  assert_int_equal(take(&c, 1, NOON, &r), ERR_RATE_LIMITED);
  assert_int_equal(take(&c, 1, NOON + MINUTE, &r), OK);
}

TEST(a_day_survives_a_restart) {
  char folder[64], command[128];
  struct err_info info = {0};
  const struct limits limits = {.budget_nano_usd = -1, .requests_per_day = 3, .tokens_per_day = 100};
  struct rate_limit_refusal r;
  snprintf(folder, sizeof folder, "/tmp/maestro-rates-XXXXXX");
  assert_non_null(mkdtemp(folder));
  assert_int_equal(ledger_open(folder, 1, NULL, &info), OK);
  ledger_worker_attach(0);
  struct ledger_claim claim = {ledger_account(STR("a")), {-1, -1, -1}};
  for (uint32_t attempt = 1; attempt <= 2; attempt++) { /* one call of two attempts */
    struct ledger_reservation held;
    struct ledger_refusal refusal;
    struct journal_entry entry = {.began_us = NOON, .attempt = attempt};
    assert_int_equal(ledger_reserve(&claim, 1, &entry, &held, &refusal), OK);
    ledger_settle(&held, &(struct journal_result){.tokens = {20, 10}});
  }
  ledger_worker_detach();
  ledger_close();
  assert_int_equal(ledger_open(folder, 1, NULL, &info), OK);
  struct limits_subject s = subject("a", &limits);
  struct limits_caller c = one(&s);
  struct rate_limit_view view;
  rate_limit_view(&c, true, NOON, &view);
  assert_int_equal(view.remaining, 40);
  assert_int_equal(take(&c, 10, NOON, &r), OK);
  assert_int_equal(take(&c, 10, NOON, &r), OK);
  assert_int_equal(take(&c, 10, NOON, &r), ERR_RATE_LIMITED);
  assert_int_equal(r.kind, RATE_LIMIT_REQUESTS_DAY);
  assert_int_equal(take(&c, 10, NOON + DAY, &r), OK);
  ledger_close();
  snprintf(command, sizeof command, "rm -rf '%s'", folder);
  assert_int_equal(system(command), 0);
}

enum { THREADS = 4, TRIES = 50000, LIMIT = 1000 };
static _Atomic unsigned granted;

static void *hammer(void *arg) {
  const struct limits_caller *c = arg;
  struct rate_limit_refusal r;
  for (int i = 0; i < TRIES; i++)
    if (take(c, 0, NOON + i * 4800, &r) == OK) atomic_fetch_add(&granted, 1); /* four minutes */
  return NULL;
}

TEST(threads_get_no_more_than_there_is) {
  const struct limits limits = {.budget_nano_usd = -1, .requests_per_day = LIMIT};
  struct limits_subject s = subject("a", &limits);
  struct limits_caller c = one(&s);
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_create(&threads[i], NULL, hammer, &c), 0);
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  assert_int_equal(atomic_load(&granted), LIMIT);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(a_window_ends_with_its_minute, forget),
      cmocka_unit_test_teardown(all_windows_of_all_subjects_or_none, forget),
      cmocka_unit_test_teardown(what_was_not_known_is_charged_later, forget),
      cmocka_unit_test_teardown(at_the_same_time, forget),
      cmocka_unit_test_teardown(numbers_without_end, forget),
      cmocka_unit_test_teardown(a_day_survives_a_restart, forget),
      cmocka_unit_test_teardown(threads_get_no_more_than_there_is, forget),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
