/* Stored responses on their way into the file, and out of it: see stored_response.h. A thread takes what lies in
 * memory, the oldest first, in transactions of some megabytes; only what is committed leaves the memory, so that there
 * is no moment at which a response is in neither. One connection, opened when there is something to read or to write;
 * the lock is held for a transaction or a look-up. A deletion that comes while its response is being written waits for
 * that lock and then finds the row.
 *
 * Commits are not synced one by one: a crash of the program loses none, a power cut may lose the last. A file that is
 * damaged is put aside and a new one begun. */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "state/store/store_response.h"
#include "state/stored_response_internal.h"

enum {
  PATH_BYTES = 1500,
  BATCH = 256,
  BATCH_BYTES = 4 << 20,
  BUSY_MS = 500, /* nobody else should have it open */
  RETRY_S = 1,   /* after a failure */
  TRIM_S = 60,   /* what grows too old goes, even when nothing is put */
  END_MS = 2000  /* for what is left when the program ends */
};

struct stored_file {
  struct stored_responses *memory;
  char path[PATH_BYTES];
  pthread_t thread;

  pthread_mutex_t lock; /* of the connection */
  struct db *db;        /* NULL: not open */
  struct stored_response_sum sum;

  pthread_mutex_t wake_lock; /* of what follows; taken inside of all others */
  pthread_cond_t wake;
  bool is_woken, is_ending, wants_trim;
  enum err fault;
  char text[ERR_TEXT_MAX];
  struct stored_response_sum told; /* sum, as of the last change */
};

/* ---- what is known of it ---- */

static void set_status(struct stored_file *f, enum err fault, const struct err_info *info) {
  pthread_mutex_lock(&f->wake_lock);
  bool is_news = f->fault != fault;
  f->fault = fault;
  f->told = f->sum;
  snprintf(f->text, sizeof f->text, "%s", fault ? err_info_text(fault, info) : "");
  pthread_mutex_unlock(&f->wake_lock);
  if (is_news && fault)
    log_line(LOG_LEVEL_ERROR, "responses.db does not work; stored responses stay in memory",
             log_c(LOG_CODE, err_code(fault)), log_c(LOG_REASON, err_info_text(fault, info)));
  else if (is_news)
    log_line(LOG_LEVEL_INFO, "responses.db works again", log_u64(LOG_COUNT, f->sum.count));
}

/* After a look that went well. Whether the file can be written it does not say. */
static void tell_sum(struct stored_file *f) {
  pthread_mutex_lock(&f->wake_lock);
  f->told = f->sum;
  pthread_mutex_unlock(&f->wake_lock);
}

void stored_file_status(struct stored_file *f, struct stored_response_status *out) {
  pthread_mutex_lock(&f->wake_lock);
  out->fault = f->fault;
  memcpy(out->text, f->text, sizeof out->text);
  out->written = f->told;
  pthread_mutex_unlock(&f->wake_lock);
}

/* ---- the connection; with the lock held ---- */

static void close_file(struct stored_file *f) {
  db_close(f->db);
  f->db = NULL;
}

static void put_aside(struct stored_file *f) {
  static const char *const companions[] = {"-wal", "-shm"};
  char other[PATH_BYTES + 32];
  close_file(f);
  snprintf(other, sizeof other, "%s.damaged-%lld", f->path, (long long)clock_wall_us());
  if (rename(f->path, other)) return;
  log_line(LOG_LEVEL_ERROR, "responses.db is damaged and was put aside", log_c(LOG_REASON, other));
  for (size_t i = 0; i < 2; i++) {
    snprintf(other, sizeof other, "%s%s", f->path, companions[i]);
    unlink(other);
  }
}

static enum err open_once(struct stored_file *f, struct err_info *info) {
  const struct db_options options = {.path = f->path, .busy_ms = BUSY_MS, .is_relaxed = true};
  enum err e = db_open(&f->db, &options, info);
  if (!e) e = store_response_prepare(f->db, info);
  if (!e) e = store_response_sum(f->db, &f->sum, info);
  if (e) close_file(f);
  return e;
}

static enum err open_file(struct stored_file *f, struct err_info *info) {
  if (f->db) return OK;
  enum err e = open_once(f, info);
  if (e != ERR_STORE_CORRUPT) return e;
  put_aside(f);
  return open_once(f, info);
}

/* After a failure the sum may be wrong, and the connection of no use: both are made anew. */
static void ended(struct stored_file *f, enum err e, const struct err_info *info) {
  if (e == ERR_STORE_CORRUPT)
    put_aside(f);
  else if (e)
    close_file(f);
  set_status(f, e, info);
}

/* ---- writing ---- */

static enum err write_entries(struct stored_file *f, struct stored_entry **entries, size_t n, struct err_info *info) {
  enum err e = OK;
  for (size_t i = 0; !e && i < n; i++) {
    const struct stored_entry *x = entries[i];
    if (stored_response_is_dropped(f->memory, x)) continue;
    struct stored_response_item *items = malloc((x->item_count + 1) * sizeof *items);
    if (!items) return ERR_NO_MEMORY;
    for (size_t k = 0; k < x->item_count; k++)
      items[k] = (struct stored_response_item){x->items[k].id, x->items[k].json};
    const struct stored_response r = {x->self.id, x->response, x->input, x->output, items, x->item_count};
    e = store_response_put(f->db, x->owner, &r, &f->sum, info);
    free(items);
  }
  return e;
}

/* One transaction: these, and what has to go for them. */
static enum err write_batch(struct stored_file *f, struct stored_entry **entries, size_t n) {
  struct err_info info = {0};
  const struct stored_response_limits limits = stored_response_limits_of(f->memory);
  pthread_mutex_lock(&f->lock);
  enum err e = open_file(f, &info);
  if (!e) e = db_begin(f->db, &info);
  if (!e) {
    e = write_entries(f, entries, n, &info);
    if (!e) e = store_response_trim(f->db, &limits, &f->sum, &info);
    if (!e)
      e = db_commit(f->db, &info);
    else
      db_rollback(f->db);
  }
  ended(f, e, &info);
  pthread_mutex_unlock(&f->lock);
  return e;
}

static void write_all(struct stored_file *f, uint64_t deadline_us) {
  struct stored_entry *held[BATCH];
  size_t n;
  do {
    n = stored_response_hold(f->memory, held, BATCH, BATCH_BYTES);
    enum err e = n ? write_batch(f, held, n) : OK;
    stored_response_release(f->memory, held, n, !e);
    if (e) return;
  } while (n && clock_mono_us() < deadline_us);
}

/* Nothing was ever written, or the file cannot be looked at. */
static bool has_file_now(struct stored_file *f) { return f->db || access(f->path, F_OK) == 0 || errno != ENOENT; }

static void trim(struct stored_file *f) {
  pthread_mutex_lock(&f->lock);
  bool is_there = has_file_now(f);
  pthread_mutex_unlock(&f->lock);
  if (is_there) (void)write_batch(f, NULL, 0);
}

/* Until there is something to do: it was woken, or a while has passed, which after a failure is short and not broken.
 * False: the program ends. */
static bool wait_for_work(struct stored_file *f, bool *is_trim_due) {
  struct timespec until;
  int rc = 0;
  clock_gettime(CLOCK_MONOTONIC, &until);
  pthread_mutex_lock(&f->wake_lock);
  until.tv_sec += f->fault ? RETRY_S : TRIM_S;
  while (!f->is_ending && !rc && (!f->is_woken || f->fault))
    rc = pthread_cond_timedwait(&f->wake, &f->wake_lock, &until);
  *is_trim_due = rc != 0 || f->wants_trim;
  f->is_woken = f->wants_trim = false;
  bool is_ending = f->is_ending;
  pthread_mutex_unlock(&f->wake_lock);
  return !is_ending;
}

static void *run(void *arg) {
  struct stored_file *f = arg;
  bool is_trim_due = true;
  do {
    if (is_trim_due) trim(f);
    write_all(f, UINT64_MAX);
  } while (wait_for_work(f, &is_trim_due));
  write_all(f, clock_mono_us() + END_MS * UINT64_C(1000));
  return NULL;
}

/* ---- reading ---- */

struct reading {
  struct str owner, id;
  int64_t ttl_ms;
  struct arena *arena;
  struct stored_response *response;
  struct str *json;
};

static enum err get(struct stored_file *f, const struct reading *r, struct err_info *info) {
  return store_response_get(f->db, r->owner, r->id, r->ttl_ms, r->arena, r->response, info);
}
static enum err get_item(struct stored_file *f, const struct reading *r, struct err_info *info) {
  return store_response_get_item(f->db, r->owner, r->id, r->ttl_ms, r->arena, r->json, info);
}
static enum err erase(struct stored_file *f, const struct reading *r, struct err_info *info) {
  return store_response_delete(f->db, r->owner, r->id, &f->sum, info);
}

static enum err use(struct stored_responses *s,
                    enum err (*fn)(struct stored_file *, const struct reading *, struct err_info *), struct reading r,
                    struct err_info *info) {
  struct stored_file *f = s->file;
  struct err_info why = {0};
  r.ttl_ms = stored_response_limits_of(s).ttl_ms;
  pthread_mutex_lock(&f->lock);
  enum err e = has_file_now(f) ? open_file(f, &why) : ERR_NOT_FOUND;
  if (!e) e = fn(f, &r, &why);
  if (!e)
    tell_sum(f);
  else if (e != ERR_NOT_FOUND && e != ERR_NO_MEMORY)
    ended(f, e, &why);
  pthread_mutex_unlock(&f->lock);
  if (e && e != ERR_NOT_FOUND && info) *info = why;
  return e;
}

enum err stored_response_get_file(struct stored_responses *s, struct str owner, struct str id, struct arena *a,
                                  struct stored_response *out, struct err_info *info) {
  return use(s, get, (struct reading){.owner = owner, .id = id, .arena = a, .response = out}, info);
}

enum err stored_response_get_item_file(struct stored_responses *s, struct str owner, struct str item_id,
                                       struct arena *a, struct str *json, struct err_info *info) {
  return use(s, get_item, (struct reading){.owner = owner, .id = item_id, .arena = a, .json = json}, info);
}

enum err stored_response_delete_file(struct stored_responses *s, struct str owner, struct str id,
                                     struct err_info *info) {
  return use(s, erase, (struct reading){.owner = owner, .id = id}, info);
}

/* ---- life ---- */

bool stored_response_has_file(const struct stored_responses *s) { return s->file != NULL; }

static bool init_locks(struct stored_file *f) {
  pthread_condattr_t attributes;
  if (pthread_condattr_init(&attributes)) return false;
  bool ok =
      pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 && pthread_cond_init(&f->wake, &attributes) == 0;
  pthread_condattr_destroy(&attributes);
  return ok && pthread_mutex_init(&f->lock, NULL) == 0 && pthread_mutex_init(&f->wake_lock, NULL) == 0;
}

enum err stored_response_open(struct stored_responses *s, const char *path, struct err_info *info) {
  struct stored_file *f = calloc(1, sizeof *f);
  if (!f) return ERR_NO_MEMORY;
  f->memory = s;
  bool ok = snprintf(f->path, sizeof f->path, "%s", path) < (int)sizeof f->path && init_locks(f);
  s->file = f;
  if (ok && pthread_create(&f->thread, NULL, run, f) == 0) return OK;
  s->file = NULL;
  free(f);
  return err_set(info, ERR_NO_MEMORY, "no thread for stored responses");
}

void stored_file_wake(struct stored_file *f, bool wants_trim) {
  pthread_mutex_lock(&f->wake_lock);
  f->is_woken = true;
  f->wants_trim = f->wants_trim || wants_trim;
  pthread_cond_signal(&f->wake);
  pthread_mutex_unlock(&f->wake_lock);
}

void stored_file_free(struct stored_file *f) {
  if (!f) return;
  pthread_mutex_lock(&f->wake_lock);
  f->is_ending = true;
  pthread_cond_signal(&f->wake);
  pthread_mutex_unlock(&f->wake_lock);
  pthread_join(f->thread, NULL);
  close_file(f);
  pthread_cond_destroy(&f->wake);
  pthread_mutex_destroy(&f->lock);
  pthread_mutex_destroy(&f->wake_lock);
  free(f);
}
