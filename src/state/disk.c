/* Whole small files. The error texts name the path: it is the operator's own, never a client's. */
#include "state/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/id.h"

enum { PATH_BYTES = 1536 }; /* on a stack; no configuration lives deeper */

enum err disk_read(const char *path, size_t limit_bytes, struct buf *out, unsigned *mode, struct err_info *info) {
  enum err e = OK;
  struct stat st;
  size_t start = out->n;
  /* Non-blocking, so that a pipe that nobody writes to cannot hang the start; regular files do not care. */
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) {
    bool missing = errno == ENOENT || errno == ENOTDIR;
    return err_set(info, missing ? ERR_NOT_FOUND : ERR_IO, "%s: %s", path, strerror(errno));
  }
  if (fstat(fd, &st) != 0) {
    e = err_set(info, ERR_IO, "%s: %s", path, strerror(errno));
    goto out;
  }
  if (!S_ISREG(st.st_mode)) {
    e = err_set(info, ERR_BAD_VALUE, "%s: not a regular file", path);
    goto out;
  }
  /* The whole size at once: growing would leave copies of keys behind. */
  if (st.st_size > 0 && (uint64_t)st.st_size <= limit_bytes) (void)buf_reserve(out, (size_t)st.st_size + 16384);
  for (;;) {
    if (!buf_reserve(out, 16384)) {
      e = err_set(info, ERR_NO_MEMORY, "%s: out of memory", path);
      goto out;
    }
    ssize_t got = read(fd, out->p + out->n, 16384);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      e = err_set(info, ERR_IO, "%s: %s", path, strerror(errno));
      goto out;
    }
    if (got == 0) break;
    out->n += (size_t)got;
    if (out->n - start > limit_bytes) {
      e = err_set(info, ERR_BAD_VALUE, "%s: larger than %zu bytes", path, limit_bytes);
      goto out;
    }
  }
  if (mode) *mode = st.st_mode;
out:
  if (e) out->n = start;
  close(fd);
  return e;
}

enum err disk_make_folders(const char *path, struct err_info *info) {
  char copy[PATH_BYTES];
  if (snprintf(copy, sizeof copy, "%s", path) >= (int)sizeof copy) return err_set(info, ERR_BAD_VALUE, "path too long");
  for (char *slash = copy; (slash = strchr(slash + 1, '/'));) {
    *slash = '\0';
    if (mkdir(copy, 0700) != 0 && errno != EEXIST) return err_set(info, ERR_IO, "%s: %s", copy, strerror(errno));
    *slash = '/';
  }
  return OK;
}

static enum err write_all(int fd, struct str bytes) {
  while (bytes.n) {
    ssize_t done = write(fd, bytes.p, bytes.n);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return ERR_IO;
    bytes = str_from(bytes.p + done, bytes.n - (size_t)done);
  }
  return OK;
}

/* A rename is durable only once its folder has been synced. */
static void sync_folder(const char *path) {
  char copy[PATH_BYTES];
  const char *slash = strrchr(path, '/');
  snprintf(copy, sizeof copy, "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
  int fd = open(copy, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  (void)fsync(fd); /* some file systems refuse; the content is safe, only its name may be older after a power cut */
  close(fd);
}

enum err disk_replace(const char *path, struct str bytes, unsigned mode, struct err_info *info) {
  char temporary[PATH_BYTES];
  enum err e = disk_make_folders(path, info);
  if (e) return e;
  if (snprintf(temporary, sizeof temporary, "%s.%016llx", path, (unsigned long long)id_random_u64()) >=
      (int)sizeof temporary)
    return err_set(info, ERR_BAD_VALUE, "path too long");
  /* 0600 from the start: the content may be a key. (mkostemp is unknown to the thread sanitizer, which then takes the
   * descriptor for the one that had its number before.) */
  int fd = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return err_set(info, ERR_IO, "%s: %s", temporary, strerror(errno));
  bool ok = write_all(fd, bytes) == OK && fchmod(fd, mode) == 0 && fsync(fd) == 0;
  int saved = errno;
  if (close(fd) != 0 && ok) {
    ok = false;
    saved = errno;
  }
  if (ok && rename(temporary, path) != 0) {
    ok = false;
    saved = errno;
  }
  if (!ok) {
    unlink(temporary);
    return err_set(info, ERR_IO, "%s: %s", path, strerror(saved));
  }
  sync_folder(path);
  return OK;
}

bool disk_exists(const char *path) { return access(path, F_OK) == 0; }
