/* References among names: see names_refer.h. */
#include "admin/names/names_refer.h"

#include "route/resolve.h"
#include "state/store/store_names.h"
#include "state/store/store_use.h"
#include "state/store/store_user.h"

const void *names_refer_row(const struct names *stored, enum names_kind kind, struct str id) {
  uint64_t number;
  if (str_to_u64(id, &number) && number <= INT64_MAX) return names_find_id(stored, kind, (int64_t)number);
  if (kind == NAMES_TOOL_SET) return names_find_tool_set(stored, id);
  for (size_t i = 0; kind == NAMES_MODEL && i < stored->of[NAMES_MODEL].n; i++)
    if (str_eq(names_model_at(stored, i)->prefix, id)) return names_model_at(stored, i);
  return NULL;
}

static enum err used_by(const char *what, struct str name, struct err_info *info) {
  return err_set(info, ERR_CONFLICT, "it is used by the %s \"%.*s\"", what,
                 STR_ARG(str_cut_utf8(name, NAMES_TEXT_MAX)));
}

enum err names_refer_check(struct db *db, const struct names *stored, const struct names *declared,
                           enum names_scope what, struct str name, struct err_info *info) {
  const struct names *const sources[] = {declared, stored};
  for (size_t s = 0; s < 2; s++) {
    const struct names *n = sources[s];
    for (size_t i = 0; i < n->of[NAMES_ALIAS].n; i++) {
      const struct names_alias *a = names_alias_at(n, i);
      if (str_eq(a->real, name) && !str_eq(a->name, name)) return used_by("alias", a->name, info);
    }
    for (size_t i = 0; i < n->of[NAMES_MEMBER].n; i++) {
      const struct names_member *m = names_member_at(n, i);
      if (str_eq(m->model, name) && !str_eq(m->group, name)) return used_by("group", m->group, info);
    }
  }
  for (size_t i = 0; i < stored->of[NAMES_PROMPT].n; i++) {
    const struct names_prompt *p = names_prompt_at(stored, i);
    if (p->scope == (unsigned)what && str_eq(p->value, name))
      return err_set(info, ERR_CONFLICT, "it is used by the system prompt %lld", (long long)p->row.id);
  }
  static const struct store_use lists[] = {{DB_USER_MODEL_USERS, "allowlists of users"},
                                           {DB_TEAM_MODEL_TEAMS, "allowlists of teams"}};
  return store_use_check(db, lists, sizeof lists / sizeof *lists, "it", name, info);
}

enum err names_refer_rename(struct db *db, struct names *stored, enum names_scope what, struct str old, struct str name,
                            struct err_info *info) {
  enum err e = store_user_rename_model(db, old, name, info);
  for (size_t i = 0; !e && i < stored->of[NAMES_ALIAS].n; i++) {
    struct names_alias *a = (struct names_alias *)stored->of[NAMES_ALIAS].v + i;
    if (!str_eq(a->real, old) || str_eq(a->name, old)) continue;
    a->real = name;
    e = store_names_update(db, NAMES_ALIAS, a, info);
  }
  for (size_t i = 0; !e && i < stored->of[NAMES_MEMBER].n; i++) {
    struct names_member *m = (struct names_member *)stored->of[NAMES_MEMBER].v + i;
    bool is_in = what == NAMES_FOR_GROUP && str_eq(m->group, old), is_it = !is_in && str_eq(m->model, old);
    if (is_in) m->group = name;
    if (is_it) m->model = name;
    if (is_in || is_it) e = store_names_update(db, NAMES_MEMBER, m, info);
  }
  for (size_t i = 0; !e && i < stored->of[NAMES_PROMPT].n; i++) {
    struct names_prompt *p = (struct names_prompt *)stored->of[NAMES_PROMPT].v + i;
    if (p->scope != (unsigned)what || !str_eq(p->value, old)) continue;
    p->value = name;
    e = store_names_update(db, NAMES_PROMPT, p, info);
  }
  return e;
}

static bool has_alias(const struct names *n, struct str name) {
  for (size_t i = 0; i < n->of[NAMES_ALIAS].n; i++)
    if (str_eq(names_alias_at(n, i)->name, name)) return true;
  return false;
}

static enum err is_user(struct db *db, struct str name, bool *is_known, struct err_info *info) {
  struct store_user user;
  struct err_info why = {0};
  enum err e = store_user_find(db, name, &user, &why);
  *is_known = !e;
  if (!e || e == ERR_NOT_FOUND) return OK;
  return err_set(info, e, "%s", err_info_text(e, &why));
}

static enum err is_model(const struct names_refer *r, struct str name, bool *is_known) {
  struct resolution found;
  struct arena work;
  arena_init(&work, 0);
  enum err e = resolve_literal(r->catalog, &work, name, RESOLVE_ALL, &found, is_known);
  arena_clear(&work);
  return e;
}

enum err names_refer_is_known(const struct names_refer *r, enum names_scope scope, struct str value, bool *is_known,
                              struct err_info *info) {
  *is_known = true;
  if (str_find_char(value, '*') != SIZE_MAX || str_find_char(value, '?') != SIZE_MAX) return OK;
  switch (scope) {
    case NAMES_FOR_ALL: return OK;
    case NAMES_FOR_USER: return is_user(r->db, value, is_known, info);
    case NAMES_FOR_NODE: *is_known = map_get(&r->catalog->by_provider, value) != NULL; return OK;
    case NAMES_FOR_GROUP:
      *is_known = names_find_group(r->stored, value) || names_find_group(r->declared, value);
      return OK;
    case NAMES_FOR_MODEL: return is_model(r, value, is_known);
    case NAMES_FOR_ALIAS: *is_known = has_alias(r->stored, value) || has_alias(r->declared, value); return OK;
  }
  return OK;
}
