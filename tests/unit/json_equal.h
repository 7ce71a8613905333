/* Equality of JSON values, numbers by their digits, so that 1.0 and 1 differ. */
#ifndef MAESTRO_TESTS_JSON_EQUAL_H
#define MAESTRO_TESTS_JSON_EQUAL_H

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <yyjson.h>

static inline bool json_is_equal(struct str a, struct str b) {
  yyjson_doc *one = yyjson_read(a.p, a.n, YYJSON_READ_NUMBER_AS_RAW),
             *two = yyjson_read(b.p, b.n, YYJSON_READ_NUMBER_AS_RAW);
  bool is_equal = one && two && yyjson_equals(yyjson_doc_get_root(one), yyjson_doc_get_root(two));
  yyjson_doc_free(one);
  yyjson_doc_free(two);
  return is_equal;
}

static inline void json_assert_equal(const char *file, int line, struct str got, struct str want) {
  if (json_is_equal(got, want)) return;
  fprintf(stderr, "%s:%d:\n got  %.*s\n want %.*s\n", file, line, STR_ARG(got), STR_ARG(want));
  fail();
}
#define assert_json_str(got, want) json_assert_equal(__FILE__, __LINE__, got, want)
#define assert_json(got, want) assert_json_str(got, str_from_c(want))

#endif
