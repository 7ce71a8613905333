/* The bodies of changes of names, as tables of fields (fields.h) made of names.def: one for each kind, with what its
 * resource takes beside the kind's own. */
#ifndef MAESTRO_ADMIN_NAMES_INPUT_H
#define MAESTRO_ADMIN_NAMES_INPUT_H

#include "admin/fields.h"
#include "state/names.h"

/* Each kind counts its fields from 0: NAMES_AT_<KIND>_<member> - NAMES_FIRST_<KIND>. */
enum names_at {
#define K(KIND, name, word, query) NAMES_FIRST_##KIND, NAMES_BEFORE_##KIND = NAMES_FIRST_##KIND - 1,
#define F(KIND, name, member, key, type, min, max, def, words, help) NAMES_AT_##KIND##_##member,
#define E(KIND) NAMES_END_##KIND, NAMES_LAST_##KIND = NAMES_END_##KIND - 1,
#include "state/names.def"
#undef E
#undef F
#undef K
};
/* In `has`. */
#define NAMES_BIT(KIND, member) (1u << (NAMES_AT_##KIND##_##member - NAMES_FIRST_##KIND))
/* Beside the kind's own. */
enum { NAMES_NODE_IDS = 1u << 20, NAMES_ORDER = 1u << 21, NAMES_IDS = 1u << 22, NAMES_OWN = (1u << 20) - 1 };

struct names_place { /* of {"groups": [{"name", "priority"}]} and {"members": [{"id", "priority"}]} */
  unsigned has;
  struct str name;
  int64_t id, priority;
};
struct names_ids {
  const int64_t *v;
  size_t n;
};

struct names_input {
  unsigned has;
  union names_any {
    struct names_row row;
#define K(KIND, name, word, query) struct names_##name name;
#include "state/names.def"
#undef K
  } row;
  struct field_strings node_ids;
  struct field_objects order; /* of struct names_place */
  struct names_ids ids;
};

/* By kind; that of aliases has NAMES_NODE_IDS as well. */
extern const struct fields names_input_fields[NAMES_KINDS];
extern const struct fields names_input_groups;  /* NAMES_ORDER */
extern const struct fields names_input_members; /* NAMES_ORDER, NAMES_IDS */
/* JSON Schema of a pin: a provider or node as one of `types`, alone or with a priority. */
#define NAMES_PIN_SCHEMA(types)                                                    \
  "{\"type\":[" types ",\"object\"],\"properties\":{\"node_id\":{\"type\":[" types \
  "]},\"priority\":{\"type\":\"integer\""                                          \
  ",\"minimum\":-1000000,\"maximum\":1000000}},\"required\":[\"node_id\"],\"additionalProperties\":false}"
/* A field's `read` (FIELD_OTHER, int64_t) of a context length: 128000, "198K" or "1M". */
enum err names_input_read_tokens(struct arena *a, const struct json_node *n, void *value, struct err_info *info);
/* Puts what has come in the place of what the row has. */
void names_input_overlay(enum names_kind kind, const struct names_input *in, void *row);

#endif
