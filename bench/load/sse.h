/* Reads one event stream, server-sent events or NDJSON, and checks it: every content event carries the next number, and
 * the dialect's end mark ends the stream. Fed by the reply parser with slices cut anywhere; one struct per connection.
 * Invariant: a stream counts as good only if is_done, content_count as expected and no is_broken. */
#ifndef BENCH_LOAD_SSE_H
#define BENCH_LOAD_SSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dialect.h"

#define SSE_LINE_BYTES 1024

struct sse {
  const struct dialect *dialect;
  uint32_t event_count;   /* data lines, the end mark's included */
  uint32_t content_count; /* of these, with text */
  bool is_done;
  bool is_broken; /* out of order, an error event, or something after the end */
  size_t line_length;
  char line[SSE_LINE_BYTES];
};

void sse_reset(struct sse *sse, const struct dialect *dialect);
/* Returns the content events that this slice completed. */
unsigned sse_feed(struct sse *sse, const char *data, size_t length);

#endif
