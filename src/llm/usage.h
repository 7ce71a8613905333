/* Token usage of one model call. `input` counts every prompt token, cached ones included; `output` counts every
 * completion token, reasoning included. So cache_read + cache_write <= input and reasoning <= output, whatever a
 * vendor's own algebra is: its dialect converts. A class that was not reported is unknown, not zero. */
#ifndef MAESTRO_LLM_USAGE_H
#define MAESTRO_LLM_USAGE_H

#include <stdbool.h>
#include <stdint.h>

enum usage_class { USAGE_INPUT, USAGE_OUTPUT, USAGE_CACHE_READ, USAGE_CACHE_WRITE, USAGE_REASONING, USAGE_CLASSES };

struct usage {
  int64_t tokens[USAGE_CLASSES]; /* >= 0; meaningful where known */
  uint8_t known;                 /* bit (1 << class) */
  bool is_estimated;             /* counted here, not reported by the upstream */
};

static inline bool usage_has(const struct usage *u, enum usage_class c) { return u->known & (1u << c); }
/* The tokens of a class, 0 where unknown. */
static inline int64_t usage_get(const struct usage *u, enum usage_class c) {
  return usage_has(u, c) ? u->tokens[c] : 0;
}
/* Negative values and values beyond 2^53 are refused (false): no vendor means them. */
static inline bool usage_set(struct usage *u, enum usage_class c, int64_t tokens) {
  if (tokens < 0 || tokens > (INT64_C(1) << 53)) return false;
  u->tokens[c] = tokens;
  u->known = (uint8_t)(u->known | (1u << c));
  return true;
}
/* Of two attempts. Input and output are known where both are; the other classes are parts of them, and what is known of
 * them is summed. */
static inline void usage_add(struct usage *to, const struct usage *more) {
  for (int i = 0; i < USAGE_CLASSES; i++)
    to->tokens[i] = usage_get(to, (enum usage_class)i) + usage_get(more, (enum usage_class)i);
  const uint8_t whole = 1u << USAGE_INPUT | 1u << USAGE_OUTPUT;
  uint8_t both = to->known & more->known, either = to->known | more->known;
  to->known = (uint8_t)((both & whole) | (either & (uint8_t)~whole));
  to->is_estimated = to->is_estimated || more->is_estimated;
}

#endif
