/* The administration of what Ollama nodes have: models are pulled to one node or all of them, deleted, shown
 * (model-maestro's endpoints, below /admin and /api/admin). Who calls acts by role, so no list of models applies. The
 * node's list is in force before the answer's end, and what was begun has one row in the audit log. */
#ifndef MAESTRO_ADMIN_NODES_MANAGE_H
#define MAESTRO_ADMIN_NODES_MANAGE_H

#include "admin/fields.h"
#include "base/schema.h"
#include "gateway/request_context.h"

/* The body of a pull, and what of it each endpoint takes. */
extern const struct fields nodes_manage_fields;
enum { NODES_MANAGE_NAME = 1, NODES_MANAGE_STREAM = 2, NODES_MANAGE_INSECURE = 4, NODES_MANAGE_NODE = 8 };
#define NODES_MANAGE_PULL (NODES_MANAGE_NAME | NODES_MANAGE_STREAM | NODES_MANAGE_INSECURE)

void nodes_manage_pull(struct request_context *rc); /* POST …/nodes/{node}/pull-model */
void nodes_manage_pull_all(
    struct request_context *rc); /* POST …/nodes/pull-model-all: lines say which node they are of */
void nodes_manage_pull_any(struct request_context *rc); /* POST …/models/pull: the body may name the node */
void nodes_manage_delete(struct request_context *rc);   /* DELETE …/models/ollama/{name}?node= */
void nodes_manage_show(struct request_context *rc);     /* POST …/models/show?name=&node=: what the node says of it */

/* What those that change something answer with, unless progress is told. */
extern const struct schema nodes_manage_results_schema, nodes_manage_done_schema;

#endif
