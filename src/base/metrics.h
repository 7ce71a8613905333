/* Counters, gauges and histograms in Prometheus' text format. Each worker owns a block of cells that only it writes
 * (plain loads and stores, as relaxed atomics so that a scrape may read at any time); threads without a block share one
 * by atomic addition. A scrape sums the blocks. Families are rows of metrics.def.
 *
 * Labels are small integers on the hot path: metrics_endpoint, metrics_provider and metrics_pair intern their names in
 * tables of fixed size (at start or when a snapshot is built); index 0 is "other" and stands for whatever found the
 * table full. Nothing is ever removed, so an index stays valid for the life of the process. */
#ifndef MAESTRO_BASE_METRICS_H
#define MAESTRO_BASE_METRICS_H

#include "base/buf.h"

/* Cells of each dimension. */
enum {
  METRICS_NONE = 1,
  METRICS_ENDPOINT = 384,
  METRICS_PROVIDER = 64,
  METRICS_PAIR = 512, /* provider and model */
  METRICS_STATUS_CLASS = 6,
  METRICS_STATUS = 32,
  METRICS_TOKEN_KIND = 5,
  METRICS_CONNECTION_STATE = 2,
  METRICS_REFUSAL = 6,
  METRICS_ACCOUNT = 64, /* those with a budget */
  METRICS_WORKERS_MAX = 256,
  METRICS_LABEL_MAX = 128 /* bytes of one label's value; longer ones are cut */
};

enum metrics_token_kind { METRICS_INPUT, METRICS_OUTPUT, METRICS_CACHED, METRICS_CACHE_WRITE, METRICS_REASONING };
enum metrics_refusal {
  METRICS_REFUSED_BUDGET,
  METRICS_REFUSED_UNPRICED,
  METRICS_REFUSED_REQUESTS,
  METRICS_REFUSED_TOKENS,
  METRICS_REFUSED_CONCURRENCY,
  METRICS_REFUSED_JOURNAL
};
enum metrics_connection_state { METRICS_IDLE, METRICS_ACTIVE };

enum metric {
#define COUNTER(name, text, row, column, scale, help) METRIC_##name,
#define GAUGE COUNTER
#define HISTOGRAM(name, text, row, buckets, help) METRIC_##name,
#include "base/metrics.def"
#undef COUNTER
#undef GAUGE
#undef HISTOGRAM
  METRIC_COUNT
};

/* Thread-safe; not for the hot path. The same names give the same index. */
unsigned metrics_endpoint(struct str name);
unsigned metrics_provider(struct str name);
unsigned metrics_pair(struct str provider, struct str model);
unsigned metrics_account(struct str label);
#define METRICS_ABSENT INT64_MIN /* metrics_set of a gauge of an account: it is not shown */
/* Provider index of a pair. */
unsigned metrics_pair_provider(unsigned pair);
/* Columns for statuses: 1xx to 5xx by class, 0 for anything else; and one per status that is worth telling apart. */
unsigned metrics_status_class(int status);
unsigned metrics_status(int status); /* 0 or less: no reply */

/* Gives the calling thread the block of that worker (kept when the worker ends, so counters never fall). */
enum err metrics_worker_attach(unsigned worker, struct err_info *info) MUST_CHECK;
void metrics_worker_detach(void);

/* Row and column as the family's row in metrics.def says; 0 where it says NONE. Out of range counts as 0. */
void metrics_add(enum metric m, unsigned row, unsigned column, int64_t n);
static inline void metrics_inc(enum metric m, unsigned row, unsigned column) { metrics_add(m, row, column, 1); }
void metrics_observe_us(enum metric m, unsigned row, uint64_t us);
/* Sets a cell of any worker, from any thread: for figures that another room keeps and a scrape copies here. */
void metrics_set(unsigned worker, enum metric m, unsigned row, unsigned column, int64_t value);
/* Sum over the workers; of a histogram, how many observations. */
int64_t metrics_get(enum metric m, unsigned row, unsigned column);

/* Appends the exposition (text/plain; version=0.0.4), the process's own figures included; what tells of accounts by
 * their names only with has_accounts. */
void metrics_write(struct buf *out, bool has_accounts);
#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"
/* Forgets every count and name and frees the blocks; for tests and the end of the process, when no worker is attached.
 */
void metrics_clear(void);

#endif
