/* The snapshot's section of limits: whom each principal's calls are charged to and what binds them, made from the
 * configuration for server keys and local callers, and from the principals for everybody else. Also what a caller is
 * told of them: rate-limit headers, and figures for operators. A server key's account is named by a hash of the key, so
 * that it is the same wherever the key stands in the list, and no file holds the key. */
#ifndef MAESTRO_GATEWAY_LIMITS_H
#define MAESTRO_GATEWAY_LIMITS_H

#include "base/schema.h"
#include "gateway/request_context.h"
#include "policy/limits.h"

struct limits_section;
extern const struct snapshot_section limits_section;

/* Whom that principal's calls are charged to, and which models have limits: as long as the snapshot lives. */
struct limits_caller limits_of(const struct limits_section *s, const struct auth_principal *principal);
/* A name for what outlives the process: of a server key its account's, the same wherever the key stands in the list; of
 * a user who was deleted and made again another one than before; of others auth_principal_name. */
struct str limits_owner(const struct limits_section *s, const struct auth_principal *principal,
                        char out[AUTH_NAME_BYTES]);
/* x-ratelimit-* or anthropic-ratelimit-*, where the caller has such limits; true if any was added. */
bool limits_add_headers(struct request_context *rc, const struct limits_caller *caller);
/* One subject: `{"name":"user ann","period":…,"spent_usd":…,"reserved_usd":…}`, and its limits with what is left. */
void limits_put_subject(const struct limits_subject *s, int64_t wall_us, struct buf *out);
extern const struct schema limits_balance_schema;
/* `[{"name":"key:1","budget_usd":…},…]`: every server key, every team, model and model setting with limits and the
 * first hundred users with some; or, with `only`, those that bind that principal. */
void limits_put_json(const struct limits_section *s, const struct auth_principal *only, struct buf *out);
/* Copies balances into the metrics. */
void limits_scrape(const struct limits_section *s);

#endif
