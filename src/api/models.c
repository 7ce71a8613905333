/* Lists of models: see models.h. Order: configured priorities, then the other models by name, then virtual names.
 */
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

static struct dialect_model describe(const struct deployment *d, struct arena *a) {
  int64_t prompt = d->context_tokens > 0 && d->output_tokens > 0 && d->context_tokens > d->output_tokens
                       ? d->context_tokens - d->output_tokens
                       : d->context_tokens;
  return (struct dialect_model){.id = d->qualified,
                                .owned_by = d->at->provider.id,
                                .context_tokens = d->context_tokens,
                                .prompt_tokens = prompt,
                                .output_tokens = d->output_tokens,
                                .has_vision = d->spec && d->spec->caps & REGISTRY_CAP_VISION,
                                .has_reasoning = d->spec && d->spec->caps & REGISTRY_CAP_REASONING,
                                .has_tools = true, /* nothing says otherwise */
                                .extra = extra_of(d, a)};
}

static struct dialect_model describe_virtual(struct str name) {
  return (struct dialect_model){
      .id = name, .owned_by = STR("maestro"), .context_tokens = -1, .prompt_tokens = -1, .output_tokens = -1};
}

static int by_name(const void *left, const void *right) {
  return str_cmp((*(const struct deployment *const *)left)->qualified,
                 (*(const struct deployment *const *)right)->qualified);
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
      out[n++] = describe(c->priorities[i], rc->arena);
  for (size_t i = 0; i < c->deployment_count; i++)
    if (c->deployments[i].at->is_ready && c->deployments[i].order == SIZE_MAX && permit_shows(rc, &c->deployments[i]))
      rest[others++] = &c->deployments[i];
  qsort(rest, others, sizeof *rest, by_name);
  for (size_t i = 0; i < others; i++) out[n++] = describe(rest[i], rc->arena);
  if (c->priority_count && shows_virtual(rc, RESOLVE_NAME_PRIORITY)) out[n++] = describe_virtual(RESOLVE_NAME_PRIORITY);
  if (c->deployment_count && shows_virtual(rc, RESOLVE_NAME_AUTO)) out[n++] = describe_virtual(RESOLVE_NAME_AUTO);
  return n;
}

void models_list(struct request_context *rc) {
  struct buf json;
  buf_init(&json, 0);
  struct dialect_model *models =
      ARENA_NEW_ARRAY(rc->arena, struct dialect_model, rc->catalog->deployment_count + rc->catalog->priority_count + 2);
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
  *out = r.how == RESOLVE_BRAIN || r.how == RESOLVE_PRIORITY ? describe_virtual(name) : describe(r.v[0], rc->arena);
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
