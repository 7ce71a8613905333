/* The keys in files beside the store (store.h): each is made at its first use, of 0600, and read anew at each further
 * one, which are few (start, sign-in, a change of credentials). A file that is there and empty counts as absent: a disk
 * that was full may have left it. */
#include <pthread.h>

#include "base/crypto.h"
#include "state/disk.h"
#include "state/store/store_internal.h"

enum { KEY_RANDOM_BYTES = 32, KEY_MAX_BYTES = 4096 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* two first uses at once must not make two keys */
static struct secret *configured_seal_key;               /* under it */

static enum err make_key(const char *path, struct secret **out, struct err_info *info) {
  struct secret *key = secret_new_random(STR_NONE, KEY_RANDOM_BYTES);
  enum err e = key ? disk_replace(path, secret_reveal(key), 0600, info) : ERR_NO_MEMORY;
  if (e)
    secret_free(key);
  else
    *out = key;
  return e;
}

/* Under the lock. */
static enum err key_of_file(const char *name, struct secret **out, struct err_info *info) {
  char path[STORE_PATH_BYTES];
  struct buf text;
  buf_init(&text, 0);
  enum err e = store_path_beside(name, path);
  if (!e) e = disk_read(path, KEY_MAX_BYTES, &text, NULL, info);
  struct str key = str_trim(buf_str(&text));
  if (e == ERR_NOT_FOUND || (!e && !key.n)) {
    e = make_key(path, out, info);
  } else if (!e) {
    *out = secret_new(key);
    if (!*out) e = ERR_NO_MEMORY;
  }
  crypto_wipe(text.p, text.n);
  buf_clear(&text);
  return e;
}

static enum err key_of_file_locked(const char *name, struct secret **out, struct err_info *info) {
  pthread_mutex_lock(&lock);
  enum err e = key_of_file(name, out, info);
  pthread_mutex_unlock(&lock);
  return e;
}

enum err store_token_key(struct secret **out, struct err_info *info) {
  return key_of_file_locked(STORE_KEY_FILE, out, info);
}

enum err store_admin_password(struct secret **out, struct err_info *info) {
  return key_of_file_locked(STORE_PASSWORD_FILE, out, info);
}

enum err store_seal_key(struct secret **out, struct err_info *info) {
  enum err e = OK;
  pthread_mutex_lock(&lock);
  if (!configured_seal_key)
    e = key_of_file(STORE_SEAL_FILE, out, info);
  else if (!(*out = secret_dup(configured_seal_key)))
    e = ERR_NO_MEMORY;
  pthread_mutex_unlock(&lock);
  return e;
}

void store_set_seal_key(struct str key) {
  pthread_mutex_lock(&lock);
  secret_free(configured_seal_key);
  configured_seal_key = key.n ? secret_new(key) : NULL;
  pthread_mutex_unlock(&lock);
}
