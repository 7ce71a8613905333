/* What a limit is, as plain data: of a server key (from the configuration), of a user, a team, a token or a model (from
 * the store). Policy acts on it, state/people.h holds it, the admin API and the text form of people say it, all by the
 * one table of its counts. Amounts are nano-USD. */
#ifndef MAESTRO_STATE_LIMITS_H
#define MAESTRO_STATE_LIMITS_H

#include "base/buf.h"
#include "base/json.h"
#include "state/ledger.h"
#include "state/store/db.h"

struct limits {
  int64_t budget_nano_usd; /* in `period`; -1: none */
  enum ledger_period period;
  /* 0: none */
  uint32_t requests_per_minute, requests_per_day, tokens_per_minute, tokens_per_day, concurrency;
  uint32_t min_output; /* tokens; a call is not trimmed below */
  bool trim;           /* the caller's own output limit may be lowered to what the budget pays for */
};

enum { LIMITS_MIN_OUTPUT = 16 /* where nothing is said */ };
extern const struct limits limits_none;
bool limits_is_none(const struct limits *l);

/* The members that count something, in the order of the store's columns. */
struct limits_count {
  const char *key;
  size_t offset;    /* of a uint32_t of struct limits */
  uint32_t maximum; /* the least is 1 */
};
enum { LIMITS_COUNTS = 6, LIMITS_COUNT_MIN_OUTPUT = 5 };
extern const struct limits_count limits_counts[LIMITS_COUNTS];
static inline uint32_t *limits_count_of(struct limits *l, size_t i) {
  return (uint32_t *)(void *)((char *)l + limits_counts[i].offset);
}
static inline uint32_t limits_count_get(const struct limits *l, size_t i) {
  return *(const uint32_t *)(const void *)((const char *)l + limits_counts[i].offset);
}

const char *limits_period_name(enum ledger_period period); /* "total", "month", "day" */
bool limits_period_parse(struct str name, enum ledger_period *out) MUST_CHECK;

/* ---- the text form: an object, without what is not limited ---- */

void limits_put(const struct limits *l, struct buf *out);
/* Strict. */
enum err limits_read(const struct json_node *n, struct limits *out, struct err_info *info) MUST_CHECK;

/* ---- the store ---- */

enum limits_scope { LIMITS_USER, LIMITS_TEAM, LIMITS_TOKEN, LIMITS_MODEL };
enum { LIMITS_COLUMNS_COUNT = 9 }; /* of LIMITS_COLUMNS in queries.def */
/* From the columns of a row; limits_none where the join found nothing. */
struct limits limits_of_row(const struct db_value *row);
/* Sets them, or takes them away where they are none. id 0 for a model; `model` empty for all others. */
enum err limits_store(struct db *db, enum limits_scope scope, int64_t id, struct str model, const struct limits *l,
                      struct err_info *info) MUST_CHECK;

#endif
