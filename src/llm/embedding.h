/* A whole answer to an embedding request: what a target's decode_embeddings makes and the caller's encode_embeddings
 * writes. Vectors are kept as they were written, as digits or as base64, and converted only where the other side wants
 * the other form. Lives in the arena it was decoded into. Pure data.
 *
 * Invariant: v[i].index counts from 0 without gaps (the caller's inputs in their order), whatever order they came in;
 * each vector has exactly one of its two forms. */
#ifndef MAESTRO_LLM_EMBEDDING_H
#define MAESTRO_LLM_EMBEDDING_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "llm/usage.h"

struct yyjson_val;

enum { EMBEDDING_VECTORS_MAX = 4096, EMBEDDING_DIMENSIONS_MAX = 65536 };

struct embedding_vector {
  struct str numbers; /* a JSON array of numbers as they were written: "[0.1,-2e-3]" */
  struct str base64;  /* padded base64 of little-endian 32-bit floats (OpenAI's encoding_format "base64") */
};

struct embeddings {
  struct str model; /* as the upstream names it, or empty */
  struct str id;    /* of the answer, or empty */
  struct embedding_vector *v;
  size_t n;
  struct usage usage; /* known bits as ever; embeddings have no output */
  struct str error;   /* an error object in a body of status 200, as JSON: nothing else is set then */
};

/* The JSON array of numbers `array` (a tree with raw numbers) as text in `a`. ERR_UPSTREAM_PROTOCOL where an element is
 * no number, ERR_UPSTREAM_TOO_LARGE beyond EMBEDDING_DIMENSIONS_MAX. */
enum err embedding_read_numbers(struct arena *a, struct yyjson_val *array, struct embedding_vector *out,
                                struct err_info *info) MUST_CHECK;
/* The base64 string, copied to `a`. ERR_UPSTREAM_PROTOCOL where it does not decode to whole, finite floats. */
enum err embedding_read_base64(struct arena *a, struct str base64, struct embedding_vector *out,
                               struct err_info *info) MUST_CHECK;
/* As a JSON array of numbers; floats are written with the nine digits that give them back exactly. */
void embedding_put_numbers(struct buf *out, const struct embedding_vector *v);
/* As base64, without quotes. */
void embedding_put_base64(struct buf *out, const struct embedding_vector *v);

#endif
