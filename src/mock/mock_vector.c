/* Hashed bags of words: see mock_vector.h. A word moves a few of the dimensions by one, and all of them by a little
 * noise of the whole text, so that no vector is zero and no two texts agree. */
#include "mock/mock_vector.h"

#include <math.h>
#include <openssl/evp.h>
#include <stdlib.h>

enum { DIMENSIONS_A_WORD = 8 };

static uint64_t mix(uint64_t x) {
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9u;
  x ^= x >> 27;
  x *= 0x94d049bb133111ebu;
  return x ^ x >> 31;
}

static bool is_word(unsigned char c) {
  return c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void add_word(uint64_t hash, float *out, size_t n) {
  for (unsigned i = 0; i < DIMENSIONS_A_WORD; i++) {
    uint64_t bits = mix(hash + i);
    out[(bits >> 1) % n] += bits & 1 ? 1.0f : -1.0f;
  }
}

static void add_noise(uint64_t hash, float *out, size_t n) {
  for (size_t i = 0; i < n; i++) {
    int32_t bits = (int32_t)(mix(hash ^ (uint64_t)i * 0x9e3779b97f4a7c15u) >> 40); /* 24 bits: exact as a float */
    out[i] += ((float)bits / (float)(1 << 23) - 1.0f) * 0.02f;
  }
}

void mock_vector_make(struct str text, float *out, size_t n) {
  const uint64_t start = 0xcbf29ce484222325u;
  uint64_t hash = start;
  double sum = 0;
  for (size_t i = 0; i < n; i++) out[i] = 0;
  for (size_t i = 0; i <= text.n; i++) {
    unsigned char c = i < text.n ? (unsigned char)text.p[i] : ' ';
    if (is_word(c)) {
      hash = (hash ^ (c >= 'A' && c <= 'Z' ? c + 32u : c)) * 0x100000001b3u;
    } else if (hash != start) {
      add_word(hash, out, n);
      hash = start;
    }
  }
  add_noise(str_hash(text, 1), out, n);
  for (size_t i = 0; i < n; i++) sum += (double)out[i] * (double)out[i];
  double length = sqrt(sum);
  for (size_t i = 0; i < n; i++) out[i] = (float)((double)out[i] / length);
}

/* malloc'ed; NULL and out->failed without memory. */
static float *make(struct buf *out, struct str text, uint64_t dimensions, size_t *n) {
  *n = dimensions == 0 ? MOCK_VECTOR_DIMENSIONS : dimensions;
  if (*n > MOCK_VECTOR_DIMENSIONS_MAX) *n = MOCK_VECTOR_DIMENSIONS_MAX;
  float *v = calloc(*n, sizeof *v);
  if (!v)
    out->failed = true;
  else
    mock_vector_make(text, v, *n);
  return v;
}

/* Numbers that read back to the same 32 bits. */
void mock_vector_put(struct buf *out, struct str text, uint64_t dimensions) {
  size_t n;
  float *v = make(out, text, dimensions, &n);
  buf_put_char(out, '[');
  for (size_t i = 0; v && i < n; i++) buf_printf(out, i ? ",%.9g" : "%.9g", (double)v[i]);
  buf_put_char(out, ']');
  free(v);
}

/* Little-endian, as every machine this runs on has them. */
void mock_vector_put_base64(struct buf *out, struct str text, uint64_t dimensions) {
  size_t n;
  float *v = make(out, text, dimensions, &n);
  size_t bytes = n * sizeof *v, encoded = (bytes + 2) / 3 * 4;
  buf_put_char(out, '"');
  if (v && buf_reserve(out, encoded + 1)) { /* EVP_EncodeBlock ends with a NUL */
    EVP_EncodeBlock((unsigned char *)out->p + out->n, (const unsigned char *)v, (int)bytes);
    out->n += encoded;
  }
  buf_put_char(out, '"');
  free(v);
}
