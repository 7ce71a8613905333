/* Whose session a credential is, and who may have one. A session has one secret, which a browser holds as a cookie; a
 * script gets a token that is derived from it and goes where a key may go. Both lead to the same key of the table
 * (state/session.h), so both end at once. Nothing that is stored gives either of them.
 *
 * The administrator's key is made with the configured name and password, so a new password ends the sessions of the old
 * one, across restarts, too. A user's session ends by the user's row: switched off, another role, another password.
 * Pure but for the table; the rules are of one snapshot and immutable. */
#ifndef MAESTRO_POLICY_SESSIONS_H
#define MAESTRO_POLICY_SESSIONS_H

#include "policy/principals.h"
#include "state/session.h"

#define SESSIONS_COOKIE_PREFIX "ms_"
#define SESSIONS_TOKEN_PREFIX "mb_"
enum { SESSIONS_TOKEN_BYTES = sizeof SESSIONS_TOKEN_PREFIX - 1 + 43 }; /* of a script's token, no NUL */

struct sessions_rules {
  struct str admin_name; /* empty: the administrator has no login */
  struct crypto_hash admin;
  int64_t idle_us, total_us;
  const struct principals *principals; /* NULL: no users */
};

/* Sets the administrator's login; the name is borrowed. */
enum err sessions_set_admin(struct sessions_rules *r, struct str name, struct str password) MUST_CHECK;
/* In constant time for one length of name and password. */
bool sessions_is_admin(const struct sessions_rules *r, struct str name, struct str password);

/* The script's token of a session with that secret (the cookie's value). */
enum err sessions_token(struct str secret, char out[SESSIONS_TOKEN_BYTES]) MUST_CHECK;
/* The table's key of a secret. */
enum err sessions_key(const struct sessions_rules *r, struct str secret, bool is_admin,
                      struct crypto_hash *out) MUST_CHECK;
/* As auth_find: by the SHA-256 of a cookie (AUTH_SOURCE_SESSION) or of a token (any other source). */
bool sessions_find(const struct sessions_rules *r, enum auth_source source, const struct crypto_hash *hash,
                   struct auth_principal *out);

#endif
