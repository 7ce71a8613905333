/* The members of an object or the elements of an array, as slices of the text: for edits that leave every other byte as
 * it was. The text must be valid JSON (an envelope scan has passed); on other text the walk ends early, and never reads
 * beyond it. No tree, linear; memory only for keys that are written with escapes. */
#ifndef MAESTRO_BASE_JSON_WALK_H
#define MAESTRO_BASE_JSON_WALK_H

#include "base/arena.h"

struct json_walk {
  const char *at, *end; /* end: the closing brace or bracket */
  bool is_object;
  struct arena *a; /* for keys that are escaped */
};
struct json_walk_item {
  struct str key;    /* unescaped; of an element empty */
  struct str value;  /* raw */
  const char *begin; /* of the whole item: the key's quote, or the value */
};

/* False: the value is neither object nor array. */
bool json_walk_open(struct json_walk *w, struct str value, struct arena *a);
bool json_walk_next(struct json_walk *w, struct json_walk_item *item);
/* The value of a key, the last where it comes twice. False: it is not there, or the value is no object. */
bool json_walk_member(struct str object, struct str key, struct arena *a, struct str *value);
/* The text of a raw string, unescaped (a slice where it has no escapes); false: it is no string, or no memory. */
bool json_walk_string(struct str value, struct arena *a, struct str *out);
static inline bool json_walk_is_object(struct str value) { return value.n && value.p[0] == '{'; }
static inline bool json_walk_is_array(struct str value) { return value.n && value.p[0] == '['; }
static inline bool json_walk_is_string(struct str value) { return value.n >= 2 && value.p[0] == '"'; }

#endif
