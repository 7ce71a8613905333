/* The messages of an OpenAI chat request into items: content parts, tool calls and results, and the thinking that
 * OpenAI-likes hand back. Source: OpenAI API reference (read 2026-11); `reasoning_content` is DeepSeek's and vLLM's,
 * `reasoning` with `reasoning_details` OpenRouter's, `cache_control` what OpenRouter takes over from Anthropic,
 * `video_url` vLLM's and OpenRouter's.
 *
 * Invariant: each message is one item, in its place; parts whose node may hold more than the canonical model keep it in
 * `raw`, and a part of thinking keeps in `name` the member that it stood in. */
#include <stdio.h>
#include <yyjson.h>

#include "dialect/openai_chat_internal.h"
#include "dialect/openai_chat_request.h"
#include "llm/signature.h"

enum member {
  ROLE,
  CONTENT,
  NAME,
  TOOL_CALLS,
  TOOL_CALL_ID,
  FUNCTION_CALL,
  REFUSAL,
  REASONING_CONTENT,
  REASONING,
  REASONING_DETAILS,
  CACHE_CONTROL,
  MEMBERS
};

static const struct str members[MEMBERS] = {
    [ROLE] = STR("role"),
    [CONTENT] = STR("content"),
    [NAME] = STR("name"),
    [TOOL_CALLS] = STR("tool_calls"),
    [TOOL_CALL_ID] = STR("tool_call_id"),
    [FUNCTION_CALL] = STR("function_call"),
    [REFUSAL] = STR("refusal"),
    [REASONING_CONTENT] = STR("reasoning_content"),
    [REASONING] = STR("reasoning"),
    [REASONING_DETAILS] = STR("reasoning_details"),
    [CACHE_CONTROL] = STR("cache_control"),
};

/* One message on its way. */
struct message {
  struct openai_reader *rd;
  struct request_item *item;
  char path[ERR_PARAM_MAX]; /* "messages[3]" */
  struct yyjson_val *found[MEMBERS];
};

static struct request_part *add_part(struct message *m, enum part_kind kind, uint32_t source) {
  struct request_part *p = &m->item->parts[m->item->part_count++]; /* room was made for all */
  *p = (struct request_part){.kind = kind, .source = source};
  return p;
}

static enum err read_cache(struct openai_reader *rd, const char *path, struct yyjson_val *v, struct cache_marker *out) {
  if (!v) return OK;
  if (!yyjson_is_obj(v)) return openai_member_wrong_type(rd, path, "cache_control", "an object");
  *out = (struct cache_marker){v, json_pool_str(v, "ttl")};
  return OK;
}

/* ---- content parts ---- */

enum { PART_TYPES = 6 };
static const struct {
  struct str type;
  const char *member; /* which holds what it is about */
  enum part_kind kind;
} part_types[PART_TYPES] = {
    {STR("text"), "text", PART_TEXT},
    {STR("image_url"), "image_url", PART_IMAGE},
    {STR("input_audio"), "input_audio", PART_AUDIO},
    {STR("file"), "file", PART_DOCUMENT},
    {STR("refusal"), "refusal", PART_REFUSAL},
    {STR("video_url"), "video_url", PART_VIDEO},
};

/* {"url": …}, or the URL itself, which some clients write. */
static enum err read_url(struct openai_reader *rd, const char *path, struct yyjson_val *v, struct media *media) {
  yyjson_val *url = yyjson_is_obj(v) ? yyjson_obj_get(v, "url") : v, *detail = yyjson_obj_get(v, "detail");
  const char *member = yyjson_is_obj(v) ? "url" : NULL;
  if (!url) return openai_member_missing(rd, path, "url");
  if (!yyjson_is_str(url)) return openai_member_wrong_type(rd, path, member, "a string");
  if (detail && !yyjson_is_null(detail) && !yyjson_is_str(detail))
    return openai_member_wrong_type(rd, path, "detail", "a string");
  if (!yyjson_get_len(url)) return openai_member_wrong_value(rd, path, member, "must be a URL");
  request_media_from_url(json_pool_text(url), media);
  media->detail = json_pool_text(detail);
  return OK;
}

static enum err read_audio(struct openai_reader *rd, const char *path, struct yyjson_val *v, struct media *media) {
  yyjson_val *data = yyjson_obj_get(v, "data"), *format = yyjson_obj_get(v, "format");
  if (!yyjson_is_obj(v)) return openai_member_wrong_type(rd, path, NULL, "an object");
  if (!data) return openai_member_missing(rd, path, "data");
  if (!yyjson_is_str(data)) return openai_member_wrong_type(rd, path, "data", "a string");
  if (format && !yyjson_is_str(format)) return openai_member_wrong_type(rd, path, "format", "a string");
  media->data = json_pool_text(data);
  if (!format) return OK;
  media->mime = str_eq(json_pool_text(format), STR("mp3"))
                    ? STR("audio/mpeg")
                    : arena_printf(rd->arena, "audio/%.*s", STR_ARG(json_pool_text(format)));
  return media->mime.p ? OK : ERR_NO_MEMORY;
}

/* file_data is a data: URL; plain base64 (which some clients send) is taken for a PDF, the one kind that all take. */
static enum err read_file(struct openai_reader *rd, const char *path, struct yyjson_val *v, struct media *media) {
  yyjson_val *data = yyjson_obj_get(v, "file_data"), *id = yyjson_obj_get(v, "file_id"),
             *name = yyjson_obj_get(v, "filename");
  if (!yyjson_is_obj(v)) return openai_member_wrong_type(rd, path, NULL, "an object");
  if (data && !yyjson_is_null(data) && !yyjson_is_str(data))
    return openai_member_wrong_type(rd, path, "file_data", "a string");
  if (id && !yyjson_is_null(id) && !yyjson_is_str(id)) return openai_member_wrong_type(rd, path, "file_id", "a string");
  media->name = json_pool_text(name);
  if (yyjson_is_str(data) && yyjson_get_len(data)) {
    request_media_from_url(json_pool_text(data), media);
    bool is_url =
        str_has_prefix_nocase(media->url, STR("http://")) || str_has_prefix_nocase(media->url, STR("https://"));
    if (media->url.n && !is_url) {
      media->data = media->url;
      media->url = STR_NONE;
      media->mime = STR("application/pdf");
    }
    return OK;
  }
  media->file_id = json_pool_text(id);
  return media->file_id.n ? OK : openai_member_missing(rd, path, "file_data");
}

static enum err read_media(struct openai_reader *rd, const char *path, enum part_kind kind, struct yyjson_val *v,
                           struct request_part *p) {
  p->media = ARENA_NEW(rd->arena, struct media);
  if (!p->media) return ERR_NO_MEMORY;
  switch (kind) {
    case PART_AUDIO: return read_audio(rd, path, v, p->media);
    case PART_DOCUMENT: return read_file(rd, path, v, p->media);
    default: return read_url(rd, path, v, p->media);
  }
}

static enum err read_part(struct openai_reader *rd, const char *path, struct yyjson_val *node, struct request_part *p) {
  char inner[ERR_PARAM_MAX];
  int row = 0;
  if (!yyjson_is_obj(node)) return openai_member_wrong_type(rd, path, NULL, "an object");
  yyjson_val *type = yyjson_obj_get(node, "type");
  if (!type) return openai_member_missing(rd, path, "type");
  if (!yyjson_is_str(type)) return openai_member_wrong_type(rd, path, "type", "a string");
  while (row < PART_TYPES && !str_eq(json_pool_text(type), part_types[row].type)) row++;
  if (row == PART_TYPES) {
    p->kind = PART_OPAQUE;
    p->raw = node;
    return OK;
  }
  struct str names[] = {STR("type"), str_from_c(part_types[row].member), STR("cache_control")};
  struct yyjson_val *found[3];
  enum err e = openai_member_split(rd, path, node, names, 3, found, &p->rest);
  if (!e) e = read_cache(rd, path, found[2], &p->cache);
  if (e) return e;
  if (!found[1]) return openai_member_missing(rd, path, part_types[row].member);
  p->kind = part_types[row].kind;
  if (p->kind == PART_TEXT || p->kind == PART_REFUSAL)
    return openai_member_string(rd, path, part_types[row].member, found[1], &p->text);
  static const struct str known[] = {STR("url"),       STR("detail"),  STR("data"),    STR("format"),
                                     STR("file_data"), STR("file_id"), STR("filename")};
  p->raw = node;
  openai_member_path(inner, path, part_types[row].member);
  if ((e = read_media(rd, inner, p->kind, found[1], p))) return e;
  return openai_member_keep_unknown(rd, inner, part_types[row].member, found[1], known, sizeof known / sizeof *known,
                                    &p->rest);
}

static enum err read_parts(struct message *m, struct yyjson_val *list, struct request_part *parts) {
  yyjson_val *node;
  yyjson_arr_iter it = yyjson_arr_iter_with(list);
  for (uint32_t i = 0; (node = yyjson_arr_iter_next(&it)); i++) {
    char path[ERR_PARAM_MAX];
    err_path_index(path, m->path, "content", i);
    parts[i] = (struct request_part){.source = i};
    enum err e = read_part(m->rd, path, node, &parts[i]);
    if (e) return e;
  }
  return OK;
}

static enum err read_content(struct message *m) {
  yyjson_val *v = m->found[CONTENT];
  if (!v) {
    for (size_t i = 0; i < m->item->rest.n; i++)
      if (str_eq(m->item->rest.v[i].key, members[CONTENT])) m->item->form = CONTENT_NULL;
    return OK;
  }
  if (yyjson_is_str(v)) {
    m->item->form = CONTENT_STRING;
    add_part(m, PART_TEXT, UINT32_MAX)->text = json_pool_text(v);
    return OK;
  }
  if (!yyjson_is_arr(v)) return openai_member_wrong_type(m->rd, m->path, "content", "a string or an array");
  m->item->form = CONTENT_ARRAY;
  enum err e = read_parts(m, v, &m->item->parts[m->item->part_count]);
  if (!e) m->item->part_count += yyjson_arr_size(v);
  return e;
}

/* ---- thinking ---- */

static enum err read_detail(struct message *m, const char *path, struct yyjson_val *node) {
  struct str type = json_pool_str(node, "type"), signature = json_pool_str(node, "signature"),
             data = json_pool_str(node, "data");
  if (!yyjson_is_obj(node)) return openai_member_wrong_type(m->rd, path, NULL, "an object");
  bool is_text = str_eq(type, STR("reasoning.text")), is_summary = str_eq(type, STR("reasoning.summary"));
  struct request_part *p = add_part(m,
                                    is_text      ? PART_REASONING
                                    : is_summary ? PART_REASONING_SUMMARY
                                                 : PART_REDACTED,
                                    UINT32_MAX);
  p->name = members[REASONING_DETAILS];
  p->raw = node;
  p->text = json_pool_str(node, is_summary ? "summary" : "text");
  struct str slot = is_text ? signature : data;
  if (slot.n) p->signature = signature_read(m->rd->arena, slot, STR("openai_chat"));
  return OK;
}

/* Clients that join the deltas of a stream by type may hand back a signature whose text stands in the plain member. */
static void complete_details(struct request_item *item, struct str text) {
  struct request_part *unsaid = NULL;
  for (size_t i = 0; i < item->part_count; i++) {
    struct request_part *p = &item->parts[i];
    if (p->kind != PART_REASONING) continue;
    if (p->text.n) return;
    if (!unsaid) unsaid = p;
  }
  if (unsaid) unsaid->text = text;
}

/* `reasoning_details` says all that the other two say and more, so these are only kept beside it. */
static enum err read_reasoning(struct message *m) {
  yyjson_val *details = m->found[REASONING_DETAILS], *node;
  bool is_said = false;
  if (details && !yyjson_is_arr(details))
    return openai_member_wrong_type(m->rd, m->path, "reasoning_details", "an array");
  yyjson_arr_iter it = yyjson_arr_iter_with(details);
  for (uint32_t i = 0; (node = yyjson_arr_iter_next(&it)); i++) {
    char path[ERR_PARAM_MAX];
    err_path_index(path, m->path, "reasoning_details", i);
    enum err e = read_detail(m, path, node);
    if (e) return e;
    is_said = true;
  }
  if (details && !is_said) {
    enum err e = json_rest_add(m->rd->arena, &m->item->rest, members[REASONING_DETAILS], details);
    if (e) return e;
  }
  for (int row = REASONING_CONTENT; row <= REASONING; row++) {
    struct yyjson_val *v = m->found[row];
    if (!v) continue;
    if (!yyjson_is_str(v)) return openai_member_wrong_type(m->rd, m->path, members[row].p, "a string");
    if (is_said) complete_details(m->item, json_pool_text(v));
    if (is_said || !yyjson_get_len(v)) {
      enum err e = json_rest_add(m->rd->arena, &m->item->rest, members[row], v);
      if (e) return e;
      continue;
    }
    struct request_part *p = add_part(m, PART_REASONING, UINT32_MAX);
    p->name = members[row];
    p->text = json_pool_text(v);
    is_said = true;
  }
  return OK;
}

/* ---- tool calls and results ---- */

/* The arguments are a string; a server or client that writes the object itself is understood. */
static enum err read_arguments(struct openai_reader *rd, const char *path, const char *member, struct yyjson_val *v,
                               struct request_part *p) {
  if (!v || yyjson_is_null(v)) return OK;
  if (yyjson_is_str(v)) {
    p->text = json_pool_text(v);
    return OK;
  }
  if (!yyjson_is_obj(v)) return openai_member_wrong_type(rd, path, member, "a string");
  struct buf json;
  buf_init(&json, 0);
  json_split_put(&json, v);
  if (!json.failed) p->text = arena_dup(rd->arena, buf_str(&json));
  buf_clear(&json);
  return p->text.p ? OK : ERR_NO_MEMORY;
}

static enum err read_named(struct openai_reader *rd, const char *path, const char *text_member, struct yyjson_val *node,
                           struct request_part *p) {
  if (!yyjson_is_obj(node)) return openai_member_wrong_type(rd, path, NULL, "an object");
  yyjson_val *name = yyjson_obj_get(node, "name");
  if (!name) return openai_member_missing(rd, path, "name");
  enum err e = openai_member_string(rd, path, "name", name, &p->name);
  if (!e) e = read_arguments(rd, path, text_member, yyjson_obj_get(node, text_member), p);
  p->is_args_valid = !e && p->tool_kind == TOOL_FUNCTION && request_is_json_object(p->text);
  return e;
}

/* Members of a call that mean nothing here are named where they are left out; the call itself is kept as `raw`. */
static enum err keep_unknown(struct message *m, const char *path, const char *inner, struct yyjson_val *node,
                             struct yyjson_val *call, struct request_part *p) {
  static const struct str outer_names[] = {STR("id"), STR("type"), STR("function"), STR("custom"), STR("index")};
  static const struct str inner_names[] = {STR("name"), STR("arguments"), STR("input")};
  enum { OUTER = sizeof outer_names / sizeof *outer_names, INNER = sizeof inner_names / sizeof *inner_names };
  yyjson_val *found[OUTER];
  struct json_rest rest = {0};
  enum err e = openai_member_split(m->rd, path, node, outer_names, OUTER, found, &p->rest);
  if (!e) e = openai_member_split(m->rd, inner, call, inner_names, INNER, found, &rest);
  if (e) return e;
  return json_rest_join(m->rd->arena, &p->rest, p->tool_kind == TOOL_CUSTOM ? STR("custom") : STR("function"), &rest);
}

static enum err read_call(struct message *m, uint32_t index, struct yyjson_val *node) {
  char path[ERR_PARAM_MAX], inner[ERR_PARAM_MAX];
  err_path_index(path, m->path, "tool_calls", index);
  if (!yyjson_is_obj(node)) return openai_member_wrong_type(m->rd, path, NULL, "an object");
  yyjson_val *id = yyjson_obj_get(node, "id"), *custom = yyjson_obj_get(node, "custom");
  struct str type = json_pool_str(node, "type");
  if (id && !yyjson_is_null(id) && !yyjson_is_str(id)) return openai_member_wrong_type(m->rd, path, "id", "a string");
  struct request_part *p = add_part(m, PART_TOOL_CALL, index);
  p->raw = node;
  p->call_id = json_pool_text(id);
  p->tool_kind = str_eq(type, STR("custom")) ? TOOL_CUSTOM : TOOL_FUNCTION;
  bool is_custom = p->tool_kind == TOOL_CUSTOM;
  yyjson_val *call = is_custom ? custom : yyjson_obj_get(node, "function");
  openai_member_path(inner, path, is_custom ? "custom" : "function");
  if (!call) return openai_member_missing(m->rd, inner, NULL);
  enum err e = read_named(m->rd, inner, is_custom ? "input" : "arguments", call, p);
  return e ? e : keep_unknown(m, path, inner, node, call, p);
}

static enum err read_calls(struct message *m) {
  yyjson_val *list = m->found[TOOL_CALLS], *legacy = m->found[FUNCTION_CALL], *node;
  char path[ERR_PARAM_MAX];
  if (list && !yyjson_is_arr(list)) return openai_member_wrong_type(m->rd, m->path, "tool_calls", "an array");
  yyjson_arr_iter it = yyjson_arr_iter_with(list);
  for (uint32_t i = 0; (node = yyjson_arr_iter_next(&it)); i++) {
    enum err e = read_call(m, i, node);
    if (e) return e;
  }
  if (list && !yyjson_arr_size(list)) {
    enum err e = json_rest_add(m->rd->arena, &m->item->rest, members[TOOL_CALLS], list);
    if (e) return e;
  }
  if (!legacy) return OK;
  struct request_part *p = add_part(m, PART_TOOL_CALL, UINT32_MAX);
  p->raw = legacy;
  openai_member_path(path, m->path, "function_call");
  return read_named(m->rd, path, "arguments", legacy, p);
}

/* `tool`, or `function` (whose results have a name in place of an id). */
static enum err read_result(struct message *m, bool is_legacy) {
  yyjson_val *content = m->found[CONTENT];
  if (!is_legacy && !m->found[TOOL_CALL_ID]) return openai_member_missing(m->rd, m->path, "tool_call_id");
  if (is_legacy && !m->found[NAME]) return openai_member_missing(m->rd, m->path, "name");
  struct request_part *p = add_part(m, PART_TOOL_RESULT, UINT32_MAX);
  enum err e = openai_member_string(m->rd, m->path, "tool_call_id", m->found[TOOL_CALL_ID], &p->call_id);
  if (!e) e = openai_member_string(m->rd, m->path, "name", m->found[NAME], &p->name);
  if (e) return e;
  if (content && !yyjson_is_str(content) && !yyjson_is_arr(content))
    return openai_member_wrong_type(m->rd, m->path, "content", "a string or an array");
  size_t n = yyjson_is_arr(content) ? yyjson_arr_size(content) : content != NULL;
  p->results = ARENA_NEW_ARRAY(m->rd->arena, struct request_part, n);
  if (!p->results) return ERR_NO_MEMORY;
  p->is_result_plain = !yyjson_is_arr(content);
  p->result_count = n;
  m->item->form = yyjson_is_arr(content) ? CONTENT_ARRAY : content ? CONTENT_STRING : CONTENT_NULL;
  if (yyjson_is_arr(content)) return read_parts(m, content, p->results);
  if (content)
    p->results[0] = (struct request_part){.kind = PART_TEXT, .source = UINT32_MAX, .text = json_pool_text(content)};
  return OK;
}

/* ---- messages ---- */

static const struct {
  struct str word;
  enum request_role role;
  bool is_legacy;
} roles[] = {
    {STR("user"), ROLE_USER, false}, {STR("assistant"), ROLE_ASSISTANT, false}, {STR("system"), ROLE_SYSTEM, false},
    {STR("tool"), ROLE_TOOL, false}, {STR("developer"), ROLE_DEVELOPER, false}, {STR("function"), ROLE_TOOL, true},
};

/* Parts that a message can have at most: one for each member, or for each element of one that is an array. */
static size_t room_for(const struct message *m) {
  size_t n = 1;
  for (int i = CONTENT; i < MEMBERS; i++)
    if (m->found[i]) n += yyjson_is_arr(m->found[i]) ? yyjson_arr_size(m->found[i]) : 1;
  return n;
}

/* Members that mean something in messages of other roles only. */
static enum err keep_strangers(struct message *m, bool is_legacy) {
  bool is_result = m->item->role == ROLE_TOOL;
  for (int i = TOOL_CALLS; i <= REASONING_DETAILS; i++) {
    bool is_known = i == TOOL_CALL_ID ? is_result && !is_legacy : !is_result;
    if (!m->found[i] || is_known) continue;
    enum err e = json_rest_add(m->rd->arena, &m->item->rest, members[i], m->found[i]);
    if (e) return e;
    m->found[i] = NULL;
  }
  return OK;
}

static enum err read_message(struct message *m, struct yyjson_val *node) {
  struct openai_reader *rd = m->rd;
  struct request_item *item = m->item;
  size_t row = 0, rows = sizeof roles / sizeof *roles;
  enum err e = openai_member_split(rd, m->path, node, members, MEMBERS, m->found, &item->rest);
  if (e) return e;
  if (!m->found[ROLE]) return openai_member_missing(rd, m->path, "role");
  if (!yyjson_is_str(m->found[ROLE])) return openai_member_wrong_type(rd, m->path, "role", "a string");
  while (row < rows && !str_eq(json_pool_text(m->found[ROLE]), roles[row].word)) row++;
  if (row == rows)
    return openai_member_wrong_value(rd, m->path, "role",
                                     "must be \"system\", \"developer\", \"user\", \"assistant\" or \"tool\"");
  item->role = roles[row].role;
  if (!(item->parts = ARENA_NEW_ARRAY(rd->arena, struct request_part, room_for(m)))) return ERR_NO_MEMORY;
  if ((e = read_cache(rd, m->path, m->found[CACHE_CONTROL], &item->cache))) return e;
  if ((e = keep_strangers(m, roles[row].is_legacy))) return e;
  if (item->role == ROLE_TOOL) return read_result(m, roles[row].is_legacy);
  e = openai_member_string(rd, m->path, "name", m->found[NAME], &item->name);
  if (!e) e = read_reasoning(m);
  if (!e) e = read_content(m);
  if (!e && m->found[REFUSAL]) {
    struct request_part *p = add_part(m, PART_REFUSAL, UINT32_MAX);
    e = openai_member_string(rd, m->path, "refusal", m->found[REFUSAL], &p->text);
  }
  if (!e) e = read_calls(m);
  return e;
}

enum err openai_chat_decode_messages(struct openai_reader *rd, struct yyjson_val *messages, struct request *r) {
  yyjson_val *node;
  if (!yyjson_is_arr(messages)) return openai_member_wrong_type(rd, NULL, "messages", "an array");
  size_t n = yyjson_arr_size(messages);
  if (n == 0) return openai_member_wrong_value(rd, NULL, "messages", "must be an array of at least one message");
  r->items = ARENA_NEW_ARRAY(rd->arena, struct request_item, n);
  if (!r->items) return ERR_NO_MEMORY;
  yyjson_arr_iter it = yyjson_arr_iter_with(messages);
  for (uint32_t i = 0; (node = yyjson_arr_iter_next(&it)); i++) {
    struct message m = {.rd = rd, .item = &r->items[i]};
    err_path_index(m.path, NULL, "messages", i);
    r->items[i].source = i;
    enum err e = read_message(&m, node);
    if (e) return e;
    r->item_count++;
  }
  return OK;
}
