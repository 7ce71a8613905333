/* Values from schemas: see mock_schema.h. The recursion is bounded by DEPTH_MAX. */
#include "mock/mock_schema.h"

#include <stdlib.h>

enum { DEPTH_MAX = 6 };

struct maker {
  struct buf *out;
  yyjson_val *root;
  struct str text;
};

/* Gemini's own schemas write types in capitals. */
static bool is(yyjson_val *v, const char *name) {
  return yyjson_is_str(v) && str_eq_nocase(str_from(yyjson_get_str(v), yyjson_get_len(v)), str_from_c(name));
}

/* The target of "#/$defs/name" or "#/definitions/name"; other references are not followed. */
static yyjson_val *follow(const struct maker *m, yyjson_val *schema) {
  for (int hops = 0; hops < 4; hops++) {
    const char *ref = yyjson_get_str(yyjson_obj_get(schema, "$ref"));
    if (!ref || ref[0] != '#') break;
    yyjson_val *target = yyjson_ptr_get(m->root, ref + 1);
    if (!target) break;
    schema = target;
  }
  return schema;
}

static yyjson_val *first_of(yyjson_val *schema, const char *key) {
  return yyjson_arr_get_first(yyjson_obj_get(schema, key));
}

static void put_copy(struct maker *m, yyjson_val *v) {
  size_t n;
  char *json = yyjson_val_write(v, 0, &n);
  buf_put(m->out, json ? str_from(json, n) : STR("null"));
  free(json);
}

static void put_value(struct maker *m, yyjson_val *schema, int depth);

static void put_object(struct maker *m, yyjson_val *schema, int depth) {
  yyjson_val *properties = yyjson_obj_get(schema, "properties"), *required = yyjson_obj_get(schema, "required"), *name;
  size_t i, n;
  bool is_first = true;
  buf_put_char(m->out, '{');
  yyjson_arr_foreach(required, i, n, name) {
    if (depth >= DEPTH_MAX || !yyjson_is_str(name)) break;
    if (!is_first) buf_put_char(m->out, ',');
    is_first = false;
    buf_put_json(m->out, str_from(yyjson_get_str(name), yyjson_get_len(name)));
    buf_put_char(m->out, ':');
    put_value(m, yyjson_obj_getn(properties, yyjson_get_str(name), yyjson_get_len(name)), depth + 1);
  }
  buf_put_char(m->out, '}');
}

static void put_number(struct maker *m, yyjson_val *schema) {
  yyjson_val *minimum = yyjson_obj_get(schema, "minimum");
  if (minimum)
    put_copy(m, minimum);
  else
    buf_put_char(m->out, '1');
}

static void put_array(struct maker *m, yyjson_val *schema, int depth) {
  yyjson_val *items = yyjson_obj_get(schema, "items");
  buf_put_char(m->out, '[');
  if (depth < DEPTH_MAX && yyjson_get_uint(yyjson_obj_get(schema, "minItems")) > 0) put_value(m, items, depth + 1);
  buf_put_char(m->out, ']');
}

static void put_typed(struct maker *m, yyjson_val *schema, yyjson_val *type, int depth) {
  if (is(type, "object") || (!type && yyjson_obj_get(schema, "properties")))
    put_object(m, schema, depth);
  else if (is(type, "array"))
    put_array(m, schema, depth);
  else if (is(type, "integer") || is(type, "number"))
    put_number(m, schema);
  else if (is(type, "boolean"))
    buf_put(m->out, STR("true"));
  else if (is(type, "null"))
    buf_put(m->out, STR("null"));
  else
    buf_put_json(m->out, m->text);
}

static void put_value(struct maker *m, yyjson_val *schema, int depth) {
  schema = follow(m, schema);
  yyjson_val *exact = yyjson_obj_get(schema, "const");
  if (!exact) exact = first_of(schema, "enum");
  if (!exact) exact = yyjson_obj_get(schema, "default");
  if (exact) {
    put_copy(m, exact);
    return;
  }
  yyjson_val *choice = first_of(schema, "anyOf");
  if (!choice) choice = first_of(schema, "oneOf");
  if (choice && depth < DEPTH_MAX) {
    put_value(m, choice, depth + 1);
    return;
  }
  yyjson_val *type = yyjson_obj_get(schema, "type");
  if (yyjson_is_arr(type)) type = yyjson_arr_get_first(type);
  put_typed(m, schema, type, depth);
}

void mock_schema_put(struct buf *out, yyjson_val *schema, struct str text) {
  struct maker m = {out, schema, text};
  yyjson_val *target = follow(&m, schema);
  if (yyjson_is_obj(target) && !yyjson_obj_get(target, "anyOf") && !yyjson_obj_get(target, "oneOf"))
    put_object(&m, target, 0);
  else if (yyjson_is_obj(target))
    put_value(&m, target, 0);
  else
    buf_put(out, STR("{}"));
}
