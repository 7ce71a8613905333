/* The admin API of nodes: see nodes.h. */
#include "admin/nodes/nodes.h"

#include "admin/fields.h"
#include "admin/nodes/nodes_change.h"
#include "admin/nodes/nodes_find.h"
#include "admin/nodes/nodes_input.h"
#include "admin/page.h"
#include "admin/query.h"
#include "base/json_out.h"
#include "gateway/exchange.h"
#include "route/runtime.h"

static void answer(struct request_context *rc, struct buf *b) {
  entity_answer(rc, b);
  buf_clear(b);
}

/* The node of the path, in the newest snapshot; false: it was answered that there is none. */
static bool find(struct request_context *rc, struct nodes_found *out, struct str *name) {
  struct err_info info = {0};
  struct str item;
  exchange_adopt(rc);
  enum err e = entity_path(rc, rc->arena, name, &item, &info);
  if (!e && out) e = nodes_find_any(rc, *name, out, &info);
  if (e) exchange_fail(rc, e, &info);
  return !e;
}

/* ---- nodes ---- */

void nodes_list(struct request_context *rc) {
  struct err_info info = {0};
  struct nodes_found found;
  struct str only = STR_NONE;
  struct page page;
  struct buf b;
  size_t i = 0;
  exchange_adopt(rc);
  enum err e = page_begin(rc, false, &page, &info);
  if (!e) e = query_text(rc->arena, rc->request->query, "active_only", &only, &info);
  if (!e && only.n && !str_eq(only, STR("true")) && !str_eq(only, STR("false")) && !str_eq(only, STR("1")) &&
      !str_eq(only, STR("0")))
    e = fields_refuse_named(&info, "active_only", "\"active_only\" must be true or false");
  bool active_only = str_eq(only, STR("true")) || str_eq(only, STR("1"));
  buf_init(&b, 0);
  json_out_begin(&b, '[');
  while (!e && nodes_each(rc, &i, &found))
    if ((!active_only || found.node.p.is_active) && page_takes(&page, found.node.id))
      nodes_json_put_state(&b, &found.node, &found.state);
  json_out_end(&b, ']');
  if (!e) e = page_end(rc, &page, "node", &info);
  entity_end(rc, e, &info, &b);
  buf_clear(&b);
}

/* Its tag is that of what is stored: how the node is does not keep anybody from changing it. */
void nodes_show(struct request_context *rc) {
  struct nodes_found found;
  struct str name;
  char tag[ENTITY_TAG_BYTES];
  struct buf stored, b;
  if (!find(rc, &found, &name)) return;
  buf_init(&stored, 0);
  buf_init(&b, 0);
  nodes_json_put(&stored, &found.node);
  nodes_json_put_state(&b, &found.node, &found.state);
  if (stored.failed || entity_tag(buf_str(&stored), tag))
    exchange_fail(rc, ERR_NO_MEMORY, NULL);
  else
    entity_answer_change(rc, 200, str_from_c(tag), &b);
  buf_clear(&stored);
  buf_clear(&b);
}

/* ---- their models ---- */

/* A model that is called there, and of which nothing is stored. */
static struct node_model model_from(const struct deployment *d) {
  return (struct node_model){.name = d->model,
                             .is_available = true,
                             .is_listed = true,
                             .listed_tokens = d->context_tokens > 0 ? d->context_tokens : 0};
}

static bool is_stored(const struct node *node, struct str model) {
  for (size_t i = 0; i < node->model_count; i++)
    if (str_eq(node->models[i].name, model)) return true;
  return false;
}

static void each_model(struct buf *b, const struct nodes_found *found,
                       void (*put)(struct buf *b, const struct nodes_found *found, const struct node_model *m)) {
  const struct node *node = &found->node;
  const struct catalog_provider *at = found->state.at;
  for (size_t i = 0; i < node->model_count; i++) put(b, found, &node->models[i]);
  for (size_t i = 0; at && i < at->count; i++) {
    const struct deployment *d = &at->deployments[i];
    const struct node_model m = model_from(d);
    if (!is_stored(node, d->model)) put(b, found, &m);
  }
}

static void put_model(struct buf *b, const struct nodes_found *found, const struct node_model *m) {
  (void)found;
  nodes_json_put_model(b, m);
}

static void put_model_of(struct buf *b, const struct nodes_found *found, const struct node_model *m) {
  json_out_begin(b, '{');
  nodes_json_put_who(b, &found->node);
  json_out_key(b, "model");
  nodes_json_put_model(b, m);
  json_out_end(b, '}');
}

void nodes_models(struct request_context *rc) {
  struct nodes_found found;
  struct str name;
  struct buf b;
  if (!find(rc, &found, &name)) return;
  buf_init(&b, 0);
  json_out_begin(&b, '{');
  nodes_json_put_who(&b, &found.node);
  json_out_key(&b, "models");
  json_out_begin(&b, '[');
  each_model(&b, &found, put_model);
  json_out_end(&b, ']');
  json_out_end(&b, '}');
  answer(rc, &b);
}

void nodes_models_of_type(struct request_context *rc) {
  struct err_info info = {0};
  struct nodes_found found;
  struct str type;
  struct buf b;
  size_t i = 0;
  if (!find(rc, NULL, &type)) return;
  if (!nodes_type_is_known(type)) {
    enum err e = err_set(&info, ERR_NOT_FOUND, "there is no type of node \"%.*s\"", STR_ARG(str_cut_utf8(type, 64)));
    exchange_fail(rc, e, &info);
    return;
  }
  buf_init(&b, 0);
  json_out_begin(&b, '[');
  while (nodes_each(rc, &i, &found))
    if (str_eq(found.node.p.type, type)) each_model(&b, &found, put_model_of);
  json_out_end(&b, ']');
  answer(rc, &b);
}

void nodes_distribution(struct request_context *rc) {
  exchange_adopt(rc);
  const struct map *names = &rc->catalog->by_model;
  struct buf b;
  buf_init(&b, 0);
  json_out_begin(&b, '[');
  for (size_t i = 0; i < names->count; i++) {
    const struct catalog_name *name = names->entries[i].value;
    json_out_begin(&b, '{');
    json_out_member_string(&b, "model_name", names->entries[i].key);
    json_out_member_i64(&b, "node_count", (int64_t)name->all_n);
    json_out_key(&b, "nodes");
    json_out_begin(&b, '[');
    for (size_t k = 0; k < name->all_n; k++) json_out_string(&b, name->all[k]->at->provider.id);
    json_out_end(&b, ']');
    json_out_end(&b, '}');
  }
  json_out_end(&b, ']');
  answer(rc, &b);
}

/* ---- load ---- */

static void put_load(struct buf *b, const struct nodes_found *found) {
  const struct catalog_provider *at = found->state.at;
  struct runtime_load load = at ? runtime_load(at->runtime) : (struct runtime_load){0};
  json_out_begin(b, '{');
  nodes_json_put_who(b, &found->node);
  json_out_member_i64(b, "priority", found->node.p.priority);
  json_out_member_i64(b, "weight", found->node.p.weight);
  json_out_member_bool(b, "is_active", found->node.p.is_active);
  json_out_member_bool(b, "is_in_use", at && at->is_ready);
  json_out_member_i64(b, "active_requests", load.in_flight);
  json_out_member_i64(b, "total_requests", (int64_t)load.calls);
  nodes_json_put_health(b, at);
  json_out_end(b, '}');
}

void nodes_load_status(struct request_context *rc) {
  struct nodes_found found;
  struct buf b;
  size_t i = 0;
  exchange_adopt(rc);
  buf_init(&b, 0);
  json_out_begin(&b, '{');
  json_out_member_string(&b, "strategy", STR("priority"));
  json_out_key(&b, "nodes");
  json_out_begin(&b, '[');
  while (nodes_each(rc, &i, &found)) put_load(&b, &found);
  json_out_end(&b, ']');
  json_out_end(&b, '}');
  entity_answer_change(rc, 200, STR_NONE, &b);
  buf_clear(&b);
}

void nodes_metrics(struct request_context *rc) {
  struct nodes_found found;
  struct str name;
  struct buf b;
  if (!find(rc, &found, &name)) return;
  buf_init(&b, 0);
  put_load(&b, &found);
  entity_answer_change(rc, 200, STR_NONE, &b);
  buf_clear(&b);
}

/* ---- changes ---- */

#define X(name, entity, allowed, required, prepare, status, describe) \
  void nodes_##name(struct request_context *rc) { change_serve(rc, nodes_operation(NODES_OPERATION_##name)); }
#include "admin/nodes/nodes.def"
#undef X

/* ---- what these are, for the API's description ---- */

static const struct schema_member nodes_models_rows[] = {
    {NULL, SCHEMA_PART, .of = &nodes_json_who_schema},
    {"models", SCHEMA_LIST, .of = &nodes_json_model_schema,
     .help = "those that it listed, and those that are known without"},
};
const struct schema nodes_models_schema = SCHEMA_OF("NodeModels", nodes_models_rows);

static const struct schema_member nodes_model_of_rows[] = {
    {NULL, SCHEMA_PART, .of = &nodes_json_who_schema},
    {"model", SCHEMA_OBJECT, .of = &nodes_json_model_schema},
};
const struct schema nodes_model_of_schema = SCHEMA_OF("NodeAndModel", nodes_model_of_rows);

static const struct schema_member nodes_distribution_rows[] = {
    {"model_name", SCHEMA_TEXT, .help = "the model"},
    {"node_count", SCHEMA_COUNT, .help = "how many have it"},
    {"nodes", SCHEMA_TEXTS, .help = "their codes"},
};
const struct schema nodes_distribution_schema = SCHEMA_OF("ModelAndNodes", nodes_distribution_rows);

static const struct schema_member nodes_load_rows[] = {
    {NULL, SCHEMA_PART, .of = &nodes_json_who_schema},
    {"priority", SCHEMA_INTEGER, .help = "higher is asked first"},
    {"weight", SCHEMA_INTEGER, .help = "its share among those of one priority"},
    {"is_active", SCHEMA_BOOL, .help = "whether it is asked at all"},
    {"is_in_use", SCHEMA_BOOL, .help = "whether requests can go there now"},
    {"active_requests", SCHEMA_COUNT, .help = "calls that run now"},
    {"total_requests", SCHEMA_COUNT, .help = "calls since this process began"},
    {NULL, SCHEMA_PART, .of = &nodes_json_health_schema},
};
const struct schema nodes_load_schema = SCHEMA_OF("NodeLoad", nodes_load_rows);

static const struct schema_member nodes_load_status_rows[] = {
    {"strategy", SCHEMA_WORD, .words = "priority", .help = "how nodes are chosen"},
    {"nodes", SCHEMA_LIST, .of = &nodes_load_schema, .help = "every node"},
};
const struct schema nodes_load_status_schema = SCHEMA_OF("NodesLoad", nodes_load_status_rows);
