/* Anthropic Messages, a request's content: system, messages, their blocks, and tools. A block that is not wholly said
 * by its canonical part keeps its node in `raw`, and is written back from there; what other dialects read of it stands
 * in the part all the same (a search result is a document of plain text, a tool reference its name). */
#include <yyjson.h>

#include "base/json_out.h"
#include "dialect/anthropic/anthropic_internal.h"

static enum err decode_blocks(const struct anthropic_decoder *d, const struct anthropic_at *at,
                              struct yyjson_val *array, bool is_result, struct request_part **parts,
                              size_t *count) MUST_CHECK;

/* The value as JSON text in the arena. */
static enum err json_text(struct arena *a, struct yyjson_val *v, struct str *out) {
  struct buf text;
  buf_init(&text, 0);
  json_split_put(&text, v);
  struct str copy = text.failed ? STR_NONE : arena_dup(a, buf_str(&text));
  buf_clear(&text);
  *out = copy;
  return copy.p ? OK : ERR_NO_MEMORY;
}

/* The texts of an array of text blocks (or one string), joined by line ends. False: there is something else in it. */
static bool join_texts(struct arena *a, struct yyjson_val *content, struct str *out) {
  struct buf text;
  bool is_text = yyjson_is_arr(content);
  if (yyjson_is_str(content)) {
    *out = json_pool_text(content);
    return true;
  }
  buf_init(&text, 0);
  yyjson_arr_iter it = yyjson_arr_iter_with(content);
  for (yyjson_val *v; is_text && (v = yyjson_arr_iter_next(&it));) {
    is_text = str_eq(json_pool_str(v, "type"), STR("text")) && yyjson_is_str(yyjson_obj_get(v, "text"));
    if (text.n) buf_put_char(&text, '\n');
    if (is_text) buf_put(&text, json_pool_str(v, "text"));
  }
  struct str copy = is_text && !text.failed ? arena_dup(a, buf_str(&text)) : STR_NONE;
  buf_clear(&text);
  *out = copy;
  return copy.p != NULL;
}

/* ---- blocks ---- */

typedef enum err decode_block(const struct anthropic_decoder *d, const struct anthropic_at *at, struct yyjson_val *node,
                              struct request_part *part);

static enum err decode_text(const struct anthropic_decoder *d, const struct anthropic_at *at, struct yyjson_val *node,
                            struct request_part *part) {
  enum { TYPE, TEXT, CACHE, CITATIONS, N };
  static const struct str names[N] = {STR("type"), STR("text"), STR("cache_control"), STR("citations")};
  struct yyjson_val *found[N];
  enum err e = anthropic_split(d, at, node, names, N, found, &part->rest);
  part->kind = PART_TEXT;
  if (!e && !found[TEXT]) e = anthropic_fault(d, at, "text", ERR_MISSING, "this member is required");
  if (!e) e = anthropic_get_string(d, at, "text", found[TEXT], &part->text);
  if (!e) e = anthropic_get_cache(d, at, found[CACHE], &part->cache);
  if (e) return e;
  if (found[CITATIONS] && !yyjson_is_arr(found[CITATIONS]))
    return anthropic_fault(d, at, "citations", ERR_BAD_TYPE, "an array is expected");
  part->citations = found[CITATIONS];
  return OK;
}

static enum err decode_thinking(const struct anthropic_decoder *d, const struct anthropic_at *at,
                                struct yyjson_val *node, struct request_part *part) {
  enum { TYPE, THINKING, SIGNATURE, N };
  static const struct str names[N] = {STR("type"), STR("thinking"), STR("signature")};
  struct yyjson_val *found[N];
  struct str slot = STR_NONE;
  enum err e = anthropic_split(d, at, node, names, N, found, &part->rest);
  part->kind = PART_REASONING;
  if (!e && !found[THINKING]) e = anthropic_fault(d, at, "thinking", ERR_MISSING, "this member is required");
  if (!e) e = anthropic_get_string(d, at, "thinking", found[THINKING], &part->text);
  if (!e) e = anthropic_get_string(d, at, "signature", found[SIGNATURE], &slot);
  if (!e && slot.p) part->signature = signature_read(d->arena, slot, ANTHROPIC_NAME);
  return e;
}

static enum err decode_redacted(const struct anthropic_decoder *d, const struct anthropic_at *at,
                                struct yyjson_val *node, struct request_part *part) {
  enum { TYPE, DATA, N };
  static const struct str names[N] = {STR("type"), STR("data")};
  struct yyjson_val *found[N];
  struct str slot = STR_NONE;
  enum err e = anthropic_split(d, at, node, names, N, found, &part->rest);
  part->kind = PART_REDACTED;
  if (!e && !found[DATA]) e = anthropic_fault(d, at, "data", ERR_MISSING, "this member is required");
  if (!e) e = anthropic_get_string(d, at, "data", found[DATA], &slot);
  if (!e) part->signature = signature_read(d->arena, slot, ANTHROPIC_NAME);
  return e;
}

static enum err decode_tool_use(const struct anthropic_decoder *d, const struct anthropic_at *at,
                                struct yyjson_val *node, struct request_part *part) {
  enum { TYPE, ID, NAME, INPUT, CACHE, N };
  static const struct str names[N] = {STR("type"), STR("id"), STR("name"), STR("input"), STR("cache_control")};
  struct yyjson_val *found[N];
  enum err e = anthropic_split(d, at, node, names, N, found, &part->rest);
  part->kind = PART_TOOL_CALL;
  for (int i = ID; !e && i <= INPUT; i++)
    if (!found[i]) e = anthropic_fault(d, at, names[i].p, ERR_MISSING, "this member is required");
  if (!e) e = anthropic_get_string(d, at, "id", found[ID], &part->call_id);
  if (!e) e = anthropic_get_string(d, at, "name", found[NAME], &part->name);
  if (!e && !yyjson_is_obj(found[INPUT])) e = anthropic_fault(d, at, "input", ERR_BAD_TYPE, "an object is expected");
  if (!e) e = anthropic_get_cache(d, at, found[CACHE], &part->cache);
  if (!e) e = json_text(d->arena, found[INPUT], &part->text);
  part->is_args_valid = true;
  return e;
}

static enum err decode_tool_result(const struct anthropic_decoder *d, const struct anthropic_at *at,
                                   struct yyjson_val *node, struct request_part *part) {
  enum { TYPE, ID, CONTENT, IS_ERROR, CACHE, N };
  static const struct str names[N] = {STR("type"), STR("tool_use_id"), STR("content"), STR("is_error"),
                                      STR("cache_control")};
  const struct anthropic_at content = {at, "content", 0};
  struct yyjson_val *found[N];
  int8_t is_error = -1;
  enum err e = anthropic_split(d, at, node, names, N, found, &part->rest);
  part->kind = PART_TOOL_RESULT;
  if (!e && !found[ID]) e = anthropic_fault(d, at, "tool_use_id", ERR_MISSING, "this member is required");
  if (!e) e = anthropic_get_string(d, at, "tool_use_id", found[ID], &part->call_id);
  if (!e) e = anthropic_get_bool(d, at, "is_error", found[IS_ERROR], &is_error);
  if (!e) e = anthropic_get_cache(d, at, found[CACHE], &part->cache);
  if (e) return e;
  part->has_is_error = is_error >= 0;
  part->is_error = is_error == 1;
  if (!found[CONTENT]) return OK;
  if (!yyjson_is_str(found[CONTENT]))
    return decode_blocks(d, &content, found[CONTENT], true, &part->results, &part->result_count);
  part->is_result_plain = true;
  part->results = ARENA_NEW(d->arena, struct request_part);
  if (!part->results) return ERR_NO_MEMORY;
  part->results[0] =
      (struct request_part){.kind = PART_TEXT, .source = UINT32_MAX, .text = json_pool_text(found[CONTENT])};
  part->result_count = 1;
  return OK;
}

/* base64, url, file, text or content into media. False: of another kind, or with members beside these. */
static bool read_source(const struct anthropic_decoder *d, struct yyjson_val *source, struct media *media,
                        bool *is_whole) {
  static const struct {
    struct str type;
    const char *value;
    bool has_mime;
  } kinds[] = {{STR("base64"), "data", true},
               {STR("url"), "url", false},
               {STR("file"), "file_id", false},
               {STR("text"), "data", true},
               {STR("content"), "content", false}};
  struct str type = json_pool_str(source, "type"), mime = json_pool_str(source, "media_type");
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    yyjson_val *value = yyjson_obj_get(source, kinds[i].value);
    if (!str_eq(type, kinds[i].type) || !value) continue;
    bool is_content = str_eq(type, STR("content"));
    if (is_content ? !join_texts(d->arena, value, &media->text) : !yyjson_is_str(value)) return false;
    if (kinds[i].has_mime) media->mime = mime;
    if (str_eq(type, STR("base64"))) media->data = json_pool_text(value);
    if (str_eq(type, STR("url"))) media->url = json_pool_text(value);
    if (str_eq(type, STR("file"))) media->file_id = json_pool_text(value);
    if (str_eq(type, STR("text"))) media->text = json_pool_text(value);
    *is_whole = !is_content && yyjson_obj_size(source) == 2 + (size_t)(kinds[i].has_mime && mime.n > 0) &&
                (!kinds[i].has_mime || mime.n > 0);
    return true;
  }
  return false;
}

/* Members of a source that nobody here knows are named where they are left out; the node itself is kept as `raw`. */
static enum err keep_unknown(const struct anthropic_decoder *d, const struct anthropic_at *at,
                             struct yyjson_val *source) {
  static const struct str names[] = {STR("type"), STR("media_type"), STR("data"),
                                     STR("url"),  STR("file_id"),    STR("content")};
  enum { N = sizeof names / sizeof *names };
  const struct anthropic_at where = {at, "source", 0};
  struct yyjson_val *found[N];
  struct json_rest left;
  char path[ERR_PARAM_MAX];
  enum err e = anthropic_split(d, &where, source, names, N, found, &left);
  anthropic_write_path(&where, NULL, path);
  return e ? e : json_rest_join(d->arena, &d->request->nested, str_from_c(path), &left);
}

static enum err decode_media(const struct anthropic_decoder *d, const struct anthropic_at *at, struct yyjson_val *node,
                             struct request_part *part, enum part_kind kind) {
  enum { TYPE, SOURCE, CACHE, TITLE, N };
  static const struct str names[N] = {STR("type"), STR("source"), STR("cache_control"), STR("title")};
  struct yyjson_val *found[N];
  bool is_whole = false;
  size_t n = kind == PART_DOCUMENT ? N : TITLE; /* an image has no title */
  enum err e = anthropic_split(d, at, node, names, n, found, &part->rest);
  if (e) return e;
  if (kind == PART_IMAGE) found[TITLE] = NULL;
  if (!yyjson_is_obj(found[SOURCE])) return anthropic_fault(d, at, "source", ERR_BAD_TYPE, "an object is expected");
  part->media = ARENA_NEW(d->arena, struct media);
  if (!part->media) return ERR_NO_MEMORY;
  bool is_known =
      read_source(d, found[SOURCE], part->media, &is_whole) && (kind == PART_DOCUMENT || !part->media->text.p);
  part->kind = is_known ? kind : PART_OPAQUE;
  if (!is_known || !is_whole) part->raw = node;
  if (!is_known) part->media = NULL;
  if (!is_known) part->rest = (struct json_rest){0};
  if (is_known && !is_whole) e = keep_unknown(d, at, found[SOURCE]);
  if (!e) e = anthropic_get_cache(d, at, found[CACHE], &part->cache);
  if (!e && is_known) e = anthropic_get_string(d, at, "title", found[TITLE], &part->media->name);
  return e;
}

static enum err decode_image(const struct anthropic_decoder *d, const struct anthropic_at *at, struct yyjson_val *node,
                             struct request_part *part) {
  return decode_media(d, at, node, part, PART_IMAGE);
}

static enum err decode_document(const struct anthropic_decoder *d, const struct anthropic_at *at,
                                struct yyjson_val *node, struct request_part *part) {
  return decode_media(d, at, node, part, PART_DOCUMENT);
}

/* What a caller's own search found: to other dialects a document of plain text with its title. */
static enum err decode_search_result(const struct anthropic_decoder *d, const struct anthropic_at *at,
                                     struct yyjson_val *node, struct request_part *part) {
  struct str text;
  part->raw = node;
  part->kind = PART_OPAQUE;
  if (!join_texts(d->arena, yyjson_obj_get(node, "content"), &text)) return OK;
  part->media = ARENA_NEW(d->arena, struct media);
  if (!part->media) return ERR_NO_MEMORY;
  part->kind = PART_DOCUMENT;
  *part->media = (struct media){.mime = STR("text/plain"), .text = text, .name = json_pool_str(node, "title")};
  yyjson_val *cache = yyjson_obj_get(node, "cache_control");
  return anthropic_get_cache(d, at, yyjson_is_null(cache) ? NULL : cache, &part->cache);
}

/* In the result of a tool search: the name of a tool that was found, which is all that other dialects need. */
static enum err decode_tool_reference(const struct anthropic_decoder *d, const struct anthropic_at *at,
                                      struct yyjson_val *node, struct request_part *part) {
  part->kind = PART_TEXT;
  part->raw = node;
  return anthropic_get_string(d, at, "tool_name", yyjson_obj_get(node, "tool_name"), &part->text);
}

static enum err decode_server_tool(const struct anthropic_decoder *d, const struct anthropic_at *at,
                                   struct yyjson_val *node, struct request_part *part) {
  (void)d;
  (void)at;
  part->kind = PART_SERVER_TOOL;
  part->raw = node;
  return OK;
}

static enum err decode_opaque(const struct anthropic_decoder *d, const struct anthropic_at *at, struct yyjson_val *node,
                              struct request_part *part) {
  (void)d;
  (void)at;
  part->kind = PART_OPAQUE;
  part->raw = node;
  return OK;
}

static const struct {
  struct str type;
  decode_block *decode;
  bool is_in_results; /* may stand within a tool result */
} block_types[] = {
    {STR("text"), decode_text, true},
    {STR("tool_use"), decode_tool_use, false},
    {STR("tool_result"), decode_tool_result, false},
    {STR("thinking"), decode_thinking, false},
    {STR("redacted_thinking"), decode_redacted, false},
    {STR("image"), decode_image, true},
    {STR("document"), decode_document, true},
    {STR("search_result"), decode_search_result, true},
    {STR("tool_reference"), decode_tool_reference, true},
    {STR("server_tool_use"), decode_server_tool, false},
    {STR("mcp_tool_use"), decode_server_tool, false},
    {STR("mcp_tool_listing"), decode_server_tool, false},
    {STR("tool_addition"), decode_server_tool, false}, /* elsewhere all tools of the request are offered anyway */
    {STR("tool_removal"), decode_server_tool, false},
    {STR("fallback"), decode_server_tool, false}, /* a remark that another model went on */
};

static decode_block *decoder_of(struct str type, bool is_result) {
  for (size_t i = 0; i < sizeof block_types / sizeof *block_types; i++)
    if (str_eq(block_types[i].type, type))
      return is_result && !block_types[i].is_in_results ? decode_opaque : block_types[i].decode;
  return !is_result && str_has_suffix(type, STR("_tool_result")) ? decode_server_tool : decode_opaque;
}

/* is_result: within a tool result, which never holds another (so this goes two levels deep at most). */
static enum err decode_blocks(const struct anthropic_decoder *d, const struct anthropic_at *at,
                              struct yyjson_val *array, bool is_result, struct request_part **parts, size_t *count) {
  if (!yyjson_is_arr(array)) return anthropic_fault(d, at, NULL, ERR_BAD_TYPE, "a string or an array is expected");
  struct request_part *v = ARENA_NEW_ARRAY(d->arena, struct request_part, yyjson_arr_size(array));
  size_t n = 0;
  if (!v) return ERR_NO_MEMORY;
  yyjson_arr_iter it = yyjson_arr_iter_with(array);
  for (yyjson_val *node; (node = yyjson_arr_iter_next(&it)); n++) {
    const struct anthropic_at one = {at, NULL, n};
    yyjson_val *type = yyjson_obj_get(node, "type");
    if (!yyjson_is_obj(node)) return anthropic_fault(d, &one, NULL, ERR_BAD_TYPE, "an object is expected");
    if (!yyjson_is_str(type))
      return anthropic_fault(d, &one, "type", type ? ERR_BAD_TYPE : ERR_MISSING, "the block's type is required");
    v[n].source = (uint32_t)n;
    enum err e = decoder_of(json_pool_text(type), is_result)(d, &one, node, &v[n]);
    if (e) return e;
  }
  *parts = v;
  *count = n;
  return OK;
}

enum err anthropic_decode_content(const struct anthropic_decoder *d, const struct anthropic_at *at,
                                  struct yyjson_val *content, struct request_item *item) {
  if (!yyjson_is_str(content)) {
    item->form = CONTENT_ARRAY;
    return decode_blocks(d, at, content, false, &item->parts, &item->part_count);
  }
  item->form = CONTENT_STRING;
  item->parts = ARENA_NEW(d->arena, struct request_part);
  if (!item->parts) return ERR_NO_MEMORY;
  item->parts[0] = (struct request_part){.kind = PART_TEXT, .source = UINT32_MAX, .text = json_pool_text(content)};
  item->part_count = 1;
  return OK;
}

/* ---- messages ---- */

static enum err decode_role(const struct anthropic_decoder *d, const struct anthropic_at *at, struct yyjson_val *role,
                            enum request_role *out) {
  static const struct {
    struct str word;
    enum request_role role;
  } roles[] = {{STR("user"), ROLE_USER},
               {STR("assistant"), ROLE_ASSISTANT},
               {STR("system"), ROLE_SYSTEM},
               {STR("developer"), ROLE_DEVELOPER}};
  if (!role) return anthropic_fault(d, at, "role", ERR_MISSING, "this member is required");
  if (!yyjson_is_str(role)) return anthropic_fault(d, at, "role", ERR_BAD_TYPE, "a string is expected");
  for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
    if (!str_eq(json_pool_text(role), roles[i].word)) continue;
    *out = roles[i].role;
    return OK;
  }
  return anthropic_fault(d, at, "role", ERR_BAD_VALUE, "\"user\", \"assistant\" or \"system\" is expected");
}

static enum err decode_message(const struct anthropic_decoder *d, const struct anthropic_at *at,
                               struct yyjson_val *node, struct request_item *item) {
  enum { ROLE, CONTENT, N };
  static const struct str names[N] = {STR("role"), STR("content")};
  const struct anthropic_at content = {at, "content", 0};
  struct yyjson_val *found[N];
  enum err e = anthropic_split(d, at, node, names, N, found, &item->rest);
  if (!e) e = decode_role(d, at, found[ROLE], &item->role);
  if (e) return e;
  if (found[CONTENT]) return anthropic_decode_content(d, &content, found[CONTENT], item);
  bool is_null = yyjson_obj_get(node, "content") != NULL;
  item->form = is_null ? CONTENT_NULL : CONTENT_ABSENT;
  if (is_null) return anthropic_fault(d, at, "content", ERR_BAD_TYPE, "a string or an array is expected");
  if (request_is_system(item)) return OK; /* it may bring other members alone */
  return anthropic_fault(d, at, "content", ERR_MISSING, "this member is required");
}

enum err anthropic_decode_items(const struct anthropic_decoder *d, struct yyjson_val *system,
                                struct yyjson_val *messages) {
  static const struct anthropic_at root = {0};
  const struct anthropic_at system_at = {&root, "system", 0}, list = {&root, "messages", 0};
  struct request *r = d->request;
  if (messages && !yyjson_is_arr(messages))
    return anthropic_fault(d, &list, NULL, ERR_BAD_TYPE, "an array of messages is expected");
  struct request_item *v = ARENA_NEW_ARRAY(d->arena, struct request_item, yyjson_arr_size(messages) + 1);
  size_t n = 0, index = 0;
  if (!v) return ERR_NO_MEMORY;
  if (system) {
    v[n].role = ROLE_SYSTEM;
    v[n].source = UINT32_MAX;
    enum err e = anthropic_decode_content(d, &system_at, system, &v[n]);
    if (e) return e;
    n++;
  }
  yyjson_arr_iter it = yyjson_arr_iter_with(messages);
  for (yyjson_val *node; (node = yyjson_arr_iter_next(&it)); n++, index++) {
    const struct anthropic_at one = {&list, NULL, index};
    v[n].source = (uint32_t)index;
    enum err e = decode_message(d, &one, node, &v[n]);
    if (e) return e;
  }
  r->items = v;
  r->item_count = n;
  return OK;
}

/* ---- tools ---- */

static enum err decode_hosted(const struct anthropic_decoder *d, const struct anthropic_at *at, struct yyjson_val *node,
                              struct request_tool *tool) {
  yyjson_val *cache = yyjson_obj_get(node, "cache_control");
  tool->kind = TOOL_HOSTED;
  tool->raw = node;
  tool->name = json_pool_str(node, "name");
  return anthropic_get_cache(d, at, yyjson_is_null(cache) ? NULL : cache, &tool->cache);
}

static enum err decode_tool(const struct anthropic_decoder *d, const struct anthropic_at *at, struct yyjson_val *node,
                            struct request_tool *tool) {
  enum { TYPE, NAME, DESCRIPTION, SCHEMA, STRICT, CACHE, N };
  static const struct str names[N] = {STR("type"),         STR("name"),   STR("description"),
                                      STR("input_schema"), STR("strict"), STR("cache_control")};
  struct yyjson_val *found[N], *type = yyjson_obj_get(node, "type");
  tool->strict = -1;
  if (yyjson_is_str(type) && !str_eq(json_pool_text(type), STR("custom"))) return decode_hosted(d, at, node, tool);
  enum err e = anthropic_split(d, at, node, names, N, found, &tool->rest);
  if (!e && found[TYPE] && !yyjson_is_str(type))
    e = anthropic_fault(d, at, "type", ERR_BAD_TYPE, "a string is expected");
  if (!e && !found[NAME]) e = anthropic_fault(d, at, "name", ERR_MISSING, "this member is required");
  if (!e) e = anthropic_get_string(d, at, "name", found[NAME], &tool->name);
  if (!e) e = anthropic_get_string(d, at, "description", found[DESCRIPTION], &tool->description);
  if (!e && found[SCHEMA] && !yyjson_is_obj(found[SCHEMA]))
    e = anthropic_fault(d, at, "input_schema", ERR_BAD_TYPE, "an object is expected");
  if (!e) e = anthropic_get_bool(d, at, "strict", found[STRICT], &tool->strict);
  if (!e) e = anthropic_get_cache(d, at, found[CACHE], &tool->cache);
  tool->kind = TOOL_FUNCTION;
  tool->has_type = found[TYPE] != NULL;
  tool->schema = found[SCHEMA];
  return e;
}

enum err anthropic_decode_tools(const struct anthropic_decoder *d, struct yyjson_val *tools) {
  static const struct anthropic_at root = {0};
  const struct anthropic_at list = {&root, "tools", 0};
  struct request *r = d->request;
  if (!tools) return OK;
  if (!yyjson_is_arr(tools)) return anthropic_fault(d, &list, NULL, ERR_BAD_TYPE, "an array of tools is expected");
  r->tools = ARENA_NEW_ARRAY(d->arena, struct request_tool, yyjson_arr_size(tools));
  if (!r->tools) return ERR_NO_MEMORY;
  yyjson_arr_iter it = yyjson_arr_iter_with(tools);
  for (yyjson_val *node; (node = yyjson_arr_iter_next(&it)); r->tool_count++) {
    const struct anthropic_at one = {&list, NULL, r->tool_count};
    r->tools[r->tool_count].source = (uint32_t)r->tool_count;
    enum err e = decode_tool(d, &one, node, &r->tools[r->tool_count]);
    if (e) return e;
  }
  return OK;
}
