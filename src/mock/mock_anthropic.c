/* Anthropic Messages as the vendor's API writes them: JSON on one line, a stream of named events whose blocks open and
 * close one after another. Shapes: the types of the vendor's JavaScript client 1.10 and its streaming guide (read
 * 2026-11). Reads requests in mock_anthropic_read.c. */
#include "mock/mock_anthropic.h"

#include "mock/mock_json.h"
#include "mock/mock_sign.h"

#define TEXT(literal) \
  { literal, sizeof(literal) - 1 }

static const struct str search_url = TEXT("https://mock.example/");

static struct str stop_reason(const struct mock_answer *a) {
  static const char *const names[MOCK_FINISH_COUNT] = {"end_turn", "max_tokens",    "tool_use",
                                                       "refusal",  "stop_sequence", "pause_turn"};
  return a->refusal.n ? STR("refusal") : str_from_c(names[a->finish]);
}

static void put_id(struct buf *out, const struct mock_answer *a) {
  PUT(out, "\"msg_01");
  buf_put(out, str_from(a->id + 7, MOCK_ID_BYTES - 7)); /* 24 characters behind the mark, as the vendor has */
  buf_put_char(out, '"');
}

/* `kind` is "toolu" or "srvtoolu". */
static void put_tool_id(struct buf *out, const struct mock_answer *a, struct str kind, unsigned tool) {
  buf_put_char(out, '"');
  buf_put(out, kind);
  PUT(out, "_01");
  buf_put(out, str_from(a->id + 8, MOCK_ID_BYTES - 8));
  buf_put_char(out, (char)('0' + tool));
  buf_put_char(out, '"');
}

/* --- parts of both ------------------------------------------------------------------------------------------------ */

/* Tokens read from or written to the cache are not in input_tokens. */
static void put_input_usage(struct buf *out, const struct mock_answer *a) {
  PUT(out, "\"input_tokens\":");
  buf_put_u64(out, a->prompt_tokens - a->cached_tokens - a->cache_write_tokens);
  PUT(out, ",\"cache_creation_input_tokens\":");
  buf_put_u64(out, a->cache_write_tokens);
  PUT(out, ",\"cache_read_input_tokens\":");
  buf_put_u64(out, a->cached_tokens);
}

static void put_output_usage(struct buf *out, const struct mock_answer *a) {
  PUT(out, ",\"output_tokens\":");
  buf_put_u64(out, a->completion_tokens);
  if (a->reasoning_tokens) {
    PUT(out, ",\"output_tokens_details\":{\"thinking_tokens\":");
    buf_put_u64(out, a->reasoning_tokens);
    buf_put_char(out, '}');
  }
  if (a->has_server_tool) PUT(out, ",\"server_tool_use\":{\"web_search_requests\":1,\"web_fetch_requests\":0}");
}

static void put_cache_creation(struct buf *out, const struct mock_answer *a) {
  PUT(out, ",\"cache_creation\":{\"ephemeral_5m_input_tokens\":");
  buf_put_u64(out, a->cache_write_tokens);
  PUT(out, ",\"ephemeral_1h_input_tokens\":0}");
}

static void put_stop(struct buf *out, const struct mock_answer *a) {
  PUT(out, "\"stop_reason\":\"");
  buf_put(out, stop_reason(a));
  PUT(out, "\",\"stop_sequence\":");
  if (a->finish == MOCK_FINISH_SEQUENCE)
    buf_put_json(out, a->stop_sequence);
  else
    PUT(out, "null");
  if (a->refusal.n) PUT(out, ",\"stop_details\":{\"type\":\"refusal\",\"category\":null,\"explanation\":null}");
}

static void put_citation(struct buf *out, const struct mock_answer *a) {
  if (a->has_server_tool) {
    PUT(out, "{\"type\":\"web_search_result_location\",\"cited_text\":\"The cited words.\",\"url\":\"");
    buf_put(out, search_url);
    PUT(out, "\",\"title\":\"A page\",\"encrypted_index\":\"");
    mock_sign_put(out, MOCK_ANTHROPIC_SEARCH, STR("index"));
    PUT(out, "\"}");
  } else {
    PUT(out,
        "{\"type\":\"char_location\",\"cited_text\":\"The cited words.\",\"document_index\":0,\"document_title\":"
        "\"A document\",\"start_char_index\":0,\"end_char_index\":16,\"file_id\":null}");
  }
}

static void put_redacted(struct buf *out) {
  PUT(out, "{\"type\":\"redacted_thinking\",\"data\":\"");
  mock_sign_put(out, MOCK_ANTHROPIC_REDACTED, MOCK_ANTHROPIC_REDACTED_TEXT);
  PUT(out, "\"}");
}

static bool hides_thinking(const struct mock_answer *a) {
  const struct mock_anthropic *own = a->q->own;
  return own->hides_thinking;
}

static void put_signature(struct buf *out, const struct mock_answer *a) {
  PUT(out, "\"signature\":\"");
  mock_sign_put(out, MOCK_ANTHROPIC_THINKING, hides_thinking(a) ? STR_NONE : a->reasoning);
  buf_put_char(out, '"');
}

static const struct str search_input = TEXT("{\"query\":\"mock\"}");

static void put_search(struct buf *out, const struct mock_answer *a, struct str input) {
  PUT(out, "{\"type\":\"server_tool_use\",\"id\":");
  put_tool_id(out, a, STR("srvtoolu"), 0);
  PUT(out, ",\"name\":\"web_search\",\"input\":");
  buf_put(out, input);
  buf_put_char(out, '}');
}

static void put_search_result(struct buf *out, const struct mock_answer *a) {
  PUT(out, "{\"type\":\"web_search_tool_result\",\"tool_use_id\":");
  put_tool_id(out, a, STR("srvtoolu"), 0);
  PUT(out, ",\"content\":[{\"type\":\"web_search_result\",\"title\":\"A page\",\"url\":\"");
  buf_put(out, search_url);
  PUT(out, "\",\"encrypted_content\":\"");
  mock_sign_put(out, MOCK_ANTHROPIC_SEARCH, search_url);
  PUT(out, "\",\"page_age\":null}]}");
}

static void put_tool(struct buf *out, const struct mock_answer *a, unsigned tool, struct str input) {
  PUT(out, "{\"type\":\"tool_use\",\"id\":");
  put_tool_id(out, a, STR("toolu"), tool);
  PUT(out, ",\"name\":");
  buf_put_json(out, a->tools[tool].name);
  PUT(out, ",\"input\":");
  buf_put(out, input);
  buf_put_char(out, '}');
}

/* --- one reply ---------------------------------------------------------------------------------------------------- */

static void put_comma(struct buf *out, size_t from) {
  if (out->n > from) buf_put_char(out, ',');
}

static void put_content(struct buf *out, const struct mock_answer *a) {
  const size_t from = out->n;
  if (a->redacted.n) put_redacted(out);
  if (a->reasoning.n) {
    put_comma(out, from);
    PUT(out, "{\"type\":\"thinking\",\"thinking\":");
    buf_put_json(out, hides_thinking(a) ? STR_NONE : a->reasoning);
    buf_put_char(out, ',');
    put_signature(out, a);
    buf_put_char(out, '}');
  }
  if (a->has_server_tool) {
    put_comma(out, from);
    put_search(out, a, search_input);
    buf_put_char(out, ',');
    put_search_result(out, a);
  }
  if (a->text.n || a->refusal.n) {
    put_comma(out, from);
    PUT(out, "{\"type\":\"text\",\"text\":");
    if (a->refusal.n)
      buf_put_json(out, a->refusal);
    else
      mock_json_put_text(out, a, a->text);
    if (a->has_citation) {
      PUT(out, ",\"citations\":[");
      put_citation(out, a);
      buf_put_char(out, ']');
    }
    buf_put_char(out, '}');
  }
  for (unsigned i = 0; i < a->tool_count; i++) {
    put_comma(out, from);
    put_tool(out, a, i, a->tools[i].arguments);
  }
}

static void put_message_head(struct buf *out, const struct mock_answer *a) {
  PUT(out, "{\"model\":\"");
  buf_put(out, a->model);
  PUT(out, "\",\"id\":");
  put_id(out, a);
  PUT(out, ",\"type\":\"message\",\"role\":\"assistant\",\"content\":[");
}

static void reply(const struct mock_answer *a, struct buf *out) {
  put_message_head(out, a);
  put_content(out, a);
  PUT(out, "],");
  put_stop(out, a);
  if (a->has_usage) {
    PUT(out, ",\"usage\":{");
    put_input_usage(out, a);
    put_cache_creation(out, a);
    put_output_usage(out, a);
    PUT(out, ",\"service_tier\":\"standard\"}");
  }
  buf_put_char(out, '}');
}

static void reply_count(const struct mock_answer *a, struct buf *out) {
  PUT(out, "{\"input_tokens\":");
  buf_put_u64(out, a->prompt_tokens);
  buf_put_char(out, '}');
}

/* --- streams ------------------------------------------------------------------------------------------------------ */

#define EVENT(out, name) PUT(out, "event: " name "\ndata: {\"type\":\"" name "\"")

static void put_end(struct buf *out, struct mock_progress *at) {
  PUT(out, "}\n\n");
  at->events++;
}

static void put_start(struct buf *out, const struct mock_answer *a, struct mock_progress *at) {
  EVENT(out, "message_start");
  PUT(out, ",\"message\":");
  put_message_head(out, a);
  PUT(out, "],\"stop_reason\":null,\"stop_sequence\":null");
  if (a->has_usage) {
    PUT(out, ",\"usage\":{");
    put_input_usage(out, a);
    put_cache_creation(out, a);
    PUT(out, ",\"output_tokens\":1,\"service_tier\":\"standard\"}");
  }
  buf_put_char(out, '}');
  put_end(out, at);
}

static void put_block_delta(struct buf *out, const struct mock_progress *at) {
  EVENT(out, "content_block_delta");
  PUT(out, ",\"index\":");
  buf_put_u64(out, at->block);
  PUT(out, ",\"delta\":{\"type\":");
}

static void put_delta_end(struct buf *out, struct mock_progress *at) {
  buf_put_char(out, '}');
  put_end(out, at);
}

static void close_block(struct buf *out, const struct mock_answer *a, struct mock_progress *at) {
  if (!at->is_open) return;
  if (at->kind == MOCK_STEP_REASONING) {
    put_block_delta(out, at);
    PUT(out, "\"signature_delta\",");
    put_signature(out, a);
    put_delta_end(out, at);
  }
  EVENT(out, "content_block_stop");
  PUT(out, ",\"index\":");
  buf_put_u64(out, at->block++);
  put_end(out, at);
  at->is_open = false;
}

/* Up to the block itself, which the caller writes before open_end. */
static void open_begin(struct buf *out, const struct mock_answer *a, struct mock_progress *at,
                       enum mock_step_kind kind) {
  close_block(out, a, at);
  at->is_open = true;
  at->kind = kind;
  EVENT(out, "content_block_start");
  PUT(out, ",\"index\":");
  buf_put_u64(out, at->block);
  PUT(out, ",\"content_block\":");
}

/* The vendor's first ping follows the first block's start. */
static void open_end(struct buf *out, struct mock_progress *at) {
  bool is_first = at->events == 1;
  put_end(out, at);
  if (!is_first) return;
  EVENT(out, "ping");
  put_end(out, at);
}

static void put_piece(struct buf *out, const struct mock_answer *a, const struct mock_step *step,
                      struct mock_progress *at) {
  if (!at->is_open || at->kind != step->kind) {
    open_begin(out, a, at, step->kind);
    if (step->kind == MOCK_STEP_REASONING)
      PUT(out, "{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}");
    else if (a->has_citation)
      PUT(out, "{\"type\":\"text\",\"text\":\"\",\"citations\":[]}");
    else
      PUT(out, "{\"type\":\"text\",\"text\":\"\"}");
    open_end(out, at);
  }
  if (step->kind == MOCK_STEP_REASONING && hides_thinking(a)) return;
  put_block_delta(out, at);
  if (step->kind == MOCK_STEP_REASONING) {
    PUT(out, "\"thinking_delta\",\"thinking\":");
    buf_put_json(out, step->piece);
  } else {
    PUT(out, "\"text_delta\",\"text\":");
    if (step->kind == MOCK_STEP_TEXT)
      mock_json_put_text(out, a, step->piece);
    else
      buf_put_json(out, step->piece);
  }
  put_delta_end(out, at);
}

static void put_input_piece(struct buf *out, struct mock_progress *at, struct str piece) {
  put_block_delta(out, at);
  PUT(out, "\"input_json_delta\",\"partial_json\":");
  buf_put_json(out, piece);
  put_delta_end(out, at);
}

static void put_tool_open(struct buf *out, const struct mock_answer *a, unsigned tool, struct mock_progress *at) {
  open_begin(out, a, at, MOCK_STEP_TOOL_OPEN);
  put_tool(out, a, tool, STR("{}"));
  open_end(out, at);
  put_input_piece(out, at, STR_NONE);
}

static void put_whole_search(struct buf *out, const struct mock_answer *a, struct mock_progress *at) {
  open_begin(out, a, at, MOCK_STEP_SERVER_TOOL);
  put_search(out, a, STR("{}"));
  open_end(out, at);
  put_input_piece(out, at, search_input);
  open_begin(out, a, at, MOCK_STEP_SERVER_TOOL);
  put_search_result(out, a);
  open_end(out, at);
}

static void put_finish(struct buf *out, const struct mock_answer *a, struct mock_progress *at) {
  close_block(out, a, at);
  EVENT(out, "message_delta");
  PUT(out, ",\"delta\":{");
  put_stop(out, a);
  buf_put_char(out, '}');
  if (a->has_usage) {
    PUT(out, ",\"usage\":{");
    put_input_usage(out, a);
    put_output_usage(out, a);
    buf_put_char(out, '}');
  }
  put_end(out, at);
}

static void event(const struct mock_answer *a, struct str head, const struct mock_step *step, struct mock_progress *at,
                  struct buf *out) {
  (void)head;
  switch (step->kind) {
    case MOCK_STEP_START:
      put_start(out, a, at);
      if (step->opens_tool) put_tool_open(out, a, 0, at);
      break;
    case MOCK_STEP_REDACTED:
      open_begin(out, a, at, step->kind);
      put_redacted(out);
      open_end(out, at);
      break;
    case MOCK_STEP_REASONING:
    case MOCK_STEP_TEXT:
    case MOCK_STEP_REFUSAL: put_piece(out, a, step, at); break;
    case MOCK_STEP_SERVER_TOOL: put_whole_search(out, a, at); break;
    case MOCK_STEP_CITATION:
      put_block_delta(out, at);
      PUT(out, "\"citations_delta\",\"citation\":");
      put_citation(out, a);
      put_delta_end(out, at);
      break;
    case MOCK_STEP_TOOL_OPEN: put_tool_open(out, a, step->tool, at); break;
    case MOCK_STEP_TOOL_ARGUMENTS: put_input_piece(out, at, step->piece); break;
    case MOCK_STEP_FINISH: put_finish(out, a, at); break;
    case MOCK_STEP_DONE:
      EVENT(out, "message_stop");
      put_end(out, at);
      break;
    case MOCK_STEP_USAGE:
    case MOCK_STEP_END: break;
  }
}

/* --- errors ------------------------------------------------------------------------------------------------------- */

#define ROW(status_, message_, type_) .status = status_, .message = TEXT(message_), .type = TEXT(type_)
static const struct mock_error errors[] = {
    {ROW(400, "The request is not valid.", "invalid_request_error")},
    {ROW(401, "invalid x-api-key", "authentication_error")},
    {ROW(402, "There is an issue with your billing or payment information.", "billing_error")},
    {ROW(403, "Your API key does not have permission to use the specified resource.", "permission_error")},
    {ROW(404, "Not found", "not_found_error")},
    {ROW(405, "Method Not Allowed", "invalid_request_error")},
    {ROW(413, "Request exceeds the maximum size", "request_too_large")},
    {ROW(429, "This request would exceed your account's rate limit. Please try again later.", "rate_limit_error")},
    {ROW(400,
         "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or "
         "purchase credits.",
         "invalid_request_error"),
     .words = MOCK_WORDS_QUOTA},
    {ROW(400, "prompt is too long: 9001 tokens > 8192 maximum", "invalid_request_error"), .words = MOCK_WORDS_CONTEXT},
    {ROW(504, "Request timed out", "timeout_error")},
    {ROW(529, "Overloaded", "overloaded_error")},
    {ROW(500, "Internal server error", "api_error")},
};

static void error(const struct mock_error *e, struct buf *out) {
  PUT(out, "{\"type\":\"error\",\"error\":{\"type\":");
  buf_put_json(out, e->type);
  PUT(out, ",\"message\":");
  buf_put_json(out, e->message);
  buf_put_char(out, '}');
  if (e->request_id.n) {
    PUT(out, ",\"request_id\":");
    buf_put_json(out, e->request_id);
  }
  buf_put_char(out, '}');
}

static void error_event(const struct mock_error *e, struct mock_progress *at, struct buf *out) {
  PUT(out, "event: error\ndata: ");
  error(e, out);
  PUT(out, "\n\n");
  at->events++;
}

static void broken_event(struct mock_progress *at, struct buf *out) {
  PUT(out, "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":\n\n");
  at->events++;
}

/* --- models ------------------------------------------------------------------------------------------------------- */

static void model(struct str id, struct buf *out) {
  PUT(out, "{\"type\":\"model\",\"id\":");
  buf_put_json(out, id);
  PUT(out, ",\"display_name\":");
  buf_put_json(out, id);
  PUT(out, ",\"created_at\":\"2026-01-01T00:00:00Z\"}");
}

static void models(const struct str *ids, size_t n, struct buf *out) {
  PUT(out, "{\"data\":[");
  for (size_t i = 0; i < n; i++) {
    if (i) buf_put_char(out, ',');
    model(ids[i], out);
  }
  PUT(out, "],\"has_more\":false,\"first_id\":");
  buf_put_json(out, n ? ids[0] : STR_NONE);
  PUT(out, ",\"last_id\":");
  buf_put_json(out, n ? ids[n - 1] : STR_NONE);
  buf_put_char(out, '}');
}

#define SHARED                                                                                                  \
  .id_header = TEXT("request-id"),                                                                              \
  .fixed = {TEXT("anthropic-organization-id"), TEXT("00000000-0000-4000-8000-000000000000")}, .errors = errors, \
  .error_count = sizeof errors / sizeof errors[0], .error = error, .event = event, .error_event = error_event,  \
  .broken_event = broken_event

const struct mock_dialect mock_anthropic = {
    SHARED,
    .name = TEXT("anthropic"),
    .prefix = TEXT("/v1/messages"),
    .stream_type = TEXT("text/event-stream; charset=utf-8"),
    .scan = mock_anthropic_scan,
    .reply = reply,
    .models = models,
    .model = model,
};

const struct mock_dialect mock_anthropic_count = {
    SHARED,
    .name = TEXT("anthropic-count"),
    .scan = mock_anthropic_scan_count,
    .reply = reply_count,
};
