/* Tests of io/http_parse: strictness, what is understood, and that it does not matter how the bytes are cut. */
#include "io/http_parse.h"

#include <stdio.h>
#include <stdlib.h>

#include "http_cases.h"
#include "unit.h"

static struct http_parse_shared shared;

static int setup(void **state) {
  (void)state;
  return http_parse_shared_init(&shared, 8192, 65536, 100) != OK;
}

static int teardown(void **state) {
  (void)state;
  http_parse_shared_clear(&shared);
  return 0;
}

static void note_request(struct buf *log, const struct http_request *r) {
  buf_printf(log, "[%d %.*s %.*s ? %.*s @ %.*s 1.%d %d %lld", r->method, STR_ARG(r->method_name), STR_ARG(r->path),
             STR_ARG(r->query), STR_ARG(r->host), r->version_minor, r->has_body, (long long)r->content_length);
  for (size_t i = 0; i < r->headers.n; i++)
    buf_printf(log, " {%.*s=%.*s}", STR_ARG(r->headers.v[i].name), STR_ARG(r->headers.v[i].value));
  buf_put_char(log, ']');
}

/* What a stream means, as text: heads, body bytes, ends, and the error that ends it. Pieces are exact allocations. */
struct meaning {
  struct http_parse parse;
  struct arena arena;
  struct buf log, body;
  int status;
};

static void feed(struct meaning *m, struct str bytes) {
  char *copy = malloc(bytes.n ? bytes.n : 1);
  memcpy(copy, bytes.p, bytes.n);
  struct str in = str_from(copy, bytes.n);
  while (in.n && !m->status) {
    struct http_parse_step step;
    struct err_info info = {0};
    const enum err e = http_parse_run(&m->parse, &in, &step, &info);
    if (e) {
      m->status = err_info_status(e, &info);
      buf_printf(&m->log, "!%d %.*s", m->status, STR_ARG(http_parse_path(&m->parse)));
      break;
    }
    if (step.has_head) {
      struct http_request r;
      assert_int_equal(http_parse_take(&m->parse, &m->arena, &r), OK);
      note_request(&m->log, &r);
    }
    buf_put(&m->body, step.body);
    if (step.is_done) {
      buf_put(&m->log, buf_str(&m->body));
      buf_put_char(&m->log, '.');
      buf_reset(&m->body);
    }
  }
  free(copy);
}

static void meaning_clear(struct meaning *m) {
  http_parse_clear(&m->parse);
  arena_clear(&m->arena);
  buf_clear(&m->log);
  buf_clear(&m->body);
}

/* The result may be looked at and cleared, but not fed: llhttp keeps a pointer to the parser it was made for. */
static struct meaning meaning_of(struct str bytes, size_t cut, bool bytewise) {
  struct meaning m = {0};
  http_parse_init(&m.parse, &shared);
  arena_init(&m.arena, 0);
  if (bytewise) {
    for (size_t i = 0; i < bytes.n; i++) feed(&m, str_sub(bytes, i, i + 1));
  } else {
    feed(&m, str_sub(bytes, 0, cut));
    feed(&m, str_sub(bytes, cut, bytes.n));
  }
  return m;
}

TEST(each_case_has_its_status_however_it_is_cut) {
  for (unsigned i = 0; i < HTTP_CASES; i++) {
    const struct http_case *c = &http_cases[i];
    struct meaning whole = meaning_of(c->bytes, c->bytes.n, false);
    if (c->status < 0 ? whole.status < 400 : whole.status != c->status)
      fail_msg("%s: %d instead of %d", c->name, whole.status, c->status);
    for (size_t cut = 0; cut <= c->bytes.n; cut++) {
      struct meaning m = meaning_of(c->bytes, cut, cut == 0);
      /* A fault in a body ends the request before or after its head was seen, by where the cut is. */
      if (whole.status ? m.status != whole.status : !str_eq(buf_str(&m.log), buf_str(&whole.log)))
        fail_msg("%s cut at %zu: %.*s instead of %.*s", c->name, cut, STR_ARG(buf_str(&m.log)),
                 STR_ARG(buf_str(&whole.log)));
      meaning_clear(&m);
    }
    meaning_clear(&whole);
  }
}

/* All good cases behind one another on one connection. */
TEST(pipelined_requests_are_told_apart) {
  struct buf all, expected;
  buf_init(&all, 0);
  buf_init(&expected, 0);
  for (unsigned i = 0; i < HTTP_CASES; i++) {
    if (http_cases[i].status != 0 || str_find(http_cases[i].bytes, STR("HTTP/1.0")) != SIZE_MAX) continue;
    struct meaning m = meaning_of(http_cases[i].bytes, 0, false);
    buf_put(&expected, buf_str(&m.log));
    buf_put(&all, http_cases[i].bytes);
    meaning_clear(&m);
  }
  for (size_t cut = 0; cut <= all.n; cut++) {
    struct meaning m = meaning_of(buf_str(&all), cut, cut == 0);
    assert_str(buf_str(&m.log), buf_str(&expected));
    meaning_clear(&m);
  }
  buf_clear(&all);
  buf_clear(&expected);
}

static void assert_meaning(struct str bytes, struct str expected) {
  struct meaning m = meaning_of(bytes, 0, false);
  assert_str(buf_str(&m.log), expected);
  meaning_clear(&m);
}

TEST(requests_are_understood) {
  assert_meaning(STR("GET /a?b=c HTTP/1.1\r\nHost: a\r\nX: 1 \r\n\r\n"),
                 STR("[1 GET /a ? b=c @ a 1.1 0 -1 {Host=a} {X=1}]."));
  assert_meaning(STR("GET http://Ab:80?q HTTP/1.0\r\n\r\n"), STR("[1 GET / ? q @ Ab:80 1.0 0 -1]."));
  assert_meaning(STR("OPTIONS * HTTP/1.1\r\nHost: [::1]\r\n\r\n"),
                 STR("[7 OPTIONS * ?  @ [::1] 1.1 0 -1 {Host=[::1]}]."));
  assert_meaning(STR("PROPFIND /x HTTP/1.1\r\nHost: a\r\n\r\n"), STR("[0 PROPFIND /x ?  @ a 1.1 0 -1 {Host=a}]."));
  assert_meaning(STR("PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 03\r\n\r\nabc"),
                 STR("[4 PUT /x ?  @ a 1.1 1 3 {Host=a} {Content-Length=03}]abc."));
  assert_meaning(
      STR("PATCH /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2;z\r\nbc\r\n0\r\n\r\n"),
      STR("[5 PATCH /x ?  @ a 1.1 1 -1 {Host=a} {Transfer-Encoding=chunked}]abc."));
}

TEST(a_failure_knows_the_path) {
  assert_meaning(STR("GET /v1/messages?k=v HTTP/1.1\r\nbad\r\n\r\n"), STR("!400 /v1/messages"));
  assert_meaning(STR("GET /v1/mess"), STR(""));
  assert_meaning(STR("G\x01"), STR("!400 "));
}

TEST(keep_alive_and_expectation) {
  static const struct {
    struct str bytes;
    bool keep_alive, expects;
  } cases[] = {
      {BYTES("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), true, false},
      {BYTES("GET / HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n"), false, false},
      {BYTES("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, close\r\n\r\n"), false, false},
      {BYTES("GET / HTTP/1.0\r\n\r\n"), false, false},
      {BYTES("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), true, false},
      {BYTES(POST "Expect: 100-Continue\r\nContent-Length: 2\r\n\r\n"), true, true},
      {BYTES(POST "Expect: 100-continue\r\nContent-Length: 0\r\n\r\n"), true, false},
  };
  for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct http_parse p;
    struct http_parse_step step;
    struct str in = cases[i].bytes;
    http_parse_init(&p, &shared);
    assert_int_equal(http_parse_run(&p, &in, &step, NULL), OK);
    assert_true(step.has_head);
    assert_int_equal(p.head.keep_alive, cases[i].keep_alive);
    assert_int_equal(p.head.expects_continue, cases[i].expects);
    http_parse_clear(&p);
  }
}

/* head of `bytes` repeated characters, then the end */
static int status_of_long(struct str before, size_t n, struct str after, bool bytewise) {
  struct buf b;
  buf_init(&b, 0);
  buf_put(&b, before);
  for (size_t i = 0; i < n; i++) buf_put_char(&b, 'a');
  buf_put(&b, after);
  struct meaning m = meaning_of(buf_str(&b), b.n, bytewise);
  const int status = m.status;
  meaning_clear(&m);
  buf_clear(&b);
  return status;
}

TEST(caps_on_target_and_headers) {
  const struct str line_end = STR(" HTTP/1.1\r\nHost: a\r\n\r\n");
  const struct str header = STR("GET / HTTP/1.1\r\nHost: a\r\nX: "), end = STR("\r\n\r\n");
  for (int bytewise = 0; bytewise < 2; bytewise++) {
    assert_int_equal(status_of_long(STR("GET /"), 8191, line_end, bytewise), 0);
    assert_int_equal(status_of_long(STR("GET /"), 8192, line_end, bytewise), 414);
    assert_int_equal(status_of_long(STR("GET /"), 100000, line_end, bytewise), 414);
    assert_int_equal(status_of_long(header, 60000, end, bytewise), 0);
    assert_int_equal(status_of_long(header, 66000, end, bytewise), 431);
    assert_int_equal(status_of_long(header, 100000, STR(""), bytewise), 431);
    assert_int_equal(status_of_long(STR("GET / HTTP/1.1\r\nHost: a\r\n"), 100000, STR(""), bytewise), 431);
    assert_int_equal(status_of_long(STR(POST "Transfer-Encoding: chunked\r\n\r\n1;"), 20000, STR(""), bytewise), 431);
    assert_int_equal(status_of_long(STR(POST "Transfer-Encoding: chunked\r\n\r\n0\r\nX: "), 20000, STR(""), bytewise),
                     431);
  }
}

TEST(cap_on_the_number_of_headers) {
  for (unsigned count = 99; count <= 101; count++) {
    struct buf b;
    buf_init(&b, 0);
    buf_put(&b, STR("GET / HTTP/1.1\r\nHost: a\r\n"));
    for (unsigned i = 1; i < count; i++) buf_put(&b, STR("X: y\r\n"));
    buf_put(&b, STR("\r\n"));
    for (int bytewise = 0; bytewise < 2; bytewise++) {
      struct meaning m = meaning_of(buf_str(&b), b.n, bytewise);
      assert_int_equal(m.status, count > 100 ? 431 : 0);
      meaning_clear(&m);
    }
    buf_clear(&b);
  }
}

TEST(endless_empty_lines_end) {
  struct buf b;
  buf_init(&b, 0);
  for (unsigned i = 0; i < 40000; i++) buf_put(&b, STR("\r\n"));
  struct meaning m = meaning_of(buf_str(&b), b.n, false);
  assert_int_equal(m.status, 431);
  meaning_clear(&m);
  buf_clear(&b);
}

TEST(hosts) {
  static const char *good[] = {"a",   "a:", "a:80", "a.b-c_d~e", "127.0.0.1:65535", "[::1]", "[::ffff:1.2.3.4]:1",
                               "%41", "a,b"};
  static const char *bad[] = {"",     ":80",     "a:b",      "a:80:80", "a/",      "a?",    "a#",
                              "u@a",  "[]",      "[::1",     "::1",     "[::1]x",  "[g::]", "a b",
                              "a\tb", "a:65536", "a:000080", "\"a\"",   "\xc3\xa9"};
  for (unsigned i = 0; i < sizeof good / sizeof good[0]; i++)
    assert_true(http_parse_host_is_valid(str_from_c(good[i])));
  for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) assert_false(http_parse_host_is_valid(str_from_c(bad[i])));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_case_has_its_status_however_it_is_cut),
      cmocka_unit_test(pipelined_requests_are_told_apart),
      cmocka_unit_test(requests_are_understood),
      cmocka_unit_test(a_failure_knows_the_path),
      cmocka_unit_test(keep_alive_and_expectation),
      cmocka_unit_test(caps_on_target_and_headers),
      cmocka_unit_test(cap_on_the_number_of_headers),
      cmocka_unit_test(endless_empty_lines_end),
      cmocka_unit_test(hosts),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
