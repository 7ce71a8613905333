/* The request log on disk, as its writer sees it: rows go to their day's file, complete days are rolled up, old files
 * go. A day's rows are deleted by unlinking their file, whatever their number. Used by one thread at a time, which
 * waits for the disk so that nobody else does: record/log_writer.c.
 *
 * Invariant: a day's file is unlinked only after its sums are in stats.db. */
#ifndef MAESTRO_STATE_LOG_STORE_H
#define MAESTRO_STATE_LOG_STORE_H

#include "state/log/log_row.h"

struct log_store;

struct log_store_options {
  uint32_t keep_days;  /* rows: files of so many days before today stay; at least 1 */
  uint32_t keep_stats; /* roll-ups, days */
  uint64_t keep_bytes; /* all files together; a day that alone is larger takes no more rows */
};

/* `folder` is made with the first row. ERR_NO_MEMORY, or ERR_BAD_VALUE for a path that is too long. */
enum err log_store_new(struct log_store **out, const char *folder, const struct log_store_options *options,
                       struct err_info *info) MUST_CHECK;
void log_store_free(struct log_store *s); /* NULL is fine; what is not committed is gone */
void log_store_set_options(struct log_store *s, const struct log_store_options *options);

/* Adds n rows in the order of their time; they are in the files on OK. On failure the first *written of them are, and
 * the others may be tried again. */
enum err log_store_write(struct log_store *s, const struct log_row *rows, size_t n, size_t *written,
                         struct err_info *info) MUST_CHECK;
/* Seals days that are over and deletes what is too old or too much: now and then, when there is nothing to write. */
enum err log_store_maintain(struct log_store *s, int64_t now_us, struct err_info *info) MUST_CHECK;

/* Bytes of the files of `folder`. */
uint64_t log_store_bytes(const char *folder);

#endif
