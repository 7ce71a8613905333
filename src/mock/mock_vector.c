/* See mock_vector.h. */
#include "mock/mock_vector.h"

/* The square root of x > 0 by Newton's steps, so that no mathematics library is linked for it. */
static double root_of(double x) {
  double root = x > 1 ? x : 1;
  for (int i = 0; i < 60; i++) root = (root + x / root) / 2;
  return root;
}

/* Between -1 and 1, never 0. */
static double number_at(struct str text, uint64_t i) {
  uint64_t hash = str_hash(text, i + 1);
  return ((double)(hash >> 40) + 0.5) / (double)(1 << 23) - 1;
}

void mock_vector_put(struct buf *out, struct str text, uint64_t dimensions) {
  uint64_t n = dimensions == 0 ? MOCK_VECTOR_DIMENSIONS : dimensions;
  double sum = 0;
  if (n > MOCK_VECTOR_DIMENSIONS_MAX) n = MOCK_VECTOR_DIMENSIONS_MAX;
  for (uint64_t i = 0; i < n; i++) sum += number_at(text, i) * number_at(text, i);
  double length = root_of(sum);
  buf_put_char(out, '[');
  for (uint64_t i = 0; i < n; i++) buf_printf(out, i ? ",%.8f" : "%.8f", number_at(text, i) / length);
  buf_put_char(out, ']');
}
