/* OpenAI chat completions as the vendor's API writes them: replies indented by two spaces, errors by four, stream
 * events on one line. Shapes: the vendor's OpenAPI document and the types of its own JavaScript client 7.55 (read
 * 2026-11); `reasoning_content` is DeepSeek's and vLLM's. Reads requests in mock_openai_read.c. */
#include "mock/mock_json.h"
#include "mock/mock_openai.h"
#include "mock/mock_sign.h"

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
  return a->has_audio || (a->text.n == 0 && (a->tool_count > 0 || a->refusal.n > 0));
}

static struct str finish_of(const struct mock_answer *a) {
  if (a->finish == MOCK_FINISH_TOOLS && a->q->is_functions) return STR("function_call");
  return str_from_c(finish_names[a->finish]);
}

/* Of a call: the vendor's `arguments`, or what is wrong with them. */
static void put_arguments(struct buf *out, const struct mock_answer *a, unsigned tool) {
  if (a->quirk == MOCK_QUIRK_ARGS_OBJECT && !a->tools[tool].is_custom)
    buf_put(out, a->tools[tool].arguments);
  else
    buf_put_json(out, a->tools[tool].arguments);
}

static void put_citation(struct buf *out, const struct mock_answer *a) {
  PUT(out, "{\"type\":\"url_citation\",\"url_citation\":{\"start_index\":0,\"end_index\":");
  buf_put_u64(out, a->text.n < 4 ? a->text.n : 4);
  PUT(out, ",\"url\":\"https://example.com/mock\",\"title\":\"A mock page\"}}");
}

/* OpenRouter's way; the signature is of the whole text and comes with its last piece. */
static void put_details(struct buf *out, const struct mock_answer *a, struct str piece) {
  bool is_last = piece.p + piece.n == a->reasoning.p + a->reasoning.n;
  PUT(out, "[{\"type\":\"reasoning.text\",\"text\":");
  buf_put_json(out, piece);
  if (is_last) {
    PUT(out, ",\"signature\":\"");
    mock_sign_put(out, STR("reasoning"), a->reasoning);
    buf_put_char(out, '"');
  }
  PUT(out, ",\"format\":\"anthropic-claude-v1\",\"index\":0}]");
}

/* A piece of text as one token, with itself as the only likely one. */
static void put_logprob(struct buf *out, struct str piece) {
  PUT(out, "{\"token\":");
  buf_put_json(out, piece);
  PUT(out, ",\"logprob\":-0.25,\"bytes\":[");
  for (size_t i = 0; i < piece.n; i++) buf_printf(out, i ? ",%u" : "%u", (unsigned char)piece.p[i]);
  PUT(out, "],\"top_logprobs\":[]}");
}

static void put_logprobs(struct buf *out, const struct mock_answer *a) {
  struct mock_steps steps = {0};
  struct mock_step step;
  bool is_first = true;
  PUT(out, "{\"content\":[");
  while (mock_steps_next(&steps, a, &step)) {
    if (step.kind != MOCK_STEP_TEXT || step.choice > 0) continue;
    if (!is_first) buf_put_char(out, ',');
    is_first = false;
    put_logprob(out, step.piece);
  }
  PUT(out, "],\"refusal\":null}");
}

enum { AUDIO_LIFE_S = 3600 };
static void put_audio_id(struct buf *out, const struct mock_answer *a) {
  PUT(out, "\"audio\":{\"id\":\"audio_");
  buf_put(out, str_from(a->id, MOCK_ID_BYTES));
  buf_put_char(out, '"');
}

/* --- one reply --------------------------------------------------------------------------------------------------- */

static void put_tool_calls(struct buf *out, const struct mock_answer *a, unsigned choice) {
  if (a->tool_count == 0) return;
  if (a->q->is_functions) {
    PUT(out, ",\n        \"function_call\": {\n          \"name\": ");
    buf_put_json(out, a->tools[0].name);
    PUT(out, ",\n          \"arguments\": ");
    put_arguments(out, a, 0);
    PUT(out, "\n        }");
    return;
  }
  PUT(out, ",\n        \"tool_calls\": [");
  for (unsigned i = 0; i < a->tool_count; i++) {
    const bool is_custom = a->tools[i].is_custom;
    buf_put(out, i ? STR(",\n          {\n") : STR("\n          {\n"));
    if (a->quirk != MOCK_QUIRK_ID_MISSING) {
      PUT(out, "            \"id\": ");
      put_call_id(out, a, choice, i);
      PUT(out, ",\n");
    }
    buf_printf(out, "            \"type\": \"%s\",\n            \"%s\": {\n              \"name\": ",
               is_custom ? "custom" : "function", is_custom ? "custom" : "function");
    buf_put_json(out, a->tools[i].name);
    buf_put(out, is_custom ? STR(",\n              \"input\": ") : STR(",\n              \"arguments\": "));
    put_arguments(out, a, i);
    PUT(out, "\n            }\n          }");
  }
  PUT(out, "\n        ]");
}

static void put_reasoning(struct buf *out, const struct mock_answer *a) {
  if (a->reasoning.n == 0) return;
  bool is_openrouter = a->reasoning_style == MOCK_REASONING_OPENROUTER;
  buf_put(out, is_openrouter ? STR(",\n        \"reasoning\": ") : STR(",\n        \"reasoning_content\": "));
  buf_put_json(out, a->reasoning);
  if (!is_openrouter) return;
  PUT(out, ",\n        \"reasoning_details\": ");
  put_details(out, a, a->reasoning);
}

/* An empty WAV file: the format's head without a sample. */
static void put_audio(struct buf *out, const struct mock_answer *a) {
  if (!a->has_audio) return;
  PUT(out, ",\n        ");
  put_audio_id(out, a);
  PUT(out, ",\"data\":\"UklGRiQAAABXQVZFZm10IBAAAAABAAEAwF0AAIC7AAACABAAZGF0YQAAAAA=\",\"expires_at\":");
  buf_put_i64(out, a->created_s + AUDIO_LIFE_S);
  PUT(out, ",\"transcript\":");
  buf_put_json(out, a->text);
  buf_put_char(out, '}');
}

static void put_choice(struct buf *out, const struct mock_answer *a, unsigned choice) {
  PUT(out, "\n    {\n      \"index\": ");
  buf_put_char(out, (char)('0' + choice));
  PUT(out, ",\n      \"message\": {\n        \"role\": \"assistant\",\n        \"content\": ");
  if (is_content_null(a))
    PUT(out, "null");
  else
    mock_json_put_text(out, a, a->text);
  put_reasoning(out, a);
  put_audio(out, a);
  put_tool_calls(out, a, choice);
  PUT(out, ",\n        \"refusal\": ");
  if (a->refusal.n)
    buf_put_json(out, a->refusal);
  else
    PUT(out, "null");
  PUT(out, ",\n        \"annotations\": [");
  if (a->has_citation) put_citation(out, a);
  PUT(out, "]\n      },\n      \"logprobs\": ");
  if (a->has_logprobs)
    put_logprobs(out, a);
  else
    PUT(out, "null");
  PUT(out, ",\n      \"finish_reason\": \"");
  buf_put(out, finish_of(a));
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

/* What a delta of a call begins with; true when a member follows without a comma. */
static bool put_index(struct buf *out, const struct mock_answer *a, unsigned tool) {
  PUT(out, "\"tool_calls\":[{");
  if (a->quirk == MOCK_QUIRK_INDEX_MISSING) return true;
  PUT(out, "\"index\":");
  buf_put_char(out, a->quirk == MOCK_QUIRK_INDEX_DUP ? '0' : (char)('0' + tool));
  return false;
}

static void put_tool_open(struct buf *out, const struct mock_answer *a, const struct mock_step *step) {
  const struct mock_tool *tool = &a->tools[step->tool];
  if (a->q->is_functions) {
    PUT(out, "\"function_call\":{\"name\":");
  } else {
    bool is_first = put_index(out, a, step->tool);
    if (a->quirk != MOCK_QUIRK_ID_MISSING) {
      buf_put(out, is_first ? STR("\"id\":") : STR(",\"id\":"));
      put_call_id(out, a, step->choice, step->tool);
    }
    buf_put(out, tool->is_custom ? STR(",\"type\":\"custom\",\"custom\":{\"name\":")
                                 : STR(",\"type\":\"function\",\"function\":{\"name\":"));
  }
  buf_put_json(out, tool->name);
  buf_put(out, tool->is_custom ? STR(",\"input\":") : STR(",\"arguments\":"));
  if (a->quirk == MOCK_QUIRK_ARGS_OBJECT && !tool->is_custom)
    put_arguments(out, a, step->tool);
  else
    PUT(out, "\"\"");
  buf_put(out, a->q->is_functions ? STR("}") : STR("}}]"));
}

static void put_tool_piece(struct buf *out, const struct mock_answer *a, const struct mock_step *step) {
  if (a->q->is_functions) {
    PUT(out, "\"function_call\":{\"arguments\":");
  } else {
    if (!put_index(out, a, step->tool)) buf_put_char(out, ',');
    buf_put(out, a->tools[step->tool].is_custom ? STR("\"custom\":{\"input\":") : STR("\"function\":{\"arguments\":"));
  }
  buf_put_json(out, step->piece);
  buf_put(out, a->q->is_functions ? STR("}") : STR("}}]"));
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
  if (a->has_audio) {
    buf_put_char(out, ',');
    put_audio_id(out, a);
    buf_put_char(out, '}');
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
      if (a->reasoning_style == MOCK_REASONING_OPENROUTER) {
        PUT(out, "\"reasoning_details\":");
        put_details(out, a, step->piece);
        PUT(out, ",\"reasoning\":");
      } else {
        PUT(out, "\"reasoning_content\":");
      }
      buf_put_json(out, step->piece);
      break;
    case MOCK_STEP_TEXT:
      if (a->has_audio) {
        put_audio_id(out, a);
        PUT(out, ",\"transcript\":");
      } else {
        PUT(out, "\"content\":");
      }
      mock_json_put_text(out, a, step->piece);
      if (a->has_audio) buf_put_char(out, '}');
      break;
    case MOCK_STEP_CITATION:
      PUT(out, "\"annotations\":[");
      put_citation(out, a);
      buf_put_char(out, ']');
      break;
    case MOCK_STEP_REFUSAL:
      PUT(out, "\"refusal\":");
      buf_put_json(out, step->piece);
      break;
    case MOCK_STEP_TOOL_OPEN: put_tool_open(out, a, step); break;
    case MOCK_STEP_TOOL_ARGUMENTS: put_tool_piece(out, a, step); break;
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

static bool is_told(const struct mock_answer *a, const struct mock_step *step) {
  if (step->kind == MOCK_STEP_TOOL_ARGUMENTS)
    return a->quirk != MOCK_QUIRK_ARGS_OBJECT || a->tools[step->tool].is_custom;
  return step->kind != MOCK_STEP_REDACTED && step->kind != MOCK_STEP_SERVER_TOOL;
}

static void end_choice(struct buf *out, const struct mock_answer *a, const struct mock_step *step) {
  PUT(out, "},\"logprobs\":");
  if (a->has_logprobs && step->kind == MOCK_STEP_TEXT) {
    PUT(out, "{\"content\":[");
    put_logprob(out, step->piece);
    PUT(out, "],\"refusal\":null}");
  } else {
    PUT(out, "null");
  }
  PUT(out, ",\"finish_reason\":");
  if (step->kind == MOCK_STEP_FINISH) {
    buf_put_char(out, '"');
    buf_put(out, finish_of(a));
    PUT(out, "\"}]");
  } else {
    PUT(out, "null}]");
  }
  if (a->asked_usage) PUT(out, ",\"usage\":null");
  put_tail(out, a);
}

static void begin_choice(struct buf *out, struct str start, unsigned choice) {
  buf_put(out, start);
  PUT(out, "{\"index\":");
  buf_put_char(out, (char)('0' + choice));
  PUT(out, ",\"delta\":{");
}

/* The samples follow their transcript: four of them, all silent, then how long the answer can be named. */
static void put_sound(struct buf *out, const struct mock_answer *a, struct str start, unsigned choice) {
  const struct mock_step none = {.kind = MOCK_STEP_START};
  begin_choice(out, start, choice);
  put_audio_id(out, a);
  PUT(out, ",\"data\":\"AAAAAAAAAAA=\"}");
  end_choice(out, a, &none);
  begin_choice(out, start, choice);
  put_audio_id(out, a);
  PUT(out, ",\"expires_at\":");
  buf_put_i64(out, a->created_s + AUDIO_LIFE_S);
  buf_put_char(out, '}');
  end_choice(out, a, &none);
}

static void event(const struct mock_answer *a, struct str start, const struct mock_step *step, struct mock_progress *at,
                  struct buf *out) {
  (void)at;
  if (step->kind == MOCK_STEP_TEXT && a->is_plain && !a->has_audio && !a->has_logprobs) {
    put_plain_event(out, a, start, step);
    return;
  }
  if (step->kind == MOCK_STEP_DONE) {
    PUT(out, "data: [DONE]\n\n");
    return;
  }
  if (step->kind == MOCK_STEP_USAGE) {
    buf_put(out, start);
    put_usage_event(out, a);
    put_tail(out, a);
    return;
  }
  if (!is_told(a, step)) return;
  if (step->kind == MOCK_STEP_FINISH && a->has_audio) put_sound(out, a, start, step->choice);
  begin_choice(out, start, step->choice);
  put_delta(out, a, step);
  end_choice(out, a, step);
}

#define TEXT(literal) \
  { literal, sizeof(literal) - 1 }
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
    .models = mock_openai_models,
    .model = mock_openai_model,
};
