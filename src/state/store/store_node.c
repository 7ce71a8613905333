/* Nodes in the store: see store_node.h. */
#include "state/store/store_node.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "state/store/store.h"

/* Rises within the transaction of each change, whatever becomes of it; who then reads waits for the store's lock, which
 * is held until the transaction has ended. */
static _Atomic uint64_t changes = 1;

enum err store_node_find(struct db *db, struct str code_or_id, const struct node_key *key, struct nodes *out,
                         struct err_info *info) {
  const struct db_value code = db_text(code_or_id);
  int64_t id = 0;
  uint64_t number;
  enum err e = db_run(db, DB_STORED_NODE_FIND, &code, 1, db_take_int, &id, info);
  if (!e && !id && str_to_u64(code_or_id, &number) && number <= INT64_MAX) id = (int64_t)number;
  node_list_init(out);
  if (!e && id) e = nodes_load(db, id, key, out, info);
  if (!e && !out->n)
    e = err_set(info, ERR_NOT_FOUND, "there is no node \"%.*s\"", STR_ARG(str_cut_utf8(code_or_id, NODE_NAME_MAX)));
  if (e) node_list_clear(out);
  return e;
}

/* ---- rows ---- */

/* Memory from a, for what the store has as one text; *e is ERR_NO_MEMORY then. */
static struct db_value value_of(const struct node_field *f, const void *of, struct arena *a, enum err *e) {
  const char *at = (const char *)of + f->offset;
  const struct str *text = (const struct str *)(const void *)at;
  struct str words;
  switch (f->type) {
    case NODE_I64: return db_int(*(const int64_t *)(const void *)at);
    case NODE_I32: return db_int(*(const int32_t *)(const void *)at);
    case NODE_U32: return db_int(*(const uint32_t *)(const void *)at);
    case NODE_BOOL: return db_int(*(const bool *)at);
    case NODE_TEXT: return db_text(*text);
    case NODE_BYTES: return db_bytes(text->p, text->n);
    case NODE_WORDS:
      words = node_words_text(a, (const struct config_strings *)(const void *)at);
      if (!words.p) *e = ERR_NO_MEMORY;
      return db_text(words);
  }
  return db_null();
}

/* Which of the two unique values it was that exists. */
static enum err explain(struct db *db, const struct node *node, enum err e, struct err_info *info) {
  const struct db_value code = db_text(node->p.id);
  int64_t id = 0;
  if (e != ERR_CONFLICT) return e;
  if (!db_run(db, DB_STORED_NODE_FIND, &code, 1, db_take_int, &id, NULL) && id && id != node->id)
    return err_set_param(info, e, "code", "there is a node with code \"%.*s\" already", STR_ARG(node->p.id));
  return err_set_param(info, e, "name", "there is a node called \"%.*s\" already", STR_ARG(node->name));
}

static enum err put(struct db *db, enum db_query query, const struct node *node, int64_t *id, struct err_info *info) {
  struct db_value params[NODE_FIELDS];
  struct arena work;
  enum err e = OK;
  arena_init(&work, 0);
  for (size_t i = 0; i < NODE_FIELDS; i++) params[i] = value_of(&node_fields[i], node, &work, &e);
  atomic_fetch_add(&changes, 1);
  if (!e) e = db_run(db, query, params, NODE_FIELDS, id ? db_take_int : NULL, id, info);
  arena_clear(&work);
  return explain(db, node, e, info);
}

enum err store_node_add(struct db *db, struct node *node, struct err_info *info) {
  int64_t count = 0;
  enum err e = db_run(db, DB_STORED_NODE_COUNT, NULL, 0, db_take_int, &count, info);
  if (!e && count >= NODES_MAX)
    e = err_set(info, ERR_CONFLICT, "there are %d nodes, which is the most", (int)NODES_MAX);
  return e ? e : put(db, DB_STORED_NODE_ADD, node, &node->id, info);
}

enum err store_node_update(struct db *db, const struct node *node, struct err_info *info) {
  return put(db, DB_STORED_NODE_UPDATE, node, NULL, info);
}

enum err store_node_delete(struct db *db, int64_t id, struct err_info *info) {
  const struct db_value which = db_int(id);
  atomic_fetch_add(&changes, 1);
  enum err e = db_run(db, DB_STORED_MODEL_CLEAR, &which, 1, NULL, NULL, info);
  return e ? e : db_run(db, DB_STORED_NODE_DELETE, &which, 1, NULL, NULL, info);
}

/* ---- models ---- */

enum err store_node_put_model(struct db *db, int64_t id, const struct node_model *m, struct err_info *info) {
  struct db_value params[NODE_MODEL_FIELDS + 1] = {db_int(id)};
  enum err e = OK;
  for (size_t i = 0; i < NODE_MODEL_FIELDS; i++) params[i + 1] = value_of(&node_model_fields[i], m, NULL, &e);
  atomic_fetch_add(&changes, 1);
  return e ? e : db_run(db, DB_STORED_MODEL_PUT, params, NODE_MODEL_FIELDS + 1, NULL, NULL, info);
}

enum err store_node_delete_model(struct db *db, int64_t id, struct str name, struct err_info *info) {
  const struct db_value params[] = {db_int(id), db_text(name)};
  atomic_fetch_add(&changes, 1);
  enum err e = db_run(db, DB_STORED_MODEL_DELETE, params, 2, NULL, NULL, info);
  if (e || db_changes(db)) return e;
  return err_set(info, ERR_NOT_FOUND, "nothing is stored of the model \"%.*s\"", STR_ARG(str_cut_utf8(name, 120)));
}

/* The rest of them: a switch or a context that somebody has set outlives its model's absence. */
static enum err retire(struct db *db, int64_t id, const struct node_model *m, struct err_info *info) {
  struct node_model gone = *m;
  if (m->is_available && !m->context_tokens) return store_node_delete_model(db, id, m->name, info);
  gone.is_listed = false;
  return m->is_listed ? store_node_put_model(db, id, &gone, info) : OK;
}

enum err store_node_sync(struct db *db, const struct node *node, const struct node_model *listed, size_t n,
                         int64_t now_us, struct err_info *info) {
  struct arena work;
  struct map known, now;
  enum err e = OK;
  arena_init(&work, 0);
  map_init(&known, &work);
  map_init(&now, &work);
  for (size_t i = 0; !e && i < node->model_count; i++)
    if (!map_put(&known, node->models[i].name, &node->models[i])) e = ERR_NO_MEMORY;
  for (size_t i = 0; !e && i < n; i++) {
    const struct node_model *before = map_get(&known, listed[i].name);
    struct node_model m = listed[i];
    m.is_available = !before || before->is_available;
    m.context_tokens = before ? before->context_tokens : 0;
    m.is_listed = true;
    m.seen_us = now_us;
    e = map_put(&now, m.name, &known) ? store_node_put_model(db, node->id, &m, info) : ERR_NO_MEMORY;
  }
  for (size_t i = 0; !e && i < node->model_count; i++)
    if (!map_get(&now, node->models[i].name)) e = retire(db, node->id, &node->models[i], info);
  arena_clear(&work);
  struct node synced = *node;
  synced.synced_us = now_us;
  return e ? e : store_node_update(db, &synced, info);
}

enum err store_node_import(struct db *db, const struct node *node, struct err_info *info) {
  struct node copy = *node;
  enum err e = store_node_add(db, &copy, info);
  for (size_t i = 0; !e && i < node->model_count; i++) e = store_node_put_model(db, copy.id, &node->models[i], info);
  return e;
}

/* ---- as last known ---- */

struct counted {
  struct nodes nodes; /* first */
  atomic_uint refs;
  uint64_t changes; /* when they were read; 0: not from the store */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* held while reading; outside of the store's */
static struct counted *last;                             /* under it; one reference */

const struct nodes *store_nodes_ref(const struct nodes *nodes) {
  struct counted *c = (struct counted *)(uintptr_t)nodes;
  if (c) atomic_fetch_add(&c->refs, 1);
  return nodes;
}

void store_nodes_unref(const struct nodes *nodes) {
  struct counted *c = (struct counted *)(uintptr_t)nodes;
  if (!c || atomic_fetch_sub(&c->refs, 1) != 1) return;
  node_list_clear(&c->nodes);
  free(c);
}

static void note_shut(const struct nodes *nodes) {
  for (size_t i = 0; i < nodes->n; i++)
    if (nodes->v[i].is_shut)
      log_line(LOG_LEVEL_WARN, "a node's credential does not open with this store.key",
               log_str(LOG_PROVIDER, nodes->v[i].p.id));
}

static bool derive_key(struct node_key *out) {
  struct secret *master = NULL;
  struct err_info info = {0};
  enum err e = store_seal_key(&master, &info);
  if (!e) e = node_key_derive(secret_reveal(master), out);
  secret_free(master);
  if (e) log_line(LOG_LEVEL_ERROR, "the store's key cannot be read", log_c(LOG_REASON, err_info_text(e, &info)));
  return !e;
}

/* NULL: what there is stays, which is no older than any copy. */
static struct counted *read_anew(void) {
  struct node_key key;
  struct counted *c = calloc(1, sizeof *c);
  if (!c) return NULL;
  atomic_init(&c->refs, 1);
  uint64_t now = atomic_load(&changes); /* before the reading: what comes meanwhile is read again */
  enum store_source source = store_node_list(&c->nodes);
  c->changes = source == STORE_DB ? now : 0;
  if (source != STORE_DB && last && last->nodes.n) {
    store_nodes_unref(&c->nodes);
    return NULL;
  }
  bool has_key = c->nodes.n && derive_key(&key);
  for (size_t i = 0; i < c->nodes.n; i++) {
    struct node *node = &c->nodes.v[i];
    if (!has_key || node_unseal(&c->nodes.arena, &key, node)) node->is_shut = node->sealed.n > 0;
  }
  if (has_key) crypto_wipe(&key, sizeof key);
  note_shut(&c->nodes);
  return c;
}

const struct nodes *store_nodes(void) {
  pthread_mutex_lock(&lock);
  bool is_fresh = last && last->changes == atomic_load(&changes);
  struct counted *c = is_fresh ? NULL : read_anew();
  if (c) {
    if (last) store_nodes_unref(&last->nodes);
    last = c;
  }
  const struct nodes *out = last ? store_nodes_ref(&last->nodes) : NULL;
  pthread_mutex_unlock(&lock);
  return out;
}

void store_nodes_forget(void) {
  pthread_mutex_lock(&lock);
  if (last) store_nodes_unref(&last->nodes);
  last = NULL;
  atomic_fetch_add(&changes, 1);
  pthread_mutex_unlock(&lock);
}
