/* The request log of one day: see log_file.h. The writer keeps the series in memory, found by a hash of their texts,
 * and writes those that have changed with each commit: a row costs one insert, whatever its series. */
#include "state/log/log_file.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "state/disk.h"

enum {
  BUSY_MS = 2000, /* how long another program's lock is waited for; the rings take what comes meanwhile */
  PAGE_BYTES = 4096,
  KEY_MAX = LOG_TEXTS * (LOG_TEXT_MAX + 1) + 5
};

struct entry {
  struct log_series series; /* texts point into key */
  uint64_t hash;
  bool is_dirty, is_stored; /* ahead of the database; there at all */
  size_t key_bytes;
  char key[];
};

struct log_file {
  struct db *db;
  int64_t day, last_row, last_us;
  bool is_begun;
  struct entry **v; /* by series id - 1 */
  size_t n, room;
  uint32_t *slots; /* index + 1 into v; 0: free. A power of two, at most half full */
  size_t slot_count;
  uint32_t *dirty; /* indexes of those that have changed since the last commit */
  size_t dirty_count;
};

void log_file_path(const char *folder, int64_t day, char out[LOG_PATH_BYTES]) {
  char name[LOG_DAY_BYTES];
  log_day_text(day, name);
  snprintf(out, LOG_PATH_BYTES, "%.960s/%s.db", folder, name);
}

/* "2026-11-28.db", nothing else. */
static bool is_day_name(struct str name, int64_t *day) {
  char text[LOG_DAY_BYTES];
  if (name.n != 13 || !str_has_suffix(name, STR(".db"))) return false;
  int64_t us;
  if (!clock_parse_time(str_sub(name, 0, 10), &us)) return false;
  *day = log_day(us);
  log_day_text(*day, text);
  return str_eq(str_from_c(text), str_sub(name, 0, 10));
}

enum err log_file_days(struct arena *a, const char *folder, int64_t **out, size_t *n) {
  DIR *d = opendir(folder);
  size_t room = 0;
  enum err e = OK;
  *n = 0;
  *out = NULL;
  if (!d) return OK;
  for (struct dirent *f; !e && (f = readdir(d));) {
    int64_t day;
    if (!is_day_name(str_from_c(f->d_name), &day)) continue;
    if (*n == room) {
      int64_t *v = arena_realloc(a, *out, room * sizeof *v, (room + 64) * sizeof *v);
      if (!v) e = ERR_NO_MEMORY;
      if (v) *out = v, room += 64;
    }
    if (!e) (*out)[(*n)++] = day;
  }
  closedir(d);
  return e;
}

/* ---- series in memory ---- */

/* Each text with its length before it, then status and flag. */
static size_t make_key(const struct log_series *s, char out[KEY_MAX]) {
  size_t at = 0;
  for (int i = 0; i < LOG_TEXTS; i++) {
    size_t n = s->text[i].n < LOG_TEXT_MAX ? s->text[i].n : LOG_TEXT_MAX;
    out[at++] = (char)n;
    if (n) memcpy(out + at, s->text[i].p, n);
    at += n;
  }
  memcpy(out + at, &s->status, 4);
  out[at + 4] = s->is_stream;
  return at + 5;
}

static void point_into_key(struct entry *e) {
  const char *at = e->key;
  for (int i = 0; i < LOG_TEXTS; i++) {
    size_t n = (unsigned char)*at++;
    e->series.text[i] = str_from(at, n);
    at += n;
  }
}

static struct entry *find(const struct log_file *f, const char *key, size_t n, uint64_t hash) {
  for (size_t i = hash & (f->slot_count - 1); f->slots[i]; i = (i + 1) & (f->slot_count - 1)) {
    struct entry *e = f->v[f->slots[i] - 1];
    if (e->hash == hash && e->key_bytes == n && !memcmp(e->key, key, n)) return e;
  }
  return NULL;
}

static void put_slot(struct log_file *f, size_t index) {
  size_t i = f->v[index]->hash & (f->slot_count - 1);
  while (f->slots[i]) i = (i + 1) & (f->slot_count - 1);
  f->slots[i] = (uint32_t)index + 1;
}

static bool grow(struct log_file *f) {
  if (f->n < f->room) return true;
  size_t room = f->room ? 2 * f->room : 256;
  struct entry **v = realloc(f->v, room * sizeof(struct entry *));
  if (v) f->v = v;
  uint32_t *dirty = v ? realloc(f->dirty, room * sizeof *dirty) : NULL;
  if (dirty) f->dirty = dirty;
  uint32_t *slots = dirty ? calloc(2 * room, sizeof *slots) : NULL;
  if (!slots) return false;
  free(f->slots);
  f->slots = slots;
  f->slot_count = 2 * room;
  f->room = room;
  for (size_t i = 0; i < f->n; i++) put_slot(f, i);
  return true;
}

static struct entry *insert(struct log_file *f, const struct log_series *s, const char *key, size_t n, uint64_t hash) {
  struct entry *e = grow(f) ? malloc(sizeof *e + n) : NULL;
  if (!e) return NULL;
  *e = (struct entry){.series = *s, .hash = hash, .key_bytes = n};
  memcpy(e->key, key, n);
  point_into_key(e);
  e->series.id = (int64_t)f->n + 1;
  f->v[f->n++] = e;
  put_slot(f, f->n - 1);
  return e;
}

static void mark(struct log_file *f, struct entry *e) {
  if (e->is_dirty) return;
  e->is_dirty = true;
  f->dirty[f->dirty_count++] = (uint32_t)(e->series.id - 1);
}

/* What a day with too many series says in place of names: see LOG_SERIES_MAX. */
static void fold(struct log_series *s, bool all) {
  for (int i = 0; i < LOG_TEXTS; i++) {
    bool is_model = i == LOG_TEXT_ASKED || i == LOG_TEXT_MODEL;
    if (i != LOG_TEXT_ERROR && (all || is_model) && s->text[i].n) s->text[i] = STR(LOG_OTHER);
  }
}

static struct entry *series_of(struct log_file *f, const struct log_row *row) {
  struct log_series s = {.status = row->status, .is_stream = row->is_stream};
  struct entry *e = NULL;
  char key[KEY_MAX];
  memcpy(s.text, row->text, sizeof s.text);
  for (size_t most = LOG_SERIES_MAX; !e; most *= 2) {
    size_t n = make_key(&s, key);
    uint64_t hash = str_hash(str_from(key, n), 0);
    e = f->slot_count ? find(f, key, n, hash) : NULL;
    if (!e && (f->n < most || most > 2 * (size_t)LOG_SERIES_MAX)) return insert(f, &s, key, n, hash);
    if (!e) fold(&s, most > LOG_SERIES_MAX);
  }
  return e;
}

/* ---- opening ---- */

static enum err take_int(void *arg, const struct db_value *row, unsigned columns, struct err_info *info) {
  (void)info;
  for (unsigned i = 0; i < columns; i++) ((int64_t *)arg)[i] = row[i].i;
  return OK;
}

enum err log_file_read(const char *folder, int64_t day, struct db **out, struct err_info *info) {
  char path[LOG_PATH_BYTES];
  log_file_path(folder, day, path);
  const struct db_options options = {.path = path, .is_read_only = true, .busy_ms = BUSY_MS};
  struct db *db = NULL;
  int64_t tables = 0;
  if (!disk_exists(path)) return ERR_NOT_FOUND;
  enum err e = db_open(&db, &options, info);
  if (!e) e = db_run(db, DB_LOG_TABLES, NULL, 0, take_int, &tables, info);
  if (!e && !tables) e = ERR_NOT_FOUND; /* it is being made */
  if (!e) e = log_format_check(db, info);
  if (e && !disk_exists(path)) e = ERR_NOT_FOUND; /* it went meanwhile */
  if (e)
    db_close(db);
  else
    *out = db;
  return e;
}

static enum err create(struct db *db, struct err_info *info) {
  static const enum db_query ddl[] = {DB_LOG_CREATE_SERIES, DB_LOG_CREATE_SERIES_INDEX, DB_LOG_CREATE_ROWS,
                                      DB_LOG_CREATE_ROWS_INDEX};
  return log_format_create(db, ddl, sizeof ddl / sizeof *ddl, info);
}

static enum err load_one(void *arg, const struct db_value *row, unsigned columns, struct err_info *info) {
  struct log_file *f = arg;
  struct log_series s;
  char key[KEY_MAX];
  (void)columns;
  log_series_get(row, &s);
  s.last_row = row[LOG_SERIES_COLUMNS + 1].i;
  if (row[LOG_SERIES_COLUMNS].i != (int64_t)f->n + 1)
    return err_set(info, ERR_STORE_CORRUPT, "%s", err_text(ERR_STORE_CORRUPT));
  size_t n = make_key(&s, key);
  struct entry *e = insert(f, &s, key, n, str_hash(str_from(key, n), 0));
  if (e) e->is_stored = true;
  return e ? OK : ERR_NO_MEMORY;
}

static enum err load(struct log_file *f, struct err_info *info) {
  const struct log_filter all = {0};
  struct db_value params[LOG_FILTER_PARAMS];
  char like[LOG_LIKE_MAX];
  int64_t last[2] = {0};
  log_filter_put(&all, like, params);
  enum err e = log_format_check(f->db, info);
  if (!e) e = db_run(f->db, DB_LOG_SERIES_LIST, params, LOG_FILTER_PARAMS, load_one, f, info);
  if (!e) e = db_run(f->db, DB_LOG_ROW_LAST, NULL, 0, take_int, last, info);
  f->last_row = last[0];
  f->last_us = last[1];
  return e;
}

enum err log_file_open(struct log_file **out, const char *folder, int64_t day, uint64_t limit_bytes,
                       struct err_info *info) {
  char path[LOG_PATH_BYTES];
  log_file_path(folder, day, path);
  const struct db_options options = {.path = path, .is_relaxed = true, .busy_ms = BUSY_MS};
  uint64_t pages = limit_bytes / PAGE_BYTES;
  int64_t count = 0;
  struct log_file *f = calloc(1, sizeof *f);
  if (!f) return ERR_NO_MEMORY;
  f->day = day;
  enum err e = db_open(&f->db, &options, info);
  if (!e) e = db_limit_pages(f->db, pages < UINT32_MAX ? (unsigned)pages : UINT32_MAX - 1);
  if (!e) e = db_run(f->db, DB_LOG_TABLES, NULL, 0, take_int, &count, info);
  if (!e && !count) e = create(f->db, info);
  if (!e) e = load(f, info);
  if (e)
    log_file_close(f);
  else
    *out = f;
  return e;
}

void log_file_close(struct log_file *f) {
  if (!f) return;
  if (f->db) db_rollback(f->db);
  db_close(f->db);
  for (size_t i = 0; i < f->n; i++) free(f->v[i]);
  free(f->v);
  free(f->slots);
  free(f->dirty);
  free(f);
}

int64_t log_file_day(const struct log_file *f) { return f->day; }

/* ---- writing ---- */

static struct db_value or_null(int64_t v) { return v >= 0 ? db_int(v) : db_null(); }

enum err log_file_add(struct log_file *f, const struct log_row *row, struct err_info *info) {
  enum err e = f->is_begun ? OK : db_begin(f->db, info);
  if (e) return e;
  f->is_begun = true;
  struct entry *s = series_of(f, row);
  if (!s) return ERR_NO_MEMORY;
  /* Rings are emptied one after the other: what came late by some milliseconds is put in line. */
  int64_t at_us = row->at_us > f->last_us ? row->at_us : f->last_us;
  const struct db_value params[] = {db_int(f->last_row + 1),
                                    db_int(s->series.id),
                                    db_int(at_us),
                                    db_text(row->trace),
                                    db_int(row->attempts),
                                    db_int(row->is_estimated),
                                    or_null(row->tokens[USAGE_INPUT]),
                                    or_null(row->tokens[USAGE_OUTPUT]),
                                    or_null(row->tokens[USAGE_CACHE_READ]),
                                    or_null(row->tokens[USAGE_CACHE_WRITE]),
                                    or_null(row->tokens[USAGE_REASONING]),
                                    or_null(row->cost_nano_usd),
                                    or_null(row->ttft_us),
                                    db_int(row->duration_us)};
  e = db_run(f->db, DB_LOG_ROW_ADD, params, sizeof params / sizeof *params, NULL, NULL, info);
  if (e) return e;
  f->last_row++;
  f->last_us = at_us;
  log_sums_add_row(&s->series.sums, row);
  s->series.last_row = f->last_row;
  mark(f, s);
  return OK;
}

static enum err write_series(struct log_file *f, struct entry *d, struct err_info *info) {
  const struct log_series *s = &d->series;
  struct db_value params[LOG_SERIES_COLUMNS + 2];
  unsigned char hours[4 * LOG_HOURS];
  params[0] = db_int(s->id);
  if (d->is_stored) {
    params[1] = db_int(s->last_row);
    log_sums_put(&s->sums, hours, params + 2);
    return db_run(f->db, DB_LOG_SERIES_SET, params, LOG_SUM_COLUMNS + 2, NULL, NULL, info);
  }
  log_series_put(s, hours, params + 1);
  params[LOG_SERIES_COLUMNS + 1] = db_int(s->last_row);
  d->is_stored = true; /* or the file is closed, and this with it */
  return db_run(f->db, DB_LOG_SERIES_ADD, params, LOG_SERIES_COLUMNS + 2, NULL, NULL, info);
}

enum err log_file_commit(struct log_file *f, struct err_info *info) {
  enum err e = OK;
  if (!f->is_begun) return OK;
  for (size_t i = 0; !e && i < f->dirty_count; i++) {
    struct entry *d = f->v[f->dirty[i]];
    e = write_series(f, d, info);
    d->is_dirty = false;
  }
  if (!e) e = db_commit(f->db, info);
  if (e) return e;
  f->dirty_count = 0;
  f->is_begun = false;
  return OK;
}
