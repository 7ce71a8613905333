/* Ollama's four dialects as tables, and the envelope they share: see ollama.h. */
#include "dialect/ollama/ollama.h"

#include "base/envelope_once.h"
#include "dialect/envelope_read.h"
#include "dialect/ollama/ollama_internal.h"

enum request_row { MODEL, STREAM, OPTIONS, NUM_PREDICT, NUM_CTX, MAESTRO, ROWS };
static const struct str request_paths[ROWS] = {
    [MODEL] = STR("model"),
    [STREAM] = STR("stream"),
    [OPTIONS] = STR("options"),
    [NUM_PREDICT] = STR("options.num_predict"),
    [NUM_CTX] = STR("options.num_ctx"),
    [MAESTRO] = STR("maestro"),
};

static struct envelope_once table = {.paths = request_paths, .n = ROWS};

static const struct envelope_table *request_table(void) { return envelope_once_table(&table); }

static enum err read_envelope(struct arena *a, struct str body, const struct envelope_scan *scan,
                              struct dialect_request *r, struct err_info *info) {
  const struct envelope_value *limit = envelope_scan_value(scan, NUM_PREDICT);
  enum err e = envelope_read_model(a, body, scan, MODEL, &r->model, info);
  if (!e) e = envelope_read_options(body, scan, MAESTRO, r, info);
  if (e) return e;
  if (envelope_read_is_said(scan, OPTIONS) && envelope_scan_value(scan, OPTIONS)->type != ENVELOPE_OBJECT)
    return err_set_param(info, ERR_BAD_TYPE, "options", "\"options\" must be an object");
  uint64_t n;
  if (limit && limit->type == ENVELOPE_NUMBER && !envelope_u64(scan, NUM_PREDICT, body, &n, NULL) && n)
    r->max_tokens = n > INT64_MAX ? INT64_MAX : (int64_t)n;
  return OK;
}

static enum err read_generation(struct arena *a, struct str body, const struct envelope_scan *scan,
                                enum llm_operation operation, struct dialect_request *out, struct err_info *info) {
  struct dialect_request r = {.operation = operation, .is_stream = true, .wants_usage = true, .max_tokens = -1};
  enum err e = read_envelope(a, body, scan, &r, info);
  if (!e) e = envelope_read_flag(scan, STREAM, &r.is_stream, info);
  if (!e) *out = r;
  return e;
}

static enum err read_chat(struct arena *a, struct str body, const struct envelope_scan *scan,
                          struct dialect_request *out, struct err_info *info) {
  return read_generation(a, body, scan, LLM_GENERATE, out, info);
}

static enum err read_generate(struct arena *a, struct str body, const struct envelope_scan *scan,
                              struct dialect_request *out, struct err_info *info) {
  return read_generation(a, body, scan, LLM_COMPLETE, out, info);
}

static enum err read_embed(struct arena *a, struct str body, const struct envelope_scan *scan,
                           struct dialect_request *out, struct err_info *info) {
  struct dialect_request r = {.operation = LLM_EMBED, .max_tokens = -1};
  enum err e = read_envelope(a, body, scan, &r, info);
  if (!e) *out = r;
  return e;
}

static enum err edit_request(struct arena *a, const struct dialect_request_edits *want, struct envelope_edit *edit,
                             struct err_info *info) {
  (void)info;
  enum err e = want->max_tokens ? envelope_read_edit_limit(a, want->max_tokens, NUM_PREDICT, edit) : OK;
  bool is_due = want->context_tokens && !envelope_scan_value(edit->scan, NUM_CTX);
  if (!e && is_due) e = envelope_read_edit_limit(a, want->context_tokens, NUM_CTX, edit);
  return e ? e : envelope_read_edit(a, want->model, MODEL, MAESTRO, edit);
}

#define MEMBER_CAPS                                                                                                    \
  (CAP_BIT(SYSTEM_MID) | CAP_BIT(DEVELOPER_ROLE) | CAP_BIT(IMAGE_DATA) | CAP_BIT(DOCUMENT_TEXT) |                      \
   CAP_BIT(REASONING_EFFORT) | CAP_BIT(EFFORT_OTHER) | CAP_BIT(REASONING_OFF) | CAP_BIT(FORMAT_JSON_OBJECT) |          \
   CAP_BIT(FORMAT_JSON_SCHEMA) | CAP_BIT(TEMPERATURE) | CAP_BIT(TOP_P) | CAP_BIT(TOP_K) | CAP_BIT(FREQUENCY_PENALTY) | \
   CAP_BIT(PRESENCE_PENALTY) | CAP_BIT(SEED) | CAP_BIT(STOP) | CAP_BIT(LOGPROBS))

/* For a client that joins before the exchange is known; with the exchange, put_keep_alive names the model. */
#define FILLER(member) STR("{\"model\":\"\",\"created_at\":\"1970-01-01T00:00:00Z\"," member ",\"done\":false}\n")

static const struct request_word words[] = {{"response_format", "format"},
                                            {"reasoning_effort", "think"},
                                            {"thinking", "think"},
                                            {"temperature", "options.temperature"},
                                            {"top_p", "options.top_p"},
                                            {"top_k", "options.top_k"},
                                            {"frequency_penalty", "options.frequency_penalty"},
                                            {"presence_penalty", "options.presence_penalty"},
                                            {"seed", "options.seed"},
                                            {"stop", "options.stop"},
                                            {NULL, NULL}};

const struct dialect dialect_ollama = {
    .name = STR("ollama"),
    .words = {.list = "messages",
              .system = "messages",
              .content = "images",
              .tools = "tools",
              .members = words,
              .reasoning = "thinking",
              .calls = "tool_calls"},
    .caps =
        MEMBER_CAPS | CAP_BIT(TOOLS) | CAP_BIT(TOOL_CHOICE_NONE) | CAP_BIT(RESULT_RICH) | CAP_BIT(REASONING_HISTORY),
    .joins_streams = true,
    .framing = FRAMING_NDJSON,
    .content_type_stream = STR("application/x-ndjson"),
    .keep_alive = FILLER("\"message\":{\"role\":\"assistant\",\"content\":\"\"}"),
    .put_keep_alive = ollama_put_keep_alive,
    .request_table = request_table,
    .read_request = read_chat,
    .edit_request = edit_request,
    .relay_reply = ollama_relay_reply,
    .relay_frame = ollama_relay_frame,
    .put_receipt = ollama_put_receipt,
    .decode_request = ollama_decode_request,
    .encode_request = ollama_encode_request,
    .encode_reply = ollama_encode_reply,
    .encoder_bytes = OLLAMA_WRITER_BYTES,
    .encode_event = ollama_encode_event,
    .decode_reply = ollama_decode_reply,
    .decoder_bytes = OLLAMA_READER_BYTES,
    .decode_frame = ollama_decode_frame,
    .put_error = ollama_put_error,
    .put_stream_error = ollama_put_stream_error,
    .put_model = ollama_put_model,
    .put_model_list = ollama_put_model_list,
};

const struct dialect dialect_ollama_generate = {
    .name = STR("ollama_generate"),
    .words = {.list = "prompt",
              .system = "system",
              .content = "images",
              .tools = "tools",
              .members = words,
              .reasoning = "thinking",
              .calls = "tool_calls"},
    .caps = MEMBER_CAPS | CAP_BIT(SUFFIX),
    .joins_streams = true,
    .framing = FRAMING_NDJSON,
    .content_type_stream = STR("application/x-ndjson"),
    .keep_alive = FILLER("\"response\":\"\""),
    .put_keep_alive = ollama_generate_put_keep_alive,
    .request_table = request_table,
    .read_request = read_generate,
    .edit_request = edit_request,
    .relay_reply = ollama_relay_reply,
    .relay_frame = ollama_relay_frame,
    .put_receipt = ollama_put_receipt,
    .decode_request = ollama_generate_decode_request,
    .encode_request = ollama_generate_encode_request,
    .encode_reply = ollama_generate_encode_reply,
    .encoder_bytes = OLLAMA_WRITER_BYTES,
    .encode_event = ollama_generate_encode_event,
    .decode_reply = ollama_decode_reply,
    .decoder_bytes = OLLAMA_READER_BYTES,
    .decode_frame = ollama_decode_frame,
    .put_error = ollama_put_error,
    .put_stream_error = ollama_put_stream_error,
    .put_model = ollama_put_model,
    .put_model_list = ollama_put_model_list,
};

#define EMBED_TABLE                                                                                                    \
  .framing = FRAMING_NDJSON, .request_table = request_table, .read_request = read_embed, .edit_request = edit_request, \
  .relay_reply = ollama_relay_embeddings, .put_error = ollama_put_error, .put_stream_error = ollama_put_stream_error,  \
  .put_model = ollama_put_model, .put_model_list = ollama_put_model_list

const struct dialect dialect_ollama_embed = {
    .name = STR("ollama_embed"),
    .words = {.list = "input", .system = "input", .content = "", .tools = "tools"},
    .caps = CAP_BIT(DIMENSIONS),
    .decode_request = ollama_embed_decode_request,
    .encode_request = ollama_embed_encode_request,
    .encode_embeddings = ollama_embed_encode_embeddings,
    .decode_embeddings = ollama_embed_decode_embeddings,
    EMBED_TABLE,
};

const struct dialect dialect_ollama_embeddings = {
    .name = STR("ollama_embeddings"),
    .words = {.list = "prompt", .system = "prompt", .content = "", .tools = "tools"},
    .decode_request = ollama_embeddings_decode_request,
    .encode_request = ollama_embeddings_encode_request,
    .encode_embeddings = ollama_embeddings_encode_embeddings,
    .decode_embeddings = ollama_embed_decode_embeddings,
    EMBED_TABLE,
};
