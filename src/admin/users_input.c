/* The fields of users: see users_input.h. */
#include "admin/users_input.h"

enum { DAYS_MAX = 36500 };

#define AT(member) offsetof(struct users_input, member)
#define NAME(key, bit, member, text)                                                                       \
  {                                                                                                        \
    STR(key), FIELD_STRING, bit, AT(member),                                                               \
        .is_valid = user_name_is_valid,                                                                    \
        .must = "must have 1 to 128 bytes, no control characters, no '/', and no white space at its ends", \
        .help = text                                                                                       \
  }
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
    {STR("expires_in_days"), FIELD_INTEGER, USERS_EXPIRES, AT(expires_in_days), .min = 1, .max = DAYS_MAX,
     .is_nullable = true, .must = "must be 1 to 36500, or null for a token that does not expire",
     .help = "until the token expires; null: never"},
    NAME("name", USERS_NAME, name, "the token's name"),
    PATTERN("node_id", USERS_NODE_ID, node_id, "a node, or a pattern of nodes"),
    PATTERNS("node_ids", USERS_NODE_IDS, node_ids, USER_NODES_MAX, "nodes, or patterns of nodes"),
    PATTERN("model_name", USERS_MODEL_NAME, model_name, "a model of the node, or a pattern"),
    {STR("team"), FIELD_STRING, USERS_TEAM, AT(team), .min = 1, .max = USER_NAME_MAX, .is_nullable = true,
     .must = "must be the name of a team, or null for none", .help = "the team that the user is in; null: none"}};

const struct fields users_fields = {rows, sizeof rows / sizeof *rows, sizeof(struct users_input)};
