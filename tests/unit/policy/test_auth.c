/* auth as tables: rules by name, a request as text, what must come out. Every row of the local rule stands once with
 * the call it must let through, so that a row can only fail for its own reason. */
#include "policy/auth.h"

#include <stdio.h>

#include "policy/auth_failures.h"
#include "unit.h"

#define KEY1 "sk-maestro-first-0123456789"
#define KEY2 "sk-maestro-second-0123456789"
#define ADMIN "an-admin-token-of-some-length"
#define METRICS_TOKEN "scrape-me-0123456789"
#define USER1 "header.user-one.signature"
#define USER2 "header.user-two.signature"
#define SESSION "a-session-of-the-dashboard"
/* Of the session key of 32 zero bytes; made with Python's hmac, SHA-256 of "maestro csrf", base64url. */
#define CSRF "n0uIduBF5dj55u2Pr8ZG318ohZfH2cT544ylKJPx1vg"

enum rules_name { DEFAULTS, PERSON, USERS, OPEN_BIND, HOSTS, NAMED, RULES_COUNT };

static struct arena arena;
static struct auth_rules *all_rules[RULES_COUNT];

/* The store's part: who owns a hash. */
static bool find(void *arg, enum auth_source source, const struct crypto_hash *hash, struct auth_principal *out) {
  static const struct {
    const char *text;
    enum auth_kind kind;
    bool is_session;
    uint64_t id;
  } known[] = {{USER1, AUTH_USER, false, 7}, {USER2, AUTH_USER, false, 8}, {SESSION, AUTH_ADMIN, true, 99}};
  (void)arg;
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    struct crypto_hash h;
    assert_int_equal(crypto_sha256(str_from_c(known[i].text), &h), OK);
    if (!crypto_equal(&h, hash, sizeof h) || known[i].is_session != (source == AUTH_SOURCE_SESSION)) continue;
    *out = (struct auth_principal){.kind = known[i].kind, .id = known[i].id, .is_session = known[i].is_session};
    return true;
  }
  return false;
}

static int group_setup(void **state) {
  (void)state;
  static const struct str keys[] = {{KEY1, sizeof KEY1 - 1}, {KEY2, sizeof KEY2 - 1}};
  static const struct str hosts[] = {{"maestro.lan", 11}, {"Box.Example:9000", 16}};
  static const struct str origins[] = {{"https://app.example.com", 23}, {"http://*.dev.example:*", 22}};
  static const struct str proxies[] = {{"10.0.0.0/8", 10}, {"127.0.0.1", 9}, {"fd00::/16", 9}};
  struct auth_rules_input base = {.keys = keys,
                                  .keys_n = 2,
                                  .admin_token = STR(ADMIN),
                                  .metrics_token = STR(METRICS_TOKEN),
                                  .docs_username = STR("doc"),
                                  .docs_password = STR("open sesame"),
                                  .is_bind_loopback = true,
                                  .port = 8080,
                                  .find = find};
  struct auth_rules_input in[RULES_COUNT];
  for (int i = 0; i < RULES_COUNT; i++) in[i] = base;
  in[PERSON].is_key_set_by_person = true;
  in[USERS].has_users = true;
  in[OPEN_BIND].is_bind_loopback = false;
  in[OPEN_BIND].trusted_proxies = proxies;
  in[OPEN_BIND].trusted_proxies_n = 3;
  in[HOSTS].hosts = hosts;
  in[HOSTS].hosts_n = 2;
  in[HOSTS].port = 80;
  in[NAMED].origins = origins;
  in[NAMED].origins_n = 2;
  arena_init(&arena, 0);
  for (int i = 0; i < RULES_COUNT; i++) assert_int_equal(auth_rules_new(&arena, &in[i], &all_rules[i], NULL), OK);
  return 0;
}

static int group_teardown(void **state) {
  (void)state;
  arena_clear(&arena);
  return 0;
}

/* A request as text: "POST", "k=v" as query, then "Name: value" lines; Host is taken from its header. */
struct call {
  struct http_request request;
  struct http_header headers[32];
  struct http_peer peer;
};

static void build(struct call *c, const char *method, const char *query, const char *headers, const char *peer) {
  memset(c, 0, sizeof *c);
  c->request.method_name = str_from_c(method);
  c->request.method = strcmp(method, "GET") == 0 ? HTTP_GET : strcmp(method, "OPTIONS") == 0 ? HTTP_OPTIONS : HTTP_POST;
  c->request.query = str_from_c(query);
  c->request.has_body = c->request.method == HTTP_POST;
  c->request.content_length = c->request.has_body ? 10 : -1;
  struct str rest = str_from_c(headers), line;
  size_t n = 0;
  for (bool more = rest.n > 0; more;) {
    more = str_cut(rest, '\n', &line, &rest);
    struct http_header *h = &c->headers[n++];
    assert_true(str_cut(line, ':', &h->name, &h->value));
    h->value = str_trim(h->value);
    if (str_eq_nocase(h->name, STR("host"))) c->request.host = h->value;
  }
  c->request.headers = (struct http_headers){c->headers, n};
  snprintf(c->peer.address, sizeof c->peer.address, "%s", peer);
  c->peer.is_loopback = strncmp(peer, "127.", 4) == 0 || strcmp(peer, "::1") == 0;
  c->peer.local_port = 8080;
}

struct row {
  const char *what;
  enum rules_name rules;
  enum auth_class class;
  const char *method, *query, *headers, *peer;
  enum err want;
  const char *who; /* principal's name when OK */
};

static const unsigned accept_all = AUTH_ACCEPT_QUERY_KEY | AUTH_ACCEPT_SUBSCRIPTION | AUTH_ACCEPT_SESSION;

static void run(const struct row *rows, size_t n, unsigned accept) {
  unsigned failed = 0;
  for (size_t i = 0; i < n; i++) {
    const struct row *r = &rows[i];
    struct call c;
    struct err_info info = {0};
    struct auth_principal p = {.kind = AUTH_KIND_COUNT};
    char name[AUTH_NAME_BYTES] = "";
    build(&c, r->method, r->query, r->headers, r->peer);
    struct auth_call call = {.request = &c.request, .peer = &c.peer, .class = r->class, .accept = accept};
    enum err e = auth_check(all_rules[r->rules], &call, &p, &info);
    if (e == OK) auth_principal_name(&p, name);
    bool fine = e == r->want && (e ? info.text[0] && p.kind == AUTH_KIND_COUNT : strcmp(name, r->who) == 0);
    if (fine) continue;
    failed++;
    print_error("row \"%s\": got %s %s (%s)\n", r->what, err_code(e), name, info.text);
  }
  assert_int_equal(failed, 0);
}
#define RUN(rows) run(rows, sizeof rows / sizeof *rows, accept_all)

#define H "Host: localhost:8080\n"
#define JSON H "Content-Type: application/json"
#define LO "127.0.0.1"
#define INF AUTH_CLASS_INFERENCE
#define DENY ERR_UNAUTHENTICATED

TEST(a_local_call_needs_no_credential_and_every_condition_counts) {
  static const struct row rows[] = {
      {"plain", DEFAULTS, INF, "POST", "", JSON, LO, OK, "local"},
      {"get", DEFAULTS, INF, "GET", "", H "Accept: */*", LO, OK, "local"},
      {"ipv6", DEFAULTS, INF, "POST", "", "Host: [::1]:8080\nContent-Type: application/json", "::1", OK, "local"},
      {"numeric host", DEFAULTS, INF, "GET", "", "Host: 127.0.0.1:8080", LO, OK, "local"},
      {"host in capitals", DEFAULTS, INF, "GET", "", "Host: LocalHost:8080", LO, OK, "local"},
      {"other loopback peer", DEFAULTS, INF, "GET", "", H "A: b", "127.0.0.53", OK, "local"},
      {"port 80 left out", HOSTS, INF, "GET", "", "Host: localhost", LO, OK, "local"},
      {"port 80 named", HOSTS, INF, "GET", "", "Host: localhost:80", LO, OK, "local"},
      {"listed host", HOSTS, INF, "GET", "", "Host: maestro.lan", LO, OK, "local"},
      {"listed host, any port", HOSTS, INF, "GET", "", "Host: MAESTRO.lan:4711", LO, OK, "local"},
      {"listed host with its port", HOSTS, INF, "GET", "", "Host: box.example:9000", LO, OK, "local"},
      {"json with charset", DEFAULTS, INF, "POST", "", H "Content-Type: Application/JSON; charset=utf-8", LO, OK,
       "local"},
      {"our origin", DEFAULTS, INF, "POST", "", JSON "\nOrigin: http://localhost:8080\nSec-Fetch-Site: same-origin", LO,
       OK, "local"},
      {"our other origin", DEFAULTS, INF, "POST", "", JSON "\nOrigin: http://[::1]:8080", LO, OK, "local"},
      {"listed origin is a host of ours", HOSTS, INF, "GET", "", "Host: maestro.lan\nOrigin: https://maestro.lan", LO,
       OK, "local"},
      {"typed into the address bar", DEFAULTS, INF, "GET", "", H "Sec-Fetch-Site: none", LO, OK, "local"},

      {"a key was set", PERSON, INF, "POST", "", JSON, LO, DENY, 0},
      {"a user exists", USERS, INF, "POST", "", JSON, LO, DENY, 0},
      {"open bind", OPEN_BIND, INF, "POST", "", JSON, LO, DENY, 0},
      {"foreign peer", DEFAULTS, INF, "POST", "", JSON, "192.168.1.7", DENY, 0},
      {"forwarded", DEFAULTS, INF, "POST", "", JSON "\nForwarded: for=1.2.3.4", LO, DENY, 0},
      {"x-forwarded-for", DEFAULTS, INF, "POST", "", JSON "\nX-Forwarded-For: 127.0.0.1", LO, DENY, 0},
      {"x-forwarded-proto", DEFAULTS, INF, "POST", "", JSON "\nx-forwarded-proto: https", LO, DENY, 0},
      {"x-forwarded-host, empty", DEFAULTS, INF, "POST", "", JSON "\nX-FORWARDED-HOST:", LO, DENY, 0},
      {"x-real-ip", DEFAULTS, INF, "POST", "", JSON "\nX-Real-IP: 127.0.0.1", LO, DENY, 0},
      {"via", DEFAULTS, INF, "POST", "", JSON "\nVia: 1.1 proxy", LO, DENY, 0},
      {"cloudflare", DEFAULTS, INF, "POST", "", JSON "\nCF-Connecting-IP: 127.0.0.1", LO, DENY, 0},
      {"cloudflare ray", DEFAULTS, INF, "GET", "", H "cf-ray: 1", LO, DENY, 0},
      {"tunnel to a listed host", HOSTS, INF, "GET", "", "Host: maestro.lan\nCF-Ray: 1", LO, DENY, 0},
      {"cross-site", DEFAULTS, INF, "GET", "", H "Sec-Fetch-Site: cross-site", LO, DENY, 0},
      {"same-site is another port", DEFAULTS, INF, "GET", "", H "Sec-Fetch-Site: same-site", LO, DENY, 0},
      {"two fetch sites", DEFAULTS, INF, "GET", "", H "Sec-Fetch-Site: none\nSec-Fetch-Site: cross-site", LO, DENY, 0},
      {"empty fetch site", DEFAULTS, INF, "GET", "", H "Sec-Fetch-Site:", LO, DENY, 0},
      {"allowed origin is not local", NAMED, INF, "POST", "", JSON "\nOrigin: https://app.example.com", LO, DENY, 0},
      {"text/plain", DEFAULTS, INF, "POST", "", H "Content-Type: text/plain", LO, DENY, 0},
      {"form", DEFAULTS, INF, "POST", "", H "Content-Type: application/x-www-form-urlencoded", LO, DENY, 0},
      {"no content type", DEFAULTS, INF, "POST", "", H "A: b", LO, DENY, 0},
      {"two content types", DEFAULTS, INF, "POST", "", JSON "\nContent-Type: text/plain", LO, DENY, 0},
      {"two content types, json last", DEFAULTS, INF, "POST", "",
       H "Content-Type: text/plain\nContent-Type: application/json", LO, DENY, 0},
      {"json in a parameter", DEFAULTS, INF, "POST", "", H "Content-Type: text/plain; application/json", LO, DENY, 0},
      {"nearly json", DEFAULTS, INF, "POST", "", H "Content-Type: application/json5", LO, DENY, 0},
  };
  RUN(rows);
}

TEST(every_header_of_a_proxy_or_tunnel_counts) {
  static const char *const yes[] = {"Forwarded",
                                    "VIA",
                                    "x-real-ip",
                                    "X-Forwarded",
                                    "X-Forwarded-For",
                                    "X-Forwarded-Anything",
                                    "CF-Ray",
                                    "cf-visitor",
                                    "CDN-Loop",
                                    "X-Client-IP",
                                    "X-Envoy-External-Address",
                                    "True-Client-IP",
                                    "X-Cluster-Client-Ip",
                                    "X-Original-Host",
                                    "Tailscale-User-Login"};
  static const char *const no[] = {"x",
                                   "vi",
                                   "Viaduct",
                                   "X-Forward",
                                   "X-Real-IPs",
                                   "C-F",
                                   "X-Stainless-OS",
                                   "cf",
                                   "xx-forwarded-for",
                                   "From",
                                   "X-Request-Id",
                                   "Traceparent",
                                   "Te"};
  for (size_t i = 0; i < sizeof yes / sizeof *yes + sizeof no / sizeof *no; i++) {
    struct call c;
    bool is_no = i >= sizeof yes / sizeof *yes;
    build(&c, "GET", "", "Host: localhost:8080\nA: b", LO);
    c.headers[1].name = str_from_c(is_no ? no[i - sizeof yes / sizeof *yes] : yes[i]);
    if (auth_is_local(all_rules[DEFAULTS], &c.request, &c.peer) != is_no) fail_msg("%s", c.headers[1].name.p);
  }
}

TEST(doubled_and_missing_headers_judged_alone) {
  struct call c;
  build(&c, "POST", "", "Host: localhost:8080", LO);
  c.request.content_length = 0;
  assert_true(auth_is_local(all_rules[DEFAULTS], &c.request, &c.peer));
  c.request.content_length = -1;
  assert_false(auth_is_local(all_rules[DEFAULTS], &c.request, &c.peer));
  build(&c, "GET", "", H "Origin: https://evil.example\nOrigin: http://localhost:8080", LO);
  assert_false(auth_is_local(all_rules[DEFAULTS], &c.request, &c.peer));
}

TEST(host_and_origin_are_checked_on_every_path_of_a_loopback_bind) {
  static const struct row rows[] = {
      {"rebound name", DEFAULTS, AUTH_CLASS_OPEN, "GET", "", "Host: evil.example:8080", LO, ERR_MISDIRECTED, 0},
      {"rebound name with a key", DEFAULTS, INF, "GET", "", "Host: evil.example:8080\nx-api-key: " KEY1, LO,
       ERR_MISDIRECTED, 0},
      {"a key was set, still checked", PERSON, INF, "GET", "", "Host: evil\nx-api-key: " KEY1, LO, ERR_MISDIRECTED, 0},
      {"no host", DEFAULTS, AUTH_CLASS_OPEN, "GET", "", "Accept: */*", LO, ERR_MISDIRECTED, 0},
      {"other port", DEFAULTS, AUTH_CLASS_OPEN, "GET", "", "Host: localhost:8081", LO, ERR_MISDIRECTED, 0},
      {"port left out", DEFAULTS, AUTH_CLASS_OPEN, "GET", "", "Host: localhost", LO, ERR_MISDIRECTED, 0},
      {"port 0", DEFAULTS, AUTH_CLASS_OPEN, "GET", "", "Host: localhost:0", LO, ERR_MISDIRECTED, 0},
      {"port with a zero in front", DEFAULTS, AUTH_CLASS_OPEN, "GET", "", "Host: localhost:08080", LO, ERR_MISDIRECTED,
       0},
      {"port with sign", DEFAULTS, AUTH_CLASS_OPEN, "GET", "", "Host: localhost:+8080", LO, ERR_MISDIRECTED, 0},
      {"port wraps", DEFAULTS, AUTH_CLASS_OPEN, "GET", "", "Host: localhost:73616", LO, ERR_MISDIRECTED, 0},
      {"two ports", DEFAULTS, AUTH_CLASS_OPEN, "GET", "", "Host: localhost:8080:8080", LO, ERR_MISDIRECTED, 0},
      {"suffix", DEFAULTS, AUTH_CLASS_OPEN, "GET", "", "Host: localhost.evil.example:8080", LO, ERR_MISDIRECTED, 0},
      {"trailing dot", DEFAULTS, AUTH_CLASS_OPEN, "GET", "", "Host: localhost.:8080", LO, ERR_MISDIRECTED, 0},
      {"user in front", DEFAULTS, AUTH_CLASS_OPEN, "GET", "", "Host: localhost:8080@evil.example", LO, ERR_MISDIRECTED,
       0},
      {"other spelling of ::1", DEFAULTS, AUTH_CLASS_OPEN, "GET", "", "Host: [0:0:0:0:0:0:0:1]:8080", LO,
       ERR_MISDIRECTED, 0},
      {"bracket left open", DEFAULTS, AUTH_CLASS_OPEN, "GET", "", "Host: [::1", LO, ERR_MISDIRECTED, 0},
      {"listed host, wrong port", HOSTS, AUTH_CLASS_OPEN, "GET", "", "Host: box.example:9001", LO, ERR_MISDIRECTED, 0},
      {"unlisted host", HOSTS, AUTH_CLASS_OPEN, "GET", "", "Host: other.lan", LO, ERR_MISDIRECTED, 0},
      {"foreign origin", DEFAULTS, AUTH_CLASS_OPEN, "GET", "", H "Origin: https://evil.example", LO, ERR_FORBIDDEN, 0},
      {"foreign origin with a key", DEFAULTS, INF, "POST", "", JSON "\nOrigin: https://evil.example\nx-api-key: " KEY1,
       LO, ERR_FORBIDDEN, 0},
      {"null origin", DEFAULTS, AUTH_CLASS_OPEN, "POST", "", JSON "\nOrigin: null", LO, ERR_FORBIDDEN, 0},
      {"empty origin", DEFAULTS, AUTH_CLASS_OPEN, "POST", "", JSON "\nOrigin:", LO, ERR_FORBIDDEN, 0},
      {"https of our port", DEFAULTS, AUTH_CLASS_OPEN, "POST", "", JSON "\nOrigin: https://localhost:8080", LO,
       ERR_FORBIDDEN, 0},
      {"other local port", DEFAULTS, AUTH_CLASS_OPEN, "POST", "", JSON "\nOrigin: http://localhost:3000", LO,
       ERR_FORBIDDEN, 0},
      {"origin with a tail", DEFAULTS, AUTH_CLASS_OPEN, "POST", "", JSON "\nOrigin: http://localhost:8080.evil", LO,
       ERR_FORBIDDEN, 0},
      {"two origins", DEFAULTS, AUTH_CLASS_OPEN, "POST", "",
       JSON "\nOrigin: http://localhost:8080\nOrigin: https://evil.example", LO, ERR_FORBIDDEN, 0},
      {"two origins, ours last", DEFAULTS, AUTH_CLASS_OPEN, "POST", "",
       JSON "\nOrigin: https://evil.example\nOrigin: http://localhost:8080", LO, ERR_FORBIDDEN, 0},
      {"preflight of a stranger", DEFAULTS, AUTH_CLASS_OPEN, "OPTIONS", "", H "Origin: https://evil.example", LO,
       ERR_FORBIDDEN, 0},
      {"configured origin", NAMED, INF, "POST", "", JSON "\nOrigin: https://app.example.com\nx-api-key: " KEY1, LO, OK,
       "key:1"},
      {"configured pattern", NAMED, INF, "POST", "", JSON "\nOrigin: http://a.dev.example:3000\nx-api-key: " KEY1, LO,
       OK, "key:1"},
      {"open path, local", DEFAULTS, AUTH_CLASS_OPEN, "GET", "", "Host: localhost:8080", LO, OK, "nobody"},
      {"open bind: any host", OPEN_BIND, AUTH_CLASS_OPEN, "GET", "",
       "Host: whatever.example\nOrigin: https://evil.example", "1.2.3.4", OK, "nobody"},
  };
  RUN(rows);
}

TEST(credentials_are_found_wherever_the_vendors_put_them) {
  static const struct row rows[] = {
      {"bearer", PERSON, INF, "POST", "", H "Authorization: Bearer " KEY1, LO, OK, "key:1"},
      {"bearer in any case, more spaces", PERSON, INF, "POST", "", H "authorization: bEARER    " KEY2, LO, OK, "key:2"},
      {"raw", PERSON, INF, "POST", "", H "Authorization: " KEY1, LO, OK, "key:1"},
      {"x-api-key", PERSON, INF, "POST", "", H "X-API-Key: " KEY2, LO, OK, "key:2"},
      {"x-goog-api-key", PERSON, INF, "POST", "", H "x-goog-api-key: " KEY2, LO, OK, "key:2"},
      {"subscription", PERSON, INF, "GET", "", H "X-Subscription-Token: " KEY2, LO, OK, "key:2"},
      {"query", PERSON, INF, "GET", "alt=sse&key=" KEY2, "Host: localhost:8080", LO, OK, "key:2"},
      {"query, encoded", PERSON, INF, "GET", "key=%73k%2Dmaestro-second-0123456789&alt=sse", "Host: localhost:8080", LO,
       OK, "key:2"},
      {"admin", PERSON, INF, "POST", "", H "Authorization: Bearer " ADMIN, LO, OK, "admin"},
      {"user", USERS, INF, "POST", "", H "Authorization: Bearer " USER1, LO, OK, "user:7"},
      {"open bind, far peer", OPEN_BIND, INF, "POST", "", H "x-api-key: " KEY1 "\nX-Forwarded-For: 9.9.9.9", "8.8.8.8",
       OK, "key:1"},
      {"cross-site with a key, open bind", OPEN_BIND, INF, "POST", "",
       H "x-api-key: " KEY1 "\nSec-Fetch-Site: cross-site", "8.8.8.8", OK, "key:1"},
      {"text/plain with a key", DEFAULTS, INF, "POST", "", H "Content-Type: text/plain\nx-api-key: " KEY1, LO, OK,
       "key:1"},

      {"wrong", PERSON, INF, "POST", "", H "x-api-key: sk-maestro-wrong", LO, DENY, 0},
      {"prefix of a key", PERSON, INF, "POST", "", H "x-api-key: sk-maestro-first-012345678", LO, DENY, 0},
      {"key with a tail", PERSON, INF, "POST", "", H "x-api-key: " KEY1 "0", LO, DENY, 0},
      {"other case", PERSON, INF, "POST", "", H "x-api-key: SK-MAESTRO-FIRST-0123456789", LO, DENY, 0},
      {"basic", PERSON, INF, "POST", "", H "Authorization: Basic " KEY1, LO, DENY, 0},
      {"bearer glued", PERSON, INF, "POST", "", H "Authorization: Bearer" KEY1, LO, DENY, 0},
      {"query key of another name", PERSON, INF, "GET", "api_key=" KEY1, "Host: localhost:8080", LO, DENY, 0},
      {"session as bearer", PERSON, INF, "POST", "", H "Authorization: Bearer " SESSION, LO, DENY, 0},
      {"user as cookie", PERSON, INF, "GET", "", H "Cookie: maestro_session=" USER1, LO, DENY, 0},
      {"key as cookie", PERSON, AUTH_CLASS_API_READ, "GET", "", H "Cookie: maestro_session=" KEY1, LO, DENY, 0},
      {"admin token as cookie", PERSON, AUTH_CLASS_PANEL_READ, "GET", "", H "Cookie: maestro_session=" ADMIN, LO, DENY,
       0},
      {"metrics token elsewhere", PERSON, INF, "POST", "", H "x-api-key: " METRICS_TOKEN, LO, DENY, 0},
      {"wrong, though local", DEFAULTS, INF, "POST", "", JSON "\nx-api-key: sk-maestro-wrong", LO, DENY, 0},
  };
  RUN(rows);
}

TEST(query_key_and_subscription_count_only_where_the_endpoint_takes_them) {
  static const struct row rows[] = {
      {"query", PERSON, INF, "GET", "key=" KEY2, "Host: localhost:8080", LO, DENY, 0},
      {"subscription", PERSON, INF, "GET", "", H "X-Subscription-Token: " KEY2, LO, DENY, 0},
      {"session", PERSON, AUTH_CLASS_PANEL_READ, "GET", "", H "Cookie: maestro_session=" SESSION, LO, DENY, 0},
  };
  run(rows, sizeof rows / sizeof *rows, 0);
}

TEST(all_credentials_count_together) {
  static const struct row rows[] = {
      {"invalid beside valid", PERSON, INF, "POST", "", H "Authorization: Bearer nonsense\nx-api-key: " KEY1, LO, OK,
       "key:1"},
      {"valid beside invalid", PERSON, INF, "POST", "", H "Authorization: Bearer " KEY1 "\nx-api-key: nonsense", LO, OK,
       "key:1"},
      {"placeholder beside valid", PERSON, INF, "POST", "", H "Authorization: Bearer unused\nx-goog-api-key: " KEY2, LO,
       OK, "key:2"},
      {"the same twice", PERSON, INF, "POST", "", H "Authorization: Bearer " KEY1 "\nx-api-key: " KEY1, LO, OK,
       "key:1"},
      {"two keys", PERSON, INF, "POST", "", H "Authorization: Bearer " KEY1 "\nx-api-key: " KEY2, LO, DENY, 0},
      {"two keys, one header name", PERSON, INF, "POST", "", H "x-api-key: " KEY1 "\nx-api-key: " KEY2, LO, DENY, 0},
      {"key and admin", PERSON, INF, "POST", "", H "Authorization: Bearer " ADMIN "\nx-api-key: " KEY1, LO, DENY, 0},
      {"two users", USERS, INF, "POST", "", H "Authorization: Bearer " USER1 "\nx-api-key: " USER2, LO, DENY, 0},
      {"key and query key", PERSON, INF, "GET", "key=" KEY2, H "x-api-key: " KEY1, LO, DENY, 0},
      {"two query keys", PERSON, INF, "GET", "key=" KEY2 "&key=" KEY1, "Host: localhost:8080", LO, DENY, 0},
      {"three, the last differs", PERSON, INF, "POST", "",
       H "Authorization: Bearer " KEY1 "\nx-api-key: nonsense\nx-goog-api-key: " KEY2, LO, DENY, 0},
      {"metrics token beside a key", PERSON, INF, "POST", "", H "Authorization: " METRICS_TOKEN "\nx-api-key: " KEY1,
       LO, OK, "key:1"},
      {"both at /metrics", PERSON, AUTH_CLASS_METRICS, "GET", "",
       H "Authorization: " METRICS_TOKEN "\nx-api-key: " KEY1, LO, OK, "key:1"},
      {"a cookie never quarrels", PERSON, AUTH_CLASS_API_CHANGE, "POST", "",
       H "Cookie: maestro_session=" SESSION "\nx-api-key: " KEY1, LO, OK, "key:1"},
      {"too many", PERSON, INF, "POST", "",
       H "x-api-key: a1\nx-api-key: a2\nx-api-key: a3\nx-api-key: a4\nx-api-key: a5\n"
         "x-api-key: a6\nx-api-key: a7\nx-api-key: a8\nx-api-key: " KEY1,
       LO, DENY, 0},
  };
  RUN(rows);
}

TEST(placeholders_are_accepted_locally_and_nowhere_else) {
  static const char *const known[] = {"",
                                      "unused",
                                      "dummy",
                                      "none",
                                      "sk-...",
                                      "ollama",
                                      "no-key",
                                      "x",
                                      "test",
                                      "EMPTY",
                                      "sk-xxxx",
                                      "sk-unused",
                                      "null",
                                      "lm-studio",
                                      "sk-ant-dummy",
                                      "sk-1234",
                                      "sk-no-key-required",
                                      "not-needed",
                                      "***"};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    char headers[200];
    snprintf(headers, sizeof headers, JSON "\nAuthorization: Bearer %s\nx-api-key: %s", known[i], known[i]);
    struct row rows[] = {{known[i], DEFAULTS, INF, "POST", "", headers, LO, OK, "local"},
                         {known[i], PERSON, INF, "POST", "", headers, LO, DENY, 0},
                         {known[i], DEFAULTS, AUTH_CLASS_API_CHANGE, "POST", "", headers, LO, DENY, 0},
                         {known[i], OPEN_BIND, INF, "POST", "", headers, "8.8.8.8", DENY, 0}};
    RUN(rows);
  }
  static const char *const real[] = {"sk-maestro-1", "sk-abc123", "tests", "xy", "sk-proj-unused", "Bearer unused"};
  for (size_t i = 0; i < sizeof real / sizeof *real; i++) assert_false(auth_is_placeholder(str_from_c(real[i])));
}

TEST(a_key_that_looks_like_a_placeholder_is_still_a_key) {
  struct str key = STR("test");
  struct auth_rules_input in = {
      .keys = &key, .keys_n = 1, .is_key_set_by_person = true, .is_bind_loopback = true, .port = 8080};
  struct auth_rules *rules;
  struct call c;
  struct auth_principal p;
  assert_int_equal(auth_rules_new(&arena, &in, &rules, NULL), OK);
  build(&c, "POST", "", JSON "\nx-api-key: test", LO);
  struct auth_call call = {.request = &c.request, .peer = &c.peer, .class = INF};
  assert_int_equal(auth_check(rules, &call, &p, NULL), OK);
  assert_int_equal(p.kind, AUTH_KEY);
}

TEST(every_class_opens_to_those_whom_the_contract_names) {
  /* local, any key, first key, admin token, user, metrics token, docs login: may they? */
  static const struct {
    enum auth_class class;
    const char *may;
  } want[] = {
      {AUTH_CLASS_OPEN, "yyyyyyy"},         {AUTH_CLASS_DETAILS, "yyyyyyy"},     {AUTH_CLASS_INFERENCE, "yyyyynn"},
      {AUTH_CLASS_METRICS, "yyyyyyn"},      {AUTH_CLASS_API_READ, "yyyynnn"},    {AUTH_CLASS_API_REFRESH, "yyyynnn"},
      {AUTH_CLASS_API_SECRETS, "nnyynnn"},  {AUTH_CLASS_API_CHANGE, "nnyynnn"},  {AUTH_CLASS_PANEL_READ, "ynnynnn"},
      {AUTH_CLASS_PANEL_CHANGE, "nnnynnn"}, {AUTH_CLASS_API_OPERATE, "nnyynnn"}, {AUTH_CLASS_PANEL_OPERATE, "nnnynnn"},
      {AUTH_CLASS_DOCS, "nnnynny"},         {AUTH_CLASS_MANAGE, "nnyyynn"},
  };
  static const struct auth_principal who[] = {
      {.kind = AUTH_LOCAL}, {.kind = AUTH_KEY, .index = 1}, {.kind = AUTH_KEY, .is_first_key = true},
      {.kind = AUTH_ADMIN}, {.kind = AUTH_USER, .id = 7},   {.kind = AUTH_METRICS},
      {.kind = AUTH_DOCS}};
  assert_int_equal(sizeof want / sizeof *want, AUTH_CLASS_COUNT);
  for (size_t i = 0; i < AUTH_CLASS_COUNT; i++)
    for (size_t k = 0; k < 7; k++) {
      if (auth_may(&who[k], want[i].class) != (want[i].may[k] == 'y')) fail_msg("class %zu, principal %zu", i, k);
    }
  /* A user by role: user, viewer, operator, admin. */
  static const char *const roles[AUTH_CLASS_COUNT] = {
      [AUTH_CLASS_OPEN] = "yyyy",         [AUTH_CLASS_DETAILS] = "yyyy",     [AUTH_CLASS_INFERENCE] = "yyyy",
      [AUTH_CLASS_METRICS] = "yyyy",      [AUTH_CLASS_API_READ] = "nyyy",    [AUTH_CLASS_API_REFRESH] = "nnyy",
      [AUTH_CLASS_API_SECRETS] = "nnny",  [AUTH_CLASS_API_CHANGE] = "nnny",  [AUTH_CLASS_PANEL_READ] = "nyyy",
      [AUTH_CLASS_PANEL_CHANGE] = "nnny", [AUTH_CLASS_API_OPERATE] = "nnyy", [AUTH_CLASS_PANEL_OPERATE] = "nnyy",
      [AUTH_CLASS_DOCS] = "nyyy",         [AUTH_CLASS_MANAGE] = "yyyy"};
  for (int i = 0; i < AUTH_CLASS_COUNT; i++)
    for (int role = 0; role < USER_ROLE_COUNT; role++) {
      struct auth_principal user = {.kind = AUTH_USER, .id = 7, .role = (enum user_role)role};
      if (auth_may(&user, (enum auth_class)i) != (roles[i][role] == 'y')) fail_msg("class %d, role %d", i, role);
    }
  struct auth_principal key = {.kind = AUTH_KEY, .index = 1, .role = USER_ROLE_ADMIN}; /* roles are users' alone */
  assert_false(auth_may(&key, AUTH_CLASS_PANEL_CHANGE));
  struct auth_principal nobody = {.kind = AUTH_NOBODY};
  assert_true(auth_may(&nobody, AUTH_CLASS_OPEN) && auth_may(&nobody, AUTH_CLASS_DETAILS));
  assert_false(auth_may(&nobody, AUTH_CLASS_METRICS));
}

TEST(classes_as_requests) {
  static const struct row rows[] = {
      {"metrics, local", DEFAULTS, AUTH_CLASS_METRICS, "GET", "", "Host: localhost:8080", LO, OK, "local"},
      {"metrics, not local", OPEN_BIND, AUTH_CLASS_METRICS, "GET", "", "Host: a", "8.8.8.8", DENY, 0},
      {"metrics token", OPEN_BIND, AUTH_CLASS_METRICS, "GET", "", "Host: a\nAuthorization: Bearer " METRICS_TOKEN,
       "8.8.8.8", OK, "metrics"},
      {"metrics, raw token", OPEN_BIND, AUTH_CLASS_METRICS, "GET", "", "Host: a\nAuthorization: " METRICS_TOKEN,
       "8.8.8.8", OK, "metrics"},
      {"healthz for strangers", OPEN_BIND, AUTH_CLASS_DETAILS, "GET", "", "Host: a", "8.8.8.8", OK, "nobody"},
      {"healthz with a wrong key", DEFAULTS, AUTH_CLASS_DETAILS, "GET", "", H "x-api-key: sk-wrong", LO, OK, "nobody"},
      {"healthz with two keys", PERSON, AUTH_CLASS_DETAILS, "GET", "", H "x-api-key: " KEY1 "\nx-api-key: " KEY2, LO,
       OK, "nobody"},
      {"healthz, local", DEFAULTS, AUTH_CLASS_DETAILS, "GET", "", "Host: localhost:8080", LO, OK, "local"},
      {"healthz with a key", OPEN_BIND, AUTH_CLASS_DETAILS, "GET", "", "Host: a\nx-api-key: " KEY2, "8.8.8.8", OK,
       "key:2"},
      {"refresh, local", DEFAULTS, AUTH_CLASS_API_REFRESH, "POST", "", JSON, LO, OK, "local"},
      {"change, local", DEFAULTS, AUTH_CLASS_API_CHANGE, "POST", "", JSON, LO, DENY, 0},
      {"secrets, local", DEFAULTS, AUTH_CLASS_API_SECRETS, "GET", "", H "A: b", LO, DENY, 0},
      {"change, first key", DEFAULTS, AUTH_CLASS_API_CHANGE, "POST", "", JSON "\nx-api-key: " KEY1, LO, OK, "key:1"},
      {"change, second key", DEFAULTS, AUTH_CLASS_API_CHANGE, "POST", "", JSON "\nx-api-key: " KEY2, LO, ERR_FORBIDDEN,
       0},
      {"change, user", USERS, AUTH_CLASS_API_CHANGE, "POST", "", JSON "\nx-api-key: " USER1, LO, ERR_FORBIDDEN, 0},
      {"panel read, local", DEFAULTS, AUTH_CLASS_PANEL_READ, "GET", "", H "A: b", LO, OK, "local"},
      {"panel change, local", DEFAULTS, AUTH_CLASS_PANEL_CHANGE, "POST", "", JSON, LO, DENY, 0},
      {"panel change, first key", DEFAULTS, AUTH_CLASS_PANEL_CHANGE, "POST", "", JSON "\nx-api-key: " KEY1, LO,
       ERR_FORBIDDEN, 0},
      {"panel change, admin", DEFAULTS, AUTH_CLASS_PANEL_CHANGE, "POST", "", JSON "\nAuthorization: Bearer " ADMIN, LO,
       OK, "admin"},
      {"panel, wrong token", PERSON, AUTH_CLASS_PANEL_READ, "GET", "", H "Authorization: Bearer wrong", LO,
       ERR_FORBIDDEN, 0},
      {"panel, no token", PERSON, AUTH_CLASS_PANEL_READ, "GET", "", H "A: b", LO, DENY, 0},
  };
  RUN(rows);
}

TEST(a_session_changes_things_only_from_our_own_pages) {
#define COOKIE "Host: maestro.example\nCookie: theme=dark; maestro_session=" SESSION
  static const struct row rows[] = {
      {"read", OPEN_BIND, AUTH_CLASS_PANEL_READ, "GET", "", COOKIE, "8.8.8.8", OK, "admin"},
      {"change, no origin", OPEN_BIND, AUTH_CLASS_PANEL_CHANGE, "POST", "", COOKIE, "8.8.8.8", ERR_FORBIDDEN, 0},
      {"change, other origin", OPEN_BIND, AUTH_CLASS_PANEL_CHANGE, "POST", "", COOKIE "\nOrigin: https://evil.example",
       "8.8.8.8", ERR_FORBIDDEN, 0},
      {"change, other port", OPEN_BIND, AUTH_CLASS_PANEL_CHANGE, "POST", "",
       COOKIE "\nOrigin: https://maestro.example:444", "8.8.8.8", ERR_FORBIDDEN, 0},
      {"change, same-site", OPEN_BIND, AUTH_CLASS_PANEL_CHANGE, "POST", "", COOKIE "\nSec-Fetch-Site: same-site",
       "8.8.8.8", ERR_FORBIDDEN, 0},
      {"change, our origin", OPEN_BIND, AUTH_CLASS_PANEL_CHANGE, "POST", "",
       COOKIE "\nX-CSRF-Token: " CSRF "\nOrigin: https://maestro.example", "8.8.8.8", OK, "admin"},
      {"change, same-origin", OPEN_BIND, AUTH_CLASS_PANEL_CHANGE, "POST", "",
       COOKIE "\nX-CSRF-Token: " CSRF "\nSec-Fetch-Site: same-origin", "8.8.8.8", OK, "admin"},
      {"change, a token of old", OPEN_BIND, AUTH_CLASS_PANEL_CHANGE, "POST", "",
       COOKIE "\nX-CSRF-Token: " CSRF "\nOrigin: https://evil.example", "8.8.8.8", ERR_FORBIDDEN, 0},
      {"change, no token", OPEN_BIND, AUTH_CLASS_PANEL_CHANGE, "POST", "", COOKIE "\nOrigin: https://maestro.example",
       "8.8.8.8", ERR_FORBIDDEN, 0},
      {"change, cut token", OPEN_BIND, AUTH_CLASS_PANEL_CHANGE, "POST", "",
       COOKIE "\nX-CSRF-Token: x\nOrigin: https://maestro.example", "8.8.8.8", ERR_FORBIDDEN, 0},
      {"no model", OPEN_BIND, AUTH_CLASS_INFERENCE, "GET", "", COOKIE, "8.8.8.8", ERR_FORBIDDEN, 0},
      {"expired", OPEN_BIND, AUTH_CLASS_PANEL_READ, "GET", "", "Host: a\nCookie: maestro_session=old", "8.8.8.8", DENY,
       0},
      {"expired, but local", DEFAULTS, AUTH_CLASS_PANEL_READ, "GET", "", H "Cookie: maestro_session=old", LO, OK,
       "local"},
      {"a cookie of nearly that name", OPEN_BIND, AUTH_CLASS_PANEL_READ, "GET", "",
       "Host: a\nCookie: xmaestro_session=" SESSION, "8.8.8.8", DENY, 0},
  };
  RUN(rows);
}

TEST(the_description_opens_to_logins_alone) {
#define BASIC "Host: a\nAuthorization: Basic ZG9jOm9wZW4gc2VzYW1l" /* doc:open sesame */
  static const struct row rows[] = {
      {"basic", OPEN_BIND, AUTH_CLASS_DOCS, "GET", "", BASIC, "8.8.8.8", OK, "docs"},
      {"basic, wrong", OPEN_BIND, AUTH_CLASS_DOCS, "GET", "", BASIC "x", "8.8.8.8", OK, "nobody"},
      {"nobody", OPEN_BIND, AUTH_CLASS_DOCS, "GET", "", "Host: a", "8.8.8.8", OK, "nobody"},
      {"local is not enough", DEFAULTS, AUTH_CLASS_DOCS, "GET", "", H "A: b", LO, OK, "local"},
      {"session", OPEN_BIND, AUTH_CLASS_DOCS, "GET", "", "Host: a\nCookie: maestro_session=" SESSION, "8.8.8.8", OK,
       "admin"},
      {"a user", OPEN_BIND, AUTH_CLASS_DOCS, "GET", "", "Host: a\nx-api-key: " USER1, "8.8.8.8", ERR_FORBIDDEN, 0},
      {"basic opens nothing else", OPEN_BIND, AUTH_CLASS_PANEL_READ, "GET", "", BASIC, "8.8.8.8", DENY, 0},
      {"nor models", OPEN_BIND, AUTH_CLASS_INFERENCE, "GET", "", BASIC, "8.8.8.8", DENY, 0},
      {"and harms no session", OPEN_BIND, AUTH_CLASS_PANEL_READ, "GET", "", BASIC "\nCookie: maestro_session=" SESSION,
       "8.8.8.8", OK, "admin"},
  };
  RUN(rows);
}

TEST(no_error_repeats_what_was_sent) {
  static const char *const headers[] = {H "Authorization: Bearer SEEKRIT", "Host: SEEKRIT", H "Origin: https://SEEKRIT",
                                        H "x-api-key: SEEKRIT\nContent-Type: SEEKRIT",
                                        H "X-Forwarded-For: SEEKRIT\nVia: SEEKRIT"};
  for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
    for (int class = AUTH_CLASS_INFERENCE; class < AUTH_CLASS_DOCS; class ++) {
      struct call c;
      struct err_info info = {0};
      struct auth_principal p;
      build(&c, "POST", "key=SEEKRIT", headers[i], LO);
      struct auth_call call = {.request = &c.request, .peer = &c.peer, .class = class, .accept = accept_all};
      assert_int_not_equal(auth_check(all_rules[DEFAULTS], &call, &p, &info), OK);
      assert_true(strlen(info.text) > 20);
      assert_null(strstr(info.text, "SEEKRIT"));
    }
}

TEST(errors_say_what_to_do) {
  struct call c;
  struct err_info info = {0};
  struct auth_principal p;
  build(&c, "POST", "", JSON, LO);
  struct auth_call call = {.request = &c.request, .peer = &c.peer, .class = INF};
  assert_int_equal(auth_check(all_rules[PERSON], &call, &p, &info), ERR_UNAUTHENTICATED);
  assert_non_null(strstr(info.text, "maestro server show-key"));
  build(&c, "GET", "", "Host: other.example", LO);
  assert_int_equal(auth_check(all_rules[PERSON], &call, &p, &info), ERR_MISDIRECTED);
  assert_non_null(strstr(info.text, "server.hosts"));
  build(&c, "POST", "", H "Content-Type: text/plain", LO);
  assert_int_equal(auth_check(all_rules[DEFAULTS], &call, &p, &info), ERR_UNAUTHENTICATED);
  assert_non_null(strstr(info.text, "application/json"));
}

TEST(who_lacks_a_right_is_told_what_has_it) {
  static const struct {
    enum auth_class class;
    const char *credential, *says;
  } rows[] = {
      {AUTH_CLASS_PANEL_READ, H "Authorization: Bearer " USER1, "role viewer, operator or admin"},
      {AUTH_CLASS_API_OPERATE, H "Authorization: Bearer " USER1, "role operator or admin"},
      {AUTH_CLASS_PANEL_CHANGE, H "Authorization: Bearer " USER1, "role admin"},
      {INF, H "Cookie: maestro_session=" SESSION, "a user's token or a server key"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct call c;
    struct err_info info = {0};
    struct auth_principal p;
    build(&c, "GET", "", rows[i].credential, LO);
    struct auth_call call = {
        .request = &c.request, .peer = &c.peer, .class = rows[i].class, .accept = AUTH_ACCEPT_SESSION};
    assert_int_equal(auth_check(all_rules[PERSON], &call, &p, &info), ERR_FORBIDDEN);
    if (!strstr(info.text, rows[i].says)) fail_msg("row %zu: %s", i, info.text);
  }
}

TEST(collect_bounds_what_it_takes) {
  static char query[2000], big[AUTH_CREDENTIAL_BYTES_MAX + 1];
  struct call c;
  struct auth_credentials got;
  snprintf(query, sizeof query, "key=%0*d&key=ok", AUTH_QUERY_KEY_MAX + 1, 7);
  build(&c, "GET", query, "Host: a", LO);
  auth_collect(&c.request, accept_all, &got);
  assert_true(got.overflow);
  assert_int_equal(got.n, 1);
  assert_str(got.v[0].text, STR("ok"));

  build(&c, "GET", "key=%", "Host: a", LO);
  auth_collect(&c.request, accept_all, &got);
  assert_str(got.v[0].text, STR("%"));
  build(&c, "GET", "key=a%4&key&x=1&key=%41%zz", "Host: a", LO);
  auth_collect(&c.request, accept_all, &got);
  assert_int_equal(got.n, 3);
  assert_str(got.v[0].text, STR("a%4"));
  assert_str(got.v[1].text, STR_NONE);
  assert_str(got.v[2].text, STR("A%zz"));

  memset(big, 'a', sizeof big);
  build(&c, "GET", "", "Host: a\nx-api-key: b", LO);
  c.headers[1].value = str_from(big, sizeof big);
  auth_collect(&c.request, 0, &got);
  assert_true(got.overflow);
  assert_int_equal(got.n, 0);
  c.headers[1].value.n--;
  auth_collect(&c.request, 0, &got);
  assert_false(got.overflow);
  assert_int_equal(got.n, 1);
}

TEST(the_clients_address_comes_from_trusted_proxies_only) {
  static const struct {
    const char *peer, *headers, *want;
  } rows[] = {
      {"8.8.8.8", "X-Forwarded-For: 1.1.1.1", "8.8.8.8"},
      {"10.1.2.3", "A: b", "10.1.2.3"},
      {"10.1.2.3", "X-Forwarded-For: 1.1.1.1", "1.1.1.1"},
      {"10.1.2.3", "X-Forwarded-For: 6.6.6.6, 1.1.1.1", "1.1.1.1"},
      {"10.1.2.3", "X-Forwarded-For: 6.6.6.6, 1.1.1.1, 10.9.9.9", "1.1.1.1"},
      {"10.1.2.3", "X-Forwarded-For: 6.6.6.6\nX-Forwarded-For: 1.1.1.1", "1.1.1.1"},
      {"10.1.2.3", "X-Forwarded-For: 1.1.1.1:4711", "1.1.1.1"},
      {"10.1.2.3", "X-Forwarded-For: [2001:db8::1]:4711", "2001:db8::1"},
      {"10.1.2.3", "X-Forwarded-For: nonsense", "10.1.2.3"},
      {"10.1.2.3", "X-Forwarded-For: 1.1.1.1, nonsense", "10.1.2.3"},
      {"10.1.2.3", "X-Forwarded-For: 10.0.0.5, 10.0.0.6", "10.0.0.5"},
      {"10.1.2.3", "X-Forwarded-For: ,", "10.1.2.3"},
      {"10.1.2.3", "X-Real-IP: 1.1.1.1\nForwarded: for=1.1.1.1", "10.1.2.3"},
      {"11.1.2.3", "X-Forwarded-For: 1.1.1.1", "11.1.2.3"},
      {"127.0.0.1", "X-Forwarded-For: 1.1.1.1", "1.1.1.1"},
      {"127.0.0.2", "X-Forwarded-For: 1.1.1.1", "127.0.0.2"},
      {"::ffff:10.1.1.1", "X-Forwarded-For: 1.1.1.1", "1.1.1.1"},
      {"fd00:1::2", "X-Forwarded-For: 1.1.1.1", "1.1.1.1"},
      {"fd01:1::2", "X-Forwarded-For: 1.1.1.1", "fd01:1::2"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct call c;
    char out[46];
    build(&c, "GET", "", rows[i].headers, rows[i].peer);
    auth_client_address(all_rules[OPEN_BIND], &c.request, &c.peer, out);
    if (strcmp(out, rows[i].want) != 0) fail_msg("%s from %s gave %s", rows[i].headers, rows[i].peer, out);
  }
}

static enum err try_key(struct auth_failures *f, const char *key, const char *extra, const char *peer, uint64_t now_us,
                        struct err_info *info) {
  char headers[300];
  struct call c;
  struct auth_principal p;
  snprintf(headers, sizeof headers, "Host: a\n%s%s%s", key ? "x-api-key: " : "A: b", key ? key : "", extra);
  build(&c, "POST", "", headers, peer);
  struct auth_call call = {.request = &c.request, .peer = &c.peer, .class = INF, .failures = f, .now_us = now_us};
  return auth_check(all_rules[OPEN_BIND], &call, &p, info);
}

TEST(failures_are_limited_per_address_and_good_credentials_stay_good) {
  struct auth_failures *f;
  struct err_info info = {0};
  uint64_t now = 5000000;
  assert_int_equal(auth_failures_new(&f, NULL, NULL), OK);
  assert_int_equal(try_key(f, KEY2, "", "8.8.8.8", now, &info), OK);
  for (int i = 0; i < 10; i++) assert_int_equal(try_key(f, "guess", "", "8.8.8.8", now, &info), ERR_UNAUTHENTICATED);
  assert_int_equal(try_key(f, "guess", "", "8.8.8.8", now, &info), ERR_RATE_LIMITED);
  assert_true(info.retry_after_ms > 0 && info.retry_after_ms <= 1000);
  /* Unseen, even when right: a guesser learns nothing. The key that was good from here before stays good. */
  assert_int_equal(try_key(f, KEY1, "", "8.8.8.8", now, &info), ERR_RATE_LIMITED);
  assert_int_equal(try_key(f, KEY2, "", "8.8.8.8", now, &info), OK);
  assert_int_equal(try_key(f, KEY1, "", "8.8.4.4", now, &info), OK);
  /* Without a credential nothing is limited. */
  assert_int_equal(try_key(f, NULL, "", "8.8.8.8", now, &info), ERR_UNAUTHENTICATED);
  /* One more each second. */
  now += 1000000;
  assert_int_equal(try_key(f, "guess", "", "8.8.8.8", now, &info), ERR_UNAUTHENTICATED);
  assert_int_equal(try_key(f, "guess", "", "8.8.8.8", now, &info), ERR_RATE_LIMITED);
  now += 1000000;
  assert_int_equal(try_key(f, KEY1, "", "8.8.8.8", now, &info), OK);
  auth_failures_free(f);
}

TEST(failures_follow_forwarded_addresses_of_trusted_proxies_only) {
  struct auth_failures *f;
  struct err_info info = {0};
  assert_int_equal(auth_failures_new(&f, NULL, NULL), OK);
  for (int i = 0; i < 11; i++) (void)try_key(f, "guess", "\nX-Forwarded-For: 1.1.1.1", "10.0.0.1", 1, &info);
  assert_int_equal(try_key(f, "guess", "\nX-Forwarded-For: 1.1.1.1", "10.0.0.1", 1, &info), ERR_RATE_LIMITED);
  assert_int_equal(try_key(f, "guess", "\nX-Forwarded-For: 2.2.2.2", "10.0.0.1", 1, &info), ERR_UNAUTHENTICATED);
  for (int i = 0; i < 11; i++) {
    char other[60];
    snprintf(other, sizeof other, "\nX-Forwarded-For: 3.3.3.%d", i);
    (void)try_key(f, "guess", other, "9.9.9.9", 1, &info);
  }
  assert_int_equal(try_key(f, "guess", "\nX-Forwarded-For: 4.4.4.4", "9.9.9.9", 1, &info), ERR_RATE_LIMITED);
  auth_failures_free(f);
}

TEST(a_second_wrong_key_beside_a_good_one_counts_once_each) {
  struct auth_failures *f;
  struct err_info info = {0};
  assert_int_equal(auth_failures_new(&f, NULL, NULL), OK);
  for (int i = 0; i < 50; i++)
    assert_int_equal(try_key(f, KEY1, "\nAuthorization: Bearer of-a-vendor", "8.8.8.8", 1, &info), OK);
  assert_int_equal(try_key(f, "guess", "", "8.8.8.8", 1, &info), ERR_UNAUTHENTICATED);
  for (int i = 0; i < 10; i++) {
    char guess[60];
    snprintf(guess, sizeof guess, "\nAuthorization: Bearer guess-%d", i);
    assert_int_equal(try_key(f, KEY1, guess, "8.8.8.8", 1, &info), OK);
  }
  /* The other key is right, so it would be a quarrel; refused unseen it tells nothing. */
  assert_int_equal(try_key(f, KEY1, "\nAuthorization: Bearer " KEY2, "8.8.8.8", 1, &info), OK);
  assert_int_equal(try_key(f, KEY1, "\nAuthorization: Bearer " KEY2, "8.8.4.4", 1, &info), ERR_UNAUTHENTICATED);
  auth_failures_free(f);
}

TEST(rules_refuse_what_they_cannot_understand) {
  static const char *const hosts[] = {
      "", "a b", "http://a", "a:0", "::1::", "a:99999", "a:b", "*.example.com", "a/b", ":80"};
  static const char *const origins[] = {"",           "app.example.com", "https://", "https://a/b",
                                        "https://A/", "https://u@a",     "null"};
  static const char *const proxies[] = {"", "10.0.0.0/33", "10.0.0/8", "::/129", "a", "10.0.0.0/", "10.0.0.0/-1"};
  struct auth_rules *rules = NULL;
  for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
    struct err_info info = {0};
    struct str s = str_from_c(hosts[i]);
    struct auth_rules_input in = {.hosts = &s, .hosts_n = 1};
    assert_int_equal(auth_rules_new(&arena, &in, &rules, &info), ERR_BAD_VALUE);
    assert_string_equal(info.param, "server.hosts");
  }
  for (size_t i = 0; i < sizeof origins / sizeof *origins; i++) {
    struct str s = str_from_c(origins[i]);
    struct auth_rules_input in = {.origins = &s, .origins_n = 1};
    assert_int_equal(auth_rules_new(&arena, &in, &rules, NULL), ERR_BAD_VALUE);
  }
  for (size_t i = 0; i < sizeof proxies / sizeof *proxies; i++) {
    struct str s = str_from_c(proxies[i]);
    struct auth_rules_input in = {.trusted_proxies = &s, .trusted_proxies_n = 1};
    assert_int_equal(auth_rules_new(&arena, &in, &rules, NULL), ERR_BAD_VALUE);
  }
  struct str empty = STR_NONE;
  struct auth_rules_input in = {.keys = &empty, .keys_n = 1};
  assert_int_equal(auth_rules_new(&arena, &in, &rules, NULL), ERR_BAD_VALUE);
  assert_null(rules);
}

TEST(hosts_and_origins_are_understood_as_people_write_them) {
  static const struct str hosts[] = {{"fd00::7", 7}, {"[fd00::8]:9000", 14}};
  static const struct str origins[] = {{"HTTPS://App.Example.com:443", 27}, {"http://b:80", 11}, {"http://c:8443", 13}};
  struct auth_rules_input in = {
      .is_bind_loopback = true, .port = 8080, .hosts = hosts, .hosts_n = 2, .origins = origins, .origins_n = 3};
  struct auth_rules *rules;
  struct call c;
  size_t n;
  assert_int_equal(auth_rules_new(&arena, &in, &rules, NULL), OK);
  const struct str *cleaned = auth_rules_origins(rules, &n);
  assert_int_equal(n, 3);
  assert_str(cleaned[0], STR("https://app.example.com"));
  assert_str(cleaned[1], STR("http://b"));
  assert_str(cleaned[2], STR("http://c:8443"));
  build(&c, "GET", "", "Host: [FD00::7]:8080\nOrigin: https://app.example.com", LO);
  assert_int_equal(auth_check_origin(rules, &c.request, &c.peer, NULL), OK);
  build(&c, "GET", "", "Host: [fd00::8]:9000\nOrigin: http://[fd00::7]:8080", LO);
  assert_int_equal(auth_check_origin(rules, &c.request, &c.peer, NULL), OK);
  build(&c, "GET", "", "Host: [fd00::8]:8080", LO);
  assert_int_equal(auth_check_origin(rules, &c.request, &c.peer, NULL), ERR_MISDIRECTED);
}

TEST(without_any_key_nothing_is_valid) {
  struct auth_rules_input in = {.is_bind_loopback = false, .port = 8080};
  struct auth_rules *rules;
  struct call c;
  struct auth_principal p;
  assert_int_equal(auth_rules_new(&arena, &in, &rules, NULL), OK);
  build(&c, "POST", "", "Host: a\nAuthorization: Bearer\nx-api-key:", "8.8.8.8");
  struct auth_call call = {.request = &c.request, .peer = &c.peer, .class = INF};
  assert_int_equal(auth_check(rules, &call, &p, NULL), ERR_UNAUTHENTICATED);
}

TEST(port_zero_means_the_connections_own) {
  struct auth_rules_input in = {.is_bind_loopback = true};
  struct auth_rules *rules;
  struct call c;
  assert_int_equal(auth_rules_new(&arena, &in, &rules, NULL), OK);
  build(&c, "GET", "", "Host: localhost:4711", LO);
  c.peer.local_port = 4711;
  assert_true(auth_is_local(rules, &c.request, &c.peer));
  c.peer.local_port = 4712;
  assert_false(auth_is_local(rules, &c.request, &c.peer));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_local_call_needs_no_credential_and_every_condition_counts),
      cmocka_unit_test(every_header_of_a_proxy_or_tunnel_counts),
      cmocka_unit_test(doubled_and_missing_headers_judged_alone),
      cmocka_unit_test(host_and_origin_are_checked_on_every_path_of_a_loopback_bind),
      cmocka_unit_test(credentials_are_found_wherever_the_vendors_put_them),
      cmocka_unit_test(query_key_and_subscription_count_only_where_the_endpoint_takes_them),
      cmocka_unit_test(all_credentials_count_together),
      cmocka_unit_test(placeholders_are_accepted_locally_and_nowhere_else),
      cmocka_unit_test(a_key_that_looks_like_a_placeholder_is_still_a_key),
      cmocka_unit_test(every_class_opens_to_those_whom_the_contract_names),
      cmocka_unit_test(classes_as_requests),
      cmocka_unit_test(a_session_changes_things_only_from_our_own_pages),
      cmocka_unit_test(the_description_opens_to_logins_alone),
      cmocka_unit_test(no_error_repeats_what_was_sent),
      cmocka_unit_test(errors_say_what_to_do),
      cmocka_unit_test(who_lacks_a_right_is_told_what_has_it),
      cmocka_unit_test(collect_bounds_what_it_takes),
      cmocka_unit_test(the_clients_address_comes_from_trusted_proxies_only),
      cmocka_unit_test(failures_are_limited_per_address_and_good_credentials_stay_good),
      cmocka_unit_test(failures_follow_forwarded_addresses_of_trusted_proxies_only),
      cmocka_unit_test(a_second_wrong_key_beside_a_good_one_counts_once_each),
      cmocka_unit_test(rules_refuse_what_they_cannot_understand),
      cmocka_unit_test(hosts_and_origins_are_understood_as_people_write_them),
      cmocka_unit_test(without_any_key_nothing_is_valid),
      cmocka_unit_test(port_zero_means_the_connections_own),
  };
  return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
