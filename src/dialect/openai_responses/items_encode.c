/* Canonical items as `instructions` and `input`. Called by request_encode.c. A turn of another dialect becomes as many
 * elements as it needs: message, calls, results, thinking. Thinking is written only where its signature is OpenAI's.
 * An item of this dialect's own callers is written from its node where nobody changes such items. */
#include <stdio.h>
#include <yyjson.h>

#include "base/base64.h"
#include "base/json_out.h"
#include "dialect/openai_responses/internal.h"

struct writer {
  struct buf *out;
  const struct request *r;
  const struct openai_responses_native *native; /* NULL: the caller speaks another dialect */
  struct arena *arena;
  struct err_info *info;
  bool in_message;
};

static void copy_member(struct buf *out, struct yyjson_val *node, const char *key) {
  json_out_member_value_if(out, key, yyjson_obj_get(node, key));
}

/* ---- parts of a message or a result ---- */

static void put_text(struct writer *w, const struct request_part *p, struct str type) {
  bool is_own = w->native && p->raw;
  json_out_begin(w->out, '{');
  json_out_member_string(w->out, "type", is_own ? json_pool_str(p->raw, "type") : type);
  json_out_member_string(w->out, "text", p->text);
  if (is_own) {
    copy_member(w->out, p->raw, "annotations");
    copy_member(w->out, p->raw, "logprobs");
  }
  if (w->native) json_out_rest(w->out, &p->rest);
  json_out_end(w->out, '}');
}

static void put_refusal(struct writer *w, const struct request_part *p) {
  json_out_begin(w->out, '{');
  json_out_member_string(w->out, "type", STR("refusal"));
  json_out_member_string(w->out, "refusal", p->text);
  if (w->native) json_out_rest(w->out, &p->rest);
  json_out_end(w->out, '}');
}

static void put_url(struct writer *w, const char *key, const struct media *m) {
  struct buf url;
  buf_init(&url, 0);
  request_put_media_url(&url, m);
  json_out_member_string(w->out, key, buf_str(&url));
  if (url.failed) w->out->failed = true;
  buf_clear(&url);
}

static void put_image(struct writer *w, const struct media *m) {
  json_out_begin(w->out, '{');
  json_out_member_string(w->out, "type", STR("input_image"));
  if (m->file_id.n)
    json_out_member_string(w->out, "file_id", m->file_id);
  else
    put_url(w, "image_url", m);
  json_out_member_string(w->out, "detail", m->detail.n ? m->detail : STR("auto"));
  json_out_end(w->out, '}');
}

/* A document that is text: the API takes files as data: URLs only. */
static void put_text_file(struct writer *w, struct str text) {
  json_out_key(w->out, "file_data");
  buf_put(w->out, STR("\"data:text/plain;base64,"));
  base64_put(w->out, text); /* nothing in it needs escaping */
  buf_put_char(w->out, '"');
}

static void put_document(struct writer *w, const struct media *m) {
  json_out_begin(w->out, '{');
  json_out_member_string(w->out, "type", STR("input_file"));
  if (m->file_id.n) {
    json_out_member_string(w->out, "file_id", m->file_id);
  } else if (m->url.n) {
    json_out_member_string(w->out, "file_url", m->url);
  } else { /* data need a file name; its ending says what they are */
    bool is_pdf = !m->text.p && (!m->mime.n || str_eq(m->mime, STR("application/pdf")));
    json_out_member_string(w->out, "filename",
                           m->name.n ? m->name
                           : is_pdf  ? STR("document.pdf")
                                     : STR("document.txt"));
    if (m->text.p)
      put_text_file(w, m->text);
    else
      put_url(w, "file_data", m);
  }
  json_out_end(w->out, '}');
}

static enum err refuse_part(struct writer *w, const struct request_item *item, const struct request_part *p) {
  return dialect_refuse(w->r, item, p, w->info, "content of this kind cannot be said here in the %.*s API",
                        STR_ARG(OPENAI_RESPONSES));
}

/* One element of content. Nothing is written for what is native to another dialect. */
static enum err put_part(struct writer *w, const struct request_item *item, const struct request_part *p,
                         bool is_assistant) {
  switch (p->kind) {
    case PART_TEXT: put_text(w, p, is_assistant ? STR("output_text") : STR("input_text")); return OK;
    case PART_REFUSAL: put_refusal(w, p); return OK;
    case PART_IMAGE:
    case PART_DOCUMENT:
    case PART_AUDIO:
    case PART_VIDEO:
      if (w->native && p->raw) {
        json_out_value(w->out, p->raw);
        return OK;
      }
      if (is_assistant || (p->kind != PART_IMAGE && p->kind != PART_DOCUMENT)) return refuse_part(w, item, p);
      if (p->kind == PART_DOCUMENT)
        put_document(w, p->media);
      else
        put_image(w, p->media);
      return OK;
    case PART_OPAQUE:
      if (w->native) json_out_value(w->out, p->raw);
      return OK;
    default: return OK;
  }
}

/* ---- calls and results ---- */

static void put_item_head(struct writer *w, struct str type, const struct request_part *p) {
  json_out_begin(w->out, '{');
  json_out_member_string(w->out, "type", type);
  if (!w->native) return;
  json_out_member_string_if(w->out, "id", p->item_id);
  if (p->raw) copy_member(w->out, p->raw, "status");
}

static void put_item_tail(struct writer *w, const struct request_part *p) {
  if (w->native) json_out_rest(w->out, &p->rest);
  json_out_end(w->out, '}');
}

static void put_call(struct writer *w, const struct request_part *p) {
  bool is_custom = p->tool_kind == TOOL_CUSTOM;
  put_item_head(w, is_custom ? STR("custom_tool_call") : STR("function_call"), p);
  json_out_member_string(w->out, "call_id", p->call_id);
  json_out_member_string(w->out, "name", p->name);
  if (w->native) json_out_member_string_if(w->out, "namespace", p->namespace);
  json_out_member_string(w->out, is_custom ? "input" : "arguments", p->text.n || w->native ? p->text : STR("{}"));
  put_item_tail(w, p);
}

/* The API has no flag for a failed tool: it is said in words. */
static void put_plain_output(struct writer *w, const struct request_part *p) {
  struct str text = p->result_count ? p->results[0].text : STR_NONE;
  json_out_key(w->out, "output");
  if (!p->is_error || str_has_prefix(text, STR("Error"))) {
    buf_put_json(w->out, text);
    return;
  }
  buf_put(w->out, STR("\"Error: "));
  size_t from = w->out->n;
  buf_put_json(w->out, text);
  if (w->out->failed) return;
  memmove(w->out->p + from, w->out->p + from + 1, w->out->n - from - 1); /* its opening quote stands already */
  w->out->n--;
}

static enum err put_rich_output(struct writer *w, const struct request_item *item, const struct request_part *p) {
  static const struct request_part failed = {.kind = PART_TEXT, .text = STR("Error: the tool failed.")};
  enum err e = OK;
  json_out_key(w->out, "output");
  json_out_begin(w->out, '[');
  if (p->is_error) put_text(w, &failed, STR("input_text"));
  for (size_t i = 0; !e && i < p->result_count; i++) e = put_part(w, item, &p->results[i], false);
  json_out_end(w->out, ']');
  return e;
}

static enum err put_result(struct writer *w, const struct request_item *item, const struct request_part *p) {
  enum err e = OK;
  bool is_one_text = p->result_count == 0 || (p->result_count == 1 && p->results[0].kind == PART_TEXT);
  bool is_plain = w->native ? p->is_result_plain : is_one_text;
  put_item_head(w, p->tool_kind == TOOL_CUSTOM ? STR("custom_tool_call_output") : STR("function_call_output"), p);
  json_out_member_string(w->out, "call_id", p->call_id);
  if (is_plain)
    put_plain_output(w, p);
  else
    e = put_rich_output(w, item, p);
  put_item_tail(w, p);
  return e;
}

/* ---- thinking ---- */

static bool is_thinking(const struct request_part *p) {
  return p->kind == PART_REASONING || p->kind == PART_REASONING_SUMMARY || p->kind == PART_REDACTED;
}

/* Thinking that came from here through another dialect: readable text was a summary. */
static void put_thinking(struct writer *w, const struct request_part *p) {
  if (!p->signature.bytes.n || !str_eq(p->signature.origin, OPENAI_RESPONSES)) return;
  json_out_begin(w->out, '{');
  json_out_member_string(w->out, "type", STR("reasoning"));
  json_out_key(w->out, "summary");
  json_out_begin(w->out, '[');
  if (p->text.n) {
    json_out_begin(w->out, '{');
    json_out_member_string(w->out, "type", STR("summary_text"));
    json_out_member_string(w->out, "text", p->text);
    json_out_end(w->out, '}');
  }
  json_out_end(w->out, ']');
  json_out_member_string(w->out, "encrypted_content", p->signature.bytes);
  json_out_end(w->out, '}');
}

/* An element of this dialect's own caller that is thinking: as it was, unless another dialect signed it. */
static bool put_own_thinking(struct writer *w, const struct request_item *item) {
  const struct request_part *first = &item->parts[0];
  if (!w->native || !first->raw || !is_thinking(first)) return false;
  const struct signature *s = &item->parts[item->part_count - 1].signature;
  if (!s->origin.n || str_eq(s->origin, OPENAI_RESPONSES)) json_out_value(w->out, first->raw);
  return true;
}

/* ---- items ---- */

static struct str role_word(enum request_role role) {
  switch (role) {
    case ROLE_SYSTEM: return STR("system");
    case ROLE_DEVELOPER: return STR("developer");
    case ROLE_ASSISTANT: return STR("assistant");
    default: return STR("user");
  }
}

static void open_message(struct writer *w, const struct request_item *item) {
  if (w->in_message) return;
  w->in_message = true;
  json_out_begin(w->out, '{');
  json_out_member_string(w->out, "type", STR("message"));
  json_out_member_string(w->out, "role", role_word(item->role));
  json_out_key(w->out, "content");
  json_out_begin(w->out, '[');
}

static void close_message(struct writer *w) {
  if (!w->in_message) return;
  w->in_message = false;
  json_out_end(w->out, ']');
  json_out_end(w->out, '}');
}

static enum err put_own_message(struct writer *w, const struct request_item *item) {
  struct yyjson_val *node = item->source < w->native->node_count ? w->native->nodes[item->source] : NULL;
  enum err e = OK;
  json_out_begin(w->out, '{');
  if (node)
    copy_member(w->out, node, "type");
  else
    json_out_member_string(w->out, "type", STR("message"));
  json_out_member_string_if(w->out, "id", item->id);
  if (node) copy_member(w->out, node, "status");
  json_out_member_string(w->out, "role", role_word(item->role));
  if (item->form == CONTENT_STRING) {
    json_out_member_string(w->out, "content", item->part_count ? item->parts[0].text : STR_NONE);
  } else if (item->form == CONTENT_ARRAY) {
    json_out_key(w->out, "content");
    json_out_begin(w->out, '[');
    for (size_t i = 0; !e && i < item->part_count; i++)
      e = put_part(w, item, &item->parts[i], item->role == ROLE_ASSISTANT);
    json_out_end(w->out, ']');
  }
  json_out_rest(w->out, &item->rest);
  json_out_end(w->out, '}');
  return e;
}

/* A turn, cut into elements where its kind changes. */
static enum err put_turn(struct writer *w, const struct request_item *item) {
  enum err e = OK;
  for (size_t i = 0; !e && i < item->part_count; i++) {
    const struct request_part *p = &item->parts[i];
    switch (p->kind) {
      case PART_TOOL_CALL:
        close_message(w);
        put_call(w, p);
        break;
      case PART_TOOL_RESULT:
        close_message(w);
        e = put_result(w, item, p);
        break;
      case PART_REASONING:
      case PART_REASONING_SUMMARY:
      case PART_REDACTED:
        close_message(w);
        put_thinking(w, p);
        break;
      case PART_SERVER_TOOL:
      case PART_OPAQUE:
        if (!w->native) break;
        close_message(w);
        json_out_value(w->out, p->raw);
        break;
      default:
        if (p->kind == PART_TEXT && !p->text.n && item->part_count > 1) break; /* a call's content in other APIs */
        open_message(w, item);
        e = put_part(w, item, p, item->role == ROLE_ASSISTANT);
        break;
    }
  }
  close_message(w);
  return e;
}

static enum err put_item(struct writer *w, const struct request_item *item) {
  bool is_whole = item->part_count && item->parts[0].source == REQUEST_SOURCE_ITEM;
  if (is_whole && put_own_thinking(w, item)) return OK;
  if (w->native && !is_whole && item->role != ROLE_TOOL) return put_own_message(w, item);
  return put_turn(w, item);
}

/* What stands beside the caller's list, in front: `instructions`. Blocks are joined: the API has one string. */
static size_t put_instructions(struct writer *w) {
  const struct request *r = w->r;
  size_t n = 0, parts = 0;
  while (n < r->item_count && r->items[n].source == UINT32_MAX) n++;
  if (w->native && w->native->instructions) {
    json_out_member_value_if(w->out, "instructions", w->native->instructions);
    return n;
  }
  if (!n) return 0;
  struct buf text;
  buf_init(&text, 0);
  for (size_t i = 0; i < n; i++)
    for (size_t k = 0; k < r->items[i].part_count; k++) {
      if (r->items[i].parts[k].kind != PART_TEXT) continue;
      if (parts++) buf_put(&text, STR("\n\n"));
      buf_put(&text, r->items[i].parts[k].text);
    }
  if (parts || w->native) json_out_member_string(w->out, "instructions", buf_str(&text));
  if (text.failed) w->out->failed = true;
  buf_clear(&text);
  return n;
}

enum err openai_responses_put_items(struct buf *out, const struct request *r, struct arena *a, struct err_info *info) {
  struct writer w = {.out = out, .r = r, .native = openai_responses_native_of(r), .arena = a, .info = info};
  size_t first = put_instructions(&w);
  if (w.native && w.native->input_is_plain && r->item_count == first + 1 && r->items[first].part_count == 1) {
    json_out_member_string(out, "input", r->items[first].parts[0].text);
    return OK;
  }
  if (w.native && first == r->item_count && !w.native->node_count && !w.native->input_is_plain && !w.native->has_input)
    return OK;
  enum err e = OK;
  json_out_key(out, "input");
  json_out_begin(out, '[');
  for (size_t i = first; !e && i < r->item_count; i++) e = put_item(&w, &r->items[i]);
  json_out_end(out, ']');
  return e;
}
