/* Shared by ledger.c, which counts, and ledger_file.c, which makes it survive. */
#ifndef MAESTRO_STATE_LEDGER_INTERNAL_H
#define MAESTRO_STATE_LEDGER_INTERNAL_H

#include "state/ledger.h"

enum {
  LEDGER_RING = 4, /* of days, of months: a call outlives none of them, so no bucket is reused under it */
  LEDGER_WORKERS_MAX = 64
};

struct ledger_bucket {
  _Atomic uint64_t period; /* number of the day or month + 1; 0: unused */
  _Atomic int64_t committed, spent;
};

/* What is known to have happened, in the order of rows. The writer's alone. */
struct ledger_booked {
  int64_t total, month, day;
  uint32_t month_number, day_number;
  uint64_t day_calls, day_tokens;
};

struct ledger_account {
  /* What a call touches, first and together: few cache lines of an account that is rarely used. */
  uint64_t id; /* of its name; never 0 */
  struct ledger_bucket total;
  struct ledger_rates rates;
  struct ledger_bucket months[LEDGER_RING], days[LEDGER_RING];
  char name[LEDGER_NAME_MAX + 1];
  _Atomic bool has_name; /* false: known by rows only */
  struct ledger_booked booked;
  _Atomic uint64_t day_key, day_calls, day_tokens; /* copied from booked at start */
};

/* By id, made when new. NULL: no memory. */
struct ledger_account *ledger_account_by_id(uint64_t id);
/* Calls fn for every account there is now. */
void ledger_each_account(void (*fn)(void *arg, struct ledger_account *a), void *arg);
/* Counters become what is booked; before anybody counts. */
void ledger_account_restore(struct ledger_account *a);
/* Adds a row to what is booked. */
void ledger_book(struct ledger_account *a, const struct journal_row *row);
void ledger_forget_accounts(void);

/* The calling thread's journal, or NULL. */
extern _Thread_local struct journal *ledger_mine;

/* The balances' text, and back. Parsing puts accounts into the table. ERR_BAD_VALUE: damaged. Fault-tolerant towards
 * nothing: the checksum covers it all. */
void ledger_file_write(struct buf *out, const uint64_t next_seq[LEDGER_WORKERS_MAX]);
enum err ledger_file_parse(struct str text, uint64_t next_seq[LEDGER_WORKERS_MAX], struct err_info *info) MUST_CHECK;

#endif
