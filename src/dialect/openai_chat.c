/* OpenAI chat completions: see openai_chat.h. Requests here; replies and errors in openai_chat_reply.c. */
#include "dialect/openai_chat.h"

#include "base/envelope_once.h"
#include "dialect/openai_chat_internal.h"
#include "dialect/openai_chat_read.h"
#include "dialect/openai_chat_write.h"
#include "dialect/openai_envelope.h"
#include "io/http_msg.h"

static const struct str request_paths[] = OPENAI_ENVELOPE_PATHS("messages");
static struct envelope_once table = {.paths = request_paths, .n = OPENAI_ENVELOPE_ROWS};

static const struct envelope_table *request_table(void) { return envelope_once_table(&table); }

static enum err read_request(struct arena *a, struct str body, const struct envelope_scan *scan,
                             struct dialect_request *out, struct err_info *info) {
  struct dialect_request r;
  const struct envelope_value *messages = envelope_scan_value(scan, OPENAI_ENVELOPE_CONTENT);
  enum err e = openai_envelope_read(a, body, scan, &r, info);
  if (e) return e;
  if (!messages) return err_set_param(info, ERR_MISSING, "messages", "\"messages\" is required");
  if (messages->type != ENVELOPE_ARRAY)
    return err_set_param(info, ERR_BAD_TYPE, "messages", "\"messages\" must be an array");
  if (messages->count == 0)
    return err_set_param(info, ERR_BAD_VALUE, "messages", "\"messages\" must have at least one message");
  *out = r;
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
   CAP_BIT(EFFORT_OTHER) | CAP_BIT(FORMAT_JSON_OBJECT) | CAP_BIT(FORMAT_JSON_SCHEMA) | CAP_BIT(TEMPERATURE) |     \
   CAP_BIT(TOP_P) | CAP_BIT(FREQUENCY_PENALTY) | CAP_BIT(PRESENCE_PENALTY) | CAP_BIT(SEED) | CAP_BIT(STOP) |      \
   CAP_BIT(CHOICES) | CAP_BIT(LOGPROBS) | CAP_BIT(LOGIT_BIAS) | CAP_BIT(USER))

const struct dialect dialect_openai_chat = {
    .name = STR("openai_chat"),
    .words = {.list = "messages",
              .system = "messages",
              .content = "content",
              .calls = "tool_calls",
              .tools = "tools",
              .reasoning = "reasoning_content"},
    .caps = CAPS,
    .carries_signatures = true, /* in reasoning_details */
    .request_table = request_table,
    .joins_streams = true,
    .framing = FRAMING_SSE,
    .forwarded_headers = forwarded_headers,
    .content_type_stream = STR("text/event-stream"),
    .keep_alive = STR(": keep-alive\n\n"),
    .read_request = read_request,
    .edit_request = openai_envelope_edit,
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
