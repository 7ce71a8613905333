/* Signatures on both sides of a translation: see signatures.h. */
#include "call/signatures.h"

#include "base/metrics.h"
#include "state/signature_store.h"

enum { THINKING_MAX = SIGNATURE_STORE_VALUE_MAX / 2 };

static bool is_thought(enum part_kind kind) {
  return kind == PART_REASONING || kind == PART_REASONING_SUMMARY || kind == PART_REDACTED;
}

/* Thinking that came before a call belongs to it; its bytes are copied, for the frame goes. */
static void begin_part(struct signature_watch *w, const struct call *c, const struct event *e) {
  w->is_thinking = is_thought(e->part_kind);
  if (w->is_thinking && !w->has_thinking) {
    if (!w->thinking.limit_bytes) buf_init(&w->thinking, THINKING_MAX);
    buf_reset(&w->thinking);
    w->signature = STR_NONE;
  }
  if (e->part_kind != PART_TOOL_CALL) return;
  w->call_id = arena_dup(c->arena, e->id);
  if (!w->has_thinking || !w->signature.n || w->thinking.failed) return;
  const struct signature_store_item item = {
      SIGNATURE_OF_THINKING, {w->signature, w->origin}, buf_str(&w->thinking), w->part};
  signature_store_put(c->owner, w->call_id, &item, clock_mono_us());
  w->has_thinking = false; /* parallel calls follow one thought */
}

static void keep_signature(struct signature_watch *w, const struct call *c, const struct event *e) {
  if (is_thought(e->part_kind)) {
    w->signature = arena_dup(c->arena, e->bytes);
    w->origin = arena_dup(c->arena, e->dialect);
    w->part = e->part_kind;
    w->has_thinking = w->signature.n > 0;
  } else if (e->part_kind == PART_TOOL_CALL) {
    const struct signature_store_item item = {SIGNATURE_OF_CALL, {e->bytes, e->dialect}, STR_NONE, PART_TOOL_CALL};
    signature_store_put(c->owner, w->call_id, &item, clock_mono_us());
  }
}

void signature_watch_event(struct signature_watch *w, const struct call *c, const struct event *e) {
  switch (e->kind) {
    case EVENT_OPEN: begin_part(w, c, e); break;
    case EVENT_DELTA:
      if (w->is_thinking) buf_put(&w->thinking, e->bytes);
      break;
    case EVENT_ATTACH:
      if (e->attachment == ATTACH_SIGNATURE) keep_signature(w, c, e);
      break;
    default: break;
  }
}

void signature_watch_clear(struct signature_watch *w) { buf_clear(&w->thinking); }

/* ---- the way back ---- */

static bool is_own_thought(const struct request_part *p, struct str origin) {
  return is_thought(p->kind) && str_eq(p->signature.origin, origin);
}

/* Thinking may stand in an item of its own before the call's (Responses): the turn is the run of the assistant's items.
 */
static struct request_part *find_own_thought(struct request *r, size_t at, struct str origin) {
  for (size_t i = at + 1; i-- > 0 && r->items[i].role == ROLE_ASSISTANT;)
    for (size_t k = 0; k < r->items[i].part_count; k++)
      if (is_own_thought(&r->items[i].parts[k], origin)) return &r->items[i].parts[k];
  return NULL;
}

/* A client may give a signature back with other words than it was put on (OpenAI's stream helper keeps the last piece
 * of members it does not know), which its maker refuses: the words that were kept take their place. */
static void mend_thought(struct request *r, size_t at, const struct signature_store_item *kept) {
  struct request_part *p = find_own_thought(r, at, kept->signature.origin);
  if (p && p->kind == PART_REASONING && str_eq(p->signature.bytes, kept->signature.bytes)) p->text = kept->text;
}

static enum err insert_thought(const struct call *c, struct request_item *item, size_t at,
                               const struct signature_store_item *kept) {
  struct request_part *v = ARENA_NEW_ARRAY(c->work, struct request_part, item->part_count + 1);
  if (!v) return ERR_NO_MEMORY;
  memcpy(v, item->parts, at * sizeof *v);
  memcpy(v + at + 1, item->parts + at, (item->part_count - at) * sizeof *v);
  v[at].kind = kept->part;
  v[at].source = v[at + 1].source;
  v[at].text = kept->text;
  v[at].signature = kept->signature;
  item->parts = v;
  item->part_count++;
  return OK;
}

static enum err restore_item(const struct call *c, struct request *r, size_t at, const struct dialect *target) {
  struct request_item *item = &r->items[at];
  for (size_t i = 0; i < item->part_count; i++) {
    struct request_part *p = &item->parts[i];
    struct signature_store_item kept;
    if (p->kind != PART_TOOL_CALL || str_eq(p->signature.origin, target->name)) continue;
    bool found = signature_store_get(c->work, c->owner, p->call_id, target->name, clock_mono_us(), &kept);
    if (found && kept.kind == SIGNATURE_OF_CALL) {
      p->signature = kept.signature;
    } else if (found && find_own_thought(r, at, target->name)) {
      mend_thought(r, at, &kept);
    } else if (found) {
      enum err e = insert_thought(c, item, i, &kept);
      if (e) return e;
      i++;
    } else if (!found && target->signs_calls) {
      metrics_inc(METRIC_SIGNATURES_MISSING, 0, 0);
    }
  }
  return OK;
}

enum err signatures_restore(const struct call *c, struct request *r, const struct dialect *target) {
  enum err e = OK;
  for (size_t i = 0; !e && i < r->item_count; i++)
    if (r->items[i].role == ROLE_ASSISTANT) e = restore_item(c, r, i, target);
  return e;
}
