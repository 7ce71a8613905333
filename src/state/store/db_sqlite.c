/* The store's backend for one machine, SQLite: see db.h. WAL, so that readers never wait for the writer; every commit
 * is synced, since a revoked token must stay revoked. Statements are prepared once per connection and kept. Invariant:
 * no statement is left open between calls, so that no read transaction pins the log. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state/store/db.h"

#define DB_ID "INTEGER PRIMARY KEY AUTOINCREMENT"
#define DB_INTEGER "INTEGER"
#define DB_STRING "TEXT"
#define DB_BINARY "BLOB"

static const char *const queries[DB_QUERY_COUNT] = {
#define X(name, sql) sql,
#include "state/store/queries.def"
#undef X
};

static const struct {
  const char *name, *ddl;
} migrations[] = {
#define X(name, ddl) {name, ddl},
#include "state/store/migrations.def"
#undef X
};

struct db {
  sqlite3 *handle;
  sqlite3_stmt *statements[DB_QUERY_COUNT];
  int params[DB_QUERY_COUNT][DB_PARAMS_MAX]; /* SQLite's index of $1 …; 0: the text does not use it */
};

/* ---- failures ---- */

static enum err fail_rc(int rc, int system_errno, const char *text, struct err_info *info) {
  static const struct {
    int rc;
    enum err e;
  } rows[] = {{SQLITE_BUSY, ERR_STORE_BUSY},          {SQLITE_LOCKED, ERR_STORE_BUSY},
              {SQLITE_FULL, ERR_STORE_FULL},          {SQLITE_CORRUPT, ERR_STORE_CORRUPT},
              {SQLITE_NOTADB, ERR_STORE_CORRUPT},     {SQLITE_FORMAT, ERR_STORE_CORRUPT},
              {SQLITE_READONLY, ERR_STORE_READ_ONLY}, {SQLITE_PERM, ERR_STORE_READ_ONLY},
              {SQLITE_CANTOPEN, ERR_STORE_READ_ONLY}, {SQLITE_NOMEM, ERR_NO_MEMORY},
              {SQLITE_CONSTRAINT, ERR_CONFLICT}};
  enum err e = ERR_STORE_FAILED;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if ((rc & 0xff) == rows[i].rc) e = rows[i].e;
  bool is_disk = (rc & 0xff) == SQLITE_IOERR;
  if (is_disk && (system_errno == ENOSPC || system_errno == EDQUOT)) e = ERR_STORE_FULL;
  if (is_disk && (system_errno == EROFS || system_errno == EACCES)) e = ERR_STORE_READ_ONLY;
  if (e == ERR_STORE_FAILED) return err_set(info, e, "%s: %s", err_text(e), text);
  return err_set(info, e, "%s", err_text(e));
}

static enum err fail(struct db *db, int rc, struct err_info *info) {
  return fail_rc(rc, sqlite3_system_errno(db->handle), sqlite3_errmsg(db->handle), info);
}

/* ---- opening ---- */

static enum err execute(struct db *db, const char *sql, struct err_info *info) {
  int rc = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
  return rc == SQLITE_OK ? OK : fail(db, rc, info);
}

/* The file with its rights before SQLite, which follows the umask; its companions take over the file's rights. */
static enum err make_file(const char *path, struct err_info *info) {
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
  if (fd >= 0) {
    close(fd);
    return OK;
  }
  enum err e = errno == ENOSPC || errno == EDQUOT ? ERR_STORE_FULL : ERR_STORE_READ_ONLY;
  return err_set(info, e, "%s: %s; %s", path, strerror(errno), err_text(e));
}

/* Counting its memory costs a lock at each of SQLite's allocations; nobody asks for the count. */
static void count_no_memory(void) { (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }

enum err db_open(struct db **out, const struct db_options *options, struct err_info *info) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, count_no_memory);
  int flags = options->is_read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  enum err e = options->is_read_only ? OK : make_file(options->path, info);
  if (e) return e;
  struct db *db = calloc(1, sizeof *db);
  if (!db) return ERR_NO_MEMORY;
  int rc = sqlite3_open_v2(options->path, &db->handle, flags | SQLITE_OPEN_NOMUTEX, NULL);
  if (rc != SQLITE_OK) {
    e = fail(db, rc, info);
    goto out;
  }
  sqlite3_extended_result_codes(db->handle, 1);
  sqlite3_busy_timeout(db->handle, (int)options->busy_ms);
  e = execute(db,
              "PRAGMA trusted_schema = OFF; PRAGMA foreign_keys = ON; PRAGMA cell_size_check = ON;"
              "SELECT COUNT(*) FROM sqlite_schema;",
              info);
  if (!e && !options->is_read_only) e = execute(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;", info);
  if (!e && options->is_relaxed)
    e = execute(db, "PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 8388608;", info);
out:
  if (e)
    db_close(db);
  else
    *out = db;
  return e;
}

void db_close(struct db *db) {
  if (!db) return;
  for (size_t i = 0; i < DB_QUERY_COUNT; i++) sqlite3_finalize(db->statements[i]);
  sqlite3_close(db->handle);
  free(db);
}

/* ---- queries ---- */

static enum err prepare(struct db *db, enum db_query query, struct err_info *info) {
  if (db->statements[query]) return OK;
  int rc = sqlite3_prepare_v3(db->handle, queries[query], -1, SQLITE_PREPARE_PERSISTENT, &db->statements[query], NULL);
  if (rc != SQLITE_OK) return fail(db, rc, info);
  for (int i = 0; i < DB_PARAMS_MAX; i++) {
    char name[16];
    snprintf(name, sizeof name, "$%d", i + 1);
    db->params[query][i] = sqlite3_bind_parameter_index(db->statements[query], name);
  }
  return OK;
}

static int bind_one(sqlite3_stmt *s, int at, const struct db_value *v) {
  const char *p = v->s.p ? v->s.p : "";
  switch (v->type) {
    case DB_INT: return sqlite3_bind_int64(s, at, v->i);
    case DB_TEXT: return sqlite3_bind_text64(s, at, p, v->s.n, SQLITE_STATIC, SQLITE_UTF8);
    case DB_BYTES: return sqlite3_bind_blob64(s, at, p, v->s.n, SQLITE_STATIC);
    default: return sqlite3_bind_null(s, at);
  }
}

static struct db_value column(sqlite3_stmt *s, int i) {
  switch (sqlite3_column_type(s, i)) {
    case SQLITE_INTEGER: return db_int(sqlite3_column_int64(s, i));
    case SQLITE_NULL: return db_null();
    case SQLITE_BLOB: {
      const void *p = sqlite3_column_blob(s, i);
      return db_bytes(p, p ? (size_t)sqlite3_column_bytes(s, i) : 0);
    }
    default: {
      const char *p = (const char *)sqlite3_column_text(s, i);
      return db_text(str_from(p, p ? (size_t)sqlite3_column_bytes(s, i) : 0));
    }
  }
}

static enum err step_all(struct db *db, sqlite3_stmt *s, db_row_fn *on_row, void *arg, struct err_info *info) {
  int rc;
  while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
    struct db_value row[DB_COLUMNS_MAX];
    int n = sqlite3_column_count(s);
    if (n > DB_COLUMNS_MAX) n = DB_COLUMNS_MAX;
    for (int i = 0; i < n; i++) row[i] = column(s, i);
    enum err e = on_row ? on_row(arg, row, (unsigned)n, info) : OK;
    if (e) return e;
  }
  return rc == SQLITE_DONE ? OK : fail(db, rc, info);
}

enum err db_run(struct db *db, enum db_query query, const struct db_value *params, unsigned n, db_row_fn *on_row,
                void *arg, struct err_info *info) {
  enum err e = n > DB_PARAMS_MAX ? ERR_INTERNAL : prepare(db, query, info);
  sqlite3_stmt *s = db->statements[query];
  for (unsigned i = 0; !e && i < n; i++) {
    int at = db->params[query][i], rc = at ? bind_one(s, at, &params[i]) : SQLITE_OK;
    if (rc != SQLITE_OK) e = fail(db, rc, info);
  }
  if (!e) e = step_all(db, s, on_row, arg, info);
  if (s) {
    sqlite3_reset(s);
    sqlite3_clear_bindings(s);
  }
  return e;
}

int64_t db_changes(const struct db *db) { return sqlite3_changes64(db->handle); }

enum err db_begin_read(struct db *db, struct err_info *info) { return execute(db, "BEGIN DEFERRED", info); }

enum err db_begin(struct db *db, struct err_info *info) { return execute(db, "BEGIN IMMEDIATE", info); }

enum err db_commit(struct db *db, struct err_info *info) {
  enum err e = execute(db, "COMMIT", info);
  if (e) db_rollback(db);
  return e;
}

void db_rollback(struct db *db) {
  if (!sqlite3_get_autocommit(db->handle)) sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

/* ---- migrations ---- */

enum err db_has_schema(struct db *db, bool *out, struct err_info *info) {
  static const char sql[] =
      "SELECT COUNT(*), COALESCE(SUM(name = 'migrations'), 0) FROM sqlite_schema WHERE type = 'table'";
  sqlite3_stmt *s = NULL;
  int rc = sqlite3_prepare_v2(db->handle, sql, sizeof sql, &s, NULL);
  if (rc == SQLITE_OK) rc = sqlite3_step(s);
  bool has_any = rc == SQLITE_ROW && sqlite3_column_int(s, 0), has_ours = rc == SQLITE_ROW && sqlite3_column_int(s, 1);
  enum err e = rc == SQLITE_ROW ? OK : fail(db, rc, info);
  if (!e && has_any && !has_ours)
    e = err_set(info, ERR_STORE_CORRUPT, "the file is a database of another program, not a store");
  sqlite3_finalize(s);
  if (!e) *out = has_ours;
  return e;
}

unsigned db_migration_count(void) { return sizeof migrations / sizeof *migrations; }
const char *db_migration_name(unsigned step) { return migrations[step].name; }

enum err db_migration_apply(struct db *db, unsigned step, struct err_info *info) {
  return execute(db, migrations[step].ddl, info);
}

/* ---- whole files ---- */

enum err db_limit_pages(struct db *db, unsigned pages) {
  char sql[64];
  snprintf(sql, sizeof sql, "PRAGMA max_page_count = %u", pages);
  return execute(db, sql, NULL);
}

enum err db_check(struct db *db, struct err_info *info) {
  sqlite3_stmt *s = NULL;
  int rc = sqlite3_prepare_v2(db->handle, "PRAGMA quick_check(1)", -1, &s, NULL);
  if (rc == SQLITE_OK) rc = sqlite3_step(s);
  enum err e = rc == SQLITE_ROW || rc == SQLITE_DONE ? OK : fail(db, rc, info);
  const char *said = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(s, 0) : NULL;
  if (!e && said && strcmp(said, "ok")) e = err_set(info, ERR_STORE_CORRUPT, "%s", err_text(ERR_STORE_CORRUPT));
  sqlite3_finalize(s);
  return e;
}

static int copy_pages(struct db *db, sqlite3 *to) {
  sqlite3_backup *backup = sqlite3_backup_init(to, "main", db->handle, "main");
  if (!backup) return sqlite3_errcode(to);
  int rc = sqlite3_backup_step(backup, -1);
  for (int tries = 0; (rc == SQLITE_BUSY || rc == SQLITE_LOCKED) && tries < 100; tries++) {
    sqlite3_sleep(50);
    rc = sqlite3_backup_step(backup, -1);
  }
  int end = sqlite3_backup_finish(backup);
  return rc == SQLITE_DONE ? end : rc;
}

enum err db_copy(struct db *db, const char *path, struct err_info *info) {
  sqlite3 *to = NULL;
  int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return err_set(info, ERR_IO, "%s: %s", path, strerror(errno));
  int rc = sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
  if (rc == SQLITE_OK) rc = copy_pages(db, to);
  /* The copy is one file: what it was copied from may be in WAL mode. */
  if (rc == SQLITE_OK) rc = sqlite3_exec(to, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
  enum err e = rc == SQLITE_OK ? OK : fail_rc(rc, sqlite3_system_errno(to), sqlite3_errmsg(to), info);
  sqlite3_close(to);
  if (!e && fsync(fd)) e = err_set(info, ERR_IO, "%s: %s", path, strerror(errno));
  close(fd);
  if (e) unlink(path);
  return e;
}
