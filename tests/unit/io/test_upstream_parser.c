/* upstream_parser and upstream_reply together, without sockets: each script is parsed whole and cut at every byte, and
 * must give the same status, headers, body and outcome every time. */
#include "io/upstream_parser.h"

#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "unit.h"

struct parsed {
  enum err outcome;
  int status;
  size_t headers, left; /* left: bytes beyond the reply */
  bool is_complete, keeps_alive;
  struct buf body;
  uint64_t header_hash;
};

static void take_all(struct upstream_reply *r, struct buf *body, enum err *outcome) {
  struct str piece;
  while (upstream_reply_take(r, &piece, outcome, NULL)) {
    if (*outcome || piece.n == 0) return;
    buf_put(body, piece);
  }
}

/* Feeds reply in two pieces, then ends the connection. */
static struct parsed parse(struct str reply, size_t cut, const struct http_client_request *q) {
  static struct upstream_reply r;
  struct upstream_parser p;
  struct parsed out = {0};
  upstream_reply_init(&r);
  upstream_reply_begin(&r, q);
  upstream_parser_begin(&p, &r);
  struct str pieces[] = {str_sub(reply, 0, cut), str_sub(reply, cut, reply.n)};
  enum err e = OK;
  for (unsigned i = 0; i < 2 && !e; i++) {
    if (p.is_complete) {
      out.left += pieces[i].n;
      continue;
    }
    /* An exact copy, so that a read past the end is seen. */
    char *copy = malloc(pieces[i].n ? pieces[i].n : 1);
    if (pieces[i].n) memcpy(copy, pieces[i].p, pieces[i].n);
    size_t used = 0;
    e = upstream_parser_feed(&p, str_from(copy, pieces[i].n), &used);
    free(copy);
    out.left += pieces[i].n - used;
    if (r.head_done) take_all(&r, &out.body, &out.outcome);
  }
  if (!e) upstream_parser_eof(&p, true);
  take_all(&r, &out.body, &out.outcome);
  out.status = r.response.status;
  out.headers = r.response.headers.n;
  out.is_complete = p.is_complete;
  out.keeps_alive = p.keeps_alive;
  for (size_t i = 0; i < out.headers; i++) {
    out.header_hash = str_hash(r.response.headers.v[i].name, out.header_hash);
    out.header_hash = str_hash(r.response.headers.v[i].value, out.header_hash);
  }
  upstream_reply_clear(&r);
  return out;
}

struct script {
  const char *reply;
  enum err outcome;
  int status;
  const char *body;
  size_t left;
  bool keeps_alive;
};

static const struct script scripts[] = {
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX:\r\nY: \t v \t\r\n\r\nhello", OK, 200, "hello", 0, true},
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200", OK, 200, "hello", 12, true},
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello", OK, 200, "hello", 0, false},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nT: 1\r\n\r\n", OK, 200,
     "hello world", 0, true},
    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nA: b\r\n\r\nHTTP/1.1 204 No Content\r\nB: c\r\n\r\n", OK,
     204, "", 0, true},
    {"HTTP/1.1 200 OK\r\n\r\nto the end", OK, 200, "to the end", 0, false},
    {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx", OK, 200, "x", 0, true},
    {"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello", ERR_UPSTREAM_CUT, 200, "hello", 0, false},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", ERR_UPSTREAM_CUT, 200, "hello", 0,
     false},
    {"HTTP/1.1 200 OK\r\nContent-Le", ERR_UPSTREAM_CUT, 0, "", 0, false},
    {"", ERR_UPSTREAM_CUT, 0, "", 0, false},
    {"HTTP/1.1 100 Continue\r\n\r\n", ERR_UPSTREAM_CUT, 0, "", 0, false},
    {"HTTP/1.1 103 Early\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
     ERR_UPSTREAM_PROTOCOL, 0, "", 0, false},
    {"HTTP/1.1 103 Early\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
     ERR_UPSTREAM_PROTOCOL, 0, "", 0, false},
    {"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n", ERR_UPSTREAM_PROTOCOL, 0, "", 0, false},
    {"HTTP/0.9 200 OK\r\n\r\nx", ERR_UPSTREAM_PROTOCOL, 0, "", 0, false},
    {"HTTP/1.1 200 OK\nContent-Length: 0\n\n", ERR_UPSTREAM_PROTOCOL, 0, "", 0, false},
    {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ERR_UPSTREAM_PROTOCOL, 0,
     "", 0, false},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX\n0\r\n\r\n", ERR_UPSTREAM_PROTOCOL, 200, "hello",
     0, false},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n", ERR_UPSTREAM_PROTOCOL, 200, "", 0,
     false},
    {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n", ERR_UPSTREAM_PROTOCOL, 0,
     "", 0, false},
    {"HTTP/1.1 200 OK\r\nUpgrade: h2c\r\nConnection: upgrade\r\nContent-Length: 2\r\n\r\nok", OK, 200, "ok", 0, true},
    {"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ERR_UPSTREAM_PROTOCOL, 0, "", 0, false},
};

TEST(every_cut_gives_the_same) {
  struct http_client_request q = {.method = HTTP_GET};
  for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
    const struct script *s = &scripts[i];
    struct str reply = str_from_c(s->reply);
    uint64_t header_hash = 0;
    for (size_t cut = 0; cut <= reply.n; cut++) {
      struct parsed got = parse(reply, cut, &q);
      if (got.outcome != s->outcome || got.status != s->status)
        fail_msg("script %zu cut at %zu: %s, status %d", i, cut, err_code(got.outcome), got.status);
      assert_str(buf_str(&got.body), str_from_c(s->body));
      if (s->outcome == OK) {
        assert_int_equal(got.left, s->left);
        assert_int_equal(got.keeps_alive, s->keeps_alive);
        assert_true(got.is_complete);
        if (cut == 0) header_hash = got.header_hash;
        assert_true(got.header_hash == header_hash);
      }
      buf_clear(&got.body);
    }
  }
}

TEST(nul_is_refused) {
  struct http_client_request q = {.method = HTTP_GET};
  struct str replies[] = {STR("HTTP/1.1 200 OK\r\nA\0B: c\r\nContent-Length: 0\r\n\r\n"),
                          STR("HTTP/1.1 200 OK\r\nA: b\0c\r\nContent-Length: 0\r\n\r\n")};
  for (unsigned i = 0; i < 2; i++)
    for (size_t cut = 0; cut <= replies[i].n; cut++) {
      struct parsed got = parse(replies[i], cut, &q);
      assert_int_equal(got.outcome, ERR_UPSTREAM_PROTOCOL);
      buf_clear(&got.body);
    }
}

TEST(head_replies_have_no_body) {
  struct http_client_request q = {.method = HTTP_HEAD};
  struct str reply = STR("HTTP/1.1 200 OK\r\nContent-Length: 99\r\nContent-Encoding: br\r\n\r\nHTTP");
  for (size_t cut = 0; cut <= reply.n; cut++) {
    struct parsed got = parse(reply, cut, &q);
    assert_int_equal(got.outcome, OK);
    assert_true(got.is_complete && got.keeps_alive && got.left == 4 && got.body.n == 0 && got.headers == 2);
    buf_clear(&got.body);
  }
}

TEST(interim_replies_are_bounded) {
  struct http_client_request q = {.method = HTTP_GET};
  for (unsigned count = UPSTREAM_REPLY_INTERIMS_MAX; count <= UPSTREAM_REPLY_INTERIMS_MAX + 1u; count++) {
    struct buf b;
    buf_init(&b, 0);
    for (unsigned i = 0; i < count; i++) buf_put(&b, STR("HTTP/1.1 102 Processing\r\n\r\n"));
    buf_put(&b, STR("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    struct parsed got = parse(buf_str(&b), 7, &q);
    assert_int_equal(got.outcome, count > UPSTREAM_REPLY_INTERIMS_MAX ? ERR_UPSTREAM_PROTOCOL : OK);
    buf_clear(&got.body);
    buf_clear(&b);
  }
}

static struct buf gzip(struct str plain) {
  struct buf out;
  buf_init(&out, 0);
  z_stream z = {0};
  assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  assert_true(buf_reserve(&out, deflateBound(&z, plain.n)));
  z.next_in = (unsigned char *)plain.p;
  z.avail_in = (unsigned)plain.n;
  z.next_out = (unsigned char *)out.p;
  z.avail_out = (unsigned)out.cap;
  assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
  out.n = out.cap - z.avail_out;
  deflateEnd(&z);
  return out;
}

TEST(gzip_survives_every_cut) {
  struct http_client_request q = {.method = HTTP_GET, .accept_gzip = true};
  struct str plain = STR("data: {\"delta\":\"hello hello hello hello\"}\n\n");
  struct buf packed = gzip(plain), reply;
  buf_init(&reply, 0);
  buf_printf(&reply, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n", packed.n);
  buf_put(&reply, buf_str(&packed));
  for (size_t cut = 0; cut <= reply.n; cut++) {
    struct parsed got = parse(buf_str(&reply), cut, &q);
    assert_int_equal(got.outcome, OK);
    assert_str(buf_str(&got.body), plain);
    buf_clear(&got.body);
    got = parse(str_sub(buf_str(&reply), 0, cut), cut / 2, &q); /* and the connection dies there */
    assert_int_equal(got.outcome, cut == reply.n ? OK : ERR_UPSTREAM_CUT);
    buf_clear(&got.body);
  }
  buf_clear(&packed);
  buf_clear(&reply);
}

TEST(a_full_step_of_gzip_ends) {
  /* Exactly what one step decodes: inflate may hold nothing back, and the end must still be found. */
  struct http_client_request q = {.method = HTTP_GET, .accept_gzip = true};
  for (int off = -1; off <= 1; off++) {
    size_t n = (size_t)(UPSTREAM_REPLY_STEP_BYTES + off);
    char *plain = malloc(n);
    for (uint64_t i = 0, x = 1; i < n; i++, x = x * 6364136223846793005u + 1) plain[i] = (char)('a' + (x >> 60));
    struct buf packed = gzip(str_from(plain, n)), reply;
    buf_init(&reply, 0);
    buf_printf(&reply, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n", packed.n);
    buf_put(&reply, buf_str(&packed));
    struct parsed got = parse(buf_str(&reply), reply.n, &q);
    assert_int_equal(got.outcome, OK);
    assert_int_equal(got.body.n, n);
    assert_memory_equal(got.body.p, plain, n);
    buf_clear(&got.body);
    buf_clear(&reply);
    buf_clear(&packed);
    free(plain);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_cut_gives_the_same),
      cmocka_unit_test(head_replies_have_no_body),
      cmocka_unit_test(interim_replies_are_bounded),
      cmocka_unit_test(gzip_survives_every_cut),
      cmocka_unit_test(nul_is_refused),
      cmocka_unit_test(a_full_step_of_gzip_ends),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
