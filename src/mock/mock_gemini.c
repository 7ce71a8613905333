/* Gemini's generateContent and what stands beside it, as the vendor's API writes them: a stream is a row of whole
 * responses, as server-sent events with CR LF where the query says alt=sse, else as one JSON array; every response
 * has the usage so far; nothing marks the end. Shapes: the types of the vendor's JavaScript client 2.32, its REST
 * reference and its guide to thought signatures (read 2026-11). Reads requests in mock_gemini_read.c. */
#include "mock/mock_gemini.h"

#include "mock/mock_json.h"
#include "mock/mock_sign.h"
#include "mock/mock_vector.h"

#define TEXT(literal) \
  { literal, sizeof(literal) - 1 }

static const char *const finish_names[MOCK_FINISH_COUNT] = {"STOP", "MAX_TOKENS", "STOP", "SAFETY", "STOP", "STOP"};

static void put_signature(struct buf *out, struct str purpose, struct str text) {
  PUT(out, ",\"thoughtSignature\":\"");
  mock_sign_put(out, purpose, text);
  buf_put_char(out, '"');
}

/* Of several calls at once only the first is signed. */
static void put_call(struct buf *out, const struct mock_answer *a, unsigned choice, unsigned tool) {
  PUT(out, "{\"functionCall\":{\"name\":");
  buf_put_json(out, a->tools[tool].name);
  PUT(out, ",\"args\":");
  buf_put(out, a->tools[tool].arguments);
  PUT(out, ",\"id\":\"");
  buf_put(out, str_from(a->id + MOCK_ID_BYTES - 6, 6));
  buf_put_char(out, (char)('0' + choice));
  buf_put_char(out, (char)('0' + tool));
  PUT(out, "\"}");
  if (tool == 0) put_signature(out, MOCK_GEMINI_CALL, a->tools[tool].name);
  buf_put_char(out, '}');
}

static void put_thought(struct buf *out, struct str text) {
  PUT(out, "{\"text\":");
  buf_put_json(out, text);
  PUT(out, ",\"thought\":true}");
}

static bool signs_text(const struct mock_answer *a) { return a->tool_count == 0 && (a->reasoning.n || a->redacted.n); }

/* --- parts of every response -------------------------------------------------------------------------------------- */

static void put_modality(struct buf *out, const char *name, uint64_t tokens) {
  buf_printf(out, ",\"%s\":[{\"modality\":\"TEXT\",\"tokenCount\":%llu}]", name, (unsigned long long)tokens);
}

/* Thoughts are beside the candidates' tokens; is_whole: not only the prompt is known. */
static void put_usage(struct buf *out, const struct mock_answer *a, bool is_whole) {
  uint64_t candidates = is_whole ? a->completion_tokens - a->reasoning_tokens : 0;
  if (!a->has_usage) return;
  PUT(out, ",\"usageMetadata\":{\"promptTokenCount\":");
  buf_put_u64(out, a->prompt_tokens);
  if (candidates) {
    PUT(out, ",\"candidatesTokenCount\":");
    buf_put_u64(out, candidates);
  }
  PUT(out, ",\"totalTokenCount\":");
  buf_put_u64(out, a->prompt_tokens + (is_whole ? a->completion_tokens : 0));
  if (a->cached_tokens) {
    PUT(out, ",\"cachedContentTokenCount\":");
    buf_put_u64(out, a->cached_tokens);
    put_modality(out, "cacheTokensDetails", a->cached_tokens);
  }
  put_modality(out, "promptTokensDetails", a->prompt_tokens);
  if (is_whole && a->reasoning_tokens) {
    PUT(out, ",\"thoughtsTokenCount\":");
    buf_put_u64(out, a->reasoning_tokens);
  }
  buf_put_char(out, '}');
}

static void put_tail(struct buf *out, const struct mock_answer *a, bool is_whole) {
  put_usage(out, a, is_whole);
  PUT(out, ",\"modelVersion\":\"");
  buf_put(out, a->model);
  PUT(out, "\",\"responseId\":\"");
  buf_put(out, str_from(a->id, MOCK_ID_BYTES));
  PUT(out, "\"}");
}

static void put_finish(struct buf *out, const struct mock_answer *a) {
  PUT(out, ",\"finishReason\":\"");
  buf_put(out, str_from_c(finish_names[a->finish]));
  buf_put_char(out, '"');
}

/* What is said about a candidate's sources. */
static void put_sources(struct buf *out, const struct mock_answer *a) {
  if (a->has_citation)
    PUT(out,
        ",\"citationMetadata\":{\"citationSources\":[{\"startIndex\":0,\"endIndex\":4,\"uri\":\"https://mock.example/"
        "\",\"license\":\"\"}]}");
  if (a->has_server_tool)
    PUT(out,
        ",\"groundingMetadata\":{\"webSearchQueries\":[\"mock\"],\"searchEntryPoint\":{\"renderedContent\":\"<div>mock"
        "</div>\"},\"groundingChunks\":[{\"web\":{\"uri\":\"https://mock.example/\",\"title\":\"A page\"}}],"
        "\"groundingSupports\":[{\"segment\":{\"startIndex\":0,\"endIndex\":4,\"text\":\"This\"},"
        "\"groundingChunkIndices\":[0]}]}");
}

static void put_blocked(struct buf *out, const struct mock_answer *a) {
  PUT(out, "{\"promptFeedback\":{\"blockReason\":\"PROHIBITED_CONTENT\"}");
  put_tail(out, a, false);
}

/* --- one reply ---------------------------------------------------------------------------------------------------- */

static void put_comma(struct buf *out, size_t from) {
  if (out->n > from) buf_put_char(out, ',');
}

static void put_parts(struct buf *out, const struct mock_answer *a, unsigned choice) {
  PUT(out, "\"parts\":[");
  const size_t from = out->n;
  if (a->reasoning.n) put_thought(out, a->reasoning);
  if (a->text.n) {
    put_comma(out, from);
    PUT(out, "{\"text\":");
    mock_json_put_text(out, a, a->text);
    if (signs_text(a)) put_signature(out, MOCK_GEMINI_TEXT, MOCK_GEMINI_ANY_TEXT);
    buf_put_char(out, '}');
  }
  for (unsigned i = 0; i < a->tool_count; i++) {
    put_comma(out, from);
    put_call(out, a, choice, i);
  }
  PUT(out, "],");
}

static bool is_empty(const struct mock_answer *a) {
  return a->text.n == 0 && a->reasoning.n == 0 && a->tool_count == 0;
}

static void reply(const struct mock_answer *a, struct buf *out) {
  if (a->refusal.n) {
    put_blocked(out, a);
    return;
  }
  PUT(out, "{\"candidates\":[");
  for (unsigned choice = 0; choice < a->choices; choice++) {
    if (choice) buf_put_char(out, ',');
    PUT(out, "{\"content\":{");
    if (!is_empty(a)) put_parts(out, a, choice);
    PUT(out, "\"role\":\"model\"}");
    put_finish(out, a);
    PUT(out, ",\"index\":");
    buf_put_u64(out, choice);
    put_sources(out, a);
    buf_put_char(out, '}');
  }
  buf_put_char(out, ']');
  put_tail(out, a, true);
}

static void reply_count(const struct mock_answer *a, struct buf *out) {
  PUT(out, "{\"totalTokens\":");
  buf_put_u64(out, a->prompt_tokens);
  put_modality(out, "promptTokensDetails", a->prompt_tokens);
  buf_put_char(out, '}');
}

static void put_embedding(struct buf *out, const struct mock_gemini *own, size_t i) {
  PUT(out, "{\"values\":");
  mock_vector_put(out, own->texts[i], own->dimensions);
  buf_put_char(out, '}');
}

static void reply_embed(const struct mock_answer *a, struct buf *out) {
  PUT(out, "{\"embedding\":");
  put_embedding(out, a->q->own, 0);
  buf_put_char(out, '}');
}

static void reply_batch(const struct mock_answer *a, struct buf *out) {
  const struct mock_gemini *own = a->q->own;
  PUT(out, "{\"embeddings\":[");
  for (size_t i = 0; i < own->text_count; i++) {
    if (i) buf_put_char(out, ',');
    put_embedding(out, own, i);
  }
  PUT(out, "]}");
}

/* --- streams ------------------------------------------------------------------------------------------------------ */

static void begin_sse(struct buf *out, struct mock_progress *at) {
  PUT(out, "data: ");
  at->events++;
}

static void begin_array(struct buf *out, struct mock_progress *at) {
  buf_put(out, at->events++ ? STR(",\r\n") : STR("["));
}

typedef void begin_fn(struct buf *out, struct mock_progress *at);

static void put_candidate(struct buf *out, const struct mock_answer *a, const struct mock_step *step) {
  PUT(out, "{\"candidates\":[{\"content\":{\"parts\":[");
  switch (step->kind) {
    case MOCK_STEP_REASONING: put_thought(out, step->piece); break;
    case MOCK_STEP_TEXT:
      PUT(out, "{\"text\":");
      mock_json_put_text(out, a, step->piece);
      buf_put_char(out, '}');
      break;
    case MOCK_STEP_START:
    case MOCK_STEP_TOOL_OPEN: put_call(out, a, step->choice, step->tool); break;
    default:
      PUT(out, "{\"text\":\"\"");
      if (signs_text(a)) put_signature(out, MOCK_GEMINI_TEXT, MOCK_GEMINI_ANY_TEXT);
      buf_put_char(out, '}');
      break;
  }
  PUT(out, "],\"role\":\"model\"}");
  if (step->kind == MOCK_STEP_FINISH) put_finish(out, a);
  PUT(out, ",\"index\":");
  buf_put_u64(out, step->choice);
  if (step->kind == MOCK_STEP_FINISH) put_sources(out, a);
  PUT(out, "}]");
  put_tail(out, a, step->kind == MOCK_STEP_FINISH && step->choice + 1 == a->choices);
}

static bool has_response(const struct mock_answer *a, const struct mock_step *step) {
  if (step->kind == MOCK_STEP_START) return step->opens_tool;
  if (a->refusal.n) return step->kind == MOCK_STEP_FINISH && step->choice == 0;
  return step->kind == MOCK_STEP_REASONING || step->kind == MOCK_STEP_TEXT || step->kind == MOCK_STEP_TOOL_OPEN ||
         step->kind == MOCK_STEP_FINISH;
}

static void put_response(struct buf *out, const struct mock_answer *a, const struct mock_step *step) {
  if (a->refusal.n)
    put_blocked(out, a);
  else
    put_candidate(out, a, step);
}

static void event_sse(const struct mock_answer *a, struct str head, const struct mock_step *step,
                      struct mock_progress *at, struct buf *out) {
  (void)head;
  if (!has_response(a, step)) return;
  begin_sse(out, at);
  put_response(out, a, step);
  PUT(out, "\r\n\r\n");
}

static void event_array(const struct mock_answer *a, struct str head, const struct mock_step *step,
                        struct mock_progress *at, struct buf *out) {
  (void)head;
  if (step->kind == MOCK_STEP_DONE) buf_put_char(out, ']');
  if (!has_response(a, step)) return;
  begin_array(out, at);
  put_response(out, a, step);
}

/* --- errors ------------------------------------------------------------------------------------------------------- */

#define ROW(status_, type_, message_) .status = status_, .message = TEXT(message_), .type = TEXT(type_)
static const struct mock_error errors[] = {
    {ROW(400, "INVALID_ARGUMENT", "Request contains an invalid argument.")},
    {ROW(401, "UNAUTHENTICATED",
         "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
         "authentication credential.")},
    {ROW(403, "PERMISSION_DENIED", "The caller does not have permission")},
    {ROW(404, "NOT_FOUND", "Requested entity was not found.")},
    {ROW(409, "ABORTED", "The operation was aborted.")},
    {ROW(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota).")},
    {ROW(429, "RESOURCE_EXHAUSTED",
         "You exceeded your current quota, please check your plan and billing details. For more information on this "
         "error, head to: https://ai.google.dev/gemini-api/docs/rate-limits."),
     .words = MOCK_WORDS_QUOTA},
    {ROW(400, "INVALID_ARGUMENT", "The input token count (9001) exceeds the maximum number of tokens allowed (8192)."),
     .words = MOCK_WORDS_CONTEXT},
    {ROW(501, "UNIMPLEMENTED", "Operation is not implemented, or supported, or enabled.")},
    {ROW(503, "UNAVAILABLE", "The model is overloaded. Please try again later.")},
    {ROW(504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete.")},
    {ROW(500, "INTERNAL", "An internal error has occurred. Please retry or report in https://ai.google.dev/support.")},
};

static void error(const struct mock_error *e, struct buf *out) {
  PUT(out, "{\"error\":{\"code\":");
  buf_put_i64(out, e->status);
  PUT(out, ",\"message\":");
  buf_put_json(out, e->message);
  PUT(out, ",\"status\":");
  buf_put_json(out, e->type);
  if (e->status == 429)
    PUT(out, ",\"details\":[{\"@type\":\"type.googleapis.com/google.rpc.RetryInfo\",\"retryDelay\":\"2s\"}]");
  PUT(out, "}}");
}

/* Before an array stream an error is an array too. */
static void error_array(const struct mock_error *e, struct buf *out) {
  buf_put_char(out, '[');
  error(e, out);
  buf_put_char(out, ']');
}

static void error_event_sse(const struct mock_error *e, struct mock_progress *at, struct buf *out) {
  begin_sse(out, at);
  error(e, out);
  PUT(out, "\r\n\r\n");
}

static void error_event_array(const struct mock_error *e, struct mock_progress *at, struct buf *out) {
  begin_array(out, at);
  error(e, out);
  buf_put_char(out, ']');
}

static void broken_event_sse(struct mock_progress *at, struct buf *out) {
  begin_sse(out, at);
  PUT(out, "{\"candidates\":[{\"content\":{\"parts\":\r\n\r\n");
}

static void broken_event_array(struct mock_progress *at, struct buf *out) {
  begin_array(out, at);
  PUT(out, "{\"candidates\":[{\"content\":{\"parts\":}");
}

/* --- models ------------------------------------------------------------------------------------------------------- */

static void model(struct str id, struct buf *out) {
  PUT(out, "{\"name\":\"models/");
  buf_put(out, id); /* names of the table: no byte that needs escaping */
  PUT(out, "\",\"version\":\"001\",\"displayName\":");
  buf_put_json(out, id);
  PUT(out,
      ",\"description\":\"A model of the mock\",\"inputTokenLimit\":1048576,\"outputTokenLimit\":65536,"
      "\"supportedGenerationMethods\":[\"generateContent\",\"countTokens\",\"embedContent\"],\"temperature\":1,"
      "\"topP\":0.95,\"topK\":64,\"maxTemperature\":2,\"thinking\":true}");
}

static void models(const struct str *ids, size_t n, struct buf *out) {
  PUT(out, "{\"models\":[");
  for (size_t i = 0; i < n; i++) {
    if (i) buf_put_char(out, ',');
    model(ids[i], out);
  }
  PUT(out, "]}");
}

#define SHARED                                                            \
  .json_type = TEXT("application/json; charset=UTF-8"), .errors = errors, \
  .error_count = sizeof errors / sizeof errors[0], .check = mock_gemini_check, .error = error

#define STREAMS(framing)                                                                                  \
  .event = event_##framing, .error_event = error_event_##framing, .broken_event = broken_event_##framing, \
  .scan = mock_gemini_scan_stream, .reply = reply

const struct mock_dialect mock_gemini = {
    SHARED,
    .name = TEXT("gemini"),
    .prefix = TEXT("/v1beta/"),
    .scan = mock_gemini_scan_whole,
    .reply = reply,
    .models = models,
    .model = model,
};

const struct mock_dialect mock_gemini_sse = {
    SHARED,
    STREAMS(sse),
    .name = TEXT("gemini-sse"),
    .stream_type = TEXT("text/event-stream"),
};

/* The array's errors are arrays: the one member that differs from SHARED. */
const struct mock_dialect mock_gemini_array = {
    STREAMS(array),
    .name = TEXT("gemini-array"),
    .json_type = TEXT("application/json; charset=UTF-8"),
    .stream_type = TEXT("application/json; charset=UTF-8"),
    .errors = errors,
    .error_count = sizeof errors / sizeof errors[0],
    .check = mock_gemini_check,
    .error = error_array,
};

const struct mock_dialect mock_gemini_count = {
    SHARED,
    .name = TEXT("gemini-count"),
    .scan = mock_gemini_scan_count,
    .reply = reply_count,
};

const struct mock_dialect mock_gemini_embed = {
    SHARED,
    .name = TEXT("gemini-embed"),
    .scan = mock_gemini_scan_embed,
    .reply = reply_embed,
};

const struct mock_dialect mock_gemini_batch = {
    SHARED,
    .name = TEXT("gemini-batch"),
    .scan = mock_gemini_scan_batch,
    .reply = reply_batch,
};
