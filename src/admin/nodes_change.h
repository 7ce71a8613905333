/* What changes nodes and their models, as rows for change.h. */
#ifndef MAESTRO_ADMIN_NODES_CHANGE_H
#define MAESTRO_ADMIN_NODES_CHANGE_H

#include "admin/change.h"

enum nodes_operation {
#define X(name, entity, allowed, required, prepare, status, describe) NODES_OPERATION_##name,
#include "admin/nodes.def"
#undef X
  NODES_OPERATION_COUNT
};

const struct change_row *nodes_operation(enum nodes_operation operation);

#endif
