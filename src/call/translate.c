/* Translation: see translate.h. */
#include "call/translate.h"

#include <stdlib.h>
#include <yyjson.h>

#include "base/json.h"
#include "call/count.h"
#include "call/shape.h"
#include "io/pool.h"

enum {
  POOL_BYTES = 256 * 1024, /* a larger body is decoded and encoded off the loop */
  COUNT_POOL_BYTES = 32 * 1024,
  REPLY_FRAME_BYTES = 1024, /* what a reply has beside its words, in most dialects */
  CHOICES_MAX = 64          /* whose ends are told apart */
};

/* ---- the request ---- */

struct work {
  struct call *call;
  const struct dialect *target;
  struct dialect_target as;
  struct err_info *info;
  struct count_result count; /* of do_count */
  struct route_shape shape;  /* of do_shape */
  struct envelope_scan *scan;
  bool is_changed;
};

static void clear_arena(void *arena) { arena_clear(arena); }

static bool has_work_arena(struct call *c) {
  if (c->work) return true;
  if (c->body.n <= POOL_BYTES) {
    c->work = c->arena;
    return true;
  }
  struct arena *own = ARENA_NEW(c->arena, struct arena);
  if (!own) return false;
  arena_init(own, 0);
  if (!arena_on_clear(c->arena, clear_arena, own)) return false;
  c->work = own;
  return true;
}

static enum err decode(struct call *c, struct err_info *info) {
  struct json doc;
  struct request *r = ARENA_NEW(c->work, struct request);
  if (!r) return ERR_NO_MEMORY;
  enum err e = json_parse_copy(&doc, c->body, &(struct json_limits){.numbers_are_raw = true}, c->work, info);
  if (!e) e = c->dialect->decode_request(c->work, doc.root, c->request, r, info);
  if (e) return e;
  c->canonical = r;
  c->mended_for = NULL;
  return OK;
}

/* What other dialects want of a request and its own does not. */
static enum err mend(struct call *c, const struct dialect *target) {
  c->mended_for = target;
  enum err e = c->dialect->returns_pieces ? request_join_pieces(c->work, c->canonical) : OK;
  if (!e) e = request_pair_calls(c->work, c->canonical);
  return e ? e : signatures_restore(c, c->canonical, target);
}

static enum err do_work(void *arg) {
  struct work *w = arg;
  struct call *c = w->call;
  bool is_good = c->canonical && (!c->mended_for || c->mended_for == w->target);
  enum err e = is_good ? OK : decode(c, w->info);
  if (!e) e = reserve_limit_request(c);
  if (!e) e = caps_check(c->canonical, w->target->name, w->target->caps, &c->dialect->words, &c->dropped, w->info);
  if (!e && w->target != c->dialect) e = mend(c, w->target);
  buf_reset(&c->encoded);
  if (!e) e = w->target->encode_request(c->canonical, &w->as, c->work, &c->encoded, w->info);
  return e ? e : c->encoded.failed ? ERR_NO_MEMORY : OK;
}

static enum err do_decode(void *arg) {
  struct work *w = arg;
  return w->call->canonical ? OK : decode(w->call, w->info);
}

static enum err do_count(void *arg) {
  struct work *w = arg;
  w->count = count_request(w->call->canonical, w->as.model);
  return OK;
}

static void keep(void *arg) { (void)arg; } /* the work lies in the arena; the shield lets no one clear it too early */

/* Large bodies go to the pool. A cancel waits for the job, which holds the exchange's arena: milliseconds. */
static enum err run(enum err (*job)(void *), struct work *w, bool is_long) {
  enum err result = ERR_INTERNAL;
  if (!is_long) return job(w);
  fiber_shield_begin(DEADLINE_NONE);
  enum err e = fiber_await(POOL_CPU, job, w, keep, DEADLINE_NONE, &result);
  fiber_shield_end();
  if (e == ERR_BUSY) return job(w); /* every place in the queue is taken */
  return fiber_is_cancelled() ? ERR_CANCELLED : e ? e : result;
}

static enum err do_shape(void *arg) {
  struct work *w = arg;
  struct call *c = w->call;
  enum err e = shape_body(&w->shape, c->dialect, c->request->operation, c->body, c->work, &c->shaped, &w->is_changed,
                          &c->unshaped, w->info);
  if (e || !w->is_changed) return e;
  if (!(w->scan = arena_alloc(c->work, sizeof *w->scan))) return ERR_NO_MEMORY;
  return envelope_scan_whole(w->scan, c->dialect->request_table(), NULL, c->work, buf_str(&c->shaped), w->info);
}

/* Another body: what was decoded is not it. */
static void take_body(struct call *c, struct str body, const struct envelope_scan *scan) {
  c->body = body;
  c->scan = scan;
  c->canonical = NULL;
}

enum err translate_shape(struct call *c, const struct deployment *d, struct err_info *info) {
  struct route_shape shape;
  enum err e = route_names_shape(c->names, c->request->model, d, c->user, c->arena, &shape);
  if (e) return e;
  if (shape.is_closed)
    return err_set_param(info, ERR_BUSY, "model", "the model \"%.*s\" is closed for maintenance",
                         STR_ARG(str_cut_utf8(c->request->model, 120)));
  if (c->asked_body.n) take_body(c, c->asked_body, c->asked_scan);
  c->asked_body = STR_NONE;
  c->context_tokens = shape.context_tokens;
  caps_dropped_clear(&c->unshaped);
  caps_dropped_init(&c->unshaped);
  if (!shape_is_wanted(&shape, c->request->operation)) return OK;
  struct work *w = ARENA_NEW(c->arena, struct work);
  if (!w || !has_work_arena(c)) return ERR_NO_MEMORY;
  *w = (struct work){.call = c, .info = info, .shape = shape};
  e = run(do_shape, w, c->body.n > POOL_BYTES);
  if (!e) e = attempt_hold(c, 0, info);
  if (e || !w->is_changed) return e;
  c->asked_body = c->body;
  c->asked_scan = c->scan;
  take_body(c, buf_str(&c->shaped), w->scan);
  return OK;
}

enum err translate_request(struct call *c, const struct deployment *d, const struct dialect *target, bool ask_usage,
                           struct str *body, struct err_info *info) {
  struct work *w = ARENA_NEW(c->arena, struct work);
  if (!w || !has_work_arena(c)) return ERR_NO_MEMORY;
  *w = (struct work){.call = c,
                     .target = target,
                     .as = {.model = d->model,
                            .ask_usage = ask_usage,
                            .max_tokens = d->output_tokens,
                            .dropped = &c->dropped,
                            .is_vendor = d->at->provider.is_vendor,
                            .context_tokens = c->context_tokens},
                     .info = info};
  enum err e = run(do_work, w, c->body.n > POOL_BYTES);
  if (!e) e = attempt_hold(c, 0, info);
  if (!e) *body = buf_str(&c->encoded);
  return e;
}

enum err translate_decode(struct call *c, struct err_info *info) {
  struct work *w = ARENA_NEW(c->arena, struct work);
  if (!w || !has_work_arena(c)) return ERR_NO_MEMORY;
  *w = (struct work){.call = c, .info = info};
  return run(do_decode, w, c->body.n > POOL_BYTES);
}

enum err translate_tools(void *call, const struct request **out, struct err_info *info) {
  struct call *c = call;
  enum err e = c->canonical ? OK : translate_decode(c, info);
  if (!e) *out = c->canonical;
  return e;
}

/* ---- what both kinds of answers share ---- */

static void put_receipt(void *arg, struct buf *out) {
  struct call *c = arg;
  attempt_estimate(c, c->outcome.deployment);
  c->outcome.duration_us = clock_mono_us() - c->outcome.started_us;
  c->put_receipt(c->receipt_arg, &c->outcome, out);
}

struct dialect_exchange translate_exchange(struct call *c, const struct deployment *d, bool with_receipt) {
  return (struct dialect_exchange){
      .arena = c->arena,
      .reply_id = c->reply_id,
      .created_s = clock_wall_us() / 1000000,
      .began_us = c->outcome.started_us,
      .model = attempt_reply_edits(c, d).model,
      .wants_usage = c->request->wants_usage,
      .is_array = c->request->is_array,
      .request = c->canonical,
      .put_receipt = with_receipt && c->put_receipt ? put_receipt : NULL,
      .receipt_arg = c,
  };
}

static enum err provider_error(const struct deployment *d, struct http_headers headers, struct str body,
                               struct err_info *info) {
  const struct provider *p = &d->at->provider;
  return p->type->classify_failure(p, 0, headers, body, info);
}

/* Something that a caller would call content: from here on no other attempt. */
static bool is_content(const struct event *e) {
  if (e->kind == EVENT_DELTA) return e->bytes.n > 0;
  return e->kind == EVENT_OPEN && e->part_kind != PART_TEXT && e->part_kind != PART_REASONING &&
         e->part_kind != PART_REASONING_SUMMARY && e->part_kind != PART_REFUSAL;
}

/* Counting takes longer than decoding, and needs no arena. */
enum err translate_count_input(struct call *c, const struct deployment *d, struct count_result *count,
                               struct err_info *info) {
  struct work *w = ARENA_NEW(c->arena, struct work);
  if (!w || !has_work_arena(c)) return ERR_NO_MEMORY;
  *w = (struct work){.call = c, .as = {.model = d->model}, .info = info};
  enum err e = run(do_decode, w, c->body.n > POOL_BYTES);
  if (!e) e = run(do_count, w, c->body.n > COUNT_POOL_BYTES || !count_is_ready(d->model));
  if (!e) *count = w->count;
  return e;
}

enum err translate_count(struct call *c, const struct deployment *d, struct err_info *info) {
  struct answer *answer = arena_alloc(c->arena, sizeof *answer);
  struct count_result count;
  if (!answer) return ERR_NO_MEMORY;
  enum err e = translate_count_input(c, d, &count, info);
  if (e) return e;
  usage_set(&c->outcome.usage, USAGE_INPUT, count.tokens);
  c->outcome.usage.is_estimated = true;
  struct dialect_exchange x = translate_exchange(c, d, false);
  answer_init(answer, c->arena, 0);
  answer->usage = c->outcome.usage;
  answer->has_usage = answer->is_ended = true;
  c->dialect->encode_reply(&x, answer, &c->reply);
  answer_clear(answer);
  return c->reply.failed ? ERR_NO_MEMORY : OK;
}

/* What the model says, for an upstream that does not count it. */
static void count_words(struct call *c, const struct event *e) {
  if (e->part_kind != PART_IMAGE && e->part_kind != PART_AUDIO) count_output_add(&c->seen, e->bytes);
}

/* ---- a whole reply ---- */

struct whole {
  struct answer answer;
  struct text_filter filter;
  struct call *call;
  struct signature_watch watch;
  const struct deployment *deployment;
  struct http_headers headers;
};

static enum err collect(void *arg, const struct event *event, struct err_info *info) {
  struct whole *w = arg;
  struct event_sink sink = answer_sink(&w->answer);
  signature_watch_event(&w->watch, w->call, event);
  return event_put(&sink, event, info);
}

static enum err take_whole(void *arg, const struct event *event, struct err_info *info) {
  struct whole *w = arg;
  const struct event_sink sink = {w, collect};
  if (event->kind == EVENT_ERROR) return provider_error(w->deployment, w->headers, event->bytes, info);
  return text_filter_is_wanted(&w->filter.options) ? text_filter_put(&w->filter, event, &sink, info)
                                                   : collect(w, event, info);
}

static enum err take_words(void *arg, const struct event *event, struct err_info *info) {
  (void)info;
  if (event->kind == EVENT_DELTA) count_words(arg, event);
  return event->kind == EVENT_ERROR ? ERR_UPSTREAM_PROTOCOL : OK;
}

/* Most answers say what they have used, so that only the others are read a second time, for their words; as far as they
 * can be read. */
static void count_whole(struct call *c, const struct dialect *from, const struct dialect_exchange *x, struct str body) {
  const struct event_sink sink = {c, take_words};
  struct err_info ignored = {0};
  if (from->decode_reply(x, body, &sink, &ignored)) return;
}

/* A decoder that never said the end has ended all the same. */
static enum err decode_whole(struct whole *w, const struct dialect *from, const struct dialect_exchange *x,
                             struct str body, struct err_info *info) {
  const struct event_sink sink = {w, take_whole}, behind = {w, collect};
  enum err e = from->decode_reply(x, body, &sink, info);
  if (!usage_has(&w->answer.usage, USAGE_OUTPUT)) count_whole(w->call, from, x, body);
  return e ? e : text_filter_release(&w->filter, &behind, info);
}

static struct whole *whole_new(struct call *c, const struct deployment *d, const struct text_filter_options *filter,
                               struct http_headers headers) {
  struct whole *w = arena_alloc(c->arena, sizeof *w); /* most of it is the answer, which answer_init zeroes */
  if (!w) return NULL;
  w->call = c;
  w->watch = (struct signature_watch){0};
  w->deployment = d;
  w->headers = headers;
  answer_init(&w->answer, c->arena, 0);
  text_filter_init(&w->filter, c->arena, filter);
  return w;
}

static void whole_clear(struct whole *w) {
  signature_watch_clear(&w->watch);
  text_filter_clear(&w->filter);
  answer_clear(&w->answer);
}

static enum err reply_embeddings(struct call *c, const struct deployment *d, const struct dialect *target,
                                 struct str body, struct http_headers headers, struct err_info *info) {
  struct dialect_exchange x = translate_exchange(c, d, false);
  struct embeddings answer = {0};
  enum err e = target->decode_embeddings(&x, body, &answer, info);
  if (e) return e;
  if (answer.error.n) return provider_error(d, headers, answer.error, info);
  attempt_note(c, d, &answer.usage);
  c->dialect->encode_embeddings(&x, &answer, &c->reply);
  return c->reply.failed ? ERR_NO_MEMORY : OK;
}

enum err translate_reply(struct call *c, const struct deployment *d, const struct codec *codec, struct str body,
                         struct http_headers headers, struct err_info *info) {
  const struct dialect *target = codec->target;
  if (c->request->operation == LLM_EMBED) return reply_embeddings(c, d, target, body, headers, info);
  struct text_filter_options filter = codec->filter;
  filter.tool_text = filter.tool_text && c->canonical->tool_count && c->canonical->tool_choice != TOOL_CHOICE_NONE;
  struct whole *w = whole_new(c, d, &filter, headers);
  if (!w) return ERR_NO_MEMORY;
  /* The receipt of a whole answer is the gateway's to put in. */
  struct dialect_exchange x = translate_exchange(c, d, false);
  enum err e = decode_whole(w, target, &x, body, info);
  if (e) goto out;
  if (w->answer.has_usage) attempt_note(c, d, &w->answer.usage);
  attempt_estimate(c, d);
  c->outcome.ttft_us = clock_mono_us() - c->outcome.started_us;
  buf_reset(&c->reply);
  (void)buf_reserve(&c->reply, body.n + REPLY_FRAME_BYTES);
  c->dialect->encode_reply(&x, &w->answer, &c->reply);
  e = c->reply.failed ? ERR_NO_MEMORY : OK;
out:
  whole_clear(w);
  return e;
}

enum err translate_mend(struct call *c, const struct deployment *d, const struct text_filter_options *filter,
                        struct str body, struct err_info *info) {
  struct whole *w = whole_new(c, d, filter, (struct http_headers){0});
  const struct request *request;
  struct err_info ignored = {0};
  if (!w) return ERR_NO_MEMORY;
  struct dialect_exchange x = translate_exchange(c, d, false);
  enum err e = decode_whole(w, c->dialect, &x, body, &ignored);
  bool is_found = !e && w->filter.has_changed;
  if (e == ERR_CANCELLED || e == ERR_NO_MEMORY) goto out;
  e = is_found ? translate_tools(c, &request, info) : OK;
  if (!is_found || e) goto out;
  x.request = request;
  buf_reset(&c->reply);
  c->dialect->encode_reply(&x, &w->answer, &c->reply);
  e = c->reply.failed ? ERR_NO_MEMORY : OK;
out:
  whole_clear(w);
  return e;
}

/* ---- a stream ---- */

static void *state_of(struct arena *a, size_t bytes) { return arena_zalloc(a, bytes ? bytes : 1); }

static enum err begin(struct translation *t, struct call *c, const struct deployment *d, const struct dialect *target,
                      const struct text_filter_options *filter) {
  *t = (struct translation){.call = c, .deployment = d, .target = target, .choices = 1};
  t->x = translate_exchange(c, d, true);
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
      attempt_note(t->call, t->deployment, event->usage);
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
  return t->is_ended && event->kind != EVENT_END ? OK : encode(t, event, info);
}

static enum err take_event(void *arg, const struct event *event, struct err_info *info) {
  struct translation *t = arg;
  const struct event_sink sink = {t, take_filtered};
  if (t->is_ended && event->kind != EVENT_USAGE) return OK;
  if (event->kind == EVENT_ERROR) return provider_error(t->deployment, (struct http_headers){0}, event->bytes, info);
  if (event->kind == EVENT_DELTA) count_words(t->call, event);
  t->saw_content = t->saw_content || is_content(event);
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
  return encode(t, &(struct event){.kind = EVENT_END}, info);
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
  else
    d->put_stream_error(out, e, info);
}
