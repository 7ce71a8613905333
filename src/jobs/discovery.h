/* Asks providers which models they have, where the configuration does not say. Runs on a fiber: after the start, on
 * models/refresh and every ten minutes. A provider that does not answer keeps what it listed before. */
#ifndef MAESTRO_JOBS_DISCOVERY_H
#define MAESTRO_JOBS_DISCOVERY_H

#include "io/http_client.h"
#include "route/catalog.h"

/* Asks every provider of the catalog that is_open or has listed before, at the same time. *changed: a list differs, so
 * the catalog should be rebuilt. Failures are logged, not returned. */
WAIT enum err discovery_run(struct http_client *client, const struct catalog *catalog, bool *changed);

/* Asks one provider, for somebody who waits. *models (memory from a) is untouched on failure; NULL: whether it answers
 * is all that matters. target (empty: its list of models) is a path at its origin. *latency_ms is set also on
 * failure, which is what the HTTP client says, ERR_UPSTREAM_STATUS or ERR_UPSTREAM_PROTOCOL. */
struct discovery_models {
  struct provider_listed *v;
  size_t n;
};
WAIT enum err discovery_ask(struct http_client *client, const struct provider *p, struct str target,
                            uint32_t timeout_ms, struct arena *a, struct discovery_models *models, uint32_t *latency_ms,
                            struct err_info *info);

#endif
