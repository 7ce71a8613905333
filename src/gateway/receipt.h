/* The receipt: what an answer was made of and what it cost, as the JSON object `maestro` and as x-maestro-* headers.
 * Unknown amounts are null; the turns' costs add up to the total exactly. */
#ifndef MAESTRO_GATEWAY_RECEIPT_H
#define MAESTRO_GATEWAY_RECEIPT_H

#include "gateway/request_context.h"

/* Time this process added, as of now: everything but waiting for providers. */
uint64_t receipt_overhead_us(const struct request_context *rc, const struct call_outcome *outcome);
void receipt_put(const struct request_context *rc, const struct plan *plan, const struct call_outcome *outcome,
                 struct buf *out);
/* Adds the headers to the reply; what the answer has used only when `is_final`. Texts come from the exchange's arena.
 */
void receipt_add_headers(struct request_context *rc, const struct plan *plan, const struct call_outcome *outcome,
                         bool is_final);

#endif
