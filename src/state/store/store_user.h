/* Users in the store: what changes them, one row's worth each. Called within a transaction of store_write; what is read
 * is people_load's. Callers have checked names and patterns (people.h); a name that exists is ERR_CONFLICT, one that
 * does not ERR_NOT_FOUND. Each tells the store whom it has changed (store_changed), so that only that one is read anew.
 */
#ifndef MAESTRO_STATE_STORE_USER_H
#define MAESTRO_STATE_STORE_USER_H

#include "state/people.h"

struct store_user {
  int64_t id;
  enum user_role role;
  bool is_active, has_all_models, can_manage_ollama;
  int64_t team_id; /* 0: in none */
};

enum err store_user_find(struct db *db, struct str name, struct store_user *out, struct err_info *info) MUST_CHECK;
/* A new user, or one that had been deleted, with its old id and nothing else of old; sets user->id. */
enum err store_user_add(struct db *db, struct str name, struct store_user *user, struct err_info *info) MUST_CHECK;
enum err store_user_update(struct db *db, const struct store_user *user, struct err_info *info) MUST_CHECK;
/* An argon2id text, or empty: none. The user's sessions end. */
enum err store_user_set_password(struct db *db, int64_t id, struct str hash, struct err_info *info) MUST_CHECK;
/* Its tokens and lists go, its row stays for the records that name it. */
enum err store_user_delete(struct db *db, int64_t id, struct err_info *info) MUST_CHECK;

enum err store_user_add_token(struct db *db, int64_t user_id, const struct user_token *token,
                              struct err_info *info) MUST_CHECK;
/* The one of that name gets a new hash; the old one is dead. */
enum err store_user_renew_token(struct db *db, int64_t user_id, const struct user_token *token,
                                struct err_info *info) MUST_CHECK;
enum err store_user_delete_token(struct db *db, int64_t user_id, struct str name, struct err_info *info) MUST_CHECK;

/* limits_none takes them away. */
enum err store_user_set_limits(struct db *db, int64_t id, const struct limits *l, struct err_info *info) MUST_CHECK;
enum err store_user_set_token_limits(struct db *db, int64_t user_id, struct str token, const struct limits *l,
                                     struct err_info *info) MUST_CHECK;

/* One of the lists: `node` is used by STORE_USER_NODE_MODELS alone. Adding what is there already is no failure. */
enum store_user_list { STORE_USER_MODELS, STORE_USER_NODES, STORE_USER_NODE_MODELS };
enum err store_user_allow(struct db *db, enum store_user_list list, int64_t user_id, struct str node,
                          struct str pattern, struct err_info *info) MUST_CHECK;
enum err store_user_disallow(struct db *db, enum store_user_list list, int64_t user_id, struct str node,
                             struct str pattern, struct err_info *info) MUST_CHECK;
/* Empties it; an empty `node` empties the node models of all nodes. */
enum err store_user_clear(struct db *db, enum store_user_list list, int64_t user_id, struct str node,
                          struct err_info *info) MUST_CHECK;

/* A user as exported, with a new id: tokens, lists and limits included. Its team, by name, has to be there. */
enum err store_user_import(struct db *db, const struct user *user, struct err_info *info) MUST_CHECK;

/* That name in every list of models, of users and of teams, becomes another. */
enum err store_user_rename_model(struct db *db, struct str old, struct str name, struct err_info *info) MUST_CHECK;

#endif
