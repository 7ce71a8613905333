/* Conformance of the HTTP client, the exchange itself: what goes out, the one resend, framing, hostile replies, gzip.
 */
#include <zlib.h>

#include "client_fixture.h"

/* ---- keep-alive, what goes out ---- */

static void story_keep_alive(struct fix *f) {
  struct str body[] = {STR("{\"a\":"), STR("1"), STR(""), STR("}")};
  struct http_header headers[] = {{STR("Content-Type"), STR("application/json")},
                                  {STR("Authorization"), STR("Bearer x")},
                                  {STR("X-Empty"), STR("")},
                                  {STR("Host"), STR("evil.example")},
                                  {STR("Content-Length"), STR("7")},
                                  {STR("connection"), STR("close")}};
  for (unsigned i = 0; i < 3; i++) {
    struct http_client_request q = get(f, "/v1/x%2Fy?q=a:b");
    q.method = HTTP_POST;
    q.headers = (struct http_headers){headers, 6};
    q.body = body;
    q.body_slices = 4;
    struct got g = fetch(f, &q);
    char host[64];
    snprintf(host, sizeof host, "\r\nHost: 127.0.0.1:%u\r\n", f->origin.port);
    CHECK_ERR(f, g.start, OK);
    CHECK_ERR(f, g.read, OK);
    CHECK(f, g.status == 200 && g.is_reused == (i > 0) && g.resends == 0);
    CHECK(f, str_has_prefix(buf_str(&g.body), STR("POST /v1/x%2Fy?q=a:b HTTP/1.1\r\n")));
    CHECK(f, str_has_suffix(buf_str(&g.body), STR("\r\n\r\n{\"a\":1}")));
    CHECK(f, has_line(&g, host) && has_line(&g, "\r\nContent-Length: 7\r\n"));
    CHECK(f, has_line(&g, "\r\nAuthorization: Bearer x\r\n") && has_line(&g, "\r\nAccept-Encoding: identity\r\n"));
    CHECK(f, has_line(&g, "\r\nX-Empty:"));
    CHECK(f, !has_line(&g, "evil") && !has_line(&g, "close") && !has_line(&g, "Expect") && !has_line(&g, "User-Agent"));
    CHECK(f, !has_line(&g, "Accept:"));
    buf_clear(&g.body);
  }
  struct http_client_request q = get(f, "/plain");
  q.accept_gzip = true;
  struct got g = fetch(f, &q);
  CHECK(f, g.is_reused && str_has_prefix(buf_str(&g.body), STR("GET /plain HTTP/1.1\r\n")));
  CHECK(f,
        has_line(&g, "Accept-Encoding: gzip\r\n") && !has_line(&g, "Content-Length") && !has_line(&g, "Content-Type"));
  buf_clear(&g.body);
  static const enum http_method methods[] = {HTTP_PUT, HTTP_PATCH, HTTP_DELETE, HTTP_OPTIONS, HTTP_POST, HTTP_GET};
  for (unsigned i = 0; i < 6; i++) {
    q.method = methods[i];
    g = fetch(f, &q);
    CHECK(f, g.status == 200 && str_has_prefix(buf_str(&g.body), http_method_name(methods[i])));
    CHECK(f, has_line(&g, "Content-Length: 0") ==
                 (methods[i] == HTTP_PUT || methods[i] == HTTP_PATCH || methods[i] == HTTP_POST));
    buf_clear(&g.body);
  }
  const struct http_client_stats *s = http_client_stats(f->client);
  CHECK(f, s->calls == 10 && s->connects == 1 && s->reused == 9 && s->resends == 0 && s->connections_open == 1);
}

TEST(keep_alive_reuses_one_connection) {
  struct fix f = {.impl = *state};
  run_case(&f, serve_echo, NULL, story_keep_alive);
  finish(&f);
}

static void story_unsafe(struct fix *f) {
  struct http_header bad[] = {{STR("X"), STR("a\r\nY: b")}, {STR("X Y"), STR("a")}, {STR(""), STR("a")}};
  struct http_client_request q = get(f, "/");
  for (unsigned i = 0; i < 3; i++) {
    q.headers = (struct http_headers){&bad[i], 1};
    CHECK_ERR(f, fetch_err(f, &q), ERR_INTERNAL);
  }
  q.headers.n = 0;
  static const char *const targets[] = {"", "x", "/a b", "/a\r\n", "/a#b", "/\x80"};
  for (unsigned i = 0; i < 6; i++) {
    q.target = str_from_c(targets[i]);
    CHECK_ERR(f, fetch_err(f, &q), ERR_INTERNAL);
  }
  CHECK(f, http_client_stats(f->client)->connects == 0);
}

TEST(unsafe_requests_are_refused) {
  struct fix f = {.impl = *state};
  run_case(&f, serve_echo, NULL, story_unsafe);
  finish(&f);
}

/* ---- the one resend ---- */

struct resend_script {
  bool reset, partial_read, second_fails, idle_close;
};

static void serve_resend(struct conn *c, void *arg) {
  const struct resend_script *script = arg;
  unsigned index = c->index;
  if (index == 0) {
    conn_read_request(c);
    conn_say(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    if (script->idle_close) return;
    if (script->partial_read) {
      conn_read_head(c);
    } else {
      conn_read_request(c);
    }
    if (script->reset) conn_reset(c);
    return;
  }
  if (!conn_read_request(c)) return;
  atomic_store(&c->server->hash, str_hash(buf_str(&c->body), 1));
  if (script->second_fails) return;
  conn_say(c, "HTTP/1.1 201 Created\r\nContent-Length: 3\r\n\r\nyes");
  conn_wait_gone(c, SERVER_WAIT_MS);
}

static void story_resend(struct fix *f) {
  const struct resend_script *script = f->arg;
  struct http_client_request first = get(f, "/");
  CHECK_ERR(f, fetch_err(f, &first), OK);
  if (script->idle_close) CHECK_ERR(f, fiber_sleep_until(clock_mono_us() + 50000), OK);
  size_t n = script->partial_read ? 3000000 : 90000;
  char *bytes = pattern(n);
  struct str body[] = {str_from(bytes, 10), str_from(bytes + 10, 65536), STR_NONE, str_from(bytes + 65546, n - 65546)};
  struct http_client_request q = get(f, "/again");
  q.method = HTTP_POST;
  q.body = body;
  q.body_slices = 4;
  struct got g = fetch(f, &q);
  if (script->second_fails) {
    CHECK_ERR(f, g.start, ERR_UPSTREAM_CUT);
    CHECK(f, atomic_load(&f->server->conns) == 2);
  } else {
    CHECK_ERR(f, g.start, OK);
    CHECK_ERR(f, g.read, OK);
    CHECK(f, g.status == 201 && !g.is_reused);
    CHECK(f, g.resends == (script->idle_close ? 0 : 1));
    CHECK(f, atomic_load(&f->server->hash) == str_hash(str_from(bytes, n), 1));
    CHECK(f, http_client_stats(f->client)->resends == g.resends);
  }
  buf_clear(&g.body);
  free(bytes);
}

TEST(a_dead_reused_connection_is_replaced_once) {
  static const struct resend_script scripts[] = {
      {.reset = false},       {.reset = true},      {.reset = true, .partial_read = true},
      {.second_fails = true}, {.idle_close = true}, {.second_fails = true, .reset = true}};
  for (unsigned i = 0; i < sizeof scripts / sizeof *scripts; i++) {
    struct fix f = {.impl = *state, .arg = &scripts[i]};
    run_case(&f, serve_resend, (void *)&scripts[i], story_resend);
    if (f.failures) fprintf(stderr, "resend script %u\n", i);
    finish(&f);
  }
}

static void serve_nothing(struct conn *c, void *arg) {
  (void)arg;
  conn_read_request(c);
}

static void story_fresh_death(struct fix *f) {
  struct http_client_request q = get(f, "/");
  CHECK_ERR(f, fetch_err(f, &q), ERR_UPSTREAM_CUT);
  CHECK(f, atomic_load(&f->server->requests) == 1 && http_client_stats(f->client)->resends == 0);
}

TEST(a_fresh_connection_is_not_retried) {
  struct fix f = {.impl = *state};
  run_case(&f, serve_nothing, NULL, story_fresh_death);
  finish(&f);
}

static void serve_late_death(struct conn *c, void *arg) {
  conn_read_request(c);
  conn_say(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  conn_read_request(c);
  conn_send(c, str_from_c(arg));
}

static void story_late_death(struct fix *f) {
  struct http_client_request q = get(f, "/");
  CHECK_ERR(f, fetch_err(f, &q), OK);
  enum err e = fetch_err(f, &q);
  CHECK(f, e == ERR_UPSTREAM_CUT || e == ERR_UPSTREAM_PROTOCOL);
  CHECK(f, atomic_load(&f->server->requests) == 2);
}

TEST(a_connection_that_died_after_a_byte_is_not_replaced) {
  struct fix f = {.impl = *state};
  static const char *const before[] = {"HTTP/1.1 200 OK\r\n", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1", "H"};
  /* curl counts whole lines only, and sends again after a part of the first one. */
  for (unsigned i = 0; i < (f.impl->is_curl ? 2 : 4); i++)
    run_case(&f, serve_late_death, (void *)before[i], story_late_death);
  finish(&f);
}

/* Two pooled connections, both dead: the resend has to use a new one. */
static void serve_two_dead(struct conn *c, void *arg) {
  (void)arg;
  conn_read_request(c);
  if (c->index < 2) {
    while (atomic_load(&c->server->requests) < 2) usleep(1000);
    conn_say(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    conn_read_request(c);
    return;
  }
  conn_say(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  conn_wait_gone(c, SERVER_WAIT_MS);
}

static enum err fetch_child(void *arg) {
  struct http_client_request q = get(arg, "/");
  return fetch_err(arg, &q);
}

static void story_two_dead(struct fix *f) {
  struct fiber_group g;
  fiber_group_init(&g);
  CHECK_ERR(f, fiber_group_go(&g, fetch_child, f), OK);
  CHECK_ERR(f, fiber_group_go(&g, fetch_child, f), OK);
  CHECK_ERR(f, fiber_group_join_all(&g, clock_deadline_ms(SERVER_WAIT_MS)), OK);
  fiber_group_end(&g);
  struct http_client_request q = get(f, "/");
  struct got got = fetch(f, &q);
  CHECK_ERR(f, got.start, OK);
  CHECK(f, !got.is_reused && got.resends == 1);
  CHECK(f, http_client_stats(f->client)->connects == 3);
  CHECK(f, atomic_load(&f->server->requests) == 4); /* two, the one that died, and its resend */
  buf_clear(&got.body);
}

TEST(the_resend_uses_a_new_connection) {
  struct fix f = {.impl = *state};
  run_case(&f, serve_two_dead, NULL, story_two_dead);
  finish(&f);
}

/* ---- framing: whole, by byte, and cut at every byte ---- */

struct framing {
  const char *reply;
  const char *body;
  bool by_close; /* ends with the connection: a cut in the body cannot be seen */
  enum http_method method;
};

static const struct framing framings[] = {
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Long: abc def\r\n\r\nhello", "hello", false, HTTP_GET},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA;x=\"y\"\r\n0123456789\r\n0\r\n\r\n",
     "hello0123456789", false, HTTP_GET},
    {"HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Trailer: 1\r\n\r\n", "abc", false,
     HTTP_GET},
    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\nA: b\r\n\r\nHTTP/1.1 201 "
     "Created\r\nContent-Length: "
     "2\r\n\r\nhi",
     "hi", false, HTTP_GET},
    {"HTTP/1.1 200 OK\r\nServer: x\r\n\r\nto the end", "to the end", true, HTTP_GET},
    {"HTTP/1.0 200 OK\r\n\r\nold", "old", true, HTTP_GET},
    {"HTTP/1.1 204 No Content\r\n\r\n", "", false, HTTP_GET},
    {"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", "", false, HTTP_GET},
    {"HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n", "", false, HTTP_HEAD},
    {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "", false, HTTP_GET},
    {"HTTP/1.1 429 Too Many Requests\r\nRetry-After:  7 \r\nContent-Length: 2\r\nConnection: close\r\n\r\nno", "no",
     false, HTTP_GET},
    {"HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok", "ok", false, HTTP_GET},
};

struct cut_script {
  const struct framing *framing;
  atomic_size_t cut; /* bytes sent before the end; SIZE_MAX: all, byte by byte */
};

static void serve_framing(struct conn *c, void *arg) {
  struct cut_script *script = arg;
  struct str reply = str_from_c(script->framing->reply);
  size_t cut = atomic_load(&script->cut);
  if (!conn_read_request(c)) return;
  if (cut == SIZE_MAX) {
    conn_send_bytewise(c, reply);
  } else {
    conn_send(c, str_sub(reply, 0, cut));
  }
}

static void story_framing(struct fix *f) {
  struct cut_script *script = (struct cut_script *)f->arg;
  const struct framing *framing = script->framing;
  struct http_client_request q = get(f, "/");
  q.method = framing->method;
  struct got g = fetch(f, &q);
  CHECK_ERR(f, g.start, OK);
  CHECK_ERR(f, g.read, OK);
  CHECK(f, str_eq(buf_str(&g.body), str_from_c(framing->body)));
  buf_clear(&g.body);
  size_t total = strlen(framing->reply), head = 0;
  bool is_chunked = strcasestr(framing->reply, "chunked"); /* curl 7 does not miss the last line feed */
  for (size_t at = 0; at + 4 <= total; at++)
    if (memcmp(framing->reply + at, "\r\n\r\n", 4) == 0 && framing->reply[at + 4] != 'H') {
      head = at + 4;
      break;
    }
  for (size_t cut = 0; cut < total; cut++) {
    atomic_store(&script->cut, cut);
    g = fetch(f, &q);
    unsigned before = f->failures;
    enum err e = g.start ? g.start : g.read;
    if (cut < head) {
      CHECK(f, g.start == ERR_UPSTREAM_CUT || g.start == ERR_UPSTREAM_PROTOCOL);
    } else if (f->impl->is_curl && is_chunked && cut + 1 == total) {
      CHECK(f, e == OK || e == ERR_UPSTREAM_CUT);
    } else if (framing->by_close) {
      CHECK_ERR(f, e, OK);
    } else {
      CHECK_ERR(f, e, ERR_UPSTREAM_CUT);
      CHECK(f, str_has_prefix(str_from_c(framing->body), buf_str(&g.body)));
    }
    if (f->failures > before) fprintf(stderr, "cut at %zu of \"%s\"\n", cut, framing->reply);
    buf_clear(&g.body);
  }
}

TEST(replies_are_framed_and_cuts_are_seen) {
  for (unsigned i = 0; i < sizeof framings / sizeof *framings; i++) {
    struct cut_script script = {.framing = &framings[i], .cut = SIZE_MAX};
    struct fix f = {.impl = *state, .arg = &script};
    run_case(&f, serve_framing, &script, story_framing);
    finish(&f);
  }
}

static void story_header_values(struct fix *f) {
  struct http_call *call;
  struct http_client_request q = get(f, "/");
  CHECK_ERR(f, http_call_start(f->client, &q, &call, NULL), OK);
  struct http_headers h = http_call_response(call)->headers;
  CHECK(f, http_call_response(call)->status == 429 && h.n == 3);
  CHECK(f, str_eq(http_header_get(h, STR("retry-after")), STR("7")));
  CHECK_ERR(f, drain(call, NULL, NULL), OK);
  CHECK(f, str_eq(http_header_get(h, STR("connection")), STR("close")));
  http_call_close(call);
}

TEST(headers_stay_valid_until_close) {
  struct cut_script script = {.framing = &framings[10], .cut = SIZE_MAX};
  struct fix f = {.impl = *state};
  run_case(&f, serve_framing, &script, story_header_values);
  finish(&f);
}

/* ---- hostile replies ---- */

static const char *const hostile[] = {
    "garbage\r\n\r\n",
    "<html>HTTP/0.9</html>",
    "HTTP/2 200 OK\r\n\r\n",
    "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 700 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nA: b\r\n folded\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nA : b\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nA: b\001\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\nxx",
    "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nxx",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nhello\r\n0\r\n\r\n",
};

static void serve_bytes(struct conn *c, void *arg) {
  if (!conn_read_request(c)) return;
  conn_send(c, *(struct str *)arg);
  conn_wait_gone(c, 200);
}

static void story_is_protocol_error(struct fix *f) {
  struct http_client_request q = get(f, "/");
  CHECK_ERR(f, fetch_err(f, &q), ERR_UPSTREAM_PROTOCOL);
}

TEST(hostile_replies_are_protocol_errors) {
  for (unsigned i = 0; i < sizeof hostile / sizeof *hostile; i++) {
    struct str reply = str_from_c(hostile[i]);
    struct fix f = {.impl = *state};
    run_case(&f, serve_bytes, &reply, story_is_protocol_error);
    if (f.failures) fprintf(stderr, "reply %u: %s\n", i, hostile[i]);
    finish(&f);
  }
}

static void story_big_head_fits(struct fix *f) {
  struct http_call *call;
  struct http_client_request q = get(f, "/");
  CHECK_ERR(f, http_call_start(f->client, &q, &call, NULL), OK);
  CHECK(f, http_call_response(call)->headers.n == 128);
  CHECK_ERR(f, drain(call, NULL, NULL), OK);
  http_call_close(call);
}

static void run_head(const struct impl *impl, unsigned count, size_t value_bytes, void (*story)(struct fix *)) {
  struct buf b;
  buf_init(&b, 0);
  buf_put(&b, STR("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"));
  char *value = pattern(value_bytes);
  for (unsigned i = 1; i < count; i++) {
    buf_printf(&b, "X-%u: ", i);
    buf_put(&b, str_from(value, value_bytes));
    buf_put(&b, STR("\r\n"));
  }
  buf_put(&b, STR("\r\n"));
  struct str reply = buf_str(&b);
  struct fix f = {.impl = impl};
  run_case(&f, serve_bytes, &reply, story);
  buf_clear(&b);
  free(value);
  finish(&f);
}

TEST(heads_are_bounded) {
  run_head(*state, 128, 400, story_big_head_fits);
  run_head(*state, 129, 4, story_is_protocol_error);
  run_head(*state, 100, 700, story_is_protocol_error);
  run_head(*state, 2, 70000, story_is_protocol_error);
  run_head(*state, 2, 3000000, story_is_protocol_error);
}

/* ---- gzip and limits ---- */

static struct str gzip(struct str plain, struct buf *out) {
  z_stream z = {0};
  deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  buf_reserve(out, deflateBound(&z, plain.n));
  z.next_in = (unsigned char *)plain.p;
  z.avail_in = (unsigned)plain.n;
  z.next_out = (unsigned char *)out->p + out->n;
  z.avail_out = (unsigned)(out->cap - out->n);
  if (deflate(&z, Z_FINISH) != Z_STREAM_END) abort();
  struct str packed = str_from(out->p + out->n, out->cap - out->n - z.avail_out);
  out->n += packed.n;
  deflateEnd(&z);
  return packed;
}

struct gzip_script {
  struct str head, body;
  size_t limit_bytes;
  enum err want;
  struct str plain;
};

static void serve_gzip(struct conn *c, void *arg) {
  const struct gzip_script *script = arg;
  char head[256];
  if (!conn_read_request(c)) return;
  snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\n%.*sContent-Length: %zu\r\n\r\n", STR_ARG(script->head),
           script->body.n);
  conn_send(c, str_from_c(head));
  if (script->body.n < 4096) {
    conn_send_bytewise(c, script->body);
  } else {
    conn_send(c, script->body);
  }
  conn_wait_gone(c, 500);
}

static void story_gzip(struct fix *f) {
  const struct gzip_script *script = f->arg;
  struct http_client_request q = get(f, "/");
  q.accept_gzip = true;
  q.reply_limit_bytes = script->limit_bytes;
  struct got g = fetch(f, &q);
  CHECK_ERR(f, g.start ? g.start : g.read, script->want);
  if (script->want == OK) CHECK(f, str_eq(buf_str(&g.body), script->plain));
  buf_clear(&g.body);
}

TEST(gzip_is_decoded_within_limits) {
  size_t n = 3000000;
  char *plain = pattern(n), *zeros = calloc(1, 50000000);
  struct buf a, b, two, bomb, cut, junk;
  buf_init(&a, 0), buf_init(&b, 0), buf_init(&two, 0), buf_init(&bomb, 0), buf_init(&cut, 0), buf_init(&junk, 0);
  struct str small = STR("hello gzip"), big = str_from(plain, n), head = STR("Content-Encoding: gzip\r\n");
  gzip(small, &a);
  gzip(big, &b);
  buf_put(&two, buf_str(&a));
  buf_put(&two, buf_str(&a));
  gzip(str_from(zeros, 50000000), &bomb);
  buf_put(&cut, str_sub(buf_str(&b), 0, b.n - 3));
  buf_put(&junk, buf_str(&a));
  buf_put(&junk, STR("this is no gzip member"));
  struct gzip_script scripts[] = {
      {head, buf_str(&a), 0, OK, small},
      {head, buf_str(&b), 0, OK, big},
      {head, buf_str(&two), 0, OK, STR("hello gziphello gzip")},
      {head, STR_NONE, 0, OK, STR_NONE},
      {STR("Content-Encoding: x-gzip\r\n"), buf_str(&a), 0, OK, small},
      {STR("Content-Encoding: identity\r\n"), small, 0, OK, small},
      {head, buf_str(&b), n, OK, big},
      {head, buf_str(&b), n - 1, ERR_UPSTREAM_TOO_LARGE, STR_NONE},
      {STR_NONE, big, n, OK, big},
      {STR_NONE, big, n - 1, ERR_UPSTREAM_TOO_LARGE, STR_NONE},
      {head, buf_str(&bomb), 0, ERR_UPSTREAM_TOO_LARGE, STR_NONE},
      {head, buf_str(&cut), 0, ERR_UPSTREAM_CUT, STR_NONE},
      {head, buf_str(&junk), 0, ERR_UPSTREAM_PROTOCOL, STR_NONE},
      {head, small, 0, ERR_UPSTREAM_PROTOCOL, STR_NONE},
      {STR("Content-Encoding: deflate\r\n"), small, 0, ERR_UPSTREAM_PROTOCOL, STR_NONE},
  };
  for (unsigned i = 0; i < sizeof scripts / sizeof *scripts; i++) {
    struct fix f = {.impl = *state, .arg = &scripts[i]};
    run_case(&f, serve_gzip, &scripts[i], story_gzip);
    if (f.failures) fprintf(stderr, "gzip script %u\n", i);
    finish(&f);
  }
  buf_clear(&a), buf_clear(&b), buf_clear(&two), buf_clear(&bomb), buf_clear(&cut), buf_clear(&junk);
  free(plain);
  free(zeros);
}

static void story_limit_streaming(struct fix *f) {
  struct http_client_request q = get(f, "/");
  q.reply_limit_bytes = 1000000;
  CHECK_ERR(f, fetch_err(f, &q), ERR_UPSTREAM_TOO_LARGE);
}

TEST(an_endless_reply_hits_the_limit) {
  struct fix f = {.impl = *state};
  run_case(&f, serve_endless, NULL, story_limit_streaming);
  finish(&f);
}

/* ---- origins ---- */

TEST(origins_are_parsed) {
  (void)state;
  static const struct {
    const char *base_url, *url, *host, *path;
    uint16_t port;
    bool is_tls, is_ip;
  } rows[] = {
      {"https://API.Example.com/v1/", "https://api.example.com", "api.example.com", "/v1", 443, true, false},
      {"http://localhost:11434", "http://localhost:11434", "localhost", "", 11434, false, false},
      {"HTTP://a_b:80//", "http://a_b", "a_b", "", 80, false, false},
      {"https://x:00443/a//b", "https://x", "x", "/a//b", 443, true, false},
      {"http://10.0.0.1:65535/", "http://10.0.0.1:65535", "10.0.0.1", "", 65535, false, true},
      {"https://[0:0::1]:8443/x", "https://[::1]:8443", "::1", "/x", 8443, true, true},
      {"https://[2001:DB8::A]", "https://[2001:db8::a]", "2001:db8::a", "", 443, true, true},
      {"https://1a.2b", "https://1a.2b", "1a.2b", "", 443, true, false},
  };
  struct arena a;
  arena_init(&a, 0);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct http_origin o, other;
    assert_int_equal(http_origin_parse(&a, str_from_c(rows[i].base_url), false, &o, NULL), OK);
    assert_string_equal(o.url.p, rows[i].url);
    assert_string_equal(o.host.p, rows[i].host);
    assert_str(o.base_path, str_from_c(rows[i].path));
    assert_true(o.port == rows[i].port && o.is_tls == rows[i].is_tls && o.is_ip == rows[i].is_ip && !o.allow_private);
    assert_int_equal(http_origin_parse(&a, o.url, true, &other, NULL), OK);
    assert_true(other.id != o.id && other.allow_private);
  }
  arena_clear(&a);
}

TEST(bad_origins_are_refused) {
  (void)state;
  static const char *const bad[] = {
      "",
      "example.com",
      "ftp://a",
      "https://",
      "https:///x",
      "https://a?b",
      "https://a#b",
      "https://u@a",
      "https://u:p@a",
      "https://a:",
      "https://a:0",
      "https://a:65536",
      "https://a:1:2",
      "https://a:x",
      "https://a b",
      "https://a\n",
      "https://\xc3\xa9",
      "https://a/\x80",
      "https://[::1",
      "https://[::1]x",
      "https://[::1]:",
      "https://[1.2.3.4]",
      "https://[fe80::1%25eth0]",
      "https://1.2.3",
      "https://1.2.3.4.5",
      "https://0x7f.1",
      "https://a.256",
      "https://127.1",
      "https://a..b",
      "https://.a",
      "https://a.",
      "https://-a",
      "https://a-.b",
      "https://a%41",
      "https://a\\b",
      "https://2130706433",
      "https://a,b",
  };
  struct arena a;
  arena_init(&a, 0);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct http_origin o = {.port = 7};
    struct err_info info = {0};
    if (http_origin_parse(&a, str_from_c(bad[i]), false, &o, &info) != ERR_BAD_VALUE) fail_msg("%s", bad[i]);
    assert_true(o.port == 7 && info.text[0]);
  }
  char *text = malloc(3000);
  memset(text, 'a', 3000);
  memcpy(text, "https://", 8);
  struct http_origin o;
  assert_int_equal(http_origin_parse(&a, str_from(text, 3000), false, &o, NULL), ERR_BAD_VALUE);
  assert_int_equal(http_origin_parse(&a, str_from(text, 8 + 254), false, &o, NULL), ERR_BAD_VALUE);
  assert_int_equal(http_origin_parse(&a, str_from(text, 8 + 253), false, &o, NULL), OK);
  free(text);
  arena_clear(&a);
}

#define CASES(X)                                         \
  X(origins_are_parsed)                                  \
  X(bad_origins_are_refused)                             \
  X(keep_alive_reuses_one_connection)                    \
  X(unsafe_requests_are_refused)                         \
  X(a_dead_reused_connection_is_replaced_once)           \
  X(a_fresh_connection_is_not_retried)                   \
  X(a_connection_that_died_after_a_byte_is_not_replaced) \
  X(the_resend_uses_a_new_connection)                    \
  X(replies_are_framed_and_cuts_are_seen)                \
  X(headers_stay_valid_until_close)                      \
  X(hostile_replies_are_protocol_errors)                 \
  X(heads_are_bounded)                                   \
  X(gzip_is_decoded_within_limits)                       \
  X(an_endless_reply_hits_the_limit)

int main(int argc, char **argv) { RUN_CASES(argc, argv); }
