/* Vectors between digits and base64 of 32-bit floats. Expected bytes are IEEE 754's, written by hand. */
#include "llm/embedding.h"

#include <yyjson.h>

#include "unit.h"

static enum err numbers(struct arena *a, const char *json, struct embedding_vector *out) {
  yyjson_doc *doc = yyjson_read(json, strlen(json), YYJSON_READ_NUMBER_AS_RAW);
  enum err e = embedding_read_numbers(a, yyjson_doc_get_root(doc), out, NULL);
  yyjson_doc_free(doc);
  return e;
}

TEST(digits_stay_as_they_were_written) {
  struct arena a;
  struct buf out;
  struct embedding_vector v;
  arena_init(&a, 0);
  buf_init(&out, 0);
  assert_int_equal(numbers(&a, " [ 1.50, -2e-3 ,0]", &v), OK);
  embedding_put_numbers(&out, &v);
  assert_str(buf_str(&out), STR("[1.50,-2e-3,0]"));
  buf_clear(&out);
  arena_clear(&a);
}

/* 1.0 is 3f800000, -2.0 c0000000, 0.5 3f000000; each begins with its lowest byte. */
TEST(digits_become_floats_and_back) {
  static const struct {
    const char *json, *base64;
  } cases[] = {
      {"[1]", "AACAPw=="},
      {"[1,-2]", "AACAPwAAAMA="},
      {"[1,-2,0.5]", "AACAPwAAAMAAAAA/"},
      {"[1,-2,0.5,1]", "AACAPwAAAMAAAAA/AACAPw=="},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct arena a;
    struct buf out;
    struct embedding_vector v;
    arena_init(&a, 0);
    buf_init(&out, 0);
    assert_int_equal(numbers(&a, cases[i].json, &v), OK);
    embedding_put_base64(&out, &v);
    assert_str(buf_str(&out), str_from_c(cases[i].base64));
    assert_int_equal(embedding_read_base64(&a, buf_str(&out), &v, NULL), OK);
    buf_reset(&out);
    embedding_put_numbers(&out, &v);
    assert_str(buf_str(&out), str_from_c(cases[i].json));
    buf_clear(&out);
    arena_clear(&a);
  }
}

TEST(what_is_no_vector_is_refused) {
  static const char *const wrong[] = {"[]", "{}", "[1,\"2\"]", "[null]", "[[1]]", "1"};
  /* Not base64; three bytes; five; an infinity (7f800000). */
  static const char *const wrong64[] = {"", "AAC", "AACAPw=", "AACA", "AACAPwA=", "AACAfw==", "****"};
  struct arena a;
  struct embedding_vector v;
  arena_init(&a, 0);
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    assert_int_equal(numbers(&a, wrong[i], &v), ERR_UPSTREAM_PROTOCOL);
  for (size_t i = 0; i < sizeof wrong64 / sizeof *wrong64; i++)
    assert_int_equal(embedding_read_base64(&a, str_from_c(wrong64[i]), &v, NULL), ERR_UPSTREAM_PROTOCOL);
  arena_clear(&a);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(digits_stay_as_they_were_written),
      cmocka_unit_test(digits_become_floats_and_back),
      cmocka_unit_test(what_is_no_vector_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
