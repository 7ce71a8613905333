/* OpenAI chat completions: request, reply, stream chunks, errors and the model list. Source: OpenAI API reference (read
 * 2026-11) and what its SDKs need. Used through the table in dialect.h. */
#ifndef MAESTRO_DIALECT_OPENAI_CHAT_H
#define MAESTRO_DIALECT_OPENAI_CHAT_H

#include "dialect/dialect.h"

extern const struct dialect dialect_openai_chat;

#endif
