/* OpenSSL's primitives with what makes them cheap: see crypto.h. Algorithms are fetched once per process and contexts
 * made once per thread, since a fetch or an allocation for each hash costs several times the hash itself. */
#include "base/crypto.h"

#include <errno.h>
#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

static struct {
  pthread_once_t once;
  pthread_key_t key; /* its destructor frees a thread's contexts */
  bool is_ready;
  EVP_MD *sha256;
} lib = {.once = PTHREAD_ONCE_INIT};

struct contexts {
  EVP_MD_CTX *md;
};

static _Thread_local struct contexts *mine;

static void contexts_free(void *arg) {
  struct contexts *c = arg;
  EVP_MD_CTX_free(c->md);
  free(c);
  mine = NULL;
}

/* The main thread runs no key destructors, so that a leak checker would see its contexts. */
static void lib_clear(void) {
  if (mine) {
    pthread_setspecific(lib.key, NULL);
    contexts_free(mine);
  }
}

static void lib_init(void) {
  /* The texts of errors, some thousands, are told to nobody. */
  OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS, NULL);
  if (pthread_key_create(&lib.key, contexts_free)) return;
  lib.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
  lib.is_ready = lib.sha256 && atexit(lib_clear) == 0;
}

enum err crypto_init(struct err_info *info) {
  pthread_once(&lib.once, lib_init);
  return lib.is_ready ? OK : err_set(info, ERR_INTERNAL, "the TLS library offers no SHA-256");
}

static struct contexts *contexts_make(void) {
  if (crypto_init(NULL)) return NULL;
  struct contexts *c = calloc(1, sizeof *c);
  if (!c) return NULL;
  c->md = EVP_MD_CTX_new();
  if (!c->md || pthread_setspecific(lib.key, c)) {
    contexts_free(c);
    return NULL;
  }
  return mine = c;
}

static inline struct contexts *contexts(void) { return mine ? mine : contexts_make(); }

enum err crypto_random(void *out, size_t n) {
  for (char *p = out; n;) {
    ssize_t got = getrandom(p, n > 256 ? 256 : n, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return ERR_INTERNAL;
    p += got;
    n -= (size_t)got;
  }
  return OK;
}

enum err crypto_sha256(struct str data, struct crypto_hash *out) { return crypto_sha256_parts(&data, 1, out); }

enum err crypto_sha256_parts(const struct str *parts, size_t n, struct crypto_hash *out) {
  struct contexts *c = contexts();
  if (!c) return ERR_NO_MEMORY;
  if (EVP_DigestInit_ex2(c->md, lib.sha256, NULL) != 1) return ERR_INTERNAL;
  for (size_t i = 0; i < n; i++)
    if (parts[i].n && EVP_DigestUpdate(c->md, parts[i].p, parts[i].n) != 1) return ERR_INTERNAL;
  struct crypto_hash hash;
  unsigned length = 0;
  if (EVP_DigestFinal_ex(c->md, hash.bytes, &length) != 1 || length != CRYPTO_HASH_BYTES) return ERR_INTERNAL;
  *out = hash;
  return OK;
}

enum err crypto_hmac_sha256(struct str key, struct str data, struct crypto_hash *out) {
  struct crypto_hash hash;
  unsigned length = 0;
  if (!contexts()) return ERR_NO_MEMORY; /* the algorithm is there */
  if (key.n > INT_MAX) return ERR_BAD_VALUE;
  if (!HMAC(lib.sha256, key.n ? key.p : "", (int)key.n, (const unsigned char *)(data.n ? data.p : ""), data.n,
            hash.bytes, &length) ||
      length != CRYPTO_HASH_BYTES)
    return ERR_INTERNAL;
  *out = hash;
  crypto_wipe(&hash, sizeof hash);
  return OK;
}

/* ---- sealing: seldom, so nothing is prefetched ---- */

enum err crypto_derive(struct str master, struct str label, uint8_t key[CRYPTO_KEY_BYTES]) {
  static char digest[] = "SHA256";
  uint8_t made[CRYPTO_KEY_BYTES];
  EVP_KDF *kdf = EVP_KDF_fetch(NULL, OSSL_KDF_NAME_HKDF, NULL);
  EVP_KDF_CTX *context = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)(master.n ? master.p : ""), master.n),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)(label.n ? label.p : ""), label.n),
      OSSL_PARAM_construct_end()};
  bool is_made = context && EVP_KDF_derive(context, made, sizeof made, params) == 1;
  EVP_KDF_CTX_free(context);
  EVP_KDF_free(kdf);
  if (is_made) memcpy(key, made, sizeof made);
  crypto_wipe(made, sizeof made);
  return is_made ? OK : ERR_INTERNAL;
}

/* Both directions; the tag is read before an end of opening, and written after one of sealing. */
static bool gcm(bool seals, const uint8_t *key, const uint8_t *nonce, struct str context, const uint8_t *in, size_t n,
                uint8_t *out, uint8_t tag[CRYPTO_TAG_BYTES]) {
  int done = 0;
  uint8_t none[1];
  EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
  bool ok = c && n <= INT_MAX && context.n <= INT_MAX &&
            EVP_CipherInit_ex(c, EVP_aes_256_gcm(), NULL, key, nonce, seals) == 1;
  if (ok && context.n) ok = EVP_CipherUpdate(c, NULL, &done, (const unsigned char *)context.p, (int)context.n) == 1;
  if (ok && n) ok = EVP_CipherUpdate(c, out, &done, in, (int)n) == 1;
  if (ok && !seals) ok = EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, CRYPTO_TAG_BYTES, tag) == 1;
  if (ok) ok = EVP_CipherFinal_ex(c, none, &done) == 1;
  if (ok && seals) ok = EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, CRYPTO_TAG_BYTES, tag) == 1;
  EVP_CIPHER_CTX_free(c);
  return ok;
}

enum err crypto_seal(const uint8_t key[CRYPTO_KEY_BYTES], struct str context, struct str plain, uint8_t *out) {
  enum err e = crypto_random(out, CRYPTO_NONCE_BYTES);
  if (e) return e;
  uint8_t *text = out + CRYPTO_NONCE_BYTES;
  return gcm(true, key, out, context, (const uint8_t *)plain.p, plain.n, text, text + plain.n) ? OK : ERR_INTERNAL;
}

enum err crypto_unseal(const uint8_t key[CRYPTO_KEY_BYTES], struct str context, struct str sealed, uint8_t *out) {
  uint8_t tag[CRYPTO_TAG_BYTES];
  if (sealed.n < CRYPTO_SEAL_EXTRA) return ERR_BAD_VALUE;
  const uint8_t *nonce = (const uint8_t *)sealed.p, *text = nonce + CRYPTO_NONCE_BYTES;
  size_t n = sealed.n - CRYPTO_SEAL_EXTRA;
  memcpy(tag, text + n, sizeof tag);
  if (gcm(false, key, nonce, context, text, n, out, tag)) return OK;
  crypto_wipe(out, n); /* what was deciphered before the tag said no */
  return ERR_BAD_VALUE;
}

bool crypto_equal(const void *a, const void *b, size_t n) { return n == 0 || CRYPTO_memcmp(a, b, n) == 0; }

void crypto_wipe(void *p, size_t n) {
  if (p) OPENSSL_cleanse(p, n);
}

void crypto_hex(const void *data, size_t n, char *out) {
  static const char digits[] = "0123456789abcdef";
  const unsigned char *p = data;
  for (size_t i = 0; i < n; i++) {
    out[2 * i] = digits[p[i] >> 4];
    out[2 * i + 1] = digits[p[i] & 15];
  }
}

static const char base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void crypto_base64url(const void *data, size_t n, char *out) {
  const unsigned char *p = data;
  for (; n >= 3; n -= 3, p += 3) {
    unsigned v = (unsigned)p[0] << 16 | (unsigned)p[1] << 8 | p[2];
    *out++ = base64url[v >> 18];
    *out++ = base64url[v >> 12 & 63];
    *out++ = base64url[v >> 6 & 63];
    *out++ = base64url[v & 63];
  }
  if (n == 0) return;
  unsigned v = (unsigned)p[0] << 16 | (n == 2 ? (unsigned)p[1] << 8 : 0);
  *out++ = base64url[v >> 18];
  *out++ = base64url[v >> 12 & 63];
  if (n == 2) *out = base64url[v >> 6 & 63];
}
