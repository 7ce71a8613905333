/* An answer as the items of a response: see output.h. A namespace that was said within a tool's name is taken out
 * again; thinking of other APIs is shown as a summary, which is what this API's clients show and send back, with its
 * signature in encrypted_content where the caller asked for that. */
#include "dialect/openai_responses/output.h"

#include <yyjson.h>

#include "base/json_out.h"
#include "dialect/citation.h"
#include "dialect/tool_name.h"
#include "llm/signature.h"

enum { ORIGIN_BYTES_MAX = 64 };

static struct str own_text(const struct answer_part *p) { return buf_str(&p->text); }

static bool is_own(const struct answer_part *p) { return str_eq(p->raw_dialect, OPENAI_RESPONSES); }

bool openai_responses_is_content(const struct answer_part *p) { return p->kind == PART_REASONING && is_own(p); }

static bool wants_encrypted(const struct openai_responses_output *o) {
  const struct openai_responses_native *native = openai_responses_native_of(o->x->request);
  return native && native->wants_encrypted;
}

static bool wants_logprobs(const struct openai_responses_output *o) {
  const struct openai_responses_native *native = openai_responses_native_of(o->x->request);
  return native && native->wants_logprobs;
}

/* ---- names ---- */

static void restore_name(const struct request *r, struct openai_responses_item *item) {
  const struct request_tool *t = item->namespace.n ? NULL : tool_name_find(r, item->name);
  if (!t) return;
  item->namespace = t->namespace;
  item->name = t->name;
}

/* ---- layout ---- */

static bool kind_of(const struct openai_responses_output *o, const struct answer_part *p,
                    enum openai_responses_item_kind *out) {
  if (p->choice != 0) return false;
  switch (p->kind) {
    case PART_TEXT:
    case PART_REFUSAL: *out = ITEM_MESSAGE; return true;
    case PART_REASONING:
    case PART_REASONING_SUMMARY: *out = ITEM_REASONING; return true;
    case PART_REDACTED: *out = ITEM_REASONING; return wants_encrypted(o);
    case PART_TOOL_CALL: *out = ITEM_CALL; return true;
    case PART_IMAGE: *out = ITEM_IMAGE; return true;
    case PART_SERVER_TOOL:
    case PART_OPAQUE: *out = ITEM_NATIVE; return is_own(p) && p->raw.n;
    default: return false;
  }
}

static bool joins(const struct openai_responses_output *o, const struct openai_responses_item *last,
                  enum openai_responses_item_kind kind, const struct answer_part *p) {
  if (last->kind != kind || last->is_done || last->first + last->count != o->place_count) return false;
  if (kind == ITEM_MESSAGE) return str_eq(last->source_id, p->item_id);
  return kind == ITEM_REASONING && p->item_id.n && str_eq(last->source_id, p->item_id);
}

static const char *id_prefix(enum openai_responses_item_kind kind, enum tool_kind tool) {
  switch (kind) {
    case ITEM_MESSAGE: return "msg_";
    case ITEM_REASONING: return "rs_";
    case ITEM_CALL: return tool == TOOL_CUSTOM ? "ctc_" : "fc_";
    default: return "ig_";
  }
}

static enum err begin(struct openai_responses_output *o, enum openai_responses_item_kind kind,
                      const struct answer_part *p) {
  if (o->item_count == o->item_room) {
    size_t room = o->item_room ? o->item_room * 2 : 4;
    struct openai_responses_item *v = arena_realloc(o->x->arena, o->items, o->item_room * sizeof *v, room * sizeof *v);
    if (!v) return ERR_NO_MEMORY;
    o->items = v;
    o->item_room = room;
  }
  struct openai_responses_item item = {.kind = kind,
                                       .first = (uint32_t)o->place_count,
                                       .source_id = p->item_id,
                                       .id = p->item_id,
                                       .call_id = p->id,
                                       .name = p->name,
                                       .namespace = p->namespace};
  unsigned n = (unsigned)o->item_count;
  if (!dialect_is_id(item.id)) item.id = dialect_make_id(o->x, id_prefix(kind, p->tool_kind), n);
  if (kind == ITEM_CALL && !item.call_id.n) item.call_id = dialect_make_id(o->x, "call_", n);
  if (!item.id.p || (kind == ITEM_CALL && !item.call_id.p)) return ERR_NO_MEMORY;
  if (kind == ITEM_CALL) restore_name(o->x->request, &item);
  o->items[o->item_count++] = item;
  return OK;
}

/* Index of the part within its item's list: thinking has two lists. */
static uint32_t index_in(const struct openai_responses_output *o, const struct openai_responses_item *item,
                         const struct answer_part *p) {
  uint32_t n = 0;
  if (item->kind != ITEM_REASONING) return item->count;
  for (uint32_t i = 0; i < item->count; i++) {
    const struct answer_part *other = &o->answer->parts[item->first + i];
    if (other->kind != PART_REDACTED && openai_responses_is_content(other) == openai_responses_is_content(p)) n++;
  }
  return n;
}

enum err openai_responses_output_add(struct openai_responses_output *o) {
  const struct answer_part *p = &o->answer->parts[o->place_count];
  enum openai_responses_item_kind kind;
  struct openai_responses_place place = {.item = UINT32_MAX};
  if (o->place_count == o->place_room) {
    size_t room = o->place_room ? o->place_room * 2 : 8;
    struct openai_responses_place *v =
        arena_realloc(o->x->arena, o->places, o->place_room * sizeof *v, room * sizeof *v);
    if (!v) return ERR_NO_MEMORY;
    o->places = v;
    o->place_room = room;
  }
  if (kind_of(o, p, &kind)) {
    if (!o->item_count || !joins(o, &o->items[o->item_count - 1], kind, p)) {
      enum err e = begin(o, kind, p);
      if (e) return e;
    }
    struct openai_responses_item *item = &o->items[o->item_count - 1];
    place.item = (uint32_t)o->item_count - 1;
    place.index = index_in(o, item, p);
    item->count++;
    item->open++;
  }
  o->places[o->place_count++] = place;
  return OK;
}

/* ---- annotations ---- */

static size_t count_characters(struct str s) {
  size_t n = 0;
  for (size_t i = 0; i < s.n; i++) n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
  return n;
}

/* Another API's citation; one that names no place in the text is about all of it. */
static bool put_foreign_annotation(struct buf *out, struct yyjson_val *v, struct str text) {
  struct citation c;
  if (!citation_read(v, &c)) return false;
  if (!out) return true;
  int64_t start = json_pool_count(c.start), end = json_pool_count(c.end);
  json_out_begin(out, '{');
  json_out_member_string(out, "type", STR("url_citation"));
  json_out_member_i64(out, "start_index", start < 0 ? 0 : start);
  json_out_member_i64(out, "end_index", end < 0 ? (int64_t)count_characters(text) : end);
  json_out_member_string(out, "url", c.url);
  json_out_member_string(out, "title", c.title);
  json_out_end(out, '}');
  return true;
}

size_t openai_responses_annotations(const struct answer_part *p, size_t i, struct buf *out) {
  if (!p->citations.n) return 0;
  struct json_pool pool = {0};
  struct buf list;
  size_t n = 0, k, max;
  yyjson_val *v;
  buf_init(&list, 0);
  buf_put_char(&list, '[');
  buf_put(&list, buf_str(&p->citations));
  buf_put_char(&list, ']');
  struct yyjson_val *root = list.failed ? NULL : json_pool_parse(&pool, buf_str(&list));
  yyjson_arr_foreach(root, k, max, v) {
    struct buf *to = n == i ? out : NULL;
    if (is_own(p)) {
      if (to) json_out_value(to, v);
      n++;
    } else if (put_foreign_annotation(to, v, own_text(p))) {
      n++;
    }
  }
  json_pool_clear(&pool);
  buf_clear(&list);
  return n;
}

static void put_annotations(struct buf *out, const struct answer_part *p) {
  json_out_key(out, "annotations");
  json_out_begin(out, '[');
  if (is_own(p)) {
    buf_put(out, buf_str(&p->citations));
  } else {
    size_t n = openai_responses_annotations(p, SIZE_MAX, NULL);
    for (size_t i = 0; i < n; i++) openai_responses_annotations(p, i, out);
  }
  json_out_end(out, ']');
}

/* ---- items ---- */

void openai_responses_put_logprobs(struct buf *out, const struct openai_responses_output *o, uint32_t part,
                                   bool is_begun) {
  uint32_t first = 0; /* they are kept for the answer as a whole: its first text has them */
  while (o->answer->parts[first].kind != PART_TEXT) first++;
  json_out_key(out, "logprobs");
  json_out_begin(out, '[');
  if (!is_begun && wants_logprobs(o) && part == first) buf_put(out, answer_logprobs(o->answer, 0));
  json_out_end(out, ']');
}

void openai_responses_put_part(struct buf *out, const struct openai_responses_output *o, uint32_t part, bool is_begun) {
  const struct answer_part *p = &o->answer->parts[part];
  struct str text = is_begun ? STR_NONE : own_text(p);
  json_out_begin(out, '{');
  if (p->kind == PART_REFUSAL) {
    json_out_member_string(out, "type", STR("refusal"));
    json_out_member_string(out, "refusal", text);
  } else if (p->kind == PART_TEXT) {
    json_out_member_string(out, "type", STR("output_text"));
    json_out_member_string(out, "text", text);
    if (is_begun)
      json_out_member_raw_if(out, "annotations", STR("[]"));
    else
      put_annotations(out, p);
    openai_responses_put_logprobs(out, o, part, is_begun);
  } else {
    json_out_member_string(out, "type", openai_responses_is_content(p) ? STR("reasoning_text") : STR("summary_text"));
    json_out_member_string(out, "text", text);
  }
  json_out_end(out, '}');
}

static void put_message(struct buf *out, const struct openai_responses_output *o,
                        const struct openai_responses_item *item, bool is_begun) {
  json_out_member_string(out, "role", STR("assistant"));
  json_out_key(out, "content");
  json_out_begin(out, '[');
  for (uint32_t i = 0; !is_begun && i < item->count; i++) openai_responses_put_part(out, o, item->first + i, false);
  json_out_end(out, ']');
}

/* Thinking of another API is signed for that one: wrapped, so that it finds back. Where it needs no signature (texts of
 * OpenAI-likes) its origin alone is worth keeping. */
static void put_encrypted(struct buf *out, const struct openai_responses_output *o, const struct answer_part *p) {
  struct signature s = p->signature;
  char origin[ORIGIN_BYTES_MAX];
  if (!s.origin.n) s.origin = p->raw_dialect;
  if (!wants_encrypted(o) || !s.origin.n || (!s.bytes.n && is_own(p))) return;
  if (p->kind == PART_REDACTED && !str_eq(s.origin, OPENAI_RESPONSES)) {
    struct str mark = STR(OPENAI_RESPONSES_REDACTED);
    if (s.origin.n + mark.n > sizeof origin) return;
    memcpy(origin, s.origin.p, s.origin.n);
    memcpy(origin + s.origin.n, mark.p, mark.n);
    s.origin = str_from(origin, s.origin.n + mark.n);
  }
  json_out_key(out, "encrypted_content");
  buf_put_char(out, '"');
  size_t from = out->n;
  signature_put(out, &s, OPENAI_RESPONSES); /* its own may hold anything; base64 needs no escaping */
  if (str_eq(s.origin, OPENAI_RESPONSES) && !out->failed) {
    out->n = from - 1;
    buf_put_json(out, s.bytes);
  } else {
    buf_put_char(out, '"');
  }
}

static void put_reasoning(struct buf *out, const struct openai_responses_output *o,
                          const struct openai_responses_item *item, bool is_begun) {
  bool has_content = false;
  json_out_key(out, "summary");
  json_out_begin(out, '[');
  for (uint32_t i = 0; !is_begun && i < item->count; i++) {
    const struct answer_part *p = &o->answer->parts[item->first + i];
    if (openai_responses_is_content(p))
      has_content = true;
    else if (p->kind != PART_REDACTED && p->text.n)
      openai_responses_put_part(out, o, item->first + i, false);
  }
  json_out_end(out, ']');
  if (has_content) {
    json_out_key(out, "content");
    json_out_begin(out, '[');
    for (uint32_t i = 0; i < item->count; i++)
      if (openai_responses_is_content(&o->answer->parts[item->first + i]))
        openai_responses_put_part(out, o, item->first + i, false);
    json_out_end(out, ']');
  }
  if (!is_begun && item->count) put_encrypted(out, o, &o->answer->parts[item->first + item->count - 1]);
}

static void put_call(struct buf *out, const struct openai_responses_item *item, const struct answer_part *p,
                     bool is_begun) {
  bool is_custom = p->tool_kind == TOOL_CUSTOM;
  struct str text = is_begun ? STR_NONE : own_text(p);
  if (!is_begun && !is_custom && !text.n) text = STR("{}");
  json_out_member_string(out, is_custom ? "input" : "arguments", text);
  json_out_member_string(out, "call_id", item->call_id);
  json_out_member_string(out, "name", item->name);
  json_out_member_string_if(out, "namespace", item->namespace);
}

void openai_responses_put_item(struct buf *out, const struct openai_responses_output *o, size_t index,
                               const char *status) {
  const struct openai_responses_item *item = &o->items[index];
  const struct answer_part *p = &o->answer->parts[item->first];
  bool is_begun = str_eq(str_from_c(status), STR("in_progress"));
  static const struct str types[] = {[ITEM_MESSAGE] = STR("message"),
                                     [ITEM_REASONING] = STR("reasoning"),
                                     [ITEM_CALL] = STR("function_call"),
                                     [ITEM_IMAGE] = STR("image_generation_call")};
  if (item->kind == ITEM_NATIVE) {
    json_out_raw(out, p->raw);
    return;
  }
  bool is_custom = item->kind == ITEM_CALL && p->tool_kind == TOOL_CUSTOM;
  json_out_begin(out, '{');
  json_out_member_string(out, "id", item->id);
  json_out_member_string(out, "type", is_custom ? STR("custom_tool_call") : types[item->kind]);
  if (item->kind != ITEM_REASONING) json_out_member_string(out, "status", str_from_c(status));
  switch (item->kind) {
    case ITEM_MESSAGE: put_message(out, o, item, is_begun); break;
    case ITEM_REASONING: put_reasoning(out, o, item, is_begun); break;
    case ITEM_CALL: put_call(out, item, p, is_begun); break;
    default:
      json_out_key(out, "result");
      if (is_begun)
        buf_put(out, STR("null"));
      else
        buf_put_json(out, own_text(p));
      break;
  }
  json_out_end(out, '}');
}
