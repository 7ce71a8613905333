/* A wire format as the mock speaks it: how a request is read and which bytes say an answer. One file and one row of
 * dialect.def each; routes are rows of route.def. Pure functions on memory: mock_call.c does the waiting.
 *
 * scan runs on every request and must be cheap; parse runs only when the plan needs more (see struct mock_request) or
 * every body is to be checked. Both report a fault of the client as an error that `error` can say. */
#ifndef MAESTRO_MOCK_DIALECT_H
#define MAESTRO_MOCK_DIALECT_H

#include "mock/mock_answer.h"

/* What an error says; empty members: the vendor's usual words for that status. */
struct mock_error {
  int status;
  struct str message, type, param, code;
};

struct mock_dialect {
  struct str name;
  struct str stream_type; /* Content-Type of a stream */
  /* q->body is set. Fills q->scan; false: *fault says why. */
  bool (*scan)(struct mock_request *q, struct mock_error *fault);
  /* Fills the rest of *q from memory of `a`; false: *fault says why. is_demo: what generated JSON says. */
  bool (*parse)(struct mock_request *q, struct arena *a, bool is_demo, struct mock_error *fault);
  void (*reply)(const struct mock_answer *a, struct buf *out);
  /* What every event of this stream begins with; given back to `event`. */
  void (*head)(const struct mock_answer *a, struct buf *out);
  void (*event)(const struct mock_answer *a, struct str head, const struct mock_step *step, struct buf *out);
  void (*error)(const struct mock_error *e, struct buf *out);       /* a whole body */
  void (*error_event)(const struct mock_error *e, struct buf *out); /* in mid-stream */
  void (*broken_event)(struct buf *out);                            /* framed well, but no JSON */
};

#define X(dialect) extern const struct mock_dialect mock_##dialect;
#include "mock/dialect.def"
#undef X

#endif
