/* A series of the request log with its sums (log_row.h), a filter over series, and how both stand in a database: the
 * columns and parameters that log_file.c, log_stats.c, log_reader.c and log_list.c share. */
#ifndef MAESTRO_STATE_LOG_SERIES_H
#define MAESTRO_STATE_LOG_SERIES_H

#include "state/log/log_row.h"
#include "state/store/db.h"

struct log_series {
  struct str text[LOG_TEXTS];
  int32_t status;
  bool is_stream;
  struct log_sums sums;
  int64_t day;
  int64_t id, last_row; /* of a day's file */
};

enum log_category { LOG_CATEGORY_ANY, LOG_CATEGORY_SUCCESS, LOG_CATEGORY_ERROR };

/* Empty and 0 let everything pass; they combine. */
struct log_filter {
  struct str user, principal, team, source, endpoint, type, node, error; /* exact */
  struct str model; /* part of the name asked for or used, any case */
  int status;
  enum log_category category;
  int64_t from_us, to_us; /* from <= at < to; to 0: no end */
};

/* Columns: the dimensions, then the sums. Both functions go by them. */
enum { LOG_SERIES_COLUMNS = LOG_TEXTS + 2 + LOG_SUMS + 1, LOG_SUM_COLUMNS = LOG_SUMS + 1 };
/* Values borrow from *s, and the hours from `hours`. */
void log_series_put(const struct log_series *s, unsigned char hours[4 * LOG_HOURS],
                    struct db_value out[LOG_SERIES_COLUMNS]);
void log_series_get(const struct db_value *row, struct log_series *out);
void log_sums_put(const struct log_sums *s, unsigned char hours[4 * LOG_HOURS], struct db_value out[LOG_SUM_COLUMNS]);
void log_sums_get(const struct db_value *row, struct log_sums *out);

/* The parameters $1 … of a filter but for its times. */
enum { LOG_FILTER_PARAMS = 11, LOG_LIKE_MAX = 2 * LOG_TEXT_MAX + 3 };
void log_filter_put(const struct log_filter *f, char like[LOG_LIKE_MAX], struct db_value out[LOG_FILTER_PARAMS]);
/* Runs a query that has no other parameters than those. */
enum err log_filter_run(struct db *file, enum db_query query, const struct log_filter *filter, db_row_fn *fn, void *arg,
                        struct err_info *info) MUST_CHECK;
/* How many of its parts, times aside, let something not pass. */
unsigned log_filter_parts(const struct log_filter *f);
bool log_filter_has_time(const struct log_filter *f, int64_t at_us);

/* Every database of the log says which format it has, so that an older program leaves a newer file alone. */
enum { LOG_FORMAT = 1 };
/* Makes the tables of an empty one, all or none. */
enum err log_format_create(struct db *db, const enum db_query *ddl, size_t n, struct err_info *info) MUST_CHECK;
/* ERR_STORE_NEWER when it is not ours. */
enum err log_format_check(struct db *db, struct err_info *info) MUST_CHECK;

#endif
