/* From workers to the request log's files: a ring for each worker and one thread that writes. A worker packs its row
 * and copies it into its ring: no lock, no disk, no system call but for a wake-up after a rest. A full ring (the disk
 * stalls, is full, or somebody holds the file) drops the row and counts it; nothing waits.
 *
 * One for the process. start and stop are the main thread's; attach and detach each worker's own. */
#ifndef MAESTRO_RECORD_LOG_WRITER_H
#define MAESTRO_RECORD_LOG_WRITER_H

#include "state/log/log_store.h"

enum { LOG_WRITER_WORKERS_MAX = 64 };

struct log_writer_options {
  bool is_on;
  size_t ring_bytes; /* of each worker; at the start only */
  struct log_store_options store;
};

/* The files are in <data_dir>/logs. */
enum err log_writer_start(const char *data_dir, const struct log_writer_options *options,
                          struct err_info *info) MUST_CHECK;
void log_writer_set_options(const struct log_writer_options *options); /* ring_bytes aside */
/* Writes what is left, as far as the disk takes it at once. All workers have detached. */
void log_writer_stop(void);
/* Where the files are, while started; NULL otherwise. */
const char *log_writer_folder(void);

enum err log_writer_attach(unsigned worker, struct err_info *info) MUST_CHECK;
void log_writer_detach(void);
/* False: nobody keeps rows now; then log_writer_put does nothing. */
bool log_writer_is_on(void);
void log_writer_put(const struct log_row *row);

struct log_writer_stats {
  uint64_t written, dropped; /* rows since the start */
  uint64_t waiting_bytes;    /* in the rings */
  bool is_failing;           /* the last try to write failed */
};
void log_writer_stats(struct log_writer_stats *out);
/* Waits until all rows put before are written, or timeout_ms passed (then false). Not on a worker that serves. */
bool log_writer_flush(uint32_t timeout_ms);

#endif
