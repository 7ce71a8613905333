/* Embeddings that the same text always gets: numbers from a hash, of length 1 as vendors return them. Pure. */
#ifndef MAESTRO_MOCK_VECTOR_H
#define MAESTRO_MOCK_VECTOR_H

#include "base/buf.h"

enum { MOCK_VECTOR_DIMENSIONS = 16, MOCK_VECTOR_DIMENSIONS_MAX = 4096 };

/* Appends a JSON array of so many numbers; 0 dimensions: the default. More than the most: as many as that. */
void mock_vector_put(struct buf *out, struct str text, uint64_t dimensions);

#endif
