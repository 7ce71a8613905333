/* Base64: see base64.h. */
#include "base/base64.h"

#include <openssl/evp.h>

/* The library takes '=' for a zero anywhere, and cuts white space off at both ends. */
size_t base64_decode(struct str text, void *out) {
  if (text.n % 4 || text.n > BASE64_TEXT_MAX || str_trim(text).n != text.n) return SIZE_MAX;
  size_t padding = str_has_suffix(text, STR("==")) ? 2 : str_has_suffix(text, STR("=")) ? 1 : 0;
  if (str_find_char(text, '=') < text.n - padding) return SIZE_MAX;
  int n = EVP_DecodeBlock(out, (const unsigned char *)text.p, (int)text.n);
  return n < 0 ? SIZE_MAX : (size_t)n - padding;
}

void base64_put(struct buf *out, struct str bytes) {
  if (bytes.n > BASE64_TEXT_MAX / 4 * 3 || !buf_reserve(out, (bytes.n + 2) / 3 * 4 + 1)) { /* it ends with a NUL */
    out->failed = true;
    return;
  }
  out->n += (size_t)EVP_EncodeBlock((unsigned char *)out->p + out->n, (const unsigned char *)bytes.p, (int)bytes.n);
}
