/* The snapshot's section of who there is: users and their tokens, found by the token's SHA-256 with one look-up, and
 * what binds each: limits of users, teams, tokens and models with their accounts. Read from the store when that has
 * changed (a changed user alone where that is known), shared otherwise, so the request path never meets the database.
 * Used by the rules (auth_rules.find), by permits and limits, and by the admin API, which lists what is in it. */
#ifndef MAESTRO_POLICY_PRINCIPALS_H
#define MAESTRO_POLICY_PRINCIPALS_H

#include "policy/auth.h"
#include "policy/limits.h"
#include "state/snapshot.h"
#include "state/store/store.h"

/* What a look-up touches lies together: a slot, a token, its user are three cache lines. */
struct principal_token {
  struct crypto_hash hash;
  const struct user *user;
  int64_t expires_us;                  /* 0: never */
  const struct limits_subject *limits; /* its own; NULL: none */
};
struct principal_slot {
  uint32_t tag;   /* some of the hash, so that others in the way are passed by without a look at them */
  uint32_t place; /* index + 1 into tokens; 0: free */
};

/* Beside each user. */
struct principal_user {
  struct limits_subject limits;
  const struct team *team;                  /* NULL: in none */
  const struct limits_subject *team_limits; /* NULL: in none */
};

struct principals {
  struct people people;
  struct arena arena;           /* of what follows */
  struct principal_user *users; /* as people.users */
  struct limits_subject *teams; /* as people.teams */
  struct map models;            /* "provider/model" to a struct limits_subject */
  enum store_source source;
  uint64_t generation;            /* of the store, when it was read */
  struct principal_token *tokens; /* of active users */
  size_t token_count;
  struct principal_slot *slots; /* by the first bytes of the hash; a power of two, at most half full */
  size_t slot_count;
};

/* An auth_find, with the section as its argument: the user whose token it is, active and not expired. */
bool principals_find(void *principals, enum auth_source source, const struct crypto_hash *hash,
                     struct auth_principal *out);
/* True when calls without credential are out of the question: somebody is there, or nobody knows. */
bool principals_has_users(const struct principals *p);
/* What binds that user's calls: the user, its team, its token. Not to be asked for others. */
void principals_limits(const struct principals *p, const struct auth_principal *principal, struct limits_caller *out);
/* The team of one of people.users; NULL when it is in none. */
const struct team *principals_team(const struct principals *p, const struct user *u);
/* Whose principal it is, of this very section; NULL when it is no user. */
const struct user *principals_user(const struct principals *p, const struct auth_principal *principal);
/* False when a user was deactivated or deleted, or the token revoked, since the principal was found in an older one. */
bool principals_is_live(const struct principals *p, const struct auth_principal *principal);

/* Takes the people over. `old` (or NULL) has accounts that need not be looked for. ERR_NO_MEMORY: they are cleared. */
enum err principals_new(struct people *people, enum store_source source, const struct principals *old,
                        struct principals **out) MUST_CHECK;
void principals_free(void *section);
/* {"principals", build, free}. */
extern const struct snapshot_section principals_section;

#endif
