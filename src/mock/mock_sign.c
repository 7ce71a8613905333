/* SHA-256 in standard base64: see mock_sign.h. */
#include "mock/mock_sign.h"

#include "base/crypto.h"

static void make(struct str purpose, struct str text, char *out) {
  struct crypto_hash hash[2] = {{{0}}, {{0}}};
  const struct str first[] = {STR("mock"), purpose, STR(":"), text}, second[] = {STR("more"), purpose, STR(":"), text};
  enum err e = crypto_sha256_parts(first, 4, &hash[0]);
  if (!e) e = crypto_sha256_parts(second, 4, &hash[1]);
  (void)e; /* without SHA-256 all signatures are equal */
  crypto_base64url(hash, MOCK_SIGN_BYTES / 4 * 3, out);
  for (size_t i = 0; i < MOCK_SIGN_BYTES; i++)
    if (out[i] == '-' || out[i] == '_') out[i] = out[i] == '-' ? '+' : '/';
}

void mock_sign_put(struct buf *out, struct str purpose, struct str text) {
  char made[MOCK_SIGN_BYTES];
  make(purpose, text, made);
  buf_put(out, str_from(made, sizeof made));
}

bool mock_sign_is_good(struct str signature, struct str purpose, struct str text) {
  char made[MOCK_SIGN_BYTES];
  make(purpose, text, made);
  return str_eq(signature, str_from(made, sizeof made));
}
