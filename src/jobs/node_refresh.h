/* A node's list of models, asked for again because something was changed there, stored (of a node that is kept in the
 * store) and put in force. What discovery does every ten minutes and the administration's sync on demand, for whoever
 * has just pulled or deleted a model. */
#ifndef MAESTRO_JOBS_NODE_REFRESH_H
#define MAESTRO_JOBS_NODE_REFRESH_H

#include "jobs/discovery.h"

/* Runs to its end, or to a deadline of its own, also when the fiber is cancelled meanwhile. That the list could not be
 * had is no fault of what was done: it is logged, what was known before stays in force, and discovery brings the rest.
 * `at` may be of a snapshot that is the newest no more. Waits (WAIT). */
void node_refresh(struct http_client *client, const struct catalog_provider *at);
/* What a node listed as its models, copied into `a`; names that no model can have are left out. */
enum err node_refresh_models(struct arena *a, const struct discovery_models *listed, struct node_model **out,
                             size_t *n) MUST_CHECK;
/* Keeps their names for the next catalog (route/discovered.h). ERR_NO_MEMORY only. */
enum err node_refresh_note(struct arena *a, struct str provider, const struct node_model *models, size_t n,
                           bool *changed) MUST_CHECK;

#endif
