/* Anthropic Messages, a whole answer to a caller of this dialect, and what the stream (anthropic_stream.c) writes in
 * the same way. What the dialect has no block for (sound, images, the native parts of others) is left out; empty text
 * too, as it could not be sent back. */
#include "base/json_out.h"
#include "dialect/anthropic/anthropic_internal.h"

/* ---- what both forms share ---- */

void anthropic_put_signature(struct buf *out, const struct signature *s) {
  /* Thinking without a signature, or one of another maker: its own would be refused there and here. */
  static const struct signature none = {STR(""), STR("none")};
  struct buf slot;
  buf_init(&slot, 0);
  signature_put(&slot, s->bytes.n ? s : &none, ANTHROPIC_NAME);
  if (slot.failed) out->failed = true;
  buf_put_json(out, buf_str(&slot));
  buf_clear(&slot);
}

static bool is_thinking(enum part_kind kind) { return kind == PART_REASONING || kind == PART_REASONING_SUMMARY; }
static bool is_text(enum part_kind kind) { return kind == PART_TEXT || kind == PART_REFUSAL; }

bool anthropic_is_native(enum part_kind kind, struct str dialect, struct str raw) {
  return (kind == PART_SERVER_TOOL || kind == PART_OPAQUE) && raw.n && str_eq(dialect, ANTHROPIC_NAME);
}

static void put_type(struct buf *out, const char *type) { json_out_member_string(out, "type", str_from_c(type)); }

/* The members of a tool_use block but its input. */
void anthropic_put_call(const struct dialect_exchange *x, struct buf *out, struct str id, struct str group,
                        struct str name, uint32_t part) {
  put_type(out, "tool_use");
  json_out_member_string(out, "id", id.n ? id : dialect_make_id(x, "toolu_", part));
  json_out_key(out, "name");
  if (group.n) {
    struct buf joined;
    buf_init(&joined, 0);
    buf_put(&joined, group);
    buf_put(&joined, STR("__"));
    buf_put(&joined, name);
    buf_put_json(out, buf_str(&joined));
    buf_clear(&joined);
  } else {
    buf_put_json(out, name);
  }
}

void anthropic_put_nullable(struct buf *out, const char *key, struct str s) {
  json_out_key(out, key);
  if (s.n)
    json_out_string(out, s);
  else
    json_out_raw(out, STR("null"));
}

/* The members of a message up to its content. */
void anthropic_put_head(const struct dialect_exchange *x, struct buf *out, struct str id) {
  put_type(out, "message");
  json_out_member_string(out, "id",
                         str_has_prefix(id, STR("msg_")) && dialect_is_id(id) ? id : dialect_make_id(x, "msg_", 0));
  json_out_member_string(out, "role", STR("assistant"));
  json_out_member_string(out, "model", x->model);
}

/* ---- the whole message ---- */

static void put_part(const struct dialect_exchange *x, struct buf *out, const struct answer_part *p, uint32_t number) {
  struct str text = buf_str(&p->text);
  bool is_ours = anthropic_is_native(p->kind, p->raw_dialect, p->raw);
  if (is_ours) {
    json_out_raw(out, p->raw);
    return;
  }
  bool is_empty = is_text(p->kind) ? !text.n : is_thinking(p->kind) ? !text.n && !p->signature.bytes.n : false;
  bool is_redacted = p->kind == PART_REDACTED && p->signature.bytes.n;
  if (is_empty || !(is_text(p->kind) || is_thinking(p->kind) || is_redacted || p->kind == PART_TOOL_CALL)) return;
  json_out_begin(out, '{');
  if (is_text(p->kind)) {
    put_type(out, "text");
    json_out_member_string(out, "text", text);
    if (p->citations.n && str_eq(p->raw_dialect, ANTHROPIC_NAME)) {
      json_out_key(out, "citations");
      json_out_begin(out, '[');
      buf_put(out, buf_str(&p->citations));
      json_out_end(out, ']');
    }
  } else if (is_thinking(p->kind)) {
    put_type(out, "thinking");
    json_out_member_string(out, "thinking", text);
    json_out_key(out, "signature");
    anthropic_put_signature(out, &p->signature);
  } else if (is_redacted) {
    put_type(out, "redacted_thinking");
    json_out_key(out, "data");
    anthropic_put_signature(out, &p->signature);
  } else {
    anthropic_put_call(x, out, p->id, p->namespace, p->name, number);
    json_out_key(out, "input");
    request_put_args_object(out, text);
  }
  json_out_end(out, '}');
}

static void put_count(struct buf *out, const struct usage *usage) {
  buf_put_char(out, '{');
  json_out_member_i64(out, "input_tokens", usage_get(usage, USAGE_INPUT));
  json_out_end(out, '}');
}

void anthropic_encode_reply(const struct dialect_exchange *x, const struct answer *answer, struct buf *out) {
  const struct answer_stop *stop = &answer->stops[0];
  bool has_calls = false;
  if (x->request && x->request->operation == LLM_COUNT_TOKENS) {
    put_count(out, &answer->usage);
    return;
  }
  buf_put_char(out, '{');
  anthropic_put_head(x, out, answer->id);
  json_out_key(out, "content");
  json_out_begin(out, '[');
  for (size_t i = 0; i < answer->part_count; i++) {
    const struct answer_part *p = &answer->parts[i];
    if (p->choice) continue; /* the dialect has one */
    has_calls = has_calls || p->kind == PART_TOOL_CALL;
    put_part(x, out, p, (uint32_t)i);
  }
  json_out_end(out, ']');
  enum stop_reason reason = stop->is_set ? stop->reason : STOP_OTHER;
  json_out_member_string(out, "stop_reason", anthropic_stop_word(reason, STR_NONE, STR_NONE, has_calls));
  anthropic_put_nullable(out, "stop_sequence", reason == STOP_SEQUENCE ? stop->sequence : STR_NONE);
  json_out_key(out, "usage");
  json_out_begin(out, '{');
  anthropic_put_usage(out, &answer->usage);
  json_out_end(out, '}');
  dialect_put_receipt_member(x, out);
  json_out_end(out, '}');
}
