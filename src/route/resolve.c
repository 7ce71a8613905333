/* A name to deployments: see resolve.h. */
#include "route/resolve.h"

#include <stdio.h>

enum {
  NEAREST = 3,
  MAX_DISTANCE = 64,
  NAME_SHOWN = 120, /* bytes of a name in a message */
  LOOKED_AT = 1024  /* deployments, preferred first: a turn is short, and nobody reads further */
};

struct near {
  struct str name;
  unsigned distance;
};

static void consider(struct near best[NEAREST], struct str asked, struct str name) {
  size_t longer = name.n > asked.n ? name.n - asked.n : asked.n - name.n; /* at least so many letters differ */
  /* A name that holds the other is near, however long: "gpt-5" for "openai/gpt-5". */
  bool holds = asked.n >= 3 && name.n >= 3 && (str_find(name, asked) != SIZE_MAX || str_find(asked, name) != SIZE_MAX);
  if (!holds && longer >= best[NEAREST - 1].distance) return;
  unsigned d = holds && longer > 2 ? 2 : str_distance(asked, name, MAX_DISTANCE);
  for (int i = 0; i < NEAREST; i++) {
    if (str_eq(best[i].name, name)) return;
    if (d >= best[i].distance) continue;
    for (int j = NEAREST - 1; j > i; j--) best[j] = best[j - 1];
    best[i] = (struct near){name, d};
    return;
  }
}

static void consider_names(struct near best[NEAREST], struct str asked, const struct map *names) {
  for (size_t i = 0; i < names->count && i < LOOKED_AT; i++) consider(best, asked, names->entries[i].key);
}

/* at: only what that provider has is near; NULL: everything is. */
static enum err not_found(const struct catalog *c, const struct route_names *names, const struct catalog_provider *at,
                          struct str name, struct err_info *info) {
  struct near best[NEAREST];
  for (int i = 0; i < NEAREST; i++) best[i] = (struct near){STR_NONE, MAX_DISTANCE + 1};
  if (!at) consider(best, name, RESOLVE_NAME_AUTO);
  if (!at && names) consider_names(best, name, &names->groups);
  if (!at && names) consider_names(best, name, &names->aliases);
  for (size_t i = 0; i < c->deployment_count && i < LOOKED_AT; i++) {
    if (!c->ranked[i]->at->is_ready || (at && c->ranked[i]->at != at)) continue;
    consider(best, name, c->ranked[i]->qualified);
    if (at || !c->ranked[i]->at->is_scoped) consider(best, name, c->ranked[i]->model);
  }
  char list[NEAREST * (NAME_SHOWN + 4) + 1];
  int used = 0;
  list[0] = 0;
  for (int i = 0; i < NEAREST && best[i].name.n; i++)
    used += snprintf(list + used, sizeof list - (size_t)used, "%s\"%.*s\"", i ? ", " : "",
                     STR_ARG(str_cut_utf8(best[i].name, NAME_SHOWN)));
  return err_set_param(info, ERR_MODEL_NOT_FOUND, "model", "The model \"%.*s\" does not exist%s%s.",
                       STR_ARG(str_cut_utf8(name, NAME_SHOWN)), used ? "; the nearest are " : "", list);
}

static enum err pick_one(struct arena *a, const struct deployment *d, struct resolution *out) {
  const struct deployment **v = ARENA_NEW_ARRAY(a, const struct deployment *, 1);
  if (!v) return ERR_NO_MEMORY;
  v[0] = d;
  *out = (struct resolution){.how = RESOLVE_QUALIFIED, .v = v, .n = 1};
  return OK;
}

/* A model that its provider is not known to list, asked for by its full name: the provider will say. */
static enum err pick_unlisted(struct arena *a, const struct catalog_provider *p, struct str name, struct str model,
                              struct resolution *out) {
  struct deployment *d = ARENA_NEW(a, struct deployment);
  if (!d) return ERR_NO_MEMORY;
  *d = (struct deployment){
      .at = p, .model = model, .qualified = name, .context_tokens = -1, .output_tokens = -1, .order = SIZE_MAX};
  return pick_one(a, d, out);
}

static enum err by_qualified(const struct catalog *c, struct arena *a, struct str name, struct resolution *out,
                             bool *found) {
  struct str provider_id, model;
  const struct deployment *d = map_get(&c->by_qualified, name);
  *found = true;
  if (d) return pick_one(a, d, out);
  const struct catalog_provider *p =
      str_cut(name, '/', &provider_id, &model) && model.n ? map_get(&c->by_provider, provider_id) : NULL;
  if (p && p->is_open && !map_get(&c->switched_off, name)) return pick_unlisted(a, p, name, model, out);
  *found = false;
  return OK;
}

/* What stands in a provider's place, so that receipts and records can say who answered. */
static const struct catalog_provider nobody = {.provider = {.id = STR("maestro")}, .is_ready = true};
static const struct deployment smoke = {.at = &nobody,
                                        .model = RESOLVE_NAME_SMOKE,
                                        .qualified = RESOLVE_NAME_SMOKE,
                                        .context_tokens = -1,
                                        .output_tokens = -1,
                                        .order = SIZE_MAX};
static const struct deployment *smoke_alone[] = {&smoke};

static bool is_brain_name(struct str name) { return str_eq(name, STR("maestro")) || str_eq(name, RESOLVE_NAME_AUTO); }

static void promote_larger(struct resolution *r) {
  if (r->n) return;
  r->v = r->larger;
  r->n = r->larger_n;
  r->larger_n = 0;
}

enum err resolve_keep(struct arena *a, struct resolution *r, bool (*keep)(void *arg, const struct deployment *d),
                      void *arg) {
  const struct deployment **v = ARENA_NEW_ARRAY(a, const struct deployment *, r->n + r->larger_n + 1);
  size_t n = 0, larger_n = 0;
  if (!v) return ERR_NO_MEMORY;
  for (size_t i = 0; i < r->n; i++)
    if (keep(arg, r->v[i])) v[n++] = r->v[i];
  for (size_t i = 0; i < r->larger_n; i++)
    if (keep(arg, r->larger[i])) v[n + larger_n++] = r->larger[i];
  r->v = v;
  r->n = n;
  r->larger = v + n;
  r->larger_n = larger_n;
  promote_larger(r);
  return OK;
}

static bool is_ready(void *arg, const struct deployment *d) {
  (void)arg;
  return d->at->is_ready;
}

static enum err only_ready(struct arena *a, struct resolution *r, struct err_info *info) {
  struct str first = r->v[0]->at->provider.id;
  enum err e = resolve_keep(a, r, is_ready, NULL);
  if (e || r->n) return e;
  return err_set_param(info, ERR_NO_CREDENTIAL, "model",
                       "The provider \"%.*s\" has no credential; set its key (see `maestro check`).", STR_ARG(first));
}

/* The priorities; without them every model that is surely one for chat, preferred first. */
static enum err pick_brain(const struct catalog *c, struct arena *a, struct resolution *out, struct err_info *info) {
  *out = (struct resolution){.how = RESOLVE_BRAIN, .v = c->priorities, .n = c->priority_count};
  if (c->priority_count) return OK;
  const struct deployment **v = ARENA_NEW_ARRAY(a, const struct deployment *, c->deployment_count + 1);
  if (!v) return ERR_NO_MEMORY;
  out->v = v;
  bool has_scoped = false;
  for (size_t i = 0; i < c->deployment_count; i++) {
    if (c->ranked[i]->is_known && !c->ranked[i]->at->is_scoped) v[out->n++] = c->ranked[i];
    has_scoped = has_scoped || c->ranked[i]->at->is_scoped;
  }
  if (out->n) return OK;
  if (c->deployment_count == 0)
    return err_set_param(info, ERR_MODEL_NOT_FOUND, "model", "No model is configured yet; add a provider.");
  return err_set_param(info, ERR_MODEL_NOT_FOUND, "model",
                       "\"maestro-auto\" does not know which models to use: list some in \"priorities\" of "
                       "maestro.json, or declare \"models\" of a provider there%s (`maestro init` writes the file).",
                       has_scoped ? " that is not scoped" : "");
}

/* With Ollama's tag in the place of without, and the reverse; {NULL, 0} without memory. */
static struct str other_tag(struct arena *a, struct str name) {
  struct str plain = resolve_untagged(name);
  return plain.n < name.n ? plain : arena_printf(a, "%.*s%.*s", STR_ARG(name), STR_ARG(RESOLVE_LATEST));
}

static bool by_id(const struct catalog *c, struct str name, enum resolve_reach reach, struct resolution *out) {
  const struct catalog_name *named = map_get(&c->by_model, name);
  if (!named) return false;
  struct resolution r = {.how = RESOLVE_MODEL, .v = named->v, .n = named->n};
  if (reach == RESOLVE_ALL) r.v = named->all, r.n = named->all_n;
  if (r.n) *out = r;
  return r.n;
}

/* Told back as asked. */
static enum err by_tag(const struct catalog *c, struct arena *a, struct str name, enum resolve_reach reach,
                       struct resolution *out, bool *found) {
  struct str other = other_tag(a, name);
  if (!other.p) return ERR_NO_MEMORY;
  const struct deployment *d = map_get(&c->by_qualified, other);
  enum err e = d ? pick_one(a, d, out) : OK;
  *found = d || by_id(c, other, reach, out);
  if (!e && *found) out->told = name;
  return e;
}

enum err resolve_literal(const struct catalog *c, struct arena *a, struct str name, enum resolve_reach reach,
                         struct resolution *out, bool *found) {
  enum err e = by_qualified(c, a, name, out, found);
  if (e || *found) return e;
  *found = by_id(c, name, reach, out);
  return *found ? OK : by_tag(c, a, name, reach, out, found);
}

static enum err pick_named(const struct route_name *named, struct arena *a, struct str name, struct resolution *out,
                           struct err_info *info) {
  struct route_expansion x;
  enum err e = route_names_expand(named, a, &x);
  if (e) return e;
  *out = (struct resolution){named->group ? RESOLVE_GROUP : RESOLVE_ALIAS, x.v, x.n, name, named, x.larger, x.larger_n};
  promote_larger(out);
  if (out->n == 0)
    return err_set_param(info, ERR_MODEL_NOT_FOUND, "model", "The %s \"%.*s\" leads to no model that is known now.",
                         named->group ? "group" : "alias", STR_ARG(str_cut_utf8(name, NAME_SHOWN)));
  return OK;
}

#define NODE_PREFIX STR("node:")

bool resolve_is_of_node(struct str name) { return str_has_prefix(name, NODE_PREFIX); }

enum err resolve_node(const struct catalog *c, struct str name, const struct catalog_provider **at, struct str *model,
                      struct err_info *info) {
  struct str code, rest;
  str_cut(str_sub(name, NODE_PREFIX.n, name.n), ':', &code, &rest);
  const struct catalog_provider *found = map_get(&c->by_code, code);
  if (!found)
    return err_set_param(info, ERR_NOT_FOUND, "model", "Node with code '%.*s' not found",
                         STR_ARG(str_cut_utf8(code, NAME_SHOWN)));
  *at = found;
  *model = rest;
  return OK;
}

bool resolve_is_reserved(struct str name) {
  return is_brain_name(name) || str_eq(name, RESOLVE_NAME_PRIORITY) || str_eq(name, RESOLVE_NAME_SMOKE) ||
         resolve_is_of_node(name);
}

/* A model at that node, as it is known there; *found says whether it is. */
static enum err at_node(const struct catalog *c, struct arena *a, const struct catalog_provider *at, struct str model,
                        struct resolution *out, bool *found) {
  struct str prefix = arena_printf(a, "%.*s/", STR_ARG(at->provider.id));
  if (!prefix.p) return ERR_NO_MEMORY;
  bool is_full = str_has_prefix(model, prefix) && map_get(&c->by_qualified, model);
  struct str qualified = is_full ? model : arena_printf(a, "%.*s%.*s", STR_ARG(prefix), STR_ARG(model));
  if (!qualified.p) return ERR_NO_MEMORY;
  enum err e = by_qualified(c, a, qualified, out, found);
  if (e || *found) return e;
  struct deployment *d = map_get(&c->by_qualified, other_tag(a, qualified));
  *found = d != NULL;
  return d ? pick_one(a, d, out) : OK;
}

/* One node's model, by the code of the node: nobody else answers. An alias that holds there comes before the name as it
 * is. */
static enum err by_node(const struct catalog *c, const struct route_names *names, struct arena *a, struct str name,
                        struct resolution *out, struct err_info *info) {
  const struct catalog_provider *at;
  struct str model;
  bool found = false;
  enum err e = resolve_node(c, name, &at, &model, info);
  if (e) return e;
  if (!model.n)
    return err_set_param(info, ERR_MODEL_NOT_FOUND, "model", "\"%.*s\" names no model: write node:<code>:<model>.",
                         STR_ARG(str_cut_utf8(name, NAME_SHOWN)));
  const struct names_alias *alias = names ? route_names_alias_on(names, at->provider.id, model) : NULL;
  if (alias) e = at_node(c, a, at, alias->real, out, &found);
  if (!e && !found) e = at_node(c, a, at, model, out, &found);
  if (!e && !found) e = not_found(c, names, at, model, info);
  if (e) return e;
  out->how = RESOLVE_NODE;
  out->told = name;
  return OK;
}

static enum err pick(const struct catalog *c, const struct route_names *names, struct arena *a, struct str name,
                     struct resolution *out, struct err_info *info) {
  if (is_brain_name(name)) return pick_brain(c, a, out, info);
  if (str_eq(name, RESOLVE_NAME_PRIORITY)) {
    if (c->priority_count == 0)
      return err_set_param(info, ERR_MODEL_NOT_FOUND, "model",
                           "\"router-maestro\" follows the list of \"priorities\" of maestro.json, which is empty.");
    *out = (struct resolution){.how = RESOLVE_PRIORITY, .v = c->priorities, .n = c->priority_count};
    return OK;
  }
  if (str_eq(name, RESOLVE_NAME_SMOKE)) {
    *out = (struct resolution){.how = RESOLVE_SMOKE, .v = smoke_alone, .n = 1};
    return OK;
  }
  if (resolve_is_of_node(name)) return by_node(c, names, a, name, out, info);
  const struct route_name *named = names ? route_names_find(names, name) : NULL;
  if (named) return pick_named(named, a, name, out, info);
  bool found;
  enum err e = resolve_literal(c, a, name, RESOLVE_OPEN, out, &found);
  return e || found ? e : not_found(c, names, NULL, name, info);
}

enum err resolve_name(const struct catalog *c, const struct route_names *names, struct arena *a, struct str name,
                      struct resolution *out, struct err_info *info) {
  struct resolution r;
  enum err e = pick(c, names, a, name, &r, info);
  if (e) return e;
  bool all_ready = true;
  for (size_t i = 0; i < r.n && all_ready; i++) all_ready = r.v[i]->at->is_ready;
  for (size_t i = 0; i < r.larger_n && all_ready; i++) all_ready = r.larger[i]->at->is_ready;
  if (!all_ready && (e = only_ready(a, &r, info))) return e;
  *out = r;
  return OK;
}
