/* Roll-ups of the request log: `stats.db` beside the days' files, with each complete day's series and, by one dimension
 * at a time, its sums (*facets*). The writer *seals* a day when it is over: it copies the sums that the day's file has
 * (never counts rows), in one transaction, and again if rows came late. So what is read here is what the files say, and
 * it stays when the rows are deleted.
 *
 * Reading: log_reader puts sealed days and the files of the others (today's) together. Calls block: pool threads and
 * commands only. */
#ifndef MAESTRO_STATE_LOG_STATS_H
#define MAESTRO_STATE_LOG_STATS_H

#include "base/arena.h"
#include "state/log_series.h"

enum log_dimension {
  LOG_BY_NOTHING, /* a day's totals */
  LOG_BY_USER,    /* value: principal; label: the user's name */
  LOG_BY_TEAM,
  LOG_BY_SOURCE,
  LOG_BY_ENDPOINT,
  LOG_BY_TYPE,
  LOG_BY_ASKED, /* of a sealed day the first LOG_ASKED_MAX names; the others are LOG_OTHER */
  LOG_BY_MODEL,
  LOG_BY_NODE,
  LOG_BY_ERROR,
  LOG_BY_STATUS,
  LOG_BY_USER_MODEL, /* value: principal, space, model */
  LOG_DIMENSIONS
};

enum { LOG_ASKED_MAX = 2000 };

/* ---- the writer's ---- */

enum err log_stats_open(struct db **out, const char *folder, struct err_info *info) MUST_CHECK;
/* OK also where the day is sealed as its file is, or there is no file. */
enum err log_stats_seal(struct db *stats, const char *folder, int64_t day, struct err_info *info) MUST_CHECK;
/* Forgets days before that one. */
enum err log_stats_expire(struct db *stats, int64_t before_day, struct err_info *info) MUST_CHECK;

/* ---- reading ---- */

struct log_reader_day {
  int64_t day;
  int64_t requests, series; /* of a sealed day */
  bool is_sealed, has_file;
};

struct log_reader {
  struct arena arena;
  const char *folder;
  struct db *stats;            /* NULL: there is none yet */
  struct log_reader_day *days; /* ascending */
  size_t day_count;
  struct log_series *open; /* all series of the days that are not sealed: log_reader_open_days */
  size_t open_count;
  bool has_open;
};

/* A folder that does not exist is an empty log. `today`: days before it may be sealed. */
enum err log_reader_open(struct log_reader *r, const char *folder, int64_t today, struct err_info *info) MUST_CHECK;
void log_reader_close(struct log_reader *r);

struct log_facet {
  int64_t day;
  struct str value, label;
  const struct log_sums *sums;
};
typedef enum err log_facet_fn(void *arg, const struct log_facet *facet, struct err_info *info);
/* Sums by day and value of the dimension, from <= day <= to. A value may come several times of a day. */
enum err log_reader_facets(struct log_reader *r, enum log_dimension by, int64_t from, int64_t to, log_facet_fn *fn,
                           void *arg, struct err_info *info) MUST_CHECK;
/* One caller's sums by model, over all days together: what sealed days have; for the others see r->open. */
enum err log_reader_models_of(struct log_reader *r, struct str principal, int64_t from, int64_t to, log_facet_fn *fn,
                              void *arg, struct err_info *info) MUST_CHECK;
/* Reads the series of the days that are not sealed into r->open, if they are not there yet. */
enum err log_reader_open_days(struct log_reader *r, struct err_info *info) MUST_CHECK;
/* How many rows pass. *is_exact false: not told, where that would cost too much or the times cut a day. */
enum err log_reader_total(struct log_reader *r, const struct log_filter *filter, int64_t *out, bool *is_exact,
                          struct err_info *info) MUST_CHECK;
/* Whether rows of a day may pass: false only where the roll-up is sure. */
enum err log_reader_may_match(struct log_reader *r, const struct log_filter *filter, size_t day_index, bool *out,
                              struct err_info *info) MUST_CHECK;

/* The dimension's value of a series; `room` for those that are made. */
enum { LOG_DIMENSION_ROOM = 2 * LOG_TEXT_MAX + 2 };
struct str log_dimension_value(enum log_dimension by, const struct log_series *s, char room[LOG_DIMENSION_ROOM]);

#endif
