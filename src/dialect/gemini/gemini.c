/* Gemini's envelope, relay, and its row of the table: see gemini.h. The parts of a translation are in the files beside.
 *
 * A stream has no end mark: the chunk with a finishReason is the last that counts, and after it the connection ends. So
 * a relay tells EVENT_STOP and never EVENT_END. */
#include "dialect/gemini/gemini.h"

#include <yyjson.h>

#include "base/envelope_once.h"
#include "dialect/envelope_read.h"
#include "dialect/gemini/gemini_internal.h"
#include "dialect/relay_json.h"

/* ---- envelope ---- */

enum request_row {
  CONTENTS,
  WRAPPED,
  WRAPPED_SNAKE,
  CONFIG,
  CONFIG_MAX,
  CONFIG_MAX_SNAKE,
  CONFIG_SNAKE,
  SNAKE_MAX,
  SNAKE_MAX_SNAKE,
  CONFIG_COUNT,
  CONFIG_COUNT_SNAKE,
  SNAKE_COUNT,
  SNAKE_COUNT_SNAKE,
  MAESTRO,
  REQUEST_ROWS
};

static const struct str request_paths[REQUEST_ROWS] = {
    [CONTENTS] = STR("contents"),
    [WRAPPED] = STR("generateContentRequest"),
    [WRAPPED_SNAKE] = STR("generate_content_request"),
    [CONFIG] = STR("generationConfig"),
    [CONFIG_MAX] = STR("generationConfig.maxOutputTokens"),
    [CONFIG_MAX_SNAKE] = STR("generationConfig.max_output_tokens"),
    [CONFIG_SNAKE] = STR("generation_config"),
    [SNAKE_MAX] = STR("generation_config.maxOutputTokens"),
    [SNAKE_MAX_SNAKE] = STR("generation_config.max_output_tokens"),
    [CONFIG_COUNT] = STR("generationConfig.candidateCount"),
    [CONFIG_COUNT_SNAKE] = STR("generationConfig.candidate_count"),
    [SNAKE_COUNT] = STR("generation_config.candidateCount"),
    [SNAKE_COUNT_SNAKE] = STR("generation_config.candidate_count"),
    [MAESTRO] = STR("maestro"),
};

static struct envelope_once request_rows = {.paths = request_paths, .n = REQUEST_ROWS};

static const struct envelope_table *request_table(void) { return envelope_once_table(&request_rows); }

/* What is no count is the upstream's to judge. */
static int64_t read_count(const struct envelope_scan *scan, struct str body, const enum request_row rows[4],
                          int64_t otherwise) {
  uint64_t n;
  for (size_t i = 0; i < 4; i++) {
    const struct envelope_value *v = envelope_scan_value(scan, rows[i]);
    if (v && v->type == ENVELOPE_NUMBER && str_to_u64(envelope_raw(body, v), &n) && n <= INT64_MAX) return (int64_t)n;
  }
  return otherwise;
}

static const enum request_row limit_rows[4] = {CONFIG_MAX, CONFIG_MAX_SNAKE, SNAKE_MAX, SNAKE_MAX_SNAKE};
static const enum request_row count_rows[4] = {CONFIG_COUNT, CONFIG_COUNT_SNAKE, SNAKE_COUNT, SNAKE_COUNT_SNAKE};

static enum err read_request(struct arena *a, struct str body, const struct envelope_scan *scan,
                             struct dialect_request *out, struct err_info *info) {
  (void)a;
  const struct envelope_value *contents = envelope_scan_value(scan, CONTENTS);
  bool is_given = envelope_read_is_said(scan, CONTENTS);
  bool is_wrapped = envelope_read_is_said(scan, WRAPPED) || envelope_read_is_said(scan, WRAPPED_SNAKE);
  if (!is_given && !(is_wrapped && out->operation == LLM_COUNT_TOKENS))
    return err_set_param(info, ERR_MISSING, "contents", "\"contents\" is required");
  if (is_given && contents->type != ENVELOPE_ARRAY && contents->type != ENVELOPE_OBJECT)
    return err_set_param(info, ERR_BAD_TYPE, "contents", "\"contents\" must be an array");
  if (is_given && contents->count == 0)
    return err_set_param(info, ERR_BAD_VALUE, "contents", "\"contents\" must have at least one content");
  out->max_tokens = read_count(scan, body, limit_rows, -1);
  out->choices = read_count(scan, body, count_rows, 0);
  out->wants_usage = true;
  return envelope_read_options(body, scan, MAESTRO, out, info);
}

/* In every spelling that is there; else in the object that is there. */
static enum err edit_limit(struct arena *a, int64_t max_tokens, struct envelope_edit *edit) {
  enum err e = OK;
  bool is_said = false;
  for (size_t i = 0; !e && i < 4; i++) {
    if (!envelope_scan_value(edit->scan, limit_rows[i])) continue;
    e = envelope_read_edit_limit(a, max_tokens, limit_rows[i], edit);
    is_said = true;
  }
  if (e || is_said) return e;
  bool is_snake = envelope_read_is_said(edit->scan, CONFIG_SNAKE) && !envelope_read_is_said(edit->scan, CONFIG);
  return envelope_read_edit_limit(a, max_tokens, is_snake ? SNAKE_MAX : CONFIG_MAX, edit);
}

/* The model is in the path. */
static enum err edit_request(struct arena *a, const struct dialect_request_edits *want, struct envelope_edit *edit,
                             struct err_info *info) {
  (void)info;
  enum err e = want->max_tokens ? edit_limit(a, want->max_tokens, edit) : OK;
  return e ? e : envelope_read_edit(a, STR_NONE, 0, MAESTRO, edit);
}

/* ---- relay ---- */

enum reply_row { MODEL_VERSION, REPLY_MAESTRO, REPLY_ROWS };

static const struct str reply_paths[REPLY_ROWS] = {
    [MODEL_VERSION] = STR("modelVersion"), [REPLY_MAESTRO] = STR("maestro")};

static struct envelope_once reply_rows = {.paths = reply_paths, .n = REPLY_ROWS};

static const struct envelope_table *reply_table(void) { return envelope_once_table(&reply_rows); }

static bool is_content(yyjson_val *part) {
  yyjson_val *key;
  yyjson_obj_iter it = yyjson_obj_iter_with(part);
  while ((key = yyjson_obj_iter_next(&it))) {
    struct str name = json_pool_text(key);
    yyjson_val *v = yyjson_obj_iter_get_val(key);
    if (str_eq(name, STR("text")) ? json_pool_text(v).n > 0 : yyjson_is_obj(v)) return true;
  }
  return false;
}

static void look_at_candidate(struct dialect_stream *state, yyjson_val *candidate, struct events *events) {
  yyjson_val *part;
  yyjson_arr_iter it = yyjson_arr_iter_with(yyjson_obj_get(yyjson_obj_get(candidate, "content"), "parts"));
  while (!events_has(events, EVENT_DELTA) && (part = yyjson_arr_iter_next(&it)))
    if (is_content(part)) events_add(events, EVENT_DELTA);
  bool has_stopped = json_pool_str(candidate, "finishReason").n > 0;
  if (has_stopped) events_add(events, EVENT_STOP);
  dialect_stream_note(state, json_pool_count(yyjson_obj_get(candidate, "index")), has_stopped);
}

/* The text of the one candidate's one part, where there is nothing else in either. */
static void look_for_text(yyjson_val *candidates, struct events *events) {
  yyjson_val *candidate = yyjson_arr_get_first(candidates), *index = yyjson_obj_get(candidate, "index");
  yyjson_val *parts = yyjson_obj_get(yyjson_obj_get(candidate, "content"), "parts"),
             *part = yyjson_arr_get_first(parts);
  size_t members = yyjson_obj_size(candidate) - (index ? 1 : 0);
  if (yyjson_arr_size(candidates) != 1 || yyjson_arr_size(parts) != 1 || yyjson_obj_size(part) != 1 || members != 1 ||
      (index && yyjson_get_int(index) != 0))
    return;
  events->text = json_pool_str(part, "text");
}

static enum err look(struct dialect_stream *state, struct yyjson_val *root, struct str event, bool is_whole,
                     struct events *events, struct err_info *info) {
  (void)event;
  yyjson_val *error = yyjson_obj_get(root, "error"), *candidate;
  yyjson_val *candidates = yyjson_obj_get(root, "candidates");
  if (yyjson_is_obj(error) || yyjson_is_str(error)) {
    events_add(events, EVENT_ERROR);
    return OK;
  }
  if (is_whole && !gemini_reply_is_one(root)) return dialect_bad_reply(info, "it has no candidates");
  yyjson_arr_iter it = yyjson_arr_iter_with(candidates);
  while ((candidate = yyjson_arr_iter_next(&it))) look_at_candidate(state, candidate, events);
  look_for_text(candidates, events);
  if (json_pool_str(yyjson_obj_get(root, "promptFeedback"), "blockReason").n) events_add(events, EVENT_STOP);
  yyjson_val *usage = yyjson_obj_get(root, "usageMetadata");
  gemini_reply_usage(usage ? usage : is_whole && !candidates ? root : NULL, &events->usage);
  if (events->usage.known) events_add(events, EVENT_USAGE);
  events->is_usage_alone = events->usage.known && !yyjson_arr_size(candidates);
  return OK;
}

static const struct relay_json_rules rules = {.table = reply_table,
                                              .model_row = {MODEL_VERSION},
                                              .model_rows = 1,
                                              .receipt_row = -1,
                                              .maestro_row = REPLY_MAESTRO,
                                              .look = look};

static enum err relay_reply(struct str body, const struct dialect_reply_edits *edits, struct events *events,
                            struct buf *out, struct err_info *info) {
  return relay_json_reply(&rules, body, edits, events, out, info);
}

static enum err relay_frame(struct dialect_stream *state, const struct frame *frame,
                            const struct dialect_reply_edits *edits, struct events *events, struct buf *out,
                            struct err_info *info) {
  if (str_eq(str_trim(frame->data), STR("[DONE]"))) { /* a habit of gateways, which no Gemini client knows */
    *events = (struct events){0};
    if (state->saw_stop) events_add(events, EVENT_END);
    dialect_stream_withhold(state, frame);
    return OK;
  }
  return relay_json_frame(&rules, state, frame, edits, events, out, info);
}

static void put_receipt(struct buf *out, size_t from, struct str receipt) {
  relay_json_put_receipt(&rules, FRAMING_SSE, out, from, receipt);
}

#define CAPS                                                                                                           \
  (CAP_BIT(IMAGE_DATA) | CAP_BIT(IMAGE_URL) | CAP_BIT(DOCUMENT_DATA) | CAP_BIT(DOCUMENT_TEXT) |                        \
   CAP_BIT(DOCUMENT_URL) | CAP_BIT(AUDIO_DATA) | CAP_BIT(VIDEO_DATA) | CAP_BIT(TOOLS) | CAP_BIT(TOOL_CHOICE_NONE) |    \
   CAP_BIT(TOOL_CHOICE_REQUIRED) | CAP_BIT(TOOL_CHOICE_NAMED) | CAP_BIT(RESULT_RICH) | CAP_BIT(RESULT_ERROR) |         \
   CAP_BIT(REASONING_EFFORT) | CAP_BIT(REASONING_BUDGET) | CAP_BIT(REASONING_OFF) | CAP_BIT(FORMAT_JSON_OBJECT) |      \
   CAP_BIT(FORMAT_JSON_SCHEMA) | CAP_BIT(TEMPERATURE) | CAP_BIT(TOP_P) | CAP_BIT(TOP_K) | CAP_BIT(FREQUENCY_PENALTY) | \
   CAP_BIT(PRESENCE_PENALTY) | CAP_BIT(SEED) | CAP_BIT(STOP) | CAP_BIT(CHOICES) | CAP_BIT(LOGPROBS))

#define CONFIG "generationConfig."
static const struct request_word words[] = {{"tool_choice", "toolConfig.functionCallingConfig"},
                                            {"response_format", CONFIG "responseMimeType"},
                                            {"reasoning_effort", CONFIG "thinkingConfig.thinkingLevel"},
                                            {"thinking.budget_tokens", CONFIG "thinkingConfig.thinkingBudget"},
                                            {"thinking", CONFIG "thinkingConfig"},
                                            {"temperature", CONFIG "temperature"},
                                            {"top_p", CONFIG "topP"},
                                            {"top_k", CONFIG "topK"},
                                            {"frequency_penalty", CONFIG "frequencyPenalty"},
                                            {"presence_penalty", CONFIG "presencePenalty"},
                                            {"seed", CONFIG "seed"},
                                            {"stop", CONFIG "stopSequences"},
                                            {"n", CONFIG "candidateCount"},
                                            {"logprobs", CONFIG "responseLogprobs"},
                                            {"modalities", CONFIG "responseModalities"},
                                            {"is_error", "functionResponse.response.error"},
                                            {NULL, NULL}};
#undef CONFIG

const struct dialect dialect_gemini = {
    .name = STR("gemini"),
    .carries_signatures = true,
    .words = {.list = "contents",
              .system = "systemInstruction.parts",
              .content = "parts",
              .tools = "tools",
              .members = words},
    .caps = CAPS,
    .signs_calls = true,
    .returns_pieces = true,
    .joins_streams = true,
    .framing = FRAMING_SSE,
    .content_type_stream = STR("text/event-stream"),
    .keep_alive = STR_NONE,
    .request_table = request_table,
    .read_request = read_request,
    .edit_request = edit_request,
    .relay_reply = relay_reply,
    .relay_frame = relay_frame,
    .put_receipt = put_receipt,
    .decode_request = gemini_request_decode,
    .encode_request = gemini_body_encode,
    .encode_reply = gemini_answer_encode,
    .encoder_bytes = sizeof(struct gemini_encoder),
    .encode_event = gemini_answer_event,
    .decode_reply = gemini_reply_decode,
    .decoder_bytes = sizeof(struct gemini_decoder),
    .decode_frame = gemini_reply_frame,
    .decode_end = gemini_reply_end,
    .put_error = gemini_error_put,
    .put_stream_error = gemini_error_put_stream,
    .put_array_error = gemini_error_put_array,
    .put_model = gemini_error_put_model,
    .put_model_list = gemini_error_put_model_list,
};
