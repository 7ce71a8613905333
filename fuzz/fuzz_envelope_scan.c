/* links: base */
/* The envelope scan against yyjson: accepts what that accepts but for our own rules, finds the same members however the
 * text is cut, and edits by spans what it found. The first four bytes choose cuts and edits. */
#include "envelope_oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 4) return 0;
  uint32_t cut = data[0], pick = (uint32_t)data[1] | (uint32_t)data[2] << 8;
  struct str text = str_from((const char *)data + 4, size - 4);
  oracle_check(text, 0, pick);
  oracle_check(text, cut | 1u, pick);
  return 0;
}
