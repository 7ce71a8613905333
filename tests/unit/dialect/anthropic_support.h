/* What the tests of the Anthropic dialect share: JSON written with single quotes, events as lines of text, streams fed
 * in pieces. */
#ifndef MAESTRO_TESTS_ANTHROPIC_SUPPORT_H
#define MAESTRO_TESTS_ANTHROPIC_SUPPORT_H

#include <stdio.h>
#include <stdlib.h>
#include <yyjson.h>

#include "dialect/anthropic/anthropic.h"
#include "json_equal.h"
#include "unit.h"

/* The text with ' for ", in one of a few static buffers. */
static inline struct str q(const char *text) {
  static char rings[8][16384];
  static unsigned at;
  char *out = rings[at++ % 8];
  size_t n = strlen(text);
  assert_true(n < sizeof rings[0]);
  for (size_t i = 0; i <= n; i++) out[i] = text[i] == '\'' ? '"' : text[i];
  return str_from(out, n);
}

static inline void assert_text(struct str got, struct str expected) {
  if (!str_eq(got, expected)) fprintf(stderr, "got:\n%.*s\nexpected:\n%.*s\n", STR_ARG(got), STR_ARG(expected));
  assert_true(str_eq(got, expected));
}

/* ---- events as text ---- */

static const char *const kind_words[PART_KINDS] = {
    [PART_TEXT] = "text",          [PART_REASONING] = "reasoning", [PART_REASONING_SUMMARY] = "summary",
    [PART_REDACTED] = "redacted",  [PART_REFUSAL] = "refusal",     [PART_TOOL_CALL] = "call",
    [PART_TOOL_RESULT] = "result", [PART_SERVER_TOOL] = "server",  [PART_IMAGE] = "image",
    [PART_DOCUMENT] = "document",  [PART_AUDIO] = "audio",         [PART_VIDEO] = "video",
    [PART_OPAQUE] = "opaque",
};

/* Deltas of one part in a row are one line, so that the log does not tell how they were cut. */
struct event_log {
  struct buf text;
  int64_t delta_part;
};

static inline void log_usage(struct buf *b, const struct usage *u) {
  static const char *const words[USAGE_CLASSES] = {"in", "out", "read", "write", "reasoning"};
  buf_printf(b, "usage");
  for (int i = 0; i < USAGE_CLASSES; i++)
    if (usage_has(u, (enum usage_class)i)) buf_printf(b, " %s=%lld", words[i], (long long)u->tokens[i]);
}

static inline enum err log_put(void *arg, const struct event *e, struct err_info *info) {
  struct event_log *log = arg;
  struct buf *b = &log->text;
  (void)info;
  if (e->kind == EVENT_DELTA && log->delta_part == e->part) {
    buf_put(b, e->bytes);
    return OK;
  }
  if (b->n) buf_put_char(b, '\n');
  log->delta_part = e->kind == EVENT_DELTA ? (int64_t)e->part : -1;
  switch (e->kind) {
    case EVENT_START: buf_printf(b, "start %.*s %.*s", STR_ARG(e->id), STR_ARG(e->name)); break;
    case EVENT_OPEN:
      buf_printf(b, "open %u %s", e->part, kind_words[e->part_kind]);
      if (e->id.n || e->name.n) buf_printf(b, " %.*s %.*s", STR_ARG(e->id), STR_ARG(e->name));
      if (e->raw.n) buf_printf(b, " %.*s", STR_ARG(e->raw));
      break;
    case EVENT_DELTA: buf_printf(b, "delta %u %.*s", e->part, STR_ARG(e->bytes)); break;
    case EVENT_ATTACH:
      buf_printf(b, "attach %u %.*s%.*s %.*s", e->part, STR_ARG(e->bytes), STR_ARG(e->raw), STR_ARG(e->dialect));
      break;
    case EVENT_CLOSE: buf_printf(b, "close %u", e->part); break;
    case EVENT_USAGE: log_usage(b, e->usage); break;
    case EVENT_STOP: buf_printf(b, "stop %d %.*s %.*s", e->reason, STR_ARG(e->native), STR_ARG(e->text)); break;
    case EVENT_ERROR: buf_printf(b, "error %.*s", STR_ARG(e->bytes)); break;
    case EVENT_PING: buf_printf(b, "ping"); break;
    case EVENT_OPAQUE: buf_printf(b, "opaque"); break;
    case EVENT_END: buf_printf(b, "end"); break;
    default: break;
  }
  return OK;
}

/* ---- streams ---- */

static inline struct dialect_exchange test_exchange(struct arena *a, const struct request *r) {
  return (struct dialect_exchange){.arena = a, .reply_id = STR("r1"), .model = STR("asked-model"), .request = r};
}

/* Decodes the stream, given in pieces that end at `cut` and then at the end; the log of its events goes to *log. */
static inline enum err decode_stream(struct str stream, size_t cut, const struct request *r, struct event_log *log,
                                     struct err_info *info) {
  const struct dialect *d = &dialect_anthropic;
  struct arena a;
  struct frame_reader reader;
  struct frame frame;
  struct json_pool pool = {0};
  enum err e = OK, cut_error = OK;
  arena_init(&a, 0);
  struct dialect_exchange x = test_exchange(&a, r);
  void *state = arena_zalloc(&a, d->decoder_bytes);
  struct event_sink sink = {log, log_put};
  log->delta_part = -1;
  buf_init(&log->text, 0);
  frame_reader_init(&reader, FRAMING_SSE, 0);
  for (int piece = 0; piece < 2; piece++) {
    frame_reader_feed(&reader, piece ? str_sub(stream, cut, stream.n) : str_sub(stream, 0, cut));
    while (!e && frame_reader_next(&reader, &frame, &cut_error))
      e = d->decode_frame(state, &x, &pool, &frame, &sink, info);
  }
  if (!e) e = d->decode_end(state, &x, &sink, info);
  frame_reader_clear(&reader);
  json_pool_clear(&pool);
  arena_clear(&a);
  return e ? e : cut_error;
}

/* The same events whatever byte the stream is cut at. */
static inline void assert_stream(struct str stream, const struct request *r, const char *expected) {
  for (size_t cut = 0; cut <= stream.n; cut++) {
    struct event_log log;
    struct err_info info = {0};
    assert_int_equal(decode_stream(stream, cut, r, &log, &info), OK);
    assert_text(buf_str(&log.text), str_from_c(expected));
    buf_clear(&log.text);
  }
}

#endif
