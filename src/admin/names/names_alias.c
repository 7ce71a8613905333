/* Changes of aliases: see names_edit.h. One name may have a row for each provider and one for all; what leads to the
 * same model is one alias to the API. */
#include "admin/names/names_edit.h"
#include "admin/names/names_refer.h"
#include "state/store/store_names.h"

static struct names_alias *find_alias(struct names_edit *edit, struct str name, struct str node) {
  for (size_t i = 0; i < edit->now.of[NAMES_ALIAS].n; i++) {
    const struct names_alias *a = names_alias_at(&edit->now, i);
    if (str_eq(a->name, name) && str_eq(a->node, node)) return (struct names_alias *)(uintptr_t)a;
  }
  return NULL;
}

/* Where the alias shall hold. */
static struct field_strings nodes_of(const struct names_edit *edit, const struct names_alias *a) {
  static const struct str everywhere = STR("");
  const struct names_input *in = edit->in;
  if (in->has & NAMES_NODE_IDS && in->node_ids.n) return in->node_ids;
  if (in->has & NAMES_NODE_IDS) return (struct field_strings){&everywhere, 1};
  return (struct field_strings){&a->node, 1};
}

/* One row for each of the nodes; it is judged with all of them in place. */
static enum err put_alias_rows(struct names_edit *edit, const struct names_alias *a, struct field_strings nodes,
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
    e = names_edit_check(edit, NAMES_ALIAS, at, info);
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
static enum err delete_alias_rows(struct names_edit *edit, struct str name, struct str real, struct field_strings but,
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

enum err names_edit_alias_put(struct names_edit *edit, struct err_info *info) {
  struct names_alias a;
  names_row_init(NAMES_ALIAS, &a);
  names_input_overlay(NAMES_ALIAS, edit->in, &a);
  edit->c->name = a.name;
  struct field_strings nodes = nodes_of(edit, &a);
  enum err e = names_edit_check_free(edit, a.name, "display_name", info);
  if (!e) e = delete_alias_rows(edit, a.name, a.real, nodes, info);
  return e ? e : put_alias_rows(edit, &a, nodes, info);
}

/* Every row of the name gets what is said and keeps the rest, its node and its model too; all are judged in place. */
static enum err change_rows(struct names_edit *edit, struct str name, struct err_info *info) {
  enum err e = OK;
  size_t n = edit->now.of[NAMES_ALIAS].n;
  struct names_alias *rows = edit->now.of[NAMES_ALIAS].v;
  for (size_t i = 0; i < n; i++)
    if (str_eq(rows[i].name, name)) names_input_overlay(NAMES_ALIAS, edit->in, &rows[i]);
  for (size_t i = 0; !e && i < n; i++) {
    if (!str_eq(rows[i].name, edit->c->name)) continue;
    e = names_edit_check(edit, NAMES_ALIAS, &rows[i], info);
    if (!e) e = store_names_update(edit->db, NAMES_ALIAS, &rows[i], info);
  }
  return e;
}

enum err names_edit_alias_rename(struct names_edit *edit, struct err_info *info) {
  struct str old = edit->c->name;
  const struct names_alias *first = names_edit_first_alias(&edit->now, old),
                           *declared = names_edit_first_alias(edit->declared, old);
  if (declared) return names_edit_declared(&declared->row, info);
  if (!first) return names_edit_not_found("alias", old, info);
  struct names_alias a = *first;
  names_input_overlay(NAMES_ALIAS, edit->in, &a);
  bool is_moved = !str_eq(a.name, old);
  enum err e = is_moved ? names_edit_check_free(edit, a.name, "display_name", info) : OK;
  if (!e && is_moved && names_edit_first_alias(&edit->now, a.name))
    e = err_set_param(info, ERR_CONFLICT, "display_name", "there is an alias \"%.*s\" already", STR_ARG(a.name));
  if (!e && is_moved) e = names_refer_rename(edit->db, &edit->now, NAMES_FOR_ALIAS, old, a.name, info);
  edit->c->name = a.name;
  if (e || !(edit->in->has & (NAMES_NODE_IDS | NAMES_BIT(ALIAS, node)))) return e ? e : change_rows(edit, old, info);
  struct field_strings nodes = nodes_of(edit, &a);
  for (size_t i = 0; i < edit->now.of[NAMES_ALIAS].n; i++) { /* rows keep their ids */
    struct names_alias *at = (struct names_alias *)edit->now.of[NAMES_ALIAS].v + i;
    if (str_eq(at->name, old)) at->name = a.name;
  }
  e = delete_alias_rows(edit, a.name, STR_NONE, nodes, info);
  return e ? e : put_alias_rows(edit, &a, nodes, info);
}

enum err names_edit_alias_capabilities(struct names_edit *edit, struct err_info *info) {
  return names_edit_alias_rename(edit, info);
}

enum err names_edit_alias_delete(struct names_edit *edit, struct err_info *info) {
  const struct names_alias *declared = names_edit_first_alias(edit->declared, edit->c->name);
  if (declared) return names_edit_declared(&declared->row, info);
  if (!names_edit_first_alias(&edit->now, edit->c->name)) return names_edit_not_found("alias", edit->c->name, info);
  enum err e = names_refer_check(edit->db, &edit->now, edit->declared, NAMES_FOR_ALIAS, edit->c->name, info);
  return e ? e : delete_alias_rows(edit, edit->c->name, STR_NONE, (struct field_strings){0}, info);
}
