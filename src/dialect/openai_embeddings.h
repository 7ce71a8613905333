/* OpenAI embeddings: texts into vectors, as digits or as base64 of 32-bit floats. Source: OpenAI API reference, "Create
 * embeddings" (read 2026-11). Used through the table in dialect.h. */
#ifndef MAESTRO_DIALECT_OPENAI_EMBEDDINGS_H
#define MAESTRO_DIALECT_OPENAI_EMBEDDINGS_H

#include "dialect/dialect.h"

extern const struct dialect dialect_openai_embeddings;

#endif
