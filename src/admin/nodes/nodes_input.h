/* The body of a change of nodes, as a table of fields (fields.h). */
#ifndef MAESTRO_ADMIN_NODES_INPUT_H
#define MAESTRO_ADMIN_NODES_INPUT_H

#include "admin/fields.h"
#include "state/node.h"
#include "state/people.h"

enum nodes_member {
  NODES_NAME = 1,
  NODES_CODE = 2,
  NODES_TYPE = 4,
  NODES_URL = 8,
  NODES_API_KEY = 0x10,
  NODES_AWS_SECRET = 0x20,
  NODES_AWS_TOKEN = 0x40,
  NODES_AUTH_MODE = 0x80,
  NODES_REGION = 0x100,
  NODES_HEADERS = 0x200,
  NODES_PRIORITY = 0x400,
  NODES_WEIGHT = 0x800,
  NODES_ACTIVE = 0x1000,
  NODES_WARMUP = 0x2000,
  NODES_SYNC = 0x4000,
  NODES_PRIVATE = 0x8000,
  NODES_USAGE = 0x10000,
  NODES_HEALTH_URL = 0x20000,
  NODES_TIMEOUTS = 0x400000,
  NODES_QUIRKS = 0x800000,
  NODES_SCOPED = 0x1000000,
  NODES_ALL = 0x3ffff | NODES_TIMEOUTS | NODES_QUIRKS | NODES_SCOPED,
  /* of models */
  NODES_AVAILABLE = 0x40000,
  NODES_CONTEXT = 0x80000,
  NODES_MODEL = 0x200000,
  /* of a batch */
  NODES_PRIORITIES = 0x100000
};

enum nodes_auth_mode { NODES_AUTH_IAM, NODES_AUTH_API_KEY, NODES_AUTH_MODES };

struct nodes_header {
  struct str name, value;
};
struct nodes_headers {
  struct nodes_header *v;
  size_t n;
};

struct nodes_timeouts {
  unsigned has; /* those of timeouts.def, in its order */
  struct config_timeouts v;
};

struct nodes_input {
  unsigned has; /* of enum nodes_member */
  struct str model, name, code, type, base_url, api_key, aws_secret_key, aws_session_token, region, health_url;
  unsigned auth_mode, usage; /* enum nodes_auth_mode; enum config_usage */
  struct nodes_headers headers;
  struct nodes_timeouts timeouts;
  struct field_strings quirks;
  int64_t priority, weight;
  bool is_active, is_warmup, is_sync, is_scoped, allow_private;
  bool is_available;
  int64_t context_tokens;          /* 0: as the node says */
  struct field_objects priorities; /* of struct nodes_priority */
  /* Not of the body: what the snapshot says beside it. */
  const struct config *config;           /* whose providers shadow nodes of their codes */
  bool has_private;                      /* egress.private: private addresses are allowed at all */
  struct field_strings nodes, read_only; /* that have the model: stored ones, declared ones */
};

struct nodes_priority {
  unsigned has;
  struct str node; /* code or number */
  int64_t priority;
};

extern const struct fields nodes_fields;
/* With CONFIG_TIMEOUT_UNSET for what has not come. */
struct config_timeouts nodes_timeouts_of(const struct nodes_timeouts *in);

/* A field's `read` (FIELD_OTHER, struct str) of what names a node: its number, as lists of nodes show it, its code, or,
 * where that is meant, a pattern of codes. A number becomes its digits. */
enum err nodes_read_ref(struct arena *a, const struct json_node *n, void *value, struct err_info *info);
#define NODES_REF_SCHEMA "\"type\":[\"string\",\"integer\"]"
/* The same of a list of them (struct field_strings), none twice. */
enum { NODES_REFS_MAX = USER_NODES_MAX };
enum err nodes_read_refs(struct arena *a, const struct json_node *n, void *value, struct err_info *info);
#define NODES_REFS_SCHEMA "\"type\":\"array\",\"items\":{" NODES_REF_SCHEMA "}"

/* "bedrock", "vllm", "groq" …: what a node may be. */
bool nodes_type_is_known(struct str type);

#endif
