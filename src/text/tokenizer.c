/* Counting tokens: see tokenizer.h. A text is cut into pieces as the encoding's pattern says (tokenizer_split.c); a
 * piece that is a token counts one, any other is merged from its bytes (tokenizer_merge.c). */
#include "text/tokenizer_internal.h"

typedef const char *cut_fn(const struct tokenizer_classes *c, const char *p, const char *end);

int64_t tokenizer_count(enum tokenizer_encoding encoding, struct str text) {
  static cut_fn *const cuts[TOKENIZER_ENCODINGS] = {
      [TOKENIZER_O200K] = tokenizer_cut_o200k, [TOKENIZER_CL100K] = tokenizer_cut_cl100k};
  const struct tokenizer_vocabulary *v = tokenizer_vocabulary_get(encoding);
  if (!v) return -1;
  if (!text.n) return 0;
  cut_fn *cut = cuts[encoding];
  int64_t count = 0;
  for (const char *p = text.p, *end = p + text.n, *next; p < end; p = next) {
    next = cut(&v->classes, p, end);
    size_t n = (size_t)(next - p);
    count += tokenizer_find(v, p, n) != RANK_NONE ? 1 : tokenizer_merge(v, p, n);
  }
  return count;
}

bool tokenizer_load(enum tokenizer_encoding encoding) { return tokenizer_vocabulary_get(encoding) != NULL; }
