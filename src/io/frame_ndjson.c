/* Lines of JSON cut into frames: see frame_ndjson.h. */
#include "io/frame_ndjson.h"

void frame_ndjson_init(struct frame_ndjson *f, size_t limit_bytes) {
  *f = (struct frame_ndjson){.limit_bytes = limit_bytes};
  buf_init(&f->held, 0); /* the limit is checked before */
}

void frame_ndjson_clear(struct frame_ndjson *f) {
  buf_clear(&f->held);
  f->in = STR_NONE;
}

void frame_ndjson_feed(struct frame_ndjson *f, struct str piece) { f->in = piece; }

static void give_out(struct str raw, struct frame *out) {
  struct str line = str_trim(raw);
  *out = (struct frame){.raw = raw, .data = line, .has_data = line.n > 0, .data_offset = SIZE_MAX};
  if (line.n) out->data_offset = (size_t)(line.p - raw.p);
}

static bool fail(struct frame_ndjson *f, enum err why, enum err *e) {
  *e = f->failed = why;
  return false;
}

bool frame_ndjson_next(struct frame_ndjson *f, struct frame *out, enum err *e) {
  *e = f->failed;
  if (f->failed) return false;
  if (f->held_given) buf_reset(&f->held);
  f->held_given = false;
  if (f->in.n == 0) return false;
  size_t end = str_find_char(f->in, '\n'), n = end == SIZE_MAX ? f->in.n : end + 1;
  if (f->limit_bytes && f->held.n + n > f->limit_bytes) return fail(f, ERR_UPSTREAM_TOO_LARGE, e);
  struct str line = str_sub(f->in, 0, n);
  f->in = str_sub(f->in, n, f->in.n);
  if (end != SIZE_MAX && f->held.n == 0) {
    give_out(line, out);
    return true;
  }
  buf_put(&f->held, line);
  if (f->held.failed) return fail(f, ERR_NO_MEMORY, e);
  if (end == SIZE_MAX) return false;
  f->held_given = true;
  give_out(buf_str(&f->held), out);
  return true;
}

bool frame_ndjson_is_partial(const struct frame_ndjson *f) { return f->held.n > 0 && !f->held_given; }

bool frame_ndjson_take_partial(struct frame_ndjson *f, struct frame *out, enum err *e) {
  *e = f->failed;
  if (f->failed || !frame_ndjson_is_partial(f)) return false;
  f->held_given = true;
  give_out(buf_str(&f->held), out);
  return true;
}
