/* links: dialect */
/* OpenAI Responses over hostile bytes: see dialect_fuzz.h. The first byte says what the rest is; expansion and records
 * of stored responses are in it, and answers for a caller who asked for everything (encrypted thinking, namespaces). */
#include "dialect/openai_responses/expand.h"
#include "dialect/openai_responses/internal.h"
#include "dialect/openai_responses/openai_responses.h"
#include "dialect_fuzz.h"
#include "passes_envelope.h"

static const struct dialect *const d = &dialect_openai_responses;

static bool find_response(void *arg, struct str id, struct arena *a, struct str *input, struct str *output,
                          enum err *e) {
  (void)arg;
  (void)a;
  *e = OK;
  *input = STR("[{\"id\":\"m\",\"role\":\"user\",\"content\":\"q\"}]");
  *output = STR("[{\"id\":\"r\",\"type\":\"reasoning\",\"summary\":[]}]");
  return id.n % 2 == 1;
}

static bool find_item(void *arg, struct str id, struct arena *a, struct str *json, enum err *e) {
  (void)arg;
  (void)a;
  *e = OK;
  *json = STR("{\"id\":\"m\",\"role\":\"assistant\",\"content\":[]}");
  return id.n % 2 == 1;
}

static void run_expand(struct str body) {
  static const struct openai_responses_lookup lookup = {NULL, find_response, find_item};
  struct arena a;
  struct buf out;
  struct err_info info = {0};
  struct openai_responses_record record;
  static struct envelope_scan scan;
  arena_init(&a, 64 << 20);
  buf_init(&out, 0);
  if (envelope_scan_whole(&scan, openai_responses_request_table(), NULL, &a, body, NULL) == OK) {
    (void)openai_responses_names_ids(&scan, body);
    (void)openai_responses_is_stored(&scan);
  }
  enum err e = openai_responses_expand(body, &lookup, &a, &out, &info);
  check_info(e, &info);
  if (!e) check_is_json(buf_str(&out));
  info = (struct err_info){0};
  e = openai_responses_record(body, body, &a, &record, &info);
  check_info(e, &info);
  for (size_t i = 0; !e && i < record.item_count; i++) check_is_json(record.items[i].json);
  if (!e) {
    struct openai_responses_page page = {.limit = STR("3")};
    buf_reset(&out);
    check(openai_responses_put_input_items(&out, record.input, &page, &info) == OK);
    check_is_json(buf_str(&out));
  }
  buf_clear(&out);
  arena_clear(&a);
}

/* The stream, written again for a caller of this dialect: each frame is JSON, the last says how it ended. */
struct rewrite {
  struct fuzz_events *f;
  struct buf out;
  void *writer;
};

static enum err rewrite_put(void *arg, const struct event *e, struct err_info *info) {
  struct rewrite *w = arg;
  if (e->kind == EVENT_ERROR) {
    d->encode_error(w->writer, &w->f->x, ERR_UPSTREAM_STATUS, info, &w->out);
    return OK;
  }
  return d->encode_event(w->writer, &w->f->x, e, &w->out, info);
}

static void check_frames(struct str bytes) {
  struct frame_reader reader;
  struct frame frame;
  enum err e;
  struct str response;
  frame_reader_init(&reader, FRAMING_SSE, 0);
  frame_reader_feed(&reader, bytes);
  while (frame_reader_next(&reader, &frame, &e)) check_is_json(frame.data);
  check(!frame_reader_is_partial(&reader));
  frame_reader_clear(&reader);
  if (openai_responses_final(bytes, &response)) check_is_json(response);
}

static void run_rewrite(struct str stream) {
  static const char asked[] =
      "{\"input\":\"q\",\"include\":[\"reasoning.encrypted_content\",\"message.output_text.logprobs\"],\"tools\":["
      "{\"type\":\"namespace\",\"name\":\"n\",\"tools\":[{\"type\":\"function\",\"name\":\"f\"}]}]}";
  struct rewrite w = {.f = fuzz_events_new(LLM_GENERATE, 0)};
  const struct event_sink sink = {&w, rewrite_put};
  struct frame_reader reader;
  struct frame frame;
  struct json_pool pool = {0};
  struct err_info info = {0};
  enum err e = OK;
  void *state = arena_zalloc(&w.f->arena, d->decoder_bytes);
  w.writer = arena_zalloc(&w.f->arena, d->encoder_bytes);
  check(state && w.writer);
  check(fuzz_decode(d, &w.f->arena, str_from_c(asked), LLM_GENERATE, &w.f->request) == OK);
  buf_init(&w.out, 0);
  frame_reader_init(&reader, FRAMING_SSE, 1 << 20);
  frame_reader_feed(&reader, stream);
  while (!e && frame_reader_next(&reader, &frame, &e)) {
    e = d->decode_frame(state, &w.f->x, &pool, &frame, &sink, &info);
  }
  if (e) d->encode_error(w.writer, &w.f->x, e, &info, &w.out);
  check_frames(buf_str(&w.out));
  frame_reader_clear(&reader);
  json_pool_clear(&pool);
  buf_clear(&w.out);
  fuzz_events_free(w.f);
}

static void run_request(struct str json) {
  yyjson_doc *doc = json.n ? yyjson_read(json.p, json.n, YYJSON_READ_NUMBER_AS_RAW) : NULL;
  bool passes = passes_envelope(d, yyjson_doc_get_root(doc), json);
  yyjson_doc_free(doc);
  if (passes) fuzz_request(d, LLM_GENERATE, json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2) return 0;
  struct str rest = str_from((const char *)data + 1, size - 1);
  unsigned flags = data[0] >> 4;
  switch (data[0] & 7) {
    case 0: run_request(rest); break;
    case 1: fuzz_reply(d, LLM_GENERATE, rest, flags); break;
    case 2: fuzz_stream(d, rest, flags); break;
    case 3: run_rewrite(rest); break;
    case 4: run_expand(rest); break;
    default: fuzz_relay(d, rest, flags); break;
  }
  return 0;
}
