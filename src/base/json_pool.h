/* JSON trees one after the other over the same memory: for streams, whose frames are parsed by the thousand. A tree
 * lives until the next parse; after the first few frames nothing is allocated. Owned by its holder; not thread-safe.
 * Numbers stay as they were written (yyjson's raw type). */
#ifndef MAESTRO_BASE_JSON_POOL_H
#define MAESTRO_BASE_JSON_POOL_H

#include "base/err.h"
#include "base/str.h"

struct yyjson_val;

struct yyjson_doc;

struct json_pool { /* zero-initialise */
  char *bytes;
  size_t cap;
  struct yyjson_doc *large; /* the last tree, where its text was too large for the pool */
  /* The trees are pieces of one answer: half a surrogate pair that ends a string waits for the next string that begins
   * with the other, as servers that count in UTF-16 cut their texts. One half waits at most; where its other half never
   * comes it is gone. */
  bool joins_halves;
  char half[6]; /* the escape that waits; half[0] is 0 while none does */
};

void json_pool_clear(struct json_pool *p);
/* The root of text, which is copied; NULL when it is no JSON (RFC 8259; an escaped lone surrogate reads as U+FFFD), is
 * nested deeper than JSON_DEPTH_MAX (json.h), has more than a million values, or memory is short. Strings are slices of
 * the pool. */
struct yyjson_val *json_pool_parse(struct json_pool *p, struct str text);

/* Shorthands over trees: empty, -1 or false where the member is absent or of another type. */
struct str json_pool_member(struct yyjson_val *object, struct str key);
static inline struct str json_pool_str(struct yyjson_val *object, const char *key) { /* a literal's length is known */
  return json_pool_member(object, str_from_c(key));
}
struct str json_pool_text(struct yyjson_val *value); /* of a string */
/* A whole number of at least 0, also written as 12.0; else -1. */
int64_t json_pool_count(struct yyjson_val *value);

#endif
