/* The reply half of an upstream exchange: see upstream_reply.h. RFC 9110 and 9112 (June 2022); where they let a
 * recipient guess how a message is framed, this refuses instead. */
#include "io/upstream_reply.h"

enum { KEPT_BYTES = 64 * 1024, INFLATE_FLOOR_BYTES = 1024 * 1024 };

void upstream_reply_init(struct upstream_reply *r) {
  memset(r, 0, sizeof *r);
  buf_init(&r->head, UPSTREAM_REPLY_HEAD_BYTES);
}

static void inflate_drop(struct upstream_reply *r) {
  if (r->inflate_live) inflateEnd(&r->inflate);
  r->inflate_live = false;
}

void upstream_reply_clear(struct upstream_reply *r) {
  inflate_drop(r);
  buf_clear(&r->head);
  buf_clear(&r->incoming);
  buf_clear(&r->lent);
}

static void trim(struct buf *b) {
  if (b->cap > KEPT_BYTES) buf_clear(b);
  buf_reset(b);
}

void upstream_reply_recycle(struct upstream_reply *r) {
  inflate_drop(r);
  trim(&r->head);
  trim(&r->incoming);
  trim(&r->lent);
}

void upstream_reply_begin(struct upstream_reply *r, const struct http_client_request *request) {
  inflate_drop(r);
  buf_reset(&r->head);
  buf_reset(&r->incoming);
  buf_reset(&r->lent);
  r->response = (struct http_response){0};
  r->headers = r->interims = 0;
  r->consumed = 0;
  r->incoming_total = r->decoded_total = 0;
  r->limit_bytes = request->reply_limit_bytes;
  r->in_value = r->head_done = r->ended = r->is_gzip = r->inflate_done = false;
  r->is_bodiless_method = request->method == HTTP_HEAD;
  r->accept_gzip = request->accept_gzip;
  r->outcome = OK;
  r->reason = NULL;
}

enum err upstream_reply_end(struct upstream_reply *r, enum err e, const char *reason) {
  if (!r->ended) {
    r->ended = true;
    r->outcome = e;
    r->reason = reason;
  }
  return e;
}

static enum err protocol(struct upstream_reply *r, const char *reason) {
  return upstream_reply_end(r, ERR_UPSTREAM_PROTOCOL, reason);
}

static enum err head_put(struct upstream_reply *r, struct str piece) {
  buf_put(&r->head, piece);
  return r->head.failed ? protocol(r, "the provider's reply has more than 64 KiB of headers") : OK;
}

enum err upstream_reply_name(struct upstream_reply *r, struct str piece) {
  if (r->in_value || r->headers == 0) {
    if (r->headers == UPSTREAM_REPLY_HEADERS_MAX) return protocol(r, "the provider's reply has more than 128 headers");
    r->span[r->headers++] = (struct upstream_reply_span){.name = (uint32_t)r->head.n};
    r->in_value = false;
  }
  r->span[r->headers - 1].name_bytes += (uint32_t)piece.n;
  return head_put(r, piece);
}

enum err upstream_reply_value(struct upstream_reply *r, struct str piece) {
  if (r->headers == 0) return protocol(r, "the provider's reply has a header without a name");
  struct upstream_reply_span *span = &r->span[r->headers - 1];
  if (!r->in_value) {
    span->value = (uint32_t)r->head.n;
    r->in_value = true;
  }
  span->value_bytes += (uint32_t)piece.n;
  return head_put(r, piece);
}

enum err upstream_reply_head_restart(struct upstream_reply *r) {
  if (++r->interims > UPSTREAM_REPLY_INTERIMS_MAX) return protocol(r, "the provider sent too many interim replies");
  r->headers = 0;
  r->in_value = false;
  buf_reset(&r->head);
  return OK;
}

bool upstream_reply_is_bodiless(const struct upstream_reply *r) {
  return r->is_bodiless_method || r->response.status == 204 || r->response.status == 304;
}

static enum err check_framing(struct upstream_reply *r, struct http_headers h, int version_minor) {
  struct str length = http_header_get(h, STR("content-length"));
  struct str coding = http_header_get(h, STR("transfer-encoding"));
  uint64_t bytes = 0;
  if (length.p && (http_header_count(h, STR("content-length")) > 1 || !str_to_u64(length, &bytes)))
    return protocol(r, "the provider's reply has an ambiguous length");
  if (coding.p) {
    if (length.p) return protocol(r, "the provider's reply has both a length and a transfer coding");
    if (http_header_count(h, STR("transfer-encoding")) > 1 || !str_eq_nocase(coding, STR("chunked")) || !version_minor)
      return protocol(r, "the provider's reply has an unknown transfer coding");
  }
  if (length.p && !upstream_reply_is_bodiless(r) && !r->is_gzip && r->limit_bytes && bytes > r->limit_bytes)
    return upstream_reply_end(r, ERR_UPSTREAM_TOO_LARGE, NULL);
  return OK;
}

static enum err check_encoding(struct upstream_reply *r, struct http_headers h) {
  struct str name = http_header_get(h, STR("content-encoding"));
  if (!name.p || name.n == 0 || str_eq_nocase(name, STR("identity")) || upstream_reply_is_bodiless(r)) return OK;
  if (http_header_count(h, STR("content-encoding")) > 1 || !r->accept_gzip ||
      (!str_eq_nocase(name, STR("gzip")) && !str_eq_nocase(name, STR("x-gzip"))))
    return protocol(r, "the provider's reply is in an encoding that was not asked for");
  r->is_gzip = true;
  return OK;
}

enum err upstream_reply_head_end(struct upstream_reply *r, int status, int version_minor) {
  if (status < 200 || status > 599) return protocol(r, "the provider's reply has an unusable status");
  for (unsigned i = 0; i < r->headers; i++) {
    const struct upstream_reply_span *s = &r->span[i];
    r->header[i] = (struct http_header){str_from(r->head.p + s->name, s->name_bytes),
                                        str_trim(str_from(r->head.p + s->value, s->value_bytes))};
  }
  r->response.status = status;
  r->response.headers = (struct http_headers){r->header, r->headers};
  enum err e = check_encoding(r, r->response.headers);
  if (!e) e = check_framing(r, r->response.headers, version_minor);
  if (e) {
    r->response.status = 0;
    r->response.headers = (struct http_headers){0};
  }
  r->head_done = !e;
  return e;
}

enum err upstream_reply_body(struct upstream_reply *r, struct str bytes) {
  if (r->ended) return r->outcome;
  r->incoming_total += bytes.n;
  if (!r->is_gzip && r->limit_bytes && r->incoming_total > r->limit_bytes)
    return upstream_reply_end(r, ERR_UPSTREAM_TOO_LARGE, NULL);
  if (r->consumed && r->consumed == r->incoming.n) {
    buf_reset(&r->incoming);
    r->consumed = 0;
  }
  buf_put(&r->incoming, bytes);
  return r->incoming.failed ? upstream_reply_end(r, ERR_NO_MEMORY, NULL) : OK;
}

/* One step of at most UPSTREAM_REPLY_STEP_BYTES into `lent`. Whole members may follow one another (RFC 1952, 2.2). */
static enum err inflate_step(struct upstream_reply *r) {
  if (!r->inflate_live) {
    r->inflate = (z_stream){0};
    if (inflateInit2(&r->inflate, 15 + 16) != Z_OK) return ERR_NO_MEMORY;
    r->inflate_live = true;
  }
  buf_reset(&r->lent);
  if (!buf_reserve(&r->lent, UPSTREAM_REPLY_STEP_BYTES)) return ERR_NO_MEMORY;
  int rc = Z_OK;
  do {
    if (r->inflate_done && inflateReset(&r->inflate) != Z_OK) return ERR_INTERNAL;
    r->inflate_done = false;
    r->inflate.next_in = (unsigned char *)r->incoming.p + r->consumed;
    r->inflate.avail_in = (unsigned)(r->incoming.n - r->consumed);
    r->inflate.next_out = (unsigned char *)r->lent.p + r->lent.n;
    r->inflate.avail_out = (unsigned)(UPSTREAM_REPLY_STEP_BYTES - r->lent.n);
    rc = inflate(&r->inflate, Z_SYNC_FLUSH);
    r->consumed = r->incoming.n - r->inflate.avail_in;
    r->lent.n = UPSTREAM_REPLY_STEP_BYTES - r->inflate.avail_out;
    r->inflate_done = rc == Z_STREAM_END;
    if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR) return ERR_UPSTREAM_PROTOCOL;
  } while (rc != Z_BUF_ERROR && r->consumed < r->incoming.n && r->lent.n < UPSTREAM_REPLY_STEP_BYTES);
  r->decoded_total += r->lent.n;
  if ((r->limit_bytes && r->decoded_total > r->limit_bytes) ||
      r->decoded_total > r->incoming_total * UPSTREAM_REPLY_INFLATE_RATIO + INFLATE_FLOOR_BYTES)
    return ERR_UPSTREAM_TOO_LARGE;
  return OK;
}

/* inflate may still hold output after the last input byte was taken; only a short step proves it does not. */
static bool inflate_wants_step(const struct upstream_reply *r) {
  return r->consumed < r->incoming.n || (r->inflate_live && !r->inflate_done && r->lent.n == UPSTREAM_REPLY_STEP_BYTES);
}

enum err upstream_reply_failure(const struct upstream_reply *r, struct err_info *info) {
  if (r->outcome && r->reason) return err_set(info, r->outcome, "%s", r->reason);
  return r->outcome;
}

static bool take_gzip(struct upstream_reply *r, struct str *piece, enum err *e, struct err_info *info) {
  while (inflate_wants_step(r)) {
    *e = inflate_step(r);
    if (*e) {
      r->outcome = *e; /* also over a clean end of the transport, so that later takes fail alike */
      r->reason = *e == ERR_UPSTREAM_PROTOCOL ? "the provider's reply could not be decoded" : NULL;
      r->ended = true;
      r->consumed = r->incoming.n;
      buf_reset(&r->lent);
      *e = upstream_reply_failure(r, info);
      return true;
    }
    if (r->lent.n) {
      *piece = buf_str(&r->lent);
      return true;
    }
  }
  buf_reset(&r->lent);
  if (!r->ended) return false;
  if (!r->outcome && r->incoming_total && !r->inflate_done) {
    r->outcome = ERR_UPSTREAM_CUT;
    r->reason = "the provider's reply ended inside its encoding";
  }
  *e = upstream_reply_failure(r, info);
  if (!*e) *piece = STR_NONE;
  return true;
}

bool upstream_reply_take(struct upstream_reply *r, struct str *piece, enum err *e, struct err_info *info) {
  if (r->is_gzip) return take_gzip(r, piece, e, info);
  if (r->incoming.n) {
    struct buf spare = r->lent;
    r->lent = r->incoming;
    r->incoming = spare;
    buf_reset(&r->incoming);
    *piece = buf_str(&r->lent);
    *e = OK;
    return true;
  }
  if (!r->ended) return false;
  *e = upstream_reply_failure(r, info);
  if (!*e) *piece = STR_NONE;
  return true;
}
