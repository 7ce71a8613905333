/* What Anthropic's models take, whoever serves them: shared by the dialects in which they are asked (Anthropic's own,
 * Bedrock's Converse). Thinking, effort and the output limit of a request from another dialect are decided here
 * together, since they depend on each other. Pure. Sources and the table of versions: claude.c. */
#ifndef MAESTRO_DIALECT_CLAUDE_H
#define MAESTRO_DIALECT_CLAUDE_H

#include "dialect/dialect.h"

/* By the version in the model's name. */
struct claude_traits {
  bool has_adaptive;     /* thinking "adaptive" and output_config.effort */
  bool is_adaptive_only; /* thinking "enabled" with a budget is refused */
  bool has_xhigh;
  bool has_sampling; /* temperature, top_p and top_k are taken */
};
struct claude_traits claude_traits(struct str model);

/* What is asked of which model. */
struct claude_asked {
  const struct request *r;
  const struct dialect_target *target;
  struct str origin; /* of the signatures that the target's thinking bears: the target's dialect */
  bool needs_limit;  /* its API wants the output limit said, be none given */
  struct arena *arena;
};

struct claude_limits {
  enum { CLAUDE_THINKING_UNSET, CLAUDE_THINKING_OFF, CLAUDE_THINKING_BUDGET, CLAUDE_THINKING_ADAPTIVE } thinking;
  int64_t budget_tokens;
  struct str effort;     /* or empty */
  struct str max_tokens; /* as written, or made in the arena; empty: none is to be said */
};
enum err claude_limits_decide(const struct claude_asked *asked, struct claude_limits *out) MUST_CHECK;

#endif
