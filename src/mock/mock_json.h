/* What the dialects' readers and templates share: documents that live as long as an arena, texts out of content in
 * parts, JSON made to fit a schema. Pure. */
#ifndef MAESTRO_MOCK_JSON_H
#define MAESTRO_MOCK_JSON_H

#include <yyjson.h>

#include "mock/mock_answer.h"

#define PUT(out, literal) buf_put(out, STR(literal))

/* The root, or NULL when it is no JSON (or memory is short). */
yyjson_val *mock_json_read(struct str body, struct arena *a);
/* A string's bytes; empty for any other value. */
struct str mock_json_str(yyjson_val *v);
static inline struct str mock_json_member(yyjson_val *object, const char *key) {
  return mock_json_str(yyjson_obj_get(object, key));
}
static inline bool mock_json_is_role(yyjson_val *message, const char *role) {
  return yyjson_equals_str(yyjson_obj_get(message, "role"), role);
}
/* Content: a string, or the `text` members of an array joined by LF. */
struct str mock_json_text(yyjson_val *content, struct arena *a);
/* Bytes of the same text. */
uint64_t mock_json_text_bytes(yyjson_val *content);
/* On one line. */
struct str mock_json_written(yyjson_val *v, struct arena *a);
/* As it stands between quotes. */
struct str mock_json_escaped(struct str text, struct arena *a);
/* Made from a schema (mock_schema.h); NULL gives {}. */
struct str mock_json_made(yyjson_val *schema, bool is_demo, struct arena *a);
/* An object where any will do. */
struct str mock_json_any(bool is_demo);
/* A piece of the answer's text as a JSON string. */
void mock_json_put_text(struct buf *out, const struct mock_answer *a, struct str text);

#endif
