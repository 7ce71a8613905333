/* What the files of the HTTP server share and nobody else includes. A server owns connections, a connection at most one
 * exchange; all belong to one worker's thread. http_listener.c accepts, http_conn.c reads and closes, http_out.c
 * writes, http_exchange.c runs the handler, http_body.c and http_reply.c are its two directions, http_server.c is the
 * rest.
 *
 * Lifetimes: an exchange lives from its head until its handler has returned; a connection until its descriptor is
 * closed, libuv has let go of the handle and its exchange has ended. Invariant: `fd` is -1 exactly in CONN_CLOSED. */
#ifndef MAESTRO_IO_HTTP_SERVER_INTERNAL_H
#define MAESTRO_IO_HTTP_SERVER_INTERNAL_H

#include <stdatomic.h>
#include <sys/uio.h>

#include "io/held.h"
#include "io/http_parse.h"
#include "io/http_server.h"

enum {
  HTTP_READ_BYTES = 64 * 1024,     /* the read buffer of a worker */
  HTTP_HEAD_BYTES = 16 * 1024,     /* where reply heads are built; larger ones go to the arena */
  HTTP_PENDING_BYTES = 256 * 1024, /* pipelined input held while a request runs; beyond, reading pauses */
  HTTP_EARLY_BYTES = 64 * 1024,    /* of a body that nobody has asked for yet; also of encoded input */
  HTTP_DISCARD_BYTES = 64 * 1024,  /* of an unread body, thrown away to keep a connection */
  HTTP_BODY_PAD = 16,
  HTTP_DISCARD_MS = 2000,
  HTTP_LINGER_MS = 2000,
  HTTP_ACCEPT_BIAS = 8,
};

enum http_conn_state {
  CONN_IDLE,    /* no byte of a next request */
  CONN_HEAD,    /* part of a head is here */
  CONN_RUN,     /* an exchange lives */
  CONN_DISCARD, /* its exchange has ended, the rest of its body is thrown away */
  CONN_FLUSH,   /* to be closed once the output is out */
  CONN_LINGER,  /* FIN sent; input is thrown away so that no RST destroys the reply */
  CONN_CLOSED
};

struct http_out { /* output the kernel did not take yet: bytes [at, n) of p */
  char *p;
  size_t at, n, cap;
  struct held charged;
};

struct http_conn {
  uv_poll_t poll;
  struct http_server *server;
  struct http_conn *prev, *next;
  struct http_exchange *x; /* CONN_RUN; may outlive the descriptor */
  int fd;
  uint8_t state;
  uint8_t events;       /* that poll watches */
  bool is_gone;         /* the client; set before its exchange is cancelled */
  bool is_eof;          /* nothing more to read, but output is left */
  bool is_message_done; /* CONN_RUN: the request is in; what follows is the next one's */
  bool is_broken;       /* CONN_RUN: the body cannot be parsed; input is thrown away */
  bool is_lingering;    /* CONN_FLUSH: linger afterwards */
  bool is_reset_on_close;
  bool is_handle_closed;
  uint64_t deadline_us;       /* of the state; body deadline in CONN_RUN */
  uint64_t write_deadline_us; /* while out is not empty */
  uint64_t started_us;        /* first byte of the current head */
  size_t discard_left;
  struct buf pending; /* pipelined input from pending_at on */
  size_t pending_at;
  struct held pending_charged;
  struct http_out out;
  struct fiber_id writer; /* waits for room in out */
  struct http_parse parse;
  struct http_peer peer;
};

enum http_coding { HTTP_CODING_IDENTITY, HTTP_CODING_GZIP, HTTP_CODING_DEFLATE, HTTP_CODING_UNKNOWN };

struct http_buffer { /* grows; [n, cap) always has room for the pad */
  char *p;
  size_t n, cap;
  struct held charged;
  bool is_heap;
};

struct http_body {
  struct http_buffer raw;     /* as it arrives; the body itself when it has no coding */
  struct http_buffer decoded; /* otherwise */
  size_t taken;               /* of raw, by the decoder */
  uint64_t received;          /* encoded bytes in all */
  size_t max;
  enum http_coding coding;
  bool is_complete, is_reading, is_over, is_paused;
  enum err failure;
  const char *failure_text;
  struct fiber_id reader;
  const struct http_body_options *options; /* while is_reading */
  struct err_info *info;                   /* while is_reading */
  struct str result;                       /* once is_over */
};

enum http_reply_state { REPLY_NONE, REPLY_HELD, REPLY_OPEN, REPLY_DONE, REPLY_CUT };

struct http_exchange {
  struct http_conn *conn;
  struct http_exchange *next_free;
  struct fiber_id fiber;
  struct arena arena;
  uint64_t started_us;
  struct http_body body;
  uint8_t reply;                /* enum http_reply_state */
  bool request_keep_alive;      /* what the request allows */
  bool keep_alive;              /* what the reply's head said */
  bool expects_continue;        /* and has not been told yet */
  bool is_chunked, has_no_body; /* of the reply */
  bool is_close_after;
  struct str held_head;
  struct http_request request;
};

struct http_server {
  struct http_listener *listener;
  unsigned index;
  struct http_server_options options; /* limits without zeros */
  struct http_parse_shared parse;
  struct http_server_stats stats;
  struct http_conn *conns;
  struct http_exchange *free_exchanges;
  unsigned free_count;
  char *read_buffer, *head_buffer;
  char date[48]; /* "Date: …\r\n" */
  uint32_t date_n;
  uint64_t date_until_us;
  uv_loop_t *uv;
  uv_poll_t accept_poll;
  uv_async_t wake;
  uv_timer_t sweep;
  unsigned handles_open;
  bool is_accepting, is_draining, is_cancelled, is_closing;
  uint64_t accept_after_us; /* pause after EMFILE */
  uint64_t drain_deadline_us;
  void (*on_drained)(void *);
  void *drained_arg;
};

/* http_listener.c */
int http_listener_fd(const struct http_listener *l);
void http_listener_register(struct http_listener *l, struct http_server *s);
/* Forgets s; the last one to leave makes the kernel refuse new connections. Idempotent. */
void http_listener_leave(struct http_listener *l, struct http_server *s);
/* One more (+1) or one less (-1) open connection on worker k; wakes workers whose turn changes. */
void http_listener_count(struct http_listener *l, unsigned k, int change);
uint32_t http_listener_total(const struct http_listener *l);
void http_listener_set_accepting(struct http_listener *l, unsigned k, bool is_accepting);
bool http_listener_is_wanted(const struct http_listener *l, unsigned k);
/* Pure: worker k takes connections only while each lower one has at least HTTP_ACCEPT_BIAS more than k. */
bool http_listener_is_turn(const uint32_t *open, unsigned k);
void http_listener_update(struct http_server *s); /* starts or stops accepting on this worker */
void http_listener_accept_queued(struct http_server *s, unsigned most);

/* http_conn.c */
void http_conn_open(struct http_server *s, int fd, const struct http_peer *peer);
/* Answers 503 and closes. */
void http_conn_refuse(struct http_server *s, int fd);
void http_conn_close(struct http_conn *c);
/* The client has gone: cancels the exchange, closes. */
void http_conn_gone(struct http_conn *c);
void http_conn_close_after_flush(struct http_conn *c, bool is_lingering);
void http_conn_update(struct http_conn *c); /* what poll should watch */
/* The handler has returned and the reply is as complete as it will be: ends c->x, goes on or closes. */
void http_conn_exchange_done(struct http_conn *c);
/* http_conn_input.c */
void http_conn_input(struct http_conn *c, struct str in);
void http_conn_next(struct http_conn *c); /* after a request: pipelined input, or idle */
void http_conn_sweep(struct http_conn *c, uint64_t now_us);

/* http_out.c */
/* Sends or queues all, without waiting. ERR_CANCELLED when the client has gone. v is used up. */
enum err http_out_send(struct http_conn *c, struct iovec *v, int count) MUST_CHECK;
/* The same, suspending above the high watermark. */
WAIT enum err http_out_write(struct http_conn *c, struct iovec *v, int count);
void http_out_flush(struct http_conn *c); /* poll says writable */
void http_out_clear(struct http_conn *c);

/* http_exchange.c */
/* After http_parse said that the head is complete: an exchange with its fiber, or the error to answer. */
enum err http_exchange_begin(struct http_conn *c) MUST_CHECK;
void http_exchange_recycle(struct http_server *s, struct http_exchange *x);
void http_exchange_free_all(struct http_server *s);

/* http_body.c */
void http_body_arrive(struct http_exchange *x, struct str piece);
void http_body_complete(struct http_exchange *x);
void http_body_fail(struct http_exchange *x, enum err e, const char *text);
bool http_body_wants_input(const struct http_exchange *x);
/* Room in the body's own memory for the next bytes, so that they need no copy; empty when that does not pay. */
struct iovec http_body_room(struct http_exchange *x);
void http_body_clear(struct http_exchange *x);

/* http_inflate.c */
struct http_inflate;
enum err http_inflate_new(struct http_inflate **out, enum http_coding coding) MUST_CHECK;
void http_inflate_free(struct http_inflate *z);
/* Decodes from *in into out; *made bytes. Fewer than room: everything is taken and out. ERR_BAD_REQUEST with the
 * reason. */
enum err http_inflate_run(struct http_inflate *z, struct str *in, char *out, size_t room, size_t *made,
                          struct err_info *info) MUST_CHECK;
bool http_inflate_is_ended(const struct http_inflate *z); /* at the end of a stream */

/* http_reply.c */
/* The JSON of an error, by the options' error_body. */
void http_reply_error_body(struct http_server *s, struct str path, enum err e, const struct err_info *info,
                           struct buf *out);
/* Answers an error that the server found itself, from the loop's stack; says Connection: close. */
void http_reply_error(struct http_conn *c, struct str path, enum err e, const struct err_info *info);
/* The same on the exchange's fiber, when its handler left without a reply. */
WAIT enum err http_reply_missing(struct http_exchange *x, enum err e);
/* http_reply_head.c */
/* The head of a reply, valid until the next call on this worker or in the arena (when large). ERR_INTERNAL for headers
 * that would break the message. a may be NULL: then large heads fail. */
struct http_reply_head {
  int status;
  struct http_headers headers;
  int64_t content_length;                   /* -1: none */
  bool is_chunked, is_close, is_keep_alive; /* headers to write */
};
enum err http_reply_head_build(struct http_server *s, struct arena *a, const struct http_reply_head *h,
                               struct str *out) MUST_CHECK;

/* http_server.c */
void http_server_conn_freed(struct http_server *s);
void http_server_start_sweep(struct http_server *s);

#endif
