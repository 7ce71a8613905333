/* What the two halves of a chat request share: the names of its members, and what the canonical model has no place for.
 * Private to the OpenAI chat dialect. */
#ifndef MAESTRO_DIALECT_OPENAI_CHAT_REQUEST_H
#define MAESTRO_DIALECT_OPENAI_CHAT_REQUEST_H

#include "dialect/openai_member.h"

/* X(NAME, "member") */
#define OPENAI_CHAT_MEMBERS(X)                      \
  X(MODEL, "model")                                 \
  X(MESSAGES, "messages")                           \
  X(MAESTRO, "maestro")                             \
  X(STREAM, "stream")                               \
  X(STREAM_OPTIONS, "stream_options")               \
  X(TOOLS, "tools")                                 \
  X(FUNCTIONS, "functions")                         \
  X(TOOL_CHOICE, "tool_choice")                     \
  X(FUNCTION_CALL, "function_call")                 \
  X(PARALLEL_TOOL_CALLS, "parallel_tool_calls")     \
  X(RESPONSE_FORMAT, "response_format")             \
  X(REASONING_EFFORT, "reasoning_effort")           \
  X(REASONING, "reasoning")                         \
  X(THINKING, "thinking")                           \
  X(MODALITIES, "modalities")                       \
  X(STOP, "stop")                                   \
  X(MAX_TOKENS, "max_tokens")                       \
  X(MAX_COMPLETION_TOKENS, "max_completion_tokens") \
  X(TEMPERATURE, "temperature")                     \
  X(TOP_P, "top_p")                                 \
  X(TOP_K, "top_k")                                 \
  X(FREQUENCY_PENALTY, "frequency_penalty")         \
  X(PRESENCE_PENALTY, "presence_penalty")           \
  X(SEED, "seed")                                   \
  X(N, "n")                                         \
  X(LOGPROBS, "logprobs")                           \
  X(TOP_LOGPROBS, "top_logprobs")                   \
  X(LOGIT_BIAS, "logit_bias")                       \
  X(METADATA, "metadata")                           \
  X(USER, "user")                                   \
  X(SERVICE_TIER, "service_tier")                   \
  X(PROMPT_CACHE_KEY, "prompt_cache_key")           \
  X(VERBOSITY, "verbosity")                         \
  X(STORE, "store")

enum openai_chat_member {
#define X(name, text) OPENAI_CHAT_##name,
  OPENAI_CHAT_MEMBERS(X)
#undef X
      OPENAI_CHAT_MEMBERS_COUNT
};
extern const struct str openai_chat_members[OPENAI_CHAT_MEMBERS_COUNT];

/* Members that are one field each; the first _OF_ALL are understood by everybody who speaks OpenAI chat, _WRITTEN are
 * written back for a caller who speaks it too. */
enum { OPENAI_CHAT_FIELDS_OF_ALL = 11, OPENAI_CHAT_FIELDS_WRITTEN = 17, OPENAI_CHAT_FIELDS };
extern const struct openai_field openai_chat_fields[OPENAI_CHAT_FIELDS];

/* request.native: nodes as they were written, for members of which the canonical model keeps the meaning only. */
struct openai_chat_native {
  struct yyjson_val *found[OPENAI_CHAT_MEMBERS_COUNT];
};
/* NULL where the caller does not speak chat. */
const struct openai_chat_native *openai_chat_native(const struct request *r);
/* The caller knows functions and function_call, not tools. */
bool openai_chat_is_legacy(const struct request *r);

/* The messages of a request; r's items are set. */
enum err openai_chat_decode_messages(struct openai_reader *rd, struct yyjson_val *messages,
                                     struct request *r) MUST_CHECK;

#endif
