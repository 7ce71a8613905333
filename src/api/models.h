/* The lists of models that a caller may name, in the shape of the endpoint's dialect. */
#ifndef MAESTRO_API_MODELS_H
#define MAESTRO_API_MODELS_H

#include "gateway/request_context.h"

void models_list(struct request_context *rc); /* GET /v1/models, /v1beta/models, /api/tags … */
void models_get(struct request_context *rc);  /* GET /v1/models/{model} … */
/* What is said of a model by that name; the id is the name. ERR_MODEL_NOT_FOUND with the nearest ones. */
enum err models_describe(struct request_context *rc, struct str name, struct dialect_model *out,
                         struct err_info *info) MUST_CHECK;

#endif
