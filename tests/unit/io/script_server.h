/* An upstream that does exactly what a test says: raw sockets, one thread per connection running the test's handler,
 * TLS if wanted. Test code only. A handler sees requests as bytes and answers with bytes; it may cut, reset, stall.
 * Everything blocks with a time limit, so that a broken client fails a test instead of hanging it. */
#ifndef MAESTRO_TESTS_SCRIPT_SERVER_H
#define MAESTRO_TESTS_SCRIPT_SERVER_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

#define HELPER static __attribute__((unused))

enum { SERVER_WAIT_MS = 5000, SERVER_CONNS_MAX = 8192 };

struct server;

struct conn {
  struct server *server;
  int fd;
  unsigned index; /* of the connection, from 0 */
  SSL *ssl;
  struct buf in;         /* unread */
  struct buf head, body; /* of the last request */
  bool half_closed;
};

struct server {
  int listener;
  uint16_t port;
  pthread_t thread;
  SSL_CTX *tls;
  void (*handler)(struct conn *c, void *arg);
  void *arg;
  atomic_uint conns, requests, resumed;
  atomic_int closed_fast; /* set by handlers */
  atomic_uint_least64_t sent, received;
  atomic_uint_least64_t hash; /* of request bodies, by handlers */
  pthread_t conn_thread[SERVER_CONNS_MAX];
};

HELPER bool conn_wait(struct conn *c, short events, int ms) {
  struct pollfd p = {.fd = c->fd, .events = events};
  return poll(&p, 1, ms) == 1;
}

/* > 0 bytes, 0 end, -1 error or time over */
HELPER ssize_t conn_recv(struct conn *c, char *p, size_t n) {
  if (c->ssl && SSL_pending(c->ssl) == 0 && !conn_wait(c, POLLIN, SERVER_WAIT_MS)) return -1;
  if (c->ssl) {
    int got = SSL_read(c->ssl, p, (int)n);
    return got > 0 ? got : SSL_get_error(c->ssl, got) == SSL_ERROR_ZERO_RETURN ? 0 : -1;
  }
  if (!conn_wait(c, POLLIN, SERVER_WAIT_MS)) return -1;
  return recv(c->fd, p, n, 0);
}

HELPER bool conn_fill(struct conn *c) {
  static _Thread_local char piece[16384];
  ssize_t n = conn_recv(c, piece, sizeof piece);
  if (n <= 0) return false;
  atomic_fetch_add(&c->server->received, (uint64_t)n);
  buf_put(&c->in, str_from(piece, (size_t)n));
  return true;
}

/* False when the peer has gone. */
HELPER bool conn_send(struct conn *c, struct str s) {
  while (s.n) {
    ssize_t n;
    if (c->ssl) {
      n = SSL_write(c->ssl, s.p, (int)s.n);
    } else {
      n = send(c->fd, s.p, s.n, MSG_NOSIGNAL);
    }
    if (n <= 0) return false;
    atomic_fetch_add(&c->server->sent, (uint64_t)n);
    s = str_sub(s, (size_t)n, s.n);
  }
  return true;
}
#define conn_say(c, literal) conn_send(c, STR(literal))

HELPER bool conn_send_bytewise(struct conn *c, struct str s) {
  for (size_t i = 0; i < s.n; i++)
    if (!conn_send(c, str_sub(s, i, i + 1))) return false;
  return true;
}

HELPER void conn_close(struct conn *c) {
  if (c->fd >= 0) close(c->fd);
  c->fd = -1;
}

HELPER void conn_reset(struct conn *c) {
  struct linger l = {1, 0};
  setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &l, sizeof l);
  conn_close(c);
}

/* True when the peer closes within ms; what it still sends is thrown away. */
HELPER bool conn_wait_gone(struct conn *c, int ms) {
  uint64_t end_us = clock_mono_us() + (uint64_t)ms * 1000;
  static _Thread_local char piece[65536];
  for (;;) {
    uint64_t now_us = clock_mono_us();
    if (now_us >= end_us || !conn_wait(c, POLLIN, (int)((end_us - now_us) / 1000 + 1))) return false;
    if (recv(c->fd, piece, sizeof piece, 0) <= 0) return true;
  }
}

HELPER bool conn_read_head(struct conn *c) {
  for (;;) {
    size_t end = str_find(buf_str(&c->in), STR("\r\n\r\n"));
    if (end != SIZE_MAX) {
      buf_reset(&c->head);
      buf_put(&c->head, str_sub(buf_str(&c->in), 0, end + 4));
      buf_shift(&c->in, end + 4);
      return true;
    }
    if (!conn_fill(c)) return false;
  }
}

HELPER struct str conn_header(struct conn *c, const char *name) {
  struct str rest = buf_str(&c->head), line;
  while (str_cut(rest, '\n', &line, &rest)) {
    struct str key, value;
    if (str_cut(line, ':', &key, &value) && str_eq_nocase(key, str_from_c(name))) return str_trim(value);
  }
  return STR_NONE;
}

/* A whole request; the body by its Content-Length. */
HELPER bool conn_read_request(struct conn *c) {
  if (!conn_read_head(c)) return false;
  uint64_t length = 0;
  str_to_u64(conn_header(c, "content-length"), &length);
  while (c->in.n < length)
    if (!conn_fill(c)) return false;
  buf_reset(&c->body);
  buf_put(&c->body, str_sub(buf_str(&c->in), 0, length));
  buf_shift(&c->in, length);
  atomic_fetch_add(&c->server->requests, 1);
  return true;
}

HELPER void *server_conn_main(void *arg) {
  struct conn *c = arg;
  struct server *s = c->server;
  bool ok = true;
  if (s->tls) {
    c->ssl = SSL_new(s->tls);
    SSL_set_fd(c->ssl, c->fd);
    ok = SSL_accept(c->ssl) == 1;
    if (ok && SSL_session_reused(c->ssl)) atomic_fetch_add(&s->resumed, 1);
  }
  if (ok) s->handler(c, s->arg);
  if (c->ssl) {
    if (c->fd >= 0 && ok) SSL_shutdown(c->ssl); /* close_notify, unless the handler has cut */
    SSL_free(c->ssl);
  }
  conn_close(c);
  buf_clear(&c->in);
  buf_clear(&c->head);
  buf_clear(&c->body);
  ERR_clear_error();
  free(c);
  return NULL;
}

HELPER void *server_main(void *arg) {
  struct server *s = arg;
  for (;;) {
    int fd = accept(s->listener, NULL, NULL);
    if (fd < 0) return NULL;
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct timeval limit = {SERVER_WAIT_MS / 1000, 0};
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    struct conn *c = calloc(1, sizeof *c);
    *c = (struct conn){.server = s, .fd = fd, .index = atomic_fetch_add(&s->conns, 1)};
    pthread_create(&s->conn_thread[c->index], NULL, server_conn_main, c);
  }
}

HELPER void server_start(struct server *s, void (*handler)(struct conn *, void *), void *arg) {
  signal(SIGPIPE, SIG_IGN);
  s->handler = handler;
  s->arg = arg;
  s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t n = sizeof a;
  int one = 1;
  setsockopt(s->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(s->listener, (struct sockaddr *)&a, n) || listen(s->listener, 512)) abort();
  getsockname(s->listener, (struct sockaddr *)&a, &n);
  s->port = ntohs(a.sin_port);
  pthread_create(&s->thread, NULL, server_main, s);
}

/* Once the client has gone: every handler ends by then, or by its time limit. */
HELPER void server_stop(struct server *s) {
  shutdown(s->listener, SHUT_RDWR);
  pthread_join(s->thread, NULL);
  close(s->listener);
  for (unsigned i = 0; i < atomic_load(&s->conns); i++) pthread_join(s->conn_thread[i], NULL);
  if (s->tls) SSL_CTX_free(s->tls);
}

/* A self-signed certificate for `names` ("DNS:a,IP:b"), written to `path` as a CA bundle. */
HELPER void server_use_tls(struct server *s, const char *path, const char *names) {
  EVP_PKEY *key = EVP_EC_gen("P-256");
  X509 *cert = X509_new();
  X509_set_version(cert, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
  X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
  X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
  X509_NAME *name = X509_get_subject_name(cert);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"test", -1, -1, 0);
  X509_set_issuer_name(cert, name);
  X509_set_pubkey(cert, key);
  X509V3_CTX ctx;
  X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
  X509_EXTENSION *san = X509V3_EXT_conf_nid(NULL, &ctx, NID_subject_alt_name, names);
  X509_add_ext(cert, san, -1);
  X509_EXTENSION *ca = X509V3_EXT_conf_nid(NULL, &ctx, NID_basic_constraints, "critical,CA:TRUE");
  X509_add_ext(cert, ca, -1);
  X509_EXTENSION_free(san);
  X509_EXTENSION_free(ca);
  X509_sign(cert, key, EVP_sha256());
  s->tls = SSL_CTX_new(TLS_server_method());
  SSL_CTX_use_certificate(s->tls, cert);
  SSL_CTX_use_PrivateKey(s->tls, key);
  FILE *f = fopen(path, "w");
  if (!f) abort();
  PEM_write_X509(f, cert);
  fclose(f);
  X509_free(cert);
  EVP_PKEY_free(key);
}

#endif
