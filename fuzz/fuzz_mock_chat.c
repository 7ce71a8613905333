/* links: mock */
/* Any body through the mock's dialects: scan, parse, plan from model and tag, check, answer, reply and stream. A letter
 * as first byte picks the dialect and is no part of the body; other bodies are chat completions. Chat bodies that the
 * parser takes must be taken by the quick scan too; replies and what is in streams must be JSON.
 */
#include <stdlib.h>
#include <yyjson.h>

#include "mock/mock_dialect.h"

/* By letters, so that kept inputs mean the same when a dialect is added. */
static const struct mock_dialect *const dialects[] = {
    ['A' - 'A'] = &mock_anthropic,       ['B' - 'A'] = &mock_anthropic_count, ['C' - 'A'] = &mock_bedrock,
    ['D' - 'A'] = &mock_bedrock_stream,  ['E' - 'A'] = &mock_bedrock_count,   ['F' - 'A'] = &mock_gemini,
    ['G' - 'A'] = &mock_gemini_sse,      ['H' - 'A'] = &mock_gemini_array,    ['I' - 'A'] = &mock_gemini_count,
    ['J' - 'A'] = &mock_gemini_embed,    ['K' - 'A'] = &mock_gemini_batch,    ['L' - 'A'] = &mock_ollama,
    ['M' - 'A'] = &mock_ollama_generate, ['N' - 'A'] = &mock_ollama_embed,    ['O' - 'A'] = &mock_ollama_embeddings,
    ['P' - 'A'] = &mock_ollama_show,
};
enum { DIALECTS = sizeof dialects / sizeof dialects[0] };

static void check_json(struct str text) {
  yyjson_doc *doc = yyjson_read(text.p, text.n, 0);
  if (!doc) abort();
  yyjson_doc_free(doc);
}

/* The JSON that every line of a stream has, behind "data: " where it is one of events. */
static void check_lines(struct str text, struct str prefix) {
  struct str line;
  while (text.n) {
    str_cut(text, '\n', &line, &text);
    line = str_trim(line);
    if (line.n == 0 || !str_has_prefix(line, prefix)) continue;
    line = str_sub(line, prefix.n, line.n);
    if (!str_eq(line, STR("[DONE]"))) check_json(line);
  }
}

static void check_stream(const struct mock_dialect *d, struct str text) {
  if (str_has_prefix(d->stream_type, STR("text/event-stream")))
    check_lines(text, STR("data: "));
  else if (str_has_prefix(d->stream_type, STR("application/x-ndjson")))
    check_lines(text, STR_NONE);
  else if (str_has_prefix(d->stream_type, STR("application/json")))
    check_json(text);
}

static void stream(const struct mock_dialect *d, const struct mock_answer *a) {
  struct buf head, out;
  struct mock_steps steps = {0};
  struct mock_step step;
  struct mock_progress at = {0};
  buf_init(&head, 0);
  buf_init(&out, 0);
  if (d->head) d->head(a, &head);
  while (mock_steps_next(&steps, a, &step)) d->event(a, buf_str(&head), &step, &at, &out);
  check_stream(d, buf_str(&out));
  buf_clear(&head);
  buf_clear(&out);
}

static void answer(const struct mock_dialect *d, struct mock_request *q, struct arena *arena) {
  static struct mock_prose prose;
  struct mock_options options = {.seed = 1};
  struct mock_plan plan = mock_plan_default(&options);
  struct mock_answer a = {.model = q->scan.model};
  struct mock_error fault = {0};
  struct str tag;
  struct buf out;
  mock_plan_apply(&plan, q->scan.model);
  if (mock_plan_tag(q->user_text, &tag)) mock_plan_apply(&plan, tag);
  if (plan.chunks > 64) plan.chunks = 64;
  if (plan.reply_bytes > 65536) plan.reply_bytes = 65536;
  mock_prose_init(&prose, 1);
  memset(a.id, 'a', sizeof a.id);
  if (d->check && !d->check(q, &plan, arena, &fault)) return;
  if (mock_answer_build(&a, &plan, q, &options, &prose, arena)) return;
  buf_init(&out, 0);
  d->reply(&a, &out);
  check_json(buf_str(&out));
  buf_clear(&out);
  if (d->event) stream(d, &a);
}

static void say(const struct mock_dialect *d, const struct mock_error *fault) {
  struct mock_error whole = mock_dialect_error(d, fault);
  struct buf out;
  buf_init(&out, 0);
  d->error(&whole, &out);
  check_json(buf_str(&out));
  buf_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct arena arena;
  struct mock_request q = {.body = {(const char *)data, size}, .path = STR("/m"), .wildcard = STR("echo")};
  struct mock_error fault = {0};
  const struct mock_dialect *d = &mock_openai_chat;
  if (size && data[0] >= 'A' && data[0] < 'A' + DIALECTS) {
    d = dialects[data[0] - 'A'];
    q.body = str_sub(q.body, 1, size);
  }
  arena_init(&arena, 0);
  bool is_scanned = d->scan(&q, &arena, &fault);
  if (q.is_parsed || !d->parse ? is_scanned : d->parse(&q, &arena, &fault)) {
    if (!is_scanned && !fault.status) abort();
    if (is_scanned) answer(d, &q, &arena);
  }
  if (fault.status) say(d, &fault);
  arena_clear(&arena);
  return 0;
}
