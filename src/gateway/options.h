/* Options of one request that are the gateway's own: the `maestro` member, x-maestro-options and x-maestro-receipt. */
#ifndef MAESTRO_GATEWAY_OPTIONS_H
#define MAESTRO_GATEWAY_OPTIONS_H

#include "dialect/dialect.h"
#include "io/http_msg.h"
#include "io/http_server.h"

/* Any option that cannot be honoured is an error with its path, never ignored. */
enum err options_read(const struct http_request *http, const struct dialect_request *request, bool *wants_receipt,
                      struct err_info *info) MUST_CHECK;

#endif
