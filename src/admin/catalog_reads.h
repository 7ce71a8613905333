/* What router-maestro's users read below /api/admin (its admin API, version 0.2): the models with what their providers
 * serve, which providers have a credential, and how each is signed in to. No
 * secrets. All from the snapshot. */
#ifndef MAESTRO_ADMIN_CATALOG_READS_H
#define MAESTRO_ADMIN_CATALOG_READS_H

#include "base/schema.h"
#include "gateway/request_context.h"

void catalog_reads_models(struct request_context *rc);      /* GET …/models */
void catalog_reads_credentials(struct request_context *rc); /* GET …/auth */
void catalog_reads_logins(struct request_context *rc);      /* GET …/auth/providers */

extern const struct schema catalog_reads_models_schema, catalog_reads_credentials_schema, catalog_reads_logins_schema;

#endif
