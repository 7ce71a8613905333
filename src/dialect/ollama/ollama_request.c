/* Ollama chat requests into the canonical model. A message's members become parts: thinking, content (one text part),
 * images, tool calls; of a tool's message the content and images are the result's. What is written back in the same
 * dialect: calls from their raw node, a result's id from the item's id, which is empty where none was written.
 *
 * Ids of calls and results are those that were written, if any (newer versions have them): request_pair_calls makes up
 * for the others. */
#include <stdio.h>
#include <yyjson.h>

#include "dialect/ollama/ollama_internal.h"

struct decoder {
  struct arena *arena;
  struct err_info *info;
  struct request *request;
};

/* ---- calls and results ---- */

enum { CALL_ID, CALL_TYPE, CALL_FUNCTION, CALL_NAMES };
static const struct str call_names[CALL_NAMES] = {STR("id"), STR("type"), STR("function")};
enum { FUNCTION_INDEX, FUNCTION_NAME, FUNCTION_ARGUMENTS, FUNCTION_NAMES };
static const struct str function_names[FUNCTION_NAMES] = {STR("index"), STR("name"), STR("arguments")};

static enum err read_arguments(const struct read_member *at, yyjson_val *v, struct request_part *p) {
  if (v && !yyjson_is_obj(v) && !yyjson_is_str(v)) return read_member_bad_type(at, "arguments", "an object");
  p->text = !v ? STR("{}") : yyjson_is_str(v) ? json_pool_text(v) : read_member_json(at, v);
  if (v && !yyjson_is_str(v) && !p->text.p) return ERR_NO_MEMORY;
  p->is_args_valid = !v || yyjson_is_obj(v) || request_is_json_object(p->text);
  return OK;
}

static enum err read_call(struct decoder *d, const char *path, yyjson_val *node, struct request_part *p) {
  char inner[ERR_PARAM_MAX];
  err_path_member(inner, path, "function");
  const struct read_member at = {path, d->arena, d->info}, in = {inner, d->arena, d->info};
  yyjson_val *f[CALL_NAMES], *g[FUNCTION_NAMES];
  struct json_rest rest;
  enum err e = read_member_split(&at, node, call_names, CALL_NAMES, f, &p->rest);
  if (!e) e = read_member_string(&at, "id", f[CALL_ID], &p->call_id);
  if (!e && !f[CALL_FUNCTION]) e = read_member_missing(&at, "function");
  if (!e) e = read_member_split(&in, f[CALL_FUNCTION], function_names, FUNCTION_NAMES, g, &rest);
  if (!e) e = json_rest_join(d->arena, &p->rest, STR("function"), &rest);
  if (!e && !g[FUNCTION_NAME]) e = read_member_missing(&in, "name");
  if (!e) e = read_member_string(&in, "name", g[FUNCTION_NAME], &p->name);
  if (!e) e = read_arguments(&in, g[FUNCTION_ARGUMENTS], p);
  if (e) return e;
  p->raw = node;
  return OK;
}

static enum err read_calls(struct decoder *d, const char *path, yyjson_val *calls, struct request_part *parts) {
  size_t i, max;
  yyjson_val *node;
  enum err e = OK;
  if (!calls) return OK;
  yyjson_arr_foreach(calls, i, max, node) {
    char at[ERR_PARAM_MAX];
    err_path_index(at, path, "tool_calls", i);
    parts[i] = (struct request_part){.kind = PART_TOOL_CALL, .source = (uint32_t)i};
    if ((e = read_call(d, at, node, &parts[i]))) break;
  }
  return e;
}

/* ---- messages ---- */

enum { ROLE, CONTENT, THINKING, IMAGES, TOOL_CALLS, TOOL_NAME, TOOL_CALL_ID, MESSAGE_NAMES };
static const struct str message_names[MESSAGE_NAMES] = {
    STR("role"),       STR("content"),   STR("thinking"),     STR("images"),
    STR("tool_calls"), STR("tool_name"), STR("tool_call_id"),
};

static enum err read_role(const struct read_member *at, yyjson_val *v, enum request_role *out) {
  static const struct {
    struct str word;
    enum request_role role;
  } roles[] = {{STR("user"), ROLE_USER},
               {STR("assistant"), ROLE_ASSISTANT},
               {STR("system"), ROLE_SYSTEM},
               {STR("tool"), ROLE_TOOL},
               {STR("developer"), ROLE_DEVELOPER}};
  struct str word = STR_NONE;
  if (!v) return read_member_missing(at, "role");
  enum err e = read_member_string(at, "role", v, &word);
  if (e) return e;
  for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
    if (str_eq(word, roles[i].word)) {
      *out = roles[i].role;
      return OK;
    }
  return read_member_bad_value(at, "role", "must be \"system\", \"user\", \"assistant\" or \"tool\"");
}

/* Content and images into parts; returns how many there are through *n. */
static enum err read_content(const struct read_member *at, yyjson_val *const f[MESSAGE_NAMES],
                             struct request_part *parts, size_t *n) {
  size_t count = 0;
  if (f[CONTENT]) parts[count++] = (struct request_part){.kind = PART_TEXT, .source = UINT32_MAX};
  enum err e = f[CONTENT] ? read_member_string(at, "content", f[CONTENT], &parts[0].text) : OK;
  if (!e) e = read_member_array(at, "images", f[IMAGES]);
  if (!e) e = ollama_read_images(at, f[IMAGES], parts + count);
  *n = count + yyjson_arr_size(f[IMAGES]);
  return e;
}

static enum err read_result(struct decoder *d, const struct read_member *at, yyjson_val *const f[MESSAGE_NAMES],
                            struct request_item *item, struct request_part *p) {
  *p = (struct request_part){.kind = PART_TOOL_RESULT, .source = UINT32_MAX, .is_result_plain = true};
  p->results = ARENA_NEW_ARRAY(d->arena, struct request_part, 1 + yyjson_arr_size(f[IMAGES]));
  if (!p->results) return ERR_NO_MEMORY;
  enum err e = read_content(at, f, p->results, &p->result_count);
  if (!e) e = read_member_string(at, "tool_name", f[TOOL_NAME], &p->name);
  if (!e) e = read_member_string(at, "tool_call_id", f[TOOL_CALL_ID], &item->id);
  p->call_id = item->id;
  return e;
}

/* Names and ids of results belong to tools' messages only; elsewhere they are members like any other. */
static enum err keep_foreign(const struct read_member *at, yyjson_val *const f[MESSAGE_NAMES], struct json_rest *rest) {
  enum err e = OK;
  for (int i = TOOL_NAME; !e && i <= TOOL_CALL_ID; i++)
    if (f[i]) e = json_rest_add(at->arena, rest, message_names[i], f[i]);
  return e;
}

static enum err read_message(struct decoder *d, uint32_t index, yyjson_val *node, struct request_item *item) {
  char path[ERR_PARAM_MAX];
  err_path_index(path, NULL, "messages", index);
  const struct read_member at = {path, d->arena, d->info};
  yyjson_val *f[MESSAGE_NAMES];
  *item = (struct request_item){.source = index};
  enum err e = read_member_split(&at, node, message_names, MESSAGE_NAMES, f, &item->rest);
  if (!e) e = read_role(&at, f[ROLE], &item->role);
  if (!e) e = read_member_array(&at, "images", f[IMAGES]);
  if (!e) e = read_member_array(&at, "tool_calls", f[TOOL_CALLS]);
  if (e) return e;
  size_t room = 3 + yyjson_arr_size(f[IMAGES]) + yyjson_arr_size(f[TOOL_CALLS]), n = 0;
  item->parts = ARENA_NEW_ARRAY(d->arena, struct request_part, room);
  if (!item->parts) return ERR_NO_MEMORY;
  item->form = f[CONTENT] ? CONTENT_STRING : CONTENT_ABSENT;
  if (f[THINKING]) {
    struct request_part *p = &item->parts[item->part_count++];
    *p = (struct request_part){.kind = PART_REASONING, .source = UINT32_MAX, .signature.origin = STR("ollama")};
    if ((e = read_member_string(&at, "thinking", f[THINKING], &p->text))) return e;
  }
  if (item->role == ROLE_TOOL) {
    e = read_result(d, &at, f, item, &item->parts[item->part_count]);
    n = 1;
  } else {
    e = read_content(&at, f, item->parts + item->part_count, &n);
    if (!e) e = keep_foreign(&at, f, &item->rest);
  }
  item->part_count += n;
  if (!e) e = read_calls(d, path, f[TOOL_CALLS], item->parts + item->part_count);
  item->part_count += yyjson_arr_size(f[TOOL_CALLS]);
  return e;
}

static enum err read_messages(struct decoder *d, const struct read_member *top, yyjson_val *messages) {
  struct request *r = d->request;
  enum err e = read_member_array(top, "messages", messages);
  if (e || !messages) return e;
  size_t i, max;
  yyjson_val *node;
  r->items = ARENA_NEW_ARRAY(d->arena, struct request_item, yyjson_arr_size(messages));
  if (!r->items) return ERR_NO_MEMORY;
  yyjson_arr_foreach(messages, i, max, node) {
    if ((e = read_message(d, (uint32_t)i, node, &r->items[i]))) return e;
    r->item_count = i + 1;
  }
  return OK;
}

/* ---- tools ---- */

enum { TOOL_TYPE, TOOL_NODE, TOOL_NAMES };
static const struct str tool_names[TOOL_NAMES] = {STR("type"), STR("function")};
enum { SPEC_NAME, SPEC_DESCRIPTION, SPEC_PARAMETERS, SPEC_STRICT, SPEC_NAMES };
static const struct str spec_names[SPEC_NAMES] = {STR("name"), STR("description"), STR("parameters"), STR("strict")};

static enum err read_tool(struct decoder *d, uint32_t index, yyjson_val *node, struct request_tool *t) {
  char path[ERR_PARAM_MAX], inner[ERR_PARAM_MAX];
  err_path_index(path, NULL, "tools", index);
  err_path_member(inner, path, "function");
  const struct read_member at = {path, d->arena, d->info}, in = {inner, d->arena, d->info};
  yyjson_val *f[TOOL_NAMES], *g[SPEC_NAMES];
  struct json_rest rest;
  struct str type = STR("function");
  *t = (struct request_tool){.source = index, .strict = -1, .raw = node};
  enum err e = read_member_split(&at, node, tool_names, TOOL_NAMES, f, &t->rest);
  if (!e) e = read_member_string(&at, "type", f[TOOL_TYPE], &type);
  if (e) return e;
  if (!str_eq(type, STR("function"))) {
    t->kind = TOOL_HOSTED;
    t->rest = (struct json_rest){0};
    return OK;
  }
  if (!f[TOOL_NODE]) return read_member_missing(&at, "function");
  e = read_member_split(&in, f[TOOL_NODE], spec_names, SPEC_NAMES, g, &rest);
  if (!e) e = json_rest_join(d->arena, &t->rest, STR("function"), &rest);
  if (!e && !g[SPEC_NAME]) e = read_member_missing(&in, "name");
  if (!e) e = read_member_string(&in, "name", g[SPEC_NAME], &t->name);
  if (!e) e = read_member_string(&in, "description", g[SPEC_DESCRIPTION], &t->description);
  if (!e) e = read_member_object(&in, "parameters", g[SPEC_PARAMETERS]);
  if (!e) e = read_member_bool(&in, "strict", g[SPEC_STRICT], &t->strict);
  t->schema = g[SPEC_PARAMETERS];
  return e;
}

static enum err read_tools(struct decoder *d, const struct read_member *top, yyjson_val *tools) {
  struct request *r = d->request;
  enum err e = read_member_array(top, "tools", tools);
  if (e || !tools) return e;
  size_t i, max;
  yyjson_val *node;
  r->tools = ARENA_NEW_ARRAY(d->arena, struct request_tool, yyjson_arr_size(tools));
  if (!r->tools) return ERR_NO_MEMORY;
  yyjson_arr_foreach(tools, i, max, node) {
    if ((e = read_tool(d, (uint32_t)i, node, &r->tools[i]))) return e;
    r->tool_count = i + 1;
  }
  return OK;
}

/* ---- the whole ---- */

enum { MODEL, STREAM, MAESTRO, MESSAGES, TOOLS, FORMAT, OPTIONS, THINK, LOGPROBS, TOP_LOGPROBS, NAMES };
static const struct str names[NAMES] = {
    STR("model"),  STR("stream"),  STR("maestro"), STR("messages"), STR("tools"),
    STR("format"), STR("options"), STR("think"),   STR("logprobs"), STR("top_logprobs"),
};

enum err ollama_decode_request(struct arena *a, yyjson_val *root, const struct dialect_request *envelope,
                               struct request *out, struct err_info *info) {
  const struct read_member top = {"", a, info};
  yyjson_val *f[NAMES];
  struct request r;
  request_init(&r, STR("ollama"), LLM_GENERATE);
  r.model = envelope->model;
  r.is_stream = envelope->is_stream;
  r.wants_usage = true;
  struct decoder d = {.arena = a, .info = info, .request = &r};
  enum err e = read_member_split(&top, root, names, NAMES, f, &r.rest);
  if (!e) e = read_messages(&d, &top, f[MESSAGES]);
  if (!e) e = read_tools(&d, &top, f[TOOLS]);
  const struct ollama_members shared = {f[FORMAT], f[OPTIONS], f[THINK], f[LOGPROBS], f[TOP_LOGPROBS]};
  if (!e) e = ollama_read_members(&top, &shared, &r);
  if (!e) *out = r;
  return e;
}
