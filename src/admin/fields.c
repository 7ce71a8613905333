/* Bodies as tables of fields: see fields.h. One function for each type reads, one names its schema; a table's element
 * tables are static, so the recursion over them is as deep as the tables are. */
#include "admin/fields.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/json_out.h"
#include "state/config/config_price.h"

enum { FIELDS_MAX = 32 /* bits of `allowed` */, LISTED_BYTES = 160 };

enum err fields_refuse(const struct json_node *n, const char *why, struct err_info *info) {
  char path[ERR_PARAM_MAX];
  json_path(n, path);
  return fields_refuse_named(info, path, "\"%s\" %s", path, why);
}

enum err fields_refuse_named(struct err_info *info, const char *name, const char *format, ...) {
  char text[ERR_TEXT_MAX];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  if (info) info->http_status = 422;
  return err_set_param(info, ERR_BAD_VALUE, name, "%s", text);
}

/* ---- each type ---- */

static enum err check_string(const struct field *f, const struct json_node *n, struct str s, struct err_info *info) {
  bool fits = (f->max == 0 || s.n <= (size_t)f->max) && s.n >= (size_t)f->min;
  return fits && (!f->is_valid || f->is_valid(s)) ? OK : fields_refuse(n, f->must, info);
}

static enum err read_string(struct arena *a, const struct json_node *n, const struct field *f, void *value,
                            struct err_info *info) {
  struct str s;
  (void)a;
  enum err e = json_string(n, &s, info);
  if (!e) e = check_string(f, n, s, info);
  if (!e) *(struct str *)value = s;
  return e;
}

static enum err read_bool(struct arena *a, const struct json_node *n, const struct field *f, void *value,
                          struct err_info *info) {
  (void)a, (void)f;
  return json_bool(n, value, info);
}

static enum err check_range(const struct field *f, const struct json_node *n, int64_t v, struct err_info *info) {
  char why[96];
  if (v >= f->min && v <= f->max) return OK;
  if (f->must) return fields_refuse(n, f->must, info);
  snprintf(why, sizeof why, "must be %lld to %lld%s", (long long)f->min, (long long)f->max,
           f->type == FIELD_USD ? " nano-USD" : "");
  return fields_refuse(n, why, info);
}

static enum err read_integer(struct arena *a, const struct json_node *n, const struct field *f, void *value,
                             struct err_info *info) {
  int64_t v = 0;
  (void)a;
  enum err e = json_i64(n, &v, info);
  if (!e) e = check_range(f, n, v, info);
  if (!e) *(int64_t *)value = v;
  return e;
}

static enum err read_usd(struct arena *a, const struct json_node *n, const struct field *f, void *value,
                         struct err_info *info) {
  struct str digits;
  int64_t v = 0;
  (void)a;
  enum err e = json_type(n) == JSON_STRING ? json_string(n, &digits, info) : json_number_raw(n, &digits, info);
  const char *why = e ? NULL : config_price_parse_usd(digits, &v);
  if (why) e = fields_refuse(n, f->must ? f->must : why, info);
  if (!e) e = check_range(f, n, v, info);
  if (!e) *(int64_t *)value = v;
  return e;
}

static void put_choices(const struct field *f, struct buf *out) {
  for (int64_t i = 0; i < f->max; i++) {
    if (i) buf_put(out, i + 1 < f->max ? STR(", ") : STR(" or "));
    buf_put(out, str_from_c(f->choices[i]));
  }
}

static enum err read_choice(struct arena *a, const struct json_node *n, const struct field *f, void *value,
                            struct err_info *info) {
  struct str s;
  char room[ERR_TEXT_MAX];
  struct buf why = {.p = room, .cap = sizeof room, .limit_bytes = sizeof room};
  (void)a;
  enum err e = json_string(n, &s, info);
  if (e) return e;
  for (unsigned i = 0; i < (unsigned)f->max; i++) {
    if (!str_eq(s, str_from_c(f->choices[i]))) continue;
    *(unsigned *)value = i;
    return OK;
  }
  buf_put(&why, STR("must be "));
  put_choices(f, &why);
  buf_put_char(&why, '\0');
  return fields_refuse(n, why.failed ? "is none of those that it may be" : room, info);
}

static enum err expect_list(const struct json_node *n, const struct field *f, struct err_info *info) {
  enum err e = json_expect(n, JSON_ARRAY, info);
  if (!e && json_count(n) > (size_t)f->max) e = fields_refuse(n, "has too many elements", info);
  if (!e && json_count(n) < (size_t)f->min) e = fields_refuse(n, "has too few elements", info);
  return e;
}

static enum err read_strings(struct arena *a, const struct json_node *n, const struct field *f, void *value,
                             struct err_info *info) {
  struct json_node node;
  enum err e = expect_list(n, f, info);
  if (e) return e;
  struct str *v = ARENA_NEW_ARRAY(a, struct str, json_count(n) + 1);
  size_t done = 0;
  if (!v) return ERR_NO_MEMORY;
  for (struct json_iter it = json_each(n); json_next(&it, &node); done++) {
    e = json_string(&node, &v[done], info);
    if (!e && f->is_valid && !f->is_valid(v[done])) e = fields_refuse(&node, f->must, info);
    for (size_t i = 0; !e && i < done; i++)
      if (str_eq(v[i], v[done])) e = fields_refuse(&node, "comes twice", info);
    if (e) return e;
  }
  *(struct field_strings *)value = (struct field_strings){v, done};
  return OK;
}

static enum err read_object(struct arena *a, const struct json_node *root, const struct fields *fields,
                            unsigned allowed, unsigned required, void *out, struct err_info *info);

static enum err read_one_object(struct arena *a, const struct json_node *n, const struct field *f, void *value,
                                struct err_info *info) {
  return read_object(a, n, f->element, ~0u, f->element_required, value, info);
}

static enum err read_objects(struct arena *a, const struct json_node *n, const struct field *f, void *value,
                             struct err_info *info) {
  struct json_node node;
  enum err e = expect_list(n, f, info);
  if (e) return e;
  size_t bytes = f->element->bytes, done = 0;
  char *v = arena_alloc(a, (json_count(n) + 1) * bytes);
  if (!v) return ERR_NO_MEMORY;
  for (struct json_iter it = json_each(n); json_next(&it, &node); done++) {
    e = read_object(a, &node, f->element, ~0u, f->element_required, v + done * bytes, info);
    if (e) return e;
  }
  *(struct field_objects *)value = (struct field_objects){v, done};
  return OK;
}

static enum err read_other(struct arena *a, const struct json_node *n, const struct field *f, void *value,
                           struct err_info *info) {
  return f->read(a, n, value, info);
}

static enum err (*const readers[FIELD_TYPE_COUNT])(struct arena *, const struct json_node *, const struct field *,
                                                   void *, struct err_info *) = {
    [FIELD_STRING] = read_string,     [FIELD_BOOL] = read_bool,       [FIELD_INTEGER] = read_integer,
    [FIELD_USD] = read_usd,           [FIELD_CHOICE] = read_choice,   [FIELD_STRINGS] = read_strings,
    [FIELD_OBJECT] = read_one_object, [FIELD_OBJECTS] = read_objects, [FIELD_OTHER] = read_other};

/* ---- an object ---- */

/* What null stands for; strings, lists and the rest are zero, as the whole struct was at first. */
static void set_none(const struct field *f, void *value) {
  if (f->type == FIELD_INTEGER || f->type == FIELD_USD) *(int64_t *)value = f->none;
}

static const struct field *find(const struct fields *fields, struct str key, unsigned allowed) {
  for (size_t i = 0; i < fields->n; i++)
    if (allowed & fields->v[i].bit && str_eq(fields->v[i].key, key)) return &fields->v[i];
  return NULL;
}

/* "did you mean …?", else what is taken, as far as there is room. */
static enum err refuse_unknown(const struct json_node *n, const struct fields *fields, unsigned allowed,
                               struct err_info *info) {
  const char *names[FIELDS_MAX];
  char room[ERR_TEXT_MAX];
  size_t count = 0;
  struct buf why = {.p = room, .cap = sizeof room, .limit_bytes = sizeof room};
  for (size_t i = 0; i < fields->n && count < FIELDS_MAX; i++)
    if (allowed & fields->v[i].bit) names[count++] = fields->v[i].key.p;
  const char *near = str_nearest(n->key, names, count);
  buf_put(&why, STR("is not taken here"));
  if (near) {
    buf_put(&why, STR("; did you mean \""));
    buf_put(&why, str_from_c(near));
    buf_put(&why, STR("\"?"));
  }
  for (size_t i = 0; !near && i < count; i++) {
    bool has_room = why.n + strlen(names[i]) < LISTED_BYTES;
    buf_put(&why, i ? STR(", ") : STR("; known here: "));
    buf_put(&why, has_room ? str_from_c(names[i]) : STR("..."));
    if (!has_room) break;
  }
  buf_put_char(&why, '\0');
  return fields_refuse(n, room, info);
}

static enum err check_required(const struct json_node *root, const struct fields *fields, unsigned required,
                               unsigned has, struct err_info *info) {
  for (size_t i = 0; i < fields->n; i++) {
    const struct field *f = &fields->v[i];
    if (!(required & f->bit & ~has)) continue;
    const struct json_node absent = {.parent = root, .key = f->key};
    char path[ERR_PARAM_MAX];
    json_path(&absent, path);
    return err_set_param(info, ERR_MISSING, path, "\"%s\" is required", path);
  }
  return OK;
}

static enum err read_object(struct arena *a, const struct json_node *root, const struct fields *fields,
                            unsigned allowed, unsigned required, void *out, struct err_info *info) {
  struct json_node node;
  unsigned has = 0;
  memset(out, 0, fields->bytes);
  enum err e = json_expect(root, JSON_OBJECT, info);
  if (!e) e = json_check_keys(root, NULL, 0, a, info);
  if (e) return e;
  for (struct json_iter it = json_each(root); json_next(&it, &node);) {
    const struct field *f = find(fields, node.key, allowed);
    if (!f) return refuse_unknown(&node, fields, allowed, info);
    void *value = (char *)out + f->offset;
    bool is_null = f->is_nullable && json_type(&node) == JSON_NULL;
    if (is_null)
      set_none(f, value);
    else
      e = readers[f->type](a, &node, f, value, info);
    if (e) return e;
    has |= f->bit;
  }
  *(unsigned *)out = has;
  return check_required(root, fields, required, has, info);
}

enum err fields_read_node(struct arena *a, const struct json_node *n, const struct fields *fields, unsigned allowed,
                          unsigned required, void *out, struct err_info *info) {
  return read_object(a, n, fields, allowed, required, out, info);
}

enum err fields_read(struct arena *a, struct str body, const struct fields *fields, unsigned allowed, unsigned required,
                     void *out, struct err_info *info) {
  static const struct json_limits limits = {.numbers_are_raw = true};
  struct err_info why = {0};
  struct json doc;
  if (!str_trim(body).n) body = STR("{}");
  enum err e = json_parse_copy(&doc, body, &limits, a, info);
  if (e) return e;
  const struct json_node root = json_root(&doc);
  void *read = arena_alloc(a, fields->bytes);
  if (!read) return ERR_NO_MEMORY;
  e = read_object(a, &root, fields, allowed, required, read, &why);
  if (!e) {
    memcpy(out, read, fields->bytes);
    return OK;
  }
  if (err_blame(e) == ERR_BLAME_CLIENT) why.http_status = 422;
  if (info) *info = why;
  return e;
}

/* ---- schemas ---- */

static void put_range(struct buf *b, const char *min_key, const char *max_key, const struct field *f) {
  if (f->min) json_out_member_i64(b, min_key, f->min);
  if (f->max && f->max != INT64_MAX) json_out_member_i64(b, max_key, f->max);
}

static void put_type(struct buf *b, const char *type, bool is_nullable) {
  json_out_key(b, "type");
  if (is_nullable) json_out_begin(b, '[');
  json_out_string(b, str_from_c(type));
  if (!is_nullable) return;
  json_out_string(b, STR("null"));
  json_out_end(b, ']');
}

static void put_properties(const struct fields *fields, unsigned allowed, unsigned required, struct buf *out);

/* As deep as the tables are. */
static void put_field_schema(struct buf *b, const struct field *f) {
  json_out_begin(b, '{');
  switch (f->type) {
    case FIELD_STRING:
      put_type(b, "string", f->is_nullable);
      put_range(b, "minLength", "maxLength", f);
      break;
    case FIELD_BOOL: put_type(b, "boolean", f->is_nullable); break;
    case FIELD_INTEGER:
      put_type(b, "integer", f->is_nullable);
      put_range(b, "minimum", "maximum", f);
      break;
    case FIELD_USD: /* or its digits as text, which no number loses */
      json_out_key(b, "type");
      json_out_raw(b, f->is_nullable ? STR("[\"number\",\"string\",\"null\"]") : STR("[\"number\",\"string\"]"));
      break;
    case FIELD_CHOICE:
      put_type(b, "string", f->is_nullable);
      json_out_key(b, "enum");
      json_out_begin(b, '[');
      for (int64_t i = 0; i < f->max; i++) json_out_string(b, str_from_c(f->choices[i]));
      if (f->is_nullable) json_out_raw(b, STR("null"));
      json_out_end(b, ']');
      break;
    case FIELD_STRINGS:
    case FIELD_OBJECTS:
      put_type(b, "array", f->is_nullable);
      put_range(b, "minItems", "maxItems", f);
      json_out_key(b, "items");
      if (f->type == FIELD_OBJECTS)
        fields_put_schema(f->element, ~0u, f->element_required, b);
      else
        json_out_raw(b, STR("{\"type\":\"string\"}"));
      break;
    case FIELD_OBJECT:
      put_type(b, "object", f->is_nullable);
      put_properties(f->element, ~0u, f->element_required, b);
      break;
    case FIELD_OTHER: buf_put(b, str_from_c(f->schema)); break;
    case FIELD_TYPE_COUNT: break;
  }
  if (f->help) json_out_member_string(b, "description", str_from_c(f->help));
  json_out_end(b, '}');
}

/* How many names that field has: rows with one bit are names of one thing. */
static size_t count_names(const struct fields *fields, const struct field *f) {
  size_t n = 0;
  for (size_t i = 0; i < fields->n; i++) n += fields->v[i].bit == f->bit;
  return n;
}

static const struct field *first_name(const struct fields *fields, const struct field *f) {
  const struct field *first = fields->v;
  while (first->bit != f->bit) first++;
  return first;
}

static void begin_list(struct buf *out, const char *key) {
  json_out_key(out, key);
  json_out_begin(out, '[');
}

/* {"required":["a"]},… for each name. */
static void put_alternatives(const struct fields *fields, const struct field *f, struct buf *out) {
  json_out_begin(out, '{');
  begin_list(out, "anyOf");
  for (size_t i = 0; i < fields->n; i++) {
    if (fields->v[i].bit != f->bit) continue;
    json_out_begin(out, '{');
    begin_list(out, "required");
    json_out_string(out, fields->v[i].key);
    json_out_end(out, ']');
    json_out_end(out, '}');
  }
  json_out_end(out, ']');
  json_out_end(out, '}');
}

static void put_required(const struct fields *fields, unsigned required, struct buf *out) {
  bool has_names = false;
  if (!required) return;
  begin_list(out, "required");
  for (size_t i = 0; i < fields->n; i++) {
    const struct field *f = &fields->v[i];
    bool has_one = count_names(fields, f) == 1;
    if (required & f->bit && has_one) json_out_string(out, f->key);
    if (required & f->bit && !has_one) has_names = true;
  }
  json_out_end(out, ']');
  if (!has_names) return;
  begin_list(out, "allOf");
  for (size_t i = 0; i < fields->n; i++) {
    const struct field *f = &fields->v[i];
    if (required & f->bit && count_names(fields, f) > 1 && first_name(fields, f) == f) put_alternatives(fields, f, out);
  }
  json_out_end(out, ']');
}

static void put_properties(const struct fields *fields, unsigned allowed, unsigned required, struct buf *out) {
  json_out_member_bool(out, "additionalProperties", false);
  json_out_key(out, "properties");
  json_out_begin(out, '{');
  for (size_t i = 0; i < fields->n; i++) {
    if (!(allowed & fields->v[i].bit)) continue;
    json_out_key_plain(out, fields->v[i].key);
    put_field_schema(out, &fields->v[i]);
  }
  json_out_end(out, '}');
  put_required(fields, allowed & required, out);
}

void fields_put_schema(const struct fields *fields, unsigned allowed, unsigned required, struct buf *out) {
  json_out_begin(out, '{');
  put_type(out, "object", false);
  put_properties(fields, allowed, required, out);
  json_out_end(out, '}');
}
