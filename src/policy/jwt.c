/* Users' tokens: see jwt.h. */
#include "policy/jwt.h"

#include "base/crypto.h"
#include "base/json_out.h"

enum { JTI_BYTES = 16 };

static enum err put_claims(struct buf *b, const struct jwt_claims *c) {
  uint8_t id[JTI_BYTES];
  char hex[2 * JTI_BYTES];
  enum err e = crypto_random(id, sizeof id);
  if (e) return e;
  crypto_hex(id, sizeof id, hex);
  json_out_begin(b, '{');
  json_out_member_string(b, "username", c->username);
  json_out_member_string(b, "sub", c->username);
  json_out_member_i64(b, "iat", c->issued_s);
  if (c->expires_s) json_out_member_i64(b, "exp", c->expires_s);
  json_out_member_string(b, "jti", str_from(hex, sizeof hex));
  json_out_member_string(b, "iss", STR(JWT_ISSUER));
  json_out_member_string(b, "aud", STR(JWT_AUDIENCE));
  json_out_end(b, '}');
  return OK;
}

static void put_base64url(struct buf *out, struct str bytes) {
  size_t n = crypto_base64url_bytes(bytes.n);
  if (!buf_reserve(out, n)) return;
  crypto_base64url(bytes.p, bytes.n, out->p + out->n);
  out->n += n;
}

enum err jwt_issue(struct str key, const struct jwt_claims *claims, struct buf *out, struct err_info *info) {
  struct buf body, token;
  struct crypto_hash mac;
  buf_init(&body, 0);
  buf_init(&token, 0);
  enum err e = key.n ? put_claims(&body, claims) : ERR_INTERNAL;
  put_base64url(&token, STR("{\"alg\":\"HS256\",\"typ\":\"JWT\"}"));
  buf_put_char(&token, '.');
  put_base64url(&token, buf_str(&body));
  if (!e && (body.failed || token.failed)) e = ERR_NO_MEMORY;
  if (!e) e = crypto_hmac_sha256(key, buf_str(&token), &mac);
  if (!e) {
    buf_put_char(&token, '.');
    put_base64url(&token, str_from((const char *)mac.bytes, sizeof mac.bytes));
    buf_put(out, buf_str(&token));
    if (token.failed || out->failed) e = ERR_NO_MEMORY;
  }
  crypto_wipe(token.p, token.n);
  buf_clear(&token);
  buf_clear(&body);
  return e ? err_set(info, e, "the token could not be made: %s", err_text(e)) : OK;
}
