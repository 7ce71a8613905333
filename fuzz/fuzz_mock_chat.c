/* links: mock */
/* Any body through the mock's chat dialect: quick scan, parse, plan from model and tag, answer, reply and stream.
 * Bodies that the parser takes must be taken by the quick scan too, and replies must be JSON. */
#include <stdlib.h>
#include <yyjson.h>

#include "mock/mock_dialect.h"

static void check_json(struct str text) {
  yyjson_doc *doc = yyjson_read(text.p, text.n, 0);
  if (!doc) abort();
  yyjson_doc_free(doc);
}

static void stream(const struct mock_answer *a) {
  struct buf head, out;
  struct mock_steps steps = {0};
  struct mock_step step;
  struct mock_progress at = {0};
  buf_init(&head, 0);
  buf_init(&out, 0);
  mock_openai_chat.head(a, &head);
  while (mock_steps_next(&steps, a, &step)) {
    buf_reset(&out);
    mock_openai_chat.event(a, buf_str(&head), &step, &at, &out);
    if (step.kind != MOCK_STEP_DONE) check_json(str_sub(buf_str(&out), 6, out.n - 2));
  }
  buf_clear(&head);
  buf_clear(&out);
}

static void answer(struct mock_request *q, struct arena *arena) {
  static struct mock_prose prose;
  struct mock_options options = {.seed = 1};
  struct mock_plan plan = mock_plan_default(&options);
  struct mock_answer a = {.model = q->scan.model};
  struct str tag;
  struct buf out;
  mock_plan_apply(&plan, q->scan.model);
  if (mock_plan_tag(q->user_text, &tag)) mock_plan_apply(&plan, tag);
  if (plan.chunks > 64) plan.chunks = 64;
  if (plan.reply_bytes > 65536) plan.reply_bytes = 65536;
  mock_prose_init(&prose, 1);
  memset(a.id, 'a', sizeof a.id);
  if (mock_answer_build(&a, &plan, q, &options, &prose, arena)) return;
  buf_init(&out, 0);
  mock_openai_chat.reply(&a, &out);
  check_json(buf_str(&out));
  buf_clear(&out);
  stream(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct arena arena;
  struct mock_request q = {.body = {(const char *)data, size}};
  struct mock_error fault = {0};
  arena_init(&arena, 0);
  bool is_scanned = mock_openai_chat.scan(&q, &arena, &fault);
  if (mock_openai_chat.parse(&q, &arena, &fault)) {
    if (!is_scanned && !fault.status) abort();
    if (is_scanned) answer(&q, &arena);
  }
  arena_clear(&arena);
  return 0;
}
