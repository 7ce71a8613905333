/* Canonical events: what an upstream's bytes mean, whatever its dialect. One frame or reply yields a small set of them;
 * `events` holds what was found at the depth that was asked for. Slices borrow the frame. Pure data. */
#ifndef MAESTRO_LLM_EVENT_H
#define MAESTRO_LLM_EVENT_H

#include "base/err.h"
#include "llm/usage.h"

enum event_kind {
#define X(name, text) EVENT_##name,
#include "llm/event.def"
#undef X
  EVENT_KINDS
};

/* What one frame (or one whole reply) says. */
struct events {
  unsigned kinds;     /* bit (1 << EVENT_x) for each that is in it */
  struct usage usage; /* EVENT_USAGE */
  enum err error;     /* EVENT_ERROR: why, with info as the upstream told it (not yet sanitised) */
  struct err_info info;
};

static inline bool events_has(const struct events *e, enum event_kind kind) { return e->kinds & (1u << kind); }
static inline void events_add(struct events *e, enum event_kind kind) { e->kinds |= 1u << kind; }

#endif
