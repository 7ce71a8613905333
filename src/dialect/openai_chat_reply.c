/* OpenAI chat completions, the upstream's half: replies and stream chunks are relayed by spans while one scan tells
 * what they mean. Nothing is decoded: only the envelope of a chunk is located, and within `choices` a few keys are
 * looked for as raw text, which is exact because a quote inside a JSON string is always escaped. Wire format: OpenAI
 * API reference, "The chat completion object" and "chunk object" (read 2026-11); usage spellings of DeepSeek and
 * OpenRouter as well. */
#include <stdio.h>
#include <yyjson.h>

#include "base/envelope_once.h"
#include "dialect/openai_chat_internal.h"
#include "dialect/openai_member.h"

enum reply_row { MODEL, CHOICES, ERROR, USAGE, PROMPT, COMPLETION, TOTAL, CACHE_HIT, MAESTRO, ROWS };

static const struct str reply_paths[ROWS] = {
    [MODEL] = STR("model"),
    [CHOICES] = STR("choices"),
    [ERROR] = STR("error"),
    [USAGE] = STR("usage"),
    [PROMPT] = STR("usage.prompt_tokens"),
    [COMPLETION] = STR("usage.completion_tokens"),
    [TOTAL] = STR("usage.total_tokens"),
    [CACHE_HIT] = STR("usage.prompt_cache_hit_tokens"),
    [MAESTRO] = STR("maestro"),
};

static struct envelope_once table = {.paths = reply_paths, .n = ROWS};

static bool is_json_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/* The text behind the colon of the next member `key` (given with its quotes) at or after *from, which moves behind it.
 */
static struct str next_member(struct str json, struct str key, size_t *from) {
  while (*from < json.n) {
    size_t at = str_find(str_sub(json, *from, json.n), key);
    if (at == SIZE_MAX) break;
    size_t start = *from + at, i = start + key.n;
    *from = i;
    if (start && json.p[start - 1] == '\\') continue;
    while (i < json.n && is_json_space(json.p[i])) i++;
    if (i == json.n || json.p[i] != ':') continue;
    for (i++; i < json.n && is_json_space(json.p[i]); i++) continue;
    return str_sub(json, i, json.n);
  }
  *from = json.n;
  return STR_NONE;
}

static bool has_member_that(struct str json, struct str key, bool (*test)(struct str value)) {
  for (size_t from = 0; from < json.n;) {
    struct str value = next_member(json, key, &from);
    if (value.n && test(value)) return true;
  }
  return false;
}

static bool is_full_string(struct str v) { return v.n > 1 && v.p[0] == '"' && v.p[1] != '"'; }

static bool is_full_container(struct str v) {
  if (v.p[0] != '[' && v.p[0] != '{') return is_full_string(v);
  size_t i = 1;
  while (i < v.n && is_json_space(v.p[i])) i++;
  return i < v.n && v.p[i] != ']' && v.p[i] != '}';
}

static bool is_string(struct str v) { return v.p[0] == '"'; }

static bool has_content(struct str choices) {
  static const struct str texts[] = {
      STR("\"content\""),    STR("\"reasoning_content\""), STR("\"reasoning\""), STR("\"refusal\""),
      STR("\"tool_calls\""), STR("\"function_call\""),     STR("\"audio\""),     STR("\"text\"")};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    if (has_member_that(choices, texts[i], is_full_container)) return true;
  return false;
}

/* The content of the one choice, where the delta holds nothing else and no escape stands in it: as nearly every server
 * writes it, without white space. What is written otherwise is decoded when somebody wants to know. */
static struct str plain_text(struct str choices) {
  static const struct str head = STR("[{\"index\":0,\"delta\":{"), role = STR("\"role\":\"assistant\","),
                          content = STR("\"content\":\"");
  if (!str_has_prefix(choices, head)) return STR_NONE;
  struct str rest = str_sub(choices, head.n, choices.n);
  if (str_has_prefix(rest, role)) rest = str_sub(rest, role.n, rest.n);
  if (!str_has_prefix(rest, content)) return STR_NONE;
  rest = str_sub(rest, content.n, rest.n);
  const char *quote = memchr(rest.p, '"', rest.n);
  size_t n = quote ? (size_t)(quote - rest.p) : rest.n;
  if (n + 1 >= rest.n || rest.p[n + 1] != '}' || memchr(rest.p, '\\', n)) return STR_NONE;
  return str_sub(rest, 0, n);
}

/* The whole number that v begins with; one with an exponent or a fraction but zeros is none. */
static bool leading_count(struct str v, int64_t *out) {
  size_t n = 0, end;
  uint64_t value;
  while (n < v.n && v.p[n] >= '0' && v.p[n] <= '9') n++;
  end = n;
  if (end < v.n && v.p[end] == '.')
    for (end++; end < v.n && v.p[end] == '0'; end++) continue;
  if (end < v.n && ((v.p[end] >= '0' && v.p[end] <= '9') || v.p[end] == 'e' || v.p[end] == 'E')) return false;
  if (!str_to_u64(str_sub(v, 0, n), &value) || value > INT64_MAX) return false;
  *out = (int64_t)value;
  return true;
}

static void read_count(struct usage *u, enum usage_class class, struct str raw) {
  int64_t tokens;
  if (leading_count(raw, &tokens)) usage_set(u, class, tokens);
}

static void read_detail(struct usage *u, enum usage_class class, struct str usage_json, struct str key) {
  size_t from = 0;
  struct str value = next_member(usage_json, key, &from);
  if (value.n) read_count(u, class, value);
}

static void read_row(struct usage *u, enum usage_class class, const struct envelope_scan *scan, struct str body,
                     enum reply_row row) {
  const struct envelope_value *v = envelope_scan_value(scan, row);
  if (v) read_count(u, class, envelope_raw(body, v));
}

static void read_usage(const struct envelope_scan *scan, struct str body, struct events *events) {
  const struct envelope_value *usage = envelope_scan_value(scan, USAGE);
  struct usage *u = &events->usage;
  if (!usage || usage->type != ENVELOPE_OBJECT) return;
  struct str json = envelope_raw(body, usage);
  read_row(u, USAGE_INPUT, scan, body, PROMPT);
  read_row(u, USAGE_OUTPUT, scan, body, COMPLETION);
  read_row(u, USAGE_CACHE_READ, scan, body, CACHE_HIT);
  read_detail(u, USAGE_CACHE_READ, json, STR("\"cached_tokens\""));
  read_detail(u, USAGE_CACHE_WRITE, json, STR("\"cache_write_tokens\""));
  read_detail(u, USAGE_REASONING, json, STR("\"reasoning_tokens\""));
  const struct envelope_value *v = envelope_scan_value(scan, TOTAL);
  int64_t total = -1;
  if (v && !leading_count(envelope_raw(body, v), &total)) total = -1;
  openai_member_settle_usage(u, total);
  if (u->known) events_add(events, EVENT_USAGE);
}

/* Some servers send an empty `error` beside a good answer. */
static bool is_error(const struct envelope_scan *scan) {
  const struct envelope_value *error = envelope_scan_value(scan, ERROR);
  if (!error || (error->type != ENVELOPE_OBJECT && error->type != ENVELOPE_STRING)) return false;
  bool is_empty = error->type == ENVELOPE_OBJECT ? error->count == 0 : error->length == 2;
  return !is_empty || !envelope_scan_value(scan, CHOICES);
}

static enum err scan_json(struct envelope_scan *scan, struct str json) {
  static const struct envelope_limits limits = {.keys_are_lenient = true};
  return envelope_scan_whole(scan, envelope_once_table(&table), &limits, NULL, json, NULL);
}

/* Where a member stands with the one comma that leaves with it. */
static void member_extent(const struct envelope_value *v, size_t *from, size_t *to) {
  *from = v->key_offset;
  *to = (size_t)v->offset + v->length;
  if (v->comma_after != ENVELOPE_NO_COMMA)
    *to = (size_t)v->comma_after + 1;
  else if (v->comma_before != ENVELOPE_NO_COMMA)
    *from = v->comma_before;
}

/* The chunk's JSON with another `model`, and without the `usage` that the caller did not ask for. */
static void put_json(const struct envelope_scan *scan, struct str json, const struct dialect_reply_edits *edits,
                     struct buf *out) {
  const struct envelope_value *model = envelope_scan_value(scan, MODEL), *usage = envelope_scan_value(scan, USAGE);
  size_t at = 0, from = SIZE_MAX, to = 0;
  if (!buf_reserve(out, json.n + edits->model.n + 2)) return;
  if (!edits->model.n || (model && model->type != ENVELOPE_STRING)) model = NULL;
  if (edits->hide_usage && usage) member_extent(usage, &from, &to);
  if (model && from < model->offset) {
    buf_put(out, str_sub(json, at, from));
    at = to;
    from = SIZE_MAX;
  }
  if (model) {
    buf_put(out, str_sub(json, at, model->offset));
    buf_put_json(out, edits->model);
    at = (size_t)model->offset + model->length;
  }
  if (from != SIZE_MAX) {
    buf_put(out, str_sub(json, at, from));
    at = to;
  }
  buf_put(out, str_sub(json, at, json.n));
}

enum err openai_chat_relay_reply(struct str body, const struct dialect_reply_edits *edits, struct events *events,
                                 struct buf *out, struct err_info *info) {
  struct envelope_scan scan;
  *events = (struct events){0};
  if (scan_json(&scan, body))
    return err_set(info, ERR_UPSTREAM_PROTOCOL, "the provider answered with something that is not a JSON object");
  if (is_error(&scan)) {
    events_add(events, EVENT_ERROR);
    return OK;
  }
  const struct envelope_value *choices = envelope_scan_value(&scan, CHOICES);
  if (!choices || choices->type != ENVELOPE_ARRAY)
    return err_set(info, ERR_UPSTREAM_PROTOCOL, "the provider's answer has no \"choices\"");
  events_add(events, EVENT_START);
  events_add(events, EVENT_STOP);
  if (has_content(envelope_raw(body, choices))) events_add(events, EVENT_DELTA);
  read_usage(&scan, body, events);
  put_json(&scan, body, edits, out);
  return out->failed ? ERR_NO_MEMORY : OK;
}

static enum err put_chunk(struct dialect_stream *state, const struct envelope_scan *scan, const struct frame *frame,
                          const struct dialect_reply_edits *edits, struct buf *out) {
  if (frame->data_offset != SIZE_MAX) {
    buf_put(out, str_sub(frame->raw, 0, frame->data_offset));
    put_json(scan, frame->data, edits, out);
    buf_put(out, str_sub(frame->raw, frame->data_offset + frame->data.n, frame->raw.n));
    return out->failed ? ERR_NO_MEMORY : OK;
  }
  /* Several data lines: JSON may be cut at white space only, so joined by a space it is the same value. */
  size_t from = out->n;
  buf_put(out, STR("data: "));
  put_json(scan, frame->data, edits, out);
  for (size_t i = from; i < out->n; i++)
    if (out->p[i] == '\n') out->p[i] = ' ';
  buf_put(out, STR("\n\n"));
  dialect_stream_withhold(state, frame);
  return out->failed ? ERR_NO_MEMORY : OK;
}

/* Which of several answers a chunk goes on with or ends: rare, so it is read as a tree. */
static void note_choices(struct dialect_stream *state, struct str choices) {
  yyjson_val *choice;
  yyjson_arr_iter it = yyjson_arr_iter_with(json_pool_parse(&state->pool, choices));
  while ((choice = yyjson_arr_iter_next(&it)))
    dialect_stream_note(state, json_pool_count(yyjson_obj_get(choice, "index")),
                        json_pool_str(choice, "finish_reason").n > 0);
}

enum err openai_chat_relay_frame(struct dialect_stream *state, const struct frame *frame,
                                 const struct dialect_reply_edits *edits, struct events *events, struct buf *out,
                                 struct err_info *info) {
  struct envelope_scan scan;
  *events = (struct events){0};
  if (dialect_stream_skips(state, frame)) return OK;
  if (!frame->has_data || frame->data.n == 0) { /* a comment: the upstream's keep-alive */
    buf_put(out, frame->raw);
    return out->failed ? ERR_NO_MEMORY : OK;
  }
  if (state->saw_end) { /* the answer is over: what follows is no part of it */
    dialect_stream_withhold(state, frame);
    return OK;
  }
  if (str_eq(str_trim(frame->data), STR("[DONE]"))) {
    state->saw_end = true;
    events_add(events, EVENT_END);
    buf_put(out, frame->raw);
    return out->failed ? ERR_NO_MEMORY : OK;
  }
  if (scan_json(&scan, frame->data))
    return err_set(info, ERR_UPSTREAM_PROTOCOL, "the provider sent a stream event that is not a JSON object");
  if (is_error(&scan)) {
    events_add(events, EVENT_ERROR);
    return OK;
  }
  const struct envelope_value *choices = envelope_scan_value(&scan, CHOICES);
  bool has_choices = choices && choices->type == ENVELOPE_ARRAY && choices->count > 0;
  if (has_choices) {
    struct str json = envelope_raw(frame->data, choices);
    if (edits->has_choices) note_choices(state, json);
    if (!state->saw_content && has_content(json)) {
      state->saw_content = true;
      events_add(events, EVENT_DELTA);
    }
    if (has_member_that(json, STR("\"finish_reason\""), is_string)) {
      state->saw_stop = true;
      events_add(events, EVENT_STOP);
    } else if (choices->count == 1) {
      events->text = plain_text(json);
    }
  }
  read_usage(&scan, frame->data, events);
  events->is_usage_alone = !has_choices && events_has(events, EVENT_USAGE);
  if (events->is_usage_alone && edits->hide_usage) { /* the chunk we asked for */
    dialect_stream_withhold(state, frame);
    return OK;
  }
  return put_chunk(state, &scan, frame, edits, out);
}

/* The data of the frame that text is, without white space around it. */
static struct str frame_data(struct str text) {
  struct frame_sse frames;
  struct frame frame;
  enum err e;
  frame_sse_init(&frames, 0);
  frame_sse_feed(&frames, text);
  bool found = frame_sse_next(&frames, &frame, &e) && frame.data_offset != SIZE_MAX;
  frame_sse_clear(&frames);
  return found ? str_trim(str_sub(text, frame.data_offset, frame.data_offset + frame.data.n)) : STR_NONE;
}

void openai_chat_put_receipt(struct buf *out, size_t from, struct str receipt) {
  struct envelope_scan scan;
  struct str text = str_sub(buf_str(out), from, out->n), object = str_trim(text), member = STR_NONE;
  if (scan_json(&scan, object)) { /* no whole reply */
    object = frame_data(text);
    if (scan_json(&scan, object)) return;
  }
  const struct envelope_value *theirs = envelope_scan_value(&scan, MAESTRO); /* the upstream is a Maestro as well */
  size_t at = (size_t)(object.p - out->p) + (theirs ? theirs->offset : object.n - 1),
         gone = theirs ? theirs->length : 0;
  if (!theirs) member = envelope_scan_root(&scan)->count ? STR(",\"maestro\":") : STR("\"maestro\":");
  size_t added = member.n + receipt.n, tail = out->n - at - gone;
  if (added > gone && !buf_reserve(out, added - gone)) return;
  memmove(out->p + at + added, out->p + at + gone, tail);
  if (member.n) memcpy(out->p + at, member.p, member.n);
  memcpy(out->p + at + member.n, receipt.p, receipt.n);
  out->n = at + added + tail;
}

/* OpenAI's word for the family of an error, by status. */
static const char *error_type(int status) {
  switch (status) {
    case 401: return "authentication_error";
    case 402: return "insufficient_quota";
    case 403: return "permission_error";
    case 408: return "timeout_error";
    case 429:
    case 529: return "rate_limit_error";
    default: return status >= 500 ? "api_error" : "invalid_request_error";
  }
}

void openai_chat_put_error(struct buf *out, enum err e, const struct err_info *info) {
  const char *type = info && info->type[0] ? info->type : error_type(err_info_status(e, info));
  buf_put(out, STR("{\"error\":{\"message\":"));
  buf_put_json(out, str_from_c(err_info_text(e, info)));
  buf_put(out, STR(",\"type\":"));
  buf_put_json(out, str_from_c(type));
  buf_put(out, STR(",\"param\":"));
  if (info && info->param[0])
    buf_put_json(out, str_from_c(info->param));
  else
    buf_put(out, STR("null"));
  buf_put(out, STR(",\"code\":"));
  buf_put_json(out, str_from_c(err_info_code(e, info)));
  buf_put(out, STR("}}"));
}

void openai_chat_put_stream_error(struct buf *out, enum err e, const struct err_info *info) {
  buf_put(out, STR("data: "));
  openai_chat_put_error(out, e, info);
  buf_put(out, STR("\n\n"));
}

static void put_count(struct buf *out, const char *name, int64_t tokens) {
  if (tokens < 0) return;
  buf_put_char(out, ',');
  buf_put_json(out, str_from_c(name));
  buf_put_char(out, ':');
  buf_put_i64(out, tokens);
}

void openai_chat_put_model(struct buf *out, const struct dialect_model *m) {
  buf_put(out, STR("{\"id\":"));
  buf_put_json(out, m->id);
  buf_put(out, STR(",\"object\":\"model\",\"created\":0,\"owned_by\":"));
  buf_put_json(out, m->owned_by);
  put_count(out, "max_prompt_tokens", m->prompt_tokens);
  put_count(out, "max_output_tokens", m->output_tokens);
  put_count(out, "max_context_window_tokens", m->context_tokens);
  put_count(out, "max_model_len", m->context_tokens);
  if (m->extra.n) {
    buf_put_char(out, ',');
    buf_put(out, m->extra);
  }
  buf_put_char(out, '}');
}

void openai_chat_put_model_list(struct buf *out, const struct dialect_model *models, size_t count) {
  buf_put(out, STR("{\"object\":\"list\",\"data\":["));
  for (size_t i = 0; i < count; i++) {
    if (i) buf_put_char(out, ',');
    openai_chat_put_model(out, &models[i]);
  }
  buf_put(out, STR("]}"));
}
