/* Names of tools on the wire of dialects that know no namespaces: "namespace__name". Shared by encoders of requests.
 * Pure. */
#ifndef MAESTRO_DIALECT_TOOL_NAME_H
#define MAESTRO_DIALECT_TOOL_NAME_H

#include "base/arena.h"

enum { TOOL_NAME_BYTES_MAX = 64 };

/* The name a model is told, in `a`: with its namespace where it has one, letters, digits, '_' and '-' only (other
 * bytes become '_'), at most TOOL_NAME_BYTES_MAX bytes. A name that is so already is returned as it is. {NULL, 0} when
 * memory is short. */
struct str tool_name_wire(struct arena *a, struct str namespace, struct str name);

#endif
