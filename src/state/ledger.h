/* What everybody has spent and may still spend: process-wide atomic counters per account and period (all time, UTC
 * month, UTC day), fed by the journal. *Reserve* takes a journal slot, then moves the counters of every account and
 * period, all or none; *settle* appends the journal's row, frees the slot and moves what was reserved to what was
 * spent. No lock and no wait on this path.
 *
 * What survives the process: a writer thread folds new rows into balances of its own and puts them, with the number of
 * the next row of each journal, into one small file (old content or new, never a mixture); only then are the rows'
 * places used again. At start the counters are that file plus the rows behind it plus what is left in slots. The writer
 * is the only part that a store would replace: it reads rows in order and says how far it has got.
 *
 * An account is a name ("key:…", "user:7") and lives as long as the process. Globals: the one ledger. Without
 * ledger_open the counters work, and nothing survives. */
#ifndef MAESTRO_STATE_LEDGER_H
#define MAESTRO_STATE_LEDGER_H

#include <stdatomic.h>

#include "base/buf.h"
#include "state/journal.h"

enum ledger_period { LEDGER_TOTAL, LEDGER_MONTH, LEDGER_DAY, LEDGER_PERIODS };
enum { LEDGER_ACCOUNTS_MAX = 1 << 20, LEDGER_NAME_MAX = 63 };

/* Counters that policy/rate_limit.c keeps with an account; meaningless here. All 0 at first. */
struct ledger_rates {
  _Atomic uint64_t minute_requests, minute_tokens, day_requests, day_tokens;
  _Atomic uint32_t running;
};

struct ledger_account;
/* The account of that name, made when new; without a lock when it is there. NULL: memory is short, the name too long,
 * or there are too many. */
struct ledger_account *ledger_account(struct str name);
struct str ledger_account_name(const struct ledger_account *a); /* lives as long as the process */
struct ledger_rates *ledger_account_rates(struct ledger_account *a);
/* Calls (not attempts) and their tokens that were settled on that UTC day; 0 for other days than the current one. */
void ledger_account_day(const struct ledger_account *a, uint32_t day, uint64_t *calls, uint64_t *tokens);

struct ledger_balance {
  int64_t spent_nano_usd;
  int64_t reserved_nano_usd; /* by calls in flight */
};
struct ledger_balance ledger_balance(const struct ledger_account *a, enum ledger_period period, int64_t wall_us);

/* Days and months since 1970-01-01, UTC. */
uint32_t ledger_day(int64_t wall_us);
uint32_t ledger_month(int64_t wall_us);

/* ---- a call ---- */

struct ledger_claim {
  struct ledger_account *account;
  int64_t cap_nano_usd[LEDGER_PERIODS]; /* -1: none */
};

struct ledger_reservation {
  struct ledger_account *accounts[JOURNAL_ACCOUNTS_MAX];
  unsigned n;
  uint32_t day, month;
  int64_t amount_nano_usd;
  uint32_t attempt;
  int slot; /* JOURNAL_NO_SLOT: this thread has no journal */
  bool is_taken;
};

/* Which cap did not hold. */
struct ledger_refusal {
  unsigned claim;
  enum ledger_period period;
  int64_t left_nano_usd; /* below 0 where more is spent than the cap allows */
};

/* entry: all but the accounts, which are those of the claims (at most JOURNAL_ACCOUNTS_MAX). ERR_BUDGET_EXCEEDED with
 * *refusal: it does not fit and nothing was changed. ERR_BUSY: the journal is full. */
enum err ledger_reserve(const struct ledger_claim *claims, unsigned n, const struct journal_entry *entry,
                        struct ledger_reservation *out, struct ledger_refusal *refusal) MUST_CHECK;
void ledger_note(const struct ledger_reservation *r, int64_t input_tokens, int64_t output_tokens);
/* Both do nothing where r is not taken. result->flags gets JOURNAL_OVERRUN here. */
void ledger_settle(struct ledger_reservation *r, const struct journal_result *result);
void ledger_release(struct ledger_reservation *r);

/* ---- the process ---- */

/* Recovers from `folder` (made when missing), opens a journal for each worker and starts the writer. *notes (may be
 * NULL) gets a line for each thing that an operator should know. On failure counters work, nothing is durable, and no
 * file was changed but for damaged ones that were renamed. */
enum err ledger_open(const char *folder, unsigned workers, struct buf *notes, struct err_info *info) MUST_CHECK;
/* Writes the last balances, ends the writer and closes the journals; when no worker is attached. Forgets the accounts:
 * nobody may hold one any more. */
void ledger_close(void);
/* It is open: what is settled survives. */
bool ledger_is_durable(void);
/* The calling thread's journal is that worker's. */
void ledger_worker_attach(unsigned worker);
void ledger_worker_detach(void);
/* Folds and writes now, on the calling thread; for tests. */
enum err ledger_flush(struct err_info *info);

struct ledger_stats {
  uint64_t rows;       /* settled since the start */
  uint32_t in_flight;  /* slots taken */
  uint64_t recovered;  /* slots that a killed process had left */
  uint64_t torn;       /* rows and slots that could not be read */
  bool is_writing_bad; /* the last try to write balances failed */
};
void ledger_stats(struct ledger_stats *out);

#endif
