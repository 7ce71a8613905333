/* The fields of nodes: see nodes_input.h. Two keys with one bit are two spellings of one member. */
#include "admin/nodes/nodes_input.h"

#include "admin/names/names_input.h"
#include "provider/provider.h"
#include "route/catalog.h"
#include "state/config/config_check.h"
#include "state/config/config_value.h"
#include "state/people.h"

enum { PRIORITY_MAX = 1000000, WEIGHT_MAX = 1000000, KEY_MAX = 8192 };

bool nodes_type_is_known(struct str type) { return provider_preset_by_name(type) || provider_type_by_name(type); }

static bool is_url(struct str s) { return !config_check_url(s); }
static bool is_header_value(struct str s) { return !config_check_header_value(s); }
static bool is_region(struct str s) { return !config_check_code(s); }

/* An object of names and values. */
static enum err read_headers(struct arena *a, const struct json_node *n, void *value, struct err_info *info) {
  struct nodes_headers out = {0};
  struct json_node node;
  enum err e = json_expect(n, JSON_OBJECT, info);
  if (!e && json_count(n) > NODE_HEADERS_MAX) e = fields_refuse(n, "has more than 32 members", info);
  if (!e) e = json_check_keys(n, NULL, 0, a, info);
  if (e) return e;
  out.v = ARENA_NEW_ARRAY(a, struct nodes_header, json_count(n) + 1);
  if (!out.v) return ERR_NO_MEMORY;
  for (struct json_iter it = json_each(n); json_next(&it, &node); out.n++) {
    struct nodes_header *h = &out.v[out.n];
    h->name = node.key;
    e = json_string(&node, &h->value, info);
    const char *why = e ? NULL : config_check_header_name(h->name);
    if (!e && !why) why = config_check_header_value(h->value);
    if (why) e = fields_refuse(&node, why, info);
    if (e) return e;
  }
  *(struct nodes_headers *)value = out;
  return OK;
}

/* As configuration files have it: a number, or text with a unit. null: the option's. */
static enum err read_ms(struct arena *a, const struct json_node *n, void *value, struct err_info *info) {
  bool is_text = json_type(n) == JSON_STRING;
  struct str text;
  uint64_t ms;
  (void)a;
  if (json_type(n) == JSON_NULL) {
    *(int32_t *)value = CONFIG_TIMEOUT_UNSET;
    return OK;
  }
  enum err e = is_text ? json_string(n, &text, info) : json_number_raw(n, &text, info);
  if (!e && (!config_value_ms(text, &ms) || ms > CONFIG_TIMEOUT_MAX_MS))
    e = fields_refuse(n, "must be a time of at most 86400000 milliseconds (3000, \"3s\"), or null", info);
  if (!e) *(int32_t *)value = (int32_t)ms;
  return e;
}

enum timeout_at {
#define X(member, camel, option, help) AT_##member,
#include "state/config/timeouts.def"
#undef X
};
static const struct field timeout_rows[] = {
#define X(member, camel, option, about)                                       \
  {STR(#member),      FIELD_OTHER,                                            \
   1u << AT_##member, offsetof(struct nodes_timeouts, v.member),              \
   .read = read_ms,   .schema = "\"type\":[\"integer\",\"string\",\"null\"]", \
   .help = about},
#include "state/config/timeouts.def"
#undef X
};
static const struct fields timeout_fields = {timeout_rows, sizeof timeout_rows / sizeof *timeout_rows,
                                             sizeof(struct nodes_timeouts)};

struct config_timeouts nodes_timeouts_of(const struct nodes_timeouts *in) {
  return (struct config_timeouts){
#define X(member, camel, option, help) in->has & 1u << AT_##member ? in->v.member : CONFIG_TIMEOUT_UNSET,
#include "state/config/timeouts.def"
#undef X
  };
}

#define TYPE_MUST "must be openai-compatible, ollama, vllm, anthropic or another type of docs/providers.md"
#define TYPE_HELP "the type of provider: openai-compatible, ollama, vllm, bedrock, anthropic, …"

static enum err read_type(struct arena *a, const struct json_node *n, void *value, struct err_info *info) {
  struct str s;
  enum err e = json_string(n, &s, info);
  if (e) return e;
  if (!nodes_type_is_known(s)) {
    const char *near = config_type_nearest(catalog_vocabulary(), s);
    struct str why = near ? arena_printf(a, TYPE_MUST "; did you mean \"%s\"?", near) : STR(TYPE_MUST);
    return why.p ? fields_refuse(n, why.p, info) : ERR_NO_MEMORY;
  }
  *(struct str *)value = s;
  return OK;
}

static bool is_quirk(struct str s) { return config_quirk_is_known(catalog_vocabulary(), s); }

enum err nodes_read_ref(struct arena *a, const struct json_node *n, void *value, struct err_info *info) {
  struct str s, *out = value;
  int64_t id;
  if (json_type(n) == JSON_NUMBER) {
    enum err e = json_i64(n, &id, info);
    if (!e && id <= 0) e = fields_refuse(n, "must be a node's number or code", info);
    if (e) return e;
    *out = arena_printf(a, "%lld", (long long)id);
    return out->p ? OK : ERR_NO_MEMORY;
  }
  enum err e = json_string(n, &s, info);
  if (!e && !user_pattern_is_valid(s)) e = fields_refuse(n, "must be a node's number or code", info);
  if (!e) *out = s;
  return e;
}

enum err nodes_read_refs(struct arena *a, const struct json_node *n, void *value, struct err_info *info) {
  struct json_node node;
  enum err e = json_expect(n, JSON_ARRAY, info);
  if (!e && json_count(n) > NODES_REFS_MAX) e = fields_refuse(n, "has too many elements", info);
  if (e) return e;
  struct str *v = ARENA_NEW_ARRAY(a, struct str, json_count(n) + 1);
  size_t done = 0;
  if (!v) return ERR_NO_MEMORY;
  for (struct json_iter it = json_each(n); json_next(&it, &node); done++) {
    e = nodes_read_ref(a, &node, &v[done], info);
    for (size_t i = 0; !e && i < done; i++)
      if (str_eq(v[i], v[done])) e = fields_refuse(&node, "comes twice", info);
    if (e) return e;
  }
  *(struct field_strings *)value = (struct field_strings){v, done};
  return OK;
}

static const char *const usages[] = {"option", "always", "none"};
static const char *const auth_modes[NODES_AUTH_MODES] = {"iam", "api_key"};

static const struct field priority_rows[] = {
    {STR("node_id"), FIELD_OTHER, 1, offsetof(struct nodes_priority, node), .read = nodes_read_ref,
     .schema = NODES_REF_SCHEMA, .help = "the node's number or code"},
    {STR("id"), FIELD_OTHER, 1, offsetof(struct nodes_priority, node), .read = nodes_read_ref,
     .schema = NODES_REF_SCHEMA, .help = "the same"},
    {STR("priority"), FIELD_INTEGER, 2, offsetof(struct nodes_priority, priority), .min = -PRIORITY_MAX,
     .max = PRIORITY_MAX, .help = "higher is preferred"}};
static const struct fields priority_fields = {priority_rows, sizeof priority_rows / sizeof *priority_rows,
                                              sizeof(struct nodes_priority)};

#define AT(member) offsetof(struct nodes_input, member)
#define TEXT(key, bit, member, check, text, about) \
  { STR(key), FIELD_STRING, bit, AT(member), .min = 1, .is_valid = check, .must = text, .help = about }
/* null takes it away. */
#define SECRET(key, bit, member, about)                                                              \
  {                                                                                                  \
    STR(key), FIELD_STRING, bit, AT(member), .min = 1, .max = KEY_MAX, .is_valid = is_header_value,  \
                                             .must = "must be text that a header can have, or null", \
                                             .is_nullable = true, .help = about                      \
  }
#define SWITCH(key, bit, member, about) \
  { STR(key), FIELD_BOOL, bit, AT(member), .help = about }
#define TYPE(key)                                                                                                    \
  {                                                                                                                  \
    STR(key), FIELD_OTHER, NODES_TYPE, AT(type), .read = read_type, .schema = "\"type\":\"string\",\"minLength\":1", \
                                                 .help = TYPE_HELP "; " TYPE_MUST                                    \
  }
#define REGION_MUST "must be 1 to 64 letters, digits, '-', '_' or '.'"
#define URL_MUST "must be an http or https address without user, query or fragment"

static const struct field rows[] = {
    TEXT("name", NODES_NAME, name, node_name_is_valid,
         "must have 1 to 100 bytes, no control characters, and no white space at its ends", "what people call it"),
    TEXT("code", NODES_CODE, code, node_code_is_valid, "must be 1 to 30 of a to z, 0 to 9, '-' and '_'",
         "what requests call it: node:<code>:<model>, <code>/<model>. Left out it is made of the name"),
    TYPE("node_type"),
    TYPE("type"),
    TEXT("base_url", NODES_URL, base_url, is_url, URL_MUST,
         "where its API begins; left out: the type's own. Another origin drops the credential"),
    SECRET("api_key", NODES_API_KEY, api_key, "its key, or the id of AWS's access key; never shown again"),
    SECRET("aws_secret_key", NODES_AWS_SECRET, aws_secret_key, "of AWS's access key; never shown again"),
    SECRET("aws_session_token", NODES_AWS_TOKEN, aws_session_token, "of a temporary one"),
    {STR("bedrock_auth_mode"), FIELD_CHOICE, NODES_AUTH_MODE, AT(auth_mode), .max = NODES_AUTH_MODES,
     .choices = auth_modes, .help = "what api_key is: an access key's id (iam) or a Bedrock API key"},
    TEXT("region", NODES_REGION, region, is_region, REGION_MUST, "of AWS"),
    TEXT("aws_region", NODES_REGION, region, is_region, REGION_MUST, "the same"),
    {STR("headers"), FIELD_OTHER, NODES_HEADERS, AT(headers), .read = read_headers, .is_nullable = true,
     .schema = "\"type\":[\"object\",\"null\"],\"additionalProperties\":{\"type\":\"string\"}",
     .help = "sent with every request; the values are never shown again"},
    {STR("priority"), FIELD_INTEGER, NODES_PRIORITY, AT(priority), .min = -PRIORITY_MAX, .max = PRIORITY_MAX,
     .help = "higher is preferred among providers of the same model"},
    {STR("weight"), FIELD_INTEGER, NODES_WEIGHT, AT(weight), .max = WEIGHT_MAX, .help = "its share among equals"},
    SWITCH("is_active", NODES_ACTIVE, is_active, "false: nothing is sent to it"),
    SWITCH("warmup_enabled", NODES_WARMUP, is_warmup, "kept for a later version"),
    SWITCH("auto_sync_enabled", NODES_SYNC, is_sync, "kept for a later version"),
    SWITCH(
        "scoped_models", NODES_SCOPED, is_scoped,
        "true: its models are asked only where the node is named: <code>/<model>, node:<code>:<model>, a member's pin"),
    SWITCH("allow_private", NODES_PRIVATE, allow_private, "its address may be of this machine or a private network"),
    {STR("usage"), FIELD_CHOICE, NODES_USAGE, AT(usage), .max = sizeof usages / sizeof *usages, .choices = usages,
     .help = "how its streams report tokens"},
    {STR("timeouts"), FIELD_OBJECT, NODES_TIMEOUTS, AT(timeouts), .element = &timeout_fields, .is_nullable = true,
     .help = "milliseconds, or \"10s\"; 0: no limit. All of them together: what is not said is as upstream.* says"},
    {STR("quirks"), FIELD_STRINGS, NODES_QUIRKS, AT(quirks), .max = CONFIG_QUIRKS_MAX, .is_valid = is_quirk,
     .must = "must be \"starts-in-think\" or \"bills-reasoning-apart\" (docs/providers.md)", .is_nullable = true,
     .help = "what is odd about it: \"starts-in-think\", \"bills-reasoning-apart\""},
    {STR("health_check_url"), FIELD_STRING, NODES_HEALTH_URL, AT(health_url), .min = 1, .is_valid = is_url,
     .must = URL_MUST, .is_nullable = true, .help = "asked by the health check; at the node's own origin"},
    TEXT("model_name", NODES_MODEL, model, node_model_name_is_valid,
         "must have 1 to 256 bytes, no control characters, and no white space at its ends", "as the node knows it"),
    SWITCH("is_available", NODES_AVAILABLE, is_available, "false: the model is not used"),
    {STR("context_length"), FIELD_OTHER, NODES_CONTEXT, AT(context_tokens), .read = names_input_read_tokens,
     .schema = "\"type\":[\"integer\",\"string\",\"null\"]", .is_nullable = true,
     .help = "tokens: 128000, \"198K\" or \"1M\"; null: as the node says"},
    {STR("priorities"), FIELD_OBJECTS, NODES_PRIORITIES, AT(priorities), .min = 1, .max = NODES_MAX,
     .element = &priority_fields, .element_required = 3, .help = "all of them are set, or none"}};

const struct fields nodes_fields = {rows, sizeof rows / sizeof *rows, sizeof(struct nodes_input)};
