/* The table of dialects: see dialect.h. */
#include "dialect/dialect.h"

#include <stdarg.h>
#include <stdio.h>
#include <yyjson.h>

#include "base/json_out.h"
#include "base/json_split.h"

static const struct dialect *const dialects[] = {
#define X(symbol) &symbol,
#include "dialect/dialects.def"
#undef X
};

const struct dialect *dialect_by_name(struct str name) {
  for (size_t i = 0; i < sizeof dialects / sizeof *dialects; i++)
    if (str_eq(dialects[i]->name, name)) return dialects[i];
  return NULL;
}

enum err dialect_bad_reply(struct err_info *info, const char *what) {
  return err_set(info, ERR_UPSTREAM_PROTOCOL, "the provider's answer could not be understood: %s", what);
}

static enum err want(struct err_info *info, struct yyjson_val *v, bool is_wanted, const char *name, const char *type) {
  char what[ERR_PARAM_MAX];
  if (is_wanted || !v || yyjson_is_null(v)) return OK;
  snprintf(what, sizeof what, "\"%s\" is no %s", name, type);
  return dialect_bad_reply(info, what);
}

enum err dialect_want_text(struct err_info *info, struct yyjson_val *v, const char *name) {
  return want(info, v, yyjson_is_str(v), name, "text");
}

enum err dialect_want_object(struct err_info *info, struct yyjson_val *v, const char *name) {
  return want(info, v, yyjson_is_obj(v), name, "object");
}

enum err dialect_want_array(struct err_info *info, struct yyjson_val *v, const char *name) {
  return want(info, v, yyjson_is_arr(v), name, "array");
}

void dialect_put_arguments(struct buf *out, struct yyjson_val *v) {
  bool is_nothing = !v || yyjson_is_null(v) || (yyjson_is_arr(v) && yyjson_arr_size(v) == 0);
  if (is_nothing)
    buf_put(out, STR("{}"));
  else if (yyjson_is_str(v))
    buf_put(out, json_pool_text(v));
  else
    json_split_put(out, v);
}

/* Of the dialect that r came in; OpenAI chat's where it is none of the table. */
static const struct request_words *words_of(const struct request *r) {
  static const struct request_words plain = {
      .list = "messages", .system = "system", .content = "content", .tools = "tools"};
  const struct dialect *caller = dialect_by_name(r->dialect);
  return caller && caller->words.list ? &caller->words : &plain;
}

enum err dialect_refuse(const struct request *r, const struct request_item *item, const struct request_part *part,
                        struct err_info *info, const char *format, ...) {
  char path[ERR_PARAM_MAX], text[ERR_TEXT_MAX];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  if (item)
    request_path(words_of(r), item, part, NULL, path);
  else
    snprintf(path, sizeof path, "%s", words_of(r)->list);
  return err_set_param(info, ERR_UNSUPPORTED, path, "%s", text);
}

enum err dialect_refuse_member(const struct request *r, const char *member, struct err_info *info, const char *text) {
  return err_set_param(info, ERR_UNSUPPORTED, request_member_word(words_of(r), member), "%s", text);
}

void dialect_drop(const struct dialect_target *target, const struct request *r, const char *member) {
  if (target->dropped) caps_dropped_add(target->dropped, request_member_word(words_of(r), member));
}

struct str dialect_at_most_one(struct str number) {
  bool has_exponent = str_find_char(number, 'e') != SIZE_MAX || str_find_char(number, 'E') != SIZE_MAX;
  struct str whole, fraction;
  uint64_t v;
  str_cut(number, '.', &whole, &fraction);
  if (has_exponent || !str_to_u64(whole, &v)) return number;
  bool is_zero = true;
  for (size_t i = 0; i < fraction.n; i++) is_zero = is_zero && fraction.p[i] == '0';
  return v == 0 || (v == 1 && is_zero) ? number : STR("1");
}

void dialect_put_receipt_member(const struct dialect_exchange *x, struct buf *out) {
  if (!x->put_receipt) return;
  json_out_key(out, "maestro");
  x->put_receipt(x->receipt_arg, out);
}

void dialect_put_error_text(struct buf *out, enum err e, const struct err_info *info) {
  struct str text = str_from_c(err_info_text(e, info)), param = str_from_c(info ? info->param : NULL);
  if (param.n && str_find(text, param) == SIZE_MAX) {
    buf_put(out, param);
    buf_put(out, STR(": "));
  }
  buf_put(out, text);
}

struct str dialect_make_id(const struct dialect_exchange *x, const char *prefix, unsigned n) {
  char digits[12], *end = digits + sizeof digits, *at = end; /* on the way of every translated answer: no printf */
  do *--at = (char)('0' + n % 10);
  while (n /= 10);
  *--at = '_';
  const struct str parts[] = {str_from_c(prefix), x->reply_id, str_from(at, (size_t)(end - at))};
  return arena_join(x->arena, parts, 3);
}
