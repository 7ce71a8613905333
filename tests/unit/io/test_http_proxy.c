/* Proxies from the environment: which one, its exceptions, and the two ways through it (absolute target, CONNECT), by
 * http_client_new, which hands such origins to curl. */
#include "io/http_proxy.h"

#include "client_fixture.h"

static const char *const variables[] = {"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY",
                                        "all_proxy",  "ALL_PROXY",  "no_proxy",    "NO_PROXY"};

static void clear_environment(void) {
  for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) unsetenv(variables[i]);
}

static struct str proxy_url(const char *base_url) {
  static struct arena a; /* of the last call */
  struct http_proxy_env env;
  struct http_origin origin;
  arena_clear(&a);
  assert_int_equal(http_proxy_env_read(&env, &a, NULL), OK);
  assert_int_equal(http_origin_parse(&a, str_from_c(base_url), true, &origin, NULL), OK);
  const struct http_proxy *proxy = http_proxy_for(&env, &origin);
  static char url[256];
  snprintf(url, sizeof url, "%s", proxy ? proxy->url.p : "");
  arena_clear(&a);
  return str_from_c(url);
}

TEST(the_environment_names_proxies) {
  (void)state;
  clear_environment();
  assert_str(proxy_url("http://a.test"), STR(""));
  setenv("HTTP_PROXY", "http://upper:3128", 1);
  assert_str(proxy_url("http://a.test"), STR("http://upper:3128"));
  assert_str(proxy_url("https://a.test"), STR(""));
  setenv("http_proxy", "lower:1/", 1);
  assert_str(proxy_url("http://a.test"), STR("http://lower:1"));
  setenv("ALL_PROXY", "socks5://me:p%40ss@[::1]", 1);
  assert_str(proxy_url("https://a.test"), STR("socks5h://me:p%40ss@[::1]:1080"));
  setenv("https_proxy", "HTTPS://Secure.Proxy", 1);
  assert_str(proxy_url("https://a.test"), STR("https://secure.proxy:443"));
  setenv("https_proxy", "http://plain", 1);
  assert_str(proxy_url("https://a.test"), STR("http://plain:80"));
  assert_str(proxy_url("https://localhost"), STR(""));
  assert_str(proxy_url("https://127.3.2.1:8443"), STR(""));
  assert_str(proxy_url("https://[::1]:8443"), STR(""));
  setenv("no_proxy", "x.test, .a.test", 1);
  assert_str(proxy_url("https://a.test"), STR(""));
  assert_str(proxy_url("https://b.a.test"), STR(""));
  assert_str(proxy_url("https://ba.test"), STR("http://plain:80"));
  clear_environment();
}

TEST(malformed_proxies_are_refused) {
  (void)state;
  static const char *const bad[] = {"ftp://a:1", "http://", "http://a:99999", "http://a b:1", "http://[::1", "://x"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct arena a;
    struct http_proxy_env env;
    struct err_info info = {0};
    arena_init(&a, 0);
    setenv("https_proxy", bad[i], 1);
    assert_int_equal(http_proxy_env_read(&env, &a, &info), ERR_BAD_CONFIG);
    assert_null(strstr(info.text, bad[i]));
    arena_clear(&a);
  }
  clear_environment();
}

TEST(exceptions_match) {
  (void)state;
  static const struct {
    const char *list, *host;
    bool is_ip, want;
  } rows[] = {
      {"*", "a.b", false, true},
      {"", "a.b", false, false},
      {" , ,", "a.b", false, false},
      {"a.b", "A.B", false, true},
      {"a.b", "xa.b", false, false},
      {"a.b", "x.a.b", false, true},
      {"..a.b", "x.a.b", false, true},
      {"b c,d", "c", false, true},
      {"10.0.0.0/8", "10.200.3.4", true, true},
      {"10.0.0.0/8", "11.0.0.1", true, false},
      {"10.0.0.0/9", "10.128.0.1", true, false},
      {"10.1.2.3", "10.1.2.3", true, true},
      {"10.0.0.0/33", "10.0.0.0", true, false},
      {"10.0.0.0/x", "10.0.0.0", true, false},
      {"0.0.0.0/0", "9.9.9.9", true, true},
      {"[::1]", "::1", true, true},
      {"fd00::/8", "fd12::1", true, true},
      {"fd00::/8", "fe80::1", true, false},
      {"10.0.0.0/8", "::1", true, false},
      {"3.4", "1.2.3.4", true, false},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (http_proxy_is_excepted(str_from_c(rows[i].list), str_from_c(rows[i].host), rows[i].is_ip) != rows[i].want)
      fail_msg("row %zu", i);
}

/* ---- through a proxy; the origin's name resolves nowhere but there ---- */

static char ca_path[] = "/tmp/maestro-test-proxy-XXXXXX";

static const struct impl chooser = {"choice", true, http_client_new};

/* Plain requests are answered as an origin would; CONNECT turns the connection over to TLS. */
static void serve_proxy(struct conn *c, void *arg) {
  SSL_CTX *tls = arg;
  if (!conn_read_head(c)) return;
  if (str_has_prefix(buf_str(&c->head), STR("CONNECT "))) {
    if (!str_has_prefix(buf_str(&c->head), STR("CONNECT upstream.test:443 HTTP/1.1\r\n")) ||
        !str_eq(conn_header(c, "proxy-authorization"), STR("Basic bWU6c2VjcmV0"))) {
      conn_say(c, "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    conn_say(c, "HTTP/1.1 200 Connection established\r\nX-Proxy: 1\r\n\r\n");
    c->ssl = SSL_new(tls);
    SSL_set_fd(c->ssl, c->fd);
    if (SSL_accept(c->ssl) != 1 || !conn_read_head(c)) return;
  }
  do {
    char head[128];
    atomic_fetch_add(&c->server->requests, 1);
    snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", c->head.n);
    conn_send(c, str_from_c(head));
    conn_send(c, buf_str(&c->head));
  } while (conn_read_head(c));
}

static void story_proxied(struct fix *f) {
  const char *want = f->arg;
  for (unsigned i = 0; i < 2; i++) {
    struct http_client_request q = get(f, "/v1/a%2Fb?c=d");
    struct got g = fetch(f, &q);
    CHECK_ERR(f, g.start ? g.start : g.read, OK);
    CHECK(f, str_has_prefix(buf_str(&g.body), str_from_c(want)));
    CHECK(f, has_line(&g, "\r\nHost: upstream.test\r\n") && g.is_reused == (i > 0));
    CHECK(f, !has_line(&g, "User-Agent"));
    buf_clear(&g.body);
  }
  CHECK(f, http_client_stats(f->client)->calls == 2 && http_client_stats(f->client)->connects == 1);
}

static void run_proxied(const char *scheme, const char *want, void (*story)(struct fix *)) {
  struct server *s = calloc(1, sizeof *s), maker = {0};
  struct fix f = {.impl = &chooser, .server = s, .scheme = scheme, .host = "upstream.test", .arg = want};
  f.is_bare = true;
  f.options = (struct http_client_options){.use_proxy_env = true, .ca_file = str_from_c(ca_path)};
  server_use_tls(&maker, ca_path, "DNS:upstream.test");
  server_start(s, serve_proxy, maker.tls);
  char url[64];
  snprintf(url, sizeof url, "http://me:secret@127.0.0.1:%u", s->port);
  setenv("all_proxy", url, 1);
  run_story(&f, story);
  clear_environment();
  server_stop(s);
  SSL_CTX_free(maker.tls);
  free(s);
  finish(&f);
}

TEST(a_plain_origin_gets_an_absolute_target) {
  (void)state;
  run_proxied("http", "GET http://upstream.test/v1/a%2Fb?c=d HTTP/1.1\r\n", story_proxied);
}

TEST(a_tls_origin_gets_a_tunnel) {
  (void)state;
  run_proxied("https", "GET /v1/a%2Fb?c=d HTTP/1.1\r\n", story_proxied);
}

static void serve_refusal(struct conn *c, void *arg) {
  (void)arg;
  if (conn_read_head(c)) conn_say(c, "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
}

static void story_refused_tunnel(struct fix *f) {
  struct http_client_request q = get(f, "/");
  struct got g = fetch(f, &q);
  CHECK_ERR(f, g.start, ERR_CONNECT_FAILED);
  CHECK(f, !strstr(g.info.text, "127.0.0.1") && !strstr(g.info.text, "secret"));
}

TEST(a_refused_tunnel_is_a_failed_connect) {
  (void)state;
  struct server *s = calloc(1, sizeof *s);
  struct fix f = {.impl = &chooser, .server = s, .scheme = "https", .host = "upstream.test", .is_bare = true};
  f.options.use_proxy_env = true;
  server_start(s, serve_refusal, NULL);
  char url[64];
  snprintf(url, sizeof url, "http://me:secret@127.0.0.1:%u", s->port);
  setenv("HTTPS_PROXY", url, 1);
  run_story(&f, story_refused_tunnel);
  clear_environment();
  server_stop(s);
  free(s);
  finish(&f);
}

static void story_direct(struct fix *f) {
  struct http_client_request q = get(f, "/");
  CHECK_ERR(f, fetch_err(f, &q), OK);
  CHECK(f, http_client_stats(f->client)->connects == 1);
}

TEST(what_is_here_goes_directly) {
  (void)state;
  setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
  struct fix f = {.impl = &chooser, .options.use_proxy_env = true};
  run_case(&f, serve_echo, NULL, story_direct);
  clear_environment();
  struct fix unproxied = {.impl = &chooser};
  run_case(&unproxied, serve_echo, NULL, story_direct);
  finish(&f);
  finish(&unproxied);
}

int main(void) {
  clear_environment();
  int fd = mkstemp(ca_path);
  if (fd < 0) return 1;
  close(fd);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_environment_names_proxies),
      cmocka_unit_test(malformed_proxies_are_refused),
      cmocka_unit_test(exceptions_match),
      cmocka_unit_test(a_plain_origin_gets_an_absolute_target),
      cmocka_unit_test(a_tls_origin_gets_a_tunnel),
      cmocka_unit_test(a_refused_tunnel_is_a_failed_connect),
      cmocka_unit_test(what_is_here_goes_directly),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  unlink(ca_path);
  return failed;
}
