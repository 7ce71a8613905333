/* Canonical events as Ollama's stream lines, and whole answers as its replies; chat and generate differ in where the
 * text stands. Text and thinking are forwarded as they come; tool calls and images are whole here, so their pieces are
 * held until they close. The done line waits for EVENT_END: it has the counts and the receipt.
 *
 * Durations are what was measured here: from the exchange's begin (where it is known) to the first content and to the
 * end. What only the model's server knows (load_duration) is left out. */
#include <stdio.h>

#include "base/clock.h"
#include "base/json_out.h"
#include "dialect/ollama/ollama_internal.h"

struct held { /* a tool call or an image that is not whole yet */
  struct held *next;
  uint32_t part;
  unsigned index; /* of a call */
  struct str id, name;
  struct buf bytes;
};

struct writer {      /* zeroed */
  uint64_t first_us; /* when content came first; 0: not yet */
  struct usage usage;
  struct held *held;
  enum stop_reason reason;
  unsigned calls;
};
_Static_assert(sizeof(struct writer) <= OLLAMA_WRITER_BYTES, "the table's size");

/* ---- what lines and replies have in common ---- */

static void put_head(const struct dialect_exchange *x, struct buf *out) {
  char now[25];
  clock_format_rfc3339(clock_wall_us(), now);
  json_out_begin(out, '{');
  json_out_member_string(out, "model", x->model);
  json_out_member_string(out, "created_at", str_from_c(now));
}

/* The object that text and calls stand in: `message`, or the line itself. */
static void begin_message(struct buf *out, bool is_chat) {
  if (!is_chat) return;
  json_out_key(out, "message");
  json_out_begin(out, '{');
  json_out_member_string(out, "role", STR("assistant"));
}

static void put_content(struct buf *out, bool is_chat, struct str text) {
  json_out_member_string(out, is_chat ? "content" : "response", text);
}

static void end_message(struct buf *out, bool is_chat) {
  if (is_chat) json_out_end(out, '}');
}

static void put_call(struct buf *out, struct str id, struct str name, unsigned index, struct str arguments) {
  json_out_begin(out, '{');
  json_out_member_string_if(out, "id", id);
  json_out_key(out, "function");
  json_out_begin(out, '{');
  json_out_member_i64(out, "index", index);
  json_out_member_string(out, "name", name);
  json_out_key(out, "arguments");
  request_put_args_object(out, arguments);
  json_out_end(out, '}');
  json_out_end(out, '}');
}

/* Ollama's own words are "stop" and "length". That a filter took the rest is not hidden behind "stop". */
static struct str reason_word(enum stop_reason reason) {
  switch (reason) {
    case STOP_LENGTH:
    case STOP_CONTEXT: return STR("length");
    case STOP_REFUSAL: /* of a text that was broken off, too */
    case STOP_FILTER: return STR("content_filter");
    default: return STR("stop");
  }
}

static void put_duration(struct buf *out, const char *key, uint64_t from_us, uint64_t to_us) {
  if (from_us && to_us >= from_us) json_out_member_i64(out, key, (int64_t)((to_us - from_us) * 1000));
}

void ollama_put_total_duration(const struct dialect_exchange *x, struct buf *out) {
  put_duration(out, "total_duration", x->began_us, clock_mono_us());
}

static void put_count(struct buf *out, const char *key, const struct usage *usage, enum usage_class class) {
  if (usage_has(usage, class)) json_out_member_i64(out, key, usage_get(usage, class));
}

/* first_us: when content came first, 0 where that is not known. */
static void put_tail(const struct dialect_exchange *x, enum stop_reason reason, const struct usage *usage,
                     uint64_t first_us, struct buf *out) {
  json_out_member_string(out, "done_reason", reason_word(reason));
  json_out_member_bool(out, "done", true);
  ollama_put_total_duration(x, out);
  put_count(out, "prompt_eval_count", usage, USAGE_INPUT);
  if (first_us) put_duration(out, "prompt_eval_duration", x->began_us, first_us);
  put_count(out, "eval_count", usage, USAGE_OUTPUT);
  put_duration(out, "eval_duration", first_us, clock_mono_us());
  dialect_put_receipt_member(x, out);
  json_out_end(out, '}');
}

/* ---- streams ---- */

static void put_line_end(struct buf *out) {
  json_out_member_bool(out, "done", false);
  json_out_end(out, '}');
  buf_put_char(out, '\n');
}

static void put_text_line(const struct dialect_exchange *x, bool is_chat, struct str text, struct str thinking,
                          struct buf *out) {
  put_head(x, out);
  begin_message(out, is_chat);
  put_content(out, is_chat, text);
  json_out_member_string_if(out, "thinking", thinking);
  end_message(out, is_chat);
  put_line_end(out);
}

static void put_held_line(const struct dialect_exchange *x, bool is_chat, const struct held *h, bool is_call,
                          struct buf *out) {
  put_head(x, out);
  begin_message(out, is_chat);
  put_content(out, is_chat, STR(""));
  if (is_call || is_chat) {
    json_out_key(out, is_call ? "tool_calls" : "images");
    json_out_begin(out, '[');
    if (is_call)
      put_call(out, h->id, h->name, h->index, buf_str(&h->bytes));
    else
      json_out_string(out, buf_str(&h->bytes));
    json_out_end(out, ']');
  } else {
    json_out_member_string(out, "image", buf_str(&h->bytes));
  }
  end_message(out, is_chat);
  put_line_end(out);
}

static void put_logprobs_line(const struct dialect_exchange *x, bool is_chat, struct str elements, struct buf *out) {
  put_head(x, out);
  begin_message(out, is_chat);
  put_content(out, is_chat, STR(""));
  end_message(out, is_chat);
  json_out_key(out, "logprobs");
  json_out_begin(out, '[');
  json_out_raw(out, elements);
  json_out_end(out, ']');
  put_line_end(out);
}

static void free_held(void *arg) { buf_clear(&((struct held *)arg)->bytes); }

static enum err hold(struct writer *w, const struct dialect_exchange *x, const struct event *event) {
  struct held *h = ARENA_NEW(x->arena, struct held);
  if (!h || !arena_on_clear(x->arena, free_held, h)) return ERR_NO_MEMORY;
  *h = (struct held){.next = w->held, .part = event->part};
  buf_init(&h->bytes, 0);
  if (event->part_kind == PART_TOOL_CALL) h->index = w->calls++;
  if (event->id.n && !(h->id = arena_dup(x->arena, event->id)).p) return ERR_NO_MEMORY;
  if (event->name.n && !(h->name = arena_dup(x->arena, event->name)).p) return ERR_NO_MEMORY;
  w->held = h;
  return OK;
}

static struct held **find_held(struct writer *w, uint32_t part) {
  struct held **at = &w->held;
  while (*at && (*at)->part != part) at = &(*at)->next;
  return at;
}

static bool is_held_kind(enum part_kind kind) { return kind == PART_TOOL_CALL || kind == PART_IMAGE; }

static enum err see_delta(struct writer *w, const struct dialect_exchange *x, bool is_chat, const struct event *event,
                          struct buf *out) {
  if (!event->bytes.n) return OK;
  if (!w->first_us) w->first_us = clock_mono_us();
  if (is_held_kind(event->part_kind)) {
    struct held *h = *find_held(w, event->part);
    if (!h) return OK;
    buf_put(&h->bytes, event->bytes);
    return h->bytes.failed ? ERR_NO_MEMORY : OK;
  }
  if (event->part_kind == PART_TEXT || event->part_kind == PART_REFUSAL)
    put_text_line(x, is_chat, event->bytes, STR_NONE, out);
  else if (event->part_kind == PART_REASONING || event->part_kind == PART_REASONING_SUMMARY)
    put_text_line(x, is_chat, STR(""), event->bytes, out);
  return OK;
}

static void see_close(struct writer *w, const struct dialect_exchange *x, bool is_chat, const struct event *event,
                      struct buf *out) {
  if (!is_held_kind(event->part_kind)) return;
  struct held **at = find_held(w, event->part), *h = *at;
  if (!h) return;
  *at = h->next;
  put_held_line(x, is_chat, h, event->part_kind == PART_TOOL_CALL, out);
  buf_clear(&h->bytes);
}

static bool wants_logprobs(const struct dialect_exchange *x) {
  return x->request && (x->request->logprobs == 1 || x->request->top_logprobs.n);
}

static enum err encode_event(struct writer *w, const struct dialect_exchange *x, bool is_chat,
                             const struct event *event, struct buf *out) {
  enum err e = OK;
  if (event->choice) return OK; /* Ollama has one */
  switch (event->kind) {
    case EVENT_OPEN:
      if (is_held_kind(event->part_kind)) e = hold(w, x, event);
      break;
    case EVENT_DELTA: e = see_delta(w, x, is_chat, event, out); break;
    case EVENT_ATTACH:
      if (event->attachment == ATTACH_LOGPROBS && wants_logprobs(x)) put_logprobs_line(x, is_chat, event->raw, out);
      break;
    case EVENT_CLOSE: see_close(w, x, is_chat, event, out); break;
    case EVENT_USAGE: answer_merge_usage(&w->usage, event->usage); break;
    case EVENT_STOP: w->reason = event->reason; break;
    case EVENT_END:
      put_head(x, out);
      begin_message(out, is_chat);
      put_content(out, is_chat, STR(""));
      end_message(out, is_chat);
      put_tail(x, w->reason, &w->usage, w->first_us, out);
      buf_put_char(out, '\n');
      break;
    default: break;
  }
  return e ? e : out->failed ? ERR_NO_MEMORY : OK;
}

enum err ollama_encode_event(void *state, const struct dialect_exchange *x, const struct event *event, struct buf *out,
                             struct err_info *info) {
  (void)info;
  return encode_event(state, x, true, event, out);
}

enum err ollama_generate_encode_event(void *state, const struct dialect_exchange *x, const struct event *event,
                                      struct buf *out, struct err_info *info) {
  (void)info;
  return encode_event(state, x, false, event, out);
}

void ollama_put_keep_alive(const struct dialect_exchange *x, struct buf *out) {
  put_text_line(x, true, STR(""), STR_NONE, out);
}

void ollama_generate_put_keep_alive(const struct dialect_exchange *x, struct buf *out) {
  put_text_line(x, false, STR(""), STR_NONE, out);
}

/* ---- whole replies ---- */

static bool is_text(const struct answer_part *p) { return p->kind == PART_TEXT || p->kind == PART_REFUSAL; }
static bool is_thinking(const struct answer_part *p) {
  return p->kind == PART_REASONING || p->kind == PART_REASONING_SUMMARY;
}

/* All texts of the first choice that `takes`; a single one is not copied. */
static struct str join(const struct answer *a, bool (*takes)(const struct answer_part *), struct str between,
                       struct buf *joined) {
  const struct answer_part *only = NULL;
  size_t n = 0;
  for (size_t i = 0; i < a->part_count; i++) {
    const struct answer_part *p = &a->parts[i];
    if (p->choice || !takes(p) || !p->text.n) continue;
    if (n == 1) buf_put(joined, buf_str(&only->text));
    if (n++ == 0) only = p;
    if (n == 1) continue;
    buf_put(joined, between);
    buf_put(joined, buf_str(&p->text));
  }
  return n == 1 ? buf_str(&only->text) : buf_str(joined);
}

static void put_wholes(const struct answer *a, enum part_kind kind, const char *key, struct buf *out) {
  unsigned n = 0;
  for (size_t i = 0; i < a->part_count; i++) {
    const struct answer_part *p = &a->parts[i];
    if (p->choice || p->kind != kind) continue;
    if (n == 0) {
      json_out_key(out, key);
      json_out_begin(out, '[');
    }
    if (kind == PART_TOOL_CALL)
      put_call(out, p->id, p->name, n, buf_str(&p->text));
    else
      json_out_string(out, buf_str(&p->text));
    n++;
  }
  if (n) json_out_end(out, ']');
}

static void encode_reply(const struct dialect_exchange *x, bool is_chat, const struct answer *a, struct buf *out) {
  struct buf text, thinking;
  buf_init(&text, 0);
  buf_init(&thinking, 0);
  struct str shown = join(a, is_text, STR(""), &text), thought = join(a, is_thinking, STR("\n\n"), &thinking);
  put_head(x, out);
  begin_message(out, is_chat);
  put_content(out, is_chat, shown);
  json_out_member_string_if(out, "thinking", thought);
  if (is_chat) put_wholes(a, PART_IMAGE, "images", out);
  put_wholes(a, PART_TOOL_CALL, "tool_calls", out);
  end_message(out, is_chat);
  if (answer_logprobs(a, 0).n && wants_logprobs(x)) {
    json_out_key(out, "logprobs");
    json_out_begin(out, '[');
    json_out_raw(out, answer_logprobs(a, 0));
    json_out_end(out, ']');
  }
  put_tail(x, a->stops[0].is_set ? a->stops[0].reason : STOP_END, &a->usage, 0, out);
  if (text.failed || thinking.failed) out->failed = true;
  buf_clear(&text);
  buf_clear(&thinking);
}

void ollama_encode_reply(const struct dialect_exchange *x, const struct answer *answer, struct buf *out) {
  encode_reply(x, true, answer, out);
}

void ollama_generate_encode_reply(const struct dialect_exchange *x, const struct answer *answer, struct buf *out) {
  encode_reply(x, false, answer, out);
}
