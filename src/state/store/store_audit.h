/* The audit log: one row for each accepted change by an administrator, written in the transaction of the change itself,
 * so that neither is there without the other. What is refused, and what the program does by itself, leaves none. */
#ifndef MAESTRO_STATE_STORE_AUDIT_H
#define MAESTRO_STATE_STORE_AUDIT_H

#include "state/store/db.h"

struct audit_row {
  int64_t id, at_us;                 /* set by the store when it is added */
  struct str actor;                  /* "admin", "key:1", "user:7", "command" */
  struct str address;                /* numeric, of the client; empty: this machine's command line */
  struct str action;                 /* "create", "token_renew" */
  struct str entity_type, entity_id; /* "user", its name */
  struct str before, after;          /* JSON without secrets; empty: there was none, or is none any more */
};

struct audit_filter { /* empty ones let everything pass; they combine */
  struct str actor, action, entity_type, entity_id;
  int64_t limit, offset;
  int64_t after; /* rows older than that one; 0: from the newest on */
};

enum err store_audit_add(struct db *db, const struct audit_row *row, struct err_info *info) MUST_CHECK;
/* Newest first. The row is borrowed while on_row runs. */
enum err store_audit_list(struct db *db, const struct audit_filter *filter,
                          enum err (*on_row)(void *arg, const struct audit_row *row), void *arg,
                          struct err_info *info) MUST_CHECK;
/* How many pass the filter, whatever limit, offset and after. */
enum err store_audit_count(struct db *db, const struct audit_filter *filter, int64_t *out,
                           struct err_info *info) MUST_CHECK;

#endif
