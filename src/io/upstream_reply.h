/* The reply half of an upstream exchange: what both client implementations share, without sockets. A transport pours
 * header lines and body bytes in (on the loop's stack), the reader takes decoded pieces out (on its fiber). Used by
 * http_client_*.c only; lives in the call and is recycled with it. Invariant: bytes that arrived before a failure are
 * read before the failure is, and nothing but upstream_reply_end ends a body. */
#ifndef MAESTRO_IO_UPSTREAM_REPLY_H
#define MAESTRO_IO_UPSTREAM_REPLY_H

#include <zlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "io/http_client.h"

enum {
  UPSTREAM_REPLY_HEADERS_MAX = 128,
  UPSTREAM_REPLY_INTERIMS_MAX = 32, /* 1xx heads */
  UPSTREAM_REPLY_HEAD_BYTES = 64 * 1024,
  UPSTREAM_REPLY_HOLD_BYTES = 128 * 1024, /* a transport stops reading once so many bytes wait for the reader */
  UPSTREAM_REPLY_STEP_BYTES = 64 * 1024,  /* decoded at a time */
  UPSTREAM_REPLY_INFLATE_RATIO = 100      /* decoded may be at most ratio x encoded + 1 MiB */
};

struct upstream_reply_span {
  uint32_t name, name_bytes, value, value_bytes; /* offsets into `head`, which may move while it grows */
};

struct upstream_reply {
  struct http_response response; /* complete once head_done */
  struct http_header header[UPSTREAM_REPLY_HEADERS_MAX];
  struct upstream_reply_span span[UPSTREAM_REPLY_HEADERS_MAX];
  unsigned headers, interims;
  struct buf head;     /* header names and values, packed */
  struct buf incoming; /* as received; [consumed, n) waits for the reader */
  struct buf lent;     /* what the reader holds */
  size_t consumed;
  uint64_t incoming_total, decoded_total;
  size_t limit_bytes; /* decoded; 0 none */
  z_stream inflate;
  bool in_value, head_done, ended, is_bodiless_method, accept_gzip, is_gzip, inflate_live, inflate_done;
  enum err outcome;   /* once ended */
  const char *reason; /* static text of the outcome, or NULL */
};

void upstream_reply_init(struct upstream_reply *r);
void upstream_reply_clear(struct upstream_reply *r);
/* Between exchanges: gives large memory back. */
void upstream_reply_recycle(struct upstream_reply *r);
/* Starts anew. */
void upstream_reply_begin(struct upstream_reply *r, const struct http_client_request *request);

/* Header lines, in pieces: a name piece after a value piece begins the next header. Values are trimmed at head_end. */
enum err upstream_reply_name(struct upstream_reply *r, struct str piece) MUST_CHECK;
enum err upstream_reply_value(struct upstream_reply *r, struct str piece) MUST_CHECK;
/* Forgets a 1xx head; a failure (too many of them) has been recorded. */
enum err upstream_reply_head_restart(struct upstream_reply *r) MUST_CHECK;
/* The head is complete: checks framing headers and Content-Encoding, fills r->response. A failure has been recorded. */
enum err upstream_reply_head_end(struct upstream_reply *r, int status, int version_minor) MUST_CHECK;
/* True when this reply has no body whatever its headers say (HEAD, 204, 304). */
bool upstream_reply_is_bodiless(const struct upstream_reply *r);
/* Body bytes as received, after chunked framing. A failure has been recorded. */
enum err upstream_reply_body(struct upstream_reply *r, struct str bytes) MUST_CHECK;
static inline size_t upstream_reply_held_bytes(const struct upstream_reply *r) { return r->incoming.n - r->consumed; }
/* The transport's last word; the first one stays. Returns e. */
enum err upstream_reply_end(struct upstream_reply *r, enum err e, const char *reason);

/* The next decoded piece, valid until the next take. False: nothing yet, wait. True: *e is OK with a piece (empty at
 * the clean end), or the failure with its text in info. */
bool upstream_reply_take(struct upstream_reply *r, struct str *piece, enum err *e, struct err_info *info);
/* True when the last take decoded as much as fits a turn: let others run before the next one. */
static inline bool upstream_reply_has_worked(const struct upstream_reply *r) {
  return r->is_gzip && r->lent.n >= UPSTREAM_REPLY_STEP_BYTES;
}
/* The recorded failure with its text. */
enum err upstream_reply_failure(const struct upstream_reply *r, struct err_info *info);

#endif
