/* TLS for the own HTTP/1.1 client: OpenSSL over memory, no sockets. One h1_tls per client holds the context; each
 * connection has a h1_tls_session. Ciphertext goes in by h1_tls_receive, comes out into a buffer that the connection
 * flushes. Server certificates are verified against the host name or address; ALPN offers http/1.1 only.
 * Invariant: after h1_tls_receive nothing of the ciphertext is left outside of OpenSSL. */
#ifndef MAESTRO_IO_H1_TLS_H
#define MAESTRO_IO_H1_TLS_H

#include <openssl/ssl.h>

#include "base/buf.h"
#include "base/err.h"

enum { H1_TLS_RESUMES_MAX = 8 };

struct h1_tls {
  SSL_CTX *ctx;
  BIO_METHOD *method;
  struct buf plain; /* what SSL_read fills; shared, since nothing is kept in it */
};

/* Sessions to resume with one origin, newest last. */
struct h1_tls_resume {
  SSL_SESSION *session[H1_TLS_RESUMES_MAX];
  unsigned count;
};

struct h1_tls_session {
  SSL *ssl;
  struct h1_tls_resume *resume; /* of the origin; outlives the session */
  struct str in;                /* ciphertext not yet taken, during h1_tls_receive */
  struct buf out;               /* ciphertext to send */
  bool is_established, has_close_notify;
};

enum err h1_tls_init(struct h1_tls *t, struct str ca_file, bool insecure_skip_verify, struct err_info *info) MUST_CHECK;
void h1_tls_clear(struct h1_tls *t);
void h1_tls_resume_clear(struct h1_tls_resume *r);

/* host is NUL-terminated. ERR_NO_MEMORY. Nothing is sent before the first h1_tls_handshake. */
enum err h1_tls_session_init(struct h1_tls *t, struct h1_tls_session *s, struct str host, bool is_ip,
                             struct h1_tls_resume *resume) MUST_CHECK;
void h1_tls_session_clear(struct h1_tls_session *s);

/* Goes on with the handshake: s->out may have to be flushed, failure or not. ERR_TLS_FAILED with its reason. */
enum err h1_tls_handshake(struct h1_tls_session *s, struct err_info *info) MUST_CHECK;
/* Takes ciphertext in (first), then hands out decrypted pieces one after another; *plain empty: no more for now. A
 * piece is valid until the next call on any session of t. ERR_TLS_FAILED. */
void h1_tls_receive(struct h1_tls_session *s, struct str ciphertext);
enum err h1_tls_next(struct h1_tls *t, struct h1_tls_session *s, struct str *plain) MUST_CHECK;
/* Encrypts at most 16 KiB (one record) into s->out. */
enum err h1_tls_send(struct h1_tls_session *s, struct str plain) MUST_CHECK;

#endif
