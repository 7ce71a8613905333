/* OpenAI Responses: request, reply, stream events, errors and lists, both directions. Source: OpenAI API reference and
 * the types of its npm SDK 6.49 and 7.55 (read 2026-11), and what Codex, opencode and the AI SDK were seen to send and
 * need. Used through the table in dialect.h; ids of stored responses are expanded before by openai_responses/expand.h.
 */
#ifndef MAESTRO_DIALECT_OPENAI_RESPONSES_OPENAI_RESPONSES_H
#define MAESTRO_DIALECT_OPENAI_RESPONSES_OPENAI_RESPONSES_H

#include "dialect/dialect.h"

extern const struct dialect dialect_openai_responses;

#endif
