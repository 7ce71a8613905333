/* Conformance of the HTTP client over TLS. */
#include "client_fixture.h"

/* ---- TLS ---- */

static char ca_path[] = "/tmp/maestro-test-ca-XXXXXX";

static void remove_ca(void) { unlink(ca_path); }

static void run_tls(struct fix *f, void (*handler)(struct conn *, void *), void *arg, void (*story)(struct fix *)) {
  struct server *s = calloc(1, sizeof *s);
  f->server = s;
  f->scheme = "https";
  server_use_tls(s, ca_path, f->names ? f->names : "DNS:localhost,IP:127.0.0.1");
  if (f->tls_version) {
    SSL_CTX_set_security_level(s->tls, 0);
    SSL_CTX_set_min_proto_version(s->tls, f->tls_version);
    SSL_CTX_set_max_proto_version(s->tls, f->tls_version);
  }
  server_start(s, handler, arg);
  run_story(f, story);
  server_stop(s);
  free(s);
}

static void story_tls(struct fix *f) {
  for (unsigned i = 0; i < 3; i++) {
    struct http_client_request q = get(f, "/secret");
    struct got g = fetch(f, &q);
    CHECK_ERR(f, g.start, OK);
    CHECK_ERR(f, g.read, OK);
    CHECK(f, g.is_reused == (i > 0) && str_has_prefix(buf_str(&g.body), STR("GET /secret")));
    buf_clear(&g.body);
  }
}

static void story_tls_refused(struct fix *f) {
  struct http_client_request q = get(f, "/");
  CHECK_ERR(f, fetch_err(f, &q), ERR_TLS_FAILED);
  CHECK(f, atomic_load(&f->server->requests) == 0);
}

TEST(tls_is_verified) {
  struct str ca = str_from_c(ca_path);
  struct fix by_name = {.impl = *state, .options.ca_file = ca, .host = "localhost"};
  run_tls(&by_name, serve_echo, NULL, story_tls);
  finish(&by_name);
  struct fix by_address = {.impl = *state, .options.ca_file = ca};
  run_tls(&by_address, serve_echo, NULL, story_tls);
  finish(&by_address);
  struct fix unknown_ca = {.impl = *state, .host = "localhost"};
  run_tls(&unknown_ca, serve_echo, NULL, story_tls_refused);
  finish(&unknown_ca);
  struct fix wrong_name = {.impl = *state, .options.ca_file = ca, .host = "localhost", .names = "DNS:other.example"};
  run_tls(&wrong_name, serve_echo, NULL, story_tls_refused);
  finish(&wrong_name);
  struct fix wrong_address = {.impl = *state, .options.ca_file = ca, .names = "DNS:127.0.0.1,IP:127.0.0.2"};
  run_tls(&wrong_address, serve_echo, NULL, story_tls_refused);
  finish(&wrong_address);
  struct fix trusting = {.impl = *state, .options.insecure_skip_verify = true, .host = "127.0.0.1"};
  run_tls(&trusting, serve_echo, NULL, story_tls);
  finish(&trusting);
}

/* Without a bundle: one authority in a directory, under the name by which OpenSSL looks for it, or in a file. */
TEST(the_systems_authorities_are_found) {
  char dir[] = "/tmp/maestro-test-cas-XXXXXX", link_path[64];
  struct fix f = {.impl = *state, .options.insecure_skip_verify = true, .host = "localhost"};
  if (f.impl->is_curl) return; /* which has its own way to them */
  run_tls(&f, serve_echo, NULL, story_tls);
  f.options.insecure_skip_verify = false;
  FILE *file = fopen(ca_path, "r");
  X509 *ca = PEM_read_X509(file, NULL, NULL, NULL);
  fclose(file);
  assert_non_null(mkdtemp(dir));
  snprintf(link_path, sizeof link_path, "%s/%08lx.0", dir,
           X509_NAME_hash_ex(X509_get_subject_name(ca), NULL, NULL, NULL));
  X509_free(ca);
  setenv("SSL_CERT_DIR", dir, 1);
  run_tls(&f, serve_echo, NULL, story_tls_refused); /* nothing is in it */
  assert_int_equal(symlink(ca_path, link_path), 0);
  run_tls(&f, serve_echo, NULL, story_tls);
  unlink(link_path);
  setenv("SSL_CERT_FILE", ca_path, 1);
  run_tls(&f, serve_echo, NULL, story_tls);
  unsetenv("SSL_CERT_DIR");
  unsetenv("SSL_CERT_FILE");
  rmdir(dir);
  finish(&f);
}

static void serve_tls_cut(struct conn *c, void *arg) {
  if (!conn_read_request(c)) return;
  conn_send(c, *(struct str *)arg);
  conn_close(c); /* without close_notify */
}

static void story_is_cut(struct fix *f) {
  struct http_client_request q = get(f, "/");
  CHECK_ERR(f, fetch_err(f, &q), ERR_UPSTREAM_CUT);
}

TEST(tls_ends_only_with_close_notify) {
  struct str replies[] = {STR("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"),
                          STR("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"),
                          STR("HTTP/1.1 200 OK\r\n"), STR("HTTP/1.1 200 OK\r\n\r\nhello")};
  const struct impl *impl = *state;
  for (unsigned i = 0; i < (impl->is_curl ? 3 : 4); i++) { /* curl takes any end for the last one's */
    struct fix f = {.impl = impl, .options.ca_file = str_from_c(ca_path)};
    run_tls(&f, serve_tls_cut, &replies[i], story_is_cut);
    if (f.failures) fprintf(stderr, "cut reply %u\n", i);
    finish(&f);
  }
}

static void serve_tls_by_close(struct conn *c, void *arg) {
  (void)arg;
  conn_read_request(c);
  conn_say(c, "HTTP/1.1 200 OK\r\n\r\nhello");
}

static void story_by_close(struct fix *f) {
  struct http_client_request q = get(f, "/");
  struct got g = fetch(f, &q);
  CHECK_ERR(f, g.start ? g.start : g.read, OK);
  CHECK(f, str_eq(buf_str(&g.body), STR("hello")));
  buf_clear(&g.body);
}

TEST(tls_carries_what_plain_does) {
  struct str ca = str_from_c(ca_path);
  unsigned pause_us = 0;
  struct fix f = {.impl = *state, .options.ca_file = ca};
  run_tls(&f, serve_tls_by_close, NULL, story_by_close);
  run_tls(&f, serve_upload, &pause_us, story_upload);
  run_tls(&f, serve_echo, NULL, story_crowd);
  run_tls(&f, serve_endless, NULL, story_slow_reader);
  run_tls(&f, serve_early_reply, NULL, story_early_reply);
  finish(&f);
}

static void serve_not_tls(struct conn *c, void *arg) {
  (void)arg;
  conn_say(c, "HTTP/1.1 400 Bad Request\r\n\r\n");
}

TEST(a_plain_upstream_behind_https_is_a_tls_failure) {
  struct server *s = calloc(1, sizeof *s);
  struct fix f = {.impl = *state, .server = s, .scheme = "https"};
  server_start(s, serve_not_tls, NULL);
  run_story(&f, story_tls_refused);
  server_stop(s);
  free(s);
  finish(&f);
}

static void serve_one(struct conn *c, void *arg) {
  (void)arg;
  conn_read_request(c);
  conn_say(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
}

static void story_resume(struct fix *f) {
  struct http_client_request q = get(f, "/");
  for (unsigned i = 0; i < 4; i++) CHECK_ERR(f, fetch_err(f, &q), OK);
  CHECK(f, atomic_load(&f->server->conns) == 4 && atomic_load(&f->server->resumed) == 3);
}

TEST(sessions_are_resumed) {
  int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
  for (unsigned i = 0; i < 2; i++) {
    struct fix f = {.impl = *state, .options.ca_file = str_from_c(ca_path), .host = "localhost"};
    f.tls_version = versions[i];
    run_tls(&f, serve_one, NULL, story_resume);
    finish(&f);
  }
}

static void story_old_tls(struct fix *f) {
  struct http_client_request q = get(f, "/");
  CHECK_ERR(f, fetch_err(f, &q), ERR_TLS_FAILED);
}

TEST(old_versions_are_refused) {
  struct fix f = {.impl = *state, .options.insecure_skip_verify = true, .tls_version = TLS1_1_VERSION};
  run_tls(&f, serve_one, NULL, story_old_tls);
  finish(&f);
}

/* A server that takes the connection and says nothing: the handshake hangs. */
static void serve_mute(struct conn *c, void *arg) {
  (void)arg;
  if (conn_wait_gone(c, SERVER_WAIT_MS)) atomic_fetch_add(&c->server->closed_fast, 1);
}

static void child_handshake(void *arg) {
  struct http_client_request q = get(arg, "/");
  CHECK_ERR((struct fix *)arg, fetch_err(arg, &q), ERR_CANCELLED);
}

static void story_mute(struct fix *f) {
  struct http_client_request q = get(f, "/");
  q.connect_ms = 60;
  CHECK_ERR(f, fetch_err(f, &q), ERR_CONNECT_TIMEOUT);
  struct fiber_id child;
  CHECK_ERR(f, fiber_spawn(&child, child_handshake, f), OK);
  CHECK_ERR(f, fiber_sleep_until(clock_mono_us() + 50000), OK);
  fiber_cancel(child);
  uint64_t limit_us = clock_mono_us() + 3000000;
  while (atomic_load(&f->server->closed_fast) < 2 && clock_mono_us() < limit_us)
    CHECK_ERR(f, fiber_sleep_until(clock_mono_us() + 1000), OK);
  CHECK(f, atomic_load(&f->server->closed_fast) == 2);
  CHECK(f, http_client_stats(f->client)->connections_open == 0);
}

TEST(a_hanging_handshake_times_out_and_cancels) {
  struct server *s = calloc(1, sizeof *s);
  struct fix f = {.impl = *state, .server = s, .scheme = "https"};
  server_start(s, serve_mute, NULL);
  run_story(&f, story_mute);
  server_stop(s);
  free(s);
  finish(&f);
}

static void serve_tls_dies(struct conn *c, void *arg) {
  (void)arg;
  conn_read_request(c);
  conn_say(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  if (c->index == 0) {
    conn_read_head(c);
  } else {
    conn_wait_gone(c, SERVER_WAIT_MS);
  }
}

static void story_tls_resend(struct fix *f) {
  char *bytes = pattern(3000000);
  struct str body[] = {str_from(bytes, 100), str_from(bytes + 100, 2999900)};
  struct http_client_request q = get(f, "/");
  CHECK_ERR(f, fetch_err(f, &q), OK);
  q.method = HTTP_POST;
  q.body = body;
  q.body_slices = 2;
  struct got g = fetch(f, &q);
  CHECK_ERR(f, g.start, OK);
  CHECK_ERR(f, g.read, OK);
  CHECK(f, g.resends == 1 && !g.is_reused && atomic_load(&f->server->conns) == 2);
  buf_clear(&g.body);
  free(bytes);
}

TEST(the_resend_works_over_tls) {
  struct fix f = {.impl = *state, .options.ca_file = str_from_c(ca_path), .host = "localhost"};
  run_tls(&f, serve_tls_dies, NULL, story_tls_resend);
  finish(&f);
}

#define CASES(X)                                    \
  X(tls_is_verified)                                \
  X(the_systems_authorities_are_found)              \
  X(tls_ends_only_with_close_notify)                \
  X(tls_carries_what_plain_does)                    \
  X(a_plain_upstream_behind_https_is_a_tls_failure) \
  X(sessions_are_resumed)                           \
  X(old_versions_are_refused)                       \
  X(a_hanging_handshake_times_out_and_cancels)      \
  X(the_resend_works_over_tls)

int main(int argc, char **argv) {
  int fd = mkstemp(ca_path);
  if (fd < 0) return 1;
  close(fd);
  atexit(remove_ca);
  RUN_CASES(argc, argv);
}
