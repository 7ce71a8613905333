/* links: io */
/* Replies of an upstream through upstream_parser and upstream_reply, as the own HTTP client uses them. Input: one byte
 * of choices (1 HEAD, 2 gzip asked for, 4 a limit of 1000 bytes, 8 the connection ends uncleanly), one byte of piece
 * size, then the stream. Checked beyond memory safety: the result does not depend on how the bytes were cut, nothing
 * beyond the limits gets through, no 1xx or out-of-range status does, and a clean end needs a complete reply. */
#include <stdio.h>
#include <stdlib.h>

#include "io/upstream_parser.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LIMIT_BYTES = 1000 };

struct result {
  enum err outcome;
  int status;
  bool is_complete, keeps_alive;
  size_t body_bytes, headers, left;
  uint64_t body, head;
};

static void check(bool holds, const char *what) {
  if (holds) return;
  fprintf(stderr, "broken: %s\n", what);
  abort();
}

static uint64_t hash(uint64_t h, struct str s) { /* of the concatenation, however it is cut */
  for (size_t i = 0; i < s.n; i++) h = (h ^ (unsigned char)s.p[i]) * 1099511628211u;
  return h;
}

static bool take_all(struct upstream_reply *r, struct result *out) {
  struct str piece;
  while (upstream_reply_take(r, &piece, &out->outcome, NULL)) {
    if (out->outcome || piece.n == 0) return true;
    check(piece.n <= UPSTREAM_REPLY_HOLD_BYTES + (1u << 20), "a piece is bounded");
    out->body = hash(out->body, piece);
    out->body_bytes += piece.n;
  }
  return false;
}

static struct result run(const struct http_client_request *q, struct str stream, size_t step, bool is_clean) {
  static struct upstream_reply r;
  struct upstream_parser p;
  struct result out = {0};
  upstream_reply_init(&r);
  upstream_reply_begin(&r, q);
  upstream_parser_begin(&p, &r);
  enum err e = OK;
  while (stream.n && !e && !p.is_complete) {
    struct str piece = str_sub(stream, 0, step);
    size_t used = 0;
    e = upstream_parser_feed(&p, piece, &used);
    check(e || p.is_complete || used == piece.n, "all is used until the end");
    stream = str_sub(stream, e ? piece.n : used, stream.n);
    if (r.head_done && !e) take_all(&r, &out);
  }
  if (!e) upstream_parser_eof(&p, is_clean);
  check(take_all(&r, &out), "a reply that has ended says so");
  out.status = r.response.status;
  out.headers = r.response.headers.n;
  out.is_complete = p.is_complete;
  out.keeps_alive = !out.outcome && p.keeps_alive; /* a decoder may fail before the last byte is there */
  out.left = out.outcome ? 0 : stream.n;
  for (size_t i = 0; i < out.headers; i++) {
    out.head = hash(hash(out.head, r.response.headers.v[i].name), STR(":"));
    out.head = hash(hash(out.head, r.response.headers.v[i].value), STR("\n"));
  }
  upstream_reply_clear(&r);
  return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2) return 0;
  struct http_client_request q = {.method = data[0] & 1 ? HTTP_HEAD : HTTP_GET,
                                  .accept_gzip = data[0] & 2,
                                  .reply_limit_bytes = data[0] & 4 ? LIMIT_BYTES : 0};
  bool is_clean = !(data[0] & 8);
  struct str stream = str_from((const char *)data + 2, size - 2);
  struct result whole = run(&q, stream, SIZE_MAX, is_clean), cut = run(&q, stream, data[1] % 64 + 1u, is_clean);
  /* Of two faults in one stream either may be met first. */
  check(!whole.outcome == !cut.outcome && whole.status == cut.status, "the outcome is the same");
  check(whole.head == cut.head && whole.headers == cut.headers, "the head is the same");
  check(whole.outcome || (whole.body == cut.body && whole.body_bytes == cut.body_bytes), "the body is the same");
  check(whole.left == cut.left && whole.keeps_alive == cut.keeps_alive, "the end is the same");
  check(whole.outcome != OK || whole.is_complete, "a clean end is complete");
  check(whole.headers <= UPSTREAM_REPLY_HEADERS_MAX, "headers are bounded");
  check(!whole.status || (whole.status >= 200 && whole.status <= 599), "the status is usable");
  check(whole.outcome || !q.reply_limit_bytes || whole.body_bytes <= LIMIT_BYTES, "the limit holds");
  check(whole.outcome || q.method != HTTP_HEAD || whole.body_bytes == 0, "HEAD has no body");
  return 0;
}
