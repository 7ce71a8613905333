/* Ollama's own API as its server writes it: JSON on one line, a stream of such lines unless the request says otherwise,
 * tool arguments as objects, durations in nanoseconds, errors as {"error": text} even in mid-stream. Shapes: the
 * vendor's API document and the types of its JavaScript client 0.6.4 (read 2026-11). Reads requests in
 * mock_ollama_read.c. */
#include "mock/mock_ollama.h"

#include <time.h>

#include "mock/mock_json.h"
#include "mock/mock_vector.h"

#define TEXT(literal) \
  { literal, sizeof(literal) - 1 }

enum { LOAD_NS = 1000000, PROMPT_TOKEN_NS = 100000, TOKEN_NS = 1000000 };

static const struct mock_ollama *own_of(const struct mock_answer *a) { return a->q->own; }

/* --- parts of every line ------------------------------------------------------------------------------------------ */

static void head(const struct mock_answer *a, struct buf *out) {
  struct tm t;
  time_t at = (time_t)a->created_s;
  char text[40];
  gmtime_r(&at, &t);
  size_t n = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.000000001Z", &t);
  PUT(out, "{\"model\":\"");
  buf_put(out, own_of(a)->model);
  PUT(out, "\",\"created_at\":\"");
  buf_put(out, str_from(text, n));
  PUT(out, "\",");
}

static void put_calls(struct buf *out, const struct mock_answer *a, unsigned from, unsigned to) {
  PUT(out, ",\"tool_calls\":[");
  for (unsigned i = from; i < to; i++) {
    if (i > from) buf_put_char(out, ',');
    PUT(out, "{\"id\":\"call_");
    buf_put(out, str_from(a->id + MOCK_ID_BYTES - 7, 7));
    buf_put_char(out, (char)('0' + i));
    PUT(out, "\",\"function\":{\"index\":");
    buf_put_u64(out, i);
    PUT(out, ",\"name\":");
    buf_put_json(out, a->tools[i].name);
    PUT(out, ",\"arguments\":");
    buf_put(out, a->tools[i].arguments);
    PUT(out, "}}");
  }
  buf_put_char(out, ']');
}

/* What one line says; calls [from, to). */
struct said {
  struct str text, thinking;
  unsigned from, to;
};

static void put_said(struct buf *out, const struct mock_answer *a, const struct said *s, bool is_chat) {
  buf_put(out, is_chat ? STR("\"message\":{\"role\":\"assistant\",\"content\":") : STR("\"response\":"));
  mock_json_put_text(out, a, s->text);
  if (s->thinking.n) {
    PUT(out, ",\"thinking\":");
    buf_put_json(out, s->thinking);
  }
  if (s->to > s->from && is_chat) put_calls(out, a, s->from, s->to);
  if (is_chat) buf_put_char(out, '}');
}

static void put_counts(struct buf *out, const struct mock_answer *a) {
  uint64_t prompt_ns = a->prompt_tokens * PROMPT_TOKEN_NS, answer_ns = a->completion_tokens * TOKEN_NS;
  buf_printf(out, ",\"total_duration\":%llu,\"load_duration\":%d",
             (unsigned long long)(LOAD_NS + prompt_ns + answer_ns), LOAD_NS);
  if (!a->has_usage) return;
  buf_printf(out,
             ",\"prompt_eval_count\":%llu,\"prompt_eval_duration\":%llu,\"eval_count\":%llu,\"eval_duration\":%llu",
             (unsigned long long)a->prompt_tokens, (unsigned long long)prompt_ns,
             (unsigned long long)a->completion_tokens, (unsigned long long)answer_ns);
}

static void put_done(struct buf *out, const struct mock_answer *a, bool is_chat) {
  PUT(out, ",\"done\":true,\"done_reason\":\"");
  buf_put(out, a->finish == MOCK_FINISH_LENGTH ? STR("length") : STR("stop"));
  buf_put_char(out, '"');
  if (!is_chat) PUT(out, ",\"context\":[1,2,3]");
  put_counts(out, a);
  buf_put_char(out, '}');
}

static struct str thinking_of(const struct mock_answer *a) { return own_of(a)->is_silent ? STR_NONE : a->reasoning; }

/* --- one reply ---------------------------------------------------------------------------------------------------- */

static void put_reply(struct buf *out, const struct mock_answer *a, bool is_chat) {
  const struct said all = {a->refusal.n ? a->refusal : a->text, thinking_of(a), 0, a->tool_count}, nothing = {0};
  head(a, out);
  if (own_of(a)->loads.n) {
    put_said(out, a, &nothing, is_chat);
    PUT(out, ",\"done\":true,\"done_reason\":\"");
    buf_put(out, own_of(a)->loads);
    PUT(out, "\"}");
    return;
  }
  put_said(out, a, &all, is_chat);
  put_done(out, a, is_chat);
}

static void reply_chat(const struct mock_answer *a, struct buf *out) { put_reply(out, a, true); }
static void reply_generate(const struct mock_answer *a, struct buf *out) { put_reply(out, a, false); }

static void reply_embed(const struct mock_answer *a, struct buf *out) {
  const struct mock_ollama *own = own_of(a);
  PUT(out, "{\"model\":\"");
  buf_put(out, own->model);
  PUT(out, "\",\"embeddings\":[");
  for (size_t i = 0; i < own->text_count; i++) {
    if (i) buf_put_char(out, ',');
    mock_vector_put(out, own->texts[i], own->dimensions);
  }
  buf_printf(out, "],\"total_duration\":%llu,\"load_duration\":%d,\"prompt_eval_count\":%llu}",
             (unsigned long long)(LOAD_NS + a->prompt_tokens * PROMPT_TOKEN_NS), LOAD_NS,
             (unsigned long long)a->prompt_tokens);
}

static void reply_embeddings(const struct mock_answer *a, struct buf *out) {
  PUT(out, "{\"embedding\":");
  mock_vector_put(out, own_of(a)->texts[0], 0);
  buf_put_char(out, '}');
}

/* --- streams ------------------------------------------------------------------------------------------------------ */

static void put_event(const struct mock_answer *a, struct str start, const struct mock_step *step,
                      struct mock_progress *at, struct buf *out, bool is_chat) {
  struct said said = {0};
  switch (step->kind) {
    case MOCK_STEP_REASONING:
      if (own_of(a)->is_silent) return;
      said.thinking = step->piece;
      break;
    case MOCK_STEP_TEXT:
    case MOCK_STEP_REFUSAL: said.text = step->piece; break;
    case MOCK_STEP_START:
      if (!step->opens_tool) return;
      said.to = 1;
      break;
    case MOCK_STEP_TOOL_OPEN:
      said.from = step->tool;
      said.to = step->tool + 1;
      break;
    case MOCK_STEP_FINISH: break;
    default: return;
  }
  if (said.to && !is_chat) return;
  at->events++;
  buf_put(out, start);
  put_said(out, a, &said, is_chat);
  if (step->kind == MOCK_STEP_FINISH)
    put_done(out, a, is_chat);
  else
    PUT(out, ",\"done\":false}");
  buf_put_char(out, '\n');
}

static void event_chat(const struct mock_answer *a, struct str start, const struct mock_step *step,
                       struct mock_progress *at, struct buf *out) {
  put_event(a, start, step, at, out, true);
}

static void event_generate(const struct mock_answer *a, struct str start, const struct mock_step *step,
                           struct mock_progress *at, struct buf *out) {
  put_event(a, start, step, at, out, false);
}

/* --- errors ------------------------------------------------------------------------------------------------------- */

#define ROW(status_, message_) .status = status_, .message = TEXT(message_)
const struct mock_error mock_ollama_errors[MOCK_OLLAMA_ERROR_ROWS] = {
    {ROW(400, "invalid request")},
    {ROW(401, "unauthorized")},
    {ROW(403, "this model requires a subscription, upgrade for access")},
    {ROW(404, "model not found, try pulling it first")},
    {ROW(429, "too many concurrent requests")},
    {ROW(429, "you have reached your usage limit"), .words = MOCK_WORDS_QUOTA},
    {ROW(400, "the input length exceeds the context length"), .words = MOCK_WORDS_CONTEXT},
    {ROW(503, "server busy, please try again.  maximum pending requests exceeded")},
    {ROW(500, "an error was encountered while running the model: unexpected EOF")},
};

void mock_ollama_error(const struct mock_error *e, struct buf *out) {
  PUT(out, "{\"error\":");
  buf_put_json(out, e->message);
  buf_put_char(out, '}');
}

void mock_ollama_error_event(const struct mock_error *e, struct mock_progress *at, struct buf *out) {
  at->events++;
  mock_ollama_error(e, out);
  buf_put_char(out, '\n');
}

void mock_ollama_broken_event(struct mock_progress *at, struct buf *out) {
  at->events++;
  PUT(out, "{\"model\":\"broken\",\"message\":{\"role\":\n");
}

/* --- models ------------------------------------------------------------------------------------------------------- */

#define DETAILS                                                                                                     \
  "\"details\":{\"parent_model\":\"\",\"format\":\"gguf\",\"family\":\"mock\",\"families\":[\"mock\"],\"parameter_" \
  "size\":"                                                                                                         \
  "\"1B\",\"quantization_level\":\"Q4_K_M\"}"
#define DIGEST "6d6f636b6d6f636b6d6f636b6d6f636b6d6f636b6d6f636b6d6f636b6d6f636b"

/* A name's tag stands behind the last '/': what comes before may be a host with a port. */
static bool has_tag(struct str id) {
  struct str rest = id, head;
  while (str_cut(rest, '/', &head, &rest)) continue;
  return str_find_char(head, ':') != SIZE_MAX;
}

static void put_name(struct buf *out, struct str id) {
  struct buf name;
  buf_init(&name, 0);
  buf_put(&name, id);
  if (!has_tag(id)) PUT(&name, ":latest");
  PUT(out, "\"name\":");
  buf_put_json(out, buf_str(&name));
  PUT(out, ",\"model\":");
  buf_put_json(out, buf_str(&name));
  buf_put_char(out, ',');
  buf_clear(&name);
}

static void models(const struct str *ids, size_t n, struct buf *out) {
  PUT(out, "{\"models\":[");
  for (size_t i = 0; i < n; i++) {
    buf_put(out, i ? STR(",{") : STR("{"));
    put_name(out, ids[i]);
    PUT(out, "\"modified_at\":\"2026-01-01T00:00:00Z\",\"size\":1000000000,\"digest\":\"" DIGEST "\"," DETAILS "}");
  }
  PUT(out, "]}");
}

static void reply_ps(const struct mock_answer *a, struct buf *out) {
  (void)a;
  PUT(out, "{\"models\":[{");
  put_name(out, STR("mock-small"));
  PUT(out, "\"size\":1000000000,\"digest\":\"" DIGEST "\"," DETAILS
           ",\"expires_at\":\"2038-01-01T00:00:00Z\",\"size_vram\":1000000000,\"context_length\":8192}]}");
}

static void reply_version(const struct mock_answer *a, struct buf *out) {
  (void)a;
  PUT(out, "{\"version\":\"0.12.6\"}");
}

static void reply_show(const struct mock_answer *a, struct buf *out) {
  (void)a;
  PUT(out,
      "{\"license\":\"MIT\",\"modelfile\":\"FROM mock\",\"parameters\":\"num_ctx 8192\",\"template\":\"{{ .Prompt "
      "}}\"," DETAILS
      ",\"model_info\":{\"general.architecture\":\"mock\",\"general.parameter_count\":1000000000,"
      "\"mock.context_length\":8192,\"mock.embedding_length\":16},\"capabilities\":[\"completion\",\"tools\","
      "\"thinking\",\"vision\"],\"modified_at\":\"2026-01-01T00:00:00Z\"}");
}

#define SHARED .json_type = TEXT("application/json; charset=utf-8"), MOCK_OLLAMA_ERRORS

#define STREAMS .stream_type = TEXT("application/x-ndjson"), .head = head

const struct mock_dialect mock_ollama = {
    SHARED,
    STREAMS,
    .name = TEXT("ollama"),
    .prefix = TEXT("/api/"),
    .scan = mock_ollama_scan_chat,
    .reply = reply_chat,
    .event = event_chat,
    .models = models,
};

const struct mock_dialect mock_ollama_generate = {
    SHARED,
    STREAMS,
    .name = TEXT("ollama-generate"),
    .scan = mock_ollama_scan_generate,
    .reply = reply_generate,
    .event = event_generate,
};

#define WHOLE(operation, reads)                                                                    \
  const struct mock_dialect mock_ollama_##operation = {SHARED, .name = TEXT("ollama-" #operation), \
                                                       .scan = mock_ollama_scan_##reads, .reply = reply_##operation}

WHOLE(embed, embed);
WHOLE(embeddings, embeddings);
WHOLE(show, show);
WHOLE(ps, none);
WHOLE(version, none);
