/* The section of names: see route_names.h. Made in three steps: which rows are in force, what each leads to, and
 * whether that goes round in a circle. */
#include "route/route_names.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/id.h"
#include "route/resolve.h"
#include "route/route_rules.h"
#include "state/store/store.h"

struct route_stored {
  atomic_uint refs;
  struct names names;
  enum store_source source;
  uint64_t generation;
};

static size_t catalog_row;

void route_names_set_catalog_row(size_t row) { catalog_row = row; }

const struct names *route_names_stored(const struct route_names *n) { return &n->stored->names; }

/* ---- what the store has ---- */

static void stored_unref(struct route_stored *s) {
  if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1) return;
  names_clear(&s->names);
  free(s);
}

static struct route_stored *stored_ref(struct route_stored *s) {
  atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
  return s;
}

/* The same as before where nothing has changed; and where the store fails, since no copy is newer than what is in
 * force. */
static struct route_stored *stored_get(const struct route_names *before) {
  uint64_t generation = store_generation(); /* before the reading: what comes meanwhile is read again */
  struct route_stored *old = before ? before->stored : NULL;
  if (old && old->generation == generation) return stored_ref(old);
  struct route_stored *s = calloc(1, sizeof *s);
  if (!s) return NULL;
  atomic_init(&s->refs, 1);
  s->generation = generation;
  s->source = store_names(&s->names);
  if (!old || s->source == STORE_DB || old->source == STORE_UNKNOWN) return s;
  stored_unref(s);
  return stored_ref(old);
}

/* ---- which rows are in force ---- */

struct build {
  struct route_names *n;
  const struct names *stored, *declared;
  struct config_diags *diags; /* NULL: the first fault is in info */
  struct err_info *info;
  bool is_bad;
};

/* Rows of both sources, declared first: 0 … rows_of - 1. */
static size_t rows_of(const struct build *b, enum names_kind kind) {
  return b->declared->of[kind].n + b->stored->of[kind].n;
}
static const void *row_of(const struct build *b, enum names_kind kind, size_t i, bool *is_declared) {
  size_t declared = b->declared->of[kind].n;
  *is_declared = i < declared;
  const struct names_table *t = *is_declared ? &b->declared->of[kind] : &b->stored->of[kind];
  return (const char *)t->v + (*is_declared ? i : i - declared) * names_row_bytes(kind);
}

/* Adds a name unless it is there: a declared one then shadows it. */
static enum err add_name(struct build *b, struct map *to, struct str name, bool is_declared, struct route_name **out) {
  struct route_name *r = map_get(to, name);
  *out = NULL;
  if (r) {
    if (r->is_declared == is_declared) *out = r;
    return OK;
  }
  r = ARENA_NEW(&b->n->arena, struct route_name);
  if (!r || !map_put(to, name, r)) return ERR_NO_MEMORY;
  r->name = name;
  r->is_declared = is_declared;
  *out = r;
  return OK;
}

static bool is_declared_as(const struct build *b, enum names_kind kind, struct str name) {
  if (kind == NAMES_GROUP) return names_find_group(b->declared, name);
  for (size_t i = 0; i < b->declared->of[NAMES_ALIAS].n; i++)
    if (str_eq(names_alias_at(b->declared, i)->name, name)) return true;
  return false;
}

static enum err add_groups(struct build *b) {
  enum err e = OK;
  for (size_t i = 0; !e && i < rows_of(b, NAMES_GROUP); i++) {
    bool is_declared;
    struct route_name *r;
    const struct names_group *g = row_of(b, NAMES_GROUP, i, &is_declared);
    if (!g->is_active || (!is_declared && is_declared_as(b, NAMES_ALIAS, g->name))) continue;
    e = add_name(b, &b->n->groups, g->name, is_declared, &r);
    if (!e && r && !r->group) r->group = g;
  }
  return e;
}

static enum err add_aliases(struct build *b) {
  enum err e = OK;
  for (size_t i = 0; !e && i < rows_of(b, NAMES_ALIAS); i++) {
    bool is_declared;
    struct route_name *r;
    const struct names_alias *a = row_of(b, NAMES_ALIAS, i, &is_declared);
    if (!is_declared && is_declared_as(b, NAMES_GROUP, a->name)) continue;
    e = add_name(b, &b->n->aliases, a->name, is_declared, &r);
    if (e || !r) continue;
    if (!r->alias) r->alias = a;
    if (!r->context_tokens) r->context_tokens = a->context_tokens;
    r->step_count++;
    if (a->context_tokens && !map_get(&b->n->by_real, a->real) && !map_put(&b->n->by_real, a->real, r))
      e = ERR_NO_MEMORY;
  }
  return e;
}

/* ---- what each leads to ---- */

const struct route_name *route_names_find(const struct route_names *n, struct str name) {
  char tagged[NAMES_TEXT_MAX + 8];
  const struct route_name *r = map_get(&n->groups, name);
  if (!r) r = map_get(&n->aliases, name);
  if (r || name.n > NAMES_TEXT_MAX || !n->aliases.count || str_find_char(name, ':') != SIZE_MAX) return r;
  int bytes = snprintf(tagged, sizeof tagged, "%.*s%.*s", STR_ARG(name), STR_ARG(RESOLVE_LATEST));
  return map_get(&n->aliases, str_from(tagged, (size_t)bytes));
}

static const struct route_name *other_name(const struct route_names *n, struct str name, struct str own) {
  const struct route_name *r = str_eq(name, own) ? NULL : route_names_find(n, name); /* its own name is the model's */
  return r && str_eq(r->name, own) ? NULL : r;
}

/* Whether the step leads anywhere where nobody pins it but its own row. */
static bool is_reached(const struct route_step *step, bool is_pinned) {
  bool is = step->n && (is_pinned || step->names_provider);
  for (size_t i = 0; i < step->n && !is; i++) is = !step->v[i]->at->is_scoped;
  return is;
}

static enum err link_literal(struct build *b, struct str name, struct route_step *step) {
  struct resolution r = {0};
  bool found;
  enum err e = resolve_literal(b->n->catalog, &b->n->arena, name, RESOLVE_ALL, &r, &found);
  if (e || !found) return e;
  step->v = r.v;
  step->n = r.n;
  step->names_provider = r.how == RESOLVE_QUALIFIED;
  if (is_reached(step, false)) return OK;
  /* Only scoped ones have it by that tag: what is asked by the name alone is the other tag's, as it is of callers. */
  e = resolve_literal(b->n->catalog, &b->n->arena, name, RESOLVE_OPEN, &r, &found);
  if (e || !found) return e;
  const struct deployment **both = ARENA_NEW_ARRAY(&b->n->arena, const struct deployment *, step->n + r.n);
  if (!both) return ERR_NO_MEMORY;
  memcpy(both, r.v, r.n * sizeof *both);
  memcpy(both + r.n, step->v, step->n * sizeof *both);
  step->v = both;
  step->n += r.n;
  return OK;
}

/* On one provider the real name is as that knows it, or in full. */
static enum err link_on_node(struct build *b, const struct names_alias *a, struct route_step *step) {
  struct str full = arena_printf(&b->n->arena, "%.*s/%.*s", STR_ARG(a->node), STR_ARG(a->real));
  if (!full.p) return ERR_NO_MEMORY;
  enum err e = link_literal(b, full, step);
  if (!e && !step->n) e = link_literal(b, a->real, step);
  const struct deployment **here = e ? NULL : ARENA_NEW_ARRAY(&b->n->arena, const struct deployment *, step->n + 1);
  size_t n = 0;
  if (!here) return e ? e : ERR_NO_MEMORY;
  for (size_t i = 0; i < step->n; i++)
    if (str_eq(step->v[i]->at->provider.id, a->node)) here[n++] = step->v[i];
  step->v = here;
  step->n = n;
  step->names_provider = true;
  return OK;
}

static enum err link_alias(struct build *b, const struct names_alias *a, struct route_step *step) {
  step->alias = a;
  if (a->node.n) return link_on_node(b, a, step);
  step->name = other_name(b->n, a->real, a->name);
  return step->name ? OK : link_literal(b, a->real, step);
}

static enum err link_member(struct build *b, const struct names_member *m, struct route_step *step) {
  step->pins = m->pins.nodes.n ? &m->pins : NULL;
  if (m->is_fallback_413) step->use = m->is_fallback ? ROUTE_EITHER : ROUTE_IF_LARGER;
  step->name = other_name(b->n, m->model, m->group);
  return step->name ? OK : link_literal(b, m->model, step);
}

static enum err make_steps(struct build *b, struct route_name *r) {
  r->steps = ARENA_NEW_ARRAY(&b->n->arena, struct route_step, r->step_count + 1);
  r->members = ARENA_NEW_ARRAY(&b->n->arena, struct group_member, r->step_count + 1);
  r->step_count = 0;
  return r->steps && r->members ? OK : ERR_NO_MEMORY;
}

/* Those of one provider before that of all, and in the catalog's order. */
static int64_t rank_of(const struct build *b, const struct names_alias *a) {
  const struct catalog_provider *p = a->node.n ? map_get(&b->n->catalog->by_provider, a->node) : NULL;
  if (!a->node.n) return INT64_MAX;
  return p ? -(int64_t)p->priority : INT64_MAX - 1;
}

static enum err link_aliases(struct build *b) {
  enum err e = OK;
  for (size_t i = 0; !e && i < b->n->aliases.count; i++) e = make_steps(b, b->n->aliases.entries[i].value);
  for (size_t i = 0; !e && i < rows_of(b, NAMES_ALIAS); i++) {
    bool is_declared = false;
    const struct names_alias *a = row_of(b, NAMES_ALIAS, i, &is_declared);
    struct route_name *r = map_get(&b->n->aliases, a->name);
    if (!r || r->is_declared != is_declared) continue;
    if (r->step_count == GROUP_MEMBERS_MAX) continue;
    r->members[r->step_count].priority = rank_of(b, a);
    e = link_alias(b, a, &r->steps[r->step_count++]);
  }
  return e;
}

static struct route_name *group_of(const struct build *b, const struct names_member *m, bool is_declared) {
  struct route_name *r = map_get(&b->n->groups, m->group);
  return r && r->is_declared == is_declared && m->is_active ? r : NULL;
}

static enum err link_groups(struct build *b, const struct route_names *before) {
  bool is_declared = false;
  enum err e = OK;
  for (size_t i = 0; i < rows_of(b, NAMES_MEMBER); i++) {
    const struct names_member *m = row_of(b, NAMES_MEMBER, i, &is_declared);
    struct route_name *r = group_of(b, m, is_declared);
    if (r && r->step_count < GROUP_MEMBERS_MAX) r->step_count++;
  }
  for (size_t i = 0; !e && i < b->n->groups.count; i++) {
    struct route_name *r = b->n->groups.entries[i].value;
    const struct route_name *old = before ? map_get(&before->groups, r->name) : NULL;
    e = make_steps(b, r);
    r->turn = e ? NULL : arena_zalloc(&b->n->arena, sizeof *r->turn);
    if (!e && !r->turn) e = ERR_NO_MEMORY;
    if (!e) atomic_init(r->turn, old ? atomic_load_explicit(old->turn, memory_order_relaxed) : 0);
  }
  for (size_t i = 0; !e && i < rows_of(b, NAMES_MEMBER); i++) {
    const struct names_member *m = row_of(b, NAMES_MEMBER, i, &is_declared);
    struct route_name *r = group_of(b, m, is_declared);
    if (!r || r->step_count == GROUP_MEMBERS_MAX) continue;
    r->members[r->step_count] = (struct group_member){m->weight, m->priority, m->is_fallback || m->is_fallback_413};
    if (m->is_metadata_source && !r->source) r->source = &r->steps[r->step_count];
    e = link_member(b, m, &r->steps[r->step_count++]);
  }
  return e;
}

/* ---- whether it goes round in a circle ---- */

enum { UNSEEN, ON_THE_WAY, SEEN };

struct way {
  struct route_name *v[NAMES_DEPTH_MAX + 1];
  unsigned n;
};

static const struct names_row *place_of(const struct route_name *r) {
  return r->group ? &r->group->row : &r->alias->row;
}

/* Declared links alone are the file's fault, and void it. What the store has part in is left out, and told. */
static void refuse(struct build *b, const struct way *way, unsigned from, const struct route_name *to,
                   const char *what) {
  char text[ERR_TEXT_MAX];
  size_t at = 0;
  bool is_declared = true;
  for (unsigned i = from; i < way->n; i++) {
    is_declared = is_declared && way->v[i]->is_declared;
    int n = snprintf(text + at, sizeof text - at, "\"%.*s\" -> ", STR_ARG(str_cut_utf8(way->v[i]->name, 60)));
    at = n < 0 || (size_t)n >= sizeof text - at ? sizeof text - 1 : at + (size_t)n;
  }
  if (at < sizeof text) snprintf(text + at, sizeof text - at, "\"%.*s\"", STR_ARG(str_cut_utf8(to->name, 60)));
  b->is_bad = b->is_bad || is_declared || !b->diags;
  if (!b->diags && b->info && !b->info->text[0]) (void)err_set(b->info, ERR_BAD_VALUE, "%s: %.300s", what, text);
  const struct route_name *first = way->v[from];
  struct str path = arena_printf(&b->n->arena, "%s.%.*s", first->group ? "groups" : "aliases", STR_ARG(first->name));
  if (b->diags)
    config_diags_add(b->diags, is_declared ? CONFIG_ERROR : CONFIG_WARNING, place_of(first)->place, path, NULL,
                     "%s: %s", what, text);
}

/* Depth is bounded by NAMES_DEPTH_MAX: what is deeper is refused, not followed. */
static void walk(struct build *b, struct way *way, struct route_name *r) {
  r->state = ON_THE_WAY;
  r->height = 1;
  way->v[way->n++] = r;
  for (unsigned i = 0; i < r->step_count; i++) {
    struct route_name *to = (struct route_name *)(uintptr_t)r->steps[i].name;
    if (!to) continue;
    unsigned from = 0;
    bool is_circle = to->state == ON_THE_WAY;
    while (is_circle && way->v[from] != to) from++;
    if (!is_circle && to->state == UNSEEN && way->n < NAMES_DEPTH_MAX) walk(b, way, to);
    bool is_deep = !is_circle && (to->state == UNSEEN || to->height + way->n > NAMES_DEPTH_MAX);
    if (is_circle || is_deep) {
      refuse(b, way, from, to, is_circle ? "names lead in a circle" : "names lead to names more than 8 deep");
      r->steps[i].name = NULL;
    } else if (r->height < to->height + 1) {
      r->height = (uint8_t)(to->height + 1);
    }
  }
  way->n--;
  r->state = SEEN;
}

static enum err check_circles(struct build *b) {
  struct map *const maps[] = {&b->n->groups, &b->n->aliases};
  struct way way = {.n = 0};
  for (size_t m = 0; m < 2; m++) {
    for (size_t i = 0; i < maps[m]->count; i++) {
      struct route_name *r = maps[m]->entries[i].value;
      if (r->state == UNSEEN) walk(b, &way, r);
    }
  }
  return b->is_bad ? ERR_BAD_CONFIG : OK;
}

/* A declared name that leads nowhere may yet: a provider may list its models later. */
static void warn_of_dangling(struct build *b) {
  struct map *const maps[] = {&b->n->groups, &b->n->aliases};
  for (size_t m = 0; m < 2; m++) {
    for (size_t i = 0; i < maps[m]->count; i++) {
      const struct route_name *r = maps[m]->entries[i].value;
      const struct deployment *scoped = NULL;
      bool leads = false;
      for (unsigned k = 0; k < r->step_count; k++) {
        const struct route_step *step = &r->steps[k];
        leads = leads || step->name || is_reached(step, step->pins);
        if (step->n) scoped = step->v[0];
      }
      if (leads || !r->is_declared) continue;
      struct str path = arena_printf(&b->n->arena, "%s.%.*s", m ? "aliases" : "groups", STR_ARG(r->name));
      struct str hint =
          scoped ? arena_printf(&b->n->arena, "a scoped provider has it: name it, \"%.*s\"", STR_ARG(scoped->qualified))
                 : STR_NONE;
      config_diags_add(b->diags, CONFIG_WARNING, place_of(r)->place, path, hint.p, "leads to no model that is known");
    }
  }
}

/* ---- the section ---- */

static void names_init_section(struct route_names *n, const struct names *declared, const struct catalog *c) {
  arena_init(&n->arena, 0);
  map_init(&n->groups, &n->arena);
  map_init(&n->aliases, &n->arena);
  map_init(&n->by_real, &n->arena);
  n->declared = declared;
  n->catalog = c;
}

static enum err link_all(struct build *b, const struct route_names *before) {
  enum err e = add_groups(b);
  if (!e) e = add_aliases(b);
  if (!e) e = link_aliases(b);
  if (!e) e = link_groups(b, before);
  return e ? e : check_circles(b);
}

static void section_free(void *section) {
  struct route_names *n = section;
  if (!n) return;
  stored_unref(n->stored);
  arena_clear(&n->arena);
  free(n);
}

static enum err build(const struct config *config, const struct snapshot *made, const void *old, void **out,
                      struct config_diags *diags) {
  struct route_names *n = calloc(1, sizeof *n);
  if (!n) return ERR_NO_MEMORY;
  names_init_section(n, &config->names, snapshot_get(made, catalog_row));
  n->stored = stored_get(old);
  struct build b = {.n = n, .declared = &config->names, .diags = diags};
  if (n->stored) b.stored = &n->stored->names;
  enum err e = n->stored ? link_all(&b, old) : ERR_NO_MEMORY;
  if (!e) e = route_rules_add(n, b.stored);
  if (!e) warn_of_dangling(&b);
  if (e)
    section_free(n);
  else
    *out = n;
  return e;
}

const struct snapshot_section route_names_section = {"names", build, section_free};

/* ---- judging a change ---- */

/* Pinned: the step has pins, which reach what is scoped. */
static enum err is_known(struct build *b, struct str name, struct str own, bool is_pinned, const char *member,
                         struct err_info *info) {
  struct route_step step = {0};
  enum err e = other_name(b->n, name, own) ? OK : link_literal(b, name, &step);
  if (e || is_reached(&step, is_pinned) || other_name(b->n, name, own)) return e;
  if (step.n)
    return err_set_param(info, ERR_BAD_VALUE, member,
                         "\"%s\": only nodes with scoped_models have \"%.*s\"; name one of them: \"%.*s\"", member,
                         STR_ARG(str_cut_utf8(name, 120)), STR_ARG(str_cut_utf8(step.v[0]->qualified, 160)));
  return err_set_param(info, ERR_BAD_VALUE, member, "\"%s\": no model, alias or group \"%.*s\" is known", member,
                       STR_ARG(str_cut_utf8(name, 120)));
}

static enum err is_provider(const struct catalog *c, struct str id, const char *member, struct err_info *info) {
  if (map_get(&c->by_provider, id)) return OK;
  return err_set_param(info, ERR_BAD_VALUE, member, "\"%s\": no provider or node \"%.*s\" is known", member,
                       STR_ARG(str_cut_utf8(id, 120)));
}

static enum err check_alias(struct build *b, const struct names_alias *a, struct err_info *info) {
  struct route_step step = {0};
  if (!a->node.n) return is_known(b, a->real, a->name, false, "real_name", info);
  enum err e = is_provider(b->n->catalog, a->node, "node_ids", info);
  if (!e) e = link_on_node(b, a, &step);
  if (e || step.n) return e;
  return err_set_param(info, ERR_BAD_VALUE, "real_name", "\"real_name\": \"%.*s\" has no model \"%.*s\"",
                       STR_ARG(a->node), STR_ARG(str_cut_utf8(a->real, 120)));
}

static enum err check_member(struct build *b, const struct names_member *m, struct err_info *info) {
  struct route_step step = {0};
  bool is_itself = str_eq(m->model, m->group);
  enum err e = is_itself ? link_literal(b, m->model, &step) : OK;
  if (!e && is_itself && !step.n)
    return err_set_param(info, ERR_BAD_VALUE, "model_display_name", "names lead in a circle: \"%.*s\" -> \"%.*s\"",
                         STR_ARG(m->group), STR_ARG(m->model));
  if (!e) e = is_known(b, m->model, m->group, m->pins.nodes.n > 0, "model_display_name", info);
  for (size_t i = 0; !e && i < m->pins.nodes.n; i++) e = is_provider(b->n->catalog, m->pins.nodes.v[i], "nodes", info);
  size_t twice = names_pins_double(&m->pins);
  if (!e && twice < m->pins.nodes.n)
    e = err_set_param(info, ERR_BAD_VALUE, "nodes", "\"nodes\": \"%.*s\" comes twice", STR_ARG(m->pins.nodes.v[twice]));
  return e;
}

enum err route_names_check(const struct names *stored, const struct names *declared, const struct catalog *c,
                           enum names_kind kind, const void *row, struct err_info *info) {
  struct route_names n = {0};
  struct err_info why = {0};
  struct build b = {.n = &n, .stored = stored, .declared = declared, .info = &why};
  names_init_section(&n, declared, c);
  enum err e = link_all(&b, NULL);
  const char *member = kind == NAMES_ALIAS ? "real_name" : "model_display_name";
  if (e == ERR_BAD_CONFIG) e = err_set_param(info, ERR_BAD_VALUE, member, "%s", why.text);
  if (!e) e = kind == NAMES_ALIAS ? check_alias(&b, row, info) : check_member(&b, row, info);
  arena_clear(&n.arena);
  return e;
}
