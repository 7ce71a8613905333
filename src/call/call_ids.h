/* Ids of one answer's tool calls, told apart: some servers give all calls of an answer the same, or count anew in each
 * message. A caller keeps results by id, so an id that an earlier call of the answer has becomes another. Used by
 * call/translate.c's two ways for what is translated; a relayed answer stays as it is. */
#ifndef MAESTRO_CALL_CALL_IDS_H
#define MAESTRO_CALL_CALL_IDS_H

#include "dialect/dialect.h"

enum { CALL_IDS_KEPT = 32 };

struct call_ids {               /* zero-initialise */
  uint64_t seen[CALL_IDS_KEPT]; /* hashes of the latest calls' ids, in a ring */
  unsigned count, made;
};

/* Any event of the answer as it is, or *own, a call's beginning with another id. NULL when memory is short. */
const struct event *call_ids_tell_apart(struct call_ids *ids, const struct dialect_exchange *x,
                                        const struct event *event, struct event *own) MUST_CHECK;

#endif
