/* For tests of translation: events as lines of text, streams cut anywhere, and requests through a decoder and an
 * encoder. Everything printed is in `t->text`. */
#ifndef MAESTRO_TESTS_TRANSLATE_RIG_H
#define MAESTRO_TESTS_TRANSLATE_RIG_H

#include <stdio.h>
#include <stdlib.h>
#include <yyjson.h>

#include "dialect/dialect.h"
#include "json_equal.h"
#include "unit.h"

struct rig {
  struct arena arena;
  struct buf text; /* events, or what an encoder wrote */
  struct err_info info;
  struct request request;
  struct dialect_exchange x;
  bool is_prose; /* deltas of one part are joined */
  uint32_t last_delta;
  yyjson_doc *docs[4];
  size_t doc_count;
};

static inline void rig_receipt(void *arg, struct buf *out) {
  (void)arg;
  buf_put(out, STR("{\"r\":1}"));
}

static inline void rig_init(struct rig *t) {
  memset(t, 0, sizeof *t);
  arena_init(&t->arena, 0);
  buf_init(&t->text, 0);
  request_init(&t->request, STR("somebody"), LLM_GENERATE);
  t->x = (struct dialect_exchange){.arena = &t->arena, .reply_id = STR("id"), .created_s = 7, .model = STR("p/m")};
  t->x.request = &t->request;
  t->last_delta = UINT32_MAX;
}

static inline void rig_clear(struct rig *t) {
  for (size_t i = 0; i < t->doc_count; i++) yyjson_doc_free(t->docs[i]);
  buf_clear(&t->text);
  arena_clear(&t->arena);
}

static inline const char *rig_kind(enum part_kind k) {
  static const char *const words[PART_KINDS] = {
      [PART_TEXT] = "text",          [PART_REASONING] = "reasoning", [PART_REASONING_SUMMARY] = "summary",
      [PART_REDACTED] = "redacted",  [PART_REFUSAL] = "refusal",     [PART_TOOL_CALL] = "call",
      [PART_SERVER_TOOL] = "server", [PART_IMAGE] = "image",         [PART_AUDIO] = "audio",
      [PART_TOOL_RESULT] = "result", [PART_DOCUMENT] = "document",   [PART_OPAQUE] = "opaque",
      [PART_VIDEO] = "video"};
  return words[k];
}

static inline const char *rig_reason(enum stop_reason r) {
  static const char *const words[] = {"end",     "length", "calls",   "sequence",  "filter",
                                      "refusal", "pause",  "context", "malformed", "other"};
  return words[r];
}

/* One line for each event: "open 0 text", "delta 0 abc", "stop 0 end (stop)" … */
static inline enum err rig_put(void *arg, const struct event *e, struct err_info *info) {
  struct rig *t = arg;
  struct buf *b = &t->text;
  (void)info;
  if (e->kind == EVENT_DELTA && t->is_prose && t->last_delta == e->part) {
    b->n--; /* the line goes on */
    buf_put(b, e->bytes);
    buf_put_char(b, '\n');
    return OK;
  }
  t->last_delta = e->kind == EVENT_DELTA ? e->part : UINT32_MAX;
  switch (e->kind) {
    case EVENT_START:
      buf_printf(b, "start %.*s %.*s %lld\n", STR_ARG(e->id), STR_ARG(e->name), (long long)e->created_s);
      break;
    case EVENT_OPEN:
      buf_printf(b, "open %u %s", e->part, rig_kind(e->part_kind));
      if (e->choice) buf_printf(b, " choice=%u", e->choice);
      if (e->id.n) buf_printf(b, " id=%.*s", STR_ARG(e->id));
      if (e->name.n) buf_printf(b, " name=%.*s", STR_ARG(e->name));
      if (e->tool_kind == TOOL_CUSTOM) buf_printf(b, " custom");
      if (e->mime.n) buf_printf(b, " %.*s", STR_ARG(e->mime));
      buf_put_char(b, '\n');
      break;
    case EVENT_DELTA: buf_printf(b, "delta %u %.*s\n", e->part, STR_ARG(e->bytes)); break;
    case EVENT_ATTACH:
      buf_printf(b, "attach %u %d %.*s%.*s %.*s\n", e->part, (int)e->attachment, STR_ARG(e->bytes), STR_ARG(e->raw),
                 STR_ARG(e->dialect));
      break;
    case EVENT_CLOSE: buf_printf(b, "close %u\n", e->part); break;
    case EVENT_USAGE:
      buf_printf(b, "usage");
      for (int i = 0; i < USAGE_CLASSES; i++)
        if (usage_has(e->usage, (enum usage_class)i))
          buf_printf(b, " %lld", (long long)e->usage->tokens[i]);
        else
          buf_printf(b, " -");
      buf_put_char(b, '\n');
      break;
    case EVENT_STOP:
      buf_printf(b, "stop %u %s", e->choice, rig_reason(e->reason));
      if (e->native.n) buf_printf(b, " (%.*s)", STR_ARG(e->native));
      if (e->text.n) buf_printf(b, " at %.*s", STR_ARG(e->text));
      buf_put_char(b, '\n');
      break;
    case EVENT_END: buf_printf(b, "end\n"); break;
    case EVENT_ERROR: buf_printf(b, "error %.*s\n", STR_ARG(e->bytes)); break;
    default: buf_printf(b, "?\n");
  }
  return OK;
}

/* The stream's bytes to sink, in pieces: cut at `cut`, or at every byte (SIZE_MAX), or whole (0). */
static inline enum err rig_feed(struct rig *t, const struct dialect *d, struct str bytes, size_t cut,
                                const struct event_sink *sink) {
  struct frame_reader reader;
  struct frame frame;
  struct json_pool pool = {0};
  enum err e = OK;
  void *state = arena_zalloc(&t->arena, d->decoder_bytes);
  assert_non_null(state);
  frame_reader_init(&reader, d->framing, 0);
  for (size_t at = 0; !e && at < bytes.n;) {
    size_t n = cut == SIZE_MAX ? 1 : cut && at == 0 ? cut : bytes.n - at;
    frame_reader_feed(&reader, str_sub(bytes, at, at + n));
    while (!e && frame_reader_next(&reader, &frame, &e))
      e = d->decode_frame(state, &t->x, &pool, &frame, sink, &t->info);
    at += n;
  }
  if (!e && frame_reader_take_partial(&reader, &frame, &e))
    e = d->decode_frame(state, &t->x, &pool, &frame, sink, &t->info);
  if (!e && d->decode_end) e = d->decode_end(state, &t->x, sink, &t->info);
  frame_reader_clear(&reader);
  json_pool_clear(&pool);
  return e;
}

static inline struct event_sink rig_sink(struct rig *t) { return (struct event_sink){t, rig_put}; }

static inline void rig_expect(struct rig *t, const char *expected) {
  if (!str_eq(buf_str(&t->text), str_from_c(expected)))
    print_error("got:\n%.*s\nwanted:\n%s\n", STR_ARG(buf_str(&t->text)), expected);
  assert_true(str_eq(buf_str(&t->text), str_from_c(expected)));
}

/* What is in t->text and expected are equal JSON values. */
static inline void rig_expect_json(struct rig *t, const char *expected) { assert_json(buf_str(&t->text), expected); }

/* body into t->request. */
static inline enum err rig_decode(struct rig *t, const struct dialect *d, const char *body) {
  struct dialect_request envelope = {.max_tokens = -1};
  yyjson_doc *doc = yyjson_read(body, strlen(body), YYJSON_READ_NUMBER_AS_RAW);
  assert_non_null(doc);
  assert_true(t->doc_count < 4);
  t->docs[t->doc_count++] = doc;
  yyjson_val *root = yyjson_doc_get_root(doc);
  envelope.model = json_pool_str(root, "model");
  envelope.is_stream = yyjson_is_true(yyjson_obj_get(root, "stream"));
  return d->decode_request(&t->arena, root, &envelope, &t->request, &t->info);
}

/* t->request for d into t->text. */
static inline enum err rig_encode(struct rig *t, const struct dialect *d) {
  struct dialect_target target = {.model = STR("m"), .max_tokens = -1};
  buf_reset(&t->text);
  if (!str_eq(t->request.dialect, d->name)) assert_int_equal(request_pair_calls(&t->arena, &t->request, NULL), OK);
  return d->encode_request(&t->request, &target, &t->arena, &t->text, &t->info);
}

/* A stream of d, in one piece and byte by byte: its events. */
static inline void rig_expect_stream(const struct dialect *d, struct str stream, enum err expected,
                                     const char *events) {
  static const size_t cuts[] = {0, SIZE_MAX};
  for (int i = 0; i < 2; i++) {
    struct rig t;
    rig_init(&t);
    struct event_sink sink = rig_sink(&t);
    assert_int_equal(rig_feed(&t, d, stream, cuts[i], &sink), expected);
    rig_expect(&t, events);
    rig_clear(&t);
  }
}

/* A whole reply of d: its events. */
static inline void rig_expect_reply(const struct dialect *d, const char *body, enum err expected, const char *events) {
  struct rig t;
  rig_init(&t);
  struct event_sink sink = rig_sink(&t);
  assert_int_equal(d->decode_reply(&t.x, str_from_c(body), &sink, &t.info), expected);
  rig_expect(&t, events);
  rig_clear(&t);
}

/* Requests that d refuses, with the path that is named. */
struct rig_fault {
  const char *body;
  enum err e;
  const char *path;
};
static inline void rig_expect_faults(const struct dialect *d, const struct rig_fault *v, size_t n) {
  for (size_t i = 0; i < n; i++) {
    struct rig t;
    rig_init(&t);
    assert_int_equal(rig_decode(&t, d, v[i].body), v[i].e);
    assert_string_equal(t.info.param, v[i].path);
    rig_clear(&t);
  }
}

#endif
