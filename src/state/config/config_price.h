/* Prices: integer nano-USD per million tokens, so that 0.06 USD is 60 000 000, exact from the decimal text. Used by the
 * registry and by providers that carry their own. Invariant: unknown is a flag, never zero. */
#ifndef MAESTRO_STATE_CONFIG_PRICE_H
#define MAESTRO_STATE_CONFIG_PRICE_H

#include "base/err.h"
#include "base/str.h"

struct config_price { /* nano-USD per million tokens; meaningful where the flag is set */
  int64_t in, out, cache_read, cache_write, reasoning;
  bool has_in, has_out, has_cache_read, has_cache_write, has_reasoning;
};

/* A decimal number of USD ("0.06", "3e-2") as nano-USD. NULL and *nano_usd set, or the reason against it: no number,
 * negative, finer than a nano-dollar, above a million dollars. */
const char *config_price_parse_usd(struct str text, int64_t *nano_usd) MUST_CHECK;

#endif
