/* The body of a change of users, as a table of fields (fields.h). */
#ifndef MAESTRO_ADMIN_USERS_INPUT_H
#define MAESTRO_ADMIN_USERS_INPUT_H

#include "admin/fields.h"
#include "state/people.h"

enum users_member {
  USERS_USERNAME = 1,
  USERS_ROLE = 2,
  USERS_ACTIVE = 4,      /* is_active */
  USERS_MODELS = 8,      /* names or patterns */
  USERS_ALL_MODELS = 16, /* has_all_models */
  USERS_EXPIRES = 32,    /* expires_in_days: 1 to USERS_DAYS_MAX, or null for never */
  USERS_NAME = 64,       /* of a token */
  USERS_NODE_ID = 128,
  USERS_NODE_IDS = 256,
  USERS_MODEL_NAME = 512,
  USERS_TEAM = 1024, /* null: none */
  USERS_PASSWORD = 2048,
  USERS_OLLAMA = 4096 /* can_manage_ollama */
};

enum { USERS_DAYS_MAX = 36500 };

struct users_input {
  unsigned has; /* of enum users_member */
  struct str username, name, node_id, model_name, team, password;
  unsigned role; /* enum user_role */
  bool is_active, has_all_models, can_manage_ollama;
  int64_t expires_in_days; /* 0: never */
  struct field_strings models, node_ids;
};

extern const struct fields users_fields;

#endif
