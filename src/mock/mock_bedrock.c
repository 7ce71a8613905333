/* Bedrock's Converse and ConverseStream as the service writes them: JSON on one line, a stream of binary frames (AWS
 * event stream) whose deltas carry padding, exceptions named by a header or a frame. Shapes: the types of the vendor's
 * JavaScript client 3.1164 and its description of the framing (read 2026-11). Reads requests in mock_bedrock_read.c. */
#include "mock/mock_bedrock.h"

#include <zlib.h>

#include "mock/mock_json.h"
#include "mock/mock_sign.h"

#define TEXT(literal) \
  { literal, sizeof(literal) - 1 }

enum { PRELUDE_BYTES = 12, CRC_BYTES = 4, LATENCY_MS = 7, HEADER_TEXT = 7 };

static const char *const stop_reasons[MOCK_FINISH_COUNT] = {"end_turn",         "max_tokens",    "tool_use",
                                                            "content_filtered", "stop_sequence", "end_turn"};

static struct str stop_reason(const struct mock_answer *a) {
  return a->refusal.n ? STR("content_filtered") : str_from_c(stop_reasons[a->finish]);
}

/* --- frames ------------------------------------------------------------------------------------------------------- */

struct frame {
  size_t start, headers_end; /* offsets into the buffer */
};

static void put_u32(char *to, size_t v) {
  for (int i = 0; i < 4; i++) to[i] = (char)(v >> (24 - 8 * i) & 0xff);
}

static void put_header(struct buf *out, struct str name, struct str value) {
  const char length[] = {HEADER_TEXT, (char)(value.n >> 8 & 0xff), (char)(value.n & 0xff)};
  buf_put_char(out, (char)name.n);
  buf_put(out, name);
  buf_put(out, str_from(length, sizeof length));
  buf_put(out, value);
}

/* The payload follows. `type` is an event's, or an exception's. */
static struct frame frame_begin(struct buf *out, struct str type, bool is_exception) {
  static const char prelude[PRELUDE_BYTES];
  struct frame f = {.start = out->n};
  buf_put(out, str_from(prelude, PRELUDE_BYTES));
  put_header(out, is_exception ? STR(":exception-type") : STR(":event-type"), type);
  put_header(out, STR(":content-type"), STR("application/json"));
  put_header(out, STR(":message-type"), is_exception ? STR("exception") : STR("event"));
  f.headers_end = out->n;
  return f;
}

static uint32_t crc_of(const struct buf *out, size_t from, size_t bytes) {
  return (uint32_t)crc32(crc32(0, NULL, 0), (const Bytef *)out->p + from, (uInt)bytes);
}

static void frame_end(struct buf *out, const struct frame *f) {
  if (!buf_reserve(out, CRC_BYTES) || out->failed) return;
  char *prelude = out->p + f->start;
  size_t bytes = out->n - f->start;
  put_u32(prelude, bytes + CRC_BYTES);
  put_u32(prelude + 4, f->headers_end - f->start - PRELUDE_BYTES);
  put_u32(prelude + 8, crc_of(out, f->start, 8));
  put_u32(out->p + out->n, crc_of(out, f->start, bytes));
  out->n += CRC_BYTES;
}

/* --- parts of both ------------------------------------------------------------------------------------------------ */

static void put_tool_id(struct buf *out, const struct mock_answer *a, unsigned tool) {
  PUT(out, "\"toolUseId\":\"tooluse_");
  buf_put(out, str_from(a->id + 8, MOCK_ID_BYTES - 8));
  buf_put_char(out, (char)('0' + tool));
  buf_put_char(out, '"');
}

static void put_tool_name(struct buf *out, const struct mock_answer *a, unsigned tool) {
  PUT(out, ",\"name\":");
  buf_put_json(out, a->tools[tool].name);
}

static void put_number(struct buf *out, const char *name, uint64_t v) {
  buf_printf(out, "\"%s\":%llu", name, (unsigned long long)v);
}

/* Tokens read from or written to the cache are not in inputTokens, but are in totalTokens. */
static void put_usage(struct buf *out, const struct mock_answer *a) {
  PUT(out, "\"metrics\":{\"latencyMs\":");
  buf_put_u64(out, LATENCY_MS);
  buf_put_char(out, '}');
  if (!a->has_usage) return;
  PUT(out, ",\"usage\":{");
  put_number(out, "inputTokens", a->prompt_tokens - a->cached_tokens - a->cache_write_tokens);
  buf_put_char(out, ',');
  put_number(out, "outputTokens", a->completion_tokens);
  buf_put_char(out, ',');
  put_number(out, "totalTokens", a->prompt_tokens + a->completion_tokens);
  buf_put_char(out, ',');
  put_number(out, "cacheReadInputTokens", a->cached_tokens);
  buf_put_char(out, ',');
  put_number(out, "cacheWriteInputTokens", a->cache_write_tokens);
  buf_put_char(out, '}');
}

static void put_stop(struct buf *out, const struct mock_answer *a) {
  const struct mock_bedrock *own = a->q->own;
  PUT(out, "\"stopReason\":\"");
  buf_put(out, stop_reason(a));
  buf_put_char(out, '"');
  if (own->wants_sequence && a->finish == MOCK_FINISH_SEQUENCE) {
    PUT(out, ",\"additionalModelResponseFields\":{\"stop_sequence\":");
    buf_put_json(out, a->stop_sequence);
    buf_put_char(out, '}');
  }
}

static void put_signature(struct buf *out, const struct mock_answer *a) {
  PUT(out, "\"signature\":\"");
  mock_sign_put(out, MOCK_BEDROCK_REASONING, a->reasoning);
  buf_put_char(out, '"');
}

static void put_redacted(struct buf *out) {
  PUT(out, "{\"redactedContent\":\"");
  mock_sign_put(out, MOCK_BEDROCK_REDACTED, MOCK_BEDROCK_REDACTED_TEXT);
  PUT(out, "\"}");
}

static void put_citation(struct buf *out) {
  PUT(out,
      "{\"title\":\"A document\",\"sourceContent\":[{\"text\":\"The cited words.\"}],\"location\":{\"documentChar\":"
      "{\"documentIndex\":0,\"start\":0,\"end\":16}}}");
}

/* --- one reply ---------------------------------------------------------------------------------------------------- */

static void put_comma(struct buf *out, size_t from) {
  if (out->n > from) buf_put_char(out, ',');
}

static void put_text_block(struct buf *out, const struct mock_answer *a) {
  if (a->has_citation) PUT(out, "{\"citationsContent\":{\"content\":[");
  PUT(out, "{\"text\":");
  if (a->refusal.n)
    buf_put_json(out, a->refusal);
  else
    mock_json_put_text(out, a, a->text);
  buf_put_char(out, '}');
  if (!a->has_citation) return;
  PUT(out, "],\"citations\":[");
  put_citation(out);
  PUT(out, "]}}");
}

static void put_content(struct buf *out, const struct mock_answer *a) {
  const size_t from = out->n;
  if (a->redacted.n) {
    PUT(out, "{\"reasoningContent\":");
    put_redacted(out);
    buf_put_char(out, '}');
  }
  if (a->reasoning.n) {
    put_comma(out, from);
    PUT(out, "{\"reasoningContent\":{\"reasoningText\":{\"text\":");
    buf_put_json(out, a->reasoning);
    buf_put_char(out, ',');
    put_signature(out, a);
    PUT(out, "}}}");
  }
  if (a->text.n || a->refusal.n) {
    put_comma(out, from);
    put_text_block(out, a);
  }
  for (unsigned i = 0; i < a->tool_count; i++) {
    put_comma(out, from);
    PUT(out, "{\"toolUse\":{");
    put_tool_id(out, a, i);
    put_tool_name(out, a, i);
    PUT(out, ",\"input\":");
    buf_put(out, a->tools[i].arguments);
    PUT(out, "}}");
  }
}

static void reply(const struct mock_answer *a, struct buf *out) {
  PUT(out, "{\"output\":{\"message\":{\"role\":\"assistant\",\"content\":[");
  put_content(out, a);
  PUT(out, "]}},");
  put_stop(out, a);
  buf_put_char(out, ',');
  put_usage(out, a);
  buf_put_char(out, '}');
}

static void reply_count(const struct mock_answer *a, struct buf *out) {
  buf_put_char(out, '{');
  put_number(out, "inputTokens", a->prompt_tokens);
  buf_put_char(out, '}');
}

/* --- streams ------------------------------------------------------------------------------------------------------ */

/* Up to the value of "delta"; ends with delta_end. */
static struct frame delta_begin(struct buf *out, const struct mock_progress *at) {
  struct frame f = frame_begin(out, STR("contentBlockDelta"), false);
  buf_put_char(out, '{');
  put_number(out, "contentBlockIndex", at->block);
  PUT(out, ",\"delta\":{");
  return f;
}

static void delta_end(struct buf *out, const struct frame *f) {
  PUT(out, "},\"p\":\"abcdefgh\"}");
  frame_end(out, f);
}

static void put_end_of_block(struct buf *out, const struct mock_answer *a, struct mock_progress *at) {
  if (!at->is_open) return;
  if (at->kind == MOCK_STEP_REASONING) {
    struct frame f = delta_begin(out, at);
    PUT(out, "\"reasoningContent\":{");
    put_signature(out, a);
    buf_put_char(out, '}');
    delta_end(out, &f);
  }
  struct frame f = frame_begin(out, STR("contentBlockStop"), false);
  buf_put_char(out, '{');
  put_number(out, "contentBlockIndex", at->block++);
  buf_put_char(out, '}');
  frame_end(out, &f);
  at->is_open = false;
}

/* Only tools have an event for their start. */
static void open_block(struct buf *out, const struct mock_answer *a, struct mock_progress *at,
                       enum mock_step_kind kind) {
  if (at->is_open && at->kind == kind && kind != MOCK_STEP_TOOL_OPEN) return;
  put_end_of_block(out, a, at);
  at->is_open = true;
  at->kind = kind;
}

static void put_tool_open(struct buf *out, const struct mock_answer *a, unsigned tool, struct mock_progress *at) {
  open_block(out, a, at, MOCK_STEP_TOOL_OPEN);
  struct frame f = frame_begin(out, STR("contentBlockStart"), false);
  buf_put_char(out, '{');
  put_number(out, "contentBlockIndex", at->block);
  PUT(out, ",\"start\":{\"toolUse\":{");
  put_tool_id(out, a, tool);
  put_tool_name(out, a, tool);
  PUT(out, "}}}");
  frame_end(out, &f);
}

static void put_start(struct buf *out) {
  struct frame f = frame_begin(out, STR("messageStart"), false);
  PUT(out, "{\"role\":\"assistant\"}");
  frame_end(out, &f);
}

static void put_delta(struct buf *out, const struct mock_answer *a, const struct mock_step *step,
                      struct mock_progress *at) {
  struct frame f = delta_begin(out, at);
  switch (step->kind) {
    case MOCK_STEP_REDACTED:
      PUT(out, "\"reasoningContent\":");
      put_redacted(out);
      break;
    case MOCK_STEP_REASONING:
      PUT(out, "\"reasoningContent\":{\"text\":");
      buf_put_json(out, step->piece);
      buf_put_char(out, '}');
      break;
    case MOCK_STEP_TEXT:
      PUT(out, "\"text\":");
      mock_json_put_text(out, a, step->piece);
      break;
    case MOCK_STEP_CITATION:
      PUT(out, "\"citation\":");
      put_citation(out);
      break;
    case MOCK_STEP_TOOL_ARGUMENTS:
      PUT(out, "\"toolUse\":{\"input\":");
      buf_put_json(out, step->piece);
      buf_put_char(out, '}');
      break;
    default:
      PUT(out, "\"text\":");
      buf_put_json(out, step->piece);
      break;
  }
  delta_end(out, &f);
}

static void put_finish(struct buf *out, const struct mock_answer *a, struct mock_progress *at) {
  put_end_of_block(out, a, at);
  struct frame f = frame_begin(out, STR("messageStop"), false);
  buf_put_char(out, '{');
  put_stop(out, a);
  buf_put_char(out, '}');
  frame_end(out, &f);
}

static void put_metadata(struct buf *out, const struct mock_answer *a) {
  struct frame f = frame_begin(out, STR("metadata"), false);
  buf_put_char(out, '{');
  put_usage(out, a);
  buf_put_char(out, '}');
  frame_end(out, &f);
}

static void event(const struct mock_answer *a, struct str head, const struct mock_step *step, struct mock_progress *at,
                  struct buf *out) {
  (void)head;
  switch (step->kind) {
    case MOCK_STEP_START:
      put_start(out);
      if (step->opens_tool) put_tool_open(out, a, 0, at);
      break;
    case MOCK_STEP_REDACTED:
    case MOCK_STEP_REASONING:
    case MOCK_STEP_TEXT:
    case MOCK_STEP_REFUSAL:
      open_block(out, a, at, step->kind);
      put_delta(out, a, step, at);
      break;
    case MOCK_STEP_CITATION:
    case MOCK_STEP_TOOL_ARGUMENTS: put_delta(out, a, step, at); break;
    case MOCK_STEP_TOOL_OPEN: put_tool_open(out, a, step->tool, at); break;
    case MOCK_STEP_FINISH: put_finish(out, a, at); break;
    case MOCK_STEP_DONE: put_metadata(out, a); break;
    case MOCK_STEP_SERVER_TOOL:
    case MOCK_STEP_USAGE:
    case MOCK_STEP_END: break;
  }
}

/* --- errors ------------------------------------------------------------------------------------------------------- */

#define ROW(status_, type_, message_) .status = status_, .message = TEXT(message_), .type = TEXT(type_)
static const struct mock_error errors[] = {
    {ROW(400, "ValidationException", "The input fails to satisfy the constraints specified by the service.")},
    {ROW(401, "UnrecognizedClientException", "The security token included in the request is invalid.")},
    {ROW(403, "AccessDeniedException", "You don't have access to the model with the specified model ID.")},
    {ROW(404, "ResourceNotFoundException",
         "Could not resolve the foundation model from the provided model identifier.")},
    {ROW(408, "ModelTimeoutException", "The request took too long to process.")},
    {ROW(424, "ModelErrorException", "The request failed due to an error while processing the model.")},
    {ROW(429, "ThrottlingException", "Too many requests, please wait before trying again.")},
    {ROW(429, "ThrottlingException", "Too many tokens per day, please wait before trying again."),
     .words = MOCK_WORDS_QUOTA},
    {ROW(400, "ValidationException", "Input is too long for requested model."), .words = MOCK_WORDS_CONTEXT},
    {ROW(503, "ServiceUnavailableException", "Bedrock is unable to process your request.")},
    {ROW(500, "InternalServerException",
         "The system encountered an unexpected error during processing. Try your "
         "request again.")},
};

static void error(const struct mock_error *e, struct buf *out) {
  PUT(out, "{\"message\":");
  buf_put_json(out, e->message);
  buf_put_char(out, '}');
}

static void error_event(const struct mock_error *e, struct mock_progress *at, struct buf *out) {
  struct frame f = frame_begin(out, STR("modelStreamErrorException"), true);
  (void)at;
  PUT(out, "{\"message\":");
  buf_put_json(out, e->message);
  PUT(out, ",\"originalStatusCode\":");
  buf_put_i64(out, e->status);
  PUT(out, ",\"originalMessage\":");
  buf_put_json(out, e->message);
  buf_put_char(out, '}');
  frame_end(out, &f);
}

static void broken_event(struct mock_progress *at, struct buf *out) {
  struct frame f = frame_begin(out, STR("contentBlockDelta"), false);
  (void)at;
  PUT(out, "{\"contentBlockIndex\":0,\"delta\":{\"text\":");
  frame_end(out, &f);
}

static void models(const struct str *ids, size_t n, struct buf *out) {
  PUT(out, "{\"modelSummaries\":[");
  for (size_t i = 0; i < n; i++) {
    buf_put(out, i ? STR(",{\"modelId\":") : STR("{\"modelId\":"));
    buf_put_json(out, ids[i]);
    PUT(out, ",\"modelArn\":\"arn:aws:bedrock:us-east-1::foundation-model/");
    buf_put(out, ids[i]); /* names of the table: no byte that needs escaping */
    PUT(out, "\",\"modelName\":");
    buf_put_json(out, ids[i]);
    PUT(out,
        ",\"providerName\":\"Mock\",\"inputModalities\":[\"TEXT\",\"IMAGE\"],\"outputModalities\":[\"TEXT\"],"
        "\"responseStreamingSupported\":true,\"inferenceTypesSupported\":[\"ON_DEMAND\"],\"modelLifecycle\":{"
        "\"status\":"
        "\"ACTIVE\"}}");
  }
  PUT(out, "]}");
}

#define SHARED                                                                                                       \
  .id_header = TEXT("x-amzn-RequestId"), .is_id_uuid = true, .error_header = TEXT("x-amzn-ErrorType"),               \
  .errors = errors, .error_count = sizeof errors / sizeof errors[0], .reply = reply, .error = error, .event = event, \
  .error_event = error_event, .broken_event = broken_event

const struct mock_dialect mock_bedrock = {
    SHARED, .name = TEXT("bedrock"), .prefix = TEXT("/model/"), .scan = mock_bedrock_scan_whole, .models = models,
};

const struct mock_dialect mock_bedrock_stream = {
    SHARED,
    .name = TEXT("bedrock-stream"),
    .stream_type = TEXT("application/vnd.amazon.eventstream"),
    .scan = mock_bedrock_scan_stream,
};

const struct mock_dialect mock_bedrock_count = {
    .id_header = TEXT("x-amzn-RequestId"),
    .is_id_uuid = true,
    .error_header = TEXT("x-amzn-ErrorType"),
    .errors = errors,
    .error_count = sizeof errors / sizeof errors[0],
    .name = TEXT("bedrock-count"),
    .scan = mock_bedrock_scan_count,
    .reply = reply_count,
    .error = error,
};
