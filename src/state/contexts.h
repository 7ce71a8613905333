/* contexts.json: the servers that the command line may speak to, each with its key. Read and written by the command
 * line and by `serve` at its start; blocking, never on a loop. The file is 0600 and replaced atomically. Invariants:
 * the context "local" always exists, `current` always names an existing one. */
#ifndef MAESTRO_STATE_CONTEXTS_H
#define MAESTRO_STATE_CONTEXTS_H

#include "base/err.h"
#include "base/str.h"
#include "state/config/config_diag.h"
#include "state/secret.h"

#define CONTEXTS_LOCAL "local"
#define CONTEXTS_KEY_PREFIX "sk-maestro-"

struct context {
  char *name;         /* owned */
  char *endpoint;     /* owned; "http://localhost:8080", without trailing '/' */
  struct secret *key; /* owned; NULL: none */
};

struct contexts {
  struct context *items; /* in the file's order */
  size_t n;
  char *current; /* name, owned */
};

/* A missing file gives the default (only `local`, http://localhost:8080, no key). A bad entry is left out and reported;
 * a file that is no JSON is ERR_BAD_CONFIG, reported, so that it is never overwritten by accident. */
enum err contexts_load(const char *path, struct contexts *out, struct config_diags *diags) MUST_CHECK;
enum err contexts_save(const char *path, const struct contexts *c, struct err_info *info) MUST_CHECK;
void contexts_clear(struct contexts *c);

struct context *contexts_find(const struct contexts *c, struct str name); /* NULL when there is none */
struct context *contexts_current(const struct contexts *c);               /* never NULL after a load */
/* ERR_NOT_FOUND when there is none of that name. */
enum err contexts_select(struct contexts *c, struct str name, struct err_info *info) MUST_CHECK;
/* Adds or replaces (*replaced, may be NULL). key empty: none. ERR_BAD_VALUE for a bad name or endpoint. */
enum err contexts_add(struct contexts *c, struct str name, struct str endpoint, struct str key, bool *replaced,
                      struct err_info *info) MUST_CHECK;
/* Changes what is not NULL; an empty key removes it. */
enum err contexts_update(struct contexts *c, struct str name, const struct str *endpoint, const struct str *key,
                         struct err_info *info) MUST_CHECK;
/* `local` cannot be removed (ERR_BAD_VALUE); removing the current one selects `local`. */
enum err contexts_remove(struct contexts *c, struct str name, struct err_info *info) MUST_CHECK;
/* Loads the file, makes a key for `local` where it has none and writes it back. *key is the caller's; *created says
 * whether it is new. */
enum err contexts_local_key(const char *path, struct secret **key, bool *created, struct config_diags *diags,
                            struct err_info *info) MUST_CHECK;

#endif
