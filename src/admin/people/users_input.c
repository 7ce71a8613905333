/* The fields of users: see users_input.h. */
#include "admin/people/users_input.h"

#include "admin/nodes/nodes_input.h"
#include "state/password.h"

#define AT(member) offsetof(struct users_input, member)
#define NAME(key, bit, member, text) \
  { STR(key), FIELD_STRING, bit, AT(member), .is_valid = user_name_is_valid, .must = USER_NAME_MUST, .help = text }
#define PATTERN_MUST "must have 1 to 256 bytes and no control characters"
#define PATTERN(key, bit, member, text) \
  { STR(key), FIELD_STRING, bit, AT(member), .is_valid = user_pattern_is_valid, .must = PATTERN_MUST, .help = text }
#define PATTERNS(key, bit, member, most, text)                                                                      \
  {                                                                                                                 \
    STR(key), FIELD_STRINGS, bit, AT(member), .max = most, .is_valid = user_pattern_is_valid, .must = PATTERN_MUST, \
                                              .help = text                                                          \
  }

static const char *const roles[USER_ROLE_COUNT] = {"user", "viewer", "operator", "admin"};

static const struct field rows[] = {
    NAME("username", USERS_USERNAME, username, "the user's name"),
    {STR("role"), FIELD_CHOICE, USERS_ROLE, AT(role), .max = USER_ROLE_COUNT, .choices = roles,
     .help = "what the user may do beyond inference"},
    {STR("is_active"), FIELD_BOOL, USERS_ACTIVE, AT(is_active), .help = "false: no token of the user is accepted"},
    PATTERNS("models", USERS_MODELS, models, USER_MODELS_MAX, "names or patterns of models that may be used"),
    {STR("has_all_models"), FIELD_BOOL, USERS_ALL_MODELS, AT(has_all_models), .help = "every model may be used"},
    {STR("can_manage_ollama"), FIELD_BOOL, USERS_OLLAMA, AT(can_manage_ollama),
     .help = "models of Ollama's nodes may be pulled, made and deleted"},
    {STR("expires_in_days"), FIELD_INTEGER, USERS_EXPIRES, AT(expires_in_days), .min = 1, .max = USERS_DAYS_MAX,
     .is_nullable = true, .must = "must be 1 to 36500, or null for a token that does not expire",
     .help = "until the token expires; null: never"},
    NAME("name", USERS_NAME, name, "the token's name"),
    {STR("node_id"), FIELD_OTHER, USERS_NODE_ID, AT(node_id), .read = nodes_read_ref, .schema = NODES_REF_SCHEMA,
     .help = "a node, or a pattern of nodes"},
    {STR("node_ids"), FIELD_OTHER, USERS_NODE_IDS, AT(node_ids), .read = nodes_read_refs, .schema = NODES_REFS_SCHEMA,
     .help = "nodes, or patterns of nodes"},
    {STR("password"), FIELD_STRING, USERS_PASSWORD, AT(password), .min = PASSWORD_BYTES_MIN, .max = PASSWORD_BYTES_MAX,
     .must = "must have 10 to 1024 bytes", .help = "what the user signs in to the administration with"},
    PATTERN("model_name", USERS_MODEL_NAME, model_name, "a model of the node, or a pattern"),
    {STR("team"), FIELD_STRING, USERS_TEAM, AT(team), .min = 1, .max = USER_NAME_MAX, .is_nullable = true,
     .must = "must be the name of a team, or null for none", .help = "the team that the user is in; null: none"}};

const struct fields users_fields = {rows, sizeof rows / sizeof *rows, sizeof(struct users_input)};
