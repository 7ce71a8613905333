/* Changes of names: see names_change.h. What the store has is read whole, edited in memory, judged as it would be then,
 * and only then written, row by row; the answer is read back in the same transaction. */
#include "admin/names_change.h"

#include "admin/names_input.h"
#include "admin/names_json.h"
#include "admin/names_refer.h"
#include "base/json_out.h"
#include "call/shape.h"
#include "gateway/request_context.h"
#include "route/resolve.h"
#include "state/store_names.h"

struct edit {
  struct db *db;
  struct change *c;
  const struct names_input *in;
  struct names now;          /* what the store has */
  struct snapshot *snapshot; /* what is declared, and which models are known */
  const struct names *declared;
  const struct catalog *catalog;
  union names_any row; /* that is added or changed */
};

static enum err unprocessable(enum err e, struct err_info *info) {
  if (info) info->http_status = 422;
  return e;
}

/* 422 with the path. */
#define BAD(info, param, ...) unprocessable(err_set_param(info, ERR_BAD_VALUE, param, __VA_ARGS__), info)

static enum err not_found(const char *what, struct str name, struct err_info *info) {
  return err_set(info, ERR_NOT_FOUND, "there is no %s \"%.*s\"", what, STR_ARG(str_cut_utf8(name, NAMES_TEXT_MAX)));
}

/* What is declared can be changed in its file alone. */
static enum err refuse_declared(const struct names_row *row, struct err_info *info) {
  return err_set(info, ERR_CONFLICT, "it is declared in line %u of %.*s and can be changed there only", row->place.line,
                 STR_ARG(row->place.file));
}

static enum err reload(struct edit *edit, struct err_info *info) {
  names_clear(&edit->now);
  return names_load(edit->db, &edit->now, info);
}

/* ---- showing ---- */

typedef void put_fn(struct buf *out, const struct names_view *view, struct str name);

static void put_alias(struct buf *out, const struct names_view *view, struct str name) {
  names_json_put_alias(out, view, name);
}
static void put_group(struct buf *out, const struct names_view *view, struct str name) {
  names_json_put_group(out, view, name);
}
static void put_order(struct buf *out, const struct names_view *view, struct str name) {
  (void)name;
  names_json_put_order(out, view->stored);
}
static void put_row_of(struct buf *out, const struct names_view *view, enum names_kind kind, struct str name) {
  const void *row = names_refer_row(view->stored, kind, name);
  if (row) names_json_put_row(out, kind, row);
}
static void put_tool_set(struct buf *out, const struct names_view *view, struct str name) {
  put_row_of(out, view, NAMES_TOOL_SET, name);
}
static void put_model(struct buf *out, const struct names_view *view, struct str name) {
  put_row_of(out, view, NAMES_MODEL, name);
}
static void put_prompt(struct buf *out, const struct names_view *view, struct str name) {
  put_row_of(out, view, NAMES_PROMPT, name);
}

/* As a GET shows it, so that both have one tag. */
static enum err describe(struct db *db, const struct change *c, struct buf *out, put_fn *put, struct err_info *info) {
  struct names now;
  enum err e = names_load(db, &now, info);
  if (e) return e;
  struct snapshot *snapshot = snapshot_newest();
  const struct config *config = snapshot_config(snapshot);
  put(out, &(struct names_view){&now, &config->names, config}, c->name);
  snapshot_unref(snapshot);
  names_clear(&now);
  return OK;
}

static enum err answer(struct edit *edit, put_fn *put, struct err_info *info) {
  enum err e = reload(edit, info);
  if (!e)
    put(edit->c->out, &(struct names_view){&edit->now, edit->declared, snapshot_config(edit->snapshot)}, edit->c->name);
  return e;
}

/* ---- aliases ---- */

static enum err check_free(const struct edit *edit, struct str name, const char *param, struct err_info *info) {
  const struct names *const sources[] = {edit->declared, &edit->now};
  if (resolve_is_reserved(name)) return BAD(info, param, "\"%s\" is a name of this program's own", param);
  for (size_t i = 0; i < edit->declared->of[NAMES_ALIAS].n; i++)
    if (str_eq(names_alias_at(edit->declared, i)->name, name))
      return refuse_declared(&names_alias_at(edit->declared, i)->row, info);
  const struct names_group *declared = names_find_group(sources[0], name), *g = names_find_group(sources[1], name);
  if (declared) return refuse_declared(&declared->row, info);
  return g ? err_set_param(info, ERR_CONFLICT, param, "there is a group \"%.*s\" already", STR_ARG(name)) : OK;
}

static struct names_alias *find_alias(struct edit *edit, struct str name, struct str node) {
  for (size_t i = 0; i < edit->now.of[NAMES_ALIAS].n; i++) {
    const struct names_alias *a = names_alias_at(&edit->now, i);
    if (str_eq(a->name, name) && str_eq(a->node, node)) return (struct names_alias *)(uintptr_t)a;
  }
  return NULL;
}

static const struct names_alias *first_alias(const struct names *names, struct str name) {
  for (size_t i = 0; i < names->of[NAMES_ALIAS].n; i++)
    if (str_eq(names_alias_at(names, i)->name, name)) return names_alias_at(names, i);
  return NULL;
}

/* Where the alias shall hold. */
static struct field_strings nodes_of(const struct edit *edit, const struct names_alias *a) {
  static const struct str everywhere = STR("");
  const struct names_input *in = edit->in;
  if (in->has & NAMES_NODE_IDS && in->node_ids.n) return in->node_ids;
  if (in->has & NAMES_NODE_IDS) return (struct field_strings){&everywhere, 1};
  return (struct field_strings){&a->node, 1};
}

static enum err check(struct edit *edit, enum names_kind kind, const void *row, struct err_info *info) {
  enum err e = route_names_check(&edit->now, edit->declared, edit->catalog, kind, row, info);
  return e == ERR_BAD_VALUE ? unprocessable(e, info) : e;
}

/* One row for each of the nodes; it is judged with all of them in place. */
static enum err put_alias_rows(struct edit *edit, const struct names_alias *a, struct field_strings nodes,
                               struct err_info *info) {
  enum err e = OK;
  for (size_t i = 0; i < nodes.n; i++) {
    struct names_alias *at = find_alias(edit, a->name, nodes.v[i]), row = *a;
    if (!at && !(at = names_add(&edit->now, NAMES_ALIAS))) return ERR_NO_MEMORY;
    row.row = at->row;
    row.node = nodes.v[i];
    *at = row;
  }
  for (size_t i = 0; !e && i < nodes.n; i++) {
    struct names_alias *at = find_alias(edit, a->name, nodes.v[i]);
    e = check(edit, NAMES_ALIAS, at, info);
    if (!e)
      e = at->row.id ? store_names_update(edit->db, NAMES_ALIAS, at, info)
                     : store_names_add(edit->db, NAMES_ALIAS, at, info);
  }
  return e;
}

static bool has_node(struct field_strings nodes, struct str node) {
  for (size_t i = 0; i < nodes.n; i++)
    if (str_eq(nodes.v[i], node)) return true;
  return false;
}

/* Rows of that alias (and real name, where one is said) that are at none of the nodes. */
static enum err delete_alias_rows(struct edit *edit, struct str name, struct str real, struct field_strings but,
                                  struct err_info *info) {
  enum err e = OK;
  size_t kept = 0;
  struct names_table *t = &edit->now.of[NAMES_ALIAS];
  for (size_t i = 0; !e && i < t->n; i++) {
    struct names_alias *a = (struct names_alias *)t->v + i;
    bool goes = str_eq(a->name, name) && (!real.n || str_eq(a->real, real)) && !has_node(but, a->node);
    if (goes)
      e = store_names_delete(edit->db, NAMES_ALIAS, a->row.id, info);
    else
      ((struct names_alias *)t->v)[kept++] = *a;
  }
  if (!e) t->n = kept;
  return e;
}

static enum err alias_put(struct edit *edit, struct err_info *info) {
  struct names_alias a;
  names_row_init(NAMES_ALIAS, &a);
  names_input_overlay(NAMES_ALIAS, edit->in, &a);
  edit->c->name = a.name;
  struct field_strings nodes = nodes_of(edit, &a);
  enum err e = check_free(edit, a.name, "display_name", info);
  if (!e) e = delete_alias_rows(edit, a.name, a.real, nodes, info);
  return e ? e : put_alias_rows(edit, &a, nodes, info);
}

static enum err alias_rename(struct edit *edit, struct err_info *info) {
  struct str old = edit->c->name;
  const struct names_alias *first = first_alias(&edit->now, old), *declared = first_alias(edit->declared, old);
  if (declared) return refuse_declared(&declared->row, info);
  if (!first) return not_found("alias", old, info);
  struct names_alias a = *first;
  names_input_overlay(NAMES_ALIAS, edit->in, &a);
  bool is_moved = !str_eq(a.name, old);
  enum err e = is_moved ? check_free(edit, a.name, "display_name", info) : OK;
  if (!e && is_moved && first_alias(&edit->now, a.name))
    e = err_set_param(info, ERR_CONFLICT, "display_name", "there is an alias \"%.*s\" already", STR_ARG(a.name));
  if (!e && is_moved) e = names_refer_rename(edit->db, &edit->now, NAMES_FOR_ALIAS, old, a.name, info);
  /* Without a word of nodes the alias stays where it is, at all of its nodes. */
  bool says_nodes = edit->in->has & (NAMES_NODE_IDS | NAMES_BIT(ALIAS, node));
  struct field_strings nodes = nodes_of(edit, &a);
  if (!e && !says_nodes) {
    struct str *v = ARENA_NEW_ARRAY(edit->c->arena, struct str, edit->now.of[NAMES_ALIAS].n + 1);
    if (!v) return ERR_NO_MEMORY;
    nodes = (struct field_strings){v, 0};
    for (size_t i = 0; i < edit->now.of[NAMES_ALIAS].n; i++)
      if (str_eq(names_alias_at(&edit->now, i)->name, old)) v[nodes.n++] = names_alias_at(&edit->now, i)->node;
  }
  for (size_t i = 0; !e && i < edit->now.of[NAMES_ALIAS].n; i++) { /* rows keep their ids */
    struct names_alias *at = (struct names_alias *)edit->now.of[NAMES_ALIAS].v + i;
    if (str_eq(at->name, old)) at->name = a.name;
  }
  if (!e) e = delete_alias_rows(edit, a.name, STR_NONE, nodes, info);
  edit->c->name = a.name;
  return e ? e : put_alias_rows(edit, &a, nodes, info);
}

static enum err alias_delete(struct edit *edit, struct err_info *info) {
  const struct names_alias *declared = first_alias(edit->declared, edit->c->name);
  if (declared) return refuse_declared(&declared->row, info);
  if (!first_alias(&edit->now, edit->c->name)) return not_found("alias", edit->c->name, info);
  enum err e = names_refer_check(&edit->now, edit->declared, NAMES_FOR_ALIAS, edit->c->name, info);
  return e ? e : delete_alias_rows(edit, edit->c->name, STR_NONE, (struct field_strings){0}, info);
}

/* ---- groups ---- */

static enum err find_group(struct edit *edit, struct str name, struct names_group **out, struct err_info *info) {
  const struct names_group *declared = names_find_group(edit->declared, name), *g = names_find_group(&edit->now, name);
  if (declared) return refuse_declared(&declared->row, info);
  if (!g) return not_found("group", name, info);
  *out = (struct names_group *)(uintptr_t)g;
  return OK;
}

static enum err check_group_name(struct edit *edit, struct str name, struct err_info *info) {
  enum err e = check_free(edit, name, "name", info);
  if (!e && first_alias(&edit->now, name))
    e = err_set_param(info, ERR_CONFLICT, "name", "there is an alias \"%.*s\" already", STR_ARG(name));
  return e;
}

static enum err group_add(struct edit *edit, struct err_info *info) {
  struct names_group *g = &edit->row.group;
  names_row_init(NAMES_GROUP, g);
  names_input_overlay(NAMES_GROUP, edit->in, g);
  enum err e = check_group_name(edit, g->name, info);
  edit->c->name = g->name;
  return e ? e : store_names_add(edit->db, NAMES_GROUP, g, info);
}

static enum err group_update(struct edit *edit, struct err_info *info) {
  struct names_group *g = NULL;
  struct str old = edit->c->name;
  enum err e = find_group(edit, old, &g, info);
  if (e) return e;
  names_input_overlay(NAMES_GROUP, edit->in, g);
  struct str name = g->name;
  if (!str_eq(name, old)) {
    g->name = old;
    e = check_group_name(edit, name, info);
    g->name = name;
    if (!e) e = names_refer_rename(edit->db, &edit->now, NAMES_FOR_GROUP, old, name, info);
  }
  edit->c->name = name;
  return e ? e : store_names_update(edit->db, NAMES_GROUP, g, info);
}

static enum err group_delete(struct edit *edit, struct err_info *info) {
  struct names_group *g = NULL;
  enum err e = find_group(edit, edit->c->name, &g, info);
  if (!e) e = names_refer_check(&edit->now, edit->declared, NAMES_FOR_GROUP, edit->c->name, info);
  for (size_t i = 0; !e && i < edit->now.of[NAMES_MEMBER].n; i++)
    if (str_eq(names_member_at(&edit->now, i)->group, g->name))
      e = store_names_delete(edit->db, NAMES_MEMBER, names_member_at(&edit->now, i)->row.id, info);
  return e ? e : store_names_delete(edit->db, NAMES_GROUP, g->row.id, info);
}

/* All or none: an unknown name anywhere refuses the whole. */
static enum err groups_order(struct edit *edit, struct err_info *info) {
  const struct names_place *places = edit->in->order.v;
  enum err e = OK;
  for (size_t i = 0; !e && i < edit->in->order.n; i++) {
    struct names_group *g = NULL;
    char path[ERR_PARAM_MAX];
    err_path_index(path, NULL, "groups", i);
    e = find_group(edit, places[i].name, &g, info);
    if (e == ERR_NOT_FOUND) return BAD(info, path, "\"%s\": there is no such group", path);
    for (size_t k = 0; !e && k < i; k++)
      if (str_eq(places[k].name, places[i].name)) return BAD(info, path, "\"%s\" comes twice", path);
    if (e) return e;
    g->priority = places[i].priority;
    e = store_names_update(edit->db, NAMES_GROUP, g, info);
  }
  return e;
}

/* ---- members ---- */

static enum err find_member(struct edit *edit, struct str group, int64_t id, struct names_member **out,
                            struct err_info *info) {
  struct names_member *m = (struct names_member *)(uintptr_t)names_find_id(&edit->now, NAMES_MEMBER, id);
  if (!m || !str_eq(m->group, group))
    return err_set(info, ERR_NOT_FOUND, "the group \"%.*s\" has no member %lld", STR_ARG(group), (long long)id);
  *out = m;
  return OK;
}

static enum err member_of_path(struct edit *edit, struct names_member **out, struct err_info *info) {
  struct names_group *g = NULL;
  uint64_t id = 0;
  enum err e = find_group(edit, edit->c->name, &g, info);
  if (e) return e;
  if (!str_to_u64(edit->c->item, &id) || id > INT64_MAX) return not_found("member", edit->c->item, info);
  return find_member(edit, edit->c->name, (int64_t)id, out, info);
}

static enum err member_add(struct edit *edit, struct err_info *info) {
  struct names_group *g = NULL;
  size_t n = 0;
  enum err e = find_group(edit, edit->c->name, &g, info);
  if (e) return e;
  for (size_t i = 0; i < edit->now.of[NAMES_MEMBER].n; i++) n += str_eq(names_member_at(&edit->now, i)->group, g->name);
  if (n >= GROUP_MEMBERS_MAX)
    return err_set(info, ERR_CONFLICT, "a group has at most %d members", (int)GROUP_MEMBERS_MAX);
  struct names_member *m = names_add(&edit->now, NAMES_MEMBER);
  if (!m) return ERR_NO_MEMORY;
  names_input_overlay(NAMES_MEMBER, edit->in, m);
  m->group = g->name;
  e = check(edit, NAMES_MEMBER, m, info);
  return e ? e : store_names_add(edit->db, NAMES_MEMBER, m, info);
}

static enum err member_update(struct edit *edit, struct err_info *info) {
  struct names_member *m = NULL;
  enum err e = member_of_path(edit, &m, info);
  if (e) return e;
  names_input_overlay(NAMES_MEMBER, edit->in, m);
  e = check(edit, NAMES_MEMBER, m, info);
  return e ? e : store_names_update(edit->db, NAMES_MEMBER, m, info);
}

static enum err member_delete(struct edit *edit, struct err_info *info) {
  struct names_member *m = NULL;
  enum err e = member_of_path(edit, &m, info);
  return e ? e : store_names_delete(edit->db, NAMES_MEMBER, m->row.id, info);
}

static enum err place_member(struct edit *edit, const char *list, size_t at, int64_t id, int64_t priority,
                             struct err_info *info) {
  struct names_member *m = NULL;
  char path[ERR_PARAM_MAX];
  err_path_index(path, NULL, list, at);
  enum err e = find_member(edit, edit->c->name, id, &m, info);
  if (e == ERR_NOT_FOUND) return BAD(info, path, "\"%s\": the group has no such member", path);
  if (e) return e;
  m->priority = priority;
  return store_names_update(edit->db, NAMES_MEMBER, m, info);
}

static enum err members_order(struct edit *edit, struct err_info *info) {
  const struct names_input *in = edit->in;
  const struct names_place *places = in->order.v;
  struct names_group *g = NULL;
  enum err e = find_group(edit, edit->c->name, &g, info);
  if (e) return e;
  if (!(in->has & NAMES_ORDER) == !(in->has & NAMES_IDS))
    return BAD(info, "members", "either \"members\" or \"member_ids\" is required");
  for (size_t i = 0; !e && i < in->order.n; i++) {
    for (size_t k = 0; k < i; k++)
      if (places[k].id == places[i].id) return BAD(info, "members", "member %lld comes twice", (long long)places[i].id);
    e = place_member(edit, "members", i, places[i].id, places[i].priority, info);
  }
  for (size_t i = 0; !e && i < in->ids.n; i++) {
    for (size_t k = 0; k < i; k++)
      if (in->ids.v[k] == in->ids.v[i])
        return BAD(info, "member_ids", "member %lld comes twice", (long long)in->ids.v[i]);
    e = place_member(edit, "member_ids", i, in->ids.v[i], (int64_t)i, info);
  }
  return e;
}

/* ---- tool sets, settings of models, system prompts: rows by their id ---- */

static enum err check_model(struct edit *edit, const struct names_model *m, struct err_info *info) {
  char path[ERR_PARAM_MAX];
  if (m->tool_set.n && !names_find_tool_set(&edit->now, m->tool_set))
    return BAD(info, "tool_set", "\"tool_set\": there is no tool set \"%.*s\"", STR_ARG(m->tool_set));
  if (m->tool_set.n && m->tools.is_set)
    return BAD(info, "allowed_tools", "either \"tool_set\" or \"allowed_tools\" may be said, not both");
  for (size_t i = 0; i < m->unsupported.n; i++) {
    err_path_index(path, NULL, "unsupported_params", i);
    if (shape_is_fixed(m->unsupported.v[i]))
      return BAD(info, path, "\"%s\": \"%.*s\" is never left out", path, STR_ARG(m->unsupported.v[i]));
  }
  return OK;
}

static enum err check_prompt(struct edit *edit, const struct names_prompt *p, struct err_info *info) {
  if (p->scope == NAMES_FOR_ALL && p->value.n)
    return BAD(info, "scope_value", "\"scope_value\" must be empty where the scope is global");
  if (p->scope != NAMES_FOR_ALL && !p->value.n) return BAD(info, "scope_value", "\"scope_value\" is required");
  const struct names_refer r = {edit->db, &edit->now, edit->declared, edit->catalog};
  bool is_known = true;
  enum err e = names_refer_is_known(&r, (enum names_scope)p->scope, p->value, &is_known, info);
  if (e || is_known) return e;
  return BAD(info, "scope_value", "\"scope_value\": no %.*s \"%.*s\" is known",
             STR_ARG(names_word("global|user|node|group|model|alias", p->scope)), STR_ARG(p->value));
}

static enum err check_row(struct edit *edit, enum names_kind kind, const void *row, struct err_info *info) {
  if (kind == NAMES_MODEL) return check_model(edit, row, info);
  return kind == NAMES_PROMPT ? check_prompt(edit, row, info) : OK;
}

static enum err row_add(struct edit *edit, enum names_kind kind, struct err_info *info) {
  names_row_init(kind, &edit->row);
  names_input_overlay(kind, edit->in, &edit->row);
  enum err e = check_row(edit, kind, &edit->row, info);
  if (!e) e = store_names_add(edit->db, kind, &edit->row, info);
  if (!e) edit->c->name = arena_printf(edit->c->arena, "%lld", (long long)edit->row.row.id);
  return e || edit->c->name.p ? e : ERR_NO_MEMORY;
}

static enum err find_row(struct edit *edit, enum names_kind kind, struct err_info *info) {
  const void *row = names_refer_row(&edit->now, kind, edit->c->name);
  if (!row) return not_found(names_kind_word(kind), edit->c->name, info);
  memcpy(&edit->row, row, names_row_bytes(kind));
  edit->c->name = arena_printf(edit->c->arena, "%lld", (long long)edit->row.row.id);
  return edit->c->name.p ? OK : ERR_NO_MEMORY;
}

static enum err row_update(struct edit *edit, enum names_kind kind, struct err_info *info) {
  enum err e = find_row(edit, kind, info);
  struct str old = kind == NAMES_TOOL_SET ? edit->row.tool_set.name : STR_NONE;
  if (!e) names_input_overlay(kind, edit->in, &edit->row);
  if (!e) e = check_row(edit, kind, &edit->row, info);
  if (!e) e = store_names_update(edit->db, kind, &edit->row, info);
  for (size_t i = 0; !e && old.n && i < edit->now.of[NAMES_MODEL].n; i++) {
    struct names_model m = *names_model_at(&edit->now, i);
    if (!str_eq(m.tool_set, old)) continue;
    m.tool_set = edit->row.tool_set.name;
    e = store_names_update(edit->db, NAMES_MODEL, &m, info);
  }
  return e;
}

static enum err row_delete(struct edit *edit, enum names_kind kind, struct err_info *info) {
  enum err e = find_row(edit, kind, info);
  for (size_t i = 0; !e && kind == NAMES_TOOL_SET && i < edit->now.of[NAMES_MODEL].n; i++)
    if (str_eq(names_model_at(&edit->now, i)->tool_set, edit->row.tool_set.name))
      e = err_set(info, ERR_CONFLICT, "the settings of \"%.*s\" use it",
                  STR_ARG(names_model_at(&edit->now, i)->prefix));
  return e ? e : store_names_delete(edit->db, kind, edit->row.row.id, info);
}

#define ROWS(name, KIND)                                                                                             \
  static enum err name##_add(struct edit *edit, struct err_info *info) { return row_add(edit, NAMES_##KIND, info); } \
  static enum err name##_update(struct edit *edit, struct err_info *info) {                                          \
    return row_update(edit, NAMES_##KIND, info);                                                                     \
  }                                                                                                                  \
  static enum err name##_delete(struct edit *edit, struct err_info *info) {                                          \
    return row_delete(edit, NAMES_##KIND, info);                                                                     \
  }
ROWS(tool_set, TOOL_SET)
ROWS(model, MODEL)
ROWS(prompt, PROMPT)
#undef ROWS

/* ---- the table ---- */

static enum err edit_names(struct db *db, struct change *c, enum err (*fn)(struct edit *e, struct err_info *info),
                           put_fn *put, int status, struct err_info *info) {
  static const struct names_input nothing;
  struct edit edit = {.db = db, .c = c, .in = c->in ? c->in : &nothing, .snapshot = snapshot_newest()};
  edit.declared = &snapshot_config(edit.snapshot)->names;
  edit.catalog = snapshot_get(edit.snapshot, GATEWAY_CATALOG);
  names_init(&edit.now);
  enum err e = names_load(db, &edit.now, info);
  if (!e) e = fn(&edit, info);
  if (!e && status != 204) e = answer(&edit, put, info);
  names_clear(&edit.now);
  snapshot_unref(edit.snapshot);
  return e;
}

#define X(name, entity, fields, allowed, required, status, prepare)                                            \
  static enum err run_##name(struct db *db, struct change *c, struct err_info *info) {                         \
    return edit_names(db, c, name, put_##entity, status, info);                                                \
  }                                                                                                            \
  static enum err show_##name(struct db *db, const struct change *c, struct buf *out, struct err_info *info) { \
    return describe(db, c, out, put_##entity, info);                                                           \
  }
#include "admin/names.def"
#undef X

/* What is there already is what it was before, for the audit log and If-Match. */
static enum err name_alias(struct request_context *rc, struct change *c, struct err_info *info) {
  (void)rc, (void)info;
  c->name = ((const struct names_input *)c->in)->row.alias.name;
  return OK;
}

#define ENTITY_alias "alias"
#define ENTITY_group "group"
#define ENTITY_order "group"
#define ENTITY_tool_set "tool_set"
#define ENTITY_model "model_config"
#define ENTITY_prompt "system_prompt"

const struct change_row *names_operation(enum names_operation operation) {
  static const struct change_row rows[NAMES_OPERATION_COUNT] = {
#define X(name, entity, fields, allowed, required, status, prepare) \
  {#name, ENTITY_##entity, status, fields, allowed, required, prepare, NULL, run_##name, show_##name},
#include "admin/names.def"
#undef X
  };
  return &rows[operation];
}
