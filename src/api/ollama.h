/* What Ollama's clients ask beside chat, generate and embeddings. Source: Ollama's API document (read 2026-11). */
#ifndef MAESTRO_API_OLLAMA_H
#define MAESTRO_API_OLLAMA_H

#include "base/schema.h"
#include "gateway/request_context.h"

void ollama_show(struct request_context *rc);    /* POST /api/show: what is known of a model */
void ollama_ps(struct request_context *rc);      /* GET /api/ps: nothing is loaded in this process */
void ollama_version(struct request_context *rc); /* GET /api/version: the level of the API that is spoken here */

extern const struct schema ollama_version_schema, ollama_ps_schema, ollama_show_schema;

#endif
