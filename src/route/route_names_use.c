/* What requests ask of names: see route_names.h. */
#include "base/id.h"
#include "route/route_names.h"

static const struct names_alias *alias_on(const struct route_name *r, struct str provider) {
  const struct names_alias *for_all = NULL;
  for (unsigned i = 0; i < r->step_count; i++) {
    const struct names_alias *a = r->steps[i].alias;
    if (str_eq(a->node, provider)) return a;
    if (!a->node.n) for_all = a;
  }
  return for_all;
}

const struct names_alias *route_names_alias_on(const struct route_names *n, struct str provider, struct str name) {
  const struct route_name *r = map_get(&n->aliases, name);
  return r ? alias_on(r, provider) : NULL;
}

/* ---- expanding ---- */

enum { VISITS_MAX = 1024 };

static bool list_has(const struct names_list *list, struct str s) {
  for (size_t i = 0; i < list->n; i++)
    if (str_eq(list->v[i], s)) return true;
  return false;
}

static void add(const struct deployment **v, size_t *n, const struct deployment *d) {
  if (*n < NAMES_CANDIDATES_MAX && !catalog_is_among(v, *n, d)) v[(*n)++] = d;
}

static void take(struct route_expansion *x, const struct deployment *d, enum route_use use) {
  if (use != ROUTE_IF_LARGER) add(x->v, &x->n, d);
  if (use != ROUTE_IN_TURN) add(x->larger, &x->larger_n, d);
}

static void take_step(struct route_expansion *x, const struct route_name *r, const struct route_step *step,
                      const struct names_pins *pins, enum route_use use) {
  for (size_t i = 0; i < step->n; i++) {
    struct str provider = step->v[i]->at->provider.id;
    if (r->alias && alias_on(r, provider) != step->alias) continue;
    if (use == ROUTE_IN_TURN && x->n == NAMES_CANDIDATES_MAX) return;
    if (step->v[i]->at->is_scoped && !step->names_provider && !pins) continue;
    if (!pins || list_has(&pins->nodes, provider)) take(x, step->v[i], use);
  }
}

static int64_t place_among(const struct names_pins *pins, const struct deployment *d) {
  for (size_t i = 0; i < pins->nodes.n; i++)
    if (str_eq(pins->nodes.v[i], d->at->provider.id)) return pins->priority[i];
  return 0;
}

/* What a member gave, by its pins' priorities. Stable, and there are few: by insertion. */
static void by_pins(const struct names_pins *pins, const struct deployment **v, size_t n) {
  int64_t places[NAMES_CANDIDATES_MAX];
  for (size_t i = 0; i < n; i++) {
    const struct deployment *d = v[i];
    int64_t place = place_among(pins, d);
    size_t to = i;
    for (; to && places[to - 1] < place; to--) {
      v[to] = v[to - 1];
      places[to] = places[to - 1];
    }
    v[to] = d;
    places[to] = place;
  }
}

static void expand(struct route_expansion *x, const struct route_name *r, const struct names_pins *pins,
                   enum route_use use, struct arena *a);

/* The inner pins hold, as they were said last. Of the uses the narrower one does: what is only for what is too long is
 * that, whoever asks. */
static void expand_step(struct route_expansion *x, const struct route_name *r, const struct route_step *step,
                        const struct names_pins *pins, enum route_use use, struct arena *a) {
  size_t before = x->n, larger_before = x->larger_n;
  if (use == ROUTE_IN_TURN || step->use == ROUTE_IF_LARGER) use = step->use;
  x->visits++;
  if (step->name)
    expand(x, step->name, step->pins ? step->pins : pins, use, a);
  else
    take_step(x, r, step, step->pins ? step->pins : pins, use);
  if (!step->pins || !step->pins->priority) return;
  by_pins(step->pins, x->v + before, x->n - before);
  by_pins(step->pins, x->larger + larger_before, x->larger_n - larger_before);
}

/* As deep as links are: NAMES_DEPTH_MAX. */
static void expand(struct route_expansion *x, const struct route_name *r, const struct names_pins *pins,
                   enum route_use use, struct arena *a) {
  uint16_t *order = ARENA_NEW_ARRAY(a, uint16_t, r->step_count + 1);
  enum names_strategy strategy = r->group ? (enum names_strategy)r->group->strategy : NAMES_PRIORITY;
  uint64_t turn = r->turn ? atomic_load_explicit(r->turn, memory_order_relaxed) : 0;
  if (!order) return;
  group_order(strategy, r->members, r->step_count, turn, strategy == NAMES_WEIGHTED ? id_random_u64() : 0, order);
  for (unsigned i = 0; i < r->step_count && x->visits < VISITS_MAX; i++)
    expand_step(x, r, &r->steps[order[i]], pins, use, a);
}

static bool start(struct route_expansion *x, struct arena *a) {
  *x = (struct route_expansion){.v = ARENA_NEW_ARRAY(a, const struct deployment *, 2 * NAMES_CANDIDATES_MAX)};
  if (x->v) x->larger = x->v + NAMES_CANDIDATES_MAX;
  return x->v;
}

enum err route_names_expand(const struct route_name *name, struct arena *a, struct route_expansion *out) {
  if (!start(out, a)) return ERR_NO_MEMORY;
  expand(out, name, NULL, ROUTE_IN_TURN, a);
  return OK;
}

enum err route_names_expand_source(const struct route_name *name, struct arena *a, struct route_expansion *out) {
  if (!start(out, a)) return ERR_NO_MEMORY;
  expand_step(out, name, name->source, NULL, ROUTE_IN_TURN, a);
  return OK;
}

/* As deep as links are, and no further than so many. */
static void take_turn(const struct route_name *name, unsigned *visits) {
  if (name->turn) atomic_fetch_add_explicit(name->turn, 1, memory_order_relaxed);
  for (unsigned i = 0; i < name->step_count && *visits < VISITS_MAX; i++) {
    ++*visits;
    if (name->steps[i].name) take_turn(name->steps[i].name, visits);
  }
}

void route_names_take_turn(const struct route_name *name) {
  unsigned visits = 0;
  take_turn(name, &visits);
}

/* ---- what is set for models ---- */

static bool begins(const struct route_rule *rule, struct str name) {
  bool is_long = rule->row->is_exact ? name.n == rule->prefix.n : name.n >= rule->prefix.n;
  return is_long && str_eq_nocase(str_sub(name, 0, rule->prefix.n), rule->prefix);
}

/* By the name that was asked for, by the model's own, and by that without its vendor ("moonshotai/kimi-k2"). Rules come
 * exact ones first, then the longest. */
static const struct route_rule *rule_for(const struct route_names *n, struct str asked, const struct deployment *d) {
  size_t slash = str_rfind_char(d->model, '/');
  struct str last = slash == SIZE_MAX ? d->model : str_sub(d->model, slash + 1, d->model.n);
  for (size_t i = 0; i < n->rule_count; i++)
    if (begins(&n->rules[i], asked) || begins(&n->rules[i], d->model) || begins(&n->rules[i], last))
      return &n->rules[i];
  return NULL;
}

static int64_t capped(const struct route_rule *rule, int64_t tokens) {
  int64_t most = rule ? rule->row->max_context_tokens : 0;
  return most && tokens > most ? most : tokens;
}

int64_t route_names_context(const struct route_names *n, struct str asked, int64_t said, const struct deployment *d) {
  const struct route_rule *rule = n && n->rule_count ? rule_for(n, asked, d) : NULL;
  int64_t set = rule ? rule->row->context_tokens : 0, known = d->context_tokens;
  if (said)
    known = said;
  else if (set && (rule->row->is_exact || known < 0))
    known = set;
  return known < 0 && rule && rule->row->max_context_tokens ? rule->row->max_context_tokens : capped(rule, known);
}

static bool is_for(const struct names_prompt *p, const struct route_name *named, struct str asked,
                   const struct deployment *d, struct str user) {
  switch ((enum names_scope)p->scope) {
    case NAMES_FOR_ALL: return true;
    case NAMES_FOR_USER: return user.n && str_glob(p->value, user);
    case NAMES_FOR_NODE: return str_glob(p->value, d->at->provider.id);
    case NAMES_FOR_GROUP: return named && named->group && str_glob(p->value, asked);
    case NAMES_FOR_MODEL: return str_glob(p->value, d->model) || str_glob(p->value, d->qualified);
    case NAMES_FOR_ALIAS: return named && named->alias && str_glob(p->value, asked);
  }
  return false;
}

/* By the name that was asked for, else by what stands for this very model. */
static int64_t alias_context(const struct route_names *n, const struct route_name *named, const struct deployment *d) {
  const struct names_alias *a = named && named->alias ? alias_on(named, d->at->provider.id) : NULL;
  if (a && a->context_tokens) return a->context_tokens;
  const struct route_name *r = named && named->alias ? named : map_get(&n->by_real, d->qualified);
  if (!r) r = map_get(&n->by_real, d->model);
  return r ? r->context_tokens : 0;
}

enum err route_names_shape(const struct route_names *n, struct str asked, const struct deployment *d, struct str user,
                           struct arena *a, struct route_shape *out) {
  struct route_shape shape = {0};
  if (n && n->rule_count + n->prompt_count + n->aliases.count > 0) {
    const struct route_name *named = route_names_find(n, asked);
    const struct route_rule *rule = n->rule_count ? rule_for(n, asked, d) : NULL;
    if (rule) {
      shape.rule = rule;
      shape.tools = rule->tools;
      shape.unsupported = rule->row->unsupported.n ? &rule->row->unsupported : NULL;
      shape.is_closed = rule->row->is_closed;
    }
    shape.context_tokens = n->aliases.count ? alias_context(n, named, d) : 0;
    if (rule && !shape.context_tokens) shape.context_tokens = rule->row->context_tokens;
    shape.context_tokens = capped(rule, shape.context_tokens);
    if (n->prompt_count && !(shape.prompts = ARENA_NEW_ARRAY(a, const struct names_prompt *, n->prompt_count)))
      return ERR_NO_MEMORY;
    for (size_t i = 0; i < n->prompt_count; i++)
      if (is_for(n->prompts[i], named, asked, d, user)) shape.prompts[shape.prompt_count++] = n->prompts[i];
  }
  *out = shape;
  return OK;
}
