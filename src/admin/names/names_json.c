/* Names as JSON: see names_json.h. */
#include "admin/names/names_json.h"

#include <stdio.h>

#include "admin/names/names_input.h"
#include "base/json_out.h"

static void put_times(struct buf *out, const struct names_row *row) {
  json_out_member_time(out, "created_at", row->created_us);
  json_out_member_time(out, "updated_at", row->updated_us);
}

static void put_source(struct buf *out, const struct names_row *row, bool is_shadowed) {
  json_out_member_string(out, "source", row->id ? STR("stored") : STR("declared"));
  json_out_member_bool(out, "shadowed", is_shadowed);
}

static void put_id(struct buf *out, const struct names_row *row) {
  json_out_key(out, "id");
  if (row->id)
    json_out_i64(out, row->id);
  else
    json_out_raw(out, STR_NONE);
}

void names_json_put_row(struct buf *out, enum names_kind kind, const void *row) {
  json_out_begin(out, '{');
  put_id(out, row);
  names_put_fields(out, kind, row);
  put_times(out, row);
  json_out_end(out, '}');
}

void names_json_put_rows(struct buf *out, const struct names_view *view, enum names_kind kind, struct page *page) {
  const struct names_table *t = &view->stored->of[kind];
  json_out_begin(out, '[');
  for (size_t i = 0; i < t->n; i++) {
    const struct names_row *row = (const void *)((const char *)t->v + i * names_row_bytes(kind));
    if (page_takes(page, row->id)) names_json_put_row(out, kind, row);
  }
  json_out_end(out, ']');
}

void names_json_put_setting(struct buf *out, const struct names_setting *s) {
  json_out_begin(out, '{');
  names_put_fields(out, NAMES_SETTING, s);
  json_out_member_time(out, "updated_at", s->row.updated_us);
  json_out_end(out, '}');
}

/* ---- aliases ---- */

static bool is_declared_alias(const struct names_view *view, const struct names_alias *a) {
  for (size_t i = 0; i < view->declared->of[NAMES_ALIAS].n; i++)
    if (str_eq(names_alias_at(view->declared, i)->name, a->name)) return true;
  return names_find_group(view->declared, a->name);
}

/* "198K" where it is a whole number of those, as people write it. */
static void put_context(struct buf *out, int64_t tokens) {
  char text[32];
  bool is_mega = tokens % (1024 * 1024) == 0, is_kilo = tokens % 1024 == 0;
  json_out_key(out, "context_length");
  if (tokens)
    json_out_i64(out, tokens);
  else
    json_out_raw(out, STR_NONE);
  snprintf(text, sizeof text, "%lld%s",
           (long long)(is_mega   ? tokens >> 20
                       : is_kilo ? tokens >> 10
                                 : tokens),
           is_mega   ? "M"
           : is_kilo ? "K"
                     : "");
  json_out_key(out, "context_length_display");
  if (tokens)
    json_out_string(out, str_from_c(text));
  else
    json_out_raw(out, STR_NONE);
}

static struct str type_of(const struct names_view *view, struct str node) {
  const struct config_provider *declared = config_provider_find(view->catalog->config, node);
  const struct node *stored = view->catalog->nodes ? nodes_find(view->catalog->nodes, node) : NULL;
  return declared ? declared->type : stored ? stored->p.type : STR_NONE;
}

/* Rows i … of one source that are one alias to one real name. */
static bool is_same(const struct names_alias *a, const struct names_alias *b) {
  return str_eq(a->name, b->name) && str_eq(a->real, b->real);
}

static void put_nodes(struct buf *out, const struct names_view *view, const struct names *from,
                      const struct names_alias *first, const char *key, bool of_types) {
  json_out_key(out, key);
  json_out_begin(out, '[');
  for (size_t i = 0; i < from->of[NAMES_ALIAS].n; i++) {
    const struct names_alias *a = names_alias_at(from, i);
    if (!is_same(a, first) || !a->node.n) continue;
    struct str text = of_types ? type_of(view, a->node) : a->node;
    if (text.n)
      json_out_string(out, text);
    else
      json_out_raw(out, STR_NONE);
  }
  json_out_end(out, ']');
}

static void put_alias(struct buf *out, const struct names_view *view, const struct names *from,
                      const struct names_alias *a) {
  json_out_begin(out, '{');
  put_id(out, &a->row);
  json_out_member_string(out, "display_name", a->name);
  json_out_member_string(out, "real_name", a->real);
  json_out_key(out, "node_id");
  if (a->node.n)
    json_out_string(out, a->node);
  else
    json_out_raw(out, STR_NONE);
  put_nodes(out, view, from, a, "node_ids", false);
  put_nodes(out, view, from, a, "node_names", false);
  put_nodes(out, view, from, a, "node_types", true);
  put_context(out, a->context_tokens);
  json_out_member_strings(out, "capabilities", a->capabilities.v, a->capabilities.n);
  put_source(out, &a->row, a->row.id && is_declared_alias(view, a));
  put_times(out, &a->row);
  json_out_end(out, '}');
}

/* Whether it is the first row of its alias and real name: one entry is shown for all of them. */
static bool is_first(const struct names *from, size_t i) {
  size_t earlier = 0;
  while (!is_same(names_alias_at(from, earlier), names_alias_at(from, i))) earlier++;
  return earlier == i;
}

void names_json_put_aliases(struct buf *out, const struct names_view *view, struct page *page) {
  const struct names *const sources[] = {view->declared, view->stored};
  json_out_begin(out, '[');
  for (size_t s = 0; s < 2; s++) {
    for (size_t i = 0; i < sources[s]->of[NAMES_ALIAS].n && !page->has_more; i++) {
      const struct names_alias *a = names_alias_at(sources[s], i);
      int64_t id = a->row.id ? a->row.id : page_declared_id(a->name, str_hash(a->real, 0));
      if (page_reaches(page, id) && is_first(sources[s], i) && page_has_room(page, id))
        put_alias(out, view, sources[s], a);
    }
  }
  json_out_end(out, ']');
}

/* Of one name; how many there are. */
static size_t put_named(struct buf *out, const struct names_view *view, struct str name, size_t most) {
  const struct names *const sources[] = {view->declared, view->stored};
  size_t n = 0;
  for (size_t s = 0; s < 2; s++) {
    for (size_t i = 0; i < sources[s]->of[NAMES_ALIAS].n && n < most; i++) {
      const struct names_alias *a = names_alias_at(sources[s], i);
      if (!str_eq(a->name, name) || !is_first(sources[s], i)) continue;
      put_alias(out, view, sources[s], a);
      n++;
    }
  }
  return n;
}

void names_json_put_alias(struct buf *out, const struct names_view *view, struct str name) {
  struct buf first;
  buf_init(&first, 0);
  json_out_begin(&first, '[');
  size_t n = put_named(&first, view, name, SIZE_MAX);
  json_out_end(&first, ']');
  if (first.failed) out->failed = true;
  if (n == 1) put_named(out, view, name, 1);
  if (n > 1) buf_put(out, buf_str(&first));
  buf_clear(&first);
}

/* ---- groups ---- */

static const struct names *group_source(const struct names_view *view, struct str name) {
  return names_find_group(view->declared, name) ? view->declared : view->stored;
}

static void put_members(struct buf *out, const struct names *from, struct str group) {
  json_out_begin(out, '[');
  for (size_t i = 0; i < from->of[NAMES_MEMBER].n; i++)
    if (str_eq(names_member_at(from, i)->group, group)) names_json_put_row(out, NAMES_MEMBER, names_member_at(from, i));
  json_out_end(out, ']');
}

void names_json_put_members(struct buf *out, const struct names_view *view, struct str group) {
  put_members(out, group_source(view, group), group);
}

static void put_group(struct buf *out, const struct names *from, const struct names_group *g, bool is_shadowed) {
  json_out_begin(out, '{');
  put_id(out, &g->row);
  names_put_fields(out, NAMES_GROUP, g);
  json_out_key(out, "members");
  put_members(out, from, g->name);
  put_source(out, &g->row, is_shadowed);
  put_times(out, &g->row);
  json_out_end(out, '}');
}

void names_json_put_group(struct buf *out, const struct names_view *view, struct str name) {
  const struct names *from = group_source(view, name);
  const struct names_group *g = names_find_group(from, name);
  if (g) put_group(out, from, g, false);
}

void names_json_put_groups(struct buf *out, const struct names_view *view, struct page *page) {
  const struct names *const sources[] = {view->declared, view->stored};
  size_t n = 0;
  json_out_begin(out, '{');
  json_out_key(out, "groups");
  json_out_begin(out, '[');
  for (size_t s = 0; s < 2; s++) {
    for (size_t i = 0; i < sources[s]->of[NAMES_GROUP].n; i++, n++) {
      const struct names_group *g = names_group_at(sources[s], i);
      if (page_takes(page, g->row.id ? g->row.id : page_declared_id(g->name, 0)))
        put_group(out, sources[s], g, s && names_find_group(view->declared, g->name));
    }
  }
  json_out_end(out, ']');
  json_out_member_i64(out, "total", (int64_t)n);
  json_out_end(out, '}');
}

void names_json_put_order(struct buf *out, const struct names *stored) {
  json_out_begin(out, '[');
  for (size_t i = 0; i < stored->of[NAMES_GROUP].n; i++) {
    json_out_begin(out, '{');
    json_out_member_string(out, "name", names_group_at(stored, i)->name);
    json_out_member_i64(out, "priority", names_group_at(stored, i)->priority);
    json_out_end(out, '}');
  }
  json_out_end(out, ']');
}

/* ---- what these are, for the API's description ---- */

/* A provider's name, or that with its priority. */
static void put_pin_schema(struct buf *out) { buf_put(out, STR(NAMES_PIN_SCHEMA("\"string\""))); }
static const struct schema pin_schema = {.put = put_pin_schema};

/* Rows of names.def: how names_put_fields writes each type. */
#define TEXT SCHEMA_TEXT
#define PROSE SCHEMA_TEXT
#define NUMBER SCHEMA_INTEGER
#define LIMIT SCHEMA_COUNT | SCHEMA_NULL
#define TOKENS SCHEMA_TOKENS | SCHEMA_NULL
#define FACTOR SCHEMA_NUMBER | SCHEMA_NULL
#define FLAG SCHEMA_BOOL
#define WORD SCHEMA_WORD
#define LIST SCHEMA_TEXTS | SCHEMA_NULL
#define NODE SCHEMA_TEXT
#define PINS SCHEMA_LIST | SCHEMA_NULL, .of = &pin_schema
#define K(KIND, name, word, query) static const struct schema_member KIND##_fields[] = {
#define F(KIND, name, member, key, type, min, max, def, words_, text) {key, type, .words = words_, .help = text},
#define E(KIND) \
  }             \
  ;             \
  static const struct schema KIND##_part = SCHEMA_OF(NULL, KIND##_fields);
#include "state/names.def"
#undef TEXT
#undef PROSE
#undef NUMBER
#undef LIMIT
#undef TOKENS
#undef FACTOR
#undef FLAG
#undef WORD
#undef LIST
#undef NODE
#undef PINS

static const struct schema_member id_rows[] = {
    {"id", SCHEMA_INTEGER | SCHEMA_NULL, .help = "null: it is declared in the configuration"},
};
static const struct schema id_schema = SCHEMA_OF(NULL, id_rows);
static const struct schema_member times_rows[] = {
    {"created_at", SCHEMA_TIME | SCHEMA_NULL, .help = "null: it is declared in the configuration"},
    {"updated_at", SCHEMA_TIME | SCHEMA_NULL, .help = "null: it is declared in the configuration"},
};
static const struct schema times_schema = SCHEMA_OF(NULL, times_rows);
static const struct schema_member source_rows[] = {
    {"source", SCHEMA_WORD, .words = "stored|declared",
     .help = "where it is kept; what is declared is changed in its file"},
    {"shadowed", SCHEMA_BOOL, .help = "whether a declared one of that name stands in front of it"},
};
static const struct schema source_schema = SCHEMA_OF(NULL, source_rows);

/* An alias is shown in a shape of its own, so its fields are not used as they are. */
static const struct schema_member member_rows[] = {
    {NULL, SCHEMA_PART, .of = &id_schema},
    {NULL, SCHEMA_PART, .of = &MEMBER_part},
    {NULL, SCHEMA_PART, .of = &times_schema},
};
const struct schema names_json_member_schema = SCHEMA_OF("GroupMember", member_rows);

static const struct schema_member tool_set_rows[] = {
    {NULL, SCHEMA_PART, .of = &id_schema},
    {NULL, SCHEMA_PART, .of = &TOOL_SET_part},
    {NULL, SCHEMA_PART, .of = &times_schema},
};
const struct schema names_json_tool_set_schema = SCHEMA_OF("ToolSet", tool_set_rows);

static const struct schema_member model_rows[] = {
    {NULL, SCHEMA_PART, .of = &id_schema},
    {NULL, SCHEMA_PART, .of = &MODEL_part},
    {NULL, SCHEMA_PART, .of = &times_schema},
};
const struct schema names_json_model_schema = SCHEMA_OF("ModelSettings", model_rows);

static const struct schema_member prompt_rows[] = {
    {NULL, SCHEMA_PART, .of = &id_schema},
    {NULL, SCHEMA_PART, .of = &PROMPT_part},
    {NULL, SCHEMA_PART, .of = &times_schema},
};
const struct schema names_json_prompt_schema = SCHEMA_OF("SystemPrompt", prompt_rows);

static const struct schema_member setting_rows[] = {
    {NULL, SCHEMA_PART, .of = &SETTING_part},
    {"updated_at", SCHEMA_TIME, .help = "when it was set"},
};
const struct schema names_json_setting_schema = SCHEMA_OF("Setting", setting_rows);

static const struct schema_member alias_rows[] = {
    {NULL, SCHEMA_PART, .of = &id_schema},
    {"display_name", SCHEMA_TEXT, .help = "the name that callers say"},
    {"real_name", SCHEMA_TEXT, .help = "what it stands for: a model, another alias or a group"},
    {"node_id", SCHEMA_TEXT | SCHEMA_NULL, .help = "the first of the only nodes where it holds; null: everywhere"},
    {"node_ids", SCHEMA_TEXTS, .help = "the only nodes where it holds; empty: everywhere"},
    {"node_names", SCHEMA_TEXTS, .help = "the same"},
    {"node_types", SCHEMA_TEXTS_OR_NULLS, .help = "their types; null: a node that is not there now"},
    {"context_length", SCHEMA_TOKENS | SCHEMA_NULL, .help = "null: not said"},
    {"context_length_display", SCHEMA_TEXT | SCHEMA_NULL, .help = "the same as people write it: 198K"},
    {"capabilities", SCHEMA_TEXTS, .help = "what the model can"},
    {NULL, SCHEMA_PART, .of = &source_schema},
    {NULL, SCHEMA_PART, .of = &times_schema},
};
const struct schema names_json_alias_schema = SCHEMA_OF("Alias", alias_rows);
static const struct schema_member group_rows[] = {
    {NULL, SCHEMA_PART, .of = &id_schema},
    {NULL, SCHEMA_PART, .of = &GROUP_part},
    {"members", SCHEMA_LIST, .of = &names_json_member_schema, .help = "in their order"},
    {NULL, SCHEMA_PART, .of = &source_schema},
    {NULL, SCHEMA_PART, .of = &times_schema},
};
const struct schema names_json_group_schema = SCHEMA_OF("Group", group_rows);
static const struct schema_member groups_rows[] = {
    {"groups", SCHEMA_LIST, .of = &names_json_group_schema, .help = "declared ones first"},
    {"total", SCHEMA_COUNT, .help = "how many"},
};
const struct schema names_json_groups_schema = SCHEMA_OF("Groups", groups_rows);
static const struct schema_member order_rows[] = {
    {"name", SCHEMA_TEXT, .help = "the group's name"},
    {"priority", SCHEMA_INTEGER, .help = "its place: lower first"},
};
const struct schema names_json_order_schema = SCHEMA_OF("GroupPlace", order_rows);
