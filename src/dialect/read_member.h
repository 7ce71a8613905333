/* Members of a request's JSON tree with their types checked and the path of what is wrong, in the caller's words
 * ("messages[3].images[1]"). What decoders of requests are made of, beside json_split. A member that is absent (NULL)
 * leaves its output alone. Trees have raw numbers. Pure. */
#ifndef MAESTRO_DIALECT_READ_MEMBER_H
#define MAESTRO_DIALECT_READ_MEMBER_H

#include "base/arena.h"
#include "base/err.h"
#include "base/json_split.h"

struct yyjson_val;

/* Where the members stand: the path of their object (empty: the top level), and who hears of faults. */
struct read_member {
  const char *path;
  struct arena *arena;
  struct err_info *info;
};

/* "<path>.<name>"; name may be empty. Cut to fit. */
void read_member_path(const struct read_member *at, const char *name, char out[ERR_PARAM_MAX]);
/* ERR_BAD_TYPE at the member: `what` is wanted ("a string"). */
enum err read_member_bad_type(const struct read_member *at, const char *name, const char *what);
enum err read_member_bad_value(const struct read_member *at, const char *name, const char *why);
enum err read_member_missing(const struct read_member *at, const char *name);

/* json_split with the path in its errors. */
enum err read_member_split(const struct read_member *at, struct yyjson_val *object, const struct str *names, size_t n,
                           struct yyjson_val **found, struct json_rest *rest) MUST_CHECK;
enum err read_member_string(const struct read_member *at, const char *name, struct yyjson_val *v,
                            struct str *out) MUST_CHECK;
/* 0 or 1 */
enum err read_member_bool(const struct read_member *at, const char *name, struct yyjson_val *v, int8_t *out) MUST_CHECK;
/* The digits as written. */
enum err read_member_number(const struct read_member *at, const char *name, struct yyjson_val *v,
                            struct str *out) MUST_CHECK;
enum err read_member_array(const struct read_member *at, const char *name, struct yyjson_val *v) MUST_CHECK;
enum err read_member_object(const struct read_member *at, const char *name, struct yyjson_val *v) MUST_CHECK;
/* An array of strings. */
enum err read_member_strings(const struct read_member *at, const char *name, struct yyjson_val *v, struct str **out,
                             size_t *n) MUST_CHECK;
/* The value as compact JSON, numbers as written, in the arena; {NULL, 0} when memory is short. */
struct str read_member_json(const struct read_member *at, struct yyjson_val *v);

#endif
