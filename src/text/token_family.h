/* Which tokenizer a model has, by its name: the families that counts tell apart. Used by text/token_estimate.c,
 * text/media_tokens.c and call/count.c. Pure. */
#ifndef MAESTRO_TEXT_TOKEN_FAMILY_H
#define MAESTRO_TEXT_TOKEN_FAMILY_H

#include "text/tokenizer.h"

enum token_family {
  TOKEN_FAMILY_O200K,      /* OpenAI from gpt-4o on */
  TOKEN_FAMILY_CL100K,     /* gpt-4, gpt-3.5, embeddings */
  TOKEN_FAMILY_CLAUDE,     /* Claude 3 to 4.6 */
  TOKEN_FAMILY_CLAUDE_NEW, /* from Opus 4.7 on */
  TOKEN_FAMILY_GEMINI,     /* and Gemma 3 */
  TOKEN_FAMILY_LLAMA,      /* 3 and later */
  TOKEN_FAMILY_QWEN,
  TOKEN_FAMILY_DEEPSEEK,
  TOKEN_FAMILY_MISTRAL, /* its "Tekken" vocabulary */
  TOKEN_FAMILY_UNKNOWN,
  TOKEN_FAMILIES
};

/* model: as its provider knows it; a path before the name ("openai/gpt-4o") and letter case do not matter. */
enum token_family token_family_of(struct str model);
/* Whether a name matches a pattern of fnmatch(3), by the same rules. Names over 128 bytes match "*" only. */
bool token_family_match(const char *pattern, struct str model);
/* The vocabulary that is the family's own, or TOKENIZER_ENCODINGS: it has none here. */
enum tokenizer_encoding token_family_encoding(enum token_family family);

#endif
