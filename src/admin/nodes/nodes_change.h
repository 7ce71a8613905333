/* What changes nodes and their models, as rows for change.h. */
#ifndef MAESTRO_ADMIN_NODES_CHANGE_H
#define MAESTRO_ADMIN_NODES_CHANGE_H

#include "admin/change.h"
#include "base/schema.h"

enum nodes_operation {
#define X(name, entity, allowed, required, prepare, status, describe) NODES_OPERATION_##name,
#include "admin/nodes/nodes.def"
#undef X
  NODES_OPERATION_COUNT
};

const struct change_row *nodes_operation(enum nodes_operation operation);

extern const struct schema nodes_change_priorities_schema, nodes_change_everywhere_schema;

#endif
