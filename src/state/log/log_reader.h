/* The request log as one: the roll-up of days that are sealed (log_stats.h) and the files of the others (today's), put
 * together for figures, and told which days a filter can leave out for lists (log_list.h). One reader is one moment of
 * the roll-up, on one thread; what it hands out lives until it is closed. Opening is cheap enough for each request.
 * Days are counted since 1970, UTC. Calls block: pool threads and commands only. */
#ifndef MAESTRO_STATE_LOG_READER_H
#define MAESTRO_STATE_LOG_READER_H

#include "base/arena.h"
#include "state/log/log_stats.h"

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

#endif
