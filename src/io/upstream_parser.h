/* HTTP/1.1 replies from bytes: llhttp in its strict response mode, poured into an upstream_reply. Used by the own
 * client's connections and by the fuzzer; no sockets, no waiting. One parser serves one reply; 1xx heads are skipped.
 * Invariant: once `is_complete` no byte was looked at beyond the reply's end. */
#ifndef MAESTRO_IO_UPSTREAM_PARSER_H
#define MAESTRO_IO_UPSTREAM_PARSER_H

#include "io/upstream_reply.h"

enum {
  UPSTREAM_PARSER_LLHTTP_BYTES = 128,
  UPSTREAM_PARSER_LEAD_BYTES = 1024 * 1024, /* until the head is complete: 1xx heads, empty lines, reason phrases */
  UPSTREAM_PARSER_EXTRA_BYTES = 64 * 1024   /* trailers and chunk extensions, which are thrown away */
};

struct upstream_parser {
  _Alignas(16) unsigned char llhttp[UPSTREAM_PARSER_LLHTTP_BYTES]; /* llhttp.h clashes with http_msg.h */
  struct upstream_reply *reply;
  size_t lead_bytes, extra_bytes;
  bool is_complete, keeps_alive; /* keeps_alive: the connection may carry another request */
};

void upstream_parser_begin(struct upstream_parser *p, struct upstream_reply *reply);
/* *used is how many bytes belonged to this reply; fewer than bytes.n only once it is complete. A failure has been
 * recorded in the reply. */
enum err upstream_parser_feed(struct upstream_parser *p, struct str bytes, size_t *used) MUST_CHECK;
/* The connection has ended: the end of a reply without a length if the end can be trusted (is_clean), else a cut. The
 * outcome is recorded in the reply. */
void upstream_parser_eof(struct upstream_parser *p, bool is_clean);

#endif
