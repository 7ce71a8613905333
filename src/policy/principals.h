/* The snapshot's section of who there is: users and their tokens, found by the token's SHA-256 with one look-up. Read
 * from the store when that has changed, shared otherwise, so the request path never meets the database. Used by the
 * rules (auth_rules.find), by permits, and by the admin API, which lists what is in it. */
#ifndef MAESTRO_POLICY_PRINCIPALS_H
#define MAESTRO_POLICY_PRINCIPALS_H

#include "policy/auth.h"
#include "state/snapshot.h"
#include "state/store.h"

/* What a look-up touches lies together: a slot, a token, its user are three cache lines. */
struct principal_token {
  struct crypto_hash hash;
  const struct user *user;
  int64_t expires_us; /* 0: never */
};
struct principal_slot {
  uint32_t tag;   /* some of the hash, so that others in the way are passed by without a look at them */
  uint32_t place; /* index + 1 into tokens; 0: free */
};

struct principals {
  struct people people;
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
/* Whose principal it is, of this very section; NULL when it is no user. */
const struct user *principals_user(const struct principals *p, const struct auth_principal *principal);
/* False when a user was deactivated or deleted, or the token revoked, since the principal was found in an older one. */
bool principals_is_live(const struct principals *p, const struct auth_principal *principal);

/* Takes the people over. ERR_NO_MEMORY: they are cleared. */
enum err principals_new(struct people *people, enum store_source source, struct principals **out) MUST_CHECK;
void principals_free(void *section);
/* {"principals", build, free}. */
extern const struct snapshot_section principals_section;

#endif
