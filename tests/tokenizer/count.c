/* Counts texts for agree.cjs: reads, again and again, a line "<encoding> <bytes>\n" and so many bytes, and answers with
 * a line that is their count. Encoding 0 is o200k_base, 1 cl100k_base. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "text/tokenizer.h"

int main(void) {
  int encoding;
  size_t n;
  while (scanf("%d %zu", &encoding, &n) == 2 && encoding >= 0 && encoding < TOKENIZER_ENCODINGS && getchar() == '\n') {
    char *text = malloc(n ? n : 1);
    if (!text || fread(text, 1, n, stdin) != n) return 1;
    printf("%" PRId64 "\n", tokenizer_count((enum tokenizer_encoding)encoding, str_from(text, n)));
    free(text);
  }
  return feof(stdin) ? 0 : 1;
}
