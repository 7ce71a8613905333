/* Families of tokenizers: see token_family.h. */
#include "text/token_family.h"

#include <fnmatch.h>

enum { NAME_MAX_BYTES = 128 };

/* The first that matches. OpenAI: tiktoken's `model_to_encoding`, and its rule that what follows keeps o200k_base (read
 * 2026-11-28). Google's own SDK counts for Gemini 2.0 and later by Gemma 3's vocabulary. */
static const struct {
  const char *pattern;
  enum token_family family;
} families[] = {
    {"*gpt-4o*", TOKEN_FAMILY_O200K},
    {"gpt-4.[15]*", TOKEN_FAMILY_O200K},
    {"gpt-oss*", TOKEN_FAMILY_O200K},
    {"gpt-[5-9]*", TOKEN_FAMILY_O200K},
    {"o[1-9]", TOKEN_FAMILY_O200K},
    {"o[1-9]-*", TOKEN_FAMILY_O200K},
    {"codex-*", TOKEN_FAMILY_O200K},
    {"computer-use*", TOKEN_FAMILY_O200K},
    {"gpt-4*", TOKEN_FAMILY_CL100K},
    {"gpt-3.5*", TOKEN_FAMILY_CL100K},
    {"gpt-35*", TOKEN_FAMILY_CL100K}, /* as Azure spells it */
    {"text-embedding-*", TOKEN_FAMILY_CL100K},
    {"*claude-opus-4[-.][7-9]*", TOKEN_FAMILY_CLAUDE_NEW},
    {"*claude-[23]*", TOKEN_FAMILY_CLAUDE},
    {"*claude-instant*", TOKEN_FAMILY_CLAUDE},
    {"*claude-*-4*", TOKEN_FAMILY_CLAUDE},
    {"*claude*", TOKEN_FAMILY_CLAUDE_NEW},
    {"*gemini*", TOKEN_FAMILY_GEMINI},
    {"*gemma*", TOKEN_FAMILY_GEMINI},
    {"*deepseek*", TOKEN_FAMILY_DEEPSEEK},
    {"*qwen*", TOKEN_FAMILY_QWEN},
    {"qwq*", TOKEN_FAMILY_QWEN},
    {"*llama*", TOKEN_FAMILY_LLAMA},
    {"*mistral*", TOKEN_FAMILY_MISTRAL},
    {"*mixtral*", TOKEN_FAMILY_MISTRAL},
    {"*ministral*", TOKEN_FAMILY_MISTRAL},
    {"*magistral*", TOKEN_FAMILY_MISTRAL},
    {"*codestral*", TOKEN_FAMILY_MISTRAL},
    {"*devstral*", TOKEN_FAMILY_MISTRAL},
    {"*pixtral*", TOKEN_FAMILY_MISTRAL},
};

/* The name alone, in lower case. Empty: it is too long to be one. */
static void plain_name(struct str model, char out[NAME_MAX_BYTES + 1]) {
  size_t slash = str_rfind_char(model, '/');
  if (slash != SIZE_MAX) model = str_sub(model, slash + 1, model.n);
  if (model.n > NAME_MAX_BYTES) model.n = 0;
  for (size_t i = 0; i < model.n; i++)
    out[i] = (char)(model.p[i] >= 'A' && model.p[i] <= 'Z' ? model.p[i] + 32 : model.p[i]);
  out[model.n] = 0;
}

bool token_family_match(const char *pattern, struct str model) {
  char name[NAME_MAX_BYTES + 1];
  plain_name(model, name);
  return fnmatch(pattern, name, 0) == 0;
}

enum token_family token_family_of(struct str model) {
  char name[NAME_MAX_BYTES + 1];
  plain_name(model, name);
  for (size_t i = 0; i < sizeof families / sizeof *families; i++)
    if (fnmatch(families[i].pattern, name, 0) == 0) return families[i].family;
  return TOKEN_FAMILY_UNKNOWN;
}

enum tokenizer_encoding token_family_encoding(enum token_family family) {
  return family == TOKEN_FAMILY_O200K    ? TOKENIZER_O200K
         : family == TOKEN_FAMILY_CL100K ? TOKENIZER_CL100K
                                         : TOKENIZER_ENCODINGS;
}
