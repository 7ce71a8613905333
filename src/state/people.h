/* Who there is: users, the hashes of their tokens, what they may use and spend, their teams, and the limits of models.
 * A value read from the store, whole or with one user read anew and the rest shared, immutable afterwards; the
 * snapshot's principals (policy/principals.h) are made of it. It also has a text form, one JSON object a line, which is
 * what `maestro store export` writes and what a server falls back to that cannot read its store. A token is never in
 * here, only its SHA-256. */
#ifndef MAESTRO_STATE_PEOPLE_H
#define MAESTRO_STATE_PEOPLE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/crypto.h"
#include "state/limits.h"

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
  int64_t id; /* of the store: never given twice; a renewed token keeps it */
  struct str name;
  struct crypto_hash hash;
  int64_t created_us, expires_us; /* wall clock; expires_us 0: never */
  struct limits limits;
};

struct user_node_model {
  struct str node, pattern;
};

struct user {
  int64_t id;   /* of the store: never given to another name */
  int64_t life; /* 1; one more each time that a deleted one is made again, which inherits nothing */
  struct str name;
  int64_t team_id; /* 0: in none */
  struct str team; /* its name; empty: in none */
  enum user_role role;
  bool is_active;
  bool has_all_models;    /* then `models` says nothing */
  bool can_manage_ollama; /* models of Ollama's nodes: pull, push, create, copy, delete */
  bool has_password;
  int64_t created_us, updated_us;
  int64_t sessions_from_us; /* a session that was made before has ended */
  struct user_token *tokens;
  struct str *models;                  /* names or patterns; none: no model at all */
  struct str *nodes;                   /* providers, names or patterns; none: every one */
  struct user_node_model *node_models; /* a node that is named in none: every model of it */
  size_t token_count, model_count, node_count, node_model_count;
  struct limits limits;
};

struct team {
  int64_t id; /* of the store: never given twice */
  struct str name;
  int64_t created_us, updated_us;
  struct str *models, *nodes; /* names or patterns; none: no restriction. Both a team's and a user's lists must pass */
  size_t model_count, node_count;
  struct limits limits;
};

struct model_limits {
  struct str model; /* "provider/model" */
  struct limits limits;
};

/* What text and lists live in: shared by all that were made from one another, and freed with the last. */
struct people_memory;

struct people {
  struct people_memory *memory;
  struct user *users; /* in order of id; those that were deleted are not among them */
  struct team *teams; /* in order of id */
  struct model_limits *models;
  size_t user_count, team_count, model_count;
  uint64_t generation; /* of the store, where it came of store_people_since; else 0 */
};

const char *user_role_name(enum user_role role);
bool user_role_parse(struct str name, enum user_role *out) MUST_CHECK;
/* A name of a user or token: 1 to USER_NAME_MAX bytes of UTF-8 without control characters and '/', without white space
 * at its ends, and neither "." nor "..". */
bool user_name_is_valid(struct str name);
#define USER_NAME_MUST \
  "must have 1 to 128 bytes, no control characters, no '/', no white space at its ends, and not be '.' or '..'"
/* The name of a user's, team's, token's or model's account in the ledger. A name too long for one is told by its hash.
 */
enum { PEOPLE_ACCOUNT_BYTES = LEDGER_NAME_MAX + 1 };
struct str people_account(enum limits_scope scope, int64_t id, int64_t life, struct str model,
                          char out[PEOPLE_ACCOUNT_BYTES]);
/* A name or pattern in an allowlist: 1 to USER_PATTERN_MAX bytes of UTF-8 without control characters. */
bool user_pattern_is_valid(struct str pattern);

/* For zero-initialised or cleared storage; on failure it is left cleared. */
void people_init(struct people *p);
void people_clear(struct people *p);
/* Where its text and lists go while it is being made; NULL: no memory. */
struct arena *people_arena(struct people *p);
/* Makes room for that many users, zeroed, where there are none; false: no memory. */
bool people_make_users(struct people *p, size_t n) MUST_CHECK;
/* Everybody (user_id 0) or one user, within the caller's transaction; all teams and limits of models in any case. */
enum err people_load(struct db *db, int64_t user_id, struct people *out, struct err_info *info) MUST_CHECK;
/* What `old` is with that user as `one` (a people_load of it) has it, gone where it has none; the rest is shared with
 * `old`. `one` is cleared. ERR_BUSY: too much has been shared, everybody should be read; ERR_NO_MEMORY. */
enum err people_patch(const struct people *old, int64_t user_id, struct people *one, struct people *out) MUST_CHECK;
/* NULL when there is none. */
const struct user *people_find(const struct people *p, struct str name);
const struct user *people_find_id(const struct people *p, int64_t id);
const struct team *people_find_team(const struct people *p, struct str name);
const struct model_limits *people_find_model(const struct people *p, struct str model);

/* The text form: a line that says what it is, then a line for each team, model with limits and user. A buffer that
 * fails says so in `failed`. */
void people_write(const struct people *p, struct buf *out);
/* Strict: a line that is not as people_write has it, a name or a hash that comes twice, is ERR_BAD_VALUE with the line.
 * A file that was cut is one, too: the first line says how many follow. */
enum err people_read(struct str text, struct people *out, struct err_info *info) MUST_CHECK;

#endif
