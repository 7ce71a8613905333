/* Rows of the request log, newest first, a page at a time. Files are walked from the newest; in a file either every row
 * is looked at (no filter), or the rows of the series that pass are merged, found by their index. Days that the
 * roll-ups know to have nothing are passed by. So a page costs about as much as it has rows, however many there are. */
#ifndef MAESTRO_STATE_LOG_LIST_H
#define MAESTRO_STATE_LOG_LIST_H

#include "state/log/log_reader.h"

/* An id is the day and the row's number in its file; it fits the integers of JSON's readers (2^53). */
enum { LOG_ID_ROW_BITS = 36 };
static inline int64_t log_id(int64_t day, int64_t row) { return (day << LOG_ID_ROW_BITS) | row; }

struct log_list {
  const struct log_filter *filter;
  int64_t before_id; /* rows with smaller ids only; 0: from the newest */
  unsigned offset;   /* of those that pass, so many are left out first */
  unsigned limit;
};

/* The row and its texts are borrowed while fn runs. */
typedef enum err log_list_fn(void *arg, const struct log_row *row, struct err_info *info);
/* *next_id: before_id of the page behind this one; 0: there is none. */
enum err log_list_run(struct log_reader *r, const struct log_list *list, log_list_fn *fn, void *arg, int64_t *next_id,
                      struct err_info *info) MUST_CHECK;

#endif
