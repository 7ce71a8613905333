/* Schemas of answers: see schema.h. */
#include "base/schema.h"

#include "base/json_out.h"

static const struct type {
  const char *json;   /* NULL: composed below */
  const char *format; /* NULL: none */
  const char *unit;   /* NULL: none */
  bool is_positive;
  const char *items;  /* the schema of a list's elements; NULL: anything, or `of` */
  const char *people; /* what the pages call it; NULL: its words */
} types[SCHEMA_TYPE_COUNT] = {
    [SCHEMA_TEXT] = {"string", .people = "text"},
    [SCHEMA_BOOL] = {"boolean", .people = "true or false"},
    [SCHEMA_INTEGER] = {"integer", .people = "whole number"},
    [SCHEMA_COUNT] = {"integer", .is_positive = true, .people = "count"},
    [SCHEMA_TOKENS] = {"integer", .unit = "tokens", .is_positive = true, .people = "tokens"},
    [SCHEMA_BYTES] = {"integer", .unit = "bytes", .is_positive = true, .people = "bytes"},
    [SCHEMA_SECONDS] = {"integer", .unit = "s", .is_positive = true, .people = "seconds"},
    [SCHEMA_MS] = {"number", .unit = "ms", .is_positive = true, .people = "milliseconds"},
    [SCHEMA_USD] = {"number", .unit = "USD", .people = "US dollars"},
    [SCHEMA_NUMBER] = {"number", .people = "number"},
    [SCHEMA_TIME] = {"string", .format = "date-time", .people = "time"},
    [SCHEMA_DAY] = {"string", .format = "date", .people = "day"},
    [SCHEMA_WORD] = {"string"},
    [SCHEMA_TEXTS] = {"array", .items = "{\"type\":\"string\"}", .people = "list of texts"},
    [SCHEMA_TEXTS_OR_NULLS] = {"array", .items = "{\"type\":[\"string\",\"null\"]}",
                               .people = "list of texts or nulls"},
    [SCHEMA_COUNTS] = {"array", .items = "{\"type\":\"integer\",\"minimum\":0}", .people = "list of counts"},
    [SCHEMA_OBJECT] = {.people = "object"},
    [SCHEMA_LIST] = {"array", .people = "list of objects"},
    [SCHEMA_MAP] = {"object", .people = "objects by name"},
    [SCHEMA_ANY] = {.people = "any JSON"},
    [SCHEMA_ANYS] = {"array", .people = "list"},
};

static void put_words(const struct schema_member *m, struct buf *b) {
  struct str rest = str_from_c(m->words), word;
  json_out_key(b, "enum");
  json_out_begin(b, '[');
  for (bool more = true; more;) {
    more = str_cut(rest, '|', &word, &rest);
    json_out_string(b, word);
  }
  if (m->type & SCHEMA_NULL) json_out_raw(b, STR_NONE);
  json_out_end(b, ']');
}

/* The members of an object's schema that say of what type it is. */
static void put_type(const struct schema_member *m, struct buf *b) {
  const struct type *t = &types[schema_type_of(m)];
  if (!t->json) return;
  json_out_key(b, "type");
  if (m->type & SCHEMA_NULL) json_out_begin(b, '[');
  json_out_string(b, str_from_c(t->json));
  if (m->type & SCHEMA_NULL) {
    json_out_string(b, STR("null"));
    json_out_end(b, ']');
  }
  if (t->format) json_out_member_string(b, "format", str_from_c(t->format));
  if (t->is_positive) json_out_member_i64(b, "minimum", 0);
  if (t->unit) json_out_member_string(b, "x-unit", str_from_c(t->unit));
}

/* In a list of one, so that a description may stand beside it whatever it is. */
static void put_object(const struct schema_member *m, struct buf *b) {
  bool is_nullable = m->type & SCHEMA_NULL;
  json_out_key(b, is_nullable ? "anyOf" : "allOf");
  json_out_begin(b, '[');
  schema_put_use(m->of, b);
  if (is_nullable) json_out_raw(b, STR("{\"type\":\"null\"}"));
  json_out_end(b, ']');
}

static void put_use(const char *key, const struct schema *s, struct buf *b) {
  json_out_key(b, key);
  schema_put_use(s, b);
}

static void put_composed(const struct schema_member *m, struct buf *b) {
  unsigned type = schema_type_of(m);
  if (type == SCHEMA_WORD) put_words(m, b);
  if (type == SCHEMA_OBJECT) put_object(m, b);
  if (type == SCHEMA_LIST) put_use("items", m->of, b);
  if (type == SCHEMA_MAP) put_use("additionalProperties", m->of, b);
  if (types[type].items) json_out_member_raw_if(b, "items", str_from_c(types[type].items));
}

static void put_member(void *arg, const struct schema_member *m) {
  struct buf *b = arg;
  json_out_key(b, m->key);
  if (schema_type_of(m) == SCHEMA_OBJECT && !(m->type & SCHEMA_NULL) && !m->help) {
    schema_put_use(m->of, b);
    return;
  }
  json_out_begin(b, '{');
  put_type(m, b);
  put_composed(m, b);
  if (m->help) json_out_member_string(b, "description", str_from_c(m->help));
  json_out_end(b, '}');
}

static void put_required(void *arg, const struct schema_member *m) {
  if (!(m->type & SCHEMA_OPTIONAL)) json_out_string(arg, str_from_c(m->key));
}

void schema_each(const struct schema *s, void (*fn)(void *arg, const struct schema_member *m), void *arg) {
  for (size_t i = 0; i < s->n; i++)
    if (schema_type_of(&s->v[i]) == SCHEMA_PART)
      schema_each(s->v[i].of, fn, arg);
    else
      fn(arg, &s->v[i]);
}

struct walk {
  struct buf path;
  void (*fn)(void *arg, struct str path, const struct schema_member *m);
  void *arg;
};

static void walk_member(void *arg, const struct schema_member *m) {
  struct walk *w = arg;
  size_t n = w->path.n;
  if (n) buf_put_char(&w->path, '.');
  buf_put(&w->path, str_from_c(m->key));
  w->fn(w->arg, buf_str(&w->path), m);
  if (m->of && !m->of->name) {
    if (schema_type_of(m) == SCHEMA_LIST) buf_put(&w->path, STR("[]"));
    if (schema_type_of(m) == SCHEMA_MAP) buf_put(&w->path, STR(".*"));
    schema_each(m->of, walk_member, w);
  }
  w->path.n = n;
}

void schema_walk(const struct schema *s, void (*fn)(void *arg, struct str path, const struct schema_member *m),
                 void *arg) {
  char room[256];
  struct walk w = {{.p = room, .cap = sizeof room, .limit_bytes = sizeof room}, fn, arg};
  schema_each(s, walk_member, &w);
}

void schema_put(const struct schema *s, struct buf *out) {
  if (s->put) {
    s->put(out);
    return;
  }
  json_out_begin(out, '{');
  json_out_member_string(out, "type", STR("object"));
  json_out_key(out, "properties");
  json_out_begin(out, '{');
  schema_each(s, put_member, out);
  json_out_end(out, '}');
  json_out_key(out, "required");
  json_out_begin(out, '[');
  schema_each(s, put_required, out);
  json_out_end(out, ']');
  if (s->is_open) json_out_member_bool(out, "additionalProperties", true);
  json_out_end(out, '}');
}

void schema_put_use(const struct schema *s, struct buf *out) {
  if (!s->name) {
    schema_put(s, out);
    return;
  }
  json_out_begin(out, '{');
  json_out_key(out, "$ref");
  json_out_begin(out, '"');
  buf_put(out, STR("#/components/schemas/"));
  buf_put(out, str_from_c(s->name));
  buf_put_char(out, '"');
  json_out_end(out, '}');
}

void schema_put_type(const struct schema_member *m, struct buf *out) {
  struct str rest = str_from_c(m->words), word;
  const struct type *t = &types[schema_type_of(m)];
  for (bool more = !t->people; more;) {
    more = str_cut(rest, '|', &word, &rest);
    buf_put(out, word);
    if (more) buf_put(out, STR(", "));
  }
  if (t->people) buf_put(out, str_from_c(t->people));
  if (m->type & SCHEMA_NULL) buf_put(out, STR(" or null"));
}

void schema_each_named(const struct schema *s, void (*fn)(void *arg, const struct schema *named), void *arg) {
  if (s->name) fn(arg, s);
  for (size_t i = 0; i < s->n; i++)
    if (s->v[i].of) schema_each_named(s->v[i].of, fn, arg);
}
