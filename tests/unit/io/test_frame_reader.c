/* The table of framings: each reader behind it, from init to clear. */
#include "frame_rig.h"

TEST(media_types) {
  assert_str(framing_content_type(FRAMING_SSE), STR("text/event-stream"));
  assert_str(framing_content_type(FRAMING_NDJSON), STR("application/x-ndjson"));
  assert_str(framing_content_type(FRAMING_AWS), STR("application/vnd.amazon.eventstream"));
  assert_int_equal(framing_content_type(FRAMING_NONE).n, 0);
}

TEST(events) {
  expect(FRAMING_SSE, STR("event: x\ndata: a\r\n\r\n: c\n\ndata: b\n\n"), 0, "x|a\n|b\n", false, OK);
  expect(FRAMING_SSE, STR("data: a\n\ndata: b"), 0, "|a\n", true, OK);
  expect(FRAMING_SSE, STR("data: a\n\ndata: 0123456789\n\n"), 10, "|a\n", false, ERR_UPSTREAM_TOO_LARGE);
}

TEST(an_unknown_framing_reads_as_events) { expect(FRAMING_NONE, STR("data: a\n\n"), 0, "|a\n", false, OK); }

TEST(the_last_frame) {
  struct seen s = run(FRAMING_SSE, STR("data: a\n\nevent: e\ndata: [DONE]"), 0, 5, 3, true);
  assert_int_equal(s.e, OK);
  assert_str(buf_str(&s.events), STR("|a\ne|[DONE]\n"));
  seen_clear(&s);
  s = run(FRAMING_AWS, STR("\0\0\0\x20"), 0, 4, 4, true); /* a message without its end is none */
  assert_int_equal(s.e, OK);
  assert_true(s.is_partial);
  assert_int_equal(s.events.n, 0);
  seen_clear(&s);
}

TEST(nothing_fed_nothing_given) {
  for (int framing = 0; framing < FRAMINGS; framing++) {
    struct frame_reader r;
    struct frame f;
    enum err e = ERR_INTERNAL;
    frame_reader_init(&r, (enum framing)framing, 0);
    assert_false(frame_reader_next(&r, &f, &e));
    assert_int_equal(e, OK);
    frame_reader_feed(&r, STR_NONE);
    assert_false(frame_reader_next(&r, &f, &e));
    assert_false(frame_reader_is_partial(&r));
    assert_false(frame_reader_take_partial(&r, &f, &e));
    assert_int_equal(e, OK);
    frame_reader_clear(&r);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(media_types),
      cmocka_unit_test(events),
      cmocka_unit_test(the_last_frame),
      cmocka_unit_test(an_unknown_framing_reads_as_events),
      cmocka_unit_test(nothing_fed_nothing_given),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
