/* What nodes answered when they were asked for their models (nodes_ask.h) becomes what is known of them: the work of
 * the rows `sync` and `sync_all` of nodes.def. A node that was deleted meanwhile, or whose code is another's now, gets
 * nothing. */
#ifndef MAESTRO_ADMIN_NODES_SYNC_H
#define MAESTRO_ADMIN_NODES_SYNC_H

#include "admin/change.h"
#include "base/schema.h"

/* As run of a change (change.h) whose input is a struct nodes_answers: of one, of all. */
enum err nodes_sync_keep_one(struct db *db, struct change *c, struct err_info *info) MUST_CHECK;
enum err nodes_sync_keep_all(struct db *db, struct change *c, struct err_info *info) MUST_CHECK;

/* Of their answers. */
extern const struct schema nodes_sync_schema, nodes_sync_all_schema;

#endif
