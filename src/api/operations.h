/* What operators and their tools ask: health, readiness, metrics. */
#ifndef MAESTRO_API_OPERATIONS_H
#define MAESTRO_API_OPERATIONS_H

#include "base/schema.h"
#include "gateway/request_context.h"

/* Claude Code asks before its first request; any answer will do. */
void operations_hello(struct request_context *rc);
void operations_health(struct request_context *rc);  /* GET /health: exactly {"status":"healthy"} */
void operations_healthz(struct request_context *rc); /* GET /healthz: details with a credential or locally */
void operations_readyz(struct request_context *rc);  /* GET /readyz: 503 while draining */
void operations_metrics(struct request_context *rc); /* GET /metrics */

/* fn runs before each scrape, on the scraping worker: copies figures that other rooms keep. Set once, before serving.
 */
void operations_on_scrape(void (*fn)(void));
/* From now on /readyz answers 503; any thread. */
void operations_set_draining(void);

extern const struct schema operations_health_schema, operations_healthz_schema, operations_readyz_schema;

#endif
