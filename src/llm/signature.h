/* Signatures on their way through a foreign dialect that has a slot for one: wrapped with their origin, so that they
 * come back as what they were. The wrapping is base64 (Gemini's slot is bytes) of "maestro1:<origin>:<bytes>". Pure. */
#ifndef MAESTRO_LLM_SIGNATURE_H
#define MAESTRO_LLM_SIGNATURE_H

#include "base/arena.h"
#include "base/buf.h"
#include "llm/request.h"

/* What goes into the slot of dialect `into`: the bytes as they are where that is their origin, else wrapped. */
void signature_put(struct buf *out, const struct signature *s, struct str into);
/* What was found in the slot of dialect `from`: its own, or another's that was wrapped. Unwrapped bytes are in `a`;
 * {0} when memory is short. */
struct signature signature_read(struct arena *a, struct str slot, struct str from);
/* True when a wrapped signature stands somewhere in a body: then it must not be relayed as it is. */
bool signature_is_wrapped_within(struct str body);

#endif
