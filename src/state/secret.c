/* Secrets: heap blocks with their length in front, wiped before they go. OpenSSL's comparison and cleansing are used
 * since compilers remove or shorten hand-written ones. */
#include "state/secret.h"

#include <stdlib.h>

#include "base/crypto.h"

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
  char random[64], text[256 + 88];
  if (n == 0 || n > sizeof random || prefix.n > 256 || crypto_random(random, n) != OK) return NULL;
  if (prefix.n) memcpy(text, prefix.p, prefix.n);
  crypto_base64url(random, n, text + prefix.n);
  struct secret *s = secret_new(str_from(text, prefix.n + crypto_base64url_bytes(n)));
  crypto_wipe(random, sizeof random);
  crypto_wipe(text, sizeof text);
  return s;
}

struct secret *secret_dup(const struct secret *s) {
  return s ? secret_new(secret_reveal(s)) : NULL;
}

void secret_free(struct secret *s) {
  if (!s) return;
  crypto_wipe(s, sizeof *s + s->n + 1);
  free(s);
}

struct str secret_reveal(const struct secret *s) {
  return s ? str_from(s->bytes, s->n) : STR_NONE;
}
size_t secret_bytes(const struct secret *s) { return s ? s->n : 0; }

bool secret_eq(const struct secret *s, struct str bytes) {
  if (!s || s->n != bytes.n) return false;
  return crypto_equal(s->bytes, bytes.p, s->n);
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
