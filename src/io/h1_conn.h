/* One connection of the own HTTP/1.1 client: TCP on libuv, TLS if wanted, one exchange at a time. Used by
 * http_client_h1.c, which dials, pools and waits; libuv's callbacks here parse, store and wake.
 * A connection is heap memory that frees itself after h1_conn_close; an exchange belongs to its call.
 * Invariant: c->exchange->conn == c while both are set; an exchange without a connection has ended. */
#ifndef MAESTRO_IO_H1_CONN_H
#define MAESTRO_IO_H1_CONN_H

#include "io/fiber.h"
#include "io/h1_tls.h"
#include "io/loop.h"
#include "io/upstream_parser.h"

enum { H1_INPUT_BYTES = 64 * 1024, H1_RECORD_BYTES = 16 * 1024 };

struct h1_conn;

/* What the connections of one client share. */
struct h1_net {
  uv_loop_t *uv;
  struct h1_tls tls;
  struct http_client_stats *stats;
  char *input;      /* H1_INPUT_BYTES: every read goes here, nothing stays */
  char *record;     /* H1_RECORD_BYTES: small slices become one TLS record */
  uv_buf_t *vector; /* for one writev */
  size_t vector_size;
  void (*on_idle)(struct h1_conn *c); /* its exchange has ended well and it may serve another */
  void (*on_lost)(struct h1_conn *c); /* an idle connection has ended; it is closed on return */
};

struct h1_exchange {
  struct upstream_reply reply;
  struct h1_conn *conn; /* NULL: not begun or ended */
  struct fiber_id waiter;
  bool is_waiting;
  bool is_sent, got_byte, is_paused;
  struct str head; /* valid until h1_conn_send has returned */
  const struct str *slice;
  size_t slices, next, offset; /* upload: what TLS has still to encrypt */
  uint64_t progress_us;        /* when the request was last seen to move, then when it was sent */
  size_t queued_bytes;         /* in libuv's queue when last looked at */
};

enum h1_conn_state { H1_CONN_CONNECTING, H1_CONN_OPEN, H1_CONN_FAILED, H1_CONN_CLOSED };

struct h1_conn {
  uv_tcp_t tcp;
  uv_connect_t connect;
  struct h1_net *net;
  void *pool; /* the owner's */
  struct h1_conn *newer, *older;
  uint64_t idle_since_us;
  enum h1_conn_state state;
  int connect_status;     /* libuv's, when FAILED before TLS */
  struct fiber_id waiter; /* while connecting */
  struct h1_exchange *exchange;
  struct upstream_parser parser;
  struct h1_tls_session tls;
  bool is_decrypting;        /* OpenSSL's state is in use up the stack */
  struct err_info *tls_info; /* of the fiber that waits for the handshake */
  unsigned writes;           /* in libuv's queue */
};

/* Begins to connect; wakes the calling fiber when state has changed. NULL: out of memory. */
struct h1_conn *h1_conn_new(struct h1_net *net, const struct sockaddr *address);
/* Begins TLS on an OPEN connection; wakes when tls.is_established or state is FAILED. info must outlive the wait. */
enum err h1_conn_start_tls(struct h1_conn *c, struct str host, bool is_ip, struct h1_tls_resume *resume,
                           struct err_info *info) MUST_CHECK;
/* Begins to read: on an OPEN connection without TLS, once. */
enum err h1_conn_start_read(struct h1_conn *c) MUST_CHECK;
/* Sends x->head and the slices and binds the exchange; whatever goes wrong is seen by its reply. */
void h1_conn_send(struct h1_conn *c, struct h1_exchange *x);
/* True when the upload has moved since it was last asked; then x->progress_us is now. */
bool h1_conn_has_progressed(struct h1_conn *c, struct h1_exchange *x);
/* Goes on reading for a paused exchange. */
void h1_conn_resume(struct h1_conn *c);
/* Closes at once; an exchange on it loses its connection without a word. Idempotent. */
void h1_conn_close(struct h1_conn *c);

#endif
