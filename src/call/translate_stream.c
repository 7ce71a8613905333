/* Streams of a translated call, frame by frame, and of a relayed one that is watched: see translate.h. What an event
 * becomes goes into the buffer of the frame in hand; nothing is kept but what decoder, filter and encoder hold. */
#include "call/translate.h"

enum { CHOICES_MAX = 64 /* whose ends are told apart */ };

/* Something that a caller would call content: from here on no other attempt. */
static bool is_content(const struct event *e) {
  if (e->kind == EVENT_DELTA) return e->bytes.n > 0;
  return e->kind == EVENT_OPEN && e->part_kind != PART_TEXT && e->part_kind != PART_REASONING &&
         e->part_kind != PART_REASONING_SUMMARY && e->part_kind != PART_REFUSAL;
}

static void *state_of(struct arena *a, size_t bytes) { return arena_zalloc(a, bytes ? bytes : 1); }

static enum err begin(struct translation *t, struct call *c, const struct deployment *d, const struct dialect *target,
                      const struct text_filter_options *filter) {
  *t = (struct translation){.call = c, .deployment = d, .target = target, .choices = 1};
  t->x = translate_exchange(c, d, true);
  t->pool.joins_halves = true;
  t->has_filter = text_filter_is_wanted(filter);
  text_filter_init(&t->filter, c->arena, filter);
  t->decoder = state_of(c->arena, target->decoder_bytes);
  return t->decoder ? OK : ERR_NO_MEMORY;
}

static bool has_all_stopped(const struct translation *t) {
  return (unsigned)__builtin_popcountll(t->stopped) >= t->choices;
}

static unsigned choices_of(const struct request *r) {
  uint64_t choices;
  if (!str_to_u64(r->choices, &choices) || choices == 0) return 1;
  return choices < CHOICES_MAX ? (unsigned)choices : CHOICES_MAX;
}

enum err translation_begin(struct translation *t, struct call *c, const struct deployment *d, const struct codec *codec,
                           struct err_info *info) {
  struct text_filter_options o = codec->filter;
  const struct request *r;
  enum err e = translate_tools(c, &r, info); /* a relayed request was not decoded yet */
  if (e) return e;
  o.tool_text = o.tool_text && r->tool_count && r->tool_choice != TOOL_CHOICE_NONE;
  e = begin(t, c, d, codec->target, &o);
  t->choices = choices_of(r);
  t->encoder = state_of(c->arena, c->dialect->encoder_bytes);
  return e ? e : t->encoder ? OK : ERR_NO_MEMORY;
}

enum err translation_watch(struct translation *t, struct call *c, const struct deployment *d,
                           const struct codec *codec) {
  const struct text_filter_options *filter = &codec->filter;
  enum err e = begin(t, c, d, c->dialect, filter);
  if (e || (!filter->tool_text && !filter->think)) return e;
  t->encoder = state_of(c->arena, c->dialect->encoder_bytes);
  return t->encoder ? OK : ERR_NO_MEMORY;
}

void translation_take_over(struct translation *t) {
  const struct request *r = t->call->canonical;
  if (r && choices_of(r) > t->choices) t->choices = choices_of(r);
  t->saw_stop = has_all_stopped(t);
}

void translation_clear(struct translation *t) {
  text_filter_clear(&t->filter);
  signature_watch_clear(&t->watch);
  json_pool_clear(&t->pool);
}

/* A frame goes out whole or not at all: what an event that failed has left behind would run into the error's frame. */
static enum err encode(struct translation *t, const struct event *event, struct err_info *info) {
  size_t before = t->out->n;
  if (!t->encoder) return OK;
  t->x.request = t->call->canonical; /* beside a relay it is decoded when it is needed */
  enum err e = t->call->dialect->encode_event(t->encoder, &t->x, event, t->out, info);
  if (!e && !t->out->failed) return OK;
  t->out->n = before;
  if (!t->out->failed) return e;
  return err_set(info, ERR_UPSTREAM_TOO_LARGE, "the provider's answer is larger than can be passed on");
}

/* Where the caller has to be told of usage and no provider has. */
static enum err tell_estimate(struct translation *t, struct err_info *info) {
  struct call *c = t->call;
  if (!c->dialect->must_tell_usage || usage_has(&c->outcome.usage, USAGE_OUTPUT)) return OK;
  attempt_estimate(c, t->deployment);
  return encode(t, &(struct event){.kind = EVENT_USAGE, .usage = &c->outcome.usage}, info);
}

/* True once every choice that was asked for, or has begun, has ended. */
static bool note_choice(struct translation *t, const struct event *event) {
  unsigned choice = event->choice < CHOICES_MAX ? event->choice : CHOICES_MAX - 1;
  if (choice + 1 > t->choices) t->choices = choice + 1;
  if (event->kind == EVENT_STOP) t->stopped |= UINT64_C(1) << choice;
  return has_all_stopped(t);
}

static enum err take_filtered(void *arg, const struct event *event, struct err_info *info) {
  struct translation *t = arg;
  switch (event->kind) {
    case EVENT_USAGE:
      answer_merge_usage(&t->events->usage, event->usage);
      events_add(t->events, EVENT_USAGE);
      attempt_note(t->call, event->usage);
      break;
    case EVENT_OPEN:
    case EVENT_STOP: t->saw_stop = note_choice(t, event); break;
    case EVENT_END: t->is_ended = true; break;
    default: break;
  }
  /* Within one dialect signatures are the caller's own business. */
  if (t->target != t->call->dialect) signature_watch_event(&t->watch, t->call, event);
  if (is_content(event)) events_add(t->events, EVENT_DELTA);
  if (event->kind == EVENT_STOP || event->kind == EVENT_END) events_add(t->events, event->kind);
  if (t->is_ended && event->kind != EVENT_END) return OK;
  enum err e = t->is_ended ? tell_estimate(t, info) : OK;
  return e ? e : encode(t, event, info);
}

static enum err take_event(void *arg, const struct event *event, struct err_info *info) {
  struct translation *t = arg;
  const struct event_sink sink = {t, take_filtered};
  if (t->is_ended && event->kind != EVENT_USAGE) return OK;
  if (event->kind == EVENT_ERROR)
    return translate_provider_error(t->deployment, (struct http_headers){0}, event->bytes, info);
  if (event->kind == EVENT_DELTA) translate_count_words(t->call, event);
  t->saw_content = t->saw_content || is_content(event);
  struct event own;
  if (!(event = call_ids_tell_apart(&t->ids, &t->x, event, &own))) return ERR_NO_MEMORY;
  return t->has_filter ? text_filter_put(&t->filter, event, &sink, info) : take_filtered(t, event, info);
}

enum err translation_frame(struct translation *t, const struct frame *frame, struct events *events, struct buf *out,
                           struct err_info *info) {
  const struct event_sink sink = {t, take_event};
  *events = (struct events){0};
  t->events = events;
  t->out = out;
  if (!frame->has_data && !frame->is_error) return OK;
  return t->target->decode_frame(t->decoder, &t->x, &t->pool, frame, &sink, info);
}

enum err translation_end(struct translation *t, struct events *events, struct buf *out, struct err_info *info) {
  const struct event_sink sink = {t, take_event};
  *events = (struct events){0};
  t->events = events;
  t->out = out;
  enum err e = t->is_ended || !t->target->decode_end ? OK : t->target->decode_end(t->decoder, &t->x, &sink, info);
  if (e || t->is_ended) return e;
  return err_set(info, ERR_UPSTREAM_CUT, "the provider's stream ended before the answer was complete");
}

enum err translation_finish(struct translation *t, struct buf *out, struct err_info *info) {
  t->out = out;
  if (t->is_ended) return OK;
  t->is_ended = true;
  enum err e = tell_estimate(t, info);
  return e ? e : encode(t, &(struct event){.kind = EVENT_END}, info);
}

enum err translation_release(struct translation *t, struct buf *out, struct err_info *info) {
  const struct event_sink sink = {t, take_filtered};
  struct events events = {0};
  t->events = &events;
  t->out = out;
  return t->has_filter && !t->is_ended ? text_filter_release(&t->filter, &sink, info) : OK;
}

void call_put_stream_error(const struct call *c, enum err e, const struct err_info *info, struct buf *out) {
  const struct dialect *d = c->dialect;
  const struct translation *t = c->translation;
  if (t && c->sink.has_content(c->sink.arg) && d->encode_error)
    d->encode_error(t->encoder, &t->x, e, info, out);
  else if (t && t->x.is_array && d->put_array_error && c->sink.has_content(c->sink.arg))
    d->put_array_error(out, e, info);
  else if (!t && c->relayed && d->put_relay_error)
    d->put_relay_error(c->relayed, e, info, out);
  else
    d->put_stream_error(out, e, info);
}
