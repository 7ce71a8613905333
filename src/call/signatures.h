/* Signatures on both sides of a translation: what an answer's tool calls were signed with is kept, and what a request's
 * calls lack is put back before it is encoded for their maker. Used by call/translate.c. */
#ifndef MAESTRO_CALL_SIGNATURES_H
#define MAESTRO_CALL_SIGNATURES_H

#include "call/call.h"
#include "llm/event.h"

/* Follows the events of one answer. Zero-initialise; `owner` and `arena` as the call's. */
struct signature_watch {
  struct buf thinking; /* text of the thinking in hand; cleared by signature_watch_clear */
  struct str signature, origin;
  enum part_kind part; /* of the thinking */
  bool is_thinking, has_thinking;
  struct str call_id; /* of the call in hand */
};

void signature_watch_event(struct signature_watch *w, const struct call *c, const struct event *event);
void signature_watch_clear(struct signature_watch *w);

/* Puts back what is kept for the calls of the request's history and was made by `target`: a call's own signature, or
 * the thinking before it, in c->work. Calls without a signature that a signing target will miss are counted. */
enum err signatures_restore(const struct call *c, struct request *r, const struct dialect *target) MUST_CHECK;

#endif
