/* An answer that no provider gives: see call_run_fixed (call/call.h). The request is decoded as for a translation, so
 * that one that is no request is refused here as elsewhere; then the caller's dialect is given the events of a plain
 * text. What a stream is made of goes out in one write. Lives in the exchange's arena. */
#include "call/translate.h"

enum { OUT_MAX = 1 << 20 }; /* bytes of a whole stream: the request's choices times a short text */

static enum err put(const struct event_sink *sink, const struct event *event, enum err e, struct err_info *info) {
  return e ? e : event_put(sink, event, info);
}

/* The events of the answer, in the order that llm/event.h asks for. */
static enum err put_events(const struct call *c, const struct fixed_answer *answer, unsigned choices,
                           const struct event_sink *sink, struct err_info *info) {
  enum err e = put(sink, &(struct event){.kind = EVENT_START, .name = c->plan->v[0]->model}, OK, info);
  for (unsigned i = 0; i < choices; i++) {
    struct event event = {.kind = EVENT_OPEN, .part = i, .choice = i, .part_kind = PART_TEXT};
    e = put(sink, &event, e, info);
    event.kind = EVENT_DELTA;
    event.bytes = answer->text;
    e = put(sink, &event, e, info);
    event.kind = EVENT_CLOSE;
    event.bytes = STR_NONE;
    e = put(sink, &event, e, info);
  }
  e = put(sink, &(struct event){.kind = EVENT_USAGE, .usage = &answer->usage}, e, info);
  for (unsigned i = 0; i < choices; i++)
    e = put(sink, &(struct event){.kind = EVENT_STOP, .choice = i, .reason = STOP_END}, e, info);
  return put(sink, &(struct event){.kind = EVENT_END}, e, info);
}

struct writer {
  const struct dialect *dialect;
  struct dialect_exchange x;
  void *state;
  struct buf out;
};

static enum err write_event(void *arg, const struct event *event, struct err_info *info) {
  struct writer *w = arg;
  return w->dialect->encode_event(w->state, &w->x, event, &w->out, info);
}

static enum err send_stream(struct call *c, const struct fixed_answer *answer, unsigned choices,
                            struct err_info *info) {
  struct writer *w = ARENA_NEW(c->arena, struct writer);
  if (!w) return ERR_NO_MEMORY;
  *w = (struct writer){.dialect = c->dialect,
                       .x = translate_exchange(c, c->plan->v[0], true),
                       .state = arena_zalloc(c->arena, c->dialect->encoder_bytes + 1)};
  if (!w->state) return ERR_NO_MEMORY;
  buf_init(&w->out, OUT_MAX);
  enum err e = put_events(c, answer, choices, &(struct event_sink){w, write_event}, info);
  if (!e && w->out.failed) e = ERR_NO_MEMORY;
  if (!e) e = c->sink.write(c->sink.arg, buf_str(&w->out), true);
  buf_clear(&w->out);
  return e;
}

static enum err make_whole(struct call *c, const struct fixed_answer *answer, unsigned choices, struct err_info *info) {
  struct answer *whole = arena_alloc(c->arena, sizeof *whole);
  if (!whole) return ERR_NO_MEMORY;
  struct dialect_exchange x = translate_exchange(c, c->plan->v[0], false);
  answer_init(whole, c->arena, 0);
  const struct event_sink sink = answer_sink(whole);
  enum err e = put_events(c, answer, choices, &sink, info);
  if (!e) c->dialect->encode_reply(&x, whole, &c->reply);
  answer_clear(whole);
  return e ? e : c->reply.failed ? ERR_NO_MEMORY : OK;
}

enum err fixed_answer(struct call *c, const struct fixed_answer *answer, struct err_info *info) {
  uint64_t choices = 1;
  if (c->request->operation == LLM_EMBED)
    return err_set_param(info, ERR_UNSUPPORTED, "model", "the model \"%.*s\" answers with text, not with vectors",
                         STR_ARG(c->plan->v[0]->model));
  if (c->request->operation == LLM_COUNT_TOKENS) return translate_count(c, c->plan->v[0], info);
  enum err e = translate_decode(c, info);
  if (e) return e;
  if (c->canonical->choices.n && (!str_to_u64(c->canonical->choices, &choices) || choices == 0)) choices = 1;
  if (choices > ANSWER_CHOICES_MAX)
    return dialect_refuse_member(c->canonical, "n", info, "so many choices are more than any model gives");
  c->outcome.usage = answer->usage;
  c->outcome.ttft_us = clock_mono_us() - c->outcome.started_us;
  return c->request->is_stream ? send_stream(c, answer, (unsigned)choices, info)
                               : make_whole(c, answer, (unsigned)choices, info);
}
