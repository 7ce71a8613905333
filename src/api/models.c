/* Lists of models: see models.h. Order: configured priorities, then the other models by name, then groups and aliases,
 * then virtual names. */
#include "api/models.h"

#include <stdlib.h>

#include "gateway/envelope.h"
#include "gateway/exchange.h"
#include "gateway/permit.h"

/* Raw members that only we add: what the registry knows of a model. */
static struct str extra_of(const struct deployment *d, struct arena *a) {
  struct buf b;
  if (!d->spec) return STR_NONE;
  buf_init(&b, 0);
  buf_put(&b, d->spec->caps & REGISTRY_CAP_VISION ? STR("\"supports_vision\":true,\"maestro\":{\"slot\":")
                                                  : STR("\"supports_vision\":false,\"maestro\":{\"slot\":"));
  if (d->spec->slot.n)
    buf_put_json(&b, d->spec->slot);
  else
    buf_put(&b, STR("null"));
  buf_put(&b, STR(",\"tier\":"));
  buf_put_json(&b, str_from_c(registry_tier_name(d->spec->tier)));
  buf_put(&b, STR(",\"strength\":"));
  buf_put_u64(&b, d->spec->strength);
  buf_put(&b, STR(",\"caps\":["));
  bool first = true;
  for (unsigned bit = 1; bit <= REGISTRY_CAP_FRESH; bit <<= 1) {
    if (!(d->spec->caps & bit)) continue;
    if (!first) buf_put_char(&b, ',');
    buf_put_json(&b, str_from_c(registry_cap_name(bit)));
    first = false;
  }
  buf_put(&b, STR("]}"));
  struct str text = b.failed ? STR_NONE : arena_dup(a, buf_str(&b));
  buf_clear(&b);
  return text;
}

/* By the name that is asked for; `said`: the context that is said of the name itself, or 0. */
static struct dialect_model describe_as(const struct route_names *names, struct str asked, int64_t said,
                                        const struct deployment *d, struct arena *a) {
  int64_t context = route_names_context(names, asked, said, d), output = d->output_tokens;
  if (context > 0 && context != d->context_tokens && output >= context) output = -1;
  return (struct dialect_model){.id = d->qualified,
                                .owned_by = d->at->provider.id,
                                .context_tokens = context,
                                .prompt_tokens = output > 0 && context > output ? context - output : context,
                                .output_tokens = output,
                                .has_vision = d->spec && d->spec->caps & REGISTRY_CAP_VISION,
                                .has_reasoning = d->spec && d->spec->caps & REGISTRY_CAP_REASONING,
                                .has_tools = true, /* nothing says otherwise */
                                .extra = extra_of(d, a)};
}

static struct dialect_model describe(const struct route_names *names, const struct deployment *d, struct arena *a) {
  return describe_as(names, d->qualified, 0, d, a);
}

static struct dialect_model describe_virtual(struct str name) {
  return (struct dialect_model){
      .id = name, .owned_by = STR("maestro"), .context_tokens = -1, .prompt_tokens = -1, .output_tokens = -1};
}

/* The context that is said of the name, or the smallest of a group's aliases where no member's own is smaller; 0: none.
 */
static int64_t said_of(const struct route_name *name, int64_t least) {
  int64_t said = name->context_tokens;
  for (unsigned i = 0; name->group && i < name->step_count; i++) {
    const struct route_name *member = name->steps[i].name;
    if (member && member->context_tokens && (!said || member->context_tokens < said)) said = member->context_tokens;
  }
  return name->group && least > 0 && least < said ? 0 : said;
}

static bool is_of_source(void *arg, const struct deployment *d) {
  const struct route_expansion *source = arg;
  return catalog_is_among(source->v, source->n, d) || catalog_is_among(source->larger, source->larger_n, d);
}

/* Leaves what the caller may use of the member that a group is shown as; false: that is nothing. */
static bool narrow(struct request_context *rc, const struct route_name *group, struct resolution *r) {
  struct resolution of_source = *r;
  struct route_expansion source;
  if (route_names_expand_source(group, rc->arena, &source)) return false;
  if (resolve_keep(rc->arena, &of_source, is_of_source, &source) || !of_source.n) return false;
  *r = of_source;
  return true;
}

/* Follows sources, and names that stand for one thing, to what the name is shown as. NULL: to a model. *said becomes
 * the first context that is said of a name on the way, or 0. */
static const struct route_name *follow(struct request_context *rc, struct resolution *r, int64_t *said) {
  const struct route_name *named = r->named;
  *said = 0;
  for (unsigned depth = 0; named && depth < NAMES_DEPTH_MAX; depth++) {
    const struct route_step *next = named->step_count == 1 ? &named->steps[0] : NULL;
    if (!*said) *said = named->context_tokens;
    if (named->source && narrow(rc, named, r)) next = named->source;
    if (!next) return named;
    named = next->name;
  }
  return named;
}

/* As the one with the smallest context of what it is shown as, whoever's turn it is, but for what is said of the name
 * itself. */
static struct dialect_model describe_named(struct request_context *rc, struct resolution r, struct str name) {
  int64_t said;
  const struct route_name *shown = follow(rc, &r, &said);
  const struct deployment *least = r.v[0];
  for (size_t i = 1; i < r.n; i++) {
    int64_t mine = route_names_context(rc->names, name, 0, r.v[i]),
            known = route_names_context(rc->names, name, 0, least);
    if (mine > 0 && (known < 0 || mine < known)) least = r.v[i];
  }
  if (!said && shown) said = said_of(shown, route_names_context(rc->names, name, 0, least));
  struct dialect_model m = describe_as(rc->names, name, said, least, rc->arena);
  m.id = name;
  m.owned_by = STR("maestro");
  return m;
}

static int by_name(const void *left, const void *right) {
  return str_cmp((*(const struct deployment *const *)left)->qualified,
                 (*(const struct deployment *const *)right)->qualified);
}

static int by_place(const void *left, const void *right) {
  const struct route_name *a = *(const struct route_name *const *)left, *b = *(const struct route_name *const *)right;
  if (!a->group != !b->group) return a->group ? -1 : 1;
  if (a->group && a->group->priority != b->group->priority) return a->group->priority < b->group->priority ? -1 : 1;
  return str_cmp(a->name, b->name);
}

/* Groups and aliases that lead somewhere this caller may go. */
static size_t list_names(struct request_context *rc, struct dialect_model *out) {
  const struct map *const maps[] = {&rc->names->groups, &rc->names->aliases};
  size_t n = 0, shown = 0, most = maps[0]->count + maps[1]->count;
  const struct route_name **names = ARENA_NEW_ARRAY(rc->arena, const struct route_name *, most + 1);
  if (!names) return 0;
  for (size_t m = 0; m < 2; m++) {
    for (size_t i = 0; i < maps[m]->count; i++) {
      const struct route_name *r = maps[m]->entries[i].value;
      bool is_listed =
          r->group ? r->group->is_listed : !map_get(maps[0], r->name); /* else the group is what is meant */
      if (is_listed) names[n++] = r;
    }
  }
  qsort(names, n, sizeof *names, by_place);
  for (size_t i = 0; i < n; i++) {
    struct resolution r;
    struct err_info info = {0};
    if (!permit_resolve(rc, names[i]->name, &r, &info) && r.named) out[shown++] = describe_named(rc, r, names[i]->name);
  }
  return shown;
}

/* A name that stands for several is shown to a user who may use one of them by it. */
static bool shows_virtual(struct request_context *rc, struct str name) {
  struct resolution r;
  struct err_info info = {0};
  return permit_resolve(rc, name, &r, &info) != ERR_FORBIDDEN;
}

static size_t list_models(struct request_context *rc, struct dialect_model *out) {
  const struct catalog *c = rc->catalog;
  const struct deployment **rest = ARENA_NEW_ARRAY(rc->arena, const struct deployment *, c->deployment_count + 1);
  size_t n = 0, others = 0;
  if (!rest) return 0;
  for (size_t i = 0; i < c->priority_count; i++)
    if (c->priorities[i]->at->is_ready && permit_shows(rc, c->priorities[i]))
      out[n++] = describe(rc->names, c->priorities[i], rc->arena);
  for (size_t i = 0; i < c->deployment_count; i++)
    if (c->deployments[i].at->is_ready && c->deployments[i].order == SIZE_MAX && permit_shows(rc, &c->deployments[i]))
      rest[others++] = &c->deployments[i];
  qsort(rest, others, sizeof *rest, by_name);
  for (size_t i = 0; i < others; i++) out[n++] = describe(rc->names, rest[i], rc->arena);
  n += list_names(rc, out + n);
  if (c->priority_count && shows_virtual(rc, RESOLVE_NAME_PRIORITY)) out[n++] = describe_virtual(RESOLVE_NAME_PRIORITY);
  if (c->deployment_count && shows_virtual(rc, RESOLVE_NAME_AUTO)) out[n++] = describe_virtual(RESOLVE_NAME_AUTO);
  return n;
}

void models_list(struct request_context *rc) {
  struct buf json;
  buf_init(&json, 0);
  size_t most = rc->catalog->deployment_count + rc->catalog->priority_count + rc->names->groups.count +
                rc->names->aliases.count + 2;
  struct dialect_model *models = ARENA_NEW_ARRAY(rc->arena, struct dialect_model, most);
  if (models)
    rc->endpoint->dialect->put_model_list(&json, models, list_models(rc, models));
  else
    json.failed = true;
  exchange_answer(rc, 200, &json);
  buf_clear(&json);
}

enum err models_describe(struct request_context *rc, struct str name, struct dialect_model *out,
                         struct err_info *info) {
  struct resolution r;
  enum err e = permit_resolve(rc, name, &r, info);
  if (e) return e;
  if (r.named)
    *out = describe_named(rc, r, name);
  else
    *out = r.how == RESOLVE_BRAIN || r.how == RESOLVE_PRIORITY ? describe_virtual(name)
                                                               : describe(rc->names, r.v[0], rc->arena);
  out->id = name;
  return OK;
}

void models_get(struct request_context *rc) {
  struct str name = envelope_path_model(rc);
  struct err_info info = {0};
  struct dialect_model model;
  struct buf json;
  enum err e = name.n ? models_describe(rc, name, &model, &info)
                      : err_set_param(&info, ERR_BAD_VALUE, "model", "the model's name in the path is malformed");
  if (e) {
    exchange_fail(rc, e, &info);
    return;
  }
  buf_init(&json, 0);
  rc->endpoint->dialect->put_model(&json, &model);
  exchange_answer(rc, 200, &json);
  buf_clear(&json);
}
