/* The body of a change of users, checked: every member that the operation takes, of the right type and range, none that
 * it does not take. Pure; memory from the caller's arena. */
#ifndef MAESTRO_ADMIN_USERS_INPUT_H
#define MAESTRO_ADMIN_USERS_INPUT_H

#include "state/people.h"

enum users_member {
  USERS_USERNAME = 1,
  USERS_ROLE = 2,
  USERS_ACTIVE = 4,      /* is_active */
  USERS_MODELS = 8,      /* names or patterns */
  USERS_ALL_MODELS = 16, /* has_all_models */
  USERS_EXPIRES = 32,    /* expires_in_days: 1 to 36500, or null for never */
  USERS_NAME = 64,       /* of a token */
  USERS_NODE_ID = 128,
  USERS_NODE_IDS = 256,
  USERS_MODEL_NAME = 512
};

struct users_input {
  unsigned has; /* of enum users_member */
  struct str username, name, node_id, model_name;
  enum user_role role;
  bool is_active, has_all_models;
  uint64_t expires_in_days; /* 0: never */
  const struct str *models, *node_ids;
  size_t model_count, node_count;
};

/* An empty body is an empty object. Malformed JSON is ERR_BAD_JSON (400); what is in it has status 422 and the member's
 * path in *info. */
enum err users_input_read(struct arena *a, struct str body, unsigned allowed, unsigned required,
                          struct users_input *out, struct err_info *info) MUST_CHECK;

#endif
