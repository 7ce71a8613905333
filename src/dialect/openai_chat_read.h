/* OpenAI's answers into events: chat replies and chunks, and those of completions, whose choices have `text` in place
 * of a message. Used by both dialects; the contracts are those of struct dialect. */
#ifndef MAESTRO_DIALECT_OPENAI_CHAT_READ_H
#define MAESTRO_DIALECT_OPENAI_CHAT_READ_H

#include "dialect/dialect.h"

enum { OPENAI_CHAT_READ_BYTES = 3328 }; /* of the state */

enum err openai_chat_read_reply(const struct dialect_exchange *x, struct str body, const struct event_sink *sink,
                                struct err_info *info);
enum err openai_chat_read_frame(void *state, const struct dialect_exchange *x, struct json_pool *pool,
                                const struct frame *frame, const struct event_sink *sink, struct err_info *info);
enum err openai_chat_read_end(void *state, const struct dialect_exchange *x, const struct event_sink *sink,
                              struct err_info *info);

#endif
