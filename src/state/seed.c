/* Default rows: see seed.h. */
#include "state/seed.h"

#include "base/json_out.h"
#include "state/store/store_names.h"

static const struct seed {
  enum names_kind kind;
  const char *name, *list, *text; /* of a tool set: globs, description; of a model: what is left out, its tool set */
  int64_t context_tokens;
} seeds[] = {
#define TOOLS(name, tools, description) {NAMES_TOOL_SET, name, tools, description, 0},
#define MODEL(prefix, tool_set, unsupported, context) {NAMES_MODEL, prefix, unsupported, tool_set, context},
#include "state/seeds.def"
};
enum { SEEDS = sizeof seeds / sizeof *seeds };

const char *seed_state_name(enum seed_state state) {
  static const char *const names[SEED_STATES] = {"missing", "as delivered", "changed", "added", "kept", "restored"};
  return names[state];
}

static bool split(struct arena *a, const char *text, struct names_list *out) {
  struct str rest = str_from_c(text ? text : ""), *v;
  size_t n = 0, room = 1;
  for (size_t i = 0; i < rest.n; i++) room += rest.p[i] == ' ';
  if (!(v = ARENA_NEW_ARRAY(a, struct str, room))) return false;
  for (bool more = rest.n > 0; more;) more = str_cut(rest, ' ', &v[n++], &rest);
  *out = (struct names_list){v, n, text && (n > 0)};
  return true;
}

union seed_row {
  struct names_row row;
  struct names_tool_set tool_set;
  struct names_model model;
};

static bool make_row(struct arena *a, const struct seed *s, union seed_row *out) {
  struct names_list list;
  if (!split(a, s->list, &list)) return false;
  names_row_init(s->kind, out);
  if (s->kind == NAMES_TOOL_SET) {
    out->tool_set.name = str_from_c(s->name);
    out->tool_set.description = str_from_c(s->text);
    out->tool_set.tools = list;
  } else {
    out->model.prefix = str_from_c(s->name);
    out->model.tool_set = str_from_c(s->text);
    out->model.unsupported = list;
    out->model.context_tokens = s->context_tokens;
  }
  return true;
}

static const struct names_row *find(const struct names *now, const struct seed *s) {
  struct str name = str_from_c(s->name);
  if (s->kind == NAMES_TOOL_SET) {
    const struct names_tool_set *set = names_find_tool_set(now, name);
    return set ? &set->row : NULL;
  }
  for (size_t i = 0; i < now->of[NAMES_MODEL].n; i++)
    if (str_eq(names_model_at(now, i)->prefix, name)) return &names_model_at(now, i)->row;
  return NULL;
}

/* By what both say of themselves. */
static bool is_same(enum names_kind kind, const void *left, const void *right) {
  struct buf a, b;
  buf_init(&a, 0);
  buf_init(&b, 0);
  names_put_fields(&a, kind, left);
  names_put_fields(&b, kind, right);
  bool is_equal = !a.failed && !b.failed && str_eq(buf_str(&a), buf_str(&b));
  buf_clear(&a);
  buf_clear(&b);
  return is_equal;
}

static enum err visit(struct db *db, const struct names *now, struct arena *a, const struct seed *s, bool lays,
                      bool is_reset, enum seed_state *out, struct err_info *info) {
  union seed_row row;
  const struct names_row *old = find(now, s);
  if (!make_row(a, s, &row)) return ERR_NO_MEMORY;
  bool is_as_delivered = old && is_same(s->kind, &row, old);
  *out = !old ? SEED_MISSING : is_as_delivered ? SEED_AS_DELIVERED : SEED_CHANGED;
  if (!lays) return OK;
  *out = !old ? SEED_ADDED : is_as_delivered || !is_reset ? SEED_KEPT : SEED_RESTORED;
  if (*out == SEED_KEPT) return OK;
  if (old) row.row = *old;
  return old ? store_names_update(db, s->kind, &row, info) : store_names_add(db, s->kind, &row, info);
}

static enum err visit_all(struct db *db, bool lays, bool is_reset, seed_note_fn *note, void *arg,
                          struct err_info *info) {
  struct names now;
  enum err e = names_load(db, &now, info);
  for (size_t i = 0; !e && i < SEEDS; i++) {
    enum seed_state state;
    e = visit(db, &now, &now.arena, &seeds[i], lays, is_reset, &state, info);
    if (!e) note(arg, seeds[i].kind, str_from_c(seeds[i].name), state);
  }
  names_clear(&now);
  return e;
}

enum err seed_look(struct db *db, seed_note_fn *note, void *arg, struct err_info *info) {
  return visit_all(db, false, false, note, arg, info);
}

enum err seed_lay(struct db *db, bool is_reset, seed_note_fn *note, void *arg, struct err_info *info) {
  return visit_all(db, true, is_reset, note, arg, info);
}
