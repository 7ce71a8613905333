/* Shared by the files of the OpenAI chat dialect only; the contracts are the members of struct dialect. */
#ifndef MAESTRO_DIALECT_OPENAI_CHAT_INTERNAL_H
#define MAESTRO_DIALECT_OPENAI_CHAT_INTERNAL_H

#include "dialect/dialect.h"

enum err openai_chat_relay_reply(struct str body, const struct dialect_reply_edits *edits, struct events *events,
                                 struct buf *out, struct err_info *info);
enum err openai_chat_relay_frame(struct dialect_stream *state, const struct frame *frame,
                                 const struct dialect_reply_edits *edits, struct events *events, struct buf *out,
                                 struct err_info *info);
void openai_chat_put_receipt(struct buf *out, size_t from, struct str receipt);
void openai_chat_put_error(struct buf *out, enum err e, const struct err_info *info);
void openai_chat_put_stream_error(struct buf *out, enum err e, const struct err_info *info);
void openai_chat_put_model(struct buf *out, const struct dialect_model *model);
void openai_chat_put_model_list(struct buf *out, const struct dialect_model *models, size_t count);

enum err openai_chat_decode_request(struct arena *a, struct yyjson_val *root, const struct dialect_request *envelope,
                                    struct request *out, struct err_info *info);
enum err openai_chat_encode_request(const struct request *r, const struct dialect_target *target, struct arena *a,
                                    struct buf *out, struct err_info *info);
/* The elements of `messages`, of a request in another dialect. */
enum err openai_chat_put_foreign_messages(const struct request *r, struct arena *a, struct buf *out,
                                          struct err_info *info) MUST_CHECK;

#endif
