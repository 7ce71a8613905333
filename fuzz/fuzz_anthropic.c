/* links: dialect */
/* Anthropic Messages from hostile hands. The first byte picks what the rest is: a request ('q', or 'c' for a count),
 * decoded and encoded for every dialect; a whole reply ('r') or a stream ('s'), decoded into events that every dialect
 * encodes, and relayed. What this dialect writes must be JSON, and a request that came back once comes back the same.
 */
#include <stdlib.h>
#include <yyjson.h>

#include "dialect/anthropic/anthropic.h"
#include "passes_envelope.h"

static const struct dialect *const own = &dialect_anthropic;

static const struct dialect *const all[] = {
#define X(symbol) &symbol,
#include "dialect/dialects.def"
#undef X
};
enum { DIALECTS = sizeof all / sizeof *all };

static yyjson_doc *must_parse(struct str text) {
  yyjson_doc *doc = yyjson_read(text.p, text.n, YYJSON_READ_NUMBER_AS_RAW);
  if (!doc) abort();
  return doc;
}

/* ---- requests ---- */

static void encode_for(const struct dialect *target, const struct request *r, struct arena *a, struct buf *out) {
  struct caps_dropped dropped;
  struct err_info info = {0};
  const struct dialect_target as = {.model = STR("claude-x"), .max_tokens = 8192};
  caps_dropped_init(&dropped);
  enum err e = caps_check(r, target->name, target->caps, &own->words, &dropped, &info);
  if (!e) e = target->encode_request(r, &as, a, out, &info);
  if (e) buf_reset(out);
  caps_dropped_clear(&dropped);
}

static bool decode(struct arena *a, yyjson_doc *doc, enum llm_operation operation, struct request *r) {
  struct err_info info = {0};
  const struct dialect_request envelope = {.operation = operation, .model = STR("claude-x"), .max_tokens = -1};
  enum err e = own->decode_request(a, yyjson_doc_get_root(doc), &envelope, r, &info);
  if (e && e != ERR_NO_MEMORY && !info.text[0]) abort(); /* a refusal says why */
  return e == OK;
}

static void check_again(struct str once, enum llm_operation operation) {
  struct arena a;
  struct request r;
  struct buf out;
  yyjson_doc *doc = must_parse(once);
  arena_init(&a, 0);
  buf_init(&out, 0);
  if (!decode(&a, doc, operation, &r)) abort();
  encode_for(own, &r, &a, &out);
  yyjson_doc *twice = must_parse(buf_str(&out));
  if (!yyjson_equals(yyjson_doc_get_root(doc), yyjson_doc_get_root(twice))) abort();
  yyjson_doc_free(twice);
  yyjson_doc_free(doc);
  buf_clear(&out);
  arena_clear(&a);
}

static void request(struct str body, enum llm_operation operation) {
  struct arena a;
  struct request r;
  yyjson_doc *doc = yyjson_read(body.p, body.n, YYJSON_READ_NUMBER_AS_RAW);
  arena_init(&a, 0);
  if (doc && passes_envelope(own, yyjson_doc_get_root(doc), body) && decode(&a, doc, operation, &r)) {
    for (size_t i = 0; i < DIALECTS; i++) {
      struct buf out;
      if (!all[i]->encode_request) continue;
      buf_init(&out, 0);
      encode_for(all[i], &r, &a, &out);
      if (out.n) yyjson_doc_free(must_parse(buf_str(&out)));
      if (all[i] == own && out.n) check_again(buf_str(&out), operation);
      buf_clear(&out);
    }
  }
  yyjson_doc_free(doc);
  arena_clear(&a);
}

/* ---- answers ---- */

struct taker {
  struct dialect_exchange x;
  struct answer *answer;
  void *states[DIALECTS];
  struct buf outs[DIALECTS];
  bool saw_error;
};

static enum err take(void *arg, const struct event *e, struct err_info *info) {
  struct taker *t = arg;
  struct event_sink sink = answer_sink(t->answer);
  t->saw_error = t->saw_error || e->kind == EVENT_ERROR;
  if (e->kind == EVENT_ERROR) return OK;
  enum err err = event_put(&sink, e, info);
  for (size_t i = 0; !err && i < DIALECTS; i++)
    if (all[i]->encode_event) err = all[i]->encode_event(t->states[i], &t->x, e, &t->outs[i], info);
  return err;
}

static void check_frames(struct str stream) {
  struct frame_reader reader;
  struct frame frame;
  enum err e;
  frame_reader_init(&reader, FRAMING_SSE, 0);
  frame_reader_feed(&reader, stream);
  while (frame_reader_next(&reader, &frame, &e))
    if (frame.has_data) yyjson_doc_free(must_parse(frame.data));
  frame_reader_clear(&reader);
}

static void finish(struct taker *t, bool is_whole) {
  for (size_t i = 0; i < DIALECTS; i++) {
    if (all[i] == own) check_frames(buf_str(&t->outs[i]));
    buf_reset(&t->outs[i]);
    if (!is_whole || t->saw_error || !all[i]->encode_reply) continue;
    all[i]->encode_reply(&t->x, t->answer, &t->outs[i]);
    if (all[i] == own) yyjson_doc_free(must_parse(buf_str(&t->outs[i])));
  }
}

static enum err read_frames(struct taker *t, struct str stream, const struct event_sink *sink, struct err_info *info) {
  struct frame_reader reader;
  struct frame frame;
  struct json_pool pool = {0};
  enum err e = OK, cut = OK;
  void *state = arena_zalloc(t->x.arena, own->decoder_bytes);
  frame_reader_init(&reader, FRAMING_SSE, 0);
  frame_reader_feed(&reader, stream);
  while (!e && frame_reader_next(&reader, &frame, &cut)) e = own->decode_frame(state, &t->x, &pool, &frame, sink, info);
  if (!e && !cut) e = own->decode_end(state, &t->x, sink, info);
  frame_reader_clear(&reader);
  json_pool_clear(&pool);
  return e ? e : cut;
}

static void relay(struct str text, bool is_whole) {
  const struct dialect_reply_edits edits = {.model = STR("mine")};
  struct dialect_stream state = {0};
  struct events events;
  struct buf out;
  buf_init(&out, 0);
  if (is_whole) {
    if (!own->relay_reply(text, &edits, &events, &out, NULL)) own->put_receipt(&out, 0, STR("{}"));
  } else {
    struct frame_reader reader;
    struct frame frame;
    enum err cut, e = OK;
    frame_reader_init(&reader, FRAMING_SSE, 0);
    frame_reader_feed(&reader, text);
    while (!e && frame_reader_next(&reader, &frame, &cut)) {
      size_t from = out.n;
      e = own->relay_frame(&state, &frame, &edits, &events, &out, NULL);
      own->put_receipt(&out, from, STR("{}"));
    }
    frame_reader_clear(&reader);
  }
  json_pool_clear(&state.pool);
  buf_clear(&out);
}

static void answer(struct str text, bool is_whole) {
  static struct answer collected;
  struct arena a;
  struct request r;
  struct taker t = {.answer = &collected};
  struct err_info info = {0};
  arena_init(&a, 0);
  request_init(&r, STR("openai_chat"), LLM_GENERATE);
  t.x = (struct dialect_exchange){
      .arena = &a, .reply_id = STR("r1"), .model = STR("m"), .wants_usage = true, .request = &r};
  answer_init(&collected, &a, 1 << 20);
  for (size_t i = 0; i < DIALECTS; i++) {
    buf_init(&t.outs[i], 0);
    t.states[i] = arena_zalloc(&a, all[i]->encoder_bytes);
  }
  const struct event_sink sink = {&t, take};
  enum err e = is_whole ? own->decode_reply(&t.x, text, &sink, &info) : read_frames(&t, text, &sink, &info);
  if (!e) finish(&t, is_whole);
  for (size_t i = 0; i < DIALECTS; i++) buf_clear(&t.outs[i]);
  answer_clear(&collected);
  arena_clear(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  struct str text = str_from((const char *)data + 1, size - 1);
  switch (data[0]) {
    case 'q': request(text, LLM_GENERATE); break;
    case 'c': request(text, LLM_COUNT_TOKENS); break;
    case 'r':
    case 's':
      answer(text, data[0] == 'r');
      relay(text, data[0] == 'r');
      break;
    default: break;
  }
  return 0;
}
