/* An object's members, told apart: those of a table of names, and the rest, which is kept. What decoders of wire
 * formats are made of: nothing is lost, nothing is looked up twice. Values stay in their tree. */
#ifndef MAESTRO_BASE_JSON_SPLIT_H
#define MAESTRO_BASE_JSON_SPLIT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct yyjson_val;

struct json_rest_member {
  struct str key; /* unescaped */
  struct yyjson_val *value;
};
struct json_rest {
  struct json_rest_member *v; /* in the order they were written */
  size_t n, room;             /* room: of v, where json_rest_add has made it, else 0 */
};

enum { JSON_SPLIT_NAMES_MAX = 64, JSON_SPLIT_MEMBERS_MAX = 1024 };

/* found[i] (room for n, at most JSON_SPLIT_NAMES_MAX; written on failure as well) becomes the value of names[i], NULL
 * where it is absent or null. Unknown members, and known ones that are null, go to *rest. ERR_BAD_TYPE when `object` is
 * none (NULL too), ERR_DUPLICATE_KEY (info->param: the key) for a known key that comes twice, ERR_BAD_VALUE for more
 * than JSON_SPLIT_MEMBERS_MAX members. */
enum err json_split(struct arena *a, struct yyjson_val *object, const struct str *names, size_t n,
                    struct yyjson_val **found, struct json_rest *rest, struct err_info *info) MUST_CHECK;

/* Adds a member behind the others; room grows by doubling, so many may be added. ERR_NO_MEMORY only. */
enum err json_rest_add(struct arena *a, struct json_rest *rest, struct str key, struct yyjson_val *value) MUST_CHECK;
/* Adds all of `more`, the rest of an object within the node, under their paths: "<path>.<key>"; an empty path: under
 * their keys. ERR_NO_MEMORY only. */
enum err json_rest_join(struct arena *a, struct json_rest *rest, struct str path,
                        const struct json_rest *more) MUST_CHECK;
bool json_rest_is_null(const struct json_rest_member *m);
/* The value as compact JSON, numbers as they were read. */
void json_split_put(struct buf *out, struct yyjson_val *value);

#endif
