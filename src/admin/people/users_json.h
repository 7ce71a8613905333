/* Users as the admin API shows them: no token and no hash of one, ever. */
#ifndef MAESTRO_ADMIN_USERS_JSON_H
#define MAESTRO_ADMIN_USERS_JSON_H

#include "base/schema.h"
#include "state/people.h"

/* One object. With a token (of a change that made one) as its member "token": the only time that it is seen. */
void users_json_put(struct buf *b, const struct user *u, struct str token);
/* One token that was made: its name, itself, its times. */
void users_json_put_token(struct buf *b, const struct user *u, struct str name, struct str token);
void users_json_put_tokens(struct buf *b, const struct user *u);
void users_json_put_models(struct buf *b, const struct user *u);
void users_json_put_nodes(struct buf *b, const struct user *u);
void users_json_put_node_models(struct buf *b, const struct user *u);
void users_json_put_models_of_node(struct buf *b, const struct user *u, struct str node);

/* What each of them writes. */
extern const struct schema users_json_schema, users_json_token_schema, users_json_tokens_schema,
    users_json_models_schema, users_json_nodes_schema, users_json_node_models_schema, users_json_models_of_node_schema;

#endif
