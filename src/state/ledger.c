/* The counters: see ledger.h. A period's counters stand in a ring of buckets, each marked with the day or month it is
 * for; whoever comes first on a new day empties the oldest. Invariant: committed = spent + what is reserved, and no cap
 * is ever passed by `committed` but through settling what a provider reported beyond its bound. */
#include "state/ledger.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "state/ledger_internal.h"

#define TURNING UINT64_MAX /* a bucket that is being emptied for its next period */

static const int64_t DAY_US = INT64_C(86400) * 1000000;

/* ---- accounts ---- */

/* By id, open addressing. Read without a lock; changed, and replaced when it gets full, under it. Replaced ones stay
 * until all accounts are forgotten: somebody may be reading. */
struct table {
  struct table *older;
  size_t room; /* a power of two */
  _Atomic(struct ledger_account *) v[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic(struct table *) newest;
static size_t account_count; /* under the lock */

/* Where that id is, or belongs. */
static size_t find_place(struct table *t, uint64_t id, struct ledger_account **found) {
  size_t i = id & (t->room - 1);
  while ((*found = atomic_load_explicit(&t->v[i], memory_order_acquire)) && (*found)->id != id)
    i = (i + 1) & (t->room - 1);
  return i;
}

static struct table *grow(struct table *old) {
  struct ledger_account *none;
  size_t room = old ? old->room * 2 : 64;
  struct table *t = calloc(1, sizeof *t + room * sizeof t->v[0]);
  if (!t) return NULL;
  t->room = room;
  t->older = old;
  for (size_t i = 0; old && i < old->room; i++) {
    struct ledger_account *a = atomic_load_explicit(&old->v[i], memory_order_relaxed);
    if (a) atomic_store_explicit(&t->v[find_place(t, a->id, &none)], a, memory_order_relaxed);
  }
  atomic_store_explicit(&newest, t, memory_order_release);
  return t;
}

/* Under the lock. */
static struct ledger_account *make(uint64_t id, struct str name) {
  struct table *t = atomic_load_explicit(&newest, memory_order_relaxed);
  struct ledger_account *a;
  if (!t || (account_count + 1) * 2 > t->room) t = grow(t);
  if (!t) return NULL;
  size_t at = find_place(t, id, &a);
  if (a || account_count == LEDGER_ACCOUNTS_MAX || !(a = calloc(1, sizeof *a))) return a;
  a->id = id;
  if (name.n) memcpy(a->name, name.p, name.n);
  atomic_store(&a->has_name, name.n > 0);
  account_count++;
  atomic_store_explicit(&t->v[at], a, memory_order_release);
  return a;
}

static struct ledger_account *look_up(uint64_t id) {
  struct ledger_account *a = NULL;
  struct table *t = atomic_load_explicit(&newest, memory_order_acquire);
  if (t) (void)find_place(t, id, &a);
  return a;
}

struct ledger_account *ledger_account_by_id(uint64_t id) {
  struct ledger_account *a = id ? look_up(id) : NULL;
  if (a || !id) return a;
  pthread_mutex_lock(&lock);
  a = make(id, STR_NONE);
  pthread_mutex_unlock(&lock);
  return a;
}

struct ledger_account *ledger_account(struct str name) {
  struct crypto_hash hash;
  uint64_t id;
  if (name.n == 0 || name.n > LEDGER_NAME_MAX || crypto_sha256(name, &hash)) return NULL;
  memcpy(&id, hash.bytes, sizeof id);
  if (!id) id = 1;
  struct ledger_account *a = look_up(id);
  if (a && atomic_load_explicit(&a->has_name, memory_order_acquire)) return a;
  pthread_mutex_lock(&lock);
  a = make(id, name);
  if (a && !atomic_load(&a->has_name)) {
    memcpy(a->name, name.p, name.n);
    atomic_store(&a->has_name, true); /* the writer reads it without the lock */
  }
  pthread_mutex_unlock(&lock);
  return a;
}

struct str ledger_account_name(const struct ledger_account *a) {
  return str_from_c(a->name);
}

void ledger_each_account(void (*fn)(void *arg, struct ledger_account *a), void *arg) {
  struct table *t = atomic_load_explicit(&newest, memory_order_acquire);
  for (size_t i = 0; t && i < t->room; i++) {
    struct ledger_account *a = atomic_load_explicit(&t->v[i], memory_order_acquire);
    if (a) fn(arg, a);
  }
}

void ledger_forget_accounts(void) {
  pthread_mutex_lock(&lock);
  struct table *t = atomic_exchange(&newest, NULL), *older;
  for (size_t i = 0; t && i < t->room; i++) free(atomic_load(&t->v[i]));
  for (; t; t = older) {
    older = t->older;
    free(t);
  }
  account_count = 0;
  pthread_mutex_unlock(&lock);
}

struct ledger_rates *ledger_account_rates(struct ledger_account *a) {
  return &a->rates;
}

void ledger_account_day(const struct ledger_account *a, uint32_t day, uint64_t *calls, uint64_t *tokens) {
  bool is_now = atomic_load(&a->day_key) == (uint64_t)day + 1;
  *calls = is_now ? atomic_load(&a->day_calls) : 0;
  *tokens = is_now ? atomic_load(&a->day_tokens) : 0;
}

/* ---- periods ---- */

uint32_t ledger_day(int64_t wall_us) { return wall_us > 0 ? (uint32_t)(wall_us / DAY_US) : 0; }

/* The civil calendar, counted from 1 March of the year 0, so that a leap day is a year's last (H. Hinnant,
 * "chrono-Compatible Low-Level Date Algorithms", civil_from_days). */
uint32_t ledger_month(int64_t wall_us) {
  uint32_t z = ledger_day(wall_us) + 719468, era = z / 146097, of_era = z % 146097;
  uint32_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  uint32_t of_year = of_era - (365 * year + year / 4 - year / 100), march = (5 * of_year + 2) / 153;
  uint32_t month = march < 10 ? march + 2 : march - 10; /* from 0 */
  return (year + era * 400 + (month < 2) - 1970) * 12 + month;
}

/* The bucket of that period, emptied for it where it is the first time. One that is ahead of it (the clock was set
 * back) serves, too. */
static struct ledger_bucket *bucket(struct ledger_bucket ring[LEDGER_RING], uint32_t number) {
  struct ledger_bucket *b = &ring[number % LEDGER_RING];
  uint64_t want = (uint64_t)number + 1, now = atomic_load_explicit(&b->period, memory_order_acquire);
  while (now < want || now == TURNING) {
    if (now == TURNING) {
      sched_yield();
      now = atomic_load_explicit(&b->period, memory_order_acquire);
    } else if (atomic_compare_exchange_strong(&b->period, &now, TURNING)) {
      atomic_store(&b->committed, 0);
      atomic_store(&b->spent, 0);
      atomic_store_explicit(&b->period, want, memory_order_release);
      break;
    }
  }
  return b;
}

static struct ledger_bucket *bucket_of(struct ledger_account *a, enum ledger_period period, uint32_t day,
                                       uint32_t month) {
  if (period == LEDGER_TOTAL) return &a->total;
  return period == LEDGER_DAY ? bucket(a->days, day) : bucket(a->months, month);
}

struct ledger_balance ledger_balance(const struct ledger_account *a, enum ledger_period period, int64_t wall_us) {
  uint32_t number = period == LEDGER_DAY ? ledger_day(wall_us) : ledger_month(wall_us);
  const struct ledger_bucket *b = period == LEDGER_TOTAL ? &a->total
                                  : period == LEDGER_DAY ? &a->days[number % LEDGER_RING]
                                                         : &a->months[number % LEDGER_RING];
  if (period != LEDGER_TOTAL && atomic_load(&b->period) != (uint64_t)number + 1) return (struct ledger_balance){0};
  int64_t spent = atomic_load(&b->spent), committed = atomic_load(&b->committed);
  return (struct ledger_balance){spent, committed > spent ? committed - spent : 0};
}

/* ---- a call ---- */

_Thread_local struct journal *ledger_mine;

/* False: it would pass the cap, of which *left is left. What costs nothing passes none, also where more was spent. */
static bool take(struct ledger_bucket *b, int64_t amount, int64_t cap, int64_t *left) {
  int64_t now = atomic_load_explicit(&b->committed, memory_order_relaxed), next;
  do {
    if (__builtin_add_overflow(now, amount, &next) || (cap >= 0 && amount && next > cap)) {
      if (cap < 0 || __builtin_sub_overflow(cap, now, left)) *left = 0;
      return false;
    }
  } while (
      !atomic_compare_exchange_weak_explicit(&b->committed, &now, next, memory_order_relaxed, memory_order_relaxed));
  return true;
}

/* Gives back what the first n accounts, and `periods` periods of the one behind them, have been charged. */
static void give_back(const struct ledger_reservation *r, unsigned n, unsigned periods) {
  for (unsigned i = 0; i <= n && i < r->n; i++)
    for (unsigned p = 0; p < (i < n ? (unsigned)LEDGER_PERIODS : periods); p++)
      atomic_fetch_sub(&bucket_of(r->accounts[i], (enum ledger_period)p, r->day, r->month)->committed,
                       r->amount_nano_usd);
}

static enum err charge(const struct ledger_claim *claims, const struct ledger_reservation *r,
                       struct ledger_refusal *refusal) {
  for (unsigned i = 0; i < r->n; i++)
    for (unsigned p = 0; p < LEDGER_PERIODS; p++) {
      struct ledger_bucket *b = bucket_of(r->accounts[i], (enum ledger_period)p, r->day, r->month);
      int64_t left = 0;
      if (take(b, r->amount_nano_usd, claims[i].cap_nano_usd[p], &left)) continue;
      give_back(r, i, p);
      *refusal = (struct ledger_refusal){i, (enum ledger_period)p, left};
      return ERR_BUDGET_EXCEEDED;
    }
  return OK;
}

enum err ledger_reserve(const struct ledger_claim *claims, unsigned n, const struct journal_entry *entry,
                        struct ledger_reservation *out, struct ledger_refusal *refusal) {
  struct ledger_reservation r = {.n = n,
                                 .day = ledger_day(entry->began_us),
                                 .month = ledger_month(entry->began_us),
                                 .amount_nano_usd = entry->reserved_nano_usd,
                                 .attempt = entry->attempt,
                                 .slot = JOURNAL_NO_SLOT,
                                 .is_taken = true};
  struct journal_entry named = *entry;
  for (unsigned i = 0; i < n; i++) {
    r.accounts[i] = claims[i].account;
    named.accounts[i] = claims[i].account->id;
  }
  enum err e = ledger_mine ? journal_reserve(ledger_mine, &named, &r.slot) : OK;
  if (e) return e;
  e = charge(claims, &r, refusal);
  if (e && r.slot != JOURNAL_NO_SLOT) journal_release(ledger_mine, r.slot);
  if (!e) *out = r;
  return e;
}

void ledger_note(const struct ledger_reservation *r, int64_t input_tokens, int64_t output_tokens) {
  if (r->is_taken && r->slot != JOURNAL_NO_SLOT) journal_note(ledger_mine, r->slot, input_tokens, output_tokens);
}

/* Calls too late for their period's bucket (a clock that jumped) leave the new period alone. */
static void move(const struct ledger_reservation *r, int64_t amount) {
  for (unsigned i = 0; i < r->n; i++) {
    struct ledger_account *a = r->accounts[i];
    struct ledger_bucket *of[LEDGER_PERIODS] = {[LEDGER_TOTAL] = &a->total,
                                                [LEDGER_MONTH] = &a->months[r->month % LEDGER_RING],
                                                [LEDGER_DAY] = &a->days[r->day % LEDGER_RING]};
    const uint64_t period[LEDGER_PERIODS] = {
        [LEDGER_MONTH] = (uint64_t)r->month + 1, [LEDGER_DAY] = (uint64_t)r->day + 1};
    for (unsigned p = 0; p < LEDGER_PERIODS; p++) {
      if (p != LEDGER_TOTAL && atomic_load_explicit(&of[p]->period, memory_order_acquire) < period[p]) continue;
      atomic_fetch_add_explicit(&of[p]->committed, amount - r->amount_nano_usd, memory_order_relaxed);
      if (amount) atomic_fetch_add_explicit(&of[p]->spent, amount, memory_order_relaxed);
    }
  }
}

void ledger_settle(struct ledger_reservation *r, const struct journal_result *result) {
  if (!r->is_taken) return;
  struct journal_result done = *result;
  if (done.amount_nano_usd > r->amount_nano_usd) done.flags |= JOURNAL_OVERRUN;
  if (r->slot != JOURNAL_NO_SLOT) journal_settle(ledger_mine, r->slot, &done);
  move(r, done.amount_nano_usd);
  r->is_taken = false;
}

void ledger_release(struct ledger_reservation *r) {
  if (!r->is_taken) return;
  if (r->slot != JOURNAL_NO_SLOT) journal_release(ledger_mine, r->slot);
  move(r, 0);
  r->is_taken = false;
}

/* ---- what is booked ---- */

static void add_to(int64_t *sum, int64_t amount) {
  if (__builtin_add_overflow(*sum, amount, sum)) *sum = INT64_MAX;
}

void ledger_book(struct ledger_account *a, const struct journal_row *row) {
  struct ledger_booked *b = &a->booked;
  int64_t amount = row->amount_nano_usd > 0 ? row->amount_nano_usd : 0;
  uint32_t day = ledger_day(row->entry.began_us), month = ledger_month(row->entry.began_us);
  add_to(&b->total, amount);
  if (month > b->month_number) b->month_number = month, b->month = 0;
  if (month == b->month_number) add_to(&b->month, amount);
  if (day > b->day_number) b->day_number = day, b->day = 0, b->day_calls = b->day_tokens = 0;
  if (day != b->day_number) return;
  add_to(&b->day, amount);
  if (row->entry.attempt == 1) b->day_calls++;
  for (int i = JOURNAL_INPUT; i <= JOURNAL_OUTPUT; i++)
    if (row->tokens[i] > 0) b->day_tokens += (uint64_t)row->tokens[i];
}

static void restore(struct ledger_bucket *b, uint64_t period, int64_t spent) {
  atomic_store(&b->committed, spent);
  atomic_store(&b->spent, spent);
  atomic_store(&b->period, period);
}

void ledger_account_restore(struct ledger_account *a) {
  const struct ledger_booked *b = &a->booked;
  restore(&a->total, 0, b->total);
  restore(&a->months[b->month_number % LEDGER_RING], (uint64_t)b->month_number + 1, b->month);
  restore(&a->days[b->day_number % LEDGER_RING], (uint64_t)b->day_number + 1, b->day);
  atomic_store(&a->day_calls, b->day_calls);
  atomic_store(&a->day_tokens, b->day_tokens);
  atomic_store(&a->day_key, (uint64_t)b->day_number + 1);
}
