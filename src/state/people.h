/* Who there is: users, the hashes of their tokens, what they may use. A value read whole from the store, immutable
 * afterwards; the snapshot's principals (policy/principals.h) are made of it. It also has a text form, one JSON object
 * a line and user, which is what `maestro store export` writes and what a server falls back to that cannot read its
 * store. A token is never in here, only its SHA-256. */
#ifndef MAESTRO_STATE_PEOPLE_H
#define MAESTRO_STATE_PEOPLE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/crypto.h"
#include "state/db.h"

enum user_role { USER_ROLE_USER, USER_ROLE_VIEWER, USER_ROLE_OPERATOR, USER_ROLE_ADMIN, USER_ROLE_COUNT };

/* Of one user; beyond: ERR_BAD_VALUE where it is asked for. */
enum {
  USER_NAME_MAX = 128,
  USER_PATTERN_MAX = 256, /* bytes of a model's name or pattern, of a node's name */
  USER_TOKENS_MAX = 32,
  USER_MODELS_MAX = 512,
  USER_NODES_MAX = 256,
  USER_NODE_MODELS_MAX = 1024
};

struct user_token {
  struct str name;
  struct crypto_hash hash;
  int64_t created_us, expires_us; /* wall clock; expires_us 0: never */
};

struct user_node_model {
  struct str node, pattern;
};

struct user {
  int64_t id; /* of the store: never given twice */
  struct str name;
  enum user_role role;
  bool is_active;
  bool has_all_models; /* then `models` says nothing */
  bool has_password;
  int64_t created_us, updated_us;
  int64_t sessions_from_us; /* a session that was made before has ended */
  struct user_token *tokens;
  struct str *models;                  /* names or patterns; none: no model at all */
  struct str *nodes;                   /* providers, names or patterns; none: every one */
  struct user_node_model *node_models; /* a node that is named in none: every model of it */
  size_t token_count, model_count, node_count, node_model_count;
};

struct people {
  struct arena arena;
  struct user *users; /* in order of id; those that were deleted are not among them */
  size_t user_count;
};

const char *user_role_name(enum user_role role);
bool user_role_parse(struct str name, enum user_role *out) MUST_CHECK;
/* A name of a user or token: 1 to USER_NAME_MAX bytes of UTF-8 without control characters and '/', and without white
 * space at its ends. */
bool user_name_is_valid(struct str name);
/* A name or pattern in an allowlist: 1 to USER_PATTERN_MAX bytes of UTF-8 without control characters. */
bool user_pattern_is_valid(struct str pattern);

/* For zero-initialised or cleared storage; on failure it is left cleared. */
void people_init(struct people *p);
void people_clear(struct people *p);
/* Everybody (user_id 0) or one user, within the caller's transaction. */
enum err people_load(struct db *db, int64_t user_id, struct people *out, struct err_info *info) MUST_CHECK;
/* NULL when there is none. */
const struct user *people_find(const struct people *p, struct str name);
const struct user *people_find_id(const struct people *p, int64_t id);

/* The text form, with a first line that says what it is. A buffer that fails says so in `failed`. */
void people_write(const struct people *p, struct buf *out);
/* Strict: a line that is not as people_write has it, a name or a hash that comes twice, is ERR_BAD_VALUE with the line.
 * A file that was cut is one, too: the first line says how many follow. */
enum err people_read(struct str text, struct people *out, struct err_info *info) MUST_CHECK;

#endif
