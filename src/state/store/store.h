/* The process's store: `maestro.db` in the data directory, with the lock of that directory. The server starts and
 * serves whatever state the store is in; what is wrong is told by store_status, and store_retry looks again. Without a
 * store who may call comes from `people.jsonl`, names from `names.jsonl`, the last that was known. Commands open it in
 * the same way, one at a time.
 *
 * store_write and store_people block: on a pool thread (POOL_STORE), at start or in a command. One mutex; a write holds
 * it for its transaction. Invariant: the generation rises with each committed write, so who has the same has the same
 * people. */
#ifndef MAESTRO_STATE_STORE_H
#define MAESTRO_STATE_STORE_H

#include "state/names.h"
#include "state/node.h"
#include "state/people.h"
#include "state/secret.h"

#define STORE_FILE "maestro.db"
#define STORE_PEOPLE_FILE "people.jsonl"
#define STORE_NAMES_FILE "names.jsonl"
#define STORE_KEY_FILE "token.key"
#define STORE_SEAL_FILE "store.key"
#define STORE_PASSWORD_FILE "admin.password"
#define STORE_NODES_FILE "nodes.jsonl"

struct store_status {
  bool is_started;
  enum err fault; /* OK: it works */
  char text[ERR_TEXT_MAX];
  unsigned version; /* of the schema; 0: unknown */
};

/* Takes the lock of the data directory, opens, migrates. `what` names the holder for others. ERR_CONFLICT when another
 * process holds the lock, and does so for two seconds: nothing is started. Any other fault is in store_status, and the
 * store counts as started. */
enum err store_start(const char *data_dir, const char *what, struct err_info *info) MUST_CHECK;
void store_stop(void);
/* Any thread, at once. */
void store_status(struct store_status *out);
/* Tries again what store_start could not do, unless somebody is at it. True when that mended it: snapshots should be
 * built anew. */
bool store_retry(void);

/* fn within a transaction that is committed when it returns OK. Failures of the store are its own and stay; the next
 * call tries again. */
typedef enum err store_fn(struct db *db, void *arg, struct err_info *info);
enum err store_write(store_fn *fn, void *arg, struct err_info *info) MUST_CHECK;
/* The same for what no snapshot is made of (sessions): the generation stays. */
enum err store_write_aside(store_fn *fn, void *arg, struct err_info *info) MUST_CHECK;

/* Within a transaction of store_write: whose row, tokens, lists or limits it changes; STORE_CHANGED_TEAMS for teams and
 * the limits of models. Elsewhere it does nothing. */
enum { STORE_CHANGED_TEAMS = -1 };
void store_changed(int64_t user_id);

/* fn on the store as of one moment; it may only read. */
enum err store_read(store_fn *fn, void *arg, struct err_info *info) MUST_CHECK;

/* The key that tokens are signed with: of token.key in the data directory, made at first use. To read a token one does
 * not need it, and to be accepted it must be in the store, so who has the key gains nothing by it. */
enum err store_token_key(struct secret **out, struct err_info *info) MUST_CHECK;
/* The administrator's password where none is configured: of admin.password, made at first use. */
enum err store_admin_password(struct secret **out, struct err_info *info) MUST_CHECK;

/* The key that what is secret in the store is sealed with (each use derives its own): what store_set_seal_key was
 * given, else that of store.key in the data directory, made at first use. */
enum err store_seal_key(struct secret **out, struct err_info *info) MUST_CHECK;
/* Before the first use; empty: none. */
void store_set_seal_key(struct str key);

/* Rises with each change; 0 before the first. */
uint64_t store_generation(void);
enum store_source {
  STORE_NONE,   /* there is no store and never was: nobody is in it */
  STORE_DB,     /* read from the store, and kept in a file beside it */
  STORE_KEPT,   /* the store fails; what that file says */
  STORE_UNKNOWN /* the store fails and nothing was kept: somebody may be in it */
};
/* Never fails: where nothing can be read *out is empty and the source says so. */
enum store_source store_people(struct people *out);
enum store_source store_names(struct names *out);
/* With credentials sealed: see store_nodes (store_node.h). */
enum store_source store_node_list(struct nodes *out);
/* What of people has changed since that generation: nothing, or little enough that *out is `old` (of that generation,
 * from the store) with it; else everybody has to be read. What comes of it is in people.jsonl with the next
 * store_keep_people. */
enum store_news { STORE_SAME, STORE_PATCHED, STORE_UNCLEAR };
enum store_news store_people_since(uint64_t generation, const struct people *old, struct people *out);
/* Writes people.jsonl where it is older than the last patch; `people` is what is in force. On a thread that may block.
 */
void store_keep_people(const struct people *people);

#endif
