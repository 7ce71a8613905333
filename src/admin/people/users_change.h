/* What changes users, as rows for change.h: the admin API serves them, `maestro user` runs them on a store that no
 * server has. */
#ifndef MAESTRO_ADMIN_USERS_CHANGE_H
#define MAESTRO_ADMIN_USERS_CHANGE_H

#include "admin/change.h"
#include "admin/people/users_input.h"

enum users_operation {
#define X(name, allowed, required, begin, prepare, status, shape) USERS_OPERATION_##name,
#include "admin/people/users.def"
#undef X
  USERS_OPERATION_COUNT
};

/* Those that make a token need the key that tokens are signed with: change.key where it is configured, else the row's
 * `begin` takes the data directory's. */
const struct change_row *users_operation(enum users_operation operation);

/* The name of the token that a user begins with and that PUT .../token renews. */
#define USERS_DEFAULT_TOKEN STR("default")

#endif
