/* Teams and the limits of models in the store: what changes them, within a transaction of store_write; what is read is
 * people_load's. Callers have checked names and patterns (people.h). A user's team is in the user's row (store_user.h).
 */
#ifndef MAESTRO_STATE_STORE_TEAM_H
#define MAESTRO_STATE_STORE_TEAM_H

#include "state/people.h"

/* ERR_NOT_FOUND. */
enum err store_team_find(struct db *db, struct str name, int64_t *id, struct err_info *info) MUST_CHECK;
/* A new team, with a new id. ERR_CONFLICT. */
enum err store_team_add(struct db *db, struct str name, int64_t *id, struct err_info *info) MUST_CHECK;
/* Replaces one of its lists. */
enum store_team_list { STORE_TEAM_MODELS, STORE_TEAM_NODES };
enum err store_team_set_list(struct db *db, enum store_team_list list, int64_t id, const struct str *v, size_t n,
                             struct err_info *info) MUST_CHECK;
enum err store_team_set_limits(struct db *db, int64_t id, const struct limits *l, struct err_info *info) MUST_CHECK;
/* With its lists and limits. ERR_CONFLICT while somebody is in it, whom the text names. */
enum err store_team_delete(struct db *db, int64_t id, struct err_info *info) MUST_CHECK;
/* A team as exported, with a new id. */
enum err store_team_import(struct db *db, const struct team *team, struct err_info *info) MUST_CHECK;

/* limits_none takes them away. */
enum err store_team_set_model_limits(struct db *db, struct str model, const struct limits *l,
                                     struct err_info *info) MUST_CHECK;

#endif
