/* Roll-ups of the request log: `stats.db` beside the days' files, with each complete day's series and, by one dimension
 * at a time, its sums (*facets*). The writer *seals* a day when it is over: it copies the sums that the day's file has
 * (never counts rows), in one transaction, and again if rows came late. So what is read here is what the files say, and
 * it stays when the rows are deleted.
 *
 * Here it is written, by the one writer of the log (log_store.c); log_reader.h reads it. Calls block: pool threads and
 * commands only. */
#ifndef MAESTRO_STATE_LOG_STATS_H
#define MAESTRO_STATE_LOG_STATS_H

#include "state/log/log_series.h"

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

/* Makes it where it is absent; for reading only, ERR_NOT_FOUND. */
enum err log_stats_open(struct db **out, const char *folder, bool is_read_only, struct err_info *info) MUST_CHECK;
/* OK also where the day is sealed as its file is, or there is no file. */
enum err log_stats_seal(struct db *stats, const char *folder, int64_t day, struct err_info *info) MUST_CHECK;
/* Forgets days before that one. */
enum err log_stats_expire(struct db *stats, int64_t before_day, struct err_info *info) MUST_CHECK;

/* The dimension's value of a series; `room` for those that are made. */
enum { LOG_DIMENSION_ROOM = 2 * LOG_TEXT_MAX + 2 };
struct str log_dimension_value(enum log_dimension by, const struct log_series *s, char room[LOG_DIMENSION_ROOM]);

#endif
