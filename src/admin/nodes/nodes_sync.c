/* What nodes answered, kept: see nodes_sync.h. */
#include "admin/nodes/nodes_sync.h"

#include "admin/nodes/nodes_ask.h"
#include "admin/nodes/nodes_json.h"
#include "base/clock.h"
#include "base/json_out.h"
#include "state/store/store_node.h"

enum { SHOWN = 10 };

static enum err store_answer(struct db *db, const struct nodes_answer *answer, size_t *total, struct err_info *info) {
  struct nodes nodes;
  enum err e = store_node_find(db, answer->code, NULL, &nodes, info);
  if (e) return e;
  if (nodes.v[0].id == answer->id)
    e = store_node_sync(db, &nodes.v[0], answer->v, answer->n, clock_wall_us(), info);
  else
    e = err_set(info, ERR_NOT_FOUND, "the node was deleted while it was asked; another has its code now");
  node_list_clear(&nodes);
  *total = answer->n;
  return e;
}

static void put_answer(struct buf *b, const struct nodes_answer *answer, size_t total) {
  json_out_begin(b, '{');
  json_out_member_bool(b, "success", !answer->fault);
  nodes_json_put_who(b, &(const struct node){.id = answer->id, .name = answer->name, .p.id = answer->code});
  if (answer->fault) {
    json_out_member_string(b, "error", str_from_c(answer->text));
    json_out_member_string(b, "error_class", str_from_c(err_code(answer->fault)));
  }
  json_out_member_i64(b, "synced_count", (int64_t)answer->n);
  json_out_key(b, "models");
  json_out_begin(b, '[');
  for (size_t i = 0; i < answer->n && i < SHOWN; i++) json_out_string(b, answer->v[i].name);
  json_out_end(b, ']');
  json_out_member_i64(b, "total_models", (int64_t)total);
  json_out_end(b, '}');
}

enum err nodes_sync_keep_one(struct db *db, struct change *c, struct err_info *info) {
  const struct nodes_answers *all = c->in;
  size_t total = 0;
  enum err e = store_answer(db, &all->v[0], &total, info);
  c->name = all->v[0].code;
  put_answer(c->out, &all->v[0], total);
  return e;
}

enum err nodes_sync_keep_all(struct db *db, struct change *c, struct err_info *info) {
  const struct nodes_answers *all = c->in;
  enum err e = OK;
  c->name = STR("all");
  json_out_begin(c->out, '{');
  json_out_key(c->out, "results");
  json_out_begin(c->out, '[');
  for (size_t i = 0; !e && i < all->n; i++) {
    size_t total = 0;
    if (!all->v[i].fault) e = store_answer(db, &all->v[i], &total, info);
    if (e == ERR_NOT_FOUND) e = OK; /* deleted while it was asked */
    put_answer(c->out, &all->v[i], total);
  }
  json_out_end(c->out, ']');
  json_out_end(c->out, '}');
  return e;
}

/* ---- what these are, for the API's description ---- */

static const struct schema_member nodes_sync_rows[] = {
    {"success", SCHEMA_BOOL, .help = "whether the node listed its models"},
    {NULL, SCHEMA_PART, .of = &nodes_json_who_schema},
    {"error", SCHEMA_TEXT | SCHEMA_OPTIONAL, .help = "what was wrong"},
    {"error_class", SCHEMA_TEXT | SCHEMA_OPTIONAL, .help = "its code"},
    {"synced_count", SCHEMA_COUNT, .help = "models that it listed"},
    {"models", SCHEMA_TEXTS, .help = "the first ten of them"},
    {"total_models", SCHEMA_COUNT, .help = "models that are kept of it"},
};
const struct schema nodes_sync_schema = SCHEMA_OF("NodeSync", nodes_sync_rows);

static const struct schema_member nodes_sync_all_rows[] = {
    {"results", SCHEMA_LIST, .of = &nodes_sync_schema, .help = "of every node that was asked"},
};
const struct schema nodes_sync_all_schema = SCHEMA_OF("NodeSyncs", nodes_sync_all_rows);
