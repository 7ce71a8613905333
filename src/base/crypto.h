/* The few primitives that the request path needs, over OpenSSL: random bytes, SHA-256 and HMAC with a prefetched
 * algorithm and one context per thread, comparison in constant time, hex and base64url. Every layer may call it.
 * crypto_init fetches the algorithms (main calls it; otherwise the first use does); contexts die with their thread.
 * Invariant: a failure leaves the outputs untouched, so a caller that checks can never compare a half-made hash. */
#ifndef MAESTRO_BASE_CRYPTO_H
#define MAESTRO_BASE_CRYPTO_H

#include "base/err.h"

enum { CRYPTO_HASH_BYTES = 32, CRYPTO_KEY_BYTES = 32, CRYPTO_NONCE_BYTES = 12, CRYPTO_TAG_BYTES = 16 };

struct crypto_hash {
  uint8_t bytes[CRYPTO_HASH_BYTES];
};

/* Thread-safe and idempotent. ERR_INTERNAL when the library lacks SHA-256. */
enum err crypto_init(struct err_info *info) MUST_CHECK;

/* From the operating system's generator (getrandom); for keys, tokens and nonces. */
enum err crypto_random(void *out, size_t n) MUST_CHECK;

enum err crypto_sha256(struct str data, struct crypto_hash *out) MUST_CHECK;
/* Of the parts one after another. */
enum err crypto_sha256_parts(const struct str *parts, size_t n, struct crypto_hash *out) MUST_CHECK;

/* HMAC with SHA-256 (RFC 2104); out may be where the key is. */
enum err crypto_hmac_sha256(struct str key, struct str data, struct crypto_hash *out) MUST_CHECK;

/* A key for one use from a master key: HKDF with SHA-256 (RFC 5869), no salt, `label` as its info. */
enum err crypto_derive(struct str master, struct str label, uint8_t key[CRYPTO_KEY_BYTES]) MUST_CHECK;
/* AES-256-GCM (NIST SP 800-38D): nonce, ciphertext and tag one after another into out, which takes plain.n and
 * CRYPTO_SEAL_EXTRA bytes. `context` is bound to it, but not in it. The nonce is random, so a key is good for 2^32. */
enum { CRYPTO_SEAL_EXTRA = CRYPTO_NONCE_BYTES + CRYPTO_TAG_BYTES };
enum err crypto_seal(const uint8_t key[CRYPTO_KEY_BYTES], struct str context, struct str plain,
                     uint8_t *out) MUST_CHECK;
/* out takes sealed.n - CRYPTO_SEAL_EXTRA bytes. ERR_BAD_VALUE, and nothing in out, when it was not sealed with this key
 * and context, or is too short. */
enum err crypto_unseal(const uint8_t key[CRYPTO_KEY_BYTES], struct str context, struct str sealed,
                       uint8_t *out) MUST_CHECK;

/* Time depends on n only, never on the content. */
bool crypto_equal(const void *a, const void *b, size_t n);
/* Overwrites memory in a way that the compiler keeps; NULL is fine. */
void crypto_wipe(void *p, size_t n);

/* Lower-case hex; out takes 2 * n bytes and no NUL. */
void crypto_hex(const void *data, size_t n, char *out);

/* Base64 with the URL alphabet, without padding (RFC 4648 section 5). */
static inline size_t crypto_base64url_bytes(size_t n) { return n / 3 * 4 + (n % 3 ? n % 3 + 1 : 0); }
/* out takes crypto_base64url_bytes(n) bytes and no NUL. */
void crypto_base64url(const void *data, size_t n, char *out);

#endif
