/* Members of OpenAI's requests and answers, read with their types checked and their paths in errors, and written again:
 * what chat, completions and embeddings share. Pure; everything borrows the tree or comes from the arena. */
#ifndef MAESTRO_DIALECT_OPENAI_MEMBER_H
#define MAESTRO_DIALECT_OPENAI_MEMBER_H

#include "dialect/dialect.h"
#include "dialect/read_member.h"

struct openai_reader {
  struct arena *arena;
  struct err_info *info;
};

/* read_member.h with the path of the object beside the reader: base and member may be NULL or empty. */
static inline struct read_member openai_member_at(const struct openai_reader *rd, const char *base) {
  return (struct read_member){base ? base : "", rd->arena, rd->info};
}
static inline void openai_member_path(char out[ERR_PARAM_MAX], const char *base, const char *member) {
  const struct read_member at = {base ? base : "", NULL, NULL};
  read_member_path(&at, member ? member : "", out);
}
static inline enum err openai_member_wrong_type(const struct openai_reader *rd, const char *base, const char *member,
                                                const char *what) {
  const struct read_member at = openai_member_at(rd, base);
  return read_member_bad_type(&at, member ? member : "", what);
}
/* why: "must be …" */
static inline enum err openai_member_wrong_value(const struct openai_reader *rd, const char *base, const char *member,
                                                 const char *why) {
  const struct read_member at = openai_member_at(rd, base);
  return read_member_bad_value(&at, member ? member : "", why);
}
static inline enum err openai_member_missing(const struct openai_reader *rd, const char *base, const char *member) {
  const struct read_member at = openai_member_at(rd, base);
  return read_member_missing(&at, member ? member : "");
}
static inline MUST_CHECK enum err openai_member_split(const struct openai_reader *rd, const char *base,
                                                      struct yyjson_val *object, const struct str *names, size_t n,
                                                      struct yyjson_val **found, struct json_rest *rest) {
  const struct read_member at = openai_member_at(rd, base);
  return read_member_split(&at, object, names, n, found, rest);
}
/* NULL leaves *out alone. */
static inline MUST_CHECK enum err openai_member_string(const struct openai_reader *rd, const char *base,
                                                       const char *member, struct yyjson_val *v, struct str *out) {
  const struct read_member at = openai_member_at(rd, base);
  return read_member_string(&at, member ? member : "", v, out);
}
static inline MUST_CHECK enum err openai_member_required(const struct openai_reader *rd, const char *base,
                                                         const char *member, struct yyjson_val *v, struct str *out) {
  return v ? openai_member_string(rd, base, member, v, out) : openai_member_missing(rd, base, member);
}
static inline MUST_CHECK enum err openai_member_bool(const struct openai_reader *rd, const char *base,
                                                     const char *member, struct yyjson_val *v, int8_t *out) {
  const struct read_member at = openai_member_at(rd, base);
  return read_member_bool(&at, member ? member : "", v, out);
}
static inline MUST_CHECK enum err openai_member_number(const struct openai_reader *rd, const char *base,
                                                       const char *member, struct yyjson_val *v, struct str *out) {
  const struct read_member at = openai_member_at(rd, base);
  return read_member_number(&at, member ? member : "", v, out);
}
/* Members of the top level that map to a field of the canonical request by their type alone. */
enum openai_field_type { OPENAI_NUMBER, OPENAI_STRING, OPENAI_BOOL, OPENAI_OBJECT };
struct openai_field {
  uint8_t row; /* of the dialect's names */
  enum openai_field_type type;
  size_t offset; /* in struct request: struct str, struct str, int8_t, struct yyjson_val * */
};
enum err openai_member_read_fields(struct openai_reader *rd, const struct str *names, struct yyjson_val *const *found,
                                   const struct openai_field *fields, size_t n, struct request *r) MUST_CHECK;
/* Those of them that are set. */
void openai_member_put_fields(struct buf *out, const struct str *names, const struct openai_field *fields, size_t n,
                              const struct request *r);
/* `stop`: a string or an array of them. */
enum err openai_member_read_stop(struct openai_reader *rd, struct yyjson_val *v, struct request *r) MUST_CHECK;
void openai_member_put_stop(struct buf *out, const struct request *r);
/* Adds the members of `object` (which stands at `path`; nothing where it is none) that are not known to *rest, under
 * "<prefix>.<key>": what another dialect leaves out is named so. At most JSON_SPLIT_NAMES_MAX are known. */
enum err openai_member_keep_unknown(struct openai_reader *rd, const char *path, const char *prefix,
                                    struct yyjson_val *object, const struct str *known, size_t n,
                                    struct json_rest *rest) MUST_CHECK;
/* `stream_options.include_usage`. */
enum err openai_member_read_stream_options(struct openai_reader *rd, struct yyjson_val *v,
                                           struct request *r) MUST_CHECK;
/* `stream` and `stream_options`; was_said: what the caller's request had of them (NULL: nothing, or another dialect).
 */
void openai_member_put_stream(struct buf *out, const struct request *r, bool ask_usage, bool stream_was_said,
                              struct yyjson_val *options_said);

/* ---- answers ---- */

/* One algebra for all who speak OpenAI's usage: DeepSeek's, OpenRouter's, Moonshot's and xAI's spellings as well. False
 * where nothing is known. */
bool openai_member_read_usage(struct yyjson_val *usage, struct usage *out);
/* xAI counts reasoning beside the completion, which only the total gives away. total < 0: unknown. */
void openai_member_settle_usage(struct usage *u, int64_t total);
/* The usage object, with what is known. */
void openai_member_put_usage(struct buf *out, const struct usage *u);
/* True where root has an `error` that means one; some servers send an empty one beside a good answer. */
bool openai_member_is_error(struct yyjson_val *root, const char *beside);

#endif
