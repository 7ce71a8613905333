/* A dialect over hostile bytes, for fuzz_<dialect>.c: requests are decoded and written in every dialect, replies and
 * streams are decoded into events and written in every dialect. What must hold: what is written is JSON; a request that
 * was written in its own dialect is read again and written the same; events keep their order (llm/event.h); a stream
 * means the same however it is cut. */
#ifndef MAESTRO_DIALECT_FUZZ_H
#define MAESTRO_DIALECT_FUZZ_H

#include <stdlib.h>
#include <yyjson.h>

#include "base/json.h"
#include "dialect/dialect.h"

static const struct dialect *const dialect_fuzz_all[] = {
#define X(symbol) &symbol,
#include "dialect/dialects.def"
#undef X
};
enum { DIALECT_FUZZ_COUNT = sizeof dialect_fuzz_all / sizeof *dialect_fuzz_all };

static inline void check(bool ok) {
  if (!ok) abort();
}

/* NULL: no JSON. Own reading, so that what is checked does not check itself. */
static inline yyjson_doc *fuzz_read(struct str json) {
  return json.n ? yyjson_read(json.p, json.n, YYJSON_READ_NUMBER_AS_RAW) : NULL;
}

static inline void check_is_json(struct str json) {
  yyjson_doc *doc = fuzz_read(json);
  check(doc != NULL);
  yyjson_doc_free(doc);
}

static inline void check_info(enum err e, const struct err_info *info) {
  check(!e || (str_is_utf8(str_from_c(info->text)) && str_is_utf8(str_from_c(info->param))));
}

/* ---- requests ---- */

static inline enum err fuzz_decode(const struct dialect *d, struct arena *a, struct str json,
                                   enum llm_operation operation, struct request *out) {
  static const struct json_limits limits = {.numbers_are_raw = true};
  struct dialect_request envelope = {.operation = operation, .model = STR("m"), .max_tokens = -1};
  struct err_info info = {0};
  struct json doc;
  enum err e = json_parse_copy(&doc, json, &limits, a, &info);
  if (!e) e = d->decode_request(a, doc.root, &envelope, out, &info);
  check_info(e, &info);
  return e;
}

static inline enum err fuzz_encode(const struct dialect *from, const struct dialect *to, const struct request *r,
                                   struct arena *a, struct buf *out) {
  struct dialect_target target = {.model = STR("gemini-3-x"), .ask_usage = true, .max_tokens = 4096};
  struct caps_dropped dropped;
  struct err_info info = {0};
  caps_dropped_init(&dropped);
  enum err e = caps_check(r, to->name, to->caps, &from->words, &dropped, &info);
  check(str_is_utf8(buf_str(&dropped.names)));
  if (!e) e = to->encode_request(r, &target, a, out, &info);
  caps_dropped_clear(&dropped);
  check_info(e, &info);
  if (!e) check_is_json(buf_str(out));
  return e;
}

static inline void fuzz_request(const struct dialect *d, enum llm_operation operation, struct str json) {
  struct arena a;
  struct request r, again;
  struct buf first, second;
  arena_init(&a, 64 << 20);
  buf_init(&first, 0);
  buf_init(&second, 0);
  if (fuzz_decode(d, &a, json, operation, &r)) goto out;
  for (size_t i = 0; i < DIALECT_FUZZ_COUNT; i++) {
    struct buf foreign;
    if (dialect_fuzz_all[i] == d || !dialect_fuzz_all[i]->encode_request) continue;
    buf_init(&foreign, 0);
    (void)!fuzz_encode(d, dialect_fuzz_all[i], &r, &a, &foreign);
    buf_clear(&foreign);
  }
  if (fuzz_encode(d, d, &r, &a, &first)) goto out;
  check(fuzz_decode(d, &a, buf_str(&first), operation, &again) == OK);
  check(fuzz_encode(d, d, &again, &a, &second) == OK);
  yyjson_doc *one = fuzz_read(buf_str(&first)), *two = fuzz_read(buf_str(&second));
  check(yyjson_equals(yyjson_doc_get_root(one), yyjson_doc_get_root(two)));
  yyjson_doc_free(one);
  yyjson_doc_free(two);
out:
  buf_clear(&first);
  buf_clear(&second);
  arena_clear(&a);
}

/* ---- events ---- */

enum { FUZZ_PARTS_MAX = 4096 };

/* Takes events, holds them to their order, and hands them on to the writers of all dialects. */
struct fuzz_events {
  struct arena arena;
  struct request request;
  struct dialect_exchange x;
  struct answer answer;
  struct event_sink collect;
  void *states[DIALECT_FUZZ_COUNT];
  bool is_broken[DIALECT_FUZZ_COUNT];
  struct buf out;
  uint32_t opened;
  bool is_open[FUZZ_PARTS_MAX];
  bool is_started, is_stopped, is_ended, saw_error;
  uint64_t meaning; /* of all of them; deltas by their bytes, not by their pieces */
  uint64_t seed;
};

static inline void fuzz_mix(struct fuzz_events *f, uint64_t v) {
  f->meaning = (f->meaning ^ v) * UINT64_C(0x100000001b3);
}
static inline void fuzz_mix_str(struct fuzz_events *f, struct str s) {
  for (size_t i = 0; i < s.n; i++) fuzz_mix(f, (unsigned char)s.p[i]);
}

static inline void fuzz_check_order(struct fuzz_events *f, const struct event *e) {
  bool is_of_part = e->kind == EVENT_DELTA || e->kind == EVENT_ATTACH || e->kind == EVENT_CLOSE;
  check(!f->is_ended);
  if (e->kind == EVENT_ERROR) {
    f->saw_error = true;
    return;
  }
  check(e->kind == EVENT_START
            ? !f->is_started
            : f->is_started || e->kind == EVENT_PING || e->kind == EVENT_OPAQUE || e->kind == EVENT_USAGE);
  if (e->kind == EVENT_START) f->is_started = true;
  if (is_of_part) check(e->part < f->opened && (e->part >= FUZZ_PARTS_MAX || f->is_open[e->part]));
  if (e->kind == EVENT_OPEN) {
    check(e->part == f->opened);
    if (e->part < FUZZ_PARTS_MAX) f->is_open[e->part] = true;
    f->opened++;
  }
  if (e->kind == EVENT_CLOSE && e->part < FUZZ_PARTS_MAX) f->is_open[e->part] = false;
  if (e->kind == EVENT_STOP) f->is_stopped = true;
  if (e->kind == EVENT_END) {
    f->is_ended = true;
    for (uint32_t i = 0; i < f->opened && i < FUZZ_PARTS_MAX; i++) check(!f->is_open[i]);
  }
}

static inline enum err fuzz_put(void *arg, const struct event *e, struct err_info *info) {
  struct fuzz_events *f = arg;
  fuzz_check_order(f, e);
  if (e->kind != EVENT_DELTA) fuzz_mix(f, (uint64_t)e->kind * 31 + e->part);
  fuzz_mix_str(f, e->bytes);
  fuzz_mix_str(f, e->name);
  fuzz_mix_str(f, e->raw);
  if (e->kind == EVENT_ERROR) return OK;
  enum err failed = event_put(&f->collect, e, info);
  if (failed) return failed;
  for (size_t i = 0; i < DIALECT_FUZZ_COUNT; i++) {
    const struct dialect *d = dialect_fuzz_all[i];
    if (!d->encode_event || f->is_broken[i]) continue;
    if (!f->states[i]) f->states[i] = arena_zalloc(&f->arena, d->encoder_bytes ? d->encoder_bytes : 1);
    buf_reset(&f->out);
    f->is_broken[i] = !f->states[i] || d->encode_event(f->states[i], &f->x, e, &f->out, info) != OK;
  }
  return OK;
}

static inline struct fuzz_events *fuzz_events_new(enum llm_operation operation, unsigned flags) {
  struct fuzz_events *f = calloc(1, sizeof *f);
  check(f != NULL);
  arena_init(&f->arena, 64 << 20);
  buf_init(&f->out, 0);
  request_init(&f->request, STR("gemini"), operation);
  f->request.reasoning.visible = flags & 1;
  f->x = (struct dialect_exchange){.arena = &f->arena,
                                   .reply_id = STR("r0"),
                                   .model = STR("m"),
                                   .wants_usage = flags & 1,
                                   .is_array = flags & 2,
                                   .request = &f->request};
  answer_init(&f->answer, &f->arena, 8 << 20);
  f->collect = answer_sink(&f->answer);
  return f;
}

static inline void fuzz_events_free(struct fuzz_events *f) {
  answer_clear(&f->answer);
  buf_clear(&f->out);
  arena_clear(&f->arena);
  free(f);
}

/* ---- replies ---- */

static inline void fuzz_reply(const struct dialect *d, enum llm_operation operation, struct str body, unsigned flags) {
  struct fuzz_events *f = fuzz_events_new(operation, flags);
  const struct event_sink sink = {f, fuzz_put};
  struct err_info info = {0};
  enum err e = d->decode_reply(&f->x, body, &sink, &info);
  check_info(e, &info);
  check(e || f->saw_error || (f->is_ended && (f->is_stopped || operation == LLM_COUNT_TOKENS)));
  for (size_t i = 0; !e && !f->saw_error && i < DIALECT_FUZZ_COUNT; i++) {
    const struct dialect *caller = dialect_fuzz_all[i];
    if (!caller->encode_reply) continue;
    buf_reset(&f->out);
    caller->encode_reply(&f->x, &f->answer, &f->out);
    check_is_json(buf_str(&f->out));
  }
  fuzz_events_free(f);
}

static inline enum err fuzz_stream_once(const struct dialect *d, struct fuzz_events *f, struct str stream,
                                        size_t step) {
  struct frame_reader frames;
  struct frame frame;
  struct json_pool pool = {0};
  const struct event_sink sink = {f, fuzz_put};
  struct err_info info = {0};
  enum err e = OK;
  void *state = arena_zalloc(&f->arena, d->decoder_bytes ? d->decoder_bytes : 1);
  check(state != NULL);
  frame_reader_init(&frames, d->framing, 1 << 20);
  for (size_t at = 0; at < stream.n && !e; at += step) {
    frame_reader_feed(&frames, str_sub(stream, at, at + step));
    while (!e && !f->saw_error && frame_reader_next(&frames, &frame, &e))
      e = d->decode_frame(state, &f->x, &pool, &frame, &sink, &info);
  }
  if (!e && !f->saw_error && d->decode_end) e = d->decode_end(state, &f->x, &sink, &info);
  check_info(e, &info);
  frame_reader_clear(&frames);
  json_pool_clear(&pool);
  return e;
}

static inline void fuzz_stream(const struct dialect *d, struct str stream, unsigned flags) {
  struct fuzz_events *whole = fuzz_events_new(LLM_GENERATE, flags), *cut = fuzz_events_new(LLM_GENERATE, flags);
  enum err one = fuzz_stream_once(d, whole, stream, stream.n), two = fuzz_stream_once(d, cut, stream, 1 + (flags >> 2));
  check(one == two && whole->meaning == cut->meaning && whole->is_ended == cut->is_ended);
  fuzz_events_free(whole);
  fuzz_events_free(cut);
}

/* ---- relay ---- */

static inline void fuzz_relay(const struct dialect *d, struct str body, unsigned flags) {
  const struct dialect_reply_edits edits = {.model = flags & 1 ? STR("p/m") : STR_NONE};
  struct events events;
  struct err_info info = {0};
  struct buf out;
  buf_init(&out, 0);
  enum err e = d->relay_reply(body, &edits, &events, &out, &info);
  check_info(e, &info);
  yyjson_doc *before = fuzz_read(body);
  if (!e && out.n) {
    d->put_receipt(&out, 0, STR("{\"r\":1}"));
    if (before) check_is_json(buf_str(&out));
  }
  yyjson_doc_free(before);
  buf_clear(&out);
}

#endif
