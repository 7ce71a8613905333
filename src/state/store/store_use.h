/* Whom a row would be missed by: what is asked in the transaction in which one is deleted or gets another name, by the
 * parts of the admin API that own nodes and names. The answer is for people: it names five at most of one kind. */
#ifndef MAESTRO_STATE_STORE_USE_H
#define MAESTRO_STATE_STORE_USE_H

#include "state/store/db.h"

struct store_use {
  enum db_query query; /* takes the name as $1, gives the names of who has it, in order, five at most */
  const char *who;     /* "allowlists of users" */
};

/* ERR_CONFLICT with the first kind that has the name: "WHAT is in use: allowlists of users: ann, bob". */
enum err store_use_check(struct db *db, const struct store_use *uses, size_t n, const char *what, struct str name,
                         struct err_info *info) MUST_CHECK;

#endif
