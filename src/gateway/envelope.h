/* What is known of a request before it is routed: what its path says, then its body's envelope, scanned as the body
 * arrives. Called by exchange_call, in this order. */
#ifndef MAESTRO_GATEWAY_ENVELOPE_H
#define MAESTRO_GATEWAY_ENVELOPE_H

#include "gateway/turn.h"

/* Operation, and where the path says them model and stream. Overwrites *request. */
enum err envelope_read_path(struct request_context *rc, struct dialect_request *request) MUST_CHECK;
/* The name of a model in the path; empty when it holds a control character or is no UTF-8. */
struct str envelope_path_model(struct request_context *rc);
/* The whole body and its envelope into t->call (body, scan) and *request. */
WAIT enum err envelope_read_body(struct request_context *rc, struct turn *t, struct dialect_request *request);

#endif
