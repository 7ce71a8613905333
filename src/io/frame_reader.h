/* Cuts a stream into frames: a reader is fed pieces as they arrive and gives out whole frames; all `raw` in a row are
 * the stream, byte for byte. A frame that lies whole in one piece is never copied. Pure; bounded by a limit per frame.
 * A framing is a member of the union below and a case in each function of frame_reader.c: a branch costs a stream of
 * small frames less than a call through a table. */
#ifndef MAESTRO_IO_FRAME_READER_H
#define MAESTRO_IO_FRAME_READER_H

#include "io/frame_aws.h"
#include "io/frame_ndjson.h"
#include "io/frame_sse.h"

enum framing { FRAMING_NONE, FRAMING_SSE, FRAMING_NDJSON, FRAMING_AWS, FRAMINGS };

struct frame_reader {
  enum framing framing;
  union {
    struct frame_sse sse;
    struct frame_ndjson ndjson;
    struct frame_aws aws;
  };
};

/* The media type of a reply in that framing, without parameters. */
struct str framing_content_type(enum framing framing);
/* limit_bytes: of one frame; 0 for none. */
void frame_reader_init(struct frame_reader *r, enum framing framing, size_t limit_bytes);
void frame_reader_clear(struct frame_reader *r);
/* Lends a piece; it must stay valid until frame_reader_next has returned false. */
void frame_reader_feed(struct frame_reader *r, struct str piece);
/* The next whole frame; valid until the next call on r. False when more bytes are needed, or with *e set:
 * ERR_UPSTREAM_TOO_LARGE, ERR_UPSTREAM_PROTOCOL (AWS: a checksum or length is wrong), ERR_NO_MEMORY; a failure is
 * final. */
bool frame_reader_next(struct frame_reader *r, struct frame *out, enum err *e);
/* Memory that the reader has taken from the allocator, for the budget of the process (io/held.h). */
size_t frame_reader_held_bytes(const struct frame_reader *r);
/* True when bytes of an unfinished frame are held. */
bool frame_reader_is_partial(const struct frame_reader *r);
/* After the stream's clean end: the unfinished frame as if its end followed (a last line without its line end); false
 * when there is none or the framing knows no such thing (AWS). */
bool frame_reader_take_partial(struct frame_reader *r, struct frame *out, enum err *e);

#endif
