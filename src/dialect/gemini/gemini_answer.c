/* Events and whole answers as Gemini writes them, for callers that speak it. A chunk and a reply are the same object.
 *
 * Texts go out as they come; calls, pictures and sounds are whole in Gemini, so they are held until they are closed.
 * The last chunk has finishReason, usageMetadata and the receipt. Thoughts are shown only to those who asked with
 * includeThoughts, as the vendor does. A stream without alt=sse is one JSON array. Memory: one buffer for each call
 * that is open at once, kept for the next, hung on the exchange's arena. */
#include "base/json_out.h"
#include "dialect/gemini/gemini_internal.h"
#include "llm/signature.h"

static bool shows_thoughts(const struct dialect_exchange *x) {
  return !x->request || x->request->reasoning.visible == 1;
}

/* ---- parts ---- */

static void put_signature(struct buf *out, const struct signature *s) {
  struct buf slot;
  if (!s->origin.n) return;
  buf_init(&slot, 0);
  signature_put(&slot, s, GEMINI_NAME);
  json_out_member_string_if(out, "thoughtSignature", buf_str(&slot));
  if (slot.failed) out->failed = true;
  buf_clear(&slot);
}

static void put_text(struct buf *out, struct str text, bool is_thought, const struct signature *s) {
  json_out_begin(out, '{');
  json_out_member_string(out, "text", text);
  if (is_thought) json_out_member_bool(out, "thought", true);
  if (s) put_signature(out, s);
  json_out_end(out, '}');
}

static void put_call(struct buf *out, const struct answer_part *p) {
  json_out_begin(out, '{');
  json_out_key(out, "functionCall");
  json_out_begin(out, '{');
  json_out_member_string_if(out, "id", p->id);
  json_out_member_string(out, "name", p->name);
  json_out_key(out, "args");
  if (p->tool_kind == TOOL_CUSTOM) {
    json_out_begin(out, '{');
    json_out_member_string(out, "input", buf_str(&p->text));
    json_out_end(out, '}');
  } else {
    request_put_args_object(out, buf_str(&p->text));
  }
  json_out_end(out, '}');
  put_signature(out, &p->signature);
  json_out_end(out, '}');
}

static void put_blob(struct buf *out, const struct answer_part *p) {
  json_out_begin(out, '{');
  json_out_key(out, "inlineData");
  json_out_begin(out, '{');
  json_out_member_string(out, "mimeType",
                         p->mime.n               ? p->mime
                         : p->kind == PART_IMAGE ? STR("image/png")
                                                 : STR("audio/wav"));
  json_out_member_string(out, "data", buf_str(&p->text));
  json_out_end(out, '}');
  put_signature(out, &p->signature);
  json_out_end(out, '}');
}

static void put_part(const struct dialect_exchange *x, const struct answer_part *p, struct buf *out) {
  switch (p->kind) {
    case PART_TEXT:
    case PART_REFUSAL: put_text(out, buf_str(&p->text), false, &p->signature); break;
    case PART_REASONING:
    case PART_REASONING_SUMMARY:
      if (shows_thoughts(x)) put_text(out, buf_str(&p->text), true, &p->signature);
      break;
    case PART_REDACTED:
      if (shows_thoughts(x) && p->signature.bytes.n) put_text(out, STR_NONE, true, &p->signature);
      break;
    case PART_TOOL_CALL: put_call(out, p); break;
    case PART_SERVER_TOOL:
    case PART_OPAQUE:
      if (str_eq(p->raw_dialect, GEMINI_NAME) && p->raw.n) json_out_raw(out, p->raw);
      break;
    case PART_IMAGE:
    case PART_AUDIO:
    case PART_VIDEO:
    case PART_DOCUMENT: put_blob(out, p); break;
    default: break;
  }
}

/* ---- whole answers ---- */

static void put_candidate(const struct dialect_exchange *x, const struct answer *a, uint32_t index, struct buf *out) {
  struct buf citations;
  buf_init(&citations, 0);
  json_out_begin(out, '{');
  json_out_key(out, "content");
  json_out_begin(out, '{');
  json_out_key(out, "parts");
  json_out_begin(out, '[');
  for (size_t i = 0; i < a->part_count; i++) {
    if (a->parts[i].choice != index) continue;
    put_part(x, &a->parts[i], out);
    if (a->parts[i].citations.n) gemini_beside_add_citations(&citations, buf_str(&a->parts[i].citations));
  }
  json_out_end(out, ']');
  json_out_member_string(out, "role", STR("model"));
  json_out_end(out, '}');
  if (a->stops[index].is_set) json_out_member_string(out, "finishReason", gemini_beside_finish_word(&a->stops[index]));
  json_out_member_i64(out, "index", index);
  gemini_beside_put_metadata(out, buf_str(&citations));
  gemini_beside_put_logprobs(out, answer_logprobs(a, index));
  json_out_end(out, '}');
  if (citations.failed) out->failed = true;
  buf_clear(&citations);
}

static void put_count(const struct answer *a, struct buf *out) {
  json_out_begin(out, '{');
  if (usage_has(&a->usage, USAGE_INPUT)) json_out_member_i64(out, "totalTokens", usage_get(&a->usage, USAGE_INPUT));
  if (usage_has(&a->usage, USAGE_CACHE_READ))
    json_out_member_i64(out, "cachedContentTokenCount", usage_get(&a->usage, USAGE_CACHE_READ));
  json_out_end(out, '}');
}

void gemini_answer_encode(const struct dialect_exchange *x, const struct answer *a, struct buf *out) {
  if (x->request && x->request->operation == LLM_COUNT_TOKENS) {
    put_count(a, out);
    return;
  }
  struct str id = dialect_is_id(a->id) ? a->id : x->reply_id;
  json_out_begin(out, '{');
  json_out_key(out, "candidates");
  json_out_begin(out, '[');
  for (uint32_t i = 0; i < a->choice_count; i++) put_candidate(x, a, i, out);
  json_out_end(out, ']');
  gemini_beside_put_usage(out, &a->usage);
  json_out_member_string_if(out, "modelVersion", x->model);
  json_out_member_string_if(out, "responseId", id);
  dialect_put_receipt_member(x, out);
  json_out_end(out, '}');
}

/* ---- streams ---- */

/* What every chunk says at its end, made once. */
static enum err make_tail(struct gemini_encoder *s, const struct dialect_exchange *x) {
  struct buf tail;
  if (s->tail.n) return OK;
  buf_init(&tail, 0);
  buf_put_char(&tail, '{'); /* so that no comma is due */
  json_out_member_string_if(&tail, "modelVersion", x->model);
  json_out_member_string(&tail, "responseId", dialect_is_id(s->id) ? s->id : x->reply_id);
  s->tail = tail.failed ? STR_NONE : arena_dup(x->arena, buf_str(&tail));
  buf_clear(&tail);
  if (!s->tail.p) return ERR_NO_MEMORY;
  s->tail = str_sub(s->tail, 1, s->tail.n);
  return OK;
}

static void begin_chunk(struct gemini_encoder *s, const struct dialect_exchange *x, struct buf *out) {
  if (!x->is_array)
    buf_put(out, STR("data: {\"candidates\":["));
  else
    buf_put(out, s->has_put ? STR(",\r\n{\"candidates\":[") : STR("[{\"candidates\":["));
  s->has_put = true;
}

static void end_chunk(const struct gemini_encoder *s, struct buf *out) {
  buf_put_char(out, ',');
  buf_put(out, s->tail);
}

static void close_chunk(const struct dialect_exchange *x, struct buf *out) {
  buf_put(out, x->is_array ? STR("}") : STR("}\r\n\r\n"));
}

static void begin_parts(struct buf *out) {
  json_out_begin(out, '{');
  buf_put(out, STR("\"content\":{\"parts\":["));
}

static void end_parts(struct buf *out, uint32_t choice, struct str reason) {
  buf_put(out, STR("],\"role\":\"model\"}"));
  json_out_member_string_if(out, "finishReason", reason);
  json_out_member_i64(out, "index", choice);
}

/* The chunk that streams are made of. */
static void put_text_chunk(struct gemini_encoder *s, const struct dialect_exchange *x, const struct event *e,
                           bool is_thought, struct buf *out) {
  begin_chunk(s, x, out);
  buf_put(out, STR("{\"content\":{\"parts\":[{\"text\":"));
  buf_put_json(out, e->bytes);
  buf_put(out, is_thought ? STR(",\"thought\":true}],\"role\":\"model\"},\"index\":")
                          : STR("}],\"role\":\"model\"},\"index\":"));
  buf_put_u64(out, e->choice);
  buf_put(out, STR("}]"));
  end_chunk(s, out);
  close_chunk(x, out);
}

/* One chunk of one part; p's text is what is written. */
static void put_chunk(struct gemini_encoder *s, const struct dialect_exchange *x, const struct answer_part *p,
                      struct buf *out) {
  size_t before = out->n;
  bool had_put = s->has_put;
  begin_chunk(s, x, out);
  begin_parts(out);
  size_t inner = out->n;
  put_part(x, p, out);
  if (out->n == inner) { /* not for this caller */
    out->n = before;
    s->has_put = had_put;
    return;
  }
  end_parts(out, p->choice, STR_NONE);
  json_out_end(out, '}');
  json_out_end(out, ']');
  end_chunk(s, out);
  close_chunk(x, out);
}

static struct answer_part part_of(const struct event *e) {
  return (struct answer_part){.kind = e->part_kind,
                              .choice = e->choice,
                              .id = e->id,
                              .name = e->name,
                              .mime = e->mime,
                              .tool_kind = e->tool_kind,
                              .raw = e->raw,
                              .raw_dialect = e->dialect};
}

static bool is_held_kind(enum part_kind kind) {
  return kind == PART_TOOL_CALL || kind == PART_IMAGE || kind == PART_AUDIO || kind == PART_VIDEO ||
         kind == PART_DOCUMENT;
}

static void clear_encoder(void *arg) {
  struct gemini_encoder *s = arg;
  for (size_t i = 0; i < s->held_count; i++) buf_clear(&s->held[i]->whole.text);
  buf_clear(&s->citations);
  buf_clear(&s->logprobs);
}

static enum err hang(struct gemini_encoder *s, const struct dialect_exchange *x) {
  if (s->is_hung) return OK;
  buf_init(&s->citations, 0);
  buf_init(&s->logprobs, 0);
  s->is_hung = arena_on_clear(x->arena, clear_encoder, s);
  return s->is_hung ? OK : ERR_NO_MEMORY;
}

static struct gemini_held *find_held(struct gemini_encoder *s, uint32_t part) {
  for (size_t i = 0; i < s->held_count; i++)
    if (s->held[i]->is_used && s->held[i]->part == part) return s->held[i];
  return NULL;
}

static struct gemini_held *take_held(struct gemini_encoder *s, const struct dialect_exchange *x) {
  for (size_t i = 0; i < s->held_count; i++)
    if (!s->held[i]->is_used) return s->held[i];
  struct gemini_held *h = s->held_count < GEMINI_HELD_MAX ? ARENA_NEW(x->arena, struct gemini_held) : NULL;
  if (!h) return NULL;
  buf_init(&h->whole.text, 0);
  s->held[s->held_count++] = h;
  return h;
}

static bool keep(const struct dialect_exchange *x, struct str s, struct str *out) {
  *out = s.n ? arena_dup(x->arena, s) : STR_NONE;
  return !s.n || out->p;
}

static enum err open_part(struct gemini_encoder *s, const struct dialect_exchange *x, const struct event *e,
                          struct buf *out, struct err_info *info) {
  if (!is_held_kind(e->part_kind)) {
    struct answer_part p = part_of(e);
    if (e->raw.n) put_chunk(s, x, &p, out);
    return OK;
  }
  if (s->held_count == GEMINI_HELD_MAX && !find_held(s, e->part)) {
    bool is_full = true;
    for (size_t i = 0; i < s->held_count; i++) is_full = is_full && s->held[i]->is_used;
    if (is_full)
      return err_set(info, ERR_UPSTREAM_TOO_LARGE, "the provider has more than %d calls open", GEMINI_HELD_MAX);
  }
  enum err failed = hang(s, x);
  struct gemini_held *h = failed ? NULL : take_held(s, x);
  if (!h) return ERR_NO_MEMORY;
  struct buf text = h->whole.text;
  buf_reset(&text);
  h->whole = part_of(e);
  h->whole.text = text;
  h->is_used = true;
  h->part = e->part;
  bool is_kept = keep(x, e->id, &h->whole.id) && keep(x, e->name, &h->whole.name) && keep(x, e->mime, &h->whole.mime);
  return is_kept ? OK : ERR_NO_MEMORY;
}

static enum err put_delta(struct gemini_encoder *s, const struct dialect_exchange *x, const struct event *e,
                          struct buf *out) {
  if (is_held_kind(e->part_kind)) {
    struct gemini_held *h = find_held(s, e->part);
    if (h) buf_put(&h->whole.text, e->bytes);
    return h && h->whole.text.failed ? ERR_NO_MEMORY : OK;
  }
  bool is_thought = e->part_kind == PART_REASONING || e->part_kind == PART_REASONING_SUMMARY;
  bool is_text = is_thought ? shows_thoughts(x) : e->part_kind == PART_TEXT || e->part_kind == PART_REFUSAL;
  if (is_text && e->bytes.n) put_text_chunk(s, x, e, is_thought, out);
  return OK;
}

static enum err attach(struct gemini_encoder *s, const struct dialect_exchange *x, const struct event *e,
                       struct buf *out) {
  enum err failed = hang(s, x);
  if (failed) return failed;
  if (e->attachment == ATTACH_CITATION) gemini_beside_add_citation(&s->citations, e->raw);
  if (e->attachment == ATTACH_LOGPROBS && e->choice == 0) {
    if (s->logprobs.n) buf_put_char(&s->logprobs, ',');
    buf_put(&s->logprobs, e->raw);
  }
  if (e->attachment != ATTACH_SIGNATURE) return s->citations.failed || s->logprobs.failed ? ERR_NO_MEMORY : OK;
  struct gemini_held *h = is_held_kind(e->part_kind) ? find_held(s, e->part) : NULL;
  if (h) {
    bool is_kept = keep(x, e->bytes, &h->whole.signature.bytes) && keep(x, e->dialect, &h->whole.signature.origin);
    return is_kept ? OK : ERR_NO_MEMORY;
  }
  struct answer_part p = part_of(e);
  p.signature = (struct signature){e->bytes, e->dialect};
  put_chunk(s, x, &p, out);
  return OK;
}

static void close_part(struct gemini_encoder *s, const struct dialect_exchange *x, const struct event *e,
                       struct buf *out) {
  struct gemini_held *h = find_held(s, e->part);
  if (!h) return;
  put_chunk(s, x, &h->whole, out);
  h->is_used = false;
}

static enum err stop(struct gemini_encoder *s, const struct dialect_exchange *x, const struct event *e,
                     struct err_info *info) {
  if (e->choice >= GEMINI_CHOICES_MAX)
    return err_set(info, ERR_UPSTREAM_TOO_LARGE, "the provider's answer has more than %d choices", GEMINI_CHOICES_MAX);
  if (e->choice >= s->choice_count) s->choice_count = e->choice + 1;
  struct answer_stop *st = &s->stops[e->choice];
  st->is_set = true;
  st->reason = e->reason;
  return keep(x, e->native, &st->native) ? OK : ERR_NO_MEMORY;
}

/* Its empty text is the vendor's own habit, and scripts count on parts[0]. */
static void put_last(struct gemini_encoder *s, const struct dialect_exchange *x, struct buf *out) {
  begin_chunk(s, x, out);
  for (uint32_t i = 0; i < s->choice_count; i++) {
    begin_parts(out);
    put_text(out, STR_NONE, false, NULL);
    end_parts(out, i, s->stops[i].is_set ? gemini_beside_finish_word(&s->stops[i]) : STR_NONE);
    if (i == 0) gemini_beside_put_metadata(out, buf_str(&s->citations));
    if (i == 0) gemini_beside_put_logprobs(out, buf_str(&s->logprobs));
    json_out_end(out, '}');
  }
  json_out_end(out, ']');
  gemini_beside_put_usage(out, &s->usage);
  end_chunk(s, out);
  dialect_put_receipt_member(x, out);
  close_chunk(x, out);
  if (x->is_array) buf_put(out, STR("\n]\n"));
}

enum err gemini_answer_event(void *state, const struct dialect_exchange *x, const struct event *e, struct buf *out,
                             struct err_info *info) {
  struct gemini_encoder *s = state;
  enum err failed = e->kind == EVENT_START ? OK : make_tail(s, x);
  if (failed) return failed;
  switch (e->kind) {
    case EVENT_START: failed = keep(x, e->id, &s->id) ? OK : ERR_NO_MEMORY; break;
    case EVENT_OPEN: failed = open_part(s, x, e, out, info); break;
    case EVENT_DELTA: failed = put_delta(s, x, e, out); break;
    case EVENT_ATTACH: failed = attach(s, x, e, out); break;
    case EVENT_CLOSE: close_part(s, x, e, out); break;
    case EVENT_USAGE: answer_merge_usage(&s->usage, e->usage); break;
    case EVENT_STOP: failed = stop(s, x, e, info); break;
    case EVENT_END: put_last(s, x, out); break;
    default: break;
  }
  return failed ? failed : out->failed ? ERR_NO_MEMORY : OK;
}
