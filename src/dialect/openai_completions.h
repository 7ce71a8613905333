/* OpenAI completions: a prompt and the text that goes on with it. The older API, which base models and code editors
 * still use; vLLM, llama.cpp, DeepSeek and others serve it too. Source: OpenAI API reference, "Create completion"
 * (read 2026-11). Used through the table in dialect.h. */
#ifndef MAESTRO_DIALECT_OPENAI_COMPLETIONS_H
#define MAESTRO_DIALECT_OPENAI_COMPLETIONS_H

#include "dialect/dialect.h"

extern const struct dialect dialect_openai_completions;

/* Its answers, in openai_completions_write.c; the contracts are those of struct dialect. */
void openai_completions_encode_reply(const struct dialect_exchange *x, const struct answer *answer, struct buf *out);
enum { OPENAI_COMPLETIONS_ENCODER_BYTES = 512 };
enum err openai_completions_encode_event(void *state, const struct dialect_exchange *x, const struct event *event,
                                         struct buf *out, struct err_info *info);

#endif
