/* Which Ollama node is meant by the name of a model that is to be managed there, which need not exist yet: never a
 * guess. Pure over the request's snapshot; called by the endpoints that manage models.
 *
 *   node:<code>:<model>   that node
 *   <code>/<model>        the same, where <code> is an Ollama node's, as lists of models have it
 *   <model>               the only Ollama node that the caller may use for it; or, for what exists already
 *                         (NODE_CHOICE_HOLDER), the only one of those that lists it
 *
 * A name is taken literally: aliases and groups are no models of a node. */
#ifndef MAESTRO_GATEWAY_NODE_CHOICE_H
#define MAESTRO_GATEWAY_NODE_CHOICE_H

#include "gateway/request_context.h"

enum node_choice_flag {
  NODE_CHOICE_HOLDER = 1, /* the model is one that a node has */
  NODE_CHOICE_UNBOUND = 2 /* the caller acts as an administrator: no lists */
};

struct node_choice {
  const struct catalog_provider *at;
  struct str model; /* as the node knows it; a slice of the name */
};

/* ERR_NOT_FOUND for an unknown code; ERR_NOT_SERVED (400) for a node of another type, and where there is no Ollama
 * node; ERR_NO_CREDENTIAL; ERR_FORBIDDEN by the caller's lists; ERR_MODEL_NOT_FOUND where no node has it; ERR_BAD_VALUE
 * with the codes to choose from. `param` is the member that has the name. */
enum err node_choice_find(struct request_context *rc, struct str name, const char *param, unsigned flags,
                          struct node_choice *out, struct err_info *info) MUST_CHECK;
/* A further name in the same request, at the node that was chosen: literal, or with that node's code. */
enum err node_choice_same(struct request_context *rc, struct str name, const char *param, unsigned flags,
                          const struct catalog_provider *at, struct str *model, struct err_info *info) MUST_CHECK;
/* OK where models can be managed there: ERR_NOT_SERVED, ERR_NO_CREDENTIAL. */
enum err node_choice_check(const struct catalog_provider *at, struct err_info *info) MUST_CHECK;

#endif
