/* Whole OpenAI chat replies from answers, and the pieces of them that chunks have as well. Source: OpenAI API
 * reference, "The chat completion object" (read 2026-11); `reasoning_content` is DeepSeek's, `reasoning_details` and
 * `images` OpenRouter's: OpenAI has no place for any of it, and clients that do not know them pass them over. */
#include "dialect/openai_chat_write.h"

#include <stdio.h>
#include <yyjson.h>

#include "base/json_out.h"
#include "dialect/citation.h"
#include "dialect/openai_chat_request.h"
#include "dialect/openai_member.h"
#include "llm/signature.h"

#define NAME STR("openai_chat")

struct str openai_chat_finish_reason(enum stop_reason reason, struct str native, bool is_legacy, bool has_refusal) {
  switch (reason) {
    case STOP_LENGTH:
    case STOP_CONTEXT: return STR("length");
    case STOP_TOOL_CALLS: return is_legacy ? STR("function_call") : STR("tool_calls");
    case STOP_FILTER: return STR("content_filter");
    case STOP_REFUSAL: return has_refusal ? STR("stop") : STR("content_filter");
    case STOP_OTHER: return native.n ? native : STR("stop");
    default: return STR("stop");
  }
}

struct str openai_chat_reply_id(const struct dialect_exchange *x, const char *prefix, struct str upstream) {
  struct str id = str_has_prefix(upstream, str_from_c(prefix)) && dialect_is_id(upstream)
                      ? arena_dup(x->arena, upstream)
                      : arena_printf(x->arena, "%s%.*s", prefix, STR_ARG(x->reply_id));
  return id.p ? id : str_from_c(prefix);
}

/* A whole list of one, or nothing where it names no address. */
void openai_chat_put_annotation(struct buf *out, struct str raw, struct str dialect) {
  if (str_eq(dialect, NAME)) {
    json_out_raw(out, raw);
    return;
  }
  yyjson_doc *doc = yyjson_read(raw.p, raw.n, YYJSON_READ_NUMBER_AS_RAW);
  struct citation c;
  if (citation_read(yyjson_doc_get_root(doc), &c)) {
    json_out_begin(out, '{');
    json_out_member_string(out, "type", STR("url_citation"));
    json_out_key(out, "url_citation");
    json_out_begin(out, '{');
    json_out_member_string(out, "url", c.url);
    json_out_member_string(out, "title", c.title);
    json_out_member_value_if(out, "start_index", c.start);
    json_out_member_value_if(out, "end_index", c.end);
    json_out_end(out, '}');
    json_out_end(out, '}');
  }
  yyjson_doc_free(doc);
}

void openai_chat_put_detail(struct buf *out, enum part_kind kind, struct str text, const struct signature *signature) {
  bool is_redacted = kind == PART_REDACTED;
  struct buf slot;
  buf_init(&slot, 0);
  if (signature && signature->origin.n) signature_put(&slot, signature, NAME);
  json_out_begin(out, '{');
  json_out_member_string(out, "type", is_redacted ? STR("reasoning.encrypted") : STR("reasoning.text"));
  if (!is_redacted) json_out_member_string(out, "text", text);
  if (slot.n) json_out_member_string(out, is_redacted ? "data" : "signature", buf_str(&slot));
  json_out_end(out, '}');
  if (slot.failed) out->failed = true;
  buf_clear(&slot);
}

void openai_chat_put_call(struct buf *out, const struct openai_chat_call_out *c) {
  json_out_begin(out, '{');
  if (c->index >= 0) json_out_member_i64(out, "index", c->index);
  if (c->is_open) {
    json_out_member_string(out, "id", c->id);
    json_out_member_string(out, "type", c->is_custom ? STR("custom") : STR("function"));
  }
  json_out_key(out, c->is_custom ? "custom" : "function");
  json_out_begin(out, '{');
  if (c->is_open) json_out_member_string(out, "name", c->name);
  json_out_member_string(out, c->is_custom ? "input" : "arguments", c->text);
  json_out_end(out, '}');
  json_out_end(out, '}');
}

void openai_chat_put_image(struct buf *out, struct str mime, struct str base64) {
  json_out_begin(out, '{');
  json_out_member_string(out, "type", STR("image_url"));
  json_out_key(out, "image_url");
  json_out_begin(out, '{');
  json_out_key(out, "url");
  buf_put(out, STR("\"data:"));
  for (size_t i = 0; i < mime.n; i++) /* it stands within a string */
    if (mime.p[i] > 0x20 && mime.p[i] < 0x7f && mime.p[i] != '"' && mime.p[i] != '\\') buf_put_char(out, mime.p[i]);
  buf_put(out, mime.n ? STR(";base64,") : STR("image/png;base64,"));
  size_t at = out->n + 1;
  buf_put_json(out, base64); /* of hostile bytes too; its quotes make one string with what stands before */
  if (!out->failed) {
    memmove(out->p + at - 1, out->p + at, out->n - at);
    out->n--;
  }
  json_out_end(out, '}');
  json_out_end(out, '}');
}

/* ---- a choice of a whole reply ---- */

struct choice {
  const struct answer *a;
  uint32_t number;
};

static bool is_of(const struct choice *c, const struct answer_part *p, enum part_kind kind) {
  return p->choice == c->number && p->kind == kind;
}

static size_t count(const struct choice *c, enum part_kind kind) {
  size_t n = 0;
  for (size_t i = 0; i < c->a->part_count; i++) n += is_of(c, &c->a->parts[i], kind);
  return n;
}

/* The texts of two kinds, one after the other as they came, as one JSON string. */
static void put_joined(struct buf *out, const struct choice *c, enum part_kind kind, enum part_kind other) {
  struct buf all;
  buf_init(&all, 0);
  for (size_t i = 0; i < c->a->part_count; i++) {
    const struct answer_part *p = &c->a->parts[i];
    if (is_of(c, p, kind) || is_of(c, p, other)) buf_put(&all, buf_str(&p->text));
  }
  buf_put_json(out, buf_str(&all));
  if (all.failed) out->failed = true;
  buf_clear(&all);
}

static void put_reasoning(struct buf *out, const struct choice *c) {
  bool has_details = false;
  if (count(c, PART_REASONING) || count(c, PART_REASONING_SUMMARY)) {
    json_out_key(out, "reasoning_content");
    put_joined(out, c, PART_REASONING, PART_REASONING_SUMMARY);
  }
  for (size_t i = 0; i < c->a->part_count; i++) {
    const struct answer_part *p = &c->a->parts[i];
    bool is_detail = is_of(c, p, PART_REDACTED) || is_of(c, p, PART_REASONING);
    if (!is_detail || !p->signature.origin.n) continue;
    if (!has_details) json_out_key(out, "reasoning_details");
    if (!has_details) json_out_begin(out, '[');
    has_details = true;
    openai_chat_put_detail(out, p->kind, buf_str(&p->text), &p->signature);
  }
  if (has_details) json_out_end(out, ']');
}

static void put_calls(struct buf *out, const struct choice *c, bool is_legacy) {
  bool is_begun = false;
  for (size_t i = 0; i < c->a->part_count; i++) {
    const struct answer_part *p = &c->a->parts[i];
    if (!is_of(c, p, PART_TOOL_CALL)) continue;
    bool is_custom = p->tool_kind == TOOL_CUSTOM;
    struct openai_chat_call_out call = {-1, true, is_custom, p->id, p->name, buf_str(&p->text)};
    if (!call.text.n && !is_custom) call.text = STR("{}");
    if (is_legacy) { /* there is room for one */
      json_out_key(out, "function_call");
      json_out_begin(out, '{');
      json_out_member_string(out, "name", call.name);
      json_out_member_string(out, "arguments", call.text);
      json_out_end(out, '}');
      return;
    }
    if (!is_begun) json_out_key(out, "tool_calls");
    if (!is_begun) json_out_begin(out, '[');
    is_begun = true;
    openai_chat_put_call(out, &call);
  }
  if (is_begun) json_out_end(out, ']');
}

/* Elements of a list that were joined by commas, one by one. */
static void put_annotations(struct buf *out, const struct choice *c) {
  bool is_begun = false;
  for (size_t i = 0; i < c->a->part_count; i++) {
    const struct answer_part *p = &c->a->parts[i];
    if (p->choice != c->number || !p->citations.n) continue;
    struct buf list;
    buf_init(&list, 0);
    buf_printf(&list, "[");
    buf_put(&list, buf_str(&p->citations));
    buf_put_char(&list, ']');
    yyjson_doc *doc = list.failed ? NULL : yyjson_read(list.p, list.n, YYJSON_READ_NUMBER_AS_RAW);
    yyjson_val *one;
    yyjson_arr_iter it = yyjson_arr_iter_with(yyjson_doc_get_root(doc));
    while ((one = yyjson_arr_iter_next(&it))) {
      struct buf raw;
      buf_init(&raw, 0);
      json_split_put(&raw, one);
      if (!is_begun) json_out_key(out, "annotations");
      if (!is_begun) json_out_begin(out, '[');
      is_begun = true;
      openai_chat_put_annotation(out, buf_str(&raw), p->raw_dialect);
      buf_clear(&raw);
    }
    yyjson_doc_free(doc);
    buf_clear(&list);
  }
  if (is_begun) json_out_end(out, ']');
}

static void put_media(struct buf *out, const struct choice *c) {
  bool has_images = false;
  for (size_t i = 0; i < c->a->part_count; i++) {
    const struct answer_part *p = &c->a->parts[i];
    if (is_of(c, p, PART_AUDIO)) {
      json_out_key(out, "audio");
      json_out_begin(out, '{');
      json_out_member_string(out, "id", p->id);
      json_out_member_string(out, "data", buf_str(&p->text));
      json_out_key(out, "transcript");
      put_joined(out, c, PART_TEXT, PART_TEXT);
      json_out_end(out, '}');
      break; /* there is room for one */
    }
  }
  for (size_t i = 0; i < c->a->part_count; i++) {
    const struct answer_part *p = &c->a->parts[i];
    if (!is_of(c, p, PART_IMAGE)) continue;
    if (!has_images) json_out_key(out, "images");
    if (!has_images) json_out_begin(out, '[');
    has_images = true;
    openai_chat_put_image(out, p->mime, buf_str(&p->text));
  }
  if (has_images) json_out_end(out, ']');
}

static void put_message(struct buf *out, const struct choice *c, bool is_legacy) {
  bool has_text = count(c, PART_TEXT) > 0, has_refusal = count(c, PART_REFUSAL) > 0,
       has_audio = count(c, PART_AUDIO) > 0;
  bool is_null = has_audio || (!has_text && (has_refusal || count(c, PART_TOOL_CALL)));
  json_out_begin(out, '{');
  json_out_member_string(out, "role", STR("assistant"));
  json_out_key(out, "content");
  if (is_null)
    buf_put(out, STR("null")); /* audio brings its text as its transcript */
  else
    put_joined(out, c, PART_TEXT, PART_TEXT);
  json_out_key(out, "refusal");
  if (has_refusal)
    put_joined(out, c, PART_REFUSAL, PART_REFUSAL);
  else
    buf_put(out, STR("null"));
  put_reasoning(out, c);
  put_calls(out, c, is_legacy);
  put_annotations(out, c);
  put_media(out, c);
  json_out_end(out, '}');
}

static void put_choice(struct buf *out, const struct choice *c, bool is_legacy) {
  const struct answer_stop *s = &c->a->stops[c->number];
  json_out_begin(out, '{');
  json_out_member_i64(out, "index", c->number);
  json_out_key(out, "message");
  put_message(out, c, is_legacy);
  json_out_key(out, "logprobs");
  struct str logprobs = answer_logprobs(c->a, c->number);
  if (logprobs.n) {
    buf_put(out, STR("{\"content\":["));
    buf_put(out, logprobs);
    buf_put(out, STR("],\"refusal\":null}"));
  } else {
    buf_put(out, STR("null"));
  }
  enum stop_reason reason = s->is_set ? s->reason : STOP_END;
  json_out_member_string(out, "finish_reason",
                         openai_chat_finish_reason(reason, s->native, is_legacy, count(c, PART_REFUSAL) > 0));
  json_out_end(out, '}');
}

void openai_chat_encode_reply(const struct dialect_exchange *x, const struct answer *answer, struct buf *out) {
  bool is_legacy = x->request && openai_chat_is_legacy(x->request);
  json_out_begin(out, '{');
  json_out_member_string(out, "id", openai_chat_reply_id(x, "chatcmpl-", answer->id));
  json_out_member_string(out, "object", STR("chat.completion"));
  json_out_member_i64(out, "created", answer->created_s ? answer->created_s : x->created_s);
  json_out_member_string(out, "model", x->model);
  json_out_key(out, "choices");
  json_out_begin(out, '[');
  for (uint32_t i = 0; i < answer->choice_count; i++) {
    struct choice c = {answer, i};
    put_choice(out, &c, is_legacy);
  }
  json_out_end(out, ']');
  if (answer->has_usage && answer->usage.known) {
    json_out_key(out, "usage");
    openai_member_put_usage(out, &answer->usage);
  }
  dialect_put_receipt_member(x, out);
  json_out_end(out, '}');
}

void openai_chat_put_end(const struct dialect_exchange *x, struct str head, const struct usage *usage,
                         struct buf *out) {
  if (x->wants_usage) {
    buf_put(out, head);
    buf_put(out, STR("],\"usage\":"));
    if (usage->known)
      openai_member_put_usage(out, usage);
    else
      buf_put(out, STR("null"));
    dialect_put_receipt_member(x, out);
    buf_put(out, STR("}\n\n"));
  }
  buf_put(out, STR("data: [DONE]\n\n"));
}
