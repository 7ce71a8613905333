/* Ollama's management of models, for callers who may (can_manage_ollama): what they ask is done at one Ollama node, in
 * that API's own format. Which node: gateway/node_choice.h. The user's lists of models and nodes apply, also to the
 * model that another is copied or made from. Once it is done the node's list of models is in force before the caller
 * hears of it. */
#ifndef MAESTRO_API_OLLAMA_MANAGE_H
#define MAESTRO_API_OLLAMA_MANAGE_H

#include "base/schema.h"
#include "gateway/request_context.h"

void ollama_manage_pull(struct request_context *rc);   /* POST /api/pull */
void ollama_manage_push(struct request_context *rc);   /* POST /api/push */
void ollama_manage_create(struct request_context *rc); /* POST /api/create */
void ollama_manage_copy(struct request_context *rc);   /* POST /api/copy */
void ollama_manage_delete(struct request_context *rc); /* DELETE /api/delete */

/* Of what tells its progress. */
extern const struct schema ollama_manage_schema;

#endif
