/* Nodes in a store of their own, for the tests of route/. Included after route_rig.h. */
#ifndef MAESTRO_TESTS_NODE_RIG_H
#define MAESTRO_TESTS_NODE_RIG_H

#include "state/store/store.h"
#include "state/store/store_node.h"

#include "../state/store_rig.h"

static struct store_rig node_rig;

static inline void node_rig_init(void) {
  store_rig_init(&node_rig);
  store_set_seal_key(STR("a key of the tests"));
  assert_int_equal(store_start(node_rig.dir, "test", NULL), OK);
}

static inline void node_rig_clear(void) {
  char path[160];
  store_stop();
  store_nodes_forget();
  store_set_seal_key(STR_NONE);
  snprintf(path, sizeof path, "%s/nodes.jsonl", node_rig.dir);
  unlink(path);
  store_rig_clear(&node_rig);
}

struct node_rig_row {
  const char *code, *type, *base_url, *key;
  int32_t priority;
  bool is_off, allow_private;
  int32_t headers_ms; /* 0: not its own */
  const char *quirk;
  struct node_model models[4];
  int64_t id;
};

static inline enum err node_rig_put(struct db *db, void *arg, struct err_info *info) {
  struct node_rig_row *row = arg;
  struct arena a;
  struct node_key key;
  struct node node = {.name = str_from_c(row->code),
                      .allow_private = row->allow_private,
                      .p = {.id = str_from_c(row->code),
                            .type = str_from_c(row->type),
                            .base_url = str_from_c(row->base_url),
                            .priority = row->priority,
                            .weight = 1,
                            .is_active = !row->is_off}};
  struct str quirk = str_from_c(row->quirk ? row->quirk : "");
  node.p.timeouts = config_timeouts_unset;
  if (row->headers_ms) node.p.timeouts.headers_ms = row->headers_ms;
  if (row->quirk) node.p.quirks = (struct config_strings){&quirk, 1};
  arena_init(&a, 0);
  assert_int_equal(node_key_derive(STR("a key of the tests"), &key), OK);
  if (row->key) node.p.api_key = secret_new_in(&a, str_from_c(row->key));
  enum err e = node_seal(&a, &key, &node, info);
  if (!e) e = store_node_add(db, &node, info);
  for (size_t i = 0; !e && i < 4 && row->models[i].name.n; i++)
    e = store_node_put_model(db, node.id, &row->models[i], info);
  row->id = node.id;
  arena_clear(&a);
  return e;
}

static inline void node_rig_add(struct node_rig_row row) {
  struct err_info info = {0};
  if (store_write(node_rig_put, &row, &info)) fail_msg("%s", info.text);
}

#endif
