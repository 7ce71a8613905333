/* Wrapped signatures: see signature.h. */
#include "llm/signature.h"

#include <openssl/evp.h>

/* "maestro1:" is nine bytes, so its base64 is a prefix of its own. */
#define MARK "maestro1:"
#define MARK_BASE64 "bWFlc3RybzE6"
enum {
  SIGNATURE_BYTES_MAX = 8 << 20, /* mark and origin included */
  SLOT_BYTES_MAX = (SIGNATURE_BYTES_MAX + 2) / 3 * 4,
  ORIGIN_MAX = 32
};

/* As dialects are called, with "/kind" behind it where one has several: what else stands there was not written by
 * signature_put. */
static bool is_origin(struct str s) {
  for (size_t i = 0; i < s.n; i++)
    if (s.p[i] != '_' && s.p[i] != '/' && (s.p[i] < 'a' || s.p[i] > 'z') && (s.p[i] < '0' || s.p[i] > '9'))
      return false;
  return s.n > 0 && s.n <= ORIGIN_MAX;
}

void signature_put(struct buf *out, const struct signature *s, struct str into) {
  if (str_eq(s->origin, into)) {
    buf_put(out, s->bytes);
    return;
  }
  struct buf plain;
  buf_init(&plain, SIGNATURE_BYTES_MAX);
  buf_put(&plain, STR(MARK));
  buf_put(&plain, s->origin);
  buf_put_char(&plain, ':');
  buf_put(&plain, s->bytes);
  size_t n = (plain.n + 2) / 3 * 4;
  if (plain.failed || !buf_reserve(out, n + 1))
    out->failed = true;
  else
    out->n += (size_t)EVP_EncodeBlock((unsigned char *)out->p + out->n, (unsigned char *)plain.p, (int)plain.n);
  buf_clear(&plain);
}

struct signature signature_read(struct arena *a, struct str slot, struct str from) {
  struct signature own = {slot, from}, none = {0};
  if (!str_has_prefix(slot, STR(MARK_BASE64)) || slot.n % 4 || slot.n > SLOT_BYTES_MAX) return own;
  /* The library takes '=' for a zero anywhere and cuts spaces off. */
  size_t padding = str_has_suffix(slot, STR("==")) ? 2 : str_has_suffix(slot, STR("=")) ? 1 : 0;
  if (str_find_char(slot, '=') < slot.n - padding || str_trim(slot).n != slot.n) return own;
  unsigned char *bytes = arena_alloc(a, slot.n / 4 * 3 + 1);
  if (!bytes) return none;
  int n = EVP_DecodeBlock(bytes, (const unsigned char *)slot.p, (int)slot.n);
  if (n < 0) return own;
  struct str plain = str_from((char *)bytes, (size_t)n - padding), origin, rest;
  if (!str_cut(str_sub(plain, sizeof MARK - 1, plain.n), ':', &origin, &rest) || !is_origin(origin)) return own;
  return (struct signature){rest, origin};
}

bool signature_is_wrapped_within(struct str body) { return str_find(body, STR(MARK_BASE64)) != SIZE_MAX; }
