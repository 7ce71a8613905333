/* Sessions' credentials and keys: see sessions.h. cookie -> token = "mb_" + base64url(SHA-256(cookie)) -> key =
 * SHA-256(SHA-256(token) | who). */
#include "policy/sessions.h"

#include "base/clock.h"

static struct str bytes_of(const struct crypto_hash *h) { return str_from((const char *)h->bytes, sizeof h->bytes); }

/* What stands for a login: no name has a NUL, so two parts cannot be cut in another place. */
static enum err hash_login(struct str name, struct str password, struct crypto_hash *out) {
  const struct str parts[] = {STR("maestro login"), {"", 1}, name, {"", 1}, password};
  return crypto_sha256_parts(parts, sizeof parts / sizeof *parts, out);
}

enum err sessions_set_admin(struct sessions_rules *r, struct str name, struct str password) {
  enum err e = password.n ? hash_login(name, password, &r->admin) : OK;
  if (!e) r->admin_name = password.n ? name : STR_NONE;
  return e;
}

bool sessions_is_admin(const struct sessions_rules *r, struct str name, struct str password) {
  struct crypto_hash login;
  return r->admin_name.n && !hash_login(name, password, &login) && crypto_equal(&login, &r->admin, sizeof login);
}

static void put_token(const struct crypto_hash *secret, char out[SESSIONS_TOKEN_BYTES]) {
  memcpy(out, SESSIONS_TOKEN_PREFIX, sizeof SESSIONS_TOKEN_PREFIX - 1);
  crypto_base64url(secret->bytes, sizeof secret->bytes, out + sizeof SESSIONS_TOKEN_PREFIX - 1);
}

enum err sessions_token(struct str secret, char out[SESSIONS_TOKEN_BYTES]) {
  struct crypto_hash hash;
  enum err e = crypto_sha256(secret, &hash);
  if (!e) put_token(&hash, out);
  return e;
}

static enum err key_of(const struct sessions_rules *r, const struct crypto_hash *token, bool is_admin,
                       struct crypto_hash *out) {
  const struct str parts[] = {bytes_of(token), is_admin ? bytes_of(&r->admin) : STR("user")};
  return crypto_sha256_parts(parts, 2, out);
}

static enum err hash_of_token(const struct crypto_hash *secret, struct crypto_hash *out) {
  char token[SESSIONS_TOKEN_BYTES];
  put_token(secret, token);
  return crypto_sha256(str_from(token, sizeof token), out);
}

enum err sessions_key(const struct sessions_rules *r, struct str secret, bool is_admin, struct crypto_hash *out) {
  struct crypto_hash hash, token;
  enum err e = crypto_sha256(secret, &hash);
  if (!e) e = hash_of_token(&hash, &token);
  return e ? e : key_of(r, &token, is_admin, out);
}

/* The user whose session it is, if the session is not older than what ended those of before. */
static bool take_user(const struct principals *p, const struct session *s, struct auth_principal *out) {
  const struct user *u = p ? people_find_id(&p->people, s->user_id) : NULL;
  if (!u || !u->is_active || u->role == USER_ROLE_USER) return false;
  if (s->created_us <= u->sessions_from_us || s->created_us < u->created_us) return false;
  *out = (struct auth_principal){
      .kind = AUTH_USER, .index = (uint32_t)(u - p->people.users), .id = (uint64_t)u->id, .role = u->role};
  return true;
}

bool sessions_find(const struct sessions_rules *r, enum auth_source source, const struct crypto_hash *hash,
                   struct auth_principal *out) {
  struct crypto_hash token = *hash, key;
  struct auth_principal found = {.kind = AUTH_ADMIN};
  struct session s;
  int64_t now = clock_wall_us();
  if (session_count() == 0) return false;
  if (source == AUTH_SOURCE_SESSION && hash_of_token(hash, &token)) return false;
  bool is_found = r->admin_name.n && !key_of(r, &token, true, &key) && session_find(&key, now, r->idle_us, &s);
  if (!is_found)
    is_found = !key_of(r, &token, false, &key) && session_find(&key, now, r->idle_us, &s) &&
               take_user(r->principals, &s, &found);
  if (!is_found) return false;
  found.is_session = true;
  found.session = key;
  *out = found;
  return true;
}
