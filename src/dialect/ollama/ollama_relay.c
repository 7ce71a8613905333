/* Ollama replies and stream lines on their way through a relay, errors, and the list of models (/api/tags). A line of
 * chat has `message`, one of generate has `response`; the line with "done": true is the last. */
#include <yyjson.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/envelope_once.h"
#include "base/json_out.h"
#include "dialect/ollama/ollama_internal.h"
#include "dialect/relay_json.h"

enum { MODEL, MAESTRO, ROWS };
static const struct str paths[ROWS] = {[MODEL] = STR("model"), [MAESTRO] = STR("maestro")};
static struct envelope_once table = {.paths = paths, .n = ROWS};

static const struct envelope_table *reply_table(void) { return envelope_once_table(&table); }

void ollama_read_usage(yyjson_val *root, struct usage *usage) {
  usage_set(usage, USAGE_INPUT, json_pool_count(yyjson_obj_get(root, "prompt_eval_count")));
  usage_set(usage, USAGE_OUTPUT, json_pool_count(yyjson_obj_get(root, "eval_count")));
}

static bool has_content(yyjson_val *root) {
  yyjson_val *message = yyjson_obj_get(root, "message");
  return json_pool_str(root, "response").n || json_pool_str(root, "thinking").n ||
         json_pool_str(message, "content").n || json_pool_str(message, "thinking").n ||
         yyjson_arr_size(yyjson_obj_get(message, "tool_calls")) || yyjson_arr_size(yyjson_obj_get(message, "images"));
}

bool ollama_is_error(yyjson_val *root) {
  yyjson_val *error = yyjson_obj_get(root, "error");
  return error && !yyjson_is_null(error);
}

enum err ollama_refuse_unfinished(struct err_info *info) {
  return dialect_bad_reply(info, "it is the first line of an answer, with \"done\": false");
}

static void add_usage(yyjson_val *root, struct events *events) {
  ollama_read_usage(root, &events->usage);
  if (events->usage.known) events_add(events, EVENT_USAGE);
}

/* The text of a line of chat, where its message is nothing but text. */
static void look_for_text(yyjson_val *root, struct events *events) {
  yyjson_val *message = yyjson_obj_get(root, "message");
  if (yyjson_obj_size(message) == 2 && json_pool_str(message, "role").n &&
      !yyjson_is_true(yyjson_obj_get(root, "done")))
    events->text = json_pool_str(message, "content");
}

static enum err look(struct dialect_stream *state, yyjson_val *root, struct str event, bool is_whole,
                     struct events *events, struct err_info *info) {
  (void)event;
  if (ollama_is_error(root)) {
    events_add(events, EVENT_ERROR);
    return OK;
  }
  if (!yyjson_is_obj(yyjson_obj_get(root, "message")) && !yyjson_is_str(yyjson_obj_get(root, "response")) &&
      !yyjson_is_true(yyjson_obj_get(root, "done")))
    return dialect_bad_reply(info, "it has neither \"message\" nor \"response\"");
  if (is_whole && yyjson_is_false(yyjson_obj_get(root, "done"))) return ollama_refuse_unfinished(info);
  if (is_whole) events_add(events, EVENT_START);
  if (has_content(root) && !state->saw_content) events_add(events, EVENT_DELTA);
  if (!is_whole) look_for_text(root, events);
  if (is_whole || yyjson_is_true(yyjson_obj_get(root, "done"))) {
    events_add(events, EVENT_STOP);
    if (!is_whole) events_add(events, EVENT_END);
    add_usage(root, events);
  }
  return OK;
}

static enum err look_embeddings(struct dialect_stream *state, yyjson_val *root, struct str event, bool is_whole,
                                struct events *events, struct err_info *info) {
  (void)state, (void)event, (void)is_whole;
  if (ollama_is_error(root)) {
    events_add(events, EVENT_ERROR);
    return OK;
  }
  if (!yyjson_is_arr(yyjson_obj_get(root, "embeddings")) && !yyjson_is_arr(yyjson_obj_get(root, "embedding")))
    return dialect_bad_reply(info, "it has no \"embeddings\"");
  events_add(events, EVENT_START);
  events_add(events, EVENT_DELTA);
  events_add(events, EVENT_STOP);
  add_usage(root, events);
  return OK;
}

static const struct relay_json_rules rules = {.table = reply_table,
                                              .model_row = {MODEL},
                                              .model_rows = 1,
                                              .receipt_row = -1,
                                              .maestro_row = MAESTRO,
                                              .look = look};
static const struct relay_json_rules embedding_rules = {.table = reply_table,
                                                        .model_row = {MODEL},
                                                        .model_rows = 1,
                                                        .receipt_row = -1,
                                                        .maestro_row = MAESTRO,
                                                        .look = look_embeddings};

enum err ollama_relay_reply(struct str body, const struct dialect_reply_edits *edits, struct events *events,
                            struct buf *out, struct err_info *info) {
  return relay_json_reply(&rules, body, edits, events, out, info);
}

enum err ollama_relay_embeddings(struct str body, const struct dialect_reply_edits *edits, struct events *events,
                                 struct buf *out, struct err_info *info) {
  return relay_json_reply(&embedding_rules, body, edits, events, out, info);
}

enum err ollama_relay_frame(struct dialect_stream *state, const struct frame *frame,
                            const struct dialect_reply_edits *edits, struct events *events, struct buf *out,
                            struct err_info *info) {
  return relay_json_frame(&rules, state, frame, edits, events, out, info);
}

void ollama_put_receipt(struct buf *out, size_t from, struct str receipt) {
  relay_json_put_receipt(&rules, FRAMING_NDJSON, out, from, receipt);
}

/* ---- errors and lists ---- */

void ollama_put_error(struct buf *out, enum err e, const struct err_info *info) {
  struct buf text;
  buf_init(&text, 0);
  dialect_put_error_text(&text, e, info);
  buf_put(out, STR("{\"error\":"));
  buf_put_json(out, buf_str(&text));
  buf_put_char(out, '}');
  buf_clear(&text);
}

void ollama_put_stream_error(struct buf *out, enum err e, const struct err_info *info) {
  ollama_put_error(out, e, info);
  buf_put_char(out, '\n');
}

/* Clients cut the digest to its first twelve digits, and the day to a date, so both have to be there: the digest is
 * that of the name, the day is that of the epoch. */
void ollama_put_model(struct buf *out, const struct dialect_model *m) {
  static const char digits[] = "0123456789abcdef";
  struct crypto_hash hash;
  char day[25], hex[2 * sizeof hash.bytes];
  clock_format_rfc3339(0, day);
  if (crypto_sha256(m->id, &hash)) memset(&hash, 0, sizeof hash);
  for (size_t i = 0; i < sizeof hash.bytes; i++) {
    hex[2 * i] = digits[hash.bytes[i] >> 4];
    hex[2 * i + 1] = digits[hash.bytes[i] & 15];
  }
  json_out_begin(out, '{');
  json_out_member_string(out, "name", m->id);
  json_out_member_string(out, "model", m->id);
  json_out_member_string(out, "modified_at", str_from_c(day));
  json_out_member_i64(out, "size", 0);
  json_out_member_string(out, "digest", str_from(hex, sizeof hex));
  json_out_key(out, "details");
  json_out_begin(out, '{');
  json_out_member_string(out, "parent_model", STR(""));
  json_out_member_string(out, "format", STR(""));
  json_out_member_string(out, "family", m->owned_by);
  json_out_key(out, "families");
  json_out_begin(out, '[');
  if (m->owned_by.n) json_out_string(out, m->owned_by);
  json_out_end(out, ']');
  json_out_member_string(out, "parameter_size", STR(""));
  json_out_member_string(out, "quantization_level", STR(""));
  json_out_end(out, '}');
  if (m->extra.n) json_out_raw(out, m->extra);
  json_out_end(out, '}');
}

void ollama_put_model_list(struct buf *out, const struct dialect_model *models, size_t count) {
  json_out_begin(out, '{');
  json_out_key(out, "models");
  json_out_begin(out, '[');
  for (size_t i = 0; i < count; i++) ollama_put_model(out, &models[i]);
  json_out_end(out, ']');
  json_out_end(out, '}');
}
