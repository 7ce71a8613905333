/* An incremental HTTP/1.1 reply parser for the load generator: status, Content-Length, chunked, or until close.
 * The engine feeds it whatever a read gave; body bytes go to a sink as slices of that read, never copied.
 * One struct lives in each connection and is reset before each request.
 * Invariant: it never reads beyond the end of its reply; bytes after it are reported as not consumed. */
#ifndef BENCH_LOAD_REPLY_H
#define BENCH_LOAD_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define REPLY_HEAD_BYTES 4096

enum reply_state {
  REPLY_HEAD,
  REPLY_LENGTH,
  REPLY_CHUNK_SIZE,
  REPLY_CHUNK_DATA,
  REPLY_CHUNK_END,
  REPLY_TRAILER,
  REPLY_UNTIL_CLOSE,
  REPLY_DONE
};

struct reply {
  enum reply_state state;
  int status;
  bool is_closing;    /* the peer said Connection: close, or only the close ends the body */
  bool line_has_text; /* chunk extensions and trailers: the current line is not empty */
  uint64_t left;      /* bytes of body or chunk still to come */
  uint64_t body_bytes;
  size_t head_length;
  char head[REPLY_HEAD_BYTES];
};

typedef void reply_sink(void *context, const char *data, size_t length);

void reply_reset(struct reply *reply);
/* Returns the bytes consumed, or -1 when this is not a reply; reply->state is REPLY_DONE at its end. */
ssize_t reply_feed(struct reply *reply, const char *data, size_t length, reply_sink *sink, void *context);
/* The peer closed: true when that is a proper end of the reply. */
bool reply_at_close(struct reply *reply);

#endif
