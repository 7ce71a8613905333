/* Writes JSON member by member: see json_out.h. */
#include "base/json_out.h"

#include "base/clock.h"

/* What was written last tells whether a comma is due: none behind an opening bracket, a colon, a comma, or nothing at
 * all. A line end or a space is what a stream's frame begins with; no value ends in one, since raw ones are trimmed. */
static bool needs_comma(const struct buf *b) {
  if (b->n == 0) return false;
  switch (b->p[b->n - 1]) {
    case '{':
    case '[':
    case ':':
    case ',':
    case '\n':
    case ' ': return false;
    default: return true;
  }
}

static void separate(struct buf *b) {
  if (needs_comma(b)) buf_put_char(b, ',');
}

void json_out_begin(struct buf *b, char open) {
  separate(b);
  buf_put_char(b, open);
}

void json_out_end(struct buf *b, char close) { buf_put_char(b, close); }

void json_out_key_plain(struct buf *b, struct str key) {
  bool has_comma = needs_comma(b);
  if (!buf_reserve(b, key.n + 3 + has_comma)) return;
  char *p = b->p + b->n;
  if (has_comma) *p++ = ',';
  *p++ = '"';
  memcpy(p, key.p, key.n);
  p += key.n;
  *p++ = '"';
  *p++ = ':';
  b->n = (size_t)(p - b->p);
}

void json_out_key_str(struct buf *b, struct str key) {
  separate(b);
  buf_put_json(b, key);
  buf_put_char(b, ':');
}

void json_out_string(struct buf *b, struct str s) {
  separate(b);
  buf_put_json(b, s);
}

void json_out_raw(struct buf *b, struct str json) {
  json = str_trim(json);
  separate(b);
  buf_put(b, json.n ? json : STR("null"));
}

void json_out_i64(struct buf *b, int64_t v) {
  separate(b);
  buf_put_i64(b, v);
}

void json_out_bool(struct buf *b, bool v) { json_out_raw(b, v ? STR("true") : STR("false")); }

void json_out_value(struct buf *b, struct yyjson_val *v) {
  separate(b);
  if (v)
    json_split_put(b, v);
  else
    buf_put(b, STR("null"));
}

void json_out_member_raw_if(struct buf *b, const char *key, struct str json) {
  json = str_trim(json);
  if (!json.n) return;
  json_out_key(b, key);
  buf_put(b, json);
}

void json_out_member_tri(struct buf *b, const char *key, int8_t v) {
  if (v >= 0) json_out_member_bool(b, key, v != 0);
}

void json_out_member_value_if(struct buf *b, const char *key, struct yyjson_val *v) {
  if (!v) return;
  json_out_key(b, key);
  json_split_put(b, v);
}

void json_out_rest(struct buf *b, const struct json_rest *rest) {
  for (size_t i = 0; i < rest->n; i++) {
    json_out_key_str(b, rest->v[i].key);
    json_split_put(b, rest->v[i].value);
  }
}

void json_out_member_strings(struct buf *b, const char *key, const struct str *v, size_t n) {
  json_out_key(b, key);
  json_out_begin(b, '[');
  for (size_t i = 0; i < n; i++) json_out_string(b, v[i]);
  json_out_end(b, ']');
}

void json_out_member_time(struct buf *b, const char *key, int64_t wall_us) {
  char text[25];
  json_out_key(b, key);
  if (wall_us) {
    clock_format_rfc3339(wall_us, text);
    json_out_string(b, str_from_c(text));
  } else {
    json_out_raw(b, STR("null"));
  }
}
