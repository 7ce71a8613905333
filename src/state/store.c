/* The process's store: see store.h. */
#include "state/store.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "state/data_lock.h"
#include "state/disk.h"
#include "state/migrate.h"

enum {
  DIR_BYTES = 1400,
  PATH_BYTES = DIR_BYTES + 32,
  BUSY_MS = 2000,
  LOCK_TRIES = 20,
  LOCK_PAUSE_MS = 100,
  KEPT_MAX_BYTES = 512 << 20,
  CHANGES_MAX = 256,
  PATCH_MAX = 8 /* users that are read one by one */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards what follows; held for a whole write */
static char data_dir[DIR_BYTES], store_path[PATH_BYTES]; /* set by store_start */
static struct data_lock dir_lock = {-1};
static struct db *db; /* NULL: not open */
static char holder[64];

static pthread_mutex_t status_lock = PTHREAD_MUTEX_INITIALIZER; /* held for a copy; taken inside of the other */
static struct store_status status;
static _Atomic uint64_t generation;

/* Who was changed when, the newest ones; under `lock`. */
static struct {
  struct {
    uint64_t generation;
    int64_t user_id;
  } v[CHANGES_MAX]; /* a ring */
  uint64_t count;   /* ever */
  uint64_t since;   /* of older generations not everything is here */
  uint64_t open;    /* `count` when the transaction in hand began; UINT64_MAX: none is */
} changes = {.open = UINT64_MAX};
static _Atomic bool is_kept_stale; /* people.jsonl */
static _Atomic uint64_t patched;   /* generation of the newest of store_people_since */

static void set_status(enum err fault, const struct err_info *info, unsigned version) {
  pthread_mutex_lock(&status_lock);
  bool is_news = status.fault != fault;
  status.fault = fault;
  snprintf(status.text, sizeof status.text, "%s", fault ? err_info_text(fault, info) : "");
  if (version) status.version = version;
  pthread_mutex_unlock(&status_lock);
  if (is_news && fault)
    log_line(LOG_LEVEL_ERROR, "the store does not work; who may call is as last known",
             log_c(LOG_CODE, err_code(fault)), log_c(LOG_REASON, err_info_text(fault, info)));
  else if (is_news)
    log_line(LOG_LEVEL_INFO, "the store works again", log_u64(LOG_COUNT, atomic_load(&generation)));
}

void store_status(struct store_status *out) {
  pthread_mutex_lock(&status_lock);
  *out = status;
  pthread_mutex_unlock(&status_lock);
}

uint64_t store_generation(void) { return atomic_load(&generation); }

/* ---- what changed ---- */

void store_changed(int64_t user_id) {
  if (changes.open == UINT64_MAX) return;
  uint64_t next = atomic_load(&generation) + 1;
  for (uint64_t i = changes.count; i > changes.open && i + CHANGES_MAX > changes.count; i--)
    if (changes.v[(i - 1) % CHANGES_MAX].user_id == user_id) return;
  if (changes.count >= CHANGES_MAX) changes.since = changes.v[changes.count % CHANGES_MAX].generation;
  changes.v[changes.count % CHANGES_MAX].generation = next;
  changes.v[changes.count++ % CHANGES_MAX].user_id = user_id;
}

static void begin_changes(void) { changes.open = changes.count; }

static void end_changes(bool is_committed) {
  if (!is_committed) {
    /* What the ring has lost to changes that were not made is not known any more. */
    if (changes.count > CHANGES_MAX && changes.count != changes.open) changes.since = atomic_load(&generation);
    changes.count = changes.open;
  }
  changes.open = UINT64_MAX;
}

/* Nothing is known of what has happened until now. */
static void forget_changes(void) { changes.since = atomic_fetch_add(&generation, 1) + 1; }

/* A new store beside copies of one: maestro.db was lost or emptied. They are all that is left of it, and the next ones
 * would take their places. */
static void put_copies_aside(void) {
  static const char *const files[] = {STORE_PEOPLE_FILE, STORE_NAMES_FILE, STORE_NODES_FILE};
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    char path[PATH_BYTES], aside[PATH_BYTES + 16];
    snprintf(path, sizeof path, "%s/%s", data_dir, files[i]);
    snprintf(aside, sizeof aside, "%s.of-before", path);
    if (rename(path, aside) == 0)
      log_line(LOG_LEVEL_WARN, "the store is new; the copy of one of before is kept", log_c(LOG_FILE, aside));
  }
}

/* Lock, file, schema: as far as they are not there yet. */
static enum err open_all(struct err_info *info) {
  unsigned from = 0;
  if (db) return OK;
  enum err e = dir_lock.fd < 0 ? data_lock_take(data_dir, holder, &dir_lock, info) : OK;
  const struct db_options options = {.path = store_path, .busy_ms = BUSY_MS};
  if (!e) e = db_open(&db, &options, info);
  if (!e) e = migrate_run(db, 0, &from, info);
  if (e) {
    db_close(db);
    db = NULL;
    return e;
  }
  forget_changes();
  if (from == 0) put_copies_aside();
  if (from < db_migration_count())
    log_line(LOG_LEVEL_INFO, "store brought up to date", log_u64(LOG_COUNT, db_migration_count() - from));
  return OK;
}

enum err store_start(const char *dir, const char *what, struct err_info *info) {
  struct err_info why = {0};
  if (snprintf(data_dir, sizeof data_dir, "%s", dir) >= (int)sizeof data_dir)
    return err_set(info, ERR_BAD_VALUE, "the path of the data directory is too long");
  snprintf(store_path, sizeof store_path, "%s/" STORE_FILE, data_dir);
  snprintf(holder, sizeof holder, "%s", what);
  pthread_mutex_lock(&lock);
  enum err e = open_all(&why);
  /* A command holds the directory for a moment only, which should not keep a server from starting, nor the reverse. */
  for (int tries = 0; e == ERR_CONFLICT && tries < LOCK_TRIES; tries++) {
    const struct timespec pause = {.tv_nsec = LOCK_PAUSE_MS * 1000000L};
    nanosleep(&pause, NULL);
    e = open_all(&why);
  }
  pthread_mutex_unlock(&lock);
  if (e == ERR_CONFLICT) return err_set(info, e, "%s", err_info_text(e, &why));
  pthread_mutex_lock(&status_lock);
  status.is_started = true;
  pthread_mutex_unlock(&status_lock);
  set_status(e, &why, e ? 0 : db_migration_count());
  return OK;
}

void store_stop(void) {
  pthread_mutex_lock(&lock);
  db_close(db);
  db = NULL;
  data_lock_release(&dir_lock);
  pthread_mutex_unlock(&lock);
  pthread_mutex_lock(&status_lock);
  status = (struct store_status){0};
  pthread_mutex_unlock(&status_lock);
}

/* A store that was open all along works again when something can be written: a disk may be full still. */
static enum err probe(struct err_info *info) {
  enum err e = db_begin(db, info);
  if (e) return e;
  e = db_run(db, DB_SCHEMA_TOUCH, NULL, 0, NULL, NULL, info);
  if (!e) return db_commit(db, info);
  db_rollback(db);
  return e;
}

bool store_retry(void) {
  struct store_status now;
  struct err_info info = {0};
  store_status(&now);
  if (!now.is_started || !now.fault || pthread_mutex_trylock(&lock)) return false;
  uint64_t before = atomic_load(&generation);
  enum err e = open_all(&info);
  if (!e) e = probe(&info);
  bool is_mended = !e;
  if (is_mended && atomic_load(&generation) == before) forget_changes();
  pthread_mutex_unlock(&lock);
  set_status(e, &info, e ? 0 : db_migration_count());
  return is_mended;
}

static bool is_of_store(enum err e) {
  return e == ERR_STORE_BUSY || e == ERR_STORE_FULL || e == ERR_STORE_CORRUPT || e == ERR_STORE_READ_ONLY ||
         e == ERR_STORE_NEWER || e == ERR_STORE_FAILED;
}

static enum err write_in(bool changes_people, store_fn *fn, void *arg, struct err_info *info) {
  struct err_info why = {0};
  pthread_mutex_lock(&lock);
  enum err e = open_all(&why);
  if (!e) e = db_begin(db, &why);
  if (!e) {
    begin_changes();
    e = fn(db, arg, &why);
    if (!e)
      e = db_commit(db, &why);
    else
      db_rollback(db);
    end_changes(!e);
  }
  if (!e && changes_people) atomic_fetch_add(&generation, 1);
  pthread_mutex_unlock(&lock);
  if (!e)
    set_status(OK, NULL, db_migration_count());
  else if (is_of_store(e))
    set_status(e, &why, 0);
  if (e && info) *info = why;
  return e;
}

enum err store_write(store_fn *fn, void *arg, struct err_info *info) { return write_in(true, fn, arg, info); }
enum err store_write_aside(store_fn *fn, void *arg, struct err_info *info) { return write_in(false, fn, arg, info); }

enum err store_read(store_fn *fn, void *arg, struct err_info *info) {
  struct err_info why = {0};
  pthread_mutex_lock(&lock);
  enum err e = open_all(&why);
  if (!e) e = db_begin_read(db, &why);
  if (!e) {
    e = fn(db, arg, &why);
    db_rollback(db);
  }
  pthread_mutex_unlock(&lock);
  if (is_of_store(e)) set_status(e, &why, 0);
  if (e && info) *info = why;
  return e;
}

/* ---- keys ---- */

enum { KEY_RANDOM_BYTES = 32, KEY_MAX_BYTES = 4096 };

static struct secret *configured_seal_key; /* under the lock */

static enum err make_key(const char *path, struct secret **out, struct err_info *info) {
  struct secret *key = secret_new_random(STR_NONE, KEY_RANDOM_BYTES);
  enum err e = key ? disk_replace(path, secret_reveal(key), 0600, info) : ERR_NO_MEMORY;
  if (e)
    secret_free(key);
  else
    *out = key;
  return e;
}

static enum err path_beside(const char *name, char out[PATH_BYTES]) {
  return snprintf(out, PATH_BYTES, "%s/%s", data_dir, name) < PATH_BYTES ? OK : ERR_BAD_VALUE;
}

/* Under the lock: two first uses at once must not make two. */
static enum err key_of_file(const char *name, struct secret **out, struct err_info *info) {
  char path[PATH_BYTES];
  struct buf text;
  buf_init(&text, 0);
  enum err e = path_beside(name, path);
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

/* ---- what snapshots are made of ---- */

/* One value that is read whole, and its copy for a store that fails. */
struct kept {
  const char *file;
  const char *what; /* is known of nothing, where neither can be read */
  void (*init)(void *value);
  enum err (*load)(struct db *db, void *out, struct err_info *info);
  void (*write)(const void *value, struct buf *out);
  enum err (*read)(struct str text, void *out, struct err_info *info);
  _Atomic bool *is_stale; /* set where it may be older than what is in force; NULL: it never is */
};

static void init_people(void *people) { people_init(people); }
static enum err load_people(struct db *of, void *out, struct err_info *info) { return people_load(of, 0, out, info); }
static void write_people(const void *people, struct buf *out) { people_write(people, out); }
static enum err read_people(struct str text, void *out, struct err_info *info) { return people_read(text, out, info); }
static const struct kept kept_people = {STORE_PEOPLE_FILE, "who may call", init_people,   load_people,
                                        write_people,      read_people,    &is_kept_stale};

static void init_names(void *names) { names_init(names); }
static enum err load_names(struct db *of, void *out, struct err_info *info) { return names_load(of, out, info); }
static void write_names(const void *names, struct buf *out) { names_write(names, out); }
static enum err read_names(struct str text, void *out, struct err_info *info) { return names_read(text, out, info); }
static const struct kept kept_names = {STORE_NAMES_FILE, "aliases and groups", init_names, load_names,
                                       write_names,      read_names,           NULL};

static void init_nodes(void *nodes) { node_list_init(nodes); }
static enum err load_nodes(struct db *of, void *out, struct err_info *info) {
  return nodes_load(of, 0, NULL, out, info);
}
static void write_nodes(const void *nodes, struct buf *out) { nodes_write(nodes, true, out); }
static enum err read_nodes(struct str text, void *out, struct err_info *info) { return nodes_read(text, out, info); }
static const struct kept kept_nodes = {STORE_NODES_FILE, "nodes",    init_nodes, load_nodes,
                                       write_nodes,      read_nodes, NULL};

static void keep(const struct kept *k, const void *value) {
  struct err_info info = {0};
  struct buf text;
  if (k->is_stale) atomic_store(k->is_stale, false); /* what changes from here on makes it so again */
  buf_init(&text, 0);
  k->write(value, &text);
  char path[PATH_BYTES];
  enum err e = text.failed ? ERR_NO_MEMORY : path_beside(k->file, path);
  if (!e) e = disk_replace(path, buf_str(&text), 0600, &info);
  buf_clear(&text);
  if (e && k->is_stale) atomic_store(k->is_stale, true);
  if (e)
    log_line(LOG_LEVEL_WARN, "the copy for a store that fails is not up to date", log_c(LOG_FILE, k->file),
             log_c(LOG_REASON, err_info_text(e, &info)));
}

static enum store_source load_kept(const struct kept *k, void *out) {
  struct err_info info = {0};
  struct buf text;
  buf_init(&text, 0);
  char path[PATH_BYTES];
  enum err e = path_beside(k->file, path);
  if (!e) e = disk_read(path, KEPT_MAX_BYTES, &text, NULL, &info);
  bool is_absent = e == ERR_NOT_FOUND;
  if (!e) e = k->read(buf_str(&text), out, &info);
  buf_clear(&text);
  if (!e) return STORE_KEPT;
  k->init(out);
  /* Neither was ever made, so nobody is in it; what cannot be looked at may hold somebody. */
  if (is_absent && access(store_path, F_OK) && errno == ENOENT) return STORE_NONE;
  log_line(LOG_LEVEL_ERROR, "neither the store nor its copy can be read", log_c(LOG_NAME, k->what),
           log_c(LOG_REASON, err_info_text(e, &info)));
  return STORE_UNKNOWN;
}

static enum store_source load(const struct kept *k, void *out) {
  struct store_status now;
  struct err_info info = {0};
  store_status(&now);
  k->init(out);
  if (!now.is_started) return STORE_NONE;
  pthread_mutex_lock(&lock);
  enum err e = db ? db_begin_read(db, &info) : ERR_STORE_FAILED;
  bool is_open = db != NULL;
  if (!e) {
    e = k->load(db, out, &info);
    db_rollback(db);
  }
  pthread_mutex_unlock(&lock);
  if (is_open && e) set_status(e, &info, 0);
  if (e) return load_kept(k, out);
  keep(k, out);
  return STORE_DB;
}

enum store_source store_people(struct people *out) { return load(&kept_people, out); }
enum store_source store_names(struct names *out) { return load(&kept_names, out); }
enum store_source store_node_list(struct nodes *out) { return load(&kept_nodes, out); }

void store_keep_people(const struct people *people) {
  if (!atomic_load(&is_kept_stale) || people->generation != atomic_load(&patched)) return; /* a newer one comes */
  keep(&kept_people, people);
  if (people->generation != atomic_load(&patched)) atomic_store(&is_kept_stale, true); /* it came meanwhile */
}

/* Under the lock: the users that changed since, each once; false: not known, or too many. */
static bool changed_since(uint64_t since, int64_t out[PATCH_MAX], unsigned *n) {
  *n = 0;
  if (since < changes.since) return false;
  for (uint64_t i = changes.count; i > 0 && i + CHANGES_MAX > changes.count; i--) {
    unsigned k = 0;
    if (changes.v[(i - 1) % CHANGES_MAX].generation <= since) break;
    while (k < *n && out[k] != changes.v[(i - 1) % CHANGES_MAX].user_id) k++;
    if (k < *n) continue;
    if (*n == PATCH_MAX) return false;
    out[(*n)++] = changes.v[(i - 1) % CHANGES_MAX].user_id;
  }
  return true;
}

enum store_news store_people_since(uint64_t since, const struct people *old, struct people *out) {
  int64_t ids[PATCH_MAX];
  unsigned n = 0;
  struct people made;
  people_init(&made);
  pthread_mutex_lock(&lock);
  bool is_known = db && changed_since(since, ids, &n);
  enum err e = !is_known ? ERR_STORE_FAILED : n ? db_begin_read(db, NULL) : OK;
  bool is_reading = !e && n;
  for (unsigned i = 0; !e && i < n; i++) {
    struct people one, next;
    e = people_load(db, ids[i], &one, NULL);
    if (!e) e = people_patch(i ? &made : old, ids[i], &one, &next);
    if (e) break;
    people_clear(&made);
    made = next;
  }
  if (is_reading) db_rollback(db);
  made.generation = atomic_load(&generation);
  pthread_mutex_unlock(&lock);
  if (e) people_clear(&made);
  if (e) return STORE_UNCLEAR;
  if (!n) return STORE_SAME;
  atomic_store(&patched, made.generation);
  atomic_store(&is_kept_stale, true);
  *out = made;
  return STORE_PATCHED;
}
