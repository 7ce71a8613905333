/* Canonical events: what an upstream's bytes mean, whatever its dialect. One frame or reply yields a small set of them;
 * `events` holds what was found at the depth that was asked for. Slices borrow the frame. Pure data. */
#ifndef MAESTRO_LLM_EVENT_H
#define MAESTRO_LLM_EVENT_H

#include "llm/usage.h"

enum event_kind {
#define X(name, text) EVENT_##name,
#include "llm/event.def"
#undef X
  EVENT_KINDS
};

/* What one frame (or one whole reply) says. */
struct events {
  unsigned kinds; /* bit (1 << EVENT_x) for each that is in it; what an EVENT_ERROR means is the provider's to say */
  struct usage usage;  /* EVENT_USAGE */
  bool is_usage_alone; /* EVENT_USAGE of the whole answer, in a frame without a part of it */
};

static inline bool events_has(const struct events *e, enum event_kind kind) { return e->kinds & (1u << kind); }
static inline void events_add(struct events *e, enum event_kind kind) { e->kinds |= 1u << kind; }

#endif
