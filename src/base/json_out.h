/* Writes JSON into a buffer, member by member, without a tree: commas come by themselves, told by the last byte
 * written. So what a caller appends with other functions must not end in white space, unless it is what a frame begins
 * with ("data: "). The caller keeps braces and brackets paired. Failures are the buffer's (`failed`). */
#ifndef MAESTRO_BASE_JSON_OUT_H
#define MAESTRO_BASE_JSON_OUT_H

#include "base/buf.h"
#include "base/json_split.h"

struct yyjson_val;

void json_out_begin(struct buf *b, char open); /* '{' or '[', as the next element or after a key */
void json_out_end(struct buf *b, char close);  /* '}' or ']' */
/* "key": inside an object; key needs no escaping. What follows is its value. */
void json_out_key_plain(struct buf *b, struct str key);
/* The same, of a literal, whose length the compiler knows: hence inline, as are the members below. */
static inline void json_out_key(struct buf *b, const char *key) { json_out_key_plain(b, str_from_c(key)); }
void json_out_key_str(struct buf *b, struct str key); /* of any text */
/* Values: the next element of an array, or a member's value. */
void json_out_string(struct buf *b, struct str s);
void json_out_raw(struct buf *b, struct str json); /* ready JSON; empty writes null */
void json_out_i64(struct buf *b, int64_t v);
void json_out_bool(struct buf *b, bool v);
void json_out_value(struct buf *b, struct yyjson_val *v); /* NULL writes null */

/* Members. The _if forms write nothing for an empty or unset value. */
static inline void json_out_member_string(struct buf *b, const char *key, struct str s) {
  json_out_key(b, key);
  buf_put_json(b, s);
}
static inline void json_out_member_string_if(struct buf *b, const char *key, struct str s) {
  if (s.n) json_out_member_string(b, key, s);
}
void json_out_member_raw_if(struct buf *b, const char *key, struct str json);
static inline void json_out_member_i64(struct buf *b, const char *key, int64_t v) {
  json_out_key(b, key);
  buf_put_i64(b, v);
}
static inline void json_out_member_bool(struct buf *b, const char *key, bool v) {
  json_out_key(b, key);
  buf_put(b, v ? STR("true") : STR("false"));
}
void json_out_member_tri(struct buf *b, const char *key, int8_t v); /* -1 writes nothing */
void json_out_member_strings(struct buf *b, const char *key, const struct str *v, size_t n);
/* A moment of the wall clock in RFC 3339; 0 is null. */
void json_out_member_time(struct buf *b, const char *key, int64_t wall_us);
void json_out_member_value_if(struct buf *b, const char *key, struct yyjson_val *v);
/* The kept members of a node. */
void json_out_rest(struct buf *b, const struct json_rest *rest);

#endif
