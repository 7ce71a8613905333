/* What Gemini answers, as events: whole replies and stream chunks, which are the same object. Called through
 * dialect_gemini by whoever translates; the state is the stream's.
 *
 * A stream has no end mark, and older models say finishReason in every chunk. So the reason is remembered, the last one
 * counts, and parts are closed and choices stopped when the connection ends; where no reason was said, nothing is,
 * which is how a cut is known. Texts in a row are one part; a signature ends it, since the vendor forbids to merge
 * behind one. Calls are whole. Memory: the state, and a call's arguments while they are emitted. */
#include <yyjson.h>

#include "base/json_out.h"
#include "dialect/gemini/gemini_internal.h"
#include "dialect/tool_name.h"

struct reader {
  struct gemini_decoder *state;
  const struct dialect_exchange *x;
  const struct event_sink *sink;
  struct err_info *info;
};

static enum err put(struct reader *r, const struct event *e) { return event_put(r->sink, e, r->info); }

/* ---- usage ---- */

enum count { PROMPT, TOOL_USE, CANDIDATES, THOUGHTS, CACHED, TOTAL, COUNTED, COUNTS };

static const struct str count_names[COUNTS] = {
    [PROMPT] = STR("promptTokenCount"),
    [TOOL_USE] = STR("toolUsePromptTokenCount"),
    [CANDIDATES] = STR("candidatesTokenCount"),
    [THOUGHTS] = STR("thoughtsTokenCount"),
    [CACHED] = STR("cachedContentTokenCount"),
    [TOTAL] = STR("totalTokenCount"),
    [COUNTED] = STR("totalTokens"), /* countTokens */
};

static int64_t or_zero(int64_t count) { return count > 0 ? count : 0; }

/* Prompt tokens hold the cached ones, but not what tools of the provider's own brought in; candidates do not hold
 * thoughts (usageMetadata, Gemini API reference). */
void gemini_reply_usage(struct yyjson_val *usage, struct usage *out) {
  int64_t n[COUNTS] = {-1, -1, -1, -1, -1, -1, -1};
  yyjson_val *key;
  yyjson_obj_iter it = yyjson_obj_iter_with(usage);
  while ((key = yyjson_obj_iter_next(&it))) {
    struct str name = str_from(yyjson_get_str(key), yyjson_get_len(key));
    for (int i = 0; i < COUNTS; i++)
      if (str_eq(count_names[i], name)) n[i] = json_pool_count(yyjson_obj_iter_get_val(key));
  }
  for (int i = 0; i < COUNTS; i++)
    if (n[i] > INT64_C(1) << 52) return; /* no vendor means that, and sums stay sums */
  int64_t input = n[PROMPT] >= 0 ? n[PROMPT] + or_zero(n[TOOL_USE]) : n[COUNTED];
  if (input >= 0) usage_set(out, USAGE_INPUT, input);
  if (n[CANDIDATES] >= 0 || n[THOUGHTS] >= 0)
    usage_set(out, USAGE_OUTPUT, or_zero(n[CANDIDATES]) + or_zero(n[THOUGHTS]));
  else if (n[PROMPT] >= 0 && n[TOTAL] >= input)
    usage_set(out, USAGE_OUTPUT, n[TOTAL] - input);
  if (n[THOUGHTS] >= 0) usage_set(out, USAGE_REASONING, n[THOUGHTS]);
  if (n[CACHED] >= 0 && n[CACHED] <= input) usage_set(out, USAGE_CACHE_READ, n[CACHED]);
}

static enum err put_usage(struct reader *r, yyjson_val *v) {
  struct usage usage = {0};
  gemini_reply_usage(v, &usage);
  return usage.known ? put(r, &(struct event){.kind = EVENT_USAGE, .usage = &usage}) : OK;
}

/* ---- parts ---- */

static enum err close_part(struct reader *r, uint32_t index) {
  struct gemini_choice *c = &r->state->choices[index];
  if (!c->is_open) return OK;
  c->is_open = false;
  return put(r, &(struct event){.kind = EVENT_CLOSE, .part = c->part, .choice = index, .part_kind = c->kind});
}

/* Begins a part, with what `open` says of it, after the one before has ended. */
static enum err open_part(struct reader *r, uint32_t index, enum part_kind kind, struct event open) {
  struct gemini_choice *c = &r->state->choices[index];
  enum err e = close_part(r, index);
  if (e) return e;
  c->is_open = true;
  c->is_signed = false;
  c->kind = kind;
  c->part = r->state->next_part++;
  open.kind = EVENT_OPEN;
  open.part = c->part;
  open.choice = index;
  open.part_kind = kind;
  return put(r, &open);
}

static enum err put_delta(struct reader *r, uint32_t index, struct str bytes) {
  const struct gemini_choice *c = &r->state->choices[index];
  if (!bytes.n) return OK;
  return put(
      r, &(struct event){.kind = EVENT_DELTA, .part = c->part, .choice = index, .part_kind = c->kind, .bytes = bytes});
}

static enum err attach(struct reader *r, uint32_t index, enum event_attachment what, struct str bytes, struct str raw) {
  const struct gemini_choice *c = &r->state->choices[index];
  return put(r, &(struct event){.kind = EVENT_ATTACH,
                                .part = c->part,
                                .choice = index,
                                .part_kind = c->kind,
                                .attachment = what,
                                .bytes = bytes,
                                .raw = raw,
                                .dialect = GEMINI_NAME});
}

static enum err put_text(struct reader *r, uint32_t index, enum part_kind kind, struct str text, struct str signature) {
  const struct gemini_choice *c = &r->state->choices[index];
  bool goes_on = c->is_open && c->kind == kind && !c->is_signed;
  if (!text.n && !signature.n) return OK;
  enum err e = goes_on ? OK : open_part(r, index, kind, (struct event){0});
  if (!e) e = put_delta(r, index, text);
  if (e || !signature.n) return e;
  r->state->choices[index].is_signed = true;
  return attach(r, index, ATTACH_SIGNATURE, signature, STR_NONE);
}

static enum err put_call(struct reader *r, uint32_t index, yyjson_val *call, struct str signature) {
  yyjson_val *args = yyjson_obj_get(call, "args");
  struct str id = json_pool_str(call, "id"),
             name = tool_name_declared(r->x->request, GEMINI_NAME, json_pool_str(call, "name"));
  struct buf text;
  if (args && !yyjson_is_obj(args) && !yyjson_is_null(args))
    return dialect_bad_reply(r->info, "the arguments of a call are no object");
  if (!name.n) return dialect_bad_reply(r->info, "a call has no name");
  if (!dialect_is_call_id(id)) id = dialect_make_id(r->x, "call_", r->state->invented++);
  if (!id.p) return ERR_NO_MEMORY;
  buf_init(&text, 0);
  if (yyjson_is_obj(args))
    json_split_put(&text, args);
  else
    buf_put(&text, STR("{}"));
  enum err e =
      text.failed ? ERR_NO_MEMORY : open_part(r, index, PART_TOOL_CALL, (struct event){.id = id, .name = name});
  if (!e) e = put_delta(r, index, buf_str(&text));
  if (!e && signature.n) e = attach(r, index, ATTACH_SIGNATURE, signature, STR_NONE);
  if (!e) e = close_part(r, index);
  r->state->choices[index].saw_call = true;
  buf_clear(&text);
  return e;
}

/* A picture or sound that the model made. */
static enum err put_blob(struct reader *r, uint32_t index, yyjson_val *blob, struct str signature) {
  struct str mime = json_pool_str(blob, "mimeType");
  enum part_kind kind = str_has_prefix(mime, STR("image/"))   ? PART_IMAGE
                        : str_has_prefix(mime, STR("audio/")) ? PART_AUDIO
                        : str_has_prefix(mime, STR("video/")) ? PART_VIDEO
                                                              : PART_DOCUMENT;
  enum err e = open_part(r, index, kind, (struct event){.mime = mime});
  if (!e) e = put_delta(r, index, json_pool_str(blob, "data"));
  if (!e && signature.n) e = attach(r, index, ATTACH_SIGNATURE, signature, STR_NONE);
  return e ? e : close_part(r, index);
}

static enum err put_native(struct reader *r, uint32_t index, enum part_kind kind, yyjson_val *part) {
  struct buf raw;
  buf_init(&raw, 0);
  json_split_put(&raw, part);
  enum err e = raw.failed ? ERR_NO_MEMORY
                          : open_part(r, index, kind, (struct event){.raw = buf_str(&raw), .dialect = GEMINI_NAME});
  if (!e) e = close_part(r, index);
  buf_clear(&raw);
  return e;
}

static enum err see_part(struct reader *r, uint32_t index, yyjson_val *part) {
  static const char *const server_tools[] = {"executableCode", "codeExecutionResult", "toolCall", "toolResponse"};
  yyjson_val *text = yyjson_obj_get(part, "text"), *call = yyjson_obj_get(part, "functionCall");
  yyjson_val *blob = yyjson_obj_get(part, "inlineData");
  struct str signature = json_pool_str(part, "thoughtSignature");
  bool is_thought = yyjson_is_true(yyjson_obj_get(part, "thought"));
  if (!yyjson_is_obj(part)) return dialect_bad_reply(r->info, "a part is no object");
  enum err e = dialect_want_object(r->info, call, "functionCall");
  if (!e) e = dialect_want_object(r->info, blob, "inlineData");
  if (!e) e = dialect_want_text(r->info, text, "text");
  if (e) return e;
  if (yyjson_is_obj(call)) return put_call(r, index, call, signature);
  if (yyjson_is_obj(blob)) return put_blob(r, index, blob, signature);
  for (size_t i = 0; i < sizeof server_tools / sizeof *server_tools; i++)
    if (yyjson_is_obj(yyjson_obj_get(part, server_tools[i]))) return put_native(r, index, PART_SERVER_TOOL, part);
  if (text || signature.n)
    return put_text(r, index, is_thought ? PART_REASONING : PART_TEXT, json_pool_text(text), signature);
  return yyjson_obj_size(part) ? put_native(r, index, PART_OPAQUE, part) : OK;
}

/* ---- what stands beside the content ---- */

static void put_uri(struct buf *out, yyjson_val *source) {
  json_out_member_string_if(out, "uri", json_pool_str(source, "uri"));
  json_out_member_string_if(out, "title", json_pool_str(source, "title"));
}

/* One source of a grounded segment, in the shape of Gemini's own citations. */
static enum err put_grounding(struct reader *r, uint32_t index, yyjson_val *chunk, yyjson_val *segment) {
  static const char *const kinds[] = {"web", "retrievedContext", "maps", "image"};
  yyjson_val *source = NULL;
  struct buf json;
  for (size_t i = 0; !source && i < sizeof kinds / sizeof *kinds; i++) source = yyjson_obj_get(chunk, kinds[i]);
  if (!yyjson_is_obj(source)) return OK;
  buf_init(&json, 0);
  json_out_begin(&json, '{');
  json_out_member_value_if(&json, "startIndex", yyjson_obj_get(segment, "startIndex"));
  json_out_member_value_if(&json, "endIndex", yyjson_obj_get(segment, "endIndex"));
  put_uri(&json, source);
  json_out_end(&json, '}');
  enum err e = json.failed ? ERR_NO_MEMORY : attach(r, index, ATTACH_CITATION, STR_NONE, buf_str(&json));
  buf_clear(&json);
  return e;
}

/* Chunks repeat what they said before: only what is new is told. */
static enum err see_grounding(struct reader *r, uint32_t index, yyjson_val *metadata) {
  struct gemini_choice *c = &r->state->choices[index];
  yyjson_val *chunks = yyjson_obj_get(metadata, "groundingChunks"), *one, *number;
  yyjson_val *supports = yyjson_obj_get(metadata, "groundingSupports");
  bool has_supports = yyjson_arr_size(supports) > 0;
  size_t at = 0;
  enum err e = OK;
  yyjson_arr_iter it = yyjson_arr_iter_with(has_supports ? supports : chunks);
  while (!e && (one = yyjson_arr_iter_next(&it))) {
    if (at++ < c->supports) continue;
    c->supports = at;
    if (!has_supports) {
      e = put_grounding(r, index, one, NULL);
      continue;
    }
    yyjson_arr_iter numbers = yyjson_arr_iter_with(yyjson_obj_get(one, "groundingChunkIndices"));
    while (!e && (number = yyjson_arr_iter_next(&numbers))) {
      int64_t i = json_pool_count(number);
      yyjson_val *chunk = i >= 0 ? yyjson_arr_get(chunks, (size_t)i) : NULL;
      if (chunk) e = put_grounding(r, index, chunk, yyjson_obj_get(one, "segment"));
    }
  }
  return e;
}

static enum err see_citations(struct reader *r, uint32_t index, yyjson_val *metadata) {
  struct gemini_choice *c = &r->state->choices[index];
  yyjson_val *one, *list = yyjson_obj_get(metadata, "citations");
  size_t at = 0;
  enum err e = OK;
  yyjson_arr_iter it = yyjson_arr_iter_with(list ? list : yyjson_obj_get(metadata, "citationSources"));
  while (!e && (one = yyjson_arr_iter_next(&it))) {
    struct buf json;
    if (at++ < c->citations || !yyjson_is_obj(one)) continue;
    c->citations = at;
    buf_init(&json, 0);
    json_split_put(&json, one);
    e = json.failed ? ERR_NO_MEMORY : attach(r, index, ATTACH_CITATION, STR_NONE, buf_str(&json));
    buf_clear(&json);
  }
  return e;
}

static void put_logprob(struct buf *out, yyjson_val *candidate) {
  json_out_member_string(out, "token", json_pool_str(candidate, "token"));
  json_out_key(out, "logprob");
  json_out_value(out, yyjson_obj_get(candidate, "logProbability"));
  json_out_key(out, "bytes");
  json_out_raw(out, STR("null"));
}

/* In OpenAI's shape, which is what the canonical answer holds. */
static enum err see_logprobs(struct reader *r, uint32_t index, yyjson_val *result) {
  yyjson_val *chosen = yyjson_obj_get(result, "chosenCandidates"), *one, *other;
  yyjson_arr_iter it = yyjson_arr_iter_with(chosen);
  yyjson_arr_iter tops = yyjson_arr_iter_with(yyjson_obj_get(result, "topCandidates"));
  struct buf json;
  if (yyjson_arr_size(chosen) == 0) return OK;
  buf_init(&json, 0);
  while ((one = yyjson_arr_iter_next(&it))) {
    json_out_begin(&json, '{');
    put_logprob(&json, one);
    json_out_key(&json, "top_logprobs");
    json_out_begin(&json, '[');
    yyjson_arr_iter top = yyjson_arr_iter_with(yyjson_obj_get(yyjson_arr_iter_next(&tops), "candidates"));
    while ((other = yyjson_arr_iter_next(&top))) {
      json_out_begin(&json, '{');
      put_logprob(&json, other);
      json_out_end(&json, '}');
    }
    json_out_end(&json, ']');
    json_out_end(&json, '}');
  }
  enum err e = json.failed ? ERR_NO_MEMORY : attach(r, index, ATTACH_LOGPROBS, STR_NONE, buf_str(&json));
  buf_clear(&json);
  return e;
}

/* ---- candidates ---- */

static const struct {
  struct str word;
  enum stop_reason reason;
} reasons[] = {
    {STR("STOP"), STOP_END},
    {STR("MAX_TOKENS"), STOP_LENGTH},
    {STR("CONTINUATION"), STOP_LENGTH},
    {STR("SAFETY"), STOP_FILTER},
    {STR("RECITATION"), STOP_FILTER},
    {STR("BLOCKLIST"), STOP_FILTER},
    {STR("PROHIBITED_CONTENT"), STOP_FILTER},
    {STR("SPII"), STOP_FILTER},
    {STR("IMAGE_SAFETY"), STOP_FILTER},
    {STR("IMAGE_PROHIBITED_CONTENT"), STOP_FILTER},
    {STR("IMAGE_RECITATION"), STOP_FILTER},
    {STR("MALFORMED_FUNCTION_CALL"), STOP_MALFORMED},
    {STR("UNEXPECTED_TOOL_CALL"), STOP_MALFORMED},
    {STR("TOO_MANY_TOOL_CALLS"), STOP_MALFORMED},
};

static void see_reason(struct gemini_choice *c, struct str word, enum stop_reason otherwise) {
  c->reason = otherwise;
  for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
    if (str_eq(reasons[i].word, word)) c->reason = reasons[i].reason;
  struct str kept = str_cut_utf8(word, sizeof c->native);
  memcpy(c->native, kept.p, kept.n);
  c->native_bytes = (unsigned)kept.n;
  c->is_stopped = true;
}

static enum err see_candidate(struct reader *r, yyjson_val *candidate, size_t position) {
  int64_t said = json_pool_count(yyjson_obj_get(candidate, "index"));
  size_t at = said >= 0 ? (size_t)said : position;
  yyjson_val *part, *content = yyjson_obj_get(candidate, "content"), *parts = yyjson_obj_get(content, "parts");
  if (!yyjson_is_obj(candidate)) return dialect_bad_reply(r->info, "a candidate is no object");
  enum err e = dialect_want_object(r->info, content, "content");
  if (!e) e = dialect_want_array(r->info, parts, "parts");
  if (e) return e;
  if (at >= GEMINI_CHOICES_MAX)
    return err_set(r->info, ERR_UPSTREAM_TOO_LARGE, "the provider's answer has more than %d candidates",
                   GEMINI_CHOICES_MAX);
  uint32_t index = (uint32_t)at;
  struct gemini_choice *c = &r->state->choices[index];
  c->is_seen = true;
  yyjson_arr_iter it = yyjson_arr_iter_with(parts);
  while (!e && (part = yyjson_arr_iter_next(&it))) e = see_part(r, index, part);
  if (!e && c->is_open) { /* what concerns text has a place only while there is one */
    e = see_grounding(r, index, yyjson_obj_get(candidate, "groundingMetadata"));
    if (!e) e = see_citations(r, index, yyjson_obj_get(candidate, "citationMetadata"));
    if (!e) e = see_logprobs(r, index, yyjson_obj_get(candidate, "logprobsResult"));
  }
  struct str word = json_pool_str(candidate, "finishReason");
  if (word.n && !str_eq(word, STR("FINISH_REASON_UNSPECIFIED"))) see_reason(c, word, STOP_OTHER);
  return e;
}

/* Nothing was answered because the prompt itself was refused. */
static void see_feedback(struct reader *r, yyjson_val *feedback) {
  struct str word = json_pool_str(feedback, "blockReason");
  if (!word.n || r->state->choices[0].is_seen) return;
  r->state->choices[0].is_seen = true;
  see_reason(&r->state->choices[0], word, STOP_FILTER);
  r->state->choices[0].reason = STOP_FILTER;
}

/* Some servers write `"error": null` into every answer. */
static bool has_error(yyjson_val *root) {
  yyjson_val *error = yyjson_obj_get(root, "error");
  return yyjson_is_obj(error) || yyjson_is_str(error);
}

/* One chunk or reply. `text`: the JSON it came as. */
static enum err see(struct reader *r, yyjson_val *root, struct str text) {
  yyjson_val *candidate, *candidates = yyjson_obj_get(root, "candidates");
  size_t position = 0;
  if (has_error(root)) return put(r, &(struct event){.kind = EVENT_ERROR, .bytes = text});
  enum err e = dialect_want_array(r->info, candidates, "candidates");
  if (!e && !r->state->is_started) {
    r->state->is_started = true;
    e = put(r, &(struct event){.kind = EVENT_START,
                               .id = json_pool_str(root, "responseId"),
                               .name = json_pool_str(root, "modelVersion")});
  }
  yyjson_arr_iter it = yyjson_arr_iter_with(candidates);
  while (!e && (candidate = yyjson_arr_iter_next(&it))) e = see_candidate(r, candidate, position++);
  if (e) return e;
  see_feedback(r, yyjson_obj_get(root, "promptFeedback"));
  return put_usage(r, yyjson_obj_get(root, "usageMetadata"));
}

/* Closes and stops what was seen. A whole reply without candidates has one all the same, which says nothing. */
static enum err finish(struct reader *r, bool is_whole) {
  enum err e = OK;
  bool is_empty = is_whole;
  for (size_t i = 0; i < GEMINI_CHOICES_MAX; i++) is_empty = is_empty && !r->state->choices[i].is_seen;
  for (uint32_t i = 0; !e && i < GEMINI_CHOICES_MAX; i++) {
    struct gemini_choice *c = &r->state->choices[i];
    if (!c->is_seen && !(is_empty && i == 0)) continue;
    if (!c->is_stopped) c->reason = is_whole && !is_empty ? STOP_END : STOP_OTHER;
    if (c->reason == STOP_END && c->saw_call) c->reason = STOP_TOOL_CALLS;
    e = close_part(r, i);
    if (!e)
      e = put(r, &(struct event){.kind = EVENT_STOP,
                                 .choice = i,
                                 .reason = c->reason,
                                 .native = str_from(c->native, c->native_bytes),
                                 .dialect = GEMINI_NAME});
  }
  r->state->is_ended = true;
  return e ? e : put(r, &(struct event){.kind = EVENT_END});
}

/* ---- whole replies ---- */

/* An error of a stream that would have been an array comes as an array of one. */
static yyjson_val *only_element(yyjson_val *root) {
  return yyjson_is_arr(root) && yyjson_arr_size(root) == 1 ? yyjson_arr_get_first(root) : root;
}

static enum err read_count(struct reader *r, yyjson_val *root, struct str body) {
  if (has_error(root)) return put(r, &(struct event){.kind = EVENT_ERROR, .bytes = body});
  if (json_pool_count(yyjson_obj_get(root, "totalTokens")) < 0)
    return dialect_bad_reply(r->info, "it does not say how many tokens were counted");
  enum err e = put(r, &(struct event){.kind = EVENT_START});
  if (!e) e = put_usage(r, root);
  return e ? e : put(r, &(struct event){.kind = EVENT_END});
}

bool gemini_reply_is_one(struct yyjson_val *root) {
  static const char *const members[] = {"candidates", "promptFeedback", "usageMetadata", "totalTokens"};
  for (size_t i = 0; i < sizeof members / sizeof *members; i++)
    if (yyjson_obj_get(root, members[i])) return true;
  return false;
}

enum err gemini_reply_decode(const struct dialect_exchange *x, struct str body, const struct event_sink *sink,
                             struct err_info *info) {
  struct gemini_decoder state = {0};
  struct json_pool pool = {0};
  struct reader r = {&state, x, sink, info};
  yyjson_val *root = only_element(json_pool_parse(&pool, body));
  bool is_count = x->request && x->request->operation == LLM_COUNT_TOKENS, is_error = has_error(root);
  bool is_reply = yyjson_obj_get(root, "candidates") || yyjson_obj_get(root, "promptFeedback") || is_error;
  enum err e;
  if (!yyjson_is_obj(root))
    e = dialect_bad_reply(info, "it is not a JSON object");
  else if (is_count)
    e = read_count(&r, root, body);
  else if (!is_reply)
    e = dialect_bad_reply(info, "it has no candidates");
  else
    e = see(&r, root, body);
  if (!e && !is_count && !is_error) e = finish(&r, true);
  json_pool_clear(&pool);
  return e;
}

/* ---- streams ---- */

enum err gemini_reply_frame(void *state, const struct dialect_exchange *x, struct json_pool *pool,
                            const struct frame *frame, const struct event_sink *sink, struct err_info *info) {
  struct reader r = {state, x, sink, info};
  struct str data = str_trim(frame->data);
  if (!frame->has_data || !data.n || r.state->is_ended || str_eq(data, STR("[DONE]"))) return OK;
  yyjson_val *root = only_element(json_pool_parse(pool, data));
  if (!yyjson_is_obj(root)) return dialect_bad_reply(info, "a stream event is not a JSON object");
  return see(&r, root, data);
}

/* Complete when each choice that has begun has a reason. */
enum err gemini_reply_end(void *state, const struct dialect_exchange *x, const struct event_sink *sink,
                          struct err_info *info) {
  struct reader r = {state, x, sink, info};
  bool is_complete = false;
  for (size_t i = 0; i < GEMINI_CHOICES_MAX; i++) {
    const struct gemini_choice *c = &r.state->choices[i];
    if (!c->is_seen) continue;
    if (!c->is_stopped) return OK;
    is_complete = true;
  }
  return is_complete && !r.state->is_ended ? finish(&r, false) : OK;
}
