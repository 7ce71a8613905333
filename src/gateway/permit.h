/* What this caller may use of the catalog. Everybody but users may use all of it; a user's lists are asked for every
 * candidate (policy/access.h). Endpoints resolve names through here, so that none goes round the lists. */
#ifndef MAESTRO_GATEWAY_PERMIT_H
#define MAESTRO_GATEWAY_PERMIT_H

#include "gateway/request_context.h"
#include "route/resolve.h"

/* resolve_name, less what the caller may not use. ERR_FORBIDDEN when nothing is left; an unknown name is told to a user
 * without the names that are near, of which some may be none of theirs. */
enum err permit_resolve(struct request_context *rc, struct str name, struct resolution *out,
                        struct err_info *info) MUST_CHECK;
/* The user's name; empty for callers that are none. */
struct str permit_user_name(const struct request_context *rc);
/* ERR_FORBIDDEN to a user without the permission to manage models of nodes (can_manage_ollama; an admin has it). Who
 * else may is said by the endpoint's class. */
enum err permit_manage(const struct request_context *rc, struct err_info *info) MUST_CHECK;
/* ERR_FORBIDDEN where the caller's lists do not allow that model there, which need not be in the catalog. Ollama's
 * names with and without ":latest" are one model. `asked` is the name in the request. */
enum err permit_model_at(const struct request_context *rc, const struct provider *at, struct str asked,
                         struct str model, struct err_info *info) MUST_CHECK;
/* Whether the caller's lists leave out any model at all. */
bool permit_is_bound(const struct request_context *rc);
/* Whether a list of models may show it. */
bool permit_shows(const struct request_context *rc, const struct deployment *d);
/* ERR_UNAUTHENTICATED when the caller's credential was revoked since the request began: asked before content goes out.
 */
enum err permit_still(const struct request_context *rc, struct err_info *info) MUST_CHECK;

#endif
