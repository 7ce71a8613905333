/* The upper bound of what a call can cost, and how much output a budget still pays for. Pure; used by call/reserve.c
 * before each attempt. A bound holds as long as the provider counts no more tokens than the request has bytes of text,
 * no more for a picture than its vendor publishes, and no more output than the limit it is told (reasoning apart: than
 * the model can write at all). */
#ifndef MAESTRO_POLICY_BUDGET_H
#define MAESTRO_POLICY_BUDGET_H

#include "base/str.h"
#include "llm/price.h"

enum {
  BUDGET_TEMPLATE_TOKENS = 512,        /* what a chat template and a vendor's own words about tools add */
  BUDGET_UNKNOWN_OUTPUT_TOKENS = 4096, /* told to a model whose own maximum is not known */
  BUDGET_UNKNOWN_REASONING_TOKENS = 32768
};

/* Tokens that the input can have at most: a token stands for a byte at least, and the body has more bytes than the
 * texts in it. Pictures are taken out where they stand as base64 under the keys that dialects have for them, and
 * counted with picture_tokens (or their bytes, where these are fewer); one that is named by a URL is counted, too.
 * Linear; `body` is JSON (anything else is harmless). */
int64_t budget_input_bound(struct str body, int64_t picture_tokens);
/* How many pictures a body has; without one the bound is its bytes and BUDGET_TEMPLATE_TOKENS. */
unsigned budget_pictures(struct str body);
/* The most that one picture can cost with that model, as its provider knows it. */
int64_t budget_picture_tokens(struct str model);

struct budget_terms {
  const struct price *price;   /* both input and output are known */
  int64_t input_tokens;        /* the bound */
  int64_t max_tokens;          /* the caller's limit; -1: none */
  int64_t choices;             /* answers; 0: one */
  int64_t model_output_tokens; /* the model's own maximum; -1: unknown */
  int64_t context_tokens;      /* -1: unknown */
  bool has_output;             /* vectors have none */
  bool has_reasoning_apart; /* billed beyond the limit of output: as much as the model's own maximum, else its context,
                               else BUDGET_UNKNOWN_REASONING_TOKENS */
};

/* Output tokens that each answer may have: the caller's limit, else the model's. */
int64_t budget_output_wanted(const struct budget_terms *t);
/* What the call costs at most with that much output, at the dearest classes, rounded up; false: more than 64 bits of
 * nano-USD hold. */
bool budget_amount(const struct budget_terms *t, int64_t output_tokens, int64_t *nano_usd);
/* The most output that `left_nano_usd` pays for; -1: not even the input. At most `wanted`. */
int64_t budget_affordable(const struct budget_terms *t, int64_t wanted, int64_t left_nano_usd);

#endif
