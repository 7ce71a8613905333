/* TLS for the own HTTP/1.1 client: see h1_tls.h. */
#include "io/h1_tls.h"

#include <dirent.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

enum { PLAIN_BYTES = 16 * 1024 };

/* ---- a BIO between the connection's memory and OpenSSL ---- */

static int bio_read(BIO *bio, char *out, int n) {
  struct h1_tls_session *s = BIO_get_data(bio);
  BIO_clear_retry_flags(bio);
  if (s->in.n == 0 || n <= 0) {
    BIO_set_retry_read(bio);
    return -1;
  }
  size_t take = s->in.n < (size_t)n ? s->in.n : (size_t)n;
  memcpy(out, s->in.p, take);
  s->in.p += take;
  s->in.n -= take;
  return (int)take;
}

static int bio_write(BIO *bio, const char *p, int n) {
  struct h1_tls_session *s = BIO_get_data(bio);
  BIO_clear_retry_flags(bio);
  if (n <= 0) return 0;
  buf_put(&s->out, str_from(p, (size_t)n));
  return s->out.failed ? -1 : n;
}

static long bio_ctrl(BIO *bio, int command, long number, void *p) {
  (void)bio, (void)number, (void)p;
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

static int bio_create(BIO *bio) {
  BIO_set_init(bio, 1);
  return 1;
}

/* ---- sessions to resume ---- */

static int on_new_session(SSL *ssl, SSL_SESSION *session) {
  struct h1_tls_session *s = SSL_get_app_data(ssl);
  struct h1_tls_resume *r = s->resume;
  if (!SSL_SESSION_is_resumable(session)) return 0;
  if (r->count == H1_TLS_RESUMES_MAX) {
    SSL_SESSION_free(r->session[0]);
    memmove(r->session, r->session + 1, (H1_TLS_RESUMES_MAX - 1) * sizeof r->session[0]);
    r->count--;
  }
  r->session[r->count++] = session;
  return 1; /* the reference is ours now */
}

/* A TLS 1.3 ticket is used once (RFC 8446, C.4); an older session stays. */
static void set_session(struct h1_tls_session *s) {
  struct h1_tls_resume *r = s->resume;
  if (r->count == 0) return;
  SSL_SESSION *session = r->session[r->count - 1];
  SSL_set_session(s->ssl, session);
  if (SSL_SESSION_get_protocol_version(session) < TLS1_3_VERSION) return;
  r->count--;
  SSL_SESSION_free(session);
}

void h1_tls_resume_clear(struct h1_tls_resume *r) {
  while (r->count) SSL_SESSION_free(r->session[--r->count]);
}

/* ---- context ---- */

static bool set_up(SSL_CTX *ctx, bool insecure_skip_verify) {
  static const unsigned char alpn[] = "\x08http/1.1";
  SSL_CTX_set_verify(ctx, insecure_skip_verify ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
  SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(ctx, on_new_session);
  return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
         SSL_CTX_set_alpn_protos(ctx, alpn, sizeof alpn - 1) == 0;
}

/* Has a directory of trusted certificates the links by which OpenSSL finds one when it is asked for ("5ed36f99.0")? */
static bool has_links(const char *path) {
  bool found = false;
  DIR *dir = opendir(path);
  for (const struct dirent *entry; dir && !found && (entry = readdir(dir));)
    found = strlen(entry->d_name) == 10 && strspn(entry->d_name, "0123456789abcdef") == 8 && entry->d_name[8] == '.';
  if (dir) closedir(dir);
  return found;
}

/* The system's authorities are a bundle and a directory of the same, as a rule. The directory costs nothing before a
 * handshake asks for one of them; the bundle a megabyte and 20 ms for each worker. */
static bool trust_system(SSL_CTX *ctx) {
  const char *file = getenv(X509_get_default_cert_file_env()), *dir = getenv(X509_get_default_cert_dir_env());
  if (!dir) dir = X509_get_default_cert_dir();
  if (!file && has_links(dir)) return SSL_CTX_load_verify_dir(ctx, dir) == 1;
  return SSL_CTX_set_default_verify_paths(ctx) == 1;
}

enum err h1_tls_init(struct h1_tls *t, struct str ca_file, bool insecure_skip_verify, struct err_info *info) {
  *t = (struct h1_tls){0};
  t->ctx = SSL_CTX_new(TLS_client_method());
  t->method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "memory");
  if (!t->ctx || !t->method || !set_up(t->ctx, insecure_skip_verify) || !buf_reserve(&t->plain, PLAIN_BYTES)) {
    h1_tls_clear(t);
    return err_set(info, ERR_NO_MEMORY, "TLS could not be set up");
  }
  BIO_meth_set_create(t->method, bio_create);
  BIO_meth_set_read(t->method, bio_read);
  BIO_meth_set_write(t->method, bio_write);
  BIO_meth_set_ctrl(t->method, bio_ctrl);
  bool is_trusting = ca_file.n ? SSL_CTX_load_verify_file(t->ctx, ca_file.p) == 1 : trust_system(t->ctx);
  ERR_clear_error();
  if (is_trusting) return OK;
  h1_tls_clear(t);
  return err_set(info, ERR_BAD_CONFIG, "the CA bundle could not be read");
}

void h1_tls_clear(struct h1_tls *t) {
  SSL_CTX_free(t->ctx);
  BIO_meth_free(t->method);
  buf_clear(&t->plain);
  *t = (struct h1_tls){0};
}

/* ---- one connection ---- */

enum err h1_tls_session_init(struct h1_tls *t, struct h1_tls_session *s, struct str host, bool is_ip,
                             struct h1_tls_resume *resume) {
  *s = (struct h1_tls_session){.resume = resume};
  BIO *bio = BIO_new(t->method);
  s->ssl = SSL_new(t->ctx);
  bool ok = bio && s->ssl;
  if (bio) BIO_set_data(bio, s);
  if (ok) {
    SSL_set_bio(s->ssl, bio, bio); /* takes both references, which are one */
    bio = NULL;
    SSL_set_app_data(s->ssl, s);
    SSL_set_connect_state(s->ssl);
    ok = is_ip ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(s->ssl), host.p) == 1
               : SSL_set1_host(s->ssl, host.p) == 1 && SSL_set_tlsext_host_name(s->ssl, host.p) == 1;
    SSL_set_hostflags(s->ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  }
  BIO_free(bio);
  if (!ok) {
    h1_tls_session_clear(s);
    return ERR_NO_MEMORY;
  }
  set_session(s);
  return OK;
}

void h1_tls_session_clear(struct h1_tls_session *s) {
  /* Else OpenSSL takes the connection's end for a failure and spoils its session for resuming. */
  if (s->ssl && s->is_established) SSL_set_shutdown(s->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  SSL_free(s->ssl);
  buf_clear(&s->out);
  *s = (struct h1_tls_session){0};
}

static enum err failed(const struct h1_tls_session *s, struct err_info *info) {
  long verdict = SSL_get_verify_result(s->ssl);
  ERR_clear_error();
  if (!s->is_established && verdict != X509_V_OK && SSL_get_verify_mode(s->ssl) != SSL_VERIFY_NONE)
    return err_set(info, ERR_TLS_FAILED, "the provider's certificate could not be verified (%s)",
                   X509_verify_cert_error_string(verdict));
  return ERR_TLS_FAILED;
}

enum err h1_tls_handshake(struct h1_tls_session *s, struct err_info *info) {
  ERR_clear_error();
  int rc = SSL_do_handshake(s->ssl);
  if (rc == 1) {
    s->is_established = true;
    return OK;
  }
  return SSL_get_error(s->ssl, rc) == SSL_ERROR_WANT_READ ? OK : failed(s, info);
}

void h1_tls_receive(struct h1_tls_session *s, struct str ciphertext) { s->in = ciphertext; }

enum err h1_tls_next(struct h1_tls *t, struct h1_tls_session *s, struct str *plain) {
  *plain = STR_NONE;
  if (s->in.n == 0 && !SSL_has_pending(s->ssl)) return OK;
  ERR_clear_error();
  int n = SSL_read(s->ssl, t->plain.p, PLAIN_BYTES);
  if (n > 0) {
    *plain = str_from(t->plain.p, (size_t)n);
    return OK;
  }
  int why = SSL_get_error(s->ssl, n);
  if (why == SSL_ERROR_WANT_READ) return OK;
  if (why != SSL_ERROR_ZERO_RETURN) return failed(s, NULL);
  s->has_close_notify = true;
  s->in = STR_NONE;
  return OK;
}

enum err h1_tls_send(struct h1_tls_session *s, struct str plain) {
  ERR_clear_error();
  int n = SSL_write(s->ssl, plain.p, (int)plain.n);
  return n == (int)plain.n ? OK : failed(s, NULL);
}
