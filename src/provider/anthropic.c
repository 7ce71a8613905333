/* Anthropic's API. Paths, headers and the list of models: Anthropic API reference (read 2026-11). */
#include "provider/provider.h"

static enum err parse_catalog(struct arena *a, struct str body, struct provider_listed **models, size_t *count,
                              struct err_info *info) {
  return provider_parse_list(a, body, STR("data"), STR("id"), STR_NONE, models, count, info);
}

static const struct provider_endpoint endpoints[] = {
    {LLM_GENERATE, STR("anthropic"), STR("/messages"), STR_NONE},
    {LLM_COMPLETE, STR("anthropic"), STR("/messages"), STR_NONE},
    {LLM_COUNT_TOKENS, STR("anthropic"), STR("/messages/count_tokens"), STR_NONE},
    {0},
};

const struct provider_type provider_anthropic = {
    .endpoints = endpoints,
    .version = STR("/v1"),
    .catalog_path = STR("/models?limit=1000"),
    .key_header = STR("x-api-key"),
    .header = {STR("anthropic-version"), STR("2023-06-01")},
    .is_vendor = true,
    .usage = PROVIDER_USAGE_ALWAYS,
    .classify_failure = provider_classify_failure,
    .parse_catalog = parse_catalog,
};
