/* JSON as a tree, thin over yyjson: configuration, catalogs, replies; whatever is not read by the envelope scan. Two
 * ways in: strict for hostile bytes (RFC 8259, capped size, depth and number of values) and relaxed for files that
 * people write (comments, trailing commas, lines in errors). Getters report the path of a value of the wrong type. The
 * tree lies in the caller's arena and in the text buffer; it lives as long as both. Recursion over it is bounded by the
 * cap. */
#ifndef MAESTRO_BASE_JSON_H
#define MAESTRO_BASE_JSON_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct yyjson_val;

enum { JSON_DEPTH_MAX = 128, JSON_PADDING = 4 };

struct json_limits { /* 0: the default given */
  size_t bytes;      /* 64 MiB; beyond: ERR_BODY_TOO_LARGE */
  size_t values;     /* 1 Mi, keys counted; beyond: ERR_BAD_JSON. A value takes 16 bytes of the arena, more or less */
  unsigned depth;    /* and at most JSON_DEPTH_MAX; beyond: ERR_BAD_JSON */
  bool numbers_are_raw; /* keep every number as its digits, not only those that fit no 64-bit integer or double */
  bool mends_halves;    /* of json_parse_copy: an escaped half of a surrogate pair that stands alone reads as U+FFFD */
};

struct json {
  struct yyjson_val *root;
  struct str text;   /* relaxed: the original, for lines; must outlive the tree then */
  const char *bytes; /* what was parsed; strings point into it */
};

/* Strict, in situ: text is changed, its strings become the tree's, and text[n … n + JSON_PADDING) must be writable.
 * Without NUL, BOM or anything behind the value. ERR_BAD_JSON gives the byte, ERR_NO_MEMORY when the arena is full. */
enum err json_parse(struct json *out, char *text, size_t n, const struct json_limits *limits, struct arena *arena,
                    struct err_info *info) MUST_CHECK;
/* The same over a copy in the arena. */
enum err json_parse_copy(struct json *out, struct str text, const struct json_limits *limits, struct arena *arena,
                         struct err_info *info) MUST_CHECK;
/* A file: comments and trailing commas allowed; errors give line and column. Over a copy; text is kept for
 * json_line_of. */
enum err json_parse_relaxed(struct json *out, struct str text, const struct json_limits *limits, struct arena *arena,
                            struct err_info *info) MUST_CHECK;

/* False for text whose brackets are nested deeper than `depth`, or that has more than `values` values: told from the
 * bytes before any tree is built, and without caring for the grammar. */
bool json_is_within(struct str text, unsigned depth, size_t values);

/* A value and the way to it. Nodes stand on the caller's stack; a parent must outlive its children. */
struct json_node {
  struct yyjson_val *val; /* NULL: absent */
  const struct json_node *parent;
  struct str key; /* in an object; else empty */
  size_t index;   /* in an array */
};

enum json_type { JSON_ABSENT, JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json_node json_root(const struct json *doc);
enum json_type json_type(const struct json_node *n);
size_t json_count(const struct json_node *n); /* elements or members, else 0 */
/* The member of that key (the first, see json_check_keys); absent when there is none or n is no object. */
struct json_node json_member(const struct json_node *n, struct str key);
/* "servers[2].port"; the root's is empty. Cut to fit. */
void json_path(const struct json_node *n, char out[ERR_PARAM_MAX]);
/* Line in the file, from 1, of the value's key, of a string, else of what holds it. 0 for a strict tree. */
unsigned json_line_of(const struct json *doc, const struct json_node *n);

/* for (struct json_iter it = json_each(&list); json_next(&it, &node);) */
struct json_iter {
  const struct json_node *parent;
  struct yyjson_val *next;
  size_t index, count;
};
struct json_iter json_each(const struct json_node *n); /* of nothing when n is neither array nor object */
bool json_next(struct json_iter *it, struct json_node *out);

/* The value itself. Absent: ERR_MISSING; the wrong type, null too: ERR_BAD_TYPE; out of range: ERR_BAD_VALUE; each with
 * the path. Integers are exact: 1.0 and 1e3 are none. */
enum err json_string(const struct json_node *n, struct str *out, struct err_info *info) MUST_CHECK;
enum err json_bool(const struct json_node *n, bool *out, struct err_info *info) MUST_CHECK;
enum err json_i64(const struct json_node *n, int64_t *out, struct err_info *info) MUST_CHECK;
enum err json_u64(const struct json_node *n, uint64_t *out, struct err_info *info) MUST_CHECK;
enum err json_double(const struct json_node *n, double *out, struct err_info *info) MUST_CHECK;
/* A number's digits as written; only where the limits said numbers_are_raw. */
enum err json_number_raw(const struct json_node *n, struct str *out, struct err_info *info) MUST_CHECK;
enum err json_expect(const struct json_node *n, enum json_type type, struct err_info *info) MUST_CHECK;

/* A member of an object: absent is OK and leaves *out alone, so that defaults survive. */
enum err json_get_string(const struct json_node *n, struct str key, struct str *out, struct err_info *info) MUST_CHECK;
enum err json_get_bool(const struct json_node *n, struct str key, bool *out, struct err_info *info) MUST_CHECK;
enum err json_get_i64(const struct json_node *n, struct str key, int64_t *out, struct err_info *info) MUST_CHECK;
enum err json_get_u64(const struct json_node *n, struct str key, uint64_t *out, struct err_info *info) MUST_CHECK;
enum err json_get_double(const struct json_node *n, struct str key, double *out, struct err_info *info) MUST_CHECK;
/* An object or array; out->val is NULL when absent. */
enum err json_get_object(const struct json_node *n, struct str key, struct json_node *out,
                         struct err_info *info) MUST_CHECK;
enum err json_get_array(const struct json_node *n, struct str key, struct json_node *out,
                        struct err_info *info) MUST_CHECK;

/* The keys of one object: ERR_DUPLICATE_KEY for two that are equal, ERR_BAD_VALUE for one that equals one of `known`
 * only when letter case is ignored, or for more than 1024 members. Other keys pass. OK for what is no object. */
enum err json_check_keys(const struct json_node *n, const struct str *known, size_t known_n, struct arena *arena,
                         struct err_info *info) MUST_CHECK;

#endif
