/* Responses that were kept for their owners (OpenAI Responses with `store`): the response as it was sent, and all items
 * that led to it and came of it, so that a later request may go on from its id or name an item by id. In memory, for
 * the life of the process; bounded by count, bytes and age, the oldest go first. Shared by all workers: one lock, held
 * for a look-up and a copy, and taken only by requests that store or name an id. What another owner has is not found,
 * as if it did not exist. The interface is one that a database can take over: texts go in and out whole.
 *
 * Texts are JSON that nobody here looks into; dialect/openai_responses/expand.h makes and reads them. */
#ifndef MAESTRO_STATE_STORED_RESPONSE_H
#define MAESTRO_STATE_STORED_RESPONSE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum { STORED_RESPONSE_ID_MAX = 128, STORED_RESPONSE_ITEMS_MAX = 16384 };

struct stored_response_limits { /* 0: nothing is kept */
  size_t count;                 /* responses, of all owners together */
  size_t bytes;                 /* of all that is kept, bookkeeping included */
  int64_t ttl_ms;               /* since it was put */
};

struct stored_response_item {
  struct str id, json;
};

struct stored_response {
  struct str id;
  struct str response;                      /* the object, as the caller got it */
  struct str input;                         /* JSON array: all input items, earlier turns included, each with an id */
  struct str output;                        /* JSON array */
  const struct stored_response_item *items; /* of both that have an id, to be found by it; put only */
  size_t item_count;
};

struct stored_responses;

/* NULL when memory is short. */
struct stored_responses *stored_response_new(const struct stored_response_limits *limits);
/* When no other thread uses it any more. */
void stored_response_free(struct stored_responses *s);
/* New bounds (a reload); what is beyond them goes. */
void stored_response_set_limits(struct stored_responses *s, const struct stored_response_limits *limits,
                                int64_t now_ms);

/* Keeps a copy; one of the same owner and id is replaced. now_ms: any clock that never goes back, the same for all
 * calls. ERR_BAD_VALUE for an empty or overlong id; ERR_BODY_TOO_LARGE when it alone is beyond the limit;
 * ERR_NO_MEMORY. Where the limits keep nothing it is forgotten at once (OK). */
enum err stored_response_put(struct stored_responses *s, struct str owner, const struct stored_response *r,
                             int64_t now_ms, struct err_info *info) MUST_CHECK;
/* False: there is none. *out (without items) is a copy in `a`. *e is ERR_NO_MEMORY when it could not be copied. */
bool stored_response_get(struct stored_responses *s, struct str owner, struct str id, int64_t now_ms, struct arena *a,
                         struct stored_response *out, enum err *e) MUST_CHECK;
/* The item of that id that was put last. */
bool stored_response_get_item(struct stored_responses *s, struct str owner, struct str item_id, int64_t now_ms,
                              struct arena *a, struct str *json, enum err *e) MUST_CHECK;
bool stored_response_delete(struct stored_responses *s, struct str owner, struct str id, int64_t now_ms);

struct stored_response_sum {
  size_t count, bytes;
};
struct stored_response_sum stored_response_sum(struct stored_responses *s);

#endif
