/* A value that fits a JSON Schema, for tool arguments and structured output: required members only, the first of enum,
 * const, default, anyOf and oneOf, `$ref` into the same document's `$defs`. Deterministic; nesting is cut at 6, where
 * {} or the type's simplest value stands. Pure. */
#ifndef MAESTRO_MOCK_SCHEMA_H
#define MAESTRO_MOCK_SCHEMA_H

#include <yyjson.h>

#include "base/buf.h"

/* `text` is what strings without an enum say. A NULL or unusable schema gives {}. */
void mock_schema_put(struct buf *out, yyjson_val *schema, struct str text);

#endif
