/* Shared by the dialects: see mock_json.h. */
#include "mock/mock_json.h"

#include <stdlib.h>

#include "mock/mock_schema.h"

static void free_document(void *doc) { yyjson_doc_free(doc); }

yyjson_val *mock_json_read(struct str body, struct arena *a) {
  yyjson_doc *doc = yyjson_read(body.p, body.n, 0);
  if (!doc) return NULL;
  if (!arena_on_clear(a, free_document, doc)) {
    yyjson_doc_free(doc);
    return NULL;
  }
  return yyjson_doc_get_root(doc);
}

/* yyjson_get_len also counts the members of arrays and objects, so only strings may be asked. */
struct str mock_json_str(yyjson_val *v) {
  return yyjson_is_str(v) ? str_from(yyjson_get_str(v), yyjson_get_len(v)) : STR_NONE;
}

struct str mock_json_text(yyjson_val *content, struct arena *a) {
  if (yyjson_is_str(content)) return mock_json_str(content);
  yyjson_val *part;
  size_t i, n, bytes = 0, at = 0;
  yyjson_arr_foreach(content, i, n, part) bytes += mock_json_member(part, "text").n + 1;
  char *joined = bytes ? arena_alloc(a, bytes) : NULL;
  if (!joined) return STR_NONE;
  yyjson_arr_foreach(content, i, n, part) {
    struct str text = mock_json_member(part, "text");
    if (text.n == 0) continue;
    if (at) joined[at++] = '\n';
    memcpy(joined + at, text.p, text.n);
    at += text.n;
  }
  return str_from(joined, at);
}

uint64_t mock_json_text_bytes(yyjson_val *content) {
  yyjson_val *part;
  size_t i, n;
  uint64_t bytes = mock_json_str(content).n;
  yyjson_arr_foreach(content, i, n, part) bytes += mock_json_member(part, "text").n;
  return bytes;
}

struct str mock_json_written(yyjson_val *v, struct arena *a) {
  size_t n;
  char *json = yyjson_val_write(v, 0, &n);
  if (!json) return STR_NONE;
  struct str kept = arena_dup(a, str_from(json, n));
  free(json);
  return kept;
}

struct str mock_json_escaped(struct str text, struct arena *a) {
  bool is_plain = true;
  for (size_t i = 0; i < text.n && is_plain; i++)
    is_plain = (unsigned char)text.p[i] >= 0x20 && text.p[i] != '"' && text.p[i] != '\\';
  if (is_plain && str_is_utf8(text)) return text;
  struct buf out;
  buf_init(&out, 0);
  buf_put_json(&out, text);
  struct str kept = out.failed ? STR_NONE : arena_dup(a, str_sub(buf_str(&out), 1, out.n - 1));
  buf_clear(&out);
  return kept;
}

struct str mock_json_made(yyjson_val *schema, bool is_demo, struct arena *a) {
  struct buf made;
  buf_init(&made, 1 << 20);
  mock_schema_put(&made, schema, is_demo ? STR("demo answer: no real model was called") : STR("mock"));
  struct str json = made.failed ? STR("{}") : arena_dup(a, buf_str(&made));
  buf_clear(&made);
  return json;
}

struct str mock_json_any(bool is_demo) {
  return is_demo ? STR("{\"answer\":\"demo answer: no real model was called\"}") : STR("{\"answer\":\"mock\"}");
}

/* The character that the text begins with; *bytes: its length. The text is UTF-8, as all of the mock's answers. */
static uint32_t character_at(struct str text, size_t *bytes) {
  unsigned char first = (unsigned char)text.p[0];
  size_t n = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  uint32_t c = n == 1 ? first : first & (0x7fu >> n);
  *bytes = n < text.n ? n : text.n;
  for (size_t i = 1; i < *bytes; i++) c = c << 6 | ((unsigned char)text.p[i] & 0x3f);
  return c;
}

/* As Go's and Python's encoders write it: the first escape what HTML takes for markup, the latter all beyond ASCII. */
static void put_escaped(struct buf *out, struct str text) {
  buf_put_char(out, '"');
  while (text.n) {
    size_t bytes;
    uint32_t c = character_at(text, &bytes);
    if (c >= 0x10000)
      buf_printf(out, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10), 0xdc00 + (c & 0x3ff));
    else if (c < 0x20 || c >= 0x7f || c == '<' || c == '>' || c == '&')
      buf_printf(out, "\\u%04x", c);
    else if (c == '"' || c == '\\')
      buf_put(out, c == '"' ? STR("\\\"") : STR("\\\\"));
    else
      buf_put_char(out, (char)c);
    text = str_sub(text, bytes, text.n);
  }
  buf_put_char(out, '"');
}

void mock_json_put_text(struct buf *out, const struct mock_answer *a, struct str text) {
  if (a->is_escaped) {
    put_escaped(out, text);
    return;
  }
  if (!a->is_plain) {
    buf_put_json(out, text);
    return;
  }
  buf_put_char(out, '"');
  buf_put(out, text);
  buf_put_char(out, '"');
}
