/* Published vectors, strict decoding, contexts on several threads. */
#include <pthread.h>

#include "base/crypto.h"
#include "unit.h"

static void assert_hash(const struct crypto_hash *hash, const char *hex) {
  char text[65] = {0};
  crypto_hex(hash->bytes, sizeof hash->bytes, text);
  assert_string_equal(text, hex);
}

TEST(sha256_gives_the_published_digests) {
  struct crypto_hash h;
  assert_int_equal(crypto_sha256(STR_NONE, &h), OK);
  assert_hash(&h, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  assert_int_equal(crypto_sha256(STR("abc"), &h), OK);
  assert_hash(&h, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(sha256_of_parts_is_that_of_the_whole) {
  struct str text = STR("the quick brown fox jumps over the lazy dog, twice, to pass the length of one block");
  struct crypto_hash whole, parts;
  assert_int_equal(crypto_sha256(text, &whole), OK);
  for (size_t cut = 0; cut <= text.n; cut++) {
    struct str halves[] = {str_sub(text, 0, cut), STR_NONE, str_sub(text, cut, text.n)};
    assert_int_equal(crypto_sha256_parts(halves, 3, &parts), OK);
    assert_true(crypto_hash_equal(&whole, &parts));
  }
}

TEST(hmac_gives_the_vectors_of_rfc_4231) {
  struct crypto_hash h;
  char key[131];
  memset(key, 0x0b, 20);
  assert_int_equal(crypto_hmac_sha256(str_from(key, 20), STR("Hi There"), &h), OK);
  assert_hash(&h, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  assert_int_equal(crypto_hmac_sha256(STR("Jefe"), STR("what do ya want for nothing?"), &h), OK);
  assert_hash(&h, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  memset(key, 0xaa, sizeof key);
  assert_int_equal(
      crypto_hmac_sha256(str_from(key, sizeof key), STR("Test Using Larger Than Block-Size Key - Hash Key First"), &h),
      OK);
  assert_hash(&h, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(hmac_with_an_empty_key_does_not_reuse_the_last_key) {
  struct crypto_hash h;
  assert_int_equal(crypto_hmac_sha256(STR("secret"), STR("x"), &h), OK);
  assert_int_equal(crypto_hmac_sha256(STR_NONE, STR_NONE, &h), OK);
  assert_hash(&h, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void *hash_much(void *arg) {
  const struct crypto_hash *want = arg;
  for (int i = 0; i < 2000; i++) {
    struct crypto_hash h;
    if (crypto_sha256(STR("abc"), &h) || !crypto_hash_equal(&h, want)) return arg;
  }
  return NULL;
}

TEST(threads_do_not_share_contexts) {
  struct crypto_hash want;
  assert_int_equal(crypto_sha256(STR("abc"), &want), OK);
  pthread_t threads[4];
  for (int i = 0; i < 4; i++) assert_int_equal(pthread_create(&threads[i], NULL, hash_much, &want), 0);
  for (int i = 0; i < 4; i++) {
    void *failed;
    pthread_join(threads[i], &failed);
    assert_null(failed);
  }
}

TEST(equal_sees_every_byte) {
  char a[40], b[40];
  memset(a, 7, sizeof a);
  for (size_t i = 0; i < sizeof a; i++) {
    memcpy(b, a, sizeof a);
    assert_true(crypto_equal(a, b, sizeof a));
    b[i] ^= 1;
    assert_false(crypto_equal(a, b, sizeof a));
  }
  assert_true(crypto_equal(NULL, NULL, 0));
}

TEST(random_bytes_differ) {
  unsigned char a[600], b[600];
  assert_int_equal(crypto_random(a, sizeof a), OK);
  assert_int_equal(crypto_random(b, sizeof b), OK);
  assert_memory_not_equal(a, b, 32);
  assert_memory_not_equal(a + 568, b + 568, 32);
}

TEST(hex_goes_both_ways) {
  unsigned char out[3] = {1, 2, 3};
  char text[6];
  assert_true(crypto_unhex(STR("00fFa1"), out, 3));
  assert_memory_equal(out, ((unsigned char[]){0, 0xff, 0xa1}), 3);
  crypto_hex(out, 3, text);
  assert_memory_equal(text, "00ffa1", 6);
  assert_false(crypto_unhex(STR("00ffa"), out, 3));
  assert_false(crypto_unhex(STR("00ffa1a1"), out, 3));
  assert_false(crypto_unhex(STR("00ffgg"), out, 3));
  assert_memory_equal(out, ((unsigned char[]){0, 0xff, 0xa1}), 3);
}

TEST(base64url_goes_both_ways_at_every_length) {
  unsigned char data[64], back[64];
  assert_int_equal(crypto_random(data, sizeof data), OK);
  for (size_t n = 0; n <= sizeof data; n++) {
    char text[88];
    size_t got = 999, length = crypto_base64url_bytes(n);
    crypto_base64url(data, n, text);
    assert_true(crypto_unbase64url(str_from(text, length), back, sizeof back, &got));
    assert_int_equal(got, n);
    assert_memory_equal(back, data, n);
    if (n) assert_false(crypto_unbase64url(str_from(text, length), back, n - 1, &got));
  }
}

TEST(base64url_is_strict) {
  unsigned char out[16];
  size_t n = 0;
  assert_true(crypto_unbase64url(STR("-_-_"), out, sizeof out, &n));
  assert_memory_equal(out, "\xfb\xff\xbf", 3);
  const char *bad[] = {"A", "AAAAA", "AA==", "AA=", "A+AA", "A/AA", "AA A", "AB", "AAB", "AA\n"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_false(crypto_unbase64url(str_from_c(bad[i]), out, sizeof out, &n));
  assert_true(crypto_unbase64url(STR("AQ"), out, sizeof out, &n));
  assert_int_equal(n, 1);
  assert_int_equal(out[0], 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sha256_gives_the_published_digests),
      cmocka_unit_test(sha256_of_parts_is_that_of_the_whole),
      cmocka_unit_test(hmac_gives_the_vectors_of_rfc_4231),
      cmocka_unit_test(hmac_with_an_empty_key_does_not_reuse_the_last_key),
      cmocka_unit_test(threads_do_not_share_contexts),
      cmocka_unit_test(equal_sees_every_byte),
      cmocka_unit_test(random_bytes_differ),
      cmocka_unit_test(hex_goes_both_ways),
      cmocka_unit_test(base64url_goes_both_ways_at_every_length),
      cmocka_unit_test(base64url_is_strict),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
