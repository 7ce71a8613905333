/* Server-sent events cut into frames: see frame_sse.h. A piece is parsed line by line where it lies; only when the
 * blank line is missing is the rest copied to `held`, with a note of where in a line it stopped, so that no byte is
 * searched more than twice however small the pieces are. */
#include "io/frame_sse.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

void frame_sse_init(struct frame_sse *f, size_t limit_bytes) {
  *f = (struct frame_sse){.limit_bytes = limit_bytes, .at_start = true};
  buf_init(&f->held, 0); /* the limit is checked before */
  buf_init(&f->joined, 0);
}

void frame_sse_clear(struct frame_sse *f) {
  buf_clear(&f->held);
  buf_clear(&f->joined);
  f->in = STR_NONE;
}

void frame_sse_feed(struct frame_sse *f, struct str piece) { f->in = piece; }

/* The first LF or CR from p on, or end. */
static inline const char *line_end(const char *p, const char *end) {
#if defined(__SSE2__)
  for (; end - p >= 16; p += 16) {
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
    unsigned mask = (unsigned)_mm_movemask_epi8(
        _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('\n')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\r'))));
    if (mask) return p + __builtin_ctz(mask);
  }
#else
  const uint64_t ones = 0x0101010101010101u;
  for (; end - p >= 8; p += 8) {
    uint64_t v;
    memcpy(&v, p, 8);
    uint64_t lf = v ^ (ones * '\n'), cr = v ^ (ones * '\r');
    if ((((lf - ones) & ~lf) | ((cr - ones) & ~cr)) & (ones << 7)) break;
  }
#endif
  while (p < end && *p != '\n' && *p != '\r') p++;
  return p;
}

/* Behind the line end at p (an LF or a CR). A CR that is the last byte leaves after_cr. */
static inline const char *line_next(struct frame_sse *f, const char *p, const char *end) {
  if (*p == '\n') return p + 1;
  if (p + 1 < end) return p + (p[1] == '\n' ? 2 : 1);
  f->after_cr = true;
  return end;
}

/* The value of a field: without one leading space. */
static inline struct str field_value(const char *p, const char *end) {
  if (p < end && *p == ' ') p++;
  return str_from(p, (size_t)(end - p));
}

static void data_line(struct frame_sse *f, struct str line, const char *start, struct frame *out) {
  if (!out->has_data) {
    out->has_data = true;
    out->data = line;
    out->data_offset = (size_t)(line.p - start);
    return;
  }
  if (out->data_offset != SIZE_MAX) {
    buf_reset(&f->joined);
    buf_put(&f->joined, out->data);
    out->data_offset = SIZE_MAX;
  }
  buf_put_char(&f->joined, '\n');
  buf_put(&f->joined, line);
  out->data = buf_str(&f->joined);
}

static inline void field(struct frame_sse *f, const char *p, const char *end, const char *start, struct frame *out) {
  size_t n = (size_t)(end - p);
  if (n >= 5 && memcmp(p, "data:", 5) == 0) {
    data_line(f, field_value(p + 5, end), start, out);
  } else if (n >= 6 && memcmp(p, "event:", 6) == 0) {
    out->event = field_value(p + 6, end);
  } else if (n == 4 && memcmp(p, "data", 4) == 0) {
    data_line(f, str_from(end, 0), start, out);
  } else if (n == 5 && memcmp(p, "event", 5) == 0) {
    out->event = STR_NONE;
  }
}

/* Parses the frame at p. Returns what is behind it; NULL when its blank line is missing: then in_line and after_cr say
 * where it stopped. `whole`: the bytes are all there will be, a missing line end and blank line are made up. */
static const char *parse(struct frame_sse *f, const char *p, const char *end, bool whole, struct frame *out) {
  const char *start = p;
  size_t bom = f->at_start && end - p >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
  *out = (struct frame){.data_offset = SIZE_MAX};
  f->after_cr = f->in_line = false;
  while (p < end) {
    const char *eol = line_end(p, end);
    if (eol == end) {
      f->in_line = true;
      break;
    }
    const char *next = line_next(f, eol, end);
    if (eol == p) {
      out->raw = str_from(start, (size_t)(next - start));
      return next;
    }
    field(f, p + bom, eol, start, out);
    bom = 0;
    p = next;
  }
  if (!whole) return NULL;
  if (f->in_line) field(f, p + bom, end, start, out);
  out->raw = str_from(start, (size_t)(end - start));
  return end;
}

/* The end of the frame that began in an earlier piece, or NULL. */
static const char *held_frame_end(struct frame_sse *f, const char *p, const char *end) {
  if (f->after_cr && *p == '\n') p++;
  f->after_cr = false;
  while (p < end) {
    const char *eol = line_end(p, end);
    bool is_blank = eol == p && !f->in_line;
    f->in_line = eol == end;
    if (eol == end) break;
    p = line_next(f, eol, end);
    if (is_blank) return p;
  }
  return NULL;
}

static bool fail(struct frame_sse *f, bool is_too_large, enum err *e) {
  *e = f->failed = is_too_large ? ERR_UPSTREAM_TOO_LARGE : ERR_NO_MEMORY;
  return false;
}

/* What a frame's bytes count against the limit. The LF of a last CRLF does not: had it come later, it would not be
 * here. */
static size_t counted(const char *end, size_t n) { return n > 1 && end[-1] == '\n' && end[-2] == '\r' ? n - 1 : n; }

/* Moves n bytes of the piece to `held`; with them the frame is whole or not. */
static bool hold(struct frame_sse *f, size_t n, bool is_whole, enum err *e) {
  size_t total = f->held.n + (is_whole ? counted(f->in.p + n, n) : n);
  bool fits = !f->limit_bytes || total <= f->limit_bytes;
  if (fits) buf_put(&f->held, str_from(f->in.p, n));
  f->in = str_sub(f->in, n, f->in.n);
  if (fits && !f->held.failed) return true;
  return fail(f, !fits, e);
}

/* A frame has been parsed: within the limit, and its joined data whole? */
static bool give(struct frame_sse *f, struct frame *out, enum err *e) {
  if (f->limit_bytes && counted(out->raw.p + out->raw.n, out->raw.n) > f->limit_bytes) return fail(f, true, e);
  if (out->data_offset == SIZE_MAX && out->has_data && f->joined.failed) return fail(f, false, e);
  f->at_start = false;
  return true;
}

bool frame_sse_next(struct frame_sse *f, struct frame *out, enum err *e) {
  *e = f->failed;
  if (f->failed) return false;
  if (f->held_given) buf_reset(&f->held);
  f->held_given = false;
  if (f->in.n == 0) return false;
  const char *end = f->in.p + f->in.n;
  if (f->held.n) {
    const char *behind = held_frame_end(f, f->in.p, end);
    bool after_cr = f->after_cr;
    if (!hold(f, behind ? (size_t)(behind - f->in.p) : f->in.n, behind != NULL, e) || !behind) return false;
    f->held_given = true;
    parse(f, f->held.p, f->held.p + f->held.n, true, out);
    f->after_cr = after_cr;
    return give(f, out, e);
  }
  if (f->after_cr && f->in.p[0] == '\n') { /* the second half of the last blank line */
    f->after_cr = false;
    *out = (struct frame){.raw = str_sub(f->in, 0, 1), .data_offset = SIZE_MAX};
    f->in = str_sub(f->in, 1, f->in.n);
    return true;
  }
  const char *behind = parse(f, f->in.p, end, false, out);
  if (!behind) {
    hold(f, f->in.n, false, e);
    return false;
  }
  f->in = str_from(behind, (size_t)(end - behind));
  return give(f, out, e);
}

bool frame_sse_is_partial(const struct frame_sse *f) { return f->in.n || (f->held.n && !f->held_given); }

bool frame_sse_take_partial(struct frame_sse *f, struct frame *out, enum err *e) {
  *e = f->failed;
  if (f->failed || f->in.n || f->held_given || f->held.n == 0) return false;
  f->held_given = true;
  parse(f, f->held.p, f->held.p + f->held.n, true, out);
  return give(f, out, e);
}
