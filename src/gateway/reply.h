/* The caller's half of an answer: headers common to all replies, JSON and error bodies, and streams. A stream's head
 * goes out with its first bytes, or after stream.headAfterMs of silence; from then on silence is filled by the
 * dialect's keep-alive. Once the head is out, an error is an event, and the stream has no clean end. Owned by
 * request_context. */
#ifndef MAESTRO_GATEWAY_REPLY_H
#define MAESTRO_GATEWAY_REPLY_H

#include "base/buf.h"
#include "dialect/dialect.h"
#include "io/fiber.h"
#include "io/http_server.h"

enum { REPLY_HEADERS_MAX = 48 };

struct reply {
  struct http_exchange *x;
  const struct dialect *dialect;
  struct http_header headers[REPLY_HEADERS_MAX];
  size_t header_count;
  struct str stream_type; /* Content-Type of a stream: the dialect's, unless the endpoint knows better */
  int status;             /* answered; 0: nothing yet */
  size_t bytes_out;
  bool is_stream, is_started, is_ended, has_content;
  bool is_told; /* to be set before the answer's end is written: nothing fills the silence behind it */
  uint32_t head_after_ms, keep_alive_ms; /* 0: never */
  uint64_t opened_us, last_write_us;
  struct fiber_sem writing;
  struct fiber_group ticker;
  /* What only the endpoint knows how to say; NULL: the dialect's own words do. */
  void (*put_error_event)(void *arg, enum err e, const struct err_info *info, struct buf *out);
  void (*put_keep_alive)(void *arg, struct buf *out);
  void *arg;
};

void reply_init(struct reply *r, struct http_exchange *x, const struct dialect *dialect);
/* Joins what a stream has started; on every path. */
void reply_clear(struct reply *r);
/* Borrowed until the head is sent; beyond REPLY_HEADERS_MAX ignored. */
void reply_add_header(struct reply *r, struct str name, struct str value);
/* An empty body has no type. */
WAIT enum err reply_body(struct reply *r, int status, struct str content_type, struct str body);
WAIT enum err reply_json(struct reply *r, int status, struct str body);
/* In the dialect's shape: a whole reply before the head is out, an event that ends the stream after it. */
WAIT enum err reply_error(struct reply *r, enum err e, const struct err_info *info);
/* Makes the reply a stream: keep-alives start to be due. Sends nothing yet. */
void reply_open_stream(struct reply *r, uint32_t head_after_ms, uint32_t keep_alive_ms);
WAIT enum err reply_write(struct reply *r, struct str bytes); /* content */
WAIT enum err reply_end(struct reply *r);

#endif
