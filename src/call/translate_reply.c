/* Whole replies of a translated call, and of a relayed one that has to be looked through: see translate.h. The answer
 * is collected as events, behind the filters, and encoded when all of it is there; it lies in the exchange's arena. */
#include "call/translate.h"

enum { REPLY_FRAME_BYTES = 1024 /* what a reply has beside its words, in most dialects */ };

struct whole {
  struct answer answer;
  struct text_filter filter;
  struct call *call;
  struct signature_watch watch;
  struct call_ids ids;
  const struct dialect_exchange *x;
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
  if (event->kind == EVENT_ERROR) return translate_provider_error(w->deployment, w->headers, event->bytes, info);
  struct event own;
  if (!(event = call_ids_tell_apart(&w->ids, w->x, event, &own))) return ERR_NO_MEMORY;
  return text_filter_is_wanted(&w->filter.options) ? text_filter_put(&w->filter, event, &sink, info)
                                                   : collect(w, event, info);
}

static enum err take_words(void *arg, const struct event *event, struct err_info *info) {
  (void)info;
  if (event->kind == EVENT_DELTA) translate_count_words(arg, event);
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
  w->x = x;
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
  w->ids = (struct call_ids){0};
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
  if (answer.error.n) return translate_provider_error(d, headers, answer.error, info);
  attempt_note(c, &answer.usage);
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
  if (w->answer.has_usage) attempt_note(c, &w->answer.usage);
  attempt_estimate(c, d);
  if (c->dialect->must_tell_usage) w->answer.usage = c->outcome.usage;
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
