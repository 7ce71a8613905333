/* Changes of names: see names_change.h. What the store has is read whole, edited in memory, judged as it would be then,
 * and only then written, row by row; the answer is read back in the same transaction. */
#include "admin/names/names_change.h"

#include "admin/names/names_edit.h"
#include "admin/names/names_json.h"
#include "admin/names/names_refer.h"
#include "admin/nodes/nodes_find.h"
#include "base/json_out.h"
#include "gateway/request_context.h"
#include "route/resolve.h"

/* ---- what the operations share ---- */

enum err names_edit_not_found(const char *what, struct str name, struct err_info *info) {
  return err_set(info, ERR_NOT_FOUND, "there is no %s \"%.*s\"", what, STR_ARG(str_cut_utf8(name, NAMES_TEXT_MAX)));
}

enum err names_edit_declared(const struct names_row *row, struct err_info *info) {
  return err_set(info, ERR_CONFLICT, "it is declared in line %u of %.*s and can be changed there only", row->place.line,
                 STR_ARG(row->place.file));
}

const struct names_alias *names_edit_first_alias(const struct names *names, struct str name) {
  for (size_t i = 0; i < names->of[NAMES_ALIAS].n; i++)
    if (str_eq(names_alias_at(names, i)->name, name)) return names_alias_at(names, i);
  return NULL;
}

enum err names_edit_check_free(const struct names_edit *edit, struct str name, const char *param,
                               struct err_info *info) {
  const struct names *const sources[] = {edit->declared, &edit->now};
  if (resolve_is_reserved(name))
    return fields_refuse_named(info, param, "\"%s\" is a name of this program's own", param);
  for (size_t i = 0; i < edit->declared->of[NAMES_ALIAS].n; i++)
    if (str_eq(names_alias_at(edit->declared, i)->name, name))
      return names_edit_declared(&names_alias_at(edit->declared, i)->row, info);
  const struct names_group *declared = names_find_group(sources[0], name), *g = names_find_group(sources[1], name);
  if (declared) return names_edit_declared(&declared->row, info);
  return g ? err_set_param(info, ERR_CONFLICT, param, "there is a group \"%.*s\" already", STR_ARG(name)) : OK;
}

enum err names_edit_check(struct names_edit *edit, enum names_kind kind, const void *row, struct err_info *info) {
  enum err e = route_names_check(&edit->now, edit->declared, edit->catalog, kind, row, info);
  if (e == ERR_BAD_VALUE && info) info->http_status = 422;
  return e;
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
  put(out, &(struct names_view){&now, &snapshot_config(snapshot)->names, snapshot_get(snapshot, GATEWAY_CATALOG)},
      c->name);
  snapshot_unref(snapshot);
  names_clear(&now);
  return OK;
}

static enum err answer(struct names_edit *edit, put_fn *put, struct err_info *info) {
  names_clear(&edit->now);
  enum err e = names_load(edit->db, &edit->now, info);
  if (!e) put(edit->c->out, &(struct names_view){&edit->now, edit->declared, edit->catalog}, edit->c->name);
  return e;
}

/* ---- the table ---- */

static enum err edit_names(struct db *db, struct change *c, enum err (*fn)(struct names_edit *e, struct err_info *info),
                           put_fn *put, int status, struct err_info *info) {
  static const struct names_input nothing;
  struct names_edit edit = {.db = db, .c = c, .in = c->in ? c->in : &nothing, .snapshot = snapshot_newest()};
  edit.declared = &snapshot_config(edit.snapshot)->names;
  edit.catalog = snapshot_get(edit.snapshot, GATEWAY_CATALOG);
  names_init(&edit.now);
  enum err e = names_load(db, &edit.now, info);
  if (!e) e = fn(&edit, info);
  /* It may be a name of `now`, which does not outlive this. */
  if (!e && c->name.n && !(c->name = arena_dup(c->arena, c->name)).p) e = ERR_NO_MEMORY;
  if (!e && status != 204) e = answer(&edit, put, info);
  names_clear(&edit.now);
  snapshot_unref(edit.snapshot);
  return e;
}

#define X(name, entity, fields, allowed, required, status, prepare)                                            \
  static enum err run_##name(struct db *db, struct change *c, struct err_info *info) {                         \
    return edit_names(db, c, names_edit_##name, put_##entity, status, info);                                   \
  }                                                                                                            \
  static enum err show_##name(struct db *db, const struct change *c, struct buf *out, struct err_info *info) { \
    return describe(db, c, out, put_##entity, info);                                                           \
  }
#include "admin/names/names.def"
#undef X

/* Rows have nodes by code. What is none stays, to be refused when the rows are judged. */
static void name_nodes(struct request_context *rc, struct change *c, const struct str **nodes, size_t n) {
  struct str *v = ARENA_NEW_ARRAY(c->arena, struct str, n + 1);
  for (size_t i = 0; v && i < n; i++) {
    v[i] = (*nodes)[i];
    (void)!nodes_find_name(rc, c->arena, &v[i], "", 422, NULL);
  }
  if (v) *nodes = v;
}

static enum err name_alias_nodes(struct request_context *rc, struct change *c, struct err_info *info) {
  struct names_input *in = c->in;
  (void)info;
  (void)!nodes_find_name(rc, c->arena, &in->row.alias.node, "", 422, NULL);
  name_nodes(rc, c, &in->node_ids.v, in->node_ids.n);
  return OK;
}

static enum err name_member_nodes(struct request_context *rc, struct change *c, struct err_info *info) {
  struct names_input *in = c->in;
  (void)info;
  name_nodes(rc, c, &in->row.member.pins.nodes.v, in->row.member.pins.nodes.n);
  return OK;
}

/* What is there already is what it was before, for the audit log and If-Match. */
static enum err name_alias(struct request_context *rc, struct change *c, struct err_info *info) {
  c->name = ((const struct names_input *)c->in)->row.alias.name;
  return name_alias_nodes(rc, c, info);
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
#include "admin/names/names.def"
#undef X
  };
  return &rows[operation];
}
