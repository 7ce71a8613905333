/* One row of the request log, and what rows add up to. Plain data, shared by the one who writes rows (record/), the
 * files they are kept in (state/log/log_file.c, state/log/log_stats.c) and those who read them (admin/, `maestro
 * stats`).
 *
 * All texts but the trace id, the status and the flag of streams together are the row's *series*: rows of one series
 * differ in figures only. A file keeps each series once, with the sums of its rows, so that lists find rows by series
 * and no figure ever needs the rows themselves. Nothing in here is a prompt, a secret, a query or a raw target. */
#ifndef MAESTRO_STATE_LOG_ROW_H
#define MAESTRO_STATE_LOG_ROW_H

#include "base/err.h"
#include "llm/usage.h"

enum log_text {
  LOG_TEXT_USER,      /* the user's name, or as LOG_TEXT_PRINCIPAL; empty: nobody was known */
  LOG_TEXT_PRINCIPAL, /* "user:7", "key:1", "local", "admin"; empty: nobody */
  LOG_TEXT_TEAM,      /* empty: none */
  LOG_TEXT_SOURCE,    /* of record/source.def */
  LOG_TEXT_ENDPOINT,  /* the route's template */
  LOG_TEXT_TYPE,      /* "chat", … */
  LOG_TEXT_ASKED,     /* the model's name as it was asked for; empty: not known */
  LOG_TEXT_MODEL,     /* what ran, "provider/model"; empty: nothing did */
  LOG_TEXT_NODE,      /* the provider of the last attempt; empty: none was made */
  LOG_TEXT_ERROR,     /* code of err.def; empty: none */
  LOG_TEXTS
};

enum { LOG_TEXT_MAX = 200 /* bytes of one text; longer ones are cut */, LOG_TRACE_MAX = 47, LOG_HOURS = 24 };

/* What took the place of a name when a day had too many different ones. */
#define LOG_OTHER "(other)"

struct log_row {
  int64_t id;    /* of log_list: grows with time; 0 in a row that is not kept yet */
  int64_t at_us; /* wall clock, when the reply had ended */
  struct str trace;
  struct str text[LOG_TEXTS];
  int32_t status;
  uint32_t attempts;
  bool is_stream, is_estimated;  /* estimated: not all tokens are the provider's word */
  int64_t tokens[USAGE_CLASSES]; /* -1: unknown */
  int64_t cost_nano_usd;         /* -1: unknown */
  int64_t ttft_us;               /* -1: no content came, or no model was called */
  int64_t duration_us;
};

/* Answered as it should be: 2xx or 3xx, and no error after the head was out. */
static inline bool log_row_is_success(int status, struct str error) {
  return status >= 200 && status <= 399 && error.n == 0;
}

enum log_sum {
  LOG_SUM_ROWS,
  LOG_SUM_SUCCESS,
  LOG_SUM_INPUT, /* as enum usage_class, from here; unknown ones add nothing */
  LOG_SUM_OUTPUT,
  LOG_SUM_CACHE_READ,
  LOG_SUM_CACHE_WRITE,
  LOG_SUM_REASONING,
  LOG_SUM_COST,      /* nano-USD of the rows whose cost is known */
  LOG_SUM_PRICED,    /* rows whose cost is known */
  LOG_SUM_USED,      /* rows whose input or output tokens are known */
  LOG_SUM_ESTIMATED, /* rows with estimated tokens */
  LOG_SUM_DURATION,  /* microseconds */
  LOG_SUM_TTFT,      /* microseconds */
  LOG_SUM_TTFT_ROWS, /* rows that have one */
  LOG_SUMS
};

struct log_sums {
  int64_t v[LOG_SUMS];
  uint32_t hours[LOG_HOURS]; /* rows by hour of the day, UTC */
};

void log_sums_add_row(struct log_sums *s, const struct log_row *row);
void log_sums_add(struct log_sums *s, const struct log_sums *other);

/* Rows on their way to the writer, as bytes. Returns their length, at most LOG_PACKED_MAX. */
enum { LOG_PACKED_MAX = 128 + LOG_TRACE_MAX + LOG_TEXTS * LOG_TEXT_MAX };
size_t log_row_pack(const struct log_row *row, char out[LOG_PACKED_MAX]);
/* The length of the packed row that begins with these bytes; they are LOG_PACKED_HEAD at least. */
enum { LOG_PACKED_HEAD = 16 };
size_t log_row_packed_bytes(const char *head);
int64_t log_row_packed_at_us(const char *head);
/* Texts of *out point into `bytes`. */
void log_row_unpack(const char *bytes, struct log_row *out);

/* Days since 1970-01-01 UTC. */
int64_t log_day(int64_t at_us);
static inline int64_t log_day_begins_us(int64_t day) { return day * INT64_C(86400000000); }
/* "2026-11-28", NUL-terminated. */
enum { LOG_DAY_BYTES = 16 };
void log_day_text(int64_t day, char out[LOG_DAY_BYTES]);

#endif
