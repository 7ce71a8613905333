/* Parts of the canonical request as Converse content blocks. Bedrock's own limits are kept here: text blocks must not
 * be blank, names of documents and ids of tool uses have an alphabet. What cannot be said writes nothing; media of a
 * format that Bedrock has no word for is refused with its path, since it changes the answer. */
#include <stdio.h>
#include <yyjson.h>

#include "base/json_out.h"
#include "dialect/bedrock/bedrock_internal.h"
#include "dialect/call_id.h"
#include "dialect/tool_name.h"

enum { DOCUMENT_NAME_MAX = 200 };

static bool is_blank(struct str s) { return str_trim(s).n == 0; }

static bool is_own_signature(const struct request_part *p) {
  return p->signature.bytes.n && str_eq(p->signature.origin, BEDROCK_NAME);
}

bool bedrock_is_sayable(const struct bedrock_encoder *c, const struct request_part *p) {
  if (c->is_own) return true;
  switch (p->kind) {
    case PART_TEXT:
    case PART_REFUSAL: return !is_blank(p->text);
    case PART_REASONING:
    case PART_REDACTED: return is_own_signature(p);
    case PART_TOOL_CALL:
    case PART_TOOL_RESULT: return true;
    default: return bedrock_media_word(p->kind) != NULL;
  }
}

static void put_text_block(struct bedrock_encoder *c, struct str text) {
  json_out_begin(c->out, '{');
  json_out_member_string(c->out, "text", text);
  json_out_end(c->out, '}');
}

/* ---- media ---- */

/* Letters, digits, single spaces, hyphens, brackets; anything else becomes a hyphen (so the API reference). */
static struct str document_name(struct bedrock_encoder *c, struct str name) {
  if (c->is_own) return name;
  if (is_blank(name)) return STR("document");
  struct str copy = arena_dup(c->arena, str_cut_utf8(str_trim(name), DOCUMENT_NAME_MAX));
  char *p = (char *)copy.p; /* made above */
  for (size_t i = 0; i < copy.n; i++) {
    bool is_plain = (p[i] >= 'a' && p[i] <= 'z') || (p[i] >= 'A' && p[i] <= 'Z') || (p[i] >= '0' && p[i] <= '9') ||
                    strchr("-()[]", p[i]) || (p[i] == ' ' && i && p[i - 1] != ' ');
    if (!is_plain || !p[i]) p[i] = '-';
  }
  return copy;
}

static enum err put_media(struct bedrock_encoder *c, const struct request_item *item, const struct request_part *p) {
  const struct media *m = p->media;
  struct buf *out = c->out;
  struct str format = bedrock_format_of(p->kind, m->mime);
  if (!format.n && m->text.p) format = STR("txt");
  if (!format.n || (!m->data.n && !m->text.p))
    return dialect_refuse(c->request, item, p, c->info, "Bedrock takes no %s of the type \"%.*s\"",
                          bedrock_media_word(p->kind), STR_ARG(m->mime));
  json_out_begin(out, '{');
  json_out_key(out, bedrock_media_word(p->kind));
  json_out_begin(out, '{');
  json_out_member_string(out, "format", format);
  if (p->kind == PART_DOCUMENT) json_out_member_string(out, "name", document_name(c, m->name));
  json_out_key(out, "source");
  json_out_begin(out, '{');
  json_out_member_string(out, m->text.p ? "text" : "bytes", m->text.p ? m->text : m->data);
  json_out_end(out, '}');
  if (c->is_own) json_out_rest(out, &p->rest);
  json_out_end(out, '}');
  json_out_end(out, '}');
  return OK;
}

/* ---- tools ---- */

static struct str tool_use_id(struct bedrock_encoder *c, struct str id) {
  struct str wire = c->is_own ? id : call_id_wire(c->arena, id, STR(".:"));
  if (!c->is_own && !wire.p) c->out->failed = true;
  return wire;
}

static void put_tool_use(struct bedrock_encoder *c, const struct request_part *p) {
  struct buf *out = c->out;
  json_out_begin(out, '{');
  json_out_key(out, "toolUse");
  json_out_begin(out, '{');
  json_out_member_string(out, "toolUseId", tool_use_id(c, p->call_id));
  json_out_member_string(out, "name", c->is_own ? p->name : tool_name_wire(c->arena, p->namespace, p->name));
  json_out_key(out, "input");
  request_put_call_args(out, p);
  if (c->is_own) json_out_rest(out, &p->rest);
  json_out_end(out, '}');
  json_out_end(out, '}');
}

static enum err put_result_part(struct bedrock_encoder *c, const struct request_item *item,
                                const struct request_part *p) {
  if (c->is_own && p->raw) {
    json_out_value(c->out, p->raw);
    return OK;
  }
  if (p->kind == PART_TEXT) {
    if (c->is_own || !is_blank(p->text)) put_text_block(c, p->text);
    return OK;
  }
  return bedrock_media_word(p->kind) ? put_media(c, item, p) : OK;
}

static enum err put_tool_result(struct bedrock_encoder *c, const struct request_item *item,
                                const struct request_part *p) {
  struct buf *out = c->out;
  enum err e = OK;
  json_out_begin(out, '{');
  json_out_key(out, "toolResult");
  json_out_begin(out, '{');
  json_out_member_string(out, "toolUseId", tool_use_id(c, p->call_id));
  json_out_key(out, "content");
  json_out_begin(out, '[');
  for (size_t i = 0; !e && i < p->result_count; i++) e = put_result_part(c, item, &p->results[i]);
  json_out_end(out, ']');
  if (p->is_error || (c->is_own && p->has_is_error))
    json_out_member_string(out, "status", p->is_error ? STR("error") : STR("success"));
  if (c->is_own) json_out_rest(out, &p->rest);
  json_out_end(out, '}');
  json_out_end(out, '}');
  return e;
}

/* ---- thinking ---- */

static void put_reasoning(struct bedrock_encoder *c, const struct request_part *p) {
  struct buf *out = c->out;
  json_out_begin(out, '{');
  json_out_key(out, "reasoningContent");
  json_out_begin(out, '{');
  if (p->kind == PART_REDACTED) {
    json_out_member_string(out, "redactedContent", p->signature.bytes);
  } else {
    json_out_key(out, "reasoningText");
    json_out_begin(out, '{');
    json_out_member_string(out, "text", p->text);
    json_out_member_string_if(out, "signature", is_own_signature(p) ? p->signature.bytes : STR_NONE);
    if (c->is_own) json_out_rest(out, &p->rest);
    json_out_end(out, '}');
  }
  json_out_end(out, '}');
  json_out_end(out, '}');
}

/* ---- any ---- */

void bedrock_put_cache_point(struct bedrock_encoder *c, const struct cache_marker *marker) {
  if (!marker->raw) return;
  if (!c->is_own && !c->has_caching) {
    dialect_drop(c->target, c->request, "cache_control");
    return;
  }
  json_out_begin(c->out, '{');
  json_out_key(c->out, "cachePoint");
  if (c->is_own) {
    json_out_value(c->out, marker->raw);
  } else {
    json_out_begin(c->out, '{');
    json_out_member_string(c->out, "type", STR("default"));
    json_out_member_string_if(c->out, "ttl", marker->ttl);
    json_out_end(c->out, '}');
  }
  json_out_end(c->out, '}');
}

enum err bedrock_put_part(struct bedrock_encoder *c, const struct request_item *item, const struct request_part *p) {
  enum err e = OK;
  if (!bedrock_is_sayable(c, p)) return OK;
  switch (p->kind) {
    case PART_TEXT:
    case PART_REFUSAL: put_text_block(c, p->text); break;
    case PART_REASONING:
    case PART_REDACTED: put_reasoning(c, p); break;
    case PART_TOOL_CALL: put_tool_use(c, p); break;
    case PART_TOOL_RESULT: e = put_tool_result(c, item, p); break;
    case PART_IMAGE:
    case PART_DOCUMENT:
    case PART_VIDEO:
    case PART_AUDIO: e = put_media(c, item, p); break;
    default:
      if (c->is_own && p->raw) json_out_value(c->out, p->raw);
      break;
  }
  if (!e) bedrock_put_cache_point(c, &p->cache);
  return e;
}
