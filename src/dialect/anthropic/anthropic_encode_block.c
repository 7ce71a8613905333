/* Anthropic Messages, one canonical part as a content block. A part of this dialect that keeps its node is written from
 * it. For another dialect's part the vendor's limits hold: images are JPEG, PNG, GIF or WebP and stand in user turns,
 * documents are PDF or plain text, texts are not empty, and thinking goes back only to its maker. */
#include <yyjson.h>

#include "base/base64.h"
#include "base/json_out.h"
#include "dialect/anthropic/anthropic_internal.h"
#include "dialect/call_id.h"
#include "dialect/tool_name.h"

static enum err refuse(const struct anthropic_encoder *e, const struct request_item *item,
                       const struct request_part *part, const char *what) {
  return dialect_refuse(e->r, item, part, e->info, "%s cannot be said in the anthropic API", what);
}

static void put_tail(const struct anthropic_encoder *e, const struct request_part *p) {
  anthropic_put_cache(e, &p->cache);
  if (e->is_own) json_out_rest(e->out, &p->rest);
  json_out_end(e->out, '}');
}

static void begin(const struct anthropic_encoder *e, const char *type) {
  json_out_begin(e->out, '{');
  json_out_member_string(e->out, "type", str_from_c(type));
}

static void put_text(const struct anthropic_encoder *e, const struct request_part *p, struct str text) {
  if (!e->is_own && !text.n) return;
  begin(e, "text");
  json_out_member_string(e->out, "text", text);
  if (e->is_own) json_out_member_value_if(e->out, "citations", p->citations);
  put_tail(e, p);
}

/* ---- media ---- */

static struct str image_mime(const struct media *m) {
  static const struct str taken[] = {STR("image/png"), STR("image/jpeg"), STR("image/gif"), STR("image/webp")};
  struct str mime = m->mime.n ? m->mime : request_image_mime(m->data);
  if (str_eq_nocase(mime, STR("image/jpg"))) return STR("image/jpeg");
  for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
    if (str_eq_nocase(mime, taken[i])) return taken[i];
  return STR_NONE;
}

static void put_source(struct buf *out, const char *type, struct str mime, const char *key, struct str value) {
  json_out_key(out, "source");
  json_out_begin(out, '{');
  json_out_member_string(out, "type", str_from_c(type));
  json_out_member_string_if(out, "media_type", mime);
  json_out_member_string(out, key, value);
  json_out_end(out, '}');
}

static void put_reference(struct buf *out, const struct media *m) {
  if (m->url.p)
    put_source(out, "url", STR_NONE, "url", m->url);
  else
    put_source(out, "file", STR_NONE, "file_id", m->file_id);
}

static enum err put_image(const struct anthropic_encoder *e, const struct request_item *item,
                          const struct request_part *p) {
  const struct media *m = p->media;
  bool is_data = !m->url.p && !m->file_id.p;
  struct str mime = e->is_own ? m->mime : image_mime(m);
  if (!e->is_own && item->role == ROLE_ASSISTANT) return refuse(e, item, p, "an image in the model's own turn");
  if (is_data && !mime.n) return refuse(e, item, p, "an image that is not JPEG, PNG, GIF or WebP");
  begin(e, "image");
  if (is_data)
    put_source(e->out, "base64", mime, "data", m->data);
  else
    put_reference(e->out, m);
  put_tail(e, p);
  return OK;
}

/* The text of a document that came as base64; false where it is none. */
static bool decode_text(struct arena *a, struct str data, struct str *out) {
  char *bytes = data.n <= BASE64_TEXT_MAX ? arena_alloc(a, base64_room(data.n)) : NULL;
  size_t n = bytes ? base64_decode(data, bytes) : SIZE_MAX;
  if (n == SIZE_MAX) return false;
  *out = str_from(bytes, n);
  return str_is_utf8(*out);
}

static enum err put_document(const struct anthropic_encoder *e, const struct request_item *item,
                             const struct request_part *p) {
  const struct media *m = p->media;
  struct str text = m->text, mime = m->mime;
  bool is_data = !m->url.p && !m->file_id.p && !text.p;
  if (!e->is_own && item->role == ROLE_ASSISTANT) return refuse(e, item, p, "a document in the model's own turn");
  if (!e->is_own && is_data && str_has_prefix_nocase(mime, STR("text/")) && !decode_text(e->arena, m->data, &text))
    return refuse(e, item, p, "a document whose text is not UTF-8 in base64");
  if (!e->is_own && is_data && !text.p) {
    if (!mime.n) mime = STR("application/pdf");
    if (!str_eq_nocase(mime, STR("application/pdf")))
      return refuse(e, item, p, "a document that is not PDF or plain text");
  }
  begin(e, "document");
  if (text.p)
    put_source(e->out, "text", e->is_own ? mime : STR("text/plain"), "data", text);
  else if (is_data)
    put_source(e->out, "base64", mime, "data", m->data);
  else
    put_reference(e->out, m);
  if (e->is_own ? m->name.p != NULL : m->name.n > 0) json_out_member_string(e->out, "title", m->name);
  put_tail(e, p);
  return OK;
}

/* ---- thinking ---- */

static void put_thinking(const struct anthropic_encoder *e, const struct request_part *p) {
  bool is_unsigned = e->is_own && !p->signature.bytes.p; /* the vendor's to judge */
  bool is_ours = str_eq(p->signature.origin, ANTHROPIC_NAME) && (e->is_own || p->signature.bytes.n);
  if (!is_ours && !is_unsigned) return;
  if (p->kind == PART_REDACTED) {
    begin(e, "redacted_thinking");
    json_out_member_string(e->out, "data", p->signature.bytes);
  } else {
    begin(e, "thinking");
    json_out_member_string(e->out, "thinking", p->text);
    if (!is_unsigned) json_out_member_string(e->out, "signature", p->signature.bytes);
  }
  put_tail(e, p);
}

/* ---- tools ---- */

struct str anthropic_call_id(const struct anthropic_encoder *e, const struct request_part *p) {
  struct str wire = e->is_own ? p->call_id : call_id_wire(e->arena, p->call_id, STR_NONE);
  if (!e->is_own && !wire.p) e->out->failed = true;
  return wire;
}

void anthropic_put_tool_name(const struct anthropic_encoder *e, struct str group, struct str name) {
  struct str wire = e->is_own ? name : tool_name_wire(e->arena, group, name);
  if (name.n && !wire.p) e->out->failed = true;
  json_out_member_string(e->out, "name", wire);
}

static void put_call(const struct anthropic_encoder *e, const struct request_part *p) {
  begin(e, "tool_use");
  json_out_member_string(e->out, "id", anthropic_call_id(e, p));
  anthropic_put_tool_name(e, p->namespace, p->name);
  json_out_key(e->out, "input");
  request_put_call_args(e->out, p);
  put_tail(e, p);
}

static bool is_whole_text(const struct request_part *p) {
  for (size_t i = 0; i < p->result_count; i++)
    if (p->results[i].kind != PART_TEXT || p->results[i].cache.raw || p->results[i].raw) return false;
  return p->result_count == 1;
}

static enum err put_result(const struct anthropic_encoder *e, const struct request_item *item,
                           const struct request_part *p) {
  enum err err = OK;
  begin(e, "tool_result");
  json_out_member_string(e->out, "tool_use_id", anthropic_call_id(e, p));
  if (e->is_own ? p->is_result_plain : is_whole_text(p)) {
    json_out_member_string(e->out, "content", p->result_count ? p->results[0].text : STR_NONE);
  } else if (p->result_count || (e->is_own && p->results)) {
    json_out_key(e->out, "content");
    json_out_begin(e->out, '[');
    for (size_t i = 0; !err && i < p->result_count; i++) {
      bool is_call = p->results[i].kind == PART_TOOL_CALL || p->results[i].kind == PART_TOOL_RESULT;
      if (!is_call) err = anthropic_encode_block(e, item, &p->results[i]); /* nothing holds calls or results */
    }
    json_out_end(e->out, ']');
  }
  if (e->is_own ? p->has_is_error : p->is_error) json_out_member_bool(e->out, "is_error", p->is_error);
  put_tail(e, p);
  return err;
}

enum err anthropic_encode_block(const struct anthropic_encoder *e, const struct request_item *item,
                                const struct request_part *part) {
  if (e->is_own && part->raw) {
    json_out_value(e->out, part->raw);
    return OK;
  }
  switch (part->kind) {
    case PART_TEXT:
    case PART_REFUSAL: put_text(e, part, part->text); return OK;
    case PART_REASONING:
    case PART_REASONING_SUMMARY:
    case PART_REDACTED: put_thinking(e, part); return OK;
    case PART_TOOL_CALL: put_call(e, part); return OK;
    case PART_TOOL_RESULT: return put_result(e, item, part);
    case PART_IMAGE: return put_image(e, item, part);
    case PART_DOCUMENT: return put_document(e, item, part);
    default: return OK; /* native to another dialect: caps_check has refused or named it */
  }
}
