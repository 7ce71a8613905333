/* OpenAI's legacy completions: a prompt or several, each with n choices, whole or streamed. What is no text (reasoning,
 * calls) has no place in it. Shapes: the vendor's OpenAPI document and the types of its JavaScript client 6.49 (read
 * 2026-11). */
#include "mock/mock_json.h"
#include "mock/mock_openai.h"

/* mock_request.own. The choices of the first prompt come first. */
struct completions {
  struct str prompts[MOCK_CHOICES_MAX];
  unsigned per_prompt;
  bool is_echo;
};

static bool refuse(struct mock_error *fault, struct str message, struct str param, struct str code) {
  *fault = (struct mock_error){.status = 400, .message = message, .param = param, .code = code};
  return false;
}

/* How many there are, of which MOCK_CHOICES_MAX are kept; 0: no prompt. Tokens stand for no text. */
static unsigned read_prompts(struct mock_request *q, struct completions *own, yyjson_val *prompt) {
  yyjson_val *v;
  size_t i, n;
  unsigned kept = 0;
  if (yyjson_is_str(prompt)) {
    own->prompts[0] = q->user_text = mock_json_str(prompt);
    q->scan.text_bytes = q->user_text.n;
    return 1;
  }
  yyjson_arr_foreach(prompt, i, n, v) {
    if (yyjson_is_uint(v)) { /* the array is one prompt of tokens */
      q->scan.text_bytes = n * 4;
      return 1;
    }
    q->user_text = mock_json_str(v);
    q->scan.text_bytes += yyjson_is_arr(v) ? yyjson_arr_size(v) * 4 : q->user_text.n;
    if (kept < MOCK_CHOICES_MAX) own->prompts[kept++] = q->user_text;
  }
  return kept;
}

static bool scan(struct mock_request *q, struct arena *a, struct mock_error *fault) {
  yyjson_val *root = mock_scan_chat(q->body, &q->scan) ? mock_json_read(q->body, a) : NULL;
  struct completions *own = ARENA_NEW(a, struct completions);
  if (!root) return mock_openai_refuse_json(fault);
  if (!own) {
    *fault = (struct mock_error){.status = 500};
    return false;
  }
  if (!q->scan.model.p) return refuse(fault, STR("you must provide a model parameter"), STR_NONE, STR_NONE);
  yyjson_val *prompt = yyjson_obj_get(root, "prompt");
  unsigned prompts = read_prompts(q, own, prompt);
  if (prompts == 0 && prompt && !yyjson_is_null(prompt))
    return refuse(fault, STR("Invalid type for 'prompt': expected one of a string or an array."), STR("prompt"),
                  STR("invalid_type"));
  if (prompts == 0) prompts = 1; /* a text from nothing */
  unsigned most = MOCK_CHOICES_MAX / prompts;
  own->per_prompt = q->scan.n < 1 ? 1 : q->scan.n > most ? most : q->scan.n;
  own->is_echo = yyjson_is_true(yyjson_obj_get(root, "echo"));
  q->scan.n = prompts * own->per_prompt;
  q->own = own;
  q->is_parsed = true;
  return true;
}

static const char *finish_of(const struct mock_answer *a) {
  return a->finish == MOCK_FINISH_LENGTH ? "length" : a->finish == MOCK_FINISH_FILTER ? "content_filter" : "stop";
}

static struct str prompt_of(const struct mock_answer *a, unsigned choice) {
  const struct completions *own = a->q->own;
  return own->is_echo ? own->prompts[choice / own->per_prompt] : STR_NONE;
}

static void put_head(const struct mock_answer *a, struct buf *out) {
  PUT(out, "{\"id\":\"cmpl-");
  buf_put(out, str_from(a->id, MOCK_ID_BYTES));
  PUT(out, "\",\"object\":\"text_completion\",\"created\":");
  buf_put_i64(out, a->created_s);
  PUT(out, ",\"model\":\"");
  buf_put(out, a->model);
  PUT(out, "\",\"choices\":[");
}

static void put_choice(unsigned choice, struct str text, const char *finish, struct buf *out) {
  PUT(out, "{\"text\":");
  buf_put_json(out, text);
  PUT(out, ",\"index\":");
  buf_put_u64(out, choice);
  PUT(out, ",\"logprobs\":null,\"finish_reason\":");
  if (finish)
    buf_printf(out, "\"%s\"}", finish);
  else
    PUT(out, "null}");
}

static void put_usage(const struct mock_answer *a, struct buf *out) {
  PUT(out, ",\"usage\":{\"prompt_tokens\":");
  buf_put_u64(out, a->prompt_tokens);
  PUT(out, ",\"completion_tokens\":");
  buf_put_u64(out, a->completion_tokens);
  PUT(out, ",\"total_tokens\":");
  buf_put_u64(out, a->prompt_tokens + a->completion_tokens);
  buf_put_char(out, '}');
}

static void reply(const struct mock_answer *a, struct buf *out) {
  struct buf whole;
  buf_init(&whole, 0);
  put_head(a, out);
  for (unsigned choice = 0; choice < a->choices; choice++) {
    if (choice) buf_put_char(out, ',');
    buf_reset(&whole);
    buf_put(&whole, prompt_of(a, choice));
    buf_put(&whole, a->refusal.n ? a->refusal : a->text);
    put_choice(choice, buf_str(&whole), finish_of(a), out);
  }
  out->failed = out->failed || whole.failed;
  buf_clear(&whole);
  buf_put_char(out, ']');
  if (a->has_usage) put_usage(a, out);
  PUT(out, "}\n");
}

static void put_chunk(const struct mock_answer *a, struct str start, unsigned choice, struct str text,
                      const char *finish, struct buf *out) {
  buf_put(out, start);
  put_choice(choice, text, finish, out);
  buf_put_char(out, ']');
  if (a->asked_usage) PUT(out, ",\"usage\":null");
  if (a->has_obfuscation) PUT(out, ",\"obfuscation\":\"q1ZrXw\"");
  PUT(out, "}\n\n");
}

static void head(const struct mock_answer *a, struct buf *out) {
  PUT(out, "data: ");
  put_head(a, out);
}

static void event(const struct mock_answer *a, struct str start, const struct mock_step *step, struct mock_progress *at,
                  struct buf *out) {
  (void)at;
  switch (step->kind) {
    case MOCK_STEP_START:
      if (prompt_of(a, step->choice).n) put_chunk(a, start, step->choice, prompt_of(a, step->choice), NULL, out);
      break;
    case MOCK_STEP_TEXT:
    case MOCK_STEP_REFUSAL: put_chunk(a, start, step->choice, step->piece, NULL, out); break;
    case MOCK_STEP_FINISH: put_chunk(a, start, step->choice, STR_NONE, finish_of(a), out); break;
    case MOCK_STEP_USAGE:
      buf_put(out, start);
      buf_put_char(out, ']');
      put_usage(a, out);
      PUT(out, "}\n\n");
      break;
    case MOCK_STEP_DONE: PUT(out, "data: [DONE]\n\n"); break;
    default: break;
  }
}

#define TEXT(literal) \
  { literal, sizeof(literal) - 1 }
const struct mock_dialect mock_openai_completions = {
    .name = TEXT("openai-completions"),
    .stream_type = TEXT("text/event-stream; charset=utf-8"),
    .id_header = TEXT("x-request-id"),
    .fixed = {TEXT("openai-version"), TEXT("2020-10-01")},
    .errors = mock_openai_errors,
    .error_count = MOCK_OPENAI_ERRORS,
    .scan = scan,
    .reply = reply,
    .head = head,
    .event = event,
    .error = mock_openai_error,
    .error_event = mock_openai_error_event,
    .broken_event = mock_openai_broken_event,
};
