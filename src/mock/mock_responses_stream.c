/* The stream of a response: every event has a sequence_number, an item opens with its first piece and closes before the
 * next one opens. mock_progress.block is the output_index of the open item or of the next. */
#include "mock/mock_json.h"
#include "mock/mock_responses.h"

static void begin(struct mock_progress *at, struct str type, struct buf *out) {
  PUT(out, "event: ");
  buf_put(out, type);
  PUT(out, "\ndata: {\"type\":\"");
  buf_put(out, type);
  PUT(out, "\",\"sequence_number\":");
  buf_put_u64(out, at->events++);
}

static void end(struct buf *out) { PUT(out, "}\n\n"); }

static struct mock_responses_item item_at(const struct mock_answer *a, const struct mock_progress *at) {
  struct mock_responses_item item = {0};
  (void)mock_responses_item_at(a, at->block, &item);
  return item;
}

/* The members that say where an event belongs. */
static void put_place(const struct mock_answer *a, const struct mock_progress *at, struct buf *out) {
  struct mock_responses_item item = item_at(a, at);
  PUT(out, ",\"item_id\":");
  mock_responses_put_id(a, item, out);
  PUT(out, ",\"output_index\":");
  buf_put_u64(out, at->block);
  if (item.kind == MOCK_STEP_REASONING) PUT(out, ",\"summary_index\":0");
  if (item.kind == MOCK_STEP_TEXT || item.kind == MOCK_STEP_REFUSAL) PUT(out, ",\"content_index\":0");
}

static void put_object_event(const struct mock_answer *a, struct str type, enum mock_responses_status status,
                             const struct mock_error *why, struct mock_progress *at, struct buf *out) {
  begin(at, type, out);
  PUT(out, ",\"response\":");
  mock_responses_put(a, status, why, out);
  end(out);
}

static void put_item_event(const struct mock_answer *a, bool is_done, struct mock_progress *at, struct buf *out) {
  begin(at, is_done ? STR("response.output_item.done") : STR("response.output_item.added"), out);
  PUT(out, ",\"output_index\":");
  buf_put_u64(out, at->block);
  PUT(out, ",\"item\":");
  mock_responses_put_item(a, item_at(a, at), is_done, out);
  end(out);
}

/* How the parts of an item are said. */
#define TEXT(literal) \
  { literal, sizeof(literal) - 1 }
static const struct words {
  struct str added, delta, done, text_key, part_done;
} summary_words = {TEXT("response.reasoning_summary_part.added"), TEXT("response.reasoning_summary_text.delta"),
                   TEXT("response.reasoning_summary_text.done"), TEXT(",\"text\":"),
                   TEXT("response.reasoning_summary_part.done")},
  text_words = {TEXT("response.content_part.added"), TEXT("response.output_text.delta"),
                TEXT("response.output_text.done"), TEXT(",\"text\":"), TEXT("response.content_part.done")},
  refusal_words = {TEXT("response.content_part.added"), TEXT("response.refusal.delta"), TEXT("response.refusal.done"),
                   TEXT(",\"refusal\":"), TEXT("response.content_part.done")},
  function_words = {{0},
                    TEXT("response.function_call_arguments.delta"),
                    TEXT("response.function_call_arguments.done"),
                    TEXT(",\"arguments\":"),
                    {0}},
  custom_words = {{0},
                  TEXT("response.custom_tool_call_input.delta"),
                  TEXT("response.custom_tool_call_input.done"),
                  TEXT(",\"input\":"),
                  {0}};

static const struct words *words_of(const struct mock_answer *a, struct mock_responses_item item) {
  switch (item.kind) {
    case MOCK_STEP_REASONING: return &summary_words;
    case MOCK_STEP_REFUSAL: return &refusal_words;
    case MOCK_STEP_TOOL_OPEN: return a->tools[item.tool].is_custom ? &custom_words : &function_words;
    default: return &text_words;
  }
}

static struct str text_of(const struct mock_answer *a, struct mock_responses_item item) {
  switch (item.kind) {
    case MOCK_STEP_REASONING: return a->reasoning;
    case MOCK_STEP_REFUSAL: return a->refusal;
    case MOCK_STEP_TOOL_OPEN: return a->tools[item.tool].arguments;
    default: return a->text;
  }
}

/* A search, and reasoning without a summary, have no parts. */
static bool is_silent(const struct mock_answer *a, struct mock_responses_item item) {
  return item.kind == MOCK_STEP_SERVER_TOOL ||
         (item.kind == MOCK_STEP_REASONING && (a->reasoning.n == 0 || !mock_responses_of(a)->has_summary));
}

static void put_part_event(const struct mock_answer *a, struct str type, bool is_done, struct mock_progress *at,
                           struct buf *out) {
  begin(at, type, out);
  put_place(a, at, out);
  PUT(out, ",\"part\":");
  mock_responses_put_part(a, item_at(a, at).kind, is_done, out);
  end(out);
}

static void open_item(const struct mock_answer *a, struct mock_progress *at, struct buf *out) {
  struct mock_responses_item item = item_at(a, at);
  const struct words *words = words_of(a, item);
  put_item_event(a, false, at, out);
  if (words->added.n && !is_silent(a, item)) put_part_event(a, words->added, false, at, out);
  at->is_open = true;
  at->kind = item.kind;
}

static void close_item(const struct mock_answer *a, struct mock_progress *at, struct buf *out) {
  if (!at->is_open) return;
  struct mock_responses_item item = item_at(a, at);
  const struct words *words = words_of(a, item);
  if (!is_silent(a, item)) {
    begin(at, words->done, out);
    put_place(a, at, out);
    if (item.kind == MOCK_STEP_TEXT) PUT(out, ",\"logprobs\":[]");
    if (words == &function_words) {
      PUT(out, ",\"name\":");
      buf_put_json(out, a->tools[item.tool].name);
    }
    buf_put(out, words->text_key);
    buf_put_json(out, text_of(a, item));
    end(out);
    if (words->part_done.n) put_part_event(a, words->part_done, true, at, out);
  }
  put_item_event(a, true, at, out);
  at->is_open = false;
  at->block++;
}

static void put_delta(const struct mock_answer *a, struct str piece, struct mock_progress *at, struct buf *out) {
  struct mock_responses_item item = item_at(a, at);
  if (is_silent(a, item)) return;
  begin(at, words_of(a, item)->delta, out);
  put_place(a, at, out);
  PUT(out, ",\"delta\":");
  if (item.kind == MOCK_STEP_TEXT)
    mock_json_put_text(out, a, piece);
  else
    buf_put_json(out, piece);
  if (item.kind == MOCK_STEP_TEXT) PUT(out, ",\"logprobs\":[]");
  if (a->has_obfuscation) PUT(out, ",\"obfuscation\":\"q1ZrXw\"");
  end(out);
}

static void put_search(const struct mock_answer *a, struct mock_progress *at, struct buf *out) {
  static const struct str states[] = {TEXT("response.web_search_call.in_progress"),
                                      TEXT("response.web_search_call.searching"),
                                      TEXT("response.web_search_call.completed")};
  close_item(a, at, out);
  open_item(a, at, out);
  for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
    begin(at, states[i], out);
    put_place(a, at, out);
    end(out);
  }
}

static void put_citation(const struct mock_answer *a, struct mock_progress *at, struct buf *out) {
  begin(at, STR("response.output_text.annotation.added"), out);
  put_place(a, at, out);
  PUT(out, ",\"annotation_index\":0,\"annotation\":");
  mock_responses_put_citation(a, out);
  end(out);
}

static void finish(const struct mock_answer *a, struct mock_progress *at, struct buf *out) {
  bool is_cut = a->finish == MOCK_FINISH_LENGTH || a->finish == MOCK_FINISH_FILTER;
  close_item(a, at, out);
  put_object_event(a, is_cut ? STR("response.incomplete") : STR("response.completed"), MOCK_RESPONSES_ENDED, NULL, at,
                   out);
}

void mock_responses_event(const struct mock_answer *a, struct str head, const struct mock_step *step,
                          struct mock_progress *at, struct buf *out) {
  (void)head;
  switch (step->kind) {
    case MOCK_STEP_START:
      put_object_event(a, STR("response.created"), MOCK_RESPONSES_BEGUN, NULL, at, out);
      put_object_event(a, STR("response.in_progress"), MOCK_RESPONSES_BEGUN, NULL, at, out);
      if (step->opens_tool) open_item(a, at, out);
      break;
    case MOCK_STEP_TOOL_OPEN:
      close_item(a, at, out);
      open_item(a, at, out);
      break;
    case MOCK_STEP_REDACTED:
      close_item(a, at, out);
      open_item(a, at, out);
      break;
    case MOCK_STEP_SERVER_TOOL: put_search(a, at, out); break;
    case MOCK_STEP_CITATION: put_citation(a, at, out); break;
    case MOCK_STEP_REASONING:
    case MOCK_STEP_TEXT:
    case MOCK_STEP_REFUSAL:
      if (!at->is_open || at->kind != step->kind) {
        close_item(a, at, out);
        open_item(a, at, out);
      }
      put_delta(a, step->piece, at, out);
      break;
    case MOCK_STEP_TOOL_ARGUMENTS: put_delta(a, step->piece, at, out); break;
    case MOCK_STEP_FINISH: finish(a, at, out); break;
    case MOCK_STEP_USAGE:
    case MOCK_STEP_DONE:
    case MOCK_STEP_END: break;
  }
}

void mock_responses_error_event(const struct mock_error *e, struct mock_progress *at, struct buf *out) {
  begin(at, STR("error"), out);
  PUT(out, ",\"code\":");
  buf_put_json(out, e->code.n ? e->code : e->type);
  PUT(out, ",\"message\":");
  buf_put_json(out, e->message);
  PUT(out, ",\"param\":null");
  end(out);
}

void mock_responses_failed_event(const struct mock_answer *a, const struct mock_error *e, struct mock_progress *at,
                                 struct buf *out) {
  put_object_event(a, STR("response.failed"), MOCK_RESPONSES_FAILED, e, at, out);
}

void mock_responses_broken_event(struct mock_progress *at, struct buf *out) {
  begin(at, STR("response.output_text.delta"), out);
  PUT(out, ",\"delta\":\n\n");
}
