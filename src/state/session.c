/* Sessions: see session.h. Dense arrays: a look-up scans the tags (32 KiB at the most), and the last one fills the gap
 * of one that ends. */
#include "state/session.h"

#include <pthread.h>
#include <stdatomic.h>

#include "state/store/db.h"
#include "state/store/store.h"

enum { SEEN_GRAIN_US = 60 * 1000000 }; /* how old what the store says may be */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of all that follows; never held over the store */
static uint64_t tags[SESSIONS_MAX];
static struct session table[SESSIONS_MAX];
static int64_t stored_us[SESSIONS_MAX]; /* seen_us as the store has it */
static _Atomic size_t count;            /* read without the lock by session_count */

static uint64_t tag_of(const struct crypto_hash *key) {
  uint64_t tag;
  memcpy(&tag, key->bytes, sizeof tag);
  return tag;
}

/* SESSIONS_MAX: it is not there. */
static size_t place_of(const struct crypto_hash *key) {
  uint64_t tag = tag_of(key);
  for (size_t i = 0; i < count; i++)
    if (tags[i] == tag && crypto_equal(&table[i].key, key, sizeof *key)) return i;
  return SESSIONS_MAX;
}

static void take_out(size_t i) {
  count--;
  tags[i] = tags[count];
  table[i] = table[count];
  stored_us[i] = stored_us[count];
}

/* The one that has to make room; SESSIONS_MAX: there is enough. */
static size_t surplus(int64_t user_id) {
  size_t of_user = 0, oldest = SESSIONS_MAX, idlest = 0;
  for (size_t i = 0; i < count; i++) {
    if (table[i].seen_us < table[idlest].seen_us) idlest = i;
    if (table[i].user_id != user_id) continue;
    of_user++;
    if (oldest == SESSIONS_MAX || table[i].created_us < table[oldest].created_us) oldest = i;
  }
  if (of_user >= SESSIONS_OF_USER_MAX) return oldest;
  return count == SESSIONS_MAX ? idlest : SESSIONS_MAX;
}

/* Returns whether another had to go, in *gone. */
static bool put(const struct session *s, struct crypto_hash *gone) {
  size_t over = surplus(s->user_id);
  if (over < SESSIONS_MAX) {
    *gone = table[over].key;
    take_out(over);
  }
  tags[count] = tag_of(&s->key);
  table[count] = *s;
  stored_us[count++] = s->seen_us;
  return over < SESSIONS_MAX;
}

size_t session_count(void) { return atomic_load_explicit(&count, memory_order_relaxed); }

bool session_find(const struct crypto_hash *key, int64_t now_us, int64_t idle_us, struct session *out) {
  pthread_mutex_lock(&lock);
  size_t i = place_of(key);
  bool is_live = i < SESSIONS_MAX && table[i].expires_us > now_us && (now_us - table[i].seen_us < idle_us || !idle_us);
  if (is_live) {
    if (table[i].seen_us < now_us) table[i].seen_us = now_us;
    *out = table[i];
  }
  pthread_mutex_unlock(&lock);
  return is_live;
}

/* ---- the store ---- */

struct addition {
  const struct session *added;
  const struct crypto_hash *gone; /* NULL: none */
};

static enum err delete_row(struct db *db, const struct crypto_hash *key, struct err_info *info) {
  const struct db_value hash = db_bytes(key->bytes, sizeof key->bytes);
  return db_run(db, DB_SESSION_DELETE, &hash, 1, NULL, NULL, info);
}

static enum err write_addition(struct db *db, void *arg, struct err_info *info) {
  const struct addition *a = arg;
  const struct session *s = a->added;
  const struct db_value row[] = {db_bytes(s->key.bytes, sizeof s->key.bytes), db_int(s->user_id), db_int(s->created_us),
                                 db_int(s->seen_us), db_int(s->expires_us)};
  enum err e = a->gone ? delete_row(db, a->gone, info) : OK;
  return e ? e : db_run(db, DB_SESSION_ADD, row, 5, NULL, NULL, info);
}

enum err session_add(const struct session *s, struct err_info *info) {
  struct crypto_hash gone;
  pthread_mutex_lock(&lock);
  bool is_full = put(s, &gone);
  pthread_mutex_unlock(&lock);
  struct addition a = {s, is_full ? &gone : NULL};
  return store_write_aside(write_addition, &a, info);
}

static enum err write_end(struct db *db, void *arg, struct err_info *info) { return delete_row(db, arg, info); }

enum err session_end(const struct crypto_hash *key, struct err_info *info) {
  struct crypto_hash copy = *key;
  pthread_mutex_lock(&lock);
  size_t i = place_of(key);
  if (i < SESSIONS_MAX) take_out(i);
  pthread_mutex_unlock(&lock);
  return store_write_aside(write_end, &copy, info);
}

static enum err delete_all(struct db *db, void *arg, struct err_info *info) {
  const struct db_value over[] = {db_int(INT64_MAX), db_int(0)}; /* whatever expires, has */
  (void)arg;
  return db_run(db, DB_SESSION_EXPIRE, over, 2, NULL, NULL, info);
}

enum err session_end_stored(struct err_info *info) { return store_write_aside(delete_all, NULL, info); }

static enum err take_row(void *arg, const struct db_value *row, unsigned columns, struct err_info *info) {
  struct session s = {.user_id = row[1].i, .created_us = row[2].i, .seen_us = row[3].i, .expires_us = row[4].i};
  struct crypto_hash gone;
  (void)arg, (void)columns;
  if (row[0].s.n != sizeof s.key.bytes) return err_set(info, ERR_STORE_CORRUPT, "%s", err_text(ERR_STORE_CORRUPT));
  memcpy(s.key.bytes, row[0].s.p, sizeof s.key.bytes);
  pthread_mutex_lock(&lock);
  if (place_of(&s.key) == SESSIONS_MAX) (void)put(&s, &gone);
  pthread_mutex_unlock(&lock);
  return OK;
}

static enum err read_rows(struct db *db, void *arg, struct err_info *info) {
  (void)arg;
  return db_run(db, DB_SESSION_LIST, NULL, 0, take_row, NULL, info);
}

enum err session_load(struct err_info *info) { return store_read(read_rows, NULL, info); }

/* What was seen since it was last written. */
struct batch {
  int64_t now_us, idle_us;
  size_t n;
  struct {
    struct crypto_hash key;
    int64_t seen_us;
  } v[256];
};

static enum err write_batch(struct db *db, void *arg, struct err_info *info) {
  const struct batch *b = arg;
  const struct db_value over[] = {db_int(b->now_us), db_int(b->idle_us ? b->now_us - b->idle_us : 0)};
  enum err e = OK;
  for (size_t i = 0; !e && i < b->n; i++) {
    const struct db_value row[] = {db_bytes(b->v[i].key.bytes, sizeof b->v[i].key.bytes), db_int(b->v[i].seen_us)};
    e = db_run(db, DB_SESSION_SEEN, row, 2, NULL, NULL, info);
  }
  return e ? e : db_run(db, DB_SESSION_EXPIRE, over, 2, NULL, NULL, info);
}

enum err session_keep(int64_t now_us, int64_t idle_us, struct err_info *info) {
  static struct batch b; /* the main thread's */
  bool has_ended = false;
  b.now_us = now_us, b.idle_us = idle_us, b.n = 0;
  pthread_mutex_lock(&lock);
  for (size_t i = count; i-- > 0;) {
    bool is_over = table[i].expires_us <= now_us || (idle_us && now_us - table[i].seen_us >= idle_us);
    if (is_over) {
      has_ended = true;
      take_out(i);
    } else if (table[i].seen_us - stored_us[i] >= SEEN_GRAIN_US && b.n < sizeof b.v / sizeof *b.v) {
      b.v[b.n].key = table[i].key;
      b.v[b.n++].seen_us = stored_us[i] = table[i].seen_us;
    }
  }
  pthread_mutex_unlock(&lock);
  return b.n || has_ended ? store_write_aside(write_batch, &b, info) : OK;
}

void session_clear(void) {
  pthread_mutex_lock(&lock);
  count = 0;
  crypto_wipe(table, sizeof table);
  pthread_mutex_unlock(&lock);
}
