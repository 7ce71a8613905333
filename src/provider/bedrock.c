/* Amazon Bedrock's Converse API with a Bedrock API key, which is sent as a bearer token, or with AWS's access keys,
 * which sign each request (sign.c). Paths: Amazon Bedrock API reference, Converse and ConverseStream, and "API keys"
 * (read 2026-11). Which models there are is said by another host (the control plane), so they are declared. */
#include "provider/provider.h"

static enum err parse_catalog(struct arena *a, struct str body, struct provider_listed **models, size_t *count,
                              struct err_info *info) {
  return provider_parse_list(a, body, STR("modelSummaries"), STR("modelId"), STR_NONE, models, count, info);
}

static const struct provider_endpoint endpoints[] = {
    {LLM_GENERATE, STR("bedrock_converse"), STR("/model/{model}/converse"), STR("/model/{model}/converse-stream")},
    {LLM_COMPLETE, STR("bedrock_converse"), STR("/model/{model}/converse"), STR("/model/{model}/converse-stream")},
    {0},
};

const struct provider_type provider_bedrock = {
    .endpoints = endpoints,
    .catalog_path = STR("/foundation-models"),
    .key_header = STR("Authorization"),
    .key_prefix = STR("Bearer "),
    .is_vendor = true,
    .usage = PROVIDER_USAGE_ALWAYS,
    .classify_failure = provider_classify_failure,
    .parse_catalog = parse_catalog,
};
