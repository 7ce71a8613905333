/* Roll-ups: see log_stats.h. The database is made whole again from the days' files for as long as they are there, so a
 * damaged one is put aside, not mourned. */
#include "state/log/log_stats.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/map.h"
#include "state/disk.h"
#include "state/log/log_file.h"

enum { BUSY_MS = 2000 };

struct str log_dimension_value(enum log_dimension by, const struct log_series *s, char room[LOG_DIMENSION_ROOM]) {
  static const enum log_text texts[LOG_DIMENSIONS] = {
      [LOG_BY_USER] = LOG_TEXT_PRINCIPAL,    [LOG_BY_TEAM] = LOG_TEXT_TEAM, [LOG_BY_SOURCE] = LOG_TEXT_SOURCE,
      [LOG_BY_ENDPOINT] = LOG_TEXT_ENDPOINT, [LOG_BY_TYPE] = LOG_TEXT_TYPE, [LOG_BY_ASKED] = LOG_TEXT_ASKED,
      [LOG_BY_MODEL] = LOG_TEXT_MODEL,       [LOG_BY_NODE] = LOG_TEXT_NODE, [LOG_BY_ERROR] = LOG_TEXT_ERROR};
  int n;
  switch (by) {
    case LOG_BY_NOTHING: return STR_NONE;
    case LOG_BY_STATUS: n = snprintf(room, LOG_DIMENSION_ROOM, "%d", (int)s->status); break;
    case LOG_BY_USER_MODEL:
      n = snprintf(room, LOG_DIMENSION_ROOM, "%.*s %.*s", STR_ARG(s->text[LOG_TEXT_PRINCIPAL]),
                   STR_ARG(s->text[LOG_TEXT_MODEL]));
      break;
    default: return s->text[texts[by]];
  }
  return str_from(room, (size_t)n);
}

/* ---- opening ---- */

static void stats_path(const char *folder, char out[LOG_PATH_BYTES]) {
  snprintf(out, LOG_PATH_BYTES, "%.960s/stats.db", folder);
}

static enum err create(struct db *db, struct err_info *info) {
  static const enum db_query ddl[] = {DB_STAT_CREATE_DAYS,        DB_STAT_CREATE_DAILY,  DB_STAT_CREATE_DAILY_INDEX,
                                      DB_STAT_CREATE_DAILY_USERS, DB_STAT_CREATE_FACETS, DB_STAT_CREATE_FACETS_INDEX};
  return log_format_create(db, ddl, sizeof ddl / sizeof *ddl, info);
}

enum err log_stats_open(struct db **out, const char *folder, bool is_read_only, struct err_info *info) {
  char path[LOG_PATH_BYTES];
  stats_path(folder, path);
  const struct db_options options = {
      .path = path, .is_read_only = is_read_only, .is_relaxed = !is_read_only, .busy_ms = BUSY_MS};
  struct db *db = NULL;
  int64_t tables = 0;
  if (is_read_only && !disk_exists(path)) return ERR_NOT_FOUND;
  enum err e = db_open(&db, &options, info);
  if (!e) e = db_run(db, DB_LOG_TABLES, NULL, 0, db_take_int, &tables, info);
  if (!e && !tables) e = is_read_only ? ERR_NOT_FOUND : create(db, info);
  if (!e) e = log_format_check(db, info);
  if (e)
    db_close(db);
  else
    *out = db;
  return e;
}

/* ---- sealing ---- */

struct group {
  struct str label;
  struct log_sums sums;
};

struct seal {
  struct db *stats;
  int64_t day, requests, series;
  struct arena arena;
  struct map groups[LOG_DIMENSIONS];
};

static enum err add_group(struct seal *s, enum log_dimension by, const struct log_series *series) {
  char room[LOG_DIMENSION_ROOM];
  struct str value = log_dimension_value(by, series, room);
  struct group *g = map_get(&s->groups[by], value);
  if (!g && by == LOG_BY_ASKED && s->groups[by].count >= LOG_ASKED_MAX) {
    value = STR(LOG_OTHER);
    g = map_get(&s->groups[by], value);
  }
  if (!g) {
    g = ARENA_NEW(&s->arena, struct group);
    struct str key = arena_dup(&s->arena, value);
    if (!g || !key.p || !map_put(&s->groups[by], key, g)) return ERR_NO_MEMORY;
    if (by == LOG_BY_USER) g->label = arena_dup(&s->arena, series->text[LOG_TEXT_USER]);
  }
  log_sums_add(&g->sums, &series->sums);
  return OK;
}

static enum err seal_series(void *arg, const struct db_value *row, unsigned columns, struct err_info *info) {
  struct seal *s = arg;
  struct log_series series;
  struct db_value params[LOG_SERIES_COLUMNS + 1];
  (void)columns;
  log_series_get(row, &series);
  memcpy(params, row, LOG_SERIES_COLUMNS * sizeof *row);
  params[LOG_SERIES_COLUMNS] = db_int(s->day);
  enum err e = db_run(s->stats, DB_STAT_DAILY_ADD, params, LOG_SERIES_COLUMNS + 1, NULL, NULL, info);
  for (int by = 0; !e && by < LOG_DIMENSIONS; by++) e = add_group(s, (enum log_dimension)by, &series);
  s->requests += series.sums.v[LOG_SUM_ROWS];
  s->series++;
  return e;
}

static enum err write_groups(struct seal *s, struct err_info *info) {
  enum err e = OK;
  for (int by = 0; !e && by < LOG_DIMENSIONS; by++) {
    const struct map *m = &s->groups[by];
    for (size_t i = 0; !e && i < m->count; i++) {
      const struct group *g = m->entries[i].value;
      struct db_value params[LOG_SUM_COLUMNS + 4];
      unsigned char hours[4 * LOG_HOURS];
      log_sums_put(&g->sums, hours, params);
      params[LOG_SUM_COLUMNS] = db_int(by);
      params[LOG_SUM_COLUMNS + 1] = db_int(s->day);
      params[LOG_SUM_COLUMNS + 2] = db_text(m->entries[i].key);
      params[LOG_SUM_COLUMNS + 3] = db_text(g->label);
      e = db_run(s->stats, DB_STAT_FACET_ADD, params, LOG_SUM_COLUMNS + 4, NULL, NULL, info);
    }
  }
  return e;
}

static enum err clear_day(struct db *stats, int64_t day, struct err_info *info) {
  static const enum db_query queries[] = {DB_STAT_DAY_CLEAR, DB_STAT_DAILY_CLEAR, DB_STAT_FACET_CLEAR};
  const struct db_value param = db_int(day);
  enum err e = OK;
  for (size_t i = 0; !e && i < sizeof queries / sizeof *queries; i++)
    e = db_run(stats, queries[i], &param, 1, NULL, NULL, info);
  return e;
}

struct find_day {
  int64_t day, requests;
};

static enum err find_day(void *arg, const struct db_value *row, unsigned columns, struct err_info *info) {
  struct find_day *f = arg;
  (void)columns, (void)info;
  if (row[0].i == f->day) f->requests = row[1].i;
  return OK;
}

static enum err copy_day(struct seal *s, struct db *file, struct err_info *info) {
  const struct log_filter all = {0};
  enum err e = db_begin(s->stats, info);
  if (e) return e;
  e = clear_day(s->stats, s->day, info);
  if (!e) e = log_filter_run(file, DB_LOG_SERIES_LIST, &all, seal_series, s, info);
  if (!e) e = write_groups(s, info);
  const struct db_value params[] = {db_int(s->day), db_int(s->requests), db_int(s->series)};
  if (!e) e = db_run(s->stats, DB_STAT_DAY_PUT, params, 3, NULL, NULL, info);
  if (!e) return db_commit(s->stats, info);
  db_rollback(s->stats);
  return e;
}

enum err log_stats_seal(struct db *stats, const char *folder, int64_t day, struct err_info *info) {
  const struct log_filter all = {0};
  struct seal s = {.stats = stats, .day = day};
  struct find_day known = {day, -1};
  struct db *file = NULL;
  int64_t requests = 0;
  enum err e = log_file_read(folder, day, &file, info);
  if (e == ERR_NOT_FOUND) return OK;
  arena_init(&s.arena, 0);
  for (int by = 0; by < LOG_DIMENSIONS; by++) map_init(&s.groups[by], &s.arena);
  if (!e) e = log_filter_run(file, DB_LOG_SERIES_COUNT, &all, db_take_int, &requests, info);
  if (!e) e = db_run(stats, DB_STAT_DAY_LIST, NULL, 0, find_day, &known, info);
  if (!e && requests != known.requests) e = copy_day(&s, file, info);
  arena_clear(&s.arena);
  db_close(file);
  return e;
}

struct old_days {
  int64_t v[16];
  size_t n;
};

static enum err take_old(void *arg, const struct db_value *row, unsigned columns, struct err_info *info) {
  struct old_days *old = arg;
  (void)columns, (void)info;
  if (old->n < sizeof old->v / sizeof *old->v) old->v[old->n++] = row[0].i;
  return OK;
}

enum err log_stats_expire(struct db *stats, int64_t before_day, struct err_info *info) {
  const struct db_value param = db_int(before_day);
  struct old_days old = {.n = 0};
  enum err e = db_run(stats, DB_STAT_DAYS_OLD, &param, 1, take_old, &old, info);
  if (e || !old.n) return e;
  e = db_begin(stats, info);
  if (e) return e;
  for (size_t i = 0; !e && i < old.n; i++) e = clear_day(stats, old.v[i], info);
  if (!e) return db_commit(stats, info);
  db_rollback(stats);
  return e;
}
