/* Gemini's OpenAPI subset as JSON Schema. Called when a request is decoded, for `parameters`, `responseSchema` and
 * their JSON Schema twins (whose callers write upper-case types as well). What differs: types are upper-case words,
 * `nullable` stands for a type "null", counts are strings (protobuf's int64), `example` is one value,
 * `propertyOrdering` is Gemini's own. Everything else passes. Source: Gemini API reference, Schema (read 2026-11); JSON
 * Schema 2020-12.
 *
 * Recursion follows schemas within schemas only and is capped. */
#include <yyjson.h>

#include "base/json.h"
#include "base/json_out.h"
#include "dialect/gemini/gemini_internal.h"

static const struct {
  struct str openapi, json;
} types[] = {
    {STR("STRING"), STR("string")},   {STR("NUMBER"), STR("number")}, {STR("INTEGER"), STR("integer")},
    {STR("BOOLEAN"), STR("boolean")}, {STR("ARRAY"), STR("array")},   {STR("OBJECT"), STR("object")},
    {STR("NULL"), STR("null")},
};

enum member_kind { VALUE, TYPE, SCHEMA, SCHEMA_LIST, SCHEMA_MAP, COUNT, EXAMPLE, DROPPED };

static const struct {
  const char *openapi, *json; /* in camelCase; snake_case is read too */
  enum member_kind kind;
} members[] = {
    {"type", "type", TYPE},
    {"nullable", NULL, DROPPED}, /* said with the type */
    {"items", "items", SCHEMA},
    {"properties", "properties", SCHEMA_MAP},
    {"anyOf", "anyOf", SCHEMA_LIST},
    {"oneOf", "oneOf", SCHEMA_LIST},
    {"allOf", "allOf", SCHEMA_LIST},
    {"prefixItems", "prefixItems", SCHEMA_LIST},
    {"not", "not", SCHEMA},
    {"additionalProperties", "additionalProperties", SCHEMA},
    {"defs", "$defs", SCHEMA_MAP},
    {"$defs", "$defs", SCHEMA_MAP},
    {"ref", "$ref", VALUE},
    {"minItems", "minItems", COUNT},
    {"maxItems", "maxItems", COUNT},
    {"minLength", "minLength", COUNT},
    {"maxLength", "maxLength", COUNT},
    {"minProperties", "minProperties", COUNT},
    {"maxProperties", "maxProperties", COUNT},
    {"example", "examples", EXAMPLE},
    {"propertyOrdering", NULL, DROPPED},
};

static size_t find_member(struct str key) {
  for (size_t i = 0; i < sizeof members / sizeof *members; i++)
    if (gemini_names_is(key, str_from_c(members[i].openapi))) return i;
  return SIZE_MAX;
}

static struct str json_type_of(yyjson_val *v) {
  struct str word = json_pool_text(v);
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (str_eq(types[i].openapi, word)) return types[i].json;
  return word;
}

static void put_type(yyjson_val *v, bool is_nullable, struct buf *out) {
  if (str_eq(json_pool_text(v), STR("TYPE_UNSPECIFIED"))) return;
  json_out_key(out, "type");
  if (!yyjson_is_arr(v) && !is_nullable) {
    if (yyjson_is_str(v))
      json_out_string(out, json_type_of(v));
    else
      json_out_value(out, v);
    return;
  }
  bool has_null = false;
  json_out_begin(out, '[');
  yyjson_val *one;
  yyjson_arr_iter it = yyjson_arr_iter_with(v);
  if (!yyjson_is_arr(v)) json_out_string(out, json_type_of(v));
  while ((one = yyjson_arr_iter_next(&it))) {
    has_null = has_null || str_eq(json_type_of(one), STR("null"));
    json_out_string(out, json_type_of(one));
  }
  if (is_nullable && !has_null) json_out_string(out, STR("null"));
  json_out_end(out, ']');
}

struct convert {
  struct buf *out;
  const char *path;
  struct err_info *info;
};

static enum err put_schema(struct convert *c, yyjson_val *schema, unsigned depth);

static enum err put_list(struct convert *c, yyjson_val *v, bool add_null, unsigned depth) {
  enum err e = OK;
  yyjson_val *one;
  yyjson_arr_iter it = yyjson_arr_iter_with(v);
  json_out_begin(c->out, '[');
  while (!e && (one = yyjson_arr_iter_next(&it))) e = put_schema(c, one, depth);
  if (add_null) json_out_raw(c->out, STR("{\"type\":\"null\"}"));
  json_out_end(c->out, ']');
  return e;
}

static enum err put_map(struct convert *c, yyjson_val *v, unsigned depth) {
  enum err e = OK;
  yyjson_val *key;
  yyjson_obj_iter it = yyjson_obj_iter_with(v);
  json_out_begin(c->out, '{');
  while (!e && (key = yyjson_obj_iter_next(&it))) {
    json_out_key_str(c->out, json_pool_text(key));
    e = put_schema(c, yyjson_obj_iter_get_val(key), depth);
  }
  json_out_end(c->out, '}');
  return e;
}

/* A count that protobuf wrote as a string. */
static void put_count(yyjson_val *v, struct buf *out) {
  uint64_t count;
  struct str text = json_pool_text(v);
  if (text.n && text.n < 20 && str_to_u64(text, &count))
    json_out_i64(out, (int64_t)count);
  else
    json_out_value(out, v);
}

/* `enum` has to hold null where the type does. */
static void put_enum(yyjson_val *v, struct buf *out) {
  yyjson_val *one;
  yyjson_arr_iter it = yyjson_arr_iter_with(v);
  json_out_key(out, "enum");
  json_out_begin(out, '[');
  while ((one = yyjson_arr_iter_next(&it))) json_out_value(out, one);
  json_out_raw(out, STR("null"));
  json_out_end(out, ']');
}

static enum err put_member(struct convert *c, yyjson_val *key, yyjson_val *v, bool is_nullable, unsigned depth) {
  size_t at = find_member(json_pool_text(key));
  bool is_any = at != SIZE_MAX && members[at].kind == SCHEMA_LIST && str_eq(str_from_c(members[at].json), STR("anyOf"));
  if (at == SIZE_MAX && is_nullable && yyjson_is_arr(v) && str_eq(json_pool_text(key), STR("enum"))) {
    put_enum(v, c->out);
    return OK;
  }
  if (at == SIZE_MAX) {
    json_out_key_str(c->out, json_pool_text(key));
    json_out_value(c->out, v);
    return OK;
  }
  if (members[at].kind == DROPPED) return OK;
  if (members[at].kind == TYPE) {
    put_type(v, is_nullable, c->out);
    return OK;
  }
  json_out_key(c->out, members[at].json);
  if (members[at].kind == SCHEMA && yyjson_is_obj(v)) return put_schema(c, v, depth);
  if (members[at].kind == SCHEMA_LIST && yyjson_is_arr(v)) return put_list(c, v, is_any && is_nullable, depth);
  if (members[at].kind == SCHEMA_MAP && yyjson_is_obj(v)) return put_map(c, v, depth);
  if (members[at].kind == COUNT) {
    put_count(v, c->out);
  } else if (members[at].kind == EXAMPLE) {
    json_out_begin(c->out, '[');
    json_out_value(c->out, v);
    json_out_end(c->out, ']');
  } else {
    json_out_value(c->out, v);
  }
  return OK;
}

static enum err put_schema(struct convert *c, yyjson_val *schema, unsigned depth) {
  enum err e = OK;
  yyjson_val *key;
  if (depth >= GEMINI_SCHEMA_DEPTH_MAX)
    return err_set_param(c->info, ERR_BAD_VALUE, c->path, "\"%s\" has more than %d schemas within one another", c->path,
                         GEMINI_SCHEMA_DEPTH_MAX);
  if (!yyjson_is_obj(schema)) { /* true and false are schemas, too */
    json_out_value(c->out, schema);
    return OK;
  }
  bool is_nullable = yyjson_is_true(yyjson_obj_get(schema, "nullable"));
  yyjson_obj_iter it = yyjson_obj_iter_with(schema);
  json_out_begin(c->out, '{');
  while (!e && (key = yyjson_obj_iter_next(&it)))
    e = put_member(c, key, yyjson_obj_iter_get_val(key), is_nullable, depth + 1);
  json_out_end(c->out, '}');
  return e;
}

enum err gemini_schema_convert(struct arena *a, struct yyjson_val *schema, const char *path, struct yyjson_val **out,
                               struct err_info *info) {
  struct buf text;
  struct json doc;
  static const struct json_limits limits = {.numbers_are_raw = true};
  buf_init(&text, 0);
  struct convert c = {&text, path, info};
  enum err e = put_schema(&c, schema, 0);
  if (!e && text.failed) e = ERR_NO_MEMORY;
  if (!e) e = json_parse_copy(&doc, buf_str(&text), &limits, a, info);
  if (!e) *out = doc.root;
  buf_clear(&text);
  return e;
}
