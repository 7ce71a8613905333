/* Requests out of a byte stream: llhttp in its strict mode, and what it leaves to its user (one Host, no
 * Transfer-Encoding on 1.0, target forms, caps). No sockets and no fibers, so that it is tested and fuzzed alone;
 * called by io/http_conn.c. One parser per connection; parsers of a thread share a scratch for the header spans.
 *
 * A head that arrives in one piece is parsed where it lies and copied once, by http_parse_take; only one that arrives
 * in pieces is buffered. Invariant: after a failure the parser is dead, only http_parse_path and _clear are allowed.
 * RFC 9110, RFC 9112 (June 2022). */
#ifndef MAESTRO_IO_HTTP_PARSE_H
#define MAESTRO_IO_HTTP_PARSE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "io/http_msg.h"
#include "io/http_server.h"

/* Offsets from the first byte of the message. */
struct http_parse_field {
  uint32_t name_at, name_n, value_at, value_n;
};

struct http_parse_shared {
  size_t target_bytes, header_bytes;
  unsigned header_count;
  unsigned fields_cap;
  struct http_parse_field *fields; /* spans of the head being parsed; valid within one http_parse_run and _take */
};

/* What the head means for the connection. */
struct http_parse_head {
  enum http_method method;
  uint8_t version_minor;
  bool keep_alive, has_body, expects_continue;
  int64_t content_length; /* -1: chunked or none */
  uint32_t method_at, method_n, path_at, path_n, query_at, query_n, authority_at, authority_n;
  uint32_t host_index; /* of the Host field, UINT32_MAX without */
};

/* What one run found, in this order. */
struct http_parse_step {
  bool has_head;   /* call http_parse_take before the next run */
  struct str body; /* a piece of the input; may be empty */
  bool is_done;    /* the message is complete; the next run begins the next one */
};

enum { HTTP_PARSE_LLHTTP_BYTES = 128 };

struct http_parse {
  _Alignas(16) unsigned char llhttp[HTTP_PARSE_LLHTTP_BYTES]; /* llhttp.h and http_msg.h cannot be included together */
  const struct http_parse_shared *shared;
  struct http_parse_step *step; /* while running */
  struct err_info *info;        /* while running */
  const char *data;             /* while running: the input, at most 4 GiB less the caps */
  const char *raw;              /* first byte of the message once its head is complete */
  struct http_parse_field *fields;
  struct http_parse_field *own_fields; /* of a head that arrives in pieces */
  struct buf partial;                  /* its bytes so far */
  uint32_t offset;                     /* of data[0] in the message */
  uint32_t data_n;
  uint32_t target_at, target_n, count, fields_cap;
  uint32_t raw_n;          /* bytes of raw that are worth copying; after a failure, that are there */
  uint32_t overhead_bytes; /* chunk extensions and trailers */
  enum err failure;
  bool is_in_field, is_target_done, is_head_done, is_message_done;
  struct http_parse_head head;
};

enum err http_parse_shared_init(struct http_parse_shared *s, size_t target_bytes, size_t header_bytes,
                                unsigned header_count) MUST_CHECK;
void http_parse_shared_clear(struct http_parse_shared *s);

void http_parse_init(struct http_parse *p, const struct http_parse_shared *shared);
void http_parse_clear(struct http_parse *p); /* gives memory back; not usable until http_parse_init */
/* Consumes bytes from the front of *in until it is empty, a message is complete, or a chunk's piece was found. ERR_* is
 * what to answer before closing. */
enum err http_parse_run(struct http_parse *p, struct str *in, struct http_parse_step *step,
                        struct err_info *info) MUST_CHECK;
/* Copies the head that the last run completed into the arena. ERR_NO_MEMORY. */
enum err http_parse_take(struct http_parse *p, struct arena *a, struct http_request *out) MUST_CHECK;
/* After a failure: the request's path when its target was understood, else empty. Valid as long as the run's input. */
struct str http_parse_path(const struct http_parse *p);

/* For http_parse.c only: checks the complete head against the rules that llhttp does not know, fills p->head. */
struct http_parse_facts {
  uint8_t minor;
  bool keep_alive, is_chunked, has_length, wants_upgrade;
  uint64_t length;
};
enum err http_parse_check_head(struct http_parse *p, const struct http_parse_facts *facts,
                               struct err_info *info) MUST_CHECK;
/* True for a valid `host[:port]`. */
bool http_parse_host_is_valid(struct str host);

#endif
