/* Whole small files: read with a cap, replace atomically. Used for configuration, contexts and server.json. Blocking:
 * at start, in commands, or on a pool thread, never on a loop. */
#ifndef MAESTRO_STATE_DISK_H
#define MAESTRO_STATE_DISK_H

#include "base/buf.h"
#include "base/err.h"

/* Appends the file to `out`. ERR_NOT_FOUND when it does not exist; ERR_BAD_VALUE above limit_bytes or when it is no
 * regular file; ERR_IO otherwise. *mode (may be NULL) is its st_mode. */
enum err disk_read(const char *path, size_t limit_bytes, struct buf *out, unsigned *mode,
                   struct err_info *info) MUST_CHECK;
/* A temporary file in the same folder, written, synced and renamed over `path` with permissions `mode`; readers see the
 * old content or the new, never a mixture, also after a power cut. Makes missing folders (0700). */
enum err disk_replace(const char *path, struct str bytes, unsigned mode, struct err_info *info) MUST_CHECK;
/* Makes the missing folders above path (0700). */
enum err disk_make_folders(const char *path, struct err_info *info) MUST_CHECK;
bool disk_exists(const char *path);

#endif
