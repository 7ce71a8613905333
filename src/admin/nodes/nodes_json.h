/* Nodes as JSON: members of model-maestro's names, and those that are Maestro's own. No credential is ever in it. */
#ifndef MAESTRO_ADMIN_NODES_JSON_H
#define MAESTRO_ADMIN_NODES_JSON_H

#include "base/schema.h"
#include "route/catalog.h"

/* A declared provider as a node: read-only, with a number that is made of its name and so stays. Borrows from p. */
struct node nodes_json_declared(const struct config_provider *p);

/* What is stored of a node: what a tag is made of, and what the audit log keeps. */
void nodes_json_put(struct buf *b, const struct node *node);
/* The same as an answer to a change that perhaps took the credential away, since the origin is another now. `shadow`:
 * the declared provider that it has to give way to, or NULL. */
void nodes_json_put_changed(struct buf *b, const struct node *node, const struct config_provider *shadow,
                            bool drops_credential);

struct nodes_json_state {
  bool is_declared;
  const struct config_provider *shadow; /* by which it is shadowed; NULL: it is not */
  const struct catalog_provider *at;    /* in the catalog; NULL: it is not in use */
};
/* The same, and how it stands now. */
void nodes_json_put_state(struct buf *b, const struct node *node, const struct nodes_json_state *state);
/* The members node_id, node_code, node_name alone. */
void nodes_json_put_who(struct buf *b, const struct node *node);
/* The members of its last health check alone: health_status, error, …; at NULL: unknown. */
void nodes_json_put_health(struct buf *b, const struct catalog_provider *at);
void nodes_json_put_model(struct buf *b, const struct node_model *m);

/* What they write: of a node with its state, of one that was changed, of a model; who it is and its health stand
 * among other members. */
extern const struct schema nodes_json_schema, nodes_json_changed_schema, nodes_json_model_schema, nodes_json_who_schema,
    nodes_json_health_schema;

#endif
