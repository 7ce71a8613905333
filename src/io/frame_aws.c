/* AWS event streams cut into frames: see frame_aws.h. */
#include "io/frame_aws.h"

#include <zlib.h>

enum { PRELUDE = 12, TRAILER = 4, MESSAGE_MIN = PRELUDE + TRAILER, MESSAGE_MAX = 24 << 20 };

void frame_aws_init(struct frame_aws *f, size_t limit_bytes) {
  *f = (struct frame_aws){.limit_bytes = limit_bytes};
  buf_init(&f->held, 0); /* the limit is checked before */
}

void frame_aws_clear(struct frame_aws *f) {
  buf_clear(&f->held);
  f->in = STR_NONE;
}

void frame_aws_feed(struct frame_aws *f, struct str piece) { f->in = piece; }

static uint32_t read_u32(const char *p) {
  const unsigned char *u = (const unsigned char *)p;
  return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
}

static uint32_t checksum(const char *p, size_t n) { return (uint32_t)crc32(0, (const Bytef *)p, (uInt)n); }

/* Bytes of a header's value by its type (0 to 9); SIZE_MAX: the type is unknown or the value has a length of its own.
 */
static size_t fixed_bytes(unsigned type) {
  static const size_t bytes[] = {0, 0, 1, 2, 4, 8, SIZE_MAX, SIZE_MAX, 8, 16};
  return type < sizeof bytes / sizeof *bytes ? bytes[type] : SIZE_MAX;
}

enum { TYPE_BYTES = 6, TYPE_STRING = 7 };

/* One header off the front of *rest; false when it is malformed. */
static bool next_header(struct str *rest, struct str *name, struct str *value) {
  size_t name_n = (unsigned char)rest->p[0];
  if (rest->n < 1 + name_n + 1) return false;
  *name = str_sub(*rest, 1, 1 + name_n);
  unsigned type = (unsigned char)rest->p[1 + name_n];
  size_t at = 2 + name_n, n = fixed_bytes(type);
  if (type == TYPE_BYTES || type == TYPE_STRING) {
    if (rest->n < at + 2) return false;
    n = (size_t)((unsigned char)rest->p[at] << 8 | (unsigned char)rest->p[at + 1]);
    at += 2;
  }
  if (n == SIZE_MAX || rest->n < at + n) return false;
  *value = type == TYPE_STRING ? str_sub(*rest, at, at + n) : STR_NONE;
  *rest = str_sub(*rest, at + n, rest->n);
  return true;
}

static bool read_headers(struct str headers, struct frame *out) {
  struct str name, value;
  while (headers.n) {
    if (!next_header(&headers, &name, &value)) return false;
    bool is_failure = str_eq(name, STR(":exception-type")) || str_eq(name, STR(":error-code"));
    if (is_failure || (str_eq(name, STR(":event-type")) && !out->is_error)) out->event = value;
    if (is_failure) out->is_error = true;
  }
  return true;
}

static bool give_out(struct str raw, struct frame *out) {
  size_t headers = read_u32(raw.p + 4);
  if (headers > raw.n - MESSAGE_MIN) return false;
  if (read_u32(raw.p + raw.n - TRAILER) != checksum(raw.p, raw.n - TRAILER)) return false;
  struct str data = str_sub(raw, PRELUDE + headers, raw.n - TRAILER);
  *out = (struct frame){.raw = raw, .data = data, .has_data = data.n > 0, .data_offset = SIZE_MAX};
  if (data.n) out->data_offset = PRELUDE + headers;
  return read_headers(str_sub(raw, PRELUDE, PRELUDE + headers), out);
}

static bool fail(struct frame_aws *f, enum err why, enum err *e) {
  *e = f->failed = why;
  return false;
}

/* Bytes of the message that begins at p, whose prelude is there; 0: it is malformed. */
static size_t message_bytes(const char *p) {
  size_t n = read_u32(p);
  if (n < MESSAGE_MIN || n > MESSAGE_MAX) return 0;
  return read_u32(p + 8) == checksum(p, 8) ? n : 0;
}

/* Takes up to `want` bytes in all into `held`. */
static bool hold(struct frame_aws *f, size_t want, enum err *e) {
  size_t n = want - f->held.n < f->in.n ? want - f->held.n : f->in.n;
  buf_put(&f->held, str_sub(f->in, 0, n));
  f->in = str_sub(f->in, n, f->in.n);
  if (f->held.failed) return fail(f, ERR_NO_MEMORY, e);
  return f->held.n == want;
}

bool frame_aws_next(struct frame_aws *f, struct frame *out, enum err *e) {
  *e = f->failed;
  if (f->failed) return false;
  if (f->held_given) buf_reset(&f->held);
  f->held_given = false;
  if (f->in.n == 0) return false;
  if (f->held.n < PRELUDE && (f->held.n || f->in.n < PRELUDE) && !hold(f, PRELUDE, e)) return false;
  size_t n = message_bytes(f->held.n ? f->held.p : f->in.p);
  if (n == 0) return fail(f, ERR_UPSTREAM_PROTOCOL, e);
  if (f->limit_bytes && n > f->limit_bytes) return fail(f, ERR_UPSTREAM_TOO_LARGE, e);
  struct str raw = str_sub(f->in, 0, n);
  if (f->held.n || f->in.n < n) {
    if (!hold(f, n, e)) return false;
    f->held_given = true;
    raw = buf_str(&f->held);
  } else {
    f->in = str_sub(f->in, n, f->in.n);
  }
  return give_out(raw, out) || fail(f, ERR_UPSTREAM_PROTOCOL, e);
}

bool frame_aws_is_partial(const struct frame_aws *f) { return f->held.n > 0 && !f->held_given; }
