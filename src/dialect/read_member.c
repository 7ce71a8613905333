/* Typed members of a request: see read_member.h. */
#include "dialect/read_member.h"

#include <stdio.h>
#include <yyjson.h>

void read_member_path(const struct read_member *at, const char *name, char out[ERR_PARAM_MAX]) {
  bool needs_dot = at->path[0] && name[0] && name[0] != '[';
  snprintf(out, ERR_PARAM_MAX, "%s%s%s", at->path, needs_dot ? "." : "", name);
}

enum err read_member_bad_type(const struct read_member *at, const char *name, const char *what) {
  char path[ERR_PARAM_MAX];
  read_member_path(at, name, path);
  return err_set_param(at->info, ERR_BAD_TYPE, path, "\"%s\" must be %s", path, what);
}

enum err read_member_bad_value(const struct read_member *at, const char *name, const char *why) {
  char path[ERR_PARAM_MAX];
  read_member_path(at, name, path);
  return err_set_param(at->info, ERR_BAD_VALUE, path, "\"%s\" %s", path, why);
}

enum err read_member_missing(const struct read_member *at, const char *name) {
  char path[ERR_PARAM_MAX];
  read_member_path(at, name, path);
  return err_set_param(at->info, ERR_MISSING, path, "\"%s\" is required", path);
}

enum err read_member_split(const struct read_member *at, yyjson_val *object, const struct str *names, size_t n,
                           yyjson_val **found, struct json_rest *rest) {
  struct err_info fault = {0};
  enum err e = json_split(at->arena, object, names, n, found, rest, &fault);
  if (!e || e == ERR_NO_MEMORY) return e;
  if (e == ERR_BAD_TYPE) return read_member_bad_type(at, "", "an object");
  char path[ERR_PARAM_MAX];
  read_member_path(at, fault.param, path);
  return err_set_param(at->info, e, path, "%s", fault.text);
}

static struct str text_of(yyjson_val *v) { return str_from(yyjson_get_str(v), yyjson_get_len(v)); }

enum err read_member_string(const struct read_member *at, const char *name, yyjson_val *v, struct str *out) {
  if (!v) return OK;
  if (!yyjson_is_str(v)) return read_member_bad_type(at, name, "a string");
  *out = text_of(v);
  return OK;
}

enum err read_member_bool(const struct read_member *at, const char *name, yyjson_val *v, int8_t *out) {
  if (!v) return OK;
  if (!yyjson_is_bool(v)) return read_member_bad_type(at, name, "true or false");
  *out = yyjson_is_true(v);
  return OK;
}

enum err read_member_number(const struct read_member *at, const char *name, yyjson_val *v, struct str *out) {
  if (!v) return OK;
  if (!yyjson_is_raw(v)) return read_member_bad_type(at, name, "a number");
  *out = str_from(yyjson_get_raw(v), yyjson_get_len(v));
  return OK;
}

enum err read_member_array(const struct read_member *at, const char *name, yyjson_val *v) {
  return !v || yyjson_is_arr(v) ? OK : read_member_bad_type(at, name, "an array");
}

enum err read_member_object(const struct read_member *at, const char *name, yyjson_val *v) {
  return !v || yyjson_is_obj(v) ? OK : read_member_bad_type(at, name, "an object");
}

enum err read_member_strings(const struct read_member *at, const char *name, yyjson_val *v, struct str **out,
                             size_t *n) {
  if (!v) return OK;
  if (!yyjson_is_arr(v)) return read_member_bad_type(at, name, "an array of strings");
  size_t count = yyjson_arr_size(v), i, max;
  struct str *list = ARENA_NEW_ARRAY(at->arena, struct str, count);
  if (!list) return ERR_NO_MEMORY;
  yyjson_val *element;
  yyjson_arr_foreach(v, i, max, element) {
    if (!yyjson_is_str(element)) {
      char member[ERR_PARAM_MAX];
      snprintf(member, sizeof member, "%s[%zu]", name, i);
      return read_member_bad_type(at, member, "a string");
    }
    list[i] = text_of(element);
  }
  *out = list;
  *n = count;
  return OK;
}

struct str read_member_json(const struct read_member *at, yyjson_val *v) {
  struct buf text;
  buf_init(&text, 0);
  json_split_put(&text, v);
  struct str copy = text.failed ? STR_NONE : arena_dup(at->arena, buf_str(&text));
  buf_clear(&text);
  return copy;
}
