/* Anthropic Messages, replies that pass as they are: where the model's name stands, and what a reply or a stream event
 * means. Also what replies of both ways share: usage and stop reasons. */
#include <yyjson.h>

#include "base/envelope_once.h"
#include "base/json_out.h"
#include "dialect/anthropic/anthropic_internal.h"
#include "dialect/relay_json.h"

/* ---- usage: the vendor counts the prompt's new tokens, those read from a cache and those written to it apart ---- */

static bool set_count(struct usage *u, enum usage_class class, struct yyjson_val *v) {
  int64_t tokens = json_pool_count(v);
  return tokens >= 0 && usage_set(u, class, tokens);
}

bool anthropic_read_usage(struct yyjson_val *usage, bool is_start, struct usage *u) {
  if (!yyjson_is_obj(usage)) return false;
  struct usage now = {0};
  set_count(&now, USAGE_CACHE_READ, yyjson_obj_get(usage, "cache_read_input_tokens"));
  set_count(&now, USAGE_CACHE_WRITE, yyjson_obj_get(usage, "cache_creation_input_tokens"));
  set_count(&now, USAGE_REASONING, yyjson_obj_get(yyjson_obj_get(usage, "output_tokens_details"), "thinking_tokens"));
  /* What message_start says of the output is a first guess, which the last message_delta replaces. */
  if (!is_start) set_count(&now, USAGE_OUTPUT, yyjson_obj_get(usage, "output_tokens"));
  int64_t cached = usage_get(u, USAGE_CACHE_READ) + usage_get(u, USAGE_CACHE_WRITE);
  int64_t fresh = usage_has(u, USAGE_INPUT) ? usage_get(u, USAGE_INPUT) - cached : -1;
  int64_t said = json_pool_count(yyjson_obj_get(usage, "input_tokens"));
  if (said >= 0 && said <= INT32_MAX) fresh = said;
  if (!now.known && said < 0) return false;
  answer_merge_usage(u, &now);
  if (fresh >= 0) usage_set(u, USAGE_INPUT, fresh + usage_get(u, USAGE_CACHE_READ) + usage_get(u, USAGE_CACHE_WRITE));
  return true;
}

void anthropic_put_usage(struct buf *out, const struct usage *u) {
  int64_t fresh = usage_get(u, USAGE_INPUT) - usage_get(u, USAGE_CACHE_READ) - usage_get(u, USAGE_CACHE_WRITE);
  json_out_member_i64(out, "input_tokens", fresh > 0 ? fresh : 0);
  if (usage_has(u, USAGE_CACHE_WRITE))
    json_out_member_i64(out, "cache_creation_input_tokens", usage_get(u, USAGE_CACHE_WRITE));
  if (usage_has(u, USAGE_CACHE_READ))
    json_out_member_i64(out, "cache_read_input_tokens", usage_get(u, USAGE_CACHE_READ));
  json_out_member_i64(out, "output_tokens", usage_get(u, USAGE_OUTPUT));
  if (!usage_has(u, USAGE_REASONING)) return;
  json_out_key(out, "output_tokens_details");
  json_out_begin(out, '{');
  json_out_member_i64(out, "thinking_tokens", usage_get(u, USAGE_REASONING));
  json_out_end(out, '}');
}

/* ---- stop reasons ---- */

static const struct {
  struct str word;
  enum stop_reason reason;
} stops[] = {
    {STR("end_turn"), STOP_END},
    {STR("max_tokens"), STOP_LENGTH},
    {STR("tool_use"), STOP_TOOL_CALLS},
    {STR("stop_sequence"), STOP_SEQUENCE},
    {STR("refusal"), STOP_REFUSAL},
    {STR("pause_turn"), STOP_PAUSE},
    {STR("model_context_window_exceeded"), STOP_CONTEXT},
};

enum stop_reason anthropic_stop_reason(struct str word) {
  for (size_t i = 0; i < sizeof stops / sizeof *stops; i++)
    if (str_eq(stops[i].word, word)) return stops[i].reason;
  return STOP_OTHER;
}

struct str anthropic_stop_word(enum stop_reason reason, struct str native, struct str dialect, bool has_calls) {
  if (reason == STOP_OTHER && native.n && str_eq(dialect, ANTHROPIC_NAME)) return native;
  if (reason == STOP_FILTER) reason = STOP_REFUSAL;
  if (reason == STOP_END && has_calls) reason = STOP_TOOL_CALLS; /* servers that call every end a "stop" */
  for (size_t i = 0; i < sizeof stops / sizeof *stops; i++)
    if (stops[i].reason == reason) return stops[i].word;
  return has_calls ? STR("tool_use") : STR("end_turn");
}

/* ---- the look ---- */

enum reply_row { MODEL, MESSAGE, MESSAGE_MODEL, MAESTRO, ROWS };

static const struct str reply_paths[ROWS] = {
    [MODEL] = STR("model"),
    [MESSAGE] = STR("message"),
    [MESSAGE_MODEL] = STR("message.model"),
    [MAESTRO] = STR("maestro"),
};

static struct envelope_once table = {.paths = reply_paths, .n = ROWS};

static const struct envelope_table *reply_table(void) { return envelope_once_table(&table); }

/* Does the block, or the delta, hold anything? A call's name is a part of it. */
static bool is_content(struct yyjson_val *block) {
  struct str type = json_pool_str(block, "type");
  if (str_eq(type, STR("text")) || str_eq(type, STR("text_delta"))) return json_pool_str(block, "text").n > 0;
  if (str_eq(type, STR("thinking")) || str_eq(type, STR("thinking_delta")))
    return json_pool_str(block, "thinking").n > 0;
  if (str_eq(type, STR("input_json_delta"))) return json_pool_str(block, "partial_json").n > 0;
  return type.n > 0 && !str_eq(type, STR("signature_delta"));
}

static void add_usage(struct dialect_stream *state, struct yyjson_val *usage, bool is_start, struct events *events) {
  if (!anthropic_read_usage(usage, is_start, &state->usage)) return;
  events_add(events, EVENT_USAGE);
  events->usage = state->usage;
}

bool anthropic_is_error(struct yyjson_val *root) {
  struct str type = json_pool_str(root, "type");
  yyjson_val *error = yyjson_obj_get(root, "error");
  return str_eq(type, STR("error")) || (!type.n && (yyjson_is_obj(error) || yyjson_is_str(error)));
}

static enum err look_whole(struct dialect_stream *state, struct yyjson_val *root, struct events *events,
                           struct err_info *info) {
  yyjson_val *content = yyjson_obj_get(root, "content");
  bool is_count = !content && json_pool_count(yyjson_obj_get(root, "input_tokens")) >= 0;
  if (!is_count && !yyjson_is_arr(content)) return dialect_bad_reply(info, "it has no \"content\"");
  events_add(events, EVENT_START);
  events_add(events, EVENT_STOP);
  add_usage(state, is_count ? root : yyjson_obj_get(root, "usage"), false, events);
  yyjson_arr_iter it = yyjson_arr_iter_with(content);
  for (yyjson_val *block; (block = yyjson_arr_iter_next(&it));)
    if (is_content(block)) events_add(events, EVENT_DELTA);
  return OK;
}

static void look_at_delta(struct yyjson_val *delta, struct events *events) {
  struct str type = json_pool_str(delta, "type");
  if (is_content(delta)) events_add(events, EVENT_DELTA);
  if (str_eq(type, STR("text_delta"))) {
    events->text = json_pool_str(delta, "text");
    events->text_kind = PART_TEXT;
  } else if (str_eq(type, STR("thinking_delta"))) {
    events->text = json_pool_str(delta, "thinking");
    events->text_kind = PART_REASONING;
  }
}

static enum err look(struct dialect_stream *state, struct yyjson_val *root, struct str event, bool is_whole,
                     struct events *events, struct err_info *info) {
  struct str type = json_pool_str(root, "type");
  if (!type.n && !is_whole) type = event;
  if (str_eq(type, STR("error")) || anthropic_is_error(root)) {
    events_add(events, EVENT_ERROR);
    return OK;
  }
  if (is_whole) return look_whole(state, root, events, info);
  if (str_eq(type, STR("content_block_delta"))) {
    look_at_delta(yyjson_obj_get(root, "delta"), events);
  } else if (str_eq(type, STR("content_block_start"))) {
    if (is_content(yyjson_obj_get(root, "content_block"))) events_add(events, EVENT_DELTA);
  } else if (str_eq(type, STR("message_start"))) {
    events_add(events, EVENT_START);
    add_usage(state, yyjson_obj_get(yyjson_obj_get(root, "message"), "usage"), true, events);
  } else if (str_eq(type, STR("message_delta"))) {
    if (json_pool_str(yyjson_obj_get(root, "delta"), "stop_reason").n) events_add(events, EVENT_STOP);
    add_usage(state, yyjson_obj_get(root, "usage"), false, events);
  } else if (str_eq(type, STR("message_stop"))) {
    events_add(events, EVENT_END);
  } else if (str_eq(type, STR("ping"))) {
    events_add(events, EVENT_PING);
  } else if (!type.n) {
    return dialect_bad_reply(info, "a stream event has no type");
  }
  return OK;
}

static const struct relay_json_rules rules = {
    .table = reply_table,
    .model_row = {MODEL, MESSAGE_MODEL},
    .model_rows = 2,
    .receipt_row = -1,
    .maestro_row = MAESTRO,
    .look = look,
};

enum err anthropic_relay_reply(struct str body, const struct dialect_reply_edits *edits, struct events *events,
                               struct buf *out, struct err_info *info) {
  return relay_json_reply(&rules, body, edits, events, out, info);
}

enum err anthropic_relay_frame(struct dialect_stream *state, const struct frame *frame,
                               const struct dialect_reply_edits *edits, struct events *events, struct buf *out,
                               struct err_info *info) {
  return relay_json_frame(&rules, state, frame, edits, events, out, info);
}

void anthropic_put_receipt(struct buf *out, size_t from, struct str receipt) {
  relay_json_put_receipt(&rules, FRAMING_SSE, out, from, receipt);
}
