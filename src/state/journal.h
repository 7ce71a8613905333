/* The journal of money: one preallocated file per worker, mapped shared. A call in flight holds a *slot*, updated in
 * place with the tokens that it has seen; what it cost in the end is a *row*, appended with a checksum before the slot
 * is free again. So a process that is killed leaves either the slot or the row, and the next start settles what it
 * finds in slots from the tokens they saw. Rows stand in a ring: the ledger's writer copies them away and gives their
 * places back (journal_trim). A slot is only handed out while a place for its row is free, so settling cannot fail.
 *
 * One thread (its worker) reserves, notes, settles and releases; one other (the writer) reads and trims. What the
 * kernel has of the mapping outlives the process, not a power cut: journal_sync is what survives that. Amounts are
 * nano-USD. Numbers are in the machine's own byte order; a file of another machine is refused as a whole. */
#ifndef MAESTRO_STATE_JOURNAL_H
#define MAESTRO_STATE_JOURNAL_H

#include "base/err.h"

enum {
  JOURNAL_VERSION = 1,
  JOURNAL_ACCOUNTS_MAX = 4,
  JOURNAL_TRACE_BYTES = 32,
  JOURNAL_MODEL_BYTES = 40,
  JOURNAL_SLOTS = 8192, /* calls in flight of one worker */
  /* That the writer may be behind. It lets the ring fill up by half before it hurries (ledger_file.c), so the other
   * half is what a disk that does not answer is bridged with: over a second at 30,000 rows/s of one worker. */
  JOURNAL_ROWS = 65536,
  JOURNAL_NO_SLOT = -1
};

enum journal_class {
  JOURNAL_INPUT,
  JOURNAL_OUTPUT,
  JOURNAL_CACHE_READ,
  JOURNAL_CACHE_WRITE,
  JOURNAL_REASONING,
  JOURNAL_CLASSES
};

enum journal_flag {
  JOURNAL_ESTIMATED = 1, /* tokens were counted here, not reported */
  JOURNAL_OVERRUN = 2,   /* cost more than was reserved */
  JOURNAL_UNPRICED = 4,  /* the amount is not known, and 0 stands for it */
  JOURNAL_RECOVERED = 8, /* settled at start, from a slot that a killed process left */
  JOURNAL_FAILED = 16    /* the answer did not reach its end */
};

/* What a reservation is for; never changes while the slot is taken. */
struct journal_entry {
  uint64_t accounts[JOURNAL_ACCOUNTS_MAX]; /* ids of ledger accounts; 0: none */
  int64_t reserved_nano_usd;
  int64_t input_nano_usd_per_mtok, output_nano_usd_per_mtok; /* for the recovery; -1: unknown */
  int64_t began_us;                                          /* wall clock: which day and month it is billed to */
  uint32_t price_date;                                       /* 20260622; 0: unknown */
  uint32_t attempt;                                          /* of its call, from 1 */
  char trace[JOURNAL_TRACE_BYTES];                           /* of its exchange; NUL-padded, cut */
  char model[JOURNAL_MODEL_BYTES];                           /* "provider/model"; NUL-padded, cut */
};

/* What it came to. */
struct journal_result {
  int64_t amount_nano_usd;
  int64_t tokens[JOURNAL_CLASSES];
  uint32_t flags; /* enum journal_flag */
};

struct journal_row {
  uint64_t seq; /* from 1, without a gap; place in the ring: seq % rows */
  uint32_t checksum;
  uint32_t flags;
  struct journal_entry entry;
  int64_t amount_nano_usd;
  int64_t tokens[JOURNAL_CLASSES];
};

struct journal_shape {
  uint32_t slots, rows; /* at least 1 and slots + 1 */
};
extern const struct journal_shape journal_shape; /* JOURNAL_SLOTS, JOURNAL_ROWS */

/* What opening found. */
struct journal_found {
  uint64_t rows;      /* not copied away yet: handed to on_row */
  uint64_t torn_rows; /* that a power cut has damaged or left out */
  uint32_t slots;     /* settled from what they saw; each is among `rows` */
  uint32_t torn_slots;
  bool was_damaged; /* the file was no journal: kept beside as `aside`, and a new one begun */
  char aside[256];
};

struct journal;

/* Opens or makes `path`. Rows with a number below next_seq have been copied away. on_row gets each one from there on,
 * in order, those of recovered slots last; the slots stay marked until journal_forget, which is to be called once what
 * on_row got is safe on disk (until then a second start finds them settled by their rows). ERR_BAD_VALUE: of a newer
 * version or another shape, untouched; ERR_IO, also when the disk is full. */
enum err journal_open(struct journal **out, const char *path, unsigned worker, const struct journal_shape *shape,
                      uint64_t next_seq, void (*on_row)(void *arg, const struct journal_row *row), void *arg,
                      struct journal_found *found, struct err_info *info) MUST_CHECK;
void journal_forget(struct journal *j);
void journal_close(struct journal *j); /* NULL is fine */

/* ---- the worker ---- */

/* ERR_BUSY: every slot is taken, or the writer is too far behind. */
enum err journal_reserve(struct journal *j, const struct journal_entry *entry, int *slot) MUST_CHECK;
/* Tokens seen so far. */
void journal_note(struct journal *j, int slot, int64_t input_tokens, int64_t output_tokens);
void journal_settle(struct journal *j, int slot, const struct journal_result *result);
void journal_release(struct journal *j, int slot); /* it cost nothing: no row */

/* ---- any thread ---- */

uint64_t journal_next_seq(const struct journal *j); /* of the next row: all below are complete */
uint32_t journal_taken(const struct journal *j);    /* slots */

/* ---- the writer ---- */

/* A row below journal_next_seq that is not trimmed. */
struct journal_row journal_read(const struct journal *j, uint64_t seq);
/* Rows below seq are safe elsewhere: their places may be used again, and the memory that they took is given back. */
void journal_trim(struct journal *j, uint64_t seq);
/* How full the ring is, of 100. */
unsigned journal_fill(const struct journal *j);
void journal_sync(struct journal *j); /* blocks on the disk */

#endif
