/* Anthropic Messages: request, reply, stream events, token counts, errors and the model list. Source: the vendor's API
 * reference and the types of its SDK 1.14 and 0.122 (read 2026-11), and what its clients were seen to send and need.
 * Used through the table in dialect.h. */
#ifndef MAESTRO_DIALECT_ANTHROPIC_ANTHROPIC_H
#define MAESTRO_DIALECT_ANTHROPIC_ANTHROPIC_H

#include "dialect/dialect.h"

extern const struct dialect dialect_anthropic;

#endif
