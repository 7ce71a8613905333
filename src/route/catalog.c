/* The catalog as a snapshot section: see catalog.h. Sources of a provider's models, merged: those its configuration
 * declares; the registry's rows that name it; what it listed itself. Declared providers come first, then the nodes of
 * the store, of which one that has a declared one's name is left out. */
#include "route/catalog.h"

#include <stdlib.h>

#include "base/metrics.h"
#include "route/discovered.h"
#include "route/runtime.h"
#include "state/store/store_node.h"

static char demo_url[64];

void catalog_set_demo_url(const char *base_url) {
  size_t n = strlen(base_url);
  if (n < sizeof demo_url) memcpy(demo_url, base_url, n + 1);
}

/* ---- what config_load must know ---- */

static const char *const types[] = {
#define X(symbol, name) name,
#include "provider/types.def"
#undef X
};

static const struct config_preset presets[] = {
#define X(name, type, url, key, base, auth, usage, needs_key, vendor, apart, title) \
  {name, sizeof(url) > 1 ? (url) : NULL, key, base, !(needs_key), PROVIDER_AUTH_##auth == PROVIDER_AUTH_AWS},
#include "provider/presets.def"
#undef X
};

static const char starts_in_think[] = "starts-in-think";
static const char reasoning_apart[] = "bills-reasoning-apart";
static const char *const quirks[] = {starts_in_think, reasoning_apart};

static const struct config_vocabulary vocabulary = {.types = types,
                                                    .type_count = sizeof types / sizeof *types,
                                                    .presets = presets,
                                                    .preset_count = sizeof presets / sizeof *presets,
                                                    .quirks = quirks,
                                                    .quirk_count = sizeof quirks / sizeof *quirks};

const struct config_vocabulary *catalog_vocabulary(void) { return &vocabulary; }

const struct deployment *catalog_find(const struct catalog *c, struct str provider, struct str model) {
  char room[1024]; /* configurations and lists have shorter ones */
  struct buf b = {.p = room, .cap = sizeof room, .limit_bytes = sizeof room};
  buf_put(&b, provider);
  buf_put_char(&b, '/');
  buf_put(&b, model);
  return b.failed ? NULL : map_get(&c->by_qualified, buf_str(&b));
}

bool catalog_is_among(const struct deployment *const *v, size_t n, const struct deployment *d) {
  for (size_t i = 0; i < n; i++)
    if (v[i] == d) return true;
  return false;
}

/* ---- building ---- */

struct builder {
  struct catalog *c;
  const struct config *config;
  struct config_diags *diags;
  size_t capacity;
};

static enum err fault(struct builder *b, struct config_place place, struct str id, const char *text) {
  struct str path = arena_printf(&b->c->arena, "providers.%.*s", STR_ARG(id));
  config_diags_add(b->diags, CONFIG_ERROR, place, path, NULL, "%s", text);
  return ERR_BAD_CONFIG;
}

static struct price price_from(const struct config_price *p, int32_t day) {
  struct price out = {0};
  const struct {
    enum usage_class class;
    bool has;
    int64_t amount;
  } rows[] = {{USAGE_INPUT, p->has_in, p->in},
              {USAGE_OUTPUT, p->has_out, p->out},
              {USAGE_CACHE_READ, p->has_cache_read, p->cache_read},
              {USAGE_CACHE_WRITE, p->has_cache_write, p->cache_write},
              {USAGE_REASONING, p->has_reasoning, p->reasoning}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    if (!rows[i].has) continue;
    out.nano_usd_per_mtok[rows[i].class] = rows[i].amount;
    out.known = (uint8_t)(out.known | (1u << rows[i].class));
  }
  if (day >= 0) {
    char text[25];
    clock_format_rfc3339((int64_t)day * 86400 * 1000000, text);
    memcpy(out.date, text, 10);
  }
  return out;
}

/* Appends one deployment of the provider being built; the first source of a model wins, later ones only fill gaps. */
static enum err add_deployment(struct builder *b, struct catalog_provider *p, struct str model,
                               const struct config_model *declared) {
  struct catalog *c = b->c;
  struct str qualified = arena_printf(&c->arena, "%.*s/%.*s", STR_ARG(p->provider.id), STR_ARG(model));
  if (!qualified.p) return ERR_NO_MEMORY;
  if (map_get(&c->by_qualified, qualified) || map_get(&c->switched_off, qualified)) return OK;
  if (c->deployment_count == b->capacity) return OK; /* listed since they were counted: the next build has room */
  const struct registry_model *spec = registry_find_of(c->registry, p->provider.id, model);
  struct deployment *d = &c->deployments[c->deployment_count];
  *d = (struct deployment){.at = p,
                           .model = arena_dup(&c->arena, model),
                           .qualified = qualified,
                           .spec = spec,
                           .is_known = declared || spec,
                           .context_tokens = -1,
                           .output_tokens = -1,
                           .order = SIZE_MAX,
                           .metrics_label = metrics_pair(p->provider.id, model)};
  if (!d->model.p) return ERR_NO_MEMORY;
  if (spec) {
    d->price = price_from(&spec->price, spec->price_day);
    if (spec->context_window) d->context_tokens = spec->context_window;
    if (spec->max_output) d->output_tokens = spec->max_output;
  }
  if (declared) {
    struct price own = price_from(&declared->price, -1);
    if (own.known) d->price = own;
    if (declared->context_window) d->context_tokens = declared->context_window;
    if (declared->max_output) d->output_tokens = declared->max_output;
  }
  if (!map_put(&c->by_qualified, qualified, d)) return ERR_NO_MEMORY;
  c->deployment_count++;
  return OK;
}

/* What the priorities name of a provider that has not said what it has. */
static enum err add_prioritised(struct builder *b, struct catalog_provider *p) {
  const struct config_strings *list = &b->config->priorities;
  struct str id, model;
  enum err e = OK;
  for (size_t i = 0; !e && i < list->n; i++)
    if (str_cut(list->items[i], '/', &id, &model) && model.n && str_eq(id, p->provider.id))
      e = add_deployment(b, p, model, NULL);
  return e;
}

/* Those that a node listed when its models were last stored. */
static enum err add_stored(struct builder *b, struct catalog_provider *p) {
  struct catalog *c = b->c;
  enum err e = OK;
  for (size_t i = 0; !e && i < p->node->model_count; i++) {
    const struct node_model *m = &p->node->models[i];
    struct str qualified = arena_printf(&c->arena, "%.*s/%.*s", STR_ARG(p->provider.id), STR_ARG(m->name));
    if (!qualified.p) return ERR_NO_MEMORY;
    if (!m->is_available)
      e = map_put(&c->switched_off, qualified, p) ? OK : ERR_NO_MEMORY;
    else if (m->is_listed)
      e = add_deployment(b, p, m->name, NULL);
  }
  return e;
}

static bool has_listed(const struct node *node) {
  for (size_t i = 0; i < node->model_count; i++)
    if (node->models[i].is_listed) return true;
  return false;
}

/* What is stored of a model's context counts more than what the registry knows, whoever listed the model. */
static enum err set_contexts(struct catalog *c, const struct catalog_provider *p) {
  for (size_t i = 0; i < p->node->model_count; i++) {
    const struct node_model *m = &p->node->models[i];
    if (!node_model_context(m)) continue;
    struct str qualified = arena_printf(&c->arena, "%.*s/%.*s", STR_ARG(p->provider.id), STR_ARG(m->name));
    if (!qualified.p) return ERR_NO_MEMORY;
    struct deployment *d = map_get(&c->by_qualified, qualified);
    if (d) d->context_tokens = node_model_context(m);
  }
  return OK;
}

static enum err add_models(struct builder *b, struct catalog_provider *p, const struct config_provider *from) {
  struct catalog *c = b->c;
  enum err e = OK;
  p->first = c->deployment_count;
  p->deployments = &c->deployments[p->first];
  for (size_t i = 0; !e && from && i < from->model_count; i++)
    e = add_deployment(b, p, from->models[i].id, &from->models[i]);
  if (!e && p->node) e = add_stored(b, p);
  bool has_said = p->node ? has_listed(p->node) : c->deployment_count > p->first;
  for (size_t i = 0; !e && i < c->registry->model_count; i++)
    if (str_eq_nocase(c->registry->models[i].provider, p->provider.id))
      e = add_deployment(b, p, c->registry->models[i].id, NULL);
  const struct discovered_list *listed = from ? discovered_get(p->provider.id) : NULL;
  for (size_t i = 0; !e && listed && i < listed->n; i++) e = add_deployment(b, p, listed->ids[i], NULL);
  p->is_open = from && !has_said && !(listed && listed->n);
  discovered_release(listed);
  if (!e && p->is_open) e = add_prioritised(b, p);
  if (!e && p->node) e = set_contexts(c, p);
  p->count = c->deployment_count - p->first;
  return e;
}

/* A fault of a declared one refuses the configuration; a node that cannot be used is left out, and said to be. */
static enum err refuse(struct builder *b, const struct provider_spec *spec, const struct node *node,
                       struct config_place place, const char *text) {
  if (!node) return fault(b, place, spec->id, text);
  struct str path = arena_printf(&b->c->arena, "nodes.%.*s", STR_ARG(spec->id));
  config_diags_add(b->diags, CONFIG_WARNING, place, path, "it is left out", "%s", text);
  return OK;
}

static enum err add_provider(struct builder *b, const struct provider_spec *spec, const struct config_provider *from,
                             const struct node *node) {
  struct catalog *c = b->c;
  struct err_info info = {0};
  struct catalog_provider *p = &c->providers[c->provider_count];
  enum err e = provider_init(&c->arena, spec, &p->provider, &info);
  if (e) return refuse(b, spec, node, from ? from->place : (struct config_place){0}, err_info_text(e, &info));
  for (unsigned i = 0; p->provider.type->endpoints[i].dialect.n; i++)
    p->dialects[i] = dialect_by_name(p->provider.type->endpoints[i].dialect);
  p->priority = from ? from->priority : 0;
  p->is_scoped = from && from->is_scoped;
  p->is_ready = !from || from->credential != CONFIG_CREDENTIAL_NONE;
  p->is_demo = !from;
  p->node = node;
  p->runtime = runtime_slot(spec->id);
  p->metrics_label = metrics_provider(spec->id);
  c->provider_count++;
  if (!map_put(&c->by_provider, p->provider.id, p) || !map_put(&c->by_code, p->provider.id, p)) return ERR_NO_MEMORY;
  return add_models(b, p, from);
}

static bool has_quirk(const struct config_provider *p, const char *quirk) {
  for (size_t i = 0; i < p->quirks.n; i++)
    if (str_eq(p->quirks.items[i], str_from_c(quirk))) return true;
  return false;
}

static struct provider_timeouts timeouts_of(const struct config_timeouts *own, const struct config_options *o) {
  return (struct provider_timeouts){
#define X(member, camel, option, help) .member = own->member < 0 ? o->option : (uint32_t)own->member,
#include "state/config/timeouts.def"
#undef X
  };
}

static enum err add_configured(struct builder *b, const struct config_provider *from, const struct node *node) {
  struct http_header *headers = ARENA_NEW_ARRAY(&b->c->arena, struct http_header, from->header_count + 1);
  if (!headers) return ERR_NO_MEMORY;
  for (size_t i = 0; i < from->header_count; i++)
    headers[i] = (struct http_header){from->headers[i].name, secret_reveal(from->headers[i].value)};
  headers[from->header_count] = (struct http_header){STR(RUNTIME_VIA_HEADER), runtime_instance()};
  const struct provider_spec spec = {
      .id = from->id,
      .type = from->type,
      .base_url = from->base_url,
      .api_key = secret_reveal(from->api_key),
      .aws = {from->aws.access_key_id, secret_reveal(from->aws.secret_access_key),
              secret_reveal(from->aws.session_token)},
      .region = from->region,
      .headers = {headers, from->header_count + 1},
      .timeouts = timeouts_of(&from->timeouts, &b->config->options),
      .usage = from->usage == CONFIG_USAGE_ALWAYS ? PROVIDER_USAGE_ALWAYS : PROVIDER_USAGE_NONE,
      .has_usage = from->usage != CONFIG_USAGE_OPTION,
      .starts_in_think = has_quirk(from, starts_in_think),
      .bills_reasoning_apart = has_quirk(from, reasoning_apart),
      .allow_private = b->config->options.egress_private && (!node || node->allow_private),
  };
  return add_provider(b, &spec, from, node);
}

/* ---- nodes ---- */

const struct config_provider *catalog_shadow_of(const struct config *config, const struct node *node) {
  for (size_t i = 0; i < config->provider_count; i++) {
    const struct config_provider *p = &config->providers[i];
    if (str_eq_nocase(p->id, node->p.id) || str_eq_nocase(p->code, node->p.id)) return p;
  }
  return NULL;
}

static enum config_credential credential_of(const struct node *node) {
  const struct provider_preset *preset = provider_preset_by_name(node->p.type);
  if (node->is_shut) return CONFIG_CREDENTIAL_NONE;
  if (node_has_credential(node)) return CONFIG_CREDENTIAL_STORED;
  return preset && preset->needs_key ? CONFIG_CREDENTIAL_NONE : CONFIG_CREDENTIAL_ANONYMOUS;
}

static enum err add_node(struct builder *b, const struct node *node) {
  struct config_provider p = node->p;
  p.credential = credential_of(node);
  return add_configured(b, &p, node);
}

/* Behind the declared ones, so that of two equals a declared one is preferred. */
static enum err add_nodes(struct builder *b, bool *any) {
  const struct nodes *nodes = b->c->nodes;
  enum err e = OK;
  for (size_t i = 0; !e && nodes && i < nodes->n; i++) {
    const struct node *node = &nodes->v[i];
    if (!node->p.is_active || catalog_shadow_of(b->config, node)) continue;
    *any = true;
    e = add_node(b, node);
  }
  return e;
}

/* A declared provider may be called by its code, too; checked to be nobody else's when it was read. */
static enum err add_codes(struct builder *b) {
  struct catalog *c = b->c;
  for (size_t i = 0; i < b->config->provider_count; i++) {
    const struct config_provider *p = &b->config->providers[i];
    struct catalog_provider *at = p->code.n ? map_get(&c->by_provider, p->id) : NULL;
    if (at && !map_get(&c->by_code, p->code) && !map_put(&c->by_code, p->code, at)) return ERR_NO_MEMORY;
  }
  return OK;
}

static enum err add_demo(struct builder *b) {
  const struct provider_spec spec = {.id = STR("demo"),
                                     .type = STR("openai-compatible"),
                                     .base_url = str_from_c(demo_url),
                                     .allow_private = true,
                                     .timeouts = {.connect_ms = 5000}};
  return add_provider(b, &spec, NULL, NULL);
}

/* ---- order and names ---- */

static int by_preference(const void *left, const void *right) {
  const struct deployment *a = *(const struct deployment *const *)left, *b = *(const struct deployment *const *)right;
  if (a->order != b->order) return a->order < b->order ? -1 : 1;
  if (a->at->priority != b->at->priority) return a->at->priority > b->at->priority ? -1 : 1;
  return a < b ? -1 : a > b;
}

static enum err rank(struct builder *b) {
  struct catalog *c = b->c;
  c->ranked = ARENA_NEW_ARRAY(&c->arena, const struct deployment *, c->deployment_count + 1);
  c->priorities = ARENA_NEW_ARRAY(&c->arena, const struct deployment *, b->config->priorities.n + 1);
  if (!c->ranked || !c->priorities) return ERR_NO_MEMORY;
  for (size_t i = 0; i < b->config->priorities.n; i++) {
    struct deployment *d = map_get(&c->by_qualified, b->config->priorities.items[i]);
    if (!d) {
      config_diags_add(b->diags, CONFIG_WARNING, b->config->priority_places[i], STR("priorities"), NULL,
                       "\"%.*s\" is no known model; it is left out", STR_ARG(b->config->priorities.items[i]));
    } else if (d->order == SIZE_MAX) {
      d->order = c->priority_count;
      c->priorities[c->priority_count++] = d;
    }
  }
  for (size_t i = 0; i < c->deployment_count; i++) c->ranked[i] = &c->deployments[i];
  qsort(c->ranked, c->deployment_count, sizeof *c->ranked, by_preference);
  return OK;
}

static enum err count_name(struct catalog *c, const struct deployment *d) {
  struct catalog_name *name = map_get(&c->by_model, d->model);
  if (!name) {
    name = ARENA_NEW(&c->arena, struct catalog_name);
    if (!name || !map_put(&c->by_model, d->model, name)) return ERR_NO_MEMORY;
  }
  name->all_n++;
  name->n += !d->at->is_scoped;
  return OK;
}

/* Room for what was counted, which is counted again as it is filled. */
static enum err make_room(struct catalog *c, struct catalog_name *name) {
  name->all = ARENA_NEW_ARRAY(&c->arena, const struct deployment *, name->all_n);
  name->v = name->all;
  if (name->n < name->all_n) name->v = ARENA_NEW_ARRAY(&c->arena, const struct deployment *, name->n + 1);
  name->n = name->all_n = 0;
  return name->all && name->v ? OK : ERR_NO_MEMORY;
}

static enum err name_models(struct catalog *c) {
  enum err e = OK;
  for (size_t i = 0; !e && i < c->deployment_count; i++) e = count_name(c, c->ranked[i]);
  for (size_t i = 0; !e && i < c->by_model.count; i++) e = make_room(c, c->by_model.entries[i].value);
  for (size_t i = 0; !e && i < c->deployment_count; i++) {
    const struct deployment *d = c->ranked[i];
    struct catalog_name *name = map_get(&c->by_model, d->model);
    name->all[name->all_n++] = d;
    if (!d->at->is_scoped) name->v[name->n++] = d;
  }
  return e;
}

static void catalog_free(void *section) {
  struct catalog *c = section;
  if (!c) return;
  registry_unref(c->registry);
  arena_clear(&c->arena);
  store_nodes_unref(c->nodes);
  config_unref(c->config);
  free(c);
}

/* An upper bound of deployments, so that their addresses never move. */
static size_t count_models(const struct config *config, const struct registry *registry, const struct nodes *nodes) {
  size_t n = registry->model_count + discovered_total() + config->priorities.n + 1;
  for (size_t i = 0; i < config->provider_count; i++) n += config->providers[i].model_count;
  for (size_t i = 0; nodes && i < nodes->n; i++) n += nodes->v[i].model_count;
  return n;
}

static enum err load_registry(const struct config *config, struct registry **out, struct config_diags *diags) {
  if (config->options.registry_file.n) return registry_load(config->options.registry_file.p, out, diags);
  return registry_load_default(out, diags);
}

static enum err fill(struct builder *b) {
  struct catalog *c = b->c;
  bool any = false;
  enum err e = load_registry(b->config, &c->registry, b->diags);
  if (e) return e;
  size_t node_count = c->nodes ? c->nodes->n : 0;
  b->capacity = count_models(b->config, c->registry, c->nodes);
  c->deployments = ARENA_NEW_ARRAY(&c->arena, struct deployment, b->capacity);
  c->providers = ARENA_NEW_ARRAY(&c->arena, struct catalog_provider, b->config->provider_count + node_count + 1);
  if (!c->deployments || !c->providers) return ERR_NO_MEMORY;
  for (size_t i = 0; !e && i < b->config->provider_count; i++) {
    if (!b->config->providers[i].is_active) continue;
    any = true;
    e = add_configured(b, &b->config->providers[i], NULL);
  }
  if (!e) e = add_nodes(b, &any);
  if (!e) e = add_codes(b);
  if (!e && !any && demo_url[0]) e = add_demo(b);
  if (!e) e = rank(b);
  return e ? e : name_models(c);
}

static enum err build(const struct config *config, const struct snapshot *made, const void *old, void **out,
                      struct config_diags *diags) {
  const struct catalog *before = old;
  const struct nodes *nodes = store_nodes();
  uint64_t discovered = discovered_generation(); /* before they are read: what comes meanwhile is read again */
  (void)made;
  if (before && before->config == config && before->nodes == nodes && before->discovered == discovered) {
    store_nodes_unref(nodes);
    *out = (void *)(uintptr_t)old;
    return OK;
  }
  struct catalog *c = calloc(1, sizeof *c);
  if (!c) {
    store_nodes_unref(nodes);
    return ERR_NO_MEMORY;
  }
  c->config = config_ref(config);
  c->nodes = nodes;
  c->discovered = discovered;
  arena_init(&c->arena, 0);
  map_init(&c->by_qualified, &c->arena);
  map_init(&c->by_model, &c->arena);
  map_init(&c->by_provider, &c->arena);
  map_init(&c->by_code, &c->arena);
  map_init(&c->switched_off, &c->arena);
  struct builder b = {.c = c, .config = config, .diags = diags};
  enum err e = fill(&b);
  if (e)
    catalog_free(c);
  else
    *out = c;
  return e;
}

const struct snapshot_section catalog_section = {"catalog", build, catalog_free};
