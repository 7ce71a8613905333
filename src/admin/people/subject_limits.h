/* The admin API of limits: of a user, one of its tokens, a team, a model. Reads show the snapshot; what is spent and
 * left is a resource of its own (…/balance), since it changes by itself and an entity's tag must not. model-maestro's
 * {request_limit, token_limit}, which are per day, are other names of requests_per_day and tokens_per_day. */
#ifndef MAESTRO_ADMIN_SUBJECT_LIMITS_H
#define MAESTRO_ADMIN_SUBJECT_LIMITS_H

#include "admin/change.h"
#include "base/schema.h"
#include "gateway/request_context.h"
#include "state/limits.h"

#define X(name, whose, how, action, status) void subject_limits_##name(struct request_context *rc);
#include "admin/people/subject_limits.def"
#undef X

void subject_limits_user(struct request_context *rc);
void subject_limits_token(struct request_context *rc);
void subject_limits_team(struct request_context *rc);
void subject_limits_model(struct request_context *rc);  /* 404 for one without */
void subject_limits_models(struct request_context *rc); /* all that have some */
/* What binds a user (itself, its team, its tokens), with what is spent and left; the same of a team. */
void subject_limits_user_balance(struct request_context *rc);
void subject_limits_team_balance(struct request_context *rc);

/* `,"limits":{…}`, null where nothing is limited: for what has limits among other things. */
void subject_limits_put_member(struct buf *b, const struct limits *l);
/* That object; the same with whose it is, which everything above answers with; and of the balances. */
extern const struct schema subject_limits_schema, subject_limits_owned_schema, subject_limits_balances_schema;

enum subject_limits_operation {
#define X(name, whose, how, action, status) SUBJECT_LIMITS_##name,
#include "admin/people/subject_limits.def"
#undef X
  SUBJECT_LIMITS_COUNT
};
/* The rows, which also work without a server. */
const struct change_row *subject_limits_operation(enum subject_limits_operation operation);

#endif
