/* The admin API of teams: their allowlists; who is in one is a member of the user (users.h), its limits are in
 * subject_limits.h. Reads show the snapshot. */
#ifndef MAESTRO_ADMIN_TEAMS_H
#define MAESTRO_ADMIN_TEAMS_H

#include "admin/change.h"
#include "base/schema.h"

#define X(name, allowed, required, status) void teams_##name(struct request_context *rc);
#include "admin/people/teams.def"
#undef X

enum teams_operation {
#define X(name, allowed, required, status) TEAMS_OPERATION_##name,
#include "admin/people/teams.def"
#undef X
  TEAMS_OPERATION_COUNT
};
/* The rows, which also work without a server. */
const struct change_row *teams_operation(enum teams_operation operation);

/* GET …/teams?limit=&after=: in order of creation, at most 500 (limit), from behind the team that is named. */
void teams_list(struct request_context *rc);
void teams_show(struct request_context *rc);
/* {"team":…,"members":[names of users]}. */
void teams_members(struct request_context *rc);

extern const struct schema teams_schema, teams_members_schema;

#endif
