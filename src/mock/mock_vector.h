/* Embeddings without a model: the same text gives the same vector of length one, texts that share words lie close to
 * each other, others do not. Pure. */
#ifndef MAESTRO_MOCK_VECTOR_H
#define MAESTRO_MOCK_VECTOR_H

#include "base/str.h"

/* Fills out[0 … n), n > 0. */
void mock_vector_make(struct str text, float *out, size_t n);

#endif
