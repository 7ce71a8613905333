/* The guard against endless answers: its three bounds, what is no repetition, and that cuts make no difference. */
#include "text/guard_runaway.h"

#include <stdio.h>
#include <stdlib.h>

#include "text_rig.h"

static const struct guard_runaway_options usual = {10000000, 50000, 65536};
static const struct guard_runaway_options repeats = {0, 0, 65536};

TEST(bytes_are_bounded) {
  static char text[100000];
  struct guard_runaway g;
  struct err_info info = {.code = ""};
  guard_runaway_init(&g, &(struct guard_runaway_options){100000, 0, 0});
  assert_int_equal(guard_runaway_add(&g, str_from(text, 99999), &info), OK);
  assert_int_equal(guard_runaway_count(&g, 1, 1, &info), OK);
  assert_int_equal(guard_runaway_add(&g, STR_NONE, &info), OK);
  assert_int_equal(guard_runaway_add(&g, STR("x"), &info), ERR_GUARD_RUNAWAY);
  assert_non_null(strstr(info.text, "100000 bytes"));
  assert_int_equal(guard_runaway_add(&g, STR("x"), &info), ERR_GUARD_RUNAWAY);
  guard_runaway_clear(&g);
}

static enum err feed_deltas(unsigned deltas, unsigned bytes, unsigned extra_bytes) {
  struct guard_runaway g;
  enum err e;
  guard_runaway_init(&g, &usual);
  e = guard_runaway_count(&g, 0, extra_bytes, NULL);
  for (unsigned i = 0; !e && i < deltas; i++) {
    char text[8];
    uint32_t seed = i, word = text_rig_random(&seed);
    for (unsigned k = 0; k < sizeof text; k++) text[k] = (char)('a' + (word >> 3 * k) % 16);
    e = guard_runaway_add(&g, str_from(text, bytes), NULL);
  }
  guard_runaway_clear(&g);
  return e;
}

TEST(empty_deltas_are_bounded) {
  assert_int_equal(feed_deltas(50000, 1, 0), OK);
  assert_int_equal(feed_deltas(50001, 1, 0), ERR_GUARD_RUNAWAY);
  assert_int_equal(feed_deltas(50001, 0, 0), ERR_GUARD_RUNAWAY);
  assert_int_equal(feed_deltas(50001, 1, 25000), ERR_GUARD_RUNAWAY); /* half a byte too few */
  assert_int_equal(feed_deltas(50001, 1, 25001), OK);
  assert_int_equal(feed_deltas(200000, 2, 0), OK);
}

/* The offset behind the delta at which the guard stops, in deltas of `step` bytes (0: random); 0: never. */
static size_t stops_at(struct str text, size_t step, const struct guard_runaway_options *options) {
  struct guard_runaway g;
  uint32_t seed = 5;
  size_t at = 0;
  enum err e = OK;
  guard_runaway_init(&g, options);
  while (!e && at < text.n) {
    size_t n = step ? step : 1 + text_rig_random(&seed) % 20000;
    if (n > text.n - at) n = text.n - at;
    char *copy = malloc(n); /* exact, so that a read beyond is seen */
    memcpy(copy, text.p + at, n);
    e = guard_runaway_add(&g, str_from(copy, n), NULL);
    free(copy);
    at += n;
  }
  assert_true(!e || e == ERR_GUARD_RUNAWAY);
  guard_runaway_clear(&g);
  return e ? at : 0;
}

/* n bytes: `before` bytes that never repeat, then a unit of `period` over and over. */
static char *loop_text(size_t before, size_t period, size_t n) {
  char *text = malloc(n);
  uint32_t seed = (uint32_t)period;
  for (size_t i = 0; i < n; i++)
    text[i] = i < before + period ? (char)(32 + text_rig_random(&seed) % 90) : text[i - period];
  return text;
}

TEST(loops_are_found) {
  static const size_t periods[] = {1, 2, 3, 7, 16, 17, 40, 100, 511, 1000, 2047, 2048};
  enum { N = 300000 };
  for (size_t i = 0; i < sizeof periods / sizeof *periods; i++)
    for (size_t before = 0; before < 60000; before = before * 3 + 1001) {
      char *text = loop_text(before, periods[i], N);
      size_t at = stops_at(str_from(text, N), 1, &repeats);
      size_t least = periods[i] * GUARD_RUNAWAY_TIMES > 65536 ? periods[i] * GUARD_RUNAWAY_TIMES : 65536;
      size_t from = before > GUARD_RUNAWAY_START ? before : GUARD_RUNAWAY_START;
      assert_in_range(at, before + least, from + least + 2 * GUARD_RUNAWAY_WINDOW);
      for (size_t step = 3; step < 90000; step = step * 5 + 2) {
        size_t want = (at + step - 1) / step * step; /* the end of the delta that it lies in */
        assert_int_equal(stops_at(str_from(text, N), step, &repeats), want < N ? want : N);
      }
      assert_true(stops_at(str_from(text, N), 0, &repeats) >= at);
      free(text);
    }
}

TEST(what_repeats_too_little_passes) {
  enum { N = 400000 };
  char *text = loop_text(0, 2049, N);
  assert_int_equal(stops_at(str_from(text, N), 1000, &repeats), 0);
  free(text);
  text = loop_text(0, 10, N);
  for (size_t i = 0; i < N; i += 60000) text[i] = '!';
  assert_int_equal(stops_at(str_from(text, N), 1000, &repeats), 0);
  assert_int_equal(stops_at(str_from(text, 16384 + 60000), 1000, &repeats), 0);
  free(text);
  text = loop_text(0, 10, N);
  assert_int_equal(stops_at(str_from(text, N), 1000, &(struct guard_runaway_options){0, 0, 0}), 0);
  assert_true(stops_at(str_from(text, N), 1000, &(struct guard_runaway_options){0, 0, 4096}) <= 25000);
  free(text);
}

/* Long texts that people do ask for. */
TEST(honest_texts_pass) {
  static const char *const forms[] = {
      "| %u | 0 | 0 | 0 |\n",
      "{\"id\":%u,\"tags\":[],\"value\":null},",
      "INSERT INTO t VALUES (%u, '', NULL, NULL, NULL, NULL, NULL);\n",
      "line %u of the log: nothing happened, nothing happened, nothing happened\n",
      "  - [ ] step %u\n",
      "<tr><td>%u</td><td></td><td></td></tr>\n",
  };
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
    struct buf text;
    buf_init(&text, 0);
    for (unsigned row = 0; text.n < 1000000; row++) {
      char line[128];
      int n = snprintf(line, sizeof line, forms[i], row);
      buf_put(&text, str_from(line, (size_t)n));
    }
    assert_int_equal(stops_at(buf_str(&text), 7, &repeats), 0);
    buf_clear(&text);
  }
  struct buf matrix; /* 100 rows of 100 zeros, then words */
  buf_init(&matrix, 0);
  for (unsigned row = 0; row < 100; row++)
    for (unsigned column = 0; column < 100; column++) buf_put(&matrix, column < 99 ? STR("0,") : STR("0\n"));
  for (unsigned row = 0; matrix.n < 200000; row++) buf_printf(&matrix, "row %u\n", row);
  assert_int_equal(stops_at(buf_str(&matrix), 5, &repeats), 0);
  buf_clear(&matrix);
}

/* Texts for which the search is dearest. */
TEST(hostile_texts_take_linear_time) {
  enum { N = 4 << 20 };
  char *text = malloc(N);
  for (size_t i = 0; i < N; i++) text[i] = i % 2048 == 77 ? (char)(i / 2048) : 'a';
  assert_int_equal(stops_at(str_from(text, N), 4, &repeats), 0);
  for (size_t i = 0; i < N; i++) text[i] = i % 4096 == 100 ? (char)(i / 4096) : (char)('a' + i % 16 / 15);
  assert_int_equal(stops_at(str_from(text, N), 4, &repeats), 0);
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bytes_are_bounded), cmocka_unit_test(empty_deltas_are_bounded),
      cmocka_unit_test(loops_are_found),   cmocka_unit_test(what_repeats_too_little_passes),
      cmocka_unit_test(honest_texts_pass), cmocka_unit_test(hostile_texts_take_linear_time),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
