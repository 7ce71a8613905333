/* The process's store: see store.h. Here is the connection with its lock, its state, its transactions and the ring of
 * what they changed; store_keys.c has the keys beside it, store_kept.c what snapshots are made of. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "base/log.h"
#include "state/data_lock.h"
#include "state/store/migrate.h"
#include "state/store/store_internal.h"

enum { DIR_BYTES = STORE_PATH_BYTES - 32, BUSY_MS = 2000, LOCK_TRIES = 20, LOCK_PAUSE_MS = 100, CHANGES_MAX = 256 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;       /* guards what follows; held for a whole write */
static char data_dir[DIR_BYTES], store_path[STORE_PATH_BYTES]; /* set by store_start */
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

void store_set_status(enum err fault, const struct err_info *info, unsigned version) {
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
    char path[STORE_PATH_BYTES], aside[STORE_PATH_BYTES + 16];
    if (store_path_beside(files[i], path)) continue;
    snprintf(aside, sizeof aside, "%s.of-before", path);
    if (rename(path, aside) == 0)
      log_line(LOG_LEVEL_WARN, "the store is new; the copy of one of before is kept", log_c(LOG_FILE, aside));
  }
}

bool store_changed_since(uint64_t since, int64_t out[STORE_PATCH_MAX], unsigned *n) {
  *n = 0;
  if (since < changes.since) return false;
  for (uint64_t i = changes.count; i > 0 && i + CHANGES_MAX > changes.count; i--) {
    unsigned k = 0;
    if (changes.v[(i - 1) % CHANGES_MAX].generation <= since) break;
    while (k < *n && out[k] != changes.v[(i - 1) % CHANGES_MAX].user_id) k++;
    if (k < *n) continue;
    if (*n == STORE_PATCH_MAX) return false;
    out[(*n)++] = changes.v[(i - 1) % CHANGES_MAX].user_id;
  }
  return true;
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

struct db *store_lock(void) {
  pthread_mutex_lock(&lock);
  return db;
}

void store_unlock(void) { pthread_mutex_unlock(&lock); }

enum err store_path_beside(const char *name, char out[STORE_PATH_BYTES]) {
  return snprintf(out, STORE_PATH_BYTES, "%s/%s", data_dir, name) < STORE_PATH_BYTES ? OK : ERR_BAD_VALUE;
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
  store_set_status(e, &why, e ? 0 : db_migration_count());
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
  store_set_status(e, &info, e ? 0 : db_migration_count());
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
    store_set_status(OK, NULL, db_migration_count());
  else if (is_of_store(e))
    store_set_status(e, &why, 0);
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
  if (is_of_store(e)) store_set_status(e, &why, 0);
  if (e && info) *info = why;
  return e;
}
