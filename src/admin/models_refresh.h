/* POST /api/admin/models/refresh: reads changed files and asks providers for their models now; answers
 * {"success":true,"models_count":N} when it is all live; 422 when the configuration has faults, which the log tells. */
#ifndef MAESTRO_ADMIN_MODELS_REFRESH_H
#define MAESTRO_ADMIN_MODELS_REFRESH_H

#include "base/schema.h"
#include "gateway/request_context.h"

void admin_models_refresh(struct request_context *rc);

extern const struct schema admin_models_refresh_schema;

#endif
