/* Responses of an upstream as events: what a whole reply and a stream's end share, and whole replies. Called through
 * the dialect's table and by stream_decode.c. The tree lives for the call; so do the events' slices. */
#include <yyjson.h>

#include "dialect/openai_responses/internal.h"
#include "dialect/tool_name.h"

enum err openai_responses_emit(struct openai_responses_emitter *em, const struct event *event) {
  return event_put(em->sink, event, em->info);
}

/* The JSON of a value as the event's raw; of an array its elements alone, where they are wanted. */
static enum err emit_json(struct openai_responses_emitter *em, const struct event *event, struct yyjson_val *raw,
                          bool is_elements) {
  struct buf json;
  struct event with = *event;
  buf_init(&json, 0);
  json_split_put(&json, raw);
  with.raw = is_elements && json.n > 2 ? str_sub(buf_str(&json), 1, json.n - 1) : buf_str(&json);
  enum err e = json.failed ? ERR_NO_MEMORY : openai_responses_emit(em, &with);
  buf_clear(&json);
  return e;
}

enum err openai_responses_emit_raw(struct openai_responses_emitter *em, const struct event *event,
                                   struct yyjson_val *raw) {
  return emit_json(em, event, raw, false);
}

enum err openai_responses_emit_logprobs(struct openai_responses_emitter *em, uint32_t part,
                                        struct yyjson_val *logprobs) {
  struct event attach = {.kind = EVENT_ATTACH,
                         .part = part,
                         .part_kind = PART_TEXT,
                         .attachment = ATTACH_LOGPROBS,
                         .dialect = OPENAI_RESPONSES};
  return yyjson_arr_size(logprobs) ? emit_json(em, &attach, logprobs, true) : OK;
}

/* ---- parts ---- */

static enum err open_part(struct openai_responses_emitter *em, enum part_kind kind, struct str item_id,
                          uint32_t *part) {
  *part = em->next_part++;
  struct event open = {
      .kind = EVENT_OPEN, .part = *part, .part_kind = kind, .item_id = item_id, .dialect = OPENAI_RESPONSES};
  return openai_responses_emit(em, &open);
}

static enum err delta(struct openai_responses_emitter *em, enum part_kind kind, uint32_t part, struct str bytes) {
  struct event d = {.kind = EVENT_DELTA, .part = part, .part_kind = kind, .bytes = bytes};
  return bytes.n ? openai_responses_emit(em, &d) : OK;
}

static enum err close_part(struct openai_responses_emitter *em, enum part_kind kind, uint32_t part) {
  struct event c = {.kind = EVENT_CLOSE, .part = part, .part_kind = kind};
  return openai_responses_emit(em, &c);
}

static enum err emit_text(struct openai_responses_emitter *em, struct yyjson_val *node, struct str item_id) {
  uint32_t part;
  size_t i, max;
  yyjson_val *citation;
  enum err e = open_part(em, PART_TEXT, item_id, &part);
  if (!e) e = delta(em, PART_TEXT, part, json_pool_str(node, "text"));
  struct event attach = {.kind = EVENT_ATTACH,
                         .part = part,
                         .part_kind = PART_TEXT,
                         .attachment = ATTACH_CITATION,
                         .dialect = OPENAI_RESPONSES};
  yyjson_arr_foreach(yyjson_obj_get(node, "annotations"), i, max, citation) {
    if (!e) e = openai_responses_emit_raw(em, &attach, citation);
  }
  if (!e) e = openai_responses_emit_logprobs(em, part, yyjson_obj_get(node, "logprobs"));
  return e ? e : close_part(em, PART_TEXT, part);
}

static enum err emit_message(struct openai_responses_emitter *em, struct yyjson_val *item) {
  struct str item_id = json_pool_str(item, "id");
  size_t i, max;
  yyjson_val *node;
  enum err e = OK;
  yyjson_arr_foreach(yyjson_obj_get(item, "content"), i, max, node) {
    struct str type = json_pool_str(node, "type");
    uint32_t part;
    if (e) break;
    if (str_eq(type, STR("output_text"))) {
      e = emit_text(em, node, item_id);
    } else if (str_eq(type, STR("refusal"))) {
      em->saw_refusal = true;
      e = open_part(em, PART_REFUSAL, item_id, &part);
      if (!e) e = delta(em, PART_REFUSAL, part, json_pool_str(node, "refusal"));
      if (!e) e = close_part(em, PART_REFUSAL, part);
    }
  }
  return e;
}

/* The last part of an item of thinking carries its signature; where no word of it is readable, a part of its own. */
static enum err emit_reasoning(struct openai_responses_emitter *em, struct yyjson_val *item) {
  static const struct {
    const char *list;
    enum part_kind kind;
  } lists[] = {{"summary", PART_REASONING_SUMMARY}, {"content", PART_REASONING}};
  struct str item_id = json_pool_str(item, "id"), signature = json_pool_str(item, "encrypted_content");
  enum part_kind kind = PART_REDACTED;
  uint32_t part = 0;
  bool is_open = false;
  enum err e = OK;
  for (size_t k = 0; k < sizeof lists / sizeof *lists; k++) {
    size_t i, max;
    yyjson_val *node;
    yyjson_arr_foreach(yyjson_obj_get(item, lists[k].list), i, max, node) {
      if (e) return e;
      if (is_open && (e = close_part(em, kind, part))) return e;
      kind = lists[k].kind;
      e = open_part(em, kind, item_id, &part);
      if (!e) e = delta(em, kind, part, json_pool_str(node, "text"));
      is_open = true;
    }
  }
  if (!e && !is_open && signature.n) {
    e = open_part(em, kind, item_id, &part);
    is_open = true;
  }
  struct event attach = {.kind = EVENT_ATTACH,
                         .part = part,
                         .part_kind = kind,
                         .attachment = ATTACH_SIGNATURE,
                         .bytes = signature,
                         .dialect = OPENAI_RESPONSES};
  if (!e && is_open && signature.n) e = openai_responses_emit(em, &attach);
  return e || !is_open ? e : close_part(em, kind, part);
}

enum err openai_responses_emit_call(struct openai_responses_emitter *em, struct yyjson_val *item, uint32_t *part) {
  struct event open = {.kind = EVENT_OPEN,
                       .part = em->next_part,
                       .part_kind = PART_TOOL_CALL,
                       .id = json_pool_str(item, "call_id"),
                       .item_id = json_pool_str(item, "id"),
                       .name = json_pool_str(item, "name"),
                       .namespace = json_pool_str(item, "namespace"),
                       .dialect = OPENAI_RESPONSES};
  if (!open.name.n) return dialect_bad_reply(em->info, "a tool call has no name");
  if (!dialect_is_call_id(open.id)) open.id = dialect_make_id(em->x, "call_", em->made_ids++);
  const struct request *r = em->x->request;
  if (open.namespace.n && r && r->dialect.n &&
      !str_eq(r->dialect, OPENAI_RESPONSES)) { /* a caller that has no place for it */
    open.name = tool_name_wire(em->x->arena, open.namespace, open.name);
    open.namespace = STR_NONE;
  }
  if (!open.id.p || !open.name.p) return ERR_NO_MEMORY;
  if (str_eq(json_pool_str(item, "type"), STR("custom_tool_call"))) open.tool_kind = TOOL_CUSTOM;
  *part = em->next_part++;
  em->saw_call = true;
  return openai_responses_emit(em, &open);
}

enum err openai_responses_emit_item(struct openai_responses_emitter *em, struct yyjson_val *item) {
  struct str type = json_pool_str(item, "type");
  uint32_t part;
  if (str_eq(type, STR("message"))) return emit_message(em, item);
  if (str_eq(type, STR("reasoning"))) return emit_reasoning(em, item);
  bool is_custom = str_eq(type, STR("custom_tool_call"));
  if (is_custom || str_eq(type, STR("function_call"))) {
    enum err e = openai_responses_emit_call(em, item, &part);
    if (!e) e = delta(em, PART_TOOL_CALL, part, json_pool_str(item, is_custom ? "input" : "arguments"));
    return e ? e : close_part(em, PART_TOOL_CALL, part);
  }
  if (!type.n) return dialect_bad_reply(em->info, "an output item has no type");
  struct event open = {.kind = EVENT_OPEN,
                       .part = em->next_part++,
                       .part_kind = openai_responses_is_server_tool(type) ? PART_SERVER_TOOL : PART_OPAQUE,
                       .item_id = json_pool_str(item, "id"),
                       .name = type,
                       .dialect = OPENAI_RESPONSES};
  enum err e = openai_responses_emit_raw(em, &open, item);
  return e ? e : close_part(em, open.part_kind, open.part);
}

/* ---- the response around them ---- */

bool openai_responses_is_error(struct yyjson_val *response) {
  struct yyjson_val *error = yyjson_obj_get(response, "error");
  bool has_error = (yyjson_is_obj(error) && yyjson_obj_size(error)) || (yyjson_is_str(error) && yyjson_get_len(error));
  struct str status = json_pool_str(response, "status");
  return has_error || str_eq(status, STR("failed")) || str_eq(status, STR("cancelled"));
}

static void set(struct usage *u, enum usage_class class, struct yyjson_val *v) {
  int64_t n = json_pool_count(v);
  if (n >= 0) usage_set(u, class, n);
}

bool openai_responses_read_usage(struct yyjson_val *usage, struct usage *out) {
  struct yyjson_val *input = yyjson_obj_get(usage, "input_tokens_details");
  struct yyjson_val *output = yyjson_obj_get(usage, "output_tokens_details");
  set(out, USAGE_INPUT, yyjson_obj_get(usage, "input_tokens"));
  set(out, USAGE_OUTPUT, yyjson_obj_get(usage, "output_tokens"));
  set(out, USAGE_CACHE_READ, yyjson_obj_get(input, "cached_tokens"));
  set(out, USAGE_CACHE_WRITE, yyjson_obj_get(input, "cache_write_tokens"));
  set(out, USAGE_REASONING, yyjson_obj_get(output, "reasoning_tokens"));
  return out->known != 0;
}

enum err openai_responses_emit_start(struct openai_responses_emitter *em, struct yyjson_val *response) {
  int64_t created = json_pool_count(yyjson_obj_get(response, "created_at"));
  struct event start = {.kind = EVENT_START,
                        .id = json_pool_str(response, "id"),
                        .name = json_pool_str(response, "model"),
                        .created_s = created < 0 ? 0 : created};
  return openai_responses_emit(em, &start);
}

static struct event stop_of(const struct openai_responses_emitter *em, struct yyjson_val *response) {
  struct event stop = {.kind = EVENT_STOP, .dialect = OPENAI_RESPONSES, .native = json_pool_str(response, "status")};
  struct str reason = json_pool_str(yyjson_obj_get(response, "incomplete_details"), "reason");
  if (str_eq(stop.native, STR("incomplete"))) {
    stop.reason = str_eq(reason, STR("max_output_tokens")) ? STOP_LENGTH
                  : str_eq(reason, STR("content_filter"))  ? STOP_FILTER
                                                           : STOP_OTHER;
    if (reason.n) stop.native = reason;
  } else {
    stop.reason = em->saw_call ? STOP_TOOL_CALLS : em->saw_refusal ? STOP_REFUSAL : STOP_END;
  }
  return stop;
}

enum err openai_responses_emit_end(struct openai_responses_emitter *em, struct yyjson_val *response) {
  struct usage usage = {0};
  struct event counted = {.kind = EVENT_USAGE, .usage = &usage}, stop = stop_of(em, response),
               end = {.kind = EVENT_END};
  enum err e = OK;
  if (openai_responses_read_usage(yyjson_obj_get(response, "usage"), &usage)) e = openai_responses_emit(em, &counted);
  if (!e) e = openai_responses_emit(em, &stop);
  return e ? e : openai_responses_emit(em, &end);
}

static enum err decode_response(struct openai_responses_emitter *em, struct yyjson_val *root, struct str body) {
  if (openai_responses_is_error(root)) {
    struct event error = {.kind = EVENT_ERROR, .bytes = body};
    return openai_responses_emit(em, &error);
  }
  struct yyjson_val *output = yyjson_obj_get(root, "output"), *item;
  if (!yyjson_is_arr(output)) return dialect_bad_reply(em->info, "a response has no \"output\"");
  struct str status = json_pool_text(yyjson_obj_get(root, "status"));
  if (str_eq(status, STR("in_progress")) || str_eq(status, STR("queued")))
    return dialect_bad_reply(em->info, "the response is not finished");
  size_t i, max;
  enum err e = openai_responses_emit_start(em, root);
  yyjson_arr_foreach(output, i, max, item) {
    if (!e) e = openai_responses_emit_item(em, item);
  }
  return e ? e : openai_responses_emit_end(em, root);
}

enum err openai_responses_decode_reply(const struct dialect_exchange *x, struct str body, const struct event_sink *sink,
                                       struct err_info *info) {
  struct openai_responses_emitter em = {.x = x, .sink = sink, .info = info};
  struct json_pool pool = {0};
  yyjson_val *root = json_pool_parse(&pool, body);
  enum err e =
      yyjson_is_obj(root) ? decode_response(&em, root, body) : dialect_bad_reply(info, "it is not a JSON object");
  json_pool_clear(&pool);
  return e;
}
