/* One pass over a request body (or a reply, or a stream chunk) that checks the whole JSON grammar and notes where a
 * table of members of depth 1 or 2 stands ("model", "stream_options.include_usage"), without a DOM. Fed in pieces cut
 * anywhere as the body arrives; results are offsets into the whole body, so that edits are spans (base/span.h,
 * base/envelope_edit.h) and everything else is sent on byte for byte.
 *
 * Grammar: RFC 8259 (December 2017) strictly, UTF-8 well-formed, top level an object, no BOM, nothing behind it.
 * Escaped lone surrogates pass (the grammar allows them, truncating clients send them), except in values that are
 * decoded. Keys are compared after unescaping. Refused with the path in err_info.param: a duplicate at the top level or
 * in an object that has children in the table (ERR_DUPLICATE_KEY); a top-level key that equals a known one only when
 * letter case is ignored (ERR_BAD_VALUE). Unknown members are never refused and never looked into beyond the grammar.
 * Memory: the struct, and one 16 KiB block of the arena for each of two objects with more than 32 unknown members. */
#ifndef MAESTRO_BASE_ENVELOPE_SCAN_H
#define MAESTRO_BASE_ENVELOPE_SCAN_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum {
  ENVELOPE_PATHS_MAX = 64,     /* rows of a table */
  ENVELOPE_NAME_MAX = 48,      /* bytes of one key in a table */
  ENVELOPE_DEPTH_MAX = 128,    /* and the default */
  ENVELOPE_MEMBERS_MAX = 1024, /* of an object whose keys are checked; and the default */
};
#define ENVELOPE_BODY_MAX ((size_t)UINT32_MAX - 64) /* and the default */
#define ENVELOPE_NO_COMMA UINT32_MAX

enum envelope_type {
  ENVELOPE_NULL,
  ENVELOPE_FALSE,
  ENVELOPE_TRUE,
  ENVELOPE_NUMBER,
  ENVELOPE_STRING,
  ENVELOPE_ARRAY,
  ENVELOPE_OBJECT,
};

/* Where one member stands. All offsets count from the body's first byte. */
struct envelope_value {
  uint32_t key_offset;   /* the key's opening quote */
  uint32_t offset;       /* the value's first byte: a quote, a brace, a digit … */
  uint32_t length;       /* of the raw value, quotes or braces included */
  uint32_t comma_before; /* the comma before this member, or ENVELOPE_NO_COMMA for the first of its object */
  uint32_t comma_after;  /* the comma after it, or ENVELOPE_NO_COMMA for the last */
  uint32_t count;        /* elements of an array, members of an object, else 0 */
  uint8_t type;          /* enum envelope_type */
};

/* Prepared once at start-up, then shared by all threads and never changed. */
struct envelope_name {
  struct str path, name;
  uint64_t head, tail; /* the name's first and last bytes as words */
  uint8_t parent;      /* row of the parent + 1; 0 at the top level */
  bool has_children;
};
struct envelope_table {
  struct envelope_name names[ENVELOPE_PATHS_MAX];
  uint8_t slots[256]; /* row + 1, by hash; 0 free */
  uint8_t n;
};

/* Row i of the table is paths[i]: "model", or "parent.child" where "parent" is an earlier row. The bytes of paths are
 * borrowed for the table's life (string literals). ERR_INTERNAL when a row breaks these rules. */
enum err envelope_table_init(struct envelope_table *t, const struct str *paths, size_t n,
                             struct err_info *info) MUST_CHECK;

struct envelope_limits { /* 0: the maximum above */
  size_t body_bytes;     /* beyond: ERR_BODY_TOO_LARGE */
  unsigned depth;        /* containers within one another, the top-level object included; beyond: ERR_BAD_JSON */
  unsigned members;      /* of the top-level object or one with children in the table; beyond: ERR_BAD_VALUE */
  bool keys_are_lenient; /* replies: only duplicates of the table's own members are refused, no look at letter case */
};

enum { ENVELOPE_SMALL_KEYS = 32, ENVELOPE_KEY_BLOCK = 64 };

/* Hashes of the unknown keys of one object. */
struct envelope_keys {
  uint64_t *table; /* once `small` is full; from the arena, ENVELOPE_MEMBERS_MAX x 2 slots */
  uint32_t n;
  uint64_t small[ENVELOPE_SMALL_KEYS];
};

/* Private but for its size (about 3 KiB). May be moved only between calls; holds no pointer into a piece. */
struct envelope_scan {
  const struct envelope_table *table;
  struct arena *arena;
  size_t base;                                 /* bytes of all earlier pieces */
  uint64_t found;                              /* bit i: values[i] is set */
  uint64_t stack[ENVELOPE_DEPTH_MAX / 64 + 1]; /* bit d: the container of depth d is an object */
  uint32_t depth, tracked_depth;               /* keys are looked at down to tracked_depth: 1 or 2 */
  uint32_t depth_limit, members_limit, body_limit;
  uint32_t commas[4];     /* in the open container of that depth */
  uint32_t last_comma[4]; /* its offset */
  uint8_t row[4];         /* row + 1 of the member being read at that depth, 0 unknown */
  uint8_t state, sub, sub_left, utf8_low, utf8_high, number;
  bool keys_are_lenient;
  uint8_t failed; /* enum err; sticky */
  uint32_t max_depth;
  /* the key being read when it has escapes or is cut */
  uint32_t key_offset, key_bytes, code_unit, high_surrogate;
  uint64_t key_hash;
  char key[ENVELOPE_KEY_BLOCK];
  const char *literal;
  struct envelope_value root;
  struct envelope_keys seen[2]; /* of the top level, of the open object of depth 2 */
  struct envelope_value values[ENVELOPE_PATHS_MAX];
};

/* arena (may be NULL: then at most 32 unknown members in an object) is used by feed only. limits may be NULL. */
void envelope_scan_init(struct envelope_scan *s, const struct envelope_table *table,
                        const struct envelope_limits *limits, struct arena *arena);
/* The next piece, borrowed for the call. A failure is final: every later call returns it too (the text only once). */
enum err envelope_scan_feed(struct envelope_scan *s, struct str piece, struct err_info *info) MUST_CHECK;
/* After the last piece: the text must be complete. */
enum err envelope_scan_end(struct envelope_scan *s, struct err_info *info) MUST_CHECK;
/* init, feed and end over a text that is whole. */
enum err envelope_scan_whole(struct envelope_scan *s, const struct envelope_table *table,
                             const struct envelope_limits *limits, struct arena *arena, struct str text,
                             struct err_info *info) MUST_CHECK;

/* Results, after envelope_scan_end. NULL: the body has no such member. Lives as long as s. */
const struct envelope_value *envelope_scan_value(const struct envelope_scan *s, unsigned row);
/* The top-level object; key_offset and the commas mean nothing. */
const struct envelope_value *envelope_scan_root(const struct envelope_scan *s);
unsigned envelope_scan_depth(const struct envelope_scan *s); /* deepest nesting; 1 for a flat object */

/* The raw JSON of a value, a slice of body. */
static inline struct str envelope_raw(struct str body, const struct envelope_value *v) {
  return str_sub(body, v->offset, (size_t)v->offset + v->length);
}
/* Decoded values. Absent: ERR_MISSING; another type, null too: ERR_BAD_TYPE; both with the row's path as param.
 * A string without escapes is a slice of body, else it is unescaped into the arena (ERR_NO_MEMORY). Lone surrogates and
 * U+0000 are refused with ERR_BAD_VALUE. */
enum err envelope_string(const struct envelope_scan *s, unsigned row, struct str body, struct arena *arena,
                         struct str *out, struct err_info *info) MUST_CHECK;
enum err envelope_bool(const struct envelope_scan *s, unsigned row, bool *out, struct err_info *info) MUST_CHECK;
/* A number without sign, fraction or exponent that fits; else ERR_BAD_VALUE. */
enum err envelope_u64(const struct envelope_scan *s, unsigned row, struct str body, uint64_t *out,
                      struct err_info *info) MUST_CHECK;

#endif
