/* What models' vendors answer with: see openapi_vendors.h. Only the top members are named; what a provider adds passes
 * through, so every one of these may have more. */
#include "admin/openapi/openapi_vendors.h"

/* ---- errors ---- */

static const struct schema_member openai_failure_rows[] = {
    {"message", SCHEMA_TEXT, .help = "for people"},
    {"type", SCHEMA_TEXT, .help = "the family"},
    {"param", SCHEMA_TEXT | SCHEMA_NULL, .help = "the member that is meant"},
    {"code", SCHEMA_TEXT | SCHEMA_NULL, .help = "the stable word"},
};
static const struct schema openai_failure_schema = SCHEMA_OPEN(NULL, openai_failure_rows);

static const struct schema_member openai_error_rows[] = {
    {"error", SCHEMA_OBJECT, .of = &openai_failure_schema},
};
static const struct schema openai_error_schema = SCHEMA_OPEN("OpenAIError", openai_error_rows);

static const struct schema_member anthropic_failure_rows[] = {
    {"type", SCHEMA_TEXT, .help = "the family"},
    {"message", SCHEMA_TEXT, .help = "for people"},
};
static const struct schema anthropic_failure_schema = SCHEMA_OPEN(NULL, anthropic_failure_rows);

static const struct schema_member anthropic_error_rows[] = {
    {"type", SCHEMA_WORD, .words = "error", .help = "what it is"},
    {"error", SCHEMA_OBJECT, .of = &anthropic_failure_schema},
};
static const struct schema anthropic_error_schema = SCHEMA_OPEN("AnthropicError", anthropic_error_rows);

static const struct schema_member gemini_failure_rows[] = {
    {"code", SCHEMA_COUNT, .help = "the status"},
    {"message", SCHEMA_TEXT, .help = "for people"},
    {"status", SCHEMA_TEXT, .help = "the family"},
    {"details", SCHEMA_ANYS | SCHEMA_OPTIONAL, .help = "what is known beside"},
};
static const struct schema gemini_failure_schema = SCHEMA_OPEN(NULL, gemini_failure_rows);

static const struct schema_member gemini_error_rows[] = {
    {"error", SCHEMA_OBJECT, .of = &gemini_failure_schema},
};
static const struct schema gemini_error_schema = SCHEMA_OPEN("GeminiError", gemini_error_rows);

static const struct schema_member ollama_error_rows[] = {
    {"error", SCHEMA_TEXT, .help = "for people"},
};
static const struct schema ollama_error_schema = SCHEMA_OPEN("OllamaError", ollama_error_rows);

/* ---- models ---- */

static const struct schema_member place_rows[] = {
    {"slot", SCHEMA_TEXT | SCHEMA_NULL, .help = "what the built-in registry holds it for"},
    {"tier", SCHEMA_TEXT, .help = "how strong, in words"},
    {"strength", SCHEMA_COUNT, .help = "how strong"},
    {"caps", SCHEMA_TEXTS, .help = "what it can"},
};
static const struct schema place_schema = SCHEMA_OPEN(NULL, place_rows);

static const struct schema_member extra_rows[] = {
    {"supports_vision", SCHEMA_BOOL | SCHEMA_OPTIONAL, .help = "whether it takes images; absent: unknown"},
    {"maestro", SCHEMA_OBJECT | SCHEMA_OPTIONAL, .of = &place_schema, .help = "what the built-in registry knows"},
};
static const struct schema extra_schema = SCHEMA_OPEN(NULL, extra_rows);

static const struct schema_member openai_model_rows[] = {
    {"id", SCHEMA_TEXT, .help = "as callers say it"},
    {"object", SCHEMA_WORD, .words = "model", .help = "what it is"},
    {"created", SCHEMA_COUNT, .help = "unknown, so 0"},
    {"owned_by", SCHEMA_TEXT, .help = "the provider's name"},
    {"max_prompt_tokens", SCHEMA_TOKENS | SCHEMA_OPTIONAL, .help = "absent: unknown"},
    {"max_output_tokens", SCHEMA_TOKENS | SCHEMA_OPTIONAL, .help = "absent: unknown"},
    {"max_context_window_tokens", SCHEMA_TOKENS | SCHEMA_OPTIONAL, .help = "absent: unknown"},
    {"max_model_len", SCHEMA_TOKENS | SCHEMA_OPTIONAL, .help = "the same"},
    {NULL, SCHEMA_PART, .of = &extra_schema},
};
static const struct schema openai_model_schema = SCHEMA_OPEN("OpenAIModel", openai_model_rows);

static const struct schema_member openai_models_rows[] = {
    {"object", SCHEMA_WORD, .words = "list", .help = "what it is"},
    {"data", SCHEMA_LIST, .of = &openai_model_schema, .help = "in the order of preference"},
};
static const struct schema openai_models_schema = SCHEMA_OPEN("OpenAIModels", openai_models_rows);

static const struct schema_member anthropic_model_rows[] = {
    {"type", SCHEMA_WORD, .words = "model", .help = "what it is"},
    {"id", SCHEMA_TEXT, .help = "as callers say it"},
    {"display_name", SCHEMA_TEXT, .help = "the same"},
    {"created_at", SCHEMA_TIME, .help = "unknown, so the epoch's first day"},
    {"max_input_tokens", SCHEMA_TOKENS | SCHEMA_OPTIONAL, .help = "absent: unknown"},
    {"max_tokens", SCHEMA_TOKENS | SCHEMA_OPTIONAL, .help = "of the answer; absent: unknown"},
    {NULL, SCHEMA_PART, .of = &extra_schema},
};
static const struct schema anthropic_model_schema = SCHEMA_OPEN("AnthropicModel", anthropic_model_rows);

static const struct schema_member anthropic_models_rows[] = {
    {"data", SCHEMA_LIST, .of = &anthropic_model_schema, .help = "in the order of preference"},
    {"has_more", SCHEMA_BOOL, .help = "always false"},
    {"first_id", SCHEMA_TEXT | SCHEMA_NULL, .help = "null: there is none"},
    {"last_id", SCHEMA_TEXT | SCHEMA_NULL, .help = "null: there is none"},
};
static const struct schema anthropic_models_schema = SCHEMA_OPEN("AnthropicModels", anthropic_models_rows);

static const struct schema_member gemini_model_rows[] = {
    {"name", SCHEMA_TEXT, .help = "models/ and as callers say it"},
    {"displayName", SCHEMA_TEXT, .help = "as callers say it"},
    {"inputTokenLimit", SCHEMA_TOKENS | SCHEMA_OPTIONAL, .help = "absent: unknown"},
    {"outputTokenLimit", SCHEMA_TOKENS | SCHEMA_OPTIONAL, .help = "absent: unknown"},
    {"supportedGenerationMethods", SCHEMA_TEXTS, .help = "how it may be called"},
    {"thinking", SCHEMA_BOOL | SCHEMA_OPTIONAL, .help = "only where true"},
    {NULL, SCHEMA_PART, .of = &extra_schema},
};
static const struct schema gemini_model_schema = SCHEMA_OPEN("GeminiModel", gemini_model_rows);

static const struct schema_member gemini_models_rows[] = {
    {"models", SCHEMA_LIST, .of = &gemini_model_schema, .help = "in the order of preference"},
};
static const struct schema gemini_models_schema = SCHEMA_OPEN("GeminiModels", gemini_models_rows);

static const struct schema_member ollama_model_rows[] = {
    {"name", SCHEMA_TEXT, .help = "as callers say it"},
    {"model", SCHEMA_TEXT, .help = "the same"},
    {"modified_at", SCHEMA_TIME, .help = "unknown, so the epoch's first day"},
    {"size", SCHEMA_BYTES, .help = "unknown, so 0"},
    {"digest", SCHEMA_TEXT, .help = "of the name"},
    {"details", SCHEMA_ANY, .help = "the provider's name as the family"},
    {NULL, SCHEMA_PART, .of = &extra_schema},
};
static const struct schema ollama_model_schema = SCHEMA_OPEN("OllamaListed", ollama_model_rows);

static const struct schema_member ollama_models_rows[] = {
    {"models", SCHEMA_LIST, .of = &ollama_model_schema, .help = "in the order of preference"},
};
static const struct schema ollama_models_schema = SCHEMA_OPEN("OllamaModels", ollama_models_rows);

/* ---- calls ---- */

static const struct schema_member chat_rows[] = {
    {"id", SCHEMA_TEXT | SCHEMA_OPTIONAL, .help = "the provider's"},
    {"object", SCHEMA_TEXT | SCHEMA_OPTIONAL, .help = "chat.completion"},
    {"created", SCHEMA_INTEGER | SCHEMA_OPTIONAL, .help = "seconds since 1970"},
    {"model", SCHEMA_TEXT | SCHEMA_OPTIONAL, .help = "provider/model"},
    {"choices", SCHEMA_ANYS, .help = "the answers"},
    {"usage", SCHEMA_ANY | SCHEMA_OPTIONAL, .help = "tokens"},
    {"maestro", SCHEMA_ANY | SCHEMA_OPTIONAL, .help = "the receipt, where one was asked for"},
};
static const struct schema chat_schema = SCHEMA_OPEN("ChatCompletion", chat_rows);

static const struct schema_member completion_rows[] = {
    {"id", SCHEMA_TEXT | SCHEMA_OPTIONAL, .help = "the provider's"},
    {"object", SCHEMA_TEXT | SCHEMA_OPTIONAL, .help = "text_completion"},
    {"created", SCHEMA_INTEGER | SCHEMA_OPTIONAL, .help = "seconds since 1970"},
    {"model", SCHEMA_TEXT | SCHEMA_OPTIONAL, .help = "provider/model"},
    {"choices", SCHEMA_ANYS, .help = "the answers"},
    {"usage", SCHEMA_ANY | SCHEMA_OPTIONAL, .help = "tokens"},
    {"maestro", SCHEMA_ANY | SCHEMA_OPTIONAL, .help = "the receipt, where one was asked for"},
};
static const struct schema completion_schema = SCHEMA_OPEN("Completion", completion_rows);

static const struct schema_member openapi_vendors_response_rows[] = {
    {"id", SCHEMA_TEXT, .help = "by which it can be read again where it is kept"},
    {"object", SCHEMA_WORD, .words = "response", .help = "what it is"},
    {"status", SCHEMA_TEXT | SCHEMA_OPTIONAL, .help = "how it ended"},
    {"model", SCHEMA_TEXT | SCHEMA_OPTIONAL, .help = "provider/model"},
    {"output", SCHEMA_ANYS, .help = "the answer's items"},
    {"usage", SCHEMA_ANY | SCHEMA_OPTIONAL, .help = "tokens"},
    {"maestro", SCHEMA_ANY | SCHEMA_OPTIONAL, .help = "the receipt, where one was asked for"},
};
const struct schema openapi_vendors_response = SCHEMA_OPEN("Response", openapi_vendors_response_rows);

static const struct schema_member embeddings_rows[] = {
    {"object", SCHEMA_TEXT | SCHEMA_OPTIONAL, .help = "list"},
    {"data", SCHEMA_ANYS, .help = "an embedding for each input"},
    {"model", SCHEMA_TEXT | SCHEMA_OPTIONAL, .help = "provider/model"},
    {"usage", SCHEMA_ANY | SCHEMA_OPTIONAL, .help = "tokens"},
};
static const struct schema embeddings_schema = SCHEMA_OPEN("Embeddings", embeddings_rows);

static const struct schema_member message_rows[] = {
    {"id", SCHEMA_TEXT | SCHEMA_OPTIONAL, .help = "the provider's"},
    {"type", SCHEMA_TEXT | SCHEMA_OPTIONAL, .help = "message"},
    {"role", SCHEMA_TEXT | SCHEMA_OPTIONAL, .help = "assistant"},
    {"model", SCHEMA_TEXT | SCHEMA_OPTIONAL, .help = "provider/model"},
    {"content", SCHEMA_ANYS, .help = "the answer's blocks"},
    {"stop_reason", SCHEMA_TEXT | SCHEMA_OPTIONAL | SCHEMA_NULL, .help = "why it ended"},
    {"usage", SCHEMA_ANY | SCHEMA_OPTIONAL, .help = "tokens"},
    {"maestro", SCHEMA_ANY | SCHEMA_OPTIONAL, .help = "the receipt, where one was asked for"},
};
static const struct schema message_schema = SCHEMA_OPEN("Message", message_rows);

static const struct schema_member message_count_rows[] = {
    {"input_tokens", SCHEMA_TOKENS, .help = "of the whole prompt"},
};
static const struct schema message_count_schema = SCHEMA_OPEN("MessageTokens", message_count_rows);

static const struct schema_member content_rows[] = {
    {"candidates", SCHEMA_ANYS | SCHEMA_OPTIONAL, .help = "the answers"},
    {"promptFeedback", SCHEMA_ANY | SCHEMA_OPTIONAL, .help = "why there is none"},
    {"usageMetadata", SCHEMA_ANY | SCHEMA_OPTIONAL, .help = "tokens"},
    {"modelVersion", SCHEMA_TEXT | SCHEMA_OPTIONAL, .help = "provider/model"},
    {"responseId", SCHEMA_TEXT | SCHEMA_OPTIONAL, .help = "the provider's"},
    {"maestro", SCHEMA_ANY | SCHEMA_OPTIONAL, .help = "the receipt, where one was asked for"},
};
static const struct schema content_schema = SCHEMA_OPEN("GeneratedContent", content_rows);

static const struct schema_member content_count_rows[] = {
    {"totalTokens", SCHEMA_TOKENS, .help = "of the whole prompt"},
};
static const struct schema content_count_schema = SCHEMA_OPEN("ContentTokens", content_count_rows);

static const struct schema_member content_embeddings_rows[] = {
    {"embedding", SCHEMA_ANY | SCHEMA_OPTIONAL, .help = "of one input"},
    {"embeddings", SCHEMA_ANYS | SCHEMA_OPTIONAL, .help = "of several"},
};
static const struct schema content_embeddings_schema = SCHEMA_OPEN("ContentEmbeddings", content_embeddings_rows);

static const struct schema_member ollama_chat_rows[] = {
    {"model", SCHEMA_TEXT | SCHEMA_OPTIONAL, .help = "provider/model"},
    {"created_at", SCHEMA_TEXT | SCHEMA_OPTIONAL, .help = "when"},
    {"message", SCHEMA_ANY, .help = "the answer"},
    {"done", SCHEMA_BOOL, .help = "whether this is the end"},
    {"done_reason", SCHEMA_TEXT | SCHEMA_OPTIONAL, .help = "why it ended"},
    {"maestro", SCHEMA_ANY | SCHEMA_OPTIONAL, .help = "the receipt, where one was asked for"},
};
static const struct schema ollama_chat_schema = SCHEMA_OPEN("OllamaChat", ollama_chat_rows);

static const struct schema_member ollama_generate_rows[] = {
    {"model", SCHEMA_TEXT | SCHEMA_OPTIONAL, .help = "provider/model"},
    {"created_at", SCHEMA_TEXT | SCHEMA_OPTIONAL, .help = "when"},
    {"response", SCHEMA_TEXT, .help = "the answer"},
    {"done", SCHEMA_BOOL, .help = "whether this is the end"},
    {"done_reason", SCHEMA_TEXT | SCHEMA_OPTIONAL, .help = "why it ended"},
    {"maestro", SCHEMA_ANY | SCHEMA_OPTIONAL, .help = "the receipt, where one was asked for"},
};
static const struct schema ollama_generate_schema = SCHEMA_OPEN("OllamaCompletion", ollama_generate_rows);

static const struct schema_member ollama_embed_rows[] = {
    {"model", SCHEMA_TEXT | SCHEMA_OPTIONAL, .help = "provider/model"},
    {"embeddings", SCHEMA_ANYS, .help = "an embedding for each input"},
};
static const struct schema ollama_embed_schema = SCHEMA_OPEN("OllamaEmbeddings", ollama_embed_rows);

static const struct schema_member ollama_embedding_rows[] = {
    {"embedding", SCHEMA_ANYS, .help = "of the input"},
};
static const struct schema ollama_embedding_schema = SCHEMA_OPEN("OllamaEmbedding", ollama_embedding_rows);

/* ---- what else there is ---- */

static const struct schema_member openapi_vendors_deleted_rows[] = {
    {"id", SCHEMA_TEXT, .help = "what it was"},
    {"object", SCHEMA_WORD, .words = "response", .help = "what it was"},
    {"deleted", SCHEMA_BOOL, .help = "always true"},
};
const struct schema openapi_vendors_deleted = SCHEMA_OF("DeletedResponse", openapi_vendors_deleted_rows);

static const struct schema_member openapi_vendors_items_rows[] = {
    {"object", SCHEMA_WORD, .words = "list", .help = "what it is"},
    {"data", SCHEMA_ANYS, .help = "the items"},
    {"first_id", SCHEMA_TEXT | SCHEMA_NULL, .help = "null: there is none"},
    {"last_id", SCHEMA_TEXT | SCHEMA_NULL, .help = "null: there is none"},
    {"has_more", SCHEMA_BOOL, .help = "whether there are more behind the last"},
};
const struct schema openapi_vendors_items = SCHEMA_OF("ResponseItems", openapi_vendors_items_rows);

static void put_object(struct buf *b) { buf_put(b, STR("{\"type\":\"object\"}")); }
const struct schema openapi_vendors_nothing = {.put = put_object}, openapi_vendors_document = {.put = put_object};

/* ---- the tables ---- */

static const struct openapi_vendor vendors[] = {
    {STR("openai"), "OpenAI", "text/event-stream", &openai_error_schema, &openai_models_schema, &openai_model_schema},
    {STR("anthropic"), "Anthropic", "text/event-stream", &anthropic_error_schema, &anthropic_models_schema,
     &anthropic_model_schema},
    {STR("gemini"), "Gemini", "text/event-stream", &gemini_error_schema, &gemini_models_schema, &gemini_model_schema},
    {STR("ollama"), "Ollama", "application/x-ndjson", &ollama_error_schema, &ollama_models_schema,
     &ollama_model_schema},
};

#define OPENAI(page) "https://platform.openai.com/docs/api-reference/" page
#define OLLAMA "https://github.com/ollama/ollama/blob/main/docs/api.md"
static const struct openapi_vendor_call calls[] = {
    {"openai_chat", GENERATE, "Chat completion", OPENAI("chat/create"), &chat_schema},
    {"openai_completions", COMPLETE, "Completion of a text", OPENAI("completions/create"), &completion_schema},
    {"openai_responses", GENERATE, "Response", OPENAI("responses/create"), &openapi_vendors_response},
    {"openai_embeddings", EMBED, "Embeddings", OPENAI("embeddings/create"), &embeddings_schema},
    {"anthropic", GENERATE, "Message", "https://docs.anthropic.com/en/api/messages", &message_schema},
    {"anthropic", COUNT, "Tokens of a message", "https://docs.anthropic.com/en/api/messages-count-tokens",
     &message_count_schema},
    {"gemini", GENERATE, "Content", "https://ai.google.dev/api/generate-content", &content_schema},
    {"gemini", COUNT, "Tokens of a prompt", "https://ai.google.dev/api/tokens", &content_count_schema},
    {"gemini_embed", EMBED, "Embeddings", "https://ai.google.dev/api/embeddings", &content_embeddings_schema},
    {"ollama", GENERATE, "Chat", OLLAMA, &ollama_chat_schema},
    {"ollama_generate", COMPLETE, "Completion of a text", OLLAMA, &ollama_generate_schema},
    {"ollama_generate", GENERATE, "Completion of a text", OLLAMA, &ollama_generate_schema},
    {"ollama_embed", EMBED, "Embeddings", OLLAMA, &ollama_embed_schema},
    {"ollama_embeddings", EMBED, "One embedding", OLLAMA, &ollama_embedding_schema},
};
#undef OPENAI
#undef OLLAMA

const struct openapi_vendor *openapi_vendors_of(const struct endpoint *e) {
  for (size_t i = 0; i < sizeof vendors / sizeof *vendors; i++)
    if (str_has_prefix(e->dialect->name, vendors[i].prefix)) return &vendors[i];
  return NULL;
}

const struct openapi_vendor_call *openapi_vendors_call(const struct endpoint *e) {
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
    if (calls[i].what == (e->what & OPERATION_MASK) && str_eq(e->dialect->name, str_from_c(calls[i].dialect)))
      return &calls[i];
  return NULL;
}
