/* SSE frames: every stream is cut at every byte, and fed byte by byte, with one result. */
#include "io/frame_sse.h"

#include <stdlib.h>

#include "unit.h"

/* All events as text: "event|data\n", data with LF shown as '~', and the raw bytes in a row. */
struct seen {
  struct buf events, raw;
  enum err e;
  bool is_partial;
};

static void take_events(struct frame_sse *f, struct seen *s) {
  struct frame ev;
  while (s->e == OK && frame_sse_next(f, &ev, &s->e)) {
    buf_put(&s->raw, ev.raw);
    assert_true(ev.raw.n > 0);
    if (!ev.has_data) {
      assert_int_equal(ev.data.n, 0);
      if (ev.event.n) buf_printf(&s->events, "(%.*s)\n", STR_ARG(ev.event));
      continue;
    }
    if (ev.data_offset != SIZE_MAX) assert_true(ev.data.p == ev.raw.p + ev.data_offset);
    buf_printf(&s->events, "%.*s|", STR_ARG(ev.event));
    for (size_t i = 0; i < ev.data.n; i++) buf_put_char(&s->events, ev.data.p[i] == '\n' ? '~' : ev.data.p[i]);
    buf_put_char(&s->events, '\n');
  }
}

static void seen_init(struct seen *s) {
  *s = (struct seen){.e = OK};
  buf_init(&s->events, 0);
  buf_init(&s->raw, 0);
}
static void seen_clear(struct seen *s) {
  buf_clear(&s->events);
  buf_clear(&s->raw);
}

static void run(struct str stream, size_t limit, size_t first, size_t step, struct seen *s) {
  struct frame_sse f;
  frame_sse_init(&f, limit);
  seen_init(s);
  for (size_t at = 0, n = first; at < stream.n && s->e == OK; at += n, n = step) {
    if (n > stream.n - at) n = stream.n - at;
    char *piece = malloc(n ? n : 1); /* of its own, and gone before the next */
    memcpy(piece, stream.p + at, n);
    frame_sse_feed(&f, str_from(piece, n));
    take_events(&f, s);
    free(piece);
  }
  s->is_partial = frame_sse_is_partial(&f);
  frame_sse_clear(&f);
}

static void expect(struct str stream, size_t limit, const char *events, bool is_partial, enum err e) {
  for (size_t cut = 0; cut <= stream.n + 3; cut++) {
    struct seen s;
    bool one = cut <= stream.n;
    run(stream, limit, one ? cut : cut - stream.n, one ? stream.n + 1 : cut - stream.n, &s);
    assert_int_equal(s.e, e);
    assert_str(buf_str(&s.events), str_from_c(events));
    if (e == OK) assert_int_equal(s.is_partial, is_partial);
    assert_str(buf_str(&s.raw), str_sub(stream, 0, s.raw.n));
    if (e == OK && !is_partial) assert_int_equal(s.raw.n, stream.n);
    seen_clear(&s);
  }
}

TEST(frames_however_they_are_cut) {
  static const struct {
    const char *stream, *events;
    bool is_partial;
  } cases[] = {
      {"", "", false},
      {"data: a\n\n", "|a\n", false},
      {"data:a\n\ndata:  b\n\n", "|a\n| b\n", false},
      {"data: a\r\n\r\ndata: b\r\n\r\n", "|a\n|b\n", false},
      {"data: a\r\rdata: b\r\r", "|a\n|b\n", false},
      {"data: a\r\n\ndata: b\n\r\ndata: c\r\r\n", "|a\n|b\n|c\n", false},
      {"event: x\ndata: a\n\n", "x|a\n", false},
      {"event: x\nevent: y\ndata: a\n\n", "y|a\n", false},
      {"event: x\nevent\ndata: a\n\n", "|a\n", false},
      {"event: ping\n\n", "(ping)\n", false},
      {"data: a\ndata: b\ndata:\ndata: c\n\n", "|a~b~~c\n", false},
      {"data\n\ndata\ndata\n\ndata:\n\n", "|\n|~\n|\n", false},
      {": comment\n\n:\n\ndata: a\n\n", "|a\n", false},
      {"id: 1\nretry: 5\nfoo: bar\ndatax: no\n data: no\ndata: a\n\n", "|a\n", false},
      {"\n\n\ndata: a\n\n\n\n", "|a\n", false},
      {"\r\n\r\n\rdata: a\r\n\r\n", "|a\n", false},
      {"\xef\xbb\xbf"
       "data: a\n\ndata: b\n\n",
       "|a\n|b\n", false},
      {"\xef\xbb\xbf\ndata: a\n\n", "|a\n", false},
      {"data: a\n\n\xef\xbb\xbf"
       "data: b\n\n",
       "|a\n", false},
      {"data: a\n\ndata: b\n", "|a\n", true},
      {"data: a\n\ndata: b", "|a\n", true},
      {"data: a\r\n", "", true},
      {"d", "", true},
      {"data: {\"id\":\"0123456789abcdef0123456789\",\"x\":\"0123456789\"}\n\ndata: [DONE]\n\n",
       "|{\"id\":\"0123456789abcdef0123456789\",\"x\":\"0123456789\"}\n|[DONE]\n", false},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    expect(str_from_c(cases[i].stream), 0, cases[i].events, cases[i].is_partial, OK);
}

TEST(a_frame_is_limited) {
  expect(STR("data: 0123\n\ndata: a\n\n"), 12, "|0123\n|a\n", false, OK);
  expect(STR("data: a\n\ndata: 01234\n\n"), 12, "|a\n", false, ERR_UPSTREAM_TOO_LARGE);
  expect(STR("data: a\n\ndata: 01234567890"), 12, "|a\n", false, ERR_UPSTREAM_TOO_LARGE);
  struct frame_sse f;
  struct frame ev;
  enum err e;
  frame_sse_init(&f, 4);
  frame_sse_feed(&f, STR("12345"));
  assert_false(frame_sse_next(&f, &ev, &e));
  assert_int_equal(e, ERR_UPSTREAM_TOO_LARGE);
  frame_sse_feed(&f, STR("\n\n"));
  assert_false(frame_sse_next(&f, &ev, &e));
  assert_int_equal(e, ERR_UPSTREAM_TOO_LARGE);
  frame_sse_clear(&f);
}

TEST(a_whole_frame_is_not_copied) {
  struct frame_sse f;
  struct frame ev;
  enum err e;
  struct str piece = STR("data: a\n\ndata: b\n\n");
  frame_sse_init(&f, 0);
  frame_sse_feed(&f, piece);
  assert_true(frame_sse_next(&f, &ev, &e));
  assert_true(ev.raw.p == piece.p && ev.data.p == piece.p + 6 && ev.data_offset == 6);
  assert_true(frame_sse_next(&f, &ev, &e));
  assert_true(ev.raw.p == piece.p + 9);
  assert_false(frame_sse_next(&f, &ev, &e));
  assert_null(f.held.p);
  frame_sse_clear(&f);
}

TEST(bytes_are_bytes) {
  struct frame_sse f;
  struct frame ev;
  enum err e;
  frame_sse_init(&f, 0);
  frame_sse_feed(&f, STR("data: \0\xff\n\n"));
  assert_true(frame_sse_next(&f, &ev, &e));
  assert_str(ev.data, STR("\0\xff"));
  frame_sse_clear(&f);
}

TEST(a_frame_at_the_end_may_be_taken) {
  struct frame_sse f;
  struct frame ev;
  enum err e;
  frame_sse_init(&f, 0);
  assert_false(frame_sse_take_partial(&f, &ev, &e));
  frame_sse_feed(&f, STR("data: a\n\nevent: x\ndata: [DONE]"));
  assert_true(frame_sse_next(&f, &ev, &e));
  assert_false(frame_sse_next(&f, &ev, &e));
  assert_true(frame_sse_is_partial(&f));
  assert_true(frame_sse_take_partial(&f, &ev, &e));
  assert_str(ev.data, STR("[DONE]"));
  assert_str(ev.event, STR("x"));
  assert_str(ev.raw, STR("event: x\ndata: [DONE]"));
  assert_false(frame_sse_take_partial(&f, &ev, &e));
  assert_false(frame_sse_is_partial(&f));
  frame_sse_clear(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(frames_however_they_are_cut),     cmocka_unit_test(a_frame_is_limited),
      cmocka_unit_test(a_whole_frame_is_not_copied),     cmocka_unit_test(bytes_are_bytes),
      cmocka_unit_test(a_frame_at_the_end_may_be_taken),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
