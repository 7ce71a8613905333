/* Messages of callers that speak another dialect, as OpenAI chat messages. Turns that are several items are one
 * message; the results of a user's turn are messages of their own, which follow the calls at once, and what a result
 * holds beside text comes in a user message behind them. Source: OpenAI API reference, "Create chat completion" (read
 * 2026-11).
 *
 * Plain text goes as a string wherever it can: several OpenAI-likes take nothing else. */
#include <stdio.h>

#include "base/json_out.h"
#include "dialect/openai_chat_internal.h"
#include "dialect/openai_chat_request.h"
#include "dialect/tool_name.h"

struct writer {
  const struct request *r;
  struct arena *arena;
  struct buf *out;
  struct err_info *info;
};

/* ---- texts ---- */

static bool is_media(const struct request_part *p) {
  return p->kind == PART_IMAGE || p->kind == PART_DOCUMENT || p->kind == PART_AUDIO;
}
static bool is_file_text(const struct request_part *p) { return p->kind == PART_DOCUMENT && p->media->text.p; }

static struct str concat(struct writer *w, struct str a, const char *between, struct str b) {
  size_t n = strlen(between);
  char *text = arena_alloc(w->arena, a.n + n + b.n);
  if (!text) {
    w->out->failed = true;
    return STR("");
  }
  if (a.n) memcpy(text, a.p, a.n);
  memcpy(text + a.n, between, n);
  if (b.n) memcpy(text + a.n + n, b.p, b.n);
  return str_from(text, a.n + n + b.n);
}

/* What of a part is text. A document that is plain text is said as one, under its name. */
static struct str text_of(struct writer *w, const struct request_part *p) {
  if (p->kind == PART_TEXT || p->kind == PART_REFUSAL) return p->text;
  if (!is_file_text(p)) return STR_NONE;
  if (!p->media->name.n) return p->media->text;
  return concat(w, p->media->name, ":\n", p->media->text);
}

static bool is_textual(const struct request_part *p) {
  return p->kind == PART_TEXT || p->kind == PART_REFUSAL || is_file_text(p);
}

/* All texts of the parts, blank lines between them, in arena memory; one alone is not copied. */
static struct str join(struct writer *w, const struct request_item *items, size_t n, const char *between,
                       bool (*is_of)(const struct request_part *)) {
  struct str only = STR_NONE;
  struct buf all;
  size_t count = 0;
  buf_init(&all, 0);
  for (size_t i = 0; i < n; i++)
    for (size_t k = 0; k < items[i].part_count; k++) {
      const struct request_part *p = &items[i].parts[k];
      if (!is_of(p)) continue;
      struct str text = is_textual(p) ? text_of(w, p) : p->text;
      if (count == 0) only = text;
      if (count == 1) buf_put(&all, only);
      if (count++ == 0) continue;
      buf_put(&all, str_from_c(between));
      buf_put(&all, text);
    }
  struct str joined = count > 1 ? arena_dup(w->arena, buf_str(&all)) : count ? only : STR_NONE;
  if (count > 1 && (all.failed || !joined.p)) w->out->failed = true;
  buf_clear(&all);
  return count && !joined.p ? str_from("", 0) : joined;
}

static void put_text_message(struct writer *w, const char *role, struct str text) {
  json_out_begin(w->out, '{');
  json_out_member_string(w->out, "role", str_from_c(role));
  json_out_member_string(w->out, "content", text);
  json_out_end(w->out, '}');
}

/* ---- media ---- */

static struct str audio_format(struct str mime) {
  static const struct {
    struct str mime, format;
  } rows[] = {{STR("audio/wav"), STR("wav")},
              {STR("audio/x-wav"), STR("wav")},
              {STR("audio/wave"), STR("wav")},
              {STR("audio/mpeg"), STR("mp3")},
              {STR("audio/mp3"), STR("mp3")}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (str_eq_nocase(mime, rows[i].mime)) return rows[i].format;
  return STR_NONE;
}

static void put_url_member(struct buf *out, const char *key, const struct media *m) {
  struct buf url;
  buf_init(&url, 0);
  request_put_media_url(&url, m);
  json_out_member_string(out, key, buf_str(&url));
  if (url.failed) out->failed = true;
  buf_clear(&url);
}

static enum err put_media(struct writer *w, const struct request_item *item, const struct request_part *where,
                          const struct request_part *p) {
  struct buf *out = w->out;
  const struct media *m = p->media;
  struct str format = p->kind == PART_AUDIO ? audio_format(m->mime) : STR_NONE;
  if (m->file_id.n && !str_has_prefix(w->r->dialect, STR("openai")))
    return dialect_refuse(w->r, item, where, w->info, "a file id is known to its own provider only; send the data");
  if (p->kind == PART_AUDIO && (!format.n || !m->data.n))
    return dialect_refuse(w->r, item, where, w->info, "the model takes audio as data in the formats wav and mp3 only");
  json_out_begin(out, '{');
  json_out_member_string(out, "type",
                         p->kind == PART_IMAGE   ? STR("image_url")
                         : p->kind == PART_AUDIO ? STR("input_audio")
                                                 : STR("file"));
  json_out_key(out, p->kind == PART_IMAGE ? "image_url" : p->kind == PART_AUDIO ? "input_audio" : "file");
  json_out_begin(out, '{');
  if (p->kind == PART_IMAGE) {
    put_url_member(out, "url", m);
    json_out_member_string_if(out, "detail", m->detail);
  } else if (p->kind == PART_AUDIO) {
    json_out_member_string(out, "data", m->data);
    json_out_member_string(out, "format", format);
  } else if (m->file_id.n) {
    json_out_member_string(out, "file_id", m->file_id);
  } else {
    json_out_member_string(out, "filename", m->name.n ? m->name : STR("document.pdf")); /* OpenAI wants one */
    put_url_member(out, "file_data", m);
  }
  json_out_end(out, '}');
  json_out_end(out, '}');
  return OK;
}

static void put_text_part(struct writer *w, struct str text) {
  json_out_begin(w->out, '{');
  json_out_member_string(w->out, "type", STR("text"));
  json_out_member_string(w->out, "text", text);
  json_out_end(w->out, '}');
}

/* ---- tool calls and results ---- */

static void put_call(struct writer *w, const struct request_part *p) {
  struct str name = tool_name_wire(w->arena, p->namespace, p->name);
  bool is_custom = p->tool_kind == TOOL_CUSTOM;
  if (!name.p) w->out->failed = true;
  json_out_begin(w->out, '{');
  json_out_member_string(w->out, "id", p->call_id);
  json_out_member_string(w->out, "type", is_custom ? STR("custom") : STR("function"));
  json_out_key(w->out, is_custom ? "custom" : "function");
  json_out_begin(w->out, '{');
  json_out_member_string(w->out, "name", name);
  json_out_member_string(w->out, is_custom ? "input" : "arguments",
                         p->text.n || is_custom ? p->text : STR("{}")); /* an empty text is no JSON to many servers */
  json_out_end(w->out, '}');
  json_out_end(w->out, '}');
}

static bool is_not_text(const struct request_part *p) { return is_media(p) && !is_file_text(p); }

/* The text of a result; a word stands where media follow in the next message. */
static void put_result(struct writer *w, const struct request_part *p) {
  const struct request_item all = {.parts = p->results, .part_count = p->result_count};
  struct str text = join(w, &all, 1, "\n", is_textual);
  bool has_media = false;
  for (size_t i = 0; i < p->result_count; i++) has_media = has_media || is_not_text(&p->results[i]);
  if (p->is_error && !str_has_prefix_nocase(text, STR("error:"))) text = concat(w, STR("Error: "), "", text);
  if (has_media && !text.n) text = STR("The result is in the next message.");
  json_out_begin(w->out, '{');
  json_out_member_string(w->out, "role", STR("tool"));
  json_out_member_string(w->out, "tool_call_id", p->call_id);
  json_out_member_string(w->out, "content", text);
  json_out_end(w->out, '}');
}

/* ---- turns ---- */

static bool is_reasoning(const struct request_part *p) { return p->kind == PART_REASONING && p->text.n; }

static void put_assistant(struct writer *w, const struct request_item *items, size_t n) {
  struct str text = join(w, items, n, "\n\n", is_textual), reasoning = join(w, items, n, "\n\n", is_reasoning);
  bool has_calls = false;
  for (size_t i = 0; i < n; i++)
    for (size_t k = 0; k < items[i].part_count; k++) has_calls = has_calls || items[i].parts[k].kind == PART_TOOL_CALL;
  if (!text.p && !reasoning.p && !has_calls) return; /* nothing of it can be said here */
  json_out_begin(w->out, '{');
  json_out_member_string(w->out, "role", STR("assistant"));
  json_out_key(w->out, "content");
  if (text.p || !has_calls)
    buf_put_json(w->out, text);
  else
    buf_put(w->out, STR("null"));
  if (reasoning.p) json_out_member_string(w->out, "reasoning_content", reasoning);
  if (has_calls) json_out_key(w->out, "tool_calls");
  if (has_calls) json_out_begin(w->out, '[');
  for (size_t i = 0; i < n; i++)
    for (size_t k = 0; k < items[i].part_count; k++)
      if (items[i].parts[k].kind == PART_TOOL_CALL) put_call(w, &items[i].parts[k]);
  if (has_calls) json_out_end(w->out, ']');
  json_out_end(w->out, '}');
}

/* One user message, of what in the item is no result. */
static enum err put_user(struct writer *w, const struct request_item *item) {
  size_t count = 0;
  const struct request_part *only = NULL;
  enum err e = OK;
  for (size_t k = 0; k < item->part_count; k++) {
    const struct request_part *p = &item->parts[k];
    if (!is_textual(p) && !is_media(p)) continue;
    only = count++ ? NULL : p;
  }
  bool has_results = false;
  for (size_t k = 0; k < item->part_count; k++) has_results = has_results || item->parts[k].kind == PART_TOOL_RESULT;
  if (count == 0 && has_results) return OK;
  json_out_begin(w->out, '{');
  json_out_member_string(w->out, "role", STR("user"));
  json_out_member_string_if(w->out, "name", item->name);
  if (count == 0 || (only && is_textual(only))) {
    json_out_member_string(w->out, "content", only ? text_of(w, only) : STR(""));
  } else {
    json_out_key(w->out, "content");
    json_out_begin(w->out, '[');
    for (size_t k = 0; !e && k < item->part_count; k++) {
      const struct request_part *p = &item->parts[k];
      if (is_textual(p))
        put_text_part(w, text_of(w, p));
      else if (is_media(p))
        e = put_media(w, item, p, p);
    }
    json_out_end(w->out, ']');
  }
  json_out_end(w->out, '}');
  return e;
}

/* Media of the results of these items: a user message behind the results. */
static enum err put_result_media(struct writer *w, const struct request_item *items, size_t n) {
  bool is_begun = false;
  enum err e = OK;
  for (size_t i = 0; i < n; i++)
    for (size_t k = 0; k < items[i].part_count; k++) {
      const struct request_part *p = &items[i].parts[k];
      for (size_t m = 0; !e && p->kind == PART_TOOL_RESULT && m < p->result_count; m++) {
        if (!is_not_text(&p->results[m])) continue;
        if (!is_begun) {
          json_out_begin(w->out, '{');
          json_out_member_string(w->out, "role", STR("user"));
          json_out_key(w->out, "content");
          json_out_begin(w->out, '[');
          put_text_part(w, STR("From the results of the tools:"));
          is_begun = true;
        }
        e = put_media(w, &items[i], p, &p->results[m]);
      }
    }
  if (is_begun) {
    json_out_end(w->out, ']');
    json_out_end(w->out, '}');
  }
  return e;
}

static enum err put_user_turn(struct writer *w, const struct request_item *items, size_t n) {
  for (size_t i = 0; i < n; i++)
    for (size_t k = 0; k < items[i].part_count; k++)
      if (items[i].parts[k].kind == PART_TOOL_RESULT) put_result(w, &items[i].parts[k]);
  enum err e = put_result_media(w, items, n);
  for (size_t i = 0; !e && i < n; i++) e = put_user(w, &items[i]);
  return e;
}

/* Whose turn an item belongs to: system items, the model's, and the caller's with the results. */
static enum request_role side_of(const struct request_item *item) {
  switch (item->role) {
    case ROLE_SYSTEM:
    case ROLE_DEVELOPER: return ROLE_SYSTEM;
    case ROLE_ASSISTANT: return ROLE_ASSISTANT;
    default: return ROLE_USER;
  }
}

enum err openai_chat_put_foreign_messages(const struct request *r, struct arena *a, struct buf *out,
                                          struct err_info *info) {
  size_t at = 0;
  enum err e = OK;
  struct writer w = {.r = r, .arena = a, .out = out, .info = info};
  while (!e && at < r->item_count) {
    const struct request_item *turn = &r->items[at];
    enum request_role side = side_of(turn);
    size_t n = 1;
    while (at + n < r->item_count && side_of(&r->items[at + n]) == side) n++;
    if (side == ROLE_SYSTEM)
      put_text_message(&w, "system", join(&w, turn, n, "\n\n", is_textual));
    else if (side == ROLE_ASSISTANT)
      put_assistant(&w, turn, n);
    else
      e = put_user_turn(&w, turn, n);
    at += n;
  }
  return e;
}
