/* OpenAI's Responses as the vendor writes them, the whole reply: the response object and the items of its output, in
 * the order reasoning, message, calls. The same pieces stand in the stream (mock_responses_stream.c). */
#include "mock/mock_responses.h"

#include "mock/mock_json.h"
#include "mock/mock_openai.h"
#include "mock/mock_stored.h"

bool mock_responses_item_at(const struct mock_answer *a, unsigned i, struct mock_responses_item *item) {
  const struct {
    enum mock_step_kind kind;
    bool is_there;
  } single[] = {{MOCK_STEP_REASONING, a->reasoning.n > 0 || a->redacted.n > 0},
                {MOCK_STEP_SERVER_TOOL, a->has_server_tool},
                {MOCK_STEP_TEXT, a->text.n > 0},
                {MOCK_STEP_REFUSAL, a->refusal.n > 0}};
  for (size_t k = 0; k < sizeof single / sizeof single[0]; k++) {
    if (!single[k].is_there) continue;
    if (i-- > 0) continue;
    *item = (struct mock_responses_item){.kind = single[k].kind};
    return true;
  }
  if (i >= a->tool_count) return false;
  *item = (struct mock_responses_item){MOCK_STEP_TOOL_OPEN, i};
  return true;
}

static bool is_custom(const struct mock_answer *a, struct mock_responses_item item) {
  return item.kind == MOCK_STEP_TOOL_OPEN && a->tools[item.tool].is_custom;
}

void mock_responses_put_id(const struct mock_answer *a, struct mock_responses_item item, struct buf *out) {
  const char *prefix = item.kind == MOCK_STEP_REASONING     ? "rs_"
                       : is_custom(a, item)                 ? "ctc_"
                       : item.kind == MOCK_STEP_TOOL_OPEN   ? "fc_"
                       : item.kind == MOCK_STEP_SERVER_TOOL ? "ws_"
                                                            : "msg_";
  buf_put_char(out, '"');
  buf_put(out, str_from_c(prefix));
  buf_put(out, str_from(a->id, MOCK_ID_BYTES));
  buf_put_char(out, (char)('0' + item.tool));
  buf_put_char(out, '"');
}

/* 22 characters of the answer's id and two digits: 24, as the vendor has. */
static void put_call_id(const struct mock_answer *a, unsigned tool, struct buf *out) {
  PUT(out, "\"call_");
  buf_put(out, str_from(a->id + 7, MOCK_ID_BYTES - 7));
  buf_put_char(out, '0');
  buf_put_char(out, (char)('0' + tool));
  buf_put_char(out, '"');
}

void mock_responses_put_citation(const struct mock_answer *a, struct buf *out) {
  PUT(out, "{\"type\":\"url_citation\",\"start_index\":0,\"end_index\":");
  buf_put_u64(out, a->text.n < 4 ? a->text.n : 4);
  PUT(out, ",\"url\":\"https://example.com/mock\",\"title\":\"A mock page\"}");
}

void mock_responses_put_part(const struct mock_answer *a, enum mock_step_kind kind, bool is_done, struct buf *out) {
  switch (kind) {
    case MOCK_STEP_REASONING:
      PUT(out, "{\"type\":\"summary_text\",\"text\":");
      buf_put_json(out, is_done ? a->reasoning : STR_NONE);
      break;
    case MOCK_STEP_REFUSAL:
      PUT(out, "{\"type\":\"refusal\",\"refusal\":");
      buf_put_json(out, is_done ? a->refusal : STR_NONE);
      break;
    default:
      PUT(out, "{\"type\":\"output_text\",\"annotations\":[");
      if (is_done && a->has_citation) mock_responses_put_citation(a, out);
      PUT(out, "],\"logprobs\":[],\"text\":");
      mock_json_put_text(out, a, is_done ? a->text : STR_NONE);
      break;
  }
  buf_put_char(out, '}');
}

static void put_reasoning(const struct mock_answer *a, bool is_done, struct buf *out) {
  const struct mock_responses *own = mock_responses_of(a);
  PUT(out, ",\"type\":\"reasoning\",\"summary\":[");
  if (is_done && own->has_summary && a->reasoning.n) mock_responses_put_part(a, MOCK_STEP_REASONING, true, out);
  buf_put_char(out, ']');
  if (!own->has_encrypted) return;
  PUT(out, ",\"encrypted_content\":\"");
  mock_responses_seal(a->id, a->q->seed, out);
  buf_put_char(out, '"');
}

static void put_status(const struct mock_answer *a, bool is_done, struct buf *out) {
  bool is_cut = a->finish == MOCK_FINISH_LENGTH || a->finish == MOCK_FINISH_FILTER;
  PUT(out, ",\"status\":");
  buf_put(out, !is_done ? STR("\"in_progress\"") : is_cut ? STR("\"incomplete\"") : STR("\"completed\""));
}

static void put_message(const struct mock_answer *a, struct mock_responses_item item, bool is_done, struct buf *out) {
  PUT(out, ",\"type\":\"message\"");
  put_status(a, is_done, out);
  PUT(out, ",\"content\":[");
  if (is_done) mock_responses_put_part(a, item.kind, true, out);
  PUT(out, "],\"role\":\"assistant\"");
}

static void put_call(const struct mock_answer *a, struct mock_responses_item item, bool is_done, struct buf *out) {
  const struct mock_tool *tool = &a->tools[item.tool];
  buf_put(out, tool->is_custom ? STR(",\"type\":\"custom_tool_call\"") : STR(",\"type\":\"function_call\""));
  put_status(a, is_done, out);
  buf_put(out, tool->is_custom ? STR(",\"input\":") : STR(",\"arguments\":"));
  buf_put_json(out, is_done ? tool->arguments : STR_NONE);
  PUT(out, ",\"call_id\":");
  put_call_id(a, item.tool, out);
  PUT(out, ",\"name\":");
  buf_put_json(out, tool->name);
  if (tool->space.n == 0) return;
  PUT(out, ",\"namespace\":");
  buf_put_json(out, tool->space);
}

static void put_search(bool is_done, struct buf *out) {
  PUT(out, ",\"type\":\"web_search_call\",\"status\":");
  buf_put(out,
          is_done ? STR("\"completed\",\"action\":{\"type\":\"search\",\"query\":\"mock\"}") : STR("\"in_progress\""));
}

void mock_responses_put_item(const struct mock_answer *a, struct mock_responses_item item, bool is_done,
                             struct buf *out) {
  PUT(out, "{\"id\":");
  mock_responses_put_id(a, item, out);
  if (item.kind == MOCK_STEP_REASONING)
    put_reasoning(a, is_done, out);
  else if (item.kind == MOCK_STEP_SERVER_TOOL)
    put_search(is_done, out);
  else if (item.kind == MOCK_STEP_TOOL_OPEN)
    put_call(a, item, is_done, out);
  else
    put_message(a, item, is_done, out);
  buf_put_char(out, '}');
}

static void put_usage(const struct mock_answer *a, struct buf *out) {
  PUT(out, "\"usage\":{\"input_tokens\":");
  buf_put_u64(out, a->prompt_tokens);
  PUT(out, ",\"input_tokens_details\":{\"cached_tokens\":");
  buf_put_u64(out, a->cached_tokens);
  PUT(out, ",\"cache_write_tokens\":");
  buf_put_u64(out, a->cache_write_tokens);
  PUT(out, "},\"output_tokens\":");
  buf_put_u64(out, a->completion_tokens);
  PUT(out, ",\"output_tokens_details\":{\"reasoning_tokens\":");
  buf_put_u64(out, a->reasoning_tokens);
  PUT(out, "},\"total_tokens\":");
  buf_put_u64(out, a->prompt_tokens + a->completion_tokens);
  buf_put_char(out, '}');
}

static struct str reason_of(const struct mock_answer *a) {
  if (a->finish == MOCK_FINISH_LENGTH) return STR("max_output_tokens");
  return a->finish == MOCK_FINISH_FILTER ? STR("content_filter") : STR_NONE;
}

static void put_state(const struct mock_answer *a, enum mock_responses_status status, const struct mock_error *why,
                      struct buf *out) {
  struct str reason = status == MOCK_RESPONSES_ENDED ? reason_of(a) : STR_NONE;
  struct str name = status == MOCK_RESPONSES_BEGUN    ? STR("in_progress")
                    : status == MOCK_RESPONSES_FAILED ? STR("failed")
                    : reason.n                        ? STR("incomplete")
                                                      : STR("completed");
  buf_put_char(out, '"');
  buf_put(out, name);
  PUT(out, "\",\"background\":false,\"error\":");
  if (why) {
    PUT(out, "{\"code\":");
    buf_put_json(out, why->code.n ? why->code : STR("server_error"));
    PUT(out, ",\"message\":");
    buf_put_json(out, why->message);
    buf_put_char(out, '}');
  } else {
    PUT(out, "null");
  }
  PUT(out, ",\"incomplete_details\":");
  if (reason.n == 0) {
    PUT(out, "null,");
    return;
  }
  PUT(out, "{\"reason\":\"");
  buf_put(out, reason);
  PUT(out, "\"},");
}

static void put_output(const struct mock_answer *a, struct buf *out) {
  struct mock_responses_item item;
  for (unsigned i = 0; mock_responses_item_at(a, i, &item); i++) {
    if (i) buf_put_char(out, ',');
    mock_responses_put_item(a, item, true, out);
  }
}

/* The conversation goes on from everything said so far. */
static void keep(const struct mock_answer *a, struct str id, struct str response) {
  const struct mock_responses *own = mock_responses_of(a);
  struct buf context;
  buf_init(&context, MOCK_STORED_BYTES_MAX);
  buf_put_char(&context, '[');
  buf_put(&context, own->context);
  struct mock_responses_item first;
  if (own->context.n && mock_responses_item_at(a, 0, &first)) buf_put_char(&context, ',');
  put_output(a, &context);
  buf_put_char(&context, ']');
  if (!context.failed) mock_stored_keep(a->q->stored, id, response, buf_str(&context));
  buf_clear(&context);
}

void mock_responses_put(const struct mock_answer *a, enum mock_responses_status status, const struct mock_error *why,
                        struct buf *out) {
  const struct mock_responses *own = mock_responses_of(a);
  const bool is_end = status == MOCK_RESPONSES_ENDED;
  const size_t from = out->n;
  char id[5 + MOCK_ID_BYTES];
  memcpy(id, "resp_", 5);
  memcpy(id + 5, a->id, MOCK_ID_BYTES);
  PUT(out, "{\"id\":\"");
  buf_put(out, str_from(id, sizeof id));
  PUT(out, "\",\"object\":\"response\",\"created_at\":");
  buf_put_i64(out, a->created_s);
  PUT(out, ",\"status\":");
  put_state(a, status, why, out);
  buf_put(out, own->head);
  PUT(out, "\"model\":\"");
  buf_put(out, a->model);
  PUT(out, "\",\"output\":[");
  if (is_end) put_output(a, out);
  PUT(out, "],");
  buf_put(out, own->tail);
  buf_put(out, is_end ? STR("\"service_tier\":\"default\",") : STR("\"service_tier\":\"auto\","));
  if (is_end && a->has_usage)
    put_usage(a, out);
  else
    PUT(out, "\"usage\":null");
  buf_put_char(out, '}');
  if (is_end && own->is_stored && !out->failed) keep(a, str_from(id, sizeof id), str_sub(buf_str(out), from, out->n));
}

static void reply(const struct mock_answer *a, struct buf *out) {
  mock_responses_put(a, MOCK_RESPONSES_ENDED, NULL, out);
  buf_put_char(out, '\n');
}

/* OpenAI's envelope; of a prompt that is too long this API has words of its own. */
static void error(const struct mock_error *e, struct buf *out) {
  struct mock_error said = *e;
  if (e->words == MOCK_WORDS_CONTEXT) {
    said.message = STR("Your input exceeds the context window of this model. Please adjust your input and try again.");
    said.param = STR("input");
  }
  mock_openai_error(&said, out);
}

#define TEXT(literal) \
  { literal, sizeof(literal) - 1 }
const struct mock_dialect mock_openai_responses = {
    .name = TEXT("openai-responses"),
    .stream_type = TEXT("text/event-stream; charset=utf-8"),
    .id_header = TEXT("x-request-id"),
    .fixed = {TEXT("openai-version"), TEXT("2020-10-01")},
    .errors = mock_openai_errors,
    .error_count = MOCK_OPENAI_ERRORS,
    .scan = mock_responses_scan,
    .reply = reply,
    .event = mock_responses_event,
    .error = error,
    .error_event = mock_responses_error_event,
    .failed_event = mock_responses_failed_event,
    .broken_event = mock_responses_broken_event,
};
