/* Paths to endpoints: the table routes.def, and the handler that the HTTP server calls for every request. */
#ifndef MAESTRO_APP_ROUTER_H
#define MAESTRO_APP_ROUTER_H

#include "gateway/request_context.h"

/* Interns the routes' metric labels; once, before serving. */
void router_init(void);
/* http_handler; arg is the struct gateway_worker. */
void router_handle(struct http_exchange *x, void *arg);
/* Shapes errors that the HTTP server finds itself, by the path's dialect. */
void router_error_body(void *arg, struct str path, enum err e, const struct err_info *info, struct buf *out);

#endif
