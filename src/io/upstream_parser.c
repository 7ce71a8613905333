/* HTTP/1.1 replies from bytes: see upstream_parser.h. llhttp does the grammar; upstream_reply the bounds and what a
 * gateway must not guess. No lenient flag is ever set. */
#include "io/llhttp_names.h"

#include <assert.h>

#include "io/upstream_parser.h"

static_assert(sizeof(llhttp_t) <= UPSTREAM_PARSER_LLHTTP_BYTES && _Alignof(llhttp_t) <= 16,
              "llhttp_t fits its storage");

static llhttp_t *llhttp_of(struct upstream_parser *p) { return (llhttp_t *)(void *)p->llhttp; }

static struct upstream_reply *reply_of(llhttp_t *llhttp) { return ((struct upstream_parser *)llhttp->data)->reply; }

static int verdict(enum err e) { return e ? HPE_USER : HPE_OK; }

/* A trailer or a chunk extension: nobody wants them, but somebody could send them for ever. */
static int on_extra(llhttp_t *llhttp, const char *p, size_t n) {
  struct upstream_parser *parser = llhttp->data;
  (void)p;
  parser->extra_bytes += n + 2;
  if (parser->extra_bytes <= UPSTREAM_PARSER_EXTRA_BYTES) return HPE_OK;
  return verdict(
      upstream_reply_end(parser->reply, ERR_UPSTREAM_PROTOCOL, "the provider's reply has too much beside its body"));
}

static int on_name(llhttp_t *llhttp, const char *p, size_t n) {
  struct upstream_reply *r = reply_of(llhttp);
  return r->head_done ? on_extra(llhttp, p, n) : verdict(upstream_reply_name(r, str_from(p, n)));
}

static int on_value(llhttp_t *llhttp, const char *p, size_t n) {
  struct upstream_reply *r = reply_of(llhttp);
  return r->head_done ? on_extra(llhttp, p, n) : verdict(upstream_reply_value(r, str_from(p, n)));
}

static int on_value_end(llhttp_t *llhttp) { return on_value(llhttp, "", 0); } /* an empty value has no piece */

static bool is_interim(const llhttp_t *llhttp) {
  return llhttp->status_code >= 100 && llhttp->status_code < 200 && llhttp->status_code != 101;
}

static int on_head(llhttp_t *llhttp) {
  struct upstream_reply *r = reply_of(llhttp);
  if (llhttp->http_major != 1 || llhttp->http_minor > 1)
    return verdict(upstream_reply_end(r, ERR_UPSTREAM_PROTOCOL, "the provider's reply is of another HTTP version"));
  if (is_interim(llhttp)) {
    if ((llhttp->flags & (F_CHUNKED | F_TRANSFER_ENCODING)) || llhttp->content_length)
      return verdict(upstream_reply_end(r, ERR_UPSTREAM_PROTOCOL, "the provider sent an interim reply with a body"));
    return HPE_OK;
  }
  if (upstream_reply_head_end(r, llhttp->status_code, llhttp->http_minor)) return HPE_USER;
  return upstream_reply_is_bodiless(r) ? 1 : 0; /* 1: llhttp expects no body */
}

static int on_body(llhttp_t *llhttp, const char *p, size_t n) {
  return verdict(upstream_reply_body(reply_of(llhttp), str_from(p, n)));
}

static int on_message(llhttp_t *llhttp) {
  struct upstream_parser *p = llhttp->data;
  if (is_interim(llhttp)) return verdict(upstream_reply_head_restart(p->reply));
  p->is_complete = true;
  p->keeps_alive = llhttp_should_keep_alive(llhttp);
  upstream_reply_end(p->reply, OK, NULL);
  return HPE_PAUSED;
}

static const llhttp_settings_t settings = {.on_header_field = on_name,
                                           .on_header_value = on_value,
                                           .on_header_value_complete = on_value_end,
                                           .on_headers_complete = on_head,
                                           .on_chunk_extension_name = on_extra,
                                           .on_chunk_extension_value = on_extra,
                                           .on_body = on_body,
                                           .on_message_complete = on_message};

void upstream_parser_begin(struct upstream_parser *p, struct upstream_reply *reply) {
  llhttp_init(llhttp_of(p), HTTP_RESPONSE, &settings);
  llhttp_of(p)->data = p;
  p->reply = reply;
  p->lead_bytes = p->extra_bytes = 0;
  p->is_complete = p->keeps_alive = false;
}

enum err upstream_parser_feed(struct upstream_parser *p, struct str bytes, size_t *used) {
  llhttp_errno_t rc = llhttp_execute(llhttp_of(p), bytes.p, bytes.n);
  *used = bytes.n;
  if (rc == HPE_OK) {
    if (p->reply->head_done) return OK;
    p->lead_bytes += bytes.n;
    if (p->lead_bytes <= UPSTREAM_PARSER_LEAD_BYTES) return OK;
    return upstream_reply_end(p->reply, ERR_UPSTREAM_PROTOCOL,
                              "the provider's reply does not come to its headers' end");
  }
  if (p->is_complete) {
    const char *end = llhttp_get_error_pos(llhttp_of(p));
    if (end) *used = (size_t)(end - bytes.p);
    return OK;
  }
  upstream_reply_end(p->reply, ERR_UPSTREAM_PROTOCOL, NULL); /* unless a callback has said more */
  return p->reply->outcome;
}

void upstream_parser_eof(struct upstream_parser *p, bool is_clean) {
  if (p->is_complete) return;
  p->is_complete = is_clean && p->reply->head_done && llhttp_message_needs_eof(llhttp_of(p));
  upstream_reply_end(p->reply, p->is_complete ? OK : ERR_UPSTREAM_CUT, NULL);
}
