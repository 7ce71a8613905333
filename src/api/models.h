/* The lists of models that a caller may name, in the shape of the endpoint's dialect. */
#ifndef MAESTRO_API_MODELS_H
#define MAESTRO_API_MODELS_H

#include "gateway/request_context.h"

void models_list(struct request_context *rc); /* GET /v1/models, /v1beta/models, /api/tags … */
void models_get(struct request_context *rc);  /* GET /v1/models/{model} … */

#endif
