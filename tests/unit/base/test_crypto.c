/* Published vectors, strict decoding, contexts on several threads. */
#include <pthread.h>
#include <stdio.h>

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
    assert_true(crypto_equal(&whole, &parts, sizeof whole));
  }
}

/* RFC 4231, test cases 1, 2 and 6 (a key longer than a block). */
TEST(hmac_gives_the_published_digests) {
  static const struct {
    const char *key;
    size_t key_bytes;
    struct str data;
    const char *hex;
  } rows[] = {
      {"\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b", 20, STR("Hi There"),
       "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {"Jefe", 4, STR("what do ya want for nothing?"),
       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {NULL, 131, STR("Test Using Larger Than Block-Size Key - Hash Key First"),
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
  };
  char long_key[131];
  memset(long_key, 0xaa, sizeof long_key);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct crypto_hash h;
    const char *key = rows[i].key ? rows[i].key : long_key;
    assert_int_equal(crypto_hmac_sha256(str_from(key, rows[i].key_bytes), rows[i].data, &h), OK);
    assert_hash(&h, rows[i].hex);
  }
}

static void *hash_much(void *arg) {
  const struct crypto_hash *want = arg;
  for (int i = 0; i < 2000; i++) {
    struct crypto_hash h;
    if (crypto_sha256(STR("abc"), &h) || !crypto_equal(&h, want, sizeof h)) return arg;
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

TEST(hex_is_lower_case) {
  char text[6];
  crypto_hex((unsigned char[]){0, 0xff, 0xa1}, 3, text);
  assert_memory_equal(text, "00ffa1", 6);
}

TEST(base64url_of_every_remainder) {
  static const struct {
    const char *data, *text;
  } rows[] = {{"", ""}, {"f", "Zg"}, {"fo", "Zm8"}, {"foo", "Zm9v"}, {"foob", "Zm9vYg"}, {"\xfb\xff\xbf", "-_-_"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char text[16] = "";
    crypto_base64url(rows[i].data, strlen(rows[i].data), text);
    assert_string_equal(text, rows[i].text);
    assert_int_equal(crypto_base64url_bytes(strlen(rows[i].data)), strlen(rows[i].text));
  }
}

static void unhex(const char *hex, uint8_t *out) {
  for (size_t i = 0; hex[2 * i]; i++) {
    unsigned v;
    assert_int_equal(sscanf(hex + 2 * i, "%2x", &v), 1);
    out[i] = (uint8_t)v;
  }
}

/* RFC 5869, test case 3: no salt, no info. The first 32 of its 42 bytes are what one block of HKDF gives. */
TEST(keys_are_derived_as_published) {
  uint8_t master[22], want[32], key[CRYPTO_KEY_BYTES], other[CRYPTO_KEY_BYTES];
  memset(master, 0x0b, sizeof master);
  unhex("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d", want);
  assert_int_equal(crypto_derive(str_from((char *)master, sizeof master), STR_NONE, key), OK);
  assert_memory_equal(key, want, sizeof key);
  assert_int_equal(crypto_derive(str_from((char *)master, sizeof master), STR("a use"), other), OK);
  assert_memory_not_equal(key, other, sizeof key);
}

/* The GCM specification's test case 16 (McGrew and Viega), put together as crypto_seal does. */
TEST(a_published_seal_opens) {
  uint8_t key[32], sealed[12 + 60 + 16], context[20], want[60], out[60];
  unhex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", key);
  unhex(
      "cafebabefacedbaddecaf888"
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0a"
      "bcc9f662"
      "76fc6ece0f4e1768cddf8853bb2d551b",
      sealed);
  unhex("feedfacedeadbeeffeedfacedeadbeefabaddad2", context);
  unhex(
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657"
      "ba637b39",
      want);
  assert_int_equal(crypto_unseal(key, str_from((char *)context, 20), str_from((char *)sealed, sizeof sealed), out), OK);
  assert_memory_equal(out, want, sizeof want);
}

TEST(a_seal_holds_every_bit_of_it) {
  uint8_t key[32] = {1}, sealed[6 + CRYPTO_SEAL_EXTRA], again[6 + CRYPTO_SEAL_EXTRA], out[6];
  struct str plain = STR("secret"), context = STR("https://a.example"), s = {(char *)sealed, sizeof sealed};
  assert_int_equal(crypto_seal(key, context, plain, sealed), OK);
  assert_int_equal(crypto_seal(key, context, plain, again), OK);
  assert_memory_not_equal(sealed, again, sizeof sealed); /* the nonce is another one */
  assert_int_equal(crypto_unseal(key, context, s, out), OK);
  assert_memory_equal(out, "secret", 6);
  for (size_t bit = 0; bit < 8 * sizeof sealed; bit++) {
    sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
    assert_int_equal(crypto_unseal(key, context, s, out), ERR_BAD_VALUE);
    assert_memory_equal(out, "\0\0\0\0\0\0", 6);
    sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
  }
  assert_int_equal(crypto_unseal(key, STR("https://b.example"), s, out), ERR_BAD_VALUE);
  key[31] = 1;
  assert_int_equal(crypto_unseal(key, context, s, out), ERR_BAD_VALUE);
  for (size_t n = 0; n < sizeof sealed; n++)
    assert_int_equal(crypto_unseal(key, context, str_from((char *)sealed, n), out), ERR_BAD_VALUE);
  uint8_t nothing[CRYPTO_SEAL_EXTRA];
  assert_int_equal(crypto_seal(key, STR_NONE, STR_NONE, nothing), OK);
  assert_int_equal(crypto_unseal(key, STR_NONE, str_from((char *)nothing, sizeof nothing), out), OK);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sha256_gives_the_published_digests),
      cmocka_unit_test(hmac_gives_the_published_digests),
      cmocka_unit_test(sha256_of_parts_is_that_of_the_whole),
      cmocka_unit_test(threads_do_not_share_contexts),
      cmocka_unit_test(equal_sees_every_byte),
      cmocka_unit_test(random_bytes_differ),
      cmocka_unit_test(hex_is_lower_case),
      cmocka_unit_test(base64url_of_every_remainder),
      cmocka_unit_test(keys_are_derived_as_published),
      cmocka_unit_test(a_published_seal_opens),
      cmocka_unit_test(a_seal_holds_every_bit_of_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
