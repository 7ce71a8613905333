/* Google's Gemini API. Paths, headers and the list of models: Gemini API reference, v1beta (read 2026-11). Streams are
 * asked for as server-sent events. */
#include "provider/provider.h"

static enum err parse_catalog(struct arena *a, struct str body, struct provider_listed **models, size_t *count,
                              struct err_info *info) {
  return provider_parse_list(a, body, STR("models"), STR("name"), STR("models/"), models, count, info);
}

static const struct provider_endpoint endpoints[] = {
    {LLM_GENERATE, STR("gemini"), STR("/models/{model}:generateContent"),
     STR("/models/{model}:streamGenerateContent?alt=sse")},
    {LLM_COMPLETE, STR("gemini"), STR("/models/{model}:generateContent"),
     STR("/models/{model}:streamGenerateContent?alt=sse")},
    {LLM_COUNT_TOKENS, STR("gemini"), STR("/models/{model}:countTokens"), STR_NONE},
    {LLM_EMBED, STR("gemini_embed"), STR("/models/{model}:batchEmbedContents"), STR_NONE},
    {0},
};

const struct provider_type provider_gemini = {
    .endpoints = endpoints,
    .version = STR("/v1beta"),
    .catalog_path = STR("/models?pageSize=1000"),
    .key_header = STR("x-goog-api-key"),
    .is_vendor = true,
    .usage = PROVIDER_USAGE_ALWAYS,
    .classify_failure = provider_classify_failure,
    .parse_catalog = parse_catalog,
};
