/* Shared by the files of the Ollama dialects only; contracts are the members of struct dialect where names are alike.
 */
#ifndef MAESTRO_DIALECT_OLLAMA_OLLAMA_INTERNAL_H
#define MAESTRO_DIALECT_OLLAMA_OLLAMA_INTERNAL_H

#include "dialect/dialect.h"
#include "dialect/read_member.h"

/* Members of `options` that the canonical request has no place for stand in its rest under this prefix. */
#define OLLAMA_OPTIONS "options"
#define OLLAMA_OPTIONS_PREFIX OLLAMA_OPTIONS "."

/* ---- ollama_members.c: members that chat and generate share ---- */

/* Values found by the split of a request; NULL where absent. */
struct ollama_members {
  struct yyjson_val *format, *options, *think, *logprobs, *top_logprobs;
};
enum err ollama_read_members(const struct read_member *at, const struct ollama_members *m,
                             struct request *r) MUST_CHECK;
/* Images as parts of `kind` IMAGE, from parts[0] on; their mime type is read off their first bytes. */
enum err ollama_read_images(const struct read_member *at, struct yyjson_val *images,
                            struct request_part *parts) MUST_CHECK;
/* model and stream, then what ollama_read_members read, then rest where it is ours. */
void ollama_put_members(struct buf *out, const struct request *r, bool is_own, int64_t context_tokens);

/* ---- ollama_request.c, ollama_encode.c, ollama_generate.c, ollama_embed.c ---- */
enum err ollama_decode_request(struct arena *a, struct yyjson_val *root, const struct dialect_request *envelope,
                               struct request *out, struct err_info *info);
enum err ollama_encode_request(const struct request *r, const struct dialect_target *target, struct arena *a,
                               struct buf *out, struct err_info *info);
enum err ollama_generate_decode_request(struct arena *a, struct yyjson_val *root,
                                        const struct dialect_request *envelope, struct request *out,
                                        struct err_info *info);
enum err ollama_generate_encode_request(const struct request *r, const struct dialect_target *target, struct arena *a,
                                        struct buf *out, struct err_info *info);

enum err ollama_embed_decode_request(struct arena *a, struct yyjson_val *root, const struct dialect_request *envelope,
                                     struct request *out, struct err_info *info);
enum err ollama_embed_encode_request(const struct request *r, const struct dialect_target *target, struct arena *a,
                                     struct buf *out, struct err_info *info);
void ollama_embed_encode_embeddings(const struct dialect_exchange *x, const struct embeddings *answer, struct buf *out);
enum err ollama_embed_decode_embeddings(const struct dialect_exchange *x, struct str body, struct embeddings *out,
                                        struct err_info *info);
enum err ollama_embeddings_decode_request(struct arena *a, struct yyjson_val *root,
                                          const struct dialect_request *envelope, struct request *out,
                                          struct err_info *info);
enum err ollama_embeddings_encode_request(const struct request *r, const struct dialect_target *target, struct arena *a,
                                          struct buf *out, struct err_info *info);
void ollama_embeddings_encode_embeddings(const struct dialect_exchange *x, const struct embeddings *answer,
                                         struct buf *out);

/* ---- ollama_read.c: replies and lines of a stream as events ---- */
enum { OLLAMA_READER_BYTES = 32 };
enum err ollama_decode_reply(const struct dialect_exchange *x, struct str body, const struct event_sink *sink,
                             struct err_info *info);
enum err ollama_decode_frame(void *state, const struct dialect_exchange *x, struct json_pool *pool,
                             const struct frame *frame, const struct event_sink *sink, struct err_info *info);

/* ---- ollama_write.c: events as lines, answers as replies; chat and generate differ in their words ---- */
enum { OLLAMA_WRITER_BYTES = 160 };
void ollama_encode_reply(const struct dialect_exchange *x, const struct answer *answer, struct buf *out);
void ollama_generate_encode_reply(const struct dialect_exchange *x, const struct answer *answer, struct buf *out);
enum err ollama_encode_event(void *state, const struct dialect_exchange *x, const struct event *event, struct buf *out,
                             struct err_info *info);
enum err ollama_generate_encode_event(void *state, const struct dialect_exchange *x, const struct event *event,
                                      struct buf *out, struct err_info *info);
void ollama_put_keep_alive(const struct dialect_exchange *x, struct buf *out);
void ollama_generate_put_keep_alive(const struct dialect_exchange *x, struct buf *out);
/* `"total_duration":…` as the next member, where it is known. */
void ollama_put_total_duration(const struct dialect_exchange *x, struct buf *out);

/* ---- ollama_relay.c ---- */
enum err ollama_relay_reply(struct str body, const struct dialect_reply_edits *edits, struct events *events,
                            struct buf *out, struct err_info *info);
enum err ollama_relay_embeddings(struct str body, const struct dialect_reply_edits *edits, struct events *events,
                                 struct buf *out, struct err_info *info);
enum err ollama_relay_frame(struct dialect_stream *state, const struct frame *frame,
                            const struct dialect_reply_edits *edits, struct events *events, struct buf *out,
                            struct err_info *info);
void ollama_put_receipt(struct buf *out, size_t from, struct str receipt);
void ollama_put_error(struct buf *out, enum err e, const struct err_info *info);
void ollama_put_stream_error(struct buf *out, enum err e, const struct err_info *info);
void ollama_put_model(struct buf *out, const struct dialect_model *model);
void ollama_put_model_list(struct buf *out, const struct dialect_model *models, size_t count);
/* The tokens that a reply or a done line counts. */
void ollama_read_usage(struct yyjson_val *root, struct usage *usage);
/* Some servers write `"error": null` into every answer. */
bool ollama_is_error(struct yyjson_val *root);
/* Of a whole answer that says "done": false: a server that streams whatever was asked for, and whose stream was cut. */
enum err ollama_refuse_unfinished(struct err_info *info);

#endif
