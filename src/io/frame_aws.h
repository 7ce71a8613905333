/* AWS event streams (application/vnd.amazon.eventstream) cut into frames: Bedrock's streams. A message is: total length
 * (u32, big endian), length of the headers (u32), CRC-32 of these eight bytes, headers, payload, CRC-32 of everything
 * before. Source: AWS SDK for JavaScript, event stream codec, and the event stream encoding of Amazon Transcribe's
 * documentation (read 2026-11). Both checksums are checked. Pure; bounded by limit_bytes a message. Used through
 * io/frame_reader.h. */
#ifndef MAESTRO_IO_FRAME_AWS_H
#define MAESTRO_IO_FRAME_AWS_H

#include "base/buf.h"
#include "base/err.h"
#include "io/frame.h"

struct frame_aws { /* private */
  struct buf held; /* the unfinished message when it began in an earlier piece */
  struct str in;
  size_t limit_bytes;
  bool held_given;
  enum err failed; /* sticky */
};

/* As the functions of io/frame_reader.h. event: the value of `:event-type`, or of `:exception-type` or `:error-code`
 * with is_error set. data: the payload. A message without a type has an empty event. */
void frame_aws_init(struct frame_aws *f, size_t limit_bytes);
void frame_aws_clear(struct frame_aws *f);
void frame_aws_feed(struct frame_aws *f, struct str piece);
bool frame_aws_next(struct frame_aws *f, struct frame *out, enum err *e);
bool frame_aws_is_partial(const struct frame_aws *f);

#endif
