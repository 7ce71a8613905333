/* One accepted change of the admin API is one transaction of the store, one row in the audit log and one new snapshot,
 * in this order, or nothing at all. A resource gives rows (struct change_row); routes.def's functions call change_serve
 * with one. The same rows work without a server (change_run in a transaction of the caller's), which is how commands
 * change a store that nobody serves.
 *
 * A client that sends If-Match changes only what it has seen: the tag is that of what `describe` writes, which is also
 * what a GET of the entity answers. */
#ifndef MAESTRO_ADMIN_CHANGE_H
#define MAESTRO_ADMIN_CHANGE_H

#include "admin/entity.h"
#include "admin/fields.h"
#include "state/secret.h"
#include "state/store/db.h"

struct change {
  struct arena *arena;        /* of what follows */
  struct str name, item;      /* of the path; empty where it has none. `run` of a new entity sets the name */
  void *in;                   /* the body, as the row's fields have it */
  struct secret *key;         /* whatever `begin` or `prepare` got; freed with the change */
  struct str actor, address;  /* for the audit log; no address: the command line of this machine */
  struct str if_match;        /* empty: whatever the entity is now */
  char tag[ENTITY_TAG_BYTES]; /* of what it became; empty when it is gone */
  struct buf *out;            /* the answer, JSON; empty where there is none. May hold a token */
};

struct change_row {
  const char *action;          /* for the audit log: "create" */
  const char *entity_type;     /* "user" */
  int status;                  /* of an answer to what was done */
  const struct fields *fields; /* NULL: no body is taken */
  unsigned allowed, required;
  /* On the worker, with the body read: what the snapshot knows and the store does not. NULL: nothing. */
  enum err (*prepare)(struct request_context *rc, struct change *c, struct err_info *info);
  /* On the store's thread before the transaction. NULL: nothing. */
  enum err (*begin)(struct change *c, struct err_info *info);
  /* In the transaction. It answers by reading back what it stored. */
  enum err (*run)(struct db *db, struct change *c, struct err_info *info);
  /* The entity c->name as it is, without secrets, as one JSON value; nothing where there is none. */
  enum err (*describe)(struct db *db, const struct change *c, struct buf *out, struct err_info *info);
};

/* The change and its row in the audit log, within the caller's transaction. ERR_PRECONDITION where if_match says so. */
enum err change_run(struct db *db, const struct change_row *row, struct change *c, struct err_info *info) MUST_CHECK;
/* Reads the request, runs the change in the pool, publishes and answers. */
void change_serve(struct request_context *rc, const struct change_row *row);
/* Who asks and from where, for the audit log; in `a`. */
enum err change_caller(struct request_context *rc, struct arena *a, struct str *actor, struct str *address) MUST_CHECK;
/* The row that an endpoint serves which calls change_serve and does nothing else: for the API's description. At the
 * start, before there are other threads. */
const struct change_row *change_row_of(void (*endpoint)(struct request_context *rc));

#endif
