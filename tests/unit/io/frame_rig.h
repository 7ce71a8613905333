/* Streams of frames for the tests of the readers: a stream is cut at every byte, and fed in steps of one, two and
 * three, each piece in memory of its own that is gone before the next; the result is always the same. All is static. */
#ifndef MAESTRO_TESTS_FRAME_RIG_H
#define MAESTRO_TESTS_FRAME_RIG_H

#include <stdlib.h>

#include "io/frame_reader.h"
#include "unit.h"

#pragma GCC diagnostic ignored "-Wunused-function" /* no test uses all of it */

/* Frames as text: "event|data\n", a failure's event with a '!' before it; frames without data are "(event)\n", and
 * nothing where they have no event. */
struct seen {
  struct buf events, raw;
  enum err e;
  bool is_partial;
};

static void see(struct seen *s, const struct frame *f) {
  assert_true(f->raw.n > 0);
  assert_true(f->has_data == (f->data_offset != SIZE_MAX));
  if (f->has_data) assert_ptr_equal(f->data.p, f->raw.p + f->data_offset);
  assert_true(f->data.n <= f->raw.n);
  buf_put(&s->raw, f->raw);
  if (f->is_error) buf_put_char(&s->events, '!');
  if (!f->has_data) {
    assert_int_equal(f->data.n, 0);
    if (f->event.n) buf_printf(&s->events, "(%.*s)\n", STR_ARG(f->event));
    return;
  }
  buf_put(&s->events, f->event);
  buf_put_char(&s->events, '|');
  buf_put(&s->events, f->data);
  buf_put_char(&s->events, '\n');
}

static void seen_clear(struct seen *s) {
  buf_clear(&s->events);
  buf_clear(&s->raw);
}

static struct seen run(enum framing framing, struct str stream, size_t limit, size_t first, size_t step,
                       bool takes_last) {
  struct frame_reader r;
  struct frame f;
  struct seen s = {.e = OK};
  frame_reader_init(&r, framing, limit);
  for (size_t at = 0, n = first; at < stream.n && s.e == OK; at += n, n = step) {
    if (n > stream.n - at) n = stream.n - at;
    char *piece = malloc(n ? n : 1);
    memcpy(piece, stream.p + at, n);
    frame_reader_feed(&r, str_from(piece, n));
    while (frame_reader_next(&r, &f, &s.e)) see(&s, &f);
    free(piece);
  }
  s.is_partial = frame_reader_is_partial(&r);
  if (s.e) { /* a failure is final */
    enum err again;
    frame_reader_feed(&r, STR("x"));
    assert_false(frame_reader_next(&r, &f, &again));
    assert_int_equal(again, s.e);
  } else if (takes_last) {
    if (frame_reader_take_partial(&r, &f, &s.e)) see(&s, &f);
    assert_false(frame_reader_take_partial(&r, &f, &s.e));
  }
  frame_reader_clear(&r);
  return s;
}

static void expect(enum framing framing, struct str stream, size_t limit, const char *events, bool is_partial,
                   enum err e) {
  for (size_t cut = 0; cut <= stream.n + 3; cut++) {
    bool once = cut <= stream.n;
    struct seen s =
        run(framing, stream, limit, once ? cut : cut - stream.n, once ? stream.n + 1 : cut - stream.n, false);
    assert_int_equal(s.e, e);
    assert_str(buf_str(&s.events), str_from_c(events));
    if (e == OK) assert_int_equal(s.is_partial, is_partial);
    assert_str(buf_str(&s.raw), str_sub(stream, 0, s.raw.n));
    if (e == OK && !is_partial) assert_int_equal(s.raw.n, stream.n);
    seen_clear(&s);
  }
}

#endif
