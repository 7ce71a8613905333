/* Names of tools on the wire of dialects that know no namespaces: "namespace__name". Shared by encoders of requests and
 * decoders of answers. Pure. */
#ifndef MAESTRO_DIALECT_TOOL_NAME_H
#define MAESTRO_DIALECT_TOOL_NAME_H

#include "base/arena.h"
#include "llm/request.h"

enum { TOOL_NAME_BYTES_MAX = 64 };

/* The name a model is told, in `a`: with its namespace where it has one, letters, digits, '_' and '-' only (other
 * bytes become '_'), at most TOOL_NAME_BYTES_MAX bytes. A name that is so already is returned as it is. {NULL, 0} when
 * memory is short. */
struct str tool_name_wire(struct arena *a, struct str namespace, struct str name);

/* The tool of r that a model was told under that name: one of that very name, else the first that tool_name_wire (or an
 * API that replaces fewer bytes) says so. NULL: there is none, or r is NULL. */
const struct request_tool *tool_name_find(const struct request *r, struct str wire);
/* What the caller calls the tool that a model of the dialect `target` calls so; one in a namespace keeps its wire name,
 * which has both. Where the caller speaks that dialect itself, its names were sent as they are. */
struct str tool_name_declared(const struct request *r, struct str target, struct str wire);

#endif
