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

#include "base/envelope.h"
#include "base/envelope_key.h"

enum { ENVELOPE_DEPTH_MAX = 128 };                  /* and the default */
#define ENVELOPE_BODY_MAX ((size_t)UINT32_MAX - 64) /* and the default */

struct envelope_limits { /* 0: the maximum above */
  size_t body_bytes;     /* beyond: ERR_BODY_TOO_LARGE */
  unsigned depth;        /* containers within one another, the top-level object included; beyond: ERR_BAD_JSON */
  unsigned members;      /* of the top-level object or one with children in the table; beyond (1024): ERR_BAD_VALUE */
  bool keys_are_lenient; /* replies: only duplicates of the table's own members are refused, no look at letter case */
};

/* Private (about 3 KiB); to be kept at one place between init and the last call. */
struct envelope_scan {
  const struct envelope_table *table;
  struct arena *arena;
  struct err_info *info; /* during feed and end */
  uintptr_t origin;      /* during feed: where the body's first byte would lie if all pieces were one */
  size_t base;           /* bytes of all earlier pieces */
  uint64_t found;        /* bit i: values[i] is set */
  uint32_t depth, max_depth, tracked_depth; /* keys are looked at down to tracked_depth: 1 or 2 */
  uint32_t depth_limit, members_limit, body_limit;
  uint32_t commas[4];     /* in the open container of that depth */
  uint32_t last_comma[4]; /* its offset */
  uint8_t row[4];         /* row + 1 of the member being read at that depth, 0 unknown */
  uint8_t state, number;
  uint8_t sub, sub_left, utf8_low, utf8_high; /* inside an escape or a UTF-8 sequence that a piece's end cut */
  uint16_t code_unit;
  bool keys_are_lenient;
  uint8_t failed;      /* enum err; sticky */
  const char *literal; /* what must still follow of true, false, null */
  uint32_t key_offset;
  char closers[ENVELOPE_DEPTH_MAX + 1]; /* what ends the container of that depth: a brace or a bracket */
  struct envelope_value root;
  struct envelope_key key;
  struct envelope_key_set seen[2]; /* of the top level, of the open object of depth 2 */
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

#endif
