/* Ids of stored responses made into what they stand for: see expand.h. */
#include "dialect/openai_responses/expand.h"

#include <stdio.h>
#include <yyjson.h>

#include "base/json_out.h"
#include "base/json_pool.h"

enum err openai_responses_not_found(struct str id, const char *param, struct err_info *info) {
  id = str_cut_utf8(id, 128);
  if (info && str_eq(str_from_c(param), STR("previous_response_id")))
    snprintf(info->code, sizeof info->code, "previous_response_not_found");
  return err_set_param(info, ERR_NOT_FOUND, param, "there is no %s with the id '%.*s'",
                       str_eq(str_from_c(param), STR("previous_response_id")) ? "response"
                       : param[0]                                             ? "item"
                                                                              : "response",
                       STR_ARG(id));
}

struct expansion {
  const struct openai_responses_lookup *lookup;
  struct arena *arena;
  struct buf *out;
  struct err_info *info;
};

/* A string of the body, or of an item at path. */
static enum err read_id(struct expansion *x, struct yyjson_val *v, const char *path, struct str *id) {
  if (!yyjson_is_str(v)) return err_set_param(x->info, ERR_BAD_TYPE, path, "\"%s\" must be a string", path);
  *id = str_from(yyjson_get_str(v), yyjson_get_len(v));
  return OK;
}

/* The elements of a stored list, but for thinking that cannot be read again. */
static enum err put_stored(struct expansion *x, struct str list) {
  yyjson_doc *doc = yyjson_read(list.p, list.n, YYJSON_READ_NUMBER_AS_RAW);
  size_t i, max;
  yyjson_val *item;
  if (!doc) return err_set(x->info, ERR_INTERNAL, "a stored response cannot be read");
  yyjson_arr_foreach(yyjson_doc_get_root(doc), i, max, item) {
    if (x->out->failed) break;
    bool is_thinking = str_eq(json_pool_str(item, "type"), STR("reasoning"));
    if (!is_thinking || json_pool_str(item, "encrypted_content").n) json_out_value(x->out, item);
  }
  yyjson_doc_free(doc);
  return OK;
}

static enum err put_previous(struct expansion *x, struct yyjson_val *v) {
  struct str id = STR_NONE, input, output;
  enum err e = read_id(x, v, "previous_response_id", &id);
  if (e) return e;
  if (!x->lookup->response(x->lookup->arg, id, x->arena, &input, &output, &e))
    return e ? e : openai_responses_not_found(id, "previous_response_id", x->info);
  e = put_stored(x, input);
  return e ? e : put_stored(x, output);
}

/* An item that has a type beside its id is what it says; type may be left out or null. */
static bool is_reference(struct yyjson_val *item) {
  struct yyjson_val *type = yyjson_obj_get(item, "type");
  if (yyjson_is_str(type)) return yyjson_equals_str(type, "item_reference");
  return yyjson_obj_get(item, "id") && !yyjson_obj_get(item, "role");
}

static enum err put_item(struct expansion *x, struct yyjson_val *item, size_t index) {
  char path[ERR_PARAM_MAX];
  struct str id = STR_NONE, json = STR_NONE;
  if (!yyjson_is_obj(item) || !is_reference(item)) {
    json_out_value(x->out, item);
    return OK;
  }
  snprintf(path, sizeof path, "input[%zu].id", index);
  enum err e = read_id(x, yyjson_obj_get(item, "id"), path, &id);
  if (e) return e;
  if (!x->lookup->item(x->lookup->arg, id, x->arena, &json, &e))
    return e ? e : openai_responses_not_found(id, path, x->info);
  json_out_raw(x->out, json);
  return OK;
}

static enum err put_input(struct expansion *x, struct yyjson_val *input) {
  size_t i, max;
  yyjson_val *item;
  if (yyjson_is_str(input)) {
    json_out_begin(x->out, '{');
    json_out_member_string(x->out, "type", STR("message"));
    json_out_member_string(x->out, "role", STR("user"));
    json_out_key(x->out, "content");
    json_split_put(x->out, input);
    json_out_end(x->out, '}');
    return OK;
  }
  if (!yyjson_is_arr(input))
    return err_set_param(x->info, ERR_BAD_TYPE, "input", "\"input\" must be a string or an array");
  yyjson_arr_foreach(input, i, max, item) {
    enum err e = put_item(x, item, i);
    if (e || x->out->failed) return e;
  }
  return OK;
}

static enum err put_body(struct expansion *x, struct yyjson_val *root) {
  struct yyjson_val *previous = yyjson_obj_get(root, "previous_response_id"), *input = yyjson_obj_get(root, "input");
  enum err e = OK;
  if (!yyjson_is_obj(root)) return err_set(x->info, ERR_BAD_JSON, "the body is not a JSON object");
  yyjson_obj_iter it = yyjson_obj_iter_with(root);
  json_out_begin(x->out, '{');
  for (yyjson_val *key; (key = yyjson_obj_iter_next(&it));) {
    struct str name = str_from(yyjson_get_str(key), yyjson_get_len(key));
    if (str_eq(name, STR("previous_response_id")) || str_eq(name, STR("input"))) continue;
    json_out_key_str(x->out, name);
    json_split_put(x->out, yyjson_obj_iter_get_val(key));
  }
  json_out_key(x->out, "input");
  json_out_begin(x->out, '[');
  if (previous && !yyjson_is_null(previous)) e = put_previous(x, previous);
  if (!e && input && !yyjson_is_null(input)) e = put_input(x, input);
  json_out_end(x->out, ']');
  json_out_end(x->out, '}');
  return e;
}

enum err openai_responses_expand(struct str body, const struct openai_responses_lookup *lookup, struct arena *a,
                                 struct buf *out, struct err_info *info) {
  struct expansion x = {lookup, a, out, info};
  size_t from = out->n;
  yyjson_doc *doc = yyjson_read(body.p, body.n, YYJSON_READ_NUMBER_AS_RAW);
  if (!doc) return err_set(info, ERR_BAD_JSON, "the body is not valid JSON");
  enum err e = put_body(&x, yyjson_doc_get_root(doc));
  yyjson_doc_free(doc);
  /* One id may stand for a large item, and be said as often as a body has room for. */
  if (!e && out->failed && out->limit_bytes)
    e = err_set_param(info, ERR_BODY_TOO_LARGE, "input",
                      "with what its ids stand for the request has more than %zu bytes", out->limit_bytes);
  else if (!e && out->failed)
    e = ERR_NO_MEMORY;
  if (e) out->n = from;
  return e;
}
