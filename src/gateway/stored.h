/* Kept responses around an exchange (OpenAI Responses with `store`): ids in a request become what they stand for, and a
 * finished answer is kept under its id. Joins dialect/openai_responses/expand.h and state/stored_response.h, which know
 * nothing of each other. Used for endpoints marked KEPT. */
#ifndef MAESTRO_GATEWAY_STORED_H
#define MAESTRO_GATEWAY_STORED_H

#include "base/arena.h"
#include "base/buf.h"
#include "io/fiber.h"
#include "state/stored_response.h"

struct envelope_scan;

/* Of one exchange; zero: nothing is kept. */
struct stored {
  struct arena *arena;
  struct str owner, body, response;
  struct str previous_id; /* the response whose turn this one follows; empty: none */
  bool is_wanted;
};

/* The process's responses; once before serving. NULL ends their use. */
void stored_set(struct stored_responses *responses);
struct stored_responses *stored_get(void);

/* One by its id, in memory or in the file. ERR_NOT_FOUND; ERR_STORE_… when the file cannot be read. */
WAIT enum err stored_find(struct str owner, struct str id, struct arena *a, struct stored_response *out,
                          struct err_info *info) MUST_CHECK;
/* ERR_NOT_FOUND where there is none. */
WAIT enum err stored_delete(struct str owner, struct str id, struct err_info *info) MUST_CHECK;

/* scan: of *body. *body is put in full where it names ids (*is_changed). ERR_NOT_FOUND for an id that this owner has
 * not, ERR_BODY_TOO_LARGE where it would then have more than limit_bytes. */
WAIT enum err stored_begin(struct stored *s, struct arena *a, struct str owner, size_t limit_bytes,
                           const struct envelope_scan *scan, struct str *body, bool *is_changed,
                           struct err_info *info) MUST_CHECK;
/* Bytes of a stream on their way out: the finished response is among the last. */
void stored_watch(struct stored *s, struct str bytes);
/* A whole answer as it goes out. */
void stored_take(struct stored *s, struct str response);
/* Keeps it, if the answer was complete. */
void stored_end(struct stored *s, bool is_complete);

#endif
