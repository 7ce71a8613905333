/* Base64: the test vectors of RFC 4648, section 10, and what is none. */
#include "base/base64.h"

#include "unit.h"

static const struct {
  struct str plain, text;
} vectors[] = {{STR(""), STR("")},
               {STR("f"), STR("Zg==")},
               {STR("fo"), STR("Zm8=")},
               {STR("foo"), STR("Zm9v")},
               {STR("foob"), STR("Zm9vYg==")},
               {STR("fooba"), STR("Zm9vYmE=")},
               {STR("foobar"), STR("Zm9vYmFy")}};

TEST(vectors_both_ways) {
  for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
    char bytes[16];
    struct buf out;
    buf_init(&out, 0);
    base64_put(&out, vectors[i].plain);
    assert_str(buf_str(&out), vectors[i].text);
    buf_clear(&out);
    assert_str(str_from(bytes, base64_decode(vectors[i].text, bytes)), vectors[i].plain);
  }
}

TEST(what_is_none) {
  static const struct str none[] = {STR("Z"),        STR("Zg="),          STR("Zg=v"),  STR("=Zg="),
                                    STR("Zg==Zg=="), STR("Zg==\n\n\n\n"), STR("    "),  STR(" Zm9"),
                                    STR("Zm9v===="), STR("Zm-v"),         STR("Zm\0v"), STR("====")};
  for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
    char bytes[16];
    assert_true(base64_decode(none[i], bytes) == SIZE_MAX);
  }
}

TEST(a_buffer_that_is_full) {
  struct buf out;
  buf_init(&out, 3);
  base64_put(&out, STR("foo"));
  assert_true(out.failed);
  buf_clear(&out);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(vectors_both_ways),
      cmocka_unit_test(what_is_none),
      cmocka_unit_test(a_buffer_that_is_full),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
