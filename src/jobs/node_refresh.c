/* A node's models, asked for again: see node_refresh.h. The job owns its memory, so that a fiber which gives up strands
 * nothing. */
#include "jobs/node_refresh.h"

#include <stdlib.h>

#include "base/log.h"
#include "io/pool.h"
#include "jobs/reload.h"
#include "route/discovered.h"
#include "state/store/store.h"
#include "state/store/store_node.h"

enum { LIST_MS = 15000, REFRESH_MS = 30000 };

struct refresh {
  struct arena arena;
  struct str code, base_url;
  int64_t node; /* its number in the store; 0: it is declared */
  bool is_gone; /* another node, or none, has the code now, or the node is elsewhere: the list says nothing of it */
  struct node_model *models;
  size_t n;
};

enum err node_refresh_models(struct arena *a, const struct discovery_models *listed, struct node_model **out,
                             size_t *n) {
  struct node_model *v = ARENA_NEW_ARRAY(a, struct node_model, listed->n + 1);
  size_t count = 0;
  if (!v) return ERR_NO_MEMORY;
  for (size_t i = 0; i < listed->n; i++) {
    const struct provider_listed *m = &listed->v[i];
    if (!node_model_name_is_valid(m->id)) continue;
    v[count] = (struct node_model){.name = arena_dup(a, m->id),
                                   .listed_tokens = m->context_tokens,
                                   .size_bytes = m->size_bytes,
                                   .family = arena_dup(a, m->family),
                                   .digest = arena_dup(a, m->digest)};
    if (!v[count].name.p || !v[count].family.p || !v[count].digest.p) return ERR_NO_MEMORY;
    count++;
  }
  *out = v;
  *n = count;
  return OK;
}

static void log_failure(struct str provider, enum err e, const struct err_info *info) {
  log_line(LOG_LEVEL_WARN, "models of a node are not up to date", log_str(LOG_PROVIDER, provider),
           log_c(LOG_CODE, err_code(e)), log_c(LOG_REASON, err_info_text(e, info)));
}

/* ---- on the store's thread ---- */

static enum err store_models(struct db *db, void *arg, struct err_info *info) {
  struct refresh *r = arg;
  struct nodes nodes;
  enum err e = store_node_find(db, r->code, NULL, &nodes, info);
  r->is_gone = e == ERR_NOT_FOUND;
  if (e) return r->is_gone ? OK : e;
  const struct node *now = &nodes.v[0];
  r->is_gone = now->id != r->node || !str_eq(now->p.base_url, r->base_url);
  if (!r->is_gone) e = store_node_sync(db, now, r->models, r->n, clock_wall_us(), info);
  node_list_clear(&nodes);
  return e;
}

enum err node_refresh_note(struct arena *a, struct str provider, const struct node_model *models, size_t n,
                           bool *changed) {
  struct str *ids = ARENA_NEW_ARRAY(a, struct str, n + 1);
  if (!ids) return ERR_NO_MEMORY;
  for (size_t i = 0; i < n; i++) ids[i] = models[i].name;
  return discovered_put(provider, ids, n, changed) ? OK : ERR_NO_MEMORY;
}

static enum err publish(struct err_info *info) {
  struct config_diags diags;
  config_diags_init(&diags);
  enum err e = reload_rebuild(&diags, info);
  config_diags_clear(&diags);
  return e;
}

static enum err work(void *arg) {
  struct refresh *r = arg;
  struct err_info info = {0};
  bool changed = false;
  enum err e = r->node ? store_write(store_models, r, &info) : OK;
  if (!e && r->is_gone) return OK;
  if (!e) e = node_refresh_note(&r->arena, r->code, r->models, r->n, &changed);
  if (!e && (changed || r->node)) e = publish(&info);
  if (e) log_failure(r->code, e, &info);
  return e;
}

/* ---- on the fiber ---- */

static void drop(void *arg) {
  struct refresh *r = arg;
  arena_clear(&r->arena);
  free(r);
}

static enum err ask(struct http_client *client, const struct catalog_provider *at, struct refresh *r,
                    struct err_info *info) {
  struct discovery_models listed;
  uint32_t latency_ms;
  enum err e = discovery_ask(client, &at->provider, STR_NONE, LIST_MS, &r->arena, &listed, &latency_ms, info);
  return e ? e : node_refresh_models(&r->arena, &listed, &r->models, &r->n);
}

/* For the job; NULL without memory. */
static struct refresh *refresh_new(const struct catalog_provider *at) {
  struct refresh *r = calloc(1, sizeof *r);
  if (!r) return NULL;
  arena_init(&r->arena, 0);
  r->code = arena_dup(&r->arena, at->provider.id);
  r->base_url = at->node ? arena_dup(&r->arena, at->node->p.base_url) : STR("");
  r->node = at->node ? at->node->id : 0;
  if (r->code.p && r->base_url.p) return r;
  drop(r);
  return NULL;
}

void node_refresh(struct http_client *client, const struct catalog_provider *at) {
  uint64_t deadline = clock_deadline_ms(REFRESH_MS);
  struct err_info info = {0};
  enum err stored = OK; /* of which the work itself tells */
  struct refresh *r = refresh_new(at);
  fiber_shield_begin(deadline);
  enum err e = r ? ask(client, at, r, &info) : ERR_NO_MEMORY;
  if (!e)
    e = fiber_await(POOL_STORE, work, r, drop, deadline, &stored);
  else if (r)
    drop(r);
  fiber_shield_end();
  if (e) log_failure(at->provider.id, e, &info);
}
