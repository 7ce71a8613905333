/* Members in both spellings, lists of one, checked values: see gemini_internal.h. Called by everything here that reads
 * a request. Paths are built in the caller's words, so that an error names the member as the vendor would. */
#include <ctype.h>
#include <stdio.h>
#include <yyjson.h>

#include "base/json_split.h"
#include "dialect/gemini/gemini_internal.h"

/* "functionCall" is also "function_call". Both exactly: no mixture of them. */
static bool is_snake_of(struct str key, struct str camel) {
  size_t k = 0;
  for (size_t i = 0; i < camel.n; i++) {
    char c = camel.p[i];
    if (isupper((unsigned char)c)) {
      if (k >= key.n || key.p[k++] != '_') return false;
      c = (char)(c | 0x20);
    }
    if (k >= key.n || key.p[k++] != c) return false;
  }
  return k == key.n;
}

bool gemini_names_is(struct str key, struct str camel) { return str_eq(key, camel) || is_snake_of(key, camel); }

static size_t find_snake(const struct str *names, size_t n, struct str key) {
  if (str_find_char(key, '_') == SIZE_MAX) return SIZE_MAX;
  for (size_t i = 0; i < n; i++)
    if (is_snake_of(key, names[i])) return i;
  return SIZE_MAX;
}

/* json_split has taken the camelCase members; what is left may be the other spelling of one. */
static enum err take_snake(const struct str *names, size_t n, struct yyjson_val **found, struct json_rest *rest,
                           const char *path, struct err_info *info) {
  size_t kept = 0;
  for (size_t i = 0; i < rest->n; i++) {
    struct json_rest_member m = rest->v[i];
    size_t at = json_rest_is_null(&m) ? SIZE_MAX : find_snake(names, n, m.key);
    if (at == SIZE_MAX) {
      rest->v[kept++] = m;
    } else if (found[at]) {
      char where[ERR_PARAM_MAX], key[64];
      snprintf(key, sizeof key, "%.*s", STR_ARG(names[at]));
      gemini_names_path(where, path, key);
      return err_set_param(info, ERR_DUPLICATE_KEY, where, "the member \"%s\" appears twice, in both spellings", where);
    } else {
      found[at] = m.value;
    }
  }
  rest->n = kept;
  return OK;
}

enum err gemini_names_split(struct arena *a, struct yyjson_val *object, const struct str *names, size_t n,
                            struct yyjson_val **found, struct json_rest *rest, const char *path,
                            struct err_info *info) {
  if (!yyjson_is_obj(object)) return gemini_names_bad_type(path, NULL, "an object", info);
  enum err e = json_split(a, object, names, n, found, rest, info);
  if (e && info && !info->param[0]) snprintf(info->param, sizeof info->param, "%s", path);
  return e ? e : take_snake(names, n, found, rest, path, info);
}

struct yyjson_val *gemini_names_get(struct yyjson_val *object, const char *camel) {
  if (!yyjson_is_obj(object)) return NULL;
  struct str name = str_from_c(camel);
  yyjson_val *v = yyjson_obj_getn(object, name.p, name.n), *key;
  if (v) return yyjson_is_null(v) ? NULL : v;
  yyjson_obj_iter it = yyjson_obj_iter_with(object);
  while ((key = yyjson_obj_iter_next(&it)))
    if (is_snake_of(str_from(yyjson_get_str(key), yyjson_get_len(key)), name)) {
      v = yyjson_obj_iter_get_val(key);
      return yyjson_is_null(v) ? NULL : v;
    }
  return NULL;
}

void gemini_names_path(char out[ERR_PARAM_MAX], const char *path, const char *member) {
  err_path_member(out, path, member);
}

void gemini_names_path_at(char out[ERR_PARAM_MAX], const char *path, size_t index) {
  err_path_index(out, path, NULL, index);
}

enum err gemini_names_bad_type(const char *path, const char *member, const char *wanted, struct err_info *info) {
  char where[ERR_PARAM_MAX];
  gemini_names_path(where, path, member);
  return err_set_param(info, ERR_BAD_TYPE, where, "\"%s\" must be %s", where[0] ? where : "the body", wanted);
}

enum err gemini_names_string(struct yyjson_val *v, const char *path, const char *member, struct str *out,
                             struct err_info *info) {
  if (!v) return OK;
  if (!yyjson_is_str(v)) return gemini_names_bad_type(path, member, "a string", info);
  *out = str_from(yyjson_get_str(v), yyjson_get_len(v));
  return OK;
}

enum err gemini_names_number(struct yyjson_val *v, const char *path, const char *member, struct str *out,
                             struct err_info *info) {
  if (!v) return OK;
  if (!yyjson_is_raw(v)) return gemini_names_bad_type(path, member, "a number", info);
  *out = str_from(yyjson_get_raw(v), yyjson_get_len(v));
  return OK;
}

enum err gemini_names_bool(struct yyjson_val *v, const char *path, const char *member, int8_t *out,
                           struct err_info *info) {
  if (!v) return OK;
  if (!yyjson_is_bool(v)) return gemini_names_bad_type(path, member, "a boolean", info);
  *out = yyjson_is_true(v);
  return OK;
}

struct str gemini_names_json(struct arena *a, struct yyjson_val *v) {
  struct buf json;
  buf_init(&json, 0);
  json_split_put(&json, v);
  struct str copy = json.failed ? STR_NONE : arena_dup(a, buf_str(&json));
  buf_clear(&json);
  return copy;
}

bool gemini_list_begin(struct gemini_list *l, struct yyjson_val *v) {
  *l = (struct gemini_list){.is_array = yyjson_is_arr(v)};
  if (v && !l->is_array && !yyjson_is_obj(v)) return false;
  l->left = l->is_array ? yyjson_arr_size(v) : v != NULL;
  l->next = l->is_array ? yyjson_arr_get_first(v) : v;
  return true;
}

struct yyjson_val *gemini_list_next(struct gemini_list *l) {
  if (l->left == 0) return NULL;
  yyjson_val *v = l->next;
  l->left--;
  l->index++;
  if (l->left) l->next = unsafe_yyjson_get_next(v);
  return v;
}
