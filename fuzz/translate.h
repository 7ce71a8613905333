/* For fuzz targets of translating dialects: hostile bytes as a request, a reply and a stream of one dialect, and what
 * it makes of them through every other. Checked: no fault lacks its text, what is written is JSON, events come in their
 * order, and a stream means the same however it is cut. */
#ifndef MAESTRO_FUZZ_TRANSLATE_H
#define MAESTRO_FUZZ_TRANSLATE_H

#include <stdlib.h>
#include <yyjson.h>

#include "dialect/dialect.h"

static const struct dialect *const translate_all[] = {
#define X(symbol) &symbol,
#include "dialect/dialects.def"
#undef X
};
enum { TRANSLATE_COUNT = sizeof translate_all / sizeof *translate_all };

static inline void check(bool ok) {
  if (!ok) abort();
}

static inline void check_info(enum err e, const struct err_info *info) {
  check(!e || (str_is_utf8(str_from_c(info->text)) && str_is_utf8(str_from_c(info->param))));
}

static inline void check_json(struct str json) {
  yyjson_doc *doc = yyjson_read(json.p, json.n, YYJSON_READ_NUMBER_AS_RAW);
  check(doc != NULL);
  yyjson_doc_free(doc);
}

/* ---- requests ---- */

static inline void translate_encode(const struct request *r, const struct dialect *own, const struct dialect *target,
                                    struct arena *a) {
  struct caps_dropped dropped;
  struct err_info info = {0};
  struct buf out;
  const struct dialect_target t = {.model = STR("anthropic.model"), .ask_usage = true, .max_tokens = 4096};
  caps_dropped_init(&dropped);
  buf_init(&out, 0);
  enum err e = caps_check(r, target->name, target->caps, &own->words, &dropped, &info);
  if (!e) e = target->encode_request(r, &t, a, &out, &info);
  check_info(e, &info);
  if (!e) check_json(buf_str(&out));
  buf_clear(&out);
  caps_dropped_clear(&dropped);
}

static inline void translate_request(const struct dialect *d, struct str body) {
  struct arena a;
  struct request r;
  struct err_info info = {0};
  yyjson_doc *doc = body.n ? yyjson_read(body.p, body.n, YYJSON_READ_NUMBER_AS_RAW) : NULL;
  if (!doc) return;
  arena_init(&a, 64 << 20);
  const struct dialect_request envelope = {.model = STR("m"), .max_tokens = -1, .is_stream = body.n & 1};
  enum err e = d->decode_request(&a, yyjson_doc_get_root(doc), &envelope, &r, &info);
  check_info(e, &info);
  for (size_t i = 0; !e && i < TRANSLATE_COUNT; i++)
    if (translate_all[i]->encode_request) translate_encode(&r, d, translate_all[i], &a);
  arena_clear(&a);
  yyjson_doc_free(doc);
}

/* ---- replies and streams ---- */

struct translate_sink {
  struct event_sink answer;
  const struct dialect *caller; /* NULL: none writes */
  const struct dialect_exchange *x;
  void *state;
  struct buf out, trace;
  uint32_t parts, open;
  bool has_begun, has_ended, has_error;
};

static inline enum err translate_put(void *arg, const struct event *e, struct err_info *info) {
  struct translate_sink *s = arg;
  check(!s->has_ended && !s->has_error);
  check(s->has_begun || e->kind == EVENT_START || e->kind == EVENT_ERROR || e->kind == EVENT_PING);
  s->has_error = e->kind == EVENT_ERROR;
  s->has_ended = e->kind == EVENT_END;
  s->has_begun = s->has_begun || e->kind == EVENT_START;
  if (e->kind == EVENT_OPEN) check(e->part == s->parts++ && ++s->open);
  if (e->kind == EVENT_CLOSE) check(e->part < s->parts && s->open--);
  if (e->kind == EVENT_DELTA || e->kind == EVENT_ATTACH) check(e->part < s->parts && s->open);
  buf_printf(&s->trace, "%d %u %.*s;", (int)e->kind, e->part, STR_ARG(e->bytes));
  if (s->has_error) return OK;
  enum err failed = event_put(&s->answer, e, info);
  return failed || !s->caller ? failed : s->caller->encode_event(s->state, s->x, e, &s->out, info);
}

struct translate_rig {
  struct arena arena;
  struct request request;
  struct request_item items[2];
  struct dialect_exchange x;
  struct answer answer;
  struct translate_sink sink;
};

static inline void translate_begin(struct translate_rig *t, const struct dialect *caller) {
  memset(t, 0, sizeof *t);
  arena_init(&t->arena, 64 << 20);
  request_init(&t->request, STR("x"), LLM_GENERATE);
  t->request.items = t->items;
  t->request.item_count = 2;
  t->x =
      (struct dialect_exchange){.arena = &t->arena, .reply_id = STR("id"), .model = STR("p/m"), .request = &t->request};
  answer_init(&t->answer, &t->arena, 16 << 20);
  t->sink = (struct translate_sink){.answer = answer_sink(&t->answer), .caller = caller, .x = &t->x};
  buf_init(&t->sink.out, 0);
  buf_init(&t->sink.trace, 0);
  if (!caller) return;
  t->sink.state = arena_zalloc(&t->arena, caller->encoder_bytes);
  check(t->sink.state != NULL);
}

static inline void translate_end(struct translate_rig *t) {
  answer_clear(&t->answer);
  buf_clear(&t->sink.out);
  buf_clear(&t->sink.trace);
  arena_clear(&t->arena);
}

static inline void translate_reply(const struct dialect *d, struct str body) {
  struct translate_rig *t = malloc(sizeof *t);
  struct err_info info = {0};
  check(t != NULL);
  translate_begin(t, NULL);
  const struct event_sink sink = {&t->sink, translate_put};
  enum err e = d->decode_reply(&t->x, body, &sink, &info);
  check_info(e, &info);
  if (!e) check((t->sink.has_ended && !t->sink.open) || t->sink.has_error);
  for (size_t i = 0; !e && !t->sink.has_error && i < TRANSLATE_COUNT; i++) {
    if (!translate_all[i]->encode_reply) continue;
    buf_reset(&t->sink.out);
    translate_all[i]->encode_reply(&t->x, &t->answer, &t->sink.out);
    check_json(buf_str(&t->sink.out));
  }
  translate_end(t);
  free(t);
}

static inline enum err translate_feed(struct translate_rig *t, const struct dialect *d, struct str bytes, size_t step) {
  struct frame_reader reader;
  struct frame frame;
  struct json_pool pool = {0};
  struct err_info info = {0};
  enum err e = OK;
  const struct event_sink sink = {&t->sink, translate_put};
  void *state = arena_zalloc(&t->arena, d->decoder_bytes);
  check(state != NULL);
  frame_reader_init(&reader, d->framing, 1 << 20);
  for (size_t at = 0; !e && !t->sink.has_error && at < bytes.n; at += step) {
    frame_reader_feed(&reader, str_sub(bytes, at, at + step));
    while (!e && !t->sink.has_error && frame_reader_next(&reader, &frame, &e))
      e = d->decode_frame(state, &t->x, &pool, &frame, &sink, &info);
  }
  if (!e && !t->sink.has_error && d->decode_end) e = d->decode_end(state, &t->x, &sink, &info);
  check_info(e, &info);
  frame_reader_clear(&reader);
  json_pool_clear(&pool);
  return e;
}

/* To one caller's dialect, by `flags`; step: bytes that arrive at once. */
static inline void translate_stream(const struct dialect *d, struct str bytes, unsigned flags, size_t step) {
  const struct dialect *caller = translate_all[flags % TRANSLATE_COUNT];
  struct translate_rig *whole = malloc(sizeof *whole), *cut = malloc(sizeof *cut);
  check(whole && cut);
  if (!caller->encode_event) caller = NULL;
  translate_begin(whole, caller);
  translate_begin(cut, caller);
  enum err e = translate_feed(whole, d, bytes, bytes.n ? bytes.n : 1);
  check(translate_feed(cut, d, bytes, step) == e);
  check(str_eq(buf_str(&whole->sink.trace), buf_str(&cut->sink.trace)));
  check(!whole->sink.has_ended || !whole->sink.open);
  translate_end(whole);
  translate_end(cut);
  free(whole);
  free(cut);
}

#endif
