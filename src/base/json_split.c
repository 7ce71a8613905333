/* An object's members told apart: see json_split.h. */
#include "base/json_split.h"

#include <stdlib.h>
#include <yyjson.h>

static size_t find(const struct str *names, size_t n, struct str key) {
  for (size_t i = 0; i < n; i++)
    if (str_eq(names[i], key)) return i;
  return SIZE_MAX;
}

static enum err refuse_twice(struct str key, struct err_info *info) {
  char param[ERR_PARAM_MAX];
  struct str cut = str_cut_utf8(key, sizeof param - 1);
  memcpy(param, cut.p, cut.n);
  param[cut.n] = 0;
  return err_set_param(info, ERR_DUPLICATE_KEY, param, "the member \"%s\" appears twice", param);
}

enum err json_split(struct arena *a, struct yyjson_val *object, const struct str *names, size_t n,
                    struct yyjson_val **found, struct json_rest *rest, struct err_info *info) {
  if (!yyjson_is_obj(object)) return err_set(info, ERR_BAD_TYPE, "an object is expected");
  size_t members = yyjson_obj_size(object);
  if (members > JSON_SPLIT_MEMBERS_MAX) return err_set(info, ERR_BAD_VALUE, "an object has too many members");
  if (n > JSON_SPLIT_NAMES_MAX) return ERR_INTERNAL;
  struct json_rest kept = {0};
  uint64_t seen = 0;
  for (size_t i = 0; i < n; i++) found[i] = NULL;
  yyjson_val *key, *value;
  yyjson_obj_iter it = yyjson_obj_iter_with(object);
  while ((key = yyjson_obj_iter_next(&it))) {
    struct str name = str_from(yyjson_get_str(key), yyjson_get_len(key));
    value = yyjson_obj_iter_get_val(key);
    size_t at = find(names, n, name);
    if (at != SIZE_MAX) {
      if (seen & UINT64_C(1) << at) return refuse_twice(name, info);
      seen |= UINT64_C(1) << at;
      if (!yyjson_is_null(value)) {
        found[at] = value;
        continue;
      }
    }
    if (!kept.v && !(kept.v = ARENA_NEW_ARRAY(a, struct json_rest_member, members))) return ERR_NO_MEMORY;
    kept.v[kept.n++] = (struct json_rest_member){name, value};
  }
  *rest = kept;
  return OK;
}

enum err json_rest_add(struct arena *a, struct json_rest *rest, struct str key, struct yyjson_val *value) {
  if (rest->n >= rest->room) {
    size_t room = rest->n < 4 ? 4 : rest->n * 2;
    struct json_rest_member *v = ARENA_NEW_ARRAY(a, struct json_rest_member, room);
    if (!v) return ERR_NO_MEMORY;
    if (rest->n) memcpy(v, rest->v, rest->n * sizeof *v);
    rest->v = v;
    rest->room = room;
  }
  rest->v[rest->n++] = (struct json_rest_member){key, value};
  return OK;
}

enum err json_rest_join(struct arena *a, struct json_rest *rest, struct str path, const struct json_rest *more) {
  enum err e = OK;
  for (size_t i = 0; !e && i < more->n; i++) {
    struct str key = more->v[i].key;
    if (path.n) key = arena_printf(a, "%.*s.%.*s", STR_ARG(path), STR_ARG(key));
    e = key.p ? json_rest_add(a, rest, key, more->v[i].value) : ERR_NO_MEMORY;
  }
  return e;
}

bool json_rest_is_null(const struct json_rest_member *m) { return yyjson_is_null(m->value); }

/* Trees go through the library, which writes them without recursion; most values are none. */
void json_split_put(struct buf *out, struct yyjson_val *value) {
  size_t n;
  switch (yyjson_get_type(value)) {
    case YYJSON_TYPE_STR: buf_put_json(out, str_from(yyjson_get_str(value), yyjson_get_len(value))); return;
    case YYJSON_TYPE_RAW: buf_put(out, str_from(yyjson_get_raw(value), yyjson_get_len(value))); return;
    case YYJSON_TYPE_BOOL: buf_put(out, yyjson_is_true(value) ? STR("true") : STR("false")); return;
    case YYJSON_TYPE_NULL: buf_put(out, STR("null")); return;
    default: break;
  }
  char *text = yyjson_val_write(value, 0, &n);
  if (!text) {
    out->failed = true;
    return;
  }
  buf_put(out, str_from(text, n));
  free(text);
}
