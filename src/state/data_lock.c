/* The lock of the data directory: see data_lock.h. The file stays when it is released: a removed one could be locked
 * twice, by its old and its new inode. */
#include "state/data_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 1536, HOLDER_BYTES = 128 };

static enum err make_directory(const char *path, struct err_info *info) {
  char copy[PATH_BYTES];
  if (snprintf(copy, sizeof copy, "%s/", path) >= (int)sizeof copy)
    return err_set(info, ERR_BAD_VALUE, "path too long");
  for (char *slash = copy; (slash = strchr(slash + 1, '/'));) {
    *slash = '\0';
    if (mkdir(copy, 0700) && errno != EEXIST)
      return err_set(info, errno == ENOSPC ? ERR_STORE_FULL : ERR_STORE_READ_ONLY, "%s: %s", copy, strerror(errno));
    *slash = '/';
  }
  return OK;
}

static int open_file(const char *data_dir, int flags) {
  char path[PATH_BYTES];
  if (snprintf(path, sizeof path, "%s/maestro.lock", data_dir) >= (int)sizeof path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  return open(path, flags | O_CLOEXEC | O_NOCTTY, 0600);
}

static enum err fail_held(int fd, const char *data_dir, struct err_info *info) {
  char holder[HOLDER_BYTES];
  ssize_t n = pread(fd, holder, sizeof holder - 1, 0);
  holder[n > 0 ? n : 0] = '\0';
  for (char *p = holder; *p; p++) /* it is only a hint, and goes to a terminal */
    if ((unsigned char)*p < ' ' || (unsigned char)*p > '~') *p = '\0';
  return err_set(info, ERR_CONFLICT,
                 "the data directory %s is in use by %s; stop that first, or set XDG_DATA_HOME to "
                 "another directory",
                 data_dir, holder[0] ? holder : "another process");
}

enum err data_lock_take(const char *data_dir, const char *what, struct data_lock *out, struct err_info *info) {
  char holder[HOLDER_BYTES];
  enum err e = make_directory(data_dir, info);
  if (e) return e;
  int fd = open_file(data_dir, O_RDWR | O_CREAT);
  if (fd < 0)
    return err_set(info, errno == ENOSPC ? ERR_STORE_FULL : ERR_STORE_READ_ONLY, "%s/maestro.lock: %s", data_dir,
                   strerror(errno));
  if (flock(fd, LOCK_EX | LOCK_NB)) {
    e = errno == EWOULDBLOCK ? fail_held(fd, data_dir, info)
                             : err_set(info, ERR_IO, "%s/maestro.lock: %s", data_dir, strerror(errno));
    close(fd);
    return e;
  }
  int n = snprintf(holder, sizeof holder, "`maestro %s`, process %ld\n", what, (long)getpid());
  if (ftruncate(fd, 0) || pwrite(fd, holder, (size_t)n, 0) < 0) { /* a full disk: held, but nobody can read by whom */
  }
  out->fd = fd;
  return OK;
}

void data_lock_release(struct data_lock *lock) {
  if (lock->fd < 0) return;
  close(lock->fd);
  lock->fd = -1;
}

bool data_lock_is_held(const char *data_dir) {
  int fd = open_file(data_dir, O_RDWR);
  if (fd < 0) return false;
  bool is_held = flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK;
  close(fd);
  return is_held;
}
