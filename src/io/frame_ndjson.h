/* Lines of JSON (NDJSON) cut into frames: Ollama's streams. A frame is a line with its LF; a CR before it belongs to
 * the line end, not to the data; blank lines are frames without data. A frame that lies whole in one piece is never
 * copied. Pure; bounded by limit_bytes a line. Used through io/frame_reader.h. */
#ifndef MAESTRO_IO_FRAME_NDJSON_H
#define MAESTRO_IO_FRAME_NDJSON_H

#include "base/buf.h"
#include "base/err.h"
#include "io/frame.h"

struct frame_ndjson { /* private */
  struct buf held;    /* the unfinished line when it began in an earlier piece */
  struct str in;      /* what is left of the piece that was fed */
  size_t limit_bytes;
  bool held_given; /* the frame last given out lies in `held` */
  enum err failed; /* sticky */
};

/* As the functions of io/frame_reader.h. */
void frame_ndjson_init(struct frame_ndjson *f, size_t limit_bytes);
void frame_ndjson_clear(struct frame_ndjson *f);
void frame_ndjson_feed(struct frame_ndjson *f, struct str piece);
bool frame_ndjson_next(struct frame_ndjson *f, struct frame *out, enum err *e);
bool frame_ndjson_is_partial(const struct frame_ndjson *f);
bool frame_ndjson_take_partial(struct frame_ndjson *f, struct frame *out, enum err *e);

#endif
