/* JSON as a tree: see json.h. */
#include "base/json.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <yyjson.h>

#include "base/envelope_key.h"
#include "base/json_bytes.h"

static_assert(JSON_PADDING >= YYJSON_PADDING_SIZE, "the library's padding fits into ours");

static void *take(void *arena, size_t n) { return arena_alloc(arena, n); }
static void *retake(void *arena, void *p, size_t old_n, size_t n) { return arena_realloc(arena, p, old_n, n); }
static void leave(void *arena, void *p) { (void)arena, (void)p; }

static const char *skip_string(const char *p, const char *end) {
  while ((p = json_bytes_run(p, end)) < end && *p != '"') p += *p == '\\' && end - p > 1 ? 2 : 1;
  return p < end ? p + 1 : end;
}

static const char *skip_comment(const char *p, const char *end) {
  if (end - p >= 2 && p[1] == '/') {
    while (p < end && *p != '\n') p++;
    return p;
  }
  if (end - p < 2 || p[1] != '*') return p + 1;
  for (p += 2; p < end; p++)
    if (*p == '/' && p[-1] == '*') return p + 1;
  return end;
}

/* Depth and number of values, over the brackets and commas outside of strings: before a tree is built, and without
 * caring for the grammar, which the parser checks. False when a limit is passed; *at is where. */
static bool within_limits(struct str text, bool relaxed, unsigned depth_limit, size_t values_limit, const char **at) {
  const char *p = text.p, *end = text.p + text.n;
  unsigned depth = 0;
  size_t values = 1;
  while (p < end) {
    *at = p;
    switch (*p) {
      case '"': p = skip_string(p + 1, end); continue;
      case '/': p = relaxed ? skip_comment(p, end) : p + 1; continue;
      case '{':
      case '[':
        values++;
        if (++depth > depth_limit) return false;
        break;
      case '}':
      case ']': depth -= depth > 0; break;
      case ',':
      case ':': values++; break;
      default: break;
    }
    if (values > values_limit) return false;
    p++;
  }
  return true;
}

static void line_and_column(struct str text, size_t offset, unsigned *line, unsigned *column) {
  *line = *column = 1;
  for (size_t i = 0; i < offset && i < text.n; i++) {
    *column = text.p[i] == '\n' ? 1 : *column + 1;
    *line += text.p[i] == '\n';
  }
}

static enum err bad_json(struct str original, bool relaxed, size_t offset, const char *why, struct err_info *info) {
  if (!relaxed) return err_set(info, ERR_BAD_JSON, "invalid JSON at byte %zu: %s", offset, why);
  unsigned line, column;
  line_and_column(original, offset, &line, &column);
  return err_set(info, ERR_BAD_JSON, "line %u, column %u: %s", line, column, why);
}

/* original: what `text` was before; the same bytes but for strict in situ, where only its length is used. */
static enum err parse(struct json *out, char *text, struct str original, bool relaxed, const struct json_limits *limits,
                      struct arena *arena, struct err_info *info) {
  static const struct json_limits none;
  if (!limits) limits = &none;
  size_t bytes_limit = limits->bytes ? limits->bytes : (size_t)64 << 20;
  size_t values_limit = limits->values ? limits->values : (size_t)1 << 20;
  unsigned depth_limit = limits->depth && limits->depth < JSON_DEPTH_MAX ? limits->depth : JSON_DEPTH_MAX;
  const char *at = text;
  if (original.n > bytes_limit) return err_set(info, ERR_BODY_TOO_LARGE, "more than %zu bytes of JSON", bytes_limit);
  if (original.n == 0) return err_set(info, ERR_BAD_JSON, "there is no JSON, only nothing");
  if (!within_limits(str_from(text, original.n), relaxed, depth_limit, values_limit, &at))
    return bad_json(original, relaxed, (size_t)(at - text), "nested too deeply, or too many values", info);
  const yyjson_alc alc = {take, retake, leave, arena};
  yyjson_read_flag flags = YYJSON_READ_INSITU;
  flags |= limits->numbers_are_raw ? YYJSON_READ_NUMBER_AS_RAW : YYJSON_READ_BIGNUM_AS_RAW;
  if (relaxed) flags |= YYJSON_READ_ALLOW_COMMENTS | YYJSON_READ_ALLOW_TRAILING_COMMAS;
  yyjson_read_err error = {0};
  yyjson_doc *doc = yyjson_read_opts(text, original.n, flags, &alc, &error);
  if (!doc && error.code == YYJSON_READ_ERROR_MEMORY_ALLOCATION) return ERR_NO_MEMORY;
  if (!doc) return bad_json(original, relaxed, error.pos, error.msg ? error.msg : "malformed", info);
  *out = (struct json){yyjson_doc_get_root(doc), relaxed ? original : STR_NONE, text};
  return OK;
}

bool json_is_within(struct str text, unsigned depth, size_t values) {
  const char *at;
  return within_limits(text, false, depth, values, &at);
}

enum err json_parse(struct json *out, char *text, size_t n, const struct json_limits *limits, struct arena *arena,
                    struct err_info *info) {
  return parse(out, text, str_from(text, n), false, limits, arena, info);
}

static char *padded_copy(struct str text, struct arena *arena) {
  char *copy = text.n < SIZE_MAX / 2 ? arena_alloc(arena, text.n + JSON_PADDING) : NULL;
  if (!copy) return NULL;
  if (text.n) memcpy(copy, text.p, text.n);
  memset(copy + text.n, 0, JSON_PADDING);
  return copy;
}

enum err json_parse_copy(struct json *out, struct str text, const struct json_limits *limits, struct arena *arena,
                         struct err_info *info) {
  char *copy = padded_copy(text, arena);
  enum err e = copy ? parse(out, copy, text, false, limits, arena, info) : ERR_NO_MEMORY;
  if (e != ERR_BAD_JSON || !limits || !limits->mends_halves) return e;
  if (!(copy = padded_copy(text, arena))) return ERR_NO_MEMORY;
  if (!json_bytes_mend_halves(copy, text.n)) return e;
  if (info) *info = (struct err_info){0};
  return parse(out, copy, text, false, limits, arena, info);
}

enum err json_parse_relaxed(struct json *out, struct str text, const struct json_limits *limits, struct arena *arena,
                            struct err_info *info) {
  char *copy = padded_copy(text, arena);
  return copy ? parse(out, copy, text, true, limits, arena, info) : ERR_NO_MEMORY;
}

struct json_node json_root(const struct json *doc) {
  return (struct json_node){.val = doc->root};
}

enum json_type json_type(const struct json_node *n) {
  switch (yyjson_get_type(n->val)) {
    case YYJSON_TYPE_NULL: return JSON_NULL;
    case YYJSON_TYPE_BOOL: return JSON_BOOL;
    case YYJSON_TYPE_NUM:
    case YYJSON_TYPE_RAW: return JSON_NUMBER;
    case YYJSON_TYPE_STR: return JSON_STRING;
    case YYJSON_TYPE_ARR: return JSON_ARRAY;
    case YYJSON_TYPE_OBJ: return JSON_OBJECT;
    default: return JSON_ABSENT;
  }
}

size_t json_count(const struct json_node *n) { return yyjson_is_ctn(n->val) ? yyjson_get_len(n->val) : 0; }

struct json_node json_member(const struct json_node *n, struct str key) {
  yyjson_val *val = yyjson_obj_getn(n->val, key.p ? key.p : "", key.n);
  if (val) key = str_from(unsafe_yyjson_get_str(val - 1), unsafe_yyjson_get_len(val - 1)); /* for json_line_of */
  return (struct json_node){val, n, key, 0};
}

void json_path(const struct json_node *n, char out[ERR_PARAM_MAX]) {
  const struct json_node *way[JSON_DEPTH_MAX + 1];
  size_t steps = 0, at = 0;
  for (; n->parent && steps < JSON_DEPTH_MAX + 1; n = n->parent) way[steps++] = n;
  out[0] = 0;
  while (steps-- && at + 1 < ERR_PARAM_MAX) {
    const struct json_node *step = way[steps];
    bool in_object = json_type(step->parent) == JSON_OBJECT;
    int put = in_object ? snprintf(out + at, ERR_PARAM_MAX - at, "%s%.*s", at ? "." : "", STR_ARG(step->key))
                        : snprintf(out + at, ERR_PARAM_MAX - at, "[%zu]", step->index);
    if (put < 0) return;
    at += (size_t)put;
  }
}

unsigned json_line_of(const struct json *doc, const struct json_node *n) {
  for (; n && doc->text.p; n = n->parent) {
    const char *p = n->key.p ? n->key.p : yyjson_get_str(n->val);
    uintptr_t offset = (uintptr_t)p - (uintptr_t)doc->bytes;
    if (!p || offset > doc->text.n) continue;
    unsigned line, column;
    line_and_column(doc->text, offset, &line, &column);
    return line;
  }
  return doc->text.p ? 1 : 0;
}

struct json_iter json_each(const struct json_node *n) {
  size_t count = json_count(n);
  return (struct json_iter){n, count ? unsafe_yyjson_get_first(n->val) : NULL, 0, count};
}

bool json_next(struct json_iter *it, struct json_node *out) {
  if (it->index == it->count) return false;
  yyjson_val *val = it->next;
  struct str key = STR_NONE;
  if (yyjson_is_obj(it->parent->val)) {
    key = str_from(yyjson_get_str(val), yyjson_get_len(val));
    val++; /* yyjson keeps a member's value right behind its key */
  }
  *out = (struct json_node){val, it->parent, key, it->index++};
  it->next = unsafe_yyjson_get_next(val);
  return true;
}

static enum err complain(const struct json_node *n, enum err e, const char *what, struct err_info *info) {
  char path[ERR_PARAM_MAX];
  json_path(n, path);
  if (e == ERR_MISSING) return err_set_param(info, e, path, "\"%s\" is required", path);
  if (!path[0]) return err_set_param(info, e, path, "the document must be %s", what);
  return err_set_param(info, e, path, "\"%s\" must be %s", path, what);
}

enum err json_expect(const struct json_node *n, enum json_type type, struct err_info *info) {
  static const char *const names[] = {"absent",   "null",     "true or false", "a number",
                                      "a string", "an array", "an object"};
  enum json_type is = json_type(n);
  if (is == type) return OK;
  return complain(n, is == JSON_ABSENT ? ERR_MISSING : ERR_BAD_TYPE, names[type], info);
}

enum err json_string(const struct json_node *n, struct str *out, struct err_info *info) {
  enum err e = json_expect(n, JSON_STRING, info);
  if (e == OK) *out = str_from(yyjson_get_str(n->val), yyjson_get_len(n->val));
  return e;
}

enum err json_bool(const struct json_node *n, bool *out, struct err_info *info) {
  enum err e = json_expect(n, JSON_BOOL, info);
  if (e == OK) *out = yyjson_get_bool(n->val);
  return e;
}

/* A raw number's digits as an integer. */
static bool raw_integer(struct str digits, bool *is_negative, uint64_t *value) {
  *is_negative = digits.n && digits.p[0] == '-';
  return str_to_u64(str_sub(digits, *is_negative, digits.n), value);
}

static bool integer(yyjson_val *val, bool *is_negative, uint64_t *value) {
  if (yyjson_is_raw(val)) return raw_integer(str_from(yyjson_get_raw(val), yyjson_get_len(val)), is_negative, value);
  if (!yyjson_is_int(val)) return false;
  int64_t v = yyjson_get_sint(val);
  *is_negative = yyjson_is_sint(val) && !yyjson_is_uint(val) && v < 0;
  *value = *is_negative ? 0 - (uint64_t)v : yyjson_get_uint(val);
  return true;
}

enum err json_u64(const struct json_node *n, uint64_t *out, struct err_info *info) {
  enum err e = json_expect(n, JSON_NUMBER, info);
  bool is_negative = false;
  uint64_t value = 0;
  if (e) return e;
  if (!integer(n->val, &is_negative, &value) || (is_negative && value))
    return complain(n, ERR_BAD_VALUE, "a whole number that is not negative", info);
  *out = value;
  return OK;
}

enum err json_i64(const struct json_node *n, int64_t *out, struct err_info *info) {
  enum err e = json_expect(n, JSON_NUMBER, info);
  bool is_negative = false;
  uint64_t value = 0;
  if (e) return e;
  if (!integer(n->val, &is_negative, &value) || value > (uint64_t)INT64_MAX + is_negative)
    return complain(n, ERR_BAD_VALUE, "a whole number of at most 64 bits", info);
  *out = is_negative ? (int64_t)(0 - value) : (int64_t)value;
  return OK;
}

enum err json_double(const struct json_node *n, double *out, struct err_info *info) {
  enum err e = json_expect(n, JSON_NUMBER, info);
  if (e) return e;
  double value = yyjson_get_num(n->val);
  if (yyjson_is_raw(n->val)) {
    char digits[400];
    struct str raw = str_from(yyjson_get_raw(n->val), yyjson_get_len(n->val));
    if (raw.n >= sizeof digits) return complain(n, ERR_BAD_VALUE, "a number of fewer digits", info);
    memcpy(digits, raw.p, raw.n);
    digits[raw.n] = 0;
    value = strtod(digits, NULL); /* the grammar has been checked; the process never leaves the C locale */
  }
  if (!__builtin_isfinite(value)) return complain(n, ERR_BAD_VALUE, "a number within range", info);
  *out = value;
  return OK;
}

enum err json_number_raw(const struct json_node *n, struct str *out, struct err_info *info) {
  enum err e = json_expect(n, JSON_NUMBER, info);
  if (e) return e;
  if (!yyjson_is_raw(n->val)) return err_set(info, ERR_INTERNAL, "the digits of a number were not kept");
  *out = str_from(yyjson_get_raw(n->val), yyjson_get_len(n->val));
  return OK;
}

enum err json_get_string(const struct json_node *n, struct str key, struct str *out, struct err_info *info) {
  struct json_node m = json_member(n, key);
  return m.val ? json_string(&m, out, info) : OK;
}

enum err json_get_bool(const struct json_node *n, struct str key, bool *out, struct err_info *info) {
  struct json_node m = json_member(n, key);
  return m.val ? json_bool(&m, out, info) : OK;
}

enum err json_get_i64(const struct json_node *n, struct str key, int64_t *out, struct err_info *info) {
  struct json_node m = json_member(n, key);
  return m.val ? json_i64(&m, out, info) : OK;
}

enum err json_get_u64(const struct json_node *n, struct str key, uint64_t *out, struct err_info *info) {
  struct json_node m = json_member(n, key);
  return m.val ? json_u64(&m, out, info) : OK;
}

enum err json_get_double(const struct json_node *n, struct str key, double *out, struct err_info *info) {
  struct json_node m = json_member(n, key);
  return m.val ? json_double(&m, out, info) : OK;
}

static enum err get_container(const struct json_node *n, struct str key, enum json_type type, struct json_node *out,
                              struct err_info *info) {
  struct json_node m = json_member(n, key);
  enum err e = m.val ? json_expect(&m, type, info) : OK;
  if (e == OK) *out = m;
  return e;
}

enum err json_get_object(const struct json_node *n, struct str key, struct json_node *out, struct err_info *info) {
  return get_container(n, key, JSON_OBJECT, out, info);
}

enum err json_get_array(const struct json_node *n, struct str key, struct json_node *out, struct err_info *info) {
  return get_container(n, key, JSON_ARRAY, out, info);
}

enum err json_check_keys(const struct json_node *n, const struct str *known, size_t known_n, struct arena *arena,
                         struct err_info *info) {
  struct envelope_key_set seen = {.table = NULL};
  struct json_node m;
  if (json_type(n) != JSON_OBJECT) return OK;
  if (json_count(n) > ENVELOPE_MEMBERS_MAX) return complain(n, ERR_BAD_VALUE, "an object of fewer members", info);
  for (struct json_iter it = json_each(n); json_next(&it, &m);) {
    char path[ERR_PARAM_MAX];
    for (size_t i = 0; i < known_n; i++) {
      if (!str_eq_nocase(m.key, known[i]) || str_eq(m.key, known[i])) continue;
      json_path(&m, path);
      return err_set_param(info, ERR_BAD_VALUE, path, "\"%s\" differs from a known member only in letter case", path);
    }
    enum err e = envelope_key_set_add(&seen, envelope_key_hash(m.key.p, m.key.n), arena);
    if (e == OK) continue;
    if (e != ERR_DUPLICATE_KEY) return e;
    json_path(&m, path);
    return err_set_param(info, e, path, "\"%s\" appears twice", path);
  }
  return OK;
}
