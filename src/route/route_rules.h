/* Settings of models and system prompts of the store, in the order in which they are looked at: exact settings first,
 * then the longest prefix; prompts as they are said. Made once for each snapshot, by route/route_names.c. */
#ifndef MAESTRO_ROUTE_ROUTE_RULES_H
#define MAESTRO_ROUTE_ROUTE_RULES_H

#include "route/route_names.h"

/* Fills n->rules and n->prompts with what is active, from n->arena; `stored` must live as long. ERR_NO_MEMORY. */
enum err route_rules_add(struct route_names *n, const struct names *stored) MUST_CHECK;

#endif
