/* Prices of one model: integer nano-USD per million tokens (so 0.06 USD per million is 60 000 000), with the date on
 * which they were read. A class without a price is unknown; cost.h says what follows. */
#ifndef MAESTRO_LLM_PRICE_H
#define MAESTRO_LLM_PRICE_H

#include "llm/usage.h"

struct price {
  int64_t nano_usd_per_mtok[USAGE_CLASSES]; /* >= 0; meaningful where known */
  uint8_t known;                            /* bit (1 << class) */
  char date[11];                            /* "2026-06-22", or empty */
};

static inline bool price_has(const struct price *p, enum usage_class c) { return p && (p->known & (1u << c)); }
/* Enough of it is known for a budget. */
static inline bool price_is_known(const struct price *p) {
  return price_has(p, USAGE_INPUT) && price_has(p, USAGE_OUTPUT);
}

enum { PRICE_ONCE = 1000000000 };
/* The price so many times (billionths; PRICE_ONCE or 0: as it is), each class rounded up to the next nano-USD per
 * million tokens; one that 64 bits do not hold is unknown. */
struct price price_times(const struct price *p, int64_t factor);

#endif
