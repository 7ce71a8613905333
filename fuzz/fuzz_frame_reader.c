/* links: io */
/* Streams of every framing: the same frames however the stream is cut, the raw frames in a row are the stream, nothing
 * beyond the limit, and no pointer out of its frame. First byte: the framing (2 bits) and whether checksums of AWS
 * messages are put right (bit 7), without which hardly an input would get past them; second: the limit; third: the
 * cuts. */
#include <stdlib.h>
#include <zlib.h>

#include "io/frame_reader.h"

struct seen {
  struct buf frames, raw;
  enum err e;
  bool is_partial;
};

static void check(bool ok) {
  if (!ok) abort();
}

static void look(const struct frame *f, size_t limit, struct seen *s) {
  check(f->raw.n > 0 && (!limit || f->raw.n <= limit + 1));
  check(f->has_data || (f->data.n == 0 && f->data_offset == SIZE_MAX));
  check(f->data_offset == SIZE_MAX || f->data.p == f->raw.p + f->data_offset);
  check(f->data_offset == SIZE_MAX || f->data_offset + f->data.n <= f->raw.n);
  check(f->event.n <= f->raw.n);
  buf_put(&s->raw, f->raw);
  if (!f->has_data && !f->is_error) return; /* where line ends are cut in two there are more of these */
  buf_printf(&s->frames, "%c%zu:", f->is_error ? '!' : '.', f->event.n);
  buf_put(&s->frames, f->event);
  buf_printf(&s->frames, "%zu:", f->data.n);
  buf_put(&s->frames, f->data);
}

static struct seen run(enum framing framing, struct str stream, size_t limit, unsigned cut) {
  struct seen s = {.e = OK};
  struct frame_reader r;
  struct frame f;
  frame_reader_init(&r, framing, limit);
  for (size_t at = 0, n; at < stream.n && s.e == OK; at += n) {
    n = cut ? 1 + (at * 2654435761u >> 8 ^ cut) % (cut & 15 ? cut & 15 : 16) : stream.n;
    if (n > stream.n - at) n = stream.n - at;
    char *piece = malloc(n); /* of its own, and gone before the next */
    memcpy(piece, stream.p + at, n);
    frame_reader_feed(&r, str_from(piece, n));
    while (frame_reader_next(&r, &f, &s.e)) look(&f, limit, &s);
    free(piece);
  }
  s.is_partial = frame_reader_is_partial(&r);
  if (s.e == OK) {
    bool was_partial = s.is_partial;
    if (frame_reader_take_partial(&r, &f, &s.e)) {
      check(was_partial);
      look(&f, limit, &s);
      check(!frame_reader_is_partial(&r));
    }
  }
  frame_reader_clear(&r);
  return s;
}

static uint32_t read_u32(const uint8_t *p) {
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void write_u32(uint8_t *p, uint32_t v) {
  for (int i = 0; i < 4; i++) p[i] = (uint8_t)(v >> (24 - 8 * i));
}

/* Puts right the checksums of the messages in a row, as far as they are whole. */
static void mend_checksums(uint8_t *p, size_t n) {
  while (n >= 16) {
    write_u32(p + 8, (uint32_t)crc32(0, p, 8));
    size_t all = read_u32(p);
    if (all < 16 || all > n) return;
    write_u32(p + all - 4, (uint32_t)crc32(0, p, (uInt)(all - 4)));
    p += all;
    n -= all;
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 3) return 0;
  size_t n = size - 3;
  uint8_t *bytes = malloc(n ? n : 1);
  memcpy(bytes, data + 3, n);
  enum framing framing = (enum framing)(data[0] & 3);
  if (framing == FRAMING_AWS && data[0] & 0x80) mend_checksums(bytes, n);
  struct str stream = str_from((char *)bytes, n);
  size_t limit = data[1] & 0x80 ? (size_t)(data[1] & 0x7f) * 2 : 0;
  struct seen whole = run(framing, stream, limit, 0), cut = run(framing, stream, limit, data[2] | 256u);
  check(whole.e == cut.e && str_eq(buf_str(&whole.frames), buf_str(&cut.frames)));
  check(str_eq(buf_str(&whole.raw), str_sub(stream, 0, whole.raw.n)));
  check(str_eq(buf_str(&cut.raw), str_sub(stream, 0, cut.raw.n)));
  if (whole.e == OK) {
    check(whole.is_partial == cut.is_partial);
    if (!whole.is_partial || framing != FRAMING_AWS) check(whole.raw.n == n && cut.raw.n == n);
  }
  buf_clear(&whole.frames);
  buf_clear(&whole.raw);
  buf_clear(&cut.frames);
  buf_clear(&cut.raw);
  free(bytes);
  return 0;
}
