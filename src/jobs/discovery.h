/* Asks providers which models they have, where the configuration does not say. Runs on a fiber: after the start, on
 * models/refresh and every ten minutes. A provider that does not answer keeps what it listed before. */
#ifndef MAESTRO_JOBS_DISCOVERY_H
#define MAESTRO_JOBS_DISCOVERY_H

#include "io/http_client.h"
#include "route/catalog.h"

/* Asks every provider of the catalog that is_open or has listed before, at the same time. *changed: a list differs, so
 * the catalog should be rebuilt. Failures are logged, not returned. */
WAIT enum err discovery_run(struct http_client *client, const struct catalog *catalog, bool *changed);

#endif
