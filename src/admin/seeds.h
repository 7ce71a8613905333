/* The default tool sets and settings of models by the admin API: GET /seed tells how they stand, POST /seed lays them,
 * {"reset": true} as they are delivered. `maestro store seed` does the same where no server runs. */
#ifndef MAESTRO_ADMIN_SEEDS_H
#define MAESTRO_ADMIN_SEEDS_H

#include "admin/change.h"
#include "base/schema.h"

struct seeds_input {
  unsigned has;
  bool is_reset;
};
extern const struct change_row seeds_change;

/* {"rows": [{"kind", "name", "state"}]}, within the caller's transaction. */
enum err seeds_describe(struct db *db, const struct change *c, struct buf *out, struct err_info *info) MUST_CHECK;

void seeds_show(struct request_context *rc);
void seeds_lay(struct request_context *rc);

extern const struct schema seeds_schema;

#endif
