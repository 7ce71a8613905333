/* The API's description: /api/openapi.json (OpenAPI 3.1, spec.openapis.org/oas/v3.1.0, read 2026-11), and the same for
 * people at /api/docs and /api/redoc, written from the route table, so that it cannot say what is not served. Behind
 * the administration's login or docs.username and docs.password; who has neither is offered one. */
#ifndef MAESTRO_ADMIN_OPENAPI_H
#define MAESTRO_ADMIN_OPENAPI_H

#include "gateway/request_context.h"

void openapi_json(struct request_context *rc);
void openapi_docs(struct request_context *rc);
void openapi_redoc(struct request_context *rc);
/* What the pages load; nothing in them is secret. */
void openapi_style(struct request_context *rc);
void openapi_script(struct request_context *rc);

/* For openapi_page.c: false when the caller has to sign in first, which was answered. */
bool openapi_is_open(struct request_context *rc);

/* Appends the document. */
void openapi_write(struct buf *out);
/* Appends one page; `is_long` opens everything. */
void openapi_write_page(struct buf *out, bool is_long);
/* Appends docs/api-admin.md. */
void openapi_write_markdown(struct buf *out);

#endif
