/* The elements of `input` as canonical items: messages, calls and their results, thinking, and what only OpenAI knows.
 * Called by request_decode.c. Each element is one item; a part that is the whole element has source
 * REQUEST_SOURCE_ITEM. The node of an element stays at hand (request_part.raw, native.nodes), so that this dialect can
 * write it as it was. */
#include <stdio.h>
#include <yyjson.h>

#include "dialect/openai_responses/internal.h"
#include "llm/signature.h"

/* ---- content ---- */

typedef enum err part_reader(struct openai_reader *rd, struct yyjson_val *node, const char *path,
                             struct request_part *out);

/* `annotations` and `logprobs` of output_text come back from raw; only annotations that say something are citations. */
static enum err read_text(struct openai_reader *rd, struct yyjson_val *node, const char *path,
                          struct request_part *out) {
  enum { TYPE, TEXT, ANNOTATIONS, LOGPROBS, NAMES };
  static const struct str names[NAMES] = {STR("type"), STR("text"), STR("annotations"), STR("logprobs")};
  struct yyjson_val *v[NAMES];
  enum err e = openai_member_split(rd, path, node, names, NAMES, v, &out->rest);
  if (!e) e = openai_member_required(rd, path, "text", v[TEXT], &out->text);
  if (e) return e;
  out->kind = PART_TEXT;
  if (yyjson_arr_size(v[ANNOTATIONS])) out->citations = v[ANNOTATIONS];
  return OK;
}

static enum err read_refusal(struct openai_reader *rd, struct yyjson_val *node, const char *path,
                             struct request_part *out) {
  enum { TYPE, REFUSAL, NAMES };
  static const struct str names[NAMES] = {STR("type"), STR("refusal")};
  struct yyjson_val *v[NAMES];
  enum err e = openai_member_split(rd, path, node, names, NAMES, v, &out->rest);
  out->kind = PART_REFUSAL;
  return e ? e : openai_member_required(rd, path, "refusal", v[REFUSAL], &out->text);
}

static enum err new_media(struct openai_reader *rd, struct request_part *out) {
  out->media = ARENA_NEW(rd->arena, struct media);
  return out->media ? OK : ERR_NO_MEMORY;
}

static enum err read_image(struct openai_reader *rd, struct yyjson_val *node, const char *path,
                           struct request_part *out) {
  enum { TYPE, URL, FILE_ID, DETAIL, NAMES };
  static const struct str names[NAMES] = {STR("type"), STR("image_url"), STR("file_id"), STR("detail")};
  struct yyjson_val *v[NAMES];
  struct str url = STR_NONE;
  enum err e = openai_member_split(rd, path, node, names, NAMES, v, &out->rest);
  if (!e) e = new_media(rd, out);
  if (!e) e = openai_member_string(rd, path, "image_url", v[URL], &url);
  if (!e) e = openai_member_string(rd, path, "file_id", v[FILE_ID], &out->media->file_id);
  if (!e) e = openai_member_string(rd, path, "detail", v[DETAIL], &out->media->detail);
  if (e) return e;
  if (!url.n && !out->media->file_id.n) return openai_member_missing(rd, path, "image_url");
  if (url.n) request_media_from_url(url, out->media);
  /* "auto" is what everybody does who is told nothing. */
  if (str_eq(out->media->detail, STR("auto"))) out->media->detail = STR_NONE;
  out->kind = PART_IMAGE;
  return OK;
}

static enum err read_file(struct openai_reader *rd, struct yyjson_val *node, const char *path,
                          struct request_part *out) {
  enum { TYPE, DATA, URL, FILE_ID, NAME, NAMES };
  static const struct str names[NAMES] = {STR("type"), STR("file_data"), STR("file_url"), STR("file_id"),
                                          STR("filename")};
  struct yyjson_val *v[NAMES];
  struct str data = STR_NONE;
  enum err e = openai_member_split(rd, path, node, names, NAMES, v, &out->rest);
  if (!e) e = new_media(rd, out);
  if (e) return e;
  struct media *m = out->media;
  e = openai_member_string(rd, path, "file_data", v[DATA], &data);
  if (!e) e = openai_member_string(rd, path, "file_url", v[URL], &m->url);
  if (!e) e = openai_member_string(rd, path, "file_id", v[FILE_ID], &m->file_id);
  if (!e) e = openai_member_string(rd, path, "filename", v[NAME], &m->name);
  if (e) return e;
  if (!data.n && !m->url.n && !m->file_id.n) return openai_member_missing(rd, path, "file_data");
  out->kind = PART_DOCUMENT;
  if (data.n && str_has_prefix_nocase(data, STR("data:")))
    request_media_from_url(data, m);
  else if (data.n)
    m->data = data;
  return OK;
}

static enum err read_audio(struct openai_reader *rd, struct yyjson_val *node, const char *path,
                           struct request_part *out) {
  enum { TYPE, AUDIO, NAMES };
  static const struct str names[NAMES] = {STR("type"), STR("input_audio")};
  struct yyjson_val *v[NAMES];
  char inner[ERR_PARAM_MAX];
  struct str format = STR_NONE;
  enum err e = openai_member_split(rd, path, node, names, NAMES, v, &out->rest);
  if (!e) e = new_media(rd, out);
  if (e) return e;
  if (!v[AUDIO]) return openai_member_missing(rd, path, "input_audio");
  if (!yyjson_is_obj(v[AUDIO])) return openai_member_wrong_type(rd, path, "input_audio", "an object");
  openai_member_path(inner, path, "input_audio");
  e = openai_member_required(rd, inner, "data", yyjson_obj_get(v[AUDIO], "data"), &out->media->data);
  if (!e) e = openai_member_required(rd, inner, "format", yyjson_obj_get(v[AUDIO], "format"), &format);
  if (e) return e;
  out->kind = PART_AUDIO;
  out->media->mime = arena_printf(rd->arena, "audio/%.*s", STR_ARG(str_sub(format, 0, 32)));
  return out->media->mime.p ? OK : ERR_NO_MEMORY;
}

static enum err read_part(struct openai_reader *rd, struct yyjson_val *node, const char *path,
                          struct request_part *out) {
  static const struct {
    struct str type;
    part_reader *read;
  } readers[] = {
      {STR("input_text"), read_text},   {STR("output_text"), read_text},  {STR("text"), read_text},
      {STR("refusal"), read_refusal},   {STR("input_image"), read_image}, {STR("input_file"), read_file},
      {STR("input_audio"), read_audio},
  };
  if (!yyjson_is_obj(node)) return openai_member_wrong_type(rd, path, NULL, "an object");
  struct str type = STR_NONE;
  struct yyjson_val *v = yyjson_obj_get(node, "type");
  enum err e = openai_member_required(rd, path, "type", yyjson_is_null(v) ? NULL : v, &type);
  if (e) return e;
  out->raw = node;
  for (size_t i = 0; i < sizeof readers / sizeof *readers; i++)
    if (str_eq(type, readers[i].type)) return readers[i].read(rd, node, path, out);
  out->kind = PART_OPAQUE;
  return OK;
}

/* A string or an array of parts at path.member. */
static enum err read_content(struct openai_reader *rd, struct yyjson_val *v, const char *path, const char *member,
                             struct request_part **parts, size_t *count) {
  char inner[ERR_PARAM_MAX];
  if (yyjson_is_str(v)) {
    struct request_part *p = ARENA_NEW(rd->arena, struct request_part);
    if (!p) return ERR_NO_MEMORY;
    *p = (struct request_part){.kind = PART_TEXT, .source = UINT32_MAX, .text = json_pool_text(v)};
    *parts = p;
    *count = 1;
    return OK;
  }
  if (!yyjson_is_arr(v)) return openai_member_wrong_type(rd, path, member, "a string or an array");
  size_t n = yyjson_arr_size(v), i, max;
  struct request_part *all = ARENA_NEW_ARRAY(rd->arena, struct request_part, n ? n : 1);
  if (!all) return ERR_NO_MEMORY;
  yyjson_val *node;
  yyjson_arr_foreach(v, i, max, node) {
    err_path_index(inner, path, member, i);
    all[i].source = (uint32_t)i;
    enum err e = read_part(rd, node, inner, &all[i]);
    if (e) return e;
  }
  *parts = all;
  *count = n;
  return OK;
}

/* ---- items ---- */

typedef enum err item_reader(struct openai_reader *rd, struct yyjson_val *node, const char *path,
                             struct request_item *out);

static enum err read_role(struct openai_reader *rd, struct yyjson_val *v, const char *path, enum request_role *out) {
  static const struct {
    struct str word;
    enum request_role role;
  } roles[] = {{STR("user"), ROLE_USER},
               {STR("assistant"), ROLE_ASSISTANT},
               {STR("system"), ROLE_SYSTEM},
               {STR("developer"), ROLE_DEVELOPER}};
  struct str word = STR_NONE;
  enum err e = openai_member_required(rd, path, "role", v, &word);
  if (e) return e;
  for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
    if (str_eq(word, roles[i].word)) {
      *out = roles[i].role;
      return OK;
    }
  return openai_member_wrong_value(rd, path, "role", "must be one of user, assistant, system, developer");
}

static enum err read_message(struct openai_reader *rd, struct yyjson_val *node, const char *path,
                             struct request_item *out) {
  enum { TYPE, ROLE, CONTENT, ID, STATUS, NAMES };
  static const struct str names[NAMES] = {STR("type"), STR("role"), STR("content"), STR("id"), STR("status")};
  struct yyjson_val *v[NAMES];
  enum err e = openai_member_split(rd, path, node, names, NAMES, v, &out->rest);
  if (!e) e = read_role(rd, v[ROLE], path, &out->role);
  if (!e) e = openai_member_string(rd, path, "id", v[ID], &out->id);
  if (e) return e;
  if (!v[CONTENT]) {
    out->form = CONTENT_NULL;
    return yyjson_obj_get(node, "content") ? OK : openai_member_missing(rd, path, "content");
  }
  out->form = yyjson_is_str(v[CONTENT]) ? CONTENT_STRING : CONTENT_ARRAY;
  return read_content(rd, v[CONTENT], path, "content", &out->parts, &out->part_count);
}

/* The one part of an item that is no message. */
static struct request_part *whole_item(struct openai_reader *rd, struct yyjson_val *node, enum part_kind kind,
                                       enum request_role role, struct request_item *out) {
  struct request_part *p = ARENA_NEW(rd->arena, struct request_part);
  if (!p) return NULL;
  *p = (struct request_part){.kind = kind, .source = REQUEST_SOURCE_ITEM, .raw = node};
  out->role = role;
  out->form = CONTENT_ARRAY;
  out->parts = p;
  out->part_count = 1;
  return p;
}

static enum err read_call(struct openai_reader *rd, struct yyjson_val *node, const char *path, bool is_custom,
                          struct request_item *out) {
  enum { TYPE, ID, STATUS, CALL_ID, NAME, NAMESPACE, INPUT, NAMES };
  const char *input = is_custom ? "input" : "arguments";
  const struct str names[NAMES] = {STR("type"), STR("id"),        STR("status"),    STR("call_id"),
                                   STR("name"), STR("namespace"), str_from_c(input)};
  struct yyjson_val *v[NAMES];
  struct request_part *p = whole_item(rd, node, PART_TOOL_CALL, ROLE_ASSISTANT, out);
  if (!p) return ERR_NO_MEMORY;
  enum err e = openai_member_split(rd, path, node, names, NAMES, v, &p->rest);
  if (!e) e = openai_member_required(rd, path, "call_id", v[CALL_ID], &p->call_id);
  if (!e) e = openai_member_required(rd, path, "name", v[NAME], &p->name);
  if (!e) e = openai_member_required(rd, path, input, v[INPUT], &p->text);
  if (!e) e = openai_member_string(rd, path, "namespace", v[NAMESPACE], &p->namespace);
  if (!e) e = openai_member_string(rd, path, "id", v[ID], &p->item_id);
  if (e) return e;
  out->id = p->item_id;
  p->tool_kind = is_custom ? TOOL_CUSTOM : TOOL_FUNCTION;
  p->is_args_valid = !is_custom && request_is_json_object(p->text);
  return OK;
}

static enum err read_function_call(struct openai_reader *rd, struct yyjson_val *node, const char *path,
                                   struct request_item *out) {
  return read_call(rd, node, path, false, out);
}

static enum err read_custom_call(struct openai_reader *rd, struct yyjson_val *node, const char *path,
                                 struct request_item *out) {
  return read_call(rd, node, path, true, out);
}

static enum err read_output(struct openai_reader *rd, struct yyjson_val *node, const char *path, enum tool_kind kind,
                            struct request_item *out) {
  enum { TYPE, ID, STATUS, CALL_ID, OUTPUT, NAMES };
  static const struct str names[NAMES] = {STR("type"), STR("id"), STR("status"), STR("call_id"), STR("output")};
  struct yyjson_val *v[NAMES];
  struct request_part *p = whole_item(rd, node, PART_TOOL_RESULT, ROLE_TOOL, out);
  if (!p) return ERR_NO_MEMORY;
  enum err e = openai_member_split(rd, path, node, names, NAMES, v, &p->rest);
  if (!e) e = openai_member_required(rd, path, "call_id", v[CALL_ID], &p->call_id);
  if (!e) e = openai_member_string(rd, path, "id", v[ID], &p->item_id);
  if (!e && !v[OUTPUT]) e = openai_member_missing(rd, path, "output");
  if (!e) e = read_content(rd, v[OUTPUT], path, "output", &p->results, &p->result_count);
  if (e) return e;
  out->id = p->item_id;
  p->tool_kind = kind;
  p->is_result_plain = yyjson_is_str(v[OUTPUT]);
  return OK;
}

static enum err read_function_output(struct openai_reader *rd, struct yyjson_val *node, const char *path,
                                     struct request_item *out) {
  return read_output(rd, node, path, TOOL_FUNCTION, out);
}

static enum err read_custom_output(struct openai_reader *rd, struct yyjson_val *node, const char *path,
                                   struct request_item *out) {
  return read_output(rd, node, path, TOOL_CUSTOM, out);
}

/* Texts of `summary` or `content`; elements of other types are OpenAI's alone. */
static enum err add_thinking(struct openai_reader *rd, struct yyjson_val *list, const char *path, const char *member,
                             enum part_kind kind, struct request_item *out) {
  if (!list) return OK;
  if (!yyjson_is_arr(list)) return openai_member_wrong_type(rd, path, member, "an array");
  size_t i, max;
  yyjson_val *node;
  yyjson_arr_foreach(list, i, max, node) {
    struct yyjson_val *text = yyjson_obj_get(node, "text");
    char inner[ERR_PARAM_MAX];
    err_path_index(inner, path, member, i);
    if (!yyjson_is_obj(node)) return openai_member_wrong_type(rd, inner, NULL, "an object");
    if (text && !yyjson_is_str(text)) return openai_member_wrong_type(rd, inner, "text", "a string");
    if (!text) continue;
    out->parts[out->part_count++] =
        (struct request_part){.kind = kind, .source = REQUEST_SOURCE_ITEM, .text = json_pool_text(text)};
  }
  return OK;
}

/* Thinking of another dialect went to this caller as a summary with its signature in encrypted_content: it is one part
 * of thinking again. */
static enum err unwrap_foreign(struct openai_reader *rd, struct signature signature, struct request_item *out) {
  struct request_part *p = &out->parts[0];
  size_t bytes = 0;
  for (size_t i = 0; i < out->part_count; i++) bytes += out->parts[i].text.n;
  char *all = arena_alloc(rd->arena, bytes + 1);
  if (!all) return ERR_NO_MEMORY;
  size_t n = 0;
  for (size_t i = 0; i < out->part_count; i++) {
    if (out->parts[i].text.n) memcpy(all + n, out->parts[i].text.p, out->parts[i].text.n);
    n += out->parts[i].text.n;
  }
  struct yyjson_val *raw = p->raw;
  *p = (struct request_part){
      .kind = PART_REASONING, .source = REQUEST_SOURCE_ITEM, .text = str_from(all, n), .raw = raw};
  p->signature = signature;
  if (str_has_suffix(signature.origin, STR(OPENAI_RESPONSES_REDACTED))) {
    p->kind = PART_REDACTED;
    p->signature.origin.n -= sizeof OPENAI_RESPONSES_REDACTED - 1;
  }
  out->part_count = 1;
  return OK;
}

static enum err read_reasoning(struct openai_reader *rd, struct yyjson_val *node, const char *path,
                               struct request_item *out) {
  enum { TYPE, ID, STATUS, SUMMARY, CONTENT, ENCRYPTED, NAMES };
  static const struct str names[NAMES] = {STR("type"),    STR("id"),      STR("status"),
                                          STR("summary"), STR("content"), STR("encrypted_content")};
  struct yyjson_val *v[NAMES];
  struct json_rest rest;
  struct str slot = STR_NONE;
  enum err e = openai_member_split(rd, path, node, names, NAMES, v, &rest);
  if (!e) e = openai_member_string(rd, path, "id", v[ID], &out->id);
  if (!e) e = openai_member_string(rd, path, "encrypted_content", v[ENCRYPTED], &slot);
  if (e) return e;
  out->role = ROLE_ASSISTANT;
  out->form = CONTENT_ARRAY;
  out->parts =
      ARENA_NEW_ARRAY(rd->arena, struct request_part, yyjson_arr_size(v[SUMMARY]) + yyjson_arr_size(v[CONTENT]) + 1);
  if (!out->parts) return ERR_NO_MEMORY;
  e = add_thinking(rd, v[SUMMARY], path, "summary", PART_REASONING_SUMMARY, out);
  if (!e) e = add_thinking(rd, v[CONTENT], path, "content", PART_REASONING, out);
  if (e) return e;
  struct signature signature = slot.n ? signature_read(rd->arena, slot, OPENAI_RESPONSES) : (struct signature){0};
  bool is_foreign = signature.origin.n && !str_eq(signature.origin, OPENAI_RESPONSES);
  if (!out->part_count) /* thinking without a readable word */
    out->parts[out->part_count++] = (struct request_part){.kind = PART_REDACTED, .source = REQUEST_SOURCE_ITEM};
  out->parts[0].raw = node;
  if (is_foreign && (e = unwrap_foreign(rd, signature, out))) return e;
  if (!is_foreign) out->parts[out->part_count - 1].signature = signature;
  out->parts[0].item_id = out->id;
  out->parts[0].rest = rest;
  return OK;
}

bool openai_responses_is_server_tool(struct str type) {
  static const struct str more[] = {
      STR("mcp_list_tools"), STR("mcp_approval_request"), STR("mcp_approval_response"), STR("tool_search_output"),
      STR("program"),        STR("program_output")};
  for (size_t i = 0; i < sizeof more / sizeof *more; i++)
    if (str_eq(type, more[i])) return true;
  return str_has_suffix(type, STR("_call")) || str_has_suffix(type, STR("_call_output"));
}

static enum err read_native(struct openai_reader *rd, struct yyjson_val *node, struct str type,
                            struct request_item *out) {
  bool is_tool = openai_responses_is_server_tool(type), is_output = str_has_suffix(type, STR("_output"));
  struct request_part *p =
      whole_item(rd, node, is_tool ? PART_SERVER_TOOL : PART_OPAQUE, is_output ? ROLE_TOOL : ROLE_ASSISTANT, out);
  if (!p) return ERR_NO_MEMORY;
  p->item_id = out->id = json_pool_str(node, "id");
  return OK;
}

enum err openai_responses_decode_item(struct openai_reader *rd, struct yyjson_val *node, const char *path,
                                      uint32_t source, struct request_item *out) {
  static const struct {
    struct str type;
    item_reader *read;
  } readers[] = {
      {STR("message"), read_message},
      {STR("function_call"), read_function_call},
      {STR("function_call_output"), read_function_output},
      {STR("custom_tool_call"), read_custom_call},
      {STR("custom_tool_call_output"), read_custom_output},
      {STR("reasoning"), read_reasoning},
  };
  *out = (struct request_item){.source = source};
  if (!yyjson_is_obj(node)) return openai_member_wrong_type(rd, path, NULL, "an object");
  struct yyjson_val *v = yyjson_obj_get(node, "type");
  struct str type = STR_NONE;
  enum err e = openai_member_string(rd, path, "type", yyjson_is_null(v) ? NULL : v, &type);
  if (e) return e;
  if (!type.p && yyjson_obj_get(node, "role")) return read_message(rd, node, path, out);
  if (!type.p && !yyjson_obj_get(node, "id")) return openai_member_missing(rd, path, "type");
  for (size_t i = 0; i < sizeof readers / sizeof *readers; i++)
    if (str_eq(type, readers[i].type)) return readers[i].read(rd, node, path, out);
  return read_native(rd, node, type, out);
}
