/* Embeddings without a model: the same text gives the same vector of length one, texts that share words lie close to
 * each other, others do not. Pure. */
#ifndef MAESTRO_MOCK_VECTOR_H
#define MAESTRO_MOCK_VECTOR_H

#include "base/buf.h"

enum { MOCK_VECTOR_DIMENSIONS = 16, MOCK_VECTOR_DIMENSIONS_MAX = 4096 };

/* Fills out[0 … n), n > 0. */
void mock_vector_make(struct str text, float *out, size_t n);
/* Appends a JSON array of so many numbers; 0 dimensions: the default. More than the most: as many as that. */
void mock_vector_put(struct buf *out, struct str text, uint64_t dimensions);
/* Appends the same as base64 of its 32-bit floats, in quotes. */
void mock_vector_put_base64(struct buf *out, struct str text, uint64_t dimensions);

#endif
