/* Lines of JSON: cut at every byte, with one result. */
#include "frame_rig.h"

TEST(lines_however_they_are_cut) {
  static const struct {
    const char *stream, *events;
    bool is_partial;
  } rows[] = {
      {"", "", false},
      {"{\"a\":1}\n", "|{\"a\":1}\n", false},
      {"{\"a\":1}\r\n{\"b\":2}\n", "|{\"a\":1}\n|{\"b\":2}\n", false},
      {"\n\r\n \n{}\n\n", "|{}\n", false},
      {"  {} \t\r\n[ 1 ]\n", "|{}\n|[ 1 ]\n", false},
      {"{}\r{}\n", "|{}\r{}\n", false}, /* a CR alone ends no line */
      {"{}\n{\"a", "|{}\n", true},
      {"{}\n\r", "|{}\n", true},
      {"not json\n", "|not json\n", false}, /* that is its reader's to say */
      {"\xff\x01\n", "|\xff\x01\n", false},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    expect(FRAMING_NDJSON, str_from_c(rows[i].stream), 0, rows[i].events, rows[i].is_partial, OK);
  struct seen s = run(FRAMING_NDJSON, STR("\0\0\n"), 0, 1, 1, false);
  assert_str(buf_str(&s.events), STR("|\0\0\n"));
  seen_clear(&s);
}

TEST(a_line_is_limited) {
  expect(FRAMING_NDJSON, STR("{\"a\":12}\n{}\n"), 9, "|{\"a\":12}\n|{}\n", false, OK);
  expect(FRAMING_NDJSON, STR("{}\n{\"a\":123}\n"), 9, "|{}\n", false, ERR_UPSTREAM_TOO_LARGE);
  expect(FRAMING_NDJSON, STR("{}\n0123456789012"), 9, "|{}\n", false, ERR_UPSTREAM_TOO_LARGE);
}

TEST(the_last_line_may_lack_its_end) {
  static const struct {
    const char *stream, *events;
  } rows[] = {{"{}\n{\"done\":true}", "|{}\n|{\"done\":true}\n"},
              {"{}", "|{}\n"},
              {"{}\r", "|{}\n"},
              {"{}\n", "|{}\n"},
              {"", ""},
              {"{}\n \r", "|{}\n"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct str stream = str_from_c(rows[i].stream);
    for (size_t cut = 0; cut <= stream.n; cut++) {
      struct seen s = run(FRAMING_NDJSON, stream, 0, cut, stream.n + 1, true);
      assert_int_equal(s.e, OK);
      assert_str(buf_str(&s.events), str_from_c(rows[i].events));
      assert_str(buf_str(&s.raw), stream);
      seen_clear(&s);
    }
  }
}

TEST(a_whole_line_is_not_copied) {
  struct frame_ndjson n;
  struct frame f;
  enum err e;
  struct str piece = STR("{}\n{}\n{");
  frame_ndjson_init(&n, 0);
  frame_ndjson_feed(&n, piece);
  assert_true(frame_ndjson_next(&n, &f, &e) && f.raw.p == piece.p);
  assert_true(frame_ndjson_next(&n, &f, &e) && f.raw.p == piece.p + 3);
  assert_null(n.held.p);
  assert_false(frame_ndjson_next(&n, &f, &e));
  frame_ndjson_clear(&n);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lines_however_they_are_cut),
      cmocka_unit_test(a_line_is_limited),
      cmocka_unit_test(the_last_line_may_lack_its_end),
      cmocka_unit_test(a_whole_line_is_not_copied),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
