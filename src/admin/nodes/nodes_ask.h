/* Nodes asked now, because an administrator wants to know: their health, and which models they have. On the worker's
 * fiber, with a deadline; what is learned goes into the runtime (route/runtime.h) and, as the input of a change, into
 * the store. */
#ifndef MAESTRO_ADMIN_NODES_ASK_H
#define MAESTRO_ADMIN_NODES_ASK_H

#include "admin/change.h"
#include "base/schema.h"
#include "state/node.h"

/* What a node answered: the input of the changes that store it. */
struct nodes_answer {
  struct str code, name;
  int64_t id;
  struct node_model *v;
  size_t n;
  enum err fault; /* OK: it answered */
  char text[160];
};
struct nodes_answers {
  struct nodes_answer *v;
  size_t n;
};

/* As prepare of a change (change.h): c->in becomes a struct nodes_answers, of one node (c->name) that answered, or of
 * all that are in use. */
WAIT enum err nodes_ask_one(struct request_context *rc, struct change *c, struct err_info *info);
WAIT enum err nodes_ask_all(struct request_context *rc, struct change *c, struct err_info *info);

/* POST …/nodes/{node}/health-check: 200, whatever the node says. */
void nodes_health_check(struct request_context *rc);

/* Of nodes_health_check. */
extern const struct schema nodes_ask_health_schema;

#endif
