/* Changes of nodes: see nodes_change.h. Each run_… edits what it has read in the same transaction; the credential is
 * opened for the edit and sealed again for the address that the node then has. */
#include "admin/nodes/nodes_change.h"

#include <stdio.h>

#include "admin/nodes/nodes_ask.h"
#include "admin/nodes/nodes_edit.h"
#include "admin/nodes/nodes_find.h"
#include "admin/nodes/nodes_sync.h"
#include "base/clock.h"
#include "base/json_out.h"
#include "provider/provider.h"
#include "route/discovered.h"
#include "state/store/store.h"
#include "state/store/store_node.h"
#include "state/store/store_use.h"

/* ---- what is known before ---- */

static enum err take_key(struct change *c, struct err_info *info) { return store_seal_key(&c->key, info); }

static enum err note_config(struct request_context *rc, struct change *c, struct err_info *info) {
  struct nodes_input *in = c->in ? c->in : ARENA_NEW(c->arena, struct nodes_input); /* a deletion has no body */
  (void)info;
  if (!in) return ERR_NO_MEMORY;
  c->in = in;
  in->config = snapshot_config(rc->snapshot);
  in->has_private = rc->options->egress_private;
  return OK;
}

static enum err check_stored(struct request_context *rc, struct change *c, struct err_info *info) {
  struct nodes_found found;
  enum err e = note_config(rc, c, info);
  return e ? e : nodes_find_stored(rc, c->name, &found, info);
}

static enum err check_batch(struct request_context *rc, struct change *c, struct err_info *info) {
  const struct nodes_input *in = c->in;
  const struct nodes_priority *v = in->priorities.v;
  for (size_t i = 0; i < in->priorities.n; i++) {
    struct nodes_found found;
    enum err e = nodes_find_stored(rc, v[i].node, &found, info);
    if (e) {
      err_path_index(info->param, NULL, "priorities", i);
      info->http_status = e == ERR_CONFLICT ? 409 : 422;
      return e;
    }
  }
  return OK;
}

static bool has_model(const struct catalog *c, const struct node *node, struct str model) {
  for (size_t i = 0; i < node->model_count; i++)
    if (str_eq(node->models[i].name, model)) return true;
  return catalog_find(c, node->p.id, model);
}

static enum err no_model(struct str model, struct err_info *info) {
  return err_set(info, ERR_NOT_FOUND, "no node lists the model \"%.*s\"", STR_ARG(str_cut_utf8(model, NODE_NAME_MAX)));
}

static enum err no_model_there(struct str code, struct str model, struct err_info *info) {
  return err_set(info, ERR_NOT_FOUND,
                 "the node \"%.*s\" lists no model \"%.*s\": sync it (POST .../sync-models), or add the "
                 "model by hand (POST .../models)",
                 STR_ARG(code), STR_ARG(str_cut_utf8(model, NODE_NAME_MAX)));
}

static enum err check_model(struct request_context *rc, struct change *c, struct err_info *info) {
  struct nodes_found found;
  enum err e = nodes_find_stored(rc, c->name, &found, info);
  if (!e && !has_model(rc->catalog, &found.node, c->item)) e = no_model_there(found.node.p.id, c->item, info);
  return e;
}

/* Which nodes have it; those of files cannot be changed here, and are named in the answer. */
static enum err check_model_everywhere(struct request_context *rc, struct change *c, struct err_info *info) {
  struct nodes_input *in = c->in;
  const struct config *config = snapshot_config(rc->snapshot);
  const struct nodes *nodes = rc->catalog->nodes;
  size_t most = config->provider_count + (nodes ? nodes->n : 0), i = 0;
  struct str *v = ARENA_NEW_ARRAY(c->arena, struct str, 2 * most + 1);
  struct nodes_found found;
  if (!v) return ERR_NO_MEMORY;
  in->nodes.v = v;
  in->read_only.v = v + most;
  while (nodes_each(rc, &i, &found)) {
    if (!has_model(rc->catalog, &found.node, c->name)) continue;
    struct str code = arena_dup(c->arena, found.node.p.id);
    if (!code.p) return ERR_NO_MEMORY;
    if (found.state.is_declared)
      v[most + in->read_only.n++] = code;
    else
      v[in->nodes.n++] = code;
  }
  if (!in->nodes.n && in->read_only.n)
    return err_set(info, ERR_CONFLICT, "only declared providers have the model; it is taken away in the configuration");
  return in->nodes.n ? OK : no_model(c->name, info);
}

/* ---- editing one ---- */

struct edit {
  struct db *db;
  struct change *c;
  const struct nodes_input *in;
  struct node_key key;
  struct nodes nodes; /* the one; its memory lives as long as the edit */
  struct node node;   /* a copy to be changed */
  bool drops;
};

static enum err edit_begin(struct edit *edit, struct db *db, struct change *c, struct err_info *info) {
  static const struct nodes_input nothing;
  *edit = (struct edit){.db = db, .c = c, .in = c->in ? c->in : &nothing};
  node_list_init(&edit->nodes);
  enum err e = node_key_derive(secret_reveal(c->key), &edit->key);
  if (e || !c->name.n) return e;
  e = store_node_find(db, c->name, &edit->key, &edit->nodes, info);
  if (e) return e;
  edit->node = edit->nodes.v[0];
  c->name = arena_dup(c->arena, edit->node.p.id);
  return c->name.p ? OK : ERR_NO_MEMORY;
}

static void edit_end(struct edit *edit) {
  crypto_wipe(&edit->key, sizeof edit->key);
  node_list_clear(&edit->nodes);
}

/* What cannot be opened stays as it is, unless it was replaced. */
static enum err seal(struct edit *edit, struct err_info *info) {
  return edit->node.is_shut ? OK : node_seal(edit->c->arena, &edit->key, &edit->node, info);
}

static enum err update_node(struct edit *edit, struct err_info *info) {
  edit->node.updated_us = clock_wall_us();
  return store_node_update(edit->db, &edit->node, info);
}

/* The declared provider that is called in place of the node: what has the node's code is that one's. */
static const struct config_provider *shadow_of(const struct edit *edit, const struct node *node) {
  return edit->in->config ? catalog_shadow_of(edit->in->config, node) : NULL;
}

static void forget_list(const struct edit *edit, const struct node *node) {
  if (!shadow_of(edit, node)) discovered_forget(node->p.id);
}

static enum err answer(struct edit *edit) {
  edit->c->name = arena_dup(edit->c->arena, edit->node.p.id);
  nodes_json_put_changed(edit->c->out, &edit->node, shadow_of(edit, &edit->node), edit->drops);
  return edit->c->name.p ? OK : ERR_NO_MEMORY;
}

/* ---- who names a node ---- */

static const struct store_use uses[] = {{DB_STORED_NODE_USERS, "allowlists of users"},
                                        {DB_STORED_NODE_TEAMS, "allowlists of teams"},
                                        {DB_STORED_NODE_ALIASES, "aliases"},
                                        {DB_STORED_NODE_GROUPS, "members of groups"},
                                        {DB_STORED_NODE_PROMPTS, "system prompts"}};

static enum err check_unused(const struct edit *edit, struct err_info *info) {
  const struct node *node = &edit->nodes.v[0];
  char what[64];
  if (shadow_of(edit, node)) return OK;
  snprintf(what, sizeof what, "the node \"%.*s\"", STR_ARG(node->p.id));
  return store_use_check(edit->db, uses, sizeof uses / sizeof *uses, what, node->p.id, info);
}

/* ---- nodes ---- */

static enum err create(struct edit *edit, struct err_info *info) {
  node_init(&edit->node);
  edit->node.p.weight = 100;
  edit->node.p.is_active = true;
  edit->node.created_us = clock_wall_us();
  edit->node.updated_us = edit->node.created_us;
  const struct provider_preset *preset = provider_preset_by_name(edit->in->type);
  const struct provider_type *type = preset ? preset->type : provider_type_by_name(edit->in->type);
  enum provider_usage usage = preset ? preset->usage : type->usage;
  edit->node.p.usage = usage == PROVIDER_USAGE_ALWAYS ? CONFIG_USAGE_ALWAYS : CONFIG_USAGE_OPTION;
  enum err e = nodes_edit(edit->c->arena, edit->in, &edit->node, &edit->drops, info);
  if (!e) e = seal(edit, info);
  if (!e) e = store_node_add(edit->db, &edit->node, info);
  forget_list(edit, &edit->node); /* of one that had the code before */
  return e ? e : answer(edit);
}

static enum err update(struct edit *edit, struct err_info *info) {
  const struct node *before = &edit->nodes.v[0];
  enum err e = nodes_edit(edit->c->arena, edit->in, &edit->node, &edit->drops, info);
  bool is_renamed = !e && !str_eq(before->p.id, edit->node.p.id);
  if (is_renamed) e = check_unused(edit, info);
  if (!e) e = seal(edit, info);
  if (!e) e = update_node(edit, info);
  bool is_elsewhere = !str_eq(before->p.base_url, edit->node.p.base_url) || !str_eq(before->p.type, edit->node.p.type);
  if (!e && (is_renamed || is_elsewhere)) forget_list(edit, before);
  return e ? e : answer(edit);
}

static enum err toggle(struct edit *edit, struct err_info *info) {
  edit->node.p.is_active = edit->in->has & NODES_ACTIVE ? edit->in->is_active : !edit->node.p.is_active;
  enum err e = update_node(edit, info);
  return e ? e : answer(edit);
}

static enum err delete (struct edit *edit, struct err_info *info) {
  enum err e = check_unused(edit, info); if (!e) e = store_node_delete(edit->db, edit->node.id, info);
  if (!e) forget_list(edit, &edit->node);
  return e;
}

/* ---- several ---- */

/* An array of what `put` writes of each node; item is for it. */
static enum err put_all(struct db *db, struct buf *out,
                        void (*put)(struct buf *b, const struct node *node, struct str item), struct str item,
                        struct err_info *info) {
  struct nodes nodes;
  enum err e = nodes_load(db, 0, NULL, &nodes, info);
  if (e) return e;
  json_out_begin(out, '[');
  for (size_t i = 0; i < nodes.n; i++) put(out, &nodes.v[i], item);
  json_out_end(out, ']');
  node_list_clear(&nodes);
  return OK;
}

static void begin_node(struct buf *b, const struct node *node) {
  json_out_begin(b, '{');
  json_out_member_string(b, "code", node->p.id);
}

static void put_priority(struct buf *b, const struct node *node, struct str item) {
  (void)item;
  begin_node(b, node);
  json_out_member_i64(b, "id", node->id);
  json_out_member_i64(b, "priority", node->p.priority);
  json_out_end(b, '}');
}

static void put_synced(struct buf *b, const struct node *node, struct str item) {
  (void)item;
  begin_node(b, node);
  json_out_member_i64(b, "models", (int64_t)node->model_count);
  json_out_member_time(b, "synced_at", node->synced_us);
  json_out_end(b, '}');
}

/* Only of those that have the model. */
static void put_availability(struct buf *b, const struct node *node, struct str model) {
  for (size_t i = 0; i < node->model_count; i++) {
    if (!str_eq(node->models[i].name, model)) continue;
    begin_node(b, node);
    json_out_member_bool(b, "is_available", node->models[i].is_available);
    json_out_end(b, '}');
  }
}

/* One after another in one transaction; each is found anew, so that one that comes twice gets its last. */
static enum err priorities(struct edit *edit, struct err_info *info) {
  const struct nodes_priority *v = edit->in->priorities.v;
  enum err e = OK;
  for (size_t i = 0; !e && i < edit->in->priorities.n; i++) {
    struct nodes nodes;
    e = store_node_find(edit->db, v[i].node, NULL, &nodes, info);
    if (e) return e;
    nodes.v[0].p.priority = (int32_t)v[i].priority;
    nodes.v[0].updated_us = clock_wall_us();
    e = store_node_update(edit->db, &nodes.v[0], info);
    node_list_clear(&nodes);
  }
  if (e) return e;
  edit->c->name = STR("all");
  json_out_begin(edit->c->out, '{');
  json_out_member_i64(edit->c->out, "updated", (int64_t)edit->in->priorities.n);
  json_out_key(edit->c->out, "nodes");
  e = put_all(edit->db, edit->c->out, put_priority, STR_NONE, info);
  json_out_end(edit->c->out, '}');
  return e;
}

/* ---- models ---- */

/* The row of a model, or a new one for a model that is known without. */
static struct node_model model_of(const struct node *node, struct str name) {
  for (size_t i = 0; i < node->model_count; i++)
    if (str_eq(node->models[i].name, name)) return node->models[i];
  return (struct node_model){.name = name, .is_available = true};
}

static enum err put_model_row(struct edit *edit, struct node_model *m, struct err_info *info) {
  if (edit->in->has & NODES_AVAILABLE) m->is_available = edit->in->is_available;
  if (edit->in->has & NODES_CONTEXT) m->context_tokens = edit->in->context_tokens;
  return store_node_put_model(edit->db, edit->node.id, m, info);
}

static enum err change_model(struct edit *edit, struct str name, struct err_info *info) {
  struct node_model m = model_of(&edit->node, name);
  return put_model_row(edit, &m, info);
}

static enum err model_update(struct edit *edit, struct err_info *info) {
  struct node_model m = model_of(&edit->node, edit->c->item);
  if (!node_model_name_is_valid(m.name)) return no_model(m.name, info);
  enum err e = put_model_row(edit, &m, info);
  if (!e) nodes_json_put_model(edit->c->out, &m);
  return e;
}
#define model_available model_update

/* By hand, where a node has no list: as if it had listed it. */
static enum err model_add(struct edit *edit, struct err_info *info) {
  struct node_model m = model_of(&edit->node, edit->in->model);
  if (m.is_listed)
    return err_set_param(info, ERR_CONFLICT, "model_name", "the node has the model \"%.*s\" already", STR_ARG(m.name));
  if (edit->node.model_count >= NODE_MODELS_MAX)
    return err_set(info, ERR_CONFLICT, "the node has %d models, which is the most", (int)NODE_MODELS_MAX);
  m.is_listed = true;
  m.seen_us = clock_wall_us();
  edit->c->item = m.name;
  enum err e = put_model_row(edit, &m, info);
  if (!e) nodes_json_put_model(edit->c->out, &m);
  return e;
}

static enum err model_remove(struct edit *edit, struct err_info *info) {
  return store_node_delete_model(edit->db, edit->node.id, edit->c->item, info);
}

static enum err run_model_everywhere(struct db *db, struct change *c, struct err_info *info) {
  const struct nodes_input *in = c->in;
  const struct str model = c->name;
  enum err e = OK;
  if (!node_model_name_is_valid(model)) return no_model(model, info);
  for (size_t i = 0; !e && i < in->nodes.n; i++) {
    struct edit edit;
    c->name = in->nodes.v[i];
    e = edit_begin(&edit, db, c, info);
    if (!e) e = change_model(&edit, model, info);
    edit_end(&edit);
  }
  c->name = model;
  json_out_begin(c->out, '{');
  json_out_member_string(c->out, "model_name", model);
  json_out_member_bool(c->out, "is_available", in->is_available);
  json_out_member_strings(c->out, "nodes", in->nodes.v, in->nodes.n);
  json_out_member_strings(c->out, "read_only", in->read_only.v, in->read_only.n);
  json_out_end(c->out, '}');
  return e;
}

/* ---- what is recorded ---- */

static enum err describe_with(struct db *db, const struct change *c, struct buf *out, struct err_info *info,
                              void (*put)(struct buf *b, const struct node *node, struct str item)) {
  struct err_info why = {0};
  struct node_key key;
  struct nodes nodes;
  enum err e = c->name.n ? node_key_derive(secret_reveal(c->key), &key) : ERR_NOT_FOUND;
  if (!e) e = store_node_find(db, c->name, &key, &nodes, &why);
  crypto_wipe(&key, sizeof key);
  if (e == ERR_NOT_FOUND) return OK;
  if (e) return err_set(info, e, "%s", err_info_text(e, &why));
  put(out, &nodes.v[0], c->item);
  node_list_clear(&nodes);
  return OK;
}

static void put_node(struct buf *b, const struct node *node, struct str item) {
  (void)item;
  nodes_json_put(b, node);
}
static void put_model(struct buf *b, const struct node *node, struct str item) {
  const struct node_model m = model_of(node, item);
  if (item.n && (m.seen_us || m.context_tokens || !m.is_available)) nodes_json_put_model(b, &m); /* it is stored */
}

static enum err describe_node(struct db *db, const struct change *c, struct buf *out, struct err_info *info) {
  return describe_with(db, c, out, info, put_node);
}
static enum err describe_model(struct db *db, const struct change *c, struct buf *out, struct err_info *info) {
  return describe_with(db, c, out, info, put_model);
}
static enum err describe_priorities(struct db *db, const struct change *c, struct buf *out, struct err_info *info) {
  (void)c;
  return put_all(db, out, put_priority, STR_NONE, info);
}
static enum err describe_synced(struct db *db, const struct change *c, struct buf *out, struct err_info *info) {
  (void)c;
  return put_all(db, out, put_synced, STR_NONE, info);
}

static enum err describe_model_everywhere(struct db *db, const struct change *c, struct buf *out,
                                          struct err_info *info) {
  return put_all(db, out, put_availability, c->name, info);
}

/* ---- the table ---- */

static enum err edit_one(struct db *db, struct change *c, enum err (*fn)(struct edit *e, struct err_info *info),
                         struct err_info *info) {
  struct edit edit;
  enum err e = edit_begin(&edit, db, c, info);
  if (!e) e = fn(&edit, info);
  edit_end(&edit);
  return e;
}

#define EDITS(name)                                                                    \
  static enum err run_##name(struct db *db, struct change *c, struct err_info *info) { \
    return edit_one(db, c, name, info);                                                \
  }
EDITS(create)
EDITS(update)
EDITS(toggle)
EDITS(delete)
EDITS(priorities)
EDITS(model_update)
EDITS(model_available)
EDITS(model_add)
EDITS(model_remove)

#define run_sync nodes_sync_keep_one
#define run_sync_all nodes_sync_keep_all

const struct change_row *nodes_operation(enum nodes_operation operation) {
  static const struct change_row rows[NODES_OPERATION_COUNT] = {
#define X(name, entity, allowed, required, prepare, status, describe) \
  {#name, entity, status, (allowed) ? &nodes_fields : NULL, allowed, required, prepare, take_key, run_##name, describe},
#include "admin/nodes/nodes.def"
#undef X
  };
  return &rows[operation];
}

/* ---- what these are, for the API's description ---- */

static const struct schema_member priority_rows[] = {
    {"code", SCHEMA_TEXT, .help = "the node's code"},
    {"id", SCHEMA_INTEGER, .help = "the node's number"},
    {"priority", SCHEMA_INTEGER, .help = "higher is asked first"},
};
static const struct schema priority_schema = SCHEMA_OF(NULL, priority_rows);

static const struct schema_member nodes_change_priorities_rows[] = {
    {"updated", SCHEMA_COUNT, .help = "how many were set"},
    {"nodes", SCHEMA_LIST, .of = &priority_schema, .help = "every node as it is now"},
};
const struct schema nodes_change_priorities_schema = SCHEMA_OF("NodePriorities", nodes_change_priorities_rows);

static const struct schema_member nodes_change_everywhere_rows[] = {
    {"model_name", SCHEMA_TEXT, .help = "the model"},
    {"is_available", SCHEMA_BOOL, .help = "whether it is offered"},
    {"nodes", SCHEMA_TEXTS, .help = "codes of the nodes where that was set"},
    {"read_only", SCHEMA_TEXTS, .help = "codes of the declared ones, where it stays as it was"},
};
const struct schema nodes_change_everywhere_schema = SCHEMA_OF("ModelAvailability", nodes_change_everywhere_rows);
