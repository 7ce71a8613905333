/* Tokens of a text for any model: exact for OpenAI's, else estimated. Two ways, which share their rates:
 *
 * struct token_tally counts characters by script, a few tenths of a nanosecond a byte, however the text is cut: for
 * what streams by, and for a first guess. struct token_count counts by o200k_base too, and corrects that by what the
 * tally says of the two vocabularies: 20 MB/s and more, and nearer.
 *
 * The rates of Gemini (Gemma 3), Llama 3, Qwen 2.5, DeepSeek 3 and Mistral (Nemo) are fitted to their published
 * vocabularies; on what real clients sent, token_count is within 5 % of each, on source code within 10 % for nineteen
 * of twenty files, and the tally alone within 12 % (scripts/tokenizer/calibrate, 2026-11-28). Claude has published
 * none since Claude 2: its rates are that one's and people's measurements with the vendor's count endpoint (docs/api.md
 * has the figures), and may be 15 % off. Used by call/count.c. */
#ifndef MAESTRO_TEXT_TOKEN_ESTIMATE_H
#define MAESTRO_TEXT_TOKEN_ESTIMATE_H

#include "text/token_family.h"

enum { TOKEN_SCRIPTS = 16 };

/* Characters by script. Zero-initialise. */
struct token_tally {
  uint64_t scripts[TOKEN_SCRIPTS + 1]; /* the last: what only continues a character */
};

void token_tally_add(struct token_tally *t, struct str text);
/* Estimated tokens; 0 for no text only. */
int64_t token_tally_tokens(const struct token_tally *t, enum token_family family);

struct token_count {
  enum token_family family;
  struct token_tally tally;
  int64_t counted; /* by the family's own vocabulary or o200k_base; -1: there is none in this binary */
};

void token_count_init(struct token_count *c, enum token_family family);
/* Texts add up: each counts for itself. */
void token_count_add(struct token_count *c, struct str text);
int64_t token_count_tokens(const struct token_count *c);
/* Whether that is exact, not an estimate. */
bool token_count_is_exact(const struct token_count *c);
/* Whether counting would begin with unpacking a vocabulary (tokenizer_is_ready). */
bool token_count_is_ready(enum token_family family);

#endif
