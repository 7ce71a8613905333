/* Events as a Responses stream for this dialect's callers. Called through the dialect's table; the state stands in the
 * exchange's arena and collects the answer, since the closing events tell it all again. An item that further parts may
 * join (a message, thinking of several parts) is ended when the next item begins or the answer ends. */
#include "base/json_out.h"
#include "dialect/openai_responses/output.h"

struct state {
  struct answer answer;
  struct openai_responses_output output;
  struct event_sink sink;
  uint64_t sequence;
  bool is_ready, is_begun, is_ended;
};
_Static_assert(sizeof(struct state) <= OPENAI_RESPONSES_ENCODER_BYTES, "the table says how much room the state has");

/* ---- frames ---- */

static void begin_frame(struct state *s, struct buf *out, const char *type) {
  struct str t = str_from_c(type);
  buf_put(out, STR("event: "));
  buf_put(out, t);
  buf_put(out, STR("\ndata: {\"type\":\""));
  buf_put(out, t);
  buf_put(out, STR("\",\"sequence_number\":"));
  buf_put_u64(out, s->sequence++);
}

static void end_frame(struct buf *out) { buf_put(out, STR("}\n\n")); }

static void begin_item_frame(struct state *s, struct buf *out, const char *type, size_t item) {
  begin_frame(s, out, type);
  json_out_member_string(out, "item_id", s->output.items[item].id);
  json_out_member_i64(out, "output_index", (int64_t)item);
}

static void put_response_frame(struct state *s, struct buf *out, const char *type, const char *status, enum err error,
                               const struct err_info *info) {
  begin_frame(s, out, type);
  json_out_key(out, "response");
  openai_responses_put_response(out, &s->output, status, error, info);
  end_frame(out);
}

static void begin_response(struct state *s, struct buf *out) {
  if (s->is_begun) return;
  s->is_begun = true;
  put_response_frame(s, out, "response.created", "in_progress", OK, NULL);
  put_response_frame(s, out, "response.in_progress", "in_progress", OK, NULL);
}

static void put_item_frame(struct state *s, struct buf *out, const char *type, size_t item, const char *status) {
  begin_frame(s, out, type);
  json_out_member_i64(out, "output_index", (int64_t)item);
  json_out_key(out, "item");
  openai_responses_put_item(out, &s->output, item, status);
  end_frame(out);
}

static void finish_item(struct state *s, struct buf *out, size_t item, const char *status) {
  if (s->output.items[item].is_done) return;
  s->output.items[item].is_done = true;
  put_item_frame(s, out, "response.output_item.done", item, status);
}

/* ---- parts ---- */

/* The words of the events of each kind of part. */
struct part_words {
  const char *added, *delta, *text_done, *part_done, *text, *index;
};

static const struct part_words *words_of(const struct answer_part *p) {
  static const struct part_words text = {"response.content_part.added",
                                         "response.output_text.delta",
                                         "response.output_text.done",
                                         "response.content_part.done",
                                         "text",
                                         "content_index"};
  static const struct part_words refusal = {"response.content_part.added",
                                            "response.refusal.delta",
                                            "response.refusal.done",
                                            "response.content_part.done",
                                            "refusal",
                                            "content_index"};
  static const struct part_words thinking = {"response.content_part.added",
                                             "response.reasoning_text.delta",
                                             "response.reasoning_text.done",
                                             "response.content_part.done",
                                             "text",
                                             "content_index"};
  static const struct part_words summary = {"response.reasoning_summary_part.added",
                                            "response.reasoning_summary_text.delta",
                                            "response.reasoning_summary_text.done",
                                            "response.reasoning_summary_part.done",
                                            "text",
                                            "summary_index"};
  static const struct part_words call = {
      NULL, "response.function_call_arguments.delta", "response.function_call_arguments.done", NULL, "arguments", NULL};
  static const struct part_words custom = {
      NULL, "response.custom_tool_call_input.delta", "response.custom_tool_call_input.done", NULL, "input", NULL};
  switch (p->kind) {
    case PART_TEXT: return &text;
    case PART_REFUSAL: return &refusal;
    case PART_REASONING: return openai_responses_is_content(p) ? &thinking : &summary;
    case PART_REASONING_SUMMARY: return &summary;
    case PART_TOOL_CALL: return p->tool_kind == TOOL_CUSTOM ? &custom : &call;
    default: return NULL;
  }
}

static void put_place(struct state *s, struct buf *out, const struct part_words *words, uint32_t part) {
  if (words->index) json_out_member_i64(out, words->index, s->output.places[part].index);
}

static void put_delta(struct state *s, struct buf *out, uint32_t part, struct str bytes) {
  const struct answer_part *p = &s->answer.parts[part];
  const struct part_words *words = words_of(p);
  if (!words || !bytes.n) return;
  begin_item_frame(s, out, words->delta, s->output.places[part].item);
  put_place(s, out, words, part);
  json_out_member_string(out, "delta", bytes);
  if (p->kind == PART_TEXT) buf_put(out, STR(",\"logprobs\":[]"));
  end_frame(out);
}

static void put_annotation(struct state *s, struct buf *out, uint32_t part) {
  struct openai_responses_place *place = &s->output.places[part];
  begin_item_frame(s, out, "response.output_text.annotation.added", place->item);
  json_out_member_i64(out, "content_index", place->index);
  json_out_member_i64(out, "annotation_index", place->annotations);
  json_out_key(out, "annotation");
  openai_responses_annotations(&s->answer.parts[part], place->annotations++, out);
  end_frame(out);
}

/* Those that have not been told: of other APIs they are known in full only when their text is. */
static void put_annotations(struct state *s, struct buf *out, uint32_t part) {
  size_t n = openai_responses_annotations(&s->answer.parts[part], SIZE_MAX, NULL);
  while (s->output.places[part].annotations < n) put_annotation(s, out, part);
}

static void end_part(struct state *s, struct buf *out, uint32_t part) {
  struct answer_part *p = &s->answer.parts[part];
  const struct part_words *words = words_of(p);
  size_t item = s->output.places[part].item;
  if (!words) return;
  if (p->kind == PART_TOOL_CALL && p->tool_kind == TOOL_FUNCTION && !p->text.n) {
    buf_put(&p->text, STR("{}")); /* clients parse the arguments, be there none */
    put_delta(s, out, part, STR("{}"));
  }
  if (p->kind == PART_TEXT) put_annotations(s, out, part);
  begin_item_frame(s, out, words->text_done, item);
  put_place(s, out, words, part);
  json_out_member_string(out, words->text, buf_str(&p->text));
  if (p->kind == PART_TEXT) openai_responses_put_logprobs(out, &s->output, part, false);
  if (p->kind == PART_TOOL_CALL && p->tool_kind == TOOL_FUNCTION)
    json_out_member_string(out, "name", s->output.items[item].name);
  end_frame(out);
  if (!words->part_done) return;
  begin_item_frame(s, out, words->part_done, item);
  put_place(s, out, words, part);
  json_out_key(out, "part");
  openai_responses_put_part(out, &s->output, part, false);
  end_frame(out);
}

/* ---- events ---- */

static enum err open(struct state *s, const struct event *event, struct buf *out) {
  size_t before = s->output.item_count;
  enum err e = openai_responses_output_add(&s->output);
  if (e) return e;
  struct openai_responses_place *place = &s->output.places[event->part];
  if (place->item == UINT32_MAX) return OK;
  const struct part_words *words = words_of(&s->answer.parts[event->part]);
  if (s->output.item_count > before) {
    if (before && !s->output.items[before - 1].open) finish_item(s, out, before - 1, "completed");
    put_item_frame(s, out, "response.output_item.added", before, "in_progress");
  }
  if (!words || !words->added) return OK;
  begin_item_frame(s, out, words->added, place->item);
  put_place(s, out, words, event->part);
  json_out_key(out, "part");
  openai_responses_put_part(out, &s->output, event->part, true);
  end_frame(out);
  return OK;
}

static void close_part(struct state *s, uint32_t part, struct buf *out) {
  struct openai_responses_place *place = &s->output.places[part];
  if (place->item == UINT32_MAX) return;
  struct openai_responses_item *item = &s->output.items[place->item];
  end_part(s, out, part);
  item->open--;
  bool is_newest = place->item + 1 == s->output.item_count;
  bool may_grow = item->kind == ITEM_MESSAGE || (item->kind == ITEM_REASONING && item->source_id.n);
  if (!item->open && !(is_newest && may_grow)) finish_item(s, out, place->item, "completed");
}

static void close_open_parts(struct state *s, struct buf *out) {
  for (uint32_t i = 0; i < s->answer.part_count; i++) {
    if (s->answer.parts[i].is_closed) continue;
    s->answer.parts[i].is_closed = true;
    close_part(s, i, out);
  }
}

static void end(struct state *s, struct buf *out) {
  const char *status = openai_responses_final_status(&s->answer);
  bool is_cut = !str_eq(str_from_c(status), STR("completed"));
  begin_response(s, out);
  close_open_parts(s, out);
  for (size_t i = 0; i < s->output.item_count; i++)
    finish_item(s, out, i, is_cut && i + 1 == s->output.item_count ? "incomplete" : "completed");
  put_response_frame(s, out, is_cut ? "response.incomplete" : "response.completed", status, OK, NULL);
  s->is_ended = true;
}

static void clear(void *arg) { answer_clear(arg); }

static enum err make_ready(struct state *s, const struct dialect_exchange *x) {
  if (s->is_ready) return OK;
  answer_init(&s->answer, x->arena, 0);
  if (!arena_on_clear(x->arena, clear, &s->answer)) return ERR_NO_MEMORY;
  s->output = (struct openai_responses_output){.x = x, .answer = &s->answer};
  s->sink = answer_sink(&s->answer);
  s->is_ready = true;
  return OK;
}

enum err openai_responses_encode_event(void *state, const struct dialect_exchange *x, const struct event *event,
                                       struct buf *out, struct err_info *info) {
  struct state *s = state;
  enum err e = make_ready(s, x);
  if (e) return e;
  bool is_of_part = event->kind == EVENT_DELTA || event->kind == EVENT_ATTACH || event->kind == EVENT_CLOSE;
  uint64_t sequence = s->sequence;
  if (s->is_ended) return OK;
  if (is_of_part && event->part < s->answer.part_count && s->answer.parts[event->part].is_closed) return OK;
  if ((e = event_put(&s->sink, event, info))) return e;
  if (event->kind == EVENT_START || event->kind == EVENT_OPEN) begin_response(s, out);
  switch (event->kind) {
    case EVENT_OPEN: e = open(s, event, out); break;
    case EVENT_DELTA:
      if (s->output.places[event->part].item != UINT32_MAX) put_delta(s, out, event->part, event->bytes);
      break;
    case EVENT_ATTACH:
      if (event->attachment == ATTACH_CITATION && s->output.places[event->part].item != UINT32_MAX &&
          str_eq(event->dialect, OPENAI_RESPONSES))
        put_annotations(s, out, event->part);
      break;
    case EVENT_CLOSE: close_part(s, event->part, out); break;
    case EVENT_END: end(s, out); break;
    default: break;
  }
  if (!e && !out->failed) return OK;
  s->sequence = sequence; /* frames that had no room are not sent: the error's come in their place */
  s->is_ended = false;
  return e ? e : ERR_NO_MEMORY;
}

void openai_responses_encode_error(void *state, const struct dialect_exchange *x, enum err e,
                                   const struct err_info *info, struct buf *out) {
  struct state *s = state;
  if (make_ready(s, x)) {
    openai_responses_put_stream_error(out, e, info);
    return;
  }
  if (s->is_ended) return;
  s->is_ended = true;
  begin_response(s, out);
  openai_responses_put_error_frame(out, s->sequence++, e, info);
  put_response_frame(s, out, "response.failed", "failed", e, info);
}
