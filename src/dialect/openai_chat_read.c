/* OpenAI's answers into events: see openai_chat_read.h. Sources: OpenAI API reference, "The chat completion object" and
 * "chunk object" (read 2026-11); `reasoning_content` of DeepSeek and vLLM, `reasoning`, `reasoning_details` and
 * `images` of OpenRouter, content arrays with `thinking` of Mistral, `stop_reason` of vLLM from their references.
 *
 * Invariant: a frame is told completely before its usage and its end; nothing is kept of it but the numbers of parts.
 */
#include "dialect/openai_chat_read.h"

#include <yyjson.h>

#include "dialect/openai_chat_parts.h"
#include "dialect/openai_member.h"
#include "llm/signature.h"

#define NAME STR("openai_chat")
_Static_assert(sizeof(struct openai_chat_parts) <= OPENAI_CHAT_READ_BYTES, "the state fits");

/* A sub-tree as JSON for as long as the event lasts. */
static enum err attach_json(struct openai_chat_reading *r, uint32_t choice, enum part_kind kind, uint32_t part,
                            enum event_attachment what, struct yyjson_val *v) {
  struct buf json;
  buf_init(&json, 0);
  json_split_put(&json, v);
  struct str raw = buf_str(&json);
  /* Elements of the array, so that those of several chunks can be joined. */
  if (what == ATTACH_LOGPROBS) raw = str_trim(str_sub(raw, 1, raw.n ? raw.n - 1 : 0));
  enum err e = json.failed ? ERR_NO_MEMORY : OK;
  if (!e && raw.n) e = openai_chat_parts_attach(r, choice, kind, part, what, raw, NAME);
  buf_clear(&json);
  return e;
}

static bool is_given(struct yyjson_val *v) { return v && !yyjson_is_null(v); }

/* ---- a message or a delta ---- */

static enum err read_detail(struct openai_chat_reading *r, uint32_t choice, struct yyjson_val *d, bool has_text) {
  struct str type = json_pool_str(d, "type"), signature = json_pool_str(d, "signature");
  uint32_t part;
  if (str_eq(type, STR("reasoning.encrypted"))) {
    struct signature s = signature_read(r->x->arena, json_pool_str(d, "data"), NAME);
    return s.bytes.n ? openai_chat_parts_whole(r, choice, PART_REDACTED, STR_NONE, STR_NONE, &s) : OK;
  }
  if (str_eq(type, STR("reasoning.summary")))
    return has_text ? OK : openai_chat_parts_text(r, choice, PART_REASONING_SUMMARY, json_pool_str(d, "summary"));
  if (!str_eq(type, STR("reasoning.text"))) return OK;
  enum err e = has_text ? OK : openai_chat_parts_text(r, choice, PART_REASONING, json_pool_str(d, "text"));
  if (e || !signature.n) return e;
  struct signature s = signature_read(r->x->arena, signature, NAME);
  e = openai_chat_parts_ensure(r, choice, PART_REASONING, &part);
  return e ? e : openai_chat_parts_attach(r, choice, PART_REASONING, part, ATTACH_SIGNATURE, s.bytes, s.origin);
}

static enum err read_reasoning(struct openai_chat_reading *r, uint32_t choice, struct yyjson_val *m) {
  struct str text = json_pool_str(m, "reasoning_content");
  yyjson_val *detail;
  yyjson_arr_iter it = yyjson_arr_iter_with(yyjson_obj_get(m, "reasoning_details"));
  if (!text.n) text = json_pool_str(m, "reasoning");
  enum err e = openai_chat_parts_text(r, choice, PART_REASONING, text);
  while (!e && (detail = yyjson_arr_iter_next(&it))) e = read_detail(r, choice, detail, text.n > 0);
  return e;
}

static enum err read_texts(struct openai_chat_reading *r, uint32_t choice, enum part_kind kind, struct yyjson_val *v) {
  yyjson_val *one;
  yyjson_arr_iter it = yyjson_arr_iter_with(v);
  enum err e = openai_chat_parts_text(r, choice, kind, json_pool_text(v));
  while (!e && (one = yyjson_arr_iter_next(&it)))
    e = openai_chat_parts_text(r, choice, kind, json_pool_str(one, "text"));
  return e;
}

static enum err read_part(struct openai_chat_reading *r, uint32_t choice, struct yyjson_val *part) {
  yyjson_val *thinking = yyjson_obj_get(part, "thinking"), *text = yyjson_obj_get(part, "text");
  enum err e = dialect_want_object(r->info, part, "content[]");
  if (!e) e = dialect_want_text(r->info, text, "content[].text");
  if (e) return e;
  return thinking ? read_texts(r, choice, PART_REASONING, thinking)
                  : openai_chat_parts_text(r, choice, PART_TEXT, json_pool_text(text));
}

/* A string, or an array of parts. */
static enum err read_content(struct openai_chat_reading *r, uint32_t choice, struct yyjson_val *content) {
  yyjson_val *one;
  yyjson_arr_iter it = yyjson_arr_iter_with(content);
  if (is_given(content) && !yyjson_is_str(content) && !yyjson_is_arr(content))
    return dialect_bad_reply(r->info, "the content is no text");
  enum err e = openai_chat_parts_text(r, choice, PART_TEXT, json_pool_text(content));
  while (!e && (one = yyjson_arr_iter_next(&it))) e = read_part(r, choice, one);
  return e;
}

static enum err read_annotations(struct openai_chat_reading *r, uint32_t choice, struct yyjson_val *list) {
  yyjson_val *one;
  yyjson_arr_iter it = yyjson_arr_iter_with(list);
  enum err e = OK;
  while (!e && (one = yyjson_arr_iter_next(&it))) {
    uint32_t part;
    e = openai_chat_parts_ensure(r, choice, PART_TEXT, &part);
    if (!e) e = attach_json(r, choice, PART_TEXT, part, ATTACH_CITATION, one);
  }
  return e;
}

static enum err read_audio(struct openai_chat_reading *r, uint32_t choice, struct yyjson_val *audio) {
  struct str id = json_pool_str(audio, "id"), data = json_pool_str(audio, "data");
  uint32_t part;
  if (!yyjson_is_obj(audio)) return OK;
  enum err e = openai_chat_parts_text(r, choice, PART_TEXT, json_pool_str(audio, "transcript"));
  if (!e && id.n) e = openai_chat_parts_ensure(r, choice, PART_AUDIO, &part);
  if (!e && id.n) e = openai_chat_parts_attach(r, choice, PART_AUDIO, part, ATTACH_AUDIO_ID, id, NAME);
  return e ? e : openai_chat_parts_text(r, choice, PART_AUDIO, data);
}

static enum err read_images(struct openai_chat_reading *r, uint32_t choice, struct yyjson_val *list) {
  yyjson_val *one;
  yyjson_arr_iter it = yyjson_arr_iter_with(list);
  enum err e = OK;
  while (!e && (one = yyjson_arr_iter_next(&it))) {
    struct media media = {0};
    request_media_from_url(json_pool_str(yyjson_obj_get(one, "image_url"), "url"), &media);
    if (media.data.n) e = openai_chat_parts_whole(r, choice, PART_IMAGE, media.mime, media.data, NULL);
  }
  return e;
}

static int32_t index_of(struct yyjson_val *call) {
  int64_t index = json_pool_count(yyjson_obj_get(call, "index"));
  return index < 0 || index > INT32_MAX ? OPENAI_CHAT_INDEX_NONE : (int32_t)index;
}

/* named: {name, arguments} or {name, input}. Arguments that are an object in place of its text are written as it. */
static enum err read_call(struct openai_chat_reading *r, uint32_t choice, struct yyjson_val *named,
                          struct openai_chat_call *c) {
  yyjson_val *text = yyjson_obj_get(named, c->is_custom ? "input" : "arguments");
  struct buf json;
  bool is_empty = yyjson_is_arr(text) && yyjson_arr_size(text) == 0; /* PHP's way to write {} */
  if (is_given(text) && !yyjson_is_str(text) && !yyjson_is_obj(text) && !is_empty)
    return dialect_bad_reply(r->info, "the arguments of a tool call are no text");
  enum err e = dialect_want_text(r->info, yyjson_obj_get(named, "name"), "name");
  if (e) return e;
  buf_init(&json, 0);
  c->name = json_pool_str(named, "name");
  c->text = json_pool_text(text);
  if (yyjson_is_obj(text)) {
    json_split_put(&json, text);
    c->text = buf_str(&json);
  }
  e = json.failed ? ERR_NO_MEMORY : openai_chat_parts_call(r, choice, c);
  buf_clear(&json);
  return e;
}

static enum err read_tool_call(struct openai_chat_reading *r, uint32_t choice, struct yyjson_val *call) {
  yyjson_val *custom = yyjson_obj_get(call, "custom"), *function = yyjson_obj_get(call, "function");
  struct openai_chat_call c = {.index = index_of(call), .id = json_pool_str(call, "id")};
  enum err e = dialect_want_object(r->info, call, "tool_calls[]");
  if (!e) e = dialect_want_object(r->info, custom, "tool_calls[].custom");
  if (!e) e = dialect_want_object(r->info, function, "tool_calls[].function");
  c.is_custom = yyjson_is_obj(custom);
  return e ? e : read_call(r, choice, c.is_custom ? custom : function, &c);
}

static enum err read_calls(struct openai_chat_reading *r, uint32_t choice, struct yyjson_val *m) {
  yyjson_val *legacy = yyjson_obj_get(m, "function_call"), *one;
  yyjson_val *calls = yyjson_obj_get(m, "tool_calls");
  yyjson_arr_iter it = yyjson_arr_iter_with(calls);
  enum err e = dialect_want_array(r->info, calls, "tool_calls");
  if (!e) e = dialect_want_object(r->info, legacy, "function_call");
  while (!e && (one = yyjson_arr_iter_next(&it))) e = read_tool_call(r, choice, one);
  if (e || !yyjson_is_obj(legacy)) return e;
  struct openai_chat_call c = {.index = OPENAI_CHAT_INDEX_FUNCTION};
  return read_call(r, choice, legacy, &c);
}

static enum err read_message(struct openai_chat_reading *r, uint32_t choice, struct yyjson_val *m) {
  yyjson_val *refusal = yyjson_obj_get(m, "refusal");
  enum err e = dialect_want_text(r->info, refusal, "refusal");
  if (!e) e = read_reasoning(r, choice, m);
  if (!e) e = read_content(r, choice, yyjson_obj_get(m, "content"));
  if (!e) e = openai_chat_parts_text(r, choice, PART_REFUSAL, json_pool_text(refusal));
  if (!e) e = read_annotations(r, choice, yyjson_obj_get(m, "annotations"));
  if (!e) e = read_audio(r, choice, yyjson_obj_get(m, "audio"));
  if (!e) e = read_images(r, choice, yyjson_obj_get(m, "images"));
  return e ? e : read_calls(r, choice, m);
}

/* ---- a choice ---- */

/* OpenAI's words, and those that its imitators write in their place. */
static const struct {
  struct str word;
  enum stop_reason reason;
} reasons[] = {
    {STR("stop"), STOP_END},
    {STR("length"), STOP_LENGTH},
    {STR("tool_calls"), STOP_TOOL_CALLS},
    {STR("function_call"), STOP_TOOL_CALLS},
    {STR("content_filter"), STOP_FILTER},
    {STR("eos"), STOP_END},      /* Together */
    {STR("end_turn"), STOP_END}, /* proxies for Anthropic */
    {STR("max_tokens"), STOP_LENGTH},
    {STR("model_length"), STOP_CONTEXT}, /* Mistral */
    {STR("tool_use"), STOP_TOOL_CALLS},
    {STR("stop_sequence"), STOP_SEQUENCE},
    {STR("refusal"), STOP_REFUSAL},
};

static enum err put_stop(struct openai_chat_reading *r, uint32_t choice, struct str native, struct str sequence) {
  struct openai_chat_parts *p = r->parts;
  struct event event = {.kind = EVENT_STOP, .choice = choice, .native = native, .dialect = NAME, .reason = STOP_OTHER};
  if (openai_chat_choices_has(&p->stopped, choice)) return OK; /* said twice */
  for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
    if (str_eq(native, reasons[i].word)) event.reason = reasons[i].reason;
  if (!native.n) event.reason = STOP_END;
  if (event.reason == STOP_END) { /* many servers say "stop" whatever it was */
    if (openai_chat_choices_has(&p->refused, choice)) event.reason = STOP_REFUSAL;
    if (openai_chat_choices_has(&p->called, choice))
      event.reason = STOP_TOOL_CALLS;
    else if (sequence.n)
      event.reason = STOP_SEQUENCE;
  }
  if (event.reason == STOP_SEQUENCE) event.text = sequence;
  openai_chat_choices_add(&p->stopped, choice);
  enum err e = openai_chat_parts_close(r, choice);
  return e ? e : event_put(r->sink, &event, r->info);
}

static enum err read_choice(struct openai_chat_reading *r, struct yyjson_val *node, uint32_t position) {
  if (!yyjson_is_obj(node)) return dialect_bad_reply(r->info, "a choice is no object");
  int64_t index = json_pool_count(yyjson_obj_get(node, "index"));
  uint32_t choice = index < 0 ? position : index < ANSWER_CHOICES_MAX ? (uint32_t)index : ANSWER_CHOICES_MAX;
  yyjson_val *message = yyjson_obj_get(node, "delta"), *logprobs = yyjson_obj_get(node, "logprobs"),
             *tokens = yyjson_obj_get(logprobs, "content"), *text = yyjson_obj_get(node, "text");
  if (choice >= ANSWER_CHOICES_MAX) return err_set(r->info, ERR_UPSTREAM_TOO_LARGE, "the answer has too many choices");
  openai_chat_choices_add(&r->parts->seen, choice);
  if (!is_given(message)) message = yyjson_obj_get(node, "message");
  enum err e = dialect_want_object(r->info, message, "message");
  if (!e) e = dialect_want_text(r->info, text, "text");
  if (!e) e = read_message(r, choice, message);
  if (!e) e = openai_chat_parts_text(r, choice, PART_TEXT, json_pool_text(text));
  uint32_t last = openai_chat_parts_last(r->parts, choice);
  if (!e && last != UINT32_MAX && yyjson_arr_size(tokens))
    e = attach_json(r, choice, PART_TEXT, last, ATTACH_LOGPROBS, tokens);
  struct str finish = json_pool_str(node, "finish_reason");
  if (e || !finish.n) return e;
  return put_stop(r, choice, finish, json_pool_str(node, "stop_reason"));
}

/* ---- a frame, a reply ---- */

static enum err put_start(struct openai_chat_reading *r, struct yyjson_val *root) {
  if (r->parts->is_started) return OK; /* every chunk has these members */
  struct event event = {.kind = EVENT_START, .id = json_pool_str(root, "id"), .name = json_pool_str(root, "model")};
  int64_t created = json_pool_count(yyjson_obj_get(root, "created"));
  r->parts->is_started = true;
  event.created_s = created > 0 ? created : 0;
  event.dialect = NAME;
  return event_put(r->sink, &event, r->info);
}

static enum err put_usage(struct openai_chat_reading *r, struct yyjson_val *root) {
  struct usage usage;
  struct event event = {.kind = EVENT_USAGE, .usage = &usage};
  yyjson_val *v = yyjson_obj_get(root, "usage");
  if (!v) v = yyjson_obj_get(yyjson_obj_get(root, "x_groq"), "usage"); /* Groq's place in streams */
  return openai_member_read_usage(v, &usage) ? event_put(r->sink, &event, r->info) : OK;
}

static enum err put_error(struct openai_chat_reading *r, struct str json) {
  struct event event = {.kind = EVENT_ERROR, .bytes = json, .dialect = NAME};
  return event_put(r->sink, &event, r->info);
}

/* Choices that were begun and have no end. */
static bool is_owed(const struct openai_chat_parts *p) {
  for (size_t i = 0; i < ANSWER_CHOICES_MAX / 64; i++)
    if (p->seen.v[i] & ~p->stopped.v[i]) return true;
  return false;
}

static enum err put_end(struct openai_chat_reading *r) {
  struct openai_chat_parts *p = r->parts;
  struct event event = {.kind = EVENT_END};
  enum err e = OK;
  if (!openai_chat_choices_has(&p->seen, 0)) return dialect_bad_reply(r->info, "it has no first choice");
  for (uint32_t c = 0; !e && c < ANSWER_CHOICES_MAX; c++) {
    if (!openai_chat_choices_has(&p->seen, c)) continue;
    e = put_stop(r, c, STR_NONE, STR_NONE);
    if (!e) e = openai_chat_parts_close(r, c); /* what came behind its stop */
  }
  p->is_ended = true;
  return e ? e : event_put(r->sink, &event, r->info);
}

static enum err read_root(struct openai_chat_reading *r, struct yyjson_val *root) {
  yyjson_val *choices = yyjson_obj_get(root, "choices"), *one;
  yyjson_arr_iter it = yyjson_arr_iter_with(choices);
  enum err e = dialect_want_array(r->info, choices, "choices");
  if (!e && yyjson_arr_size(choices))
    e = put_start(r, root); /* Azure's first chunk has none, and neither id nor model */
  for (uint32_t i = 0; !e && (one = yyjson_arr_iter_next(&it)); i++) e = read_choice(r, one, i);
  if (e || !r->parts->is_started) return e;
  return put_usage(r, root);
}

enum err openai_chat_read_reply(const struct dialect_exchange *x, struct str body, const struct event_sink *sink,
                                struct err_info *info) {
  struct json_pool pool = {0};
  struct openai_chat_reading r = {.x = x, .sink = sink, .info = info};
  r.parts = ARENA_NEW(x->arena, struct openai_chat_parts);
  yyjson_val *root = json_pool_parse(&pool, body);
  enum err e = r.parts ? OK : ERR_NO_MEMORY;
  if (e) goto out;
  if (!yyjson_is_obj(root)) {
    e = dialect_bad_reply(info, "it is not a JSON object");
  } else if (openai_member_is_error(root, "choices")) {
    e = put_error(&r, body);
  } else if (!yyjson_arr_size(yyjson_obj_get(root, "choices"))) {
    e = dialect_bad_reply(info, "it has no \"choices\"");
  } else {
    e = read_root(&r, root);
    if (!e) e = put_end(&r);
  }
out:
  json_pool_clear(&pool);
  return e;
}

enum err openai_chat_read_frame(void *state, const struct dialect_exchange *x, struct json_pool *pool,
                                const struct frame *frame, const struct event_sink *sink, struct err_info *info) {
  struct openai_chat_reading r = {.parts = state, .x = x, .sink = sink, .info = info};
  struct str data = str_trim(frame->data);
  if (!frame->has_data || data.n == 0 || r.parts->is_ended) return OK;
  if (str_eq(data, STR("[DONE]"))) {
    if (!r.parts->is_started) return dialect_bad_reply(info, "the stream ended before an answer began");
    return put_end(&r);
  }
  yyjson_val *root = json_pool_parse(pool, data);
  if (!yyjson_is_obj(root)) return dialect_bad_reply(info, "a stream event is not a JSON object");
  bool is_error = str_eq(frame->event, STR("error")) && !yyjson_obj_get(root, "choices");
  if (is_error || openai_member_is_error(root, "choices")) return put_error(&r, data);
  return read_root(&r, root);
}

enum err openai_chat_read_end(void *state, const struct dialect_exchange *x, const struct event_sink *sink,
                              struct err_info *info) {
  struct openai_chat_reading r = {.parts = state, .x = x, .sink = sink, .info = info};
  if (!r.parts->is_started || r.parts->is_ended || is_owed(r.parts)) return OK; /* over, or cut */
  return put_end(&r);
}
