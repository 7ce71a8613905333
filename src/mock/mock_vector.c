/* Hashed bags of words: see mock_vector.h. A word moves a few of the dimensions by one, and all of them by a little
 * noise of the whole text, so that no vector is zero and no two texts agree. */
#include "mock/mock_vector.h"

#include <math.h>

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
