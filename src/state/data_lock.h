/* The lock of the data directory: one process at a time may write there. An flock on `maestro.lock`, so it goes with
 * its holder, however that ends; the file names the holder for whoever comes second. Taken by the serving process and
 * by commands that write the store themselves; blocking calls, at start. */
#ifndef MAESTRO_STATE_DATA_LOCK_H
#define MAESTRO_STATE_DATA_LOCK_H

#include "base/err.h"

struct data_lock {
  int fd; /* -1: not held */
};

/* `what` is the holder's word for itself ("serve", "store migrate"). ERR_CONFLICT, and who holds it in *info, when
 * another process does; ERR_STORE_READ_ONLY or ERR_IO when the file cannot be made. Makes the directory (0700). */
enum err data_lock_take(const char *data_dir, const char *what, struct data_lock *out,
                        struct err_info *info) MUST_CHECK;
void data_lock_release(struct data_lock *lock);
/* True while another process holds it. */
bool data_lock_is_held(const char *data_dir);

#endif
