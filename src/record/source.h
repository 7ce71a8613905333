/* What a request is, in the words of its record: the tool it comes from, told by headers and route (source.def), and
 * its type. Pure; called once per request that is recorded. The names are literals: nothing that a client writes gets
 * into the record by this way. */
#ifndef MAESTRO_RECORD_SOURCE_H
#define MAESTRO_RECORD_SOURCE_H

#include "io/http_msg.h"

/* `route` is the template. "Unknown" when no row fits. */
struct str source_of(struct http_headers headers, struct str route);
/* "chat", "completion", "generate", "embedding", "count" for the operation (of enum llm_operation). */
struct str source_request_type(unsigned operation, struct str route);

#endif
