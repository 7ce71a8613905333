/* Users' tokens: JSON Web Tokens (RFC 7519, May 2015) signed with HS256 (RFC 7518, section 3.2), so that other programs
 * can read whose they are. Only issued here: what a caller sends is looked up whole, by its SHA-256 (principals.h), and
 * never parsed, so no header of a token decides how it is judged. Called when a token is made. */
#ifndef MAESTRO_POLICY_JWT_H
#define MAESTRO_POLICY_JWT_H

#include "base/buf.h"

#define JWT_ISSUER "maestro"
#define JWT_AUDIENCE "llm-api"

struct jwt_claims {
  struct str username; /* "username" and "sub" */
  int64_t issued_s;    /* "iat", seconds since 1970 */
  int64_t expires_s;   /* "exp"; 0: none */
};

/* Appends the token, unique by its "jti". The key may be anything but empty. */
enum err jwt_issue(struct str key, const struct jwt_claims *claims, struct buf *out, struct err_info *info) MUST_CHECK;

#endif
