/* A database, as the store needs it: statements of queries.def with $1, $2 … as parameters, rows by callback,
 * transactions, migrations. One SQL text serves every backend; what differs (column types, opening, copying) is the
 * backend's file, of which there is one: db_sqlite.c. A connection belongs to one thread at a time, and every call
 * blocks: on a pool thread, at start or in a command, never on a loop. Used by store.c, migrate.c and store_<entity>.c.
 *
 * Failures are ERR_STORE_… (err.def) or ERR_CONFLICT for a unique value that exists; *info says what to do. */
#ifndef MAESTRO_STATE_DB_H
#define MAESTRO_STATE_DB_H

#include "base/err.h"

struct db;

enum db_query {
#define X(name, sql) DB_##name,
#include "state/store/queries.def"
#undef X
  DB_QUERY_COUNT
};

enum { DB_PARAMS_MAX = 32, DB_COLUMNS_MAX = 40 };

enum db_type { DB_NULL, DB_INT, DB_TEXT, DB_BYTES };

struct db_value {
  enum db_type type;
  int64_t i;
  struct str s; /* DB_TEXT (UTF-8) and DB_BYTES; borrowed */
};

static inline struct db_value db_int(int64_t i) { return (struct db_value){.type = DB_INT, .i = i}; }
static inline struct db_value db_text(struct str s) { return (struct db_value){.type = DB_TEXT, .s = s}; }
static inline struct db_value db_bytes(const void *p, size_t n) {
  return (struct db_value){.type = DB_BYTES, .s = {p, n}};
}
static inline struct db_value db_null(void) { return (struct db_value){.type = DB_NULL}; }
/* NULL where it is 0: times that may be absent. */
static inline struct db_value db_int_or_null(int64_t i) { return i ? db_int(i) : db_null(); }

struct db_options {
  const char *path;
  bool is_read_only; /* then it must exist */
  bool is_relaxed;   /* a commit is not synced: a power cut may take the last, a crash of the program none */
  uint32_t busy_ms;  /* how long another program's lock is waited for */
};

/* Opens, or makes (0600) where it may write, and looks at the first page, so that what is no database is told here. */
enum err db_open(struct db **out, const struct db_options *options, struct err_info *info) MUST_CHECK;
void db_close(struct db *db); /* NULL is fine */

/* Called for each row; values live until it returns. A failure of it ends the query and is returned. */
typedef enum err db_row_fn(void *arg, const struct db_value *row, unsigned columns, struct err_info *info);
/* Runs a query to its end. on_row may be NULL. */
enum err db_run(struct db *db, enum db_query query, const struct db_value *params, unsigned n, db_row_fn *on_row,
                void *arg, struct err_info *info) MUST_CHECK;
/* For on_row: *arg is an int64_t, or an array of as many as the query has columns. Without a row it stays as it was. */
static inline enum err db_take_int(void *arg, const struct db_value *row, unsigned columns, struct err_info *info) {
  (void)columns, (void)info;
  *(int64_t *)arg = row[0].i;
  return OK;
}
static inline enum err db_take_ints(void *arg, const struct db_value *row, unsigned columns, struct err_info *info) {
  (void)info;
  for (unsigned i = 0; i < columns; i++) ((int64_t *)arg)[i] = row[i].i;
  return OK;
}
/* Rows that the last db_run inserted, updated or deleted. */
int64_t db_changes(const struct db *db);

/* What is read until db_rollback is of one moment; others write on. */
enum err db_begin_read(struct db *db, struct err_info *info) MUST_CHECK;
/* Nothing else writes between begin and end. A failed commit has rolled back. */
enum err db_begin(struct db *db, struct err_info *info) MUST_CHECK;
enum err db_commit(struct db *db, struct err_info *info) MUST_CHECK;
void db_rollback(struct db *db); /* harmless without a transaction */

/* Whether the table `migrations` is there. ERR_STORE_CORRUPT for a database that has tables, but not ours. */
enum err db_has_schema(struct db *db, bool *out, struct err_info *info) MUST_CHECK;
/* The steps of migrations.def, in this backend's types. */
unsigned db_migration_count(void);
const char *db_migration_name(unsigned step);
/* Runs the statements of step 0 <= step < count, within the caller's transaction. */
enum err db_migration_apply(struct db *db, unsigned step, struct err_info *info) MUST_CHECK;

/* The most pages (of 4 KiB) that the file may have; beyond: ERR_STORE_FULL. Below what it has: no more than that. */
enum err db_limit_pages(struct db *db, unsigned pages) MUST_CHECK;
/* Looks at every page. OK, or ERR_STORE_CORRUPT. */
enum err db_check(struct db *db, struct err_info *info) MUST_CHECK;
/* Copies the whole database into a new file (0600) that is complete and synced on OK, and gone on failure. Others may
 * read and write meanwhile. `path` must not exist. */
enum err db_copy(struct db *db, const char *path, struct err_info *info) MUST_CHECK;

#endif
