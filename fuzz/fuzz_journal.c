/* links: state */
/* Recovery of a hostile journal. The input is a file of a small shape: as it is, or behind a good header, with the
 * checksums of some slots and rows made good, so that what lies behind them is reached, too. Whatever it says, opening
 * ends, no row is told twice, and a second start finds the same rows and no slot. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "state/journal.h"

enum { SLOTS = 3, ROWS = 6, HEADER = 4096, SLOT_BYTES = 176, ROW_BYTES = 208 };
enum { FILE_BYTES = HEADER + SLOTS * SLOT_BYTES + ROWS * ROW_BYTES };

static const struct journal_shape shape = {SLOTS, ROWS};

struct told {
  uint64_t seqs[ROWS + 1];
  size_t n;
};

static void check(bool ok) {
  if (!ok) abort();
}

static void on_row(void *arg, const struct journal_row *row) {
  struct told *t = arg;
  check(t->n < ROWS);
  check(t->n == 0 || row->seq > t->seqs[t->n - 1]);
  t->seqs[t->n++] = row->seq;
}

static void put_u32(unsigned char *p, uint32_t v) { memcpy(p, &v, sizeof v); }

static void mend(unsigned char *file, unsigned char which) {
  for (unsigned i = 0; i < SLOTS; i++) {
    unsigned char *slot = file + HEADER + i * SLOT_BYTES;
    if (which >> i & 1) put_u32(slot, 0x4b415431);
    if (which >> i & 1) put_u32(slot + 4, crc32c(0, slot + 32, 144));
  }
  for (unsigned i = 0; i < ROWS; i++) {
    unsigned char *row = file + HEADER + SLOTS * SLOT_BYTES + i * ROW_BYTES;
    if (which >> (i % 8) & 1) put_u32(row + 8, crc32c(crc32c(0, row, 8), row + 12, ROW_BYTES - 12));
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static unsigned char file[FILE_BYTES], good[HEADER];
  static char path[64];
  struct journal *j;
  struct journal_found found;
  struct told first = {0}, second = {0};
  if (!path[0]) {
    snprintf(path, sizeof path, "/tmp/maestro-fuzz-journal-%d", (int)getpid());
    unlink(path);
    check(journal_open(&j, path, 0, &shape, 0, on_row, &first, &found, NULL) == OK);
    journal_close(j);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    check(read(fd, good, HEADER) == HEADER);
    close(fd);
  }
  if (size < 3) return 0;
  uint64_t next_seq = data[1];
  size_t n = size - 3;
  memset(file, 0, sizeof file);
  bool is_raw = data[0] & 1;
  if (!is_raw) memcpy(file, good, HEADER);
  size_t at = is_raw ? 0 : HEADER;
  if (n > FILE_BYTES - at) n = FILE_BYTES - at;
  memcpy(file + at, data + 3, n);
  if (!is_raw) mend(file, data[2]);
  int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600); /* O_TRUNC makes some file systems wait at close */
  size_t length = is_raw ? at + n : FILE_BYTES;
  check(pwrite(fd, file, length, 0) == (ssize_t)length && ftruncate(fd, (off_t)length) == 0);
  close(fd);
  enum err e = journal_open(&j, path, 0, &shape, next_seq, on_row, &first, &found, NULL);
  if (e) {
    check(e == ERR_BAD_VALUE);
    return 0;
  }
  if (found.was_damaged) unlink(found.aside);
  check(found.rows == first.n);
  uint64_t end = journal_next_seq(j);
  journal_close(j);
  check(journal_open(&j, path, 0, &shape, next_seq, on_row, &second, &found, NULL) == OK);
  check(second.n == first.n && found.slots == 0 && journal_next_seq(j) == end);
  journal_forget(j);
  int slot;
  struct journal_entry entry = {.attempt = 1};
  if (journal_reserve(j, &entry, &slot) == OK) journal_settle(j, slot, &(struct journal_result){0});
  journal_close(j);
  return 0;
}
