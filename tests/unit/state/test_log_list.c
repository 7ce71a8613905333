/* Lists against a plain search: whatever the filter, the page and the days, what is listed is what a search of all rows
 * finds, in order, none twice and none left out; and a total that is told is true. */
#include "state/log/log_list.h"

#include "state/log_rig.h"

enum { DAYS = 4, ROWS = 1500, ROUNDS = 150 };

static unsigned seed = 7;
static unsigned random_below(unsigned n) {
  seed = seed * 1103515245u + 12345u;
  return (seed >> 16) % n;
}

static const char *const users[][2] = {
    {"", ""}, {"ann", "user:1"}, {"bob", "user:2"}, {"rare", "user:3"}, {"key:1", "key:1"}};
static const char *const models[][2] = {
    {"gpt", "openai/gpt"}, {"Claude-9", "anthropic/claude-9"}, {"nonesuch", ""}, {"", ""}};
static const char *const sources[] = {"curl", "Codex"};
static const char *const nodes[] = {"openai", "anthropic", ""};
static const int statuses[] = {200, 200, 200, 401, 404, 502};

static struct log_row rows[ROWS];

static void make_rows(void) {
  for (unsigned i = 0; i < ROWS; i++) {
    unsigned user = random_below(200) == 0 ? 3 : random_below(10) == 0 ? random_below(5) : random_below(3);
    unsigned model = random_below(4), status = (unsigned)statuses[random_below(6)];
    rows[i] = log_rig_row(LOG_RIG_AT(LOG_RIG_DAY, (int64_t)i * DAYS * 86400 / ROWS));
    rows[i].text[LOG_TEXT_USER] = str_from_c(users[user][0]);
    rows[i].text[LOG_TEXT_PRINCIPAL] = str_from_c(users[user][1]);
    rows[i].text[LOG_TEXT_ASKED] = str_from_c(models[model][0]);
    rows[i].text[LOG_TEXT_MODEL] = str_from_c(models[model][1]);
    rows[i].text[LOG_TEXT_NODE] = str_from_c(nodes[random_below(3)]);
    rows[i].text[LOG_TEXT_SOURCE] = str_from_c(sources[random_below(2)]);
    rows[i].text[LOG_TEXT_ERROR] = status >= 400      ? STR("upstream_error")
                                   : random_below(20) ? STR_NONE
                                                      : STR("upstream_cut");
    rows[i].status = (int)status;
    rows[i].duration_us = i; /* its number */
  }
}

/* The rows of one time must be found whatever the cut: bounds fall on and between them. */
static int64_t random_time(void) { return rows[random_below(ROWS)].at_us + (int64_t)random_below(2); }

static struct log_filter random_filter(void) {
  struct log_filter f = {0};
  static const char *const parts[] = {"gpt", "CLAUDE", "/", "none", "_", "%", "zzz"};
  unsigned user = 1 + random_below(4);
  if (random_below(4) == 0) f.user = str_from_c(users[user][0]);
  if (random_below(4) == 0) f.principal = str_from_c(users[user][1]);
  if (random_below(5) == 0) f.source = str_from_c(sources[random_below(2)]);
  if (random_below(5) == 0) f.node = str_from_c(nodes[random_below(2)]);
  if (random_below(6) == 0) f.error = STR("upstream_error");
  if (random_below(5) == 0) f.model = str_from_c(parts[random_below(7)]);
  if (random_below(5) == 0) f.status = statuses[random_below(6)];
  if (random_below(4) == 0) f.category = random_below(2) ? LOG_CATEGORY_SUCCESS : LOG_CATEGORY_ERROR;
  if (random_below(4) == 0) f.from_us = random_time();
  if (random_below(4) == 0) f.to_us = random_time() + 1;
  if (random_below(6) == 0) f.from_us = log_day_begins_us(LOG_RIG_DAY + random_below(DAYS));
  if (random_below(6) == 0) f.to_us = log_day_begins_us(LOG_RIG_DAY + 1 + random_below(DAYS));
  return f;
}

static bool has_part(struct str s, struct str part) {
  for (size_t i = 0; i + part.n <= s.n; i++)
    if (str_eq_nocase(str_sub(s, i, i + part.n), part)) return true;
  return part.n == 0;
}

static bool is_or_any(struct str filter, struct str value) { return !filter.n || str_eq(filter, value); }

static bool passes(const struct log_filter *f, const struct log_row *r) {
  bool is_good = r->status < 400 && !r->text[LOG_TEXT_ERROR].n;
  return is_or_any(f->user, r->text[LOG_TEXT_USER]) && is_or_any(f->principal, r->text[LOG_TEXT_PRINCIPAL]) &&
         is_or_any(f->source, r->text[LOG_TEXT_SOURCE]) && is_or_any(f->node, r->text[LOG_TEXT_NODE]) &&
         is_or_any(f->error, r->text[LOG_TEXT_ERROR]) && (!f->status || f->status == r->status) &&
         (has_part(r->text[LOG_TEXT_ASKED], f->model) || has_part(r->text[LOG_TEXT_MODEL], f->model)) &&
         (f->category == LOG_CATEGORY_ANY || is_good == (f->category == LOG_CATEGORY_SUCCESS)) &&
         r->at_us >= f->from_us && (!f->to_us || r->at_us < f->to_us);
}

struct found {
  unsigned numbers[ROWS];
  unsigned n;
};

static enum err take(void *arg, const struct log_row *row, struct err_info *info) {
  struct found *f = arg;
  (void)info;
  assert_true(f->n < ROWS);
  f->numbers[f->n++] = (unsigned)row->duration_us;
  return OK;
}

static void check(struct log_rig *rig, const struct log_filter *f, int64_t today) {
  static struct found expected, got;
  struct log_reader reader;
  int64_t next = 0, total;
  bool is_exact;
  expected.n = got.n = 0;
  for (unsigned i = ROWS; i-- > 0;)
    if (passes(f, &rows[i])) expected.numbers[expected.n++] = i;
  unsigned offset = random_below(3) ? 0 : random_below(40), limit = 1 + expected.n / (1 + random_below(6));
  struct log_list list = {f, 0, offset, limit};
  unsigned pages = 0;
  do { /* as a caller would: a reader for each page */
    assert_int_equal(log_reader_open(&reader, rig->dir, today, &rig->info), OK);
    assert_int_equal(log_list_run(&reader, &list, take, &got, &next, &rig->info), OK);
    assert_int_equal(log_reader_total(&reader, f, &total, &is_exact, &rig->info), OK);
    log_reader_close(&reader);
    if (is_exact) assert_int_equal(total, expected.n);
    list.before_id = next;
    list.offset = 0;
    assert_true(++pages <= 8);
    assert_true(next == 0 || got.n == pages * limit);
  } while (next);
  if (offset > expected.n) offset = expected.n;
  assert_int_equal(got.n, expected.n - offset);
  assert_memory_equal(got.numbers, expected.numbers + offset, got.n * sizeof *got.numbers);
}

static void fill(struct log_rig *rig) {
  make_rows();
  for (unsigned i = 0; i < ROWS; i += 100) log_rig_add(rig, rows + i, 100);
}

TEST(any_filter_any_page) {
  struct log_rig rig;
  log_rig_init(&rig);
  fill(&rig);
  const struct log_filter all = {0};
  check(&rig, &all, LOG_RIG_DAY); /* no day is rolled up */
  for (int i = 0; i < ROUNDS; i++) {
    struct log_filter f = random_filter();
    check(&rig, &f, LOG_RIG_DAY);
  }
  int64_t today = LOG_RIG_DAY + DAYS - 1;
  assert_int_equal(log_store_maintain(rig.store, LOG_RIG_AT(today, 80000), &rig.info), OK);
  check(&rig, &all, today); /* all but the last */
  for (int i = 0; i < ROUNDS; i++) {
    struct log_filter f = random_filter();
    check(&rig, &f, today);
  }
  log_rig_clear(&rig);
}

TEST(totals_that_should_be_told) {
  struct log_rig rig;
  struct log_reader reader;
  log_rig_init(&rig);
  fill(&rig);
  int64_t today = LOG_RIG_DAY + DAYS - 1, total;
  assert_int_equal(log_store_maintain(rig.store, LOG_RIG_AT(today, 80000), &rig.info), OK);
  const struct log_filter told[] = {
      {0},
      {.principal = STR("user:1")},
      {.status = 404},
      {.category = LOG_CATEGORY_ERROR},
      {.model = STR("gpt")},
      {.user = STR("ann"), .node = STR("openai")},
      {.from_us = log_day_begins_us(LOG_RIG_DAY + 1), .to_us = log_day_begins_us(LOG_RIG_DAY + 2)}};
  const struct log_filter not_told[] = {{.from_us = LOG_RIG_AT(LOG_RIG_DAY, 7)}, {.to_us = LOG_RIG_AT(LOG_RIG_DAY, 7)}};
  bool is_exact;
  assert_int_equal(log_reader_open(&reader, rig.dir, today, &rig.info), OK);
  for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
    assert_int_equal(log_reader_total(&reader, &told[i], &total, &is_exact, &rig.info), OK);
    assert_true(is_exact);
  }
  for (size_t i = 0; i < sizeof not_told / sizeof *not_told; i++) {
    assert_int_equal(log_reader_total(&reader, &not_told[i], &total, &is_exact, &rig.info), OK);
    assert_false(is_exact);
  }
  log_reader_close(&reader);
  log_rig_clear(&rig);
}

TEST(an_empty_log) {
  struct log_reader reader;
  struct err_info info = {0};
  struct found got = {.n = 0};
  int64_t next = 1, total = 1;
  bool is_exact = false;
  const struct log_filter all = {0};
  const struct log_list list = {&all, 0, 0, 10};
  assert_int_equal(log_reader_open(&reader, "/nonexistent/logs", LOG_RIG_DAY, &info), OK);
  assert_int_equal(log_list_run(&reader, &list, take, &got, &next, &info), OK);
  assert_int_equal(log_reader_total(&reader, &all, &total, &is_exact, &info), OK);
  assert_int_equal(got.n + (unsigned)next + (unsigned)total, 0);
  assert_true(is_exact);
  log_reader_close(&reader);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(any_filter_any_page),
                                     cmocka_unit_test(totals_that_should_be_told), cmocka_unit_test(an_empty_log)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
