/* Vectors: length one, the same for the same text, near for texts that share words. */
#include "mock/mock_vector.h"

#include <math.h>

#include "unit.h"

enum { N = 256 };

static double dot(const char *left, const char *right, size_t n) {
  float a[N], b[N];
  double sum = 0;
  mock_vector_make(str_from_c(left), a, n);
  mock_vector_make(str_from_c(right), b, n);
  for (size_t i = 0; i < n; i++) sum += (double)a[i] * (double)b[i];
  return sum;
}

TEST(length_is_one) {
  static const char *const texts[] = {"", " ", "hello", "gr\303\274n", "a a a a", "{\"x\":1}"};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    assert_true(fabs(dot(texts[i], texts[i], N) - 1) < 1e-5);
    assert_true(fabs(dot(texts[i], texts[i], 1) - 1) < 1e-5);
  }
}

TEST(words_decide) {
  assert_true(dot("the cat sat", "The CAT, sat!", N) > 0.9);
  assert_true(dot("the cat sat", "the cat ran", N) > 0.4);
  assert_true(fabs(dot("the cat sat", "profits rose sharply", N)) < 0.35);
  assert_true(dot("the cat sat", "The CAT, sat!", N) < 1 - 1e-6);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(length_is_one), cmocka_unit_test(words_decide)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
