/* What answers are in words, for openapi_page.c and openapi_markdown.c, which write links in their own ways. */
#ifndef MAESTRO_ADMIN_OPENAPI_WORDS_H
#define MAESTRO_ADMIN_OPENAPI_WORDS_H

#include "admin/openapi/openapi_ops.h"

/* Appends a link to where the schema of that name is told. */
typedef void openapi_link_fn(struct buf *b, const char *name);

/* "200: list of User", "204", "200: text/csv, application/x-ndjson". */
void openapi_words_answer(struct buf *b, const struct openapi_op *op, openapi_link_fn *link);
/* "text or null", "list of User". */
void openapi_words_type(struct buf *b, const struct schema_member *m, openapi_link_fn *link);

#endif
