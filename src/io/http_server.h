/* HTTP/1.1 server on libuv and llhttp (strict). Plain HTTP: TLS belongs to the proxy in front. One server object per
 * worker; all share one listening socket (http_listener). Each request runs its handler on a fiber of its own; the
 * client's disappearance cancels that fiber at once, in every state (a half-close counts as gone). Requests of one
 * connection run one after another (pipelining keeps order). RFC 9112 (June 2022); stricter than it where it allows. */
#ifndef MAESTRO_IO_HTTP_SERVER_H
#define MAESTRO_IO_HTTP_SERVER_H

#include "base/arena.h"
#include "base/buf.h"
#include "io/fiber.h"
#include "io/http_msg.h"
#include "io/loop.h"

struct http_listener; /* one per address and process, shared by the workers; thread-safe inside */
struct http_server;   /* one per worker */
struct http_exchange; /* one request and its reply; valid until the handler returns */

struct http_request {
  enum http_method method;
  struct str method_name;
  struct str target; /* as sent; never logged */
  struct str path;   /* before '?', percent-encoding untouched */
  struct str query;  /* after '?', or empty */
  struct http_headers headers;
  struct str host;   /* the one Host header, or the authority of an absolute target */
  int version_minor; /* 0 or 1 */
  bool has_body;
  int64_t content_length; /* -1: chunked or none */
};

struct http_peer {
  char address[46]; /* numeric, of the TCP peer */
  uint16_t port, local_port;
  bool is_loopback;
};

/* All 0 values mean the default given. */
struct http_server_limits {
  size_t target_bytes;        /* 8 KiB -> 414 */
  size_t header_bytes;        /* 64 KiB, all headers and the request line -> 431 */
  unsigned header_count;      /* 100 -> 431 */
  size_t body_bytes;          /* 64 MiB, after decoding -> 413 */
  unsigned inflate_ratio;     /* 100: decoded may be at most ratio x encoded + 1 MiB -> 413 */
  unsigned connections;       /* 10000 per process; beyond: 503 and close */
  size_t held_bytes;          /* io/held.h: of the whole process, so the last server's word counts; default a quarter
                                 of memory. New bodies wait up to held_wait_ms, then 503 with Retry-After */
  uint32_t held_wait_ms;      /* 2000 */
  uint32_t header_timeout_ms; /* 10000 for the whole head, from its first byte -> 408 */
  uint32_t body_timeout_ms;   /* 30000 without a body byte -> 408 */
  uint32_t idle_timeout_ms;   /* 75000 between requests -> close */
  uint32_t write_timeout_ms;  /* 60000 without the client taking a byte -> cancelled */
  size_t write_high_bytes;    /* 256 KiB: a writer suspends above */
  size_t write_low_bytes;     /* 64 KiB: and resumes below */
};

struct http_server_stats { /* per worker; racy reads are fine */
  uint64_t connections_accepted, connections_refused, requests, protocol_errors, timeouts, client_gone;
  uint32_t connections_open, exchanges_live;
};

typedef void http_handler(struct http_exchange *x, void *arg); /* runs on a fiber */

struct http_server_options {
  struct http_server_limits limits;
  http_handler *handler;
  /* Shapes the body of errors that the server itself finds. `path` may be empty when the request line was not
   * understood. Writes JSON into out. On the loop's stack: no wait. */
  void (*error_body)(void *arg, struct str path, enum err e, const struct err_info *info, struct buf *out);
  void *arg;
};

/* Binds and listens: host is a numeric address or "localhost"; port 0 picks one. */
enum err http_listener_open(struct http_listener **out, struct str host, uint16_t port, unsigned workers,
                            struct err_info *info) MUST_CHECK;
uint16_t http_listener_port(const struct http_listener *l);
void http_listener_close(struct http_listener *l); /* after every server was freed */

/* On the worker's thread. Worker k > 0 accepts only while the lower ones are busy, so light traffic stays on warm
 * upstream connections. */
enum err http_server_new(struct http_server **out, struct http_listener *listener, unsigned worker_index,
                         const struct http_server_options *options, struct err_info *info) MUST_CHECK;
/* Graceful: accepts what is queued, then stops accepting; idle connections close, running exchanges finish with
 * `Connection: close`; after deadline_us the rest is cancelled. on_drained(arg) on the loop's stack when none is left.
 */
void http_server_drain(struct http_server *s, uint64_t deadline_us, void (*on_drained)(void *), void *arg);
void http_server_free(struct http_server *s); /* after drain or once loop_run has returned */
const struct http_server_stats *http_server_stats(const struct http_server *s);
/* Changes limits for what comes (configuration reload). */
void http_server_set_limits(struct http_server *s, const struct http_server_limits *limits);

const struct http_request *http_exchange_request(const struct http_exchange *x);
const struct http_peer *http_exchange_peer(const struct http_exchange *x);
/* True: its fiber was cancelled at the deadline of a drain, while the client waited. */
bool http_exchange_is_drained(const struct http_exchange *x);
struct arena *http_exchange_arena(struct http_exchange *x);       /* lives until the handler has returned */
uint64_t http_exchange_started_us(const struct http_exchange *x); /* first byte of this request */

/* Reads the whole body into memory that lives as long as the exchange, decoded (gzip, deflate; others 415), contiguous,
 * with 16 readable zero bytes behind it. Sends 100 Continue first when the client waits for it. on_bytes (may be NULL)
 * sees each decoded piece as it arrives, on the loop's stack: it may only compute. Piece pointers are valid during the
 * call only. A failure from on_bytes ends the read with it. */
struct http_body_options {
  size_t max_bytes; /* 0: the server's limit */
  enum err (*on_bytes)(void *arg, struct str piece, struct err_info *info);
  void *arg;
};
WAIT enum err http_exchange_read_body(struct http_exchange *x, const struct http_body_options *options, struct str *out,
                                      struct err_info *info);

/* Replies. Date, Content-Length or Transfer-Encoding and Connection are the server's; unsafe header values are refused
 * with ERR_INTERNAL before anything is sent. HEAD sends no body. All return ERR_CANCELLED once the client has gone. */
WAIT enum err http_exchange_reply(struct http_exchange *x, int status, struct http_headers headers, struct str body);
/* A streamed reply (chunked; close-delimited for HTTP/1.0). The head is held back until the first write, flush or end;
 * until then http_exchange_reply or another start may replace it. */
enum err http_exchange_reply_start(struct http_exchange *x, int status, struct http_headers headers) MUST_CHECK;
/* One HTTP chunk. The bytes are taken or sent before it returns; suspends above the high watermark. */
WAIT enum err http_exchange_reply_write(struct http_exchange *x, struct str bytes);
WAIT enum err http_exchange_reply_flush(struct http_exchange *x); /* sends a held-back head */
WAIT enum err http_exchange_reply_end(struct http_exchange *x);
/* Cuts the connection without the final chunk, so that the client sees an incomplete reply. */
void http_exchange_reply_abort(struct http_exchange *x);
bool http_exchange_head_sent(const struct http_exchange *x);
/* After the reply: this connection takes no further request. */
void http_exchange_close_after(struct http_exchange *x);
/* The connection's socket, or -1 once it is closed. For the scriptable upstream only, which breaks the protocol on
 * purpose: it sends no HTTP or sets SO_LINGER, then calls http_exchange_reply_abort. Nothing else may touch it. */
int http_exchange_socket(const struct http_exchange *x);

#endif
