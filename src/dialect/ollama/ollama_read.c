/* Ollama's replies and stream lines as canonical events. A line has new text, new thinking, whole tool calls or several
 * of them; a whole reply is one such line, so both go the same way. One text or thinking part is open at a time; what
 * comes in another kind closes it. The line with "done": true has the counts and is the end; a stream without it was
 * cut.
 *
 * Ollama says "stop" where tools were called as well: calls that were seen decide. */
#include <stdio.h>
#include <yyjson.h>

#include "dialect/ollama/ollama_internal.h"
#include "dialect/tool_name.h"

struct reader { /* zeroed */
  bool has_begun, has_ended, has_open;
  enum part_kind open; /* where has_open: number parts - 1 */
  uint32_t parts;
  unsigned calls;
};
_Static_assert(sizeof(struct reader) <= OLLAMA_READER_BYTES, "the table's size");

struct reading {
  struct reader *r;
  const struct dialect_exchange *x;
  const struct event_sink *sink;
  struct err_info *info;
};

static enum err put(struct reading *g, const struct event *e) { return event_put(g->sink, e, g->info); }

static enum err close_open(struct reading *g) {
  if (!g->r->has_open) return OK;
  g->r->has_open = false;
  return put(g, &(struct event){.kind = EVENT_CLOSE, .part = g->r->parts - 1, .part_kind = g->r->open});
}

static enum err begin(struct reading *g, yyjson_val *root) {
  if (g->r->has_begun) return OK;
  g->r->has_begun = true;
  return put(g, &(struct event){.kind = EVENT_START, .name = json_pool_str(root, "model")});
}

static enum err open_part(struct reading *g, enum part_kind kind) {
  if (g->r->has_open && g->r->open == kind) return OK;
  enum err e = close_open(g);
  if (e) return e;
  g->r->has_open = true;
  g->r->open = kind;
  return put(g, &(struct event){.kind = EVENT_OPEN, .part = g->r->parts++, .part_kind = kind});
}

static enum err put_delta(struct reading *g, enum part_kind kind, struct str bytes) {
  if (!bytes.n) return OK;
  return put(g, &(struct event){.kind = EVENT_DELTA, .part = g->r->parts - 1, .part_kind = kind, .bytes = bytes});
}

static enum err read_text(struct reading *g, enum part_kind kind, yyjson_val *object, const char *member) {
  yyjson_val *v = yyjson_obj_get(object, member);
  struct str text = json_pool_text(v);
  enum err e = dialect_want_text(g->info, v, member);
  if (e || !text.n) return e;
  e = open_part(g, kind);
  return e ? e : put_delta(g, kind, text);
}

static enum err read_logprobs(struct reading *g, yyjson_val *list) {
  size_t i, max;
  yyjson_val *one;
  enum err e = OK;
  if (!g->r->has_open || g->r->open != PART_TEXT) return OK;
  yyjson_arr_foreach(list, i, max, one) {
    struct buf raw;
    buf_init(&raw, 0);
    json_split_put(&raw, one);
    e = raw.failed ? ERR_NO_MEMORY
                   : put(g, &(struct event){.kind = EVENT_ATTACH,
                                            .part = g->r->parts - 1,
                                            .part_kind = PART_TEXT,
                                            .attachment = ATTACH_LOGPROBS,
                                            .raw = buf_str(&raw),
                                            .dialect = STR("ollama")});
    buf_clear(&raw);
    if (e) break;
  }
  return e;
}

static enum err put_arguments(struct reading *g, yyjson_val *arguments) {
  struct buf text;
  buf_init(&text, 0);
  dialect_put_arguments(&text, arguments);
  enum err e = text.failed ? ERR_NO_MEMORY : put_delta(g, PART_TOOL_CALL, buf_str(&text));
  buf_clear(&text);
  return e;
}

static enum err read_call(struct reading *g, yyjson_val *call) {
  yyjson_val *function = yyjson_obj_get(call, "function");
  struct event open = {.kind = EVENT_OPEN, .part_kind = PART_TOOL_CALL};
  open.name = tool_name_declared(g->x->request, STR("ollama"), json_pool_str(function, "name"));
  open.id = json_pool_str(call, "id");
  if (!open.name.n) return dialect_bad_reply(g->info, "a tool call has no name");
  if (!dialect_is_call_id(open.id)) open.id = dialect_make_id(g->x, "call_", g->r->calls);
  if (!open.id.n) return ERR_NO_MEMORY;
  enum err e = close_open(g);
  if (e) return e;
  open.part = g->r->parts++;
  g->r->calls++;
  g->r->has_open = true;
  g->r->open = PART_TOOL_CALL;
  e = put(g, &open);
  if (!e) e = put_arguments(g, yyjson_obj_get(function, "arguments"));
  return e ? e : close_open(g);
}

static enum err read_calls(struct reading *g, yyjson_val *calls) {
  size_t i, max;
  yyjson_val *call;
  enum err e = dialect_want_array(g->info, calls, "tool_calls");
  if (e) return e;
  yyjson_arr_foreach(calls, i, max, call) if ((e = read_call(g, call))) break;
  return e;
}

static enum err read_image(struct reading *g, struct str base64) {
  if (!base64.n) return OK;
  enum err e = close_open(g);
  if (!e) e = open_part(g, PART_IMAGE);
  if (!e) e = put_delta(g, PART_IMAGE, base64);
  return e ? e : close_open(g);
}

static enum err read_images(struct reading *g, yyjson_val *root, yyjson_val *message) {
  size_t i, max;
  yyjson_val *image;
  enum err e = read_image(g, json_pool_str(root, "image"));
  if (e) return e;
  yyjson_arr_foreach(yyjson_obj_get(message, "images"), i, max,
                     image) if ((e = read_image(g, json_pool_text(image)))) break;
  return e;
}

static enum stop_reason stop_reason(const struct reader *r, struct str native) {
  if (str_eq(native, STR("length"))) return STOP_LENGTH;
  bool is_end = !native.n || str_eq(native, STR("stop")) || str_eq(native, STR("load")) ||
                str_eq(native, STR("unload")) || str_eq(native, STR("tool_calls"));
  return !is_end ? STOP_OTHER : r->calls ? STOP_TOOL_CALLS : STOP_END;
}

static enum err finish(struct reading *g, yyjson_val *root) {
  struct usage usage = {0};
  struct str native = json_pool_str(root, "done_reason");
  ollama_read_usage(root, &usage);
  enum err e = close_open(g);
  if (!e && usage.known) e = put(g, &(struct event){.kind = EVENT_USAGE, .usage = &usage});
  if (!e)
    e = put(g,
            &(struct event){
                .kind = EVENT_STOP, .reason = stop_reason(g->r, native), .native = native, .dialect = STR("ollama")});
  g->r->has_ended = true;
  return e ? e : put(g, &(struct event){.kind = EVENT_END});
}

/* A line, or a reply that is whole. json: its text. */
static enum err read_line(struct reading *g, yyjson_val *root, struct str json, bool is_whole) {
  if (!yyjson_is_obj(root)) return dialect_bad_reply(g->info, "it is no JSON object");
  if (ollama_is_error(root)) return put(g, &(struct event){.kind = EVENT_ERROR, .bytes = json});
  yyjson_val *message = yyjson_obj_get(root, "message");
  bool is_done = yyjson_is_true(yyjson_obj_get(root, "done"));
  if (is_whole && yyjson_is_false(yyjson_obj_get(root, "done"))) return ollama_refuse_unfinished(g->info);
  if (!yyjson_is_obj(message) && !yyjson_obj_get(root, "response") && (is_whole || !is_done))
    return dialect_bad_reply(g->info, "it has neither \"message\" nor \"response\"");
  enum err e = begin(g, root);
  if (!e) e = read_text(g, PART_REASONING, message, "thinking");
  if (!e) e = read_text(g, PART_REASONING, root, "thinking");
  if (!e) e = read_text(g, PART_TEXT, message, "content");
  if (!e) e = read_text(g, PART_TEXT, root, "response");
  if (!e) e = read_logprobs(g, yyjson_obj_get(root, "logprobs"));
  if (!e) e = read_calls(g, yyjson_obj_get(message, "tool_calls"));
  if (!e) e = read_calls(g, yyjson_obj_get(root, "tool_calls"));
  if (!e) e = read_images(g, root, message);
  return e || !(is_done || is_whole) ? e : finish(g, root);
}

enum err ollama_decode_frame(void *state, const struct dialect_exchange *x, struct json_pool *pool,
                             const struct frame *frame, const struct event_sink *sink, struct err_info *info) {
  struct reading g = {state, x, sink, info};
  if (!frame->has_data || g.r->has_ended) return OK;
  yyjson_val *root = json_pool_parse(pool, frame->data);
  return root ? read_line(&g, root, frame->data, false) : dialect_bad_reply(info, "a line of the stream is no JSON");
}

enum err ollama_decode_reply(const struct dialect_exchange *x, struct str body, const struct event_sink *sink,
                             struct err_info *info) {
  struct reader r = {0};
  struct reading g = {&r, x, sink, info};
  struct json_pool pool = {0};
  yyjson_val *root = json_pool_parse(&pool, body);
  enum err e = root ? read_line(&g, root, str_trim(body), true) : dialect_bad_reply(info, "it is no JSON");
  json_pool_clear(&pool);
  return e;
}
