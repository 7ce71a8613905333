/* GET /admin/audit-logs: who changed what, newest first. */
#ifndef MAESTRO_ADMIN_AUDIT_H
#define MAESTRO_ADMIN_AUDIT_H

#include "base/schema.h"
#include "gateway/request_context.h"

/* ?limit= (1 to 200, 50), ?offset=, ?after= (the id of the last one seen: page.h), and filters that combine: action,
 * entity_type, entity_id, performed_by. */
void audit_list(struct request_context *rc);

extern const struct schema audit_schema;

#endif
