/* Responses relayed: the rules for relay_json.c. The model's name stands at the top of a whole reply and in the
 * `response` of the events that carry one; so does the receipt. Frames pass byte for byte otherwise. */
#include <yyjson.h>

#include "base/envelope_once.h"
#include "dialect/openai_responses/internal.h"
#include "dialect/relay_json.h"

enum reply_row { MODEL, MAESTRO, RESPONSE, RESPONSE_MODEL, RESPONSE_MAESTRO, ROWS };

static const struct str reply_paths[ROWS] = {
    [MODEL] = STR("model"),
    [MAESTRO] = STR("maestro"),
    [RESPONSE] = STR("response"),
    [RESPONSE_MODEL] = STR("response.model"),
    [RESPONSE_MAESTRO] = STR("response.maestro"),
};

static struct envelope_once table = {.paths = reply_paths, .n = ROWS};

static const struct envelope_table *reply_table(void) { return envelope_once_table(&table); }

static bool has_output(struct yyjson_val *response) { return yyjson_arr_size(yyjson_obj_get(response, "output")) > 0; }

static void add_usage(struct yyjson_val *response, struct events *events) {
  if (openai_responses_read_usage(yyjson_obj_get(response, "usage"), &events->usage)) events_add(events, EVENT_USAGE);
}

static enum err look_whole(struct yyjson_val *root, struct events *events, struct err_info *info) {
  if (openai_responses_is_error(root)) {
    events_add(events, EVENT_ERROR);
    return OK;
  }
  if (!yyjson_is_arr(yyjson_obj_get(root, "output"))) return dialect_bad_reply(info, "a response has no \"output\"");
  events_add(events, EVENT_START);
  events_add(events, EVENT_STOP);
  if (has_output(root)) events_add(events, EVENT_DELTA);
  add_usage(root, events);
  return OK;
}

/* A message or thinking begins empty; a call is something already. */
static bool is_content_item(struct yyjson_val *item, bool is_done) {
  struct str type = json_pool_str(item, "type");
  if (is_done) return type.n > 0;
  return type.n > 0 && !str_eq(type, STR("message")) && !str_eq(type, STR("reasoning"));
}

/* What an error behind this event will have to say. */
static void note_place(struct dialect_stream *state, struct yyjson_val *root, struct str id) {
  int64_t sequence = json_pool_count(yyjson_obj_get(root, "sequence_number"));
  if (sequence >= 0 && sequence < INT32_MAX) state->sequence = (uint64_t)sequence + 1;
  if (id.n && id.n < sizeof state->response_id) {
    memcpy(state->response_id, id.p, id.n);
    state->response_id[id.n] = 0;
  }
}

static enum err look(struct dialect_stream *state, struct yyjson_val *root, struct str event, bool is_whole,
                     struct events *events, struct err_info *info) {
  if (is_whole) return look_whole(root, events, info);
  struct str type = json_pool_str(root, "type");
  if (!type.n) type = event;
  struct yyjson_val *response = yyjson_obj_get(root, "response");
  if (str_eq(type, STR("error")) || str_eq(type, STR("response.failed")) || openai_responses_is_error(root)) {
    events_add(events, EVENT_ERROR);
    return OK;
  }
  note_place(state, root, json_pool_str(response, "id"));
  if (str_eq(type, STR("response.created"))) {
    events_add(events, EVENT_START);
  } else if (str_eq(type, STR("response.completed")) || str_eq(type, STR("response.incomplete"))) {
    if (has_output(response)) events_add(events, EVENT_DELTA);
    events_add(events, EVENT_STOP);
    events_add(events, EVENT_END);
    add_usage(response, events);
  } else if (str_has_suffix(type, STR(".delta"))) {
    if (json_pool_str(root, "delta").n) events_add(events, EVENT_DELTA);
    if (str_eq(type, STR("response.output_text.delta"))) events->text = json_pool_str(root, "delta");
  } else if (str_eq(type, STR("response.output_item.added")) || str_eq(type, STR("response.output_item.done"))) {
    if (is_content_item(yyjson_obj_get(root, "item"), str_has_suffix(type, STR(".done"))))
      events_add(events, EVENT_DELTA);
  } else if (!type.n) {
    return dialect_bad_reply(info, "a stream event has no \"type\"");
  }
  return OK;
}

static const struct relay_json_rules whole_rules = {
    .table = reply_table,
    .model_row = {MODEL},
    .model_rows = 1,
    .receipt_row = -1,
    .maestro_row = MAESTRO,
    .look = look,
};
static const struct relay_json_rules frame_rules = {
    .table = reply_table,
    .model_row = {RESPONSE_MODEL},
    .model_rows = 1,
    .receipt_row = RESPONSE,
    .maestro_row = RESPONSE_MAESTRO,
    .look = look,
};

enum err openai_responses_relay_reply(struct str body, const struct dialect_reply_edits *edits, struct events *events,
                                      struct buf *out, struct err_info *info) {
  return relay_json_reply(&whole_rules, body, edits, events, out, info);
}

enum err openai_responses_relay_frame(struct dialect_stream *state, const struct frame *frame,
                                      const struct dialect_reply_edits *edits, struct events *events, struct buf *out,
                                      struct err_info *info) {
  return relay_json_frame(&frame_rules, state, frame, edits, events, out, info);
}

void openai_responses_put_receipt(struct buf *out, size_t from, struct str receipt) {
  struct str text = str_trim(str_sub(buf_str(out), from, out->n));
  bool is_whole = text.n && text.p[0] == '{';
  relay_json_put_receipt(is_whole ? &whole_rules : &frame_rules, FRAMING_SSE, out, from, receipt);
}
