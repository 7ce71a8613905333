/* AWS Signature Version 4: see sigv4.h. */
#include "provider/sigv4.h"

#include <time.h>

#include "base/buf.h"
#include "base/crypto.h"

enum { HEX_BYTES = 2 * CRYPTO_HASH_BYTES, DATE_BYTES = 16 /* "20261128T201530Z" */, DAY_BYTES = 8 };

#define ALGORITHM "AWS4-HMAC-SHA256"
#define SIGNED_HEADERS "host;x-amz-content-sha256;x-amz-date"
#define SIGNED_TOKEN ";x-amz-security-token"

/* What is made on the way; the key is wiped. */
struct signing {
  const struct sigv4_credential *credential;
  const struct sigv4_request *request;
  char date[DATE_BYTES + 1];
  char body_hash[HEX_BYTES];
};

static void put_hex(struct buf *out, const struct crypto_hash *hash) {
  char hex[HEX_BYTES];
  crypto_hex(hash->bytes, sizeof hash->bytes, hex);
  buf_put(out, str_from(hex, sizeof hex));
}

/* The path with all but unreserved bytes (RFC 3986) and '/' escaped: so its own escapes are a second time. */
static void put_path(struct buf *out, struct str path) { buf_put_percent(out, path.n ? path : STR("/"), "/"); }

static void put_signed_headers(struct buf *out, const struct signing *s) {
  buf_put(out, STR(SIGNED_HEADERS));
  if (s->credential->session_token.n) buf_put(out, STR(SIGNED_TOKEN));
}

static void put_scope(struct buf *out, const struct signing *s) {
  buf_printf(out, "%.*s/%.*s/%.*s/aws4_request", DAY_BYTES, s->date, STR_ARG(s->request->region),
             STR_ARG(s->request->service));
}

static void put_canonical_request(struct buf *out, const struct signing *s) {
  const struct sigv4_request *r = s->request;
  buf_put(out, r->method);
  buf_put_char(out, '\n');
  put_path(out, r->path);
  buf_printf(out, "\n\nhost:%.*s\nx-amz-content-sha256:%.*s\nx-amz-date:%s\n", STR_ARG(r->host), HEX_BYTES,
             s->body_hash, s->date);
  if (s->credential->session_token.n)
    buf_printf(out, "x-amz-security-token:%.*s\n", STR_ARG(s->credential->session_token));
  buf_put_char(out, '\n');
  put_signed_headers(out, s);
  buf_put_char(out, '\n');
  buf_put(out, str_from(s->body_hash, HEX_BYTES));
}

static enum err put_string_to_sign(struct buf *out, const struct signing *s) {
  struct buf canonical;
  struct crypto_hash hash;
  buf_init(&canonical, 0);
  put_canonical_request(&canonical, s);
  enum err e = canonical.failed ? ERR_NO_MEMORY : crypto_sha256(buf_str(&canonical), &hash);
  buf_clear(&canonical);
  if (e) return e;
  buf_printf(out, ALGORITHM "\n%s\n", s->date);
  put_scope(out, s);
  buf_put_char(out, '\n');
  put_hex(out, &hash);
  return out->failed ? ERR_NO_MEMORY : OK;
}

/* The day's key for region and service, then the signature with it. */
static enum err make_signature(const struct signing *s, struct str text, struct crypto_hash *out) {
  const struct str steps[] = {str_from(s->date, DAY_BYTES), s->request->region, s->request->service,
                              STR("aws4_request"), text};
  struct buf secret;
  struct crypto_hash key;
  buf_init(&secret, 0);
  buf_put(&secret, STR("AWS4"));
  buf_put(&secret, s->credential->secret_access_key);
  enum err e = secret.failed ? ERR_NO_MEMORY : crypto_hmac_sha256(buf_str(&secret), steps[0], &key);
  for (size_t i = 1; !e && i < sizeof steps / sizeof *steps; i++)
    e = crypto_hmac_sha256(str_from((const char *)key.bytes, sizeof key.bytes), steps[i], &key);
  if (!e) *out = key;
  crypto_wipe(secret.p, secret.n);
  crypto_wipe(&key, sizeof key);
  buf_clear(&secret);
  return e;
}

static enum err put_authorization(struct buf *out, const struct signing *s) {
  struct buf text;
  struct crypto_hash signature;
  buf_init(&text, 0);
  enum err e = put_string_to_sign(&text, s);
  if (!e) e = make_signature(s, buf_str(&text), &signature);
  buf_clear(&text);
  if (e) return e;
  buf_printf(out, ALGORITHM " Credential=%.*s/", STR_ARG(s->credential->access_key_id));
  put_scope(out, s);
  buf_put(out, STR(", SignedHeaders="));
  put_signed_headers(out, s);
  buf_put(out, STR(", Signature="));
  put_hex(out, &signature);
  return out->failed ? ERR_NO_MEMORY : OK;
}

enum err sigv4_check(const struct sigv4_credential *c, struct str region, struct err_info *info) {
  const struct {
    struct str value;
    const char *name;
    bool may_be_empty;
  } rows[] = {{c->access_key_id, "the access key's id", false},
              {c->secret_access_key, "the secret access key", false},
              {c->session_token, "the session token", true},
              {region, "the region", false}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    bool is_good = rows[i].value.n || rows[i].may_be_empty;
    for (size_t k = 0; k < rows[i].value.n; k++)
      is_good = is_good && rows[i].value.p[k] > 0x20 && rows[i].value.p[k] < 0x7f;
    if (!is_good) return err_set(info, ERR_BAD_VALUE, "%s is not what AWS gives out", rows[i].name);
  }
  return OK;
}

enum err sigv4_sign(struct arena *a, const struct sigv4_credential *credential, const struct sigv4_request *request,
                    struct http_header out[SIGV4_HEADERS_MAX], size_t *n, struct err_info *info) {
  struct signing s = {.credential = credential, .request = request};
  struct crypto_hash hash;
  struct tm tm;
  time_t now = (time_t)request->time_s;
  enum err e = sigv4_check(credential, request->region, info);
  if (e) return e;
  if (request->time_s < 0 || !gmtime_r(&now, &tm) ||
      strftime(s.date, sizeof s.date, "%Y%m%dT%H%M%SZ", &tm) != DATE_BYTES)
    return err_set(info, ERR_BAD_VALUE, "the time cannot be signed");
  if ((e = crypto_sha256_parts(request->body, request->body_slices, &hash))) return e;
  crypto_hex(hash.bytes, sizeof hash.bytes, s.body_hash);
  struct buf authorization;
  buf_init(&authorization, 0);
  e = put_authorization(&authorization, &s);
  struct http_header v[SIGV4_HEADERS_MAX] = {
      {STR("X-Amz-Date"), arena_dup(a, str_from(s.date, DATE_BYTES))},
      {STR("X-Amz-Content-Sha256"), arena_dup(a, str_from(s.body_hash, HEX_BYTES))},
      {STR("Authorization"), arena_dup(a, buf_str(&authorization))}};
  size_t count = 3;
  if (credential->session_token.n)
    v[count++] = (struct http_header){STR("X-Amz-Security-Token"), arena_dup(a, credential->session_token)};
  buf_clear(&authorization);
  for (size_t i = 0; !e && i < count; i++)
    if (!v[i].value.p) e = ERR_NO_MEMORY;
  if (e) return e;
  memcpy(out, v, count * sizeof *v);
  *n = count;
  return OK;
}

struct str sigv4_region_of(struct str host) {
  struct str service, rest, region;
  if (!str_cut(host, '.', &service, &rest) || !str_cut(rest, '.', &region, &rest)) return STR_NONE;
  bool is_aws =
      str_eq(rest, STR("amazonaws.com")) || str_eq(rest, STR("amazonaws.com.cn")) || str_eq(rest, STR("api.aws"));
  return is_aws ? region : STR_NONE;
}
