/* Signatures whose way back leads through a dialect that has no slot for them: kept under their owner and the id of the
 * tool call they belong to, for a day, so that the next turn of the conversation can hand them back to their maker. In
 * memory, for the whole process, bounded; the oldest give way. Asked only by translations with tool calls: one short
 * lock of one of 16 shards. Used by call/translate. */
#ifndef MAESTRO_STATE_SIGNATURE_STORE_H
#define MAESTRO_STATE_SIGNATURE_STORE_H

#include "base/arena.h"
#include "llm/request.h"

enum {
  SIGNATURE_STORE_BYTES_MAX = 64 << 20, /* of all that is kept */
  SIGNATURE_STORE_VALUE_MAX = 1 << 20   /* of one; larger ones are not kept */
};
#define SIGNATURE_STORE_TTL_US (UINT64_C(24) * 3600 * 1000000)

/* What belongs to a call: the call's own signature (Gemini), or the thinking that came before it (Anthropic,
 * Responses). */
enum signature_store_kind { SIGNATURE_OF_CALL, SIGNATURE_OF_THINKING };

struct signature_store_item {
  enum signature_store_kind kind;
  struct signature signature; /* its origin is part of the key */
  struct str text;            /* of the thinking; empty for a call's own */
  enum part_kind part;        /* of the thinking: what the dialect calls it */
};

/* Copies; replaces what was kept under the same owner, call and origin. now_us: monotonic. Nothing is kept where an id
 * is empty or memory is short. */
void signature_store_put(struct str owner, struct str call_id, const struct signature_store_item *item,
                         uint64_t now_us);
/* A copy in `a`; false when there is none (or memory is short). */
bool signature_store_get(struct arena *a, struct str owner, struct str call_id, struct str origin, uint64_t now_us,
                         struct signature_store_item *out);
/* Forgets everything; for tests and the end of the process. */
void signature_store_clear(void);

#endif
