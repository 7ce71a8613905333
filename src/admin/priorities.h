/* /api/admin/priorities, router-maestro's way to order models: GET shows the list with fallback and guards and their
 * revision; PATCH and PUT replace list and fallback, where the revision is still that one. They are kept in
 * priorities.json, whose other members stay, and in force when it is answered. What maestro.json or the environment
 * declares is theirs. */
#ifndef MAESTRO_ADMIN_PRIORITIES_H
#define MAESTRO_ADMIN_PRIORITIES_H

#include "admin/fields.h"
#include "base/schema.h"
#include "gateway/request_context.h"

/* The body of a change, and what of it is required. */
extern const struct fields priorities_fields;
enum { PRIORITIES_REQUIRED = 3 };

void priorities_show(struct request_context *rc);
void priorities_set(struct request_context *rc);

extern const struct schema priorities_schema;
/* Of 409 where the revision is another now. */
extern const struct schema priorities_stale_schema;

#endif
