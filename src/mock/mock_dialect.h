/* A wire format as the mock speaks it, or one operation of it (embeddings, counting) that has another answer in the
 * same words: how a request is read and which bytes say an answer. One row of dialect.def each; routes are rows of
 * route.def. Pure functions on memory: mock_call.c does the waiting.
 *
 * scan runs on every request: it must be cheap, or do all that parse does and set q->is_parsed. parse runs only when
 * the plan needs more (see struct mock_request) or every body is to be checked. All that may refuse report a fault of
 * the client as an error that `error` can say. */
#ifndef MAESTRO_MOCK_DIALECT_H
#define MAESTRO_MOCK_DIALECT_H

#include "mock/mock_answer.h"

enum { MOCK_REQUEST_ID_BYTES = 36 };

/* Faults that have the vendor's own words; the rest is said by status. */
enum mock_words { MOCK_WORDS_STATUS, MOCK_WORDS_QUOTA, MOCK_WORDS_CONTEXT };

/* What an error says; empty members: the vendor's usual words for that status. */
struct mock_error {
  int status;
  struct str message, type, param, code;
  enum mock_words words; /* not STATUS: the dialect's row of that name takes the place of everything */
  struct str request_id; /* set by whoever sends it */
};

/* 400 with that message; false, for a reader to return. */
static inline bool mock_refuse(struct mock_error *fault, struct str message) {
  *fault = (struct mock_error){.status = 400, .message = message};
  return false;
}

/* Where a stream is, for what an event's bytes depend on beside its step. Zero at the start; the dialect's to write. */
struct mock_progress {
  uint64_t events; /* written so far: sequence numbers, commas */
  unsigned block;  /* number of the open or the next part */
  bool is_open;
  enum mock_step_kind kind; /* of the open part */
};

struct mock_dialect {
  struct str name;
  struct str prefix;               /* paths under it without a route are refused in this dialect; "" for operations */
  struct str json_type;            /* Content-Type of a whole reply; empty: application/json */
  struct str stream_type;          /* Content-Type of a stream */
  struct str id_header;            /* carries the request's id; empty: none */
  bool is_id_uuid;                 /* else "req_" and 32 hex digits */
  struct str error_header;         /* carries an error's type; empty: none */
  struct http_header fixed;        /* on every answer; an empty name: none */
  const struct mock_error *errors; /* the usual words: row 0 for unknown statuses below 500, the last one above */
  size_t error_count;
  /* The request's members down to `own` are set. Fills q->scan; false: *fault says why. */
  bool (*scan)(struct mock_request *q, struct arena *a, struct mock_error *fault);
  /* Fills the rest of *q from memory of `a`; false: *fault says why. NULL when scan has done so. */
  bool (*parse)(struct mock_request *q, struct arena *a, struct mock_error *fault);
  /* What the vendor refuses beyond its syntax, once the plan is known. May be NULL. */
  bool (*check)(const struct mock_request *q, const struct mock_plan *plan, struct arena *a, struct mock_error *fault);
  void (*reply)(const struct mock_answer *a, struct buf *out);
  /* What every event of this stream begins with; given back to `event`. May be NULL. */
  void (*head)(const struct mock_answer *a, struct buf *out);
  /* May write nothing for a step that the format has no event for. */
  void (*event)(const struct mock_answer *a, struct str head, const struct mock_step *step, struct mock_progress *at,
                struct buf *out);
  void (*error)(const struct mock_error *e, struct buf *out); /* a whole body; e has been completed */
  void (*error_event)(const struct mock_error *e, struct mock_progress *at, struct buf *out); /* in mid-stream */
  /* The vendor's other way to fail in mid-stream; NULL: it has but one. */
  void (*failed_event)(const struct mock_answer *a, const struct mock_error *e, struct mock_progress *at,
                       struct buf *out);
  void (*broken_event)(struct mock_progress *at, struct buf *out); /* framed well, but no JSON */
  /* The list of models, and one; NULL where the dialect has no route for it. */
  void (*models)(const struct str *ids, size_t n, struct buf *out);
  void (*model)(struct str id, struct buf *out);
};

#define X(dialect) extern const struct mock_dialect mock_##dialect;
#include "mock/dialect.def"
#undef X

/* Row i of dialect.def; NULL past the end. */
const struct mock_dialect *mock_dialect_at(size_t i);
/* The dialect with the longest prefix of that path. */
const struct mock_dialect *mock_dialect_of_path(struct str path);
/* With the dialect's words where *e has none. */
struct mock_error mock_dialect_error(const struct mock_dialect *d, const struct mock_error *e);

#endif
