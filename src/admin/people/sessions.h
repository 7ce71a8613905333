/* Signing in to the administration: POST /admin/auth/login, GET /admin/auth/session, POST /admin/auth/logout. A login
 * answers with a cookie for browsers and, where no browser asks, with a token to be sent as "Authorization: Bearer".
 * The password is looked at in the pool's slow lane, after login_guard has let the attempt pass. */
#ifndef MAESTRO_ADMIN_SESSIONS_H
#define MAESTRO_ADMIN_SESSIONS_H

#include "admin/fields.h"
#include "base/schema.h"
#include "gateway/request_context.h"

/* The body of a login, of which all is required. */
extern const struct fields sessions_login_fields;

void sessions_login(struct request_context *rc);
/* Who is calling, with which role, and what a page needs to change things. */
void sessions_show(struct request_context *rc);
void sessions_logout(struct request_context *rc);

extern const struct schema sessions_login_schema, sessions_schema;

#endif
