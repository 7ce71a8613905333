/* OpenAI Responses: see openai_responses.h. The table, what the gateway reads of a request before it is routed, and the
 * edits of a relayed one. Envelope values borrow the body; nothing here outlives its exchange. */
#include "dialect/openai_responses/openai_responses.h"

#include "base/envelope_once.h"
#include "dialect/envelope_read.h"
#include "dialect/openai_chat.h"
#include "dialect/openai_responses/expand.h"
#include "dialect/openai_responses/internal.h"

enum request_row {
  MODEL,
  INPUT,
  STREAM,
  MAX_OUTPUT_TOKENS,
  PREVIOUS_RESPONSE_ID,
  CONVERSATION,
  PROMPT,
  STORE,
  MAESTRO,
  ROWS
};

static const struct str request_paths[ROWS] = {
    [MODEL] = STR("model"),
    [INPUT] = STR("input"),
    [STREAM] = STR("stream"),
    [MAX_OUTPUT_TOKENS] = STR("max_output_tokens"),
    [PREVIOUS_RESPONSE_ID] = STR("previous_response_id"),
    [CONVERSATION] = STR("conversation"),
    [PROMPT] = STR("prompt"),
    [STORE] = STR("store"),
    [MAESTRO] = STR("maestro"),
};

/* max_output_tokens begins there: lower ones are refused as "below minimum value" (seen in reports, read 2026-11). */
enum { LEAST_OUTPUT = 16 };

static struct envelope_once table = {.paths = request_paths, .n = ROWS};

const struct envelope_table *openai_responses_request_table(void) { return envelope_once_table(&table); }

bool openai_responses_names_ids(const struct envelope_scan *scan, struct str body) {
  return envelope_scan_value(scan, PREVIOUS_RESPONSE_ID) || str_find(body, STR("\"item_reference\"")) != SIZE_MAX;
}

bool openai_responses_is_stored(const struct envelope_scan *scan) {
  const struct envelope_value *store = envelope_scan_value(scan, STORE);
  return !store || store->type != ENVELOPE_FALSE;
}

/* Input may be left out only where something else holds it. */
static enum err check_input(const struct envelope_scan *scan, struct err_info *info) {
  if (!envelope_read_is_said(scan, INPUT)) {
    if (envelope_read_is_said(scan, PREVIOUS_RESPONSE_ID) || envelope_read_is_said(scan, CONVERSATION) ||
        envelope_read_is_said(scan, PROMPT))
      return OK;
    return err_set_param(info, ERR_MISSING, "input", "\"input\" is required");
  }
  uint8_t type = envelope_scan_value(scan, INPUT)->type;
  if (type == ENVELOPE_STRING || type == ENVELOPE_ARRAY) return OK;
  return err_set_param(info, ERR_BAD_TYPE, "input", "\"input\" must be a string or an array");
}

enum err openai_responses_read_request(struct arena *a, struct str body, const struct envelope_scan *scan,
                                       struct dialect_request *out, struct err_info *info) {
  struct dialect_request r = {.max_tokens = -1, .least_tokens = LEAST_OUTPUT, .wants_usage = true};
  enum err e = envelope_read_model(a, body, scan, MODEL, &r.model, info);
  if (!e) e = check_input(scan, info);
  if (!e) e = envelope_read_options(body, scan, MAESTRO, &r, info);
  if (!e) e = envelope_read_flag(scan, STREAM, &r.is_stream, info);
  if (!e) e = envelope_read_limit(body, scan, MAX_OUTPUT_TOKENS, &r.max_tokens, info);
  if (!e) *out = r;
  return e;
}

enum err openai_responses_edit_request(struct arena *a, const struct dialect_request_edits *want,
                                       struct envelope_edit *edit, struct err_info *info) {
  (void)info; /* usage needs no asking for: every response tells it */
  enum err e = want->max_tokens ? envelope_read_edit_limit(a, want->max_tokens, MAX_OUTPUT_TOKENS, edit) : OK;
  return e ? e : envelope_read_edit(a, want->model, MODEL, MAESTRO, edit);
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
   CAP_BIT(PARALLEL_TOOL_CALLS) | CAP_BIT(RESULT_RICH) | CAP_BIT(REASONING_EFFORT) | CAP_BIT(EFFORT_OTHER) |         \
   CAP_BIT(REASONING_BUDGET) | CAP_BIT(FORMAT_JSON_OBJECT) | CAP_BIT(FORMAT_JSON_SCHEMA) | CAP_BIT(TEMPERATURE) |    \
   CAP_BIT(TOP_P) | CAP_BIT(LOGPROBS) | CAP_BIT(METADATA) | CAP_BIT(USER) | CAP_BIT(STORE) | CAP_BIT(SERVICE_TIER) | \
   CAP_BIT(PROMPT_CACHE_KEY) | CAP_BIT(VERBOSITY))

static const struct request_word words[] = {{"response_format", "text.format"},
                                            {"reasoning_effort", "reasoning.effort"},
                                            {"thinking", "reasoning"},
                                            {"logprobs", "top_logprobs"},
                                            {"verbosity", "text.verbosity"},
                                            {"image_url.detail", "detail"},
                                            {"function.strict", "strict"},
                                            {"citations", "annotations"},
                                            {NULL, NULL}};

static const struct str forwarded_headers[] = {STR("openai-beta"), STR("")};

const struct dialect dialect_openai_responses = {
    .name = STR("openai_responses"),
    .carries_signatures = true,
    .forwarded_headers = forwarded_headers,
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
    .put_relay_error = openai_responses_put_relay_error,
    .put_model = put_model,
    .put_model_list = put_model_list,
};
