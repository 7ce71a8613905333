/* OpenAI chat completions: see openai_chat.h. Requests here; replies and errors in openai_chat_reply.c. */
#include "dialect/openai_chat.h"

#include <pthread.h>

#include "dialect/openai_chat_internal.h"
#include "dialect/openai_chat_read.h"
#include "dialect/openai_chat_write.h"
#include "io/http_msg.h"

enum request_row {
  MODEL,
  MESSAGES,
  STREAM,
  STREAM_OPTIONS,
  INCLUDE_USAGE,
  MAX_TOKENS,
  MAX_COMPLETION_TOKENS,
  MAESTRO,
  ROWS
};

enum { MODEL_MAX = 512 };

static const struct str request_paths[ROWS] = {
    [MODEL] = STR("model"),
    [MESSAGES] = STR("messages"),
    [STREAM] = STR("stream"),
    [STREAM_OPTIONS] = STR("stream_options"),
    [INCLUDE_USAGE] = STR("stream_options.include_usage"),
    [MAX_TOKENS] = STR("max_tokens"),
    [MAX_COMPLETION_TOKENS] = STR("max_completion_tokens"),
    [MAESTRO] = STR("maestro"),
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

static bool is_null_or_absent(const struct envelope_value *v) { return !v || v->type == ENVELOPE_NULL; }

static enum err read_bool(const struct envelope_scan *scan, unsigned row, bool *out, struct err_info *info) {
  return is_null_or_absent(envelope_scan_value(scan, row)) ? OK : envelope_bool(scan, row, out, info);
}

/* A number that is no count (-1 means "no limit" to some servers) is the upstream's to judge. */
static enum err read_limit(struct str body, const struct envelope_scan *scan, unsigned row, int64_t *out,
                           struct err_info *info) {
  uint64_t v;
  const struct envelope_value *value = envelope_scan_value(scan, row);
  if (is_null_or_absent(value)) return OK;
  enum err e = envelope_u64(scan, row, body, &v, value->type == ENVELOPE_NUMBER ? NULL : info);
  if (e) return value->type == ENVELOPE_NUMBER ? OK : e;
  *out = v > INT64_MAX ? INT64_MAX : (int64_t)v;
  return OK;
}

/* A name goes into headers and logs as well. */
static bool is_model_name(struct str s) {
  for (size_t i = 0; i < s.n; i++)
    if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f) return false;
  return s.n > 0 && s.n <= MODEL_MAX;
}

static enum err read_request(struct arena *a, struct str body, const struct envelope_scan *scan,
                             struct dialect_request *out, struct err_info *info) {
  struct dialect_request r = {.max_tokens = -1};
  const struct envelope_value *messages = envelope_scan_value(scan, MESSAGES);
  const struct envelope_value *options = envelope_scan_value(scan, STREAM_OPTIONS);
  const struct envelope_value *maestro = envelope_scan_value(scan, MAESTRO);
  enum err e = envelope_string(scan, MODEL, body, a, &r.model, info);
  if (e) return e;
  if (!is_model_name(r.model))
    return err_set_param(info, ERR_BAD_VALUE, "model",
                         "\"model\" must be a name of 1 to %d bytes without control characters", MODEL_MAX);
  if (!messages) return err_set_param(info, ERR_MISSING, "messages", "\"messages\" is required");
  if (messages->type != ENVELOPE_ARRAY)
    return err_set_param(info, ERR_BAD_TYPE, "messages", "\"messages\" must be an array");
  if (messages->count == 0)
    return err_set_param(info, ERR_BAD_VALUE, "messages", "\"messages\" must have at least one message");
  if (!is_null_or_absent(options) && options->type != ENVELOPE_OBJECT)
    return err_set_param(info, ERR_BAD_TYPE, "stream_options", "\"stream_options\" must be an object");
  if (maestro && maestro->type != ENVELOPE_OBJECT)
    return err_set_param(info, ERR_BAD_TYPE, "maestro", "\"maestro\" must be an object");
  if ((e = read_bool(scan, STREAM, &r.is_stream, info))) return e;
  if ((e = read_bool(scan, INCLUDE_USAGE, &r.wants_usage, info))) return e;
  if ((e = read_limit(body, scan, MAX_TOKENS, &r.max_tokens, info))) return e;
  if ((e = read_limit(body, scan, MAX_COMPLETION_TOKENS, &r.max_tokens, info))) return e;
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
  if (want->ask_usage) {
    const struct envelope_value *options = envelope_scan_value(edit->scan, STREAM_OPTIONS);
    if (options && options->type == ENVELOPE_NULL)
      envelope_edit_set(edit, STREAM_OPTIONS, STR("{\"include_usage\":true}"));
    else
      envelope_edit_set(edit, INCLUDE_USAGE, STR("true"));
  }
  return OK;
}

static const struct str forwarded_headers[] = {STR("openai-beta"), STR("")};

/* What a chat request can say. What is missing here and in OpenAI's reference (store, metadata, service_tier,
 * verbosity, prompt_cache_key) would be refused by OpenAI-likes that know it not, and changes no answer: see
 * openai_chat_encode.c.
 */
#define CAPS                                                                                                      \
  (CAP_BIT(SYSTEM_MID) | CAP_BIT(DEVELOPER_ROLE) | CAP_BIT(PARTICIPANT_NAME) | CAP_BIT(IMAGE_DATA) |              \
   CAP_BIT(IMAGE_URL) | CAP_BIT(IMAGE_DETAIL) | CAP_BIT(DOCUMENT_DATA) | CAP_BIT(DOCUMENT_TEXT) |                 \
   CAP_BIT(DOCUMENT_FILE) | CAP_BIT(AUDIO_DATA) | CAP_BIT(TOOLS) | CAP_BIT(TOOL_CUSTOM) | CAP_BIT(TOOL_STRICT) |  \
   CAP_BIT(TOOL_CHOICE_NONE) | CAP_BIT(TOOL_CHOICE_REQUIRED) | CAP_BIT(TOOL_CHOICE_NAMED) |                       \
   CAP_BIT(PARALLEL_TOOL_CALLS) | CAP_BIT(RESULT_RICH) | CAP_BIT(REASONING_HISTORY) | CAP_BIT(REASONING_EFFORT) | \
   CAP_BIT(FORMAT_JSON_OBJECT) | CAP_BIT(FORMAT_JSON_SCHEMA) | CAP_BIT(TEMPERATURE) | CAP_BIT(TOP_P) |            \
   CAP_BIT(FREQUENCY_PENALTY) | CAP_BIT(PRESENCE_PENALTY) | CAP_BIT(SEED) | CAP_BIT(STOP) | CAP_BIT(CHOICES) |    \
   CAP_BIT(LOGPROBS) | CAP_BIT(LOGIT_BIAS) | CAP_BIT(USER))

const struct dialect dialect_openai_chat = {
    .name = STR("openai_chat"),
    .words = {.list = "messages",
              .system = "messages",
              .content = "content",
              .tools = "tools",
              .reasoning = "reasoning_content"},
    .caps = CAPS,
    .request_table = request_table,
    .framing = FRAMING_SSE,
    .forwarded_headers = forwarded_headers,
    .content_type_stream = STR("text/event-stream"),
    .keep_alive = STR(": keep-alive\n\n"),
    .read_request = read_request,
    .edit_request = edit_request,
    .relay_reply = openai_chat_relay_reply,
    .relay_frame = openai_chat_relay_frame,
    .put_receipt = openai_chat_put_receipt,
    .decode_request = openai_chat_decode_request,
    .encode_reply = openai_chat_encode_reply,
    .encoder_bytes = OPENAI_CHAT_ENCODER_BYTES,
    .encode_event = openai_chat_encode_event,
    .encode_request = openai_chat_encode_request,
    .decode_reply = openai_chat_read_reply,
    .decoder_bytes = OPENAI_CHAT_READ_BYTES,
    .decode_frame = openai_chat_read_frame,
    .decode_end = openai_chat_read_end,
    .put_error = openai_chat_put_error,
    .put_stream_error = openai_chat_put_stream_error,
    .put_model = openai_chat_put_model,
    .put_model_list = openai_chat_put_model_list,
};
