/* What changes users, as functions over one transaction of the store: the admin API runs them in the pool and publishes
 * a snapshot, `maestro user` runs them in its own process where no server does. Blocking; each either does all it says
 * or, with an error, nothing. */
#ifndef MAESTRO_ADMIN_USERS_CHANGE_H
#define MAESTRO_ADMIN_USERS_CHANGE_H

#include "admin/users_input.h"

struct users_change {
  struct arena *arena; /* of what follows */
  struct str user;     /* of the path; empty for create */
  struct str item;     /* the second name of the path: a token, model or node; empty: none */
  struct users_input in;
  struct str token_key; /* where the operation needs it */
  struct str actor;     /* who does it, for the audit log */
  struct str address;   /* from where; empty: the command line of this machine */
  struct buf out;       /* the answer, JSON; empty where there is none */
};

enum users_operation {
#define X(name, allowed, required, needs_key, status) USERS_OPERATION_##name,
#include "admin/users.def"
#undef X
  USERS_OPERATION_COUNT
};

struct users_operation_row {
  const char *name;
  unsigned allowed, required; /* of enum users_member */
  bool needs_key;
  int status;
  enum err (*run)(struct db *db, struct users_change *c, struct err_info *info); /* not by itself: users_change_run */
};
const struct users_operation_row *users_operation(enum users_operation operation);
/* The change, and its row in the audit log, in the caller's transaction. */
enum err users_change_run(struct db *db, const struct users_operation_row *operation, struct users_change *c,
                          struct err_info *info) MUST_CHECK;

/* The name of the token that a user begins with and that PUT .../token renews. */
#define USERS_DEFAULT_TOKEN STR("default")

#endif
