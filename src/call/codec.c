/* The way through the dialects: see codec.h. */
#include "call/codec.h"

/* A target that the caller's operation can be said to, and whose answer can be said to the caller. */
static bool can_translate(const struct dialect *caller, const struct dialect *target, enum llm_operation operation) {
  if (!caller->decode_request || !target->encode_request) return false;
  if (operation == LLM_EMBED) return caller->encode_embeddings && target->decode_embeddings;
  return caller->encode_reply && target->decode_reply;
}

static bool can_relay(const struct dialect *caller, const struct dialect *target,
                      const struct dialect_request *request) {
  return caller == target && caller->edit_request && !request->must_encode && !request->is_array;
}

bool codec_choose(const struct provider_endpoint *endpoints, const struct dialect *const *dialects,
                  const struct dialect *caller, const struct dialect_request *request, struct codec *out) {
  struct codec best = {0};
  for (unsigned i = 0; endpoints[i].dialect.n && best.target != caller; i++) {
    if (endpoints[i].operation != request->operation || !dialects[i]) continue;
    bool relay = can_relay(caller, dialects[i], request);
    if (!relay && best.target && dialects[i] != caller) continue;
    if (!relay && !can_translate(caller, dialects[i], request->operation)) continue;
    enum codec_send send = relay ? CODEC_RELAY : CODEC_ENCODE;
    best = (struct codec){.endpoint = i, .target = dialects[i], .request = send, .answer = send};
  }
  if (!best.target) return false;
  *out = best;
  return true;
}
