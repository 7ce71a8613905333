/* Tools and tool_choice of a Responses request, both ways. Called by request_decode.c and request_encode.c. A namespace
 * is flattened: its tools carry its name, and its node (request_tool.group) gives back what else it said. */
#include <yyjson.h>

#include "base/json_out.h"
#include "dialect/openai_responses/internal.h"

/* ---- decode ---- */

static enum err read_function(struct openai_reader *rd, struct yyjson_val *node, const char *path,
                              struct request_tool *out) {
  enum { TYPE, NAME, DESCRIPTION, PARAMETERS, STRICT, NAMES };
  static const struct str names[NAMES] = {STR("type"), STR("name"), STR("description"), STR("parameters"),
                                          STR("strict")};
  struct yyjson_val *v[NAMES];
  enum err e = openai_member_split(rd, path, node, names, NAMES, v, &out->rest);
  if (!e) e = openai_member_required(rd, path, "name", v[NAME], &out->name);
  if (!e) e = openai_member_string(rd, path, "description", v[DESCRIPTION], &out->description);
  if (!e) e = openai_member_bool(rd, path, "strict", v[STRICT], &out->strict);
  if (e) return e;
  if (v[PARAMETERS] && !yyjson_is_obj(v[PARAMETERS]))
    return openai_member_wrong_type(rd, path, "parameters", "an object");
  out->kind = TOOL_FUNCTION;
  out->schema = v[PARAMETERS];
  return OK;
}

static enum err read_custom(struct openai_reader *rd, struct yyjson_val *node, const char *path,
                            struct request_tool *out) {
  enum { TYPE, NAME, DESCRIPTION, FORMAT, NAMES };
  static const struct str names[NAMES] = {STR("type"), STR("name"), STR("description"), STR("format")};
  struct yyjson_val *v[NAMES];
  enum err e = openai_member_split(rd, path, node, names, NAMES, v, &out->rest);
  if (!e) e = openai_member_required(rd, path, "name", v[NAME], &out->name);
  if (!e) e = openai_member_string(rd, path, "description", v[DESCRIPTION], &out->description);
  if (e) return e;
  if (v[FORMAT] && !yyjson_is_obj(v[FORMAT])) return openai_member_wrong_type(rd, path, "format", "an object");
  out->kind = TOOL_CUSTOM;
  out->format = v[FORMAT];
  return OK;
}

static enum err read_tool(struct openai_reader *rd, struct yyjson_val *node, const char *path,
                          struct request_tool *out) {
  if (!yyjson_is_obj(node)) return openai_member_wrong_type(rd, path, NULL, "an object");
  struct yyjson_val *v = yyjson_obj_get(node, "type");
  struct str type = STR_NONE;
  enum err e = openai_member_required(rd, path, "type", yyjson_is_null(v) ? NULL : v, &type);
  if (e) return e;
  out->strict = -1;
  if (str_eq(type, STR("function"))) return read_function(rd, node, path, out);
  if (str_eq(type, STR("custom"))) return read_custom(rd, node, path, out);
  out->kind = TOOL_HOSTED;
  out->name = type;
  out->raw = node;
  return OK;
}

/* The tools within a namespace; NULL for any other tool, and for a namespace that holds none. */
static struct yyjson_val *group_of(struct yyjson_val *node) {
  if (!yyjson_is_obj(node) || !str_eq(json_pool_text(yyjson_obj_get(node, "type")), STR("namespace"))) return NULL;
  struct yyjson_val *tools = yyjson_obj_get(node, "tools");
  return yyjson_is_arr(tools) && yyjson_arr_size(tools) ? tools : NULL;
}

static enum err read_group(struct openai_reader *rd, struct yyjson_val *node, struct yyjson_val *tools,
                           const char *path, uint32_t source, struct request *r) {
  struct str name = STR_NONE;
  struct yyjson_val *v = yyjson_obj_get(node, "name"), *tool;
  enum err e = openai_member_required(rd, path, "name", yyjson_is_null(v) ? NULL : v, &name);
  if (!e && !name.n) e = openai_member_wrong_value(rd, path, "name", "must not be empty");
  size_t i, max;
  yyjson_arr_foreach(tools, i, max, tool) {
    char inner[ERR_PARAM_MAX];
    err_path_index(inner, path, "tools", i);
    struct request_tool *t = &r->tools[r->tool_count];
    t->source = source;
    if (!e) e = read_tool(rd, tool, inner, t);
    if (e) return e;
    r->tool_count++;
    t->namespace = name;
    t->group = node;
  }
  return e;
}

enum err openai_responses_decode_tools(struct openai_reader *rd, struct yyjson_val *tools, struct request *out) {
  if (!tools) return OK;
  if (!yyjson_is_arr(tools)) return openai_member_wrong_type(rd, NULL, "tools", "an array");
  size_t n = 0, i, max;
  yyjson_val *node;
  yyjson_arr_foreach(tools, i, max, node) {
    struct yyjson_val *group = group_of(node);
    n += group ? yyjson_arr_size(group) : 1;
  }
  out->tools = ARENA_NEW_ARRAY(rd->arena, struct request_tool, n ? n : 1);
  if (!out->tools) return ERR_NO_MEMORY;
  enum err e = OK;
  yyjson_arr_foreach(tools, i, max, node) {
    char path[ERR_PARAM_MAX];
    err_path_index(path, NULL, "tools", i);
    struct yyjson_val *group = group_of(node);
    if (group) {
      e = read_group(rd, node, group, path, (uint32_t)i, out);
    } else {
      out->tools[out->tool_count].source = (uint32_t)i;
      e = read_tool(rd, node, path, &out->tools[out->tool_count]);
      if (!e) out->tool_count++;
    }
    if (e) return e;
  }
  return OK;
}

enum err openai_responses_decode_tool_choice(struct openai_reader *rd, struct yyjson_val *choice, struct request *out) {
  if (!choice) return OK;
  if (yyjson_is_str(choice)) {
    struct str word = json_pool_text(choice);
    if (str_eq(word, STR("auto")))
      out->tool_choice = TOOL_CHOICE_AUTO;
    else if (str_eq(word, STR("none")))
      out->tool_choice = TOOL_CHOICE_NONE;
    else if (str_eq(word, STR("required")))
      out->tool_choice = TOOL_CHOICE_REQUIRED;
    else
      return openai_member_wrong_value(rd, NULL, "tool_choice", "must be auto, none, required or an object");
    return OK;
  }
  if (!yyjson_is_obj(choice)) return openai_member_wrong_type(rd, NULL, "tool_choice", "a string or an object");
  struct str type = STR_NONE, name = STR_NONE;
  enum err e = openai_member_required(rd, "tool_choice", "type", yyjson_obj_get(choice, "type"), &type);
  if (e) return e;
  bool is_named = str_eq(type, STR("function")) || str_eq(type, STR("custom"));
  if (!is_named) {
    out->tool_choice_raw = choice;
    return OK;
  }
  e = openai_member_required(rd, "tool_choice", "name", yyjson_obj_get(choice, "name"), &name);
  if (e) return e;
  out->tool_choice = TOOL_CHOICE_NAMED;
  out->tool_choice_name = name;
  out->tool_choice_namespace = json_pool_str(choice, "namespace");
  return OK;
}

/* ---- encode ---- */

static void put_tool(struct buf *out, const struct request_tool *t, bool is_own) {
  if (t->kind == TOOL_HOSTED) {
    json_out_value(out, t->raw);
    return;
  }
  json_out_begin(out, '{');
  json_out_member_string(out, "type", t->kind == TOOL_CUSTOM ? STR("custom") : STR("function"));
  json_out_member_string(out, "name", t->name);
  if (t->description.p) json_out_member_string(out, "description", t->description);
  if (t->kind == TOOL_CUSTOM) {
    json_out_member_value_if(out, "format", t->format);
  } else {
    json_out_member_value_if(out, "parameters", t->schema);
    /* OpenAI takes a schema strictly unless it is told otherwise, and refuses those of other APIs then. */
    json_out_member_tri(out, "strict", is_own || t->strict >= 0 ? t->strict : 0);
  }
  if (is_own) json_out_rest(out, &t->rest);
  json_out_end(out, '}');
}

/* The tools from r->tools[i] on that stand in one namespace node; returns how many. */
static size_t put_group(struct buf *out, const struct request *r, size_t i) {
  struct yyjson_val *node = r->tools[i].group, *value;
  size_t n = 0;
  yyjson_obj_iter it = yyjson_obj_iter_with(node);
  json_out_begin(out, '{');
  for (yyjson_val *key; (key = yyjson_obj_iter_next(&it));) {
    value = yyjson_obj_iter_get_val(key);
    if (str_eq(json_pool_text(key), STR("tools"))) continue;
    json_out_key_str(out, json_pool_text(key));
    json_split_put(out, value);
  }
  json_out_key(out, "tools");
  json_out_begin(out, '[');
  for (; i + n < r->tool_count && r->tools[i + n].source == r->tools[i].source; n++)
    put_tool(out, &r->tools[i + n], true);
  json_out_end(out, ']');
  json_out_end(out, '}');
  return n;
}

void openai_responses_put_tools(struct buf *out, const struct request *r) {
  bool is_own = str_eq(r->dialect, OPENAI_RESPONSES), is_begun = false;
  if (!r->tools && !r->tool_count) return;
  for (size_t i = 0; i < r->tool_count;) {
    const struct request_tool *t = &r->tools[i];
    if (t->kind == TOOL_HOSTED && !is_own) {
      i++;
      continue;
    }
    if (!is_begun) {
      json_out_key(out, "tools");
      json_out_begin(out, '[');
      is_begun = true;
    }
    if (is_own && t->group) {
      i += put_group(out, r, i);
    } else {
      put_tool(out, t, is_own);
      i++;
    }
  }
  if (!is_begun && is_own) {
    json_out_key(out, "tools");
    json_out_begin(out, '[');
    is_begun = true;
  }
  if (is_begun) json_out_end(out, ']');
}

static bool is_custom(const struct request *r, struct str name) {
  for (size_t i = 0; i < r->tool_count; i++)
    if (r->tools[i].kind == TOOL_CUSTOM && str_eq(r->tools[i].name, name)) return true;
  return false;
}

void openai_responses_put_tool_choice(struct buf *out, const struct request *r) {
  const struct openai_responses_native *native = openai_responses_native_of(r);
  if (native && r->tool_choice_raw) {
    json_out_member_value_if(out, "tool_choice", r->tool_choice_raw);
    return;
  }
  switch (r->tool_choice) {
    case TOOL_CHOICE_UNSET: return;
    case TOOL_CHOICE_AUTO: json_out_member_string(out, "tool_choice", STR("auto")); return;
    case TOOL_CHOICE_NONE: json_out_member_string(out, "tool_choice", STR("none")); return;
    case TOOL_CHOICE_REQUIRED: json_out_member_string(out, "tool_choice", STR("required")); return;
    case TOOL_CHOICE_NAMED: break;
  }
  if (native && yyjson_is_obj(native->tool_choice)) {
    json_out_member_value_if(out, "tool_choice", native->tool_choice);
    return;
  }
  json_out_key(out, "tool_choice");
  json_out_begin(out, '{');
  json_out_member_string(out, "type", is_custom(r, r->tool_choice_name) ? STR("custom") : STR("function"));
  json_out_member_string(out, "name", r->tool_choice_name);
  json_out_end(out, '}');
}
