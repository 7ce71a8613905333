/* links: io */
/* SSE frames: the same events however the stream is cut, the raw frames are the stream, nothing beyond the limit. */
#include <stdlib.h>

#include "io/frame_sse.h"

struct seen {
  struct buf events, raw;
  enum err e;
  bool is_partial;
};

static void check(bool ok) {
  if (!ok) abort();
}

static void run(struct str stream, size_t limit, uint32_t cut, struct seen *s) {
  struct frame_sse f;
  struct frame ev;
  frame_sse_init(&f, limit);
  *s = (struct seen){.e = OK};
  for (size_t at = 0, n; at < stream.n && s->e == OK; at += n) {
    n = cut ? 1 + (at * 2654435761u >> 8 ^ cut) % (cut & 15 ? cut & 15 : 16) : stream.n;
    if (n > stream.n - at) n = stream.n - at;
    char *piece = malloc(n); /* of its own, and gone before the next */
    memcpy(piece, stream.p + at, n);
    frame_sse_feed(&f, str_from(piece, n));
    while (frame_sse_next(&f, &ev, &s->e)) {
      check(ev.raw.n > 0 && (!limit || ev.raw.n <= limit + 1) && ev.data.n <= ev.raw.n);
      check(ev.data_offset == SIZE_MAX || ev.data.p == ev.raw.p + ev.data_offset);
      check(ev.has_data || (ev.data.n == 0 && ev.data_offset == SIZE_MAX));
      buf_put(&s->raw, ev.raw);
      if (!ev.has_data) continue;
      buf_printf(&s->events, "%zu:", ev.event.n);
      buf_put(&s->events, ev.event);
      buf_printf(&s->events, "%zu:", ev.data.n);
      buf_put(&s->events, ev.data);
    }
    free(piece);
  }
  s->is_partial = frame_sse_is_partial(&f);
  frame_sse_clear(&f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2) return 0;
  struct str stream = str_from((const char *)data + 2, size - 2);
  size_t limit = data[1] & 0x7f;
  struct seen whole, cut;
  run(stream, limit, 0, &whole);
  run(stream, limit, data[0] | 256u, &cut);
  check(whole.e == cut.e && str_eq(buf_str(&whole.events), buf_str(&cut.events)));
  if (whole.e == OK) {
    check(whole.is_partial == cut.is_partial);
    check(str_eq(buf_str(&whole.raw), str_sub(stream, 0, whole.raw.n)));
    check(str_eq(buf_str(&cut.raw), str_sub(stream, 0, cut.raw.n)));
    check(whole.is_partial || (whole.raw.n == stream.n && cut.raw.n == stream.n));
  }
  buf_clear(&whole.events);
  buf_clear(&whole.raw);
  buf_clear(&cut.events);
  buf_clear(&cut.raw);
  return 0;
}
