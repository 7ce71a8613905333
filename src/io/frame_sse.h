/* Server-sent events cut into frames, however the bytes arrive. A frame is everything up to and including the blank
 * line that ends it, so a relay may send raw frames on: all `raw` in a row are the stream, byte for byte. WHATWG HTML,
 * server-sent events (read 2026-11): lines end in LF, CRLF or CR; a BOM at the very start is dropped from `data` but
 * stays in `raw`. A frame that lies whole in one piece is never copied. Pure; bounded by limit_bytes a frame.
 *
 * A frame is given out at its blank line at once. Where that ends in a CR that is the piece's last byte, the LF of that
 * CRLF comes later as a frame of its own, without data. */
#ifndef MAESTRO_IO_FRAME_SSE_H
#define MAESTRO_IO_FRAME_SSE_H

#include "base/buf.h"
#include "base/err.h"
#include "io/frame.h"

struct frame_sse {   /* private */
  struct buf held;   /* the unfinished frame when it began in an earlier piece */
  struct buf joined; /* data lines joined by LF */
  struct str in;     /* what is left of the piece that was fed */
  size_t limit_bytes;
  bool after_cr;   /* the last byte seen was a CR that ended a line */
  bool in_line;    /* the last line of `held` has begun */
  bool at_start;   /* no frame has been given out */
  bool held_given; /* the frame last given out lies in `held` */
  enum err failed; /* sticky */
};

/* limit_bytes: of one frame; 0 for none. */
void frame_sse_init(struct frame_sse *f, size_t limit_bytes);
void frame_sse_clear(struct frame_sse *f);
/* Lends a piece; it must stay valid until frame_sse_next has returned false. */
void frame_sse_feed(struct frame_sse *f, struct str piece);
/* The next whole frame; valid until the next call on f. False when more bytes are needed. *e is ERR_UPSTREAM_TOO_LARGE
 * (and false) when a frame exceeds the limit, ERR_NO_MEMORY (and false), else OK; a failure is final. A blank line on
 * its own is a frame without data. */
bool frame_sse_next(struct frame_sse *f, struct frame *out, enum err *e);
/* True when bytes of an unfinished frame are held: the stream was cut inside a frame. */
bool frame_sse_is_partial(const struct frame_sse *f);
/* After the stream's clean end: the unfinished frame as if a blank line followed; false when there is none. Some
 * servers leave out the last blank line, so a caller may accept "[DONE]" this way. */
bool frame_sse_take_partial(struct frame_sse *f, struct frame *out, enum err *e);

#endif
