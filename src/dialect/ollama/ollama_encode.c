/* The canonical request as an Ollama chat request. Each item is a message; calls of consecutive assistant items (as
 * Responses writes a turn) are joined to one; every tool result is a message of its own, and images in one follow in a
 * user's message behind the run of results. Roles other than Ollama's four become the nearest. */
#include <stdio.h>
#include <yyjson.h>

#include "base/json_out.h"
#include "base/map.h"
#include "dialect/ollama/ollama_internal.h"
#include "dialect/tool_name.h"

struct encoder {
  const struct request *request;
  struct arena *arena;
  struct buf *out;
  struct err_info *info;
  bool is_own;
  struct map calls;                       /* of the items so far: id to struct request_part */
  const struct request_item *images_from; /* first item whose results hold images that were not written yet */
};

/* A stretch of parts over one or more items of a role. */
struct stretch {
  const struct request_item *first;
  size_t items;
  size_t from, to; /* parts, where items is 1 */
};

static const struct request_part *part_at(const struct stretch *s, size_t item, size_t k) {
  const struct request_item *i = &s->first[item];
  size_t at = s->items == 1 ? s->from + k : k, end = s->items == 1 ? s->to : i->part_count;
  return at < end ? &i->parts[at] : NULL;
}

/* ---- members of a message ---- */

static bool is_text(const struct request_part *p) {
  return p->kind == PART_TEXT || p->kind == PART_REFUSAL || (p->kind == PART_DOCUMENT && p->media->text.p);
}

static void put_joined(struct buf *text, struct str piece) {
  if (text->n && piece.n) buf_put(text, STR("\n\n"));
  buf_put(text, piece);
}

static void join_text(struct buf *text, const struct request_part *p) {
  if (p->kind == PART_DOCUMENT && p->media->name.n) put_joined(text, p->media->name);
  put_joined(text, p->kind == PART_DOCUMENT ? p->media->text : p->text);
}

/* All texts that `takes` as one string; a single one is not copied. */
static enum err put_text(struct encoder *c, const char *key, const struct stretch *s,
                         bool (*takes)(const struct request_part *), bool is_always) {
  struct buf text;
  const struct request_part *p, *only = NULL;
  size_t n = 0;
  buf_init(&text, 0);
  for (size_t i = 0; i < s->items; i++)
    for (size_t k = 0; (p = part_at(s, i, k)); k++) {
      if (!takes(p)) continue;
      if (n++ == 0) only = p;
      if (n == 2) join_text(&text, only);
      if (n > 1) join_text(&text, p);
    }
  bool is_plain = n == 1 && only->kind != PART_DOCUMENT;
  if (n == 1 && !is_plain) join_text(&text, only);
  if (n || is_always) json_out_member_string(c->out, key, is_plain ? only->text : buf_str(&text));
  enum err e = text.failed ? ERR_NO_MEMORY : OK;
  buf_clear(&text);
  return e;
}

static bool is_thinking(const struct request_part *p) { return p->kind == PART_REASONING && p->text.p; }

static void put_images(struct encoder *c, const struct request_part *parts, size_t n, bool *is_open) {
  for (size_t i = 0; i < n; i++) {
    if (parts[i].kind != PART_IMAGE) continue;
    if (!*is_open) {
      json_out_key(c->out, "images");
      json_out_begin(c->out, '[');
      *is_open = true;
    }
    json_out_string(c->out, parts[i].media->data);
  }
}

/* Arguments are an object here; the free text of a custom tool becomes its one member. */
static void put_call(struct encoder *c, const struct request_part *p, unsigned index) {
  struct buf *out = c->out;
  if (c->is_own && p->raw) {
    json_out_value(out, p->raw);
    return;
  }
  json_out_begin(out, '{');
  json_out_member_string_if(out, "id", p->call_id);
  json_out_key(out, "function");
  json_out_begin(out, '{');
  json_out_member_i64(out, "index", index);
  json_out_member_string(out, "name", tool_name_wire(c->arena, p->namespace, p->name));
  json_out_key(out, "arguments");
  request_put_call_args(out, p);
  json_out_end(out, '}');
  json_out_end(out, '}');
}

static void put_calls(struct encoder *c, const struct stretch *s) {
  const struct request_part *p;
  unsigned n = 0;
  for (size_t i = 0; i < s->items; i++)
    for (size_t k = 0; (p = part_at(s, i, k)); k++) {
      if (p->kind != PART_TOOL_CALL) continue;
      if (n == 0) {
        json_out_key(c->out, "tool_calls");
        json_out_begin(c->out, '[');
      }
      put_call(c, p, n++);
    }
  if (n) json_out_end(c->out, ']');
}

/* ---- messages ---- */

static const char *role_word(enum request_role role, bool is_own) {
  switch (role) {
    case ROLE_SYSTEM: return "system";
    case ROLE_DEVELOPER: return is_own ? "developer" : "system";
    case ROLE_ASSISTANT: return "assistant";
    case ROLE_TOOL: return "tool";
    default: return "user";
  }
}

static bool has_anything(const struct stretch *s) {
  const struct request_part *p;
  for (size_t i = 0; i < s->items; i++)
    for (size_t k = 0; (p = part_at(s, i, k)); k++)
      if (is_text(p) || is_thinking(p) || p->kind == PART_TOOL_CALL || p->kind == PART_IMAGE) return true;
  return false;
}

static enum err put_message(struct encoder *c, const struct stretch *s) {
  struct buf *out = c->out;
  bool has_images = false;
  if (!c->is_own && !has_anything(s)) return OK; /* what it held cannot be said here, which caps_check has named */
  json_out_begin(out, '{');
  json_out_member_string(out, "role", str_from_c(role_word(s->first->role, c->is_own)));
  enum err e = put_text(c, "content", s, is_text, !c->is_own);
  if (!e) e = put_text(c, "thinking", s, is_thinking, false);
  for (size_t i = 0; i < s->items; i++) {
    const struct request_part *first = part_at(s, i, 0);
    if (first) put_images(c, first, s->items == 1 ? s->to - s->from : s->first[i].part_count, &has_images);
  }
  if (has_images) json_out_end(out, ']');
  put_calls(c, s);
  if (c->is_own) json_out_rest(out, &s->first->rest);
  json_out_end(out, '}');
  return e;
}

/* The names of the calls by their ids: results of other dialects do not always tell them. */
static enum err note_calls(struct encoder *c, const struct request_item *item) {
  for (size_t k = 0; k < item->part_count; k++) {
    const struct request_part *p = &item->parts[k];
    if (p->kind == PART_TOOL_CALL && p->call_id.n && !map_put(&c->calls, p->call_id, &item->parts[k]))
      return ERR_NO_MEMORY;
  }
  return OK;
}

static struct str name_of_call(const struct encoder *c, struct str id) {
  const struct request_part *p = map_get(&c->calls, id);
  return p ? tool_name_wire(c->arena, p->namespace, p->name) : STR_NONE;
}

static enum err check_result(struct encoder *c, const struct request_item *item, const struct request_part *p) {
  for (size_t i = 0; i < p->result_count; i++) {
    const struct request_part *q = &p->results[i];
    if (is_text(q) || (q->kind == PART_IMAGE && q->media->data.n)) continue;
    return dialect_refuse(c->request, item, p, c->info,
                          "a tool result for Ollama may hold text and images as data only");
  }
  return OK;
}

static void put_result_text(struct encoder *c, const struct request_part *p, struct buf *text) {
  struct str prefix = STR("Error: ");
  for (size_t i = 0; i < p->result_count; i++)
    if (is_text(&p->results[i])) join_text(text, &p->results[i]);
  if (!p->is_error || c->is_own || str_has_prefix(buf_str(text), prefix)) {
    json_out_member_string(c->out, "content", buf_str(text));
    return;
  }
  struct buf marked;
  buf_init(&marked, 0);
  buf_put(&marked, prefix);
  buf_put(&marked, buf_str(text));
  json_out_member_string(c->out, "content", buf_str(&marked));
  text->failed = text->failed || marked.failed;
  buf_clear(&marked);
}

static enum err put_result(struct encoder *c, const struct request_item *item, const struct request_part *p) {
  struct buf text, *out = c->out;
  bool has_images = false;
  enum err e = check_result(c, item, p);
  if (e) return e;
  buf_init(&text, 0);
  json_out_begin(out, '{');
  json_out_member_string(out, "role", STR("tool"));
  if (!c->is_own || item->form == CONTENT_STRING) put_result_text(c, p, &text);
  if (c->is_own) {
    put_images(c, p->results, p->result_count, &has_images);
    if (has_images) json_out_end(out, ']');
    json_out_member_string_if(out, "tool_name", p->name);
    json_out_member_string_if(out, "tool_call_id", item->id);
    const struct stretch own = {item, 1, 0, item->part_count};
    e = put_text(c, "thinking", &own, is_thinking, false);
    put_calls(c, &own);
    json_out_rest(out, &item->rest);
  } else {
    struct str name = p->name.n ? tool_name_wire(c->arena, p->namespace, p->name) : name_of_call(c, p->call_id);
    json_out_member_string_if(out, "tool_name", name);
    json_out_member_string_if(out, "tool_call_id", p->call_id);
    for (size_t i = 0; !c->images_from && i < p->result_count; i++)
      if (p->results[i].kind == PART_IMAGE) c->images_from = item;
  }
  json_out_end(out, '}');
  if (!e && text.failed) e = ERR_NO_MEMORY;
  buf_clear(&text);
  return e;
}

/* The images of the results between images_from and `until`, as a user's message. */
static void put_result_images(struct encoder *c, const struct request_item *until) {
  bool has_images = false;
  if (!c->images_from) return;
  json_out_begin(c->out, '{');
  json_out_member_string(c->out, "role", STR("user"));
  json_out_member_string(c->out, "content", STR(""));
  for (const struct request_item *i = c->images_from; i < until; i++)
    for (size_t k = 0; k < i->part_count; k++)
      if (i->parts[k].kind == PART_TOOL_RESULT)
        put_images(c, i->parts[k].results, i->parts[k].result_count, &has_images);
  if (has_images) json_out_end(c->out, ']');
  json_out_end(c->out, '}');
  c->images_from = NULL;
}

static bool has_results(const struct request_item *item) {
  for (size_t k = 0; k < item->part_count; k++)
    if (item->parts[k].kind == PART_TOOL_RESULT) return true;
  return false;
}

/* An item with results in it: they first, each for itself, then what else there is. */
static enum err put_with_results(struct encoder *c, const struct request_item *item) {
  enum err e = OK;
  size_t from = 0;
  for (size_t k = 0; !e && k < item->part_count; k++)
    if (item->parts[k].kind == PART_TOOL_RESULT) e = put_result(c, item, &item->parts[k]);
  if (c->is_own) return e;
  while (!e && from < item->part_count) {
    size_t to = from;
    while (to < item->part_count && item->parts[to].kind != PART_TOOL_RESULT) to++;
    const struct stretch s = {item, 1, from, to};
    if (to > from && has_anything(&s)) {
      put_result_images(c, item + 1);
      e = put_message(c, &s);
    }
    from = to + 1;
  }
  return e;
}

static enum err put_messages(struct encoder *c) {
  const struct request *r = c->request;
  const struct request_item *end = r->items + r->item_count;
  enum err e = OK;
  json_out_key(c->out, "messages");
  json_out_begin(c->out, '[');
  for (const struct request_item *i = r->items, *next; !e && i < end; i = next) {
    next = i + 1;
    if (!c->is_own && (e = note_calls(c, i))) break;
    if (has_results(i)) {
      e = put_with_results(c, i);
      continue;
    }
    while (!c->is_own && i->role == ROLE_ASSISTANT && next < end && next->role == ROLE_ASSISTANT && !has_results(next))
      if ((e = note_calls(c, next++))) return e;
    const struct stretch s = {i, (size_t)(next - i), 0, i->part_count};
    put_result_images(c, i);
    e = put_message(c, &s);
  }
  if (!e) put_result_images(c, end);
  json_out_end(c->out, ']');
  return e;
}

/* ---- tools and the whole ---- */

static void put_tool(struct encoder *c, const struct request_tool *t) {
  struct buf *out = c->out;
  if (c->is_own && t->raw) {
    json_out_value(out, t->raw);
    return;
  }
  if (t->kind != TOOL_FUNCTION) return;
  json_out_begin(out, '{');
  json_out_member_string(out, "type", STR("function"));
  json_out_key(out, "function");
  json_out_begin(out, '{');
  json_out_member_string(out, "name", tool_name_wire(c->arena, t->namespace, t->name));
  json_out_member_string_if(out, "description", t->description);
  json_out_key(out, "parameters");
  if (t->schema)
    json_out_value(out, t->schema);
  else
    json_out_raw(out, STR("{\"type\":\"object\",\"properties\":{}}"));
  json_out_end(out, '}');
  json_out_end(out, '}');
}

static void put_tools(struct encoder *c) {
  const struct request *r = c->request;
  if (!r->tools && !r->tool_count) return;
  if (!c->is_own && (r->tool_choice == TOOL_CHOICE_NONE || !r->tool_count)) return; /* none: it is not told of any */
  size_t before = c->out->n;
  json_out_key(c->out, "tools");
  json_out_begin(c->out, '[');
  size_t inside = c->out->n;
  for (size_t i = 0; i < r->tool_count; i++) put_tool(c, &r->tools[i]);
  if (c->is_own || c->out->n != inside)
    json_out_end(c->out, ']');
  else
    c->out->n = before; /* all of them were another provider's own */
}

enum err ollama_encode_request(const struct request *r, const struct dialect_target *target, struct arena *a,
                               struct buf *out, struct err_info *info) {
  struct encoder c = {.request = r, .arena = a, .out = out, .info = info};
  c.is_own = str_eq(r->dialect, STR("ollama"));
  map_init(&c.calls, a);
  json_out_begin(out, '{');
  json_out_member_string(out, "model", target->model);
  enum err e = r->items || !c.is_own ? put_messages(&c) : OK;
  put_tools(&c);
  json_out_member_bool(out, "stream", r->is_stream);
  ollama_put_members(out, r, c.is_own, target->context_tokens);
  /* Said by silence: see put_think. */
  if (!c.is_own && r->reasoning.is_adaptive && r->reasoning.effort.n) dialect_drop(target, r, "reasoning_effort");
  json_out_end(out, '}');
  return e ? e : out->failed ? ERR_NO_MEMORY : OK;
}
