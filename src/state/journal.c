/* The journal's file: see journal.h. Layout: a page of header, the slots, the ring of rows. The order of stores is what
 * recovery relies on: a slot's state is its last word at reserving; at settling the number of the row-to-be is written
 * into the slot first, then the row with its checksum, then the slot is freed. */
#include "state/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crc32c.h"

#define MAGIC "MAESJRNL"

enum { HEADER_BYTES = 4096, BYTE_ORDER_MARK = 0x01020304, STATE_FREE = 0, STATE_TAKEN = 0x4b415431, MTOK = 1000000 };

struct header {
  char magic[8];
  uint32_t version, byte_order, worker, slots, rows, slot_bytes, row_bytes;
  uint32_t checksum; /* of all before */
};

struct slot {
  uint32_t state;
  uint32_t checksum;   /* of entry */
  uint64_t settle_seq; /* the row it is settled by; 0: not yet */
  int64_t input_tokens, output_tokens;
  struct journal_entry entry;
};

_Static_assert(sizeof(struct journal_entry) == 144 && sizeof(struct slot) == 176, "the layout of version 1");
_Static_assert(sizeof(struct journal_row) == 208, "the layout of version 1");

struct journal {
  struct journal_shape shape;
  unsigned char *map;
  size_t map_bytes;
  bool is_new; /* made by this open: there is nothing to recover, and no page of it need be touched */
  struct slot *slots;
  struct journal_row *rows;
  uint32_t *free_slots; /* a stack: the last one freed is the warmest */
  uint32_t free_count;
  _Atomic uint64_t next_seq, trimmed; /* rows of [trimmed, next_seq) are in the ring */
  _Atomic uint32_t taken;
};

const struct journal_shape journal_shape = {JOURNAL_SLOTS, JOURNAL_ROWS};

static size_t bytes_of(const struct journal_shape *s) {
  return HEADER_BYTES + s->slots * sizeof(struct slot) + s->rows * sizeof(struct journal_row);
}

static struct journal_row *place(const struct journal *j, uint64_t seq) { return &j->rows[seq % j->shape.rows]; }

static uint32_t row_checksum(const struct journal_row *r) {
  uint32_t crc = crc32c(0, &r->seq, sizeof r->seq);
  return crc32c(crc, &r->flags, sizeof *r - offsetof(struct journal_row, flags));
}

/* ---- the worker ---- */

static bool has_room(const struct journal *j) {
  uint64_t used = atomic_load_explicit(&j->next_seq, memory_order_relaxed) -
                  atomic_load_explicit(&j->trimmed, memory_order_acquire);
  return used + atomic_load_explicit(&j->taken, memory_order_relaxed) < j->shape.rows;
}

static void add_taken(struct journal *j, int n) {
  uint32_t now = atomic_load_explicit(&j->taken, memory_order_relaxed);
  atomic_store_explicit(&j->taken, n > 0 ? now + 1 : now - 1, memory_order_relaxed);
}

enum err journal_reserve(struct journal *j, const struct journal_entry *entry, int *slot) {
  if (j->free_count == 0 || !has_room(j)) return ERR_BUSY;
  uint32_t i = j->free_slots[--j->free_count];
  struct slot *s = &j->slots[i];
  s->settle_seq = 0;
  s->input_tokens = s->output_tokens = 0;
  s->entry = *entry;
  s->checksum = crc32c(0, &s->entry, sizeof s->entry);
  __atomic_store_n(&s->state, STATE_TAKEN, __ATOMIC_RELEASE);
  add_taken(j, 1);
  *slot = (int)i;
  return OK;
}

void journal_note(struct journal *j, int slot, int64_t input_tokens, int64_t output_tokens) {
  struct slot *s = &j->slots[slot];
  __atomic_store_n(&s->input_tokens, input_tokens, __ATOMIC_RELAXED);
  __atomic_store_n(&s->output_tokens, output_tokens, __ATOMIC_RELAXED);
}

/* The row of s, at the number that s names. */
static void append(struct journal *j, struct slot *s, const struct journal_result *result) {
  struct journal_row *to = place(j, s->settle_seq);
  struct journal_row row = {
      .seq = s->settle_seq, .flags = result->flags, .entry = s->entry, .amount_nano_usd = result->amount_nano_usd};
  memcpy(row.tokens, result->tokens, sizeof row.tokens);
  row.checksum = row_checksum(&row);
  *to = row;
  atomic_store_explicit(&j->next_seq, row.seq + 1, memory_order_release);
}

static void set_settle_seq(const struct journal *j, struct slot *s) {
  uint64_t seq = atomic_load_explicit(&j->next_seq, memory_order_relaxed);
  __atomic_store_n(&s->settle_seq, seq, __ATOMIC_RELEASE);
}

static void free_slot(struct journal *j, uint32_t i) {
  __atomic_store_n(&j->slots[i].state, STATE_FREE, __ATOMIC_RELEASE);
  j->free_slots[j->free_count++] = i;
}

void journal_settle(struct journal *j, int slot, const struct journal_result *result) {
  struct slot *s = &j->slots[slot];
  set_settle_seq(j, s);
  atomic_signal_fence(memory_order_seq_cst);
  append(j, s, result);
  free_slot(j, (uint32_t)slot);
  add_taken(j, -1);
}

void journal_release(struct journal *j, int slot) {
  free_slot(j, (uint32_t)slot);
  add_taken(j, -1);
}

/* ---- others ---- */

uint64_t journal_next_seq(const struct journal *j) { return atomic_load_explicit(&j->next_seq, memory_order_acquire); }
uint32_t journal_taken(const struct journal *j) { return atomic_load_explicit(&j->taken, memory_order_relaxed); }

struct journal_row journal_read(const struct journal *j, uint64_t seq) {
  return *place(j, seq);
}

/* Whole pages of the rows from one place up to another leave the mapping; the file keeps them. So what is resident is
 * the rows that the writer is behind, not the ring. */
static void let_go(const struct journal *j, uint64_t from, uint64_t to) {
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  uintptr_t first = ((uintptr_t)&j->rows[from] + page - 1) & ~(page - 1), end = (uintptr_t)&j->rows[to] & ~(page - 1);
  if (end > first) (void)madvise((void *)first, end - first, MADV_DONTNEED);
}

void journal_trim(struct journal *j, uint64_t seq) {
  uint64_t from = atomic_load_explicit(&j->trimmed, memory_order_relaxed);
  uint64_t first = from % j->shape.rows, end = seq % j->shape.rows;
  if (seq <= from) return;
  if (seq - from >= j->shape.rows || end < first) {
    let_go(j, first, j->shape.rows);
    first = 0;
  }
  let_go(j, first, end);
  atomic_store_explicit(&j->trimmed, seq, memory_order_release);
}

unsigned journal_fill(const struct journal *j) {
  uint64_t used = journal_next_seq(j) - atomic_load_explicit(&j->trimmed, memory_order_relaxed);
  return (unsigned)(used * 100 / j->shape.rows);
}

void journal_sync(struct journal *j) { (void)msync(j->map, j->map_bytes, MS_SYNC); }

/* ---- recovery ---- */

static bool is_row(const struct journal *j, uint64_t seq) {
  const struct journal_row *r = place(j, seq);
  return r->seq == seq && r->checksum == row_checksum(r);
}

/* One behind the highest number of a whole row, or next_seq: after a power cut there may be gaps below. */
static uint64_t find_end(const struct journal *j, uint64_t next_seq) {
  uint64_t end = next_seq;
  for (uint32_t i = 0; i < j->shape.rows; i++) {
    uint64_t seq = j->rows[i].seq;
    bool is_due = seq >= end && seq - next_seq < j->shape.rows && seq % j->shape.rows == i;
    if (is_due && is_row(j, seq)) end = seq + 1;
  }
  return end;
}

/* tokens x price / 10^6, half up; unknown prices and sums that do not fit are false. */
static bool bill(int64_t tokens, int64_t nano_usd_per_mtok, int64_t *sum) {
  __extension__ typedef unsigned __int128 u128;
  if (tokens < 0 || nano_usd_per_mtok < 0) return false;
  u128 amount = ((u128)tokens * (u128)nano_usd_per_mtok + MTOK / 2) / MTOK;
  return amount <= INT64_MAX && !__builtin_add_overflow(*sum, (int64_t)amount, sum);
}

/* What a slot saw, never more than was reserved for it: the counts are under no checksum, and an estimate may not bill
 * beyond the bound. */
static struct journal_result result_of(const struct slot *s) {
  struct journal_result r = {.flags = JOURNAL_ESTIMATED | JOURNAL_RECOVERED | JOURNAL_FAILED,
                             .tokens = {s->input_tokens, s->output_tokens}};
  int64_t sum = 0;
  if (bill(s->input_tokens, s->entry.input_nano_usd_per_mtok, &sum) &&
      bill(s->output_tokens, s->entry.output_nano_usd_per_mtok, &sum))
    r.amount_nano_usd = sum < s->entry.reserved_nano_usd ? sum : s->entry.reserved_nano_usd;
  else
    r.flags |= JOURNAL_UNPRICED;
  return r;
}

static bool is_settled(const struct journal *j, const struct slot *s, uint64_t next_seq) {
  if (s->settle_seq == 0) return false;
  return s->settle_seq < next_seq || is_row(j, s->settle_seq);
}

static void recover(struct journal *j, uint64_t next_seq, void (*on_row)(void *, const struct journal_row *), void *arg,
                    struct journal_found *found) {
  uint64_t end = j->is_new ? next_seq : find_end(j, next_seq);
  for (uint64_t seq = next_seq; seq < end; seq++) {
    if (!is_row(j, seq)) {
      found->torn_rows++;
      continue;
    }
    found->rows++;
    on_row(arg, place(j, seq));
  }
  atomic_store(&j->next_seq, end);
  atomic_store(&j->trimmed, next_seq);
  for (uint32_t i = 0; i < j->shape.slots && !j->is_new; i++) {
    struct slot *s = &j->slots[i];
    if (s->state == STATE_FREE) continue;
    bool is_whole = s->state == STATE_TAKEN && s->checksum == crc32c(0, &s->entry, sizeof s->entry);
    if (is_whole && is_settled(j, s, next_seq)) continue;
    if (!is_whole || !has_room(j)) {
      found->torn_slots++;
      continue;
    }
    struct journal_result r = result_of(s);
    set_settle_seq(j, s);
    append(j, s, &r);
    found->slots++;
    found->rows++;
    on_row(arg, place(j, s->settle_seq));
  }
}

void journal_forget(struct journal *j) {
  j->free_count = 0;
  for (uint32_t i = j->shape.slots; i-- > 0;) {
    if (!j->is_new && j->slots[i].state != STATE_FREE)
      __atomic_store_n(&j->slots[i].state, STATE_FREE, __ATOMIC_RELEASE);
    j->free_slots[j->free_count++] = i;
  }
  atomic_store(&j->taken, 0);
  /* Every page has been looked at; what is not in use is the file's again, and comes back when it is needed. */
  (void)madvise(j->map, j->map_bytes, MADV_DONTNEED);
}

/* ---- the file ---- */

static void write_header(struct journal *j, unsigned worker) {
  struct header h = {.magic = MAGIC,
                     .version = JOURNAL_VERSION,
                     .byte_order = BYTE_ORDER_MARK,
                     .worker = worker,
                     .slots = j->shape.slots,
                     .rows = j->shape.rows,
                     .slot_bytes = sizeof(struct slot),
                     .row_bytes = sizeof(struct journal_row)};
  h.checksum = crc32c(0, &h, offsetof(struct header, checksum));
  memcpy(j->map, &h, sizeof h);
}

enum verdict { IS_GOOD, IS_DAMAGED, IS_FOREIGN };

static enum verdict judge(int fd, off_t size, const struct journal_shape *shape) {
  struct header h;
  if (size < (off_t)sizeof h || pread(fd, &h, sizeof h, 0) != (ssize_t)sizeof h) return IS_DAMAGED;
  if (memcmp(h.magic, MAGIC, sizeof h.magic) != 0) return IS_DAMAGED;
  if (h.byte_order == BYTE_ORDER_MARK && h.version > JOURNAL_VERSION) return IS_FOREIGN;
  if (h.checksum != crc32c(0, &h, offsetof(struct header, checksum))) return IS_DAMAGED;
  bool is_ours = h.byte_order == BYTE_ORDER_MARK && h.slots == shape->slots && h.rows == shape->rows &&
                 h.slot_bytes == sizeof(struct slot) && h.row_bytes == sizeof(struct journal_row);
  if (!is_ours) return IS_FOREIGN;
  return size == (off_t)bytes_of(shape) ? IS_GOOD : IS_DAMAGED;
}

static enum err fail(struct err_info *info, const char *path) {
  return err_set(info, ERR_IO, "%s: %s", path, strerror(errno));
}

static enum err map_file(struct journal *j, int fd, const char *path, struct err_info *info) {
  j->map = mmap(NULL, j->map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (j->map == MAP_FAILED) {
    j->map = NULL;
    return fail(info, path);
  }
  j->slots = (struct slot *)(void *)(j->map + HEADER_BYTES);
  j->rows = (struct journal_row *)(void *)(j->slots + j->shape.slots);
  return OK;
}

/* A new file has all its blocks from the start, so that no store into it can fail later. */
static enum err make_file(struct journal *j, const char *path, unsigned worker, struct err_info *info) {
  int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return fail(info, path);
  enum err e = OK;
  if ((errno = posix_fallocate(fd, 0, (off_t)j->map_bytes)) != 0) e = fail(info, path);
  if (!e) e = map_file(j, fd, path, info);
  if (!e)
    write_header(j, worker);
  else
    unlink(path);
  j->is_new = !e;
  close(fd);
  return e;
}

static enum err open_file(struct journal *j, const char *path, unsigned worker, struct journal_found *found,
                          struct err_info *info) {
  struct stat st;
  int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) return errno == ENOENT ? make_file(j, path, worker, info) : fail(info, path);
  enum err e = fstat(fd, &st) ? fail(info, path) : OK;
  if (!e && !S_ISREG(st.st_mode)) e = err_set(info, ERR_BAD_VALUE, "%s: not a regular file", path);
  enum verdict verdict = e ? IS_FOREIGN : judge(fd, st.st_size, &j->shape);
  if (!e && verdict == IS_FOREIGN)
    e = err_set(info, ERR_BAD_VALUE, "%s: written by another version of this program; it is left as it is", path);
  if (!e && verdict == IS_GOOD) e = map_file(j, fd, path, info);
  close(fd);
  if (e || verdict == IS_GOOD) return e;
  snprintf(found->aside, sizeof found->aside, "%s.damaged-%lld", path, (long long)clock_wall_us());
  if (rename(path, found->aside)) return fail(info, path);
  found->was_damaged = true;
  return make_file(j, path, worker, info);
}

enum err journal_open(struct journal **out, const char *path, unsigned worker, const struct journal_shape *shape,
                      uint64_t next_seq, void (*on_row)(void *arg, const struct journal_row *row), void *arg,
                      struct journal_found *found, struct err_info *info) {
  struct journal *j = calloc(1, sizeof *j);
  *found = (struct journal_found){0};
  if (!j) return ERR_NO_MEMORY;
  j->shape = *shape;
  j->map_bytes = bytes_of(shape);
  j->free_slots = calloc(shape->slots, sizeof *j->free_slots);
  enum err e = j->free_slots ? open_file(j, path, worker, found, info) : ERR_NO_MEMORY;
  if (e) {
    journal_close(j);
    return e;
  }
  recover(j, next_seq ? next_seq : 1, on_row, arg, found);
  *out = j;
  return OK;
}

void journal_close(struct journal *j) {
  if (!j) return;
  if (j->map) munmap(j->map, j->map_bytes);
  free(j->free_slots);
  free(j);
}
