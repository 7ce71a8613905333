/* Spans: against a naive model, and the envelope edits that are made of them. */
#include "base/span.h"

#include <stdlib.h>

#include "base/envelope_edit.h"
#include "unit.h"

static struct span_list list; /* large for a stack frame */
static struct err_info info;

static void assert_edited(struct str body, const char *want) {
  static struct str slices[SPAN_SLICES_MAX];
  struct buf out;
  buf_init(&out, 0);
  span_apply(&list, body, &out);
  assert_str(buf_str(&out), str_from_c(want));
  assert_int_equal(span_total(&list), strlen(want));
  size_t n = span_slices(&list, body, slices), total = 0;
  for (size_t i = 0; i < n; i++) {
    assert_true(slices[i].n > 0);
    total += slices[i].n;
  }
  assert_int_equal(total, strlen(want));
  buf_clear(&out);
}

TEST(nothing_is_one_slice) {
  struct str body = STR("body"), out[SPAN_SLICES_MAX];
  span_list_init(&list, body.n);
  assert_int_equal(span_slices(&list, body, out), 1);
  assert_true(out[0].p == body.p && out[0].n == body.n);
  span_list_init(&list, 0);
  assert_int_equal(span_slices(&list, STR(""), out), 0);
  assert_int_equal(span_slices(&list, body, out), 0); /* another body */
}

TEST(edits_stand_where_they_belong_in_any_order) {
  struct str body = STR("0123456789");
  span_list_init(&list, body.n);
  assert_int_equal(span_add(&list, 8, 2, STR("end"), &info), OK);
  assert_int_equal(span_add(&list, 0, 0, STR("a"), &info), OK);
  assert_int_equal(span_add(&list, 3, 2, STR(""), &info), OK);
  assert_int_equal(span_add(&list, 3, 0, STR("x"), &info), OK); /* an insert comes before what goes at its place */
  assert_int_equal(span_add(&list, 3, 0, STR("y"), &info), OK);
  assert_int_equal(span_add(&list, 5, 1, STR("V"), &info), OK); /* right behind */
  assert_int_equal(span_add(&list, 0, 0, STR("b"), &info), OK);
  assert_int_equal(span_add(&list, 10, 0, STR("!"), &info), OK);
  assert_edited(body, "ab012xyV67end!");
}

TEST(overlaps_and_strangers_are_refused) {
  struct str body = STR("0123456789");
  span_list_init(&list, body.n);
  assert_int_equal(span_add(&list, 3, 4, STR("-"), &info), OK);
  assert_int_equal(span_add(&list, 3, 1, STR("x"), &info), ERR_INTERNAL);
  assert_int_equal(span_add(&list, 4, 0, STR("x"), &info), ERR_INTERNAL);
  assert_int_equal(span_add(&list, 6, 2, STR("x"), &info), ERR_INTERNAL);
  assert_int_equal(span_add(&list, 2, 2, STR("x"), &info), ERR_INTERNAL);
  assert_int_equal(span_add(&list, 0, 10, STR("x"), &info), ERR_INTERNAL);
  assert_int_equal(span_add(&list, 11, 0, STR("x"), &info), ERR_INTERNAL);
  assert_int_equal(span_add(&list, 10, 1, STR("x"), &info), ERR_INTERNAL);
  assert_int_equal(span_add(&list, 1, SIZE_MAX, STR("x"), &info), ERR_INTERNAL);
  assert_int_equal(span_add(&list, SIZE_MAX, 1, STR("x"), &info), ERR_INTERNAL);
  assert_edited(body, "012-789");
  span_list_init(&list, body.n);
  for (int i = 0; i < SPAN_MAX; i++) assert_int_equal(span_add(&list, 5, 0, STR("."), &info), OK);
  assert_int_equal(span_add(&list, 5, 0, STR("."), &info), ERR_INTERNAL);
  assert_int_equal(span_total(&list), 10 + SPAN_MAX);
}

TEST(the_most_slices_fit) {
  static char body[2 * SPAN_MAX + 1];
  static struct str slices[SPAN_SLICES_MAX];
  memset(body, 'b', sizeof body);
  span_list_init(&list, sizeof body);
  for (size_t i = 0; i < SPAN_MAX; i++) assert_int_equal(span_add(&list, 2 * i + 1, 1, STR("xx"), &info), OK);
  assert_int_equal(span_slices(&list, str_from(body, sizeof body), slices), SPAN_SLICES_MAX);
}

enum { MODEL, STREAM, OPTIONS, USAGE, MAESTRO, ROWS };
static const struct str paths[ROWS] = {STR("model"), STR("stream"), STR("o"), STR("o.u"), STR("maestro")};
static struct envelope_table table;
static struct envelope_scan scan;
static struct envelope_edit edit;
static struct arena arena;

/* `changes`: one letter a row: '.' keep, '-' remove, '=' set to 7. */
static enum err edited(const char *body, const char *changes, struct buf *out) {
  assert_int_equal(envelope_scan_whole(&scan, &table, NULL, NULL, str_from_c(body), &info), OK);
  envelope_edit_init(&edit, &scan);
  for (unsigned row = 0; changes[row]; row++) {
    if (changes[row] == '-') envelope_edit_remove(&edit, row);
    if (changes[row] == '=') envelope_edit_set(&edit, row, STR("7"));
  }
  span_list_init(&list, strlen(body));
  enum err e = envelope_edit_spans(&edit, &arena, &list, &info);
  buf_reset(out);
  if (e == OK) span_apply(&list, str_from_c(body), out);
  return e;
}

TEST(members_come_and_go_with_their_commas) {
  static const struct {
    const char *body, *changes, *want;
  } cases[] = {
      {"{\"model\":1}", "-", "{}"},
      {"{\"model\":1,\"x\":2}", "-", "{\"x\":2}"},
      {"{\"x\":2,\"model\":1}", "-", "{\"x\":2}"},
      {"{\"x\":2,\"model\":1,\"y\":3}", "-", "{\"x\":2,\"y\":3}"},
      {"{\"model\":1,\"stream\":2}", "--", "{}"},
      {"{\"x\":0,\"model\":1,\"stream\":2}", "--", "{\"x\":0}"},
      {"{\"model\":1,\"x\":0,\"stream\":2}", "--", "{\"x\":0}"},
      {"{\"model\":1,\"stream\":2,\"x\":0}", "--", "{\"x\":0}"},
      {"{\"stream\":1,\"model\":2,\"maestro\":0}", "--..-", "{}"},
      {"{\"model\":1 , \"stream\" : 2 , \"x\":0}", "-", "{ \"stream\" : 2 , \"x\":0}"},
      {"{ \"x\":0 , \"model\" : 1 }", "-", "{ \"x\":0  }"},
      {"{}", "=", "{\"model\":7}"},
      {"{\"x\":1}", "==", "{\"model\":7,\"stream\":7,\"x\":1}"},
      {"{\"model\":\"gpt\",\"x\":1}", "=", "{\"model\":7,\"x\":1}"},
      {"{\"model\":1}", "-=", "{\"stream\":7}"},
      {"{\"model\":1,\"x\":2}", "-=", "{\"stream\":7,\"x\":2}"},
      {"{\"stream\":1,\"x\":2}", "=-", "{\"model\":7,\"x\":2}"},
      {"{}", "...=", "{\"o\":{\"u\":7}}"},
      {"{\"o\":null}", "...=", "{\"o\":{\"u\":7}}"},
      {"{\"o\":{}}", "...=", "{\"o\":{\"u\":7}}"},
      {"{\"o\":{\"v\":1}}", "...=", "{\"o\":{\"u\":7,\"v\":1}}"},
      {"{\"o\":{\"u\":1,\"v\":1}}", "...=", "{\"o\":{\"u\":7,\"v\":1}}"},
      {"{\"o\":{\"v\":1,\"u\":1}}", "...-", "{\"o\":{\"v\":1}}"},
      {"{\"o\":{\"u\":1}}", "...-", "{\"o\":{}}"},
      {"{\"o\":{\"u\":1},\"x\":1}", "..--", "{\"x\":1}"},
      {"{\"o\":{\"u\":1},\"x\":1}", "..==", "{\"o\":7,\"x\":1}"},
      {"{\"x\":1}", "..--", "{\"x\":1}"},
      {"{\"o\":5}", "...-", "{\"o\":5}"},
      {"{\"o\":{\"u\":1},\"model\":2}", "-..=", "{\"o\":{\"u\":7}}"},
      {"{\"mo\\u0064el\":1,\"x\":2}", "=", "{\"mo\\u0064el\":7,\"x\":2}"},
  };
  struct buf out;
  buf_init(&out, 0);
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    assert_int_equal(edited(cases[i].body, cases[i].changes, &out), OK);
    assert_str(buf_str(&out), str_from_c(cases[i].want));
  }
  assert_int_equal(edited("{\"o\":5}", "...=", &out), ERR_BAD_TYPE);
  assert_string_equal(info.param, "o");
  buf_clear(&out);
}

TEST(the_last_edit_of_a_row_wins) {
  struct buf out;
  buf_init(&out, 0);
  assert_int_equal(edited("{\"model\":1,\"stream\":2}", "-", &out), OK);
  envelope_edit_set(&edit, MODEL, STR("\"a\""));
  envelope_edit_set(&edit, MODEL, STR("\"b\""));
  envelope_edit_remove(&edit, STREAM);
  envelope_edit_keep(&edit, STREAM);
  span_list_init(&list, 22);
  assert_int_equal(envelope_edit_spans(&edit, &arena, &list, &info), OK);
  assert_edited(STR("{\"model\":1,\"stream\":2}"), "{\"model\":\"b\",\"stream\":2}");
  buf_clear(&out);
}

static int setup(void **state __attribute__((unused))) {
  arena_init(&arena, 0);
  return envelope_table_init(&table, paths, ROWS, &info) == OK ? 0 : -1;
}
static int teardown(void **state __attribute__((unused))) {
  arena_clear(&arena);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nothing_is_one_slice),
      cmocka_unit_test(edits_stand_where_they_belong_in_any_order),
      cmocka_unit_test(overlaps_and_strangers_are_refused),
      cmocka_unit_test(the_most_slices_fit),
      cmocka_unit_test(members_come_and_go_with_their_commas),
      cmocka_unit_test(the_last_edit_of_a_row_wins),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
