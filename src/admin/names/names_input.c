/* The fields of names: see names_input.h. */
#include "admin/names/names_input.h"

#include "admin/nodes/nodes_input.h"

enum { ORDER_MAX = 1000 };

#define LINE_MUST "must be text of one line, not too long, without space at its ends, and not '.' or '..'"

/* Names stand in paths, which clients take "." and ".." out of. */
static bool is_line(struct str s) {
  if (str_eq(s, STR(".")) || str_eq(s, STR(".."))) return false;
  for (size_t i = 0; i < s.n; i++)
    if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f) return false;
  return str_is_utf8(s) && str_trim(s).n == s.n;
}

static bool is_prose(struct str s) {
  for (size_t i = 0; i < s.n; i++)
    if (((unsigned char)s.p[i] < 0x20 && s.p[i] != '\n' && s.p[i] != '\t' && s.p[i] != '\r') || s.p[i] == 0x7f)
      return false;
  return str_is_utf8(s);
}

enum err names_input_read_tokens(struct arena *a, const struct json_node *n, void *value, struct err_info *info) {
  static const char must[] = "must be a number of tokens: 128000, \"198K\" or \"1M\"";
  struct str text;
  int64_t tokens;
  (void)a;
  if (json_type(n) == JSON_STRING) {
    enum err e = json_string(n, &text, info);
    if (e) return e;
    if (!names_tokens_parse(text, &tokens)) return fields_refuse(n, must, info);
  } else if (json_i64(n, &tokens, NULL) || tokens < 1 || tokens > 1000000000) {
    return fields_refuse(n, must, info);
  }
  *(int64_t *)value = tokens;
  return OK;
}

static enum err read_list(struct arena *a, const struct json_node *n, void *value, struct err_info *info) {
  struct json_node node;
  enum err e = json_expect(n, JSON_ARRAY, info);
  if (!e && json_count(n) > NAMES_LIST_MAX) e = fields_refuse(n, "has too many elements", info);
  if (e) return e;
  struct str *v = ARENA_NEW_ARRAY(a, struct str, json_count(n) + 1);
  size_t at = 0;
  if (!v) return ERR_NO_MEMORY;
  for (struct json_iter it = json_each(n); json_next(&it, &node); at++) {
    e = json_string(&node, &v[at], info);
    if (!e && (!v[at].n || v[at].n > NAMES_TEXT_MAX || !is_line(v[at])))
      e = fields_refuse(&node, "must be a line of 1 to 256 bytes", info);
    if (e) return e;
  }
  *(struct names_list *)value = (struct names_list){v, at, true};
  return OK;
}

/* "" is everywhere. */
static enum err read_node(struct arena *a, const struct json_node *n, void *value, struct err_info *info) {
  struct str text;
  bool is_empty = json_type(n) == JSON_STRING && !json_string(n, &text, NULL) && !text.n;
  if (!is_empty) return nodes_read_ref(a, n, value, info);
  *(struct str *)value = text;
  return OK;
}

struct pin {
  unsigned has;
  struct str node;
  int64_t priority;
};

/* "gpu1", 3, or {"node_id": "gpu1", "priority": 5}. */
static enum err read_pin(struct arena *a, const struct json_node *n, struct str *node, int64_t *priority,
                         struct err_info *info) {
  static const struct field rows[] = {
      {STR("node_id"), FIELD_OTHER, 1, offsetof(struct pin, node), .read = nodes_read_ref},
      {STR("priority"), FIELD_INTEGER, 2, offsetof(struct pin, priority), .min = -NAMES_PRIORITY_MAX,
       .max = NAMES_PRIORITY_MAX}};
  static const struct fields fields = {rows, sizeof rows / sizeof *rows, sizeof(struct pin)};
  struct pin pin;
  if (json_type(n) != JSON_OBJECT) return nodes_read_ref(a, n, node, info);
  enum err e = fields_read_node(a, n, &fields, ~0u, 1, &pin, info);
  *node = pin.node;
  *priority = pin.priority;
  return e;
}

static enum err read_pins(struct arena *a, const struct json_node *n, void *value, struct err_info *info) {
  struct json_node one;
  enum err e = json_expect(n, JSON_ARRAY, info);
  if (!e && json_count(n) > NAMES_PINS_MAX) e = fields_refuse(n, "has more than 64 elements", info);
  if (e) return e;
  struct str *v = ARENA_NEW_ARRAY(a, struct str, json_count(n) + 1);
  int64_t *priority = ARENA_NEW_ARRAY(a, int64_t, json_count(n) + 1);
  size_t done = 0;
  if (!v || !priority) return ERR_NO_MEMORY;
  for (struct json_iter it = json_each(n); json_next(&it, &one); done++) {
    e = read_pin(a, &one, &v[done], &priority[done], info);
    for (size_t i = 0; !e && i < done; i++)
      if (str_eq(v[i], v[done])) e = fields_refuse(&one, "comes twice", info);
    if (e) return e;
  }
  *(struct names_pins *)value = (struct names_pins){{v, done, true}, priority};
  return OK;
}

static enum err read_ids(struct arena *a, const struct json_node *n, void *value, struct err_info *info) {
  struct json_node node;
  enum err e = json_expect(n, JSON_ARRAY, info);
  if (!e && json_count(n) > ORDER_MAX) e = fields_refuse(n, "has too many elements", info);
  if (e) return e;
  int64_t *v = ARENA_NEW_ARRAY(a, int64_t, json_count(n) + 1);
  size_t at = 0;
  if (!v) return ERR_NO_MEMORY;
  for (struct json_iter it = json_each(n); json_next(&it, &node); at++)
    if ((e = json_i64(&node, &v[at], info))) return e;
  *(struct names_ids *)value = (struct names_ids){v, at};
  return OK;
}

static const char *const strategies[] = {"round_robin", "weighted", "priority"};
static const char *const scopes[] = {"global", "user", "node", "group", "model", "mapping"};

/* The word lists of names.def as arrays. */
#define CHOICES_GROUP_strategy strategies, .max = sizeof strategies / sizeof *strategies
#define CHOICES_PROMPT_scope scopes, .max = sizeof scopes / sizeof *scopes

#define AT(name, member) offsetof(struct names_input, row) + offsetof(struct names_##name, member)
#define ROW_TEXT(KIND, name, member, least, most, def) \
  .type = FIELD_STRING, .min = least, .max = most, .is_valid = is_line, .must = LINE_MUST, .is_nullable = (least) == 0
#define ROW_PROSE(KIND, name, member, least, most, def)                  \
  .type = FIELD_STRING, .min = least, .max = most, .is_valid = is_prose, \
  .must = "must be text without control characters", .is_nullable = (least) == 0
#define ROW_NUMBER(KIND, name, member, least, most, def) .type = FIELD_INTEGER, .min = least, .max = most
#define ROW_LIMIT(KIND, name, member, least, most, def) \
  .type = FIELD_INTEGER, .min = least, .max = most, .is_nullable = true, .none = def
#define ROW_TOKENS(KIND, name, member, least, most, def)                     \
  .type = FIELD_OTHER, .read = names_input_read_tokens, .is_nullable = true, \
  .schema = "\"type\":[\"integer\",\"string\",\"null\"]"
#define ROW_FACTOR(KIND, name, member, least, most, def)                                                             \
  .type = FIELD_USD, .min = least, .max = most, .must = "must be above 0 and at most 1000, with at most 9 decimals", \
  .is_nullable = true, .none = def
#define ROW_FLAG(KIND, name, member, least, most, def) .type = FIELD_BOOL
#define ROW_WORD(KIND, name, member, least, most, def) .type = FIELD_CHOICE, .choices = CHOICES_##KIND##_##member
#define ROW_LIST(KIND, name, member, least, most, def)         \
  .type = FIELD_OTHER, .read = read_list, .is_nullable = true, \
  .schema = "\"type\":[\"array\",\"null\"],\"items\":{\"type\":\"string\"}"

#define ROW_NODE(KIND, name, member, least, most, def) \
  .type = FIELD_OTHER, .read = read_node, .is_nullable = true, .schema = "\"type\":[\"string\",\"integer\",\"null\"]"
#define ROW_PINS(KIND, name, member, least, most, def)         \
  .type = FIELD_OTHER, .read = read_pins, .is_nullable = true, \
  .schema = "\"type\":[\"array\",\"null\"],\"items\":" NAMES_PIN_SCHEMA("\"string\",\"integer\"")

/* Aliases are the first kind, and their resource takes a list beside their rows' fields. */
static const struct field own[] = {
    {.key = STR("node_ids"),
     .type = FIELD_OTHER,
     .bit = NAMES_NODE_IDS,
     .offset = offsetof(struct names_input, node_ids),
     .read = nodes_read_refs,
     .is_nullable = true,
     .schema = "\"type\":[\"array\",\"null\"],\"items\":{" NODES_REF_SCHEMA "}",
     .help = "The only providers where it holds; none: everywhere."},
#define F(KIND, name, member, word, TYPE, least, most, def, words, text) \
  {.key = STR(word),                                                     \
   .bit = NAMES_BIT(KIND, member),                                       \
   .offset = AT(name, member),                                           \
   .help = text,                                                         \
   ROW_##TYPE(KIND, name, member, least, most, def)},
#include "state/names.def"
#undef F
};

const struct fields names_input_fields[NAMES_KINDS] = {
#define E(KIND)                                                              \
  [NAMES_##KIND] = {own + (NAMES_FIRST_##KIND ? 1 + NAMES_FIRST_##KIND : 0), \
                    NAMES_END_##KIND - NAMES_FIRST_##KIND + (NAMES_FIRST_##KIND ? 0 : 1), sizeof(struct names_input)},
#include "state/names.def"
#undef E
};

#define PLACE(member) offsetof(struct names_place, member)
/* A priority between the two that it may stand beside. */
static const struct field place_rows[] = {
    {.key = STR("name"), .type = FIELD_STRING, .bit = 1, .offset = PLACE(name), .min = 1, .max = NAMES_TEXT_MAX},
    {.key = STR("priority"),
     .type = FIELD_INTEGER,
     .bit = 2,
     .offset = PLACE(priority),
     .min = -1000000,
     .max = 1000000},
    {.key = STR("id"), .type = FIELD_INTEGER, .bit = 4, .offset = PLACE(id), .min = 1, .max = INT64_MAX},
};
static const struct fields group_places = {place_rows, 2, sizeof(struct names_place)};
static const struct fields member_places = {place_rows + 1, 2, sizeof(struct names_place)};

static const struct field group_order[] = {{.key = STR("groups"),
                                            .type = FIELD_OBJECTS,
                                            .bit = NAMES_ORDER,
                                            .offset = offsetof(struct names_input, order),
                                            .min = 1,
                                            .max = ORDER_MAX,
                                            .element = &group_places,
                                            .element_required = 1 | 2,
                                            .help = "All in one."}};
const struct fields names_input_groups = {group_order, 1, sizeof(struct names_input)};

static const struct field member_order[] = {{.key = STR("members"),
                                             .type = FIELD_OBJECTS,
                                             .bit = NAMES_ORDER,
                                             .offset = offsetof(struct names_input, order),
                                             .min = 1,
                                             .max = ORDER_MAX,
                                             .element = &member_places,
                                             .element_required = 2 | 4,
                                             .help = "All in one."},
                                            {.key = STR("member_ids"),
                                             .type = FIELD_OTHER,
                                             .bit = NAMES_IDS,
                                             .offset = offsetof(struct names_input, ids),
                                             .read = read_ids,
                                             .schema = "\"type\":\"array\",\"items\":{\"type\":\"integer\"}",
                                             .help = "The members in their order."}};
const struct fields names_input_members = {member_order, 2, sizeof(struct names_input)};

static const size_t sizes[] = {
    [NAMES_TEXT] = sizeof(struct str),
    [NAMES_PROSE] = sizeof(struct str),
    [NAMES_NUMBER] = sizeof(int64_t),
    [NAMES_LIMIT] = sizeof(int64_t),
    [NAMES_TOKENS] = sizeof(int64_t),
    [NAMES_FACTOR] = sizeof(int64_t),
    [NAMES_FLAG] = sizeof(bool),
    [NAMES_WORD] = sizeof(unsigned),
    [NAMES_LIST] = sizeof(struct names_list),
    [NAMES_PINS] = sizeof(struct names_pins),
};

void names_input_overlay(enum names_kind kind, const struct names_input *in, void *row) {
  size_t n;
  const struct names_field *f = names_fields(kind, &n);
  for (size_t i = 0; i < n; i++)
    if (in->has & (1u << i)) memcpy((char *)row + f[i].offset, (const char *)&in->row + f[i].offset, sizes[f[i].type]);
}
