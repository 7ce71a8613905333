/* How metrics.def becomes cells: shared by metrics.c, which writes them, and metrics_write.c, which shows them. Private
 * to these. A block is an array of cells in the order of metrics.def; a family is `rows` times `columns` of them; a
 * histogram's columns are its buckets (not yet summed up, the last without a bound) and the sum in microseconds. */
#ifndef MAESTRO_BASE_METRICS_LAYOUT_H
#define MAESTRO_BASE_METRICS_LAYOUT_H

#include <stdatomic.h>

#include "base/metrics.h"

typedef _Atomic int64_t metrics_cell;

enum { BOUNDS_LATENCY = 15, BOUNDS_OVERHEAD = 16, BOUNDS_MAX = 16 };

enum metrics_dimension {
  DIMENSION_NONE,
  DIMENSION_ENDPOINT,
  DIMENSION_PROVIDER,
  DIMENSION_PAIR,
  DIMENSION_STATUS_CLASS,
  DIMENSION_STATUS,
  DIMENSION_TOKEN_KIND,
  DIMENSION_CONNECTION_STATE,
  DIMENSION_REFUSAL,
  DIMENSION_ACCOUNT
};

/* Statuses that are told apart; others count under their class. clang-format never comes to rest with such lists. */
/* clang-format off */
#define METRICS_STATUSES \
  X(200) X(201) X(202) X(204) X(400) X(401) X(402) X(403) X(404) X(405) X(408) X(409) \
  X(413) X(415) X(422) X(424) X(429) X(499) X(500) X(501) X(502) X(503) X(504) X(524) \
  X(529)
/* clang-format on */
enum {
  STATUS_NONE,
#define X(code) STATUS_##code,
  METRICS_STATUSES
#undef X
      STATUS_OTHER, /* and the five classes: 1xx is STATUS_OTHER + 1 */
};
_Static_assert(STATUS_OTHER + METRICS_STATUS_CLASS <= METRICS_STATUS, "METRICS_STATUS has room for all");

enum metrics_type { METRICS_IS_COUNTER, METRICS_IS_GAUGE, METRICS_IS_HISTOGRAM };

struct metrics_family {
  const char *name, *help;
  enum metrics_type type;
  enum metrics_dimension row, column;
  unsigned rows, columns;
  int64_t scale;
  size_t at; /* of its first cell */
  const uint64_t *bounds;
  unsigned bounds_n;
};
extern const struct metrics_family metrics_families[METRIC_COUNT];

struct metrics_block {
#define COUNTER(name, text, row, column, scale, help) metrics_cell name[METRICS_##row * METRICS_##column];
#define GAUGE COUNTER
#define HISTOGRAM(name, text, row, buckets, help) metrics_cell name[METRICS_##row * (BOUNDS_##buckets + 2)];
#include "base/metrics.def"
#undef COUNTER
#undef GAUGE
#undef HISTOGRAM
};

static inline metrics_cell *metrics_cells(struct metrics_block *b) { return (metrics_cell *)(void *)b; }

struct metrics_name {
  char *text;
  unsigned owner; /* of a model: its provider's index */
};

/* Entry i of a table has index i + 1; entries below n never change. */
struct metrics_names {
  _Atomic unsigned n;
  struct metrics_name v[METRICS_PAIR];
};

/* The one global of the metrics; everything in it may be read without a lock. */
extern struct metrics_state {
  _Atomic(struct metrics_block *) blocks[METRICS_WORKERS_MAX];
  _Atomic unsigned blocks_n;   /* one more than the highest that exists */
  struct metrics_block shared; /* for threads without a block */
  struct metrics_names endpoints, providers, pairs, accounts;
  _Atomic int64_t started_us;
} metrics_state;

int64_t metrics_sum(size_t at); /* of that cell over all blocks */

#endif
