/* What an operation answers, in the OpenAPI document: statuses, media types, headers and schemas. For openapi.c. */
#ifndef MAESTRO_ADMIN_OPENAPI_ANSWERS_H
#define MAESTRO_ADMIN_OPENAPI_ANSWERS_H

#include "admin/openapi/openapi_ops.h"

/* The member "responses" of an operation object that is open. */
void openapi_answers_put(struct buf *b, const struct openapi_op *op);
/* The members "headers", "responses" and "schemas" of the components object, which they refer to. */
void openapi_answers_put_components(struct buf *b, const struct openapi_op *ops, size_t n);

#endif
