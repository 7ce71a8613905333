/* What a body says applied to a node, in memory: addresses settled, credentials taken or dropped, all of it checked as
 * the catalog will. Pure. Used by nodes_change.c. */
#ifndef MAESTRO_ADMIN_NODES_EDIT_H
#define MAESTRO_ADMIN_NODES_EDIT_H

#include "admin/nodes/nodes_input.h"

/* Changes *node (zeroed: a new one) by what `in` has; memory from a. *drops is set where the origin is another now and
 * a credential of the old one is gone. Failures have status 422 and the member's path. Does not seal. */
enum err nodes_edit(struct arena *a, const struct nodes_input *in, struct node *node, bool *drops,
                    struct err_info *info) MUST_CHECK;

#endif
