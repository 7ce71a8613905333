/* Paths to endpoints: the table routes.def, and the handler that the HTTP server calls for every request. */
#ifndef MAESTRO_APP_ROUTER_H
#define MAESTRO_APP_ROUTER_H

#include "gateway/request_context.h"

/* Interns the routes' metric labels; once, before serving. */
void router_init(void);
/* The endpoint of a request, percent-encoding untouched; *rest is what its template's {name} stands for, or empty.
 * Never NULL: what nothing serves goes to an endpoint that says so; where only the method is wrong, to one of that
 * path. */
const struct endpoint *router_find(struct str path, enum http_method method, struct http_headers headers,
                                   struct str *rest);
/* http_handler; arg is the struct gateway_worker. */
void router_handle(struct http_exchange *x, void *arg);
/* Shapes errors that the HTTP server finds itself, by the path's dialect. */
void router_error_body(void *arg, struct str path, enum err e, const struct err_info *info, struct buf *out);

#endif
