/* What every unit test includes: cmocka with the headers it wants before it. */
#ifndef MAESTRO_TESTS_UNIT_H
#define MAESTRO_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka must come after these. */
#include <cmocka.h>

#include "base/str.h"

/* The test's name is the function's. */
#define TEST(name) static void name(void **state __attribute__((unused)))
#define assert_str(s, expected)                                                 \
  do {                                                                          \
    struct str got_ = (s), want_ = (expected);                                  \
    assert_int_equal(got_.n, want_.n);                                          \
    assert_memory_equal(got_.p ? got_.p : "", want_.p ? want_.p : "", want_.n); \
  } while (0)

#endif
