/* Reading members of a Responses tree with their types checked: see internal.h. Called by the decoders of requests.
 * Pure; a fault names the member in the caller's own words. */
#include <yyjson.h>

#include "dialect/openai_responses/internal.h"

void openai_responses_path(char out[ERR_PARAM_MAX], const char *base, const char *member) {
  err_path_member(out, base, member);
}

static enum err refuse(struct openai_responses_reader *rd, enum err e, const char *base, const char *member,
                       const char *verb, const char *what) {
  char path[ERR_PARAM_MAX];
  openai_responses_path(path, base, member);
  return err_set_param(rd->info, e, path, "\"%s\" %s%s", path, verb, what);
}

enum err openai_responses_bad_type(struct openai_responses_reader *rd, const char *base, const char *member,
                                   const char *what) {
  return refuse(rd, ERR_BAD_TYPE, base, member, "must be ", what);
}

enum err openai_responses_bad_value(struct openai_responses_reader *rd, const char *base, const char *member,
                                    const char *what) {
  return refuse(rd, ERR_BAD_VALUE, base, member, "", what);
}

enum err openai_responses_missing(struct openai_responses_reader *rd, const char *base, const char *member) {
  return refuse(rd, ERR_MISSING, base, member, "is required", "");
}

enum err openai_responses_split(struct openai_responses_reader *rd, const char *base, struct yyjson_val *object,
                                const struct str *names, size_t n, struct yyjson_val **found, struct json_rest *rest) {
  if (!yyjson_is_obj(object)) return openai_responses_bad_type(rd, base, NULL, "an object");
  struct err_info inner = {0};
  enum err e = json_split(rd->arena, object, names, n, found, rest, &inner);
  if (!e) return OK;
  char path[ERR_PARAM_MAX];
  openai_responses_path(path, base, inner.param);
  return err_set_param(rd->info, e, path, "%s", err_info_text(e, &inner));
}

enum err openai_responses_string(struct openai_responses_reader *rd, const char *base, const char *member,
                                 struct yyjson_val *v, struct str *out) {
  if (!v) return OK;
  if (!yyjson_is_str(v)) return openai_responses_bad_type(rd, base, member, "a string");
  *out = str_from(yyjson_get_str(v), yyjson_get_len(v));
  return OK;
}

enum err openai_responses_required(struct openai_responses_reader *rd, const char *base, const char *member,
                                   struct yyjson_val *v, struct str *out) {
  return v ? openai_responses_string(rd, base, member, v, out) : openai_responses_missing(rd, base, member);
}

enum err openai_responses_bool(struct openai_responses_reader *rd, const char *base, const char *member,
                               struct yyjson_val *v, int8_t *out) {
  if (!v) return OK;
  if (!yyjson_is_bool(v)) return openai_responses_bad_type(rd, base, member, "true or false");
  *out = yyjson_is_true(v) ? 1 : 0;
  return OK;
}

enum err openai_responses_number(struct openai_responses_reader *rd, const char *base, const char *member,
                                 struct yyjson_val *v, struct str *out) {
  if (!v) return OK;
  if (!yyjson_is_raw(v)) return openai_responses_bad_type(rd, base, member, "a number");
  *out = str_from(yyjson_get_raw(v), yyjson_get_len(v));
  return OK;
}
