/* Shared by the files of the Bedrock dialect only; contracts are the members of struct dialect. */
#ifndef MAESTRO_DIALECT_BEDROCK_BEDROCK_INTERNAL_H
#define MAESTRO_DIALECT_BEDROCK_BEDROCK_INTERNAL_H

#include "dialect/claude.h"
#include "dialect/dialect.h"

#define BEDROCK_NAME STR("bedrock_converse")
/* Members of these objects that the canonical request has no place for stand in its rest under these prefixes. */
#define BEDROCK_INFERENCE "inferenceConfig"
#define BEDROCK_INFERENCE_PREFIX BEDROCK_INFERENCE "."
#define BEDROCK_TOOLS "toolConfig"
#define BEDROCK_TOOLS_PREFIX BEDROCK_TOOLS "."

enum { BEDROCK_READER_BYTES = 2176 };

/* Which member of `{"format":…,"source":{"bytes":…}}` a kind of media is ("image"); NULL: none. */
const char *bedrock_media_word(enum part_kind kind);
/* Bedrock's word for a media type ("image/png" is "png") and back; empty: there is none. */
struct str bedrock_format_of(enum part_kind kind, struct str mime);
struct str bedrock_mime_of(enum part_kind kind, struct str format);

enum err bedrock_decode_request(struct arena *a, struct yyjson_val *root, const struct dialect_request *envelope,
                                struct request *out, struct err_info *info);
enum err bedrock_encode_request(const struct request *r, const struct dialect_target *target, struct arena *a,
                                struct buf *out, struct err_info *info);
/* One content block; writes nothing for what cannot be said here (caps_check has named it). */
struct bedrock_encoder;
enum err bedrock_put_part(struct bedrock_encoder *c, const struct request_item *item, const struct request_part *p);
bool bedrock_is_sayable(const struct bedrock_encoder *c, const struct request_part *p);

struct bedrock_encoder {
  const struct request *request;
  const struct dialect_target *target;
  struct str model;
  struct arena *arena;
  struct buf *out;
  struct err_info *info;
  bool is_own;
  bool is_claude;              /* by the model's id: thinking and top_k are Anthropic's fields */
  struct claude_limits limits; /* is_claude and not is_own */
  bool has_caching;            /* by the model's id: others refuse cachePoint */
};
void bedrock_put_cache_point(struct bedrock_encoder *c, const struct cache_marker *marker);

enum err bedrock_decode_reply(const struct dialect_exchange *x, struct str body, const struct event_sink *sink,
                              struct err_info *info);
enum err bedrock_decode_frame(void *state, const struct dialect_exchange *x, struct json_pool *pool,
                              const struct frame *frame, const struct event_sink *sink, struct err_info *info);
enum err bedrock_decode_end(void *state, const struct dialect_exchange *x, const struct event_sink *sink,
                            struct err_info *info);

#endif
