/* Rates: see rate_limit.h. A word is the window's number (24 bits: minutes come round after 31 years) and how much of
 * it is used (40 bits). */
#include "policy/rate_limit.h"

enum { COUNT_BITS = 40, TAG_MASK = (1 << 24) - 1 };
#define COUNT_MASK ((UINT64_C(1) << COUNT_BITS) - 1)

#define MINUTE_US (INT64_C(60) * 1000000)
#define DAY_US (INT64_C(86400) * 1000000)

static const struct {
  bool of_tokens, of_day;
} windows[RATE_LIMIT_KINDS] = {
    [RATE_LIMIT_REQUESTS_MINUTE] = {false, false},
    [RATE_LIMIT_REQUESTS_DAY] = {false, true},
    [RATE_LIMIT_TOKENS_MINUTE] = {true, false},
    [RATE_LIMIT_TOKENS_DAY] = {true, true},
};

static uint32_t limit_of(const struct limits *l, enum rate_limit_kind kind) {
  const uint32_t limits[RATE_LIMIT_KINDS] = {l->requests_per_minute, l->requests_per_day, l->tokens_per_minute,
                                             l->tokens_per_day};
  return limits[kind];
}

static _Atomic uint64_t *word_of(const struct limits_subject *s, enum rate_limit_kind kind) {
  struct ledger_rates *r = ledger_account_rates(s->account);
  _Atomic uint64_t *const words[RATE_LIMIT_KINDS] = {&r->minute_requests, &r->day_requests, &r->minute_tokens,
                                                     &r->day_tokens};
  return words[kind];
}

/* The numbers of the windows of a moment; worked out once for all subjects. */
struct moment {
  int64_t wall_us;
  uint64_t tags[2]; /* of its minute, of its day */
};

static struct moment moment_of(int64_t wall_us) {
  return (struct moment){wall_us,
                         {(uint64_t)(wall_us / MINUTE_US) & TAG_MASK, (uint64_t)(wall_us / DAY_US) & TAG_MASK}};
}

static uint64_t tag_of(enum rate_limit_kind kind, const struct moment *m) { return m->tags[windows[kind].of_day]; }

static int64_t left_ms(enum rate_limit_kind kind, int64_t wall_us) {
  int64_t length = windows[kind].of_day ? DAY_US : MINUTE_US;
  return (length - wall_us % length + 999) / 1000;
}

/* How much of the window is used; a new one begins with what the ledger knows of its day. */
static uint64_t used(const struct limits_subject *s, enum rate_limit_kind kind, uint64_t word, const struct moment *m) {
  if (word >> COUNT_BITS == tag_of(kind, m)) return word & COUNT_MASK;
  uint64_t calls = 0, tokens = 0;
  if (windows[kind].of_day) ledger_account_day(s->account, ledger_day(m->wall_us), &calls, &tokens);
  return windows[kind].of_tokens ? tokens : calls;
}

static uint64_t capped(uint64_t n) { return n < COUNT_MASK ? n : COUNT_MASK; }

/* Adds n where the sum stays within the limit; UINT64_MAX: any sum will do. */
static bool add(const struct limits_subject *s, enum rate_limit_kind kind, uint64_t n, uint64_t limit,
                const struct moment *m) {
  _Atomic uint64_t *word = word_of(s, kind);
  uint64_t now = atomic_load_explicit(word, memory_order_relaxed), next;
  do {
    uint64_t count = used(s, kind, now, m);
    if (limit != UINT64_MAX && (count > limit || n > limit - count)) return false;
    next = tag_of(kind, m) << COUNT_BITS | capped(count + capped(n));
  } while (!atomic_compare_exchange_weak_explicit(word, &now, next, memory_order_relaxed, memory_order_relaxed));
  return true;
}

/* Takes n back from the window of that moment, if that is still the one. */
static void subtract(const struct limits_subject *s, enum rate_limit_kind kind, uint64_t n, const struct moment *m) {
  _Atomic uint64_t *word = word_of(s, kind);
  uint64_t now = atomic_load_explicit(word, memory_order_relaxed), next;
  do {
    uint64_t count = now & COUNT_MASK;
    if (now >> COUNT_BITS != tag_of(kind, m)) return;
    next = (now & ~COUNT_MASK) | (count > n ? count - n : 0);
  } while (!atomic_compare_exchange_weak_explicit(word, &now, next, memory_order_relaxed, memory_order_relaxed));
}

static uint64_t amount_of(enum rate_limit_kind kind, uint64_t tokens) { return windows[kind].of_tokens ? tokens : 1; }

static bool enter(const struct limits_subject *s) {
  _Atomic uint32_t *running = &ledger_account_rates(s->account)->running;
  uint32_t now = atomic_fetch_add_explicit(running, 1, memory_order_relaxed);
  if (s->limits.concurrency == 0 || now < s->limits.concurrency) return true;
  atomic_fetch_sub_explicit(running, 1, memory_order_relaxed);
  return false;
}

static void leave(const struct limits_subject *s) {
  atomic_fetch_sub_explicit(&ledger_account_rates(s->account)->running, 1, memory_order_relaxed);
}

/* Gives back what the first n subjects took, and the first `kinds` windows of the one behind them. */
static void undo(const struct limits_caller *c, unsigned n, unsigned kinds, uint64_t tokens, const struct moment *m) {
  for (unsigned i = 0; i <= n && i < c->n; i++) {
    for (unsigned k = 0; k < (i < n ? (unsigned)RATE_LIMIT_KINDS : kinds); k++)
      if (limit_of(&c->v[i]->limits, (enum rate_limit_kind)k))
        subtract(c->v[i], (enum rate_limit_kind)k, amount_of((enum rate_limit_kind)k, tokens), m);
    if (i < n) leave(c->v[i]);
  }
}

enum err rate_limit_take(const struct limits_caller *caller, uint64_t tokens, int64_t wall_us,
                         struct rate_limit_ticket *out, struct rate_limit_refusal *refusal) {
  const struct moment m = moment_of(wall_us);
  for (unsigned i = 0; i < caller->n; i++) {
    const struct limits_subject *s = caller->v[i];
    unsigned k = 0;
    bool ok = true;
    for (; ok && k < RATE_LIMIT_KINDS; k++) {
      enum rate_limit_kind kind = (enum rate_limit_kind)k;
      uint32_t limit = limit_of(&s->limits, kind);
      if (!limit || add(s, kind, amount_of(kind, tokens), limit, &m)) continue;
      bool is_hopeless = amount_of(kind, tokens) > limit;
      *refusal = (struct rate_limit_refusal){kind, s, limit, is_hopeless ? 0 : left_ms(kind, wall_us)};
      ok = false;
      break;
    }
    if (ok && !enter(s)) {
      *refusal = (struct rate_limit_refusal){RATE_LIMIT_CONCURRENCY, s, s->limits.concurrency, 1000};
      ok = false;
    }
    if (ok) continue;
    undo(caller, i, k, tokens, &m);
    return ERR_RATE_LIMITED;
  }
  *out = (struct rate_limit_ticket){*caller, wall_us, tokens, true};
  return OK;
}

void rate_limit_give_back(struct rate_limit_ticket *t) {
  const struct moment m = moment_of(t->wall_us);
  if (t->is_taken) undo(&t->caller, t->caller.n, 0, t->tokens, &m);
  t->is_taken = false;
}

void rate_limit_end(struct rate_limit_ticket *t, uint64_t tokens_used, int64_t wall_us) {
  if (!t->is_taken) return;
  t->is_taken = false;
  const struct moment began = moment_of(t->wall_us), now = moment_of(wall_us);
  for (unsigned i = 0; i < t->caller.n; i++) {
    const struct limits_subject *s = t->caller.v[i];
    for (unsigned k = RATE_LIMIT_TOKENS_MINUTE; k <= RATE_LIMIT_TOKENS_DAY; k++) {
      enum rate_limit_kind kind = (enum rate_limit_kind)k;
      if (!limit_of(&s->limits, kind)) continue;
      if (tokens_used < t->tokens) subtract(s, kind, t->tokens - tokens_used, &began);
      if (tokens_used > t->tokens) add(s, kind, tokens_used - t->tokens, UINT64_MAX, &now);
    }
    leave(s);
  }
}

void rate_limit_view(const struct limits_caller *caller, bool of_tokens, int64_t wall_us, struct rate_limit_view *out) {
  static const enum rate_limit_kind kinds[2][2] = {{RATE_LIMIT_REQUESTS_MINUTE, RATE_LIMIT_REQUESTS_DAY},
                                                   {RATE_LIMIT_TOKENS_MINUTE, RATE_LIMIT_TOKENS_DAY}};
  const struct moment m = moment_of(wall_us);
  *out = (struct rate_limit_view){0};
  for (unsigned i = 0; i < 2 * caller->n; i++) {
    const struct limits_subject *s = caller->v[i / 2];
    enum rate_limit_kind kind = kinds[of_tokens][i % 2];
    uint64_t limit = limit_of(&s->limits, kind);
    if (!limit) continue;
    uint64_t n = used(s, kind, atomic_load_explicit(word_of(s, kind), memory_order_relaxed), &m);
    uint64_t remaining = n < limit ? limit - n : 0;
    if (out->limit && remaining >= out->remaining) continue;
    *out = (struct rate_limit_view){limit, remaining, left_ms(kind, wall_us)};
  }
}
