/* One frame: the unit a stream is made of, whatever its framing (server-sent events, lines of JSON, AWS event streams).
 * Made by a reader (io/frame_reader.h), read by dialects; its slices live until the reader's next call. */
#ifndef MAESTRO_IO_FRAME_H
#define MAESTRO_IO_FRAME_H

#include "base/str.h"

struct frame {
  struct str raw;     /* the whole frame as sent, what ends it included */
  struct str event;   /* its type: SSE's "event:" field, AWS's :event-type or :exception-type; or empty */
  struct str data;    /* its payload; SSE's "data:" lines joined by LF; empty for comments */
  size_t data_offset; /* of data within raw when it lies there in one piece; SIZE_MAX when it was joined or there is
                         none */
  bool has_data;
  bool is_error; /* the framing itself says that it is a failure (AWS exceptions) */
};

#endif
