/* Pages by number: every entry is on one page, whatever goes between two, wherever declared ones stand. */
#include "admin/page.h"

#include "arena_rig.h"
#include "unit.h"

/* Walks through the list in pages of that size; writes the numbers of entries, a '|' between two pages. `goes` is an
 * entry that goes after the first page; 0: none. */
static void walk(const int64_t *ids, size_t n, bool has_declared_first, size_t size, int64_t goes, char out[256]) {
  struct page p = {0};
  size_t at = 0;
  do {
    int64_t after = p.last;
    if (after) at += (size_t)snprintf(out + at, 256 - at, "|");
    p = (struct page){.after = after, .has_declared_first = has_declared_first, .left = size};
    for (size_t i = 0; i < n; i++)
      if (!(after && ids[i] == goes) && page_takes(&p, ids[i])) at += (size_t)snprintf(out + at, 256 - at, "%zu", i);
  } while (p.has_more);
}

static void expect(const int64_t *ids, size_t n, bool has_declared_first, size_t size, int64_t goes,
                   const char *pages) {
  char got[256] = "";
  walk(ids, n, has_declared_first, size, goes, got);
  if (strcmp(got, pages)) fail_msg("\"%s\", not \"%s\"", got, pages);
}

TEST(every_entry_is_on_one_page) {
  const int64_t x = page_declared_id(STR("x"), 0), y = page_declared_id(STR("y"), 0);
  const int64_t high = x > y ? x : y, low = x > y ? y : x;
  const int64_t behind[] = {3, 5, 9, high, low}, before[] = {high, low, 3, 5, 9}, rising[] = {low, high};
  expect(behind, 5, false, 5, 0, "01234");
  expect(behind, 5, false, 2, 0, "01|23|4");
  expect(behind, 5, false, 1, 0, "0|1|2|3|4");
  expect(behind, 5, false, 3, 0, "012|34"); /* from the last stored one on to the declared */
  expect(before, 5, true, 2, 0, "01|23|4"); /* and the other way round */
  expect(before, 5, true, 1, 0, "0|1|2|3|4");
  expect(before, 5, true, 5, 0, "01234");
  expect(rising, 2, true, 1, 0, "0|1");
  expect(NULL, 0, true, 1, 0, "");
}

TEST(what_goes_meanwhile_shifts_nothing) {
  const int64_t d = page_declared_id(STR("d"), 0), list[] = {3, 5, 9, 12, d};
  expect(list, 5, false, 2, 5, "01|23|4"); /* the one that the page ended with */
  expect(list, 5, false, 2, 9, "01|34");
  expect(list, 5, false, 4, 12, "0123|4");
}

TEST(numbers_of_declared_ones_stay_and_are_told_apart) {
  int64_t id = page_declared_id(STR("name"), 0);
  assert_true(id == page_declared_id(STR("name"), 0) && id != page_declared_id(STR("name"), 1));
  assert_true(id >= (int64_t)1 << 48 && id < (int64_t)1 << 53);
}

TEST(a_number_is_a_key_that_no_name_is) {
  int64_t id = 5;
  assert_str(page_number_key(&arena, 17), STR("/17"));
  assert_true(page_number_of(STR("/17"), &id));
  assert_int_equal(id, 17);
  static const char *const others[] = {
      "", "17", "/", "/x", "/-1", "/1x", "/9223372036854775808", "/99999999999999999999"};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) assert_false(page_number_of(str_from_c(others[i]), &id));
  assert_int_equal(id, 17);
}

static enum err begin(const char *query, struct page *p, struct err_info *info) {
  const struct http_request request = {.query = str_from_c(query)};
  struct request_context rc = {.request = &request, .arena = &arena};
  *info = (struct err_info){0};
  return page_begin(&rc, true, p, info);
}

TEST(what_is_asked_for) {
  struct err_info info;
  struct page p;
  assert_int_equal(begin("", &p, &info), OK);
  assert_true(p.left == PAGE_MAX && !p.after);
  assert_int_equal(begin("limit=7&after=12", &p, &info), OK);
  assert_true(p.left == 7 && p.after == 12);
  static const char *const bad[] = {
      "limit=0", "limit=501", "limit=x", "after=x", "after=0", "after=-1", "after=99999999999999999999"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    assert_int_equal(begin(bad[i], &p, &info), ERR_BAD_VALUE);
    assert_int_equal(info.http_status, 422);
  }
}

TEST(a_declared_one_that_is_not_there_is_refused) {
  struct request_context rc = {.arena = &arena};
  struct err_info info = {0};
  struct page p = {.after = page_declared_id(STR("gone"), 0), .left = 9};
  assert_false(page_takes(&p, page_declared_id(STR("here"), 0)));
  assert_int_equal(page_end(&rc, &p, "group", &info), ERR_BAD_VALUE);
  assert_string_equal(info.param, "after");
  assert_string_equal(info.text, "\"after\" names no group");
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, arena_rig_make, arena_rig_clear)
  const struct CMUnitTest tests[] = {T(every_entry_is_on_one_page),
                                     T(what_goes_meanwhile_shifts_nothing),
                                     T(numbers_of_declared_ones_stay_and_are_told_apart),
                                     T(what_is_asked_for),
                                     T(a_number_is_a_key_that_no_name_is),
                                     T(a_declared_one_that_is_not_there_is_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
