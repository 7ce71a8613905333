/* Ids of tool calls on the wire of dialects that take certain letters only (Anthropic, Bedrock). Shared by encoders of
 * requests. Pure. */
#ifndef MAESTRO_DIALECT_CALL_ID_H
#define MAESTRO_DIALECT_CALL_ID_H

#include "base/arena.h"

enum { CALL_ID_BYTES_MAX = 64 };

/* The id as it is where it has 1 to CALL_ID_BYTES_MAX letters, digits, '_', '-' and characters of `also`; else a hash
 * of it in `a`, the same for a call and its result and another for every other id. {NULL, 0} when memory is short. */
struct str call_id_wire(struct arena *a, struct str id, struct str also);

#endif
