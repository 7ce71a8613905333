/* What makes the ledger survive: the balances' file, recovery at start, and the writer thread; see ledger.h. Files of
 * the folder: `lock`; `balances` and `balances.previous`; `worker-<n>.journal`. Rows are given back only as far as the
 * *previous* balances go, so that these and the journals can replace a damaged `balances`. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crc32c.h"
#include "base/log.h"
#include "state/disk.h"
#include "state/ledger_internal.h"

enum {
  PATH_BYTES = 1536,
  FILE_BYTES_MAX = 256 << 20,
  TICK_MS = 100,    /* how often the writer looks */
  WRITE_TICKS = 10, /* how often it writes at most, unless a ring fills up */
  FILL_MAX = 50
};

/* The one ledger's files. Under `lock` but for what is set before the threads start. */
static struct {
  pthread_mutex_t lock;
  pthread_cond_t wake;
  pthread_t writer;
  bool is_open, is_ending;
  int lock_fd;
  char folder[PATH_BYTES];
  struct journal *journals[LEDGER_WORKERS_MAX];
  uint64_t folded[LEDGER_WORKERS_MAX];   /* next row to fold */
  uint64_t written[LEDGER_WORKERS_MAX];  /* of `balances` */
  uint64_t previous[LEDGER_WORKERS_MAX]; /* of `balances.previous` */
  uint64_t recovered, torn;
  uint64_t start_rows; /* numbers of the first rows of this process, summed */
  _Atomic bool is_durable, is_writing_bad;
} files = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER, .lock_fd = -1};

/* ---- the text ---- */

static void put_account(void *arg, struct ledger_account *a) {
  const struct ledger_booked *b = &a->booked;
  if (b->total == 0 && b->day_calls == 0) return;
  buf_printf(arg, "account %016llx total %lld month %u %lld day %u %lld %llu %llu %s\n", (unsigned long long)a->id,
             (long long)b->total, b->month_number, (long long)b->month, b->day_number, (long long)b->day,
             (unsigned long long)b->day_calls, (unsigned long long)b->day_tokens,
             atomic_load(&a->has_name) ? a->name : "");
}

void ledger_file_write(struct buf *out, const uint64_t next_seq[LEDGER_WORKERS_MAX]) {
  size_t from = out->n;
  buf_put(out, STR("maestro-ledger 1\n"));
  for (unsigned i = 0; i < LEDGER_WORKERS_MAX; i++)
    if (next_seq[i] > 1) buf_printf(out, "worker %u next %llu\n", i, (unsigned long long)next_seq[i]);
  ledger_each_account(put_account, out);
  if (out->failed) return;
  buf_printf(out, "checksum %08x\n", crc32c(0, out->p + from, out->n - from));
}

static bool take_word(struct str *line, const char *word) {
  struct str w;
  str_cut(*line, ' ', &w, line);
  return str_eq(w, str_from_c(word));
}

static bool take_number(struct str *line, uint64_t max, uint64_t *out) {
  struct str w;
  str_cut(*line, ' ', &w, line);
  return str_to_u64(w, out) && *out <= max;
}

static bool take_hex(struct str *line, uint64_t *out) {
  struct str w;
  uint64_t v = 0;
  str_cut(*line, ' ', &w, line);
  for (size_t i = 0; i < w.n; i++) {
    char c = w.p[i];
    bool is_digit = c >= '0' && c <= '9';
    if (!is_digit && (c < 'a' || c > 'f')) return false;
    v = v << 4 | (uint64_t)(is_digit ? c - '0' : c - 'a' + 10);
  }
  *out = v;
  return w.n == 16;
}

static bool read_account(struct str line) {
  uint64_t id, total, month, month_amount, day, day_amount, calls, tokens;
  bool ok = take_word(&line, "account") && take_hex(&line, &id) && id && take_word(&line, "total") &&
            take_number(&line, INT64_MAX, &total) && take_word(&line, "month") &&
            take_number(&line, UINT32_MAX - 1, &month) && take_number(&line, INT64_MAX, &month_amount) &&
            take_word(&line, "day") && take_number(&line, UINT32_MAX - 1, &day) &&
            take_number(&line, INT64_MAX, &day_amount) && take_number(&line, INT64_MAX, &calls) &&
            take_number(&line, INT64_MAX, &tokens) && line.n <= LEDGER_NAME_MAX;
  struct ledger_account *a = ok ? ledger_account_by_id(id) : NULL;
  if (!a) return false;
  a->booked = (struct ledger_booked){
      (int64_t)total, (int64_t)month_amount, (int64_t)day_amount, (uint32_t)month, (uint32_t)day, calls, tokens};
  if (line.n) memcpy(a->name, line.p, line.n);
  atomic_store(&a->has_name, line.n > 0);
  return true;
}

static bool read_worker(struct str line, uint64_t next_seq[LEDGER_WORKERS_MAX]) {
  uint64_t worker, next;
  bool ok = take_word(&line, "worker") && take_number(&line, LEDGER_WORKERS_MAX - 1, &worker) &&
            take_word(&line, "next") && take_number(&line, INT64_MAX, &next) && line.n == 0;
  if (ok) next_seq[worker] = next;
  return ok;
}

enum err ledger_file_parse(struct str text, uint64_t next_seq[LEDGER_WORKERS_MAX], struct err_info *info) {
  static const char *const damaged = "the balances are damaged";
  struct str rest = text, line;
  char checksum[32];
  size_t end = text.n > 18 ? text.n - 18 : 0; /* "checksum 01234567\n" */
  int n = snprintf(checksum, sizeof checksum, "checksum %08x\n", crc32c(0, text.p, end));
  if (end == 0 || !str_eq(str_sub(text, end, text.n), str_from(checksum, (size_t)n)))
    return err_set(info, ERR_BAD_VALUE, "%s", damaged);
  rest.n = end;
  str_cut(rest, '\n', &line, &rest);
  if (!str_eq(line, STR("maestro-ledger 1")))
    return err_set(info, ERR_BAD_VALUE, "the balances are of another version of this program");
  while (rest.n) {
    str_cut(rest, '\n', &line, &rest);
    bool ok = str_has_prefix(line, STR("worker ")) ? read_worker(line, next_seq) : read_account(line);
    if (!ok) return err_set(info, ERR_BAD_VALUE, "%s", damaged);
  }
  return OK;
}

/* ---- the writer ---- */

static void book_row(void *unused, const struct journal_row *row) {
  (void)unused;
  for (unsigned i = 0; i < JOURNAL_ACCOUNTS_MAX; i++) {
    struct ledger_account *a = row->entry.accounts[i] ? ledger_account_by_id(row->entry.accounts[i]) : NULL;
    if (a) ledger_book(a, row);
  }
}

static void fold(unsigned worker) {
  struct journal *j = files.journals[worker];
  for (uint64_t end = journal_next_seq(j); files.folded[worker] < end; files.folded[worker]++) {
    struct journal_row row = journal_read(j, files.folded[worker]);
    book_row(NULL, &row);
  }
}

static void path_of(const char *name, char out[PATH_BYTES]) {
  snprintf(out, PATH_BYTES, "%.*s/%s", PATH_BYTES - 64, files.folder, name);
}

/* `balances` becomes the previous one, then the new one takes its place. Between the two renames there is only the
 * previous, from which the journals lead on. */
static enum err write_balances(struct err_info *info) {
  char path[PATH_BYTES], previous[PATH_BYTES];
  struct buf text;
  path_of("balances", path);
  path_of("balances.previous", previous);
  for (unsigned i = 0; i < LEDGER_WORKERS_MAX; i++)
    if (files.journals[i]) journal_sync(files.journals[i]);
  buf_init(&text, 0);
  ledger_file_write(&text, files.folded);
  enum err e = text.failed ? ERR_NO_MEMORY : OK;
  if (!e && rename(path, previous) == 0) memcpy(files.previous, files.written, sizeof files.previous);
  if (!e) e = disk_replace(path, buf_str(&text), 0600, info);
  buf_clear(&text);
  if (e) return e;
  memcpy(files.written, files.folded, sizeof files.written);
  for (unsigned i = 0; i < LEDGER_WORKERS_MAX; i++)
    if (files.journals[i]) journal_trim(files.journals[i], files.previous[i]);
  return OK;
}

/* Under the lock. The second time brings the trim up to what the first has written. */
static enum err flush(struct err_info *info) {
  for (unsigned i = 0; i < LEDGER_WORKERS_MAX; i++)
    if (files.journals[i]) fold(i);
  bool is_new = memcmp(files.folded, files.written, sizeof files.folded) != 0;
  bool is_held = memcmp(files.previous, files.written, sizeof files.previous) != 0;
  enum err e = is_new || is_held ? write_balances(info) : OK;
  bool was_bad = atomic_exchange(&files.is_writing_bad, e != OK);
  if (e && !was_bad)
    log_line(LOG_LEVEL_ERROR, "balances not written; the journal holds what was spent until it is full",
             log_c(LOG_ERROR, err_info_text(e, info)));
  return e;
}

enum err ledger_flush(struct err_info *info) {
  pthread_mutex_lock(&files.lock);
  enum err e = files.is_open ? flush(info) : OK;
  pthread_mutex_unlock(&files.lock);
  return e;
}

static bool is_filling(void) {
  for (unsigned i = 0; i < LEDGER_WORKERS_MAX; i++)
    if (files.journals[i] && journal_fill(files.journals[i]) > FILL_MAX) return true;
  return false;
}

static void *write_on(void *unused) {
  unsigned ticks = 0;
  (void)unused;
  pthread_mutex_lock(&files.lock);
  while (!files.is_ending) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += TICK_MS * 1000000L;
    if (until.tv_nsec >= 1000000000L) until.tv_sec++, until.tv_nsec -= 1000000000L;
    pthread_cond_timedwait(&files.wake, &files.lock, &until);
    if (++ticks < WRITE_TICKS && !is_filling()) continue;
    struct err_info info = {0};
    (void)!flush(&info);
    ticks = 0;
  }
  pthread_mutex_unlock(&files.lock);
  return NULL;
}

/* ---- recovery ---- */

static void note(struct buf *notes, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void note(struct buf *notes, const char *format, ...) {
  char text[PATH_BYTES + 256];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  if (notes) buf_printf(notes, "%s\n", text);
}

static enum err read_balances(const char *name, uint64_t next_seq[LEDGER_WORKERS_MAX], struct err_info *info) {
  char path[PATH_BYTES];
  struct buf text;
  path_of(name, path);
  buf_init(&text, 0);
  memset(next_seq, 0, LEDGER_WORKERS_MAX * sizeof *next_seq);
  enum err e = disk_read(path, FILE_BYTES_MAX, &text, NULL, info);
  if (!e) e = ledger_file_parse(buf_str(&text), next_seq, info);
  buf_clear(&text);
  return e;
}

/* The newest balances that can be read. With none at all the ledger begins at zero; with a damaged one and no other to
 * replace it, it does not begin: what was spent must not be forgotten without somebody's doing. */
static enum err load(struct buf *notes, struct err_info *info) {
  char path[PATH_BYTES], aside[PATH_BYTES + 64];
  enum err first = read_balances("balances", files.written, info);
  if (!first) return OK;
  if (first != ERR_NOT_FOUND && first != ERR_BAD_VALUE) return first;
  struct err_info ignored = {0};
  enum err second = read_balances("balances.previous", files.written, &ignored);
  if (second == ERR_NOT_FOUND && first == ERR_NOT_FOUND) return OK;
  path_of("balances", path);
  if (second)
    return err_set(
        info, ERR_BAD_VALUE,
        "%s: cannot be read, and neither can balances.previous; nothing was changed. Put a copy back, or move "
        "both away to begin at zero",
        path);
  if (first == ERR_NOT_FOUND) return OK;
  snprintf(aside, sizeof aside, "%s.damaged-%lld", path, (long long)clock_wall_us());
  if (rename(path, aside)) return err_set(info, ERR_IO, "%s: %s", path, strerror(errno));
  note(notes, "%s was damaged and is kept as %s; the balances before it and the journals stand in for it", path, aside);
  return OK;
}

static enum err open_journal(unsigned worker, struct buf *notes, struct err_info *info) {
  char name[32], path[PATH_BYTES];
  struct journal_found found;
  snprintf(name, sizeof name, "worker-%u.journal", worker);
  path_of(name, path);
  enum err e = journal_open(&files.journals[worker], path, worker, &journal_shape, files.written[worker], book_row,
                            NULL, &found, info);
  if (e) return e;
  files.folded[worker] = journal_next_seq(files.journals[worker]);
  files.recovered += found.slots;
  files.torn += found.torn_rows + found.torn_slots;
  if (found.was_damaged)
    note(notes, "%s was damaged and is kept as %s; what it held behind the last balances is not counted", path,
         found.aside);
  if (found.slots)
    note(notes, "%s: %u calls were cut off; each is settled from the tokens it saw, as an estimate", path, found.slots);
  if (found.torn_rows + found.torn_slots)
    note(notes, "%s: %llu records are torn and not counted", path,
         (unsigned long long)(found.torn_rows + found.torn_slots));
  return OK;
}

static bool has_journal(unsigned worker) {
  char name[32], path[PATH_BYTES];
  snprintf(name, sizeof name, "worker-%u.journal", worker);
  path_of(name, path);
  return disk_exists(path);
}

static enum err take_lock(struct err_info *info) {
  char path[PATH_BYTES];
  path_of("lock", path);
  enum err e = disk_make_folders(path, info);
  if (e) return e;
  files.lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (files.lock_fd < 0) return err_set(info, ERR_IO, "%s: %s", path, strerror(errno));
  if (flock(files.lock_fd, LOCK_EX | LOCK_NB) == 0) return OK;
  return err_set(info, ERR_BUSY, "%s: another server of this data directory holds it", path);
}

static void close_files(void) {
  for (unsigned i = 0; i < LEDGER_WORKERS_MAX; i++) {
    journal_close(files.journals[i]);
    files.journals[i] = NULL;
    files.folded[i] = files.written[i] = files.previous[i] = 0;
  }
  if (files.lock_fd >= 0) close(files.lock_fd);
  files.lock_fd = -1;
  files.recovered = files.torn = files.start_rows = 0;
}

static void restore(void *arg, struct ledger_account *a) {
  (void)arg;
  ledger_account_restore(a);
}

/* Journals of more workers than there are now are read as well, and then lie idle. */
static enum err recover(unsigned workers, struct buf *notes, struct err_info *info) {
  enum err e = take_lock(info);
  if (!e) e = load(notes, info);
  for (unsigned i = 0; !e && i < LEDGER_WORKERS_MAX; i++)
    if (i < workers || has_journal(i)) e = open_journal(i, notes, info);
  /* On disk before the slots are forgotten, and the journals' rows trimmed no further than what is there. */
  if (!e && memcmp(files.folded, files.written, sizeof files.folded) != 0) e = write_balances(info);
  if (e) return e;
  ledger_each_account(restore, NULL);
  for (unsigned i = 0; i < LEDGER_WORKERS_MAX; i++) {
    if (files.journals[i]) journal_forget(files.journals[i]);
    files.start_rows += files.folded[i];
  }
  return OK;
}

enum err ledger_open(const char *folder, unsigned workers, struct buf *notes, struct err_info *info) {
  if (workers > LEDGER_WORKERS_MAX) workers = LEDGER_WORKERS_MAX;
  snprintf(files.folder, sizeof files.folder, "%s", folder);
  enum err e = recover(workers, notes, info);
  files.is_ending = false;
  if (!e && pthread_create(&files.writer, NULL, write_on, NULL) != 0)
    e = err_set(info, ERR_NO_MEMORY, "no thread for the ledger's writer");
  if (e) {
    close_files();
    return e;
  }
  files.is_open = true;
  atomic_store(&files.is_writing_bad, false);
  atomic_store(&files.is_durable, true);
  return OK;
}

void ledger_close(void) {
  if (files.is_open) {
    struct err_info info = {0};
    pthread_mutex_lock(&files.lock);
    files.is_ending = true;
    pthread_cond_signal(&files.wake);
    pthread_mutex_unlock(&files.lock);
    pthread_join(files.writer, NULL);
    (void)!ledger_flush(&info);
    files.is_open = false;
    atomic_store(&files.is_durable, false);
    close_files();
  }
  ledger_forget_accounts();
}

bool ledger_is_durable(void) { return atomic_load_explicit(&files.is_durable, memory_order_relaxed); }

void ledger_worker_attach(unsigned worker) {
  ledger_mine = files.is_open && worker < LEDGER_WORKERS_MAX ? files.journals[worker] : NULL;
}

void ledger_worker_detach(void) { ledger_mine = NULL; }

void ledger_stats(struct ledger_stats *out) {
  struct ledger_stats s = {.is_writing_bad = atomic_load(&files.is_writing_bad)};
  for (unsigned i = 0; files.is_open && i < LEDGER_WORKERS_MAX; i++) {
    if (!files.journals[i]) continue;
    s.rows += journal_next_seq(files.journals[i]);
    s.in_flight += journal_taken(files.journals[i]);
  }
  s.rows -= files.is_open ? files.start_rows : 0;
  s.recovered = files.recovered;
  s.torn = files.torn;
  *out = s;
}
