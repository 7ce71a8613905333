/* Passwords: see password.h. The cost is libsodium's "interactive": two passes over 64 MiB. */
#include "state/password.h"

#include <errno.h>
#include <sodium.h>

_Static_assert(PASSWORD_HASH_MAX == crypto_pwhash_STRBYTES, "room for libsodium's text");
_Static_assert(PASSWORD_MEMORY_BYTES == crypto_pwhash_MEMLIMIT_INTERACTIVE, "the cost that is documented");

static enum err start(struct err_info *info) {
  return sodium_init() < 0 ? err_set(info, ERR_INTERNAL, "libsodium does not work here") : OK;
}

static enum err no_memory(struct err_info *info) {
  return err_set(info, ERR_NO_MEMORY, "no memory to hash a password");
}

enum err password_hash(struct str password, char out[PASSWORD_HASH_MAX], struct err_info *info) {
  enum err e = start(info);
  if (e) return e;
  if (crypto_pwhash_str_alg(out, password.p ? password.p : "", password.n, crypto_pwhash_OPSLIMIT_INTERACTIVE,
                            crypto_pwhash_MEMLIMIT_INTERACTIVE, crypto_pwhash_ALG_ARGON2ID13))
    return no_memory(info);
  return OK;
}

/* The work of a look at a real hash, for nothing. */
static enum err work_in_vain(struct str password, struct err_info *info) {
  static const unsigned char salt[crypto_pwhash_SALTBYTES] = {0};
  unsigned char out[crypto_pwhash_STRBYTES / 4];
  if (crypto_pwhash(out, sizeof out, password.p ? password.p : "", password.n, salt, crypto_pwhash_OPSLIMIT_INTERACTIVE,
                    crypto_pwhash_MEMLIMIT_INTERACTIVE, crypto_pwhash_ALG_ARGON2ID13))
    return no_memory(info);
  return OK;
}

enum err password_verify(struct str hash, struct str password, bool *fits, struct err_info *info) {
  char text[PASSWORD_HASH_MAX] = {0};
  enum err e = start(info);
  if (e) return e;
  if (hash.n && hash.n < sizeof text) memcpy(text, hash.p, hash.n);
  if (crypto_pwhash_str_needs_rehash(text, crypto_pwhash_OPSLIMIT_INTERACTIVE, crypto_pwhash_MEMLIMIT_INTERACTIVE) <
      0) {
    e = work_in_vain(password, info);
    if (!e) *fits = false;
    return e;
  }
  errno = 0;
  bool is_same = crypto_pwhash_str_verify(text, password.p ? password.p : "", password.n) == 0;
  if (!is_same && errno == ENOMEM) return no_memory(info);
  *fits = is_same;
  return OK;
}
