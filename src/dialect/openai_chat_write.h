/* Pieces of OpenAI's answers that the whole reply and the stream of chunks share. Private to OpenAI's dialects. */
#ifndef MAESTRO_DIALECT_OPENAI_CHAT_WRITE_H
#define MAESTRO_DIALECT_OPENAI_CHAT_WRITE_H

#include "dialect/dialect.h"

/* OpenAI's finish_reason. is_legacy: the caller knows function_call only; has_refusal: it is told by a refusal's text.
 */
struct str openai_chat_finish_reason(enum stop_reason reason, struct str native, bool is_legacy, bool has_refusal);
/* Upstream's id where it begins with `prefix`, else an invented one, in x's arena. */
struct str openai_chat_reply_id(const struct dialect_exchange *x, const char *prefix, struct str upstream);
/* One annotation of a citation, native or of another dialect; nothing where no URL is found in it. */
void openai_chat_put_annotation(struct buf *out, struct str raw, struct str dialect);
/* One element of reasoning_details, as the next element of an array. */
void openai_chat_put_detail(struct buf *out, enum part_kind kind, struct str text, const struct signature *signature);
/* An element of tool_calls. index < 0: none (a whole reply); is_open: with id, type and name. */
struct openai_chat_call_out {
  int64_t index;
  bool is_open, is_custom;
  struct str id, name, text;
};
void openai_chat_put_call(struct buf *out, const struct openai_chat_call_out *call);
/* {"type":"image_url","image_url":{"url":"data:…"}} */
void openai_chat_put_image(struct buf *out, struct str mime, struct str base64);

void openai_chat_encode_reply(const struct dialect_exchange *x, const struct answer *answer, struct buf *out);
enum { OPENAI_CHAT_ENCODER_BYTES = 2304 };
enum err openai_chat_encode_event(void *state, const struct dialect_exchange *x, const struct event *event,
                                  struct buf *out, struct err_info *info);
/* What stands behind the last choice of a stream of chunks, which begin with `head`: the usage chunk where the caller
 * asked for one, and [DONE]. */
void openai_chat_put_end(const struct dialect_exchange *x, struct str head, const struct usage *usage, struct buf *out);

#endif
