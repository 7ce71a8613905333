/* What changes names (names.def of this folder), as rows of changes (change.h): checks against what is declared, what
 * is known and what refers to what, and the store. */
#ifndef MAESTRO_ADMIN_NAMES_CHANGE_H
#define MAESTRO_ADMIN_NAMES_CHANGE_H

#include "admin/change.h"

enum names_operation {
#define X(name, entity, fields, allowed, required, status, prepare) NAMES_DO_##name,
#include "admin/names/names.def"
#undef X
  NAMES_OPERATION_COUNT
};
const struct change_row *names_operation(enum names_operation operation);

#endif
