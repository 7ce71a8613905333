/* Converse replies and event streams as canonical events. A stream's blocks have indexes; only tool uses announce
 * themselves, text and thinking begin with their first delta. messageStop tells why, metadata (the counts) comes after
 * it and is the end; a stream that ends behind messageStop is whole as well.
 *
 * Usage: inputTokens counts neither what was read from the cache nor what was written to it (API reference and observed
 * replies, read 2026-11): they are added here. Exceptions are frames of their own (is_error); their type goes into the
 * error's JSON as `__type`, as AWS's JSON protocols write it. */
#include <yyjson.h>

#include "base/json_out.h"
#include "dialect/bedrock/bedrock_internal.h"
#include "dialect/tool_name.h"

enum { BLOCKS_MAX = 128 };

struct slot {
  uint32_t part;
  uint16_t index; /* contentBlockIndex */
  uint8_t kind, is_ignored;
};

struct reader { /* zeroed */
  struct slot open[BLOCKS_MAX];
  uint32_t open_count, parts;
  unsigned calls;
  bool has_begun, has_stopped, has_ended;
};
_Static_assert(sizeof(struct reader) <= BEDROCK_READER_BYTES, "the table's size");

struct reading {
  struct reader *r;
  const struct dialect_exchange *x;
  const struct event_sink *sink;
  struct err_info *info;
};

static enum err put(struct reading *g, const struct event *e) { return event_put(g->sink, e, g->info); }

static enum err begin(struct reading *g) {
  if (g->r->has_begun) return OK;
  g->r->has_begun = true;
  return put(g, &(struct event){.kind = EVENT_START});
}

/* ---- parts ---- */

static struct slot *find_slot(struct reader *r, int64_t index) {
  for (uint32_t i = 0; i < r->open_count; i++)
    if (r->open[i].index == index) return &r->open[i];
  return NULL;
}

static enum err close_slot(struct reading *g, struct slot *s) {
  struct slot gone = *s;
  *s = g->r->open[--g->r->open_count];
  if (gone.is_ignored) return OK;
  return put(g, &(struct event){.kind = EVENT_CLOSE, .part = gone.part, .part_kind = (enum part_kind)gone.kind});
}

/* In order of their numbers. */
static enum err close_all(struct reading *g) {
  while (g->r->open_count) {
    struct slot *first = &g->r->open[0];
    for (uint32_t i = 1; i < g->r->open_count; i++)
      if (g->r->open[i].part < first->part) first = &g->r->open[i];
    enum err e = close_slot(g, first);
    if (e) return e;
  }
  return OK;
}

/* open: what the event says beside kind and number; NULL: of this block nothing is told. */
static enum err open_slot(struct reading *g, int64_t index, enum part_kind kind, struct event *open,
                          struct slot **out) {
  struct reader *r = g->r;
  if (r->open_count == BLOCKS_MAX || index > UINT16_MAX)
    return err_set(g->info, ERR_UPSTREAM_TOO_LARGE, "the provider's answer has too many parts");
  struct slot *s = &r->open[r->open_count++];
  *s = (struct slot){.index = (uint16_t)index, .kind = (uint8_t)kind, .is_ignored = !open};
  if (out) *out = s;
  if (!open) return OK;
  s->part = r->parts++;
  open->kind = EVENT_OPEN;
  open->part_kind = kind;
  open->part = s->part;
  return put(g, open);
}

/* The open part of that index and kind; opens one where there is none. */
static enum err slot_of(struct reading *g, int64_t index, enum part_kind kind, struct slot **out) {
  struct slot *s = find_slot(g->r, index);
  if (s && (s->kind == kind || s->is_ignored)) {
    *out = s;
    return OK;
  }
  enum err e = s ? close_slot(g, s) : OK;
  return e ? e : open_slot(g, index, kind, &(struct event){.dialect = BEDROCK_NAME}, out);
}

static enum err put_delta(struct reading *g, int64_t index, enum part_kind kind, struct str bytes) {
  struct slot *s;
  if (!bytes.n) return OK;
  enum err e = slot_of(g, index, kind, &s);
  if (e || s->is_ignored) return e;
  return put(g, &(struct event){.kind = EVENT_DELTA, .part = s->part, .part_kind = kind, .bytes = bytes});
}

/* The same of a member that should be a string. */
static enum err put_text(struct reading *g, int64_t index, enum part_kind kind, yyjson_val *object,
                         const char *member) {
  yyjson_val *v = yyjson_obj_get(object, member);
  enum err e = dialect_want_text(g->info, v, member);
  return e ? e : put_delta(g, index, kind, json_pool_text(v));
}

static enum err put_attachment(struct reading *g, int64_t index, enum part_kind kind, struct event *attach) {
  struct slot *s;
  enum err e = slot_of(g, index, kind, &s);
  if (e || s->is_ignored) return e;
  attach->kind = EVENT_ATTACH;
  attach->part = s->part;
  attach->part_kind = kind;
  attach->dialect = BEDROCK_NAME;
  return put(g, attach);
}

static enum err put_signature(struct reading *g, int64_t index, enum part_kind kind, struct str bytes) {
  if (!bytes.n) return OK;
  return put_attachment(g, index, kind, &(struct event){.attachment = ATTACH_SIGNATURE, .bytes = bytes});
}

static enum err put_citation(struct reading *g, int64_t index, yyjson_val *citation) {
  struct buf raw;
  if (!citation) return OK;
  buf_init(&raw, 0);
  json_split_put(&raw, citation);
  enum err e = raw.failed ? ERR_NO_MEMORY
                          : put_attachment(g, index, PART_TEXT,
                                           &(struct event){.attachment = ATTACH_CITATION, .raw = buf_str(&raw)});
  buf_clear(&raw);
  return e;
}

/* A block that only Bedrock knows (its own tools and what they gave). */
static enum err open_server_tool(struct reading *g, int64_t index, yyjson_val *node) {
  struct buf raw;
  buf_init(&raw, 0);
  json_split_put(&raw, node);
  struct event open = {.raw = buf_str(&raw), .dialect = BEDROCK_NAME};
  struct slot *s = NULL;
  enum err e = raw.failed ? ERR_NO_MEMORY : open_slot(g, index, PART_SERVER_TOOL, &open, &s);
  buf_clear(&raw);
  return e;
}

static enum err open_tool_use(struct reading *g, int64_t index, yyjson_val *use) {
  struct event open = {.name = tool_name_declared(g->x->request, BEDROCK_NAME, json_pool_str(use, "name")),
                       .id = json_pool_str(use, "toolUseId")};
  if (!open.name.n) return dialect_bad_reply(g->info, "a tool use has no name");
  if (!dialect_is_call_id(open.id)) open.id = dialect_make_id(g->x, "tooluse_", g->r->calls);
  g->r->calls++;
  return open.id.n ? open_slot(g, index, PART_TOOL_CALL, &open, NULL) : ERR_NO_MEMORY;
}

/* ---- the end ---- */

static enum stop_reason stop_reason(struct str word) {
  static const struct {
    struct str word;
    enum stop_reason reason;
  } rows[] = {
      {STR("end_turn"), STOP_END},
      {STR("tool_use"), STOP_TOOL_CALLS},
      {STR("max_tokens"), STOP_LENGTH},
      {STR("stop_sequence"), STOP_SEQUENCE},
      {STR("guardrail_intervened"), STOP_FILTER},
      {STR("content_filtered"), STOP_FILTER},
      {STR("model_context_window_exceeded"), STOP_CONTEXT},
      {STR("malformed_tool_use"), STOP_MALFORMED},
      {STR("malformed_model_output"), STOP_MALFORMED},
      {STR("refusal"), STOP_REFUSAL},
      {STR("pause_turn"), STOP_PAUSE},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (str_eq(rows[i].word, word)) return rows[i].reason;
  return STOP_OTHER;
}

static enum err read_stop(struct reading *g, yyjson_val *root) {
  struct str word = json_pool_str(root, "stopReason");
  if (g->r->has_stopped) return OK;
  if (!word.n) return dialect_bad_reply(g->info, "it has no \"stopReason\"");
  enum err e = close_all(g);
  g->r->has_stopped = true;
  if (e) return e;
  yyjson_val *fields = yyjson_obj_get(root, "additionalModelResponseFields");
  return put(g, &(struct event){.kind = EVENT_STOP,
                                .reason = stop_reason(word),
                                .native = word,
                                .dialect = BEDROCK_NAME,
                                .text = json_pool_str(fields, "stop_sequence")});
}

static enum err read_usage(struct reading *g, yyjson_val *root) {
  yyjson_val *u = yyjson_obj_get(root, "usage");
  int64_t input = json_pool_count(yyjson_obj_get(u, "inputTokens")),
          read = json_pool_count(yyjson_obj_get(u, "cacheReadInputTokens")),
          written = json_pool_count(yyjson_obj_get(u, "cacheWriteInputTokens"));
  const int64_t most = INT64_C(1) << 53;
  struct usage usage = {0};
  if (input > most || read > most || written > most) return OK; /* no vendor means that */
  if (input >= 0) usage_set(&usage, USAGE_INPUT, input + (read > 0 ? read : 0) + (written > 0 ? written : 0));
  usage_set(&usage, USAGE_CACHE_READ, read);
  usage_set(&usage, USAGE_CACHE_WRITE, written);
  usage_set(&usage, USAGE_OUTPUT, json_pool_count(yyjson_obj_get(u, "outputTokens")));
  return usage.known ? put(g, &(struct event){.kind = EVENT_USAGE, .usage = &usage}) : OK;
}

static enum err end(struct reading *g) {
  if (g->r->has_ended) return OK;
  g->r->has_ended = true;
  return put(g, &(struct event){.kind = EVENT_END});
}

/* ---- frames ---- */

static int64_t index_of(yyjson_val *root) {
  int64_t index = json_pool_count(yyjson_obj_get(root, "contentBlockIndex"));
  return index < 0 ? 0 : index; /* one block needs no number */
}

static enum err read_start(struct reading *g, yyjson_val *root) {
  int64_t index = index_of(root);
  yyjson_val *start = yyjson_obj_get(root, "start"), *use = yyjson_obj_get(start, "toolUse");
  struct slot *open = find_slot(g->r, index);
  enum err e = open ? close_slot(g, open) : OK; /* a stop that never came */
  if (e) return e;
  if (use && !yyjson_obj_get(use, "type")) return open_tool_use(g, index, use);
  if (use || yyjson_obj_get(start, "toolResult")) return open_server_tool(g, index, start);
  return OK; /* what begins with its first delta */
}

static enum err read_delta(struct reading *g, yyjson_val *root) {
  int64_t index = index_of(root);
  yyjson_val *delta = yyjson_obj_get(root, "delta"), *thinking = yyjson_obj_get(delta, "reasoningContent");
  yyjson_val *use = yyjson_obj_get(delta, "toolUse"), *image = yyjson_obj_get(delta, "image");
  struct slot *s = find_slot(g->r, index);
  if (s && s->kind == PART_SERVER_TOOL) return OK; /* its own dialect's business */
  enum err e = dialect_want_object(g->info, delta, "delta");
  if (!e) e = dialect_want_object(g->info, use, "toolUse");
  if (e) return e;
  if (use && (!s || s->kind != PART_TOOL_CALL)) return dialect_bad_reply(g->info, "a tool's input has no tool");
  e = put_text(g, index, PART_TEXT, delta, "text");
  if (!e) e = put_text(g, index, PART_TOOL_CALL, use, "input");
  if (!e) e = put_text(g, index, PART_REASONING, thinking, "text");
  if (!e) e = put_signature(g, index, PART_REASONING, json_pool_str(thinking, "signature"));
  if (!e) e = put_signature(g, index, PART_REDACTED, json_pool_str(thinking, "redactedContent"));
  if (!e) e = put_citation(g, index, yyjson_obj_get(delta, "citation"));
  if (!e) e = put_delta(g, index, PART_IMAGE, json_pool_str(yyjson_obj_get(image, "source"), "bytes"));
  return e;
}

static enum err read_block_stop(struct reading *g, yyjson_val *root) {
  struct slot *s = find_slot(g->r, index_of(root));
  return s ? close_slot(g, s) : OK;
}

static enum err read_metadata(struct reading *g, yyjson_val *root) {
  enum err e = read_usage(g, root);
  return e || !g->r->has_stopped ? e : end(g);
}

/* The exception's own JSON with its type in it. */
static enum err read_exception(struct reading *g, const struct frame *frame, yyjson_val *root) {
  struct buf json;
  buf_init(&json, 0);
  json_out_begin(&json, '{');
  json_out_member_string(&json, "__type", frame->event);
  json_out_member_string(&json, "message",
                         json_pool_str(root, yyjson_obj_get(root, "message") ? "message" : "Message"));
  json_out_end(&json, '}');
  enum err e = json.failed ? ERR_NO_MEMORY : put(g, &(struct event){.kind = EVENT_ERROR, .bytes = buf_str(&json)});
  buf_clear(&json);
  return e;
}

static const struct {
  struct str event;
  enum err (*read)(struct reading *g, yyjson_val *root);
  bool is_content; /* and has no place behind the stop */
} readers[] = {
    {STR("contentBlockDelta"), read_delta, true},      {STR("contentBlockStart"), read_start, true},
    {STR("contentBlockStop"), read_block_stop, false}, {STR("messageStop"), read_stop, false},
    {STR("metadata"), read_metadata, false},
};

enum err bedrock_decode_frame(void *state, const struct dialect_exchange *x, struct json_pool *pool,
                              const struct frame *frame, const struct event_sink *sink, struct err_info *info) {
  struct reading g = {state, x, sink, info};
  if (g.r->has_ended) return OK;
  yyjson_val *root = frame->has_data ? json_pool_parse(pool, frame->data) : NULL;
  if (frame->is_error) return read_exception(&g, frame, root);
  if (!frame->event.n && !frame->has_data) return OK;
  if (!yyjson_is_obj(root)) return dialect_bad_reply(info, "an event of the stream is no JSON object");
  enum err e = begin(&g);
  for (size_t i = 0; !e && i < sizeof readers / sizeof *readers; i++)
    if (str_eq(readers[i].event, frame->event))
      return g.r->has_stopped && readers[i].is_content
                 ? dialect_bad_reply(info, "a part of the answer comes behind its stop")
                 : readers[i].read(&g, root);
  return e; /* messageStart, and events that are newer than this */
}

enum err bedrock_decode_end(void *state, const struct dialect_exchange *x, const struct event_sink *sink,
                            struct err_info *info) {
  struct reading g = {state, x, sink, info};
  return g.r->has_stopped ? end(&g) : OK;
}

/* ---- whole replies ---- */

static enum err read_citations(struct reading *g, int64_t index, yyjson_val *block) {
  size_t i, max;
  yyjson_val *one;
  enum err e = OK;
  yyjson_arr_foreach(yyjson_obj_get(block, "content"), i, max,
                     one) if ((e = put_delta(g, index, PART_TEXT, json_pool_str(one, "text")))) return e;
  yyjson_arr_foreach(yyjson_obj_get(block, "citations"), i, max, one) if ((e = put_citation(g, index, one))) return e;
  return e;
}

static enum err read_tool_use(struct reading *g, int64_t index, yyjson_val *node, yyjson_val *use) {
  if (yyjson_obj_get(use, "type")) return open_server_tool(g, index, node);
  struct buf input;
  buf_init(&input, 0);
  dialect_put_arguments(&input, yyjson_obj_get(use, "input"));
  enum err e = input.failed ? ERR_NO_MEMORY : open_tool_use(g, index, use);
  if (!e) e = put_delta(g, index, PART_TOOL_CALL, buf_str(&input));
  buf_clear(&input);
  return e;
}

static enum err read_block(struct reading *g, int64_t index, yyjson_val *node) {
  yyjson_val *thinking = yyjson_obj_get(node, "reasoningContent"), *v;
  yyjson_val *text = yyjson_obj_get(thinking, "reasoningText");
  enum err e = dialect_want_object(g->info, node, "content[]");
  if (e) return e;
  if ((v = yyjson_obj_get(node, "toolUse")))
    e = read_tool_use(g, index, node, v);
  else if ((v = yyjson_obj_get(node, "citationsContent")))
    e = read_citations(g, index, v);
  else if (yyjson_obj_get(node, "toolResult"))
    e = open_server_tool(g, index, node);
  else if ((v = yyjson_obj_get(yyjson_obj_get(node, "image"), "source")))
    e = put_delta(g, index, PART_IMAGE, json_pool_str(v, "bytes"));
  else
    e = put_text(g, index, PART_TEXT, node, "text");
  if (!e) e = put_delta(g, index, PART_REASONING, json_pool_str(text, "text"));
  if (!e) e = put_signature(g, index, PART_REASONING, json_pool_str(text, "signature"));
  if (!e) e = put_signature(g, index, PART_REDACTED, json_pool_str(thinking, "redactedContent"));
  return e ? e : close_all(g);
}

static enum err read_reply(struct reading *g, yyjson_val *root, struct str json) {
  yyjson_val *content = yyjson_obj_get(yyjson_obj_get(yyjson_obj_get(root, "output"), "message"), "content"), *node;
  size_t i, max;
  bool is_error =
      !yyjson_obj_get(root, "output") && (yyjson_obj_get(root, "message") || yyjson_obj_get(root, "__type"));
  if (is_error) return put(g, &(struct event){.kind = EVENT_ERROR, .bytes = json});
  if (!yyjson_is_arr(content)) return dialect_bad_reply(g->info, "it has no \"output.message.content\"");
  enum err e = begin(g);
  if (e) return e;
  yyjson_arr_foreach(content, i, max, node) if ((e = read_block(g, 0, node))) return e;
  e = read_usage(g, root);
  if (!e) e = read_stop(g, root);
  return e ? e : end(g);
}

enum err bedrock_decode_reply(const struct dialect_exchange *x, struct str body, const struct event_sink *sink,
                              struct err_info *info) {
  struct reader r = {0};
  struct reading g = {&r, x, sink, info};
  struct json_pool pool = {0};
  yyjson_val *root = json_pool_parse(&pool, body);
  enum err e =
      yyjson_is_obj(root) ? read_reply(&g, root, str_trim(body)) : dialect_bad_reply(info, "it is no JSON object");
  json_pool_clear(&pool);
  return e;
}
