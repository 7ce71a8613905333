/* The admin API's reading of the request log: lists of rows with filters, one user's activity, export as a stream. */
#ifndef MAESTRO_ADMIN_RECORDS_H
#define MAESTRO_ADMIN_RECORDS_H

#include "base/schema.h"
#include "gateway/request_context.h"

void records_list(struct request_context *rc);     /* GET /admin/dashboard/requests-log */
void records_export(struct request_context *rc);   /* GET /admin/dashboard/requests-log/export?format=csv|jsonl */
void records_activity(struct request_context *rc); /* GET /admin/users/{user}/activity */

extern const struct schema records_list_schema, records_activity_schema;

#endif
