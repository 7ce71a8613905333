/* Server-sent events cut into frames, however the bytes arrive. A frame is everything up to and including the blank line
 * that ends it, so a relay may send raw frames on. WHATWG HTML, server-sent events (read 2026-11): lines end in LF, CRLF
 * or CR; a BOM at the very start is dropped from `data` but stays in `raw`. Pure; bounded by limit_bytes a frame. */
#ifndef MAESTRO_IO_FRAME_SSE_H
#define MAESTRO_IO_FRAME_SSE_H

#include "base/buf.h"
#include "base/err.h"

struct frame_sse {
  struct buf held;      /* the unfinished frame, and joined data lines */
  struct buf joined;
  struct str in;        /* what is left of the piece that was fed */
  size_t limit_bytes;
  bool after_cr, at_start;
};

struct frame_sse_event {
  struct str raw;      /* the whole frame as sent, blank line included */
  struct str event;    /* "event:" field or empty */
  struct str data;     /* "data:" lines joined by LF; empty for comments */
  size_t data_offset;  /* of data within raw when it is one line; SIZE_MAX when it was joined from several */
  bool has_data;
};

void frame_sse_init(struct frame_sse *f, size_t limit_bytes);
void frame_sse_clear(struct frame_sse *f);
/* Lends a piece; it must stay valid until frame_sse_next has returned false. */
void frame_sse_feed(struct frame_sse *f, struct str piece);
/* The next whole frame; valid until the next call on f. False when more bytes are needed. *e is ERR_UPSTREAM_TOO_LARGE
 * (and false) when a frame exceeds the limit, else OK. */
bool frame_sse_next(struct frame_sse *f, struct frame_sse_event *out, enum err *e);
/* True when bytes of an unfinished frame are held: the stream was cut inside a frame. */
bool frame_sse_is_partial(const struct frame_sse *f);

#endif
