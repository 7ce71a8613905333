/* Gemini: generateContent, streamGenerateContent and countTokens (dialect_gemini), embedContent and batchEmbedContents
 * through the table in dialect.h. */
#ifndef MAESTRO_DIALECT_GEMINI_H
#define MAESTRO_DIALECT_GEMINI_H

#include "dialect/dialect.h"

extern const struct dialect dialect_gemini;
extern const struct dialect dialect_gemini_embed;

#endif
