/* OpenAI chat completions as the vendor's API writes them: replies indented by two spaces, errors by four, stream
 * events on one line. Shapes: the vendor's OpenAPI document and the types of its own JavaScript client 7.55 (read
 * 2026-11); `reasoning_content` is DeepSeek's and vLLM's. Reads requests in mock_openai_read.c. */
#include "mock/mock_json.h"
#include "mock/mock_openai.h"

static const char *const finish_names[MOCK_FINISH_COUNT] = {"stop",           "length", "tool_calls",
                                                            "content_filter", "stop",   "stop"};

static void put_id(struct buf *out, const struct mock_answer *a) {
  PUT(out, "\"chatcmpl-");
  buf_put(out, str_from(a->id, MOCK_ID_BYTES));
  buf_put_char(out, '"');
}

static void put_call_id(struct buf *out, const struct mock_answer *a, unsigned choice, unsigned tool) {
  PUT(out, "\"call_");
  buf_put(out, str_from(a->id + 7, MOCK_ID_BYTES - 7)); /* 22 characters and two digits: 24, as the vendor has */
  buf_put_char(out, (char)('0' + choice));
  buf_put_char(out, (char)('0' + tool));
  buf_put_char(out, '"');
}

static bool is_content_null(const struct mock_answer *a) {
  return a->text.n == 0 && (a->tool_count > 0 || a->refusal.n > 0);
}

/* --- one reply --------------------------------------------------------------------------------------------------- */

static void put_tool_calls(struct buf *out, const struct mock_answer *a, unsigned choice) {
  if (a->tool_count == 0) return;
  PUT(out, ",\n        \"tool_calls\": [");
  for (unsigned i = 0; i < a->tool_count; i++) {
    if (i) buf_put_char(out, ',');
    PUT(out, "\n          {\n            \"id\": ");
    put_call_id(out, a, choice, i);
    PUT(out, ",\n            \"type\": \"function\",\n            \"function\": {\n              \"name\": ");
    buf_put_json(out, a->tools[i].name);
    PUT(out, ",\n              \"arguments\": ");
    buf_put_json(out, a->tools[i].arguments);
    PUT(out, "\n            }\n          }");
  }
  PUT(out, "\n        ]");
}

static void put_choice(struct buf *out, const struct mock_answer *a, unsigned choice) {
  PUT(out, "\n    {\n      \"index\": ");
  buf_put_char(out, (char)('0' + choice));
  PUT(out, ",\n      \"message\": {\n        \"role\": \"assistant\",\n        \"content\": ");
  if (is_content_null(a))
    PUT(out, "null");
  else
    mock_json_put_text(out, a, a->text);
  if (a->reasoning.n) {
    PUT(out, ",\n        \"reasoning_content\": ");
    buf_put_json(out, a->reasoning);
  }
  put_tool_calls(out, a, choice);
  PUT(out, ",\n        \"refusal\": ");
  if (a->refusal.n)
    buf_put_json(out, a->refusal);
  else
    PUT(out, "null");
  PUT(out, ",\n        \"annotations\": []\n      },\n      \"logprobs\": null,\n      \"finish_reason\": \"");
  buf_put(out, str_from_c(finish_names[a->finish]));
  PUT(out, "\"\n    }");
}

static void put_usage(struct buf *out, const struct mock_answer *a) {
  PUT(out, "  \"usage\": {\n    \"prompt_tokens\": ");
  buf_put_u64(out, a->prompt_tokens);
  PUT(out, ",\n    \"completion_tokens\": ");
  buf_put_u64(out, a->completion_tokens);
  PUT(out, ",\n    \"total_tokens\": ");
  buf_put_u64(out, a->prompt_tokens + a->completion_tokens);
  PUT(out, ",\n    \"prompt_tokens_details\": {\n      \"cached_tokens\": ");
  buf_put_u64(out, a->cached_tokens);
  PUT(out, ",\n      \"audio_tokens\": 0\n    },\n    \"completion_tokens_details\": {\n      \"reasoning_tokens\": ");
  buf_put_u64(out, a->reasoning_tokens);
  PUT(out,
      ",\n      \"audio_tokens\": 0,\n      \"accepted_prediction_tokens\": 0,\n      \"rejected_prediction_tokens\": "
      "0\n"
      "    }\n  },\n");
}

static void reply(const struct mock_answer *a, struct buf *out) {
  PUT(out, "{\n  \"id\": ");
  put_id(out, a);
  PUT(out, ",\n  \"object\": \"chat.completion\",\n  \"created\": ");
  buf_put_i64(out, a->created_s);
  PUT(out, ",\n  \"model\": \"");
  buf_put(out, a->model);
  PUT(out, "\",\n  \"choices\": [");
  for (unsigned choice = 0; choice < a->choices; choice++) {
    if (choice) buf_put_char(out, ',');
    put_choice(out, a, choice);
  }
  PUT(out, "\n  ],\n");
  if (a->has_usage) put_usage(out, a);
  PUT(out, "  \"service_tier\": \"default\",\n  \"system_fingerprint\": \"fp_6d6f636b00\"\n}\n");
}

/* --- streams ----------------------------------------------------------------------------------------------------- */

static void head(const struct mock_answer *a, struct buf *out) {
  PUT(out, "data: {\"id\":");
  put_id(out, a);
  PUT(out, ",\"object\":\"chat.completion.chunk\",\"created\":");
  buf_put_i64(out, a->created_s);
  PUT(out, ",\"model\":\"");
  buf_put(out, a->model);
  PUT(out, "\",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_6d6f636b00\",\"choices\":[");
}

static const struct str obfuscation = {",\"obfuscation\":\"q1ZrXw\"", 23};

static void put_tail(struct buf *out, const struct mock_answer *a) {
  if (a->has_obfuscation) buf_put(out, obfuscation);
  PUT(out, "}\n\n");
}

static void put_tool_open(struct buf *out, const struct mock_answer *a, const struct mock_step *step) {
  PUT(out, "\"tool_calls\":[{\"index\":");
  buf_put_char(out, (char)('0' + step->tool));
  PUT(out, ",\"id\":");
  put_call_id(out, a, step->choice, step->tool);
  PUT(out, ",\"type\":\"function\",\"function\":{\"name\":");
  buf_put_json(out, a->tools[step->tool].name);
  PUT(out, ",\"arguments\":\"\"}}]");
}

static void put_start(struct buf *out, const struct mock_answer *a, const struct mock_step *step) {
  PUT(out, "\"role\":\"assistant\",\"content\":");
  if (is_content_null(a) || a->reasoning.n)
    PUT(out, "null");
  else
    PUT(out, "\"\"");
  if (step->opens_tool) {
    buf_put_char(out, ',');
    put_tool_open(out, a, step);
  }
  if (a->refusal.n)
    PUT(out, ",\"refusal\":\"\"");
  else
    PUT(out, ",\"refusal\":null");
}

static void put_delta(struct buf *out, const struct mock_answer *a, const struct mock_step *step) {
  switch (step->kind) {
    case MOCK_STEP_START: put_start(out, a, step); break;
    case MOCK_STEP_REASONING:
      PUT(out, "\"reasoning_content\":");
      buf_put_json(out, step->piece);
      break;
    case MOCK_STEP_TEXT:
      PUT(out, "\"content\":");
      mock_json_put_text(out, a, step->piece);
      break;
    case MOCK_STEP_REFUSAL:
      PUT(out, "\"refusal\":");
      buf_put_json(out, step->piece);
      break;
    case MOCK_STEP_TOOL_OPEN: put_tool_open(out, a, step); break;
    case MOCK_STEP_TOOL_ARGUMENTS:
      PUT(out, "\"tool_calls\":[{\"index\":");
      buf_put_char(out, (char)('0' + step->tool));
      PUT(out, ",\"function\":{\"arguments\":");
      buf_put_json(out, step->piece);
      PUT(out, "}}]");
      break;
    default: break;
  }
}

static void put_usage_event(struct buf *out, const struct mock_answer *a) {
  PUT(out, "],\"usage\":{\"prompt_tokens\":");
  buf_put_u64(out, a->prompt_tokens);
  PUT(out, ",\"completion_tokens\":");
  buf_put_u64(out, a->completion_tokens);
  PUT(out, ",\"total_tokens\":");
  buf_put_u64(out, a->prompt_tokens + a->completion_tokens);
  PUT(out, ",\"prompt_tokens_details\":{\"cached_tokens\":");
  buf_put_u64(out, a->cached_tokens);
  PUT(out, ",\"audio_tokens\":0},\"completion_tokens_details\":{\"reasoning_tokens\":");
  buf_put_u64(out, a->reasoning_tokens);
  PUT(out, ",\"audio_tokens\":0,\"accepted_prediction_tokens\":0,\"rejected_prediction_tokens\":0}}");
}

/* The event that streams consist of, with one look at the buffer's room: benchmarks live on it. */
static void put_plain_event(struct buf *out, const struct mock_answer *a, struct str start,
                            const struct mock_step *step) {
  const char choice = (char)('0' + step->choice);
  const struct str parts[] = {start,
                              STR("{\"index\":"),
                              {&choice, 1},
                              STR(",\"delta\":{\"content\":\""),
                              step->piece,
                              STR("\"},\"logprobs\":null,\"finish_reason\":null}]"),
                              a->asked_usage ? STR(",\"usage\":null") : STR_NONE,
                              a->has_obfuscation ? obfuscation : STR_NONE,
                              STR("}\n\n")};
  size_t bytes = 0;
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) bytes += parts[i].n;
  if (!buf_reserve(out, bytes)) return;
  char *to = out->p + out->n;
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
    if (parts[i].n) memcpy(to, parts[i].p, parts[i].n);
    to += parts[i].n;
  }
  out->n += bytes;
}

static void event(const struct mock_answer *a, struct str start, const struct mock_step *step, struct mock_progress *at,
                  struct buf *out) {
  (void)at;
  if (step->kind == MOCK_STEP_DONE) {
    PUT(out, "data: [DONE]\n\n");
    return;
  }
  if (step->kind == MOCK_STEP_TEXT && a->is_plain) {
    put_plain_event(out, a, start, step);
    return;
  }
  if (step->kind == MOCK_STEP_REDACTED || step->kind == MOCK_STEP_SERVER_TOOL || step->kind == MOCK_STEP_CITATION)
    return; /* chat has none */
  buf_put(out, start);
  if (step->kind == MOCK_STEP_USAGE) {
    put_usage_event(out, a);
    put_tail(out, a);
    return;
  }
  PUT(out, "{\"index\":");
  buf_put_char(out, (char)('0' + step->choice));
  PUT(out, ",\"delta\":{");
  put_delta(out, a, step);
  if (step->kind == MOCK_STEP_FINISH) {
    PUT(out, "},\"logprobs\":null,\"finish_reason\":\"");
    buf_put(out, str_from_c(finish_names[a->finish]));
    PUT(out, "\"}]");
  } else {
    PUT(out, "},\"logprobs\":null,\"finish_reason\":null}]");
  }
  if (a->asked_usage) PUT(out, ",\"usage\":null");
  put_tail(out, a);
}

/* --- errors ------------------------------------------------------------------------------------------------------ */

#define TEXT(literal) \
  { literal, sizeof(literal) - 1 }
#define ROW(status_, message_, type_) .status = status_, .message = TEXT(message_), .type = TEXT(type_)
const struct mock_error mock_openai_errors[MOCK_OPENAI_ERRORS] = {
    {ROW(400, "Invalid request.", "invalid_request_error")},
    {ROW(401, "Incorrect API key provided. You can find your API key at https://platform.openai.com/account/api-keys.",
         "invalid_request_error"),
     .code = TEXT("invalid_api_key")},
    {ROW(403, "You are not allowed to sample from this model.", "invalid_request_error")},
    {ROW(404, "The model does not exist or you do not have access to it.", "invalid_request_error"),
     .code = TEXT("model_not_found")},
    {ROW(429, "Rate limit reached for requests. Please try again in 2s.", "requests"),
     .code = TEXT("rate_limit_exceeded")},
    {ROW(429, "You exceeded your current quota, please check your plan and billing details.", "insufficient_quota"),
     .code = TEXT("insufficient_quota"), .words = MOCK_WORDS_QUOTA},
    {ROW(400,
         "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens. Please "
         "reduce the length of the messages.",
         "invalid_request_error"),
     .param = TEXT("messages"), .code = TEXT("context_length_exceeded"), .words = MOCK_WORDS_CONTEXT},
    {ROW(503, "The engine is currently overloaded, please try again later.", "server_error")},
    {ROW(500, "The server had an error while processing your request. Sorry about that!", "server_error")},
};

static void put_or_null(struct buf *out, struct str s) {
  if (s.n)
    buf_put_json(out, s);
  else
    PUT(out, "null");
}

void mock_openai_error(const struct mock_error *e, struct buf *out) {
  PUT(out, "{\n    \"error\": {\n        \"message\": ");
  buf_put_json(out, e->message);
  PUT(out, ",\n        \"type\": ");
  buf_put_json(out, e->type);
  PUT(out, ",\n        \"param\": ");
  put_or_null(out, e->param);
  PUT(out, ",\n        \"code\": ");
  put_or_null(out, e->code);
  PUT(out, "\n    }\n}\n");
}

void mock_openai_error_event(const struct mock_error *e, struct mock_progress *at, struct buf *out) {
  (void)at;
  PUT(out, "data: {\"error\":{\"message\":");
  buf_put_json(out, e->message);
  PUT(out, ",\"type\":");
  buf_put_json(out, e->type);
  PUT(out, ",\"param\":");
  put_or_null(out, e->param);
  PUT(out, ",\"code\":");
  put_or_null(out, e->code);
  PUT(out, "}}\n\n");
}

void mock_openai_broken_event(struct mock_progress *at, struct buf *out) {
  (void)at;
  PUT(out, "data: {\"id\":\"chatcmpl-broken\",\"choices\":[{\"index\":\n\n");
}

/* --- models ------------------------------------------------------------------------------------------------------ */

enum { MODEL_CREATED_S = 1767225600 }; /* 2026-01-01 */

static void put_model(struct str id, struct buf *out) {
  buf_put(out, STR("{\n      \"id\": "));
  buf_put_json(out, id);
  buf_put(out, STR(",\n      \"object\": \"model\",\n      \"created\": "));
  buf_put_u64(out, MODEL_CREATED_S);
  buf_put(out, STR(",\n      \"owned_by\": \"maestro\"\n    }"));
}

static void model(struct str id, struct buf *out) {
  put_model(id, out);
  buf_put_char(out, '\n');
}

static void models(const struct str *ids, size_t n, struct buf *out) {
  PUT(out, "{\n  \"object\": \"list\",\n  \"data\": [");
  for (size_t i = 0; i < n; i++) {
    buf_put(out, i ? STR(",\n    ") : STR("\n    "));
    put_model(ids[i], out);
  }
  PUT(out, "\n  ]\n}\n");
}

const struct mock_dialect mock_openai_chat = {
    .name = TEXT("openai-chat"),
    .stream_type = TEXT("text/event-stream; charset=utf-8"),
    .id_header = TEXT("x-request-id"),
    .fixed = {TEXT("openai-version"), TEXT("2020-10-01")},
    .errors = mock_openai_errors,
    .error_count = MOCK_OPENAI_ERRORS,
    .scan = mock_openai_scan,
    .parse = mock_openai_parse,
    .reply = reply,
    .head = head,
    .event = event,
    .error = mock_openai_error,
    .error_event = mock_openai_error_event,
    .broken_event = mock_openai_broken_event,
    .models = models,
    .model = model,
};
