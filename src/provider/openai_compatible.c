/* OpenAI and everything that speaks its API at a base URL. Paths: OpenAI API reference (read 2026-11). What calls
 * itself compatible serves chat; whether it serves Responses cannot be known, so those are translated. */
#include "provider/provider.h"

static enum err parse_catalog(struct arena *a, struct str body, struct provider_listed **models, size_t *count,
                              struct err_info *info) {
  return provider_parse_list(a, body, STR("data"), STR("id"), STR_NONE, models, count, info);
}

#define CHAT \
  { LLM_GENERATE, STR("openai_chat"), STR("/chat/completions"), STR_NONE }
/* Chat before completions: what Ollama calls generate has a system text and images, and many models have no
 * completions. */
#define REST                                                                    \
  {LLM_COMPLETE, STR("openai_chat"), STR("/chat/completions"), STR_NONE},       \
      {LLM_COMPLETE, STR("openai_completions"), STR("/completions"), STR_NONE}, \
      {LLM_EMBED, STR("openai_embeddings"), STR("/embeddings"), STR_NONE}, {    \
    0                                                                           \
  }

static const struct provider_endpoint compatible[] = {CHAT, REST};
static const struct provider_endpoint openai[] = {
    CHAT, {LLM_GENERATE, STR("openai_responses"), STR("/responses"), STR_NONE}, REST};

#define TYPE(rows, vendor)                                                                                       \
  {                                                                                                              \
    .endpoints = rows, .is_vendor = vendor, .catalog_path = STR("/models"), .key_header = STR("Authorization"),  \
    .key_prefix = STR("Bearer "), .usage = PROVIDER_USAGE_OPTION, .classify_failure = provider_classify_failure, \
    .parse_catalog = parse_catalog,                                                                              \
  }
const struct provider_type provider_openai_compatible = TYPE(compatible, false);
const struct provider_type provider_openai = TYPE(openai, true);
