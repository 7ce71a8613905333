/* Asks providers which models they have: see discovery.h. */
#include "jobs/discovery.h"

#include "base/buf.h"
#include "base/log.h"
#include "route/discovered.h"

enum { LIST_MAX_BYTES = 8 * 1024 * 1024, LIST_MS = 15000, AT_ONCE = FIBER_GROUP_MAX };

struct query {
  struct http_client *client;
  const struct catalog_provider *at;
  bool changed;
};

/* Of a model list: what it mostly is, so that who set the provider up knows where to look. */
static const char *likely_cause(int status) {
  if (status == 404 || status == 405) return "; its address has to be where the API begins, such as https://host/v1";
  return status == 401 || status == 403 ? "; it does not take the key" : "";
}

static enum err ask(struct http_client *client, const struct provider *p, struct str target, uint32_t timeout_ms,
                    struct arena *a, struct discovery_models *models, struct err_info *info) {
  uint64_t deadline = clock_deadline_ms(timeout_ms);
  struct http_call *http = NULL;
  struct buf body;
  uint32_t connect_ms =
      p->timeouts.connect_ms && p->timeouts.connect_ms < timeout_ms ? p->timeouts.connect_ms : timeout_ms;
  struct http_client_request request = {.method = HTTP_GET,
                                        .origin = &p->origin,
                                        .target = target.n ? target : p->catalog_target,
                                        .headers = p->headers,
                                        .accept_gzip = true,
                                        .connect_ms = connect_ms,
                                        .headers_ms = timeout_ms,
                                        .reply_limit_bytes = LIST_MAX_BYTES};
  buf_init(&body, LIST_MAX_BYTES);
  enum err e = provider_sign(a, p, clock_wall_us(), &request, info);
  if (!e) e = http_call_start(client, &request, &http, info);
  if (!e) e = http_call_read_all(http, &body, deadline, info);
  int status = e ? 0 : http_call_response(http)->status;
  if (!e && status / 100 != 2)
    e = err_set(info, ERR_UPSTREAM_STATUS, "the %s answered with status %d%s",
                target.n ? "health check's address" : "model list", status, target.n ? "" : likely_cause(status));
  struct discovery_models found;
  if (!e && models) e = p->type->parse_catalog(a, buf_str(&body), &found.v, &found.n, info);
  if (!e && models) *models = found;
  http_call_close(http);
  buf_clear(&body);
  return e;
}

enum err discovery_ask(struct http_client *client, const struct provider *p, struct str target, uint32_t timeout_ms,
                       struct arena *a, struct discovery_models *models, uint32_t *latency_ms, struct err_info *info) {
  uint64_t from = clock_mono_us();
  enum err e = ask(client, p, target, timeout_ms, a, models, info);
  *latency_ms = (uint32_t)((clock_mono_us() - from) / 1000);
  return e;
}

static enum err keep(struct query *q, const struct discovery_models *models, struct arena *a) {
  struct str *ids = ARENA_NEW_ARRAY(a, struct str, models->n + 1);
  if (!ids) return ERR_NO_MEMORY;
  for (size_t i = 0; i < models->n; i++) ids[i] = models->v[i].id;
  return discovered_put(q->at->provider.id, ids, models->n, &q->changed) ? OK : ERR_NO_MEMORY;
}

static enum err run_query(void *arg) {
  struct query *q = arg;
  struct err_info info = {0};
  struct discovery_models models;
  struct arena a;
  arena_init(&a, 0);
  enum err e = ask(q->client, &q->at->provider, STR_NONE, LIST_MS, &a, &models, &info);
  if (!e) e = keep(q, &models, &a);
  arena_clear(&a);
  if (e && e != ERR_CANCELLED)
    log_line(LOG_LEVEL_WARN, "model list unavailable", log_str(LOG_PROVIDER, q->at->provider.id),
             log_c(LOG_CODE, err_code(e)), log_c(LOG_REASON, err_info_text(e, &info)));
  return e == ERR_CANCELLED ? e : OK; /* one silent provider does not stop the others */
}

static bool is_asked(const struct catalog_provider *p) {
  if (p->is_demo || !p->is_ready || p->provider.has_no_list) return false;
  const struct discovered_list *listed = discovered_get(p->provider.id);
  discovered_release(listed);
  return p->is_open || listed;
}

enum err discovery_run(struct http_client *client, const struct catalog *catalog, bool *changed) {
  struct query queries[AT_ONCE];
  enum err e = OK;
  *changed = false;
  for (size_t next = 0; !e && next < catalog->provider_count;) {
    struct fiber_group group;
    size_t n = 0;
    fiber_group_init(&group);
    for (; next < catalog->provider_count && n < AT_ONCE; next++) {
      if (!is_asked(&catalog->providers[next])) continue;
      queries[n] = (struct query){client, &catalog->providers[next], false};
      if (fiber_group_go(&group, run_query, &queries[n])) break;
      n++;
    }
    if (n == 0 && next < catalog->provider_count) e = ERR_BUSY;
    if (!e) e = fiber_group_join_all(&group, clock_deadline_ms(2 * LIST_MS));
    fiber_group_end(&group);
    for (size_t i = 0; i < n; i++) *changed = *changed || queries[i].changed;
  }
  return e;
}
