/* Shared by the files of the Anthropic dialect only; unless said otherwise the contracts are the members of struct
 * dialect. */
#ifndef MAESTRO_DIALECT_ANTHROPIC_ANTHROPIC_INTERNAL_H
#define MAESTRO_DIALECT_ANTHROPIC_ANTHROPIC_INTERNAL_H

#include "dialect/dialect.h"
#include "llm/signature.h"

#define ANTHROPIC_NAME STR("anthropic")

/* ---- decoding requests ---- */

/* Where the decoder stands, for the path of an error: a chain of members and indexes up to the root, on the stack. */
struct anthropic_at {
  const struct anthropic_at *up;
  const char *member; /* NULL: index counts */
  size_t index;
};
struct anthropic_decoder {
  struct arena *arena;
  struct err_info *info;
  struct request *request;
};

/* The path of `at` and of its member, which may be NULL; cut to fit. */
void anthropic_write_path(const struct anthropic_at *at, const char *member, char out[ERR_PARAM_MAX]);
/* `e` with the path of `at` (and of its member, which may be NULL) as param. */
enum err anthropic_fault(const struct anthropic_decoder *d, const struct anthropic_at *at, const char *member,
                         enum err e, const char *what) MUST_CHECK;
/* json_split with the path of `at` in its error. */
enum err anthropic_split(const struct anthropic_decoder *d, const struct anthropic_at *at, struct yyjson_val *object,
                         const struct str *names, size_t n, struct yyjson_val **found,
                         struct json_rest *rest) MUST_CHECK;
/* *out stays as it is where v is NULL; ERR_BAD_TYPE where it is of another type. */
enum err anthropic_get_string(const struct anthropic_decoder *d, const struct anthropic_at *at, const char *member,
                              struct yyjson_val *v, struct str *out) MUST_CHECK;
enum err anthropic_get_number(const struct anthropic_decoder *d, const struct anthropic_at *at, const char *member,
                              struct yyjson_val *v, struct str *out) MUST_CHECK;
enum err anthropic_get_bool(const struct anthropic_decoder *d, const struct anthropic_at *at, const char *member,
                            struct yyjson_val *v, int8_t *out) MUST_CHECK;
enum err anthropic_get_cache(const struct anthropic_decoder *d, const struct anthropic_at *at, struct yyjson_val *v,
                             struct cache_marker *out) MUST_CHECK;
/* A string, or an array of content blocks, into parts. */
enum err anthropic_decode_content(const struct anthropic_decoder *d, const struct anthropic_at *at,
                                  struct yyjson_val *content, struct request_item *item) MUST_CHECK;
/* system and messages, either may be NULL, into the request's items. */
enum err anthropic_decode_items(const struct anthropic_decoder *d, struct yyjson_val *system,
                                struct yyjson_val *messages) MUST_CHECK;
enum err anthropic_decode_tools(const struct anthropic_decoder *d, struct yyjson_val *tools) MUST_CHECK;
enum err anthropic_decode_request(struct arena *a, struct yyjson_val *root, const struct dialect_request *envelope,
                                  struct request *out, struct err_info *info) MUST_CHECK;

/* ---- encoding requests ---- */

struct anthropic_encoder {
  const struct request *r;
  const struct dialect_target *target;
  struct arena *arena;
  struct buf *out;
  struct err_info *info;
  bool is_own; /* the caller speaks Anthropic: everything is written back as it came */
};

void anthropic_put_cache(const struct anthropic_encoder *e, const struct cache_marker *cache);
enum err anthropic_encode_items(const struct anthropic_encoder *e) MUST_CHECK; /* `system` and `messages` */
void anthropic_encode_tools(const struct anthropic_encoder *e);                /* `tools` and `tool_choice` */
enum err anthropic_encode_request(const struct request *r, const struct dialect_target *target, struct arena *a,
                                  struct buf *out, struct err_info *info) MUST_CHECK;
/* One part as a block of an open array; writes nothing where the vendor has no block for it. */
enum err anthropic_encode_block(const struct anthropic_encoder *e, const struct request_item *item,
                                const struct request_part *part) MUST_CHECK;

/* The member `name` of a tool or a call of it, as it stands on the wire. */
void anthropic_put_tool_name(const struct anthropic_encoder *e, struct str group, struct str name);
/* The id of a call or result likewise; {NULL, 0} and the buffer failed when memory is short. */
struct str anthropic_call_id(const struct anthropic_encoder *e, const struct request_part *part);

/* ---- replies ---- */

/* An error in place of an event or an answer; gateways leave its "type" out. */
bool anthropic_is_error(struct yyjson_val *root);
/* Adds what a `usage` object says to *u, in the canonical algebra (input counts cached tokens as well). False: nothing.
 */
bool anthropic_read_usage(struct yyjson_val *usage, bool is_start, struct usage *u);
/* The members of a `usage` object being written; what is unknown of input and output is 0, as the SDKs need numbers. */
void anthropic_put_usage(struct buf *out, const struct usage *u);
enum stop_reason anthropic_stop_reason(struct str word);
/* The vendor's word; has_calls: the answer holds a tool call. */
struct str anthropic_stop_word(enum stop_reason reason, struct str native, struct str dialect, bool has_calls);

enum err anthropic_decode_reply(const struct dialect_exchange *x, struct str body, const struct event_sink *sink,
                                struct err_info *info) MUST_CHECK;
enum { ANTHROPIC_DECODER_BYTES = 128, ANTHROPIC_ENCODER_BYTES = 512 }; /* of the states, with some room */
enum err anthropic_decode_frame(void *state, const struct dialect_exchange *x, struct json_pool *pool,
                                const struct frame *frame, const struct event_sink *sink,
                                struct err_info *info) MUST_CHECK;
enum err anthropic_decode_end(void *state, const struct dialect_exchange *x, const struct event_sink *sink,
                              struct err_info *info) MUST_CHECK;

void anthropic_encode_reply(const struct dialect_exchange *x, const struct answer *answer, struct buf *out);
enum err anthropic_encode_event(void *state, const struct dialect_exchange *x, const struct event *event,
                                struct buf *out, struct err_info *info) MUST_CHECK;
/* A node of this dialect's own that can be written as it is. */
bool anthropic_is_native(enum part_kind kind, struct str dialect, struct str raw);
/* Members of an object being written: of a tool_use block but its input; of a message up to its content; a string or
 * null. part: for an id that has to be made. */
void anthropic_put_call(const struct dialect_exchange *x, struct buf *out, struct str id, struct str group,
                        struct str name, uint32_t part);
void anthropic_put_head(const struct dialect_exchange *x, struct buf *out, struct str id);
void anthropic_put_nullable(struct buf *out, const char *key, struct str s);
/* What stands in a thinking block's signature: the maker's own, wrapped if it is another's, a stand-in if it has none.
 */
void anthropic_put_signature(struct buf *out, const struct signature *s);

/* ---- relay, errors, lists ---- */

enum err anthropic_relay_reply(struct str body, const struct dialect_reply_edits *edits, struct events *events,
                               struct buf *out, struct err_info *info) MUST_CHECK;
enum err anthropic_relay_frame(struct dialect_stream *state, const struct frame *frame,
                               const struct dialect_reply_edits *edits, struct events *events, struct buf *out,
                               struct err_info *info) MUST_CHECK;
void anthropic_put_receipt(struct buf *out, size_t from, struct str receipt);
void anthropic_put_error(struct buf *out, enum err e, const struct err_info *info);
void anthropic_put_stream_error(struct buf *out, enum err e, const struct err_info *info);
void anthropic_put_model(struct buf *out, const struct dialect_model *model);
void anthropic_put_model_list(struct buf *out, const struct dialect_model *models, size_t count);

#endif
