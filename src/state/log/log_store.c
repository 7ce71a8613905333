/* The request log on disk: see log_store.h. One day's file is open at a time; rows of another day (around midnight, or
 * after the clock was set) close it. */
#include "state/log/log_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "state/disk.h"
#include "state/log/log_file.h"
#include "state/log/log_stats.h"

enum { SETTLE_US = 10 * 1000000 /* after midnight, until a day's last rows are there */ };

struct log_store {
  char folder[LOG_FOLDER_MAX + 1];
  struct log_store_options options;
  struct log_file *file; /* NULL: none is open */
  bool has_folder;
  int64_t looked_day; /* the last day on which all older files were looked at */
  int64_t late_day;   /* an earlier day got rows since; INT64_MAX: none */
};

enum err log_store_new(struct log_store **out, const char *folder, const struct log_store_options *options,
                       struct err_info *info) {
  if (strlen(folder) > LOG_FOLDER_MAX)
    return err_set(info, ERR_BAD_VALUE, "the path of the data directory is too long");
  struct log_store *s = calloc(1, sizeof *s);
  if (!s) return ERR_NO_MEMORY;
  snprintf(s->folder, sizeof s->folder, "%s", folder);
  s->options = *options;
  s->late_day = INT64_MAX;
  *out = s;
  return OK;
}

void log_store_free(struct log_store *s) {
  if (!s) return;
  log_file_close(s->file);
  free(s);
}

void log_store_set_options(struct log_store *s, const struct log_store_options *options) { s->options = *options; }

/* ---- writing ---- */

static enum err make_folder(struct log_store *s, struct err_info *info) {
  char inside[LOG_PATH_BYTES];
  if (s->has_folder && disk_exists(s->folder)) return OK;
  snprintf(inside, sizeof inside, "%s/stats.db", s->folder);
  enum err e = disk_make_folders(inside, info);
  s->has_folder = !e;
  return e;
}

/* A file that is no database any more keeps its bytes under another name, and the day begins anew. */
static void put_aside(struct log_store *s, int64_t day) {
  static const char *const tails[] = {"", "-wal", "-shm"};
  char path[LOG_PATH_BYTES], from[LOG_PATH_BYTES + 8], to[LOG_PATH_BYTES + 32];
  log_file_path(s->folder, day, path);
  for (int i = 0; i < 3; i++) {
    snprintf(from, sizeof from, "%s%s", path, tails[i]);
    snprintf(to, sizeof to, "%s.damaged%s", path, tails[i]);
    (void)rename(from, to);
  }
  log_line(LOG_LEVEL_ERROR, "a file of the request log is damaged and was put aside", log_c(LOG_FILE, path));
}

static enum err open_day(struct log_store *s, int64_t day, struct err_info *info) {
  if (s->file && log_file_day(s->file) == day) return OK;
  int64_t before = s->file ? log_file_day(s->file) : day;
  log_file_close(s->file);
  s->file = NULL;
  if (before < s->late_day && before < day) s->late_day = before;
  enum err e = make_folder(s, info);
  if (!e) e = log_file_open(&s->file, s->folder, day, s->options.keep_bytes, info);
  if (e == ERR_STORE_CORRUPT) {
    put_aside(s, day);
    e = log_file_open(&s->file, s->folder, day, s->options.keep_bytes, info);
  }
  if (!e && day < s->looked_day && day < s->late_day) s->late_day = day;
  return e;
}

static enum err write_day(struct log_store *s, const struct log_row *rows, size_t n, struct err_info *info) {
  enum err e = open_day(s, log_day(rows[0].at_us), info);
  for (size_t i = 0; !e && i < n; i++) e = log_file_add(s->file, &rows[i], info);
  if (!e) e = log_file_commit(s->file, info);
  if (!e) return OK;
  int64_t day = log_day(rows[0].at_us);
  log_file_close(s->file); /* what it has in memory is ahead of the disk */
  s->file = NULL;
  if (e == ERR_STORE_CORRUPT) put_aside(s, day);
  return e;
}

enum err log_store_write(struct log_store *s, const struct log_row *rows, size_t n, size_t *written,
                         struct err_info *info) {
  *written = 0;
  while (*written < n) {
    size_t end = *written + 1;
    while (end < n && log_day(rows[end].at_us) == log_day(rows[*written].at_us)) end++;
    enum err e = write_day(s, rows + *written, end - *written, info);
    if (e) return e;
    *written = end;
  }
  return OK;
}

/* ---- now and then ---- */

static int compare_days(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return x < y ? -1 : x > y;
}

uint64_t log_store_bytes(const char *folder) {
  DIR *d = opendir(folder);
  uint64_t sum = 0;
  if (!d) return 0;
  for (struct dirent *f; (f = readdir(d));) {
    struct stat st;
    if (!fstatat(dirfd(d), f->d_name, &st, AT_SYMLINK_NOFOLLOW) && S_ISREG(st.st_mode)) sum += (uint64_t)st.st_size;
  }
  closedir(d);
  return sum;
}

static void unlink_day(struct log_store *s, int64_t day) {
  static const char *const tails[] = {"", "-wal", "-shm"};
  char path[LOG_PATH_BYTES], name[LOG_PATH_BYTES + 8];
  log_file_path(s->folder, day, path);
  for (int i = 0; i < 3; i++) {
    snprintf(name, sizeof name, "%s%s", path, tails[i]);
    unlink(name);
  }
  log_line(LOG_LEVEL_INFO, "a day of the request log was deleted", log_c(LOG_FILE, path));
}

/* Days ascend; today's and the open one stay. */
static void expire(struct log_store *s, const int64_t *days, size_t n, int64_t today) {
  uint64_t bytes = log_store_bytes(s->folder);
  for (size_t i = 0; i < n; i++) {
    bool is_kept = days[i] >= today || (s->file && log_file_day(s->file) == days[i]);
    bool is_old = days[i] < today - (int64_t)s->options.keep_days;
    if (is_kept || (!is_old && bytes <= s->options.keep_bytes)) continue;
    unlink_day(s, days[i]);
    bytes = log_store_bytes(s->folder);
  }
}

static enum err seal_all(struct log_store *s, const int64_t *days, size_t n, int64_t from, int64_t today,
                         struct err_info *info) {
  struct db *stats = NULL;
  enum err e = log_stats_open(&stats, s->folder, false, info);
  if (e == ERR_STORE_CORRUPT) {
    char path[LOG_PATH_BYTES], aside[LOG_PATH_BYTES + 16];
    snprintf(path, sizeof path, "%s/stats.db", s->folder);
    snprintf(aside, sizeof aside, "%s.damaged", path);
    (void)rename(path, aside);
    e = log_stats_open(&stats, s->folder, false, info);
  }
  for (size_t i = 0; !e && i < n; i++)
    if (days[i] < today && days[i] >= from) e = log_stats_seal(stats, s->folder, days[i], info);
  if (!e) e = log_stats_expire(stats, today - (int64_t)s->options.keep_stats, info);
  db_close(stats);
  return e;
}

enum err log_store_maintain(struct log_store *s, int64_t now_us, struct err_info *info) {
  int64_t today = log_day(now_us), *days;
  struct arena a;
  size_t n;
  bool is_new_day = today != s->looked_day && now_us - log_day_begins_us(today) > SETTLE_US;
  bool is_first = s->looked_day == 0;
  if (s->file && log_file_day(s->file) < today && is_new_day) { /* nobody may call for days */
    log_file_close(s->file);
    s->file = NULL;
  }
  arena_init(&a, 0);
  enum err e = log_file_days(&a, s->folder, &days, &n);
  if (n) qsort(days, n, sizeof *days, compare_days);
  if (!e && n && (is_first || is_new_day || s->late_day < today)) {
    e = seal_all(s, days, n,
                 is_first                      ? INT64_MIN
                 : s->late_day < s->looked_day ? s->late_day
                                               : s->looked_day,
                 today, info);
    if (!e) {
      s->late_day = INT64_MAX;
      s->looked_day = today;
    }
  }
  if (!e && n) expire(s, days, n, today);
  arena_clear(&a);
  return e;
}
