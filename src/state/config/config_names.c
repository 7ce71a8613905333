/* Declared aliases and groups of maestro.json, all or nothing. Whether they lead anywhere is asked where the models are
 * known (route/route_names.c); here, whether two have one name. */
#include "state/config/config_load.h"

enum { ENTRIES_MAX = 2000, MEMBERS_MAX = 256 };

static bool read_list(struct config_read *r, yyjson_val *key, yyjson_val *val, struct names_list *out) {
  struct config_strings strings;
  if (!config_read_strings(r, key, val, 64, &strings)) return false;
  *out = (struct names_list){strings.items, strings.n, true};
  return true;
}

static void read_context(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  if (!names_tokens_parse(config_read_text(val), &((struct names_alias *)out)->context_tokens))
    config_read_fault(r, key, val, NULL, "must be a number of tokens: 128000, \"198K\" or \"1M\"");
}
static void read_alias_model(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  config_read_string(r, key, val, 1, 256, &((struct names_alias *)out)->real);
}
static void read_alias_node(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  config_read_string(r, key, val, 1, 256, &((struct names_alias *)out)->node);
}
static void read_capabilities(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  read_list(r, key, val, &((struct names_alias *)out)->capabilities);
}

static const struct config_member alias_members[] = {{"model realName real_name", read_alias_model},
                                                     {"node", read_alias_node},
                                                     {"contextLength context_length", read_context},
                                                     {"capabilities", read_capabilities}};

/* A key of `aliases` or `groups`: what a caller would say. */
static bool read_name(struct config_read *r, yyjson_val *key, struct str *out) {
  return config_read_string(r, NULL, key, 1, 256, out);
}

static void *add(struct config_loader *l, struct config_read *r, enum names_kind kind, yyjson_val *key,
                 yyjson_val *val) {
  struct names_row *row = names_add(&l->c->names, kind);
  if (row)
    row->place = config_read_place(r, key, val);
  else
    r->is_no_memory = true;
  return row;
}

/* Two of one name, wherever they stand. */
static void refuse_second(struct config_read *r, yyjson_val *key, yyjson_val *val, const struct names_row *first,
                          const char *what) {
  config_read_fault(r, key, val, NULL, "is %s already in line %u of %.*s", what, first->place.line,
                    STR_ARG(first->place.file));
}

static void read_alias(struct config_loader *l, struct config_read *r, struct str name, yyjson_val *key,
                       yyjson_val *val) {
  struct names_alias *a = add(l, r, NAMES_ALIAS, key, val);
  const struct names *n = &l->c->names;
  if (!a) return;
  a->name = name;
  if (yyjson_is_str(val))
    config_read_string(r, key, val, 1, 256, &a->real);
  else
    config_read_members(r, key, val, alias_members, sizeof alias_members / sizeof *alias_members, CONFIG_ERROR, a);
  if (!a->real.n && !r->is_bad) config_read_fault(r, key, val, NULL, "needs \"model\": what the name stands for");
  for (size_t i = 0; i + 1 < n->of[NAMES_ALIAS].n; i++) {
    const struct names_alias *other = names_alias_at(n, i);
    if (str_eq(other->name, name) && str_eq(other->node, a->node)) refuse_second(r, key, val, &other->row, "an alias");
  }
}

static bool open_map(struct config_read *r, yyjson_val *key, yyjson_val *val) {
  if (!yyjson_is_obj(val)) {
    config_read_wrong_type(r, key, val, "an object of names");
    return false;
  }
  if (yyjson_obj_size(val) > ENTRIES_MAX) {
    config_read_fault(r, key, val, NULL, "more than %d names", ENTRIES_MAX);
    return false;
  }
  config_read_duplicates(r, val);
  return true;
}

void config_load_aliases(struct config_loader *l, struct config_read *r, yyjson_val *key, yyjson_val *map) {
  if (!open_map(r, key, map)) return;
  yyjson_obj_iter iter = yyjson_obj_iter_with(map);
  for (yyjson_val *at; (at = yyjson_obj_iter_next(&iter));) {
    yyjson_val *val = yyjson_obj_iter_get_val(at), *one;
    size_t mark = config_read_push(r, config_read_text(at)), i, n;
    struct str name;
    if (!config_read_is_first(map, at) || !read_name(r, at, &name)) {
      /* reported */
    } else if (!yyjson_is_arr(val)) {
      read_alias(l, r, name, at, val);
    } else {
      if (yyjson_arr_size(val) > MEMBERS_MAX) config_read_fault(r, at, val, NULL, "more than %d rows", MEMBERS_MAX);
      yyjson_arr_foreach(val, i, n, one) {
        size_t inner = config_read_push_index(r, i);
        if (i < MEMBERS_MAX) read_alias(l, r, name, NULL, one);
        config_read_pop(r, inner);
      }
    }
    config_read_pop(r, mark);
  }
}

/* ---- groups ---- */

struct group_reading {
  struct config_loader *l;
  struct names_group g;
  yyjson_val *members_key, *members;
};

static struct names_group *group(void *out) { return &((struct group_reading *)out)->g; }

static void read_strategy(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  static const char *const names[] = {"round_robin", "weighted", "priority"};
  config_read_enum(r, key, val, names, 3, &group(out)->strategy);
}
static void read_description(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  config_read_string(r, key, val, 0, 4096, &group(out)->description);
}
static void read_active(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  config_read_bool(r, key, val, &group(out)->is_active);
}
static void read_listed(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  config_read_bool(r, key, val, &group(out)->is_listed);
}
static void read_group_priority(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  int32_t priority;
  if (config_read_i32(r, key, val, -1000000, 1000000, &priority)) group(out)->priority = priority;
}
static void read_retries(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  uint32_t retries;
  if (config_read_u32(r, key, val, 0, 100, &retries)) group(out)->max_retries = retries;
}
static void read_members(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  struct group_reading *g = out;
  if (!yyjson_is_arr(val) || yyjson_arr_size(val) > MEMBERS_MAX) {
    config_read_fault(r, key, val, "write [\"model\", {\"model\": \"other\", \"weight\": 2}]",
                      "must be an array of at most %d members", MEMBERS_MAX);
    return;
  }
  g->members_key = key;
  g->members = val;
}

static const struct config_member group_members[] = {
    {"strategy", read_strategy},
    {"members", read_members},
    {"description", read_description},
    {"active is_active", read_active},
    {"listInCatalog list_in_catalog", read_listed},
    {"priority", read_group_priority},
    {"maxFailoverRetries max_failover_retries maxRetries", read_retries},
};

static void read_member_model(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  config_read_string(r, key, val, 1, 256, &((struct names_member *)out)->model);
}
static void read_member_weight(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  uint32_t weight;
  if (config_read_u32(r, key, val, 0, 1000000, &weight)) ((struct names_member *)out)->weight = weight;
}
static void read_member_priority(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  int32_t priority;
  if (config_read_i32(r, key, val, -1000000, 1000000, &priority)) ((struct names_member *)out)->priority = priority;
}
static void read_member_fallback(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  config_read_bool(r, key, val, &((struct names_member *)out)->is_fallback);
}
static void read_member_fallback_413(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  config_read_bool(r, key, val, &((struct names_member *)out)->is_fallback_413);
}
static void read_member_source(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  config_read_bool(r, key, val, &((struct names_member *)out)->is_metadata_source);
}
static void read_member_active(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  config_read_bool(r, key, val, &((struct names_member *)out)->is_active);
}

struct pin {
  struct str node;
  int32_t priority;
};
static void read_pin_node(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  config_read_string(r, key, val, 1, 256, &((struct pin *)out)->node);
}
static void read_pin_priority(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  config_read_i32(r, key, val, -NAMES_PRIORITY_MAX, NAMES_PRIORITY_MAX, &((struct pin *)out)->priority);
}
static const struct config_member pin_members[] = {
    {"node node_id", read_pin_node},
    {"priority", read_pin_priority},
};

/* "gpu1", or {"node": "gpu1", "priority": 5}. */
static struct pin read_pin(struct config_read *r, size_t i, yyjson_val *val) {
  struct pin pin = {0};
  size_t mark = config_read_push_index(r, i);
  if (yyjson_is_obj(val))
    config_read_members(r, NULL, val, pin_members, sizeof pin_members / sizeof *pin_members, CONFIG_ERROR, &pin);
  else
    config_read_string(r, NULL, val, 1, 256, &pin.node);
  if (!pin.node.n && !r->is_bad) config_read_fault(r, NULL, val, NULL, "needs \"node\"");
  config_read_pop(r, mark);
  return pin;
}

static void read_member_pins(struct config_read *r, yyjson_val *key, yyjson_val *val, void *out) {
  size_t count = yyjson_arr_size(val), i, n;
  yyjson_val *one;
  if (!yyjson_is_arr(val) || count > NAMES_PINS_MAX) {
    config_read_fault(r, key, val, "write [\"gpu1\", {\"node\": \"gpu2\", \"priority\": 1}]",
                      "must be an array of at most %d providers", NAMES_PINS_MAX);
    return;
  }
  struct str *nodes = ARENA_NEW_ARRAY(r->arena, struct str, count + 1);
  int64_t *priority = ARENA_NEW_ARRAY(r->arena, int64_t, count + 1);
  if (!nodes || !priority) {
    r->is_no_memory = true;
    return;
  }
  struct names_pins *pins = &((struct names_member *)out)->pins;
  yyjson_arr_foreach(val, i, n, one) {
    struct pin pin = read_pin(r, i, one);
    nodes[i] = pin.node;
    priority[i] = pin.priority;
  }
  *pins = (struct names_pins){{nodes, count, true}, priority};
  if ((i = names_pins_double(pins)) < count && !r->is_bad)
    config_read_fault(r, key, val, NULL, "\"%.*s\" comes twice", STR_ARG(nodes[i]));
}

static const struct config_member member_members[] = {
    {"model", read_member_model},
    {"weight", read_member_weight},
    {"priority", read_member_priority},
    {"fallback is_fallback", read_member_fallback},
    {"fallback413 is_fallback_413", read_member_fallback_413},
    {"metadataSource is_metadata_source", read_member_source},
    {"active is_active", read_member_active},
    {"nodes", read_member_pins},
};

static void read_member(struct config_loader *l, struct config_read *r, struct str name, size_t first,
                        yyjson_val *val) {
  struct names_member *m = add(l, r, NAMES_MEMBER, NULL, val);
  const struct names *n = &l->c->names;
  if (!m) return;
  m->group = name;
  if (yyjson_is_str(val))
    config_read_string(r, NULL, val, 1, 256, &m->model);
  else
    config_read_members(r, NULL, val, member_members, sizeof member_members / sizeof *member_members, CONFIG_ERROR, m);
  if (!m->model.n && !r->is_bad) config_read_fault(r, NULL, val, NULL, "needs \"model\"");
  for (size_t i = first; i + 1 < n->of[NAMES_MEMBER].n; i++) {
    const struct names_member *other = names_member_at(n, i);
    if (str_eq(other->model, m->model)) refuse_second(r, NULL, val, &other->row, "a member");
    if (names_are_two_sources(other, m))
      config_read_fault(r, NULL, val, "a group is shown as one member only",
                        "\"metadataSource\" is said in line %u of %.*s already", other->row.place.line,
                        STR_ARG(other->row.place.file));
  }
}

static void read_group(struct config_loader *l, struct config_read *r, struct str name, yyjson_val *key,
                       yyjson_val *val) {
  struct group_reading reading = {.l = l};
  struct names_group *g = add(l, r, NAMES_GROUP, key, val);
  size_t first = l->c->names.of[NAMES_MEMBER].n, i, n;
  yyjson_val *one;
  if (!g) return;
  g->name = name;
  reading.g = *g;
  config_read_members(r, key, val, group_members, sizeof group_members / sizeof *group_members, CONFIG_ERROR, &reading);
  *g = reading.g;
  size_t mark = config_read_push(r, STR("members"));
  yyjson_arr_foreach(reading.members, i, n, one) {
    size_t inner = config_read_push_index(r, i);
    read_member(l, r, name, first, one);
    config_read_pop(r, inner);
  }
  config_read_pop(r, mark);
}

void config_load_groups(struct config_loader *l, struct config_read *r, yyjson_val *key, yyjson_val *map) {
  if (!open_map(r, key, map)) return;
  yyjson_obj_iter iter = yyjson_obj_iter_with(map);
  for (yyjson_val *at; (at = yyjson_obj_iter_next(&iter));) {
    size_t mark = config_read_push(r, config_read_text(at));
    struct str name;
    if (config_read_is_first(map, at) && read_name(r, at, &name))
      read_group(l, r, name, at, yyjson_obj_iter_get_val(at));
    config_read_pop(r, mark);
  }
}

/* Both may stand anywhere in the file, so this is asked at its end. */
void config_check_names(struct config_loader *l) {
  const struct names *n = &l->c->names;
  for (size_t i = 0; i < n->of[NAMES_ALIAS].n; i++) {
    const struct names_alias *a = names_alias_at(n, i);
    const struct names_group *g = names_find_group(n, a->name);
    if (!g) continue;
    struct str path = arena_printf(l->arena, "aliases.%.*s", STR_ARG(a->name));
    config_diags_add(l->diags, CONFIG_ERROR, a->row.place, path, "give one of them another name",
                     "is a group already in line %u of %.*s", g->row.place.line, STR_ARG(g->row.place.file));
  }
}
