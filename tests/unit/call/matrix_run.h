/* One exchange of the matrix over the code that calls run: call/translate, the provider's reading of errors, the
 * caller's dialect. No network and no fiber: bytes in, bytes out. All is static. */
#ifndef MAESTRO_TESTS_MATRIX_RUN_H
#define MAESTRO_TESTS_MATRIX_RUN_H

#include "call/translate.h"
#include "matrix_json.h"
#include "state/signature_store.h"

/* ---- dialects by what they are to an operation ---- */

static const struct dialect *const dialects[] = {
#define X(symbol) &symbol,
#include "dialect/dialects.def"
#undef X
};
enum { DIALECTS = sizeof dialects / sizeof *dialects };

static const struct provider_type *const provider_types[] = {
#define X(symbol, name) &provider_##symbol,
#include "provider/types.def"
#undef X
};
enum { TYPES = sizeof provider_types / sizeof *provider_types };
static const char *const type_names[] = {
#define X(symbol, name) name,
#include "provider/types.def"
#undef X
};

static enum llm_operation operation_of(struct str word) {
  static const char *const words[] = {"generate", "complete", "embed", "count_tokens"};
  for (size_t i = 0; i < LLM_OPERATIONS; i++)
    if (str_eq(word, str_from_c(words[i]))) return (enum llm_operation)i;
  fail_msg("no such operation: %.*s", STR_ARG(word));
  return LLM_GENERATE;
}

/* Whether a provider serves the operation in that dialect; -1: no provider speaks it (yet). */
static int serves(const struct dialect *d, enum llm_operation op) {
  int found = -1;
  for (size_t i = 0; i < TYPES; i++)
    for (const struct provider_endpoint *e = provider_types[i]->endpoints; e->dialect.n; e++)
      if (str_eq(e->dialect, d->name)) found = found > 0 || e->operation == op;
  return found;
}

/* The operation that a dialect's callers ask for: told by what it can answer, and by what its name is served for. */
static bool is_caller(const struct dialect *d, enum llm_operation op) {
  if (op == LLM_COUNT_TOKENS) return serves(d, op) > 0;
  if (op == LLM_EMBED) return d->decode_request && d->encode_embeddings;
  if (!d->decode_request || !d->encode_event || !d->request_table) return false;
  return (serves(d, LLM_GENERATE) != 0) == (op == LLM_GENERATE);
}

static bool is_target(const struct dialect *d, enum llm_operation op) {
  if (op == LLM_COUNT_TOKENS) op = LLM_GENERATE; /* where no endpoint counts the case says so */
  if (!d->encode_request) return false;
  if (op == LLM_EMBED ? !d->decode_embeddings : !d->decode_reply) return false;
  int served = serves(d, op);
  return served > 0 || (served < 0 && op == (d->decode_embeddings ? LLM_EMBED : LLM_GENERATE));
}

/* ---- an exchange ---- */

struct exchange {
  const struct dialect *caller, *target;
  struct arena arena;
  struct envelope_scan scan;
  struct dialect_request request;
  struct catalog_provider provider;
  struct deployment deployment;
  struct config_options options;
  const struct deployment *order[1];
  struct plan plan;
  struct call call;
  struct translation translation;
  struct err_info info;
  struct buf out; /* what the caller or the target gets */
  bool has_sent;
};

static enum err take_bytes(void *arg, struct str bytes, bool is_end) {
  (void)arg;
  (void)bytes;
  (void)is_end;
  return OK;
}

static bool has_sent(void *arg) { return ((struct exchange *)arg)->has_sent; }

/* The vendor's own type, which stands behind that of its imitators. */
static const char *type_of(const struct dialect *target) {
  for (size_t i = TYPES; i-- > 0;)
    for (const struct provider_endpoint *e = provider_types[i]->endpoints; e->dialect.n; e++)
      if (str_eq(e->dialect, target->name)) return type_names[i];
  return "openai-compatible"; /* reads the errors of all vendors */
}

/* `body`: the caller's request, read as far as the gateway does. */
static enum err exchange_open(struct exchange *x, const struct dialect *caller, const struct dialect *target,
                              enum llm_operation op, bool is_stream, bool is_array, struct str body) {
  memset(x, 0, sizeof *x);
  x->caller = caller;
  x->target = target;
  arena_init(&x->arena, 0);
  buf_init(&x->out, 0);
  const struct provider_spec spec = {.id = STR("up"),
                                     .type = str_from_c(type_of(target)),
                                     .base_url = STR("http://127.0.0.1:1/v1"),
                                     .api_key = STR("secret-key"),
                                     .allow_private = true};
  assert_int_equal(provider_init(&x->arena, &spec, &x->provider.provider, &x->info), OK);
  x->deployment = (struct deployment){.at = &x->provider,
                                      .model = STR("the-model"),
                                      .qualified = STR("the-model"),
                                      .context_tokens = -1,
                                      .output_tokens = -1};
  x->request = (struct dialect_request){.operation = op, .max_tokens = -1, .is_array = is_array};
  x->order[0] = &x->deployment;
  x->plan = (struct plan){.v = x->order, .n = 1};
  x->call = (struct call){.plan = &x->plan,
                          .options = &x->options,
                          .dialect = caller,
                          .arena = &x->arena,
                          .body = body,
                          .scan = &x->scan,
                          .request = &x->request,
                          .owner = STR("somebody"),
                          .reply_id = STR("r1"),
                          .sink = {x, take_bytes, has_sent}};
  if (is_stream) x->request.is_stream = true;
  enum err e = envelope_scan_whole(&x->scan, caller->request_table(), NULL, &x->arena, body, &x->info);
  if (!e) e = caller->read_request(&x->arena, body, &x->scan, &x->request, &x->info);
  if (!x->request.model.n) x->request.model = STR("the-model"); /* Gemini's path says it */
  return e;
}

static void exchange_close(struct exchange *x) {
  translation_clear(&x->translation);
  call_clear(&x->call);
  buf_clear(&x->out);
  arena_clear(&x->arena);
}

/* The request as the target gets it. */
static enum err run_request(struct exchange *x) {
  struct str body;
  enum err e = translate_request(&x->call, &x->deployment, x->target, x->request.is_stream, &body, &x->info);
  if (!e) buf_put(&x->out, body);
  return e;
}

/* Without a filter: what the dialects make of an answer. */
static struct codec codec_of(const struct exchange *x) {
  return (struct codec){.target = x->target, .request = CODEC_ENCODE, .answer = CODEC_ENCODE};
}

/* A whole answer, or the error in its place, as the caller gets it. */
static int run_reply(struct exchange *x, struct str body) {
  const struct codec codec = codec_of(x);
  enum err e = translate_reply(&x->call, &x->deployment, &codec, body, (struct http_headers){0}, &x->info);
  if (e) {
    x->caller->put_error(&x->out, e, &x->info);
    return err_info_status(e, &x->info);
  }
  buf_put(&x->out, buf_str(&x->call.reply));
  return 200;
}

/* An upstream's refusal as the caller gets it. */
static int run_error(struct exchange *x, int status, struct str body) {
  const struct provider *p = &x->provider.provider;
  enum err e = p->type->classify_failure(p, status, (struct http_headers){0}, body, &x->info);
  x->caller->put_error(&x->out, e, &x->info);
  return err_info_status(e, &x->info);
}

static enum err take_frames(struct exchange *x, struct frame_reader *reader, bool is_last) {
  struct frame frame;
  struct events events;
  enum err e = OK;
  while (!e && (frame_reader_next(reader, &frame, &e) || (is_last && frame_reader_take_partial(reader, &frame, &e)))) {
    e = translation_frame(&x->translation, &frame, &events, &x->out, &x->info);
    x->has_sent |= events_has(&events, EVENT_DELTA) || events_has(&events, EVENT_STOP);
  }
  return e;
}

/* A stream, in pieces: the first `cut` bytes, then `step` at a time (0: the rest). */
static enum err run_stream(struct exchange *x, struct str bytes, size_t cut, size_t step) {
  struct frame_reader reader;
  struct events events;
  const struct codec codec = codec_of(x);
  enum err e = translation_begin(&x->translation, &x->call, &x->deployment, &codec, &x->info);
  assert_int_equal(e, OK);
  x->call.translation = &x->translation;
  x->translation.x.created_s = 1700000000; /* so that each run gives the same bytes */
  x->translation.x.began_us = 0;
  frame_reader_init(&reader, x->target->framing, 0);
  for (size_t at = 0, n; !e && at < bytes.n; at += n) {
    n = at == 0 && cut ? cut : step ? step : bytes.n - at;
    if (n > bytes.n - at) n = bytes.n - at;
    frame_reader_feed(&reader, str_sub(bytes, at, at + n));
    e = take_frames(x, &reader, false);
  }
  if (!e) e = take_frames(x, &reader, true);
  if (!e) e = translation_end(&x->translation, &events, &x->out, &x->info);
  if (e) call_put_stream_error(&x->call, e, &x->info, &x->out);
  frame_reader_clear(&reader);
  return e;
}

/* ---- relayed ---- */

/* The request with another model's name spliced in: the rest byte for byte. */
static bool is_request_relayed(struct exchange *x, struct str body) {
  struct dialect_request_edits want = {.model = STR("another-model-of-theirs")};
  struct envelope_edit edit;
  struct span_list spans;
  struct buf wanted;
  struct str slices[SPAN_SLICES_MAX];
  buf_init(&wanted, 0);
  envelope_edit_init(&edit, &x->scan);
  if (x->caller->edit_request(&x->arena, &want, &edit, &x->info)) return false;
  span_list_init(&spans, body.n);
  if (envelope_edit_spans(&edit, &x->arena, &spans, &x->info)) return false;
  buf_reset(&x->out);
  size_t n = span_slices(&spans, body, slices);
  for (size_t i = 0; i < n; i++) buf_put(&x->out, slices[i]);
  size_t at = str_find(body, STR("\"the-model\""));
  if (at == SIZE_MAX) at = body.n;
  buf_put(&wanted, str_sub(body, 0, at));
  if (at < body.n) buf_put(&wanted, STR("\"another-model-of-theirs\""));
  buf_put(&wanted, str_sub(body, at + 11 < body.n ? at + 11 : body.n, body.n));
  bool is_same = str_eq(buf_str(&x->out), buf_str(&wanted));
  buf_clear(&wanted);
  return is_same;
}

static bool is_reply_relayed(struct exchange *x, struct str body) {
  const struct dialect_reply_edits none = {0};
  struct events events = {0};
  buf_reset(&x->out);
  if (x->caller->relay_reply(body, &none, &events, &x->out, &x->info)) return false;
  return str_eq(buf_str(&x->out), body);
}

static bool is_stream_relayed(struct exchange *x, struct str bytes) {
  const struct dialect_reply_edits none = {0};
  struct dialect_stream state = {0};
  struct frame_reader reader;
  struct frame frame;
  enum err e = OK;
  buf_reset(&x->out);
  frame_reader_init(&reader, x->caller->framing, 0);
  frame_reader_feed(&reader, bytes);
  while (!e && frame_reader_next(&reader, &frame, &e)) {
    struct events events = {0};
    e = x->caller->relay_frame(&state, &frame, &none, &events, &x->out, &x->info);
  }
  frame_reader_clear(&reader);
  json_pool_clear(&state.pool);
  return !e && str_eq(buf_str(&x->out), bytes);
}

#endif
