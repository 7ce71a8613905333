/* links: text */
/* Counting any bytes: bounded by them, the same each time, and cut anywhere never less than a token nor more than a few
 * beyond the whole: what two halves are counted for, the whole is at most, but for the pieces at the cut. */
#include <stdlib.h>

#include "text/token_estimate.h"

static void must(bool condition) {
  if (!condition) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct str text = str_from((const char *)data, size);
  struct token_tally whole = {0}, parts = {0};
  size_t at = size ? data[0] % size : 0;
  for (int e = 0; e < TOKENIZER_ENCODINGS; e++) {
    enum tokenizer_encoding encoding = (enum tokenizer_encoding)e;
    int64_t n = tokenizer_count(encoding, text);
    if (n < 0) continue; /* a build without vocabularies */
    must((size_t)n <= size && (n > 0 || size == 0));
    /* Every token is at most 128 bytes. */
    must((size_t)n * 128 >= size);
    must(tokenizer_count(encoding, text) == n);
    int64_t head = tokenizer_count(encoding, str_sub(text, 0, at));
    int64_t tail = tokenizer_count(encoding, str_sub(text, at, size));
    must(head >= 0 && tail >= 0 && (size_t)head <= at && (size_t)tail <= size - at);
  }
  token_tally_add(&whole, text);
  token_tally_add(&parts, str_sub(text, 0, at));
  token_tally_add(&parts, str_sub(text, at, size));
  for (int f = 0; f < TOKEN_FAMILIES; f++) {
    int64_t n = token_tally_tokens(&whole, (enum token_family)f);
    must(n >= 0 && (n > 0) == (size > 0) && n == token_tally_tokens(&parts, (enum token_family)f));
  }
  must(token_family_of(text) < TOKEN_FAMILIES);
  return 0;
}
