/* What OpenAI's dialects share: see mock_openai.h. Errors and models are indented as the vendor's are. */
#include "mock/mock_openai.h"

#include "mock/mock_json.h"

#define TEXT(literal) \
  { literal, sizeof(literal) - 1 }
#define ROW(status_, message_, type_) .status = status_, .message = TEXT(message_), .type = TEXT(type_)
const struct str mock_custom_input = TEXT("mock \"input\"\nof two lines");

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

void mock_openai_model(struct str id, struct buf *out) {
  put_model(id, out);
  buf_put_char(out, '\n');
}

void mock_openai_models(const struct str *ids, size_t n, struct buf *out) {
  PUT(out, "{\n  \"object\": \"list\",\n  \"data\": [");
  for (size_t i = 0; i < n; i++) {
    buf_put(out, i ? STR(",\n    ") : STR("\n    "));
    put_model(ids[i], out);
  }
  PUT(out, "\n  ]\n}\n");
}
