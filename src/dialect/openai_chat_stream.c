/* Events as OpenAI chat chunks. Each event is at most one chunk, written at once; the finishing chunks wait for the
 * end, because usage and the receipt go with them. Source: OpenAI API reference, "The chat completion chunk object"
 * (read 2026-11); clients need `index` and `id` in a call's first chunk, and a `finish_reason`.
 *
 * Invariant: what stands before the choices is the same in every chunk and made once. */
#include <stdio.h>

#include "base/json_out.h"
#include "dialect/openai_chat_parts.h"
#include "dialect/openai_chat_request.h"
#include "dialect/openai_chat_write.h"

struct call { /* an open one */
  uint32_t part;
  uint16_t index; /* within its choice */
  bool is_custom, is_hidden, has_text;
};

struct image { /* an open one: images go out whole */
  struct image *next;
  uint32_t part;
  struct str mime;
  struct buf base64;
};

struct writer {
  struct str head; /* `data: {"id":…,"choices":[` */
  struct openai_chat_choices begun, stopped, refused;
  uint32_t call_count;
  uint8_t reason[ANSWER_CHOICES_MAX];
  uint16_t calls_of[ANSWER_CHOICES_MAX];
  struct call calls[OPENAI_CHAT_OPEN_MAX];
  struct image *images;
  struct usage usage;
  struct str native; /* of a reason that only this dialect has a word for */
  bool is_ended;
};
_Static_assert(sizeof(struct writer) <= OPENAI_CHAT_ENCODER_BYTES, "the state fits");

static bool is_legacy(const struct dialect_exchange *x) { return x->request && openai_chat_is_legacy(x->request); }

static enum err start(struct writer *w, const struct dialect_exchange *x, const struct event *event) {
  struct buf head;
  buf_init(&head, 0);
  buf_put(&head, STR("data: "));
  json_out_begin(&head, '{');
  json_out_member_string(&head, "id", openai_chat_reply_id(x, "chatcmpl-", event ? event->id : STR_NONE));
  json_out_member_string(&head, "object", STR("chat.completion.chunk"));
  json_out_member_i64(&head, "created", event && event->created_s ? event->created_s : x->created_s);
  json_out_member_string(&head, "model", x->model);
  buf_put(&head, STR(",\"choices\":["));
  w->head = head.failed ? STR_NONE : arena_dup(x->arena, buf_str(&head));
  buf_clear(&head);
  return w->head.p ? OK : ERR_NO_MEMORY;
}

/* The chunk up to within its delta. The first of a choice says the role. */
static void open_delta(struct writer *w, uint32_t choice, struct buf *out) {
  buf_put(out, w->head);
  buf_put(out, STR("{\"index\":"));
  buf_put_u64(out, choice);
  buf_put(out, STR(",\"delta\":{"));
  if (!openai_chat_choices_has(&w->begun, choice)) json_out_member_string(out, "role", STR("assistant"));
  openai_chat_choices_add(&w->begun, choice);
}

static void end_chunk(const struct dialect_exchange *x, struct buf *out, bool is_last) {
  if (x->wants_usage) buf_put(out, STR(",\"usage\":null"));
  if (is_last) dialect_put_receipt_member(x, out);
  buf_put(out, STR("}\n\n"));
}

static void close_delta(const struct dialect_exchange *x, struct buf *out) {
  buf_put(out, STR("},\"logprobs\":null,\"finish_reason\":null}]"));
  end_chunk(x, out, false);
}

static void put_text(struct writer *w, const struct dialect_exchange *x, const struct event *e, const char *member,
                     struct buf *out) {
  open_delta(w, e->choice, out);
  json_out_member_string(out, member, e->bytes);
  close_delta(x, out);
}

/* ---- calls ---- */

static struct call *find_call(struct writer *w, uint32_t part) {
  for (uint32_t i = w->call_count; i-- > 0;)
    if (w->calls[i].part == part) return &w->calls[i];
  return NULL;
}

static void put_call(struct writer *w, const struct dialect_exchange *x, const struct event *e, const struct call *c,
                     struct str text, struct buf *out) {
  bool is_open = e->kind == EVENT_OPEN;
  if (c->is_hidden) return;
  bool is_first = !openai_chat_choices_has(&w->begun, e->choice);
  open_delta(w, e->choice, out);
  if (is_first) buf_put(out, STR(",\"content\":null"));
  if (is_legacy(x)) {
    json_out_key(out, "function_call");
    json_out_begin(out, '{');
    if (is_open) json_out_member_string(out, "name", e->name);
    json_out_member_string(out, "arguments", text);
    json_out_end(out, '}');
  } else {
    struct openai_chat_call_out call = {c->index, is_open, c->is_custom, e->id, e->name, text};
    json_out_key(out, "tool_calls");
    json_out_begin(out, '[');
    openai_chat_put_call(out, &call);
    json_out_end(out, ']');
  }
  close_delta(x, out);
}

static enum err open_call(struct writer *w, const struct dialect_exchange *x, const struct event *e, struct buf *out,
                          struct err_info *info) {
  if (w->call_count == OPENAI_CHAT_OPEN_MAX)
    return err_set(info, ERR_UPSTREAM_TOO_LARGE, "the provider's answer has too many parts at once");
  struct call *c = &w->calls[w->call_count++];
  *c = (struct call){.part = e->part, .index = w->calls_of[e->choice], .is_custom = e->tool_kind == TOOL_CUSTOM};
  if (w->calls_of[e->choice] < UINT16_MAX) w->calls_of[e->choice]++;
  c->is_hidden = is_legacy(x) && c->index > 0; /* function_call has room for one */
  put_call(w, x, e, c, STR(""), out);
  return OK;
}

/* Arguments that never came are an empty object: many clients parse them without a look. */
static void close_call(struct writer *w, const struct dialect_exchange *x, const struct event *e, struct buf *out) {
  struct call *c = find_call(w, e->part);
  if (!c) return;
  if (!c->has_text && !c->is_custom) put_call(w, x, e, c, STR("{}"), out);
  *c = w->calls[--w->call_count];
}

/* ---- images ---- */

static void clear_image(void *image) { buf_clear(&((struct image *)image)->base64); }

static enum err open_image(struct writer *w, const struct dialect_exchange *x, const struct event *e) {
  struct image *i = ARENA_NEW(x->arena, struct image);
  if (!i) return ERR_NO_MEMORY;
  *i = (struct image){.next = w->images, .part = e->part, .mime = arena_dup(x->arena, e->mime)};
  buf_init(&i->base64, 0);
  if (!arena_on_clear(x->arena, clear_image, i)) return ERR_NO_MEMORY;
  w->images = i;
  return OK;
}

/* Where the open image is linked; *result NULL: there is none. */
static struct image **find_image(struct writer *w, uint32_t part) {
  struct image **at = &w->images;
  while (*at && (*at)->part != part) at = &(*at)->next;
  return at;
}

static void close_image(struct writer *w, const struct dialect_exchange *x, const struct event *e, struct buf *out) {
  struct image **at = find_image(w, e->part), *i = *at;
  if (!i) return;
  *at = i->next;
  open_delta(w, e->choice, out);
  json_out_key(out, "images");
  json_out_begin(out, '[');
  openai_chat_put_image(out, i->mime, buf_str(&i->base64));
  json_out_end(out, ']');
  close_delta(x, out);
  buf_clear(&i->base64);
}

/* ---- events ---- */

static enum err delta(struct writer *w, const struct dialect_exchange *x, const struct event *e, struct buf *out) {
  struct call *c;
  struct image *image;
  switch (e->part_kind) {
    case PART_TEXT: put_text(w, x, e, "content", out); break;
    case PART_REASONING:
    case PART_REASONING_SUMMARY: put_text(w, x, e, "reasoning_content", out); break;
    case PART_REFUSAL:
      openai_chat_choices_add(&w->refused, e->choice);
      put_text(w, x, e, "refusal", out);
      break;
    case PART_TOOL_CALL:
      if (!(c = find_call(w, e->part))) break;
      c->has_text = c->has_text || e->bytes.n;
      if (e->bytes.n) put_call(w, x, e, c, e->bytes, out);
      break;
    case PART_AUDIO:
      open_delta(w, e->choice, out);
      json_out_key(out, "audio");
      json_out_begin(out, '{');
      json_out_member_string(out, "data", e->bytes);
      json_out_end(out, '}');
      close_delta(x, out);
      break;
    case PART_IMAGE:
      if ((image = *find_image(w, e->part))) buf_put(&image->base64, e->bytes);
      if (image && image->base64.failed) return ERR_NO_MEMORY;
      break;
    default: break;
  }
  return OK;
}

static void put_logprobs(struct writer *w, const struct dialect_exchange *x, const struct event *e, struct buf *out) {
  open_delta(w, e->choice, out);
  buf_put(out, STR("},\"logprobs\":{\"content\":["));
  buf_put(out, e->raw);
  buf_put(out, STR("],\"refusal\":null},\"finish_reason\":null}]"));
  end_chunk(x, out, false);
}

static void attach(struct writer *w, const struct dialect_exchange *x, const struct event *e, struct buf *out) {
  struct signature s = {e->bytes, e->dialect};
  bool is_thinking = e->part_kind == PART_REASONING || e->part_kind == PART_REDACTED;
  if (e->attachment == ATTACH_LOGPROBS) {
    put_logprobs(w, x, e, out);
    return;
  }
  if (e->attachment == ATTACH_SIGNATURE && !is_thinking) return; /* no slot */
  size_t from = out->n;
  open_delta(w, e->choice, out);
  if (e->attachment == ATTACH_AUDIO_ID) {
    json_out_key(out, "audio");
    json_out_begin(out, '{');
    json_out_member_string(out, "id", e->bytes);
    json_out_end(out, '}');
  } else {
    bool is_signature = e->attachment == ATTACH_SIGNATURE;
    json_out_key(out, is_signature ? "reasoning_details" : "annotations");
    json_out_begin(out, '[');
    size_t empty = out->n;
    if (is_signature)
      openai_chat_put_detail(out, e->part_kind, STR(""), &s);
    else
      openai_chat_put_annotation(out, e->raw, e->dialect);
    if (out->n == empty) { /* nothing that could be said */
      out->n = from;
      return;
    }
    json_out_end(out, ']');
  }
  close_delta(x, out);
}

static enum err stop(struct writer *w, const struct dialect_exchange *x, const struct event *e) {
  openai_chat_choices_add(&w->stopped, e->choice);
  w->reason[e->choice] = (uint8_t)e->reason;
  if (e->reason != STOP_OTHER || !str_has_prefix(e->dialect, STR("openai_chat")) || !e->native.n) return OK;
  w->native = arena_dup(x->arena, e->native);
  return w->native.p ? OK : ERR_NO_MEMORY;
}

static void put_finish(struct writer *w, const struct dialect_exchange *x, uint32_t choice, bool is_last,
                       struct buf *out) {
  bool has_refusal = openai_chat_choices_has(&w->refused, choice);
  bool is_empty = !openai_chat_choices_has(&w->begun, choice);
  struct str reason =
      openai_chat_finish_reason((enum stop_reason)w->reason[choice], w->native, is_legacy(x), has_refusal);
  open_delta(w, choice, out);
  if (is_empty) json_out_member_string(out, "content", STR(""));
  buf_put(out, STR("},\"logprobs\":null,\"finish_reason\":"));
  buf_put_json(out, reason);
  buf_put(out, STR("}]"));
  end_chunk(x, out, is_last && !x->wants_usage);
}

/* Has the caller still to be told of this choice's end? */
static bool is_due(const struct writer *w, const struct dialect_exchange *x, uint32_t choice) {
  bool is_told = choice < 64 && x->stops_told & UINT64_C(1) << choice;
  return !is_told && (openai_chat_choices_has(&w->stopped, choice) || openai_chat_choices_has(&w->begun, choice));
}

static void end(struct writer *w, const struct dialect_exchange *x, struct buf *out) {
  uint32_t last = 0;
  if (w->is_ended) return;
  w->is_ended = true;
  for (uint32_t c = 0; c < ANSWER_CHOICES_MAX; c++)
    if (is_due(w, x, c)) last = c;
  for (uint32_t c = 0; c <= last; c++)
    if (c == last || is_due(w, x, c)) put_finish(w, x, c, c == last, out);
  openai_chat_put_end(x, w->head, &w->usage, out);
}

enum err openai_chat_encode_event(void *state, const struct dialect_exchange *x, const struct event *event,
                                  struct buf *out, struct err_info *info) {
  struct writer *w = state;
  enum err e = OK;
  if (event->choice >= ANSWER_CHOICES_MAX)
    return err_set(info, ERR_UPSTREAM_TOO_LARGE, "the answer has too many choices");
  if (!w->head.p && (e = start(w, x, event->kind == EVENT_START ? event : NULL))) return e;
  switch (event->kind) {
    case EVENT_OPEN:
      if (event->part_kind == PART_TOOL_CALL) e = open_call(w, x, event, out, info);
      if (event->part_kind == PART_IMAGE) e = open_image(w, x, event);
      break;
    case EVENT_DELTA: e = delta(w, x, event, out); break;
    case EVENT_ATTACH: attach(w, x, event, out); break;
    case EVENT_CLOSE:
      if (event->part_kind == PART_TOOL_CALL) close_call(w, x, event, out);
      if (event->part_kind == PART_IMAGE) close_image(w, x, event, out);
      break;
    case EVENT_USAGE: answer_merge_usage(&w->usage, event->usage); break;
    case EVENT_STOP: e = stop(w, x, event); break;
    case EVENT_END: end(w, x, out); break;
    default: break;
  }
  return e ? e : out->failed ? ERR_NO_MEMORY : OK;
}
