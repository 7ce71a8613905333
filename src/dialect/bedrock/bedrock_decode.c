/* Converse requests into the canonical model. A content block is an object with one member, which says what it is; one
 * that is not known, or holds what the model has no place for (guardContent, media in S3), stays whole as an opaque
 * part. A cachePoint marks the part in front of it. Members of inferenceConfig and toolConfig that have no place here
 * are in the request's rest under their path. */
#include <stdio.h>
#include <yyjson.h>

#include "dialect/bedrock/bedrock_internal.h"
#include "dialect/read_member.h"
#include "llm/signature.h"

/* ---- content blocks ---- */

struct block {
  const struct read_member *at; /* path of the block */
  yyjson_val *node, *inner;     /* the block, and what its one member holds */
};

static enum err keep_opaque(const struct block *b, struct request_part *p) {
  *p = (struct request_part){.kind = PART_OPAQUE, .source = p->source, .raw = b->node};
  return OK;
}

static struct read_member within(const struct block *b, const char *word, char path[ERR_PARAM_MAX]) {
  read_member_path(b->at, word, path);
  return (struct read_member){path, b->at->arena, b->at->info};
}

enum { FORMAT, NAME, SOURCE, MEDIA_NAMES };
static const struct str media_names[MEDIA_NAMES] = {STR("format"), STR("name"), STR("source")};

static enum err read_media(const struct block *b, enum part_kind kind, struct request_part *p) {
  char path[ERR_PARAM_MAX];
  const struct read_member at = within(b, bedrock_media_word(kind), path);
  yyjson_val *f[MEDIA_NAMES];
  struct str format = STR_NONE;
  struct media *m = ARENA_NEW(at.arena, struct media);
  if (!m) return ERR_NO_MEMORY;
  enum err e = read_member_split(&at, b->inner, media_names, MEDIA_NAMES, f, &p->rest);
  if (!e) e = read_member_string(&at, "format", f[FORMAT], &format);
  if (!e) e = read_member_string(&at, "name", f[NAME], &m->name);
  if (!e && !f[SOURCE]) e = read_member_missing(&at, "source");
  if (!e) e = read_member_object(&at, "source", f[SOURCE]);
  if (e) return e;
  yyjson_val *bytes = yyjson_obj_get(f[SOURCE], "bytes"), *text = yyjson_obj_get(f[SOURCE], "text");
  m->mime = bedrock_mime_of(kind, format);
  if (yyjson_obj_size(f[SOURCE]) != 1 || !m->mime.n || !(bytes || (text && kind == PART_DOCUMENT)))
    return keep_opaque(b, p);
  p->kind = kind;
  p->media = m;
  return bytes ? read_member_string(&at, "source.bytes", bytes, &m->data)
               : read_member_string(&at, "source.text", text, &m->text);
}

enum { USE_ID, USE_NAME, USE_INPUT, USE_NAMES };
static const struct str use_names[USE_NAMES] = {STR("toolUseId"), STR("name"), STR("input")};

static enum err read_tool_use(const struct block *b, struct request_part *p) {
  char path[ERR_PARAM_MAX];
  const struct read_member at = within(b, "toolUse", path);
  yyjson_val *f[USE_NAMES];
  if (yyjson_obj_get(b->inner, "type")) { /* a tool that the provider runs itself */
    *p = (struct request_part){.kind = PART_SERVER_TOOL, .source = p->source, .raw = b->node};
    return OK;
  }
  p->kind = PART_TOOL_CALL;
  enum err e = read_member_split(&at, b->inner, use_names, USE_NAMES, f, &p->rest);
  if (!e && !f[USE_ID]) e = read_member_missing(&at, "toolUseId");
  if (!e) e = read_member_string(&at, "toolUseId", f[USE_ID], &p->call_id);
  if (!e && !f[USE_NAME]) e = read_member_missing(&at, "name");
  if (!e) e = read_member_string(&at, "name", f[USE_NAME], &p->name);
  if (!e) e = read_member_object(&at, "input", f[USE_INPUT]);
  if (e) return e;
  p->is_args_valid = true;
  p->text = f[USE_INPUT] ? read_member_json(&at, f[USE_INPUT]) : STR("{}");
  return p->text.p ? OK : ERR_NO_MEMORY;
}

static enum err read_reasoning(const struct block *b, struct request_part *p) {
  char path[ERR_PARAM_MAX];
  const struct read_member at = within(b, "reasoningContent.reasoningText", path);
  static const struct str names[2] = {STR("text"), STR("signature")};
  yyjson_val *text = yyjson_obj_get(b->inner, "reasoningText"), *redacted = yyjson_obj_get(b->inner, "redactedContent");
  yyjson_val *f[2];
  struct str slot = STR_NONE;
  if (yyjson_obj_size(b->inner) != 1 || !(text || redacted)) return keep_opaque(b, p);
  p->kind = text ? PART_REASONING : PART_REDACTED;
  enum err e = text ? read_member_split(&at, text, names, 2, f, &p->rest)
                    : read_member_string(b->at, "reasoningContent.redactedContent", redacted, &slot);
  if (!e && text) e = read_member_string(&at, "text", f[0], &p->text);
  if (!e && text) e = read_member_string(&at, "signature", f[1], &slot);
  if (!e && slot.n) p->signature = signature_read(b->at->arena, slot, BEDROCK_NAME);
  return e;
}

static enum err read_simple(const struct block *b, const char *word, struct request_part *p, bool *is_known);

enum { RESULT_ID, RESULT_CONTENT, RESULT_STATUS, RESULT_NAMES };
static const struct str result_names[RESULT_NAMES] = {STR("toolUseId"), STR("content"), STR("status")};

static enum err read_result_block(const struct read_member *at, yyjson_val *node, struct request_part *p) {
  if (!yyjson_is_obj(node)) return read_member_bad_type(at, "", "an object");
  yyjson_obj_iter it = yyjson_obj_iter_with(node);
  yyjson_val *key = yyjson_obj_iter_next(&it);
  const struct block b = {at, node, key ? yyjson_obj_iter_get_val(key) : NULL};
  const char *word = key ? yyjson_get_str(key) : "";
  bool is_known = false;
  enum err e = yyjson_obj_size(node) == 1 ? read_simple(&b, word, p, &is_known) : OK;
  if (e || is_known) return e;
  if (strcmp(word, "json") != 0 || yyjson_obj_size(node) != 1) return keep_opaque(&b, p);
  p->kind = PART_TEXT; /* elsewhere its JSON is its text */
  p->raw = node;
  p->text = read_member_json(at, b.inner);
  return p->text.p ? OK : ERR_NO_MEMORY;
}

static enum err read_tool_result(const struct block *b, struct request_part *p) {
  char path[ERR_PARAM_MAX];
  const struct read_member at = within(b, "toolResult", path);
  yyjson_val *f[RESULT_NAMES], *node;
  size_t i, max;
  struct str status = STR_NONE;
  p->kind = PART_TOOL_RESULT;
  enum err e = read_member_split(&at, b->inner, result_names, RESULT_NAMES, f, &p->rest);
  if (!e && !f[RESULT_ID]) e = read_member_missing(&at, "toolUseId");
  if (!e) e = read_member_string(&at, "toolUseId", f[RESULT_ID], &p->call_id);
  if (!e) e = read_member_string(&at, "status", f[RESULT_STATUS], &status);
  if (!e) e = read_member_array(&at, "content", f[RESULT_CONTENT]);
  if (e) return e;
  p->has_is_error = status.n > 0;
  p->is_error = str_eq(status, STR("error"));
  p->results = ARENA_NEW_ARRAY(at.arena, struct request_part, yyjson_arr_size(f[RESULT_CONTENT]));
  if (!p->results) return ERR_NO_MEMORY;
  yyjson_arr_foreach(f[RESULT_CONTENT], i, max, node) {
    char inner[ERR_PARAM_MAX];
    snprintf(inner, sizeof inner, "%.80s.content[%zu]", path, i);
    const struct read_member one = {inner, at.arena, at.info};
    p->results[i] = (struct request_part){.source = (uint32_t)i};
    if ((e = read_result_block(&one, node, &p->results[i]))) return e;
    p->result_count = i + 1;
  }
  return OK;
}

/* What results may hold as well. */
static enum err read_simple(const struct block *b, const char *word, struct request_part *p, bool *is_known) {
  static const enum part_kind kinds[] = {PART_IMAGE, PART_DOCUMENT, PART_VIDEO, PART_AUDIO};
  *is_known = true;
  if (strcmp(word, "text") == 0) {
    p->kind = PART_TEXT;
    return read_member_string(b->at, "text", b->inner, &p->text);
  }
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (strcmp(word, bedrock_media_word(kinds[i])) == 0) return read_media(b, kinds[i], p);
  *is_known = false;
  return OK;
}

static bool is_cache_point(yyjson_val *node) {
  return yyjson_obj_size(node) == 1 && yyjson_is_obj(yyjson_obj_get(node, "cachePoint"));
}

static void mark(struct cache_marker *m, yyjson_val *node) {
  m->raw = yyjson_obj_get(node, "cachePoint");
  m->ttl = json_pool_str(m->raw, "ttl");
}

static enum err read_block(const struct read_member *at, yyjson_val *node, struct request_part *p) {
  if (!yyjson_is_obj(node)) return read_member_bad_type(at, "", "an object");
  yyjson_obj_iter it = yyjson_obj_iter_with(node);
  yyjson_val *key = yyjson_obj_iter_next(&it);
  const struct block b = {at, node, key ? yyjson_obj_iter_get_val(key) : NULL};
  const char *word = key ? yyjson_get_str(key) : "";
  bool is_known = false;
  if (yyjson_obj_size(node) != 1) return keep_opaque(&b, p);
  if (strcmp(word, "toolUse") == 0) return read_tool_use(&b, p);
  if (strcmp(word, "toolResult") == 0) return read_tool_result(&b, p);
  if (strcmp(word, "reasoningContent") == 0) return read_reasoning(&b, p);
  enum err e = read_simple(&b, word, p, &is_known);
  return e || is_known ? e : keep_opaque(&b, p);
}

/* An array of blocks as an item's parts. path: of the array. */
static enum err read_blocks(const struct read_member *at, yyjson_val *blocks, struct request_item *item) {
  size_t i, max;
  yyjson_val *node;
  item->form = CONTENT_ARRAY;
  item->parts = ARENA_NEW_ARRAY(at->arena, struct request_part, yyjson_arr_size(blocks));
  if (!item->parts) return ERR_NO_MEMORY;
  yyjson_arr_foreach(blocks, i, max, node) {
    char path[ERR_PARAM_MAX];
    snprintf(path, sizeof path, "%.60s[%zu]", at->path, i);
    const struct read_member one = {path, at->arena, at->info};
    struct request_part *p = &item->parts[item->part_count], *before = item->part_count ? p - 1 : NULL;
    if (is_cache_point(node) && before && !before->cache.raw && before->kind != PART_OPAQUE) {
      mark(&before->cache, node);
      continue;
    }
    *p = (struct request_part){.source = (uint32_t)i};
    enum err e = read_block(&one, node, p);
    if (e) return e;
    item->part_count++;
  }
  return OK;
}

/* ---- messages, tools, the rest ---- */

static enum err read_message(const struct read_member *top, uint32_t index, yyjson_val *node,
                             struct request_item *item) {
  static const struct str names[2] = {STR("role"), STR("content")};
  char path[ERR_PARAM_MAX], inner[ERR_PARAM_MAX];
  snprintf(path, sizeof path, "messages[%u]", index);
  snprintf(inner, sizeof inner, "messages[%u].content", index);
  const struct read_member at = {path, top->arena, top->info}, content = {inner, top->arena, top->info};
  yyjson_val *f[2];
  struct str role = STR_NONE;
  *item = (struct request_item){.source = index};
  enum err e = read_member_split(&at, node, names, 2, f, &item->rest);
  if (!e && !f[0]) e = read_member_missing(&at, "role");
  if (!e) e = read_member_string(&at, "role", f[0], &role);
  if (!e && !f[1]) e = read_member_missing(&at, "content");
  if (!e) e = read_member_array(&at, "content", f[1]);
  if (e) return e;
  bool is_user = str_eq(role, STR("user"));
  if (!is_user && !str_eq(role, STR("assistant")))
    return read_member_bad_value(&at, "role", "must be \"user\" or \"assistant\"");
  item->role = is_user ? ROLE_USER : ROLE_ASSISTANT;
  return read_blocks(&content, f[1], item);
}

static enum err read_messages(const struct read_member *top, yyjson_val *system, yyjson_val *messages,
                              struct request *r) {
  size_t i, max;
  yyjson_val *node;
  enum err e = read_member_array(top, "system", system);
  if (!e) e = read_member_array(top, "messages", messages);
  if (e) return e;
  r->items = ARENA_NEW_ARRAY(top->arena, struct request_item, 1 + yyjson_arr_size(messages));
  if (!r->items) return ERR_NO_MEMORY;
  if (system) {
    const struct read_member at = {"system", top->arena, top->info};
    struct request_item *item = &r->items[r->item_count++];
    *item = (struct request_item){.role = ROLE_SYSTEM, .source = UINT32_MAX};
    if ((e = read_blocks(&at, system, item))) return e;
  }
  yyjson_arr_foreach(messages, i, max,
                     node) if ((e = read_message(top, (uint32_t)i, node, &r->items[r->item_count++]))) return e;
  return OK;
}

enum { SPEC_NAME, SPEC_DESCRIPTION, SPEC_SCHEMA, SPEC_STRICT, SPEC_NAMES };
static const struct str spec_names[SPEC_NAMES] = {STR("name"), STR("description"), STR("inputSchema"), STR("strict")};

static enum err read_tool(const struct read_member *top, uint32_t index, yyjson_val *node, struct request_tool *t) {
  char path[ERR_PARAM_MAX];
  snprintf(path, sizeof path, "toolConfig.tools[%u].toolSpec", index);
  const struct read_member at = {path, top->arena, top->info};
  yyjson_val *spec = yyjson_obj_get(node, "toolSpec"), *f[SPEC_NAMES];
  *t = (struct request_tool){.source = index, .strict = -1};
  if (!spec || yyjson_obj_size(node) != 1) {
    t->kind = TOOL_HOSTED;
    t->raw = node;
    return OK;
  }
  enum err e = read_member_split(&at, spec, spec_names, SPEC_NAMES, f, &t->rest);
  if (!e && !f[SPEC_NAME]) e = read_member_missing(&at, "name");
  if (!e) e = read_member_string(&at, "name", f[SPEC_NAME], &t->name);
  if (!e) e = read_member_string(&at, "description", f[SPEC_DESCRIPTION], &t->description);
  if (!e) e = read_member_object(&at, "inputSchema", f[SPEC_SCHEMA]);
  if (!e) e = read_member_object(&at, "inputSchema.json", yyjson_obj_get(f[SPEC_SCHEMA], "json"));
  if (!e) e = read_member_bool(&at, "strict", f[SPEC_STRICT], &t->strict);
  if (!e) t->schema = yyjson_obj_get(f[SPEC_SCHEMA], "json");
  return e;
}

static void read_choice(yyjson_val *v, struct request *r) {
  yyjson_val *tool = yyjson_obj_get(v, "tool");
  r->tool_choice_name = json_pool_str(tool, "name");
  if (yyjson_is_obj(yyjson_obj_get(v, "auto")))
    r->tool_choice = TOOL_CHOICE_AUTO;
  else if (yyjson_is_obj(yyjson_obj_get(v, "any")))
    r->tool_choice = TOOL_CHOICE_REQUIRED;
  else if (r->tool_choice_name.n)
    r->tool_choice = TOOL_CHOICE_NAMED;
  else
    r->tool_choice_raw = v;
}

static enum err read_tools(const struct read_member *top, yyjson_val *config, struct request *r) {
  static const struct str names[2] = {STR("tools"), STR("toolChoice")};
  const struct read_member at = {"toolConfig", top->arena, top->info};
  yyjson_val *f[2], *node;
  struct json_rest rest;
  size_t i, max;
  if (!config) return OK;
  enum err e = read_member_split(&at, config, names, 2, f, &rest);
  if (!e) e = read_member_array(&at, "tools", f[0]);
  if (!e) e = read_member_object(&at, "toolChoice", f[1]);
  if (!e) e = json_rest_join(top->arena, &r->rest, STR(BEDROCK_TOOLS), &rest);
  if (e) return e;
  r->tools = ARENA_NEW_ARRAY(at.arena, struct request_tool, yyjson_arr_size(f[0]));
  if (!r->tools) return ERR_NO_MEMORY;
  if (f[1]) read_choice(f[1], r);
  yyjson_arr_foreach(f[0], i, max, node) {
    struct request_tool *t = &r->tools[r->tool_count], *before = r->tool_count ? t - 1 : NULL;
    if (is_cache_point(node) && before && !before->cache.raw) {
      mark(&before->cache, node);
      continue;
    }
    if ((e = read_tool(top, (uint32_t)i, node, t))) return e;
    r->tool_count++;
  }
  return OK;
}

enum { MAX_TOKENS, TEMPERATURE, TOP_P, STOP_SEQUENCES, INFERENCE_NAMES };
static const struct str inference_names[INFERENCE_NAMES] = {STR("maxTokens"), STR("temperature"), STR("topP"),
                                                            STR("stopSequences")};

static enum err read_inference(const struct read_member *top, yyjson_val *config, struct request *r) {
  const struct read_member at = {"inferenceConfig", top->arena, top->info};
  yyjson_val *f[INFERENCE_NAMES];
  struct json_rest rest;
  if (!config) return OK;
  enum err e = read_member_split(&at, config, inference_names, INFERENCE_NAMES, f, &rest);
  if (!e) e = json_rest_join(top->arena, &r->rest, STR(BEDROCK_INFERENCE), &rest);
  if (!e) e = read_member_number(&at, "maxTokens", f[MAX_TOKENS], &r->max_tokens);
  if (!e) e = read_member_number(&at, "temperature", f[TEMPERATURE], &r->temperature);
  if (!e) e = read_member_number(&at, "topP", f[TOP_P], &r->top_p);
  return e ? e : read_member_strings(&at, "stopSequences", f[STOP_SEQUENCES], &r->stop, &r->stop_count);
}

enum { MESSAGES, SYSTEM, INFERENCE, TOOLS, NAMES };
static const struct str names[NAMES] = {STR("messages"), STR("system"), STR("inferenceConfig"), STR("toolConfig")};

enum err bedrock_decode_request(struct arena *a, yyjson_val *root, const struct dialect_request *envelope,
                                struct request *out, struct err_info *info) {
  const struct read_member top = {"", a, info};
  yyjson_val *f[NAMES];
  struct request r;
  request_init(&r, BEDROCK_NAME, LLM_GENERATE);
  r.model = envelope->model;
  r.is_stream = envelope->is_stream;
  r.wants_usage = true;
  enum err e = read_member_split(&top, root, names, NAMES, f, &r.rest);
  if (!e) e = read_messages(&top, f[SYSTEM], f[MESSAGES], &r);
  if (!e) e = read_tools(&top, f[TOOLS], &r);
  if (!e) e = read_inference(&top, f[INFERENCE], &r);
  if (!e) *out = r;
  return e;
}
