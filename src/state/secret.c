/* Secrets: heap blocks with their length in front, wiped before they go. OpenSSL's comparison and cleansing are used
 * since compilers remove or shorten hand-written ones. */
#include "state/secret.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdlib.h>

struct secret {
  size_t n;
  char bytes[]; /* and a NUL */
};

struct secret *secret_new(struct str bytes) {
  if (bytes.n > SECRET_BYTES_MAX) return NULL;
  struct secret *s = malloc(sizeof *s + bytes.n + 1);
  if (!s) return NULL;
  s->n = bytes.n;
  if (bytes.n) memcpy(s->bytes, bytes.p, bytes.n);
  s->bytes[bytes.n] = '\0';
  return s;
}

static void free_hook(void *s) { secret_free(s); }

struct secret *secret_new_in(struct arena *a, struct str bytes) {
  struct secret *s = secret_new(bytes);
  if (s && !arena_on_clear(a, free_hook, s)) {
    secret_free(s);
    return NULL;
  }
  return s;
}

struct secret *secret_new_random(struct str prefix, size_t n) {
  static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  unsigned char random[64 + 2] = {0}; /* two zero bytes so that the last group of three may be read whole */
  char text[256 + 88];
  struct secret *s = NULL;
  if (n == 0 || n > 64 || prefix.n > 256 || RAND_bytes(random, (int)n) != 1) return NULL;
  size_t at = prefix.n, bits = n * 8;
  memcpy(text, prefix.p ? prefix.p : "", prefix.n);
  for (size_t bit = 0; bit < bits; bit += 6) {
    unsigned pair = (unsigned)random[bit / 8] << 8 | random[bit / 8 + 1];
    text[at++] = alphabet[pair >> (10 - bit % 8) & 63];
  }
  s = secret_new(str_from(text, at));
  secret_wipe(random, sizeof random);
  secret_wipe(text, sizeof text);
  return s;
}

struct secret *secret_dup(const struct secret *s) {
  return s ? secret_new(secret_reveal(s)) : NULL;
}

void secret_free(struct secret *s) {
  if (!s) return;
  OPENSSL_cleanse(s, sizeof *s + s->n + 1);
  free(s);
}

struct str secret_reveal(const struct secret *s) {
  return s ? str_from(s->bytes, s->n) : STR_NONE;
}
size_t secret_bytes(const struct secret *s) { return s ? s->n : 0; }

bool secret_eq(const struct secret *s, struct str bytes) {
  if (!s || s->n != bytes.n) return false;
  return s->n == 0 || CRYPTO_memcmp(s->bytes, bytes.p, s->n) == 0;
}

bool secret_eq_secret(const struct secret *a, const struct secret *b) { return b && secret_eq(a, secret_reveal(b)); }

void secret_mask(const struct secret *s, size_t head, size_t tail, char *out, size_t out_bytes) {
  if (out_bytes == 0) return;
  size_t n = secret_bytes(s), at = 0;
  if (n < 2 * (head + tail)) head = tail = 0;
  const char *middle = head + tail ? "…" : "****";
  if (head + strlen(middle) + tail + 1 > out_bytes) {
    out[0] = '\0';
    return;
  }
  if (head) memcpy(out, s->bytes, head);
  at += head;
  memcpy(out + at, middle, strlen(middle));
  at += strlen(middle);
  if (tail) memcpy(out + at, s->bytes + n - tail, tail);
  out[at + tail] = '\0';
}

void secret_wipe(void *p, size_t n) {
  if (p && n) OPENSSL_cleanse(p, n);
}
