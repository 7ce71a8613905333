/* Wrapped signatures: see signature.h. */
#include "llm/signature.h"

#include "base/base64.h"

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
  if (plain.failed) out->failed = true;
  base64_put(out, buf_str(&plain));
  buf_clear(&plain);
}

struct signature signature_read(struct arena *a, struct str slot, struct str from) {
  struct signature own = {slot, from}, none = {0};
  if (!str_has_prefix(slot, STR(MARK_BASE64)) || slot.n > SLOT_BYTES_MAX) return own;
  char *bytes = arena_alloc(a, base64_room(slot.n));
  if (!bytes) return none;
  size_t n = base64_decode(slot, bytes);
  if (n == SIZE_MAX) return own;
  struct str plain = str_from(bytes, n), origin, rest;
  if (!str_cut(str_sub(plain, sizeof MARK - 1, plain.n), ':', &origin, &rest) || !is_origin(origin)) return own;
  return (struct signature){rest, origin};
}

bool signature_is_wrapped_within(struct str body) { return str_find(body, STR(MARK_BASE64)) != SIZE_MAX; }
