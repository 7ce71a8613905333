/* What is set for a model (route_shape) done to a request for it: tools that are not in its set and members that it
 * does not take go, system prompts come. The caller's body is edited before anything else looks at it, so it is the
 * same for a relay, which sends it, and for a translation, which decodes it; every byte that is not concerned stays.
 * Pure, one pass over the body. Used by call/call.c, once for each deployment of a plan that has something set. */
#ifndef MAESTRO_CALL_SHAPE_H
#define MAESTRO_CALL_SHAPE_H

#include "dialect/dialect.h"
#include "route/route_names.h"

/* Members that are never left out, whatever is set: what was counted and reserved rests on them. */
bool shape_is_fixed(struct str member);

/* Whether the request may have to be changed at all: at the cost of no look at the body. */
bool shape_is_wanted(const struct route_shape *shape, enum llm_operation operation);

struct shape_done {
  bool is_changed; /* false: `out` is untouched */
  bool has_first;  /* a message was put before the caller's first one, so that places in the list are one further */
  uint64_t gone;   /* bit i: the caller's i-th tool has gone, so that those behind it are one nearer */
};

/* The body as the model gets it, into *out, whose failure is ERR_NO_MEMORY; *done is set where it is changed.
 * `body` is a valid JSON object in the caller's dialect. What was left out is added to *dropped, by the caller's words.
 * ERR_BAD_VALUE with the path: the caller insists on a tool that the set does not have. ERR_BAD_TYPE: a system prompt
 * is to come before the caller's own, which has no form that this dialect knows. */
enum err shape_body(const struct route_shape *shape, const struct dialect *dialect, enum llm_operation operation,
                    struct str body, struct arena *a, struct buf *out, struct shape_done *done,
                    struct caps_dropped *dropped, struct err_info *info) MUST_CHECK;

#endif
