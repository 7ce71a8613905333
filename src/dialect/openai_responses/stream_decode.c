/* A Responses stream as events. Called through the dialect's table, frame by frame; the state is a few kilobytes in the
 * exchange's arena. Items are told apart by output_index, parts within them by content_index or summary_index. What an
 * upstream leaves out is repaired from what comes later: an item that was never begun is taken whole from its `done`,
 * items that never came or never ended from the finished response, indexes that are missing from the item's id. */
#include <yyjson.h>

#include "dialect/openai_responses/internal.h"

enum { ITEMS_MAX = 128, PARTS_MAX = 128, DONE_MAX = 1024 };
enum list { CONTENT, SUMMARY, CALL }; /* where in its item a part stands */

struct item {
  uint32_t key; /* output_index, or from UNNUMBERED on a number of our own */
  uint32_t id_hash;
  bool is_call, is_reasoning;
  uint64_t seen[2]; /* bit: content_index, summary_index; those from 63 on share one */
};
#define UNNUMBERED UINT32_C(0x80000000)

struct open_part {
  uint32_t item; /* its key */
  uint32_t index;
  uint32_t part;
  enum list list;
  enum part_kind kind;
  bool has_delta;
};

struct state {
  struct openai_responses_emitter em;
  bool is_started, is_ended;
  uint32_t items_begun, unnumbered;
  uint32_t last_key; /* of the item that came last */
  size_t item_count, part_count;
  struct item items[ITEMS_MAX];
  struct open_part parts[PARTS_MAX];
  uint64_t done[DONE_MAX / 64];
};
_Static_assert(sizeof(struct state) <= OPENAI_RESPONSES_DECODER_BYTES, "the table says how much room the state has");

/* ---- finding ---- */

static uint32_t hash_of(struct str id) {
  uint64_t h = str_hash(id, 0);
  return id.n ? (uint32_t)(h ^ h >> 32) | 1 : 0;
}

static struct item *item_by_key(struct state *s, uint32_t key) {
  for (size_t i = 0; i < s->item_count; i++)
    if (s->items[i].key == key) return &s->items[i];
  return NULL;
}

static bool has_key(struct yyjson_val *root, uint32_t *key) {
  int64_t n = json_pool_count(yyjson_obj_get(root, "output_index"));
  if (n < 0 || n >= (int64_t)UNNUMBERED) return false;
  *key = (uint32_t)n;
  return true;
}

/* The item a frame speaks of: by its index, else its id, else the last one. */
static struct item *item_of(struct state *s, struct yyjson_val *root, struct str id) {
  uint32_t key;
  if (has_key(root, &key)) return item_by_key(s, key);
  if (!id.n) return item_by_key(s, s->last_key);
  for (size_t i = s->item_count; i-- > 0;)
    if (s->items[i].id_hash == hash_of(id)) return &s->items[i];
  return NULL;
}

static struct open_part *part_of(struct state *s, uint32_t item, enum list list, uint32_t index) {
  for (size_t i = 0; i < s->part_count; i++) {
    struct open_part *p = &s->parts[i];
    if (p->item == item && p->list == list && p->index == index) return p;
  }
  return NULL;
}

static bool is_done(const struct state *s, uint32_t key) {
  return key < DONE_MAX && (s->done[key / 64] >> (key % 64) & 1);
}

static void set_done(struct state *s, uint32_t key) {
  if (key < DONE_MAX) s->done[key / 64] |= UINT64_C(1) << (key % 64);
}

static uint64_t seen_bit(uint32_t index) { return UINT64_C(1) << (index < 63 ? index : 63); }

/* ---- beginning and ending ---- */

static enum err begin_item(struct state *s, struct yyjson_val *root, struct str id, struct item **out) {
  uint32_t key;
  if (s->item_count == ITEMS_MAX)
    return err_set(s->em.info, ERR_UPSTREAM_TOO_LARGE, "the provider's answer has too many items open at once");
  if (!has_key(root, &key)) key = UNNUMBERED + s->unnumbered++;
  struct item *item = &s->items[s->item_count++];
  *item = (struct item){.key = key, .id_hash = hash_of(id)};
  s->last_key = key;
  s->items_begun++;
  *out = item;
  return OK;
}

static enum err close_part(struct state *s, struct open_part *p) {
  struct event close = {.kind = EVENT_CLOSE, .part = p->part, .part_kind = p->kind};
  *p = s->parts[--s->part_count];
  return openai_responses_emit(&s->em, &close);
}

static enum err close_parts(struct state *s, uint32_t item) {
  enum err e = OK;
  for (size_t i = s->part_count; !e && i-- > 0;)
    if (s->parts[i].item == item) e = close_part(s, &s->parts[i]);
  return e;
}

static enum err add_part(struct state *s, struct item *item, enum list list, uint32_t index, enum part_kind kind,
                         struct open_part **out) {
  if (s->part_count == PARTS_MAX)
    return err_set(s->em.info, ERR_UPSTREAM_TOO_LARGE, "the provider's answer has too many parts open at once");
  struct open_part *p = &s->parts[s->part_count++];
  *p = (struct open_part){.item = item->key, .index = index, .list = list, .kind = kind};
  if (list != CALL) item->seen[list] |= seen_bit(index);
  *out = p;
  return OK;
}

/* Thinking's last part stays open until the item ends, which is when its signature comes. */
static enum err open_part(struct state *s, struct item *item, enum list list, uint32_t index, enum part_kind kind,
                          struct str item_id, struct open_part **out) {
  bool is_thinking = kind == PART_REASONING || kind == PART_REASONING_SUMMARY;
  enum err e = is_thinking ? close_parts(s, item->key) : OK;
  item->is_reasoning = item->is_reasoning || is_thinking;
  if (!e) e = add_part(s, item, list, index, kind, out);
  if (e) return e;
  (*out)->part = s->em.next_part++;
  if (kind == PART_REFUSAL) s->em.saw_refusal = true;
  struct event open = {
      .kind = EVENT_OPEN, .part = (*out)->part, .part_kind = kind, .item_id = item_id, .dialect = OPENAI_RESPONSES};
  return openai_responses_emit(&s->em, &open);
}

static enum err put_delta(struct state *s, struct open_part *p, struct str bytes) {
  struct event delta = {.kind = EVENT_DELTA, .part = p->part, .part_kind = p->kind, .bytes = bytes};
  if (!bytes.n) return OK;
  p->has_delta = true;
  return openai_responses_emit(&s->em, &delta);
}

/* ---- parts of items ---- */

static const char *index_name(enum list list) { return list == SUMMARY ? "summary_index" : "content_index"; }

static uint32_t index_of(struct yyjson_val *root, enum list list) {
  int64_t n = json_pool_count(yyjson_obj_get(root, index_name(list)));
  return n < 0 || n > UINT32_MAX ? 0 : (uint32_t)n;
}

/* *out is NULL where the part has ended already: what is said of it again is nothing new. */
static enum err part_for(struct state *s, struct yyjson_val *root, enum list list, enum part_kind kind,
                         struct open_part **out) {
  struct str id = json_pool_str(root, "item_id");
  struct item *item = item_of(s, root, id);
  uint32_t key, index = index_of(root, list);
  enum err e = OK;
  *out = NULL;
  if (!item) {
    if (has_key(root, &key) && is_done(s, key)) return OK;
    if ((e = begin_item(s, root, id, &item))) return e;
  }
  if ((*out = part_of(s, item->key, list, index))) return OK;
  if (item->is_call || item->seen[list] & seen_bit(index)) return OK;
  return open_part(s, item, list, index, kind, id, out);
}

static enum err on_part_added(struct state *s, struct yyjson_val *root) {
  struct yyjson_val *node = yyjson_obj_get(root, "part");
  struct str type = json_pool_str(node, "type");
  struct open_part *p = NULL;
  if (str_eq(type, STR("output_text"))) return part_for(s, root, CONTENT, PART_TEXT, &p);
  if (str_eq(type, STR("refusal"))) return part_for(s, root, CONTENT, PART_REFUSAL, &p);
  if (str_eq(type, STR("reasoning_text"))) return part_for(s, root, CONTENT, PART_REASONING, &p);
  return OK;
}

static enum err on_summary_added(struct state *s, struct yyjson_val *root) {
  struct open_part *p;
  return part_for(s, root, SUMMARY, PART_REASONING_SUMMARY, &p);
}

/* A piece that is no text would leave a hole in the whole. */
static bool is_piece(struct yyjson_val *v) { return !v || yyjson_is_null(v) || yyjson_is_str(v); }

static enum err on_piece(struct state *s, struct yyjson_val *root, enum list list, enum part_kind kind) {
  struct open_part *p;
  if (!is_piece(yyjson_obj_get(root, "delta"))) return dialect_bad_reply(s->em.info, "a delta is no text");
  enum err e = part_for(s, root, list, kind, &p);
  if (e || !p) return e;
  e = put_delta(s, p, json_pool_str(root, "delta"));
  if (!e && kind == PART_TEXT) e = openai_responses_emit_logprobs(&s->em, p->part, yyjson_obj_get(root, "logprobs"));
  return e;
}

/* The whole text: news only where none of it came before. */
static enum err on_whole(struct state *s, struct yyjson_val *root, enum list list, enum part_kind kind,
                         const char *member) {
  struct open_part *p;
  enum err e = part_for(s, root, list, kind, &p);
  if (e || !p || p->has_delta) return e;
  return put_delta(s, p, json_pool_str(root, member));
}

static enum err on_text_delta(struct state *s, struct yyjson_val *root) {
  return on_piece(s, root, CONTENT, PART_TEXT);
}
static enum err on_text_done(struct state *s, struct yyjson_val *root) {
  return on_whole(s, root, CONTENT, PART_TEXT, "text");
}
static enum err on_refusal_delta(struct state *s, struct yyjson_val *root) {
  return on_piece(s, root, CONTENT, PART_REFUSAL);
}
static enum err on_refusal_done(struct state *s, struct yyjson_val *root) {
  return on_whole(s, root, CONTENT, PART_REFUSAL, "refusal");
}
static enum err on_reasoning_delta(struct state *s, struct yyjson_val *root) {
  return on_piece(s, root, CONTENT, PART_REASONING);
}
static enum err on_reasoning_done(struct state *s, struct yyjson_val *root) {
  return on_whole(s, root, CONTENT, PART_REASONING, "text");
}
static enum err on_summary_delta(struct state *s, struct yyjson_val *root) {
  return on_piece(s, root, SUMMARY, PART_REASONING_SUMMARY);
}
static enum err on_summary_done(struct state *s, struct yyjson_val *root) {
  return on_whole(s, root, SUMMARY, PART_REASONING_SUMMARY, "text");
}

static enum err on_part_done(struct state *s, struct yyjson_val *root) {
  struct item *item = item_of(s, root, json_pool_str(root, "item_id"));
  struct open_part *p = item ? part_of(s, item->key, CONTENT, index_of(root, CONTENT)) : NULL;
  return p && p->kind != PART_REASONING ? close_part(s, p) : OK;
}

static enum err on_annotation(struct state *s, struct yyjson_val *root) {
  struct open_part *p;
  struct yyjson_val *annotation = yyjson_obj_get(root, "annotation");
  if (!yyjson_is_obj(annotation)) return OK;
  enum err e = part_for(s, root, CONTENT, PART_TEXT, &p);
  if (e || !p) return e;
  struct event attach = {.kind = EVENT_ATTACH,
                         .part = p->part,
                         .part_kind = PART_TEXT,
                         .attachment = ATTACH_CITATION,
                         .dialect = OPENAI_RESPONSES};
  return openai_responses_emit_raw(&s->em, &attach, annotation);
}

/* ---- calls ---- */

static enum err call_input(struct state *s, struct yyjson_val *root, const char *member, bool is_whole) {
  struct item *item = item_of(s, root, json_pool_str(root, "item_id"));
  struct open_part *p = item ? part_of(s, item->key, CALL, 0) : NULL;
  if (!is_piece(yyjson_obj_get(root, member))) return dialect_bad_reply(s->em.info, "a call's input is no text");
  if (!p || (is_whole && p->has_delta)) return OK; /* of a call that was not begun its item's end has everything */
  return put_delta(s, p, json_pool_str(root, member));
}

static enum err on_input_delta(struct state *s, struct yyjson_val *root) { return call_input(s, root, "delta", false); }
static enum err on_arguments_done(struct state *s, struct yyjson_val *root) {
  return call_input(s, root, "arguments", true);
}
static enum err on_input_done(struct state *s, struct yyjson_val *root) { return call_input(s, root, "input", true); }

/* ---- items ---- */

static bool is_call_type(struct str type) {
  return str_eq(type, STR("function_call")) || str_eq(type, STR("custom_tool_call"));
}

static enum err on_item_added(struct state *s, struct yyjson_val *root) {
  struct yyjson_val *node = yyjson_obj_get(root, "item");
  struct str type = json_pool_str(node, "type"), id = json_pool_str(node, "id");
  uint32_t key;
  struct item *item;
  if (has_key(root, &key) && (is_done(s, key) || item_by_key(s, key))) return OK; /* said twice */
  enum err e = begin_item(s, root, id, &item);
  if (e || !is_call_type(type)) return e;
  if (!json_pool_str(node, "name").n) return OK; /* its end may know more */
  struct open_part *p = NULL;
  item->is_call = true;
  e = add_part(s, item, CALL, 0, PART_TOOL_CALL, &p);
  return e ? e : openai_responses_emit_call(&s->em, node, &p->part);
}

static enum err sign(struct state *s, uint32_t key, struct yyjson_val *node) {
  struct str signature = json_pool_str(node, "encrypted_content");
  struct open_part *last = NULL;
  for (size_t i = 0; i < s->part_count; i++)
    if (s->parts[i].item == key) last = &s->parts[i];
  if (!last || !signature.n) return OK;
  struct event attach = {.kind = EVENT_ATTACH,
                         .part = last->part,
                         .part_kind = last->kind,
                         .attachment = ATTACH_SIGNATURE,
                         .bytes = signature,
                         .dialect = OPENAI_RESPONSES};
  return openai_responses_emit(&s->em, &attach);
}

static enum err end_item(struct state *s, struct item *item, struct yyjson_val *node) {
  uint32_t key = item->key;
  bool is_told = item->is_call || item->seen[CONTENT] || item->seen[SUMMARY];
  enum err e = OK;
  if (!is_told) {
    e = openai_responses_emit_item(&s->em, node);
  } else if (item->is_call) {
    struct open_part *p = part_of(s, key, CALL, 0);
    struct str whole = json_pool_str(node, "arguments");
    if (p && !p->has_delta) e = put_delta(s, p, whole.n ? whole : json_pool_str(node, "input"));
  } else if (item->is_reasoning) {
    e = sign(s, key, node);
  }
  if (!e) e = close_parts(s, key);
  set_done(s, key);
  *item = s->items[--s->item_count];
  return e;
}

static enum err on_item_done(struct state *s, struct yyjson_val *root) {
  struct yyjson_val *node = yyjson_obj_get(root, "item");
  struct str id = json_pool_str(node, "id");
  uint32_t key;
  if (!yyjson_is_obj(node)) return dialect_bad_reply(s->em.info, "an output item has ended without being told");
  bool is_numbered = has_key(root, &key);
  struct item *item = item_of(s, root, id);
  if (item) return end_item(s, item, node);
  if (is_numbered && is_done(s, key)) return OK;
  if (is_numbered)
    set_done(s, key);
  else
    s->unnumbered++;
  s->items_begun++;
  return openai_responses_emit_item(&s->em, node);
}

/* ---- the response ---- */

static bool is_of(const struct item *item, struct yyjson_val *node) {
  uint32_t hash = hash_of(json_pool_str(node, "id"));
  return !hash || !item->id_hash || hash == item->id_hash;
}

/* What the finished response knows of its items beyond what has been told of them. Where the numbers of items are not
 * the places that they have in it, those that have come are as many as it has. */
static enum err end_items(struct state *s, struct yyjson_val *output) {
  bool is_short = !s->items_begun || (!s->unnumbered && s->items_begun < yyjson_arr_size(output));
  struct yyjson_val *node;
  enum err e = OK;
  size_t i, max;
  yyjson_arr_foreach(output, i, max, node) {
    struct item *item = item_by_key(s, (uint32_t)i);
    if (e || i >= DONE_MAX) break;
    if (item)
      e = is_of(item, node) ? end_item(s, item, node) : OK;
    else if (is_short && !is_done(s, (uint32_t)i))
      e = openai_responses_emit_item(&s->em, node);
  }
  return e;
}

static enum err on_end(struct state *s, struct yyjson_val *root) {
  struct yyjson_val *response = yyjson_obj_get(root, "response");
  if (!yyjson_is_obj(response)) return dialect_bad_reply(s->em.info, "the stream's end has no \"response\"");
  enum err e = end_items(s, yyjson_obj_get(response, "output"));
  while (!e && s->part_count) e = close_part(s, &s->parts[s->part_count - 1]);
  s->is_ended = true;
  return e ? e : openai_responses_emit_end(&s->em, response);
}

static const struct {
  struct str type;
  enum err (*take)(struct state *s, struct yyjson_val *root);
} frames[] = {
    {STR("response.output_text.delta"), on_text_delta},
    {STR("response.function_call_arguments.delta"), on_input_delta},
    {STR("response.reasoning_summary_text.delta"), on_summary_delta},
    {STR("response.reasoning_text.delta"), on_reasoning_delta},
    {STR("response.custom_tool_call_input.delta"), on_input_delta},
    {STR("response.refusal.delta"), on_refusal_delta},
    {STR("response.output_item.added"), on_item_added},
    {STR("response.output_item.done"), on_item_done},
    {STR("response.content_part.added"), on_part_added},
    {STR("response.content_part.done"), on_part_done},
    {STR("response.output_text.done"), on_text_done},
    {STR("response.output_text.annotation.added"), on_annotation},
    {STR("response.refusal.done"), on_refusal_done},
    {STR("response.reasoning_summary_part.added"), on_summary_added},
    {STR("response.reasoning_summary_text.done"), on_summary_done},
    {STR("response.reasoning_text.done"), on_reasoning_done},
    {STR("response.function_call_arguments.done"), on_arguments_done},
    {STR("response.custom_tool_call_input.done"), on_input_done},
    {STR("response.completed"), on_end},
    {STR("response.incomplete"), on_end},
};

static enum err take_frame(struct state *s, struct yyjson_val *root, const struct frame *frame) {
  struct str type = json_pool_str(root, "type");
  if (!type.n) type = frame->event;
  if (str_eq(type, STR("error")) || str_eq(type, STR("response.failed")) || openai_responses_is_error(root)) {
    struct event error = {.kind = EVENT_ERROR, .bytes = frame->data};
    s->is_ended = true;
    return openai_responses_emit(&s->em, &error);
  }
  if (!type.n) return dialect_bad_reply(s->em.info, "a stream event has no \"type\"");
  if (!s->is_started) {
    s->is_started = true;
    enum err e = openai_responses_emit_start(&s->em, yyjson_obj_get(root, "response"));
    if (e) return e;
  }
  for (size_t i = 0; i < sizeof frames / sizeof *frames; i++)
    if (str_eq(type, frames[i].type)) return frames[i].take(s, root);
  return OK; /* progress of a provider's own tools and the like: their items' ends have it all */
}

enum err openai_responses_decode_frame(void *state, const struct dialect_exchange *x, struct json_pool *pool,
                                       const struct frame *frame, const struct event_sink *sink,
                                       struct err_info *info) {
  struct state *s = state;
  s->em.x = x;
  s->em.sink = sink;
  s->em.info = info;
  if (s->is_ended || !frame->has_data || !frame->data.n) return OK;
  if (str_eq(str_trim(frame->data), STR("[DONE]"))) return OK; /* some servers' habit; the end is a response */
  struct yyjson_val *root = json_pool_parse(pool, frame->data);
  if (!yyjson_is_obj(root)) return dialect_bad_reply(info, "a stream event is not a JSON object");
  return take_frame(s, root, frame);
}
