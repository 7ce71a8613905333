/* The admin API of nodes: /admin/nodes and the nodes' models below /admin/models (model-maestro's shapes), and the same
 * below /api/admin. A node is a provider, kept in the store or declared; the latter are shown and asked, not changed.
 * Reads show the snapshot, so they work without the store. */
#ifndef MAESTRO_ADMIN_NODES_H
#define MAESTRO_ADMIN_NODES_H

#include "base/schema.h"
#include "gateway/request_context.h"

#define X(name, entity, allowed, required, prepare, status, describe) void nodes_##name(struct request_context *rc);
#include "admin/nodes/nodes.def"
#undef X

void nodes_list(struct request_context *rc); /* ?active_only=true */
void nodes_show(struct request_context *rc);
void nodes_models(struct request_context *rc);
/* Which nodes have which model. */
void nodes_distribution(struct request_context *rc);
/* What is known of the nodes' load now. */
void nodes_load_status(struct request_context *rc);
void nodes_metrics(struct request_context *rc); /* the same of one */
/* …/models/{type}: the models of all nodes of that type. */
void nodes_models_of_type(struct request_context *rc);

extern const struct schema nodes_models_schema, nodes_model_of_schema, nodes_distribution_schema, nodes_load_schema,
    nodes_load_status_schema;

#endif
