/* links: mock */
/* Any body through the mock's Responses, completions and embeddings: whatever is taken must be answered with JSON,
 * whole and streamed, also as the next turn of what was kept. */
#include <stdlib.h>
#include <yyjson.h>

#include "mock/mock_dialect.h"
#include "mock/mock_stored.h"

static struct mock_stored stored;

static void check_json(struct str text) {
  yyjson_doc *doc = yyjson_read(text.p, text.n, 0);
  if (!doc) abort();
  yyjson_doc_free(doc);
}

/* The data of each event; the completions' last is no JSON. */
static void check_events(struct str events) {
  while (events.n) {
    size_t end = str_find(events, STR("\n\n")), from = str_find(events, STR("data: "));
    if (end == SIZE_MAX || from > end) abort();
    struct str data = str_sub(events, from + 6, end);
    if (!str_eq(data, STR("[DONE]"))) check_json(data);
    events = str_sub(events, end + 2, events.n);
  }
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
  check_events(buf_str(&out));
  buf_clear(&head);
  buf_clear(&out);
}

static void answer(const struct mock_dialect *d, struct mock_request *q, struct arena *arena) {
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
  d->reply(&a, &out);
  check_json(buf_str(&out));
  buf_clear(&out);
  if (d->event) stream(d, &a);
}

static void run(const struct mock_dialect *d, struct str body) {
  struct arena arena;
  struct mock_request q = {.body = body, .seed = 1, .stored = &stored};
  struct mock_error fault = {0};
  arena_init(&arena, 0);
  if (d->scan(&q, &arena, &fault)) {
    answer(d, &q, &arena);
  } else {
    struct mock_error whole = mock_dialect_error(d, &fault);
    struct buf out;
    buf_init(&out, 0);
    d->error(&whole, &out);
    check_json(buf_str(&out));
    buf_clear(&out);
  }
  arena_clear(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct str body = {(const char *)data, size};
  mock_stored_init(&stored);
  run(&mock_openai_responses, body);
  run(&mock_openai_responses, body); /* which may name resp_aaa…, kept by the first */
  mock_stored_destroy(&stored);
  run(&mock_openai_completions, body);
  run(&mock_openai_embeddings, body);
  return 0;
}
