/* Changes of groups and their members: see names_edit.h. An order is changed as a whole: one unknown name or id refuses
 * it. */
#include "admin/names/names_edit.h"
#include "admin/names/names_refer.h"
#include "state/store/store_names.h"

static enum err find_group(struct names_edit *edit, struct str name, struct names_group **out, struct err_info *info) {
  const struct names_group *declared = names_find_group(edit->declared, name), *g = names_find_group(&edit->now, name);
  if (declared) return names_edit_declared(&declared->row, info);
  if (!g) return names_edit_not_found("group", name, info);
  *out = (struct names_group *)(uintptr_t)g;
  return OK;
}

static enum err check_group_name(struct names_edit *edit, struct str name, struct err_info *info) {
  enum err e = names_edit_check_free(edit, name, "name", info);
  if (!e && names_edit_first_alias(&edit->now, name))
    e = err_set_param(info, ERR_CONFLICT, "name", "there is an alias \"%.*s\" already", STR_ARG(name));
  return e;
}

enum err names_edit_group_add(struct names_edit *edit, struct err_info *info) {
  struct names_group *g = &edit->row.group;
  names_row_init(NAMES_GROUP, g);
  names_input_overlay(NAMES_GROUP, edit->in, g);
  enum err e = check_group_name(edit, g->name, info);
  edit->c->name = g->name;
  return e ? e : store_names_add(edit->db, NAMES_GROUP, g, info);
}

enum err names_edit_group_update(struct names_edit *edit, struct err_info *info) {
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

enum err names_edit_group_delete(struct names_edit *edit, struct err_info *info) {
  struct names_group *g = NULL;
  enum err e = find_group(edit, edit->c->name, &g, info);
  if (!e) e = names_refer_check(edit->db, &edit->now, edit->declared, NAMES_FOR_GROUP, edit->c->name, info);
  for (size_t i = 0; !e && i < edit->now.of[NAMES_MEMBER].n; i++)
    if (str_eq(names_member_at(&edit->now, i)->group, g->name))
      e = store_names_delete(edit->db, NAMES_MEMBER, names_member_at(&edit->now, i)->row.id, info);
  return e ? e : store_names_delete(edit->db, NAMES_GROUP, g->row.id, info);
}

/* All or none: an unknown name anywhere refuses the whole. */
enum err names_edit_groups_order(struct names_edit *edit, struct err_info *info) {
  const struct names_place *places = edit->in->order.v;
  enum err e = OK;
  for (size_t i = 0; !e && i < edit->in->order.n; i++) {
    struct names_group *g = NULL;
    char path[ERR_PARAM_MAX];
    err_path_index(path, NULL, "groups", i);
    e = find_group(edit, places[i].name, &g, info);
    if (e == ERR_NOT_FOUND) return fields_refuse_named(info, path, "\"%s\": there is no such group", path);
    for (size_t k = 0; !e && k < i; k++)
      if (str_eq(places[k].name, places[i].name)) return fields_refuse_named(info, path, "\"%s\" comes twice", path);
    if (e) return e;
    g->priority = places[i].priority;
    e = store_names_update(edit->db, NAMES_GROUP, g, info);
  }
  return e;
}

/* ---- members ---- */

static enum err find_member(struct names_edit *edit, struct str group, int64_t id, struct names_member **out,
                            struct err_info *info) {
  struct names_member *m = (struct names_member *)(uintptr_t)names_find_id(&edit->now, NAMES_MEMBER, id);
  if (!m || !str_eq(m->group, group))
    return err_set(info, ERR_NOT_FOUND, "the group \"%.*s\" has no member %lld", STR_ARG(group), (long long)id);
  *out = m;
  return OK;
}

static enum err member_of_path(struct names_edit *edit, struct names_member **out, struct err_info *info) {
  struct names_group *g = NULL;
  uint64_t id = 0;
  enum err e = find_group(edit, edit->c->name, &g, info);
  if (e) return e;
  if (!str_to_u64(edit->c->item, &id) || id > INT64_MAX) return names_edit_not_found("member", edit->c->item, info);
  return find_member(edit, edit->c->name, (int64_t)id, out, info);
}

/* A group is shown as one member only. `m` is among the rows already. What was so before is no fault of the change. */
static enum err check_source(const struct names_edit *edit, const struct names_member *m, struct err_info *info) {
  bool is_said = edit->in->has & (NAMES_BIT(MEMBER, is_metadata_source) | NAMES_BIT(MEMBER, is_active));
  for (size_t i = 0; is_said && i < edit->now.of[NAMES_MEMBER].n; i++) {
    const struct names_member *other = names_member_at(&edit->now, i);
    if (!names_are_two_sources(other, m)) continue;
    return err_set_param(info, ERR_CONFLICT, "is_metadata_source",
                         "\"%.*s\" is the group's source of metadata already; take it from there first",
                         STR_ARG(str_cut_utf8(other->model, NAMES_TEXT_MAX)));
  }
  return OK;
}

enum err names_edit_member_add(struct names_edit *edit, struct err_info *info) {
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
  e = check_source(edit, m, info);
  if (!e) e = names_edit_check(edit, NAMES_MEMBER, m, info);
  return e ? e : store_names_add(edit->db, NAMES_MEMBER, m, info);
}

enum err names_edit_member_update(struct names_edit *edit, struct err_info *info) {
  struct names_member *m = NULL;
  enum err e = member_of_path(edit, &m, info);
  if (e) return e;
  names_input_overlay(NAMES_MEMBER, edit->in, m);
  e = check_source(edit, m, info);
  if (!e) e = names_edit_check(edit, NAMES_MEMBER, m, info);
  return e ? e : store_names_update(edit->db, NAMES_MEMBER, m, info);
}

enum err names_edit_member_delete(struct names_edit *edit, struct err_info *info) {
  struct names_member *m = NULL;
  enum err e = member_of_path(edit, &m, info);
  return e ? e : store_names_delete(edit->db, NAMES_MEMBER, m->row.id, info);
}

static enum err place_member(struct names_edit *edit, const char *list, size_t at, int64_t id, int64_t priority,
                             struct err_info *info) {
  struct names_member *m = NULL;
  char path[ERR_PARAM_MAX];
  err_path_index(path, NULL, list, at);
  enum err e = find_member(edit, edit->c->name, id, &m, info);
  if (e == ERR_NOT_FOUND) return fields_refuse_named(info, path, "\"%s\": the group has no such member", path);
  if (e) return e;
  m->priority = priority;
  return store_names_update(edit->db, NAMES_MEMBER, m, info);
}

enum err names_edit_members_order(struct names_edit *edit, struct err_info *info) {
  const struct names_input *in = edit->in;
  const struct names_place *places = in->order.v;
  struct names_group *g = NULL;
  enum err e = find_group(edit, edit->c->name, &g, info);
  if (e) return e;
  if (!(in->has & NAMES_ORDER) == !(in->has & NAMES_IDS))
    return fields_refuse_named(info, "members", "either \"members\" or \"member_ids\" is required");
  for (size_t i = 0; !e && i < in->order.n; i++) {
    for (size_t k = 0; k < i; k++)
      if (places[k].id == places[i].id)
        return fields_refuse_named(info, "members", "member %lld comes twice", (long long)places[i].id);
    e = place_member(edit, "members", i, places[i].id, places[i].priority, info);
  }
  for (size_t i = 0; !e && i < in->ids.n; i++) {
    for (size_t k = 0; k < i; k++)
      if (in->ids.v[k] == in->ids.v[i])
        return fields_refuse_named(info, "member_ids", "member %lld comes twice", (long long)in->ids.v[i]);
    e = place_member(edit, "member_ids", i, in->ids.v[i], (int64_t)i, info);
  }
  return e;
}
