/* What the workers of one mock share: the options, the last requests received, who went away in mid-answer, and which
 * faults have happened once. Behind one lock that the fast path never takes (record off, no "-once"). Bounded: so many
 * entries, so many bytes; the oldest go first. Lives as long as the listener. */
#ifndef MAESTRO_MOCK_SHARED_H
#define MAESTRO_MOCK_SHARED_H

#include <pthread.h>

#include "mock/mock_answer.h"
#include "mock/mock_shelf.h"
#include "mock/mock_stored.h"

enum {
  MOCK_RECORDS_MAX = 256,
  MOCK_RECORD_BODY_MAX = 4 << 20,    /* of one body; longer ones are cut and say so */
  MOCK_RECORDS_BYTES_MAX = 64 << 20, /* of all */
  MOCK_ABORTS_MAX = 64,
  MOCK_ONCE_MAX = 4096, /* a power of two */
};

/* A worker's counters: written by its thread, read by any. */
struct mock_counters {
  uint64_t requests, answers, streams_started, streams_finished, aborted, live;
};

struct mock {
  struct mock_shared *shared;
  const struct http_server *server; /* may be NULL */
  struct mock_counters counters;
  uint64_t id_salt; /* of this worker's ids */
  uint64_t id_count;
  struct mock *next; /* the shared list */
};

struct mock_abort {
  char model[64];
  bool is_stream;
  uint64_t events_sent; /* before the peer went */
  uint64_t at_us;
};

struct mock_shared {
  struct mock_options options; /* immutable */
  struct mock_prose prose;     /* immutable */
  uint64_t started_us;
  struct mock_stored stored; /* has a lock of its own */
  struct mock_shelf shelf;   /* the same */
  pthread_mutex_t lock;      /* guards all below */
  struct mock *workers;
  struct str records[MOCK_RECORDS_MAX]; /* JSON objects, malloc'ed */
  unsigned record_first, record_count;
  uint64_t records_seen;
  size_t record_bytes;
  struct mock_abort aborts[MOCK_ABORTS_MAX];
  uint64_t aborts_seen;
  uint64_t once[MOCK_ONCE_MAX]; /* open addressing; 0 is free */
  unsigned once_count;
};

/* The thread that owns a counter is the only one that adds, so no locked instruction is needed; a reset may lose one.
 */
static inline void mock_count(uint64_t *counter, int by) {
  __atomic_store_n(counter, __atomic_load_n(counter, __ATOMIC_RELAXED) + (uint64_t)by, __ATOMIC_RELAXED);
}

void mock_shared_record(struct mock_shared *s, const struct http_request *r, struct str body);
void mock_shared_abort(struct mock_shared *s, struct str model, bool is_stream, uint64_t events_sent);
/* True the first time for that pair since the start or the last reset; a full table forgets everything. */
bool mock_shared_is_first(struct mock_shared *s, uint32_t fault, struct str text);
void mock_shared_reset(struct mock_shared *s);
void mock_shared_requests_json(struct mock_shared *s, struct buf *out);
void mock_shared_stats_json(struct mock_shared *s, struct buf *out);

#endif
