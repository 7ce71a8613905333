/* Ids of tool calls on the wire: see call_id.h. */
#include "dialect/call_id.h"

#include "base/crypto.h"

enum { HASH_BYTES = 16 }; /* of the digest: enough that no two ids of a request meet */

static bool is_wire(struct str id, struct str also) {
  for (size_t i = 0; i < id.n; i++) {
    char c = id.p[i];
    bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    if (!is_word && str_find_char(also, c) == SIZE_MAX) return false;
  }
  return id.n > 0 && id.n <= CALL_ID_BYTES_MAX;
}

struct str call_id_wire(struct arena *a, struct str id, struct str also) {
  static const char digits[] = "0123456789abcdef";
  struct crypto_hash hash;
  if (is_wire(id, also)) return id;
  if (crypto_sha256(id, &hash)) return STR_NONE;
  char text[5 + 2 * HASH_BYTES] = {'c', 'a', 'l', 'l', '_'};
  for (size_t i = 0; i < HASH_BYTES; i++) {
    text[5 + 2 * i] = digits[hash.bytes[i] >> 4];
    text[6 + 2 * i] = digits[hash.bytes[i] & 15];
  }
  return arena_dup(a, str_from(text, sizeof text));
}
