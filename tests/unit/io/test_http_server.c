/* Tests of io/http_server over sockets: what is answered to which bytes. Time, disappearance, pressure and drain are in
 * test_http_server_life.c. */
#include "io/http_server.h"

#include <zlib.h>

#include "http_cases.h"
#include "http_fixture.h"

#define GET(target) "GET " target " HTTP/1.1\r\nHost: a\r\n\r\n"

TEST(each_case_has_its_status) {
  serve(NULL, 1);
  for (unsigned i = 0; i < HTTP_CASES; i++) {
    const struct http_case *c = &http_cases[i];
    const int fd = dial();
    struct buf rest = {0};
    put(fd, c->bytes);
    if (str_eq(c->bytes, STR("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"))) put(fd, STR("\r\n\r\n"));
    struct reply r = get_reply(fd, &rest, false);
    const int wanted = c->status == 0 ? 404 : c->status;
    if (c->status < 0 ? r.status < 400 || r.status == 404 : r.status != wanted)
      fail_msg("%s: %d instead of %d", c->name, r.status, wanted);
    if (c->status != 0) {
      assert_str(header_of(&r, "Connection"), STR("close"));
      assert_str(header_of(&r, "Content-Type"), STR("application/json"));
      assert_true(str_has_prefix(r.body, STR("{\"path\":\"")));
      assert_true(is_closed(fd));
    }
    reply_clear(&r);
    buf_clear(&rest);
    close(fd);
  }
  unserve();
  assert_true(fixture.stats.protocol_errors > 50);
}

TEST(a_request_cut_at_every_byte) {
  const struct str request =
      STR("POST /echo HTTP/1.1\r\nHost: a\r\nX: y\r\nTransfer-Encoding: chunked\r\n\r\n"
          "3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nT: u\r\n\r\n");
  serve(NULL, 1);
  const int fd = dial();
  struct buf rest = {0};
  for (size_t cut = 1; cut < request.n; cut++) {
    put(fd, str_sub(request, 0, cut));
    usleep(200);
    put(fd, str_sub(request, cut, request.n));
    struct reply r = get_reply(fd, &rest, false);
    assert_int_equal(r.status, 200);
    assert_str(r.body, STR("abcdefg"));
    reply_clear(&r);
  }
  for (size_t i = 0; i < request.n; i++) {
    put(fd, str_sub(request, i, i + 1));
    usleep(50);
  }
  struct reply r = get_reply(fd, &rest, false);
  assert_str(r.body, STR("abcdefg"));
  reply_clear(&r);
  close(fd);
  unserve();
  assert_int_equal(fixture.stats.connections_accepted, 1);
}

TEST(replies_have_the_servers_headers) {
  serve(NULL, 1);
  const int fd = dial();
  struct buf rest = {0};
  put(fd, STR(GET("/hello")));
  struct reply r = get_reply(fd, &rest, false);
  assert_true(str_has_prefix(r.head, STR("HTTP/1.1 200 OK\r\n")));
  assert_str(header_of(&r, "Content-Type"), STR("text/plain"));
  assert_str(header_of(&r, "Content-Length"), STR("5"));
  assert_int_equal(header_of(&r, "Date").n, sizeof "Sun, 06 Nov 1994 08:49:37 GMT" - 1);
  assert_true(str_has_suffix(header_of(&r, "Date"), STR(" GMT")));
  assert_null(header_of(&r, "Connection").p);
  assert_str(r.body, STR("hello"));
  reply_clear(&r);
  put(fd, STR(GET("/own")));
  r = get_reply(fd, &rest, false);
  assert_true(str_has_prefix(r.head, STR("HTTP/1.1 201 Created\r\n")));
  assert_str(header_of(&r, "X-Mine"), STR("1"));
  assert_str(header_of(&r, "Content-Length"), STR("3"));
  assert_null(header_of(&r, "content-length").p);
  assert_null(header_of(&r, "Transfer-Encoding").p);
  assert_null(header_of(&r, "Connection").p);
  assert_int_not_equal(header_of(&r, "Date").n, 5);
  reply_clear(&r);
  close(fd);
  unserve();
}

TEST(what_a_handler_may_do_wrong) {
  struct buf body = {0};
  serve(NULL, 1);
  assert_int_equal(ask(STR(GET("/bad-header")), &body), 500);
  assert_str(buf_str(&body), STR("{\"path\":\"/bad-header\",\"code\":\"internal_error\"}"));
  assert_int_equal(ask(STR(GET("/none")), &body), 500);
  assert_str(buf_str(&body), STR("{\"path\":\"/none\",\"code\":\"internal_error\"}"));
  assert_int_equal(ask(STR(GET("/started")), &body), 500);
  assert_int_equal(ask(STR(GET("/replaced")), &body), 502);
  assert_str(buf_str(&body), STR("replaced"));
  assert_int_equal(ask(STR(GET("/cut")), &body), -200);
  assert_int_equal(ask(STR(GET("/abort")), &body), -200);
  assert_int_equal(ask(STR(GET("/status?99")), NULL), 500);
  assert_int_equal(ask(STR(GET("/large-head?20000")), NULL), 200);
  buf_clear(&body);
  unserve();
}

TEST(an_aborted_reply_without_framing_ends_in_a_reset) {
  serve(NULL, 1);
  const int fd = dial();
  char bytes[256];
  put(fd, STR("GET /abort HTTP/1.0\r\n\r\n"));
  ssize_t n;
  while ((n = recv(fd, bytes, sizeof bytes, 0)) > 0) continue;
  assert_int_equal(n, -1);
  assert_int_equal(errno, ECONNRESET);
  close(fd);
  unserve();
}

TEST(persistence_by_version_and_header) {
  static const struct {
    struct str request;
    const char *connection; /* of the reply; NULL: none */
    bool stays;
  } cases[] = {
      {BYTES("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"), NULL, true},
      {BYTES("GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), "close", false},
      {BYTES("GET /hello HTTP/1.0\r\n\r\n"), "close", false},
      {BYTES("GET /hello HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"), "keep-alive", true},
      {BYTES("GET /close HTTP/1.1\r\nHost: a\r\n\r\n"), "close", false},
      {BYTES("GET /stream?2 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), "close", false},
  };
  serve(NULL, 1);
  for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const int fd = dial();
    struct buf rest = {0};
    put(fd, cases[i].request);
    struct reply r = get_reply(fd, &rest, false);
    assert_int_equal(r.status, 200);
    assert_str(header_of(&r, "Connection"), str_from_c(cases[i].connection));
    reply_clear(&r);
    if (cases[i].stays) {
      put(fd, STR(GET("/hello")));
      r = get_reply(fd, &rest, false);
      assert_int_equal(r.status, 200);
      reply_clear(&r);
    } else {
      assert_true(is_closed(fd));
    }
    close(fd);
  }
  unserve();
}

TEST(head_and_statuses_without_a_body) {
  serve(NULL, 1);
  const int fd = dial();
  struct buf rest = {0};
  put(fd, STR("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\nHEAD /stream?3 HTTP/1.1\r\nHost: a\r\n\r\n" GET("/status?204")
                  GET("/status?304") GET("/status?200")));
  struct reply r = get_reply(fd, &rest, true);
  assert_int_equal(r.status, 200);
  assert_str(header_of(&r, "Content-Length"), STR("5"));
  reply_clear(&r);
  r = get_reply(fd, &rest, true);
  assert_int_equal(r.status, 200);
  assert_str(header_of(&r, "Transfer-Encoding"), STR("chunked"));
  reply_clear(&r);
  r = get_reply(fd, &rest, false);
  assert_int_equal(r.status, 204);
  assert_null(header_of(&r, "Content-Length").p);
  reply_clear(&r);
  r = get_reply(fd, &rest, false);
  assert_int_equal(r.status, 304);
  reply_clear(&r);
  r = get_reply(fd, &rest, false);
  assert_int_equal(r.status, 200);
  assert_str(r.body, STR("body"));
  reply_clear(&r);
  close(fd);
  unserve();
}

TEST(streams) {
  serve(NULL, 1);
  struct buf body = {0};
  assert_int_equal(ask(STR(GET("/stream?7")), &body), 200);
  assert_int_equal(body.n, 7 * 1024);
  const int fd = dial();
  struct buf rest = {0};
  put(fd, STR("GET /stream?7 HTTP/1.0\r\n\r\n"));
  struct reply r = get_reply(fd, &rest, false);
  assert_null(header_of(&r, "Transfer-Encoding").p);
  assert_int_equal(r.body.n, 7 * 1024);
  reply_clear(&r);
  close(fd);
  buf_clear(&body);
  unserve();
}

TEST(pipelined_requests_are_answered_in_order) {
  struct buf requests = {0}, rest = {0};
  serve(NULL, 1);
  const int fd = dial();
  put(fd, STR(GET("/wait")));
  until(&seen.started, 1);
  for (unsigned i = 0; i < 500; i++) {
    if (i % 3 == 0)
      buf_printf(&requests, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n%03u", i);
    else if (i % 3 == 1)
      buf_printf(&requests,
                 "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n%03u\r\n0\r\n\r\n", i);
    else
      buf_printf(&requests, "GET /target?%03u HTTP/1.1\r\nHost: a\r\n\r\n", i);
  }
  put(fd, buf_str(&requests));
  usleep(20000);
  assert_int_equal(seen.started, 1);
  seen.go = true;
  struct reply r = get_reply(fd, &rest, false);
  assert_str(r.body, STR("waited"));
  reply_clear(&r);
  for (unsigned i = 0; i < 500; i++) {
    char wanted[8];
    snprintf(wanted, sizeof wanted, "%03u", i);
    r = get_reply(fd, &rest, false);
    assert_int_equal(r.status, 200);
    assert_true(str_has_suffix(r.body, str_from_c(wanted)));
    reply_clear(&r);
  }
  close(fd);
  buf_clear(&requests);
  buf_clear(&rest);
  unserve();
  assert_int_equal(fixture.stats.requests, 501);
}

static struct str of_size(struct buf *b, const char *target, size_t n) {
  buf_reset(b);
  buf_printf(b, "POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n", target, n);
  for (size_t i = 0; i < n; i++) buf_put_char(b, (char)('a' + i % 26));
  return buf_str(b);
}

TEST(bodies_of_all_sizes) {
  static const size_t sizes[] = {1, 15, 16, 4095, 16367, 16368, 16369, 65536, 70000, 262144, 3000000};
  struct buf request = {0}, body = {0};
  serve(NULL, 1);
  for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    of_size(&request, "/echo", sizes[i]);
    assert_int_equal(ask(buf_str(&request), &body), 200);
    assert_str(buf_str(&body), str_sub(buf_str(&request), request.n - sizes[i], request.n));
    of_size(&request, "/count", sizes[i]);
    char wanted[64];
    snprintf(wanted, sizeof wanted, "%zu %zu", sizes[i], sizes[i]);
    assert_int_equal(ask(buf_str(&request), &body), 200);
    assert_str(buf_str(&body), str_from_c(wanted));
  }
  assert_int_equal(ask(STR("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"), &body), 200);
  assert_int_equal(body.n, 0);
  assert_int_equal(ask(STR(GET("/echo")), &body), 200);
  buf_clear(&request);
  buf_clear(&body);
  unserve();
}

TEST(a_large_chunked_body) {
  struct buf request = {0}, body = {0};
  serve(NULL, 1);
  buf_put(&request, STR("POST /count HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"));
  for (unsigned i = 0; i < 500; i++) {
    buf_put(&request, STR("1388\r\n"));
    for (unsigned k = 0; k < 5000; k++) buf_put_char(&request, 'c');
    buf_put(&request, STR("\r\n"));
  }
  buf_put(&request, STR("0\r\n\r\n"));
  assert_int_equal(ask(buf_str(&request), &body), 200);
  assert_str(buf_str(&body), STR("2500000 2500000"));
  buf_clear(&request);
  buf_clear(&body);
  unserve();
}

TEST(a_failing_observer_ends_the_read) {
  struct buf body = {0};
  serve(NULL, 1);
  assert_int_equal(ask(STR("POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab!"), &body), 400);
  assert_str(buf_str(&body), STR("no exclamation, please"));
  buf_clear(&body);
  unserve();
}

/* Early replies: what is left of the body decides whether the connection stays. */
TEST(bodies_that_are_too_large) {
  struct buf request = {0}, rest = {0};
  serve(NULL, 1);
  int fd = dial();
  put(fd, of_size(&request, "/echo?10", 1000));
  struct reply r = get_reply(fd, &rest, false);
  assert_int_equal(r.status, 413);
  assert_null(header_of(&r, "Connection").p);
  reply_clear(&r);
  put(fd, STR(GET("/hello")));
  r = get_reply(fd, &rest, false);
  assert_int_equal(r.status, 200);
  reply_clear(&r);
  close(fd);
  /* The client sends all of it before it reads, and still sees the reply. */
  fd = dial();
  put(fd, of_size(&request, "/echo?10", 3000000));
  r = get_reply(fd, &rest, false);
  assert_int_equal(r.status, 413);
  assert_str(header_of(&r, "Connection"), STR("close"));
  assert_true(is_closed(fd));
  reply_clear(&r);
  close(fd);
  fd = dial();
  put(fd, STR("POST /echo?3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n"));
  r = get_reply(fd, &rest, false);
  assert_int_equal(r.status, 413);
  assert_str(header_of(&r, "Connection"), STR("close"));
  reply_clear(&r);
  close(fd);
  buf_clear(&request);
  unserve();
}

TEST(unread_bodies) {
  struct buf rest = {0};
  serve(NULL, 1);
  int fd = dial();
  put(fd, STR("POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n"));
  struct reply r = get_reply(fd, &rest, false); /* before the body */
  assert_int_equal(r.status, 200);
  assert_null(header_of(&r, "Connection").p);
  reply_clear(&r);
  for (unsigned i = 0; i < 100; i++) put(fd, STR("x"));
  put(fd, STR(GET("/hello")));
  r = get_reply(fd, &rest, false);
  assert_int_equal(r.status, 200);
  reply_clear(&r);
  put(fd, STR("POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"));
  r = get_reply(fd, &rest, false);
  assert_str(header_of(&r, "Connection"), STR("close"));
  reply_clear(&r);
  close(fd);
  fd = dial();
  put(fd, STR("POST /hello HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"));
  r = get_reply(fd, &rest, false);
  assert_str(header_of(&r, "Connection"), STR("close"));
  reply_clear(&r);
  close(fd);
  unserve();
}

#define EXPECT "Expect: 100-continue\r\nContent-Length: 4\r\n\r\n"

TEST(continue_is_sent_when_the_handler_reads) {
  struct buf rest = {0};
  serve(NULL, 1);
  int fd = dial();
  put(fd, STR("POST /echo HTTP/1.1\r\nHost: a\r\n" EXPECT));
  struct reply r = get_reply(fd, &rest, false);
  assert_int_equal(r.status, 100);
  reply_clear(&r);
  put(fd, STR("body"));
  r = get_reply(fd, &rest, false);
  assert_int_equal(r.status, 200);
  assert_str(r.body, STR("body"));
  reply_clear(&r);
  /* The client did not wait: no 100. */
  put(fd, STR("POST /echo HTTP/1.1\r\nHost: a\r\n" EXPECT "body"));
  r = get_reply(fd, &rest, false);
  assert_int_equal(r.status, 200);
  reply_clear(&r);
  /* Refused before: no 100, and the connection ends, since nobody knows whether the body comes. */
  put(fd, STR("POST /echo?3 HTTP/1.1\r\nHost: a\r\n" EXPECT));
  r = get_reply(fd, &rest, false);
  assert_int_equal(r.status, 413);
  assert_str(header_of(&r, "Connection"), STR("close"));
  assert_true(is_closed(fd));
  reply_clear(&r);
  close(fd);
  fd = dial();
  put(fd, STR("POST /hello HTTP/1.1\r\nHost: a\r\n" EXPECT));
  r = get_reply(fd, &rest, false);
  assert_int_equal(r.status, 200);
  assert_str(header_of(&r, "Connection"), STR("close"));
  assert_true(is_closed(fd));
  reply_clear(&r);
  close(fd);
  unserve();
}

TEST(a_malformed_body_is_the_handlers_to_answer) {
  struct buf rest = {0};
  serve(NULL, 1);
  const int fd = dial();
  put(fd, STR("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n"));
  until(&seen.started, 1);
  put(fd, STR("zz\r\n"));
  struct reply r = get_reply(fd, &rest, false);
  assert_int_equal(r.status, 400);
  assert_str(header_of(&r, "Connection"), STR("close"));
  assert_true(is_closed(fd));
  reply_clear(&r);
  close(fd);
  unserve();
}

/* Compresses n bytes of text; bits as for deflateInit2. */
static struct str packed(struct buf *b, struct str text, int bits) {
  z_stream z = {0};
  assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
  buf_reset(b);
  assert_true(buf_reserve(b, deflateBound(&z, text.n) + 64));
  z.next_in = (Bytef *)(uintptr_t)text.p;
  z.avail_in = (uInt)text.n;
  z.next_out = (Bytef *)b->p;
  z.avail_out = (uInt)b->cap;
  assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
  b->n = b->cap - z.avail_out;
  deflateEnd(&z);
  return buf_str(b);
}

static int ask_packed(const char *target, const char *coding, struct str bytes, struct buf *body) {
  struct buf request = {0};
  buf_printf(&request, "POST %s HTTP/1.1\r\nHost: a\r\nContent-Encoding: %s\r\nContent-Length: %zu\r\n\r\n", target,
             coding, bytes.n);
  buf_put(&request, bytes);
  const int status = ask(buf_str(&request), body);
  buf_clear(&request);
  return status;
}

TEST(compressed_bodies) {
  static const struct {
    const char *coding;
    int bits, status;
  } cases[] = {{"gzip", 31, 200},       {"x-gzip", 31, 200}, {"GZIP", 31, 200},    {"deflate", 15, 200},
               {"deflate", -15, 200},   {"gzip", 15, 400},   {"deflate", 31, 400}, {"br", 31, 415},
               {"gzip, gzip", 31, 415}, {"zstd", 31, 415}};
  struct buf text = {0}, bytes = {0}, body = {0};
  serve(NULL, 1);
  for (unsigned i = 0; i < 300000; i++) buf_put_char(&text, (char)('a' + i * i % 23));
  for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    packed(&bytes, buf_str(&text), cases[i].bits);
    assert_int_equal(ask_packed("/echo", cases[i].coding, buf_str(&bytes), &body), cases[i].status);
    if (cases[i].status == 200) assert_str(buf_str(&body), buf_str(&text));
  }
  assert_int_equal(ask_packed("/echo", "identity", STR("plain"), &body), 200);
  assert_str(buf_str(&body), STR("plain"));
  packed(&bytes, buf_str(&text), 31);
  assert_int_equal(ask_packed("/echo", "gzip", str_sub(buf_str(&bytes), 0, bytes.n - 1), &body), 400);
  buf_put(&bytes, STR("rubbish"));
  assert_int_equal(ask_packed("/echo", "gzip", buf_str(&bytes), &body), 400);
  bytes.n -= 7;
  bytes.p[bytes.n / 2] ^= 0x55;
  assert_int_equal(ask_packed("/echo", "gzip", buf_str(&bytes), &body), 400);
  packed(&bytes, STR("two "), 31);
  struct buf second = {0};
  buf_put(&bytes, packed(&second, STR("members"), 31));
  assert_int_equal(ask_packed("/echo", "gzip", buf_str(&bytes), &body), 200);
  assert_str(buf_str(&body), STR("two members"));
  buf_clear(&second);
  buf_clear(&text);
  buf_clear(&bytes);
  buf_clear(&body);
  unserve();
}

TEST(compressed_bodies_byte_by_byte) {
  struct buf bytes = {0}, rest = {0};
  serve(NULL, 1);
  packed(&bytes, STR("hello hello hello hello"), 31);
  const int fd = dial();
  put(fd, STR("POST /count HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"));
  for (size_t i = 0; i < bytes.n; i++) {
    put(fd, STR("1\r\n"));
    put(fd, str_sub(buf_str(&bytes), i, i + 1));
    put(fd, STR("\r\n"));
    usleep(200);
  }
  put(fd, STR("0\r\n\r\n"));
  struct reply r = get_reply(fd, &rest, false);
  assert_int_equal(r.status, 200);
  assert_str(r.body, STR("23 23"));
  reply_clear(&r);
  close(fd);
  buf_clear(&bytes);
  unserve();
}

TEST(decompression_bombs) {
  struct buf text = {0}, bytes = {0}, body = {0};
  serve(NULL, 1);
  assert_true(buf_reserve(&text, 20 << 20));
  memset(text.p, 0, 20 << 20);
  text.n = 20 << 20; /* about 20 KiB packed: a thousandfold */
  packed(&bytes, buf_str(&text), 31);
  assert_int_equal(ask_packed("/count", "gzip", buf_str(&bytes), &body), 413);
  assert_str(buf_str(&body), STR("the compressed body expands too much"));
  text.n = 1 << 20; /* under the free megabyte, but over what this caller may */
  packed(&bytes, buf_str(&text), 31);
  assert_int_equal(ask_packed("/count", "gzip", buf_str(&bytes), &body), 200);
  assert_int_equal(ask_packed("/count?1048575", "gzip", buf_str(&bytes), &body), 413);
  assert_int_equal(ask_packed("/count?1048576", "gzip", buf_str(&bytes), &body), 200);
  buf_clear(&text);
  buf_clear(&bytes);
  buf_clear(&body);
  unserve();
}

TEST(an_upgrade_is_refused_before_the_handler) {
  struct buf rest = {0};
  serve(NULL, 1);
  const int fd = dial();
  put(fd,
      STR("GET /v1/responses HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n\r\n"));
  struct reply r = get_reply(fd, &rest, false);
  assert_int_equal(r.status, 426);
  assert_str(header_of(&r, "Connection"), STR("close"));
  assert_str(r.body, STR("{\"path\":\"/v1/responses\",\"code\":\"upgrade_required\"}"));
  assert_true(is_closed(fd));
  reply_clear(&r);
  close(fd);
  unserve();
  assert_int_equal(seen.started, 0);
}

TEST(the_peer_is_known) {
  struct buf body = {0};
  serve(NULL, 1);
  assert_int_equal(ask(STR(GET("/peer")), &body), 200);
  assert_str(buf_str(&body), STR("127.0.0.1 1 1"));
  buf_clear(&body);
  unserve();
}

TEST(listening_addresses) {
  struct http_listener *l;
  struct err_info info = {0};
  assert_int_equal(http_listener_open(&l, STR("example.org"), 0, 1, &info), ERR_BAD_VALUE);
  assert_int_equal(http_listener_open(&l, STR(""), 0, 1, &info), ERR_BAD_VALUE);
  assert_int_equal(http_listener_open(&l, STR("127.0.0.1"), 0, 0, &info), ERR_BAD_VALUE);
  assert_int_equal(http_listener_open(&l, STR("0.0.0.0"), 0, 2, &info), OK);
  struct http_listener *second;
  assert_int_equal(http_listener_open(&second, STR("0.0.0.0"), http_listener_port(l), 1, &info), ERR_IO);
  assert_non_null(strstr(info.text, "or take another port"));
  assert_non_null(strstr(info.text, "in use"));
  http_listener_close(l);
  const enum err e = http_listener_open(&l, STR("[::1]"), 0, 1, &info);
  if (e == OK) http_listener_close(l); /* a machine may have no IPv6 */
}

int main(int argc, char **argv) {
  if (argc > 1) cmocka_set_test_filter(argv[1]);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_case_has_its_status),
      cmocka_unit_test(a_request_cut_at_every_byte),
      cmocka_unit_test(replies_have_the_servers_headers),
      cmocka_unit_test(what_a_handler_may_do_wrong),
      cmocka_unit_test(an_aborted_reply_without_framing_ends_in_a_reset),
      cmocka_unit_test(persistence_by_version_and_header),
      cmocka_unit_test(head_and_statuses_without_a_body),
      cmocka_unit_test(streams),
      cmocka_unit_test(pipelined_requests_are_answered_in_order),
      cmocka_unit_test(bodies_of_all_sizes),
      cmocka_unit_test(a_large_chunked_body),
      cmocka_unit_test(a_failing_observer_ends_the_read),
      cmocka_unit_test(bodies_that_are_too_large),
      cmocka_unit_test(unread_bodies),
      cmocka_unit_test(continue_is_sent_when_the_handler_reads),
      cmocka_unit_test(a_malformed_body_is_the_handlers_to_answer),
      cmocka_unit_test(compressed_bodies),
      cmocka_unit_test(compressed_bodies_byte_by_byte),
      cmocka_unit_test(decompression_bombs),
      cmocka_unit_test(an_upgrade_is_refused_before_the_handler),
      cmocka_unit_test(the_peer_is_known),
      cmocka_unit_test(listening_addresses),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
