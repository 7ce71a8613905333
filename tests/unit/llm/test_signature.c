/* Signatures on their way through foreign slots: what was wrapped comes back with its origin, what only looks wrapped
 * stays what it is. */
#include "llm/signature.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "unit.h"

static struct arena arena;

static int begin(void **state) {
  (void)state;
  arena_init(&arena, 0);
  return 0;
}

static int end(void **state) {
  (void)state;
  arena_clear(&arena);
  return 0;
}

static struct buf put(struct str bytes, struct str origin, struct str into) {
  struct buf out;
  buf_init(&out, 0);
  signature_put(&out, &(struct signature){bytes, origin}, into);
  assert_false(out.failed);
  return out;
}

static struct str base64(struct str s) {
  char *out = arena_alloc(&arena, s.n * 2 + 5);
  return str_from(out, (size_t)EVP_EncodeBlock((unsigned char *)out, (const unsigned char *)s.p, (int)s.n));
}

static void expect_own(struct str slot) {
  struct signature s = signature_read(&arena, slot, STR("gemini"));
  assert_str(s.origin, STR("gemini"));
  assert_ptr_equal(s.bytes.p, slot.p);
  assert_int_equal(s.bytes.n, slot.n);
}

TEST(ones_own_passes_as_it_is) {
  struct buf out = put(STR("any/bytes\"+="), STR("anthropic"), STR("anthropic"));
  assert_str(buf_str(&out), STR("any/bytes\"+="));
  struct signature s = signature_read(&arena, buf_str(&out), STR("anthropic"));
  assert_str(s.bytes, STR("any/bytes\"+="));
  assert_str(s.origin, STR("anthropic"));
  buf_clear(&out);
}

TEST(anothers_is_wrapped_and_comes_back) {
  static const struct str bytes[] = {
      STR(""), STR("a"), STR("ab"), STR("abc"), STR("EqQBCkYIARgCKkD=="), STR("with:colons:"), STR("\0\xff\x80 bytes")};
  static const struct str origins[] = {STR("anthropic"), STR("openai_responses"), STR("g"), STR("bedrock_converse2"),
                                       STR("anthropic/redacted")};
  for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++)
    for (size_t k = 0; k < sizeof origins / sizeof *origins; k++) {
      struct buf out = put(bytes[i], origins[k], STR("gemini"));
      assert_int_equal(out.n % 4, 0); /* a slot of bytes is written as base64 */
      assert_true(str_has_prefix(buf_str(&out), STR("bWFlc3RybzE6")));
      struct signature s = signature_read(&arena, buf_str(&out), STR("gemini"));
      assert_str(s.bytes, bytes[i]);
      assert_str(s.origin, origins[k]);
      buf_clear(&out);
    }
}

/* As documented: base64 of "maestro1:<origin>:<bytes>". */
TEST(the_format) {
  struct buf out = put(STR("sig"), STR("anthropic"), STR("gemini"));
  assert_str(buf_str(&out), STR("bWFlc3RybzE6YW50aHJvcGljOnNpZw=="));
  buf_clear(&out);
}

TEST(it_is_appended) {
  struct buf out;
  buf_init(&out, 0);
  buf_put(&out, STR("\"signature\":\""));
  signature_put(&out, &(struct signature){STR("sig"), STR("anthropic")}, STR("gemini"));
  buf_put_char(&out, '"');
  assert_str(buf_str(&out), STR("\"signature\":\"bWFlc3RybzE6YW50aHJvcGljOnNpZw==\""));
  buf_clear(&out);
}

TEST(what_only_looks_wrapped) {
  static const struct str plain[] = {STR("maestro1:"),
                                     STR("maestro1:anthropic"),
                                     STR("maestro1::bytes"),
                                     STR("maestro1:an thropic:b"),
                                     STR("maestro1:Anthropic:b"),
                                     STR("maestro1:\xff:b"),
                                     STR("maestro1:a\n:b"),
                                     STR("maestro2:anthropic:b"),
                                     STR("Maestro1:anthropic:b"),
                                     STR("maestro1:an_origin_whose_name_is_far_too_long_for_one:b")};
  for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) expect_own(base64(plain[i]));
  expect_own(STR_NONE);
  expect_own(STR("bWFlc3RybzE"));
  expect_own(STR("maestro1:anthropic:bytes")); /* not in base64 */
}

TEST(hostile_base64) {
  static const struct str slots[] = {
      STR("bWFlc3RybzE6YW50aHJvcGljOnNpZw="),      /* padding missing */
      STR("bWFlc3RybzE6YW50aHJvcGljOnNpZw"),       /* all of it */
      STR("bWFlc3RybzE6YW50aHJvcGljOnNp===="),     /* too much of it */
      STR("bWFlc3RybzE6YW50=HJvcGljOnNpZw="),      /* within */
      STR("bWFlc3RybzE6YW50aHJvcGljOnNpZw==QQ=="), /* two values */
      STR("bWFlc3RybzE6YW50aHJv\ncGljOnNpZw=="),   /* a line end */
      STR("bWFlc3RybzE6YW50aHJvcGljOnNp    "),     /* spaces, which the library would cut off */
      STR("bWFlc3RybzE6YW50aHJvcGljOnNp\r\n\r\n"),
      STR("bWFlc3RybzE6YW50aHJvcGljOnN-_w=="), /* the other alphabet */
      STR("bWFlc3RybzE6YW50aHJvcGljO\0NpZw=="),
      STR("bWFlc3RybzE6YW50aHJvcGlj\xff\xff\xff\xff"),
      STR("bWFlc3RybzE6===="),
      STR("bWFlc3RybzE6"),
  };
  for (size_t i = 0; i < sizeof slots / sizeof *slots; i++) expect_own(slots[i]);
}

TEST(found_within_a_body) {
  struct buf body;
  buf_init(&body, 0);
  buf_put(&body, STR("{\"messages\":[{\"signature\":\""));
  assert_false(signature_is_wrapped_within(buf_str(&body)));
  signature_put(&body, &(struct signature){STR("sig"), STR("gemini")}, STR("gemini")); /* its own is none */
  assert_false(signature_is_wrapped_within(buf_str(&body)));
  signature_put(&body, &(struct signature){STR("sig"), STR("anthropic")}, STR("gemini"));
  assert_true(signature_is_wrapped_within(buf_str(&body)));
  buf_clear(&body);
}

/* Cut anywhere, it is never taken for a whole one of another length, unless what is left is one. */
TEST(truncated) {
  struct buf out = put(STR("0123456789abcdef"), STR("anthropic"), STR("gemini"));
  for (size_t n = 0; n < out.n; n++) {
    char *copy = malloc(n ? n : 1);
    memcpy(copy, out.p, n);
    struct signature s = signature_read(&arena, str_from(copy, n), STR("gemini"));
    if (str_eq(s.origin, STR("anthropic")))
      assert_true(n % 4 == 0 && str_has_prefix(STR("0123456789abcdef"), s.bytes));
    else
      assert_int_equal(s.bytes.n, n);
    free(copy);
  }
  buf_clear(&out);
}

TEST(sizes) {
  size_t n = (8 << 20) - sizeof "maestro1:anthropic:" + 1;
  char *bytes = malloc(n + 1);
  memset(bytes, 's', n + 1);
  struct buf out = put(str_from(bytes, n), STR("anthropic"), STR("gemini"));
  struct signature s = signature_read(&arena, buf_str(&out), STR("gemini"));
  assert_str(s.origin, STR("anthropic")); /* what can be wrapped can be unwrapped */
  assert_int_equal(s.bytes.n, n);
  buf_clear(&out);
  signature_put(&out, &(struct signature){str_from(bytes, n + 1), STR("anthropic")}, STR("gemini"));
  assert_true(out.failed);
  buf_clear(&out);
  free(bytes);
  buf_init(&out, 8);
  signature_put(&out, &(struct signature){STR("sig"), STR("anthropic")}, STR("gemini"));
  assert_true(out.failed);
  buf_clear(&out);
}

TEST(without_memory_there_is_none) {
  struct buf out = put(STR("sig"), STR("anthropic"), STR("gemini"));
  struct arena small;
  arena_init(&small, 1);
  struct signature s = signature_read(&small, buf_str(&out), STR("gemini"));
  assert_int_equal(s.bytes.n, 0);
  assert_int_equal(s.origin.n, 0);
  arena_clear(&small);
  buf_clear(&out);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void) {
  const struct CMUnitTest tests[] = {ROW(ones_own_passes_as_it_is),
                                     ROW(anothers_is_wrapped_and_comes_back),
                                     ROW(the_format),
                                     ROW(it_is_appended),
                                     ROW(what_only_looks_wrapped),
                                     ROW(hostile_base64),
                                     ROW(found_within_a_body),
                                     ROW(truncated),
                                     ROW(sizes),
                                     ROW(without_memory_there_is_none)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
