/* Ids of one answer's tool calls: see call_ids.h. Bounded: of more calls than are kept only the latest are compared. */
#include "call/call_ids.h"

static bool is_seen(const struct call_ids *ids, uint64_t hash) {
  unsigned n = ids->count < CALL_IDS_KEPT ? ids->count : CALL_IDS_KEPT;
  for (unsigned i = 0; i < n; i++)
    if (ids->seen[i] == hash) return true;
  return false;
}

const struct event *call_ids_tell_apart(struct call_ids *ids, const struct dialect_exchange *x,
                                        const struct event *event, struct event *own) {
  if (event->kind != EVENT_OPEN || event->part_kind != PART_TOOL_CALL || !event->id.n) return event;
  *own = *event;
  if (is_seen(ids, str_hash(own->id, 0))) own->id = dialect_make_id(x, "call_again_", ids->made++);
  ids->seen[ids->count++ % CALL_IDS_KEPT] = str_hash(own->id, 0);
  return own->id.p ? own : NULL;
}
