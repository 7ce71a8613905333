/* Sessions of people who have signed in. A table of the process (a mutex, held for a scan of tags), which only requests
 * that carry a session's credential touch, and rows in the store, so that they survive a restart. A session is found by
 * a key that its credential gives (policy/sessions.h), never by the credential. Invariant: what session_end or an
 * expiry has taken away is found by no thread any more, whatever the store does.
 *
 * Use renews a session in memory alone; session_keep writes that down once in a while. session_add, session_end,
 * session_load and session_keep block: a pool thread, start, or the main thread. */
#ifndef MAESTRO_STATE_SESSION_H
#define MAESTRO_STATE_SESSION_H

#include "base/crypto.h"

enum {
  SESSIONS_MAX = 4096,      /* beyond, the one that was idle longest ends */
  SESSIONS_OF_USER_MAX = 32 /* beyond, the user's oldest ends */
};

struct session {
  struct crypto_hash key;
  int64_t user_id;                         /* 0: the configured administrator */
  int64_t created_us, seen_us, expires_us; /* wall clock */
};

/* Any thread, no lock; 0: nobody has signed in. */
size_t session_count(void);
/* The session of that key that has neither expired nor been idle for longer than idle_us; marks it as seen. */
bool session_find(const struct crypto_hash *key, int64_t now_us, int64_t idle_us, struct session *out);
/* In force at once, also where the store fails, which is returned: then it ends with the process. */
enum err session_add(const struct session *s, struct err_info *info) MUST_CHECK;
/* Gone at once. A failure of the store is returned: a restart could bring it back. */
enum err session_end(const struct crypto_hash *key, struct err_info *info) MUST_CHECK;

/* Ends all that the store has: what a backup had may have been signed out since. In commands. */
enum err session_end_stored(struct err_info *info) MUST_CHECK;
/* Takes the store's rows into the table. */
enum err session_load(struct err_info *info) MUST_CHECK;
/* Forgets what is over and writes down when the others were last seen. */
enum err session_keep(int64_t now_us, int64_t idle_us, struct err_info *info) MUST_CHECK;
/* Empties the table, at the end of the process. */
void session_clear(void);

#endif
