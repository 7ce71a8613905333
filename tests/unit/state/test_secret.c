/* Secrets: content, comparison, masks, generated keys, and that freeing wipes. */
#include "state/secret.h"

#include "base/crypto.h"
#include "unit.h"

TEST(holds_and_compares) {
  struct secret *s = secret_new(STR("abc\0d"));
  struct secret *same = secret_dup(s), *empty = secret_new(STR_NONE);
  assert_str(secret_reveal(s), STR("abc\0d"));
  assert_int_equal(secret_bytes(s), 5);
  assert_int_equal(secret_reveal(s).p[5], '\0');
  assert_true(secret_eq(s, STR("abc\0d")));
  assert_false(secret_eq(s, STR("abc\0e")));
  assert_false(secret_eq(s, STR("abc")));
  assert_false(secret_eq(s, STR_NONE));
  assert_false(secret_eq(NULL, STR_NONE));
  assert_false(secret_eq(NULL, STR("abc")));
  assert_true(secret_eq_secret(s, same));
  assert_false(secret_eq_secret(s, NULL));
  assert_false(secret_eq_secret(NULL, NULL));
  assert_true(secret_eq(empty, STR_NONE));
  assert_int_equal(secret_reveal(NULL).n, 0);
  assert_null(secret_dup(NULL));
  secret_free(s);
  secret_free(same);
  secret_free(empty);
  secret_free(NULL);
  static char big[SECRET_BYTES_MAX + 1];
  assert_null(secret_new(str_from(big, sizeof big)));
}

TEST(arena_frees_it) {
  struct arena a;
  arena_init(&a, 0);
  assert_true(secret_eq(secret_new_in(&a, STR("k")), STR("k")));
  arena_clear(&a); /* a leak would be seen by the leak check */
}

TEST(random_keys_are_url_safe_and_distinct) {
  struct secret *seen[64];
  for (size_t i = 0; i < 64; i++) {
    seen[i] = secret_new_random(STR("sk-maestro-"), 32);
    struct str text = secret_reveal(seen[i]);
    assert_int_equal(text.n, 11 + 43); /* 256 bits in sixes */
    assert_true(str_has_prefix(text, STR("sk-maestro-")));
    for (size_t k = 11; k < text.n; k++)
      assert_non_null(strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", text.p[k]));
    for (size_t k = 0; k < i; k++) assert_false(secret_eq_secret(seen[i], seen[k]));
  }
  /* The last character carries four bits and two zeros: one of sixteen. */
  for (size_t i = 0; i < 64; i++) {
    assert_non_null(strchr("AEIMQUYcgkosw048", secret_reveal(seen[i]).p[53]));
    secret_free(seen[i]);
  }
  assert_null(secret_new_random(STR(""), 0));
  assert_null(secret_new_random(STR(""), 65));
  struct secret *longest = secret_new_random(STR(""), 64);
  assert_int_equal(secret_bytes(longest), 86);
  secret_free(longest);
}

TEST(masks) {
  char out[64];
  struct secret *s = secret_new(STR("sk-maestro-0123456789abcdefghijklmnopqrstuv"));
  secret_mask(s, 12, 4, out, sizeof out);
  assert_string_equal(out, "sk-maestro-0…stuv");
  secret_mask(s, 0, 0, out, sizeof out);
  assert_string_equal(out, "****");
  secret_mask(s, 12, 4, out, 10);
  assert_string_equal(out, "");
  secret_free(s);
  s = secret_new(STR("short-secret"));
  secret_mask(s, 12, 4, out, sizeof out);
  assert_string_equal(out, "****");
  secret_free(s);
  secret_mask(NULL, 12, 4, out, sizeof out);
  assert_string_equal(out, "****");
}

TEST(wiping_clears_memory) {
  char bytes[32];
  memset(bytes, 'x', sizeof bytes);
  crypto_wipe(bytes, sizeof bytes);
  for (size_t i = 0; i < sizeof bytes; i++) assert_int_equal(bytes[i], 0);
  crypto_wipe(NULL, 5);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(holds_and_compares),
      cmocka_unit_test(arena_frees_it),
      cmocka_unit_test(random_keys_are_url_safe_and_distinct),
      cmocka_unit_test(masks),
      cmocka_unit_test(wiping_clears_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
