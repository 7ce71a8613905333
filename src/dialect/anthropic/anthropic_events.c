/* Anthropic Messages, the upstream's answers as events: whole replies and stream events, by the same steps. A stream's
 * blocks are told apart by their index, though the vendor has one open at a time; what a server that imitates it leaves
 * out is repaired (a block that was never begun or ended, a message without a beginning, a stop without a reason). A
 * block of the vendor's own kind (a tool it runs itself) becomes a part only when it is whole, as its node goes along.
 */
#include <stdlib.h>
#include <yyjson.h>

#include "base/json_out.h"
#include "dialect/anthropic/anthropic_internal.h"
#include "dialect/tool_name.h"

enum { OPEN_BLOCKS_MAX = 128, NATIVE_BYTES_MAX = 8 << 20 };

struct block {
  int64_t index;
  uint32_t part;
  enum part_kind kind;
  bool has_input;   /* deltas of a call's arguments have come */
  struct buf kept;  /* a call's arguments that came with its beginning; the node of a native block */
  struct buf input; /* a native block's arguments, in pieces */
};

struct decoder {
  bool is_begun, is_stopped, is_ended, has_calls;
  bool is_hooked; /* what blocks hold goes with the arena */
  uint32_t parts;
  struct usage usage;
  struct block *blocks; /* the open ones, at most OPEN_BLOCKS_MAX; in the arena */
  size_t open_count, block_room;
};
_Static_assert(sizeof(struct decoder) <= ANTHROPIC_DECODER_BYTES, "the state is as large as its dialect says");

/* One step's surroundings, so that functions have few parameters. */
struct step {
  struct decoder *d;
  const struct dialect_exchange *x;
  const struct event_sink *sink;
  struct err_info *info;
};

static enum err emit(const struct step *s, const struct event *event) { return event_put(s->sink, event, s->info); }

/* ---- blocks ---- */

static enum part_kind kind_of(struct str type) {
  static const struct {
    struct str type;
    enum part_kind kind;
  } kinds[] = {
      {STR("text"), PART_TEXT},
      {STR("thinking"), PART_REASONING},
      {STR("redacted_thinking"), PART_REDACTED},
      {STR("tool_use"), PART_TOOL_CALL},
      {STR("server_tool_use"), PART_SERVER_TOOL},
      {STR("mcp_tool_use"), PART_SERVER_TOOL},
      {STR("mcp_tool_listing"), PART_SERVER_TOOL},
  };
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (str_eq(kinds[i].type, type)) return kinds[i].kind;
  return str_has_suffix(type, STR("_tool_result")) ? PART_SERVER_TOOL : PART_OPAQUE;
}

static bool is_native(enum part_kind kind) { return kind == PART_SERVER_TOOL || kind == PART_OPAQUE; }

static struct block *find_block(struct decoder *d, int64_t index) {
  for (size_t i = d->open_count; i--;)
    if (d->blocks[i].index == index) return &d->blocks[i];
  return NULL;
}

static enum err begin_message(const struct step *s, struct str id, struct str model) {
  if (s->d->is_begun) return OK;
  s->d->is_begun = true;
  return emit(s, &(struct event){.kind = EVENT_START, .id = id, .name = model, .dialect = ANTHROPIC_NAME});
}

static void clear_blocks(void *arg) {
  struct decoder *d = arg;
  for (size_t i = 0; i < d->open_count; i++) {
    buf_clear(&d->blocks[i].kept);
    buf_clear(&d->blocks[i].input);
  }
  d->open_count = 0;
}

static enum err new_block(const struct step *s, int64_t index, enum part_kind kind, struct block **out) {
  struct decoder *d = s->d;
  if (d->open_count == OPEN_BLOCKS_MAX)
    return err_set(s->info, ERR_UPSTREAM_TOO_LARGE, "the provider's answer has too many open parts");
  if (!d->is_hooked && !arena_on_clear(s->x->arena, clear_blocks, d)) return ERR_NO_MEMORY;
  d->is_hooked = true;
  if (d->open_count == d->block_room) {
    size_t room = d->block_room ? d->block_room * 4 : 2;
    struct block *v = arena_realloc(s->x->arena, d->blocks, d->block_room * sizeof *v, room * sizeof *v);
    if (!v) return ERR_NO_MEMORY;
    d->blocks = v;
    d->block_room = room;
  }
  struct block *b = &d->blocks[d->open_count++];
  *b = (struct block){.index = index, .kind = kind};
  buf_init(&b->kept, NATIVE_BYTES_MAX);
  buf_init(&b->input, NATIVE_BYTES_MAX);
  *out = b;
  return OK;
}

static struct event of_block(const struct block *b, enum event_kind kind) {
  return (struct event){.kind = kind, .part = b->part, .part_kind = b->kind, .dialect = ANTHROPIC_NAME};
}

static enum err open_part(const struct step *s, struct block *b, struct event event) {
  b->part = s->d->parts++;
  event.kind = EVENT_OPEN;
  event.part = b->part;
  event.part_kind = b->kind;
  return emit(s, &event);
}

static enum err put_delta(const struct step *s, const struct block *b, struct str bytes) {
  if (!bytes.n) return OK;
  struct event event = of_block(b, EVENT_DELTA);
  event.bytes = bytes;
  return emit(s, &event);
}

static enum err put_signature(const struct step *s, const struct block *b, struct str signature) {
  if (!signature.n) return OK;
  struct event event = of_block(b, EVENT_ATTACH);
  event.attachment = ATTACH_SIGNATURE;
  event.bytes = signature;
  return emit(s, &event);
}

static enum err too_large(const struct step *s) {
  return err_set(s->info, ERR_UPSTREAM_TOO_LARGE, "a part of the provider's answer is larger than allowed");
}

static enum err keep_json(const struct step *s, struct block *b, struct yyjson_val *v) {
  json_split_put(&b->kept, v);
  return b->kept.failed ? too_large(s) : OK;
}

static enum err put_citation(const struct step *s, const struct block *b, struct yyjson_val *citation) {
  struct event event = of_block(b, EVENT_ATTACH);
  struct buf text;
  if (!yyjson_is_obj(citation)) return OK;
  buf_init(&text, NATIVE_BYTES_MAX);
  json_split_put(&text, citation);
  event.attachment = ATTACH_CITATION;
  event.raw = buf_str(&text);
  enum err e = text.failed ? too_large(s) : emit(s, &event);
  buf_clear(&text);
  return e;
}

static enum err begin_call(const struct step *s, struct block *b, struct yyjson_val *node) {
  yyjson_val *input = yyjson_obj_get(node, "input");
  bool is_given = yyjson_obj_size(input) || (input && !yyjson_is_obj(input) && !yyjson_is_null(input));
  struct str id = json_pool_str(node, "id"),
             name = tool_name_declared(s->x->request, ANTHROPIC_NAME, json_pool_str(node, "name"));
  if (!name.n) return dialect_bad_reply(s->info, "a tool use has no name");
  if (!dialect_is_call_id(id)) id = dialect_make_id(s->x, "toolu_", s->d->parts);
  s->d->has_calls = true;
  enum err e = open_part(s, b, (struct event){.id = id, .name = name, .tool_kind = TOOL_FUNCTION});
  /* A stream begins with {} and tells the rest in pieces; some servers tell all of it at once. */
  if (!e && is_given) dialect_put_arguments(&b->kept, input);
  return e ? e : b->kept.failed ? too_large(s) : OK;
}

static enum err begin_block(const struct step *s, int64_t index, struct yyjson_val *node, struct block **out) {
  struct block *b;
  struct str type = json_pool_str(node, "type");
  if (!type.n) return dialect_bad_reply(s->info, "a content block has no type");
  enum err e = new_block(s, index, kind_of(type), &b);
  if (e) return e;
  *out = b;
  if (is_native(b->kind)) return keep_json(s, b, node);
  if (b->kind == PART_TOOL_CALL) return begin_call(s, b, node);
  const char *member = b->kind == PART_TEXT ? "text" : "thinking";
  e = dialect_want_text(s->info, yyjson_obj_get(node, member), member);
  if (!e) e = open_part(s, b, (struct event){0});
  if (e) return e;
  if (b->kind == PART_REDACTED) return put_signature(s, b, json_pool_str(node, "data"));
  e = put_delta(s, b, json_pool_str(node, member));
  if (!e && b->kind == PART_REASONING) e = put_signature(s, b, json_pool_str(node, "signature"));
  yyjson_arr_iter it = yyjson_arr_iter_with(b->kind == PART_TEXT ? yyjson_obj_get(node, "citations") : NULL);
  for (yyjson_val *v; !e && (v = yyjson_arr_iter_next(&it));) e = put_citation(s, b, v);
  return e;
}

/* ---- native blocks ---- */

static void put_members(struct buf *out, struct yyjson_val *node, struct yyjson_val *over, struct str input) {
  yyjson_obj_iter it = yyjson_obj_iter_with(node);
  for (yyjson_val *key; (key = yyjson_obj_iter_next(&it));) {
    struct str name = json_pool_text(key);
    yyjson_val *other = str_eq(name, STR("type")) ? NULL : yyjson_obj_getn(over, name.p, name.n);
    json_out_key_str(out, name);
    if (input.n && str_eq(name, STR("input")))
      buf_put(out, input);
    else
      json_split_put(out, other ? other : yyjson_obj_iter_get_val(key));
  }
  it = yyjson_obj_iter_with(over);
  for (yyjson_val *key; (key = yyjson_obj_iter_next(&it));) {
    struct str name = json_pool_text(key);
    if (str_eq(name, STR("type")) || yyjson_obj_getn(node, name.p, name.n)) continue;
    json_out_key_str(out, name);
    json_split_put(out, yyjson_obj_iter_get_val(key));
  }
}

/* The kept node with the members of `over` (or NULL) in place of its own, and `input` (or empty) as its input. */
static enum err merge_node(const struct step *s, struct block *b, struct yyjson_val *over, struct str input) {
  struct json_pool pool = {0};
  struct buf text;
  yyjson_val *root = json_pool_parse(&pool, buf_str(&b->kept));
  buf_init(&text, NATIVE_BYTES_MAX);
  buf_put_char(&text, '{');
  put_members(&text, root, over, input);
  buf_put_char(&text, '}');
  json_pool_clear(&pool);
  buf_clear(&b->kept);
  b->kept = text;
  return root && !text.failed ? OK : too_large(s);
}

static enum err emit_native(const struct step *s, struct block *b) {
  struct str input = str_trim(buf_str(&b->input));
  enum err e = input.n && request_is_json_object(input) ? merge_node(s, b, NULL, input) : OK;
  return e ? e : open_part(s, b, (struct event){.raw = buf_str(&b->kept), .dialect = ANTHROPIC_NAME});
}

/* ---- the end of blocks and of the answer ---- */

static enum err close_block(const struct step *s, struct block *b) {
  struct decoder *d = s->d;
  enum err e = OK;
  if (is_native(b->kind)) e = emit_native(s, b);
  if (!e && b->kind == PART_TOOL_CALL && !b->has_input) e = put_delta(s, b, buf_str(&b->kept));
  struct event event = of_block(b, EVENT_CLOSE);
  buf_clear(&b->kept);
  buf_clear(&b->input);
  size_t at = (size_t)(b - d->blocks);
  memmove(b, b + 1, (d->open_count - at - 1) * sizeof *b);
  d->open_count--;
  return e ? e : emit(s, &event);
}

static enum err close_all(const struct step *s) {
  enum err e = OK;
  while (!e && s->d->open_count) e = close_block(s, &s->d->blocks[0]);
  return e;
}

static enum err stop(const struct step *s, struct str reason, struct str sequence) {
  if (s->d->is_stopped) return OK;
  enum err e = close_all(s);
  s->d->is_stopped = true;
  enum stop_reason canonical = reason.n ? anthropic_stop_reason(reason) : s->d->has_calls ? STOP_TOOL_CALLS : STOP_END;
  const struct event event = {
      .kind = EVENT_STOP, .reason = canonical, .native = reason, .text = sequence, .dialect = ANTHROPIC_NAME};
  return e ? e : emit(s, &event);
}

static enum err end(const struct step *s) {
  enum err e = stop(s, STR_NONE, STR_NONE);
  s->d->is_ended = true;
  return e ? e : emit(s, &(struct event){.kind = EVENT_END});
}

static enum err put_usage(const struct step *s, struct yyjson_val *usage, bool is_start) {
  if (!anthropic_read_usage(usage, is_start, &s->d->usage)) return OK;
  return emit(s, &(struct event){.kind = EVENT_USAGE, .usage = &s->d->usage});
}

/* ---- stream events ---- */

static enum err on_message_start(const struct step *s, struct yyjson_val *root) {
  yyjson_val *message = yyjson_obj_get(root, "message");
  enum err e = begin_message(s, json_pool_str(message, "id"), json_pool_str(message, "model"));
  return e ? e : put_usage(s, yyjson_obj_get(message, "usage"), true);
}

/* Where an index is missing, the latest open block is meant. */
static int64_t index_of(const struct decoder *d, struct yyjson_val *root) {
  int64_t index = json_pool_count(yyjson_obj_get(root, "index"));
  return index >= 0 ? index : d->open_count ? d->blocks[d->open_count - 1].index : 0;
}

static enum err on_block_start(const struct step *s, struct yyjson_val *root) {
  yyjson_val *node = yyjson_obj_get(root, "content_block");
  int64_t index = json_pool_count(yyjson_obj_get(root, "index"));
  struct block *b = index >= 0 ? find_block(s->d, index) : NULL;
  if (!yyjson_is_obj(node)) return dialect_bad_reply(s->info, "a content block begins with nothing");
  if (s->d->is_stopped) return dialect_bad_reply(s->info, "a content block begins behind the stop");
  enum err e = begin_message(s, STR_NONE, STR_NONE);
  if (!e && b) e = close_block(s, b);
  if (!e && index < 0 && s->d->open_count) e = close_all(s);
  return e ? e : begin_block(s, index >= 0 ? index : (int64_t)s->d->parts, node, &b);
}

/* A delta tells what kind of block it is of, so that one that was never begun can be. */
static enum err begin_implied(const struct step *s, int64_t index, struct str delta, struct block **out) {
  bool is_text = str_eq(delta, STR("text_delta")), is_thinking = str_eq(delta, STR("thinking_delta"));
  if ((!is_text && !is_thinking) || s->d->is_stopped)
    return dialect_bad_reply(s->info, "a stream goes on with a part that was never begun");
  enum err e = begin_message(s, STR_NONE, STR_NONE);
  if (!e) e = new_block(s, index, is_text ? PART_TEXT : PART_REASONING, out);
  return e ? e : open_part(s, *out, (struct event){0});
}

static enum err on_native_delta(const struct step *s, struct block *b, struct str type, struct yyjson_val *delta) {
  if (!str_eq(type, STR("input_json_delta"))) return merge_node(s, b, delta, STR_NONE);
  buf_put(&b->input, json_pool_str(delta, "partial_json"));
  return b->input.failed ? too_large(s) : OK;
}

/* The member that a delta of that type brings; NULL: a type not known here. */
static const char *piece_of(struct str type) {
  if (str_eq(type, STR("text_delta"))) return "text";
  if (str_eq(type, STR("input_json_delta"))) return "partial_json";
  if (str_eq(type, STR("thinking_delta"))) return "thinking";
  return str_eq(type, STR("signature_delta")) ? "signature" : NULL;
}

static enum err on_block_delta(const struct step *s, struct yyjson_val *root) {
  yyjson_val *delta = yyjson_obj_get(root, "delta");
  struct str type = json_pool_str(delta, "type");
  int64_t index = index_of(s->d, root);
  const char *member = piece_of(type);
  yyjson_val *piece = member ? yyjson_obj_get(delta, member) : NULL;
  if (!type.n) return dialect_bad_reply(s->info, "a delta has no type");
  /* To leave it out would leave a hole in the text, or in a call's arguments. */
  if (piece && !yyjson_is_str(piece) && !yyjson_is_null(piece)) return dialect_bad_reply(s->info, "a delta is no text");
  struct block *b = find_block(s->d, index);
  enum err e = b ? OK : begin_implied(s, index, type, &b);
  if (e) return e;
  if (is_native(b->kind)) return on_native_delta(s, b, type, delta);
  if (str_eq(type, STR("text_delta")) && b->kind == PART_TEXT) return put_delta(s, b, json_pool_str(delta, "text"));
  if (str_eq(type, STR("thinking_delta")) && b->kind == PART_REASONING)
    return put_delta(s, b, json_pool_str(delta, "thinking"));
  if (str_eq(type, STR("signature_delta"))) return put_signature(s, b, json_pool_str(delta, "signature"));
  if (str_eq(type, STR("citations_delta"))) return put_citation(s, b, yyjson_obj_get(delta, "citation"));
  if (str_eq(type, STR("input_json_delta")) && b->kind == PART_TOOL_CALL) {
    struct str text = json_pool_text(piece);
    b->has_input = b->has_input || text.n > 0;
    return put_delta(s, b, text);
  }
  if (member) return dialect_bad_reply(s->info, "a delta is of another kind than its block");
  return emit(s, &(struct event){.kind = EVENT_OPAQUE, .dialect = ANTHROPIC_NAME});
}

static enum err on_block_stop(const struct step *s, struct yyjson_val *root) {
  struct block *b = find_block(s->d, index_of(s->d, root));
  return b ? close_block(s, b) : OK;
}

static enum err on_message_delta(const struct step *s, struct yyjson_val *root) {
  yyjson_val *delta = yyjson_obj_get(root, "delta");
  struct str reason = json_pool_str(delta, "stop_reason");
  enum err e = begin_message(s, STR_NONE, STR_NONE);
  if (!e) e = put_usage(s, yyjson_obj_get(root, "usage"), false);
  return e || !reason.n ? e : stop(s, reason, json_pool_str(delta, "stop_sequence"));
}

static enum err on_message_stop(const struct step *s, struct yyjson_val *root) {
  (void)root;
  enum err e = begin_message(s, STR_NONE, STR_NONE);
  return e ? e : end(s);
}

static enum err on_ping(const struct step *s, struct yyjson_val *root) {
  (void)root;
  return emit(s, &(struct event){.kind = EVENT_PING});
}

static const struct {
  struct str type;
  enum err (*take)(const struct step *s, struct yyjson_val *root);
} stream_events[] = {
    {STR("content_block_delta"), on_block_delta},
    {STR("content_block_start"), on_block_start},
    {STR("content_block_stop"), on_block_stop},
    {STR("message_start"), on_message_start},
    {STR("message_delta"), on_message_delta},
    {STR("message_stop"), on_message_stop},
    {STR("ping"), on_ping},
};

enum err anthropic_decode_frame(void *state, const struct dialect_exchange *x, struct json_pool *pool,
                                const struct frame *frame, const struct event_sink *sink, struct err_info *info) {
  const struct step s = {state, x, sink, info};
  if (s.d->is_ended || !frame->has_data || !str_trim(frame->data).n) return OK;
  yyjson_val *root = json_pool_parse(pool, frame->data);
  if (!yyjson_is_obj(root)) return dialect_bad_reply(info, "a stream event is not a JSON object");
  struct str type = json_pool_str(root, "type");
  if (!type.n) type = frame->event;
  if (str_eq(type, STR("error")) || anthropic_is_error(root))
    return emit(&s, &(struct event){.kind = EVENT_ERROR, .bytes = frame->data});
  for (size_t i = 0; i < sizeof stream_events / sizeof *stream_events; i++)
    if (str_eq(stream_events[i].type, type)) return stream_events[i].take(&s, root);
  if (!type.n) return dialect_bad_reply(info, "a stream event has no type");
  return emit(&s, &(struct event){.kind = EVENT_OPAQUE, .dialect = ANTHROPIC_NAME, .raw = frame->data});
}

enum err anthropic_decode_end(void *state, const struct dialect_exchange *x, const struct event_sink *sink,
                              struct err_info *info) {
  const struct step s = {state, x, sink, info};
  return s.d->is_stopped && !s.d->is_ended ? end(&s) : OK;
}

/* ---- whole replies ---- */

static enum err decode_count(const struct step *s, struct yyjson_val *root) {
  if (json_pool_count(yyjson_obj_get(root, "input_tokens")) < 0) return dialect_bad_reply(s->info, "it has no count");
  enum err e = begin_message(s, STR_NONE, STR_NONE);
  if (!e) e = put_usage(s, root, true);
  return e ? e : end(s);
}

static enum err decode_message(const struct step *s, struct yyjson_val *root) {
  yyjson_val *content = yyjson_obj_get(root, "content"), *node;
  if (!yyjson_is_arr(content)) return dialect_bad_reply(s->info, "it has no \"content\"");
  enum err e = begin_message(s, json_pool_str(root, "id"), json_pool_str(root, "model"));
  yyjson_arr_iter it = yyjson_arr_iter_with(content);
  for (int64_t index = 0; !e && (node = yyjson_arr_iter_next(&it)); index++) {
    struct block *b;
    if (!yyjson_is_obj(node)) return dialect_bad_reply(s->info, "a content block is not an object");
    e = begin_block(s, index, node, &b);
    if (!e) e = close_block(s, b);
  }
  if (!e) e = put_usage(s, yyjson_obj_get(root, "usage"), false);
  if (!e) e = stop(s, json_pool_str(root, "stop_reason"), json_pool_str(root, "stop_sequence"));
  return e ? e : end(s);
}

enum err anthropic_decode_reply(const struct dialect_exchange *x, struct str body, const struct event_sink *sink,
                                struct err_info *info) {
  struct decoder decoder = {.is_hooked = true}; /* cleared below */
  const struct step s = {&decoder, x, sink, info};
  struct json_pool pool = {0};
  yyjson_val *root = json_pool_parse(&pool, body);
  bool is_count = x->request && x->request->operation == LLM_COUNT_TOKENS;
  enum err e;
  if (!yyjson_is_obj(root))
    e = dialect_bad_reply(info, "it is not a JSON object");
  else if (anthropic_is_error(root))
    e = emit(&s, &(struct event){.kind = EVENT_ERROR, .bytes = body});
  else
    e = is_count ? decode_count(&s, root) : decode_message(&s, root);
  clear_blocks(&decoder);
  json_pool_clear(&pool);
  return e;
}
