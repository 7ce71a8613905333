/* Ollama's own API. Paths and the list of models: Ollama's API document (read 2026-11). A key is sent where one is
 * configured, for servers behind a proxy and for Ollama's cloud. */
#include "provider/provider.h"

static enum err parse_catalog(struct arena *a, struct str body, struct provider_listed **models, size_t *count,
                              struct err_info *info) {
  return provider_parse_list(a, body, STR("models"), STR("name"), STR_NONE, models, count, info);
}

static const struct provider_endpoint endpoints[] = {
    {LLM_GENERATE, STR("ollama"), STR("/api/chat"), STR_NONE},
    {LLM_COMPLETE, STR("ollama_generate"), STR("/api/generate"), STR_NONE},
    {LLM_COMPLETE, STR("ollama"), STR("/api/chat"), STR_NONE},
    {LLM_EMBED, STR("ollama_embed"), STR("/api/embed"), STR_NONE},
    {0},
};

const struct provider_type provider_ollama = {
    .endpoints = endpoints,
    .catalog_path = STR("/api/tags"),
    .key_header = STR("Authorization"),
    .key_prefix = STR("Bearer "),
    .usage = PROVIDER_USAGE_ALWAYS,
    .classify_failure = provider_classify_failure,
    .parse_catalog = parse_catalog,
};
