/* Changes of tool sets, settings of models and system prompts, which are rows by their id: see names_edit.h. */
#include "admin/names/names_edit.h"
#include "admin/names/names_refer.h"
#include "call/shape.h"
#include "state/store/store_names.h"

static enum err check_model(struct names_edit *edit, const struct names_model *m, struct err_info *info) {
  char path[ERR_PARAM_MAX];
  if (m->tool_set.n && !names_find_tool_set(&edit->now, m->tool_set))
    return fields_refuse_named(info, "tool_set", "\"tool_set\": there is no tool set \"%.*s\"", STR_ARG(m->tool_set));
  if (m->tool_set.n && m->tools.is_set)
    return fields_refuse_named(info, "allowed_tools", "either \"tool_set\" or \"allowed_tools\" may be said, not both");
  if (m->max_context_tokens && m->context_tokens > m->max_context_tokens)
    return fields_refuse_named(info, "default_context_length",
                               "\"default_context_length\" is more than \"max_context_length\"");
  for (size_t i = 0; i < m->unsupported.n; i++) {
    err_path_index(path, NULL, "unsupported_params", i);
    if (shape_is_fixed(m->unsupported.v[i]))
      return fields_refuse_named(info, path, "\"%s\": \"%.*s\" is never left out", path, STR_ARG(m->unsupported.v[i]));
  }
  return OK;
}

static enum err check_prompt(struct names_edit *edit, const struct names_prompt *p, struct err_info *info) {
  if (p->scope == NAMES_FOR_ALL && p->value.n)
    return fields_refuse_named(info, "scope_value", "\"scope_value\" must be empty where the scope is global");
  if (p->scope != NAMES_FOR_ALL && !p->value.n)
    return fields_refuse_named(info, "scope_value", "\"scope_value\" is required");
  const struct names_refer r = {edit->db, &edit->now, edit->declared, edit->catalog};
  bool is_known = true;
  enum err e = names_refer_is_known(&r, (enum names_scope)p->scope, p->value, &is_known, info);
  if (e || is_known) return e;
  return fields_refuse_named(info, "scope_value", "\"scope_value\": no %.*s \"%.*s\" is known",
                             STR_ARG(names_word(NAMES_SCOPES, p->scope)), STR_ARG(p->value));
}

static enum err check_row(struct names_edit *edit, enum names_kind kind, const void *row, struct err_info *info) {
  if (kind == NAMES_MODEL) return check_model(edit, row, info);
  return kind == NAMES_PROMPT ? check_prompt(edit, row, info) : OK;
}

static enum err row_add(struct names_edit *edit, enum names_kind kind, struct err_info *info) {
  names_row_init(kind, &edit->row);
  names_input_overlay(kind, edit->in, &edit->row);
  enum err e = check_row(edit, kind, &edit->row, info);
  if (!e) e = store_names_add(edit->db, kind, &edit->row, info);
  if (!e) edit->c->name = arena_printf(edit->c->arena, "%lld", (long long)edit->row.row.id);
  return e || edit->c->name.p ? e : ERR_NO_MEMORY;
}

static enum err find_row(struct names_edit *edit, enum names_kind kind, struct err_info *info) {
  const void *row = names_refer_row(&edit->now, kind, edit->c->name);
  if (!row) return names_edit_not_found(names_kind_word(kind), edit->c->name, info);
  memcpy(&edit->row, row, names_row_bytes(kind));
  edit->c->name = arena_printf(edit->c->arena, "%lld", (long long)edit->row.row.id);
  return edit->c->name.p ? OK : ERR_NO_MEMORY;
}

static enum err row_update(struct names_edit *edit, enum names_kind kind, struct err_info *info) {
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

static enum err row_delete(struct names_edit *edit, enum names_kind kind, struct err_info *info) {
  enum err e = find_row(edit, kind, info);
  for (size_t i = 0; !e && kind == NAMES_TOOL_SET && i < edit->now.of[NAMES_MODEL].n; i++)
    if (str_eq(names_model_at(&edit->now, i)->tool_set, edit->row.tool_set.name))
      e = err_set(info, ERR_CONFLICT, "the settings of \"%.*s\" use it",
                  STR_ARG(names_model_at(&edit->now, i)->prefix));
  return e ? e : store_names_delete(edit->db, kind, edit->row.row.id, info);
}

#define ROWS(name, KIND)                                                                \
  enum err names_edit_##name##_add(struct names_edit *edit, struct err_info *info) {    \
    return row_add(edit, NAMES_##KIND, info);                                           \
  }                                                                                     \
  enum err names_edit_##name##_update(struct names_edit *edit, struct err_info *info) { \
    return row_update(edit, NAMES_##KIND, info);                                        \
  }                                                                                     \
  enum err names_edit_##name##_delete(struct names_edit *edit, struct err_info *info) { \
    return row_delete(edit, NAMES_##KIND, info);                                        \
  }
ROWS(tool_set, TOOL_SET)
ROWS(model, MODEL)
ROWS(prompt, PROMPT)
#undef ROWS
