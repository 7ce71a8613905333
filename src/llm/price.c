/* Prices as callers are charged them: see price.h. Pure; called for each attempt by call/call.c. Every price in use has
 * three decimals of a dollar at most, so that what comes of it is exact: the next nano-USD is for those that do not. */
#include "llm/price.h"

__extension__ typedef unsigned __int128 u128;

struct price price_times(const struct price *p, int64_t factor) {
  struct price out = *p;
  if (factor == PRICE_ONCE || factor <= 0) return out;
  for (int i = 0; i < USAGE_CLASSES; i++) {
    u128 amount = ((u128)p->nano_usd_per_mtok[i] * (u128)factor + PRICE_ONCE - 1) / PRICE_ONCE;
    if (!price_has(p, (enum usage_class)i)) continue;
    if (amount > INT64_MAX) out.known = (uint8_t)(out.known & ~(1u << i));
    out.nano_usd_per_mtok[i] = amount > INT64_MAX ? 0 : (int64_t)amount;
  }
  return out;
}
