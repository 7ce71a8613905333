/* The request log of one day (UTC), a database of its own below the data directory's `logs`: rows, and the series they
 * belong to with their sums. Rows and sums are written in one transaction, so they agree after any crash. One thread
 * writes (state/log/log_store.c, for record/log_writer.c); others read with connections of their own (log_list.c).
 *
 * Invariants: ids of rows grow by one from 1; at_us never falls with them. */
#ifndef MAESTRO_STATE_LOG_FILE_H
#define MAESTRO_STATE_LOG_FILE_H

#include "base/arena.h"
#include "state/log/log_series.h"

struct log_file;

/* Different series of a day. With LOG_SERIES_MAX of them the models' names of further ones become LOG_OTHER, with twice
 * as many everything that tells them apart but status and error: callers cannot make the files or the memory grow. */
enum { LOG_SERIES_MAX = 50000, LOG_FOLDER_MAX = 960, LOG_PATH_BYTES = 1024 };

/* "<folder>/2026-11-28.db"; a folder has at most LOG_FOLDER_MAX bytes. */
void log_file_path(const char *folder, int64_t day, char out[LOG_PATH_BYTES]);
/* The days that have a file, in no order. OK and none where there is no folder. */
enum err log_file_days(struct arena *a, const char *folder, int64_t **out, size_t *n) MUST_CHECK;
/* Opens for reading: ERR_NOT_FOUND when there is none, ERR_STORE_NEWER when its format is not ours. */
enum err log_file_read(const char *folder, int64_t day, struct db **out, struct err_info *info) MUST_CHECK;

/* For the writer; makes it where it is missing. limit_bytes: the file's size beyond which nothing is added. */
enum err log_file_open(struct log_file **out, const char *folder, int64_t day, uint64_t limit_bytes,
                       struct err_info *info) MUST_CHECK;
void log_file_close(struct log_file *f); /* NULL is fine; what is not committed is gone */
int64_t log_file_day(const struct log_file *f);
/* Opens a transaction when there is none. After a failure of either only close is allowed. */
enum err log_file_add(struct log_file *f, const struct log_row *row, struct err_info *info) MUST_CHECK;
enum err log_file_commit(struct log_file *f, struct err_info *info) MUST_CHECK;

#endif
