/* Anthropic Messages: the envelope of a request, and the table of the dialect. See anthropic.h. */
#include "dialect/anthropic/anthropic.h"

#include <pthread.h>

#include "dialect/anthropic/anthropic_internal.h"

enum request_row { MODEL, MESSAGES, STREAM, MAX_TOKENS, MAESTRO, ROWS };

enum { MODEL_MAX = 512 };

static const struct str request_paths[ROWS] = {
    [MODEL] = STR("model"),           [MESSAGES] = STR("messages"), [STREAM] = STR("stream"),
    [MAX_TOKENS] = STR("max_tokens"), [MAESTRO] = STR("maestro"),
};

static struct envelope_table table;
static pthread_once_t table_once = PTHREAD_ONCE_INIT;

static void table_make(void) {
  if (envelope_table_init(&table, request_paths, ROWS, NULL)) __builtin_trap(); /* a fault of the rows above */
}

static const struct envelope_table *request_table(void) {
  pthread_once(&table_once, table_make);
  return &table;
}

/* A name goes into headers and logs as well. */
static bool is_model_name(struct str s) {
  for (size_t i = 0; i < s.n; i++)
    if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f) return false;
  return s.n > 0 && s.n <= MODEL_MAX;
}

static bool is_null_or_absent(const struct envelope_value *v) { return !v || v->type == ENVELOPE_NULL; }

/* A number that is no count is the upstream's to judge. */
static enum err read_limit(struct str body, const struct envelope_scan *scan, int64_t *out, struct err_info *info) {
  const struct envelope_value *value = envelope_scan_value(scan, MAX_TOKENS);
  uint64_t v;
  if (is_null_or_absent(value)) return OK;
  bool is_number = value->type == ENVELOPE_NUMBER;
  enum err e = envelope_u64(scan, MAX_TOKENS, body, &v, is_number ? NULL : info);
  if (e) return is_number ? OK : e;
  *out = v > INT64_MAX ? INT64_MAX : (int64_t)v;
  return OK;
}

static enum err read_request(struct arena *a, struct str body, const struct envelope_scan *scan,
                             struct dialect_request *out, struct err_info *info) {
  struct dialect_request r = {.operation = out->operation, .max_tokens = -1, .wants_usage = true};
  const struct envelope_value *messages = envelope_scan_value(scan, MESSAGES);
  const struct envelope_value *stream = envelope_scan_value(scan, STREAM);
  const struct envelope_value *maestro = envelope_scan_value(scan, MAESTRO);
  enum err e = envelope_string(scan, MODEL, body, a, &r.model, info);
  if (e) return e;
  if (!is_model_name(r.model))
    return err_set_param(info, ERR_BAD_VALUE, "model",
                         "model: a name of 1 to %d bytes without control characters is expected", MODEL_MAX);
  if (!messages) return err_set_param(info, ERR_MISSING, "messages", "messages: this member is required");
  if (messages->type != ENVELOPE_ARRAY)
    return err_set_param(info, ERR_BAD_TYPE, "messages", "messages: an array of messages is expected");
  if (messages->count == 0)
    return err_set_param(info, ERR_BAD_VALUE, "messages", "messages: at least one message is required");
  if (maestro && maestro->type != ENVELOPE_OBJECT)
    return err_set_param(info, ERR_BAD_TYPE, "maestro", "maestro: an object is expected");
  if (!is_null_or_absent(stream) && (e = envelope_bool(scan, STREAM, &r.is_stream, info))) return e;
  if ((e = read_limit(body, scan, &r.max_tokens, info))) return e;
  r.wants_receipt = maestro != NULL;
  r.options = maestro ? envelope_raw(body, maestro) : STR_NONE;
  *out = r;
  return OK;
}

static enum err edit_request(struct arena *a, const struct dialect_request_edits *want, struct envelope_edit *edit,
                             struct err_info *info) {
  (void)info;
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
  return OK; /* usage is always told */
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

static const struct str forwarded_headers[] = {STR("anthropic-beta"), STR("")};

static const struct request_word words[] = {{"parallel_tool_calls", "tool_choice.disable_parallel_tool_use"},
                                            {"response_format", "output_config.format"},
                                            {"reasoning_effort", "output_config.effort"},
                                            {"stop", "stop_sequences"},
                                            {"user", "metadata.user_id"},
                                            {NULL, NULL}};

const struct dialect dialect_anthropic = {
    .name = STR("anthropic"),
    .carries_signatures = true,
    .words = {.list = "messages", .system = "system", .content = "content", .tools = "tools", .members = words},
    .caps = CAPS,
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
