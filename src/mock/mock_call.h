/* One request for an answer, from body to last byte: mock_call.c reads and plans it, mock_fault.c misbehaves,
 * mock_stream.c streams. Lives on the handler's fiber; everything it borrows is the exchange's. */
#ifndef MAESTRO_MOCK_CALL_H
#define MAESTRO_MOCK_CALL_H

#include "mock/mock_dialect.h"
#include "mock/mock_shared.h"

struct mock_call {
  struct http_exchange *x;
  struct mock *mock;
  const struct mock_dialect *dialect;
  struct mock_plan plan;
  struct mock_request q;
  struct mock_answer a;
  char request_id[MOCK_REQUEST_ID_BYTES];
  uint64_t events_sent; /* of a stream */
};

/* Where a request goes. */
struct mock_target {
  const struct mock_dialect *dialect;
  struct str path;     /* percent-decoded */
  struct str wildcard; /* what the route's `*` stands for */
};

/* A route's function: see route.def. */
typedef enum err mock_route_fn(struct http_exchange *x, struct mock *m, const struct mock_target *t);

WAIT enum err mock_call_run(struct http_exchange *x, struct mock *m, const struct mock_target *t);
WAIT enum err mock_models_list(struct http_exchange *x, struct mock *m, const struct mock_target *t);
WAIT enum err mock_models_get(struct http_exchange *x, struct mock *m, const struct mock_target *t);
WAIT enum err mock_responses_get(struct http_exchange *x, struct mock *m, const struct mock_target *t);
WAIT enum err mock_responses_delete(struct http_exchange *x, struct mock *m, const struct mock_target *t);
WAIT enum err mock_admin_health(struct http_exchange *x, struct mock *m, const struct mock_target *t);
WAIT enum err mock_admin_requests(struct http_exchange *x, struct mock *m, const struct mock_target *t);
WAIT enum err mock_admin_stats(struct http_exchange *x, struct mock *m, const struct mock_target *t);
WAIT enum err mock_admin_reset(struct http_exchange *x, struct mock *m, const struct mock_target *t);

WAIT enum err mock_call_json(struct http_exchange *x, int status, struct str json);
/* With an id of its own when *e has none. */
WAIT enum err mock_call_error(struct http_exchange *x, struct mock *m, const struct mock_dialect *d,
                              const struct mock_error *e);

/* Headers of a vendor's reply, in `v` (room for MOCK_HEADERS_MAX); the result borrows from c. */
enum { MOCK_HEADERS_MAX = 6 };
struct http_headers mock_call_headers(const struct mock_call *c, struct str content_type, struct http_header *v);
struct str mock_call_json_type(const struct mock_dialect *d);

/* What a plan's fault does instead of an answer. *is_done: it happened; else the answer goes on (a fault of streams).
 */
WAIT enum err mock_fault_run(struct mock_call *c, bool *is_done);
/* Sends `body` as far as the plan's cut or stall lets it; only for those. */
WAIT enum err mock_fault_partial(struct mock_call *c, struct str body);
/* Waits until the client has gone. */
WAIT enum err mock_fault_stall(void);

WAIT enum err mock_stream_run(struct mock_call *c);

#endif
