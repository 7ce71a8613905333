/* The admin API of users: /admin/users (model-maestro's shapes, of its README and of its code) and the same below
 * /api/admin/users. Reads show the snapshot, so they work without the store; changes run in the pool, one after
 * another, and are answered once this worker has them in force (the others follow at once). */
#ifndef MAESTRO_ADMIN_USERS_H
#define MAESTRO_ADMIN_USERS_H

#include "gateway/request_context.h"

#define X(name, allowed, required, begin, prepare, status, shape) void users_##name(struct request_context *rc);
#include "admin/people/users.def"
#undef X

/* GET …/users?limit=&after=: in order of creation, at most 500 (limit), from behind the user that is named. */
void users_list(struct request_context *rc);
void users_show(struct request_context *rc);
void users_tokens(struct request_context *rc);
void users_models(struct request_context *rc);
void users_nodes(struct request_context *rc);
void users_node_models(struct request_context *rc);
void users_models_of_node(struct request_context *rc);

#endif
