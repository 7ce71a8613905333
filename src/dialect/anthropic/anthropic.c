/* Anthropic Messages: the envelope of a request, and the table of the dialect. See anthropic.h. */
#include "dialect/anthropic/anthropic.h"

#include "base/envelope_once.h"
#include "dialect/anthropic/anthropic_internal.h"
#include "dialect/envelope_read.h"

enum request_row { MODEL, MESSAGES, STREAM, MAX_TOKENS, THINKING, THINKING_BUDGET, MAESTRO, ROWS };

static const struct str request_paths[ROWS] = {
    [MODEL] = STR("model"),           [MESSAGES] = STR("messages"), [STREAM] = STR("stream"),
    [MAX_TOKENS] = STR("max_tokens"), [THINKING] = STR("thinking"), [THINKING_BUDGET] = STR("thinking.budget_tokens"),
    [MAESTRO] = STR("maestro"),
};

static struct envelope_once table = {.paths = request_paths, .n = ROWS};

static const struct envelope_table *request_table(void) { return envelope_once_table(&table); }

static enum err read_request(struct arena *a, struct str body, const struct envelope_scan *scan,
                             struct dialect_request *out, struct err_info *info) {
  struct dialect_request r = {.operation = out->operation, .max_tokens = -1, .wants_usage = true};
  int64_t thinking = 0;
  const struct envelope_value *messages = envelope_scan_value(scan, MESSAGES);
  enum err e = envelope_read_model(a, body, scan, MODEL, &r.model, info);
  if (e) return e;
  if (!messages) return err_set_param(info, ERR_MISSING, "messages", "messages: this member is required");
  if (messages->type != ENVELOPE_ARRAY)
    return err_set_param(info, ERR_BAD_TYPE, "messages", "messages: an array of messages is expected");
  if (messages->count == 0)
    return err_set_param(info, ERR_BAD_VALUE, "messages", "messages: at least one message is required");
  e = envelope_read_options(body, scan, MAESTRO, &r, info);
  if (!e) e = envelope_read_flag(scan, STREAM, &r.is_stream, info);
  if (!e) e = envelope_read_limit(body, scan, MAX_TOKENS, &r.max_tokens, info);
  if (!e) e = envelope_read_limit(body, scan, THINKING_BUDGET, &thinking, info);
  if (e) return e;
  /* max_tokens has to be greater than it (docs of extended thinking, read 2026-11). */
  if (thinking > 0) r.least_tokens = thinking < INT64_MAX ? thinking + 1 : thinking;
  *out = r;
  return e;
}

/* Usage is always told. */
static enum err edit_request(struct arena *a, const struct dialect_request_edits *want, struct envelope_edit *edit,
                             struct err_info *info) {
  (void)info;
  enum err e = want->max_tokens ? envelope_read_edit_limit(a, want->max_tokens, MAX_TOKENS, edit) : OK;
  return e ? e : envelope_read_edit(a, want->model, MODEL, MAESTRO, edit);
}

/* Not in it, as the vendor has no word for them: JSON mode without a schema, custom tools, penalties, seed, several
 * choices, logprobs, audio, files of another provider. Citations and thinking of others go only to their maker. */
#define CAPS                                                                                                          \
  (CAP_BIT(IMAGE_DATA) | CAP_BIT(IMAGE_URL) | CAP_BIT(DOCUMENT_DATA) | CAP_BIT(DOCUMENT_TEXT) |                       \
   CAP_BIT(DOCUMENT_URL) | CAP_BIT(TOOLS) | CAP_BIT(TOOL_STRICT) | CAP_BIT(TOOL_CHOICE_NONE) |                        \
   CAP_BIT(TOOL_CHOICE_REQUIRED) | CAP_BIT(TOOL_CHOICE_NAMED) | CAP_BIT(PARALLEL_TOOL_CALLS) | CAP_BIT(RESULT_RICH) | \
   CAP_BIT(RESULT_ERROR) | CAP_BIT(REASONING_EFFORT) | CAP_BIT(REASONING_BUDGET) | CAP_BIT(REASONING_OFF) |           \
   CAP_BIT(CACHE_MARKER) | CAP_BIT(FORMAT_JSON_SCHEMA) | CAP_BIT(TEMPERATURE) | CAP_BIT(TOP_P) | CAP_BIT(TOP_K) |     \
   CAP_BIT(STOP) | CAP_BIT(USER) | CAP_BIT(SERVICE_TIER))

static const struct str forwarded_headers[] = {STR("anthropic-beta"), STR("anthropic-version"), STR("")};

static const struct request_word words[] = {{"parallel_tool_calls", "tool_choice.disable_parallel_tool_use"},
                                            {"response_format", "output_config.format"},
                                            {"reasoning_effort", "output_config.effort"},
                                            {"stop", "stop_sequences"},
                                            {"user", "metadata.user_id"},
                                            {"function.strict", "strict"},
                                            {NULL, NULL}};

const struct dialect dialect_anthropic = {
    .name = STR("anthropic"),
    .carries_signatures = true,
    .pairs_calls = true,
    .words = {.list = "messages", .system = "system", .content = "content", .tools = "tools", .members = words},
    .caps = CAPS,
    .joins_streams = true,
    .must_tell_usage = true,
    .framing = FRAMING_SSE,
    .forwarded_headers = forwarded_headers,
    .content_type_stream = STR("text/event-stream"),
    .keep_alive = STR("event: ping\ndata: {\"type\": \"ping\"}\n\n"),
    .request_table = request_table,
    .read_request = read_request,
    .edit_request = edit_request,
    .decode_request = anthropic_decode_request,
    .encode_reply = anthropic_encode_reply,
    .encoder_bytes = ANTHROPIC_ENCODER_BYTES,
    .encode_event = anthropic_encode_event,
    .encode_request = anthropic_encode_request,
    .decode_reply = anthropic_decode_reply,
    .decoder_bytes = ANTHROPIC_DECODER_BYTES,
    .decode_frame = anthropic_decode_frame,
    .decode_end = anthropic_decode_end,
    .put_error = anthropic_put_error,
    .put_stream_error = anthropic_put_stream_error,
    .put_model = anthropic_put_model,
    .put_model_list = anthropic_put_model_list,
    .relay_reply = anthropic_relay_reply,
    .relay_frame = anthropic_relay_frame,
    .put_receipt = anthropic_put_receipt,
};
