/* OpenAI Responses: see openai_responses.h. The table, what the gateway reads of a request before it is routed, and the
 * edits of a relayed one. Envelope values borrow the body; nothing here outlives its exchange. */
#include "dialect/openai_responses/openai_responses.h"

#include <pthread.h>

#include "dialect/openai_chat.h"
#include "dialect/openai_responses/internal.h"

enum request_row { MODEL, INPUT, STREAM, MAX_OUTPUT_TOKENS, PREVIOUS_RESPONSE_ID, CONVERSATION, PROMPT, MAESTRO, ROWS };

enum { MODEL_MAX = 512 };

static const struct str request_paths[ROWS] = {
    [MODEL] = STR("model"),
    [INPUT] = STR("input"),
    [STREAM] = STR("stream"),
    [MAX_OUTPUT_TOKENS] = STR("max_output_tokens"),
    [PREVIOUS_RESPONSE_ID] = STR("previous_response_id"),
    [CONVERSATION] = STR("conversation"),
    [PROMPT] = STR("prompt"),
    [MAESTRO] = STR("maestro"),
};

static struct envelope_table table;
static pthread_once_t table_once = PTHREAD_ONCE_INIT;

static void table_make(void) {
  if (envelope_table_init(&table, request_paths, ROWS, NULL)) __builtin_trap(); /* a fault of the rows above */
}

const struct envelope_table *openai_responses_request_table(void) {
  pthread_once(&table_once, table_make);
  return &table;
}

static bool is_said(const struct envelope_scan *scan, unsigned row) {
  const struct envelope_value *v = envelope_scan_value(scan, row);
  return v && v->type != ENVELOPE_NULL;
}

/* A name goes into headers and logs as well. */
static bool is_model_name(struct str s) {
  for (size_t i = 0; i < s.n; i++)
    if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f) return false;
  return s.n > 0 && s.n <= MODEL_MAX;
}

/* Input may be left out only where something else holds it. */
static enum err check_input(const struct envelope_scan *scan, struct err_info *info) {
  if (!is_said(scan, INPUT)) {
    if (is_said(scan, PREVIOUS_RESPONSE_ID) || is_said(scan, CONVERSATION) || is_said(scan, PROMPT)) return OK;
    return err_set_param(info, ERR_MISSING, "input", "\"input\" is required");
  }
  uint8_t type = envelope_scan_value(scan, INPUT)->type;
  if (type == ENVELOPE_STRING || type == ENVELOPE_ARRAY) return OK;
  return err_set_param(info, ERR_BAD_TYPE, "input", "\"input\" must be a string or an array");
}

/* A number that is no count is the upstream's to judge. */
static enum err read_limit(struct str body, const struct envelope_scan *scan, int64_t *out, struct err_info *info) {
  uint64_t v;
  if (!is_said(scan, MAX_OUTPUT_TOKENS)) return OK;
  bool is_number = envelope_scan_value(scan, MAX_OUTPUT_TOKENS)->type == ENVELOPE_NUMBER;
  enum err e = envelope_u64(scan, MAX_OUTPUT_TOKENS, body, &v, is_number ? NULL : info);
  if (e) return is_number ? OK : e;
  *out = v > INT64_MAX ? INT64_MAX : (int64_t)v;
  return OK;
}

enum err openai_responses_read_request(struct arena *a, struct str body, const struct envelope_scan *scan,
                                       struct dialect_request *out, struct err_info *info) {
  struct dialect_request r = {.max_tokens = -1, .wants_usage = true};
  const struct envelope_value *maestro = envelope_scan_value(scan, MAESTRO);
  enum err e = envelope_string(scan, MODEL, body, a, &r.model, info);
  if (e) return e;
  if (!is_model_name(r.model))
    return err_set_param(info, ERR_BAD_VALUE, "model",
                         "\"model\" must be a name of 1 to %d bytes without control characters", MODEL_MAX);
  if ((e = check_input(scan, info))) return e;
  if (maestro && maestro->type != ENVELOPE_OBJECT)
    return err_set_param(info, ERR_BAD_TYPE, "maestro", "\"maestro\" must be an object");
  if (is_said(scan, STREAM) && (e = envelope_bool(scan, STREAM, &r.is_stream, info))) return e;
  if ((e = read_limit(body, scan, &r.max_tokens, info))) return e;
  r.wants_receipt = maestro != NULL;
  r.options = maestro ? envelope_raw(body, maestro) : STR_NONE;
  *out = r;
  return OK;
}

enum err openai_responses_edit_request(struct arena *a, const struct dialect_request_edits *want,
                                       struct envelope_edit *edit, struct err_info *info) {
  (void)info; /* usage needs no asking for: every response tells it */
  if (want->model.n) {
    struct buf json;
    buf_init(&json, 0);
    buf_put_json(&json, want->model);
    struct str copy = json.failed ? STR_NONE : arena_dup(a, buf_str(&json));
    buf_clear(&json);
    if (!copy.p) return ERR_NO_MEMORY;
    envelope_edit_set(edit, MODEL, copy);
  }
  if (envelope_scan_value(edit->scan, MAESTRO)) envelope_edit_remove(edit, MAESTRO);
  return OK;
}

static void put_model(struct buf *out, const struct dialect_model *model) { dialect_openai_chat.put_model(out, model); }

static void put_model_list(struct buf *out, const struct dialect_model *models, size_t count) {
  dialect_openai_chat.put_model_list(out, models, count);
}

#define CAPS                                                                                                         \
  (CAP_BIT(SYSTEM_MID) | CAP_BIT(DEVELOPER_ROLE) | CAP_BIT(IMAGE_DATA) | CAP_BIT(IMAGE_URL) | CAP_BIT(IMAGE_FILE) |  \
   CAP_BIT(IMAGE_DETAIL) | CAP_BIT(DOCUMENT_DATA) | CAP_BIT(DOCUMENT_TEXT) | CAP_BIT(DOCUMENT_URL) |                 \
   CAP_BIT(DOCUMENT_FILE) | CAP_BIT(TOOLS) | CAP_BIT(TOOL_CUSTOM) | CAP_BIT(TOOL_NAMESPACE) | CAP_BIT(TOOL_STRICT) | \
   CAP_BIT(TOOL_CHOICE_NONE) | CAP_BIT(TOOL_CHOICE_REQUIRED) | CAP_BIT(TOOL_CHOICE_NAMED) |                          \
   CAP_BIT(PARALLEL_TOOL_CALLS) | CAP_BIT(RESULT_RICH) | CAP_BIT(REASONING_EFFORT) | CAP_BIT(REASONING_BUDGET) |     \
   CAP_BIT(FORMAT_JSON_OBJECT) | CAP_BIT(FORMAT_JSON_SCHEMA) | CAP_BIT(TEMPERATURE) | CAP_BIT(TOP_P) |               \
   CAP_BIT(LOGPROBS) | CAP_BIT(METADATA) | CAP_BIT(USER) | CAP_BIT(STORE) | CAP_BIT(SERVICE_TIER) |                  \
   CAP_BIT(PROMPT_CACHE_KEY) | CAP_BIT(VERBOSITY))

static const struct request_word words[] = {
    {"response_format", "text.format"}, {"reasoning_effort", "reasoning.effort"}, {"thinking", "reasoning"},
    {"logprobs", "top_logprobs"},       {"verbosity", "text.verbosity"},          {NULL, NULL}};

const struct dialect dialect_openai_responses = {
    .name = STR("openai_responses"),
    .carries_signatures = true,
    .words = {.list = "input", .system = "instructions", .content = "content", .tools = "tools", .members = words},
    .caps = CAPS,
    .framing = FRAMING_SSE,
    .content_type_stream = STR("text/event-stream"),
    .keep_alive = STR(": keep-alive\n\n"),
    .request_table = openai_responses_request_table,
    .read_request = openai_responses_read_request,
    .edit_request = openai_responses_edit_request,
    .relay_reply = openai_responses_relay_reply,
    .relay_frame = openai_responses_relay_frame,
    .put_receipt = openai_responses_put_receipt,
    .decode_request = openai_responses_decode_request,
    .encode_request = openai_responses_encode_request,
    .encode_reply = openai_responses_encode_reply,
    .encoder_bytes = OPENAI_RESPONSES_ENCODER_BYTES,
    .encode_event = openai_responses_encode_event,
    .encode_error = openai_responses_encode_error,
    .decode_reply = openai_responses_decode_reply,
    .decoder_bytes = OPENAI_RESPONSES_DECODER_BYTES,
    .decode_frame = openai_responses_decode_frame,
    .put_error = openai_responses_put_error,
    .put_stream_error = openai_responses_put_stream_error,
    .put_model = put_model,
    .put_model_list = put_model_list,
};
